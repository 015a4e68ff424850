//! What can be looked at without a shell: lines, rules, manifests. Nothing runs and nothing is kept.

use std::io::{BufRead, Write};
use std::path::Path;
use std::process::ExitCode;

use ecow::EcoString;
use pipit_commands::{Record, Value};
use pipit_grammar::rule::{Place, Via, parse_rule};
use serde::Deserialize;

use super::{fail, tell};
use crate::access::decide::{Decision, Facts, Layer, Ruling, decide};

/// `pipit parse`.
pub(super) fn parse(line: &str, json: bool) -> ExitCode {
    match pipit_grammar::parse(line) {
        Ok(tree) if json => say(&super::tree::line(&tree).to_json()),
        Ok(tree) => say(&tree.to_string()),
        Err(error) => {
            tell(&error.show(line));
            ExitCode::from(2)
        }
    }
}

/// `pipit rule check`.
pub(super) fn rule(text: &str) -> ExitCode {
    match parse_rule(text) {
        Ok(rule) => say(&rule.to_string()),
        Err(error) => {
            tell(&error.show(text));
            ExitCode::from(2)
        }
    }
}

fn say(text: &str) -> ExitCode {
    // whoever closed the pipe does not want to know
    let _ = writeln!(std::io::stdout(), "{text}");
    ExitCode::SUCCESS
}

/// A case of `pipit rule eval`.
#[derive(Deserialize)]
struct Case {
    id: Value,
    rules: Vec<String>,
    call: Called,
    permissions: Vec<String>,
}

/// A call as a case says it; what it does not say is unknown.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Called {
    command: String,
    #[serde(default)]
    args: Vec<Value>,
    #[serde(default)]
    options: Option<Value>,
    room: Option<String>,
    via: Option<String>,
}

/// `pipit rule eval`.
pub(super) fn eval() -> ExitCode {
    for (number, line) in std::io::stdin().lock().lines().enumerate() {
        let line = match line {
            Ok(line) if line.trim().is_empty() => continue,
            Ok(line) => line,
            Err(error) => return fail(2, &format!("line {}: {error}", number + 1)),
        };
        let said =
            serde_json::from_str::<Case>(&line).map_err(|error| error.to_string()).and_then(|case| answer(&case));
        match said {
            Ok(said) if writeln!(std::io::stdout(), "{said}").is_err() => return ExitCode::SUCCESS,
            Ok(_) => {}
            Err(error) => return fail(2, &format!("line {}: {error}", number + 1)),
        }
    }
    ExitCode::SUCCESS
}

fn answer(case: &Case) -> Result<String, String> {
    let rulings: Vec<Ruling> = case
        .rules
        .iter()
        .enumerate()
        .map(|(at, rule)| Ruling::read(format!("r{at}"), Layer::Site, rule.as_str()))
        .collect();
    let rulings: Vec<&Ruling> = rulings.iter().collect();
    let options: Vec<(EcoString, Value)> = match &case.call.options {
        Some(Value::Record(record)) => record.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        Some(_) => return Err("options is no record".into()),
        None => Vec::new(),
    };
    let room = case.call.room.as_deref().map(|room| match room {
        "dm" => Place::Dm,
        room => Place::room(room.split_once("://").map_or(room, |(_, room)| room)),
    });
    let service = case.call.room.as_deref().and_then(|room| Some(room.split_once("://")?.0));
    let via = case.call.via.as_deref().map(|via| Via::from_name(via).ok_or_else(|| format!("{via} is no way in")));
    let facts = Facts {
        args: &case.call.args,
        options: &options,
        room: room.as_ref(),
        service,
        via: via.transpose()?,
        ..Facts::of(&case.call.command)
    };
    let decision = match decide(&rulings, &|permission| case.permissions.iter().any(|held| held == permission), &facts)
    {
        Decision::Allow { .. } => "allow",
        Decision::Deny(_) => "deny",
        Decision::Park { .. } => "park",
    };
    let said: Record = [("id", case.id.clone()), ("decision", decision.into())].into_iter().collect();
    Ok(Value::from(said).to_json())
}

/// `pipit bundle check`.
pub(super) fn bundle(file: &Path) -> ExitCode {
    let manifest = if file.is_dir() { crate::bundle::manifest_of(file) } else { file.to_owned() };
    let file = manifest.as_path();
    match std::fs::read_to_string(file) {
        Ok(text) => match crate::bundle::check(&text) {
            Ok(checked) => {
                for warning in &checked.warnings {
                    tell(&format_args!("warning: {warning}"));
                }
                ExitCode::SUCCESS
            }
            Err(faults) => {
                for fault in &faults {
                    tell(&format_args!("error: {fault}"));
                }
                ExitCode::from(2)
            }
        },
        Err(error) => fail(2, &format!("{}: {error}", file.display())),
    }
}
