//! Where ends of lines wait when the database does not take them: a file beside it, one sealed record a line, flushed to
//! the disk. A reserve file is given up when the disk is full. Deliberately absent: anything that may be lost.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::chain::Key;
use super::{StartError, body};
use crate::store::StoreError;
use crate::store::log::{Hash, Record};

/// Bytes of the disk kept for the time it is full.
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
        match spool.keep_reserve() {
            // A disk that is full already has no room for a reserve; lines will hear it when they open.
            Err(error) if error.kind() != ErrorKind::StorageFull => {
                Err(StartError::File { path: spool.reserve(), error })
            }
            Ok(()) | Err(_) => Ok(spool),
        }
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
        let put = match self.add(&text) {
            Err(error) if error.kind() == ErrorKind::StorageFull => {
                std::fs::remove_file(self.reserve()).and_then(|()| self.add(&text))
            }
            put => put,
        };
        put.map_err(|error| self.failed(&error))
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
        // Left standing, the records are found in the database the next time and not written twice.
        if let Err(error) = file.set_len(0).and_then(|()| file.sync_all()).and_then(|()| self.keep_reserve()) {
            tracing::warn!(path = %self.path().display(), %error, "the audit spool was not emptied");
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
        let path = self.path();
        let fresh = !path.exists();
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        file.lock()?;
        let before = file.metadata()?.len();
        if let Err(error) = file.write_all(text.as_bytes()).and_then(|()| file.sync_all()) {
            file.set_len(before)?;
            return Err(error);
        }
        if fresh { File::open(&self.home)?.sync_all() } else { Ok(()) }
    }

    fn keep_reserve(&self) -> io::Result<()> {
        let path = self.reserve();
        if path.exists() {
            return Ok(());
        }
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path)?;
        let kept = rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, RESERVE);
        if kept.is_err() {
            std::fs::remove_file(&path)?;
        }
        match kept {
            // A file system that cannot promise room has no reserve; everything else works without.
            Err(rustix::io::Errno::OPNOTSUPP) => Ok(()),
            kept => kept.map_err(io::Error::from),
        }
    }

    fn path(&self) -> PathBuf {
        self.home.join("audit.spool")
    }

    fn reserve(&self) -> PathBuf {
        self.home.join("audit.reserve")
    }

    fn failed(&self, error: &io::Error) -> StoreError {
        StoreError::Failed(format!("{}: {error}", self.path().display()))
    }
}
