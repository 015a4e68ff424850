//! When to connect again: soon at first, then ever later, and never all bots at the same instant.

use std::time::Duration;

/// The longest wait after a lost connection.
const CAP: Duration = Duration::from_secs(30);
/// The first and the longest wait after a server said no: asking sooner gets a bot banned.
const REFUSED: (Duration, Duration) = (Duration::from_secs(30), Duration::from_mins(5));
/// A connection that held this long was a good one: counting starts anew.
const GOOD: Duration = Duration::from_secs(30);

/// Failures in a row.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// How long to wait after a connection that held for `held`. `dice` is uniform over its range.
    pub(super) fn after(&mut self, held: Duration, refused: bool, dice: u32) -> Duration {
        if held >= GOOD {
            self.failures = 0;
        }
        let doubled = 1_u32 << self.failures.min(10);
        self.failures = self.failures.saturating_add(1);
        let wait = if refused {
            REFUSED.0.saturating_mul(doubled).min(REFUSED.1)
        } else {
            (Duration::from_millis(500) * doubled).min(CAP)
        };
        // between half of it and all of it
        wait / 2 + (wait / 2).mul_f64(f64::from(dice) / f64::from(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end_at_the_cap() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..12).map(|_| backoff.after(Duration::ZERO, false, u32::MAX)).collect();
        assert_eq!(waits[0], Duration::from_millis(500));
        assert!(waits.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!(waits[11], CAP);
        assert_eq!(backoff.after(GOOD, false, 0), Duration::from_millis(250));
        assert_eq!(Backoff::default().after(Duration::ZERO, true, u32::MAX), REFUSED.0);
    }
}
