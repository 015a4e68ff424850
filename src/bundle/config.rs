//! The settings of bundles: what a site gives to their programs, in layers. A room's value goes before the site's, a
//! user's before the room's.
//!
//! Secrets are sealed with a key that lies in the home beside the store, so that a copy of the store alone gives them
//! to nobody; they are never shown again. Deliberately absent: who may set what.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use ecow::EcoString;
use pipit_commands::{Error, Origin};
use serde::{Deserialize, Serialize};

use super::manifest::{Manifest, Setting};
use super::process::Settings;
use crate::store::{Change, Expect, Store, StoreError};

/// The kind of the documents, by bundle, layer and name.
const KIND: &str = "bundle-config";
/// The file of the key, in the home.
const KEY: &str = "config.key";
/// The longest value, in bytes; an environment has no room for much longer ones.
const LONGEST: usize = 32 * 1024;
const NONCE: usize = 24;

/// For whom a value counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Layer {
    /// For everybody.
    Base,
    /// In a room, as `#ops`.
    Room(String),
    /// For a user, by name.
    User(String),
}

/// A value as it lies in the store.
#[derive(Serialize, Deserialize)]
struct Kept {
    bundle: String,
    layer: Layer,
    name: String,
    value: Value,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Value {
    Open(String),
    /// In base64: a nonce and what was sealed with it.
    Sealed(String),
}

/// A setting as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// Its name.
    pub(crate) name: String,
    /// For whom it counts.
    pub(crate) layer: Layer,
    /// Its value; none for a secret.
    pub(crate) value: Option<String>,
}

/// Sets a value of a layer. The manifest must know the setting.
pub(crate) async fn set(
    store: &Store,
    home: &Path,
    manifest: &Manifest,
    layer: Layer,
    name: &str,
    value: &str,
) -> Result<(), Error> {
    let Some(setting) = manifest.config.iter().find(|setting| setting.name == name) else {
        let names: Vec<&str> = manifest.config.iter().map(|setting| setting.name.as_str()).collect();
        let known = if names.is_empty() { "it has none".into() } else { format!("it has {}", names.join(", ")) };
        return Err(Error::failed(format!("{} has no setting {name}", manifest.name)).help(known));
    };
    if value.contains('\0') || value.len() > LONGEST {
        return Err(Error::failed(format!("a value has at most {LONGEST} bytes and no NUL character")));
    }
    let key = key(&manifest.name, &layer, name);
    let value =
        if setting.secret { Value::Sealed(seal(&cipher(home)?, &key, value)?) } else { Value::Open(value.to_owned()) };
    let kept = Kept { bundle: manifest.name.to_string(), layer, name: name.to_owned(), value };
    let body = serde_json::to_string(&kept).map_err(|error| unreadable(&error))?;
    let change = Change::Put { kind: KIND, key, body, expect: Expect::Anything };
    store.apply(vec![change]).await.map_err(|error| Error::failed(error.to_string()))
}

/// Takes a value of a layer away.
pub(crate) async fn unset(store: &Store, bundle: &str, layer: &Layer, name: &str) -> Result<(), Error> {
    let change = Change::Delete { kind: KIND, key: key(bundle, layer, name), expect: Expect::Present };
    match store.apply(vec![change]).await {
        Ok(()) => Ok(()),
        Err(StoreError::Missing { .. }) => Err(Error::failed(format!("{name} of {bundle} is not set there"))),
        Err(error) => Err(Error::failed(error.to_string())),
    }
}

/// The changes that take away what is set for a user, in every bundle.
pub(crate) fn of_user(store: &Store, user: &str) -> Result<Vec<Change>, Error> {
    let documents = store.list(KIND).map_err(|error| Error::failed(error.to_string()))?;
    let layer = format!(" user {user}");
    let theirs = documents.into_iter().filter(|document| document.key.ends_with(&layer));
    Ok(theirs.map(|document| Change::Delete { kind: KIND, key: document.key, expect: Expect::Anything }).collect())
}

/// All that is set for a bundle, without secrets.
pub(crate) fn show(store: &Store, bundle: &str) -> Result<Vec<Shown>, Error> {
    let shown = |kept: Kept| Shown {
        name: kept.name,
        layer: kept.layer,
        value: match kept.value {
            Value::Open(value) => Some(value),
            Value::Sealed(_) => None,
        },
    };
    Ok(all(store, bundle)?.into_iter().map(shown).collect())
}

/// The settings of a bundle as its programs get them: looked up for each call, so that a change counts at once.
pub(crate) fn settings(store: &Store, home: &Path, manifest: &Manifest) -> Settings {
    let (store, home) = (store.clone(), home.to_owned());
    let (bundle, declared) = (manifest.name.clone(), manifest.config.clone());
    Arc::new(move |origin| {
        // a bundle without settings asks nobody
        if declared.is_empty() { Ok(Vec::new()) } else { values(&store, &home, &bundle, &declared, origin) }
    })
}

fn values(
    store: &Store,
    home: &Path,
    bundle: &str,
    declared: &[Setting],
    origin: &Origin,
) -> Result<Vec<(EcoString, EcoString)>, Error> {
    let kept = all(store, bundle)?;
    let layers = [Layer::User(origin.user.to_string()), Layer::Room(origin.room.to_string()), Layer::Base];
    let mut values = Vec::new();
    let mut opener = None;
    for setting in declared {
        let set =
            layers.iter().find_map(|layer| kept.iter().find(|one| setting.name == one.name && one.layer == *layer));
        let value = match set.map(|kept| (&kept.value, kept)) {
            Some((Value::Open(value), _)) => Some(EcoString::from(value)),
            Some((Value::Sealed(sealed), kept)) => {
                if opener.is_none() {
                    opener = Some(cipher(home)?);
                }
                let key = key(bundle, &kept.layer, &kept.name);
                opener.as_ref().map(|cipher| open(cipher, &key, sealed)).transpose()?
            }
            None => setting.default.clone(),
        };
        match value {
            Some(value) => values.push((setting.name.clone(), value)),
            None if setting.required => {
                return Err(Error::failed(format!("{bundle} needs {}, which is not set", setting.name))
                    .help(format!("{}: bundle set {bundle} {}", setting.about, setting.name)));
            }
            None => {}
        }
    }
    Ok(values)
}

fn all(store: &Store, bundle: &str) -> Result<Vec<Kept>, Error> {
    let documents = store.list(KIND).map_err(|error| Error::failed(error.to_string()))?;
    let own = documents.iter().filter(|document| document.key.split(' ').next() == Some(bundle));
    own.map(|document| serde_json::from_str(&document.body).map_err(|error| unreadable(&error))).collect()
}

/// Names of bundles and settings hold no blanks, so no two keys are one.
fn key(bundle: &str, layer: &Layer, name: &str) -> String {
    match layer {
        Layer::Base => format!("{bundle} {name} base"),
        Layer::Room(room) => format!("{bundle} {name} room {room}"),
        Layer::User(user) => format!("{bundle} {name} user {user}"),
    }
}

/// The key, made when there is none.
fn cipher(home: &Path) -> Result<XChaCha20Poly1305, Error> {
    let path = home.join(KEY);
    let odd = |error: std::io::Error| Error::failed(format!("the key in {} cannot be used: {error}", path.display()));
    let mut secret = [0; 32];
    match File::open(&path) {
        Ok(mut file) => file.read_exact(&mut secret).map_err(odd)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            getrandom::fill(&mut secret).map_err(|error| odd(std::io::Error::other(error.to_string())))?;
            // written aside and linked, so that two processes agree on one key and nobody reads half of it
            let new = home.join(format!("{KEY}.{}", std::process::id()));
            let _ = fs::remove_file(&new);
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new).map_err(odd)?;
            file.write_all(&secret).and_then(|()| file.sync_all()).map_err(odd)?;
            let linked = fs::hard_link(&new, &path);
            let _ = fs::remove_file(&new);
            match linked {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                    File::open(&path).and_then(|mut file| file.read_exact(&mut secret)).map_err(odd)?;
                }
                Err(error) => return Err(odd(error)),
            }
        }
        Err(error) => return Err(odd(error)),
    }
    Ok(XChaCha20Poly1305::new(&secret.into()))
}

/// The place of a value is sealed with it, so that no value can be moved to another place.
fn seal(cipher: &XChaCha20Poly1305, place: &str, value: &str) -> Result<String, Error> {
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce).map_err(|error| Error::failed(format!("no chance to seal with: {error}")))?;
    let payload = Payload { msg: value.as_bytes(), aad: place.as_bytes() };
    let sealed =
        cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| Error::failed("the value cannot be sealed"))?;
    Ok(STANDARD.encode([nonce.as_slice(), &sealed].concat()))
}

fn open(cipher: &XChaCha20Poly1305, place: &str, sealed: &str) -> Result<EcoString, Error> {
    let odd = || {
        Error::failed("a secret cannot be opened with the key that is there")
            .help("set it again, or bring back the key it was sealed with")
    };
    let bytes = STANDARD.decode(sealed).map_err(|_| odd())?;
    let (nonce, sealed) = bytes.split_first_chunk::<NONCE>().ok_or_else(odd)?;
    let payload = Payload { msg: sealed, aad: place.as_bytes() };
    let value = cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| odd())?;
    String::from_utf8(value).map(EcoString::from).map_err(|_| odd())
}

fn unreadable(error: &serde_json::Error) -> Error {
    Error::failed(format!("a setting cannot be read or written: {error}"))
}
