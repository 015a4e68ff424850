//! How long the shell has been open, on a clock that nobody sets back.

use std::time::{Duration, Instant};

/// A clock that began when the shell was opened.
pub(super) struct Uptime(Box<dyn Fn() -> Duration + Send + Sync>);

impl Default for Uptime {
    fn default() -> Self {
        let began = Instant::now();
        Self::by(move || began.elapsed())
    }
}

impl Uptime {
    /// A clock of which somebody else says how far it is.
    pub(super) fn by(elapsed: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self(Box::new(elapsed))
    }

    /// How long it has been.
    pub(super) fn elapsed(&self) -> Duration {
        (self.0)()
    }
}
