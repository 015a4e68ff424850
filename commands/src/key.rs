//! Where a command looks inside a value (`KEY`, `PATH`), and a value as the key of a set. Deliberately absent:
//! the paths of RFC 9535, which may lead to many places and belongs to `get`.

use std::hash::{Hash, Hasher};

use ecow::EcoString;
use pipit_grammar::ast::{Path, Step};
use pipit_grammar::parse_path;

use crate::args::Arg;
use crate::error::shown;
use crate::{Error, Value};

/// A dotted path, with the text it was typed as.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    /// As typed; the name of the column or field it makes.
    pub(crate) name: EcoString,
    at: At,
}

/// One field is by far the most common path.
#[derive(Clone, Debug)]
pub(crate) enum At {
    Field(EcoString),
    Path(Path),
}

impl Key {
    /// Reads a dotted path: `a.b[0]['x.y']`.
    pub(crate) fn read(text: &str) -> Result<Self, Error> {
        let path = parse_path(text).map_err(|error| {
            let failed = Error::failed(format!("{} is no path: {}", shown(text), error.message));
            failed.help("write field, a.b, a[0] or a['any key']")
        })?;
        Ok(Self { name: text.into(), at: At::of(path) })
    }

    /// The paths of a parameter that takes several.
    pub(crate) fn read_all(args: &[Arg]) -> Result<Vec<Self>, Error> {
        args.iter().map(|arg| Self::read(&arg.value.to_text())).collect()
    }

    /// What is there.
    pub(crate) fn of<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        self.at.of_value(value)
    }

    /// Where it leads.
    pub(crate) fn place(self) -> At {
        self.at
    }
}

impl At {
    /// The cheapest way to the same place.
    pub(crate) fn of(path: Path) -> Self {
        match path {
            Path { field: Some(field), steps } if steps.is_empty() => Self::Field(field),
            Path { field: None, steps } => match steps.as_slice() {
                [Step::Key(key)] => Self::Field(key.clone()),
                _ => Self::Path(Path { field: None, steps }),
            },
            path @ Path { .. } => Self::Path(path),
        }
    }

    /// The path as it is written.
    pub(crate) fn name(&self) -> EcoString {
        match self {
            Self::Field(field) => field.clone(),
            Self::Path(path) => ecow::eco_format!("{path}"),
        }
    }

    /// What is there.
    pub(crate) fn of_value<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        match self {
            Self::Field(field) => value.field(field),
            Self::Path(path) => value.at(path),
        }
    }
}

/// A value as the key of a set: equal and hashed by meaning, so that `1` and `1.0` are one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ByMeaning(pub(crate) Value);

impl Hash for ByMeaning {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash(&self.0, state);
    }
}

/// The same of a value that stays where it is.
pub(crate) struct Meaning<'a>(pub(crate) &'a Value);

impl Hash for Meaning<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash(self.0, state);
    }
}

fn hash<H: Hasher>(value: &Value, state: &mut H) {
    match value {
        Value::Null => state.write_u8(0),
        Value::Bool(value) => (1_u8, value).hash(state),
        Value::Int(number) => (2_u8, number).hash(state),
        Value::Float(number) => match whole(*number) {
            Some(whole) => (2_u8, whole).hash(state),
            None => (3_u8, number.to_bits()).hash(state),
        },
        Value::Text(text) => (4_u8, text.as_str()).hash(state),
        Value::List(items) => {
            (5_u8, items.len()).hash(state);
            for item in items {
                hash(item, state);
            }
        }
        Value::Record(record) => {
            // the order of fields does not count, so the fields are hashed in the order of their names
            let mut fields: Vec<_> = record.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            (6_u8, fields.len()).hash(state);
            for (name, value) in fields {
                name.as_str().hash(state);
                hash(value, state);
            }
        }
    }
}

/// The whole number that a float is, if it is one in 64 bits.
#[expect(clippy::cast_possible_truncation, reason = "guarded by the range that is exact")]
pub(crate) fn whole(number: f64) -> Option<i64> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    (number.fract() == 0.0 && (-LIMIT..LIMIT).contains(&number)).then_some(number as i64)
}
