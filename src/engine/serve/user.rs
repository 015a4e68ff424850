//! Users come and go. A name is one person's for ever: whoever gets a name that was somebody else's has it with a number
//! behind it, and so nothing that is kept under a name, in the log, in requests, in groups, comes to another person.
//!
//! Deliberately absent: accounts, groups and roles.

use std::collections::{BTreeMap, BTreeSet};

use ecow::EcoString;
use pipit_commands::{Call, Error, Value};
use serde::{Deserialize, Serialize};

use super::super::world::kind;
use super::super::{approval, unavailable};
use super::people::{RANKS, fresh_name};
use super::{Host, apply, delete as remove, done, guards, insert, put, stored, text};
use crate::access::{Group, User, asked_for, numbered};
use crate::audit::{Filter, Status, Whose, Wish};
use crate::store::timer::Timer;
use crate::store::{Change, Expect};

#[cfg(test)]
mod tests;

/// How many persons have had a name, as kept.
#[derive(Serialize, Deserialize)]
struct Had {
    persons: u32,
}

/// The user that somebody means who types a name; what is nobody's name is left as it is typed.
pub(super) fn meant(host: &Host, typed: &str) -> Result<EcoString, Error> {
    let world = host.engine.world()?;
    Ok(world.policy.people().meant(typed).cloned().unwrap_or_else(|| typed.into()))
}

/// The same of a parameter.
pub(super) fn user(host: &Host, call: &Call, param: &str) -> Result<EcoString, Error> {
    meant(host, &text(call, param)?)
}

pub(super) async fn create(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = fresh_name(call)?;
    if RANKS.contains(&name.as_str()) {
        return Err(Error::failed(format!("{name} says what somebody is, and is no user's name"))
            .help("choose a name that shows whom it means"));
    }
    let world = host.engine.world()?;
    let people = world.policy.people();
    if let Some(there) = people.meant(&name) {
        return Err(Error::failed(format!("user {there} exists already")));
    }
    // what looks like somebody else is somebody else's chance
    if let Some(other) = people.looks_like(&name) {
        return Err(Error::failed(format!("{name} looks like {other}, and people would take one for the other"))
            .help("choose a name that shows whom it means"));
    }
    let (user, changes) = made(host, &name, BTreeSet::new()).await?;
    apply(host, changes).await?;
    Ok(done(if user == name {
        format!("the user {user} is there")
    } else {
        format!(
            "the user {user} is there: {name} was somebody else, whose lines stay theirs; {name} means {user} from now on"
        )
    }))
}

/// The name of a new user, and the changes that make them. Of two that are made at the same moment one is refused.
pub(super) async fn made(
    host: &Host,
    name: &str,
    accounts: BTreeSet<EcoString>,
) -> Result<(EcoString, Vec<Change>), Error> {
    let found = host.engine.store().get(kind::NAME, name).map_err(stored)?;
    let had = match &found {
        Some(found) => {
            serde_json::from_str::<Had>(&found.body)
                .map_err(|error| Error::failed(format!("how often {name} was taken cannot be read: {error}")))?
                .persons
        }
        // names of before these were counted are known from the log
        None => u32::from(has_run_lines(host, name).await?),
    };
    let persons = had.saturating_add(1);
    let counted = match found {
        Some(found) => put(kind::NAME, name, &Had { persons }, Expect::Revision(found.revision)),
        None => insert(kind::NAME, name, &Had { persons }),
    };
    let user = numbered(name, persons);
    let changes = vec![counted, insert(kind::USER, user.clone(), &User { accounts })];
    Ok((user, changes))
}

/// Whether somebody of this name has run a line. Those that nobody could run stand in the log too.
async fn has_run_lines(host: &Host, name: &str) -> Result<bool, Error> {
    let who = Some(Whose::Person(name.to_owned()));
    let filter = Filter { who, ended: Some(Wish::As(Status::Ok)), limit: 1, ..Filter::default() };
    Ok(!host.engine.0.audit.list(filter).await.map_err(unavailable)?.is_empty())
}

pub(super) async fn delete(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = user(host, call, "NAME")?;
    guards::keeps_an_administrator(host, |people| drop(people.users.remove(&name)))?;
    let mut changes = vec![remove(kind::USER, name.clone(), Expect::Present)];
    let asked = asked_for(&name);
    if host.engine.store().get(kind::NAME, asked).map_err(stored)?.is_none() {
        changes.push(insert(kind::NAME, asked, &Had { persons: 1 }));
    }
    changes.extend([kind::TOTP, kind::ELEVATION, kind::LINK].map(|kind| remove(kind, name.clone(), Expect::Anything)));
    changes.extend(without(host, kind::GROUP, |group: &mut Group| group.users.remove(&name))?);
    changes.extend(belongings(host, &name)?);
    changes.extend(disowned(host, &name)?);
    changes.extend(approval::voided(host, &name)?);
    apply(host, changes).await?;
    Ok(done(format!("the user {name} is gone")))
}

/// The changes that take something out of every document of a kind that has it: as the documents are now and not when
/// the line began, and only if nobody changes them meanwhile, or a right that was just taken away would come back.
pub(super) fn without<T>(
    host: &Host,
    kind: &'static str,
    mut take: impl FnMut(&mut T) -> bool,
) -> Result<Vec<Change>, Error>
where
    T: serde::Serialize + serde::de::DeserializeOwned,
{
    let mut changes = Vec::new();
    for found in host.engine.0.store.list(kind).map_err(stored)? {
        let mut document: T = serde_json::from_str(&found.body)
            .map_err(|error| Error::failed(format!("the {kind} {} in the store cannot be read: {error}", found.key)))?;
        if take(&mut document) {
            changes.push(put(kind, found.key, &document, Expect::Revision(found.revision)));
        }
    }
    Ok(changes)
}

/// The changes that take away what a user or a room kept: whoever gets the name next is somebody else.
pub(super) fn belongings(host: &Host, name: &str) -> Result<Vec<Change>, Error> {
    let store = host.engine.store();
    let mut changes = Vec::new();
    let below = super::super::world::own(name, "");
    let posts = format!("@{below}");
    let of_holder = [kind::ALIAS, kind::NOTE, kind::KEPT, kind::OUTPUT, kind::STANDUP, kind::POLL, kind::BALLOT]
        .map(|kind| (kind, &below));
    for (kind, prefix) in of_holder.into_iter().chain([(kind::POST, &posts)]) {
        let owned = store.below(kind, prefix).map_err(stored)?;
        changes.extend(owned.into_iter().map(|document| remove(kind, document.key, Expect::Anything)));
    }
    changes.extend(crate::bundle::config::of_user(store, name)?);
    let timers = store.timers().map_err(stored)?;
    let owned = |timer: &Timer| super::super::timers::read(timer).is_some_and(|due| due.owner() == name);
    changes.extend(timers.iter().filter(|timer| owned(timer)).map(Timer::cancel));
    changes.extend([kind::SEEN, kind::KARMA, kind::PACE].map(|kind| remove(kind, name, Expect::Anything)));
    Ok(changes)
}

/// The changes after which nothing that rooms and the site have is a user's any more.
fn disowned(host: &Host, name: &str) -> Result<Vec<Change>, Error> {
    let store = host.engine.store();
    let mut changes = Vec::new();
    for kind in [kind::ALIAS, kind::NOTE, kind::KEPT, kind::STANDUP, kind::POLL] {
        for prefix in ["#", "/"] {
            for found in store.below(kind, prefix).map_err(stored)? {
                let Ok(mut body) = serde_json::from_str::<BTreeMap<String, serde_json::Value>>(&found.body) else {
                    continue;
                };
                if body.get("by").and_then(serde_json::Value::as_str) == Some(name) {
                    body.insert("by".into(), "".into());
                    changes.push(put(kind, found.key, &body, Expect::Revision(found.revision)));
                }
            }
        }
    }
    Ok(changes)
}
