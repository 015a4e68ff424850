//! Where ends of lines wait when the database does not take them: a file beside it, one sealed record a line, flushed to
//! the disk. It holds room on the disk beforehand, for the time the disk is full. Deliberately absent: anything that may be
//! lost.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::chain::Key;
use super::{StartError, body};
use crate::store::StoreError;
use crate::store::log::{Hash, Record};

/// Bytes of the disk the file holds while it is empty.
const RESERVE: u64 = 1024 * 1024;

pub(super) struct Spool {
    home: PathBuf,
    key: Hash,
    /// The file, locked against other processes while its records are being written to the database.
    taken: Option<File>,
}

impl Spool {
    pub(super) fn new(home: &Path, key: &Key) -> Result<Self, StartError> {
        let spool = Self { home: home.to_owned(), key: key.spool, taken: None };
        let file = spool.file().map_err(|error| StartError::File { path: spool.path(), error })?;
        spool.hold_room(&file);
        Ok(spool)
    }

    /// Adds records; returns when they are on the disk.
    pub(super) fn put(&mut self, records: &[Record]) -> Result<(), StoreError> {
        let mut text = String::new();
        for record in records {
            let json = serde_json::to_string(record).map_err(|error| StoreError::Failed(error.to_string()))?;
            let proof = blake3::keyed_hash(&self.key, json.as_bytes()).to_hex();
            // The line break goes first too: what an earlier crash left half-written stays a line of its own.
            text.extend(["\n", &proof, " ", &json, "\n"]);
        }
        self.add(&text).map_err(|error| self.failed(&error))
    }

    /// All records put aside, by any process; the file stays locked until `settled`.
    pub(super) fn take(&mut self) -> Result<Vec<Record>, StoreError> {
        let mut file = match OpenOptions::new().read(true).write(true).open(self.path()) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.failed(&error)),
        };
        let mut text = Vec::new();
        file.lock().and_then(|()| file.read_to_end(&mut text)).map_err(|error| self.failed(&error))?;
        // Nearly always: then there is nothing to empty, and nobody else to keep out.
        if text.is_empty() {
            return Ok(Vec::new());
        }
        self.taken = Some(file);
        let text = String::from_utf8_lossy(&text);
        Ok(text.lines().filter(|line| !line.is_empty()).map(|line| self.record(line)).collect())
    }

    /// Empties the file if its records are in the database now, and lets others have it again.
    pub(super) fn settled(&mut self, written: bool) {
        let Some(file) = self.taken.take() else { return };
        if !written {
            return;
        }
        match file.set_len(0).and_then(|()| file.sync_all()) {
            Ok(()) => self.hold_room(&file),
            // Left standing, the records are found in the database the next time and not written twice.
            Err(error) => tracing::warn!(path = %self.path().display(), %error, "the audit spool was not emptied"),
        }
    }

    fn record(&self, line: &str) -> Record {
        let parsed = line.split_once(' ').and_then(|(proof, json)| {
            let proof = blake3::Hash::from_hex(proof).ok()?;
            // The comparison of these hashes takes the same time for every difference.
            (proof == blake3::keyed_hash(&self.key, json.as_bytes())).then(|| serde_json::from_str(json).ok())?
        });
        parsed.unwrap_or_else(|| body::damaged(line))
    }

    fn add(&self, text: &str) -> io::Result<()> {
        let mut file = self.file()?;
        file.lock()?;
        let before = file.metadata()?.len();
        if let Err(error) = file.write_all(text.as_bytes()).and_then(|()| file.sync_all()) {
            file.set_len(before)?;
            return Err(error);
        }
        Ok(())
    }

    /// The file, open for adding; made, and sure to stay, if it is not there.
    fn file(&self) -> io::Result<File> {
        let path = self.path();
        let fresh = !path.exists();
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        if fresh {
            File::open(&self.home)?.sync_all()?;
        }
        Ok(file)
    }

    /// On a disk that is full, or cannot promise room, everything works as long as there is room.
    fn hold_room(&self, file: &File) {
        let held = file.metadata().is_ok_and(|about| about.blocks() * 512 >= RESERVE);
        if !held && let Err(error) = rustix::fs::fallocate(file, rustix::fs::FallocateFlags::KEEP_SIZE, 0, RESERVE) {
            tracing::debug!(path = %self.path().display(), %error, "no room is held for the audit spool");
        }
    }

    fn path(&self) -> PathBuf {
        self.home.join("audit.spool")
    }

    fn failed(&self, error: &io::Error) -> StoreError {
        StoreError::Failed(format!("{}: {error}", self.path().display()))
    }
}
