//! Pipit.
#[cfg_attr(not(test), expect(dead_code, reason = "the engine is not wired to it yet"))]
mod chat;

fn main() {}
