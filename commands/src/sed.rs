//! `s/re/new/flags`, the one command of sed that people type. Deliberately absent: the others.

use ecow::EcoString;
use regex::{Captures, Regex};

use crate::Error;
use crate::error::shown;
use crate::pattern::regex;

/// A substitution that is ready.
pub(crate) struct Script {
    pattern: Regex,
    new: Vec<Piece>,
    everywhere: bool,
}

/// A piece of what is put in.
enum Piece {
    Text(String),
    /// `&` is 0, `\1` is 1.
    Group(usize),
}

impl Script {
    /// Reads `s/re/new/`, with any delimiter, and the flags `g` and `i`.
    pub(crate) fn read(text: &str) -> Result<Self, Error> {
        let unreadable = || {
            Error::failed(format!("{} is no s/re/new/", shown(text)))
                .help("the delimiter comes three times; flags are g and i")
        };
        let mut letters = text.strip_prefix('s').ok_or_else(unreadable)?.chars();
        let delimiter = letters.next().filter(|letter| !matches!(letter, '\\' | '\n')).ok_or_else(unreadable)?;
        let (pattern, rest) = until(letters.as_str(), delimiter).ok_or_else(unreadable)?;
        let (new, flags) = until(rest, delimiter).ok_or_else(unreadable)?;
        let known = |flags: &str| flags.chars().all(|flag| matches!(flag, 'g' | 'i'));
        if !known(flags) || flags.matches('g').count() > 1 || flags.matches('i').count() > 1 {
            return Err(Error::failed(format!("{} are no flags of s/re/new/", shown(flags))).help("flags are g and i"));
        }
        // behind a backslash the delimiter is a plain letter, whatever it would mean in a pattern
        let pattern = pattern.replace(&format!("\\{delimiter}"), &regex::escape(delimiter.encode_utf8(&mut [0; 4])));
        let pattern = regex(&pattern, flags.contains('i'))?;
        let new = pieces(new, delimiter);
        let most = new.iter().map(|piece| if let Piece::Group(group) = piece { *group } else { 0 }).max();
        if let Some(group) = most.filter(|group| *group >= pattern.captures_len()) {
            return Err(Error::failed(format!("\\{group} of {} is no group of its pattern", shown(text))));
        }
        Ok(Self { pattern, new, everywhere: flags.contains('g') })
    }

    /// The text with what was found replaced.
    pub(crate) fn apply(&self, text: EcoString) -> Result<EcoString, Error> {
        if !self.pattern.is_match(&text) {
            return Ok(text);
        }
        let limit = usize::from(!self.everywhere);
        let mut room = crate::limits::TEXT.saturating_sub(text.len());
        let mut full = false;
        let put_in = |found: &Captures<'_>| {
            let mut new = String::new();
            if full {
                return new;
            }
            for piece in &self.new {
                match piece {
                    Piece::Text(text) => new.push_str(text),
                    Piece::Group(group) => new.push_str(found.get(*group).map_or("", |group| group.as_str())),
                }
            }
            full = new.len() > room;
            room = room.saturating_sub(new.len());
            new
        };
        let replaced = self.pattern.replacen(&text, limit, put_in);
        if full { crate::limits::text(usize::MAX).map(|()| text.clone()) } else { Ok(replaced.into()) }
    }
}

/// What stands before the delimiter, and what behind it; one behind a backslash does not count.
fn until(text: &str, delimiter: char) -> Option<(&str, &str)> {
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        if !escaped && letter == delimiter {
            return Some((text.get(..at)?, text.get(at + letter.len_utf8()..)?));
        }
        escaped = !escaped && letter == '\\';
    }
    None
}

fn pieces(new: &str, delimiter: char) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut letters = new.chars();
    while let Some(letter) = letters.next() {
        let group = match letter {
            '&' => Some(0),
            '\\' => match letters.next() {
                Some(digit @ '0'..='9') => digit.to_digit(10).and_then(|digit| usize::try_from(digit).ok()),
                Some('n') if delimiter != 'n' => {
                    text.push('\n');
                    None
                }
                Some('t') if delimiter != 't' => {
                    text.push('\t');
                    None
                }
                other => {
                    text.push(other.unwrap_or('\\'));
                    None
                }
            },
            other => {
                text.push(other);
                None
            }
        };
        if let Some(group) = group {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
            pieces.push(Piece::Group(group));
        }
    }
    pieces.push(Piece::Text(text));
    pieces
}
