//! Which processes still write to the log: each holds a lock on a file of its own, and the kernel lets go of it however the
//! process ends. Lines of a process that is gone are closed as unknown. Deliberately absent: process ids, which come back.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use tokio::sync::oneshot;

use super::{Audit, StartError, body};
use crate::store::log::{Entry, Record};
use crate::store::{Ended, StoreError, Wanted};

/// Lines that are closed in one go.
const LINES: usize = 1000;

/// This process, as its lines name it. Dropped, its lines are nobody's.
pub(super) struct Alive {
    name: String,
    home: PathBuf,
    #[expect(dead_code, reason = "the lock lasts as long as the file is open")]
    file: File,
}

impl Alive {
    pub(super) fn new(home: &Path) -> Result<Self, StartError> {
        let mut bytes = [0; 8];
        let drawn = getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()));
        let name = format!("{:016x}", u64::from_le_bytes(bytes));
        let path = path(home, &name);
        let file = drawn.and_then(|()| fs::create_dir_all(home.join("audit.alive"))).and_then(|()| {
            // It gets its name only once it is locked, so an unlocked file of that form is always one left behind.
            let draft = path.with_extension("new");
            let file = File::create_new(&draft)?;
            file.lock()?;
            fs::rename(&draft, &path)?;
            Ok(file)
        });
        match file {
            Ok(file) => Ok(Self { name, home: home.to_owned(), file }),
            Err(error) => Err(StartError::File { path, error }),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The folder with the database and the key.
    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    /// Whether the process that was named so has ended.
    fn is_gone(&self, name: &str) -> bool {
        if name == self.name || name.len() != 16 || !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return false;
        }
        match File::open(path(&self.home, name)) {
            Ok(file) => match file.try_lock() {
                Ok(()) => true,
                Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
            },
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }
}

impl Alive {
    /// Takes away the files that processes which were killed have left behind.
    fn sweep(&self) -> io::Result<()> {
        for file in fs::read_dir(self.home.join("audit.alive"))? {
            let file = file?;
            if file.file_name().to_str().is_some_and(|name| self.is_gone(name)) {
                fs::remove_file(file.path())?;
            }
        }
        Ok(())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        // Left behind it is an unlocked file, which says the same.
        let _removed = fs::remove_file(path(&self.home, &self.name));
    }
}

fn path(home: &Path, name: &str) -> PathBuf {
    home.join("audit.alive").join(name)
}

impl Audit {
    /// Closes, as `unknown`, the lines that were opened at `since` or later by processes that have ended without
    /// closing them, and returns when that is on the disk. Gives their ids, so that somebody can be told. For the start of
    /// a server, and before lines that have no end are shown.
    pub(crate) async fn close_orphans(&self, since: i64, at: i64) -> Result<Vec<String>, StoreError> {
        let audit = self.clone();
        let found = tokio::task::spawn_blocking(move || audit.orphans(since, at)).await;
        let (records, ids): (Vec<Record>, Vec<String>) =
            found.unwrap_or_else(|error| Err(StoreError::Failed(error.to_string())))?.into_iter().unzip();
        if records.is_empty() {
            return Ok(ids);
        }
        let (answer, answered) = oneshot::channel();
        self.0.store.append([Entry::Keep { records, answer: Some(answer), permit: None }])?;
        answered.await.unwrap_or(Err(StoreError::Closed))?;
        Ok(ids)
    }

    fn orphans(&self, since: i64, at: i64) -> Result<Vec<(Record, String)>, StoreError> {
        let wanted = Wanted { since: Some(since), ended: Some(Ended::NotYet), limit: LINES, ..Wanted::default() };
        let mut orphans = Vec::new();
        for line in self.0.store.lines(&wanted)? {
            let gone = serde_json::from_str::<body::AskedBody<'_>>(&line.opened.body)
                .is_ok_and(|asked| self.0.alive.is_gone(&asked.process));
            if gone {
                orphans.push((body::orphan(line.opened.line, at), line.opened.ticket.unwrap_or_default()));
            }
        }
        if let Err(error) = self.0.alive.sweep() {
            tracing::warn!(%error, "files of processes that are gone were not removed");
        }
        Ok(orphans)
    }
}
