//! One-time codes by RFC 6238: a code counts once, guessing is locked out.
//!
//! What counts is the step, not the code: only a step later than the last one that was accepted. Deliberately absent: the
//! clock, where the secret is kept, and what a right code is good for.

use serde::{Deserialize, Serialize};
use totp_rs::Builder;

use crate::limits;

#[cfg(test)]
mod tests;

/// Seconds of a step.
const STEP: u64 = 30;
/// Steps before and after the present one whose codes are taken, for clocks that differ.
const SKEW: u16 = 1;

/// What is remembered of somebody's codes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Codes {
    /// The latest step whose code was accepted, or was seen where it should not be.
    last_step: u64,
    /// When wrong codes came lately, Unix milliseconds.
    wrong: Vec<i64>,
    /// Until when no code is looked at.
    locked: i64,
}

/// What a code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checked {
    /// Right, and never before.
    Right,
    /// Right once; it was accepted already, or is older than one that was.
    Used,
    /// Wrong.
    Wrong,
    /// Wrong, and one too many: no code is looked at until then.
    Locks {
        /// Unix milliseconds.
        until: i64,
    },
    /// Not looked at.
    Locked {
        /// Unix milliseconds.
        until: i64,
    },
}

impl Codes {
    /// Checks a code at a time in Unix milliseconds, and remembers what has to be. A right code is spent by that.
    pub(crate) fn check(&mut self, secret: &[u8], code: &str, now: i64) -> Checked {
        if now < self.locked {
            return Checked::Locked { until: self.locked };
        }
        let Some(step) = step(secret, code, now) else { return self.was_wrong(now) };
        if step <= self.last_step {
            return Checked::Used;
        }
        self.last_step = step;
        self.wrong.clear();
        Checked::Right
    }

    fn was_wrong(&mut self, now: i64) -> Checked {
        let span = |time: std::time::Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        // what lies in the future was written by a clock that was wrong: it counts
        self.wrong.retain(|at| now.saturating_sub(*at) < span(limits::CODE_WINDOW));
        self.wrong.push(now);
        if self.wrong.len() < limits::WRONG_CODES {
            return Checked::Wrong;
        }
        self.wrong.clear();
        self.locked = now.saturating_add(span(limits::CODE_LOCK));
        Checked::Locks { until: self.locked }
    }
}

/// The step whose code it is, if it is one of those that are taken now.
fn step(secret: &[u8], code: &str, now: i64) -> Option<u64> {
    let totp = Builder::new().with_secret(secret).with_skew(SKEW).with_step_duration(STEP).build().ok()?;
    totp.check(code, u64::try_from(now / 1000).ok()?)
}

/// What an authenticator reads: an `otpauth` address.
pub(crate) fn address(user: &str, secret: &[u8]) -> String {
    // names of users hold nothing that an address would have to escape
    format!("otpauth://totp/Pipit:{user}?secret={}&issuer=Pipit", data_encoding::BASE32_NOPAD.encode(secret))
}
