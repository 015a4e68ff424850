//! A bundle from a git repository: one commit is fetched and read as an archive. Nothing is ever checked out, so neither the
//! repository's hooks nor its filters run, and links in it are refused like everywhere.
//!
//! Deliberately absent: submodules, large files kept elsewhere, passwords.

use std::path::Path;

use pipit_commands::Error;

use super::archive::ARCHIVE;
use super::site::{Program, program};
use crate::limits::FETCH_TIME;

/// What a repository has at a branch, a tag or a commit: the archive of its files, and the commit's name. Blocks.
pub(super) fn archive(url: &str, reference: &str) -> Result<(Vec<u8>, String), Error> {
    check(url, reference)?;
    let folder = tempfile::tempdir().map_err(|error| Error::failed(format!("no folder for git: {error}")))?;
    let git = |words: &[&str]| git(folder.path(), words);
    git(&["init", "--quiet", "--bare", "."])?;
    git(&["fetch", "--quiet", "--depth=1", "--no-tags", "--", url, reference])?;
    let commit = String::from_utf8_lossy(&git(&["rev-parse", "FETCH_HEAD"])?).trim().to_owned();
    Ok((git(&["archive", "--format=tar", "FETCH_HEAD"])?, commit))
}

fn check(url: &str, reference: &str) -> Result<(), Error> {
    let known = ["https://", "ssh://", "file://"].iter().any(|scheme| url.starts_with(scheme));
    if !known || url.contains(|letter: char| letter.is_control() || letter.is_whitespace()) {
        return Err(Error::failed(format!(
            "{url:?} is no repository: its address begins with https://, ssh:// or file://"
        )));
    }
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "._/-".contains(letter);
    if !reference.chars().all(fits) || !reference.starts_with(|letter: char| letter.is_ascii_alphanumeric()) {
        return Err(Error::failed(format!("{reference:?} is no branch, tag or commit")));
    }
    Ok(())
}

fn git(folder: &Path, words: &[&str]) -> Result<Vec<u8>, Error> {
    let mut all = vec!["git", "-c", "protocol.ext.allow=never", "-c", "core.hooksPath=/dev/null"];
    all.extend(words);
    program(&Program {
        words: &all.iter().map(ToString::to_string).collect::<Vec<_>>(),
        input: b"",
        folder: Some(folder),
        variables: &[
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_ALLOW_PROTOCOL", "https:ssh:file"),
            ("GIT_SSH_COMMAND", "ssh -oBatchMode=yes"),
        ],
        most: ARCHIVE,
        time: FETCH_TIME,
    })
    .map_err(Error::failed)
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn only_addresses_and_names() {
        for (url, reference) in [("https://h/a.git", "main"), ("ssh://git@h/a", "v1.2.0"), ("file:///a", "feature/x")] {
            assert!(check(url, reference).is_ok(), "{url} {reference}");
        }
        for (url, reference) in [
            ("ext::sh -c id", "main"),
            ("--upload-pack=x", "main"),
            ("git@h:a", "main"),
            ("https://h/a b", "main"),
            ("https://h/a", "--upload-pack=x"),
            ("https://h/a", "main:refs/heads/x"),
            ("https://h/a", ""),
        ] {
            assert!(check(url, reference).is_err(), "{url} {reference}");
        }
    }
}
