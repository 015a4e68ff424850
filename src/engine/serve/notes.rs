//! Notes: values under a key, a person's own (`my`) or a room's (`our`).
//!
//! A room's notes are read and changed in that room only, by whoever is known there.

use ecow::EcoString;
use pipit_commands::{Call, DEPTH, Error, Record, Value};
use serde::{Deserialize, Serialize};

use super::super::world::{kind, own};
use super::super::{labels, now};
use super::{Host, age, apply, delete as remove, done, holder, name_of, owner, put, room_for_more};
use crate::limits;
use crate::store::Expect;

/// The note that says in which zone somebody lives.
pub(in super::super) const ZONE: &str = "zone";

/// A note as kept.
#[derive(Debug, Serialize, Deserialize)]
pub(in super::super) struct Note {
    /// Who wrote it.
    pub(in super::super) by: EcoString,
    /// When, in milliseconds since 1970.
    pub(in super::super) at: i64,
    /// What from outside had a part in it.
    #[serde(default)]
    pub(in super::super) labels: Vec<EcoString>,
    pub(in super::super) value: Value,
}

/// How the notes of one holder are called and made, for errors.
fn word(room: bool) -> &'static str {
    if room { "our" } else { "my" }
}

/// Keeps a note, or gives it back.
pub(super) async fn note(host: &Host, call: &Call, room: bool) -> Result<Vec<Value>, Error> {
    let (name, holder, word) = (name_of(call, "KEY")?, holder(host, room)?, word(room));
    let key = own(&holder, &name);
    let Some(value) = call.value("VALUE") else {
        let found = host.engine.store().get(kind::NOTE, &key).map_err(super::stored)?;
        let found = found.ok_or_else(|| {
            Error::failed(format!("there is no note {name}")).help(format!("make one: {word} {name} = …"))
        })?;
        let note = read(&name, &found.body)?;
        labels::reckoned(host, call, &name, &note.by, note.labels)?;
        return Ok(vec![note.value]);
    };
    if !value.fits(DEPTH) {
        return Err(Error::failed(format!("a {} nested deeper than {DEPTH} cannot be kept", value.kind())));
    }
    if value.to_json().len() > limits::NOTE_BYTES {
        return Err(Error::failed(format!("a note has {} KiB at most", limits::NOTE_BYTES / 1024))
            .help("tee keeps more, under a name"));
    }
    if !room && name == ZONE {
        super::clock::zone(&value.to_text())?;
    }
    room_for_more(host, kind::NOTE, &holder, &name)?;
    let labels = call.args().output.iter().cloned().collect();
    let note = Note { by: owner(host)?.clone(), at: now(), labels, value: value.clone() };
    apply(host, vec![put(kind::NOTE, key, &note, Expect::Anything)]).await?;
    Ok(vec![value.clone()])
}

fn read(name: &str, body: &str) -> Result<Note, Error> {
    serde_json::from_str(body).map_err(|error| Error::failed(format!("the note {name} cannot be read: {error}")))
}

pub(super) fn list(host: &Host, room: bool) -> Result<Vec<Value>, Error> {
    let prefix = own(&holder(host, room)?, "");
    let documents = host.engine.store().below(kind::NOTE, &prefix).map_err(super::stored)?;
    documents
        .into_iter()
        .map(|document| {
            let name = document.key.strip_prefix(&prefix).unwrap_or_default().to_owned();
            let note = read(&name, &document.body)?;
            let mut row: Record = [("key", Value::from(name)), ("value", note.value)].into_iter().collect();
            if room {
                row.put("by", note.by);
            }
            row.put("age", age(note.at));
            Ok(row.into())
        })
        .collect()
}

pub(super) async fn delete(host: &Host, call: &Call, room: bool) -> Result<Vec<Value>, Error> {
    let (name, word) = (name_of(call, "KEY")?, word(room));
    let key = own(&holder(host, room)?, &name);
    if host.engine.store().get(kind::NOTE, &key).map_err(super::stored)?.is_none() {
        return Err(
            Error::failed(format!("there is no note {name}")).help(format!("{word} list shows those there are"))
        );
    }
    apply(host, vec![remove(kind::NOTE, key, Expect::Anything)]).await?;
    Ok(done(format!("the note {name} is gone")))
}
