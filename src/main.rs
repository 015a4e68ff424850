//! The binary `pipit`: opens the rooms of the shell and waits.
#![forbid(unsafe_code)]

mod access;
mod audit;
mod engine;
mod limits;
mod store;

fn main() {}
