//! Any bytes as the condition of `where`, quoted and as a word. See `README.md` for what this proves.
#![no_main]

#[path = "../checks/grammar.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|text: &str| checks::expression(text));
