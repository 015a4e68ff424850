//! Any bytes as a usage line. See `README.md` for what this proves.
#![no_main]

#[path = "../checks/grammar.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|text: &str| checks::usage(text));
