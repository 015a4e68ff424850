//! The small pieces of a condition: names, paths, texts, numbers, marks. Deliberately absent: how they combine.

use ecow::EcoString;

use super::{OPS, Op};
use crate::ast::{Path, Step};
use crate::{Span, SyntaxError};

/// A place in the text of a condition.
pub(super) struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Where the next piece begins.
    pub(super) fn at_next(&mut self) -> usize {
        self.blanks();
        self.at
    }

    /// The column of a byte, from 1, in characters.
    pub(super) fn column(&self, at: usize) -> usize {
        self.text.get(..at).unwrap_or_default().chars().count() + 1
    }

    /// What comes next, up to a blank: for an error to show.
    pub(super) fn next_word(&self) -> &'a str {
        const SHOWN: usize = 20;
        let rest = self.rest();
        let word = rest.split_whitespace().next().unwrap_or("the end");
        word.char_indices().nth(SHOWN).map_or(word, |(end, _)| word.get(..end).unwrap_or(word))
    }

    pub(super) fn span_of_next(&self) -> Span {
        let start = self.text.len() - self.rest().trim_start().len();
        let length = self.rest().split_whitespace().next().map_or(0, str::len);
        Span::new(start, start + length)
    }

    /// The span of what was just read.
    pub(super) fn span_back(&self, read: &str) -> Span {
        Span::new(self.at.saturating_sub(read.len()), self.at)
    }

    pub(super) fn mark(&mut self, mark: char) -> bool {
        self.blanks();
        let there = self.rest().starts_with(mark);
        self.at += if there { mark.len_utf8() } else { 0 };
        there
    }

    pub(super) fn keyword(&mut self, word: &str) -> bool {
        self.blanks();
        let there = name_length(self.rest()) == word.len() && self.rest().starts_with(word);
        self.at += if there { word.len() } else { 0 };
        there
    }

    pub(super) fn op(&mut self) -> Option<Op> {
        let (written, op) = OPS.iter().find(|(written, _)| self.rest().starts_with(written))?;
        self.at += written.len();
        Some(*op)
    }

    /// A field's name: letters, digits and `_`, with single hyphens between such parts.
    pub(super) fn name(&mut self) -> Option<&'a str> {
        let name = self.rest().get(..name_length(self.rest())).filter(|name| !name.is_empty())?;
        self.at += name.len();
        Some(name)
    }

    /// The steps that follow a field's name.
    pub(super) fn path(&mut self, name: &str) -> Result<Path, SyntaxError> {
        let mut path = Path { field: (name != "_").then(|| name.into()), steps: Vec::new() };
        loop {
            let start = self.at;
            match self.peek() {
                Some('.') => {
                    self.at += 1;
                    let key = match self.peek() {
                        Some('\'' | '"') => Some(self.text()?),
                        _ => self.name().map(EcoString::from),
                    };
                    let key = key.ok_or_else(|| {
                        let error = SyntaxError::new("a key is expected after '.'", Span::new(start, self.at));
                        error.help("an index is written [0], any other key ['so']")
                    })?;
                    path.steps.push(Step::Key(key));
                }
                Some('[') => {
                    self.at += 1;
                    path.steps.push(self.step(start)?);
                }
                _ => return Ok(path),
            }
        }
    }

    /// Behind a `[`.
    fn step(&mut self, start: usize) -> Result<Step, SyntaxError> {
        let step = match self.peek() {
            Some('\'' | '"') => Some(Step::Key(self.text()?)),
            Some('-' | '0'..='9') => {
                let digits = self.rest().find(']').and_then(|end| self.rest().get(..end)).unwrap_or_default();
                self.at += digits.len();
                digits.parse().ok().map(Step::Index)
            }
            _ => self.name().map(|key| Step::Key(key.into())),
        };
        match step {
            Some(step) if self.rest().starts_with(']') => {
                self.at += 1;
                Ok(step)
            }
            Some(_) | None => {
                let error = SyntaxError::new("no key or index can be read here", Span::new(start, self.at));
                Err(error.help("write [0], [key] or ['any key']"))
            }
        }
    }

    /// A text in either quotes.
    pub(super) fn text(&mut self) -> Result<EcoString, SyntaxError> {
        let start = self.at;
        let mut text = EcoString::new();
        let mut letters = self.rest().chars();
        let quote = letters.next();
        self.at += 1;
        while let Some(letter) = letters.next() {
            self.at += letter.len_utf8();
            if Some(letter) == quote {
                return Ok(text);
            }
            if letter == '\\'
                && let Some(escaped @ ('\'' | '"' | '\\')) = letters.clone().next()
            {
                letters.next();
                self.at += 1;
                text.push(escaped);
            } else {
                text.push(letter);
            }
        }
        Err(SyntaxError::new("the text has no closing quote", Span::new(start, self.text.len())))
    }

    /// A number as JSON spells it.
    pub(super) fn number(&mut self) -> Result<EcoString, SyntaxError> {
        let start = self.at;
        let inside = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-' | '+');
        let length = self.rest().find(|letter| !inside(letter)).unwrap_or(self.rest().len());
        let word = self.rest().get(..length).unwrap_or_default();
        self.at += length;
        if is_number(word) {
            return Ok(word.into());
        }
        let error = SyntaxError::new(format!("'{word}' is no number"), Span::new(start, self.at));
        Err(error.help("numbers are written as in JSON, whole ones in 64 bits; texts go in quotes"))
    }
}

/// As JSON spells numbers: whole ones in 64 bits, others finite.
pub(crate) fn is_number(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match word.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (word, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let unsigned = whole.strip_prefix('-').unwrap_or(whole);
    let spelled = digits(unsigned)
        && (unsigned == "0" || !unsigned.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)));
    if fraction.is_none() && exponent.is_none() {
        spelled && word.parse::<i64>().is_ok()
    } else {
        spelled && word.parse::<f64>().is_ok_and(f64::is_finite)
    }
}

fn name_length(text: &str) -> usize {
    let part = |text: &str| {
        if !text.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_') {
            return 0;
        }
        text.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(text.len())
    };
    let mut length = part(text);
    while length > 0
        && let Some(next) = text.get(length..).and_then(|rest| rest.strip_prefix('-')).map(part)
        && next > 0
    {
        length += 1 + next;
    }
    length
}
