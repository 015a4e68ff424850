//! Lines: those that were, and those that run now.

use pipit_commands::{Call, Error, Record, Value, moment};

use super::super::{now, unavailable};
use super::{Host, done, owner, text};
use crate::audit::{Filter, Whose};

/// How many lines `history` shows when it is not told.
const SHOWN: usize = 20;
/// How many are looked through for words.
const SEARCHED: usize = 10_000;

pub(super) async fn history(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let who = Whose::Person(owner(host)?.to_string());
    let count = call.int("count").and_then(|count| usize::try_from(count).ok()).unwrap_or(SHOWN);
    let words = call.joined("WORD");
    let limit = if words.is_some() { SEARCHED } else { count + 1 };
    let at = |name| call.text(name).and_then(|text| moment(&text, now()));
    let filter = Filter { who: Some(who), since: at("since"), until: at("until"), limit, ..Filter::default() };
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

/// Lines that run, by the caller's rights as they are now: `ps` may stand late in a long line.
pub(super) fn ps(host: &Host) -> Result<Vec<Value>, Error> {
    let subject = host.subject_now()?;
    let all = subject.has("shell:ps");
    let at = now();
    let running = host.engine.running();
    let rows = running
        .iter()
        .filter(|(id, line)| id.as_str() != host.line() && (all || Some(&line.who) == subject.owner()))
        .map(|(id, line)| {
            let shown = line.shown.load(std::sync::atomic::Ordering::Relaxed);
            let row: Record = [
                ("id", Value::from(id.as_str())),
                ("who", line.who.clone().into()),
                ("room", line.room.clone().into()),
                ("seconds", Value::Int(at.saturating_sub(line.since) / 1000)),
                ("values", Value::Int(i64::try_from(shown).unwrap_or(i64::MAX))),
                ("line", line.text.as_str().into()),
            ]
            .into_iter()
            .collect();
            row.into()
        });
    Ok(rows.collect())
}

/// Stops a line, by the caller's rights as they are now.
pub(super) fn kill(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let id = text(call, "ID")?.to_ascii_uppercase();
    let subject = host.subject_now()?;
    let may = subject.has("shell:kill");
    let mut running = host.engine.running();
    // the lines of others are not there for who may not stop them
    let found = running.get(id.as_str()).is_some_and(|line| may || Some(&line.who) == subject.owner());
    if !found || id == host.line() {
        return Err(Error::failed(format!("no line {id} is running")).help("ps shows those that are"));
    }
    if let Some(line) = running.remove(id.as_str()) {
        // the line may have ended just now, which is as good
        let _ = line.kill.send(subject.name().clone());
    }
    Ok(done(format!("{id} is stopped")))
}
