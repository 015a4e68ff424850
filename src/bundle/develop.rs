//! A bundle whose folder is being worked on: read again when its files have changed. What has faults does not take the
//! place of what was good.
//!
//! Nothing of it is kept: its content is copied to a private folder, for lines that run finish on what they began with, and
//! goes with the last of them. Deliberately absent: when to look, and who is told.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use pipit_commands::{Command, Error};
use tempfile::TempDir;

use super::install;
use super::manifest::{Manifest, Sandbox};
use super::process::{Ready, Settings};

/// A folder that is being worked on.
pub(crate) struct Develop {
    folder: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What was seen last: the digest of the content, or why it could not be read.
    seen: Option<Result<String, String>>,
    /// The last content without faults.
    good: Option<Arc<Ready>>,
    /// What is wrong with the content, when it has faults.
    fault: Option<Error>,
    /// The copies, each as long as somebody runs on it.
    copies: Vec<(Weak<Ready>, TempDir)>,
}

/// What came of looking at the folder.
pub(crate) enum Looked {
    /// It is as it was.
    Same,
    /// It is another one, and good.
    New,
    /// It is another one, and has faults.
    Faulty(Error),
}

/// What has to be known to make a bundle ready.
pub(crate) struct Around<'a> {
    /// Where copies lie: a folder of the shell's own.
    pub runs: &'a Path,
    /// Where needed programs are looked up, as `PATH` is written.
    pub path: &'a OsStr,
    /// How tightly its programs are held at least.
    pub least: Sandbox,
    /// The commands that are there.
    pub commands: &'a [Command],
    /// Its settings, by its manifest.
    pub settings: &'a dyn Fn(&Manifest) -> Settings,
}

impl Develop {
    /// A folder, which has not been looked at yet.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, state: Mutex::default() }
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The last content without faults.
    pub(crate) fn good(&self) -> Option<Arc<Ready>> {
        self.lock().good.clone()
    }

    /// What is wrong with the folder now, if anything.
    pub(crate) fn fault(&self) -> Option<Error> {
        self.lock().fault.clone()
    }

    /// Looks whether its files have changed. Reads all of them, on the caller's thread.
    pub(crate) fn look(&self, around: &Around<'_>) -> Looked {
        let mut state = self.lock();
        let read = install::look_into(&self.folder);
        let seen = read.as_ref().map(|(read, ..)| read.digest()).map_err(ToString::to_string);
        if state.seen.as_ref() == Some(&seen) {
            return Looked::Same;
        }
        state.seen = Some(seen);
        let made = read.and_then(|(read, mut manifest)| {
            manifest.needs.sandbox = manifest.needs.sandbox.max(around.least);
            install::collisions(&manifest, around.commands)?;
            let odd = |error: std::io::Error| Error::failed(format!("a copy cannot be made: {error}"));
            let copy = tempfile::Builder::new().prefix("dev-").tempdir_in(around.runs).map_err(odd)?;
            let digest = read.digest();
            read.keep(copy.path(), &digest)?;
            let folder = copy.path().join(&digest);
            let settings = (around.settings)(&manifest);
            let programs = install::needed(&manifest, around.path, &folder)?;
            let programs: BTreeMap<_, _> = programs.into_iter().map(|(name, at)| (name.into(), at)).collect();
            Ok((Arc::new(Ready { manifest, folder, programs, settings, warm: Arc::default() }), copy))
        });
        match made {
            Ok((ready, copy)) => {
                state.copies.retain(|(of, _)| of.strong_count() > 0);
                state.copies.push((Arc::downgrade(&ready), copy));
                state.good = Some(ready);
                state.fault = None;
                Looked::New
            }
            Err(error) => {
                state.fault = Some(error.clone());
                Looked::Faulty(error)
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
