//! Rooms of the shell's own, and posts that leave the room of their line.

use ecow::EcoString;
use pipit_commands::{Call, Error, Record, Stream, Value};
use pipit_grammar::ast::Target;
use pipit_grammar::rule::Place;

use super::super::now;
use super::super::world::{Room, kind};
use super::{Host, apply, delete as remove, done, insert, text};
use crate::limits;
use crate::store::Expect;

/// Refuses a place that is not there.
pub(in super::super) fn known(host: &super::super::host::LineHost, target: &Target) -> Result<(), Error> {
    let outlet = host.engine.0.outlet.get();
    let on = |service: &str, place: &Place| outlet.is_some_and(|outlet| outlet.knows(service, place));
    let there = match target {
        Target::Here | Target::Me | Target::Thread => true,
        Target::Room(name) => {
            host.world.rooms.contains_key(name.as_str()) || on(&host.service, &Place::Room(name.clone()))
        }
        Target::User(name) => host.world.policy.people().has_user(name),
        Target::Place { adapter, place } => on(adapter, &place_of(place)),
    };
    if there {
        return Ok(());
    }
    Err(Error::refused(format!("there is no place {target} that the shell can post to")))
}

/// The place after `adapter://`: a room begins with `#`.
fn place_of(place: &str) -> Place {
    Place::Room(place.strip_prefix('#').unwrap_or(place).into())
}

/// The values of a pipeline that is posted: all of them, within the bound.
pub(in super::super) async fn gather(mut values: Stream) -> Result<Vec<Value>, Error> {
    let mut all = Vec::new();
    let mut bytes = 0;
    while let Some(batch) = values.next().await {
        for value in batch? {
            bytes += value.to_text().len() + 1;
            if bytes > limits::POST {
                return Err(Error::failed(format!("a post has {} KiB at most", limits::POST / 1024)));
            }
            all.push(value);
        }
    }
    Ok(all)
}

/// Posts a text to a place.
pub(in super::super) async fn post(host: &Host, target: &Target, said: &str) -> Result<(), Error> {
    let own = match target {
        Target::Here | Target::Thread => return Ok(()),
        Target::Room(name) if host.world.rooms.contains_key(name.as_str()) => Some(format!("#{name}")),
        Target::User(name) => Some(format!("@{name}")),
        Target::Me => Some(format!("@{}", host.subject.name())),
        Target::Room(_) | Target::Place { .. } => None,
    };
    if let Some(place) = own {
        let key = format!("{place}/{:016x}/{}", now(), host.line());
        let post: Record =
            [("by", Value::from(host.subject.name().clone())), ("line", host.line().into()), ("text", said.into())]
                .into_iter()
                .collect();
        return apply(host, vec![insert(kind::POST, key, &Value::from(post))]).await;
    }
    let (service, place) = match target {
        Target::Place { adapter, place } => (adapter.clone(), place_of(place)),
        Target::Room(name) => (host.service.clone(), Place::Room(name.clone())),
        Target::Here | Target::Thread | Target::Me | Target::User(_) => return Ok(()),
    };
    match host.engine.0.outlet.get() {
        Some(outlet) => outlet.post(&service, &place, said).await,
        None => Err(Error::failed(format!("no chat service is connected that knows {target}"))),
    }
}

/// A room's name without its `#`.
fn name(call: &Call) -> Result<EcoString, Error> {
    let text = text(call, "NAME")?;
    let name = text.strip_prefix('#').unwrap_or(&text);
    let good = !name.is_empty() && name.len() <= 64 && name.chars().all(|c| c.is_alphanumeric() || "._-".contains(c));
    if good {
        return Ok(name.into());
    }
    Err(Error::failed(format!("{text:?} is no name for a room: letters, digits, `.`, `_` and `-`, up to 64")))
}

pub(super) async fn create(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = name(call)?;
    let audience = call.text("audience").unwrap_or_else(|| "private".into());
    let said = done(format!("#{name} is there, {audience}"));
    apply(host, vec![insert(kind::ROOM, name, &Room { audience })]).await?;
    Ok(said)
}

pub(super) async fn delete(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = name(call)?;
    apply(host, vec![remove(kind::ROOM, name.clone(), Expect::Present)]).await?;
    Ok(done(format!("#{name} is gone")))
}

pub(super) fn list(host: &Host) -> Vec<Value> {
    let row = |(name, room): (&EcoString, &Room)| {
        let row: Record = [("room", format!("#{name}")), ("audience", room.audience.to_string())].into_iter().collect();
        row.into()
    };
    host.world.rooms.iter().map(row).collect()
}
