//! The intent of an unsafe call, told how the call ended. Where nobody saw the end, whoever typed the line is told so.
//! Deliberately absent: writing the intent, which comes before.

use std::sync::{Arc, Mutex, PoisonError};

use ecow::EcoString;
use pipit_commands::{Command, Effect, Error, ErrorKind, Intent};

use super::LineHost;
use crate::audit::{self, Ended};
use crate::engine::now;

/// The intent of an unsafe call in the log.
pub(super) struct Written {
    intent: Mutex<Option<audit::Intent>>,
    command: Command,
    host: Arc<LineHost>,
}

impl Written {
    /// The intent, which is on the disk.
    pub(super) fn new(intent: audit::Intent, command: &Command, host: &Arc<LineHost>) -> Self {
        Self { intent: Mutex::new(Some(intent)), command: command.clone(), host: Arc::clone(host) }
    }

    fn take(&self) -> Option<audit::Intent> {
        self.intent.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Intent for Written {
    fn id(&self) -> EcoString {
        let intent = self.intent.lock().unwrap_or_else(PoisonError::into_inner);
        intent.as_ref().map(|intent| intent.id().into()).unwrap_or_default()
    }

    fn ended(&self, error: Option<&Error>) {
        let Some(intent) = self.take() else { return };
        match error {
            None => intent.ended(now(), Ended::Done, ""),
            Some(error) if error.kind() == ErrorKind::Unknown => {
                intent.ended(now(), Ended::Unknown, error.message());
            }
            Some(error) => intent.ended(now(), Ended::Failed, error.message()),
        }
    }
}

impl LineHost {
    /// How a line ended that was stopped: where a call of it was cut short, nobody knows what it did.
    pub(in super::super) fn doubted(&self, error: Error) -> Error {
        let stopped = error.kind() == ErrorKind::Failed && self.said().in_doubt;
        if stopped { error.as_kind(ErrorKind::Unknown) } else { error }
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        if self.take().is_some() && self.command.spec().effect == Effect::Unsafe {
            let name = self.command.spec().shown();
            self.host.said().in_doubt = true;
            self.host.tell(vec![format!("{name} was cut short, and nobody knows whether it took effect")]);
        }
    }
}
