//! What is wrong with a manifest, and where: the one shape for errors and warnings about files of a bundle.

use std::fmt;

/// Something wrong with a field. `Display` is one line: path, message, place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// `commands.date.rules[0]`; empty for the file as a whole.
    pub path: String,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// Line and column of the file, from 1, when known.
    pub at: Option<(usize, usize)>,
}

impl Fault {
    /// A fault of a field.
    pub(crate) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into(), at: None }
    }

    /// The same with its place.
    #[must_use]
    pub(crate) fn at(mut self, at: (usize, usize)) -> Self {
        self.at = Some(at);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        match self.at {
            Some((line, column)) => write!(f, " (line {line}, column {column})"),
            None => Ok(()),
        }
    }
}
