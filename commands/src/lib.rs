//! Values, streams and the built-in commands.
//!
//! Deliberately absent: chat, disk, network, and any clock or chance of its own: what a command needs of the world it
//! asks of the shell that runs it.
#![forbid(unsafe_code)]

mod value;

pub use value::{DEPTH, Record, Value};
