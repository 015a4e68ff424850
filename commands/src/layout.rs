//! How a table stands in columns on a screen, where some letters take two columns and some none.
//!
//! Deliberately absent: colours, and how wide a place is: the renderer knows both.

use std::borrow::Cow;

use ecow::EcoString;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr;

/// The blanks between two columns.
const GAP: usize = 2;

/// The columns of a table: their labels, their widths, and whether they stand at the right as numbers do. Rows that come
/// later can be drawn under the same head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    columns: Vec<Heading>,
}

/// A column's head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heading {
    pub(crate) label: EcoString,
    /// In columns of a screen.
    pub(crate) width: usize,
    pub(crate) number: bool,
}

impl Layout {
    pub(crate) fn new(columns: Vec<Heading>) -> Self {
        Self { columns }
    }

    /// The labels, from the left.
    pub fn labels(&self) -> impl Iterator<Item = &EcoString> {
        self.columns.iter().map(|column| &column.label)
    }

    /// How wide a row is at most, unless a cell sticks out.
    #[must_use]
    pub fn width(&self) -> usize {
        self.columns.iter().map(|column| column.width).sum::<usize>() + GAP * self.columns.len().saturating_sub(1)
    }

    /// The line of the labels.
    #[must_use]
    pub fn head(&self) -> String {
        self.row(self.columns.iter().map(|column| column.label.as_str()), false)
    }

    /// The line between head and rows.
    #[must_use]
    pub fn rule(&self) -> String {
        let dashes: Vec<String> = self.columns.iter().map(|column| "─".repeat(column.width)).collect();
        dashes.join(&" ".repeat(GAP))
    }

    /// A row. A cell that is longer than its column sticks out, or, where `cut` says so, ends in `…`; the last column
    /// always has room.
    pub fn row<'a>(&self, cells: impl Iterator<Item = &'a str>, cut: bool) -> String {
        let mut text = String::new();
        let last = self.columns.len().saturating_sub(1);
        for (at, (cell, column)) in cells.zip(&self.columns).enumerate() {
            if at > 0 {
                text.extend(std::iter::repeat_n(' ', GAP));
            }
            let long = cut && at < last && columns(cell) > column.width;
            let shortened = long.then(|| shorten(cell, column.width));
            let cell = shortened.as_deref().unwrap_or(cell);
            let blanks = column.width.saturating_sub(columns(cell));
            if column.number {
                text.extend(std::iter::repeat_n(' ', blanks));
                text.push_str(cell);
            } else {
                text.push_str(cell);
                text.extend(std::iter::repeat_n(' ', blanks));
            }
        }
        text.truncate(text.trim_end().len());
        text
    }
}

/// How many columns of a screen a text takes, letter by letter as a reader sees them: a family of emoji joined into one
/// takes two, an accent of its own none. (The width of a text as a whole counts some letters side by side as one, as
/// hardly a screen does.)
#[must_use]
pub fn columns(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.graphemes(true).map(UnicodeWidthStr::width).sum() }
}

/// A text in so many columns of a screen, cut between two letters as a reader sees them, with `…` in the last.
fn shorten(text: &str, width: usize) -> String {
    let mut taken = 1;
    let fits = |letter: &&str| {
        taken += letter.width();
        taken <= width
    };
    let mut shortened: String = text.graphemes(true).take_while(fits).collect();
    shortened.push('…');
    shortened
}

/// A text without what acts on a terminal or turns the line's direction: only newlines and tabs stay, `\u{fffd}` stands
/// for the rest.
#[must_use]
pub fn plain(text: &str) -> Cow<'_, str> {
    let bad = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if text.contains(bad) {
        Cow::Owned(text.chars().map(|c| if bad(c) { '\u{fffd}' } else { c }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use unicode_segmentation::UnicodeSegmentation as _;

    use super::{columns, plain, shorten};
    use crate::{Record, Table, Value};

    const TEXTS: &[&str] = &[
        "",
        "plain",
        "日本語",
        "한국어 키",
        "ｆｕｌｌ",
        "e\u{301}te\u{301}",
        "👩‍👩‍👧‍👦",
        "🏳️‍🌈 x",
        "🇨🇭🇪🇺",
        "👍🏽",
        "❤️",
        "❤",
        "1️⃣",
        "☎︎",
        "👩🏽‍🚀!",
        "กำลัง",
        "हिन्दी",
        "العربية",
        "لا",
        "a\u{202e}b",
        "tab\tbed\nline",
        "bell\u{7}",
        "soft\u{ad}hyphen",
        "zero\u{200b}width",
    ];

    #[test]
    fn columns_stand_under_each_other_in_any_script() {
        let record = |text: &&str| -> Value {
            [("text", Value::from(*text)), ("end", Value::from("|"))].into_iter().collect::<Record>().into()
        };
        let records: Vec<Value> = TEXTS.iter().map(record).collect();
        let drawn = Table::of(&records, &[]).map(|table| table.draw()).unwrap_or_default();
        for line in drawn.lines().skip(2) {
            let (before, after) = line.split_once('|').unwrap_or_default();
            assert_eq!((columns(before), after), (columns(drawn.lines().nth(1).unwrap_or_default()) - 3, ""), "{line}");
        }
    }

    #[test]
    fn a_cell_is_cut_between_letters() {
        for text in TEXTS {
            for width in 1..8 {
                let cut = shorten(text, width);
                assert!(columns(&cut) <= width, "{text:?} in {width}: {cut:?}");
                let kept = cut.strip_suffix('…').unwrap_or_default();
                assert!(text.grapheme_indices(true).any(|(at, _)| at == kept.len()) || kept == *text, "{cut:?}");
            }
        }
        assert_eq!(shorten("👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 4), "👩‍👩‍👧‍👦…");
    }

    #[test]
    fn what_acts_on_a_terminal_is_taken_away() {
        assert_eq!(plain("a\u{1b}[2Jb\u{7}\tc\nd\u{202e}"), "a\u{fffd}[2Jb\u{fffd}\tc\nd\u{fffd}");
    }
}
