//! Fields that a line names and no value has: most often a slip of the pen, which would otherwise look like an answer.
//!
//! Records need not be alike, so this is only ever a remark, when all have come and none had the field. Deliberately
//! absent: fields whose being there is what is asked (`where cpu`), and those that are to be made.

use std::sync::Arc;

use ecow::EcoString;

use crate::condition::Condition;
use crate::key::{At, Key};
use crate::stream::Stream;
use crate::{Call, Level, Note, Value};

/// How many fields a remark names.
const NAMED: usize = 12;

/// The input of a call, with a remark at its end about the fields that were named in vain.
pub(crate) fn watched(call: &Call, input: Stream) -> Stream {
    let mut missed = named(call);
    if missed.is_empty() {
        return input;
    }
    let (host, command) = (Arc::clone(call.host()), call.command().clone());
    let mut there: Option<Vec<EcoString>> = None;
    input.watch(move |batch| {
        let Some(batch) = batch else {
            if let (Some(there), false) = (&there, missed.is_empty()) {
                host.note(&command, Note::Log { level: Level::Warn, text: remark(&missed, there).into() });
            }
            return;
        };
        for value in batch {
            if missed.is_empty() {
                return;
            }
            let Value::Record(record) = value else { continue };
            missed.retain(|at| at.of_value(value).is_none());
            if there.is_none() {
                there = Some(record.iter().map(|(name, _)| name.clone()).take(NAMED + 1).collect());
            }
        }
    })
}

/// The places in values that the words of a call name.
fn named(call: &Call) -> Vec<At> {
    let usage = &call.command().spec().usage;
    let mut places = Vec::new();
    for param in &usage.params {
        match param.name.as_str() {
            "KEY" => places.extend(keys(call, "KEY")),
            // with a value beside it the field is made
            "FIELD" if usage.params.len() == 1 => places.extend(keys(call, "FIELD")),
            "CONDITION" => {
                places.extend(Condition::read(call.all("CONDITION")).map(Condition::places).unwrap_or_default());
            }
            _ => {}
        }
    }
    places.extend(
        ["field", "label"]
            .into_iter()
            .filter(|name| usage.options.iter().any(|o| o.key() == *name))
            .flat_map(|name| keys(call, name)),
    );
    // `_` is the value itself, and always there
    places.retain(|at| match at {
        At::Field(_) => true,
        At::Path(path) => path.field.is_some(),
    });
    places.dedup_by_key(|at| at.name());
    places
}

fn keys(call: &Call, name: &str) -> Vec<At> {
    Key::read_all(call.all(name)).unwrap_or_default().into_iter().map(Key::place).collect()
}

fn remark(missed: &[At], there: &[EcoString]) -> String {
    let names: Vec<String> = missed.iter().map(|at| at.name().into()).collect();
    let more = if there.len() > NAMED { ", …" } else { "" };
    let there = there.iter().take(NAMED).map(EcoString::as_str).collect::<Vec<_>>().join(", ");
    format!("no record has {} (there are {there}{more})", names.join(" or "))
}
