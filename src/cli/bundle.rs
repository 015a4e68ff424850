//! `pipit bundle`: what one does with a bundle before it is anybody's, and the shell's own verbs, typed shorter.
//!
//! Deliberately absent: what those verbs do, which is a line like every other.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::words::quoted;
use super::{check, fail, show, test};
use crate::bundle::scaffold::{self, Language};
use crate::bundle::{self, Manifest};
use crate::net::Reach;

/// `pipit bundle new`.
pub(super) fn new(name: &str, language: Language, folder: Option<&Path>) -> ExitCode {
    let folder = folder.map_or_else(|| PathBuf::from(name), Path::to_owned);
    match scaffold::make(&folder, name, language) {
        Ok(files) => {
            for file in files {
                show(&folder.join(file).display());
            }
            show(&format_args!("try it: pipit bundle test {}", folder.display()));
            ExitCode::SUCCESS
        }
        Err(error) => fail(2, &error),
    }
}

/// `pipit bundle test`: the manifest, its examples, and the sessions in `tests`.
pub(super) fn test(folders: &[PathBuf], bless: bool, reach: &Reach) -> ExitCode {
    for folder in folders {
        let checked = check::bundle(folder);
        if checked != ExitCode::SUCCESS {
            return checked;
        }
        let Ok(text) = std::fs::read_to_string(bundle::manifest_of(folder)) else { return ExitCode::from(2) };
        let Ok(found) = bundle::check(&text) else { return ExitCode::from(2) };
        let manifest = found.manifest;
        let prelude = prelude(folder, &manifest);
        let (examples, session) = examples(&manifest);
        if examples > 0 {
            let name = format!("the examples of {}", manifest.name);
            let played = test::written(&name, &session, &prelude, reach);
            if played != ExitCode::SUCCESS {
                return played;
            }
        }
        let mut sessions: Vec<PathBuf> = std::fs::read_dir(folder.join("tests"))
            .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
            .unwrap_or_default();
        sessions.retain(|file| file.extension().is_some_and(|ending| ending == "txt"));
        sessions.sort();
        if !sessions.is_empty() {
            let played = test::files(&sessions, &prelude, bless, reach);
            if played != ExitCode::SUCCESS {
                return played;
            }
        }
    }
    ExitCode::SUCCESS
}

/// What the operator does first: the bundle is enabled, and `tester` may do all it brings.
fn prelude(folder: &Path, manifest: &Manifest) -> Vec<String> {
    let name = &manifest.name;
    let mut lines = vec![
        format!("bundle install {}", quoted(&folder.join(".").display().to_string())),
        format!("bundle enable {name}"),
        "user create tester".to_owned(),
        "group create testers".to_owned(),
        "group add testers tester".to_owned(),
        "role create tester".to_owned(),
        "role give tester testers".to_owned(),
    ];
    lines.extend(manifest.permissions.iter().map(|short| format!("role grant tester {name}:{short}")));
    lines
}

/// A session of the examples: those that reach nothing outside are run, the others are read and judged.
fn examples(manifest: &Manifest) -> (usize, String) {
    let outside = !manifest.needs.network.is_empty()
        || manifest.config.iter().any(|setting| setting.required || setting.name.ends_with("_URL"))
        || manifest.commands.iter().any(|command| command.effect == pipit_commands::Effect::Unsafe);
    let lines = manifest.commands.iter().flat_map(|command| &command.examples).map(|example| &example.line);
    let lines: Vec<String> = lines
        .map(|line| if outside { format!("tester: !explain {{ {line} }}\n") } else { format!("tester: !{line}\n") })
        .collect();
    (lines.len(), lines.concat())
}

/// `pipit bundle VERB …` as the line it stands for.
pub(super) fn line(words: &[OsString]) -> String {
    let words = words.iter().map(|word| quoted(&word.to_string_lossy()));
    std::iter::once("bundle".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}
