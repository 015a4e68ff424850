//! `explain`: how a line is understood, stage by stage. Nothing runs.
//!
//! Deliberately absent: by which rules one may (`who.rs`).

use pipit_commands::{Call, Error, Flow, Value};
use pipit_grammar::ast::Line;

use super::super::plan::{Part as Piece, Plan, Stage, Stated, What};
use super::super::planner::Planner;
use super::super::recall::Recalled;
use super::super::{Engine, labels, now};
use super::Host;
use crate::access::{Context, May, Part};

pub(super) fn explain(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let Some(block) = call.blocks().first() else { return Ok(Vec::new()) };
    let line: &Line = &block.written;
    let names = Engine::names(&host.world, &host.subject, host.context());
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
                    if let Piece::Substitution(plan, _) = part {
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

/// What a stage is, what it may do, how often it runs, what comes into it, what it takes and whether the caller has that.
fn stage_text(host: &Host, stage: &Stage) -> String {
    let What::Command(stated) = &stage.run else {
        return format!("{}: an alias", stage.shown);
    };
    let command = &stated.command;
    let spec = command.spec();
    let runs = if stage.refers && stage.input {
        "once for each value, whose fields its words name"
    } else {
        match spec.flow {
            Flow::Stream => "once, over the whole stream",
            Flow::Each if stage.input => "once for each value",
            Flow::Each => "once",
            Flow::Value => "on each value",
        }
    };
    let of = if spec.built_in { String::new() } else { format!(" of the bundle {}", spec.bundle) };
    let filled = match spec.fills.as_ref().filter(|_| stated.fills) {
        Some(fill) => {
            let param = spec.usage.params.get(fill.param).map_or("", |param| param.name.as_str());
            let field = fill.field.as_ref().map(|field| format!("{field} of ")).unwrap_or_default();
            format!(", {param} from {field}what comes in")
        }
        None => String::new(),
    };
    let takes: Vec<String> = host
        .world
        .policy
        .rules_of(command.exact())
        .iter()
        .map(|ruling| {
            let prefix = format!("when command is {} ", command.exact());
            ruling.source.strip_prefix(&prefix).unwrap_or(&ruling.source).to_owned()
        })
        .collect();
    let takes = if takes.is_empty() { "no rule, so nobody may run it".to_owned() } else { takes.join("; ") };
    let mine = match may(host, stated) {
        May::Yes => String::new(),
        May::Waits(due) => {
            format!("; it waits for {}", due.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
        }
        May::Depends => "; whether you may depends on values".to_owned(),
        May::No(_) => "; you may not".to_owned(),
    };
    format!("{}: {}{of}, {}, {runs}{filled}; {takes}{mine}", stage.shown, command.exact(), spec.effect.name())
}

/// Whether the caller may, as far as the line alone tells.
fn may(host: &Host, stated: &Stated) -> May {
    let part = Part {
        command: &stated.command,
        args: stated.known.as_ref().filter(|_| !stated.fills),
        context: Context { via: stated.via.unwrap_or(host.context().via), at: now(), ..host.context().clone() },
    };
    host.world.policy.may(&host.subject, &[part])
}
