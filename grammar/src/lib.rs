//! Text to tree: the command language, the access language, conditions and usage lines.
//!
//! Deliberately absent: any command, any user, any I/O, anything asynchronous. A text goes in and a tree or a
//! [`SyntaxError`] comes out; every tree prints back the canonical text it was parsed from.
#![forbid(unsafe_code)]

pub mod ast;
pub mod cursor;
mod error;
pub mod expr;
pub mod limits;
mod line;
mod print;
pub mod rule;
mod span;
pub mod usage;

pub use error::SyntaxError;
pub use line::repair::is_escaped;
pub use line::{parse, parse_alias, parse_path, parse_place};
pub use span::Span;
