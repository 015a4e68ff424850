//! Plays the sessions of `tests/sessions`, and those of the documentation: every block that is marked `pipit-session`.
//! `BLESS=1` writes the answers anew; what changed is then read in the difference.
//!
//! Deliberately absent: chat services, which have tests of their own; here everybody speaks through the binary.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::path::{Path, PathBuf};

#[path = "play/pipit.rs"]
mod pipit;
#[path = "play/session.rs"]
mod session;

use pipit::Home;

const FENCE: &str = "```pipit-session\n";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn blesses() -> bool {
    std::env::var_os("BLESS").is_some_and(|value| value == "1")
}

fn below(folder: &str, ending: &str, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(root().join(folder)) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|other| other == ending) {
            found.push(path);
        }
    }
    found.sort();
}

/// Plays a file of sessions. A page is one session that goes on from block to block.
fn play(path: &Path) -> Result<usize, Vec<String>> {
    let name = path.strip_prefix(root()).unwrap().display();
    let text = std::fs::read_to_string(path).unwrap();
    let (home, mut known) = (Home::new(), Vec::new());
    let (mut wrong, mut lines, mut right) = (Vec::new(), 0, String::new());
    let mut session = |text: &str, right: &mut String| match session::play(&home, &mut known, text) {
        Ok(played) => {
            lines += played.lines;
            wrong.extend(played.wrong.into_iter().map(|wrong| format!("{name}: {wrong}")));
            right.push_str(&played.right);
        }
        Err(why) => {
            wrong.push(format!("{name}: {why}"));
            right.push_str(text);
        }
    };
    if path.extension().is_some_and(|ending| ending == "md") {
        let mut pieces = text.split(FENCE);
        right.push_str(pieces.next().unwrap_or_default());
        for piece in pieces {
            let (inside, after) = piece.split_once("```").unwrap_or((piece, ""));
            right.push_str(FENCE);
            session(inside, &mut right);
            right.push_str("```");
            right.push_str(after);
        }
    } else {
        session(&text, &mut right);
    }
    if blesses() && right != text {
        std::fs::write(path, right).unwrap();
    }
    if wrong.is_empty() || blesses() { Ok(lines) } else { Err(wrong) }
}

/// Plays files side by side; the lines that were played.
fn play_all(paths: &[PathBuf]) -> usize {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let results = std::sync::Mutex::new((0, Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while let Some(path) = paths.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    let played = play(path);
                    let mut results = results.lock().unwrap();
                    match played {
                        Ok(lines) => results.0 += lines,
                        Err(wrong) => results.1.extend(wrong),
                    }
                }
            });
        }
    });
    let (lines, mut wrong) = results.into_inner().unwrap();
    wrong.sort();
    assert!(wrong.is_empty(), "BLESS=1 writes what came instead\n\n{}", wrong.join("\n\n"));
    lines
}

#[test]
fn sessions_are_answered_as_written() {
    let mut paths = Vec::new();
    below("tests/sessions", "txt", &mut paths);
    assert!(paths.len() >= 8, "only {} sessions were found", paths.len());
    let lines = play_all(&paths);
    assert!(lines >= 80, "only {lines} lines were played");
}

#[test]
fn the_sessions_of_the_documentation_are_true() {
    let mut paths: Vec<PathBuf> = vec![root().join("README.md")];
    below("docs", "md", &mut paths);
    if let Ok(bundles) = std::fs::read_dir(root().join("bundles")) {
        for bundle in bundles {
            below(bundle.unwrap().path().strip_prefix(root()).unwrap().to_str().unwrap(), "md", &mut paths);
        }
    }
    paths.retain(|path| std::fs::read_to_string(path).is_ok_and(|text| text.contains(FENCE)));
    play_all(&paths);
}
