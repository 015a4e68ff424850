//! The questions of one call: one at a time, so many in all, and how long each was open, by which the call has more time.

use ecow::EcoString;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pipit_commands::{Error, Inquiry};
use tokio::time::{Duration, Instant};

use super::control::{Answered, Ears};
use crate::limits;

/// The questions of a call.
#[derive(Default)]
pub(super) struct Questions {
    open: Option<(BoxFuture<'static, Answered>, Instant)>,
    asked: usize,
}

impl Questions {
    /// Whether one is open.
    pub(super) fn waits(&self) -> bool {
        self.open.is_some()
    }

    /// Asks. One too many is answered at once, with an error.
    pub(super) fn ask(&mut self, ears: &Ears, inquiry: Inquiry) {
        self.asked += 1;
        let answer = if self.asked > limits::INQUIRIES {
            let most = format!("{} questions were asked, and that is all a call may ask", limits::INQUIRIES);
            std::future::ready(Err(Error::failed(most))).boxed()
        } else {
            (ears.ask)(inquiry)
        };
        self.open = Some((answer, Instant::now()));
    }

    /// Waits for the answer to the open one, and says how long it was open. Comes never when none is. May be given up and
    /// called again.
    pub(super) async fn answered(&mut self) -> (Result<EcoString, Error>, Duration) {
        let Some((answer, since)) = &mut self.open else { return std::future::pending().await };
        let answered = answer.await;
        let waited = since.elapsed();
        self.open = None;
        (answered, waited)
    }
}
