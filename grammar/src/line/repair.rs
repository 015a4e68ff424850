//! What characters are: blanks, dashes and quotation marks that chat clients put in place of the typed ones, and
//! characters that are refused because a reader cannot see them or sees another line than the one that runs.
//!
//! Deliberately absent: normalisation of any kind. `é` in one character and in two are two texts.

use std::ops::RangeInclusive;

use crate::{Span, SyntaxError};

/// Whether the character separates words outside quotes. No-break spaces do: a client put them where a blank was typed.
pub(crate) fn is_blank(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\n') || is_no_break(letter)
}

/// The blanks that text layout never breaks at.
pub(crate) fn is_no_break(letter: char) -> bool {
    matches!(letter, '\u{a0}' | '\u{2007}' | '\u{202f}')
}

/// The rest behind the blanks.
pub(super) fn after_blanks(text: &str) -> &str {
    text.trim_start_matches(is_blank)
}

/// The rest behind a dash at the head of a word that stands for `--`: a client made one of two hyphens.
pub(super) fn after_dash(word: &str) -> Option<&str> {
    let rest = word.strip_prefix(['—', '–'])?;
    rest.starts_with(char::is_alphabetic).then_some(rest)
}

/// What a typographic mark opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// The mark itself.
    pub(super) opening: char,
    /// The marks that close it.
    pub(super) closing: &'static [char],
    /// Whether the pair is `"…"`, else `'…'`.
    pub(super) double: bool,
}

const MARKS: [Mark; 5] = [
    Mark { opening: '“', closing: &['”'], double: true },
    Mark { opening: '„', closing: &['“', '”'], double: true },
    Mark { opening: '”', closing: &['”'], double: true },
    Mark { opening: '‘', closing: &['’'], double: false },
    Mark { opening: '‚', closing: &['‘', '’'], double: false },
];

/// The mark, if the character can open a typographic pair.
pub(super) fn mark(letter: char) -> Option<Mark> {
    MARKS.into_iter().find(|mark| mark.opening == letter)
}

/// Control characters, but for the two that are blanks.
pub(crate) fn is_control(letter: char) -> bool {
    letter.is_control() && !matches!(letter, '\t' | '\n')
}

/// Characters that turn the direction of what follows.
pub(crate) fn is_bidi(letter: char) -> bool {
    matches!(letter, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Characters that show nothing, or a blank that is none: letters in quotes, refused outside.
const INVISIBLE: [RangeInclusive<char>; 22] = [
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{115f}'..='\u{1160}',
    '\u{1680}'..='\u{1680}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{2000}'..='\u{2006}',
    '\u{2008}'..='\u{200d}',
    '\u{2028}'..='\u{2029}',
    '\u{205f}'..='\u{205f}',
    '\u{2060}'..='\u{2065}',
    '\u{206a}'..='\u{206f}',
    '\u{2800}'..='\u{2800}',
    '\u{3000}'..='\u{3000}',
    '\u{3164}'..='\u{3164}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff9}'..='\u{fffb}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e00ff}',
    '\u{e01f0}'..='\u{e0fff}',
];

/// Whether a reader sees nothing, or a blank that is none.
pub(crate) fn is_invisible(letter: char) -> bool {
    letter >= '\u{ad}'
        && INVISIBLE
            .binary_search_by(|range| {
                if *range.end() < letter {
                    std::cmp::Ordering::Less
                } else if *range.start() > letter {
                    std::cmp::Ordering::Greater
                } else {
                    std::cmp::Ordering::Equal
                }
            })
            .is_ok()
}

/// Whether the canonical line writes the character as an escape, since it would show nothing or mislead.
pub fn is_escaped(letter: char) -> bool {
    if letter.is_ascii() {
        return letter.is_ascii_control();
    }
    letter.is_control() || is_bidi(letter) || is_no_break(letter) || is_invisible(letter)
}

/// The error for the first character that no place of a line may hold.
pub(super) fn refused_everywhere(text: &str) -> Option<SyntaxError> {
    let printable = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t' | b'\n');
    if text.as_bytes().iter().all(printable) {
        return None;
    }
    let (at, letter) = text.char_indices().find(|(_, letter)| is_control(*letter) || is_bidi(*letter))?;
    let class = if is_control(letter) { "a control character" } else { "a bidi control: it can show another line" };
    Some(refused(at, letter, class, "take it out; in double quotes it can be written"))
}

/// The error for an invisible character outside quotes.
pub(super) fn refused_outside_quotes(at: usize, letter: char) -> SyntaxError {
    let class = match letter {
        '\u{ad}' => "a soft hyphen, which nobody sees",
        '\u{200b}' => "a zero-width space, which nobody sees",
        '\u{200c}' | '\u{200d}' => "a joiner, which nobody sees",
        '\u{feff}' => "a byte order mark, which nobody sees",
        '\u{e0000}'..='\u{e007f}' => "a tag, which nobody sees",
        letter if letter.is_whitespace() => "a blank that separates no words",
        _ => "an invisible character",
    };
    let first = if letter.is_whitespace() { "type a plain one" } else { "take it out" };
    refused(at, letter, class, &format!("{first}, or put the word in quotes; in double quotes it can be written"))
}

fn refused(at: usize, letter: char, class: &str, help: &str) -> SyntaxError {
    let code = u32::from(letter);
    let error = SyntaxError::new(format!("U+{code:04X} is {class}"), Span::new(at, at + letter.len_utf8()));
    if letter == '\0' { error.help("take it out") } else { error.help(format!("{help} \\u{{{code:x}}}")) }
}
