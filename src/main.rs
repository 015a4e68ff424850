//! Pipit.
fn main() {}
