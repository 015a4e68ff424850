//! Streams and notes that somebody keeps under names of their own.

use std::sync::Arc;

use pipit_commands::{Call, DEPTH, Error, Record, Stream, Value};

use super::super::world::{kind, own};
use super::{Host, apply, delete, done, owner, put, room_for_more, text};
use crate::limits;
use crate::store::Expect;

/// Passes the stream on and keeps it when it has ended well.
pub(super) fn tee(host: &Host, call: &Call, input: Option<Stream>) -> Stream {
    struct Tee {
        host: Host,
        name: Result<ecow::EcoString, Error>,
        input: Option<Stream>,
        kept: Vec<Value>,
        bytes: usize,
    }
    impl Tee {
        async fn step(&mut self) -> Option<Result<Vec<Value>, Error>> {
            match self.input.as_mut()?.next().await {
                Some(Ok(batch)) => Some(self.keep(&batch).map(|()| batch)),
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

        fn keep(&mut self, batch: &[Value]) -> Result<(), Error> {
            if let Some(deep) = batch.iter().find(|value| !value.fits(DEPTH)) {
                return Err(Error::failed(format!("{} nested deeper than {DEPTH} cannot be kept", deep.kind())));
            }
            self.bytes += batch.iter().map(|value| value.to_json().len()).sum::<usize>();
            self.kept.extend_from_slice(batch);
            if self.kept.len() > limits::KEPT_VALUES || self.bytes > limits::KEPT_BYTES {
                return Err(Error::failed(format!(
                    "a kept stream has {} values and {} KiB at most; nothing is kept",
                    limits::KEPT_VALUES,
                    limits::KEPT_BYTES / 1024
                )));
            }
            Ok(())
        }

        async fn close(&mut self) -> Result<(), Error> {
            let name = self.name.clone()?;
            let owner = owner(&self.host)?;
            room_for_more(&self.host, kind::KEPT, owner)?;
            let values = std::mem::take(&mut self.kept);
            apply(&self.host, vec![put(kind::KEPT, own(owner, &name), &values, Expect::Anything)]).await
        }
    }
    let name = text(call, "NAME");
    let tee = Tee {
        host: Arc::clone(host),
        name,
        input: Some(input.unwrap_or_else(Stream::empty)),
        kept: Vec::new(),
        bytes: 0,
    };
    Stream::new(futures_util::stream::unfold(tee, |mut tee| async move {
        let batch = tee.step().await?;
        Some((batch, tee))
    }))
}

pub(super) fn cat(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = text(call, "NAME")?;
    let found = host.engine.0.store.get(kind::KEPT, &own(owner(host)?, &name)).map_err(super::stored)?;
    let found =
        found.ok_or_else(|| Error::failed(format!("nothing is kept as {name}")).help("keep list shows what is"))?;
    serde_json::from_str(&found.body)
        .map_err(|error| Error::failed(format!("what is kept as {name} cannot be read: {error}")))
}

pub(super) fn list(host: &Host) -> Result<Vec<Value>, Error> {
    let prefix = own(owner(host)?, "");
    let documents = host.engine.0.store.list(kind::KEPT).map_err(super::stored)?;
    Ok(documents
        .into_iter()
        .filter_map(|document| {
            let name = document.key.strip_prefix(&prefix)?.to_owned();
            let values: Vec<Value> = serde_json::from_str(&document.body).ok()?;
            let row: Record = [("name", Value::from(name)), ("values", values.len().into())].into_iter().collect();
            Some(row.into())
        })
        .collect())
}

pub(super) async fn drop(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = text(call, "NAME")?;
    let key = own(owner(host)?, &name);
    if host.engine.0.store.get(kind::KEPT, &key).map_err(super::stored)?.is_none() {
        return Err(Error::failed(format!("nothing is kept as {name}")).help("keep list shows what is"));
    }
    apply(host, vec![delete(kind::KEPT, key, Expect::Anything)]).await?;
    Ok(done(format!("{name} is forgotten")))
}

pub(super) async fn my(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = text(call, "KEY")?;
    let owner = owner(host)?;
    if let Some(value) = call.value("VALUE") {
        room_for_more(host, kind::NOTE, owner)?;
        if value.to_json().len() > limits::KEPT_BYTES {
            return Err(Error::failed(format!("a note has {} KiB at most", limits::KEPT_BYTES / 1024)));
        }
        apply(host, vec![put(kind::NOTE, own(owner, &name), value, Expect::Anything)]).await?;
        return Ok(vec![value.clone()]);
    }
    let found = host.engine.0.store.get(kind::NOTE, &own(owner, &name)).map_err(super::stored)?;
    let found = found
        .ok_or_else(|| Error::failed(format!("there is no note {name}")).help(format!("make one: my {name} = …")))?;
    let value = serde_json::from_str(&found.body)
        .map_err(|error| Error::failed(format!("the note {name} cannot be read: {error}")))?;
    Ok(vec![value])
}
