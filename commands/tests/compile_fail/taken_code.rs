//! The code of a command cannot be taken out of it.
use pipit_commands::Command;

fn around(command: &Command) {
    let _code = &command.0.code;
}

fn main() {}
