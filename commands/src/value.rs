//! The one data type, from chat to disk: null, booleans, numbers, texts, lists and records. Cheap to clone.
//!
//! Deliberately absent: references, dates, bytes. What a program writes is JSON, and JSON is what is here.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;

use ecow::{EcoString, EcoVec};
use pipit_grammar::ast::{Path, Step};

mod json;
mod wire;

pub(crate) use json::{float_text, write_text};

/// How deep lists and records may be nested.
pub const DEPTH: usize = 64;

/// A value.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// Nothing, said aloud.
    #[default]
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number, exact.
    Int(i64),
    /// Any other number; never infinite, never not-a-number.
    Float(f64),
    /// A text.
    Text(EcoString),
    /// Values in order.
    List(EcoVec<Value>),
    /// Fields in order, each name once.
    Record(Record),
}

/// Fields in order, each name once.
#[derive(Clone, Debug, Default)]
pub struct Record(EcoVec<(EcoString, Value)>);

impl Record {
    /// A record without fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of a field.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Puts a field in place, or at the end when it is new.
    pub fn put(&mut self, key: impl Into<EcoString>, value: impl Into<Value>) {
        let key = key.into();
        match self.0.iter().position(|(name, _)| *name == key) {
            Some(at) => {
                if let Some(field) = self.0.make_mut().get_mut(at) {
                    field.1 = value.into();
                }
            }
            None => self.0.push((key, value.into())),
        }
    }

    /// Takes a field away.
    pub fn remove(&mut self, key: &str) {
        self.0.retain(|(name, _)| name != key);
    }

    /// The fields in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&EcoString, &Value)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// How many fields there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Into<EcoString>, V: Into<Value>> FromIterator<(K, V)> for Record {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(fields: I) -> Self {
        let fields = fields.into_iter();
        let most = fields.size_hint().1.unwrap_or_default();
        let mut all = Fields { record: Self(EcoVec::with_capacity(most.min(Fields::FEW))), ..Fields::default() };
        for (key, value) in fields {
            all.put(key, value);
        }
        all.record
    }
}

/// A record that is being made of many fields. Where each stands is known, for looking at all of them for each new one
/// takes minutes when there are some hundred thousand, and nothing stops a line meanwhile.
#[derive(Default)]
pub(crate) struct Fields {
    pub(crate) record: Record,
    places: HashMap<EcoString, usize>,
}

impl Fields {
    /// So few are found faster by looking.
    const FEW: usize = 32;

    /// As [`Record::put`]; false when the field was there already.
    pub(crate) fn put(&mut self, key: impl Into<EcoString>, value: impl Into<Value>) -> bool {
        let (key, count) = (key.into(), self.record.len());
        if count < Self::FEW {
            self.record.put(key, value);
            return self.record.len() > count;
        }
        if self.places.is_empty() {
            self.places = self.record.iter().enumerate().map(|(at, (name, _))| (name.clone(), at)).collect();
        }
        if let Some(at) = self.places.get(&key) {
            if let Some(field) = self.record.0.make_mut().get_mut(*at) {
                field.1 = value.into();
            }
            return false;
        }
        self.places.insert(key.clone(), count);
        self.record.0.push((key, value.into()));
        true
    }
}

impl Value {
    /// A text.
    pub fn text(text: impl Into<EcoString>) -> Self {
        Self::Text(text.into())
    }

    /// What a bare word means where a command makes values of its words: a number as JSON spells it, `true`, `false`,
    /// `null`; else the text.
    #[must_use]
    pub fn of_bare(word: &str) -> Self {
        match word {
            "true" => Self::Bool(true),
            "false" => Self::Bool(false),
            "null" => Self::Null,
            _ => number(word).unwrap_or_else(|| Self::Text(word.into())),
        }
    }

    /// The number that a text spells as JSON does, or none.
    #[must_use]
    pub fn number_of(text: &str) -> Option<Self> {
        number(text)
    }

    /// The text of the value, wherever values become text: texts themselves, the rest as compact JSON.
    #[must_use]
    pub fn to_text(&self) -> EcoString {
        match self {
            Self::Text(text) => text.clone(),
            Self::Null => "null".into(),
            Self::Bool(true) => "true".into(),
            Self::Bool(false) => "false".into(),
            Self::Int(_) | Self::Float(_) | Self::List(_) | Self::Record(_) => self.to_json().into(),
        }
    }

    /// Reads one JSON value: keys once, at most [`DEPTH`] deep, numbers in range, whole ones exact.
    pub fn from_json(json: &str) -> Result<Self, serde_json::Error> {
        wire::read(json)
    }

    /// Whether lists and records in it are nested this deep at most.
    #[must_use]
    pub fn fits(&self, depth: usize) -> bool {
        let inside = depth.checked_sub(1);
        match self {
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Float(_) | Self::Text(_) => true,
            Self::List(items) => inside.is_some_and(|inside| items.iter().all(|item| item.fits(inside))),
            Self::Record(record) => inside.is_some_and(|inside| record.iter().all(|(_, value)| value.fits(inside))),
        }
    }

    /// The kind of the value, as an error names it: `a number`, `a record`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Record(_) => "a record",
        }
    }

    /// What a path leads to; none where nothing is.
    #[must_use]
    pub fn at(&self, path: &Path) -> Option<&Value> {
        let first = match &path.field {
            Some(field) => self.field(field)?,
            None => self,
        };
        path.steps.iter().try_fold(first, |value, step| match step {
            Step::Key(key) => value.field(key),
            Step::Index(index) => value.item(*index),
        })
    }

    /// The field of a record.
    #[must_use]
    pub fn field(&self, key: &str) -> Option<&Value> {
        match self {
            Self::Record(record) => record.get(key),
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Float(_) | Self::Text(_) | Self::List(_) => None,
        }
    }

    /// The item of a list; a negative index counts from the end.
    #[must_use]
    pub fn item(&self, index: i64) -> Option<&Value> {
        let Self::List(items) = self else { return None };
        let at = if index < 0 { i64::try_from(items.len()).ok()?.checked_add(index)? } else { index };
        items.get(usize::try_from(at).ok()?)
    }

    /// The order of `sort`: booleans, numbers, texts by code point, lists, records (sorted keys, then values), null last.
    #[must_use]
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(b).unwrap_or(Ordering::Equal),
            (Self::Int(a), Self::Float(b)) => int_float(*a, *b),
            (Self::Float(a), Self::Int(b)) => int_float(*b, *a).reverse(),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::List(a), Self::List(b)) => {
                for (a, b) in a.iter().zip(b) {
                    let order = a.order(b);
                    if order != Ordering::Equal {
                        return order;
                    }
                }
                a.len().cmp(&b.len())
            }
            (Self::Record(a), Self::Record(b)) => order_records(a, b),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Bool(_) => 0,
            Self::Int(_) | Self::Float(_) => 1,
            Self::Text(_) => 2,
            Self::List(_) => 3,
            Self::Record(_) => 4,
            Self::Null => 5,
        }
    }
}

fn order_records(a: &Record, b: &Record) -> Ordering {
    let sorted = |record: &Record| {
        let mut fields: Vec<(EcoString, Value)> = record.0.iter().cloned().collect();
        fields.sort_by(|x, y| x.0.cmp(&y.0));
        fields
    };
    let (a, b) = (sorted(a), sorted(b));
    let keys = a.iter().map(|field| &field.0).cmp(b.iter().map(|field| &field.0));
    keys.then_with(|| {
        for (x, y) in a.iter().zip(&b) {
            let order = x.1.order(&y.1);
            if order != Ordering::Equal {
                return order;
            }
        }
        Ordering::Equal
    })
}

/// Exact, where a conversion to float would round.
#[expect(clippy::cast_possible_truncation, reason = "guarded by the range that is exact")]
fn int_float(a: i64, b: f64) -> Ordering {
    const EXACT: f64 = 9_223_372_036_854_775_808.0;
    if b >= EXACT {
        return Ordering::Less;
    }
    if b < -EXACT {
        return Ordering::Greater;
    }
    let whole = b.trunc();
    a.cmp(&(whole as i64)).then_with(|| {
        if b > whole {
            Ordering::Less
        } else if b < whole {
            Ordering::Greater
        } else {
            Ordering::Equal
        }
    })
}

/// Equal by meaning: `1` and `1.0` are one number, and the order of a record's fields does not count.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a == b,
            (Self::Int(a), Self::Float(b)) | (Self::Float(b), Self::Int(a)) => int_float(*a, *b) == Ordering::Equal,
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Record(a), Self::Record(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Value {}

impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        if self.len() == other.len() && self.len() > Fields::FEW {
            let theirs: HashMap<&EcoString, &Value> = other.iter().collect();
            return self.iter().all(|(key, value)| theirs.get(key) == Some(&value));
        }
        self.len() == other.len() && self.iter().all(|(key, value)| other.get(key) == Some(value))
    }
}

/// As JSON spells numbers; without point or exponent exact in 64 bits, else none.
fn number(text: &str) -> Option<Value> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let bytes = digits.as_bytes();
    if !bytes.first()?.is_ascii_digit() || (bytes.len() > 1 && bytes[0] == b'0' && bytes[1].is_ascii_digit()) {
        return None;
    }
    if bytes.iter().all(u8::is_ascii_digit) {
        return text.parse().ok().map(Value::Int);
    }
    match serde_json::from_str::<f64>(text) {
        Ok(number) if number.is_finite() => Some(Value::Float(number)),
        _ => None,
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

/// An infinite number or none at all is null, as JSON has neither.
impl From<f64> for Value {
    fn from(value: f64) -> Self {
        if value.is_finite() { Self::Float(value) } else { Self::Null }
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.into())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value.into())
    }
}

impl From<EcoString> for Value {
    fn from(value: EcoString) -> Self {
        Self::Text(value)
    }
}

impl From<Record> for Value {
    fn from(value: Record) -> Self {
        Self::Record(value)
    }
}

impl<V: Into<Value>> From<Option<V>> for Value {
    fn from(value: Option<V>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<V: Into<Value>> From<Vec<V>> for Value {
    fn from(value: Vec<V>) -> Self {
        Self::List(value.into_iter().map(Into::into).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{Fields, Record, Value};

    #[test]
    fn many_fields_are_made_as_few_are() {
        let field = |n: i64| (format!("k{}", n % 500), Value::Int(n));
        let made: Record = (0..1000).map(field).collect();
        let mut put = Record::new();
        for (key, value) in (0..1000).map(field) {
            put.put(key, value);
        }
        assert_eq!(made, put);
        assert!(made.iter().eq(put.iter()), "in the same order");
        assert_eq!(made.get("k7"), Some(&Value::Int(507)));
        let mut fields = Fields::default();
        let fresh: Vec<bool> = (0..1000).map(field).map(|(key, value)| fields.put(key, value)).collect();
        assert_eq!(fresh.iter().filter(|fresh| **fresh).count(), 500);
        let other: Record = (0..500).map(field).collect();
        assert_ne!(made, other);
    }
}
