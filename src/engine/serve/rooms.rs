//! Rooms of the shell's own, and posts that leave the room of their line.

use ecow::EcoString;
use pipit_commands::{Call, Error, ErrorKind, Record, Stream, Value};
use pipit_grammar::ast::Target;
use pipit_grammar::rule::Place;

use super::super::host::LineHost;
use super::super::room::{Room, RoomId, SHELL, room_of};
use super::super::world::kind;
use super::super::{Address, now};
use super::{Host, apply, delete as remove, done, insert, put, text};
use crate::access::Audience;
use crate::limits;
use crate::store::{Change, Expect};

/// Where a post goes.
enum Way {
    /// To a room of the shell's own, where it is kept.
    Kept(RoomId),
    /// To a room of a chat service.
    Room(EcoString, EcoString),
    /// To a user's inbox.
    Inbox(EcoString),
    /// To the caller alone.
    Whisper(Address),
}

/// Where a target leads from here; an error when there is no such place.
fn way(host: &LineHost, target: &Target) -> Result<Option<Way>, Error> {
    let outlet = host.engine.0.outlet.get();
    let on = |service: &str, room: &EcoString| {
        outlet.is_some_and(|outlet| outlet.knows(service, &Place::Room(room.clone())))
    };
    let kept =
        |name: &str| Some(RoomId::new(SHELL, name)).filter(|id| host.world.rooms.contains_key(id)).map(Way::Kept);
    let way = match target {
        Target::Here | Target::Thread => return Ok(None),
        // the room of the line's own service is nearer than one of the shell's of the same name
        Target::Room(name) if on(&host.service, name) => Some(Way::Room(host.service.clone(), name.clone())),
        Target::Room(name) => kept(name),
        Target::Place { adapter, place } => {
            let room: EcoString = place.strip_prefix('#').unwrap_or(place).into();
            if adapter == SHELL { kept(&room) } else { on(adapter, &room).then(|| Way::Room(adapter.clone(), room)) }
        }
        Target::Me => Some(match &host.address {
            Some(address) => Way::Whisper(address.clone()),
            None => Way::Inbox(host.subject.name().clone()),
        }),
        // a name on a chat service is anybody's, so another person is written to in the shell's own place only
        Target::User(name) => host.world.policy.people().meant(name).cloned().map(Way::Inbox),
    };
    let elsewhere = match target {
        Target::Place { adapter, .. } => adapter != SHELL && !services(host).contains(adapter),
        Target::Here | Target::Thread | Target::Me | Target::Room(_) | Target::User(_) => false,
    };
    match way {
        Some(way) => Ok(Some(way)),
        None if elsewhere => {
            Err(Error::new(ErrorKind::Denied, format!("this shell posts to no {target}: it is on no such service")))
        }
        None => Err(Error::refused(format!("there is no place {target} to post to from here"))),
    }
}

/// The chat services that the shell is on.
fn services(host: &LineHost) -> Vec<EcoString> {
    let outlet = host.engine.0.outlet.get();
    outlet.map(|outlet| outlet.services().into_iter().map(|(name, _)| name).collect()).unwrap_or_default()
}

/// Who reads what is posted to a place, but for those who read it where the line was said; an error when there is no such
/// place.
pub(in super::super) fn audience(host: &LineHost, target: &Target) -> Result<Audience, Error> {
    let own = RoomId::of(&host.service, &host.context().place);
    Ok(match way(host, target)? {
        Some(Way::Room(service, room)) if own != Some(RoomId::new(&service, &room)) => {
            host.world.audience(&service, &Place::room(&room))
        }
        Some(Way::Kept(id)) if own.as_ref() != Some(&id) => host.world.audience(&id.service, &id.place()),
        Some(Way::Room(..) | Way::Kept(_) | Way::Inbox(_) | Way::Whisper(_)) | None => Audience::Private,
    })
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

/// Posts a text where the line was said.
pub(in super::super) async fn post_here(host: &LineHost, said: &str) -> Result<(), Error> {
    host.spend_post()?;
    let outlet = host.engine.0.outlet.get();
    let knows = |place: &Place| outlet.filter(|outlet| outlet.knows(&host.service, place));
    let place = &host.context().place;
    match (place, &host.address) {
        (Place::Room(name), _) => match (knows(place), RoomId::new(SHELL, name)) {
            (Some(outlet), _) => outlet.post(&host.service, name, said).await,
            (None, id) if host.service == SHELL && host.world.rooms.contains_key(&id) => keep(host, &id, said).await,
            // a room that only the terminal plays: whoever is at it is told
            (None, _) => {
                host.tell(vec![said.to_owned()]);
                Ok(())
            }
        },
        (Place::Dm, Some(address)) => match outlet {
            Some(outlet) => outlet.whisper(&host.service, address, said).await,
            None => Err(Error::failed(format!("no chat service {} is connected", host.service))),
        },
        (Place::Dm, None) => {
            host.tell(vec![said.to_owned()]);
            Ok(())
        }
    }
}

/// Keeps a post in a place of the shell's own.
async fn keep(host: &LineHost, room: &RoomId, said: &str) -> Result<(), Error> {
    // a line may post to one place several times within a millisecond
    let id = format!("{}/{:02}", host.line(), host.posts());
    let change = kept_post(&room.to_string(), now(), host.subject.name(), said, &id);
    host.engine.store().apply(vec![change]).await.map_err(super::stored)
}

/// The change that keeps a post in a place of the shell's own. No two of one millisecond have the same id.
pub(super) fn kept_post(place: &str, at: i64, by: &str, said: &str, id: &str) -> Change {
    let fields = [("at", Value::from(super::log::time(at))), ("by", by.into()), ("text", said.into())];
    let post: Record = fields.into_iter().collect();
    insert(kind::POST, format!("{place}/{at:016x}/{id}"), &Value::from(post))
}

/// Posts a text to a place.
pub(in super::super) async fn post(host: &LineHost, target: &Target, said: &str) -> Result<(), Error> {
    host.spend_post()?;
    let unreachable = || Error::failed(format!("no chat service is connected that reaches {target}"));
    let outlet = host.engine.0.outlet.get();
    match way(host, target)? {
        None => Ok(()),
        Some(Way::Room(service, room)) => outlet.ok_or_else(unreachable)?.post(&service, &room, said).await,
        Some(Way::Whisper(address)) => outlet.ok_or_else(unreachable)?.whisper(&host.service, &address, said).await,
        Some(Way::Kept(id)) => keep(host, &id, said).await,
        Some(Way::Inbox(user)) => {
            let id = format!("{}/{:02}", host.line(), host.posts());
            let message = super::inbox::message(host.engine.store(), &user, now(), host.subject.name(), said, &id)?;
            host.engine.store().apply(message).await.map_err(super::stored)
        }
    }
}

/// What was posted to a place of the shell's own, oldest first.
pub(super) fn read(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    const SHOWN: usize = 50;
    let named = text(call, "PLACE")?;
    let place = if named.starts_with('@') {
        named.to_string()
    } else {
        RoomId::new(SHELL, named.strip_prefix("shell://").unwrap_or(&named)).to_string()
    };
    let prefix = format!("{place}/");
    let posts = host.engine.store().below(kind::POST, &prefix).map_err(super::stored)?;
    let mut posts: Vec<Value> =
        posts.into_iter().rev().filter_map(|post| Value::from_json(&post.body).ok()).take(SHOWN).collect();
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
    let id = RoomId::new(SHELL, &name(call)?);
    let audience = match call.text("audience").as_deref() {
        Some("public") => Audience::Public,
        Some(_) | None => Audience::Private,
    };
    let said = done(format!("{id} is there, {}", audience.name()));
    apply(host, vec![insert(kind::ROOM, id.key(), &Room { audience: Some(audience), ..Room::default() })]).await?;
    Ok(said)
}

pub(super) async fn delete(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let id = RoomId::new(SHELL, &name(call)?);
    if host.engine.store().get(kind::ROOM, &id.key()).map_err(super::stored)?.is_none() {
        return Err(no_room(&id));
    }
    let mut changes = vec![remove(kind::ROOM, id.key(), Expect::Present)];
    changes.extend(super::user::belongings(host, &id.owner())?);
    apply(host, changes).await?;
    host.engine.forget_talk_of(&id).await?;
    Ok(done(format!("{id} is gone")))
}

pub(super) fn list(host: &Host) -> Vec<Value> {
    let row = |(id, room): (&RoomId, &Room)| {
        let row: Record =
            [("room", id.to_string()), ("audience", room.audience(id).name().to_owned())].into_iter().collect();
        row.into()
    };
    host.world.rooms.iter().map(row).collect()
}

/// The room that a text names: `#name` on the service of the line, or `service://#name`.
pub(super) fn named(host: &Host, text: &str) -> Result<RoomId, Error> {
    let room =
        room_of(text).and_then(|(service, place)| RoomId::of(&service.unwrap_or_else(|| host.service.clone()), &place));
    room.ok_or_else(|| Error::failed(format!("{text:?} is no room: write #NAME, or SERVICE://#NAME for one elsewhere")))
}

/// The room that the line was said in.
pub(super) fn this(host: &Host) -> Result<RoomId, Error> {
    RoomId::of(&host.service, &host.context().place).ok_or_else(|| {
        Error::failed("a direct message is no room, and this belongs to a room")
            .help("say it in the room that is meant")
    })
}

pub(super) async fn set(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let id = named(host, &text(call, "NAME")?)?;
    let found = host.engine.store().get(kind::ROOM, &id.key()).map_err(super::stored)?;
    let (mut room, expect) = match &found {
        Some(found) => (read_room(&id, &found.body)?, Some(Expect::Revision(found.revision))),
        None if id.service == SHELL => return Err(no_room(&id)),
        None => (Room::default(), None),
    };
    known_service(host, &id)?;
    for setting in call.all("SETTING") {
        room.set(&setting.value.to_text()).map_err(Error::failed)?;
    }
    let change = match expect {
        Some(expect) => put(kind::ROOM, id.key(), &room, expect),
        None => insert(kind::ROOM, id.key(), &room),
    };
    apply(host, vec![change]).await?;
    if room.conversation.is_none() {
        host.engine.forget_talk_of(&id).await?;
    } else {
        host.engine.tell_that_talk_is_kept(&id).await;
    }
    // the room may have been told by now
    let world = host.engine.world()?;
    Ok(vec![world.rooms.get(&id).unwrap_or(&room).record(&id).into()])
}

pub(super) fn show(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let id = match call.text("NAME") {
        Some(name) => named(host, &name)?,
        None => this(host)?,
    };
    // what the line itself has set is there too
    let world = host.engine.world()?;
    match world.rooms.get(&id) {
        Some(room) => Ok(vec![room.record(&id).into()]),
        None if id.service == SHELL => Err(no_room(&id)),
        None => known_service(host, &id).map(|()| vec![Room::default().record(&id).into()]),
    }
}

/// Refuses a service that this shell is not on. One that serves nobody cannot tell.
fn known_service(host: &Host, id: &RoomId) -> Result<(), Error> {
    let Some(outlet) = host.engine.0.outlet.get() else { return Ok(()) };
    let services = outlet.services();
    if id.service == SHELL || services.iter().any(|(name, _)| *name == id.service) {
        return Ok(());
    }
    let names: Vec<&str> = services.iter().map(|(name, _)| name.as_str()).collect();
    Err(Error::failed(format!("there is no chat service {}", id.service))
        .help(format!("there is {}", if names.is_empty() { "none".to_owned() } else { names.join(", ") })))
}

fn no_room(id: &RoomId) -> Error {
    Error::failed(format!("there is no room {id} of the shell's own")).help(
        "room create makes one; a room of a chat service is SERVICE://#NAME; room list shows those that are known",
    )
}

fn read_room(id: &RoomId, body: &str) -> Result<Room, Error> {
    serde_json::from_str(body).map_err(|error| Error::failed(format!("what is set for {id} cannot be read: {error}")))
}
