//! Nor can code be put behind the name of a built-in command.
use pipit_commands::Command;

fn main() {
    let _make = Command::built_in;
}
