//! Pipit.
#![allow(dead_code)]
mod audit;
mod store;

fn main() {}
