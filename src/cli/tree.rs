//! The tree of a line as a value, for `pipit parse --json`.

use pipit_commands::{Record, Value};
use pipit_grammar::ast::{Item, Joint, Line, Parameter, Part, Pipeline, Stage, Word};

fn record<const N: usize>(fields: [(&str, Value); N]) -> Value {
    fields.into_iter().collect::<Record>().into()
}

/// A line.
pub(super) fn line(line: &Line) -> Value {
    let rest = line.rest.iter().map(|(joint, next)| {
        let joint = match joint {
            Joint::And => "and",
            Joint::Or => "or",
        };
        record([("joint", joint.into()), ("pipeline", pipeline(next))])
    });
    record([("first", pipeline(&line.first)), ("rest", Value::List(rest.collect()))])
}

fn pipeline(pipeline: &Pipeline) -> Value {
    let redirect = pipeline.redirect.as_ref().map(ToString::to_string);
    record([("stages", Value::List(pipeline.stages.iter().map(stage).collect())), ("redirect", redirect.into())])
}

fn stage(stage: &Stage) -> Value {
    let items = stage.items.iter().map(|item| match item {
        Item::Word(word) => record([("word", parts(word))]),
        Item::Block(block) => record([("block", line(&block.line))]),
    });
    record([
        ("name", stage.name.text.clone().into()),
        ("at", Value::Int(i64::from(stage.span.start))),
        ("items", Value::List(items.collect())),
    ])
}

fn parts(word: &Word) -> Value {
    let part = |part: &Part| match part {
        Part::Text { text, quoted } => record([("text", text.clone().into()), ("quoted", (*quoted).into())]),
        Part::Reference { path, quoted } => {
            record([("reference", path.to_string().into()), ("quoted", (*quoted).into())])
        }
        Part::Percent { quoted } => record([("reference", "%s".into()), ("quoted", (*quoted).into())]),
        Part::Substitution { line: inner, quoted, .. } => {
            record([("substitution", line(inner)), ("quoted", (*quoted).into())])
        }
        Part::Parameter { which, quoted } => {
            let which = match which {
                Parameter::Nth(n) => format!("${n}"),
                Parameter::All => "$*".to_owned(),
            };
            record([("parameter", which.into()), ("quoted", (*quoted).into())])
        }
    };
    Value::List(word.parts.iter().map(part).collect())
}
