//! The binary `pipit`: opens the rooms of the shell and waits.
#![forbid(unsafe_code)]

use std::process::ExitCode;

mod access;
mod audit;
mod bundle;
mod chat;
mod cli;
mod config;
mod engine;
mod limits;
#[cfg(test)]
#[path = "../fuzz/checks/mutate.rs"]
mod mutate;
mod net;
mod render;
mod scrub;
mod seal;
mod services;
mod store;

/// Streams are batches of small values that are made and dropped in turn, which it does several times faster than the
/// system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // before any thread exists: the shell starts itself to hold a program, and to run one in the jq language
    if let Some(code) = bundle::contain().or_else(bundle::confined::worker) {
        return code;
    }
    cli::main()
}
