//! The memory of a line: values by key, which its programs keep for each other. Bounded in keys and bytes.

use std::collections::HashMap;

use ecow::EcoVec;
use pipit_commands::Value;

use crate::limits;

/// Values by key.
#[derive(Default)]
pub(super) struct Memory {
    kept: HashMap<String, (Value, usize)>,
    /// All keys and values as JSON, in bytes.
    bytes: usize,
}

/// Why something was not kept or not found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// There is no such key.
    Unknown,
    /// Two lists are wanted.
    NoList,
    /// It would be more than a line may keep.
    Full,
}

/// What comes back: the value as JSON.
type Answer = Result<String, Refused>;

impl Memory {
    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Answer {
        self.kept.get(key).map(|(value, _)| value.to_json()).ok_or(Refused::Unknown)
    }

    /// Puts a value in the place of whatever is there.
    pub(super) fn put(&mut self, key: &str, value: Value) -> Answer {
        let json = value.to_json();
        self.keep(key, value, key.len() + json.len())?;
        Ok(json)
    }

    /// Puts a value at the end of a list. What is there and no list becomes the first of one.
    pub(super) fn accumulate(&mut self, key: &str, value: Value) -> Answer {
        self.grow(key, EcoVec::from([value]), |there| Ok(EcoVec::from([there])))
    }

    /// Puts the values of a list at the end of a list.
    pub(super) fn join(&mut self, key: &str, value: Value) -> Answer {
        let Value::List(values) = value else { return Err(Refused::NoList) };
        self.grow(key, values, |_| Err(Refused::NoList))
    }

    /// Takes a key away; what it held comes back.
    pub(super) fn delete(&mut self, key: &str) -> Answer {
        let (value, size) = self.kept.remove(key).ok_or(Refused::Unknown)?;
        self.bytes -= size;
        Ok(value.to_json())
    }

    fn grow(
        &mut self,
        key: &str,
        values: EcoVec<Value>,
        no_list: impl FnOnce(Value) -> Result<EcoVec<Value>, Refused>,
    ) -> Answer {
        let more: usize = values.iter().map(|value| value.to_json().len() + 1).sum();
        let (there, size) = self.kept.get(key).map_or((None, key.len() + 2), |(value, size)| (Some(value), *size));
        if self.bytes + size + more > limits::MEMORY_BYTES {
            return Err(Refused::Full);
        }
        match there {
            Some(Value::List(_)) => {}
            None => {
                self.keep(key, Value::List(EcoVec::new()), size)?;
            }
            Some(other) => {
                let list = no_list(other.clone())?;
                self.keep(key, Value::List(list), size + 2)?;
            }
        }
        let Some((Value::List(list), size)) = self.kept.get_mut(key) else { return Err(Refused::NoList) };
        // nobody else holds the list, so it is not copied
        list.extend(values);
        *size += more;
        self.bytes += more;
        self.get(key)
    }

    fn keep(&mut self, key: &str, value: Value, size: usize) -> Result<(), Refused> {
        let before = self.kept.get(key).map(|(_, size)| *size);
        let bytes = self.bytes - before.unwrap_or(0) + size;
        if bytes > limits::MEMORY_BYTES || (before.is_none() && self.kept.len() >= limits::MEMORY_KEYS) {
            return Err(Refused::Full);
        }
        self.kept.insert(key.to_owned(), (value, size));
        self.bytes = bytes;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]
    use super::{Memory, Refused};
    use crate::limits;
    use pipit_commands::Value;

    #[test]
    fn what_is_kept_and_what_comes_back() {
        let mut memory = Memory::default();
        let json = |text: &str| Value::from_json(text).unwrap();
        let unknown = || Err(Refused::Unknown);
        for (verb, key, value, answer) in [
            ("get", "a", "", unknown()),
            ("accumulate", "a", "1", Ok("[1]")),
            ("accumulate", "a", "[2]", Ok("[1,[2]]")),
            ("join", "a", "[3,4]", Ok("[1,[2],3,4]")),
            ("join", "a", "5", Err(Refused::NoList)),
            ("join", "b", "[5]", Ok("[5]")),
            ("put", "a", r#"{"x":1}"#, Ok(r#"{"x":1}"#)),
            ("join", "a", "[5]", Err(Refused::NoList)),
            ("get", "a", "", Ok(r#"{"x":1}"#)),
            ("accumulate", "a", "2", Ok(r#"[{"x":1},2]"#)),
            ("delete", "a", "", Ok(r#"[{"x":1},2]"#)),
            ("delete", "a", "", unknown()),
            ("get", "b", "", Ok("[5]")),
            ("delete", "b", "", Ok("[5]")),
        ] {
            let said = match verb {
                "get" => memory.get(key),
                "put" => memory.put(key, json(value)),
                "accumulate" => memory.accumulate(key, json(value)),
                "join" => memory.join(key, json(value)),
                _ => memory.delete(key),
            };
            assert_eq!(said, answer.map(ToOwned::to_owned), "{verb} {key} {value}");
        }
        assert_eq!(memory.bytes, 0);
    }

    #[test]
    fn it_is_bounded() {
        let mut memory = Memory::default();
        let large = Value::from("x".repeat(limits::MEMORY_BYTES / 2));
        assert!(memory.put("a", large.clone()).is_ok());
        assert_eq!(memory.put("b", large.clone()), Err(Refused::Full));
        assert_eq!(memory.accumulate("a", large.clone()), Err(Refused::Full));
        assert!(memory.put("a", large).is_ok(), "what is replaced makes room");
        assert!(memory.delete("a").is_ok());
        for key in 0..limits::MEMORY_KEYS {
            assert!(memory.put(&key.to_string(), Value::Null).is_ok());
        }
        assert_eq!(memory.accumulate("one more", Value::Null), Err(Refused::Full));
        assert!(memory.put("0", Value::Null).is_ok());
    }
}
