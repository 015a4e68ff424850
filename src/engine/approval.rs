//! Lines that wait for the approval of others: asked for, voted on, and run once.
//!
//! A request is a document with the whole plan in it, and so outlives the process; a vote is a document of its own. Who
//! takes the last step from `approved` to `released` runs the line: that is one change of the store, which only one can
//! make. Deliberately absent: who counts as an approver of what (the rules say it), and any chat service.

use ecow::EcoString;
use pipit_commands::{Error, ErrorKind};
use pipit_grammar::ast::Line;
use pipit_grammar::rule::{Place, Via};

use super::host::LineHost;
use super::plan::Plan;
use super::recall::recalls;
use super::world::kind;
use super::{Engine, now, unavailable};
use crate::access::Subject;
use crate::access::approval::{self, Asker, Parked, State, Who};
use crate::audit::{Event, Happened};
use crate::limits;
use crate::store::{Change, Document, Expect};

mod again;
mod deliver;
mod release;
mod show;
mod vote;

#[cfg(test)]
mod tests;

pub(super) use release::Release;
pub(super) use show::{list, request};
pub(super) use vote::{approve, deny};

/// A request as it lies in the store.
struct Kept {
    id: String,
    revision: u64,
    parked: Parked,
}

/// Keeps a line that has to wait, and says what is asked for. The error is what the requester is told.
pub(super) async fn park(host: &LineHost, line: &Line, plan: &Plan) -> Error {
    match ask(host, line, plan).await {
        Ok((id, parked)) => {
            host.remark(Happened::Requested, "", &id, &parked.plan.line);
            let needs: Vec<String> = parked.plan.needs.iter().map(ToString::to_string).collect();
            Error::new(ErrorKind::Parked, format!("the line waits for the approval of {}", needs.join(" and ")))
                .help(show::text(host, &id, &parked))
        }
        Err(error) => error,
    }
}

/// The request that this line makes, or the one that the same line has made already.
async fn ask(host: &LineHost, line: &Line, plan: &Plan) -> Result<(String, Parked), Error> {
    let cannot = |why: &str| Error::new(ErrorKind::Denied, format!("the line takes an approval, and {why}"));
    let who = host.subject.owner().and_then(|name| Who::of(host.identity(), name));
    let who = who.ok_or_else(|| cannot("nobody has verified who asks for it"))?;
    if host.context().via != Via::Chat {
        return Err(cannot("only a line that somebody types can wait"));
    }
    if host.standard_input {
        return Err(cannot("what comes in by standard input cannot be kept until then"));
    }
    if !recalls(line).is_empty() {
        return Err(
            cannot("a line of before that it runs again may be another one by then").help("say the line itself")
        );
    }
    if crate::scrub::is_in(&line.to_string()) {
        return Err(cannot("a secret that stands in it is not kept until then"));
    }
    let due = host.owes();
    if due.over {
        let most = limits::GUARDED;
        return Err(cannot(&format!("it makes more than {most} calls that take one")).help("ask for fewer at once"));
    }
    let at = now();
    let wanted = approval::Plan {
        line: line.to_string(),
        spread: plan.spread(),
        calls: due.calls,
        needs: approval::needs(due.requirements.iter()),
        who,
        service: host.service.clone(),
        room: match &host.context().place {
            Place::Dm => None,
            Place::Room(name) => Some(name.clone()),
        },
        ticket: host.line().to_owned(),
        stepped_up: due.stepped_up,
        at,
        until: at.saturating_add(i64::try_from(limits::APPROVAL.as_millis()).unwrap_or(i64::MAX)),
    };
    let engine = &host.engine;
    let all = engine.requests()?;
    let own = || all.iter().filter(|kept| kept.parked.plan.who.name == wanted.who.name && kept.waits(at));
    if let Some(kept) = own().find(|kept| kept.parked.plan.asks_the_same(&wanted)) {
        return Ok((kept.id.clone(), kept.parked.clone()));
    }
    if own().count() >= limits::WAITING {
        let most = limits::WAITING;
        return Err(cannot(&format!("{most} of your requests wait already"))
            .help("approvals shows them; deny ID takes one back"));
    }
    let asker = host.address.as_ref().map(|address| Asker {
        name: address.name.clone(),
        heard: address.heard,
        process: engine.0.process.clone(),
    });
    let (id, parked) = (wanted.id(), Parked { plan: wanted, state: State::Waiting, asker });
    let mut changes = vec![Change::Insert { kind: kind::APPROVAL, key: id.clone(), body: body(&parked) }];
    changes.extend(engine.forget_ended(&all, at)?);
    engine.0.store.apply(changes).await.map_err(unavailable)?;
    Ok((id, parked))
}

impl Kept {
    fn read(document: Document) -> Result<Self, Error> {
        let parked = serde_json::from_str(&document.body).map_err(|error| {
            Error::failed(format!("the request {} in the store cannot be read: {error}", document.key))
        })?;
        Ok(Self { id: document.key, revision: document.revision, parked })
    }

    /// Whether votes still count.
    fn waits(&self, at: i64) -> bool {
        self.parked.state == State::Waiting && at < self.parked.plan.until
    }

    /// The same in another state, only if nobody changed it meanwhile.
    fn becomes(&self, state: State) -> Change {
        let body = body(&Parked { state, ..self.parked.clone() });
        Change::Put { kind: kind::APPROVAL, key: self.id.clone(), body, expect: Expect::Revision(self.revision) }
    }
}

fn body(parked: &Parked) -> String {
    // a plain struct: there is nothing in it that JSON cannot say
    crate::scrub::owned(serde_json::to_string(parked).unwrap_or_default())
}

impl Engine {
    /// All requests, by id; those of another version of the shell that cannot be read are passed over.
    fn requests(&self) -> Result<Vec<Kept>, Error> {
        let all = self.0.store.list(kind::APPROVAL).map_err(unavailable)?;
        Ok(all.into_iter().filter_map(|document| Kept::read(document).ok()).collect())
    }

    /// The persons who voted for a request.
    fn voters(&self, id: &str) -> Result<Vec<EcoString>, Error> {
        let prefix = format!("{id}/");
        let votes = self.0.store.list(kind::VOTE).map_err(unavailable)?;
        Ok(votes.into_iter().filter_map(|vote| vote.key.strip_prefix(&prefix).map(EcoString::from)).collect())
    }

    /// The changes that take away requests which ended long ago, and their votes.
    fn forget_ended(&self, all: &[Kept], at: i64) -> Result<Vec<Change>, Error> {
        let kept = i64::try_from(limits::ENDED.as_millis()).unwrap_or(i64::MAX);
        let old: Vec<&Kept> = all.iter().filter(|one| one.parked.plan.until.saturating_add(kept) < at).collect();
        if old.is_empty() {
            return Ok(Vec::new());
        }
        let of_old = |key: &str| old.iter().any(|kept| key.split('/').next() == Some(kept.id.as_str()));
        let votes = self.0.store.list(kind::VOTE).map_err(unavailable)?;
        let votes = votes.into_iter().filter(|vote| of_old(&vote.key)).map(|vote| (kind::VOTE, vote.key));
        let all = old.iter().map(|kept| (kind::APPROVAL, kept.id.clone())).chain(votes);
        Ok(all.map(|(kind, key)| Change::Delete { kind, key, expect: Expect::Anything }).collect())
    }

    /// The content of an enabled bundle; none for the families of built-ins.
    pub(super) fn digest_of(&self, bundle: &str) -> Option<String> {
        crate::bundle::install::enabled(&self.0.store).ok()?.remove(bundle).map(|enabled| enabled.digest)
    }
}

/// The changes after which nothing that somebody asked for can be approved of any more, and their votes on what others
/// asked for count no more.
pub(super) fn voided(host: &LineHost, name: &str) -> Result<Vec<Change>, Error> {
    let mut changes = Vec::new();
    for kept in host.engine.requests()? {
        let waits = matches!(kept.parked.state, State::Waiting | State::Approved);
        if waits && kept.parked.plan.who.name == name {
            let why = format!("{name} is no user any more");
            host.remark(Happened::Voided, "", &kept.id, &why);
            changes.push(kept.becomes(State::Void { why }));
        }
    }
    let votes = host.engine.0.store.list(kind::VOTE).map_err(unavailable)?;
    let theirs = votes.into_iter().filter(|vote| vote.key.split_once('/').is_some_and(|(_, voter)| voter == name));
    changes.extend(theirs.map(|vote| Change::Delete { kind: kind::VOTE, key: vote.key, expect: Expect::Anything }));
    Ok(changes)
}

/// Whether somebody is the one who asked, by whatever account.
fn is_asker(who: &Who, subject: &Subject) -> bool {
    subject.owner() == Some(&who.name)
}

impl LineHost {
    /// Writes in the log what became of a request within this line. `what` is the requested line, or why.
    fn remark(&self, kind: Happened, outcome: &str, kept: &str, what: &str) {
        let body = serde_json::json!({ "request": kept, "what": what }).to_string();
        self.trail().event(&Event { at: now(), kind, command: "", outcome, body: &body });
    }
}
