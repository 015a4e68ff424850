//! One shape for every error of a text: what was wrong, where, and what now.

use std::fmt::{self, Write};

use unicode_width::UnicodeWidthStr;

use crate::line::repair;
use crate::span::Span;

/// Columns of the line that [`SyntaxError::show`] gives at most, so that a chat does not break it.
const WINDOW: usize = 72;

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

    /// The error over the text it was found in, for a block of code: the message, the line or the part of it around the
    /// place, carets under the place, and the help. Blanks stand for newlines and tabs and `�` for what would not show,
    /// so that the carets stay true.
    pub fn show(&self, text: &str) -> String {
        let boundary = |at: u32| text.floor_char_boundary(usize::try_from(at).unwrap_or(usize::MAX).min(text.len()));
        let (start, end) = (boundary(self.span.start), boundary(self.span.end.max(self.span.start)));
        let (before, before_cut) = last_columns(&shown(&text[..start]), WINDOW / 2);
        let (place, _) = first_columns(&shown(&text[start..end]), WINDOW / 2);
        let room = WINDOW.saturating_sub(before.width() + place.width());
        let (after, after_cut) = first_columns(&shown(&text[start + raw_len(&text[start..end], &place)..]), room);

        let mut all = format!("error: {}", self.message);
        let (head, tail) = (if before_cut { "…" } else { "" }, if after_cut { "…" } else { "" });
        let line = format!("{head}{before}{place}{after}{tail}");
        let blank = head.width() + before.width();
        let carets = place.width().max(1);
        // writing to a String never fails
        let _ = write!(all, "\n  {}\n  {}{}", line.trim_end(), " ".repeat(blank), "^".repeat(carets));
        if let Some(help) = &self.help {
            let _ = write!(all, "\n  {help}");
        }
        all
    }
}

/// The bytes of the text that the first columns of it, as shown, stand for.
fn raw_len(text: &str, shown: &str) -> usize {
    text.chars().take(shown.chars().count()).map(char::len_utf8).sum()
}

/// The text with one visible or harmless character for each.
fn shown(text: &str) -> String {
    let show = |letter: char| match letter {
        '\n' | '\t' => ' ',
        // joiners make one emoji of several and are wanted in quotes
        '\u{200c}' | '\u{200d}' => letter,
        letter if repair::is_no_break(letter) => ' ',
        letter if repair::is_escaped(letter) => '\u{fffd}',
        letter => letter,
    };
    text.chars().map(show).collect()
}

/// The first characters that fit, and whether some were cut.
fn first_columns(text: &str, columns: usize) -> (String, bool) {
    let mut width = 0;
    for (at, letter) in text.char_indices() {
        width += letter_width(letter);
        if width > columns {
            return (text[..at].to_owned(), true);
        }
    }
    (text.to_owned(), false)
}

/// The last characters that fit, and whether some were cut.
fn last_columns(text: &str, columns: usize) -> (String, bool) {
    let mut width = 0;
    for (at, letter) in text.char_indices().rev() {
        width += letter_width(letter);
        if width > columns {
            return (text[at + letter.len_utf8()..].to_owned(), true);
        }
    }
    (text.to_owned(), false)
}

fn letter_width(letter: char) -> usize {
    letter.encode_utf8(&mut [0; 4]).width()
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SyntaxError {}
