//! `help` and `which`: what there is to run, and what a name stands for. What the caller may not run answers like what is
//! not there; only whoever manages bundles or rules is told that it exists, and what it takes.

use pipit_commands::bind::nearest;
use pipit_commands::{Call, Command, Effect, Error, Record, Value};
use pipit_grammar::ast;

use super::super::Engine;
use super::super::alias::{Alias, Scope};
use super::super::names::{Found, Names};
use super::super::world::World;
use super::Host;
use crate::access::objection;

/// A name as one types it: built-ins by their bare name or as noun and verb, others by the shortest name that is one
/// command's.
pub(in super::super) fn typed(world: &World, command: &Command) -> String {
    let spec = command.spec();
    match world.catalogue.bare(&spec.name) {
        [only] if only.is(command) => spec.name.to_string(),
        _ if command.verb().is_some() => format!("{} {}", spec.bundle, spec.name),
        _ => command.exact().to_string(),
    }
}

fn may(host: &Host, command: &Command) -> bool {
    host.world.policy.may_some_way(&host.subject, command, host.context())
}

/// What the caller is told of: what they may run, and for whoever decides about that, what there is.
fn known(host: &Host) -> impl Iterator<Item = &Command> {
    let manages = host.subject.has("bundle:manage") || host.subject.has("rule:manage");
    host.world.catalogue.all().iter().filter(move |command| manages || may(host, command))
}

pub(super) fn help(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let Some(words) = call.joined("NAME") else { return Ok(vec![overview(host).into()]) };
    let exact: Vec<&Command> = known(host).filter(|command| answers_to(host, command, &words)).collect();
    let bare = exact.iter().find(|command| typed(&host.world, command) == words);
    match (bare, exact.as_slice()) {
        (Some(one), _) | (None, [one]) => return Ok(vec![about(host, one).into()]),
        (None, _) => {}
    }
    let names = Engine::names(&host.world, &host.subject, host.context());
    if let Some((scope, alias)) = names.aliases.find(&words) {
        return Ok(vec![about_alias(host, &words, scope, alias).into()]);
    }
    let family: Vec<Value> =
        known(host).filter(|command| command.spec().bundle == words).map(|command| row(host, command)).collect();
    if !family.is_empty() {
        return Ok(family);
    }
    let needles: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
    let found: Vec<Value> = known(host)
        .filter(|command| needles.iter().all(|needle| mentions(command, needle)))
        .map(|command| row(host, command))
        .collect();
    if found.is_empty() { Err(nothing(host, &names, &words)) } else { Ok(found) }
}

/// Whether a command has that name, in any of the ways to write it.
fn answers_to(host: &Host, command: &Command, words: &str) -> bool {
    let spec = command.spec();
    let several = || words.contains(' ') && *words == format!("{} {}", spec.bundle, spec.name.replace("-", " "));
    *command.exact() == words
        || typed(&host.world, command) == words
        || words == format!("{} {}", spec.bundle, spec.name)
        || spec.name == words
        || spec.also.iter().any(|name| name == words)
        || (!spec.built_in && several())
}

/// Whether a word stands in what is said of a command.
fn mentions(command: &Command, needle: &str) -> bool {
    let spec = command.spec();
    spec.bundle == needle
        || spec.name.contains(needle)
        || spec.also.iter().any(|name| name == needle)
        || spec.about.to_lowercase().split(|c: char| !c.is_alphanumeric()).any(|word| word.starts_with(needle))
        || spec.usage.options.iter().any(|option| option.long.as_deref() == Some(needle.trim_start_matches('-')))
}

/// What is not there and what may not be seen are answered alike.
fn nothing(host: &Host, names: &Names, words: &str) -> Error {
    let mut all: Vec<String> = known(host).map(|command| typed(&host.world, command)).collect();
    all.extend(names.aliases.all().map(|(_, name, _)| name.to_string()));
    let error = Error::failed(format!("nothing that you may run is about {words:?}"));
    match nearest(words, all.iter().map(String::as_str)) {
        Some(near) => error.help(format!("did you mean help {near}?")),
        None => error.help("help shows everything"),
    }
}

fn row(host: &Host, command: &Command) -> Value {
    let mut about = command.spec().about.to_string();
    if let Some(why) = why_not(host, command) {
        about.push_str(&format!(" ({why})"));
    }
    let row: Record = [("command", typed(&host.world, command)), ("about", about)].into_iter().collect();
    row.into()
}

/// What keeps the caller from a command of which they are told all the same.
fn why_not(host: &Host, command: &Command) -> Option<String> {
    let verdict = host.world.policy.foresee(&host.subject, command, host.context())?;
    objection(&host.subject, command, &verdict.decision).map(|error| error.message().to_owned())
}

/// Everything that the caller is told of, family by family.
fn overview(host: &Host) -> String {
    let mut families: Vec<(&str, Vec<String>)> = Vec::new();
    let mut beyond: Vec<String> = Vec::new();
    for command in known(host) {
        let family = command.spec().bundle.as_str();
        let name = typed(&host.world, command);
        if !may(host, command) {
            beyond.push(name);
            continue;
        }
        match families.iter_mut().find(|(other, _)| *other == family) {
            Some((_, names)) => names.push(name),
            None => families.push((family, vec![name])),
        }
    }
    let width = families.iter().map(|(family, _)| family.len()).max().unwrap_or(0);
    let mut text = String::from("commands are joined by |, help NAME tells of one\n");
    for (family, names) in families {
        // names of two words have to be told apart
        let between = if names.iter().any(|name| name.contains(' ')) { ", " } else { " " };
        text.push_str(&format!("{family:width$}  {}\n", names.join(between)));
    }
    if !beyond.is_empty() {
        text.push_str(&format!("there, but not for you to run: {}\n", beyond.join(", ")));
    }
    text.trim_end().to_owned()
}

fn about(host: &Host, command: &Command) -> String {
    let spec = command.spec();
    let name = typed(&host.world, command);
    let usage = spec.usage.to_string();
    let usage = usage.strip_prefix(spec.name.as_str()).map_or(usage.clone(), |rest| format!("{name}{rest}"));
    let mut text = format!("{}\nusage: {usage}", spec.about);
    if !spec.details.is_empty() {
        text.push_str(&format!("\n{}", spec.details));
    }
    if !spec.also.is_empty() {
        text.push_str(&format!("\nalso: {}", spec.also.join(", ")));
    }
    for example in &spec.examples {
        text.push_str(&format!("\n  {}", example.line));
        if !example.about.is_empty() {
            text.push_str(&format!("   ({})", example.about));
        } else if let Some(gives) = &example.gives {
            text.push_str(&format!("   gives {}", gives.lines().collect::<Vec<_>>().join(" ")));
        }
    }
    let effect = match spec.effect {
        Effect::Pure => "",
        Effect::Idempotent => ", may be repeated",
        Effect::Unsafe => ", acts on the world",
    };
    text.push_str(&format!("\n{}{effect}", command.exact()));
    if let Some(why) = why_not(host, command) {
        text.push_str(&format!("\n{why}"));
    }
    text
}

fn about_alias(host: &Host, name: &str, scope: Scope, alias: &Alias) -> String {
    let whose = match scope {
        Scope::Own => "an alias of your own".to_owned(),
        Scope::Room => format!("an alias of this room, by {}", alias.by),
        Scope::Site => format!("an alias of the site, by {}", alias.by),
    };
    let taken = if host.world.catalogue.takes(name) { "\na command has this name, and goes before it" } else { "" };
    format!("{name} stands for: {}\n{whose}{taken}", alias.line)
}

pub(super) fn which(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let words = call.joined("NAME").unwrap_or_default();
    let line = pipit_grammar::parse(&words)?;
    let Some(stage) = line.first.stages.first() else { return Ok(Vec::new()) };
    let names = Engine::names(&host.world, &host.subject, host.context());
    let failed = |error: Error| error.as_kind(pipit_commands::ErrorKind::Failed);
    let row: Record = match names.find(stage).map_err(failed)? {
        Found::Command(command, _) => {
            if !known(host).any(|other| other.is(&command)) {
                return Err(failed(hidden(&names, stage)));
            }
            let kind = if command.spec().built_in { "built-in" } else { "bundle" };
            let mut row: Record =
                [("name", words.to_string()), ("kind", kind.into()), ("stands for", command.exact().to_string())]
                    .into_iter()
                    .collect();
            if command.spec().cog {
                row.put("protocol", Value::from("Cog's: what its program writes on standard output also steers it"));
            }
            if let Some(why) = why_not(host, &command) {
                row.put("but", Value::from(why));
            }
            row
        }
        Found::Alias(scope, alias) => [
            ("name", words.to_string()),
            ("kind", "alias".into()),
            ("scope", scope.name().into()),
            ("by", alias.by.to_string()),
            ("stands for", alias.line.to_string()),
        ]
        .into_iter()
        .collect(),
        Found::Again(_) => return Ok(vec!["a line of yours, as it was said before".into()]),
    };
    Ok(vec![row.into()])
}

/// What is said of a command that the caller may not run: the same as of one that is not there.
fn hidden(names: &Names, stage: &ast::Stage) -> Error {
    names.missing(stage.name.command(), stage.name.bundle())
}
