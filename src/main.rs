//! Pipit.
#![allow(dead_code, unused_imports, reason = "the rooms above are not wired yet")]
mod audit;
mod store;

fn main() {}
