//! Any bytes as a line over the built-in commands. See `README.md` for what this proves.
#![no_main]

#[path = "../checks/values.rs"]
mod checks;
#[path = "../../commands/tests/play/line.rs"]
mod line;

use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};

static RUNTIME: OnceLock<Runtime> = OnceLock::new();

libfuzzer_sys::fuzz_target!(|text: &str| {
    let made = || Builder::new_current_thread().enable_time().build().unwrap_or_else(|error| panic!("{error}"));
    RUNTIME.get_or_init(made).block_on(checks::evaluation(text));
});
