//! A command does not run; a call of it does.
use pipit_commands::{Command, Stream};

fn around(command: Command) -> Stream {
    command.run(None)
}

fn main() {}
