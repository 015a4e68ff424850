//! What was asked, decided, answered. A line runs only with a `Ticket`, which exists only once the line is on the disk; a
//! reply needs a `Receipt`, which only closing the ticket gives. Rows are chained by keyed hashes, see `chain`.
//!
//! Deliberately absent: a clock (every time comes in as Unix milliseconds), SQL, and the scrubbing of secrets, which
//! is the caller's before a text comes here.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::store::log::{Entry, Place};
use crate::store::{Store, StoreError};

mod alive;
mod anchor;
mod body;
mod chain;
mod name;
mod query;
mod spool;
mod ticket;
mod verify;

#[cfg(test)]
mod tests;

pub(crate) use query::{Filter, Wish};
pub(crate) use ticket::{Ended, Intent, Outcome, Receipt, Status, Ticket, Trail, Verdict};
pub(crate) use verify::verify;

/// Lines that may be open at once; the next one waits for one of them to close.
const LINES: usize = 16_384;

/// Unsafe calls that may run at once, over all lines.
const CALLS: usize = 4096;

/// The audit of this process. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Audit(Arc<Inner>);

struct Inner {
    store: Store,
    lines: Arc<Semaphore>,
    calls: Arc<Semaphore>,
    alive: alive::Alive,
}

/// A line as it was heard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// When, Unix milliseconds.
    pub(crate) at: i64,
    /// The verified id of who asks.
    pub(crate) who: &'a str,
    /// The way in: the chat service, `web`, `schedule` and so on.
    pub(crate) via: &'a str,
    /// The room, empty when there is none.
    pub(crate) room: &'a str,
    /// The line itself. What goes beyond 16 KiB is kept as length and digest.
    pub(crate) text: &'a str,
    /// What made the line run, when nobody typed it: the ticket of another line, a delivery, a job's slot.
    pub(crate) cause: Option<&'a str>,
}

/// Nothing may run, because it could not be written down.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unavailable {
    /// The log does not take rows.
    #[error("the audit log cannot be written, so nothing runs: {0}")]
    Store(#[from] StoreError),
    /// The line has ended already.
    #[error("the line {0} has ended; ask again")]
    Ended(String),
}

/// Why the audit does not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{}: {error}", path.display())]
    File { path: PathBuf, error: std::io::Error },
    #[error("{} is no audit key: {why}", path.display())]
    Key { path: PathBuf, why: &'static str },
    #[error("{} is missing, but there is a log sealed with it; put the key back", path.display())]
    KeyMissing { path: PathBuf },
    #[error(
        "the log does not hold record {seq} as {} says; the database was cut or rolled back: \
         put the newer one back, or remove that file to go on without",
        path.display()
    )]
    RolledBack { path: PathBuf, seq: i64 },
    #[error("{} is no anchor written with this key; remove it to go on without", path.display())]
    Anchor { path: PathBuf },
}

impl Audit {
    /// Takes the key from `home/audit.key` (made at the first start) and checks the last anchor, `home/audit.head`,
    /// against the log. Records an earlier process had to put aside are written before anything else.
    pub(crate) fn start(store: &Store, home: &Path) -> Result<Self, StartError> {
        let key = chain::Key::load_or_make(store, home)?;
        let anchor = anchor::Anchor::new(home, &key);
        if let Some(head) = anchor.read()?
            && store.hash_at(head.seq)? != Some(head.hash)
        {
            return Err(StartError::RolledBack { path: anchor.path().to_owned(), seq: head.seq });
        }
        let alive = alive::Alive::new(home)?;
        let spool = spool::Spool::new(home, &key)?;
        store.seal(Box::new(chain::Sealer::new(&key, anchor, spool)));
        Ok(Self(Arc::new(Inner {
            store: store.clone(),
            lines: Arc::new(Semaphore::new(LINES)),
            calls: Arc::new(Semaphore::new(CALLS)),
            alive,
        })))
    }

    /// Writes the line down and returns when that is on the disk. When it cannot be, nothing may run.
    /// If the caller stops waiting, the log says that the line broke off.
    pub(crate) async fn open(&self, asked: Asked<'_>) -> Result<Ticket, Unavailable> {
        let permit = Arc::clone(&self.0.lines).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let (answer, answered) = oneshot::channel();
        self.0.store.append([Entry::Open { record: body::asked(&asked, self.0.alive.name()), answer }])?;
        let mut opening = Opening { audit: self, at: asked.at, answered, permit: Some(permit) };
        let place = (&mut opening.answered).await.map_err(|_| StoreError::Closed)??;
        Ok(Ticket::new(self.clone(), place, asked.at, opening.permit.take()))
    }
}

/// A line on its way to the disk. Dropped before it is known to be there, it becomes a ticket that is dropped.
struct Opening<'a> {
    audit: &'a Audit,
    at: i64,
    answered: oneshot::Receiver<Result<Place, StoreError>>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        let Some(permit) = self.permit.take() else { return };
        self.answered.close();
        // What is sent after `close` comes back to the writer, which then says it itself.
        if let Ok(Ok(place)) = self.answered.try_recv() {
            drop(Ticket::new(self.audit.clone(), place, self.at, Some(permit)));
        }
    }
}
