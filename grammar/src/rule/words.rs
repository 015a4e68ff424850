//! A rule's text cut into words, texts, patterns, rooms and marks, each with its place. Deliberately absent: what may
//! follow what.

use ecow::EcoString;

use crate::{Span, SyntaxError};

/// A piece of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// Letters, digits and `_ - . : * +`: keywords, names, numbers.
    Word(&'a str),
    /// A text in quotes, its escapes undone.
    Text(EcoString),
    /// Between slashes, as typed.
    Pattern(&'a str),
    /// Behind `#`, or behind `service://#`.
    Room {
        /// The service, where it stands there.
        service: Option<&'a str>,
        /// The room.
        name: &'a str,
    },
    /// `[ ] ( ) ,` and the comparisons.
    Mark(&'a str),
}

/// A piece and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind<'a>,
    pub(super) span: Span,
}

/// Cuts a rule.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, SyntaxError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        at += rest.len() - rest.trim_start_matches([' ', '\t', '\n']).len();
        let rest = text.get(at..).unwrap_or_default();
        let Some(first) = rest.chars().next() else { return Ok(tokens) };
        let (kind, length) = token(rest, first).map_err(|reason| reason.at(at, text.len()))?;
        tokens.push(Token { kind, span: Span::new(at, at + length) });
        at += length;
    }
}

/// Why no piece can be read.
enum Broken {
    Open(&'static str),
    Alone(&'static str),
    Foreign(char),
}

impl Broken {
    fn at(self, at: usize, end: usize) -> SyntaxError {
        match self {
            Self::Open(what) => SyntaxError::new(format!("the {what} is not closed"), Span::new(at, end)),
            Self::Alone(help) => SyntaxError::new("no comparison can be read here", Span::new(at, at + 1)).help(help),
            Self::Foreign(letter) => {
                let error = SyntaxError::new(
                    format!("'{}' is not understood", letter.escape_debug()),
                    Span::new(at, at + letter.len_utf8()),
                );
                error.help("a text goes in quotes")
            }
        }
    }
}

fn token(rest: &str, first: char) -> Result<(Kind<'_>, usize), Broken> {
    let upto = |length: usize| rest.get(..length).unwrap_or_default();
    match first {
        '\'' | '"' => text(rest, first).ok_or(Broken::Open("text")).map(|(text, length)| (Kind::Text(text), length)),
        '/' => {
            let length = pattern_length(rest).ok_or(Broken::Open("pattern"))?;
            Ok((Kind::Pattern(rest.get(1..length - 1).unwrap_or_default()), length))
        }
        '#' => {
            let name = room(rest);
            if name.is_empty() {
                Err(Broken::Foreign('#'))
            } else {
                Ok((Kind::Room { service: None, name }, 1 + name.len()))
            }
        }
        '[' | ']' | '(' | ')' | ',' => Ok((Kind::Mark(upto(1)), 1)),
        '=' | '!' | '<' | '>' => match upto(2) {
            two @ ("==" | "!=" | "<=" | ">=" | "=<") => Ok((Kind::Mark(two), 2)),
            _ if first == '<' || first == '>' => Ok((Kind::Mark(upto(1)), 1)),
            _ => Err(Broken::Alone("the comparisons are == != > < >= <=")),
        },
        _ if in_word(first) => {
            let length = rest.find(|letter| !in_word(letter)).unwrap_or(rest.len());
            let service =
                upto(length).strip_suffix(':').filter(|service| !service.is_empty() && !service.contains(':'));
            let name = rest.get(length..).and_then(|rest| rest.strip_prefix("//")).map(room).unwrap_or_default();
            match service {
                Some(_) if !name.is_empty() => Ok((Kind::Room { service, name }, length + "//#".len() + name.len())),
                Some(_) | None => Ok((Kind::Word(upto(length)), length)),
            }
        }
        _ => Err(Broken::Foreign(first)),
    }
}

/// The room that a text begins with, without its `#`; empty when there is none.
fn room(text: &str) -> &str {
    let Some(name) = text.strip_prefix('#') else { return "" };
    name.get(..name.find(ends_room).unwrap_or(name.len())).unwrap_or_default()
}

fn in_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.' | ':' | '*' | '+')
}

fn ends_room(letter: char) -> bool {
    letter.is_whitespace() || letter.is_control() || matches!(letter, '[' | ']' | '(' | ')' | ',' | '\'' | '"')
}

/// The text behind an opening quote, and the bytes with both quotes.
fn text(rest: &str, quote: char) -> Option<(EcoString, usize)> {
    let mut text = EcoString::new();
    let mut letters = rest.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if letter == quote {
            return Some((text, at + 1));
        }
        match letters.peek() {
            Some(&(_, escaped @ ('\'' | '"' | '\\'))) if letter == '\\' => {
                letters.next();
                text.push(escaped);
            }
            _ => text.push(letter),
        }
    }
    None
}

/// The bytes of a pattern with both slashes; `\/` does not close it.
fn pattern_length(rest: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, letter) in rest.char_indices().skip(1) {
        match letter {
            '/' if !escaped => return Some(at + 1),
            _ => escaped = letter == '\\' && !escaped,
        }
    }
    None
}
