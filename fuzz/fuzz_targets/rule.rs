//! Any bytes as an access rule. See `README.md` for what this proves.
#![no_main]

#[path = "../checks/grammar.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|text: &str| checks::rule(text));
