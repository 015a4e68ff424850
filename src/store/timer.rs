//! Things that are due at a time. They outlive the process; one process at a time takes each, and whoever took one and died
//! leaves it to the next when its lease has run out.
//!
//! A timer is a document whose key begins with the time at which it is looked at again, so that those that are due are found
//! without looking at the others, and taking one is moving it ahead by a lease. Deliberately absent: what a timer means, and
//! a clock.

use serde::{Deserialize, Serialize};

use super::{Change, Expect, Store, StoreError, documents};

const KIND: &str = "timer";

/// Something that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Timer {
    /// Its name; no other timer has it, and there is no slash in it.
    pub(crate) id: String,
    /// When, in milliseconds since 1970.
    pub(crate) due: i64,
    /// How often it was taken by somebody who did not say what became of it.
    pub(crate) broken_off: u32,
    /// What is to happen.
    pub(crate) body: String,
    key: String,
}

/// As it lies in the store.
#[derive(Serialize, Deserialize)]
struct Kept {
    due: i64,
    #[serde(default)]
    broken_off: u32,
    body: String,
}

/// A timer that this process has taken until its lease runs out.
#[derive(Debug)]
pub(crate) struct Taken(pub(crate) Timer);

fn key(at: i64, id: &str) -> String {
    format!("{:016x}/{id}", at.max(0))
}

fn insert(at: i64, timer: &Timer) -> Change {
    let kept = Kept { due: timer.due, broken_off: timer.broken_off, body: timer.body.clone() };
    // numbers and a text: there is nothing in it that JSON cannot say
    let body = serde_json::to_string(&kept).unwrap_or_default();
    Change::Insert { kind: KIND, key: key(at, &timer.id), body }
}

impl Timer {
    /// A timer that was not set yet.
    pub(crate) fn new(id: impl Into<String>, due: i64, body: impl Into<String>) -> Self {
        let id = id.into();
        Self { key: key(due, &id), id, due, broken_off: 0, body: body.into() }
    }

    /// The change that sets it.
    pub(crate) fn set(&self) -> Change {
        insert(self.due, self)
    }

    /// The change that takes it back; `StoreError::Missing` when it was taken or done meanwhile.
    pub(crate) fn cancel(&self) -> Change {
        Change::Delete { kind: KIND, key: self.key.clone(), expect: Expect::Present }
    }
}

impl Taken {
    /// The change that ends it: to be made together with what it was for.
    pub(crate) fn done(&self) -> Change {
        self.0.cancel()
    }

    /// The changes that put it off: it did not happen, and is tried again then.
    pub(crate) fn again(&self, at: i64) -> Vec<Change> {
        vec![self.0.cancel(), insert(at, &Timer { broken_off: self.0.broken_off.saturating_sub(1), ..self.0.clone() })]
    }
}

fn read(document: super::Document) -> Option<Timer> {
    let id = document.key.split_once('/')?.1.to_owned();
    let kept: Kept = serde_json::from_str(&document.body).ok()?;
    Some(Timer { id, due: kept.due, broken_off: kept.broken_off, body: kept.body, key: document.key })
}

impl Store {
    /// All timers, the next one first. Reads the file, about a microsecond a timer.
    pub(crate) fn timers(&self) -> Result<Vec<Timer>, StoreError> {
        Ok(self.list(KIND)?.into_iter().filter_map(read).collect())
    }

    /// Takes timers that are due and wanted, so many at most, until `lease`. Those of another process are left out, and
    /// those that are taken by one meanwhile.
    pub(crate) async fn take_due(
        &self,
        now: i64,
        lease: i64,
        most: usize,
        wanted: impl Fn(&Timer) -> bool,
    ) -> Result<Vec<Taken>, StoreError> {
        let behind = key(now.saturating_add(1), "");
        let due = self.read(|connection| documents::before(connection, KIND, &behind))?;
        let mut taken = Vec::new();
        for timer in due.into_iter().filter_map(read).filter(wanted).take(most) {
            let held = Timer { broken_off: timer.broken_off + 1, key: key(lease, &timer.id), ..timer.clone() };
            match self.apply(vec![timer.cancel(), insert(lease, &held)]).await {
                Ok(()) => taken.push(Taken(held)),
                Err(StoreError::Missing { .. } | StoreError::Exists { .. }) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]
    use super::{Store, StoreError, Taken, Timer};

    fn opened() -> (tempfile::TempDir, Store) {
        let home = tempfile::tempdir().unwrap();
        let store = Store::open(home.path().join("pipit.db")).unwrap();
        (home, store)
    }

    async fn take(store: &Store, now: i64, lease: i64) -> Vec<Taken> {
        store.take_due(now, lease, 10, |_| true).await.unwrap()
    }

    fn ids(taken: &[Taken]) -> Vec<&str> {
        taken.iter().map(|taken| taken.0.id.as_str()).collect()
    }

    #[tokio::test]
    async fn what_is_due_is_taken_once() {
        let (_home, store) = opened();
        let timers = [("b", 200), ("a", 300), ("c", 100)].map(|(id, due)| Timer::new(id, due, id));
        store.apply(timers.iter().map(Timer::set).collect()).await.unwrap();
        assert_eq!(store.timers().unwrap().iter().map(|timer| timer.due).collect::<Vec<_>>(), [100, 200, 300]);
        assert!(take(&store, 99, 1000).await.is_empty());
        let taken = take(&store, 200, 1000).await;
        assert_eq!(ids(&taken), ["c", "b"]);
        assert!(take(&store, 200, 1000).await.is_empty(), "they are taken");
        store.apply(vec![taken[0].done()]).await.unwrap();
        // the other one was left by whoever took it
        let again = take(&store, 1000, 2000).await;
        assert_eq!(ids(&again), ["a", "b"]);
        assert_eq!((again[1].0.broken_off, again[1].0.due), (2, 200));
        // and is no longer theirs
        let missing = store.apply(vec![taken[1].done()]).await;
        assert!(matches!(missing, Err(StoreError::Missing { .. })), "{missing:?}");
    }

    #[tokio::test]
    async fn one_that_did_not_happen_is_tried_again() {
        let (_home, store) = opened();
        store.apply(vec![Timer::new("a", 100, "x").set()]).await.unwrap();
        let taken = take(&store, 100, 1000).await;
        store.apply(taken[0].again(500)).await.unwrap();
        assert!(take(&store, 499, 1000).await.is_empty());
        let taken = take(&store, 500, 1000).await;
        assert_eq!((taken[0].0.broken_off, taken[0].0.due, taken[0].0.body.as_str()), (1, 100, "x"));
    }

    #[tokio::test]
    async fn two_processes_never_take_the_same() {
        let (home, store) = opened();
        let other = Store::open(home.path().join("pipit.db")).unwrap();
        let changes = (0..50).map(|n| Timer::new(format!("t{n}"), n, "x").set()).collect();
        store.apply(changes).await.unwrap();
        let taken = |store: Store| async move { store.take_due(100, 1000, 100, |_| true).await.unwrap() };
        let (one, two) = tokio::join!(taken(store.clone()), taken(other));
        let mut all: Vec<&str> = ids(&one).into_iter().chain(ids(&two)).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!((all.len(), one.len() + two.len()), (50, 50));
    }

    #[tokio::test]
    async fn what_is_not_wanted_is_left_and_what_is_cancelled_is_gone() {
        let (_home, store) = opened();
        let timers = ["a", "b"].map(|id| Timer::new(id, 1, id));
        store.apply(timers.iter().map(Timer::set).collect()).await.unwrap();
        let taken = store.take_due(1, 9, 10, |timer| timer.body == "b").await.unwrap();
        assert_eq!(ids(&taken), ["b"]);
        store.apply(vec![timers[0].cancel()]).await.unwrap();
        assert!(store.apply(vec![timers[0].cancel()]).await.is_err());
        assert_eq!(store.timers().unwrap().len(), 1);
    }
}
