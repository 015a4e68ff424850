//! Pipit.
#![forbid(unsafe_code)]

#[cfg(test)]
mod access;

fn main() {}
