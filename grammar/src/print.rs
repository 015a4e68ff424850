//! The canonical line: how every node of the tree displays. Read again it gives the same tree.
//!
//! Deliberately absent: any knowledge of the text that was typed. What prints is what was understood.

use std::fmt::{self, Display, Formatter, Write};

use crate::ast::{
    Block, Item, Joint, Line, Name, Parameter, Part, Path, Pipeline, Redirect, RedirectKind, Stage, Step, Target, Word,
};
use crate::line::{is_plain, repair};

impl Display for Line {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.first.fmt(f)?;
        for (joint, pipeline) in &self.rest {
            f.write_str(match joint {
                Joint::And => " && ",
                Joint::Or => " || ",
            })?;
            pipeline.fmt(f)?;
        }
        Ok(())
    }
}

impl Display for Pipeline {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, stage) in self.stages.iter().enumerate() {
            if index > 0 {
                f.write_str(" | ")?;
            }
            stage.fmt(f)?;
        }
        if let Some(redirect) = &self.redirect {
            f.write_char(' ')?;
            redirect.fmt(f)?;
        }
        Ok(())
    }
}

impl Display for Stage {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)?;
        for item in &self.items {
            f.write_char(' ')?;
            item.fmt(f)?;
        }
        Ok(())
    }
}

impl Display for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Display for Item {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => word.fmt(f),
            Self::Block(block) => block.fmt(f),
        }
    }
}

impl Display for Block {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{{ {} }}", self.line)
    }
}

impl Display for Redirect {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            RedirectKind::One => ">",
            RedirectKind::Many => "*>",
        })?;
        for target in &self.targets {
            f.write_char(' ')?;
            target.fmt(f)?;
        }
        Ok(())
    }
}

impl Display for Target {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here => f.write_str("here"),
            Self::Me => f.write_str("me"),
            Self::Thread => f.write_str("thread"),
            Self::Room(room) => write!(f, "#{room}"),
            Self::User(user) => write!(f, "@{user}"),
            Self::Place { adapter, place } => write!(f, "{adapter}://{place}"),
        }
    }
}

impl Display for Word {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut parts = self.parts.as_slice();
        while let [first, rest @ ..] = parts {
            if !first.is_quoted() {
                part(first, rest.first(), f)?;
                parts = rest;
                continue;
            }
            let end = parts.iter().position(|part| !part.is_quoted()).unwrap_or(parts.len());
            let (run, rest) = parts.split_at(end);
            quoted_run(run, f)?;
            parts = rest;
        }
        Ok(())
    }
}

/// A run of quoted parts: in single quotes if it can stand there as it is, else in double quotes.
fn quoted_run(run: &[Part], f: &mut Formatter<'_>) -> fmt::Result {
    if let [Part::Text { text, .. }] = run
        && !text.chars().any(|letter| letter == '\'' || repair::is_escaped(letter))
    {
        return write!(f, "'{text}'");
    }
    f.write_char('"')?;
    for (index, one) in run.iter().enumerate() {
        part(one, run.get(index + 1), f)?;
    }
    f.write_char('"')
}

/// One part, between the quotes when it is quoted. `next` is what follows in the same word.
fn part(part: &Part, next: Option<&Part>, f: &mut Formatter<'_>) -> fmt::Result {
    match part {
        Part::Text { text, quoted: false } => f.write_str(text),
        Part::Text { text, quoted: true } => escaped(text, f),
        Part::Reference { path, quoted } if goes_on(next, *quoted) => {
            f.write_str("${")?;
            print_path(path, *quoted, f)?;
            f.write_char('}')
        }
        Part::Reference { path, quoted } => {
            f.write_char('$')?;
            print_path(path, *quoted, f)
        }
        Part::Percent { .. } => f.write_str("%s"),
        Part::Substitution { line, .. } => write!(f, "$({line})"),
        Part::Parameter { which: Parameter::Nth(n), .. } => write!(f, "${n}"),
        Part::Parameter { which: Parameter::All, .. } => f.write_str("$*"),
    }
}

/// Whether the letter after a reference could be read as more of it.
fn goes_on(next: Option<&Part>, quoted: bool) -> bool {
    match next {
        Some(Part::Text { text, quoted: next }) if *next == quoted => {
            text.starts_with(|letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.' | '['))
        }
        Some(
            Part::Text { .. }
            | Part::Reference { .. }
            | Part::Percent { .. }
            | Part::Substitution { .. }
            | Part::Parameter { .. },
        )
        | None => false,
    }
}

/// Text inside double quotes.
fn escaped(text: &str, f: &mut Formatter<'_>) -> fmt::Result {
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' | '"' | '$' => write!(f, "\\{letter}")?,
            '%' if letters.peek() == Some(&'s') => f.write_str("\\u{25}")?,
            letter => escaped_letter(letter, f)?,
        }
    }
    Ok(())
}

/// A letter that is no mark of its own inside double quotes.
fn escaped_letter(letter: char, f: &mut Formatter<'_>) -> fmt::Result {
    match letter {
        '\n' => f.write_str("\\n"),
        '\t' => f.write_str("\\t"),
        letter if repair::is_escaped(letter) => write!(f, "\\u{{{:x}}}", u32::from(letter)),
        letter => f.write_char(letter),
    }
}

/// As a command takes it: `a.b[0]['any key']`.
impl Display for Path {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        print_path(self, false, f)
    }
}

fn print_path(path: &Path, quoted: bool, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_str(path.field.as_deref().unwrap_or("_"))?;
    for step in &path.steps {
        match step {
            Step::Index(index) => write!(f, "[{index}]")?,
            Step::Key(key) if is_plain(key) => write!(f, ".{key}")?,
            Step::Key(key) => {
                f.write_char('[')?;
                print_key(key, quoted, f)?;
                f.write_char(']')?;
            }
        }
    }
    Ok(())
}

/// A key in quotes. Inside double quotes it stands in single ones and has the escapes of those around it; outside, it
/// is literal in single quotes where that is possible.
fn print_key(key: &str, inside_quotes: bool, f: &mut Formatter<'_>) -> fmt::Result {
    let literal = !key.chars().any(|letter| letter == '\'' || repair::is_escaped(letter));
    if literal && !inside_quotes {
        return write!(f, "'{key}'");
    }
    let mark = if inside_quotes { '\'' } else { '"' };
    f.write_char(mark)?;
    for (at, letter) in key.char_indices() {
        let tail = &key[at + letter.len_utf8()..];
        match letter {
            '\'' if inside_quotes => f.write_str("\\u{27}")?,
            '"' if !inside_quotes => f.write_str("\\\"")?,
            // a backslash is itself, but before what would make an escape of it
            '\\' if begins_escape(tail) || (tail.is_empty() && !inside_quotes) => f.write_str("\\\\")?,
            letter => escaped_letter(letter, f)?,
        }
    }
    f.write_char(mark)
}

/// Whether a backslash before this, as it will be printed, would be read as an escape.
fn begins_escape(tail: &str) -> bool {
    tail.starts_with("u{")
        || tail.starts_with(|letter: char| {
            matches!(letter, '\\' | '"' | '$' | 'n' | 't' | '\'') || repair::is_escaped(letter)
        })
}
