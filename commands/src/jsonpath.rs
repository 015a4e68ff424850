//! Paths of RFC 9535 (`$..name`) over values. Deliberately absent: dotted paths, which lead to one place and are read by
//! [`crate::key`].

use ecow::EcoString;
use jsonpath_rust::parser::model::{JpQuery, Segment, Selector};
use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::js_path_process;
use jsonpath_rust::query::queryable::Queryable;
use pipit_grammar::ast::{Path, Step};

use crate::error::shown;
use crate::key::At;
use crate::{Error, Record, Value};

/// The longest path, in bytes.
const LONGEST: usize = 1024;
/// How deep brackets and parentheses of a path may be nested.
const DEPTH: usize = 16;
/// How many times over a path may lead to one place, as far as its text tells.
const SPREAD: usize = 1 << 14;

/// A query that is ready.
pub(crate) enum Query {
    /// Names and indexes only: one place.
    One(At),
    /// Anything else.
    Many(JpQuery),
}

impl Query {
    /// Reads a path that begins with `$`.
    pub(crate) fn read(text: &str) -> Result<Self, Error> {
        bounded(text)?;
        let query = parse_json_path(text).map_err(|error| {
            let why = error.to_string();
            // a syntax error comes as a drawing of several lines with the reason at the end
            let why = why.lines().last().unwrap_or_default().trim_start_matches([' ', '=']);
            Error::failed(format!("{} is no JSONPath: {why}", shown(text)))
        })?;
        let steps: Option<_> = query.segments.iter().map(step).collect();
        Ok(match steps {
            Some(steps) => Self::One(At::of(Path { field: None, steps })),
            None => Self::Many(query),
        })
    }

    /// Every value that it leads to, in order.
    pub(crate) fn find(&self, value: &Value, out: &mut Vec<Value>) -> Result<(), Error> {
        match self {
            Self::One(at) => out.extend(at.of_value(value).cloned()),
            Self::Many(query) => {
                let root = Node::of(value);
                let found = js_path_process(query, &root)
                    .map_err(|error| Error::failed(format!("the path cannot be followed: {error}")))?;
                out.extend(found.into_iter().map(|found| found.val.value.clone()));
            }
        }
        Ok(())
    }
}

/// Refuses what would take the reader or the search beyond bounds: each `..` and each choice in brackets multiplies
/// the ways to a place.
fn bounded(text: &str) -> Result<(), Error> {
    const DESCENT: usize = 16;
    let refuse = |why: &str| Err(Error::failed(format!("the JSONPath is {why}")).help("take it in several steps"));
    if text.len() > LONGEST {
        return refuse(&format!("longer than {LONGEST} bytes"));
    }
    let (mut depth, mut spread, mut quote, mut escaped, mut before) = (0_usize, 1_usize, None, false, ' ');
    let mut choices: Vec<usize> = Vec::new();
    for letter in text.chars() {
        if let Some(open) = quote {
            if !escaped && letter == open {
                quote = None;
            }
            escaped = !escaped && letter == '\\';
            continue;
        }
        match letter {
            '\'' | '"' => quote = Some(letter),
            '[' | '(' => {
                depth += 1;
                choices.push(1);
            }
            ']' | ')' => {
                depth = depth.saturating_sub(1);
                spread = spread.saturating_mul(choices.pop().unwrap_or(1));
            }
            ',' => {
                if let Some(choice) = choices.last_mut() {
                    *choice += 1;
                }
            }
            '.' if before == '.' => spread = spread.saturating_mul(DESCENT),
            _ => {}
        }
        before = letter;
        if depth > DEPTH {
            return refuse(&format!("nested deeper than {DEPTH}"));
        }
    }
    if spread > SPREAD { refuse("too far-reaching: it has too many '..' or choices") } else { Ok(()) }
}

fn step(segment: &Segment) -> Option<Step> {
    match segment {
        Segment::Selector(Selector::Name(name)) => Some(Step::Key(name.as_str().into())),
        Segment::Selector(Selector::Index(index)) => Some(Step::Index(*index)),
        Segment::Selector(Selector::Wildcard | Selector::Slice(..) | Selector::Filter(_))
        | Segment::Descendant(_)
        | Segment::Selectors(_) => None,
    }
}

/// A value as the search wants to see it: with its items, or its fields' values in order, in a vector.
#[derive(Clone, Debug, Default, PartialEq)]
struct Node {
    value: Value,
    inside: Vec<Node>,
}

impl Node {
    fn of(value: &Value) -> Self {
        let inside = match value {
            Value::List(items) => items.iter().map(Self::of).collect(),
            Value::Record(record) => record.iter().map(|(_, value)| Self::of(value)).collect(),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_) => Vec::new(),
        };
        Self { value: value.clone(), inside }
    }

    fn names(&self) -> impl Iterator<Item = &EcoString> {
        let record = match &self.value {
            Value::Record(record) => Some(record),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_) | Value::List(_) => None,
        };
        record.into_iter().flat_map(Record::iter).map(|(name, _)| name)
    }
}

impl From<Value> for Node {
    fn from(value: Value) -> Self {
        Self { value, inside: Vec::new() }
    }
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Value::from(text).into()
    }
}

impl From<String> for Node {
    fn from(text: String) -> Self {
        Value::from(text).into()
    }
}

impl From<bool> for Node {
    fn from(value: bool) -> Self {
        Value::from(value).into()
    }
}

impl From<i64> for Node {
    fn from(value: i64) -> Self {
        Value::from(value).into()
    }
}

impl From<f64> for Node {
    fn from(value: f64) -> Self {
        Value::from(value).into()
    }
}

impl From<Vec<Node>> for Node {
    fn from(inside: Vec<Node>) -> Self {
        Self { value: Value::List(inside.iter().map(|node| node.value.clone()).collect()), inside }
    }
}

impl Queryable for Node {
    fn get(&self, key: &str) -> Option<&Self> {
        let at = self.names().position(|name| name == key)?;
        self.inside.get(at)
    }

    fn as_array(&self) -> Option<&Vec<Self>> {
        matches!(self.value, Value::List(_)).then_some(&self.inside)
    }

    fn as_object(&self) -> Option<Vec<(&str, &Self)>> {
        let fields = || self.names().map(EcoString::as_str).zip(&self.inside).collect();
        matches!(self.value, Value::Record(_)).then(fields)
    }

    fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::List(_) | Value::Record(_) => None,
        }
    }

    fn as_i64(&self) -> Option<i64> {
        match self.value {
            Value::Int(number) => Some(number),
            Value::Float(number) => crate::key::whole(number),
            Value::Null | Value::Bool(_) | Value::Text(_) | Value::List(_) | Value::Record(_) => None,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "what is asked for is the nearest float")]
    fn as_f64(&self) -> Option<f64> {
        match self.value {
            Value::Int(number) => Some(number as f64),
            Value::Float(number) => Some(number),
            Value::Null | Value::Bool(_) | Value::Text(_) | Value::List(_) | Value::Record(_) => None,
        }
    }

    fn as_bool(&self) -> Option<bool> {
        match self.value {
            Value::Bool(value) => Some(value),
            Value::Null | Value::Int(_) | Value::Float(_) | Value::Text(_) | Value::List(_) | Value::Record(_) => None,
        }
    }

    fn null() -> Self {
        Self::default()
    }
}
