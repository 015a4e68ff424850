//! The audit log, read.

use pipit_commands::{Call, Error, Record, Value};

use super::super::{now, unavailable};
use super::{Host, text};
use crate::audit::{Filter, Status, Wish};

/// A time as it is shown: UTC, to the second.
pub(super) fn time(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at)
        .map_or_else(|_| at.to_string(), |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

pub(super) async fn list(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    const SHOWN: usize = 50;
    let since = match call.value("since") {
        #[expect(clippy::cast_possible_truncation, reason = "a time span is bounded to a year")]
        Some(Value::Float(seconds)) => Some(now() - (seconds * 1000.0) as i64),
        _ => None,
    };
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
    let filter = Filter {
        since,
        ended,
        command: call.text("command").map(Into::into),
        who: call.text("user").map(Into::into),
        room: call.text("room").map(|room| room.strip_prefix('#').unwrap_or(&room).into()),
        limit: call.int("count").and_then(|count| usize::try_from(count).ok()).unwrap_or(SHOWN),
        ..Filter::default()
    };
    let audit = &host.engine.0.audit;
    let mut lines = audit.list(filter.clone()).await.map_err(unavailable)?;
    let open = lines.iter().filter(|line| line.end.is_none() && line.ticket != host.line());
    if let Some(oldest) = open.map(|line| line.at).min() {
        // those whose process is gone do not run any more
        audit.close_orphans(oldest, now()).await.map_err(unavailable)?;
        lines = audit.list(filter).await.map_err(unavailable)?;
    }
    let rows = lines.into_iter().rev().map(|line| {
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
    ]
    .into_iter()
    .collect();
    Ok(vec![row.into()])
}
