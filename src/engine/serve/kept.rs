//! Streams that are kept under a name: a person's own, or a room's.
//!
//! A room's are read in that room only, by whoever is known there; whoever kept one may replace or drop it.

use std::sync::Arc;

use ecow::EcoString;
use pipit_commands::{Call, DEPTH, Error, ErrorKind, Record, Stream, Value};
use serde::{Deserialize, Serialize};

use super::super::world::{kind, own};
use super::super::{labels, now};
use super::{Host, age, apply, delete, done, holder, name_of, owner, put, room_for_more};
use crate::limits;
use crate::store::Expect;

/// A stream as kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// Who kept it.
    by: EcoString,
    /// When, in milliseconds since 1970.
    at: i64,
    count: usize,
    bytes: usize,
    /// What from outside had a part in them.
    #[serde(default)]
    labels: Vec<EcoString>,
    values: Vec<Value>,
}

/// The same without its values.
#[derive(Deserialize)]
struct Label {
    by: EcoString,
    at: i64,
    count: usize,
    bytes: usize,
}

/// Passes a stream on, and keeps or posts it when it has ended well.
struct Tee {
    host: Host,
    input: Option<Stream>,
    to: To,
    kept: Vec<Value>,
    bytes: usize,
    labels: Vec<EcoString>,
}

/// What becomes of a stream beside being passed on.
enum To {
    /// It is kept under a name.
    Name { holder: EcoString, name: EcoString },
    /// It is posted where the line was said.
    Here,
}

pub(super) fn tee(host: &Host, call: &Call, input: Option<Stream>) -> Stream {
    let input = Some(input.unwrap_or_else(Stream::empty));
    let to = match to(host, call) {
        Ok(to) => to,
        Err(error) => return Stream::fail(error),
    };
    let labels = call.args().output.iter().cloned().collect();
    let tee = Tee { host: Arc::clone(host), input, to, kept: Vec::new(), bytes: 0, labels };
    Stream::new(futures_util::stream::unfold(tee, |mut tee| async move {
        let batch = tee.step().await?;
        Some((batch, tee))
    }))
}

fn to(host: &Host, call: &Call) -> Result<To, Error> {
    let room = call.flag("room");
    if call.text("NAME").is_some() {
        let (holder, name) = (holder(host, room)?, name_of(call, "NAME")?);
        may_change(host, &holder, &name)?;
        return Ok(To::Name { holder, name });
    }
    if room {
        return Err(Error::failed("what the room is to keep needs a name").help("write tee NAME --room"));
    }
    Ok(To::Here)
}

impl Drop for Tee {
    fn drop(&mut self) {
        // what is not whole is not kept, and whoever typed the line should know
        if self.input.is_some() {
            let what = match &self.to {
                To::Name { name, .. } => format!("{name} is not kept"),
                To::Here => "nothing is posted by tee".to_owned(),
            };
            self.host.tell(vec![format!("{what}: the stream was stopped before its end")]);
        }
    }
}

impl Tee {
    async fn step(&mut self) -> Option<Result<Vec<Value>, Error>> {
        match self.input.as_mut()?.next().await {
            Some(Ok(batch)) => {
                let taken = self.take(&batch);
                if taken.is_err() {
                    self.input = None;
                }
                Some(taken.map(|()| batch))
            }
            Some(Err(error)) => {
                self.input = None;
                Some(Err(error))
            }
            None => {
                self.input = None;
                self.close().await.err().map(Err)
            }
        }
    }

    fn take(&mut self, batch: &[Value]) -> Result<(), Error> {
        let (most, what) = match &self.to {
            To::Name { .. } => {
                if let Some(deep) = batch.iter().find(|value| !value.fits(DEPTH)) {
                    return Err(Error::failed(format!("{} nested deeper than {DEPTH} cannot be kept", deep.kind())));
                }
                self.bytes += batch.iter().map(|value| value.to_json().len()).sum::<usize>();
                (limits::KEPT_BYTES, "a kept stream")
            }
            To::Here => {
                self.bytes += batch.iter().map(|value| value.to_text().len() + 1).sum::<usize>();
                (limits::POST, "a post")
            }
        };
        self.kept.extend_from_slice(batch);
        if self.kept.len() > limits::KEPT_VALUES || self.bytes > most {
            let done = if matches!(self.to, To::Here) { "posted" } else { "kept" };
            return Err(Error::failed(format!(
                "{what} has {} values and {} KiB at most; nothing is {done}",
                limits::KEPT_VALUES,
                most / 1024
            )));
        }
        Ok(())
    }

    async fn close(&mut self) -> Result<(), Error> {
        let values = std::mem::take(&mut self.kept);
        let (holder, name) = match &self.to {
            To::Here if values.is_empty() => return Ok(()),
            To::Here => return super::rooms::post_here(&self.host, &crate::render::text(&values)).await,
            To::Name { holder, name } => (holder, name),
        };
        room_for_more(&self.host, kind::KEPT, holder, name)?;
        // somebody else may have taken the name while the stream ran
        may_change(&self.host, holder, name)?;
        let by = owner(&self.host)?.clone();
        let labels = std::mem::take(&mut self.labels);
        let kept = Kept { by, at: now(), count: values.len(), bytes: self.bytes, labels, values };
        apply(&self.host, vec![put(kind::KEPT, own(holder, name), &kept, Expect::Anything)]).await
    }
}

/// Refuses to replace or drop what another keeps for the room.
fn may_change(host: &Host, holder: &str, name: &str) -> Result<(), Error> {
    let Some(found) = host.engine.store().get(kind::KEPT, &own(holder, name)).map_err(super::stored)? else {
        return Ok(());
    };
    let label: Label = read(name, &found.body)?;
    let me = owner(host)?;
    if label.by == *me || holder == *me || host.subject.has("room:manage") {
        return Ok(());
    }
    let message = format!("{me} may not change {name}: {} keeps it for the room", label.by);
    Err(Error::new(ErrorKind::Denied, message).help("take another name, or ask whoever keeps it or holds room:manage"))
}

fn read<T: for<'de> Deserialize<'de>>(name: &str, body: &str) -> Result<T, Error> {
    serde_json::from_str(body).map_err(|error| Error::failed(format!("what is kept as {name} cannot be read: {error}")))
}

fn nothing(name: &str, room: bool) -> Error {
    let whose = if room { " in this room" } else { "" };
    let list = if room { "keep list --room" } else { "keep list" };
    Error::failed(format!("nothing is kept as {name}{whose}")).help(format!("{list} shows what is"))
}

pub(super) fn cat(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let (name, room) = (name_of(call, "NAME")?, call.flag("room"));
    let found = host.engine.store().get(kind::KEPT, &own(&holder(host, room)?, &name)).map_err(super::stored)?;
    let kept: Kept = read(&name, &found.ok_or_else(|| nothing(&name, room))?.body)?;
    labels::reckoned(host, call, &name, &kept.by, kept.labels)?;
    Ok(kept.values)
}

pub(super) fn list(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let room = call.flag("room");
    let prefix = own(&holder(host, room)?, "");
    let documents = host.engine.store().below(kind::KEPT, &prefix).map_err(super::stored)?;
    documents
        .into_iter()
        .map(|document| {
            let name = document.key.strip_prefix(&prefix).unwrap_or_default().to_owned();
            let label: Label = read(&name, &document.body)?;
            let mut row: Record = [("name", name)].into_iter().collect();
            if room {
                row.put("by", label.by);
            }
            row.put("values", label.count);
            row.put("bytes", label.bytes);
            row.put("age", age(label.at));
            Ok(row.into())
        })
        .collect()
}

pub(super) async fn drop(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let (name, room) = (name_of(call, "NAME")?, call.flag("room"));
    let holder = holder(host, room)?;
    let key = own(&holder, &name);
    if host.engine.store().get(kind::KEPT, &key).map_err(super::stored)?.is_none() {
        return Err(nothing(&name, room));
    }
    may_change(host, &holder, &name)?;
    apply(host, vec![delete(kind::KEPT, key, Expect::Anything)]).await?;
    Ok(done(format!("{name} is forgotten")))
}
