//! One shape for every error of a text: what was wrong, where, and what now.

use std::fmt;

use crate::span::Span;

/// Why a text is refused. `Display` gives the message alone; [`SyntaxError::show`] adds the line and a caret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// Where, in bytes of the text that was given.
    pub span: Span,
    /// What to do now, when there is something to say.
    pub help: Option<String>,
}

impl SyntaxError {
    /// An error at a place.
    pub fn new(message: impl Into<String>, span: Span) -> Self {
        Self { message: message.into(), span, help: None }
    }

    /// The same with a word of help.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SyntaxError {}
