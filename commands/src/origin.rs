//! What a program may know of the line it runs for, and what it may say beside its values.
//!
//! Deliberately absent: rights, and anything that names a chat service's own ids.

use std::fmt;
use std::sync::Arc;

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
    /// The name by which the chat service shows them; the same as `user` where there is none.
    pub handle: EcoString,
}

/// With what the programs of a command reach the shell's services while their line runs.
#[derive(Clone, PartialEq, Eq)]
pub struct Pass {
    /// The address before every path, `http://127.0.0.1:4002`.
    pub root: EcoString,
    /// What is to be shown with every request; secret.
    pub token: EcoString,
    /// The port of the address.
    pub port: u16,
}

/// Where a call stands among those of its stage, which runs once for each value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The same for all calls of the stage, and for no others.
    pub stage: EcoString,
    /// Whether no other came before it.
    pub first: bool,
    /// Whether it is known that no other comes after it.
    pub last: bool,
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
    /// A picture or a file that belongs to its values.
    Attach(Attachment),
}

/// A question of a running command's to whoever typed its line. Texts are as the program wrote them: hostile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inquiry {
    /// What is asked.
    pub text: EcoString,
    /// What may be said in answer; anything when it is empty.
    pub one_of: Vec<EcoString>,
}

/// A picture or a file beside the values of a line. Services that can show it do; the others name it.
///
/// A command that draws (`chart`) gives the picture as text for its value, and attaches the same as a picture whose `alt`
/// is that very text: where pictures are shown the picture stands in the text's place, elsewhere the text is all there
/// is, and what is piped on is the text.
#[derive(Clone)]
pub struct Attachment {
    /// A file name, such as `chart.png`: no folder, and not to be trusted to be none.
    pub name: EcoString,
    /// What it is.
    pub kind: Attached,
    /// Makes its bytes; called only where they are wanted, at most once a service.
    pub bytes: Arc<dyn Fn() -> Vec<u8> + Send + Sync>,
}

/// What an attachment is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attached {
    /// A picture in PNG.
    Picture {
        /// What it shows, in text, drawn or told.
        alt: EcoString,
    },
    /// Any file.
    File,
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attachment").field("name", &self.name).field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl PartialEq for Attachment {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.kind == other.kind && Arc::ptr_eq(&self.bytes, &other.bytes)
    }
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
