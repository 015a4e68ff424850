//! A text into messages: lines without controls, cut to what a service bears.
//!
//! Deliberately absent: shortening, which is the renderer's; the size of a message, which the service knows.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar;

/// The lines of a text that say something.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    text.split(['\n', '\r']).map(clean).filter(|line| !line.trim().is_empty())
}

/// The line without control characters; a tab is a blank.
pub(super) fn clean(line: &str) -> Cow<'_, str> {
    if line.chars().any(char::is_control) {
        Cow::Owned(line.chars().map(|c| if c == '\t' { ' ' } else { c }).filter(|c| !c.is_control()).collect())
    } else {
        Cow::Borrowed(line)
    }
}

/// A line in pieces of at most `budget` bytes: cut at a blank, which is left out, or else between two characters as a
/// reader sees them. A single character longer than the budget is left out.
pub(super) fn pieces(line: &str, budget: usize) -> Pieces<'_> {
    Pieces { rest: line, budget }
}

/// What is left of a line.
#[derive(Debug)]
pub(super) struct Pieces<'a> {
    rest: &'a str,
    budget: usize,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        while !self.rest.is_empty() {
            let (piece, rest) = self.cut();
            self.rest = rest;
            if !piece.trim().is_empty() {
                return Some(piece);
            }
        }
        None
    }
}

impl<'a> Pieces<'a> {
    fn cut(&self) -> (&'a str, &'a str) {
        if self.rest.len() <= self.budget {
            return (self.rest, "");
        }
        let end = self.rest.floor_char_boundary(self.budget);
        // a blank right after the last byte that fits is a border too
        let window = if self.rest[end..].starts_with(' ') { end + 1 } else { end };
        if let Some(blank) = self.rest[..window].rfind(' ').filter(|&at| !self.rest[..at].trim().is_empty()) {
            return (&self.rest[..blank], &self.rest[blank + 1..]);
        }
        let end = seam(self.rest, end);
        if end > 0 {
            return self.rest.split_at(end);
        }
        let too_long = self.rest.chars().next().map_or(self.rest.len(), char::len_utf8);
        ("", &self.rest[too_long..])
    }
}

/// The last place at or before `end` where no mark and no joiner belongs to both sides; `end` itself if there is none near.
fn seam(text: &str, end: usize) -> usize {
    let joins = |at: usize| {
        let next = text[at..].chars().next().is_some_and(|c| c.width() == Some(0));
        next || text[..at].ends_with('\u{200d}')
    };
    let before = text[..end].char_indices().rev().map(|(at, _)| at).take(32);
    std::iter::once(end).chain(before).find(|&at| at > 0 && !joins(at)).unwrap_or(end)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]
    use proptest::prelude::*;

    use super::*;

    fn cut(line: &str, budget: usize) -> Vec<&str> {
        pieces(line, budget).collect()
    }

    #[test]
    fn words_stay_whole_where_they_can() {
        assert_eq!(cut("one two three", 8), ["one two", "three"]);
        assert_eq!(cut("one two three", 7), ["one two", "three"]);
        assert_eq!(cut("onetwothree", 4), ["onet", "woth", "ree"]);
        assert_eq!(cut("€€€", 4), ["€", "€", "€"]);
        assert_eq!(cut("€a", 2), ["a"]);
        assert_eq!(cut("e\u{301}e\u{301}", 5), ["e\u{301}", "e\u{301}"]);
        assert_eq!(cut("", 5), Vec::<&str>::new());
        assert_eq!(cut("        x", 4), ["x"]);
    }

    #[test]
    fn a_line_says_something_and_controls_nothing() {
        let said: Vec<_> = lines("a\r\n\n  \nb\tc\x1b[31m\0d\u{85}e").collect();
        assert_eq!(said, ["a", "b c[31mde"]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_but_blanks(line in "[a-zé€😀\u{301}\u{200d} ]{0,300}", budget in 4_usize..60) {
            let got = cut(&line, budget);
            prop_assert!(got.iter().all(|piece| piece.len() <= budget));
            let solid = |text: &str| text.replace(' ', "");
            prop_assert_eq!(solid(&got.concat()), solid(&line));
        }

        #[test]
        fn any_text_is_cut(text in "\\PC*|(.|\n)*", budget in 0_usize..20) {
            for line in lines(&text) {
                prop_assert!(!line.chars().any(char::is_control));
                prop_assert!(pieces(&line, budget).all(|piece| piece.len() <= budget));
            }
        }
    }
}
