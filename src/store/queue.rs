//! What waits for the one writer. Deliberately absent: a bound of its own; whoever pushes holds a permit (changes, open
//! lines, unsafe calls each have their number), so a job that must not wait never has to.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::log::{Chain, Entry};
use super::talk::Talk;
use super::{Change, StoreError};

/// How long jobs that nobody waits for stay before they get a commit of their own: the next line's, which comes soon in a
/// busy shell, takes them along.
const LINGER: Duration = Duration::from_millis(2);

/// One thing for the writer to do.
pub(super) enum Job {
    /// Changes of documents, all or none.
    Apply {
        changes: Vec<Change>,
        answer: oneshot::Sender<Result<(), StoreError>>,
        #[expect(dead_code, reason = "held until the job is done")]
        permit: OwnedSemaphorePermit,
    },
    /// What was said, or is to be said no longer; the answer is how many rows that were.
    Talk {
        talk: Talk,
        answer: Option<oneshot::Sender<Result<u64, StoreError>>>,
        #[expect(dead_code, reason = "held until the job is done")]
        permit: Option<OwnedSemaphorePermit>,
    },
    /// Rows for the end of the log.
    Append(Entry),
    /// From now on the log is sealed by this chain.
    Seal(Box<dyn Chain>),
}

impl Job {
    /// Whether somebody does nothing until it is done.
    pub(super) fn is_awaited(&self) -> bool {
        match self {
            Self::Apply { .. } | Self::Append(Entry::Open { .. } | Entry::Row { .. } | Entry::Erase { .. }) => true,
            Self::Talk { answer, .. } => answer.is_some(),
            Self::Append(Entry::Keep { .. }) | Self::Seal(_) => false,
        }
    }
}

/// What the writer did last: so many jobs that somebody waited for, in one commit that took so long. Most of those who
/// waited ask again at once, so a new commit is worth waiting for them a part of that time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Last {
    pub(super) awaited: usize,
    pub(super) took: Duration,
}

impl Last {
    fn patience(self) -> Duration {
        (self.took / 4).min(LINGER)
    }
}

#[derive(Default)]
struct Line {
    jobs: VecDeque<Job>,
    /// Since when there are jobs.
    since: Option<Instant>,
    /// How many of them somebody waits for.
    awaited: usize,
    /// How many are worth waiting for.
    expected: usize,
    /// Somebody waits for jobs that were handed over as not waited for.
    hurried: bool,
    stopped: bool,
}

impl Line {
    /// Whether the writer need not wait for more.
    fn is_ready(&self, most: usize) -> bool {
        let all_here = self.awaited > 0 && self.awaited >= self.expected;
        self.stopped || self.hurried || all_here || self.jobs.len() >= most
    }
}

#[derive(Default)]
pub(super) struct Queue {
    line: Mutex<Line>,
    ready: Condvar,
}

impl Queue {
    pub(super) fn push(&self, jobs: impl IntoIterator<Item = Job>) {
        let mut line = self.line();
        let before = line.awaited;
        for job in jobs {
            line.awaited += usize::from(job.is_awaited());
            line.jobs.push_back(job);
        }
        // the writer is woken for what changes how long it waits, and not for each of many
        let wakes = line.since.is_none() || (before == 0 && line.awaited > 0) || line.awaited >= line.expected;
        line.since.get_or_insert_with(Instant::now);
        drop(line);
        if wakes {
            self.ready.notify_one();
        }
    }

    /// Somebody waits now for what has been pushed.
    pub(super) fn hurry(&self) {
        self.line().hurried = true;
        self.ready.notify_one();
    }

    /// No more jobs will come; the writer does what is left and ends.
    pub(super) fn stop(&self) {
        self.line().stopped = true;
        self.ready.notify_one();
    }

    /// Waits for work and takes up to `most` jobs in the order they came; `None` when all is done and stopped.
    pub(super) fn take(&self, most: usize, last: Last) -> Option<Vec<Job>> {
        let mut line = self.line();
        line.expected = last.awaited;
        let mut gathering = None;
        while !line.is_ready(most) {
            let left = match line.since {
                None => None,
                Some(since) if line.awaited == 0 => Some(LINGER.saturating_sub(since.elapsed())),
                Some(_) => {
                    let since = *gathering.get_or_insert_with(Instant::now);
                    Some(last.patience().saturating_sub(since.elapsed()))
                }
            };
            line = match left {
                None => self.ready.wait(line).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => break,
                Some(left) => self.ready.wait_timeout(line, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
        if line.jobs.is_empty() && line.stopped {
            return None;
        }
        let count = line.jobs.len().min(most);
        let taken: Vec<Job> = line.jobs.drain(..count).collect();
        line.awaited -= taken.iter().filter(|job| job.is_awaited()).count();
        if line.jobs.is_empty() {
            line.since = None;
            line.hurried = false;
        }
        Some(taken)
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
