//! When somebody last proved who he is by a second factor. The window is absolute: nothing that is done in it makes it
//! longer.
//!
//! Deliberately absent: how it is proved.

use std::time::Duration;

use pipit_grammar::rule::{StepUp, Unit, Within};
use serde::{Deserialize, Serialize};

use super::world::kind;
use crate::limits;
use crate::store::Store;

/// A proof as kept, by user.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Elevation {
    /// When, Unix milliseconds.
    pub(super) at: i64,
}

/// When somebody proved it, if that was not longer ago than a rule bears. Only what can be read counts.
pub(super) fn proved(store: &Store, user: &str, method: StepUp, within: Option<Within>, now: i64) -> Option<i64> {
    match method {
        StepUp::Totp => {}
        StepUp::WebAuthn => return None,
    }
    let found = store.get(kind::ELEVATION, user).ok()??;
    let elevation: Elevation = serde_json::from_str(&found.body).ok()?;
    let window = within.map_or(limits::STEP_UP, span);
    let age = u128::try_from(now.checked_sub(elevation.at)?).ok()?;
    (age < window.as_millis()).then_some(elevation.at)
}

fn span(within: Within) -> Duration {
    let seconds = match within.unit {
        Unit::Seconds => 1,
        Unit::Minutes => 60,
        Unit::Hours => 60 * 60,
    };
    Duration::from_secs(u64::from(within.count).saturating_mul(seconds))
}
