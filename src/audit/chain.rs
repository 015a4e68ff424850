//! The key, and the seal of a row: BLAKE3, keyed, over the seal before and every column. Who lacks the key cannot make a
//! chain that holds. Deliberately absent: where rows lie, and when they are checked.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use super::anchors::{Anchors, Outside, Places};
use super::spool::Spool;
use super::{StartError, body, name};
use crate::store::log::{Chain, Hash, Head, Place, Record, Sealed};
use crate::store::{Store, StoreError};

/// One key for each use, all from the one in the file.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) rows: Hash,
    pub(super) contents: Hash,
    pub(super) anchors: Hash,
    pub(super) spool: Hash,
    pub(super) origin: Hash,
}

impl Key {
    /// The key of the home, made with the first anchor when there is none and there was none before.
    pub(super) fn load_or_make(store: &Store, home: &Path, outside: &Outside) -> Result<Self, StartError> {
        Self::load_or(home, outside, || {
            // an anchor beyond the beginning says that there was a log, and so a key
            let had_rows = fs::read_to_string(home.join("audit.head")).is_ok_and(|text| !text.starts_with("0 "));
            if had_rows || store.hash_at(1)?.is_some() {
                return Err(StartError::KeyMissing { path: home.join("audit.key") });
            }
            super::whole_from_the_first(store)
        })
    }

    /// The same for a home of which no record is left: then there is nothing that the key of before could prove.
    pub(super) fn load_or_renew(store: &Store, home: &Path, outside: &Outside) -> Result<Self, StartError> {
        Self::load_or(home, outside, || match super::whole_from_the_first(store) {
            Err(StartError::Emptied) => Ok(()),
            Ok(()) => Err(StartError::KeyMissing { path: home.join("audit.key") }),
            Err(error) => Err(error),
        })
    }

    /// The key in the file, or a new one with its first anchor, if there may be a new one.
    fn load_or(
        home: &Path,
        outside: &Outside,
        may_be_new: impl FnOnce() -> Result<(), StartError>,
    ) -> Result<Self, StartError> {
        if let Some(key) = Self::load(home)? {
            return Ok(key);
        }
        let path = home.join("audit.key");
        let at = |error| StartError::File { path: path.clone(), error };
        // of two first starts at once one makes the key, and both use it
        let _alone = fs::File::open(home).and_then(|home| home.lock().map(|()| home)).map_err(at)?;
        if let Some(key) = Self::load(home)? {
            return Ok(key);
        }
        may_be_new()?;
        let mut secret = Hash::default();
        getrandom::fill(&mut secret).map_err(|error| at(std::io::Error::other(error.to_string())))?;
        let key = Self::of(&secret);
        // before the key: where there is a key there is an anchor, whenever the process dies
        Places::new(home, &key.anchors, outside).first(&key.origin).map_err(at)?;
        let draft = home.join(format!("audit.key.{}", std::process::id()));
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft).map_err(at)?;
        file.write_all(format!("{}\n", blake3::Hash::from_bytes(secret).to_hex()).as_bytes()).map_err(at)?;
        file.sync_all().and_then(|()| fs::rename(&draft, &path)).map_err(at)?;
        fs::File::open(home).and_then(|home| home.sync_all()).map_err(at)?;
        Ok(key)
    }

    /// The key in the file; `None` when there is no file.
    pub(super) fn load(home: &Path) -> Result<Option<Self>, StartError> {
        let path = home.join("audit.key");
        let (text, rights) = match fs::read_to_string(&path).and_then(|text| Ok((text, fs::metadata(&path)?))) {
            Ok((text, about)) => (text, about.permissions().mode()),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StartError::File { path, error }),
        };
        if rights & 0o077 != 0 {
            return Err(StartError::Key { path, why: "others may read it; make it 0600" });
        }
        let Ok(secret) = blake3::Hash::from_hex(text.trim()) else {
            return Err(StartError::Key { path, why: "it is not 64 hexadecimal digits" });
        };
        Ok(Some(Self::of(secret.as_bytes())))
    }

    fn of(secret: &Hash) -> Self {
        let derive = |what| blake3::derive_key(what, secret);
        Self {
            rows: derive("pipit audit 2 rows"),
            contents: derive("pipit audit 2 contents"),
            anchors: derive("pipit audit 1 anchors"),
            spool: derive("pipit audit 1 spool"),
            origin: derive("pipit audit 1 origin"),
        }
    }
}

/// The digest of who, room and body. `buffer` is only there to be used again.
fn content(key: &Hash, row: &Sealed<'_>, buffer: &mut Vec<u8>) -> Hash {
    buffer.clear();
    texts(&[row.who, row.room, Some(row.body)], buffer);
    *blake3::keyed_hash(key, buffer).as_bytes()
}

/// The seal of `row`; `None` when it is neither whole nor erased. Of what can be erased it covers the digest alone.
pub(super) fn seal(key: &Key, before: &Hash, row: &Sealed<'_>, buffer: &mut Vec<u8>) -> Option<Hash> {
    let content = match row.digest {
        None => content(&key.contents, row, buffer),
        Some(digest) if row.who.is_none() && row.room.is_none() && row.body.is_empty() => digest.try_into().ok()?,
        Some(_) => return None,
    };
    buffer.clear();
    buffer.extend_from_slice(before);
    for number in [row.seq, row.line, row.at] {
        buffer.extend_from_slice(&number.to_le_bytes());
    }
    texts(&[Some(row.kind), row.ticket, row.command, row.outcome], buffer);
    buffer.extend_from_slice(&content);
    Some(*blake3::keyed_hash(&key.rows, buffer).as_bytes())
}

/// The length goes first, so no two rows have the same bytes; one more than it, so nothing differs from empty.
fn texts(texts: &[Option<&[u8]>], buffer: &mut Vec<u8>) {
    for text in texts {
        let (length, text) = text.map_or((0, &[][..]), |text| (text.len() as u64 + 1, text));
        buffer.extend_from_slice(&length.to_le_bytes());
        buffer.extend_from_slice(text);
    }
}

/// What the writer of the store is lent.
pub(super) struct Sealer {
    key: Key,
    /// Gone when the log has come to its end.
    anchors: Option<Anchors>,
    spool: Spool,
    buffer: Vec<u8>,
}

impl Sealer {
    pub(super) fn new(key: &Key, anchors: Anchors, spool: Spool) -> Self {
        let anchors = Some(anchors);
        Self { key: key.clone(), anchors, spool, buffer: Vec::with_capacity(1024) }
    }
}

impl Chain for Sealer {
    fn origin(&self) -> Hash {
        self.key.origin
    }

    fn seal(&mut self, before: &Hash, row: &Sealed<'_>) -> Hash {
        // a row that is added is whole, and such a row has a seal
        seal(&self.key, before, row, &mut self.buffer).unwrap_or_default()
    }

    fn content(&self, row: &Sealed<'_>) -> Hash {
        content(&self.key.contents, row, &mut Vec::with_capacity(1024))
    }

    fn ticket(&self, seq: i64) -> String {
        name::of(seq)
    }

    fn broke_off(&self, place: &Place, at: i64) -> Record {
        body::broke_off(place.line, at)
    }

    fn committed(&mut self, head: &Head, at: i64) {
        if let Some(anchors) = &mut self.anchors {
            anchors.passed(head, at);
        }
    }

    fn put_aside(&mut self, records: &[Record]) -> Result<(), StoreError> {
        self.spool.put(records)
    }

    fn aside(&mut self) -> Result<Vec<Record>, StoreError> {
        self.spool.take()
    }

    fn settled(&mut self, written: bool) {
        self.spool.settled(written);
    }

    fn finished(&mut self) {
        self.anchors = None;
    }
}
