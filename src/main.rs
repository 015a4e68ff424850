//! Pipit.
#![allow(dead_code, unused_imports, reason = "the rooms above are not wired yet")]
mod audit;
mod bundle;
mod store;

fn main() -> std::process::ExitCode {
    if let Some(code) = bundle::contain() {
        return code;
    }
    std::process::ExitCode::SUCCESS
}
