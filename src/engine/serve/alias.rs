//! Aliases: lines under a name, kept as they were typed and expanded as trees.
//!
//! One is made as one's own, and moved to the room or the site by whoever may publish there. Whoever made it may change
//! it, delete it and take it back; so may who holds the right of its scope.

use std::collections::HashSet;

use ecow::EcoString;
use pipit_commands::{Call, Error, ErrorKind, Record, Value};
use pipit_grammar::ast::Line;

use super::super::alias::{Alias, Layers, Scope};
use super::super::names::each_name;
use super::super::withheld;
use super::super::world::{KeptAlias, SITE, kind, own};
use super::{Host, apply, delete as remove, done, insert, owner, put, room_for_more, text};
use crate::store::{Document, Expect, StoreError};

/// Names of commands that decide about others' lines: no alias may ever look like one, whatever bundles are there.
const RESERVED: &[&str] = &["approve", "deny", "secret", "who-can", "break-glass", "trigger", "job", "relay"];

pub(super) async fn make(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let (name, line) = (text(call, "NAME")?, text(call, "LINE")?);
    if call.all("LINE").iter().any(|arg| !arg.labels.is_empty()) {
        // its words count as typed by whoever runs it, so somebody has to have typed them
        return Err(Error::refused("the line of an alias is typed, and these words come from elsewhere")
            .help("put what computes them into the line: 'echo $(…)' in single quotes"));
    }
    let by = owner(host)?;
    free_name(host, &name)?;
    let scope = scope(call, "scope")?.unwrap_or(Scope::Own);
    let tree = pipit_grammar::parse_alias(&line)?;
    withheld::keeps_none("an alias", &line)?;
    let alias = Alias { line: tree.into(), by: by.clone() };
    loops(host, scope, &name, &alias)?;
    let holder = holder(host, scope)?;
    room_for_more(host, kind::ALIAS, &holder, &name)?;
    let kept = KeptAlias { line: alias.line.to_string(), by: by.clone() };
    apply(host, vec![put(kind::ALIAS, own(&holder, &name), &kept, Expect::Anything)]).await?;
    Ok(done(format!("{name} stands for {}", alias.line)))
}

/// The scope that an argument names.
fn scope(call: &Call, of: &str) -> Result<Option<Scope>, Error> {
    let Some(named) = call.text(of) else { return Ok(None) };
    Scope::from_name(&named).map(Some).ok_or_else(|| Error::failed(format!("{named} is no scope: own, room or site")))
}

/// Under whose name the aliases of a scope are kept.
fn holder(host: &Host, scope: Scope) -> Result<EcoString, Error> {
    match scope {
        Scope::Own => owner(host).cloned(),
        Scope::Room => super::rooms::this(host).map(|room| room.owner()),
        Scope::Site => Ok(SITE.into()),
    }
}

/// Refuses an alias that would come to itself, for the caller here, or for somebody without aliases of their own. Where it
/// comes to itself only through another's own aliases, the line of that other is refused when it is planned.
fn loops(host: &Host, scope: Scope, name: &str, alias: &Alias) -> Result<(), Error> {
    // aliases that the line itself has made are there too
    let layers = host.layers(&*host.engine.world()?).with(scope, name, alias.clone());
    let looped = comes_back(&layers, scope, name) || (scope != Scope::Own && comes_back(&layers.shared(), scope, name));
    if looped { Err(Error::failed(format!("the alias {name} would run itself in a loop"))) } else { Ok(()) }
}

/// Whether an alias comes to itself through the aliases it uses.
fn comes_back(layers: &Layers, scope: Scope, name: &str) -> bool {
    let Some(start) = layers.of(scope).get(name) else { return false };
    let mut seen: HashSet<EcoString> = HashSet::new();
    let mut open: Vec<&Line> = vec![&start.line];
    while let Some(line) = open.pop() {
        let mut names: Vec<EcoString> = Vec::new();
        each_name(line, &mut |name| names.push(name.into()));
        for next in names {
            let Some((found, alias)) = layers.find(&next) else { continue };
            if found == scope && next == name {
                return true;
            }
            if seen.insert(next) {
                open.push(&alias.line);
            }
        }
    }
    false
}

/// An alias as it lies in the store.
struct Found {
    scope: Scope,
    key: String,
    document: Document,
    alias: KeptAlias,
}

/// The nearest alias of a name: of one scope, or of all but one.
fn find(host: &Host, name: &str, only: Option<Scope>, but: Option<Scope>) -> Result<Found, Error> {
    let scopes = Scope::ALL.into_iter().filter(|scope| only.is_none_or(|only| only == *scope) && but != Some(*scope));
    for scope in scopes {
        // who speaks in no room sees none of a room's
        let Ok(holder) = holder(host, scope) else { continue };
        let key = own(&holder, name);
        if let Some(document) = host.engine.store().get(kind::ALIAS, &key).map_err(super::stored)? {
            let alias = serde_json::from_str(&document.body)
                .map_err(|error| Error::failed(format!("the alias {name} cannot be read: {error}")))?;
            return Ok(Found { scope, key, document, alias });
        }
    }
    let whose = match only {
        None | Some(Scope::Own) => format!("you have no alias {name}"),
        Some(Scope::Room) => format!("the room has no alias {name}"),
        Some(Scope::Site) => format!("the site has no alias {name}"),
    };
    Err(Error::failed(whose).help("alias list shows those there are"))
}

/// Refuses to touch what is another's without the right for it.
fn may_change(host: &Host, name: &str, found: &Found) -> Result<(), Error> {
    let Some(right) = found.scope.right() else { return Ok(()) };
    let by = &found.alias.by;
    if owner(host)? == by || host.subject.has(right) {
        return Ok(());
    }
    let (me, scope) = (host.subject.name(), found.scope.name());
    let whose = if by.is_empty() { format!("of the {scope}") } else { format!("of the {scope}, and {by} made it") };
    Err(Error::new(ErrorKind::Denied, format!("{me} may not change the alias {name}: it is {whose}"))
        .help(format!("whoever holds {right} may too")))
}

pub(super) async fn delete(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = text(call, "NAME")?;
    let found = find(host, &name, scope(call, "scope")?, None)?;
    may_change(host, &name, &found)?;
    apply(host, vec![remove(kind::ALIAS, found.key, Expect::Revision(found.document.revision))]).await?;
    Ok(done(format!("the alias {name} is gone")))
}

pub(super) async fn publish(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let (name, to) = (text(call, "NAME")?, scope(call, "SCOPE")?.unwrap_or(Scope::Site));
    let by = owner(host)?;
    let found = find(host, &name, None, Some(to))?;
    may_change(host, &name, &found)?;
    let holder = holder(host, to)?;
    // what one takes for oneself is one's own; what is published stays whose it was
    let by = if to == Scope::Own || found.alias.by.is_empty() { by.clone() } else { found.alias.by };
    let alias = KeptAlias { line: found.alias.line, by };
    let tree = pipit_grammar::parse_alias(&alias.line)?;
    loops(host, to, &name, &Alias { line: tree.into(), by: alias.by.clone() })?;
    room_for_more(host, kind::ALIAS, &holder, &name)?;
    let changes = vec![
        insert(kind::ALIAS, own(&holder, &name), &alias),
        remove(kind::ALIAS, found.key, Expect::Revision(found.document.revision)),
    ];
    let who = match to {
        Scope::Own => "you alone have".to_owned(),
        Scope::Room => format!("everybody in {} has", super::rooms::this(host)?),
        Scope::Site => "everybody has".to_owned(),
    };
    match host.engine.store().apply(changes).await {
        Err(StoreError::Exists { .. }) => {
            let has = match to {
                Scope::Own => "you have".to_owned(),
                Scope::Room | Scope::Site => format!("the {} has", to.name()),
            };
            Err(Error::failed(format!("{has} an alias {name} already"))
                .help(format!("alias delete {name} --scope={}", to.name())))
        }
        other => other.map_err(super::stored),
    }?;
    Ok(done(format!("{who} the alias {name} now")))
}

pub(super) fn list(host: &Host) -> Result<Vec<Value>, Error> {
    let world = host.engine.world()?;
    let layers = host.layers(&world);
    let mut rows: Vec<_> = layers.all().collect();
    rows.sort_by_key(|(scope, name, _)| (*name, *scope));
    let aside = |name: &EcoString| world.catalogue.bare(name).first().map(|command| command.exact().clone());
    let any_aside = rows.iter().any(|(_, name, _)| aside(name).is_some());
    Ok(rows
        .into_iter()
        .map(|(scope, name, alias)| {
            let fields = [
                ("name", Value::from(name.clone())),
                ("scope", scope.name().into()),
                ("by", alias.by.clone().into()),
                ("line", alias.line.to_string().into()),
            ];
            let mut row: Record = fields.into_iter().collect();
            if any_aside {
                row.put("set aside by", aside(name).unwrap_or_default());
            }
            row.into()
        })
        .collect())
}

/// What somebody is told whose line names an alias of theirs that a command has taken the name of.
pub(in super::super) fn set_aside(host: &Host, line: &Line) -> Vec<String> {
    let Some(me) = host.subject.owner() else { return Vec::new() };
    let layers = host.layers(&host.world);
    let mut told: Vec<String> = Vec::new();
    each_name(line, &mut |name| {
        let Some(command) = host.world.catalogue.bare(name).first() else { return };
        let Some((scope, _)) = layers.find(name).filter(|(_, alias)| alias.by == *me) else { return };
        let exact = command.exact();
        let text = format!(
            "{name} is the command {exact} now, and {} alias {name} is set aside; alias rename {name} NEW gives it another name",
            match scope {
                Scope::Own => "your",
                Scope::Room => "the room's",
                Scope::Site => "the site's",
            }
        );
        if !told.contains(&text) {
            told.push(text);
        }
    });
    told
}

/// Gives an alias another name.
pub(super) async fn rename(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let (name, new) = (text(call, "NAME")?, text(call, "NEW")?);
    let found = find(host, &name, scope(call, "scope")?, None)?;
    may_change(host, &name, &found)?;
    let holder = holder(host, found.scope)?;
    free_name(host, &new)?;
    let tree = pipit_grammar::parse_alias(&found.alias.line)?;
    loops(host, found.scope, &new, &Alias { line: tree.into(), by: found.alias.by.clone() })?;
    let changes = vec![
        insert(kind::ALIAS, own(&holder, &new), &found.alias),
        remove(kind::ALIAS, found.key, Expect::Revision(found.document.revision)),
    ];
    match host.engine.store().apply(changes).await {
        Err(StoreError::Exists { .. }) => Err(Error::failed(format!("there is an alias {new} already"))),
        other => other.map_err(super::stored),
    }?;
    Ok(done(format!("the alias {name} is {new} now")))
}

/// Refuses a name that an alias cannot have.
fn free_name(host: &Host, name: &str) -> Result<(), Error> {
    let taken = if host.world.catalogue.takes(name) {
        format!("{name} is a command, and a command always wins")
    } else if RESERVED.contains(&name) {
        format!("{name} is kept for the shell itself")
    } else {
        return Ok(());
    };
    Err(Error::failed(taken).help("take another name for the alias"))
}
