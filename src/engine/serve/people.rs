//! Users, their accounts and groups, and the first administrator.

use std::collections::{BTreeMap, BTreeSet};

use ecow::EcoString;
use pipit_commands::{Call, Error, Record, Value};
use pipit_grammar::rule::Place;

use super::super::world::kind;
use super::{Host, apply, change, delete as remove, done, guards, insert, put, text};
use crate::access::{Group, RIGHTS, Role, User, valid_name};
use crate::store::timer::Timer;
use crate::store::{Change, Expect};

/// A name that a new user, group or role can have.
pub(super) fn fresh_name(call: &Call) -> Result<EcoString, Error> {
    let name = text(call, "NAME")?;
    if valid_name(&name) {
        return Ok(name);
    }
    Err(Error::failed(format!("{name:?} is no name for this")).help(
        "up to 32 of a-z, 0-9, `.`, `_` and `-`, a letter first; some names, like here and me, mean something else",
    ))
}

/// An account as a chat service names it: `SERVICE://NETWORK/ACCOUNT`.
fn account(call: &Call) -> Result<EcoString, Error> {
    let account = text(call, "IDENTITY")?;
    let good = account.split_once("://").is_some_and(|(service, rest)| {
        !service.is_empty()
            && rest.split_once('/').is_some_and(|(network, id)| !network.is_empty() && !id.is_empty())
            && !rest.contains(char::is_whitespace)
    });
    if good {
        return Ok(account);
    }
    Err(Error::failed(format!("{account:?} is no account"))
        .help("write SERVICE://NETWORK/ACCOUNT, as whoami says it in that chat"))
}

pub(super) async fn create_user(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = fresh_name(call)?;
    // what looks like somebody else is somebody else's chance
    let people = host.engine.world()?;
    if let Some(other) = people.policy.people().looks_like(&name) {
        return Err(Error::failed(format!("{name} looks like {other}, and people would take one for the other"))
            .help("choose a name that shows whom it means"));
    }
    apply(host, vec![insert(kind::USER, name.clone(), &User::default())]).await?;
    Ok(done(format!("the user {name} is there")))
}

pub(super) async fn delete_user(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = text(call, "NAME")?;
    guards::keeps_an_administrator(host, |people| drop(people.users.remove(&name)))?;
    let mut changes = vec![remove(kind::USER, name.clone(), Expect::Present)];
    changes.extend([kind::TOTP, kind::ELEVATION, kind::LINK].map(|kind| remove(kind, name.clone(), Expect::Anything)));
    changes.extend(without(host, kind::GROUP, |group: &mut Group| group.users.remove(&name))?);
    changes.extend(belongings(host, &name)?);
    changes.extend(disowned(host, &name)?);
    apply(host, changes).await?;
    Ok(done(format!("the user {name} is gone")))
}

/// The changes that take something out of every document of a kind that has it: as the documents are now and not when
/// the line began, and only if nobody changes them meanwhile, or a right that was just taken away would come back.
fn without<T>(host: &Host, kind: &'static str, mut take: impl FnMut(&mut T) -> bool) -> Result<Vec<Change>, Error>
where
    T: serde::Serialize + serde::de::DeserializeOwned,
{
    let mut changes = Vec::new();
    for found in host.engine.0.store.list(kind).map_err(super::stored)? {
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
        let owned = store.below(kind, prefix).map_err(super::stored)?;
        changes.extend(owned.into_iter().map(|document| remove(kind, document.key, Expect::Anything)));
    }
    changes.extend(crate::bundle::config::of_user(store, name)?);
    let timers = store.timers().map_err(super::stored)?;
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
            for found in store.below(kind, prefix).map_err(super::stored)? {
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

pub(super) fn list_users(host: &Host) -> Vec<Value> {
    let people = host.world.policy.people();
    let row = |(name, user): (&EcoString, &User)| {
        let row: Record = [
            ("name", Value::from(name.clone())),
            ("accounts", Value::from(user.accounts.iter().cloned().collect::<Vec<_>>())),
            ("groups", Value::from(people.groups_of(name).cloned().collect::<Vec<_>>())),
        ]
        .into_iter()
        .collect();
        row.into()
    };
    people.users.iter().map(row).collect()
}

pub(super) fn show_user(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = text(call, "NAME")?;
    let people = host.world.policy.people();
    let user = people.users.get(&name).ok_or_else(|| Error::failed(format!("there is no user {name}")))?;
    let mut permissions: Vec<EcoString> = people.permissions_of(&name).iter().cloned().collect();
    permissions.sort();
    let row: Record = [
        ("name", Value::from(name.clone())),
        ("accounts", Value::from(user.accounts.iter().cloned().collect::<Vec<_>>())),
        ("groups", Value::from(people.groups_of(&name).cloned().collect::<Vec<_>>())),
        ("roles", Value::from(people.roles_of(&name).map(|(role, _)| role.clone()).collect::<Vec<_>>())),
        ("permissions", Value::from(permissions)),
    ]
    .into_iter()
    .collect();
    Ok(vec![row.into()])
}

pub(super) async fn link(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let (name, account) = (text(call, "NAME")?, account(call)?);
    // the line itself may have linked it
    if let Some(other) = host.engine.world()?.policy.people().user_of(&account) {
        return Err(
            Error::failed(format!("{account} is {other} already")).help(format!("first: user unlink {account}"))
        );
    }
    // whoever has the account has all that the user has
    guards::may_give_user(host, &name)?;
    let added = account.clone();
    change(host, kind::USER, &name, |user: &mut User| {
        user.accounts.insert(added);
        Ok(())
    })
    .await?;
    Ok(done(format!("{account} is {name}")))
}

pub(super) async fn unlink(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let account = account(call)?;
    let people = host.world.policy.people();
    let name = people.user_of(&account).ok_or_else(|| Error::failed(format!("{account} is nobody's")))?.clone();
    let taken = account.clone();
    change(host, kind::USER, &name, |user: &mut User| {
        user.accounts.remove(&taken);
        Ok(())
    })
    .await?;
    Ok(done(format!("{account} is no longer {name}")))
}

pub(super) async fn create_group(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = fresh_name(call)?;
    apply(host, vec![insert(kind::GROUP, name.clone(), &Group::default())]).await?;
    Ok(done(format!("the group {name} is there")))
}

pub(super) async fn delete_group(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = text(call, "NAME")?;
    guards::keeps_an_administrator(host, |people| drop(people.groups.remove(&name)))?;
    let mut changes = vec![remove(kind::GROUP, name.clone(), Expect::Present)];
    changes.extend(without(host, kind::ROLE, |role: &mut Role| role.groups.remove(&name))?);
    apply(host, changes).await?;
    Ok(done(format!("the group {name} is gone")))
}

pub(super) fn list_groups(host: &Host) -> Vec<Value> {
    let row = |(name, group): (&EcoString, &Group)| {
        let users: Vec<EcoString> = group.users.iter().cloned().collect();
        let row: Record = [("name", Value::from(name.clone())), ("users", users.into())].into_iter().collect();
        row.into()
    };
    host.world.policy.people().groups.iter().map(row).collect()
}

pub(super) async fn add(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let (name, user) = (text(call, "NAME")?, text(call, "USER")?);
    if !host.engine.world()?.policy.people().has_user(&user) {
        return Err(Error::failed(format!("there is no user {user}")));
    }
    guards::may_give_group(host, &name)?;
    let added = user.clone();
    change(host, kind::GROUP, &name, |group: &mut Group| {
        group.users.insert(added);
        Ok(())
    })
    .await?;
    Ok(done(format!("{user} is in {name}")))
}

pub(super) async fn remove_user(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let (name, user) = (text(call, "NAME")?, text(call, "USER")?);
    guards::keeps_an_administrator(host, |people| {
        if let Some(group) = people.groups.get_mut(&name) {
            group.users.remove(&user);
        }
    })?;
    change(host, kind::GROUP, &name, |group: &mut Group| {
        if group.users.remove(&user) { Ok(()) } else { Err(Error::failed(format!("{user} is not in {name}"))) }
    })
    .await?;
    Ok(done(format!("{user} is no longer in {name}")))
}

/// The key of the one-time code's hash.
const CODE: &str = "code";
/// The group and the role of the administrators.
const ADMIN: &str = crate::access::ADMINISTRATORS;

/// Makes the caller the administrator, once, with the code that only the console showed.
pub(super) async fn claim(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let code = text(call, "CODE")?;
    let wrong = || {
        Error::failed("that is not the code, or it was used already")
            .help("the code is on the console where pipit serve was started; a new start prints a new one")
    };
    let found = host.engine.0.store.get(kind::CLAIM, CODE).map_err(super::stored)?.ok_or_else(wrong)?;
    let kept: Claim = serde_json::from_str(&found.body).map_err(|_| wrong())?;
    let account = host.claimant().ok_or_else(|| {
        Error::failed("nobody has verified who you are here, so nothing can be given to you")
            .help("log in to the chat service first, and say it again")
    })?;
    if host.context().place != Place::Dm {
        apply(host, vec![remove(kind::CLAIM, CODE, Expect::Revision(found.revision))]).await?;
        return Err(Error::failed("a code that was said in a room is void")
            .help("start pipit serve again for a new one, and say that in a direct message"));
    }
    if kept.tries >= TRIES {
        return Err(wrong());
    }
    if blake3::hash(code.as_bytes()).to_hex().as_str() != kept.hash {
        let counted = Claim { tries: kept.tries + 1, ..kept };
        apply(host, vec![put(kind::CLAIM, CODE, &counted, Expect::Revision(found.revision))]).await?;
        return Err(wrong());
    }
    let mut changes = vec![remove(kind::CLAIM, CODE, Expect::Revision(found.revision))];
    let name = claimant_name(host, &account, &mut changes)?;
    // what is left of administrators that were is kept
    let people = host.world.policy.people();
    let mut group = people.groups.get(ADMIN).cloned().unwrap_or_default();
    group.users.insert(name.clone());
    let mut role = people.roles.get(ADMIN).cloned().unwrap_or_default();
    role.permissions.extend(RIGHTS.iter().map(|right| EcoString::from(*right)));
    role.groups.insert(ADMIN.into());
    changes.push(put(kind::GROUP, ADMIN, &group, Expect::Anything));
    changes.push(put(kind::ROLE, ADMIN, &role, Expect::Anything));
    apply(host, changes).await?;
    Ok(done(format!("{name}, you are the administrator; help shows what you may run now")))
}

/// The user that a claim makes, or the one whose account it is already.
fn claimant_name(host: &Host, account: &EcoString, changes: &mut Vec<Change>) -> Result<EcoString, Error> {
    let people = host.world.policy.people();
    if let Some(name) = people.user_of(account) {
        return Ok(name.clone());
    }
    let id = account.rsplit('/').next().unwrap_or_default().to_lowercase();
    let name: EcoString = if valid_name(&id) && !people.has_user(&id) { id.into() } else { ADMIN.into() };
    if people.has_user(&name) {
        return Err(Error::failed(format!("there is a user {name} already"))
            .help(format!("the operator links the account instead: user link {name} {account}")));
    }
    changes.push(insert(kind::USER, name.clone(), &User { accounts: BTreeSet::from([account.clone()]) }));
    Ok(name)
}

/// How often a wrong code may be tried before a new start has to print another.
const TRIES: u32 = 5;

/// The one-time code as kept.
#[derive(serde::Serialize, serde::Deserialize)]
pub(in super::super) struct Claim {
    hash: String,
    #[serde(default)]
    tries: u32,
}

/// A new one-time code and how it is kept; none when there is an administrator already.
pub(in super::super) fn new_code(world: &super::super::World) -> Option<(String, Change)> {
    let people = world.policy.people();
    if people.users.keys().any(|name| people.permissions_of(name).contains("user:manage")) {
        return None;
    }
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    let code: String =
        bytes.iter().map(|byte| char::from(b"ABCDEFGHJKMNPQRSTVWXYZ0123456789"[usize::from(byte % 32)])).collect();
    let claim = Claim { hash: blake3::hash(code.as_bytes()).to_hex().to_string(), tries: 0 };
    Some((code, put(kind::CLAIM, CODE, &claim, Expect::Anything)))
}
