//! Users, their accounts and groups, and the first administrator.

use std::collections::BTreeSet;

use ecow::EcoString;
use pipit_commands::{Call, Error, RIGHTS, Record, Value};
use pipit_grammar::rule::Place;

use super::super::world::kind;
use super::{Host, apply, change, delete as remove, done, guards, insert, put, text};
use crate::access::{Group, Role, User, valid_name};
use crate::store::{Change, Expect};

/// Names that say what somebody is, and so are given to no user: who has one would pass for it.
pub(super) const RANKS: [&str; 3] = ["admin", "nobody", "stranger"];

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
    let name = super::user::user(host, call, "NAME")?;
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
    let (name, account) = (super::user::user(host, call, "NAME")?, account(call)?);
    // the line itself may have linked it
    if let Some(other) = host.engine.world()?.policy.people().user_of(&account) {
        return Err(
            Error::failed(format!("{account} is {other} already")).help(format!("first: user unlink {account}"))
        );
    }
    // whoever has the account has all that the user has
    guards::may_give_user(host, &name).await?;
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
    changes.extend(super::user::without(host, kind::ROLE, |role: &mut Role| role.groups.remove(&name))?);
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
    let (name, user) = (text(call, "NAME")?, super::user::user(host, call, "USER")?);
    if !host.engine.world()?.policy.people().has_user(&user) {
        return Err(Error::failed(format!("there is no user {user}")));
    }
    guards::may_give_group(host, &name).await?;
    let added = user.clone();
    change(host, kind::GROUP, &name, |group: &mut Group| {
        group.users.insert(added);
        Ok(())
    })
    .await?;
    Ok(done(format!("{user} is in {name}")))
}

pub(super) async fn remove_user(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let (name, user) = (text(call, "NAME")?, super::user::user(host, call, "USER")?);
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
    let name = claimant_name(host, &account, &mut changes).await?;
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
async fn claimant_name(host: &Host, account: &EcoString, changes: &mut Vec<Change>) -> Result<EcoString, Error> {
    let people = host.world.policy.people();
    if let Some(name) = people.user_of(account) {
        return Ok(name.clone());
    }
    let id = account.rsplit('/').next().unwrap_or_default().to_lowercase();
    let name: EcoString = if valid_name(&id) && !RANKS.contains(&id.as_str()) && people.meant(&id).is_none() {
        id.into()
    } else {
        ADMIN.into()
    };
    if let Some(name) = people.meant(&name) {
        return Err(Error::failed(format!("there is a user {name} already"))
            .help(format!("the operator links the account instead: user link {name} {account}")));
    }
    let (user, made) = super::user::made(host, &name, BTreeSet::from([account.clone()])).await?;
    changes.extend(made);
    Ok(user)
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
