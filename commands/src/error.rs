//! One shape for every way a line can end badly.

use std::fmt;

use ecow::EcoString;
use pipit_grammar::{Span, SyntaxError};

/// Why a line, a stage or a value did not go on. Cheap to move: the parts are behind one pointer.
#[derive(Clone, Debug)]
pub struct Error(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    kind: ErrorKind,
    message: String,
    help: Option<String>,
    stage: Option<String>,
    span: Option<Span>,
    wanted: Option<Wanted>,
}

/// A word that a line lacks and that could be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The command, as one types it.
    pub command: EcoString,
    /// The parameter or option, as in the usage: `HOST`, `--env`.
    pub name: EcoString,
    /// The option that has to stand before the value.
    pub option: Option<EcoString>,
    /// Whether it takes several words.
    pub many: bool,
    /// Whether it proves something to whoever knows it: nobody is asked for it where others read along.
    pub secret: bool,
    /// The texts that it may be, when it may be those only.
    pub one_of: Vec<EcoString>,
}

/// What an error means for the line; `pipit run` ends with [`ErrorKind::exit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Seen from the line alone, before anything ran.
    Refused,
    /// A command failed while running. Only this can be caught by `try` and `||`.
    Failed,
    /// A call was cut short, and nobody can say whether it took effect. Nothing catches this: whoever asked looks first.
    Unknown,
    /// Not allowed.
    Denied,
    /// Waits for somebody.
    Parked,
    /// The shell itself is not available (the audit log cannot be written).
    Unavailable,
    /// Ended on purpose (`abort-when`): what had passed is shown and all is well.
    Stopped,
}

impl ErrorKind {
    /// The exit code of `pipit run`.
    #[must_use]
    pub fn exit(self) -> u8 {
        match self {
            Self::Stopped => 0,
            Self::Failed | Self::Unknown => 1,
            Self::Refused => 2,
            Self::Denied => 3,
            Self::Parked => 4,
            Self::Unavailable => 5,
        }
    }
}

impl Error {
    /// An error of a kind. The message is lower case, without a full stop.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Parts { kind, message: message.into(), help: None, stage: None, span: None, wanted: None }))
    }

    /// A command failed while running.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Failed, message)
    }

    /// The line is refused before anything ran.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Refused, message)
    }

    /// What to do now.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// The place in the line, unless an inner one is known already.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.0.span.get_or_insert(span);
        self
    }

    /// The stage that failed, unless an inner one is known already.
    #[must_use]
    pub fn in_stage(mut self, stage: &str) -> Self {
        self.0.stage.get_or_insert_with(|| stage.to_owned());
        self
    }

    /// The line lacks this; added at the end of the stage it makes the line whole.
    #[must_use]
    pub fn wants(mut self, wanted: Wanted) -> Self {
        self.0.wanted = Some(wanted);
        self
    }

    /// Nothing is to be asked: where the word would go is not in the line that was typed.
    #[must_use]
    pub fn wants_nothing(mut self) -> Self {
        self.0.wanted = None;
        self
    }

    /// What the line lacks, when that is what is wrong with it.
    #[must_use]
    pub fn wanted(&self) -> Option<&Wanted> {
        self.0.wanted.as_ref()
    }

    /// The same error as another kind: what is a refusal of a literal is a failure for a value that came out of a run.
    #[must_use]
    pub fn as_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// What it means for the line.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether there is something to say: a quiet stop says nothing.
    #[must_use]
    pub fn exits_loudly(&self) -> bool {
        self.0.kind != ErrorKind::Stopped || !self.0.message.is_empty()
    }

    /// What is wrong.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do now.
    #[must_use]
    pub fn help_text(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// The stage that failed.
    #[must_use]
    pub fn stage(&self) -> Option<&str> {
        self.0.stage.as_deref()
    }

    /// The place in the line.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        self.0.span
    }
}

/// A text as an error shows it: quoted, and cut where it is long.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}…", text.get(..end).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(stage) = &self.0.stage {
            write!(f, "{stage}: ")?;
        }
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}

impl From<SyntaxError> for Error {
    fn from(error: SyntaxError) -> Self {
        let refused = Self::refused(error.message).at(error.span);
        match error.help {
            Some(help) => refused.help(help),
            None => refused,
        }
    }
}
