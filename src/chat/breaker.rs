//! Against two bots that answer each other for ever: whoever says more to us in private than a person does is answered
//! in the form that no bot answers.
//!
//! Deliberately absent: refusing anybody. A person who types fast loses nothing but the form of the answer.

use std::collections::HashMap;
use std::time::Duration;

use ecow::EcoString;
use tokio::time::Instant;

/// Answers to one name within a window before the form changes.
const ANSWERS: u32 = 20;
/// How long is counted together.
const WINDOW: Duration = Duration::from_mins(1);
/// Names counted at the same time; the rest are answered carefully.
const NAMES: usize = 4096;

/// Answers in private, by name.
#[derive(Debug)]
pub(super) struct Breaker {
    since: Instant,
    answers: HashMap<EcoString, u32>,
}

impl Breaker {
    /// Nobody was answered yet.
    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, answers: HashMap::new() }
    }

    /// Counts an answer; true when it has to be one that no bot answers.
    pub(super) fn careful(&mut self, name: &EcoString, now: Instant) -> bool {
        if now.duration_since(self.since) >= WINDOW {
            *self = Self::new(now);
        }
        if self.answers.len() >= NAMES && !self.answers.contains_key(name) {
            return true;
        }
        let count = self.answers.entry(name.clone()).or_default();
        *count = count.saturating_add(1);
        *count > ANSWERS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_says_very_much_is_answered_carefully() {
        let start = Instant::now();
        let mut breaker = Breaker::new(start);
        assert!((0..20).all(|_| !breaker.careful(&"bot".into(), start)));
        assert!(breaker.careful(&"bot".into(), start));
        assert!(!breaker.careful(&"alice".into(), start));
        assert!(!breaker.careful(&"bot".into(), start + WINDOW));
    }
}
