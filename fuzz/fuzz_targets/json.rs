//! Any bytes as JSON, against another reader. See `README.md` for what this proves.
#![no_main]

#[path = "../checks/values.rs"]
mod checks;
#[path = "../../commands/tests/play/line.rs"]
mod line;

libfuzzer_sys::fuzz_target!(|text: &str| checks::json(text));
