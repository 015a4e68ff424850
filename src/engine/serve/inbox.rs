//! The inbox: what was sent to a person while the service could not tell where they are. Read in private only.

use ecow::EcoString;
use pipit_commands::{Error, Record, Value};
use pipit_grammar::rule::Place;
use serde::{Deserialize, Serialize};

use super::super::now;
use super::super::world::{World, kind, own};
use super::{Host, apply, clock, delete as remove, done, owner, put};
use crate::limits;
use crate::store::{Change, Expect, Store};

/// What has been read of an inbox: everything up to a key.
#[derive(Debug, Serialize, Deserialize)]
pub(in super::super) struct Seen {
    pub(in super::super) upto: String,
}

/// The messages of one person that nobody has read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Unread {
    pub(in super::super) count: usize,
    pub(in super::super) newest: String,
}

/// The place of a person in the keys of posts.
fn place(user: &str) -> String {
    format!("@{user}")
}

/// The changes that put a message into somebody's inbox. The oldest goes when it is full.
pub(super) fn message(
    store: &Store,
    user: &str,
    at: i64,
    by: &str,
    said: &str,
    id: &str,
) -> Result<Vec<Change>, Error> {
    let place = place(user);
    let there = store.below(kind::POST, &own(&place, "")).map_err(super::stored)?;
    let over = (there.len() + 1).saturating_sub(limits::OWN_THINGS);
    let mut changes: Vec<Change> =
        there.into_iter().take(over).map(|old| remove(kind::POST, old.key, Expect::Anything)).collect();
    changes.push(super::rooms::kept_post(&place, at, by, said, id));
    Ok(changes)
}

/// What is unread, by person.
pub(in super::super) fn unread(store: &Store) -> Result<std::collections::HashMap<EcoString, Unread>, Error> {
    let mut unread = std::collections::HashMap::<EcoString, Unread>::new();
    let mut seen: Option<(String, String)> = None;
    for post in store.below(kind::POST, "@").map_err(super::stored)? {
        let Some(user) = post.key.split_once('/').and_then(|(place, _)| place.strip_prefix('@')) else { continue };
        if seen.as_ref().is_none_or(|(of, _)| of != user) {
            let found = store.get(kind::SEEN, user).map_err(super::stored)?;
            let upto = found.and_then(|found| serde_json::from_str::<Seen>(&found.body).ok());
            seen = Some((user.to_owned(), upto.map(|seen| seen.upto).unwrap_or_default()));
        }
        if seen.as_ref().is_some_and(|(_, upto)| post.key > *upto) {
            let unread = unread.entry(user.into()).or_default();
            unread.count += 1;
            unread.newest = post.key;
        }
    }
    Ok(unread)
}

/// What somebody is told who has unread messages.
pub(in super::super) fn waiting(world: &World, user: &str) -> Option<String> {
    let unread = world.unread.get(user)?;
    let messages = if unread.count == 1 { "message waits".to_owned() } else { "messages wait".to_owned() };
    Some(format!("{} {messages} for {user}: inbox, in a direct message", unread.count))
}

pub(super) async fn read(host: &Host) -> Result<Vec<Value>, Error> {
    let me = in_private(host)?;
    let posts = host.engine.store().below(kind::POST, &own(&place(me), "")).map_err(super::stored)?;
    let (zone, at) = (clock::zone_of(host), now());
    let newest = posts.last().map(|post| post.key.clone());
    let rows = posts
        .into_iter()
        .filter_map(|post| {
            let said = Value::from_json(&post.body).ok()?;
            let Value::Record(said) = said else { return None };
            // the key tells the time exactly
            let when = post.key.split('/').nth(1).and_then(|hex| i64::from_str_radix(hex, 16).ok())?;
            let fields = [
                ("at", Value::from(clock::shown(when, at, &zone))),
                ("by", said.get("by").cloned().unwrap_or(Value::Null)),
                ("text", said.get("text").cloned().unwrap_or(Value::Null)),
            ];
            Some(fields.into_iter().collect::<Record>().into())
        })
        .collect();
    if let Some(upto) = newest {
        apply(host, vec![put(kind::SEEN, me.as_str(), &Seen { upto }, Expect::Anything)]).await?;
    }
    Ok(rows)
}

pub(super) async fn clear(host: &Host) -> Result<Vec<Value>, Error> {
    let me = in_private(host)?;
    let world = host.engine.world()?;
    let posts = host.engine.store().below(kind::POST, &own(&place(me), "")).map_err(super::stored)?;
    let unread = world.unread.get(me).map_or(0, |unread| unread.count);
    if unread > 0 {
        return Err(Error::failed(format!(
            "not all of the messages are read: {unread} {} new",
            if unread == 1 { "is" } else { "are" }
        ))
        .help("inbox shows them"));
    }
    let many = posts.len();
    apply(host, posts.into_iter().map(|post| remove(kind::POST, post.key, Expect::Anything)).collect()).await?;
    Ok(done(format!("{many} {} gone", if many == 1 { "message is" } else { "messages are" })))
}

/// Who asks, in private: what was sent to one person is not shown to a room.
fn in_private(host: &Host) -> Result<&EcoString, Error> {
    if host.context().place != Place::Dm {
        return Err(Error::failed("an inbox is read in private").help("say it in a direct message"));
    }
    owner(host)
}
