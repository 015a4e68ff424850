//! Dropping anchors: every thousand rows, within a minute of a row, and when the process ends; in the home, and outside it
//! in a file and through a command if the site names them. A thread of its own, so that no line waits for a slow disk or
//! program. Deliberately absent: what an anchor says.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::StartError;
use super::anchor::{self, Anchor, Last};
use crate::limits::{ANCHOR_ROWS as ROWS, ANCHOR_TIME as TIME};
use crate::store::Store;
use crate::store::log::{Hash, Head};

/// What hands an anchor to a program; the error says what went wrong.
pub(crate) type Send = Arc<dyn Fn(&str) -> Result<(), String> + std::marker::Send + Sync>;

/// Where anchors go besides the home, where nobody who holds the home can take them back.
#[derive(Clone, Default)]
pub(crate) struct Outside {
    /// A file that they are added to, a line each.
    pub(crate) file: Option<PathBuf>,
    /// What hands them to a program.
    pub(crate) send: Option<Send>,
}

/// The places of anchors.
#[derive(Clone)]
pub(super) struct Places {
    home: PathBuf,
    key: Hash,
    outside: Outside,
    /// Losses accepted until now.
    losses: i64,
}

impl Places {
    pub(super) fn new(home: &Path, key: &Hash, outside: &Outside) -> Self {
        Self { home: home.to_owned(), key: *key, outside: outside.clone(), losses: 0 }
    }

    /// The anchor in the home.
    pub(super) fn own(&self) -> PathBuf {
        self.home.join("audit.head")
    }

    /// What was last handed outside, and to which file.
    fn sent(&self) -> PathBuf {
        self.home.join("audit.sent")
    }

    pub(super) fn outside_file(&self) -> Option<&Path> {
        self.outside.file.as_deref()
    }

    /// Drops the first anchor of a log that has no row yet.
    pub(super) fn first(&self, origin: &Hash) -> std::io::Result<()> {
        let head = Head { seq: 0, hash: *origin };
        Anchor { head, at: 0, losses: 0 }.write(&self.own(), &self.key)
    }

    /// Checks the anchor at home and the last one outside against the log, and takes over how many losses they count.
    pub(super) fn check(&mut self, store: &Store, origin: &Hash) -> Result<(), StartError> {
        let own = self.own();
        let anchor = match self.last(&own)? {
            Last::Anchor(anchor) => anchor,
            Last::Missing => return Err(StartError::AnchorMissing { path: own }),
            Last::Unreadable => return Err(StartError::Anchor { path: own }),
        };
        Self::holds(store, origin, &own, &anchor)?;
        self.losses = anchor.losses;
        let Some(file) = &self.outside.file else { return Ok(()) };
        match self.last(file)? {
            Last::Anchor(anchor) => {
                Self::holds(store, origin, file, &anchor)?;
                self.losses = self.losses.max(anchor.losses);
                Ok(())
            }
            Last::Missing | Last::Unreadable if self.was_sent_to(file) => {
                Err(StartError::AnchorMissing { path: file.clone() })
            }
            Last::Missing => Ok(()),
            Last::Unreadable if std::fs::metadata(file).is_ok_and(|about| about.len() == 0) => Ok(()),
            Last::Unreadable => Err(StartError::Anchor { path: file.clone() }),
        }
    }

    /// The most that any anchor says of losses and of rows, whether the log holds it or not: what a loss is accepted
    /// against.
    pub(super) fn most(&self) -> Option<Anchor> {
        let files = [Some(self.own()), self.outside.file.clone()];
        let found = files.into_iter().flatten().filter_map(|file| match self.last(&file) {
            Ok(Last::Anchor(anchor)) => Some(anchor),
            Ok(Last::Missing | Last::Unreadable) | Err(_) => None,
        });
        found.reduce(|one, other| if other.is_ahead_of(&one) { other } else { one })
    }

    /// From now on so many losses have been accepted.
    pub(super) fn accept(&mut self, losses: i64) {
        self.losses = losses;
    }

    fn last(&self, file: &Path) -> Result<Last, StartError> {
        anchor::last(file, &self.key).map_err(|error| StartError::File { path: file.to_owned(), error })
    }

    fn holds(store: &Store, origin: &Hash, path: &Path, anchor: &Anchor) -> Result<(), StartError> {
        let Head { seq, hash } = anchor.head;
        let there = if seq == 0 { Some(*origin) } else { store.hash_at(seq)? };
        if there == Some(hash) {
            return Ok(());
        }
        Err(StartError::RolledBack { path: path.to_owned(), seq })
    }

    fn was_sent_to(&self, file: &Path) -> bool {
        let text = std::fs::read_to_string(self.sent()).unwrap_or_default();
        text.lines().nth(1).is_some_and(|line| Path::new(line) == file)
    }

    /// Drops the anchor at home, unless another process has been there with a newer one.
    fn drop_at_home(&self, anchor: &Anchor) -> std::io::Result<()> {
        let _alone = File::open(&self.home).and_then(|home| home.lock().map(|()| home))?;
        match anchor::last(&self.own(), &self.key)? {
            Last::Anchor(there) if !anchor.is_ahead_of(&there) => Ok(()),
            Last::Anchor(_) | Last::Missing | Last::Unreadable => anchor.write(&self.own(), &self.key),
        }
    }

    /// Whether the anchors outside are far enough behind this one for a process that ends.
    fn is_behind(&self, anchor: &Anchor) -> bool {
        match anchor::first(&self.sent(), &self.key) {
            Some(sent) => {
                sent.losses != anchor.losses
                    || anchor.head.seq - sent.head.seq >= ROWS
                    || u128::from(anchor.at.abs_diff(sent.at)) >= TIME.as_millis()
            }
            None => true,
        }
    }

    fn drop_outside(&self, anchor: &Anchor) {
        let mut well = true;
        if let Some(file) = &self.outside.file
            && let Err(error) = anchor::add(file, anchor, &self.key)
        {
            well = false;
            tracing::warn!(path = %file.display(), %error, "the anchor of the audit log was not written outside");
        }
        if let Some(send) = &self.outside.send
            && let Err(error) = send(&anchor.text(&self.key))
        {
            well = false;
            tracing::warn!(%error, "the anchor of the audit log was not sent");
        }
        if well {
            let file = self.outside.file.as_deref().unwrap_or(Path::new("")).display();
            let text = format!("{}{file}\n", anchor.text(&self.key));
            if let Err(error) = anchor::write_whole(&self.sent(), &text) {
                tracing::warn!(path = %self.sent().display(), %error, "that an anchor was sent was not written");
            }
        }
    }

    fn is_outside(&self) -> bool {
        self.outside.file.is_some() || self.outside.send.is_some()
    }
}

/// What drops anchors while the log grows. Dropped, it drops the last one and ends.
pub(super) struct Anchors {
    shared: Arc<Shared>,
    /// Started with the first row.
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    places: Places,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The newest, when it is not dropped yet.
    waiting: Option<Anchor>,
    /// The row that was the newest when the last anchor was dropped.
    dropped: i64,
    stopped: bool,
}

impl Anchors {
    pub(super) fn new(places: Places) -> Self {
        let shared = Shared { places, state: Mutex::default(), changed: Condvar::new() };
        Self { shared: Arc::new(shared), thread: None }
    }

    /// The log has come to `head`, whose rows are as late as `at`.
    pub(super) fn passed(&mut self, head: &Head, at: i64) {
        let losses = self.shared.places.losses;
        let mut state = self.shared.state();
        if self.thread.is_none() {
            state.dropped = head.seq - 1;
            let shared = Arc::clone(&self.shared);
            match std::thread::Builder::new().name("anchors".into()).spawn(move || shared.run()) {
                Ok(thread) => self.thread = Some(thread),
                Err(error) => tracing::warn!(%error, "no thread drops anchors of the audit log"),
            }
        }
        let fresh = state.waiting.replace(Anchor { head: *head, at, losses }).is_none();
        if fresh || head.seq - state.dropped >= ROWS {
            self.shared.changed.notify_one();
        }
    }
}

impl Drop for Anchors {
    fn drop(&mut self) {
        self.shared.state().stopped = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // one that panicked has said so
            let _ended = thread.join();
        }
    }
}

impl Shared {
    fn run(&self) {
        let mut state = self.state();
        loop {
            let since = Instant::now();
            while !state.stopped && !state.is_due(since.elapsed()) {
                state = if state.waiting.is_none() {
                    self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
                } else {
                    let left = TIME.saturating_sub(since.elapsed());
                    self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                };
            }
            let (stopped, waiting) = (state.stopped, state.waiting.take());
            state.dropped = waiting.map_or(state.dropped, |anchor| anchor.head.seq);
            drop(state);
            if let Some(anchor) = waiting {
                self.drop_anchor(&anchor, stopped);
            }
            if stopped {
                return;
            }
            state = self.state();
        }
    }

    fn drop_anchor(&self, anchor: &Anchor, last: bool) {
        let places = &self.places;
        if let Err(error) = places.drop_at_home(anchor) {
            tracing::warn!(path = %places.own().display(), %error, "the anchor of the audit log was not written");
        }
        // a process of one line does not pay for a program each time
        if places.is_outside() && (!last || places.is_behind(anchor)) {
            places.drop_outside(anchor);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_due(&self, waited: Duration) -> bool {
        self.waiting.is_some_and(|anchor| anchor.head.seq - self.dropped >= ROWS || waited >= TIME)
    }
}
