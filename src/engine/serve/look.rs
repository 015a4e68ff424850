//! Looking: how a line is understood, who one is, how the shell is.

use pipit_commands::{Call, Error, Flow, Record, Value};
use pipit_grammar::ast::Line;
use pipit_grammar::rule::Place;

use super::super::Engine;
use super::super::labels;
use super::super::plan::{Plan, Stage, What};
use super::super::planner::Planner;
use super::super::recall::Recalled;
use super::{Host, owner};
use crate::bundle::{self, Reached};

pub(super) fn explain(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let Some(block) = call.blocks().first() else { return Ok(Vec::new()) };
    let line: &Line = &block.written;
    let names = Engine::names(&host.world, &host.subject, host.context(), &host.service);
    let kept = labels::kept(host);
    let plan = Planner::new(&names, call.host(), &Recalled::default(), &|_, _| Ok(()), &kept).plan(line, None)?;
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

pub(super) fn whoami(host: &Host, call: &Call) -> Vec<Value> {
    let name = host.subject.name();
    let is = if host.subject.is_operator() {
        "the local operator"
    } else if host.subject.is_unlinked() {
        "an account that is linked to no user: you may run public commands only"
    } else if host.subject.is_stranger() {
        "somebody whom nobody has verified: you may run public commands only"
    } else {
        "a user"
    };
    let place = match &host.context().place {
        Place::Dm => "a direct message".to_owned(),
        Place::Room(name) => format!("#{name}"),
    };
    let mut row: Record =
        [("name", Value::from(name.clone())), ("is", is.into()), ("in", format!("{place} on {}", host.service).into())]
            .into_iter()
            .collect();
    let known = owner(host).is_ok();
    let people = host.world.policy.people();
    let groups: Vec<_> = people.groups_of(name).filter(|_| known).cloned().collect();
    let roles: Vec<_> = people.roles_of(name).filter(|_| known).map(|(role, _)| role.clone()).collect();
    let permissions = host.subject.permissions();
    let whole = call.flag("all");
    for (field, all) in [("groups", groups), ("roles", roles), ("permissions", permissions)] {
        // what somebody does not have they need not read
        if whole {
            row.put(field, Value::from(all));
        } else if !all.is_empty() && field != "permissions" {
            row.put(field, all.join(", "));
        } else if !all.is_empty() {
            row.put(field, format!("{}; whoami --all names them", all.len()));
        }
    }
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
