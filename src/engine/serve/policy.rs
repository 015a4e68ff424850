//! Roles, permissions and the rules of the site.

use ecow::EcoString;
use pipit_commands::{Call, Error, Record, Value};
use pipit_grammar::rule::{Rule, Target};

use super::super::world::{KeptRule, kind};
use super::people::fresh_name;
use super::{Host, apply, change, delete as remove, done, insert, text};
use crate::access::decide::{Layer, Ruling};
use crate::access::{RIGHTS, Role};
use crate::store::Expect;

pub(super) async fn create_role(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = fresh_name(call)?;
    apply(host, vec![insert(kind::ROLE, name.clone(), &Role::default())]).await?;
    Ok(done(format!("the role {name} is there")))
}

pub(super) async fn delete_role(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = text(call, "NAME")?;
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
fn permissions(host: &Host) -> Result<Vec<EcoString>, Error> {
    // what the line itself has made is there too
    let world = host.engine.world()?;
    let mut all: Vec<EcoString> = RIGHTS.iter().map(|right| EcoString::from(*right)).collect();
    all.extend(world.permissions.iter().cloned());
    all.sort();
    all.dedup();
    Ok(all)
}

pub(super) async fn grant(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let (name, permission) = (text(call, "NAME")?, text(call, "PERMISSION")?);
    let known = permissions(host)?;
    if !known.contains(&permission) {
        let error = Error::failed(format!("there is no permission {permission}"));
        return Err(match pipit_commands::bind::nearest(&permission, known.iter().map(EcoString::as_str)) {
            Some(near) => error.help(format!("did you mean {near}?")),
            None => error.help("permission list shows those there are; permission create site:NAME makes one"),
        });
    }
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
    if !host.engine.world()?.policy.people().groups.contains_key(&group) {
        return Err(Error::failed(format!("there is no group {group}")));
    }
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
    apply(host, vec![insert(kind::PERMISSION, name.clone(), &Value::Record(Record::new()))]).await?;
    Ok(done(format!("the permission {name} is there")))
}

pub(super) async fn delete_permission(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = text(call, "NAME")?;
    apply(host, vec![remove(kind::PERMISSION, name.clone(), Expect::Present)]).await?;
    Ok(done(format!("the permission {name} is gone")))
}

pub(super) fn list_permissions(host: &Host) -> Result<Vec<Value>, Error> {
    let rows = permissions(host)?.into_iter().map(|name| {
        let row: Record = [("permission", name)].into_iter().collect();
        row.into()
    });
    Ok(rows.collect())
}

pub(super) async fn create_rule(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let typed = text(call, "RULE")?;
    let rule = pipit_grammar::rule::parse_rule(&typed).map_err(|error| unread(&error, &typed))?;
    names_what_is_there(host, &rule)?;
    let ids =
        host.world.policy.site_rules().iter().filter_map(|ruling| ruling.id.strip_prefix('r')?.parse::<u64>().ok());
    let id = format!("r{}", ids.max().unwrap_or(0) + 1);
    let text = rule.to_string();
    apply(host, vec![insert(kind::RULE, id.clone(), &KeptRule { text: text.clone() })]).await?;
    Ok(done(format!("{id}: {text}")))
}

/// Refuses a rule about a command or with a permission that is not there: a slip of the pen would guard nothing, or lock
/// everybody out.
fn names_what_is_there(host: &Host, rule: &Rule) -> Result<(), Error> {
    let world = host.engine.world()?;
    let commands = world.catalogue.all();
    let about = match &rule.target {
        Target::All => None,
        Target::Bundle(bundle) if commands.iter().any(|command| command.spec().bundle == *bundle) => None,
        Target::Bundle(bundle) => Some(Error::failed(format!("there is no bundle {bundle} with commands"))),
        Target::Command { bundle, command } => {
            let exact = format!("{bundle}:{command}");
            let there = commands.iter().any(|command| *command.exact() == exact);
            (!there).then(|| missing("command", &exact, commands.iter().map(|command| command.exact().as_str())))
        }
    };
    if let Some(error) = about {
        return Err(error);
    }
    let known = permissions(host)?;
    match rule.permissions().into_iter().find(|permission| !known.contains(permission)) {
        Some(permission) => Err(missing("permission", permission, known.iter().map(EcoString::as_str))),
        None => Ok(()),
    }
}

fn missing<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Error {
    let error = Error::failed(format!("there is no {what} {name}, so the rule is not made"));
    match pipit_commands::bind::nearest(name, known) {
        Some(near) => error.help(format!("did you mean {near}?")),
        None => error.help(format!("make the {what} first, or enable the bundle that brings it")),
    }
}

/// What is wrong with a rule, and near which of its words.
fn unread(error: &pipit_grammar::SyntaxError, rule: &str) -> Error {
    let near = rule.get(error.span.start as usize..).unwrap_or_default();
    let near: String = near.chars().take(24).collect();
    let place = if near.trim().is_empty() { String::new() } else { format!(" (at `{near}`)") };
    let failed = Error::failed(format!("the rule cannot be read: {}{place}", error.message));
    match &error.help {
        Some(help) => failed.help(help.clone()),
        None => failed,
    }
}

pub(super) async fn delete_rule(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let id = text(call, "ID")?;
    if id.contains('#') {
        return Err(Error::failed(format!("{id} comes with its command and cannot be deleted"))
            .help("a rule of the site that says more overrides it, and a guard always holds"));
    }
    apply(host, vec![remove(kind::RULE, id.clone(), Expect::Present)]).await?;
    Ok(done(format!("the rule {id} is gone")))
}

pub(super) fn list_rules(host: &Host, call: &Call) -> Vec<Value> {
    let policy = &host.world.policy;
    let rulings: Vec<&Ruling> = match call.text("COMMAND") {
        Some(command) => policy.rules_of(&command).iter().collect(),
        None => policy.site_rules().iter().collect(),
    };
    rulings
        .into_iter()
        .map(|ruling| {
            let layer = match ruling.layer {
                Layer::Bundle => "bundle",
                Layer::Site => "site",
            };
            let row: Record =
                [("id", ruling.id.as_str()), ("of", layer), ("rule", ruling.source.as_str())].into_iter().collect();
            row.into()
        })
        .collect()
}
