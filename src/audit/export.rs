//! All records of a time, one after the other, as they lie in the log. Deliberately absent: forms for other programs.

use super::query::{Row, apart, row};
use super::{Audit, name};
use crate::limits::EXPORTED_ROWS;
use crate::store::StoreError;

/// A place in the log from which to read on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    /// The last record that was read; nought before the first.
    pub(crate) after: i64,
    /// Records from this time on, Unix milliseconds.
    pub(crate) since: i64,
    /// Records before this time.
    pub(crate) until: i64,
}

/// A record with the line that it belongs to.
#[derive(Clone, Debug)]
pub(crate) struct Exported {
    /// The id of its line; empty when it is about the log itself.
    pub(crate) line: String,
    /// Who asked, when it opens a line.
    pub(crate) who: Option<String>,
    /// Where, when it opens a line.
    pub(crate) room: Option<String>,
    /// The record.
    pub(crate) row: Row,
}

impl Audit {
    /// The next records; none at the end. On a thread of its own.
    pub(crate) async fn page(&self, page: Page) -> Result<Vec<Exported>, StoreError> {
        let store = self.0.store.clone();
        apart(move || {
            let rows = store.rows(page.after, page.since, page.until, EXPORTED_ROWS)?;
            Ok(rows
                .into_iter()
                .map(|found| Exported {
                    line: if found.line > 0 { name::of(found.line) } else { String::new() },
                    who: found.who.clone(),
                    room: found.room.clone(),
                    row: row(found),
                })
                .collect())
        })
        .await
    }
}
