//! The fields of the values that come into a stage, where the stages before tell them.

use pipit_commands::{Command, Record, Value};
use pipit_grammar::ast::{self, Item, Part};
use pipit_grammar::cursor::{Around, Within};

use super::{Asker, Choice, catches};
use crate::engine::names::Found;
use crate::engine::world::{kind, own};

/// Built-ins that give the values as they came in, or some of them.
const PASSES: &[&str] = &[
    "list:grep",
    "list:where",
    "list:filter",
    "list:unique",
    "list:head",
    "list:tail",
    "list:skip",
    "list:rest",
    "list:droplast",
    "list:nth",
    "list:sample",
    "list:sort",
    "list:sortnum",
    "list:reverse",
    "list:shuffle",
    "list:min",
    "list:max",
    "value:random",
    "value:or",
    "record:merge",
    "kept:tee",
    "control:sleep",
    "control:abort-when",
];

/// How many values are looked at for their fields.
const LOOKED_AT: usize = 100;

impl Asker<'_> {
    /// The fields of what comes into the stage that is being typed; none when nothing comes, or nothing is known of it.
    pub(super) fn incoming(&self, around: &[Around<'_>]) -> Option<Vec<Choice>> {
        let (line, outer) = around.split_last()?;
        if !line.before.is_empty() {
            return self.after(&line.before, outer, line.within);
        }
        match line.within {
            Within::Line => None,
            Within::Block if outer.last().is_some_and(|around| catches(around.stage, line.within)) => {
                Some(vec![field("message", "why it failed")])
            }
            Within::Block | Within::Substitution => self.incoming(outer),
        }
    }

    /// The fields of what these stages give.
    fn after(&self, stages: &[&str], outer: &[Around<'_>], within: Within) -> Option<Vec<Choice>> {
        let (last, before) = stages.split_last()?;
        let came = || match (before, within) {
            ([], Within::Block) => self.incoming(outer),
            ([], Within::Line | Within::Substitution) => None,
            _ => self.after(before, outer, within),
        };
        let line = pipit_grammar::parse(last).ok()?;
        let stage = line.first.stages.first()?;
        let Ok(Found::Command(command, taken)) = self.names.find(stage) else { return None };
        if !(self.names.may)(&command) {
            return None;
        }
        let words: Vec<String> = stage.items[taken..].iter().filter_map(literal).collect();
        match command.exact().as_str() {
            exact if PASSES.contains(&exact) => came(),
            "value:seed" => Some(of_values(&[Value::from_json(words.first()?).ok()?])),
            "kept:cat" => self.kept(words.first()?, flagged(&stage.items, "--room")),
            "record:select" => Some(words.iter().map(|word| field(before_equals(word), "")).collect()),
            "record:put" => {
                let mut fields = came().unwrap_or_default();
                let name = words.first()?;
                if fields.iter().all(|field| field.text != *name) {
                    fields.push(field(name, ""));
                }
                Some(fields)
            }
            "record:drop" => Some(came()?.into_iter().filter(|field| !words.contains(&field.text)).collect()),
            "record:rename" => {
                let renamed = came()?.into_iter().map(|field| {
                    let new = words.iter().find_map(|word| word.strip_prefix(&field.text)?.strip_prefix('='));
                    Choice { text: new.map_or(field.text.clone(), ToOwned::to_owned), ..field }
                });
                Some(renamed.collect())
            }
            "list:group" => {
                let keys = words.iter().map(|key| field(key, ""));
                Some(keys.chain([field("count", "number"), field("rows", "list")]).collect())
            }
            _ => self.declared(&command),
        }
    }

    /// The fields that a command says it gives.
    #[expect(clippy::unused_self, reason = "one of the ways to know the fields")]
    fn declared(&self, command: &Command) -> Option<Vec<Choice>> {
        let fields = &command.spec().fields;
        (!fields.is_empty()).then(|| fields.iter().map(|name| field(name, "")).collect())
    }

    /// The fields of a stream that the caller keeps, or the room.
    fn kept(&self, name: &str, shared: bool) -> Option<Vec<Choice>> {
        let found = self.engine.store().get(kind::KEPT, &own(&self.holder(shared)?, name)).ok()??;
        let Value::Record(kept) = Value::from_json(&found.body).ok()? else { return None };
        Some(of_values(&[kept.get("values")?.clone()]))
    }
}

/// Whether a flag is among the words.
fn flagged(items: &[Item], flag: &str) -> bool {
    items.iter().any(|item| match item {
        Item::Word(word) => word.bare() == Some(flag),
        Item::Block(_) => false,
    })
}

fn field(name: &str, about: &str) -> Choice {
    Choice::new("field", name, about)
}

fn before_equals(word: &str) -> &str {
    word.split_once('=').map_or(word, |(name, _)| name)
}

/// The text of a word in which nothing is computed and which is no option.
fn literal(item: &Item) -> Option<String> {
    let Item::Word(ast::Word { parts, .. }) = item else { return None };
    if matches!(parts.first(), Some(Part::Text { text, quoted: false }) if text.starts_with('-')) {
        return None;
    }
    let texts = parts.iter().map(|part| match part {
        Part::Text { text, .. } => Some(text.as_str()),
        Part::Reference { .. } | Part::Percent { .. } | Part::Substitution { .. } | Part::Parameter { .. } => None,
    });
    texts.collect()
}

/// The fields of records, and of those in lists. One that could not be written as it is is left out.
fn of_values(values: &[Value]) -> Vec<Choice> {
    let mut fields: Vec<Choice> = Vec::new();
    let mut add = |record: &Record| {
        for (name, value) in record.iter() {
            let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
            if plain && fields.iter().all(|field| field.text != name.as_str()) {
                fields.push(field(name, value.kind()));
            }
        }
    };
    for value in values {
        match value {
            Value::Record(record) => add(record),
            Value::List(items) => {
                for item in items.iter().take(LOOKED_AT) {
                    if let Value::Record(record) = item {
                        add(record);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_) => {}
        }
    }
    fields
}
