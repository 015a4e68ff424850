//! Rooms of the shell's own, and posts that leave the room of their line.

use ecow::EcoString;
use pipit_commands::{Call, Error, Record, Stream, Value};
use pipit_grammar::ast::Target;
use pipit_grammar::rule::Place;

use super::super::host::LineHost;
use super::super::world::{Room, kind};
use super::super::{Address, now};
use super::{Host, apply, delete as remove, done, insert, text};
use crate::limits;
use crate::store::Expect;

/// Where a post goes.
enum Way {
    /// To a place of the shell's own, where it is kept.
    Kept(String),
    /// To a room of a chat service.
    Room(EcoString, EcoString),
    /// To the caller alone.
    Whisper(Address),
}

/// Where a target leads from here; an error when there is no such place.
fn way(host: &LineHost, target: &Target) -> Result<Option<Way>, Error> {
    let outlet = host.engine.0.outlet.get();
    let on = |service: &str, room: &EcoString| {
        outlet.is_some_and(|outlet| outlet.knows(service, &Place::Room(room.clone())))
    };
    let way = match target {
        Target::Here | Target::Thread => return Ok(None),
        Target::Room(name) if host.world.rooms.contains_key(name.as_str()) => Some(Way::Kept(format!("#{name}"))),
        Target::Room(name) if on(&host.service, name) => Some(Way::Room(host.service.clone(), name.clone())),
        Target::Place { adapter, place } => {
            let room: EcoString = place.strip_prefix('#').unwrap_or(place).into();
            on(adapter, &room).then(|| Way::Room(adapter.clone(), room))
        }
        Target::Me => Some(match &host.address {
            Some(address) => Way::Whisper(address.clone()),
            None => Way::Kept(format!("@{}", host.subject.name())),
        }),
        // a name on a chat service is anybody's, so another person is written to in the shell's own place only
        Target::User(name) if host.address.is_none() && host.world.policy.people().has_user(name) => {
            Some(Way::Kept(format!("@{name}")))
        }
        Target::User(_) | Target::Room(_) => None,
    };
    match way {
        Some(way) => Ok(Some(way)),
        None => Err(Error::refused(format!("there is no place {target} to post to from here"))),
    }
}

/// Refuses a place that is not there.
pub(in super::super) fn known(host: &LineHost, target: &Target) -> Result<(), Error> {
    way(host, target).map(drop)
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
    let unreachable = || Error::failed(format!("no chat service is connected that reaches {target}"));
    let outlet = host.engine.0.outlet.get();
    match way(host, target)? {
        None => Ok(()),
        Some(Way::Room(service, room)) => outlet.ok_or_else(unreachable)?.post(&service, &room, said).await,
        Some(Way::Whisper(address)) => outlet.ok_or_else(unreachable)?.whisper(&host.service, &address, said).await,
        Some(Way::Kept(place)) => {
            let at = now();
            let post: Record = [
                ("at", Value::from(super::log::time(at))),
                ("by", host.subject.name().clone().into()),
                ("text", said.into()),
            ]
            .into_iter()
            .collect();
            let key = format!("{place}/{at:016x}/{}", host.line());
            apply(host, vec![insert(kind::POST, key, &Value::from(post))]).await
        }
    }
}

/// What was posted to a place of the shell's own, oldest first.
pub(super) fn read(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    const SHOWN: usize = 50;
    let named = text(call, "PLACE")?;
    let place = if named.starts_with(['#', '@']) { named.to_string() } else { format!("#{named}") };
    let prefix = format!("{place}/");
    let posts = host.engine.store().list(kind::POST).map_err(super::stored)?;
    let mut posts: Vec<Value> = posts
        .into_iter()
        .rev()
        .filter(|post| post.key.starts_with(&prefix))
        .filter_map(|post| Value::from_json(&post.body).ok())
        .take(SHOWN)
        .collect();
    posts.reverse();
    Ok(posts)
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
