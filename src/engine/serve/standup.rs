//! Stand-up notes: what everybody in a room is at. They belong to the room.

use ecow::EcoString;
use pipit_commands::{Call, Error, Record, Value};
use serde::{Deserialize, Serialize};

use super::super::now;
use super::super::world::{kind, own};
use super::{Host, age, apply, delete as remove, done, insert, owner};
use crate::limits;
use crate::store::Expect;

/// A note as kept; its key begins with the room and the time.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    by: EcoString,
    at: i64,
    text: EcoString,
}

pub(super) async fn note(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let (by, room, at) = (owner(host)?.clone(), super::rooms::this(host)?, now());
    let text = call.joined("TEXT").unwrap_or_default();
    if text.trim().is_empty() {
        return Err(Error::failed("a note says something").help("write standup TEXT"));
    }
    if text.chars().count() > limits::REMINDER {
        return Err(Error::failed(format!("a stand-up note has {} letters at most", limits::REMINDER)));
    }
    let prefix = own(&room.owner(), "");
    let there = host.engine.store().below(kind::STANDUP, &prefix).map_err(super::stored)?;
    let over = (there.len() + 1).saturating_sub(limits::SHARED_THINGS);
    let mut changes: Vec<_> =
        there.into_iter().take(over).map(|old| remove(kind::STANDUP, old.key, Expect::Anything)).collect();
    let key = format!("{prefix}{at:016x}/{}", super::fresh_id());
    changes.push(insert(kind::STANDUP, key, &Note { by: by.clone(), at, text }));
    apply(host, changes).await?;
    Ok(done(format!("noted for {by}; standup list shows what {room} is at")))
}

/// The notes of the room, the newest last.
pub(super) fn list(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    const DAY: f64 = 86_400.0;
    owner(host)?;
    let prefix = own(&super::rooms::this(host)?.owner(), "");
    let seconds = match call.value("since") {
        Some(Value::Float(seconds)) => *seconds,
        Some(_) | None => DAY,
    };
    #[expect(clippy::cast_possible_truncation, reason = "a time of at most a year, in milliseconds")]
    let since = now().saturating_sub((seconds * 1000.0) as i64);
    let who = call.text("user").map(|who| super::user::meant(host, who.trim_start_matches('@'))).transpose()?;
    let notes = host.engine.store().below(kind::STANDUP, &prefix).map_err(super::stored)?;
    Ok(notes
        .into_iter()
        .filter_map(|found| serde_json::from_str::<Note>(&found.body).ok())
        .filter(|note| note.at >= since && who.as_ref().is_none_or(|who| note.by == *who))
        .map(|note| {
            let fields = [("who", note.by), ("age", age(note.at).into()), ("text", note.text)];
            fields.into_iter().collect::<Record>().into()
        })
        .collect())
}

/// Takes back the caller's newest note of the room.
pub(super) async fn take_back(host: &Host) -> Result<Vec<Value>, Error> {
    let me = owner(host)?;
    let room = super::rooms::this(host)?;
    let notes = host.engine.store().below(kind::STANDUP, &own(&room.owner(), "")).map_err(super::stored)?;
    let mine = notes
        .into_iter()
        .rev()
        .find(|found| serde_json::from_str::<Note>(&found.body).is_ok_and(|note| note.by == *me));
    let mine = mine.ok_or_else(|| Error::failed(format!("you have no stand-up note in {room}")))?;
    apply(host, vec![remove(kind::STANDUP, mine.key, Expect::Present)]).await?;
    Ok(done("your newest note is gone"))
}
