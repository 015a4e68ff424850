//! Sealing: texts that the store keeps and nobody but the shell can read, with a key that lies apart from the store, so that
//! a copy of the store alone gives them to nobody. The place of a text is sealed with it: it cannot be moved to another.
//!
//! Deliberately absent: where sealed texts are kept, and scrubbing what was opened ([`crate::scrub`]).

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};

const NONCE: usize = 24;
/// What a sealed text begins with.
const MARK: &str = "sealed:";

/// What asks a program for a key; the error says what went wrong.
pub(crate) type Ask = Arc<dyn Fn() -> Result<Vec<u8>, String> + Send + Sync>;

/// Where the key comes from.
#[derive(Clone)]
pub(crate) enum Source {
    /// A file, made when it is not there.
    File(PathBuf),
    /// A program of the site's own.
    Program(Ask),
}

/// What seals and opens. Cloning is cheap; the key is read when it is first needed.
#[derive(Clone)]
pub(crate) struct Seals(Arc<Inner>);

struct Inner {
    source: Source,
    /// A key that is no longer used to seal.
    old: Option<PathBuf>,
    keys: Mutex<Option<Keys>>,
}

/// The keys that open; the first one seals.
#[derive(Clone)]
struct Keys(Arc<Vec<XChaCha20Poly1305>>);

/// Why a text cannot be sealed or opened. It says nothing of the text or the key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SealError {
    #[error("the key {from} cannot be used: {why}")]
    Key { from: String, why: String },
    #[error(
        "a secret cannot be opened with the key that is there; bring back the key it was sealed with, or set it again"
    )]
    Unopened,
    #[error("a text cannot be sealed: {0}")]
    Unsealed(String),
    #[error("the key comes from a program: let it give the new key and name the old one under old-key-file first")]
    NotOurs,
}

impl Seals {
    /// By a key from there; `old` is a file with the key that was used before.
    pub(crate) fn new(source: Source, old: Option<PathBuf>) -> Self {
        Self(Arc::new(Inner { source, old, keys: Mutex::new(None) }))
    }

    /// By the key in a home.
    pub(crate) fn of(home: &Path) -> Self {
        Self::new(Source::File(home.join("config.key")), None)
    }

    /// Seals a text for one place.
    pub(crate) fn seal(&self, place: &str, text: &str) -> Result<String, SealError> {
        seal(self.keys()?.first()?, place, text)
    }

    /// The text that was sealed for this place. Should another process have changed the key, it is read again.
    pub(crate) fn open(&self, place: &str, sealed: &str) -> Result<String, SealError> {
        match self.keys()?.open(place, sealed) {
            Err(SealError::Unopened) => {
                *self.lock() = None;
                self.keys()?.open(place, sealed)
            }
            opened => opened,
        }
    }

    /// Gets ready to change the key: what the next one seals can be opened from now on. A change that was broken off is
    /// taken up again.
    pub(crate) fn next(&self) -> Result<Next, SealError> {
        let path = match (&self.0.source, &self.0.old) {
            (Source::File(path), _) => beside(path),
            // the program gives the new key already
            (Source::Program(_), Some(_)) => return Ok(Next { key: self.keys()?.first()?.clone(), path: None }),
            (Source::Program(_), None) => return Err(SealError::NotOurs),
        };
        let key = match read(&path)? {
            Some(key) => key,
            None => make(&path)?,
        };
        *self.lock() = None;
        Ok(Next { key, path: Some(path) })
    }

    /// From now on the next key is the key. What the one before sealed is lost, unless it was sealed anew.
    pub(crate) fn turn(&self, next: &Next) -> Result<(), SealError> {
        if let (Source::File(path), Some(new)) = (&self.0.source, &next.path) {
            let kept = fs::rename(new, path).and_then(|()| sync(path));
            kept.map_err(|error| unusable(path, &error))?;
        }
        *self.lock() = None;
        Ok(())
    }

    fn keys(&self) -> Result<Keys, SealError> {
        let mut keys = self.lock();
        if let Some(keys) = &*keys {
            return Ok(keys.clone());
        }
        let mut all = Vec::new();
        match &self.0.source {
            Source::File(path) => {
                all.push(match read(path)? {
                    Some(key) => key,
                    None => make(path)?,
                });
                all.extend(read(&beside(path))?);
            }
            Source::Program(ask) => {
                let odd = |why| SealError::Key { from: "of key-command".into(), why };
                all.push(cipher(&ask().map_err(odd)?).map_err(odd)?);
            }
        }
        if let Some(old) = &self.0.old {
            all.extend(read(old)?);
        }
        let fresh = Keys(Arc::new(all));
        *keys = Some(fresh.clone());
        Ok(fresh)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Keys>> {
        self.0.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keys {
    fn first(&self) -> Result<&XChaCha20Poly1305, SealError> {
        self.0.first().ok_or(SealError::Unopened)
    }

    fn open(&self, place: &str, sealed: &str) -> Result<String, SealError> {
        let bytes = sealed.strip_prefix(MARK).and_then(|code| STANDARD.decode(code).ok()).ok_or(SealError::Unopened)?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE>().ok_or(SealError::Unopened)?;
        let opened = self
            .0
            .iter()
            .find_map(|key| key.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: place.as_bytes() }).ok());
        opened.and_then(|text| String::from_utf8(text).ok()).ok_or(SealError::Unopened)
    }
}

/// A key that is about to be the one.
pub(crate) struct Next {
    key: XChaCha20Poly1305,
    path: Option<PathBuf>,
}

impl Next {
    /// Seals a text for one place.
    pub(crate) fn seal(&self, place: &str, text: &str) -> Result<String, SealError> {
        seal(&self.key, place, text)
    }
}

fn seal(key: &XChaCha20Poly1305, place: &str, text: &str) -> Result<String, SealError> {
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce).map_err(|error| SealError::Unsealed(error.to_string()))?;
    let payload = Payload { msg: text.as_bytes(), aad: place.as_bytes() };
    let sealed = key
        .encrypt(&XNonce::from(nonce), payload)
        .map_err(|_| SealError::Unsealed("the cipher did not take it".into()))?;
    Ok(format!("{MARK}{}", STANDARD.encode([nonce.as_slice(), &sealed].concat())))
}

/// The file of the next key.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".next");
    name.into()
}

/// 32 bytes, or 64 hexadecimal digits and a line break.
fn cipher(bytes: &[u8]) -> Result<XChaCha20Poly1305, String> {
    let secret: [u8; 32] = match bytes.try_into() {
        Ok(secret) => secret,
        Err(_) => *blake3::Hash::from_hex(bytes.trim_ascii())
            .map_err(|_| "it is neither 32 bytes nor 64 hexadecimal digits".to_owned())?
            .as_bytes(),
    };
    Ok(XChaCha20Poly1305::new(&secret.into()))
}

fn unusable(path: &Path, error: &std::io::Error) -> SealError {
    SealError::Key { from: path.display().to_string(), why: error.to_string() }
}

fn read(path: &Path) -> Result<Option<XChaCha20Poly1305>, SealError> {
    let odd = |error| unusable(path, &error);
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(odd(error)),
    };
    let why = |why: String| SealError::Key { from: path.display().to_string(), why };
    if file.metadata().map_err(odd)?.permissions().mode() & 0o077 != 0 {
        return Err(why(format!("others may read it; chmod 600 {}", path.display())));
    }
    let mut bytes = Vec::new();
    (&mut file).take(1024).read_to_end(&mut bytes).map_err(odd)?;
    cipher(&bytes).map(Some).map_err(why)
}

/// Written aside and linked, so that two processes agree on one key and nobody reads half of it.
fn make(path: &Path) -> Result<XChaCha20Poly1305, SealError> {
    let odd = |error: std::io::Error| unusable(path, &error);
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|error| odd(std::io::Error::other(error.to_string())))?;
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", std::process::id()));
    let draft = PathBuf::from(draft);
    let _none = fs::remove_file(&draft);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(odd)?;
    file.write_all(&secret).and_then(|()| file.sync_all()).map_err(odd)?;
    let linked = fs::hard_link(&draft, path);
    let _gone = fs::remove_file(&draft);
    match linked {
        Ok(()) => sync(path).map_err(odd)?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(odd(error)),
    }
    read(path)?.ok_or_else(|| odd(ErrorKind::NotFound.into()))
}

/// Makes sure that the name of a file stays.
fn sync(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]
    use std::os::unix::fs::PermissionsExt as _;
    use std::sync::Arc;

    use super::{SealError, Seals, Source};

    #[test]
    fn what_is_sealed_is_opened_in_its_place_and_by_its_key_alone() {
        let home = tempfile::tempdir().unwrap();
        let seals = Seals::of(home.path());
        let sealed = seals.seal("a", "hunter2").unwrap();
        assert!(!sealed.contains("hunter2") && sealed != seals.seal("a", "hunter2").unwrap());
        assert_eq!(Seals::of(home.path()).open("a", &sealed).unwrap(), "hunter2");
        assert_eq!(seals.open("b", &sealed), Err(SealError::Unopened));
        for place in 0..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            bytes[place] ^= 1;
            let changed = String::from_utf8(bytes).unwrap();
            // the last letter of base64 has bits that mean nothing
            if same_code(&changed, &sealed) {
                continue;
            }
            assert_eq!(seals.open("a", &changed), Err(SealError::Unopened), "byte {place}");
        }
        let key = home.path().join("config.key");
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(Seals::of(home.path()).open("a", &sealed).unwrap_err().to_string().contains("chmod 600"));
    }

    fn same_code(one: &str, other: &str) -> bool {
        use base64::Engine as _;
        let read = |text: &str| text.strip_prefix(super::MARK).and_then(|code| super::STANDARD.decode(code).ok());
        read(one) == read(other)
    }

    #[test]
    fn a_change_of_the_key_that_is_broken_off_anywhere_loses_nothing() {
        let home = tempfile::tempdir().unwrap();
        let (seals, other) = (Seals::of(home.path()), Seals::of(home.path()));
        let old = seals.seal("a", "one").unwrap();
        assert_eq!(other.open("a", &old).unwrap(), "one");
        let next = seals.next().unwrap();
        let new = next.seal("a", "one").unwrap();
        // before the turn both open, in every process
        for sealed in [&old, &new] {
            assert_eq!(other.open("a", sealed).unwrap(), "one");
        }
        // broken off and begun again, it is the same next key
        let again = Seals::of(home.path()).next().unwrap();
        let also = again.seal("a", "one").unwrap();
        seals.turn(&again).unwrap();
        for sealed in [&new, &also, &seals.seal("a", "one").unwrap()] {
            assert_eq!(other.open("a", sealed).unwrap(), "one");
            assert_eq!(Seals::of(home.path()).open("a", sealed).unwrap(), "one");
        }
        assert_eq!(Seals::of(home.path()).open("a", &old), Err(SealError::Unopened));
    }

    #[test]
    fn a_program_gives_the_key_and_an_old_file_still_opens() {
        let home = tempfile::tempdir().unwrap();
        let old = Seals::of(home.path()).seal("a", "one").unwrap();
        let key = "5a".repeat(32) + "\n";
        let ask = Source::Program(Arc::new(move || Ok(key.clone().into_bytes())));
        assert!(matches!(Seals::new(ask.clone(), None).next(), Err(SealError::NotOurs)));
        let seals = Seals::new(ask.clone(), Some(home.path().join("config.key")));
        assert_eq!(seals.open("a", &old).unwrap(), "one");
        let new = seals.next().unwrap().seal("a", "one").unwrap();
        assert_eq!(Seals::new(ask, None).open("a", &new).unwrap(), "one");
        let bad = Seals::new(Source::Program(Arc::new(|| Ok(b"short".to_vec()))), None);
        assert!(bad.seal("a", "x").unwrap_err().to_string().contains("neither 32 bytes nor 64"));
    }
}
