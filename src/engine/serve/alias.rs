//! Aliases: lines under a name, kept as they were typed and expanded as trees.

use std::collections::HashSet;
use std::sync::Arc;

use ecow::EcoString;
use pipit_commands::{Call, Error, Record, Value};
use pipit_grammar::ast::Line;

use super::super::names::each_name;
use super::super::world::{KeptAlias, SITE, kind, own};
use super::{Host, apply, delete as remove, done, insert, owner, put, room_for_more, text};
use crate::store::Expect;

/// Names of commands that decide about others' lines: no alias may ever look like one, whatever bundles are there.
const RESERVED: &[&str] = &["approve", "deny", "secret", "who-can", "break-glass", "trigger", "job", "relay"];

pub(super) async fn make(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let (name, line) = (text(call, "NAME")?, text(call, "LINE")?);
    let owner = owner(host)?;
    if host.world.catalogue.takes(&name) {
        return Err(Error::failed(format!("{name} is a command, and a command always wins"))
            .help("take another name for the alias"));
    }
    if RESERVED.contains(&name.as_str()) {
        return Err(
            Error::failed(format!("{name} is kept for the shell itself")).help("take another name for the alias")
        );
    }
    let tree = pipit_grammar::parse_alias(&line)?;
    if reaches(host, &tree, &name)? {
        return Err(Error::failed(format!("the alias {name} would run itself in a loop")));
    }
    room_for_more(host, kind::ALIAS, owner)?;
    let alias = KeptAlias { line: tree.to_string() };
    apply(host, vec![put(kind::ALIAS, own(owner, &name), &alias, Expect::Anything)]).await?;
    Ok(done(format!("{name} stands for {tree}")))
}

/// Whether a line comes to an alias through the aliases it uses.
fn reaches(host: &Host, line: &Line, wanted: &str) -> Result<bool, Error> {
    // aliases that the line itself has made are there too
    let world = host.engine.world()?;
    let own = owner(host).ok().and_then(|owner| world.aliases.get(owner));
    let find = |name: &str| {
        let own = own.and_then(|aliases| aliases.get(name));
        own.or_else(|| world.site_aliases.get(name)).cloned()
    };
    let mut seen: HashSet<EcoString> = HashSet::new();
    let mut open: Vec<Arc<Line>> = vec![Arc::new(line.clone())];
    while let Some(line) = open.pop() {
        let mut names: Vec<EcoString> = Vec::new();
        each_name(&line, &mut |name| names.push(name.into()));
        for name in names {
            if name == wanted {
                return Ok(true);
            }
            if seen.insert(name.clone()) {
                open.extend(find(&name));
            }
        }
    }
    Ok(false)
}

pub(super) async fn delete(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = text(call, "NAME")?;
    let key = own(owner(host)?, &name);
    if host.engine.0.store.get(kind::ALIAS, &key).map_err(super::stored)?.is_none() {
        return Err(Error::failed(format!("you have no alias {name}")).help("alias list shows those you have"));
    }
    apply(host, vec![remove(kind::ALIAS, key, Expect::Present)]).await?;
    Ok(done(format!("the alias {name} is gone")))
}

pub(super) async fn publish(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = text(call, "NAME")?;
    let key = own(owner(host)?, &name);
    let found = host.engine.0.store.get(kind::ALIAS, &key).map_err(super::stored)?;
    let found = found.ok_or_else(|| Error::failed(format!("you have no alias {name}")))?;
    let alias: KeptAlias = serde_json::from_str(&found.body)
        .map_err(|error| Error::failed(format!("the alias {name} cannot be read: {error}")))?;
    let changes =
        vec![insert(kind::ALIAS, own(SITE, &name), &alias), remove(kind::ALIAS, key, Expect::Revision(found.revision))];
    match host.engine.0.store.apply(changes).await {
        Err(crate::store::StoreError::Exists { .. }) => {
            Err(Error::failed(format!("the site has an alias {name} already")))
        }
        other => other.map_err(super::stored),
    }?;
    Ok(done(format!("the alias {name} is everybody's now")))
}

pub(super) fn list(host: &Host) -> Vec<Value> {
    let own = host.subject.owner().and_then(|owner| host.world.aliases.get(owner));
    let scopes = [("own", own), ("site", Some(&host.world.site_aliases))];
    let mut rows: Vec<(EcoString, &str, String)> = scopes
        .into_iter()
        .filter_map(|(scope, aliases)| aliases.map(|aliases| (scope, aliases)))
        .flat_map(|(scope, aliases)| aliases.iter().map(move |(name, line)| (name.clone(), scope, line.to_string())))
        .collect();
    rows.sort();
    rows.into_iter()
        .map(|(name, scope, line)| {
            let row: Record =
                [("name", Value::from(name)), ("scope", scope.into()), ("line", line.into())].into_iter().collect();
            row.into()
        })
        .collect()
}
