//! Rights for an emergency: for half an hour, for one person, in front of everybody, and reviewed by another before the
//! next one.
//!
//! Deliberately absent: which rights those are, which the role `break-glass` says, and never rights over people, rules, the
//! log and secrets, which [`crate::access::People`] leaves out.

use std::collections::BTreeMap;

use ecow::EcoString;
use pipit_commands::Error;
use serde::{Deserialize, Serialize};

use super::unavailable;
use super::world::kind;
use crate::store::Store;

/// An emergency as kept, by the id of the line that began it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Emergency {
    /// Whose.
    pub(super) who: EcoString,
    /// Why.
    pub(super) reason: String,
    /// Since when, Unix milliseconds.
    pub(super) at: i64,
    /// Until when.
    pub(super) until: i64,
    /// Who looked at it afterwards.
    pub(super) review: Option<Review>,
}

/// That somebody looked at what was done.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Review {
    /// Who.
    pub(super) by: EcoString,
    /// When, Unix milliseconds.
    pub(super) at: i64,
    /// What there is to say.
    pub(super) note: Option<EcoString>,
}

/// All emergencies there were, by id.
pub(super) fn all(store: &Store) -> Result<Vec<(String, u64, Emergency)>, Error> {
    let documents = store.list(kind::EMERGENCY).map_err(unavailable)?;
    documents
        .into_iter()
        .map(|document| {
            let body = serde_json::from_str(&document.body).map_err(|error| {
                unavailable(format!("the emergency {} in the store cannot be read: {error}", document.key))
            })?;
            Ok((document.key, document.revision, body))
        })
        .collect()
}

/// Whose rights of an emergency count at a time, and until when.
pub(super) fn running(store: &Store, now: i64) -> Result<BTreeMap<EcoString, i64>, Error> {
    let all = all(store)?.into_iter().map(|(_, _, emergency)| emergency);
    Ok(all.filter(|one| now < one.until).map(|one| (one.who, one.until)).collect())
}
