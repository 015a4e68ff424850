//! Messages of several lines, where the server knows them (`draft/multiline`): one message of a person is then one line
//! to run, and one answer is one message.
//!
//! Deliberately absent: joining what was cut to fit (`draft/multiline-concat`) when we say something; the pieces of a
//! long line are lines, as they are for everybody whose client knows no such messages.

use std::collections::HashMap;

use super::codec::{Line, write};

/// Messages that may be open at the same time; the rest are not heard.
const OPEN: usize = 64;
/// Bytes of a message that are kept. It is more than a line to run may have, so that too much is refused and not cut.
const KEPT: usize = 32 * 1024;

/// What the server takes as one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    bytes: usize,
    lines: usize,
}

impl Limits {
    /// From the value that the extension is offered with; `None` when it lacks the one limit it must have.
    pub(super) fn offered(value: &str) -> Option<Self> {
        let limit = |name| {
            value.split(',').find_map(|part| part.split_once('=').filter(|(key, _)| *key == name)?.1.parse().ok())
        };
        Some(Self { bytes: limit("max-bytes")?, lines: limit("max-lines").unwrap_or(usize::MAX) })
    }

    /// How many of the lines from the first on fit one message; at least one.
    pub(super) fn fit<T: AsRef<str>>(self, lines: &[T]) -> usize {
        let mut bytes = 0_usize;
        let fitting = lines.iter().take(self.lines).take_while(|line| {
            bytes += line.as_ref().len() + 1;
            bytes <= self.bytes
        });
        fitting.count().max(1)
    }
}

/// Writes lines as one message; `reference` tells it from those before.
pub(super) fn write_message<T: AsRef<str>>(out: &mut Vec<u8>, reference: u64, verb: &str, target: &str, lines: &[T]) {
    write(out, &["BATCH", &format!("+{reference}"), "draft/multiline", target], None);
    for line in lines {
        write(out, &[&format!("@batch={reference}"), verb, target], Some(line.as_ref()));
    }
    write(out, &["BATCH", &format!("-{reference}")], None);
}

/// Messages of which some lines came.
#[derive(Debug, Default)]
pub(super) struct Open(HashMap<String, Whole>);

/// A message as far as it came.
#[derive(Debug)]
pub(super) struct Whole {
    /// The line that opened it: who says it, and all tags.
    pub(super) head: Vec<u8>,
    /// Its lines, with line ends between them.
    pub(super) text: Vec<u8>,
    lines: usize,
}

impl Open {
    /// A message begins with this line.
    pub(super) fn begin(&mut self, reference: &[u8], head: &[u8]) {
        if self.0.len() < OPEN
            && let Ok(reference) = std::str::from_utf8(reference)
        {
            self.0.insert(reference.to_owned(), Whole { head: head.to_vec(), text: Vec::new(), lines: 0 });
        }
    }

    /// Takes a line in if it is part of a message that is open.
    pub(super) fn takes(&mut self, line: &Line<'_>) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let Some(whole) = line.tag("batch").and_then(|reference| self.0.get_mut(reference.as_ref())) else {
            return false;
        };
        if whole.text.len() < KEPT {
            if whole.lines > 0 && line.tag("draft/multiline-concat").is_none() {
                whole.text.push(b'\n');
            }
            whole.text.extend_from_slice(line.param(1));
            whole.lines += 1;
        }
        true
    }

    /// A message is complete.
    pub(super) fn end(&mut self, reference: &[u8]) -> Option<Whole> {
        self.0.remove(std::str::from_utf8(reference).ok()?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]
    use super::*;

    #[test]
    fn a_message_is_as_long_as_the_server_says() {
        let limits = Limits::offered("max-bytes=10,max-lines=3").unwrap();
        assert_eq!(limits.fit(&["a", "b", "c", "d"]), 3);
        assert_eq!(limits.fit(&["abcd", "efgh", "i"]), 2);
        assert_eq!(limits.fit(&["abcdefghijklmn", "b"]), 1);
        assert_eq!(Limits::offered("max-bytes=4096").unwrap().fit(&["a"; 9]), 9);
        assert_eq!(Limits::offered("max-lines=3"), None);
        assert_eq!(Limits::offered(""), None);
    }
}
