//! Values, streams and the built-in commands.
//!
//! Deliberately absent: chat, disk, network, and any clock or chance of its own: what a command needs of the world it
//! asks of the shell that runs it.
#![forbid(unsafe_code)]
#![expect(
    clippy::unnecessary_wraps,
    clippy::needless_pass_by_value,
    reason = "the functions of a family's table have one signature, whether they can fail and keep the call or not"
)]

mod absent;
mod args;
pub mod bind;
mod chart;
mod choose;
mod command;
mod condition;
mod control;
mod encode;
mod error;
mod family;
mod group;
pub mod html;
mod http;
pub mod jq;
mod jsonpath;
mod key;
mod kind;
mod labels;
mod layout;
pub mod limits;
mod moment;
mod noun;
mod number;
mod order;
mod origin;
mod own;
mod parse;
mod pattern;
mod record;
mod scan;
mod sed;
mod shell;
mod sort;
mod spec;
mod stream;
mod table;
mod template;
mod text;
mod time;
mod to;
mod value;
mod values;

pub use args::{Arg, Args, Given, How};
pub use command::{Block, Call, Command, Host, Intent, Program, check};
pub use error::{Error, ErrorKind, Wanted};
pub use jsonpath::JsonPath;
pub use kind::{Kind, seconds};
pub use labels::Labels;
pub use layout::{Layout, columns, plain};
pub use moment::moment;
pub use noun::Noun;
pub use origin::{Attached, Attachment, Inquiry, Level, Note, Origin, Pass, Turn};
pub use own::{RIGHTS, is_own_namespace};
pub use shell::Verb;
pub use spec::{Effect, Example, Fill, Flow, Hand, Spec};
pub use stream::{BATCH, Batch, Stream};
pub use table::{Cell, Column, Table};
pub use template::Template;
pub use time::{point, zone};
pub use value::{DEPTH, Record, Value};

/// Every built-in command.
#[must_use]
pub fn built_ins() -> Vec<Command> {
    [
        values::families(),
        time::families(),
        choose::families(),
        order::families(),
        number::families(),
        record::families(),
        text::families(),
        encode::families(),
        table::families(),
        chart::families(),
        control::families(),
        shell::families(),
        http::families(),
    ]
    .concat()
}
