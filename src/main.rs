//! Pipit.
mod bundle;

fn main() -> std::process::ExitCode {
    if let Some(code) = bundle::contain() {
        return code;
    }
    std::process::ExitCode::SUCCESS
}
