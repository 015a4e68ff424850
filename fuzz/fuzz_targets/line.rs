//! Any bytes as a typed line, the line of an alias and a path. See `README.md` for what this proves.
#![no_main]

#[path = "../checks/grammar.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|text: &str| checks::line(text));
