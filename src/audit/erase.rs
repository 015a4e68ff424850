//! Erasing what old rows say, or the rows of one person: who, room and body go, digests and seals stay, so the chain holds
//! and a record says which rows it was. Deliberately absent: when it is due, and erasing on one's own account.

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::{Audit, Unavailable, body};
use crate::limits::ERASED_ROWS;
use crate::scrub;
use crate::store::StoreError;
use crate::store::log::Entry;

/// Lines of one person that are erased in one go.
const LINES: i64 = 50;

/// What was erased, and why.
#[derive(Serialize, Deserialize)]
pub(super) struct Erasure {
    pub(super) rows: Ranges,
    /// Who wanted it: the policy of the site, or somebody.
    by: String,
    reason: String,
}

/// Numbers of rows as ranges, both ends included, in order.
#[derive(Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Ranges(Vec<(i64, i64)>);

impl Ranges {
    /// One more; the largest so far.
    pub(super) fn add(&mut self, seq: i64) {
        match self.0.last_mut() {
            Some((_, to)) if *to + 1 == seq => *to = seq,
            _ => self.0.push((seq, seq)),
        }
    }

    pub(super) fn extend(&mut self, more: Self) {
        self.0.extend(more.0);
        if self.0.len().is_multiple_of(1024) {
            self.join();
        }
    }

    /// How many rows.
    pub(super) fn count(&self) -> i64 {
        self.0.iter().map(|(from, to)| to - from + 1).sum()
    }

    /// The first of the others that is not all in these.
    pub(super) fn lacks(&mut self, others: &Self) -> Option<(i64, i64)> {
        self.join();
        let mut own = self.0.iter().peekable();
        others.0.iter().copied().find(|(from, to)| {
            while own.next_if(|(_, end)| end < from).is_some() {}
            own.peek().is_none_or(|(start, end)| start > from || end < to)
        })
    }

    /// Puts them in order, and those together that touch.
    fn join(&mut self) {
        self.0.sort_unstable();
        self.0.dedup_by(|next, before| {
            let touch = next.0 <= before.1 + 1;
            if touch {
                before.1 = before.1.max(next.1);
            }
            touch
        });
    }
}

impl Audit {
    /// Erases what rows say that are older than `until`, as the site's policy wants it. Gives how many, when it is on the
    /// disk.
    pub(crate) async fn erase_before(&self, until: i64, at: i64, reason: &str) -> Result<u64, Unavailable> {
        let mut count = 0;
        let mut after = 0;
        loop {
            let store = self.0.store.clone();
            let rows = super::query::apart(move || store.whole(after, until, ERASED_ROWS)).await?;
            let Some(last) = rows.last() else { return Ok(count) };
            (after, count) = (*last, count + rows.len() as u64);
            self.erase(rows, at, "the site's policy", reason).await?;
        }
    }

    /// Erases what all lines of somebody say that have ended; `by` wants it. Gives how many rows that were, when it is on the
    /// disk.
    pub(crate) async fn erase_of(&self, who: &str, at: i64, by: &str, reason: &str) -> Result<u64, Unavailable> {
        let mut count = 0;
        loop {
            let (store, name) = (self.0.store.clone(), who.to_owned());
            let rows = super::query::apart(move || store.whole_of(&name, LINES)).await?;
            if rows.is_empty() {
                return Ok(count);
            }
            count += rows.len() as u64;
            self.erase(rows, at, by, reason).await?;
        }
    }

    async fn erase(&self, rows: Vec<i64>, at: i64, by: &str, reason: &str) -> Result<(), Unavailable> {
        let mut ranges = Ranges::default();
        for seq in &rows {
            ranges.add(*seq);
        }
        let (by, reason) = (scrub::text(by).into_owned(), scrub::text(reason).into_owned());
        let record = body::erased(at, &Erasure { rows: ranges, by, reason });
        let (answer, answered) = oneshot::channel();
        self.0.store.append([Entry::Erase { rows, record, answer }])?;
        Ok(answered.await.unwrap_or(Err(StoreError::Closed))?)
    }
}

#[cfg(test)]
mod tests {
    use super::Ranges;

    #[test]
    fn ranges_know_what_they_lack() {
        let of = |ranges: &[(i64, i64)]| Ranges(ranges.to_vec());
        let lacks = |own: &[(i64, i64)], others: &[(i64, i64)]| of(own).lacks(&of(others));
        assert_eq!(lacks(&[(1, 5), (6, 9), (20, 30)], &[(1, 9), (21, 30)]), None);
        assert_eq!(lacks(&[(20, 30), (1, 5)], &[(2, 3), (6, 6)]), Some((6, 6)));
        assert_eq!(lacks(&[(1, 5)], &[(5, 6)]), Some((5, 6)));
        assert_eq!(lacks(&[], &[(1, 1)]), Some((1, 1)));
        assert_eq!(lacks(&[(3, 9), (1, 10)], &[(1, 10)]), None);
        assert_eq!((of(&[(1, 5), (7, 7)]).count(), lacks(&[(1, 1)], &[])), (6, None));
    }
}
