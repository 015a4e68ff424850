//! Which value of a stage's input is the first, and which the last. The last is known only when nothing follows it, so a
//! value runs when the next one, or the end, is there.

use ecow::EcoString;
use pipit_commands::{Error, Stream, Turn, Value};

use super::Cx;

/// The turns of a stage.
pub(super) struct Turns {
    stage: EcoString,
    first: bool,
    /// Why the input ended, when that was found while a value still waited.
    failed: Option<Error>,
}

impl Turns {
    /// Those of one run of a stage.
    pub(super) fn new(cx: &Cx) -> Self {
        let stage = format!("{:016x}{:016x}", cx.dice(), cx.dice()).into();
        Self { stage, first: true, failed: None }
    }

    /// The next one.
    pub(super) fn next(&mut self, last: bool) -> Turn {
        let first = std::mem::take(&mut self.first);
        Turn { stage: self.stage.clone(), first, last: last && self.failed.is_none() }
    }

    /// Sees to it that the value that waits alone is followed by another one, or by nothing: then the input is gone.
    pub(super) async fn look_ahead(&mut self, waiting: &mut std::vec::IntoIter<Value>, input: &mut Option<Stream>) {
        let (1, Some(source)) = (waiting.len(), input.as_mut()) else { return };
        match source.next().await {
            Some(Ok(batch)) => *waiting = waiting.by_ref().chain(batch).collect::<Vec<_>>().into_iter(),
            Some(Err(error)) => {
                self.failed = Some(error);
                *input = None;
            }
            None => *input = None,
        }
    }

    /// Why the input ended, once.
    pub(super) fn failed(&mut self) -> Option<Error> {
        self.failed.take()
    }
}
