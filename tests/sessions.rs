//! Plays the sessions of `tests/sessions`, and those of the documentation: every block that is marked `pipit-session`.
//! `BLESS=1` writes the answers anew; what changed is then read in the difference.
//!
//! Deliberately absent: chat services, which have tests of their own; here everybody speaks through `pipit test`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const FENCE: &str = "```pipit-session\n";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn below(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|other| other == ending) {
            found.push(path);
        }
    }
    found.sort();
}

fn test(args: &[&str], files: &[&Path]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pipit"));
    command.current_dir(root()).env_remove("RUST_BACKTRACE").stdin(Stdio::null());
    command.arg("test").args(args).args(files).output().unwrap()
}

/// Plays a file; how many lines it has, or what is said of it.
fn play(file: &Path) -> Result<usize, String> {
    let bless = std::env::var_os("BLESS").is_some_and(|value| value == "1");
    let played = test(if bless { &["--bless"] } else { &[] }, &[file.strip_prefix(root()).unwrap()]);
    let said = String::from_utf8(played.stdout).unwrap();
    if !played.status.success() {
        return Err(said + &String::from_utf8_lossy(&played.stderr));
    }
    let count = said.lines().last().and_then(|line| line.split(' ').next()).and_then(|count| count.parse().ok());
    count.ok_or(said)
}

/// Plays files side by side; the lines that were played.
fn play_all(paths: &[PathBuf]) -> usize {
    let next = AtomicUsize::new(0);
    let results = Mutex::new((0, Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let played = play(path);
                    let mut results = results.lock().unwrap();
                    match played {
                        Ok(lines) => results.0 += lines,
                        Err(wrong) => results.1.push(wrong),
                    }
                }
            });
        }
    });
    let (lines, mut wrong) = results.into_inner().unwrap();
    wrong.sort();
    assert!(wrong.is_empty(), "BLESS=1 writes what came instead\n\n{}", wrong.join("\n"));
    lines
}

#[test]
fn sessions_are_answered_as_written() {
    let mut paths = Vec::new();
    below(&root().join("tests/sessions"), "txt", &mut paths);
    assert!(paths.len() >= 8, "only {} sessions were found", paths.len());
    let lines = play_all(&paths);
    assert!(lines >= 80, "only {lines} lines were played");
}

#[test]
fn the_sessions_of_the_documentation_are_true() {
    let mut paths: Vec<PathBuf> = vec![root().join("README.md")];
    below(&root().join("docs"), "md", &mut paths);
    for bundle in std::fs::read_dir(root().join("bundles")).unwrap() {
        below(&bundle.unwrap().path(), "md", &mut paths);
    }
    paths.retain(|path| std::fs::read_to_string(path).is_ok_and(|text| text.contains(FENCE)));
    let lines = play_all(&paths);
    assert!(lines >= 40, "only {lines} lines were played");
}

/// What `pipit test` says of a file with this text, and the file afterwards.
fn said(name: &str, args: &[&str], text: &str) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    std::fs::write(&file, text).unwrap();
    let output = test(args, &[&file]);
    let place = format!("{}/", folder.path().display());
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap().replace(&place, "");
    (output.status.code(), said, std::fs::read_to_string(&file).unwrap())
}

#[test]
fn another_answer_is_shown_where_it_is_written() {
    let text = "# a remark\nalice:   !list a b c\npipit:   a\n         x\n         c\n";
    let (code, told, after) = said("a.txt", &[], text);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.starts_with("a.txt:2: alice:   !list a b c\n"), "{told}");
    assert!(told.contains("\n      a\n    - x\n    + b\n      c\n"), "{told}");
    assert_eq!(after, text);
    let (code, _, after) = said("a.txt", &["--bless"], text);
    assert_eq!((code, after), (Some(0), text.replace('x', "b")));
    let judged = "alice:   !echo a\naudit:   alice denied value:echo by no rule\n";
    let (code, told, _) = said("b.txt", &[], judged);
    assert!(code == Some(1) && told.contains("+ alice allowed value:echo by `allow`"), "{told}");
    let page = "# page\n\n```pipit-session\nalice:   !nosuch\n```\n";
    let (code, told, _) = said("page.md", &[], page);
    assert!(code == Some(1) && told.starts_with("page.md:4: alice:   !nosuch\n"), "{told}");
}

#[test]
fn what_is_no_session_is_refused() {
    for (name, text, part) in [
        ("a.txt", "alice:   !echo a\npipit: a\n", "a.txt:2: this is no session: an answer begins in the tenth column"),
        ("a.txt", "# nothing\n", "no session in these files"),
        ("a.md", "# a page\n", "no session in these files"),
    ] {
        let (code, told, _) = said(name, &[], text);
        assert!(code == Some(2) && told.contains(part), "{told}");
    }
    let missing = test(&[], &[Path::new("/no/such/file")]);
    assert_eq!(missing.status.code(), Some(2));
}
