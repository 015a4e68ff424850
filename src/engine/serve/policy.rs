//! Roles and permissions.

use ecow::EcoString;
use pipit_commands::{Call, Error, RIGHTS, Record, Value};

use super::super::world::{World, kind};
use super::people::fresh_name;
use super::user::without;
use super::{Host, apply, change, delete as remove, done, guards, insert, text};
use crate::access::Role;
use crate::store::Expect;

pub(super) async fn create_role(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = fresh_name(call)?;
    apply(host, vec![insert(kind::ROLE, name.clone(), &Role::default())]).await?;
    Ok(done(format!("the role {name} is there")))
}

pub(super) async fn delete_role(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = text(call, "NAME")?;
    guards::keeps_an_administrator(host, |people| drop(people.roles.remove(&name)))?;
    apply(host, vec![remove(kind::ROLE, name.clone(), Expect::Present)]).await?;
    Ok(done(format!("the role {name} is gone")))
}

pub(super) fn list_roles(host: &Host) -> Vec<Value> {
    let row = |(name, role): (&EcoString, &Role)| {
        let row: Record = [
            ("name", Value::from(name.clone())),
            ("permissions", role.permissions.iter().cloned().collect::<Vec<_>>().into()),
            ("groups", role.groups.iter().cloned().collect::<Vec<_>>().into()),
        ]
        .into_iter()
        .collect();
        row.into()
    };
    host.world.policy.people().roles.iter().map(row).collect()
}

/// Every permission that can be granted: the shell's, the site's, and those of the bundles that are enabled.
pub(super) fn permissions(world: &World) -> Vec<EcoString> {
    let mut all: Vec<EcoString> = RIGHTS.iter().map(|right| EcoString::from(*right)).collect();
    all.extend(world.permissions.iter().cloned());
    all.sort();
    all.dedup();
    all
}

pub(super) async fn grant(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let (name, permission) = (text(call, "NAME")?, text(call, "PERMISSION")?);
    // what the line itself has made is there too
    let known = permissions(&*host.engine.world()?);
    if !known.contains(&permission) {
        let error = Error::failed(format!("there is no permission {permission}"));
        return Err(match pipit_commands::bind::nearest(&permission, known.iter().map(EcoString::as_str)) {
            Some(near) => error.help(format!("did you mean {near}?")),
            None => error.help("permission list shows those there are; permission create site:NAME makes one"),
        });
    }
    guards::may_give(host, [&permission])?;
    let added = permission.clone();
    change(host, kind::ROLE, &name, |role: &mut Role| {
        role.permissions.insert(added);
        Ok(())
    })
    .await?;
    Ok(done(format!("{name} holds {permission}")))
}

pub(super) async fn revoke(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let (name, permission) = (text(call, "NAME")?, text(call, "PERMISSION")?);
    guards::keeps_an_administrator(host, |people| {
        if let Some(role) = people.roles.get_mut(&name) {
            role.permissions.remove(&permission);
        }
    })?;
    change(host, kind::ROLE, &name, |role: &mut Role| {
        if role.permissions.remove(&permission) {
            return Ok(());
        }
        Err(Error::failed(format!("{name} does not hold {permission}")))
    })
    .await?;
    Ok(done(format!("{name} no longer holds {permission}")))
}

pub(super) async fn give(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let (name, group) = (text(call, "NAME")?, text(call, "GROUP")?);
    let world = host.engine.world()?;
    let people = world.policy.people();
    if !people.groups.contains_key(&group) {
        return Err(Error::failed(format!("there is no group {group}")));
    }
    guards::may_give_roles(host, people.roles.get_key_value(&name)).await?;
    let added = group.clone();
    change(host, kind::ROLE, &name, |role: &mut Role| {
        role.groups.insert(added);
        Ok(())
    })
    .await?;
    Ok(done(format!("{group} has the role {name}")))
}

pub(super) async fn take(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let (name, group) = (text(call, "NAME")?, text(call, "GROUP")?);
    guards::keeps_an_administrator(host, |people| {
        if let Some(role) = people.roles.get_mut(&name) {
            role.groups.remove(&group);
        }
    })?;
    change(host, kind::ROLE, &name, |role: &mut Role| {
        if role.groups.remove(&group) {
            return Ok(());
        }
        Err(Error::failed(format!("{group} does not have the role {name}")))
    })
    .await?;
    Ok(done(format!("{group} no longer has the role {name}")))
}

pub(super) async fn create_permission(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = text(call, "NAME")?;
    let good = name.strip_prefix("site:").is_some_and(|short| {
        short.starts_with(|c: char| c.is_ascii_lowercase())
            && short.len() <= 64
            && short.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-'))
    });
    if !good {
        return Err(Error::failed(format!("{name:?} is no permission of the site"))
            .help("write site:NAME, in a-z, 0-9, `_` and `-`"));
    }
    // whatever roles still hold by the name was another permission
    let mut changes = without(host, kind::ROLE, |role: &mut Role| role.permissions.remove(&name))?;
    changes.push(insert(kind::PERMISSION, name.clone(), &Value::Record(Record::new())));
    apply(host, changes).await?;
    Ok(done(format!("the permission {name} is there")))
}

pub(super) async fn delete_permission(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = text(call, "NAME")?;
    guards::may_delete(host, &name)?;
    let mut changes = vec![remove(kind::PERMISSION, name.clone(), Expect::Present)];
    let roles = without(host, kind::ROLE, |role: &mut Role| role.permissions.remove(&name))?;
    let held = roles.len();
    changes.extend(roles);
    apply(host, changes).await?;
    let from = match held {
        0 => String::new(),
        1 => ", and one role holds it no longer".to_owned(),
        many => format!(", and {many} roles hold it no longer"),
    };
    Ok(done(format!("the permission {name} is gone{from}")))
}

pub(super) fn list_permissions(host: &Host) -> Result<Vec<Value>, Error> {
    let rows = permissions(&*host.engine.world()?).into_iter().map(|name| {
        let row: Record = [("permission", name)].into_iter().collect();
        row.into()
    });
    Ok(rows.collect())
}
