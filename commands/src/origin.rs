//! What a program may know of the line it runs for, and what it may say beside its values.
//!
//! Deliberately absent: rights, and anything that names a chat service's own ids.

use ecow::EcoString;

/// Where a line comes from, as far as a program is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The name of the user whose line it is; the account of one that is linked to no user; `?` and a nick for somebody
    /// whom nobody verified.
    pub user: EcoString,
    /// `#ops`, or `dm` for a direct message and the console.
    pub room: EcoString,
    /// By which adapter it came: `irc`, `console`.
    pub adapter: EcoString,
    /// The line's id in the audit log.
    pub line: EcoString,
}

/// Something that a running command says beside its values. Texts are as the program wrote them: hostile.
#[derive(Clone, Debug, PartialEq)]
pub enum Note {
    /// How far it is.
    Progress {
        /// From 0 to 1, when it knows.
        part: Option<f64>,
        /// What it is at.
        text: EcoString,
    },
    /// A remark for the log of the line.
    Log {
        /// How much it matters.
        level: Level,
        /// The remark.
        text: EcoString,
    },
    /// The template of its bundle that shows its values.
    Template(EcoString),
}

/// How much a remark matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For whoever wrote the program.
    Debug,
    /// For the log.
    Info,
    /// For whoever typed the line: what is shown is not all, or not as it was.
    Warn,
    /// The same, and something went wrong.
    Error,
}
