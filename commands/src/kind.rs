//! What a parameter takes: the types of arguments and how a word becomes one.

use ecow::EcoString;
use regex::Regex;

use crate::args::{Arg, Given, How};
use crate::{Error, Value};

/// The type of a parameter or of an option's value.
#[derive(Clone, Debug, Default)]
pub enum Kind {
    /// The text of the word.
    #[default]
    Text,
    /// A text that proves something to whoever knows it, such as a code: nobody is asked for it where others read along.
    Secret,
    /// A value: a bare word by its spelling (`5`, `true`), a quoted one as text.
    Value,
    /// The word itself, in pieces, for commands with a small language of their own (`where cpu>80`, `list a, b`).
    Word,
    /// A whole number between two bounds, both included.
    Int(i64, i64),
    /// Any number.
    Float,
    /// `true` or `false`.
    Bool,
    /// Any JSON.
    Json,
    /// One of these texts.
    OneOf(Vec<EcoString>),
    /// A text that a pattern finds something in.
    Matching(Regex),
    /// A time span: `2`, `2s`, `500ms`, `5m`, `1h`; becomes a number of seconds.
    Time,
    /// A text that a function accepts or says why not.
    Check(fn(&str) -> Result<(), String>),
}

impl Kind {
    /// Any whole number.
    pub const INT: Kind = Kind::Int(i64::MIN, i64::MAX);
    /// A count: not below 0.
    pub const COUNT: Kind = Kind::Int(0, i64::MAX);

    /// The argument that a word makes; the error says what was wanted.
    pub fn cast(&self, given: Given) -> Result<Arg, Error> {
        let done = |value| Ok(Arg { value, given: None, labels: given.labels.clone() });
        match self {
            Self::Text | Self::Secret => done(Value::Text(given.text())),
            Self::Value => done(given.value()),
            Self::Word => Ok(Arg { value: given.value(), labels: given.labels.clone(), given: Some(given) }),
            Self::Int(least, most) => done(int(&given, *least, *most)?),
            Self::Float => match as_number(&given) {
                Some(number) => done(number),
                None => Err(wanted(&given, "is no number")),
            },
            Self::Bool => match given.text().as_str() {
                "true" => done(Value::Bool(true)),
                "false" => done(Value::Bool(false)),
                _ => Err(wanted(&given, "is neither true nor false")),
            },
            Self::Json => match given.pieces.as_slice() {
                [(value @ (Value::List(_) | Value::Record(_)), How::Computed)] => done(value.clone()),
                _ => match Value::from_json(&given.text()) {
                    Ok(value) => done(value),
                    Err(error) => Err(wanted(&given, &format!("is no JSON: {error}"))),
                },
            },
            Self::OneOf(choices) => {
                let text = given.text();
                if choices.contains(&text) {
                    return done(Value::Text(text));
                }
                Err(wanted(&given, "is not one of the choices").help(format!("choose one of {}", choices.join(", "))))
            }
            Self::Matching(pattern) => {
                let text = given.text();
                if pattern.is_match(&text) {
                    return done(Value::Text(text));
                }
                Err(wanted(&given, &format!("does not match /{pattern}/")))
            }
            Self::Time => match seconds(&given.text()) {
                Some(seconds) => done(Value::Float(seconds)),
                None => {
                    Err(wanted(&given, "is no time").help("write 2s, 500ms, 5m, 1h or 1d; a bare number is seconds"))
                }
            },
            Self::Check(accepts) => {
                let text = given.text();
                match accepts(&text) {
                    Ok(()) => done(Value::Text(text)),
                    Err(why) => Err(Error::refused(why)),
                }
            }
        }
    }
}

/// An error about a word, shortened where it is long.
fn wanted(given: &Given, what: &str) -> Error {
    const SHOWN: usize = 40;
    let text = given.text();
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    Error::refused(format!("{shown:?} {what}"))
}

fn as_number(given: &Given) -> Option<Value> {
    match given.pieces.as_slice() {
        [(value @ (Value::Int(_) | Value::Float(_)), _)] => Some(value.clone()),
        [(Value::Null | Value::Bool(_) | Value::List(_) | Value::Record(_), _)] => None,
        _ => Value::number_of(&given.text()),
    }
}

fn int(given: &Given, least: i64, most: i64) -> Result<Value, Error> {
    match as_number(given) {
        Some(Value::Int(number)) if (least..=most).contains(&number) => Ok(Value::Int(number)),
        Some(Value::Int(number)) if number < least => {
            let error = wanted(given, &format!("is below {least}"));
            let meant = number.checked_neg().filter(|count| least >= 0 && (least..=most).contains(count));
            Err(match meant {
                Some(count) => error.help(format!("a count has no dash: {count}")),
                None => error,
            })
        }
        Some(Value::Int(_)) => Err(wanted(given, &format!("is above {most}"))),
        _ => Err(wanted(given, "is no whole number")),
    }
}

/// The seconds of `2`, `2s`, `500ms`, `5m`, `1h`, `1d`, at most a year.
#[must_use]
pub fn seconds(text: &str) -> Option<f64> {
    const YEAR: f64 = 366.0 * 86_400.0;
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "" | "s" => 1.0,
        "ms" => 0.001,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return None,
    };
    match Value::number_of(number)? {
        #[expect(clippy::cast_precision_loss, reason = "a time beyond the bound is refused anyway")]
        Value::Int(whole) => Some(whole as f64 * unit),
        Value::Float(part) => Some(part * unit),
        _ => None,
    }
    .filter(|seconds| (0.0..=YEAR).contains(seconds))
}
