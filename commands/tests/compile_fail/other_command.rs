//! A judged call of one command does not become a call of another.
use pipit_commands::{Call, Command};

fn around(judged: Call, other: Command) -> Call {
    Call { command: other, ..judged }
}

fn main() {}
