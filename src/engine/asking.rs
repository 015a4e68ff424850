//! A question of a running program's on its way to whoever typed the line, and the answer on its way back.
//!
//! Deliberately absent: where and how it is asked, which is the place's; what the answer is for, which is the program's.

use ecow::EcoString;
use tokio::sync::oneshot;

/// What somebody says to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// This.
    Answer(EcoString),
    /// That it is not to be answered.
    Cancelled,
}

/// A question that is open. Dropped, it is answered by nobody.
#[derive(Debug)]
pub(crate) struct Asking {
    text: String,
    said: oneshot::Sender<Said>,
}

impl Asking {
    /// A question, and where its answer comes.
    pub(super) fn new(text: String) -> (Self, oneshot::Receiver<Said>) {
        let (said, heard) = oneshot::channel();
        (Self { text, said }, heard)
    }

    /// What is asked: one line, which names the command that asks.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether whoever asked waits no more.
    pub(crate) fn is_over(&self) -> bool {
        self.said.is_closed()
    }

    /// Somebody said this in answer; `cancel` and nothing at all take the question back.
    pub(crate) fn answer(self, said: &str) {
        let said = said.trim();
        let cancels = said.is_empty() || said.eq_ignore_ascii_case("cancel");
        let said = if cancels { Said::Cancelled } else { Said::Answer(said.into()) };
        // whoever asked may wait no more
        let _ = self.said.send(said);
    }
}
