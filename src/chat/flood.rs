//! How fast a bot may talk: a token bucket per connection.
//!
//! Deliberately absent: anything that answers the service's own questions (a PONG waits for nobody).

use std::time::Duration;

use serde::{Deserialize, Deserializer, de};
use tokio::time::Instant;

/// What a service bears: `burst` lines at once, then one `every` so often, and half as fast after `long` lines in a row. A
/// burst of 0 lifts the limit, for servers of one's own and for tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Flood {
    /// Lines that may be sent at once after a silence.
    pub(crate) burst: u32,
    /// The time until one more may be sent.
    #[serde(default = "two_seconds", deserialize_with = "duration")]
    pub(crate) every: Duration,
    /// Lines in a row after which the pace is half; 0 for never.
    #[serde(default)]
    pub(crate) long: u32,
}

fn two_seconds() -> Duration {
    Duration::from_secs(2)
}

/// `2s`, `500ms`, `1m`.
fn duration<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(from)?;
    let units = [("ms", 1), ("s", 1000), ("m", 60_000)];
    let parsed = units.iter().find_map(|(unit, millis)| {
        let number: u32 = text.strip_suffix(unit)?.trim().parse().ok()?;
        Some(Duration::from_millis(u64::from(number) * millis))
    });
    match parsed {
        Some(every) if !every.is_zero() && every <= Duration::from_mins(10) => Ok(every),
        Some(_) | None => Err(de::Error::custom(format!(
            "`{text}` is no time between lines: write a whole number and a unit, such as `2s` or `500ms`, at most `10m`"
        ))),
    }
}

/// A bucket that fills by one token `every` so often, up to `burst`; and a larger one that fills half as fast.
#[derive(Debug)]
pub(super) struct Bucket {
    flood: Flood,
    /// When each would be full again: one number says both how full it is and since when.
    full_at: Instant,
    long_at: Instant,
}

impl Bucket {
    /// A full bucket.
    pub(super) fn new(flood: Flood, now: Instant) -> Self {
        Self { flood, full_at: now, long_at: now }
    }

    /// Whether there is a token, or was one if so many more fitted in.
    pub(super) fn ready(&self, now: Instant, ahead: u32) -> bool {
        self.flood.burst == 0 || self.ready_at(ahead) <= now
    }

    /// Takes tokens. More than there are may be taken; the next then comes the later.
    pub(super) fn take(&mut self, tokens: u32, now: Instant) {
        self.full_at = self.full_at.max(now) + self.flood.every * tokens;
        self.long_at = self.long_at.max(now) + self.flood.every * 2 * tokens;
    }

    /// When there is a token; in the past when there is one now.
    pub(super) fn ready_at(&self, ahead: u32) -> Instant {
        let before = |at: Instant, every: Duration, burst: u32| {
            at.checked_sub(every * (burst.saturating_sub(1) + ahead)).unwrap_or(at)
        };
        let short = before(self.full_at, self.flood.every, self.flood.burst);
        if self.flood.long == 0 {
            return short;
        }
        short.max(before(self.long_at, self.flood.every * 2, self.flood.long))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]
    use super::*;

    fn flood(text: &str) -> Result<Flood, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn a_burst_then_one_at_a_time() {
        let start = Instant::now();
        let mut bucket = Bucket::new(flood("burst = 4").unwrap(), start);
        let took = |bucket: &mut Bucket, millis| {
            let now = start + Duration::from_millis(millis);
            bucket.ready(now, 0).then(|| bucket.take(1, now)).is_some()
        };
        assert!((0..4).all(|_| took(&mut bucket, 0)));
        assert!(!took(&mut bucket, 1999));
        assert!(took(&mut bucket, 2000));
        assert!(!took(&mut bucket, 2001));
        assert!((0..4).all(|_| took(&mut bucket, 60_000)));
        assert!(!took(&mut bucket, 60_000));
        bucket.take(2, start + Duration::from_secs(62));
        assert!(!took(&mut bucket, 65_999));
        assert!(took(&mut bucket, 66_000));
    }

    #[test]
    fn a_long_answer_slows_down() {
        let start = Instant::now();
        let mut bucket = Bucket::new(flood("burst = 2\nevery = '1s'\nlong = 4").unwrap(), start);
        let mut at = Vec::new();
        for seconds in 0..12 {
            let now = start + Duration::from_secs(seconds);
            while bucket.ready(now, 0) {
                bucket.take(1, now);
                at.push(seconds);
            }
        }
        assert_eq!(at, [0, 0, 1, 2, 3, 4, 6, 8, 10]);
        // what is urgent goes ahead of its time, and the others then wait for it
        let now = start + Duration::from_secs(11);
        assert!(!bucket.ready(now, 0) && bucket.ready(now, 2));
    }

    #[test]
    fn no_burst_is_no_limit() {
        let now = Instant::now();
        let mut bucket = Bucket::new(flood("burst = 0").unwrap(), now);
        bucket.take(1_000_000, now);
        assert!(bucket.ready(now, 0));
    }

    #[test]
    fn a_setting_is_read_or_refused() {
        assert_eq!(flood("burst = 3\nevery = '250ms'").unwrap().every, Duration::from_millis(250));
        for wrong in ["burst = 3\nevery = '2'", "burst = 3\nevery = '0s'", "burst = -1", "burst = 1\nevry = '1s'", ""] {
            assert!(flood(wrong).is_err(), "{wrong}");
        }
    }
}
