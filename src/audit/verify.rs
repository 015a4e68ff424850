//! Walks the log and says whether it is what was written. Every row is checked against the one before and the key, the end
//! against the anchor. Not provable here: rows cut off after the last anchor, and an older database put back together
//! with its own older anchor; compare with an anchor kept elsewhere.

use std::ops::ControlFlow;
use std::path::Path;

use super::anchor::Anchor;
use super::chain::{Key, seal};
use super::{StartError, chain};
use crate::store::Store;
use crate::store::log::{Hash, Head};

/// What a walk over the log found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    /// Records that hold, from the first on.
    pub(crate) records: i64,
    /// The seal of the last of them, hexadecimal; empty when there is none. Two equal seals mean two equal logs.
    pub(crate) head: String,
    /// How far the anchor proves that nothing was cut off; `None` when there is no anchor.
    pub(crate) anchored: Option<i64>,
    /// The first thing that is wrong.
    pub(crate) fault: Option<Fault>,
}

/// What is wrong with the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("record {seq} is not as it was written")]
    Changed { seq: i64 },
    #[error("records {from} to {to} are missing")]
    Missing { from: i64, to: i64 },
    #[error("the end is missing: there were {anchored} records, there are {found}")]
    CutOff { found: i64, anchored: i64 },
    #[error("rows are hidden from whoever reads it: {0}")]
    Hidden(String),
    #[error("{0}")]
    Unreadable(String),
}

/// Reads the whole log, in constant memory. Blocks; about a microsecond a record. Others may write meanwhile.
pub(crate) fn verify(store: &Store, home: &Path) -> Result<Report, StartError> {
    let Some(key) = Key::load(home)? else {
        let path = home.join("audit.key");
        let empty = store.hash_at(1)?.is_none();
        let none = Report { records: 0, head: String::new(), anchored: None, fault: None };
        return if empty { Ok(none) } else { Err(StartError::KeyMissing { path }) };
    };
    // Read first: a row anchored before the walk begins is in the walk.
    let (anchor, bad_anchor) = match Anchor::new(home, &key).read() {
        Ok(anchor) => (anchor, None),
        Err(error @ StartError::Anchor { .. }) => (None, Some(Fault::Unreadable(error.to_string()))),
        Err(error) => return Err(error),
    };
    let mut walk = Walk { key: &key, anchor, head: Head { seq: 0, hash: key.origin }, fault: None, buffer: Vec::new() };
    let walked = store.walk(&mut |row, hash| walk.step(row, hash));
    let Walk { head, mut fault, .. } = walk;
    if let Err(error) = walked {
        fault = fault.or(Some(Fault::Unreadable(error.to_string())));
    }
    let fault = fault.or(bad_anchor).or(match anchor {
        Some(anchor) if anchor.seq > head.seq => Some(Fault::CutOff { found: head.seq, anchored: anchor.seq }),
        Some(_) | None => None,
    });
    let fault = fault.or_else(|| store.check_log().err().map(|error| Fault::Hidden(error.to_string())));
    let seal = if head.seq > 0 { blake3::Hash::from_bytes(head.hash).to_hex().to_string() } else { String::new() };
    Ok(Report { records: head.seq, head: seal, anchored: anchor.map(|anchor| anchor.seq), fault })
}

struct Walk<'a> {
    key: &'a chain::Key,
    anchor: Option<Head>,
    head: Head,
    fault: Option<Fault>,
    buffer: Vec<u8>,
}

impl Walk<'_> {
    fn step(&mut self, row: &crate::store::log::Sealed<'_>, found: &[u8]) -> ControlFlow<()> {
        let next = self.head.seq + 1;
        if row.seq > next {
            return self.stop(Fault::Missing { from: next, to: row.seq - 1 });
        }
        let hash: Hash = seal(&self.key.rows, &self.head.hash, row, &mut self.buffer);
        let anchored = self.anchor.is_none_or(|anchor| anchor.seq != row.seq || anchor.hash == hash);
        if row.seq < next || found != hash || !anchored {
            return self.stop(Fault::Changed { seq: row.seq });
        }
        self.head = Head { seq: row.seq, hash };
        ControlFlow::Continue(())
    }

    fn stop(&mut self, fault: Fault) -> ControlFlow<()> {
        self.fault = Some(fault);
        ControlFlow::Break(())
    }
}
