//! What waits for the one writer. Deliberately absent: a bound of its own; whoever pushes holds a permit (changes, open
//! lines, unsafe calls each have their number), so a job that must not wait never has to.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::log::{Chain, Entry};
use super::{Change, StoreError};

/// One thing for the writer to do.
pub(super) enum Job {
    /// Changes of documents, all or none.
    Apply {
        changes: Vec<Change>,
        answer: oneshot::Sender<Result<(), StoreError>>,
        #[expect(dead_code, reason = "held until the job is done")]
        permit: OwnedSemaphorePermit,
    },
    /// Rows for the end of the log.
    Append(Entry),
    /// From now on the log is sealed by this chain.
    Seal(Box<dyn Chain>),
}

#[derive(Default)]
struct Line {
    jobs: VecDeque<Job>,
    stopped: bool,
    /// The writer sleeps; only then a push pays for waking it.
    asleep: bool,
}

#[derive(Default)]
pub(super) struct Queue {
    line: Mutex<Line>,
    ready: Condvar,
}

impl Queue {
    pub(super) fn push(&self, jobs: impl IntoIterator<Item = Job>) {
        let mut line = self.line();
        line.jobs.extend(jobs);
        let wake = std::mem::take(&mut line.asleep);
        drop(line);
        if wake {
            self.ready.notify_one();
        }
    }

    /// No more jobs will come; the writer does what is left and ends.
    pub(super) fn stop(&self) {
        self.line().stopped = true;
        self.ready.notify_one();
    }

    /// Waits for work and takes up to `most` jobs in the order they came; `None` when all is done and stopped.
    pub(super) fn take(&self, most: usize) -> Option<Vec<Job>> {
        let mut line = self.line();
        while line.jobs.is_empty() {
            if line.stopped {
                return None;
            }
            line.asleep = true;
            line = self.ready.wait(line).unwrap_or_else(PoisonError::into_inner);
        }
        let count = line.jobs.len().min(most);
        Some(line.jobs.drain(..count).collect())
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
