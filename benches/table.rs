//! The figures of the benches that ran before, in one place: the last of them in the order in which cargo runs them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench ends where something does not work")]

use std::path::Path;

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/figures");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).map(|files| files.flatten().map(|file| file.path()).collect()).unwrap_or_default();
    files.sort();
    for file in files {
        println!("\n{}", std::fs::read_to_string(file).unwrap().trim_end());
    }
}
