//! External commands: reading manifests, installing folders, and running programs as commands.
//!
//! The only room that starts a process. Deliberately absent: rights (a program is only ever reached through a judged
//! call), chat, and the network.

mod argv;
pub mod check;
mod contain;
mod control;
pub mod fault;
mod field;
mod folder;
pub mod install;
pub mod manifest;
mod output;
mod process;
mod runner;
mod sweep;
mod watch;
mod yaml;

#[cfg(test)]
mod tests;

pub use check::{Checked, check};
pub use contain::contain;
pub use fault::Fault;
pub use manifest::Manifest;
pub use process::{Ready, Settings, commands};
pub use runner::Runner;
