//! Everything that must outlive the process, in one `SQLite` file: documents (a kind, a key, a text) and the log of the
//! audit. The only room with SQL. One thread writes and commits for everybody who waits; readers read beside it. A second
//! process may use the same file at the same time.
//!
//! Deliberately absent: what a document or a row of the log means, and a clock.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{Semaphore, oneshot};

mod documents;
pub(crate) mod log;
mod query;
mod queue;
mod schema;
mod sqlite;
mod talk;
pub(crate) mod timer;
mod writer;

#[cfg(test)]
mod tests;

pub(crate) use query::{Ended, Found, Line, Wanted};
use queue::{Job, Queue};
pub(crate) use talk::{Over, Spoken};

/// Calls of `apply` that may wait at once; the next one waits before it is taken.
const CHANGES: usize = 1024;

/// Reading connections kept for the next reader.
const READERS: usize = 4;

/// The file and its writer. Cloning is cheap; when the last clone goes, what waits is written and the writer ends.
#[derive(Clone)]
pub(crate) struct Store(Arc<Inner>);

struct Inner {
    path: PathBuf,
    pages: u32,
    queue: Arc<Queue>,
    changes: Arc<Semaphore>,
    writer: OnceLock<JoinHandle<()>>,
    starting: Mutex<()>,
    readers: Mutex<Vec<Connection>>,
    written: Arc<AtomicU64>,
}

/// A document as it lies in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Document {
    /// Its name among those of its kind.
    pub(crate) key: String,
    /// Which change wrote it; never used twice, also not for a document made anew.
    pub(crate) revision: u64,
    /// Its text, JSON by custom.
    pub(crate) body: String,
}

/// A wish for one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Makes it; it must not be there (`StoreError::Exists`).
    Insert { kind: &'static str, key: String, body: String },
    /// Writes it, new or over an old one.
    Put { kind: &'static str, key: String, body: String, expect: Expect },
    /// Takes it away.
    Delete { kind: &'static str, key: String, expect: Expect },
}

/// What must be there before a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// Something or nothing.
    Anything,
    /// Something, else `StoreError::Missing`.
    Present,
    /// This revision, else `StoreError::Stale` (or `Missing`).
    Revision(u64),
}

/// Why the store did not do what it was asked; nothing of it was done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("{kind} {key} exists already")]
    Exists { kind: &'static str, key: String },
    #[error("there is no {kind} {key}")]
    Missing { kind: &'static str, key: String },
    #[error("{kind} {key} was changed by somebody else meanwhile; look at it again")]
    Stale { kind: &'static str, key: String },
    #[error("the database has schema {found}, this pipit knows up to {known}; start the newer pipit that wrote it")]
    Newer { found: i64, known: usize },
    #[error("the database is locked by another program; end that program or wait")]
    Busy,
    #[error("the disk or the database is full; free some space")]
    Full,
    #[error("the disk did not keep what it was given ({0}); check the disk, restart, run `pipit audit verify`")]
    Unsynced(String),
    #[error("the database is damaged ({0}); restore a backup")]
    Damaged(String),
    #[error("the database failed: {0}")]
    Failed(String),
    #[error("the store is closed")]
    Closed,
}

impl Store {
    /// Opens the file, making or upgrading it where needed. The directory must exist.
    pub(crate) fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        Self::open_bounded(path.into(), sqlite::PAGES)
    }

    /// Opens a file that never has more than so many pages of 4 KiB; beyond that everything is `StoreError::Full`.
    pub(crate) fn open_bounded(path: PathBuf, pages: u32) -> Result<Self, StoreError> {
        let mut connection = sqlite::connect(&path, pages)?;
        schema::migrate(&mut connection)?;
        Ok(Self(Arc::new(Inner {
            path,
            pages,
            queue: Arc::default(),
            changes: Arc::new(Semaphore::new(CHANGES)),
            writer: OnceLock::new(),
            starting: Mutex::new(()),
            readers: Mutex::new(vec![connection]),
            written: Arc::default(),
        })))
    }

    /// One document. Reads the file on the caller's thread, some microseconds.
    pub(crate) fn get(&self, kind: &str, key: &str) -> Result<Option<Document>, StoreError> {
        self.read(|connection| documents::get(connection, kind, key))
    }

    /// All documents of a kind, by key. Reads the file on the caller's thread, about a microsecond a document.
    pub(crate) fn list(&self, kind: &str) -> Result<Vec<Document>, StoreError> {
        self.read(|connection| documents::list(connection, kind))
    }

    /// The documents of a kind whose keys begin so, by key. As fast as they are few, whatever else there is.
    pub(crate) fn below(&self, kind: &str, prefix: &str) -> Result<Vec<Document>, StoreError> {
        self.read(|connection| documents::below(connection, kind, prefix))
    }

    /// How many documents of a kind have keys that begin so.
    pub(crate) fn count_below(&self, kind: &str, prefix: &str) -> Result<usize, StoreError> {
        self.read(|connection| documents::count_below(connection, kind, prefix))
    }

    /// Whether there is any document that is of none of these kinds. Reads the names of all documents when there is none.
    pub(crate) fn any_besides(&self, kinds: &[&str]) -> Result<bool, StoreError> {
        self.read(|connection| documents::any_besides(connection, kinds))
    }

    /// A number that grows with every `apply` of any process and with nothing else. A few microseconds.
    pub(crate) fn version(&self) -> Result<u64, StoreError> {
        self.read(documents::version)
    }

    /// The version as this process last left it: nought when it has written nothing. Costs nothing; what another process has
    /// changed since is not in it.
    pub(crate) fn written(&self) -> u64 {
        self.0.written.load(Ordering::Acquire)
    }

    /// Makes all changes in their order, or none; returns when that is on the disk. Waits while too many others wait.
    /// Once it has been taken up it happens, also when the caller stops waiting.
    pub(crate) async fn apply(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        let permit = Arc::clone(&self.0.changes).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let (answer, answered) = oneshot::channel();
        self.push([Job::Apply { changes, answer, permit }])?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// Reads every page and says whether the file is sound. Takes seconds on a large file.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let said: String = self.read(|connection| {
            connection.pragma_query_value(None, "quick_check", |row| row.get(0)).map_err(sqlite::failure)
        })?;
        if said == "ok" { Ok(()) } else { Err(StoreError::Damaged(said)) }
    }

    /// Says whether what finds the rows of the log leads to all of them: a row that no index names is in the log and is
    /// never shown. Reads all rows, a few microseconds each.
    pub(crate) fn check_log(&self) -> Result<(), StoreError> {
        let said: String = self.read(|connection| {
            let sql = "PRAGMA integrity_check('audit')";
            connection.query_row(sql, (), |row| row.get(0)).map_err(sqlite::failure)
        })?;
        if said == "ok" { Ok(()) } else { Err(StoreError::Damaged(said)) }
    }

    /// From now on this process may add to the log, sealed by `chain`.
    pub(crate) fn seal(&self, chain: Box<dyn log::Chain>) {
        // The writer is not needed before the first row: a job on its own does not start it.
        self.0.queue.push([Job::Seal(chain)]);
    }

    /// Hands rows to the writer, in this order and next to each other. The entries carry their own answers.
    pub(crate) fn append(&self, entries: impl IntoIterator<Item = log::Entry>) -> Result<(), StoreError> {
        self.push(entries.into_iter().map(Job::Append))
    }

    /// Somebody waits now for rows that were handed over as not waited for.
    pub(crate) fn hurry(&self) {
        self.0.queue.hurry();
    }

    /// The seal of one row of the log.
    pub(crate) fn hash_at(&self, seq: i64) -> Result<Option<log::Hash>, StoreError> {
        self.read(|connection| log::hash_at(connection, seq))
    }

    /// Hands every row of the log to `visit`, in order, in constant memory. Blocks; about a microsecond a row.
    pub(crate) fn walk(
        &self,
        visit: &mut dyn FnMut(&log::Sealed<'_>, &[u8]) -> std::ops::ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.read(|connection| log::walk(connection, visit))
    }

    /// Lines of the log, newest first. Blocks; fast as long as `limit` lines are found soon.
    pub(crate) fn lines(&self, wanted: &Wanted<'_>) -> Result<Vec<Line>, StoreError> {
        self.read(|connection| query::lines(connection, wanted))
    }

    /// All rows of the line that row `opened` opened, in order; none when that row opened none.
    pub(crate) fn line(&self, opened: i64) -> Result<Vec<Found>, StoreError> {
        self.read(|connection| query::line(connection, opened))
    }

    /// Rows behind `after`, with a time from `since` on and before `until`, in order; so many at most. Blocks.
    pub(crate) fn rows(&self, after: i64, since: i64, until: i64, most: i64) -> Result<Vec<Found>, StoreError> {
        self.read(|connection| query::rows(connection, after, since, until, most))
    }

    /// The next rows behind `after` that are older than `until` and not erased; so many at most. Blocks.
    pub(crate) fn whole(&self, after: i64, until: i64, most: i64) -> Result<Vec<i64>, StoreError> {
        self.read(|connection| query::whole(connection, after, until, most))
    }

    /// All rows of some lines of `who` that have ended and are not erased; of so many lines at most. Blocks.
    pub(crate) fn whole_of(&self, who: &str, most: i64) -> Result<Vec<i64>, StoreError> {
        self.read(|connection| query::whole_of(connection, who, most))
    }

    fn read<T>(&self, with: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let waiting = lock(&self.0.readers).pop();
        let connection = match waiting {
            Some(connection) => connection,
            None => sqlite::connect(&self.0.path, self.0.pages)?,
        };
        let read = with(&connection);
        let mut readers = lock(&self.0.readers);
        if readers.len() < READERS {
            readers.push(connection);
        }
        read
    }

    fn push(&self, jobs: impl IntoIterator<Item = Job>) -> Result<(), StoreError> {
        if self.0.writer.get().is_none() {
            self.start()?;
        }
        self.0.queue.push(jobs);
        Ok(())
    }
}

impl Store {
    /// The writer starts with the first thing there is to write; a process that only reads has none.
    fn start(&self) -> Result<(), StoreError> {
        let _alone = lock(&self.0.starting);
        if self.0.writer.get().is_none() {
            let connection = sqlite::connect(&self.0.path, self.0.pages)?;
            let work = writer::Writer::new(connection, Arc::clone(&self.0.queue), Arc::clone(&self.0.written));
            let thread = std::thread::Builder::new().name("store".to_owned()).spawn(move || work.run());
            let thread = thread.map_err(|error| StoreError::Failed(format!("no thread for the writer: {error}")))?;
            // It was empty a moment ago, and nobody else is here.
            let _first = self.0.writer.set(thread);
        }
        Ok(())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.queue.stop();
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has said so; there is nobody left to tell.
            let _ended = writer.join();
        }
        if let Some(reader) = lock(&self.readers).first() {
            sqlite::tidy(reader, &self.path);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
