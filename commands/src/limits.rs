//! How much a line may hold at once. Every user's lines share one shell, so none may take all of its memory: a text that
//! doubles at each stage, or a stream without end that is to be sorted, ends in an error.

use crate::{Error, Value};

/// The longest text, in bytes.
pub const TEXT: usize = 4 << 20;
/// How much a command may hold of its stream, in bytes as [`weight`] counts them.
pub const HELD: usize = 512 << 20;

/// Refuses a text that would be longer than [`TEXT`].
pub fn text(bytes: usize) -> Result<(), Error> {
    if bytes <= TEXT {
        return Ok(());
    }
    Err(Error::failed(format!("a text has {} MiB at most", TEXT >> 20)))
}

/// What a value takes in memory, about. Texts and lists that are shared count each time.
#[must_use]
pub fn weight(value: &Value) -> usize {
    const SLOT: usize = size_of::<Value>();
    SLOT + match value {
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => 0,
        Value::Text(text) => heap(text.len()),
        Value::List(items) => items.iter().map(weight).sum(),
        Value::Record(record) => record.iter().map(|(name, value)| SLOT + heap(name.len()) + weight(value)).sum(),
    }
}

/// A short text lies in its value.
fn heap(bytes: usize) -> usize {
    const INSIDE: usize = 15;
    if bytes > INSIDE { bytes } else { 0 }
}

/// What a command holds of its stream.
#[derive(Default)]
pub(crate) struct Held(usize);

impl Held {
    /// One more value; an error when it is one too many.
    pub(crate) fn take(&mut self, value: &Value) -> Result<(), Error> {
        self.0 += weight(value);
        if self.0 <= HELD {
            return Ok(());
        }
        Err(Error::failed(format!("this would hold over {} MiB of values at once", HELD >> 20))
            .help("head, where or grep before it make the stream shorter"))
    }

    /// A value less.
    pub(crate) fn give(&mut self, value: &Value) {
        self.0 = self.0.saturating_sub(weight(value));
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test")]

    use super::{HELD, Held, TEXT, text, weight};
    use crate::Value;

    #[test]
    fn what_is_too_much_is_refused() {
        assert!(text(TEXT).is_ok() && text(TEXT + 1).is_err());
        let long = Value::text("x".repeat(1 << 20));
        assert!(weight(&long) > 1 << 20 && weight(&Value::Int(1)) < 64);
        let list = Value::List([long.clone(), long.clone()].into_iter().collect());
        assert!(weight(&list) > 2 << 20);
        let mut held = Held::default();
        for _ in 0..(HELD >> 20) - 1 {
            held.take(&long).unwrap();
        }
        assert!(held.take(&long).is_err());
        for _ in 0..3 {
            held.give(&long);
        }
        assert!(held.take(&long).is_ok());
    }
}
