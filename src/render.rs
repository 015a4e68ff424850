//! What is shown: a line's values as a neutral [`Document`], and a document as text for those who read text.
//!
//! Deliberately absent: any chat service's markup, and where anything is sent.

mod document;
mod failure;
pub(crate) mod greenbar;
mod markdown;
mod rich;
mod roll;

pub(crate) use document::{Document, Progress, Running};
pub(crate) use roll::{Look, Roll, how_far};

use pipit_commands::{Error, Value};

use greenbar::Greenbar;

/// How a bundle has its values shown.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Template {
    /// Jinja over `values`, which parses.
    Jinja(String),
    /// Cog's, over `results`.
    Greenbar(Greenbar),
}

/// The text of values, for a file or a program; empty when there are none.
pub(crate) fn text(values: &[Value]) -> String {
    Roll::new(Look::Plain).document(&Document::ended(None).values(values))
}

/// An error, with a mark under its place in the line.
pub(crate) fn error(error: &Error, line: &str) -> String {
    failure::whole(error, line)
}

/// A text without what acts on a terminal or turns the line's direction: only newlines and tabs stay.
pub(crate) fn plain(text: &str) -> String {
    pipit_commands::plain(text).into_owned()
}

/// As much of a text as fits into so many lines and bytes, on whole lines where there are any, and the rest.
pub(crate) fn shorten(text: &str, lines: usize, bytes: usize) -> (&str, Option<&str>) {
    if lines == 0 || bytes == 0 {
        return ("", (!text.is_empty()).then_some(text));
    }
    let mut end = text.match_indices('\n').nth(lines - 1).map_or(text.len(), |(at, _)| at);
    if end > bytes {
        let fits = text.floor_char_boundary(bytes);
        end = text.get(..fits).and_then(|head| head.rfind('\n')).filter(|at| *at > 0).unwrap_or(fits);
    }
    let rest = text.get(end..).unwrap_or_default();
    let rest = rest.strip_prefix('\n').unwrap_or(rest);
    (text.get(..end).unwrap_or(text), (!rest.is_empty()).then_some(rest))
}

#[cfg(test)]
mod tests {
    use super::shorten;

    #[test]
    fn a_long_text_is_cut_at_a_line() {
        let text = (0..40).map(|n| n.to_string()).collect::<Vec<_>>().join("\n");
        let (head, rest) = shorten(&text, 15, 3000);
        assert_eq!(head.lines().count(), 15);
        assert_eq!(rest.map(|rest| rest.lines().count()), Some(25));
        let one = "é".repeat(4000);
        let (head, rest) = shorten(&one, 15, 3000);
        assert_eq!(head.len(), 3000);
        assert_eq!(rest.map(str::len), Some(5000));
    }
}
