//! Values, streams and the built-in commands.
//!
//! Deliberately absent: chat, disk, network, and any clock or chance of its own: what a command needs of the world it
//! asks of the shell that runs it.
#![forbid(unsafe_code)]

mod args;
pub mod bind;
mod command;
mod error;
mod family;
mod kind;
mod origin;
mod shell;
mod stream;
mod value;

pub use args::{Arg, Args, Given, How};
pub use command::{Block, Call, Command, Effect, Example, Fill, Flow, Host, Program, Spec, check};
pub use error::{Error, ErrorKind};
pub use kind::{Kind, seconds};
pub use origin::{Level, Note, Origin};
pub use shell::Verb;
pub use stream::{BATCH, Batch, Stream};
pub use value::{DEPTH, Record, Value};

/// Every built-in command.
#[must_use]
pub fn built_ins() -> Vec<Command> {
    [shell::families()].concat()
}
