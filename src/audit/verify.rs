//! Walks the log and says whether it is what was written. Every row is checked against the one before and the key, the end
//! against the anchor at home and, if there is one, a file of anchors from elsewhere. Not provable here: rows cut off after
//! the last anchor, and an older home put back whole; for that there are anchors elsewhere.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::anchor::{self, Anchor, Last};
use super::chain::{Key, seal};
use super::erase::{Erasure, Ranges};
use super::loss::Loss;
use super::{StartError, body, chain};
use crate::store::Store;
use crate::store::log::{Head, Sealed};

/// What a walk over the log found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    /// Records that hold, from the first on.
    pub(crate) records: i64,
    /// The seal of the last of them, hexadecimal; empty when there is none. Two equal seals mean two equal logs.
    pub(crate) head: String,
    /// How far the anchor at home proves that nothing was cut off.
    pub(crate) anchored: Option<i64>,
    /// How many anchors of the file from elsewhere hold; `None` when there was no file to look at.
    pub(crate) outside: Option<u64>,
    /// Losses that the operator accepted, each a record.
    pub(crate) losses: Vec<Loss>,
    /// Records whose content was erased, as other records say.
    pub(crate) erased: i64,
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
    #[error("{} is missing, so nothing shows whether the end was cut off", path.display())]
    NoAnchor { path: PathBuf },
    #[error("line {line} of {} anchors record {seq}, and the log does not hold it so", path.display())]
    Outside { path: PathBuf, line: usize, seq: i64 },
    #[error("line {line} of {} is no anchor written with this key", path.display())]
    Foreign { path: PathBuf, line: usize },
    #[error("what records {from} to {to} said was erased, and no record says so")]
    Erased { from: i64, to: i64 },
    #[error("rows are hidden from whoever reads it: {0}")]
    Hidden(String),
    #[error("{0}")]
    Unreadable(String),
}

/// Reads the whole log, in memory that grows with the gaps between erased records alone, and compares it with the anchor at home and with the anchors of a file. Blocks;
/// about a microsecond a record and some for an anchor. Others may write meanwhile.
pub(crate) fn verify(store: &Store, home: &Path, anchors: Option<&Path>) -> Result<Report, StartError> {
    let Some(key) = Key::load(home)? else {
        let path = home.join("audit.key");
        let empty = store.hash_at(1)?.is_none() && !home.join("audit.head").exists() && anchors.is_none();
        let none = Report {
            records: 0,
            head: String::new(),
            anchored: None,
            outside: None,
            losses: Vec::new(),
            erased: 0,
            fault: None,
        };
        return if empty {
            super::whole_from_the_first(store).map(|()| none)
        } else {
            Err(StartError::KeyMissing { path })
        };
    };
    // Read first: a row anchored before the walk begins is in the walk.
    let path = home.join("audit.head");
    let read = anchor::last(&path, &key.anchors).map_err(|error| StartError::File { path: path.clone(), error })?;
    let (anchor, bad_anchor) = match read {
        Last::Anchor(anchor) => (Some(anchor), None),
        Last::Missing => (None, Some(Fault::NoAnchor { path })),
        Last::Unreadable => (None, Some(Fault::Unreadable(StartError::Anchor { path }.to_string()))),
    };
    let Walked { head, losses, fault, erased, allowed: _ } = walk(store, &key, anchor);
    let fault = fault.or(bad_anchor).or(match anchor {
        Some(anchor) if anchor.head.seq > head.seq => {
            Some(Fault::CutOff { found: head.seq, anchored: anchor.head.seq })
        }
        Some(_) | None => None,
    });
    let fault =
        fault.or_else(|| super::whole_from_the_first(store).err().map(|error| Fault::Unreadable(error.to_string())));
    let mut fault = fault.or_else(|| store.check_log().err().map(|error| Fault::Hidden(error.to_string())));
    let mut outside = None;
    if let (Some(file), None) = (anchors, &fault) {
        let (held, found) = compare(store, &key, file, &losses)?;
        (outside, fault) = (Some(held), found);
    }
    let seal = if head.seq > 0 { blake3::Hash::from_bytes(head.hash).to_hex().to_string() } else { String::new() };
    let anchored = anchor.map(|anchor| anchor.head.seq);
    Ok(Report { records: head.seq, head: seal, anchored, outside, losses, erased: erased.count(), fault })
}

/// Every anchor of a file against the log: how many hold, and the first that does not.
fn compare(store: &Store, key: &Key, file: &Path, losses: &[Loss]) -> Result<(u64, Option<Fault>), StartError> {
    let (mut held, mut fault, mut trouble) = (0, None, None);
    let read = anchor::each(file, &key.anchors, &mut |line, anchor| {
        let path = file.to_owned();
        let Some(anchor) = anchor else {
            fault = fault.take().or(Some(Fault::Foreign { path, line }));
            return Ok(());
        };
        let Head { seq, hash } = anchor.head;
        // what a later loss took away was anchored rightly
        if losses.iter().any(|loss| loss.number > anchor.losses && loss.found < seq) {
            return Ok(());
        }
        match if seq == 0 { Ok(Some(key.origin)) } else { store.hash_at(seq) } {
            Ok(Some(there)) if there == hash => held += 1,
            Ok(_) => fault = fault.take().or(Some(Fault::Outside { path, line, seq })),
            Err(error) => {
                trouble = Some(error);
                return Err(std::io::Error::other("the log cannot be read"));
            }
        }
        Ok(())
    });
    match (trouble, read) {
        (Some(error), _) => Err(error.into()),
        (None, Err(error)) => Err(StartError::File { path: file.to_owned(), error }),
        (None, Ok(())) => Ok((held, fault)),
    }
}

/// How far a walk came.
pub(super) struct Walked {
    /// The last row that holds.
    pub(super) head: Head,
    pub(super) losses: Vec<Loss>,
    /// Rows whose content is gone.
    erased: Ranges,
    /// Rows whose content was erased as records say.
    allowed: Ranges,
    /// Why it went no further.
    pub(super) fault: Option<Fault>,
}

/// Checks every row against the one before it, and the one that `anchor` names against that.
pub(super) fn walk(store: &Store, key: &Key, anchor: Option<Anchor>) -> Walked {
    let walked = Walked {
        head: Head { seq: 0, hash: key.origin },
        losses: Vec::new(),
        erased: Ranges::default(),
        allowed: Ranges::default(),
        fault: None,
    };
    let mut walk = Walk { key, anchor, walked, buffer: Vec::new() };
    let ended = store.walk(&mut |row, hash| walk.step(row, hash));
    let mut walked = walk.walked;
    if let Err(error) = ended {
        walked.fault = walked.fault.or(Some(Fault::Unreadable(error.to_string())));
    }
    if walked.fault.is_none() {
        walked.fault = walked.allowed.lacks(&walked.erased).map(|(from, to)| Fault::Erased { from, to });
    }
    walked
}

struct Walk<'a> {
    key: &'a chain::Key,
    anchor: Option<Anchor>,
    walked: Walked,
    buffer: Vec<u8>,
}

impl Walk<'_> {
    fn step(&mut self, row: &Sealed<'_>, found: &[u8]) -> ControlFlow<()> {
        let head = &self.walked.head;
        let next = head.seq + 1;
        if row.seq > next {
            return self.stop(Fault::Missing { from: next, to: row.seq - 1 });
        }
        let Some(hash) = seal(self.key, &head.hash, row, &mut self.buffer) else {
            return self.stop(Fault::Changed { seq: row.seq });
        };
        let anchored = self.anchor.is_none_or(|anchor| anchor.head.seq != row.seq || anchor.head.hash == hash);
        if row.seq < next || found != hash || !anchored {
            return self.stop(Fault::Changed { seq: row.seq });
        }
        if row.digest.is_some() {
            self.walked.erased.add(row.seq);
        }
        if row.kind == body::ERASED.as_bytes() {
            match serde_json::from_slice::<Erasure>(row.body) {
                Ok(erasure) => self.walked.allowed.extend(erasure.rows),
                Err(_) => return self.stop(Fault::Changed { seq: row.seq }),
            }
        }
        if row.kind == body::LOST.as_bytes() {
            self.walked.losses.extend(serde_json::from_slice::<Loss>(row.body));
        }
        self.walked.head = Head { seq: row.seq, hash };
        ControlFlow::Continue(())
    }

    fn stop(&mut self, fault: Fault) -> ControlFlow<()> {
        self.walked.fault = Some(fault);
        ControlFlow::Break(())
    }
}
