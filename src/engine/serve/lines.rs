//! Lines: those that were, and those that run now.

use pipit_commands::{Call, Error, Record, Value};

use super::super::{now, unavailable};
use super::{Host, done, owner, text};
use crate::audit::Filter;

/// How many lines `history` shows when it is not told.
const SHOWN: usize = 20;
/// How many are looked through for words.
const SEARCHED: usize = 10_000;

pub(super) async fn history(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let who = owner(host)?.to_string();
    let count = call.int("count").and_then(|count| usize::try_from(count).ok()).unwrap_or(SHOWN);
    let words = call.joined("WORD");
    let limit = if words.is_some() { SEARCHED } else { count + 1 };
    let filter = Filter { who: Some(who), limit, ..Filter::default() };
    let lines = host.engine.0.audit.list(filter).await.map_err(unavailable)?;
    let mut rows: Vec<Value> = lines
        .into_iter()
        .filter(|line| line.ticket != host.line())
        .filter(|line| words.as_ref().is_none_or(|words| line.text.contains(words.as_str())))
        .take(count)
        .map(|line| {
            let ended = line.end.map_or_else(|| "running".to_owned(), |end| end.status);
            let row: Record =
                [("id", line.ticket), ("at", super::log::time(line.at)), ("line", line.text), ("ended", ended)]
                    .into_iter()
                    .collect();
            row.into()
        })
        .collect();
    rows.reverse();
    Ok(rows)
}

pub(super) fn ps(host: &Host) -> Vec<Value> {
    let all = host.subject.has("shell:ps");
    let own = host.subject.owner();
    let at = now();
    let running = host.engine.running();
    running
        .iter()
        .filter(|(id, line)| id.as_str() != host.line() && (all || Some(&line.who) == own))
        .map(|(id, line)| {
            let row: Record = [
                ("id", Value::from(id.as_str())),
                ("who", line.who.clone().into()),
                ("room", line.room.clone().into()),
                ("seconds", Value::Int(at.saturating_sub(line.since) / 1000)),
                ("line", line.text.as_str().into()),
            ]
            .into_iter()
            .collect();
            row.into()
        })
        .collect()
}

pub(super) fn kill(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let id = text(call, "ID")?.to_ascii_uppercase();
    let may = host.subject.has("shell:kill");
    let mut running = host.engine.running();
    // the lines of others are not there for who may not stop them
    let found = running.get(id.as_str()).is_some_and(|line| may || Some(&line.who) == host.subject.owner());
    if !found || id == host.line() {
        return Err(Error::failed(format!("no line {id} is running")).help("ps shows those that are"));
    }
    if let Some(line) = running.remove(id.as_str()) {
        // the line may have ended just now, which is as good
        let _ = line.kill.send(host.subject.name().clone());
    }
    Ok(done(format!("{id} is stopped")))
}
