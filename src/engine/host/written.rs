//! The intent of an unsafe call, told how the call ended. Deliberately absent: writing the intent, which comes before.

use std::sync::{Mutex, PoisonError};

use ecow::EcoString;
use pipit_commands::{Error, Intent};

use crate::audit::{self, Ended};
use crate::engine::now;

/// The intent of an unsafe call in the log.
pub(super) struct Written(Mutex<Option<audit::Intent>>);

impl Written {
    /// The intent, which is on the disk.
    pub(super) fn new(intent: audit::Intent) -> Self {
        Self(Mutex::new(Some(intent)))
    }
}

impl Intent for Written {
    fn id(&self) -> EcoString {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .map(|intent| intent.id().into())
            .unwrap_or_default()
    }

    fn ended(&self, error: Option<&Error>) {
        let intent = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(intent) = intent {
            match error {
                None => intent.ended(now(), Ended::Done, ""),
                Some(error) => intent.ended(now(), Ended::Failed, error.message()),
            }
        }
    }
}
