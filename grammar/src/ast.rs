//! The tree of a line. Every node owns its text, so that a tree can outlive the message it came from (an alias, a
//! block that runs later), and knows where it stood. `Display` prints the canonical line, which parses to the same tree.

use ecow::EcoString;

use crate::span::Span;

/// Pipelines joined by `&&` and `||`, which bind alike, from the left.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The pipeline that always runs.
    pub first: Pipeline,
    /// The others, each with what joins it to the one before.
    pub rest: Vec<(Joint, Pipeline)>,
}

/// What stands between two pipelines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joint {
    /// `&&`: run when what came before succeeded.
    And,
    /// `||`: run when what came before failed.
    Or,
}

/// Stages joined by `|`, at least one, and where the values go.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    /// At least one stage.
    pub stages: Vec<Stage>,
    /// `> place` or `*> place …`.
    pub redirect: Option<Redirect>,
}

/// A command's name, its words and its blocks.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// The first word: always literal.
    pub name: Name,
    /// What follows, in order.
    pub items: Vec<Item>,
    /// From the name to the last item.
    pub span: Span,
}

/// `command` or `bundle:command`, or `!!`.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    /// As typed.
    pub text: EcoString,
    /// Where.
    pub span: Span,
}

/// A word or a block of a stage.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A word.
    Word(Word),
    /// `{ line }`.
    Block(Block),
}

/// `{ line }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// What runs.
    pub line: Line,
    /// With the braces.
    pub span: Span,
}

/// Parts glued together. An empty quoted word has one empty quoted text.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    /// At least one part. Neighbouring texts of the same kind are one part.
    pub parts: Vec<Part>,
    /// Where.
    pub span: Span,
}

/// A piece of a word.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// Literal text, escapes undone.
    Text {
        /// The text.
        text: EcoString,
        /// Whether it stood in quotes (or behind a backslash).
        quoted: bool,
    },
    /// `$name.path`, `$_`, `${…}`.
    Reference {
        /// What is looked up in the incoming value.
        path: Path,
        /// Whether it stood in double quotes.
        quoted: bool,
    },
    /// `%s`: the text of the incoming value.
    Percent {
        /// Whether it stood in double quotes.
        quoted: bool,
    },
    /// `$( line )` or `` `line` ``.
    Substitution {
        /// What runs.
        line: Box<Line>,
        /// Whether it stood in double quotes.
        quoted: bool,
        /// With its delimiters.
        span: Span,
    },
    /// `$1`…`$9` and `$*`, in the line of an alias only.
    Parameter {
        /// Which of the caller's words.
        which: Parameter,
        /// Whether it stood in double quotes.
        quoted: bool,
    },
}

/// A parameter in the line of an alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// `$1`…`$9`: the caller's word of that number.
    Nth(u8),
    /// `$*`: all the caller's words.
    All,
}

/// A place inside a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    /// The field of the value; none for the value itself (`$_`).
    pub field: Option<EcoString>,
    /// Further in.
    pub steps: Vec<Step>,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// `.key`, `[key]`, `['any key']`.
    Key(EcoString),
    /// `[0]`; negative counts from the end.
    Index(i64),
}

/// Where a pipeline's values go.
#[derive(Clone, Debug, PartialEq)]
pub struct Redirect {
    /// `>` or `*>`.
    pub kind: RedirectKind,
    /// One for `>`, one or more for `*>`.
    pub targets: Vec<Target>,
    /// From the operator to the last target.
    pub span: Span,
}

/// The two operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectKind {
    /// `>`: one place.
    One,
    /// `*>`: several.
    Many,
}

/// A place to post to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// The room where the line was typed.
    Here,
    /// A direct message to the caller.
    Me,
    /// The thread of the line.
    Thread,
    /// `#room`, without the `#`.
    Room(EcoString),
    /// `@user`, without the `@`.
    User(EcoString),
    /// `adapter://place`.
    Place {
        /// The chat service's name.
        adapter: EcoString,
        /// What follows `://`.
        place: EcoString,
    },
}

impl Part {
    /// Whether it stood in quotes.
    pub(crate) fn is_quoted(&self) -> bool {
        match self {
            Self::Text { quoted, .. }
            | Self::Reference { quoted, .. }
            | Self::Percent { quoted }
            | Self::Substitution { quoted, .. }
            | Self::Parameter { quoted, .. } => *quoted,
        }
    }
}

impl Name {
    /// The part before the colon.
    pub fn bundle(&self) -> Option<&str> {
        self.text.split_once(':').map(|(bundle, _)| bundle)
    }

    /// The part after the colon, or the whole.
    pub fn command(&self) -> &str {
        self.text.split_once(':').map_or(self.text.as_str(), |(_, command)| command)
    }
}

impl Line {
    /// The pipelines in order.
    pub fn pipelines(&self) -> impl Iterator<Item = &Pipeline> {
        std::iter::once(&self.first).chain(self.rest.iter().map(|(_, pipeline)| pipeline))
    }
}

impl Word {
    /// The text, if the word is one bare text and nothing else.
    pub fn bare(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [Part::Text { text, quoted: false }] => Some(text),
            _ => None,
        }
    }

    /// The text, if nothing in the word has to be looked up.
    pub fn literal(&self) -> Option<EcoString> {
        let mut whole = EcoString::new();
        for part in &self.parts {
            match part {
                Part::Text { text, .. } => whole.push_str(text),
                Part::Reference { .. } | Part::Percent { .. } | Part::Substitution { .. } | Part::Parameter { .. } => {
                    return None;
                }
            }
        }
        Some(whole)
    }
}

/// Whether a text could stand as a name: `letter {letter digit _ -}`, once or twice with one `:` between.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    };
    match text.split_once(':') {
        None => part(text),
        Some((bundle, command)) => part(bundle) && part(command),
    }
}
