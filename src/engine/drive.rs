//! A line while it runs: in the list of those that run, pulled to its end, stopped when somebody or the clock says so.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

use ecow::EcoString;
use pipit_commands::{Batch, Error, ErrorKind, Stream};
use tokio::sync::oneshot;

use super::{Beside, Engine, Running};
use crate::audit::Status;
use crate::limits;
use crate::scrub;

/// Pulls a line's stream to its end.
pub(super) async fn drive(
    mut stream: Stream,
    mut killed: oneshot::Receiver<EcoString>,
    show: &mut (dyn FnMut(Batch) -> ControlFlow<()> + Send),
    beside: &mut Beside,
) -> Result<(), Error> {
    let timeout = tokio::time::sleep(limits::LINE_TIME);
    tokio::pin!(timeout);
    loop {
        let batch = tokio::select! {
            biased;
            // what stops a line comes first, or a stream that always has something would never be stopped
            by = &mut killed => {
                let by = by.unwrap_or_default();
                return Err(Error::failed(format!("stopped by {by}")));
            }
            () = &mut timeout => {
                let minutes = limits::LINE_TIME.as_secs() / 60;
                return Err(Error::failed(format!("stopped after {minutes} minutes, which is as long as a line may run")));
            }
            batch = stream.next() => batch,
        };
        let Some(batch) = batch else { return Ok(()) };
        let mut batch = batch?;
        scrub::values(&mut batch);
        beside.values.fetch_add(batch.len() as u64, Ordering::Relaxed);
        if show(batch).is_break() {
            return Ok(());
        }
    }
}

/// A line in the list of those that run; it leaves the list when this is dropped.
pub(super) struct Listed<'e>(&'e Engine, String);

impl<'e> Listed<'e> {
    /// Lists a line.
    pub(super) fn new(engine: &'e Engine, id: String, running: Running) -> Result<Self, Error> {
        let mut lines = engine.running();
        if lines.len() >= limits::RUNNING {
            return Err(Error::refused(format!("{} lines run already; try again", limits::RUNNING)));
        }
        lines.insert(id.clone(), running);
        Ok(Self(engine, id))
    }
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        self.0.running().remove(&self.1);
    }
}

/// How a line that ended so is written down.
pub(super) fn status(kind: ErrorKind) -> Status {
    match kind {
        ErrorKind::Refused => Status::Refused,
        ErrorKind::Failed => Status::Failed,
        ErrorKind::Denied => Status::Denied,
        ErrorKind::Parked => Status::Parked,
        ErrorKind::Unavailable => Status::Unknown,
        ErrorKind::Stopped => Status::Stopped,
    }
}
