//! The anchor: how far the log had come, in a file beside it, so that an end cut off is seen. Written every thousand rows,
//! every minute of rows and when the process ends. Deliberately absent: protection against somebody who puts back an
//! older anchor together with an older database; for that, copy the file elsewhere.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::StartError;
use super::chain::Key;
use crate::store::log::{Hash, Head};

/// Rows after which a new anchor is due.
const ROWS: i64 = 1000;

/// Milliseconds of the rows' own time after which a new anchor is due.
const TIME: i64 = 60_000;

pub(super) struct Anchor {
    path: PathBuf,
    key: Hash,
    /// The rows since are not anchored.
    last: Option<(i64, i64)>,
    head: Option<Head>,
}

impl Anchor {
    pub(super) fn new(home: &Path, key: &Key) -> Self {
        Self { path: home.join("audit.head"), key: key.anchors, last: None, head: None }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The anchor in the file; `None` when there is no file.
    pub(super) fn read(&self) -> Result<Option<Head>, StartError> {
        match fs::read_to_string(&self.path) {
            Ok(text) => match self.parse(&text) {
                Some(head) => Ok(Some(head)),
                None => Err(StartError::Anchor { path: self.path.clone() }),
            },
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == ErrorKind::InvalidData => Err(StartError::Anchor { path: self.path.clone() }),
            Err(error) => Err(StartError::File { path: self.path.clone(), error }),
        }
    }

    /// The log has come to `head`, whose rows are as late as `at`.
    pub(super) fn passed(&mut self, head: &Head, at: i64) {
        self.head = Some(*head);
        let (seq, since) = *self.last.get_or_insert((head.seq, at));
        // A clock that jumps back must not put the next anchor off.
        if head.seq - seq >= ROWS || at.abs_diff(since) >= TIME.unsigned_abs() {
            self.drop_now();
            self.last = Some((head.seq, at));
        }
    }

    /// Anchors what there is. That it fails harms nothing written; the next one is due as before.
    pub(super) fn drop_now(&mut self) {
        let Some(head) = self.head.take() else { return };
        let newer = !matches!(self.read(), Ok(Some(there)) if there.seq >= head.seq);
        if newer && let Err(error) = self.write(&head) {
            tracing::warn!(path = %self.path.display(), %error, "the anchor of the audit log was not written");
        }
    }

    fn write(&self, head: &Head) -> std::io::Result<()> {
        let draft = self.path.with_extension(format!("head.{}", std::process::id()));
        let written = fs::File::create(&draft).and_then(|mut file| {
            file.write_all(self.text(head).as_bytes())?;
            file.sync_all()?;
            fs::rename(&draft, &self.path)
        });
        if written.is_err() {
            let _none = fs::remove_file(&draft);
        }
        written
    }

    fn text(&self, head: &Head) -> String {
        let said = format!("{} {}", head.seq, blake3::Hash::from_bytes(head.hash).to_hex());
        let proof = blake3::keyed_hash(&self.key, said.as_bytes()).to_hex();
        format!("{said} {proof}\n")
    }

    fn parse(&self, text: &str) -> Option<Head> {
        let mut parts = text.trim_end().split(' ');
        let seq = parts.next()?.parse().ok()?;
        let hash = *blake3::Hash::from_hex(parts.next()?).ok()?.as_bytes();
        let head = Head { seq, hash };
        (self.text(&head) == text).then_some(head)
    }
}
