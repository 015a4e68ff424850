//! The audit log, read; and erased where a person's texts must go.

use jiff::Timestamp;
use pipit_commands::{Call, Error, ErrorKind, Record, Value, point};

use super::super::{now, unavailable};
use super::{Host, done, text};
use crate::audit::{Filter, Status, Summary, Whose, Wish};
use crate::limits;

/// A time as it is shown: UTC, to the second.
pub(super) fn time(at: i64) -> String {
    Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// The point in time that an option says, Unix milliseconds.
pub(super) fn when(call: &Call, option: &str) -> Result<Option<i64>, Error> {
    call.text(option).map(|text| point(&text, now()).map_err(Error::failed)).transpose()
}

/// A room as the log names it.
pub(super) fn room(call: &Call) -> Option<String> {
    call.text("room").map(|room| room.strip_prefix('#').unwrap_or(&room).into())
}

fn filter(call: &Call) -> Result<Filter, Error> {
    const SHOWN: usize = 50;
    let ended = call.text("ended").map(|ended| match ended.as_str() {
        "ok" => Wish::As(Status::Ok),
        "failed" => Wish::As(Status::Failed),
        "refused" => Wish::As(Status::Refused),
        "denied" => Wish::As(Status::Denied),
        "parked" => Wish::As(Status::Parked),
        "stopped" => Wish::As(Status::Stopped),
        "unknown" => Wish::As(Status::Unknown),
        _ => Wish::NotYet,
    });
    Ok(Filter {
        since: when(call, "since")?,
        until: when(call, "until")?,
        ended,
        command: call.text("command").map(Into::into),
        who: call.text("user").map(|user| Whose::Name(user.into())),
        room: room(call),
        limit: call.int("count").and_then(|count| usize::try_from(count).ok()).unwrap_or(SHOWN),
        ..Filter::default()
    })
}

pub(super) async fn list(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    shown(host, filter(call)?).await
}

pub(super) async fn search(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let text = call.joined("TEXT").map(Into::into);
    // the search itself stands in the log with its text, and is not what is looked for
    let own = host.line().to_owned();
    let mut rows = shown(host, Filter { text, ..filter(call)? }).await?;
    rows.retain(|row| match row {
        Value::Record(row) => row.get("id").is_none_or(|id| id.to_text() != own.as_str()),
        _ => true,
    });
    Ok(rows)
}

/// Lines after those whose process is gone were closed: these do not run any more, and how they ended is unknown.
pub(super) async fn found(host: &Host, filter: Filter) -> Result<Vec<Summary>, Error> {
    let audit = &host.engine.0.audit;
    if filter.ended == Some(Wish::As(Status::Unknown)) {
        let back = i64::try_from(limits::LOOK_BACK.as_millis()).unwrap_or(i64::MAX);
        audit.close_orphans(filter.since.unwrap_or(now() - back), now()).await.map_err(unavailable)?;
    }
    let lines = audit.list(filter.clone()).await.map_err(unavailable)?;
    let open = lines.iter().filter(|line| line.end.is_none() && line.ticket != host.line());
    match open.map(|line| line.at).min() {
        None => Ok(lines),
        Some(oldest) => {
            audit.close_orphans(oldest, now()).await.map_err(unavailable)?;
            audit.list(filter).await.map_err(unavailable)
        }
    }
}

async fn shown(host: &Host, filter: Filter) -> Result<Vec<Value>, Error> {
    let rows = found(host, filter).await?.into_iter().rev().map(|line| {
        let (ended, message) =
            line.end.map_or_else(|| ("running".to_owned(), String::new()), |end| (end.status, end.message));
        let row: Record = [
            ("id", line.ticket),
            ("at", time(line.at)),
            ("who", line.who),
            ("via", line.via),
            ("room", line.room),
            ("line", line.text),
            ("ended", ended),
            ("message", message),
        ]
        .into_iter()
        .collect();
        row.into()
    });
    Ok(rows.collect())
}

pub(super) async fn show(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let id = text(call, "ID")?;
    let audit = &host.engine.0.audit;
    let mut rows = audit.show(&id).await.map_err(unavailable)?;
    let Some(asked) = rows.first() else {
        return Err(Error::failed(format!("there is no line {id} in the log")));
    };
    if rows.iter().all(|row| row.kind != "closed") {
        audit.close_orphans(asked.at, now()).await.map_err(unavailable)?;
        rows = audit.show(&id).await.map_err(unavailable)?;
    }
    let rows = rows.into_iter().map(|row| {
        let body = Value::from_json(row.body.get()).unwrap_or_else(|_| row.body.get().into());
        let row: Record = [
            ("seq", Value::Int(row.seq)),
            ("at", time(row.at).into()),
            ("kind", row.kind.into()),
            ("command", row.command.into()),
            ("outcome", row.outcome.into()),
            ("body", body),
        ]
        .into_iter()
        .collect();
        row.into()
    });
    Ok(rows.collect())
}

pub(super) async fn verify(host: &Host) -> Result<Vec<Value>, Error> {
    let report = host.engine.0.audit.verify().await.map_err(|error| Error::failed(error.to_string()))?;
    if let Some(fault) = report.fault {
        return Err(Error::failed(format!("the log was altered: {fault}"))
            .help("keep a copy of the home as it is, and restore a backup to go on"));
    }
    let losses = i64::try_from(report.losses.len()).unwrap_or(i64::MAX);
    let row: Record = [
        ("records", Value::Int(report.records)),
        ("head", report.head.into()),
        ("anchored", report.anchored.into()),
        ("losses", Value::Int(losses)),
        ("erased", Value::Int(report.erased)),
    ]
    .into_iter()
    .collect();
    Ok(vec![row.into()])
}

pub(super) async fn erase(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let who = text(call, "USER")?;
    let reason = call.joined("REASON").unwrap_or_default();
    let me = host.subject.name();
    let own = host.world.policy.people().user_of(&who).is_some_and(|user| user == me);
    if who == *me || own {
        return Err(Error::new(ErrorKind::Denied, format!("{me} may not erase what {me} said"))
            .help("somebody else who holds audit:erase may"));
    }
    let erased = host.engine.0.audit.erase_of(&who, now(), host.subject.name(), &reason).await;
    let erased = erased.map_err(unavailable)?;
    let said = host.engine.forget_talk_by(&who).await?;
    if said > 0 {
        return Ok(done(format!(
            "what {erased} records of {who} said is erased, and {said} messages of theirs in rooms"
        )));
    }
    if erased == 0 {
        return Err(Error::failed(format!("there are no lines of {who} that have ended and say anything")));
    }
    Ok(done(format!("what {erased} records of {who} said is erased")))
}
