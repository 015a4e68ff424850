//! Values through serde: exact numbers, keys once, and no deeper than [`DEPTH`]. Deliberately absent: JSON's text, which is
//! written beside the value, without a detour.

use std::cell::Cell;
use std::fmt;

use ecow::{EcoString, EcoVec};
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{DEPTH, Record, Value};

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => to.serialize_unit(),
            Self::Bool(value) => to.serialize_bool(*value),
            Self::Int(value) => to.serialize_i64(*value),
            Self::Float(value) => to.serialize_f64(*value),
            Self::Text(value) => to.serialize_str(value),
            Self::List(items) => {
                let mut list = to.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Self::Record(record) => {
                let mut map = to.serialize_map(Some(record.len()))?;
                for (key, value) in record.iter() {
                    map.serialize_entry(key.as_str(), value)?;
                }
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Reader { depth: DEPTH, large: &Cell::new(false) }.deserialize(from)
    }
}

/// Reads the JSON text of one value.
pub(super) fn read(json: &str) -> Result<Value, serde_json::Error> {
    // a text is known to be UTF-8: read from bytes, every text in it would be checked again
    let mut from = serde_json::Deserializer::from_str(json);
    let large = Cell::new(false);
    let value = Reader { depth: DEPTH, large: &large }.deserialize(&mut from)?;
    from.end()?;
    match large.get().then(|| rounded(json)).flatten() {
        Some(number) => Err(serde_json::Error::custom(format_args!("{number} does not fit 64 bits"))),
        None => Ok(value),
    }
}

/// A whole number that 64 bits do not hold, in a text that is JSON: its reader makes the nearest float of it.
fn rounded(json: &str) -> Option<&str> {
    let bytes = json.as_bytes();
    let end = |from: usize, of: fn(u8) -> bool| {
        bytes.iter().skip(from).position(|byte| of(*byte)).map_or(bytes.len(), |length| from + length)
    };
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = end(at + 1, |byte| matches!(byte, b'"' | b'\\'));
                while bytes.get(at) == Some(&b'\\') {
                    at = end(at + 2, |byte| matches!(byte, b'"' | b'\\'));
                }
                at += 1;
            }
            b'-' | b'0'..=b'9' => {
                let after = end(at + 1, |byte| !matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
                let number = json.get(at..after).unwrap_or_default();
                if !number.contains(['.', 'e', 'E']) && number.parse::<i64>().is_err() {
                    return Some(number);
                }
                at = after;
            }
            _ => at += 1,
        }
    }
    None
}

/// Reads a value that may still be nested so deep.
#[derive(Clone, Copy)]
struct Reader<'a> {
    depth: usize,
    /// Whether there was a float so large that it may have been a whole number in the text.
    large: &'a Cell<bool>,
}

impl Reader<'_> {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Self { depth, ..self }),
            None => Err(E::custom(format_args!("nested deeper than {DEPTH}"))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        i64::try_from(value).map(Value::Int).map_err(|_| E::custom(format_args!("{value} does not fit 64 bits")))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        /// 2⁶³: whole numbers below it are read as such.
        const LARGE: f64 = 9_223_372_036_854_775_808.0;
        if value.abs() >= LARGE {
            self.large.set(true);
        }
        if value.is_finite() { Ok(Value::Float(value)) } else { Err(E::custom("a number is out of range")) }
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let inside = self.deeper()?;
        let mut items = EcoVec::new();
        while let Some(item) = from.next_element_seed(inside)? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let inside = self.deeper()?;
        // four fields are the common record; growth by doubling from one would allocate three times for them
        let mut fields: EcoVec<(EcoString, Value)> = EcoVec::with_capacity(4);
        let mut seen = None;
        while let Some(key) = from.next_key_seed(Key)? {
            if known(&fields, &key, &mut seen) {
                return Err(A::Error::custom(format_args!("the key {key:?} occurs twice")));
            }
            fields.push((key, from.next_value_seed(inside)?));
        }
        Ok(Value::Record(Record(fields)))
    }
}

/// Whether a key has been read before; beyond a few fields by a set, so that a large record stays linear.
fn known(
    fields: &[(EcoString, Value)],
    key: &EcoString,
    seen: &mut Option<std::collections::HashSet<EcoString>>,
) -> bool {
    const FEW: usize = 16;
    if fields.len() < FEW {
        return fields.iter().any(|(name, _)| name == key);
    }
    let set = seen.get_or_insert_with(|| fields.iter().map(|(name, _)| name.clone()).collect());
    !set.insert(key.clone())
}

struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = EcoString;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<EcoString, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = EcoString;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, value: &str) -> Result<EcoString, E> {
        Ok(value.into())
    }
}
