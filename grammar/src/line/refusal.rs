//! How a rule says no to `nom`: softly, so that another rule may try, or for good with a [`SyntaxError`].

use nom::IResult;
use nom::error::{ErrorKind, ParseError};

use crate::{Span, SyntaxError};

/// What a rule answers: the rest of the text and what it read.
pub(super) type Parsed<'t, T> = IResult<&'t str, T, Refusal>;

/// What a rule answers that adds to a word: the rest of the text.
pub(super) type Rest<'t> = Result<&'t str, nom::Err<Refusal>>;

/// Why a rule did not read. Small, for it travels through every rule.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Nothing is wrong; the text here is something else.
    Elsewhere,
    /// The line is refused.
    Wrong(Box<SyntaxError>),
}

impl<I> ParseError<I> for Refusal {
    fn from_error_kind(_: I, _: ErrorKind) -> Self {
        Self::Elsewhere
    }

    fn append(_: I, _: ErrorKind, other: Self) -> Self {
        other
    }
}

/// Refuses the whole line.
pub(super) fn refuse<T>(error: SyntaxError) -> Result<T, nom::Err<Refusal>> {
    Err(nom::Err::Failure(Refusal::Wrong(Box::new(error))))
}

/// Lets another rule try.
pub(super) fn elsewhere<T>() -> Result<T, nom::Err<Refusal>> {
    Err(nom::Err::Error(Refusal::Elsewhere))
}

/// The error behind a refusal. A soft one reaches nobody: every rule that may fail softly has one that tries next.
pub(super) fn error(refusal: nom::Err<Refusal>, text: &str) -> SyntaxError {
    match refusal {
        nom::Err::Error(Refusal::Wrong(error)) | nom::Err::Failure(Refusal::Wrong(error)) => *error,
        nom::Err::Incomplete(_) | nom::Err::Error(Refusal::Elsewhere) | nom::Err::Failure(Refusal::Elsewhere) => {
            SyntaxError::new("the line cannot be read", Span::new(0, text.len()))
        }
    }
}
