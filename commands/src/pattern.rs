//! Regular expressions and where they are searched: a text, or the texts and numbers inside a value. They are
//! linear (no look-around, no back references) and limited in size. Deliberately absent: what a match is used for.

use ecow::EcoString;
use regex::{Regex, RegexBuilder};

use crate::error::shown;
use crate::value::float_text;
use crate::{Error, Value};

/// How large a compiled pattern may be, in bytes.
const LARGEST: usize = 1 << 20;

/// A pattern, blind to case if asked.
pub(crate) fn regex(text: &str, blind: bool) -> Result<Regex, Error> {
    RegexBuilder::new(text).case_insensitive(blind).size_limit(LARGEST).build().map_err(|error| {
        if matches!(error, regex::Error::CompiledTooBig(_)) {
            return Error::failed(format!("{} is too large a regular expression", shown(text)))
                .help("smaller counts in {…} make it smaller");
        }
        let why = error.to_string();
        // a syntax error comes as a drawing of several lines with the reason at the end
        let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").trim_end_matches('.');
        Error::failed(format!("{} is no regular expression: {why}", shown(text)))
    })
}

/// The pattern of `/re/`, or of `/re/i`; none for a text that is not written so.
pub(crate) fn between_slashes(text: &str) -> Option<(&str, bool)> {
    let (inside, blind) = match text.strip_suffix("/i") {
        Some(inside) => (inside, true),
        None => (text.strip_suffix('/')?, false),
    };
    inside.strip_prefix('/').filter(|inside| !inside.is_empty()).map(|inside| (inside, blind))
}

/// Whether a pattern is found in the text of a value, or in a text or number inside a list or record.
pub(crate) fn finds(pattern: &Regex, value: &Value) -> bool {
    match value {
        Value::Text(text) => pattern.is_match(text),
        Value::Int(number) => pattern.is_match(itoa::Buffer::new().format(*number)),
        Value::Float(number) => float_text(*number, |text| pattern.is_match(text)),
        Value::Null | Value::Bool(_) => pattern.is_match(&value.to_text()),
        Value::List(items) => items.iter().any(|item| inside(pattern, item)),
        Value::Record(record) => record.iter().any(|(_, value)| inside(pattern, value)),
    }
}

fn inside(pattern: &Regex, value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(_)) && finds(pattern, value)
}

/// Every match in the places where [`finds`] looks, in order; empty ones are passed over.
pub(crate) fn matches(pattern: &Regex, value: &Value, found: &mut Vec<Value>) {
    let mut search = |text: &str| {
        let all = pattern.find_iter(text).filter(|found| !found.is_empty());
        found.extend(all.map(|found| Value::text(EcoString::from(found.as_str()))));
    };
    match value {
        Value::Text(text) => search(text),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => search(&value.to_text()),
        Value::List(items) => items.iter().for_each(|item| matches_inside(pattern, item, found)),
        Value::Record(record) => record.iter().for_each(|(_, value)| matches_inside(pattern, value, found)),
    }
}

fn matches_inside(pattern: &Regex, value: &Value, found: &mut Vec<Value>) {
    if !matches!(value, Value::Null | Value::Bool(_)) {
        matches(pattern, value, found);
    }
}
