//! The arguments of a program, from the manifest's `run` and a bound call.
//!
//! `{NAME}` stands for the value of a parameter or of an option, `{--flag}` for a flag. An element whose parameter is
//! absent is left out; one whose parameter has several values comes once for each. A value is never split and never
//! read again: it stays one argument, also when it begins with a dash. A program that would take such a value for an
//! option is given `--` before it in the manifest.

use pipit_commands::{Call, Value};
use pipit_grammar::usage::Usage;

/// An element of `run`: pieces that are glued together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// The values of a parameter, or of the options whose value has that name.
    Name(String),
    /// A flag by its long (else short) name, and as it is typed.
    Flag(String, String),
}

impl Template {
    /// Reads an element; every name must be one of the usage.
    pub(super) fn read(text: &str, usage: &Usage) -> Result<Self, String> {
        if text.contains('\0') {
            return Err("an argument cannot hold a NUL character".into());
        }
        let mut pieces = Vec::new();
        let mut several = 0;
        let mut rest = text;
        while let Some((before, inside, after)) = placeholder(rest) {
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            let (piece, many) = piece(inside, usage)?;
            several += usize::from(many);
            pieces.push(piece);
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        if several > 1 {
            return Err("two names in one element can both have several values; give each its own element".into());
        }
        Ok(Self(pieces))
    }

    /// The argument that every call makes of it; none when it depends on the call.
    pub(super) fn fixed(&self) -> Option<String> {
        let text = |piece: &Piece| match piece {
            Piece::Text(text) => Some(text.clone()),
            Piece::Name(_) | Piece::Flag(..) => None,
        };
        self.0.iter().map(text).collect()
    }

    /// The arguments that a call makes of it: none, one, or one for each value.
    pub(super) fn fill(&self, call: &Call) -> Vec<String> {
        let mut made = vec![String::new()];
        for piece in &self.0 {
            let values = match piece {
                Piece::Text(text) => vec![text.clone()],
                Piece::Name(name) => texts(call, name),
                Piece::Flag(key, typed) => call.all(key).iter().map(|_| typed.clone()).collect(),
            };
            made = made.iter().flat_map(|head| values.iter().map(move |value| format!("{head}{value}"))).collect();
        }
        made
    }
}

fn texts(call: &Call, name: &str) -> Vec<String> {
    let usage = &call.command().spec().usage;
    let args: Vec<&Value> = if usage.params.iter().any(|param| param.name == name) {
        call.all(name).iter().map(|arg| &arg.value).collect()
    } else {
        let options = usage.options.iter().filter(|option| option.value.as_deref() == Some(name));
        options.flat_map(|option| call.all(&option.key())).map(|arg| &arg.value).collect()
    };
    args.into_iter().map(|value| value.to_text().to_string()).collect()
}

/// The first `{NAME}` or `{--flag}`: what is before, inside and behind. Other braces are text.
fn placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(open) = text[from..].find('{').map(|at| at + from) {
        let inside = &text[open + 1..];
        if let Some((name, after)) = inside.split_once('}')
            && is_name(name)
        {
            return Some((&text[..open], name, after));
        }
        from = open + 1;
    }
    None
}

fn is_name(name: &str) -> bool {
    let rest = |name: &str, first: fn(char) -> bool, other: fn(char) -> bool| {
        name.starts_with(first) && name.chars().all(other)
    };
    match name.strip_prefix('-') {
        Some(option) => rest(
            option.strip_prefix('-').unwrap_or(option),
            |c| c.is_ascii_alphanumeric(),
            |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'),
        ),
        None => rest(
            name,
            |c| c.is_ascii_uppercase(),
            |c| c.is_ascii_uppercase() || c.is_ascii_digit() || matches!(c, '-' | '_'),
        ),
    }
}

fn piece(name: &str, usage: &Usage) -> Result<(Piece, bool), String> {
    if name.starts_with('-') {
        let bare = name.trim_start_matches('-');
        let found = usage.options.iter().find(|option| {
            if name.starts_with("--") {
                option.long.as_deref() == Some(bare)
            } else {
                option.short.is_some_and(|short| bare == short.to_string())
            }
        });
        return match found {
            None => Err(format!("{{{name}}} names no option of the usage")),
            Some(option) => match &option.value {
                None => Ok((Piece::Flag(option.key().to_string(), name.to_owned()), option.many)),
                Some(value) => Err(format!("{name} has a value; write {name}={{{value}}}")),
            },
        };
    }
    if let Some(param) = usage.params.iter().find(|param| param.name == name && param.literals.is_empty()) {
        return Ok((Piece::Name(name.to_owned()), param.many));
    }
    let named: Vec<_> = usage.options.iter().filter(|option| option.value.as_deref() == Some(name)).collect();
    if named.is_empty() {
        return Err(format!("{{{name}}} names no parameter of the usage"));
    }
    Ok((Piece::Name(name.to_owned()), named.len() > 1 || named.iter().any(|option| option.many)))
}
