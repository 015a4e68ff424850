//! How much a line may hold at once. Every user's lines share one shell, so none may take all of its memory: a text that
//! doubles at each stage, or a stream without end that is to be sorted, ends in an error.

use std::sync::OnceLock;

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
pub(crate) struct Held {
    bytes: usize,
    /// How much more may be held before it is looked again how much memory the whole shell has taken.
    unseen: usize,
}

/// How much a command may come to hold between two looks at the memory of the shell.
const LOOK: usize = 8 << 20;

impl Held {
    /// One more value; an error when it is one too many.
    pub(crate) fn take(&mut self, value: &Value) -> Result<(), Error> {
        let weight = weight(value);
        self.bytes += weight;
        if self.bytes > HELD {
            return Err(Error::failed(format!("this would hold over {} MiB of values at once", HELD >> 20))
                .help("head, where or grep before it make the stream shorter"));
        }
        self.unseen += weight;
        if self.unseen < LOOK {
            return Ok(());
        }
        self.unseen = 0;
        fits(taken(), allowed())
    }

    /// A value less.
    pub(crate) fn give(&mut self, value: &Value) {
        self.bytes = self.bytes.saturating_sub(weight(value));
    }
}

/// Refuses to hold more when all lines together have taken what the shell may have: each within its own bound they could
/// still take all memory there is.
fn fits(taken: Option<u64>, allowed: Option<u64>) -> Result<(), Error> {
    match (taken, allowed) {
        (Some(taken), Some(allowed)) if taken > allowed => {
            Err(Error::failed("all lines together hold as much as the shell has memory for")
                .help("try again when others have ended; ps shows what runs"))
        }
        (_, _) => Ok(()),
    }
}

/// The memory of this process, in bytes; none where the system does not tell.
fn taken() -> Option<u64> {
    status("/proc/self/status", "VmRSS:")
}

/// Half of the machine's memory, or of what the control group of the shell is allowed.
fn allowed() -> Option<u64> {
    static ALLOWED: OnceLock<Option<u64>> = OnceLock::new();
    *ALLOWED.get_or_init(|| {
        let group = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
        let group = group.and_then(|most| most.trim().parse().ok()).unwrap_or(u64::MAX);
        status("/proc/meminfo", "MemTotal:").map(|all| all.min(group) / 2)
    })
}

/// A number of kibibytes in a file of the kernel's, in bytes.
fn status(file: &str, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    value.split_ascii_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test")]

    use super::{HELD, Held, TEXT, allowed, fits, taken, text, weight};
    use crate::Value;

    #[test]
    fn all_together_have_a_bound() {
        assert!(taken().unwrap() > 1 << 20 && allowed().unwrap() > 64 << 20);
        assert!(fits(taken(), allowed()).is_ok() && fits(None, Some(1)).is_ok());
        assert!(fits(Some(2), Some(1)).is_err());
    }

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
