//! Templates of Cog's bundles: text with tags between tildes, filled with a command's results.
//!
//! What a template makes is Markdown; what it is filled with is data and never read as Markdown, nor as a template. Where
//! Cog's reader was in the way of what people write (a `%` could not be written, an address lost what came after its
//! `#`), this one reads what they meant. Deliberately absent: how the result is drawn ([`super::rich`]).

mod condition;
mod fill;
mod read;

use pipit_commands::Value;

use super::rich::Piece;

/// The longest template, in bytes.
const LONGEST: usize = 64 * 1024;
/// How deep tags may stand in each other.
const DEPTH: usize = 16;
/// How many nodes may be filled in for one answer.
const STEPS: usize = 50_000;
/// The largest text that it may make, in bytes.
const LARGEST: usize = 1 << 20;

/// A template that can be filled in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Greenbar(Vec<Node>);

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// The byte of the text at which it was seen.
    pub(crate) at: usize,
    /// What is wrong, and what would be right.
    pub(crate) why: String,
}

impl Unreadable {
    /// Where in a text it is, and why.
    pub(crate) fn to_string(&self, text: &str) -> String {
        let before = text.get(..self.at).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("in line {line} of the template, at letter {column}: {}", self.why)
    }
}

impl Greenbar {
    /// Reads a template of at most 64 KiB, with tags in each other at most 16 deep.
    pub(crate) fn read(text: &str) -> Result<Self, Unreadable> {
        if text.len() > LONGEST {
            let why = format!("a template has at most {LONGEST} bytes, this one has {}", text.len());
            return Err(Unreadable { at: LONGEST, why });
        }
        read::nodes(text).map(Self)
    }

    /// Fills it with results, which it knows as `$results`. What would take too long or grow too large ends with a
    /// remark.
    pub(crate) fn fill(&self, results: &[Value]) -> Vec<Piece> {
        fill::pieces(&self.0, results)
    }
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq)]
enum Node {
    /// Markdown.
    Text(String),
    /// The text of a value.
    Show(Term),
    /// How many a value has.
    Count(Term),
    /// A value as JSON, its letters under each other.
    Json(Term),
    /// The end of a line.
    Break,
    /// What stands in it, if a condition holds.
    If(Condition, Vec<Node>),
    /// What stands in it, for each of a value's.
    Each { of: Term, name: String, body: Vec<Node> },
    /// What stands in it, for each of a value's, with something between them.
    Join { of: Term, with: String, name: String, body: Vec<Node> },
    /// A part that stands out, with a head and fields.
    Attachment { with: Vec<(String, Given)>, body: Vec<Node> },
}

/// A value, or how many it has.
#[derive(Clone, Debug, PartialEq)]
enum Term {
    /// `$name.field[0]`
    Value(Reference),
    /// `length($name)`
    Length(Reference),
}

/// `$name.field[0]`
#[derive(Clone, Debug, PartialEq)]
struct Reference {
    name: String,
    path: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Field(String),
    Item(i64),
}

/// What an attribute is given.
#[derive(Clone, Debug, PartialEq)]
enum Given {
    Term(Term),
    Literal(Value),
}

#[derive(Clone, Debug, PartialEq)]
enum Condition {
    Compares(Term, Comparison, Value),
    Is(Term, State),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Empty,
    NotEmpty,
    Bound,
    NotBound,
}

#[cfg(test)]
mod tests;
