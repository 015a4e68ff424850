//! The function of a built-in command has no name outside.
use pipit_commands::text::families;

fn main() {
    families();
}
