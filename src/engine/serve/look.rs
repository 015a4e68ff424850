//! Looking: what there is to run, what a name or a line stands for, who one is. Nothing here shows what the caller may
//! not run.

use pipit_commands::{Call, Command, Effect, Error, Flow, Record, Value};
use pipit_grammar::ast::Line;
use pipit_grammar::rule::Place;

use super::super::Engine;
use super::super::alias::Layers;
use super::super::labels;
use super::super::names::Found;
use super::super::plan::{Plan, Stage, What};
use super::super::planner::Planner;
use super::super::world::World;
use super::{Host, owner};
use crate::access::{Context, Subject};
use crate::bundle::{self, Reached};

/// The commands that the caller may run in some way.
fn runnable(host: &Host) -> impl Iterator<Item = &Command> {
    may_run(&host.world, &host.subject, host.context())
}

fn may_run<'w>(world: &'w World, subject: &'w Subject, context: &'w Context) -> impl Iterator<Item = &'w Command> {
    world.catalogue.all().iter().filter(move |command| world.policy.may_some_way(subject, command, context))
}

/// Every name that can begin a stage: the commands that may be run, by every name, and the aliases.
pub(in super::super) fn completions(
    world: &World,
    subject: &Subject,
    context: &Context,
    aliases: &Layers,
) -> Vec<String> {
    let mut names: Vec<String> = may_run(world, subject, context)
        .flat_map(|command| {
            let name = typed(world, command);
            let bare = name == command.spec().name.as_str();
            std::iter::once(name).chain(command.spec().also.iter().filter(move |_| bare).map(ToString::to_string))
        })
        .collect();
    names.extend(aliases.all().map(|(_, name, _)| name.to_string()));
    names.sort();
    names.dedup();
    names
}

/// A name as one types it: built-ins by their bare name or as noun and verb, others by the shortest name that is one
/// command's.
fn typed(world: &World, command: &Command) -> String {
    let spec = command.spec();
    match world.catalogue.bare(&spec.name) {
        [only] if only.is(command) => spec.name.to_string(),
        _ if command.verb().is_some() => format!("{} {}", spec.bundle, spec.name),
        _ => command.exact().to_string(),
    }
}

pub(super) fn help(host: &Host, call: &Call) -> Vec<Value> {
    let Some(words) = call.joined("NAME") else { return vec![overview(host).into()] };
    let exact: Vec<&Command> = runnable(host)
        .filter(|command| {
            let spec = command.spec();
            let noun = format!("{} {}", spec.bundle, spec.name);
            *command.exact() == words || noun == words || spec.name == words || spec.also.contains(&words)
        })
        .collect();
    let bare: Vec<&Command> = exact.iter().copied().filter(|command| typed(&host.world, command) == words).collect();
    match (bare.as_slice(), exact.as_slice()) {
        ([one], _) | (_, [one]) => return vec![about(host, one).into()],
        _ => {}
    }
    let found: Vec<Value> = runnable(host)
        .filter(|command| {
            let spec = command.spec();
            let needle = words.to_lowercase();
            spec.bundle == needle
                || spec.name.contains(needle.as_str())
                || spec.about.to_lowercase().contains(needle.as_str())
        })
        .map(|command| row(host, command))
        .collect();
    if found.is_empty() {
        return vec![format!("nothing that you may run is about {words:?}; help shows everything").into()];
    }
    found
}

fn row(host: &Host, command: &Command) -> Value {
    let row: Record =
        [("command", typed(&host.world, command)), ("about", command.spec().about.to_string())].into_iter().collect();
    row.into()
}

/// Everything that the caller may run, family by family.
fn overview(host: &Host) -> String {
    let mut families: Vec<(&str, Vec<String>)> = Vec::new();
    for command in runnable(host) {
        let family = command.spec().bundle.as_str();
        let name = typed(&host.world, command);
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
    text.trim_end().to_owned()
}

fn about(host: &Host, command: &Command) -> String {
    let spec = command.spec();
    let name = typed(&host.world, command);
    let usage = spec.usage.to_string();
    let usage = usage.strip_prefix(spec.name.as_str()).map_or(usage.clone(), |rest| format!("{name}{rest}"));
    let mut text = format!("{}\nusage: {usage}", spec.about);
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
    text
}

pub(super) fn which(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let words = call.joined("NAME").unwrap_or_default();
    let line = pipit_grammar::parse(&words)?;
    let Some(stage) = line.first.stages.first() else { return Ok(Vec::new()) };
    let names = Engine::names(&host.world, &host.subject, host.context(), &host.service);
    let found = names.find(stage).map_err(|error| error.as_kind(pipit_commands::ErrorKind::Failed))?;
    Ok(vec![match found {
        Found::Command(command, _) if !host.world.policy.may_some_way(&host.subject, &command, host.context()) => {
            return Err(Error::failed(format!("there is no command {words}")));
        }
        Found::Command(command, _) => {
            let kind = if command.spec().built_in { "built-in" } else { "bundle" };
            let row: Record =
                [("name", words.to_string()), ("kind", kind.into()), ("stands for", command.exact().to_string())]
                    .into_iter()
                    .collect();
            row.into()
        }
        Found::Alias(scope, alias) => {
            let row: Record = [
                ("name", words.to_string()),
                ("kind", "alias".into()),
                ("scope", scope.name().into()),
                ("by", alias.by.to_string()),
                ("stands for", alias.line.to_string()),
            ]
            .into_iter()
            .collect();
            row.into()
        }
        Found::Again => "your last line".into(),
    }])
}

pub(super) fn explain(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let Some(block) = call.blocks().first() else { return Ok(Vec::new()) };
    let line: &Line = &block.written;
    let names = Engine::names(&host.world, &host.subject, host.context(), &host.service);
    let kept = labels::kept(host);
    let plan = Planner::new(&names, call.host(), None, &|_, _| Ok(()), &kept).plan(line, None)?;
    let mut text = line.to_string();
    describe(host, &plan, 1, &mut text);
    Ok(vec![text.into()])
}

/// A line of text a stage, further in the deeper it stands.
fn describe(host: &Host, plan: &Plan, depth: usize, text: &mut String) {
    for (joint, pipeline) in &plan.pipelines {
        let indent = "  ".repeat(depth);
        if let Some(joint) = joint {
            text.push_str(&format!(
                "\n{indent}{}",
                match joint {
                    pipit_grammar::ast::Joint::And => "and then, if that went well",
                    pipit_grammar::ast::Joint::Or => "or else, if that failed",
                }
            ));
        }
        for stage in &pipeline.stages {
            text.push_str(&format!("\n{indent}{}", stage_text(host, stage)));
            for word in &stage.words {
                for part in &word.parts {
                    if let super::super::plan::Part::Substitution(plan, _) = part {
                        text.push_str(&format!("\n{indent}  with the values of"));
                        describe(host, plan, depth + 2, text);
                    }
                }
            }
            match &stage.run {
                What::Command(stated) => {
                    for (_, block) in &stated.blocks {
                        if let Some(block) = block {
                            text.push_str(&format!("\n{indent}  its block"));
                            describe(host, block, depth + 2, text);
                        }
                    }
                }
                What::Alias(plan, _) => describe(host, plan, depth + 1, text),
            }
        }
        if let Some(redirect) = &pipeline.redirect {
            text.push_str(&format!("\n{indent}posted: {redirect}"));
        }
    }
}

fn stage_text(host: &Host, stage: &Stage) -> String {
    let What::Command(stated) = &stage.run else {
        return format!("{}: an alias", stage.shown);
    };
    let command = &stated.command;
    let runs = if stage.refers && stage.input {
        "once for each value, whose fields its words name"
    } else {
        match command.spec().flow {
            Flow::Stream => "once, over the whole stream",
            Flow::Each if stage.input => "once for each value",
            Flow::Each => "once",
            Flow::Value => "on each value",
        }
    };
    let rules: Vec<String> = host
        .world
        .policy
        .rules_of(command.exact())
        .iter()
        .map(|ruling| {
            let prefix = format!("when command is {} ", command.exact());
            ruling.source.strip_prefix(&prefix).unwrap_or(&ruling.source).to_owned()
        })
        .collect();
    let rules = if rules.is_empty() { "no rule, so nobody may run it".to_owned() } else { rules.join("; ") };
    format!("{}: {}, {}, {runs}; {rules}", stage.shown, command.exact(), command.spec().effect.name())
}

pub(super) fn whoami(host: &Host) -> Vec<Value> {
    let kind = if host.subject.is_operator() {
        "the local operator"
    } else if host.subject.is_unlinked() {
        "an account that is linked to no user; you may run public commands only"
    } else if host.subject.is_stranger() {
        "nobody has verified who you are; you may run public commands only"
    } else {
        "a user"
    };
    let texts = |all: Vec<ecow::EcoString>| Value::from(all);
    let people = host.world.policy.people();
    let name = host.subject.name();
    let groups = if owner(host).is_ok() { people.groups_of(name).cloned().collect() } else { Vec::new() };
    let roles = people.roles_of(name).map(|(role, _)| role.clone());
    let roles = if owner(host).is_ok() { roles.collect() } else { Vec::new() };
    let place = match &host.context().place {
        Place::Dm => "a direct message".to_owned(),
        Place::Room(name) => format!("#{name}"),
    };
    let row: Record = [
        ("name", Value::from(name.clone())),
        ("is", kind.into()),
        ("in", format!("{} on {}", place, host.service).into()),
        ("groups", texts(groups)),
        ("roles", texts(roles)),
        ("permissions", texts(host.subject.permissions())),
    ]
    .into_iter()
    .collect();
    vec![row.into()]
}

/// How tightly programs of bundles can be held on this machine.
fn sandbox() -> String {
    match bundle::reached() {
        Reached::Restrict(words) => format!("restrict: {words}"),
        Reached::Offline(words) => format!("restrict for bundles without network: {words}"),
        Reached::Basic(missing) => format!("basic, restrict is denied: {missing}"),
    }
}

pub(super) fn status(host: &Host) -> Vec<Value> {
    let running = host.engine.running().len();
    let services = host.engine.0.outlet.get().map(|outlet| outlet.services()).unwrap_or_default();
    let mut rows: Vec<(String, String)> = vec![
        ("version".into(), env!("CARGO_PKG_VERSION").into()),
        ("up".into(), format!("{} s", host.engine.0.began.elapsed().as_secs())),
        ("lines running".into(), running.to_string()),
        ("audit log".into(), "takes records".into()),
        ("commands".into(), host.world.catalogue.all().len().to_string()),
        ("sandbox".into(), sandbox()),
    ];
    rows.extend(services.into_iter().map(|(name, state)| (format!("chat {name}"), state.to_string())));
    rows.into_iter()
        .map(|(what, state)| {
            let row: Record = [("what", what), ("state", state)].into_iter().collect();
            row.into()
        })
        .collect()
}
