//! Breaking the glass: taking the rights of an emergency, giving them back, and looking at what was done with them.

use pipit_commands::{Call, Error, ErrorKind, Record, Value};
use pipit_grammar::rule::StepUp;

use super::super::elevation;
use super::super::emergency::{Emergency, Review, all};
use super::super::now;
use super::super::world::kind;
use super::{Host, apply, delete as remove, done, insert, owner, put, stored, text};
use crate::audit::{Event, Happened};
use crate::limits;
use crate::store::{Expect, StoreError};

fn denied(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::Denied, why)
}

pub(super) async fn begin(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let who = owner(host)?.clone();
    if host.subject.is_operator() {
        return Err(denied("the operator takes no rights for an emergency").help("say who you are: --as USER"));
    }
    let at = now();
    if elevation::proved(host.engine.store(), &who, StepUp::Totp, None, at).is_none() {
        return Err(denied("that takes a second factor").help("say step-up CODE in a direct message first"));
    }
    let reason = text(call, "REASON")?;
    if reason.trim().chars().count() < limits::EMERGENCY_REASON {
        let least = limits::EMERGENCY_REASON;
        return Err(Error::failed(format!("a reason for this has {least} letters at least"))
            .help("break-glass 'INC-77 the database of web is down'"));
    }
    let span = i64::try_from(limits::EMERGENCY.as_millis()).unwrap_or(i64::MAX);
    let until = at.saturating_add(span);
    let emergency = Emergency { who: who.clone(), reason: reason.to_string(), at, until, review: None };
    let id = host.line().to_owned();
    // one that nobody has reviewed yet stands under the name of its person, and so there is no second one
    let changes = vec![insert(kind::EMERGENCY_OF, who.clone(), &id), insert(kind::EMERGENCY, id.clone(), &emergency)];
    match host.engine.store().apply(changes).await {
        Ok(()) => {}
        Err(StoreError::Exists { .. }) => {
            return Err(denied("your last emergency has not been reviewed")
                .help("break-glass list shows it; somebody else says break-glass review ID"));
        }
        Err(error) => return Err(stored(error)),
    }
    remark(host, Happened::Elevated, "begun", &id, &reason).await?;
    host.engine.notice(&format!("{who} breaks the glass ({id}), until {}: {reason}", super::log::time(until))).await;
    Ok(done(format!(
        "you have the rights of the role break-glass until {}; every line of yours is told, and {id} is to be reviewed",
        super::log::time(until)
    )))
}

pub(super) async fn end(host: &Host) -> Result<Vec<Value>, Error> {
    let (who, at) = (owner(host)?, now());
    let running = all(host.engine.store())?.into_iter().find(|(_, _, one)| one.who == *who && at < one.until);
    let (id, revision, emergency) = running.ok_or_else(|| Error::failed("you have no rights of an emergency"))?;
    let ended = Emergency { until: at, ..emergency };
    apply(host, vec![put(kind::EMERGENCY, id.clone(), &ended, Expect::Revision(revision))]).await?;
    remark(host, Happened::Elevated, "ended", &id, "").await?;
    host.engine.notice(&format!("{who} has given the rights of {id} back; break-glass review {id}")).await;
    Ok(done(format!("the rights are given back; somebody else says break-glass review {id}")))
}

pub(super) fn list(host: &Host) -> Result<Vec<Value>, Error> {
    let at = now();
    let rows = all(host.engine.store())?.into_iter().map(|(id, _, one)| {
        let state = match &one.review {
            Some(review) => format!("reviewed by {}", review.by),
            None if at < one.until => format!("until {}", super::log::time(one.until)),
            None => "to be reviewed".into(),
        };
        let note = one.review.and_then(|review| review.note);
        let row: Record = [
            ("id", Value::from(id)),
            ("who", one.who.into()),
            ("at", super::log::time(one.at).into()),
            ("reason", one.reason.into()),
            ("state", state.into()),
            ("note", note.into()),
        ]
        .into_iter()
        .collect();
        row.into()
    });
    Ok(rows.collect())
}

pub(super) async fn review(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let (id, by) = (text(call, "ID")?.to_uppercase(), owner(host)?.clone());
    let found = all(host.engine.store())?.into_iter().find(|(key, _, _)| *key == id);
    let (_, revision, emergency) = found.ok_or_else(|| Error::failed(format!("there is no emergency {id}")))?;
    if emergency.who == by {
        return Err(denied("nobody reviews what they did themselves"));
    }
    if now() < emergency.until {
        return Err(Error::failed(format!(
            "it is not over: {} has the rights until {}",
            emergency.who,
            super::log::time(emergency.until)
        )));
    }
    if let Some(review) = &emergency.review {
        return Err(Error::failed(format!("{} has reviewed it already", review.by)));
    }
    let note = call.joined("NOTE");
    let reviewed = Emergency { review: Some(Review { by, at: now(), note }), ..emergency.clone() };
    let changes = vec![
        put(kind::EMERGENCY, id.clone(), &reviewed, Expect::Revision(revision)),
        remove(kind::EMERGENCY_OF, emergency.who.clone(), Expect::Anything),
    ];
    apply(host, changes).await?;
    remark(host, Happened::Reviewed, "", &id, &emergency.reason).await?;
    Ok(done(format!("{id} of {} is reviewed", emergency.who)))
}

/// Writes in the log what became of an emergency; it counts for nothing before that is on the disk.
async fn remark(host: &Host, kind: Happened, outcome: &str, id: &str, why: &str) -> Result<(), Error> {
    let body = serde_json::json!({ "emergency": id, "why": why }).to_string();
    let event = Event { at: now(), kind, command: "break-glass:break-glass", outcome, body: &body };
    host.trail().durable_event(&event).await.map_err(super::super::unavailable)
}
