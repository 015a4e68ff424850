//! The settings of bundles: what a site gives to their programs, in layers. A room's value goes before the site's, a
//! user's before the room's.
//!
//! Secrets are sealed; they are never shown again, and whatever holds one is scrubbed. Deliberately absent: who may set what.

use std::collections::BTreeSet;
use std::sync::Arc;

use ecow::EcoString;
use pipit_commands::{Error, Origin};
use serde::{Deserialize, Serialize};

use super::manifest::{Format, Manifest};
use super::process::Settings;
use crate::scrub;
use crate::seal::{Next, SealError, Seals};
use crate::store::{Change, Expect, Store, StoreError};

/// The kind of the documents, by bundle, layer and name.
const KIND: &str = "bundle-config";
/// The longest value, in bytes; an environment has no room for much longer ones.
const LONGEST: usize = 32 * 1024;

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

impl Layer {
    /// For whom it is: `all`, `#ops`, `@bob`.
    pub(crate) fn for_whom(&self) -> String {
        match self {
            Self::Base => "all".to_owned(),
            Self::Room(room) => room.clone(),
            Self::User(user) => format!("@{user}"),
        }
    }
}

/// A value as it lies in the store.
#[derive(Serialize, Deserialize)]
struct Kept {
    bundle: String,
    layer: Layer,
    name: String,
    value: Value,
    /// When it was set, Unix milliseconds.
    #[serde(default)]
    at: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Value {
    Open(String),
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
    /// When it was set, Unix milliseconds.
    pub(crate) at: i64,
}

/// Where a value is to be set, and under which name.
pub(crate) struct Spot<'a> {
    /// What the bundle says of itself; it must know the setting.
    pub(crate) manifest: &'a Manifest,
    /// For whom.
    pub(crate) layer: Layer,
    /// The setting's name.
    pub(crate) name: &'a str,
    /// Whether it is kept as a secret also where the manifest does not call it one.
    pub(crate) sealed: bool,
}

/// Sets a value, at this time in Unix milliseconds.
pub(crate) async fn set(store: &Store, seals: &Seals, spot: Spot<'_>, value: &str, at: i64) -> Result<(), Error> {
    let Spot { manifest, layer, name, sealed } = spot;
    let Some(setting) = manifest.setting(name) else {
        let names: Vec<&str> = manifest.config.iter().map(|setting| setting.name.as_str()).collect();
        let known = if names.is_empty() { "it has none".into() } else { format!("it has {}", names.join(", ")) };
        return Err(Error::failed(format!("{} has no setting {name}", manifest.name)).help(known));
    };
    if value.contains('\0') || value.len() > LONGEST {
        return Err(Error::failed(format!("a value has at most {LONGEST} bytes and no NUL character")));
    }
    let key = key(&manifest.name, &layer, name);
    let value = if setting.secret || sealed {
        scrub::keep(&secret_name(&manifest.name, name), value);
        Value::Sealed(seals.seal(&place(&key), value).map_err(unsealed)?)
    } else {
        Value::Open(value.to_owned())
    };
    let kept = Kept { bundle: manifest.name.to_string(), layer, name: name.to_owned(), value, at };
    let body = serde_json::to_string(&kept).map_err(|error| unreadable(&error))?;
    let change = Change::Put { kind: KIND, key, body, expect: Expect::Anything };
    store.apply(vec![change]).await.map_err(|error| Error::failed(error.to_string()))
}

/// Whether a value of this layer is set.
pub(crate) fn is_set(store: &Store, bundle: &str, layer: &Layer, name: &str) -> Result<bool, Error> {
    let found = store.get(KIND, &key(bundle, layer, name));
    Ok(found.map_err(|error| Error::failed(error.to_string()))?.is_some())
}

/// The bundles for which something is set.
pub(crate) fn bundles(store: &Store) -> Result<Vec<String>, Error> {
    let documents = store.list(KIND).map_err(|error| Error::failed(error.to_string()))?;
    let names = documents.iter().filter_map(|document| document.key.split(' ').next());
    let mut names: Vec<String> = names.map(str::to_owned).collect();
    names.dedup();
    Ok(names)
}

/// Tells the scrubber of every secret that is set, so that none is let out before a program first gets it. One that
/// cannot be opened is told to the log; it cannot get out either.
pub(crate) fn keep_secrets(store: &Store, seals: &Seals) -> Result<(), Error> {
    let documents = store.list(KIND).map_err(|error| Error::failed(error.to_string()))?;
    let mut secrets = Vec::new();
    for document in documents {
        let kept: Kept = serde_json::from_str(&document.body).map_err(|error| unreadable(&error))?;
        if let Value::Sealed(sealed) = &kept.value {
            match seals.open(&place(&document.key), sealed) {
                Ok(value) => secrets.push((secret_name(&kept.bundle, &kept.name), value)),
                Err(error) => {
                    tracing::warn!(bundle = kept.bundle, setting = kept.name, %error, "a secret is not known");
                }
            }
        }
    }
    scrub::keep_all(secrets);
    Ok(())
}

/// Changes the key: every secret is sealed anew, and in the same moment those that `others` seals with the next key. Gives
/// how many. Broken off anywhere, all can still be opened, and doing it again completes it.
pub(crate) async fn rotate(
    store: &Store,
    seals: &Seals,
    others: impl FnOnce(&Next) -> Result<Vec<Change>, Error>,
) -> Result<usize, Error> {
    let next = seals.next().map_err(unsealed)?;
    let documents = store.list(KIND).map_err(|error| Error::failed(error.to_string()))?;
    let mut changes = Vec::new();
    for document in documents {
        let mut kept: Kept = serde_json::from_str(&document.body).map_err(|error| unreadable(&error))?;
        let Value::Sealed(sealed) = &kept.value else { continue };
        let place = place(&document.key);
        let value = seals.open(&place, sealed).map_err(unsealed)?;
        kept.value = Value::Sealed(next.seal(&place, &value).map_err(unsealed)?);
        let body = serde_json::to_string(&kept).map_err(|error| unreadable(&error))?;
        let expect = Expect::Revision(document.revision);
        changes.push(Change::Put { kind: KIND, key: document.key, body, expect });
    }
    changes.extend(others(&next)?);
    let count = changes.len();
    store.apply(changes).await.map_err(|error| Error::failed(error.to_string()))?;
    seals.turn(&next).map_err(unsealed)?;
    Ok(count)
}

/// As the scrubber calls it.
fn secret_name(bundle: &str, name: &str) -> String {
    format!("{bundle} {name}")
}

/// What a value is sealed for.
fn place(key: &str) -> String {
    format!("{KIND} {key}")
}

#[expect(clippy::needless_pass_by_value, reason = "its use is `map_err(unsealed)`")]
fn unsealed(error: SealError) -> Error {
    Error::failed(error.to_string())
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

/// The changes that take away what is set for a bundle, so that another one of its name is given none of it.
pub(crate) fn of_bundle(store: &Store, bundle: &str) -> Result<Vec<Change>, Error> {
    let documents = store.list(KIND).map_err(|error| Error::failed(error.to_string()))?;
    let own = documents.into_iter().filter(|document| document.key.split(' ').next() == Some(bundle));
    Ok(own.map(|document| Change::Delete { kind: KIND, key: document.key, expect: Expect::Anything }).collect())
}

/// All that is set for a bundle, without secrets.
pub(crate) fn show(store: &Store, bundle: &str) -> Result<Vec<Shown>, Error> {
    let shown = |kept: Kept| Shown {
        name: kept.name,
        layer: kept.layer,
        at: kept.at,
        value: match kept.value {
            Value::Open(value) => Some(value),
            Value::Sealed(_) => None,
        },
    };
    Ok(all(store, bundle)?.into_iter().map(shown).collect())
}

/// The settings of a bundle as its programs get them: looked up for each call, so that a change counts at once.
pub(crate) fn settings(store: &Store, seals: &Seals, manifest: &Manifest) -> Settings {
    let (store, seals) = (store.clone(), seals.clone());
    let manifest = manifest.clone();
    Arc::new(move |origin| {
        // a bundle without settings asks nobody
        if manifest.config.is_empty() && manifest.format == Format::Own {
            return Ok(Vec::new());
        }
        values(&store, &seals, &manifest, origin)
    })
}

fn values(
    store: &Store,
    seals: &Seals,
    manifest: &Manifest,
    origin: &Origin,
) -> Result<Vec<(EcoString, EcoString)>, Error> {
    let bundle = manifest.name.as_str();
    let kept = all(store, bundle)?;
    // a program of Cog's may read what its manifest does not name
    let known = |name: &str| manifest.config.iter().any(|setting| setting.name == name);
    let free: BTreeSet<&str> = kept.iter().map(|one| one.name.as_str()).filter(|name| !known(name)).collect();
    let free = free.into_iter().filter_map(|name| manifest.setting(name));
    let layers = [Layer::User(origin.user.to_string()), Layer::Room(origin.room.to_string()), Layer::Base];
    let mut values = Vec::new();
    for setting in manifest.config.iter().cloned().chain(free) {
        let set =
            layers.iter().find_map(|layer| kept.iter().find(|one| setting.name == one.name && one.layer == *layer));
        let value = match set.map(|kept| (&kept.value, kept)) {
            Some((Value::Open(value), _)) => Some(EcoString::from(value)),
            Some((Value::Sealed(sealed), kept)) => {
                let place = place(&key(bundle, &kept.layer, &kept.name));
                let value = seals.open(&place, sealed).map_err(unsealed)?;
                // nothing that its program says of it gets out
                scrub::keep(&secret_name(bundle, &kept.name), &value);
                Some(EcoString::from(value))
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

fn unreadable(error: &serde_json::Error) -> Error {
    Error::failed(format!("a setting cannot be read or written: {error}"))
}
