//! External commands: reading manifests, installing folders, and running programs as commands.
//!
//! The only room that starts a process. Deliberately absent: rights (a program is only ever reached through a judged
//! call), chat, and the network.

mod archive;
mod argv;
mod calls;
mod changes;
pub(crate) mod check;
mod cog;
pub(crate) mod config;
pub(crate) mod confined;
mod contain;
mod control;
pub(crate) mod develop;
pub(crate) mod fault;
mod fence;
mod field;
mod folder;
mod gate;
mod git;
mod guard;
mod hold;
mod index;
mod init;
pub(crate) mod install;
mod isolate;
mod layout;
mod lent;
mod levels;
mod loopback;
pub(crate) mod manifest;
mod output;
mod process;
mod questions;
mod quota;
mod reach;
mod remove;
mod report;
mod runner;
pub(crate) mod scaffold;
mod signature;
mod site;
mod stage;
mod sweep;
mod tail;
mod warm;
mod watch;
mod yaml;

#[cfg(test)]
mod tests;

pub(crate) use archive::{ARCHIVE, looks_like_one};
pub(crate) use changes::Changes;
pub(crate) use check::check;
pub(crate) use contain::contain;
pub(crate) use fault::Fault;
pub(crate) use folder::manifest as manifest_of;
pub(crate) use gate::Dial;
pub(crate) use index::{Listed, Sources};
pub(crate) use lent::Lent;
pub(crate) use levels::Level;
pub(crate) use manifest::Manifest;
pub(crate) use process::{Ready, commands};
pub(crate) use runner::Runner;
pub(crate) use site::ask_program;
