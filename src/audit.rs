//! What was asked, decided, answered. A line runs only with a `Ticket`, which exists only once the line is on the disk; a
//! reply needs a `Receipt`, which only closing the ticket gives. Rows are chained by keyed hashes, see `chain`.
//!
//! Texts are kept without the secrets that the shell knows. Deliberately absent: a clock (every time comes in as Unix
//! milliseconds) and SQL.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::store::log::{Entry, Place};
use crate::store::{Store, StoreError};

mod alive;
mod anchor;
mod anchors;
mod body;
mod chain;
mod erase;
mod event;
mod export;
mod loss;
mod name;
mod query;
mod spool;
mod ticket;
mod verify;

#[cfg(test)]
mod tests;

pub(crate) use anchors::{Outside, Send};
pub(crate) use event::{Event, Happened};
pub(crate) use export::{Exported, Page};
pub(crate) use loss::accept_loss;
pub(crate) use query::{Filter, Row, Summary, Whose, Wish};
pub(crate) use ticket::{Ended, Intent, Outcome, Receipt, Status, Ticket, Trail, Verdict};
pub(crate) use verify::{Report, verify};

/// Lines that may be open at once; the next one waits for one of them to close.
const LINES: usize = 16_384;

/// Unsafe calls that may run at once, over all lines.
const CALLS: usize = 4096;

/// The kinds of documents that may be there before the first line is.
const BEFORE_ALL_LINES: &[&str] = &["claim"];

/// The audit of this process. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Audit(Arc<Inner>);

struct Inner {
    store: Store,
    lines: Arc<Semaphore>,
    calls: Arc<Semaphore>,
    /// The file outside to which anchors are added.
    anchors: Option<PathBuf>,
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
        "the log does not hold record {seq} as {} says; the database was cut or rolled back: put the newer one back, \
         or go on without, which is written down: pipit audit accept-loss 'WHAT HAPPENED'",
        path.display()
    )]
    RolledBack { path: PathBuf, seq: i64 },
    #[error(
        "{} is no anchor written with this key; put the right one back, or go on without, which is written down: \
         pipit audit accept-loss 'WHAT HAPPENED'",
        path.display()
    )]
    Anchor { path: PathBuf },
    #[error(
        "{} is missing, and with it the proof that the end of the log was not cut off; put it back, or go on without, \
         which is written down: pipit audit accept-loss 'WHAT HAPPENED'",
        path.display()
    )]
    AnchorMissing { path: PathBuf },
    #[error(
        "there are people and things here and no record of how they came: the log was removed, or they were put back \
         without it; put the whole home back, or go on without, which is written down: \
         pipit audit accept-loss 'WHAT HAPPENED'"
    )]
    Emptied,
    #[error("nothing is lost: the log holds what its anchors say")]
    NothingLost,
    #[error(
        "the log was altered, which is more than a loss: {0}; keep a copy of the home as it is, and restore a backup"
    )]
    Altered(verify::Fault),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Audit {
    /// Takes the key from `home/audit.key` (made at the first start) and checks the last anchors, `home/audit.head` and the
    /// one outside, against the log. Records an earlier process had to put aside are written before anything else.
    pub(crate) fn start(store: &Store, home: &Path, outside: &Outside) -> Result<Self, StartError> {
        let key = chain::Key::load_or_make(store, home, outside)?;
        let mut places = anchors::Places::new(home, &key.anchors, outside);
        places.check(store, &key.origin)?;
        whole_from_the_first(store)?;
        Self::with(store, home, &key, places)
    }

    fn with(store: &Store, home: &Path, key: &chain::Key, places: anchors::Places) -> Result<Self, StartError> {
        let alive = alive::Alive::new(home)?;
        let anchors = places.outside_file().map(Path::to_owned);
        let spool = spool::Spool::new(home, key)?;
        store.seal(Box::new(chain::Sealer::new(key, anchors::Anchors::new(places), spool)));
        Ok(Self(Arc::new(Inner {
            store: store.clone(),
            lines: Arc::new(Semaphore::new(LINES)),
            calls: Arc::new(Semaphore::new(CALLS)),
            anchors,
            alive,
        })))
    }

    /// Walks the whole log, as [`verify`] does, and compares it with the anchors at home and outside. On a thread of its own.
    pub(crate) async fn verify(&self) -> Result<Report, StartError> {
        let audit = self.clone();
        let verified = tokio::task::spawn_blocking(move || {
            let Inner { store, anchors, alive, .. } = &*audit.0;
            verify(store, alive.home(), anchors.as_deref().filter(|file| file.exists()))
        });
        verified.await.unwrap_or_else(|error| Err(StoreError::Failed(error.to_string()).into()))
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

/// Refuses a store with documents and without a record: whatever is there was asked for by a line.
fn whole_from_the_first(store: &Store) -> Result<(), StartError> {
    if store.hash_at(1)?.is_none() && store.any_besides(BEFORE_ALL_LINES)? {
        return Err(StartError::Emptied);
    }
    Ok(())
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
