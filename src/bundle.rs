//! External commands: reading manifests, installing folders, and running programs as commands.
//!
//! The only room that starts a process. Deliberately absent: rights (a program is only ever reached through a judged
//! call), chat, and the network.

mod argv;
mod calls;
pub(crate) mod check;
pub(crate) mod config;
pub(crate) mod confined;
mod contain;
mod control;
pub(crate) mod fault;
mod fence;
mod field;
mod folder;
mod guard;
pub(crate) mod install;
pub(crate) mod manifest;
mod output;
mod process;
mod reach;
mod runner;
mod site;
mod sweep;
mod watch;
mod yaml;

#[cfg(test)]
mod tests;

pub(crate) use check::check;
pub(crate) use contain::contain;
pub(crate) use fault::Fault;
pub(crate) use fence::{Reached, reached};
pub(crate) use manifest::Manifest;
pub(crate) use process::{Ready, commands};
pub(crate) use runner::Runner;
pub(crate) use site::ask_program;
