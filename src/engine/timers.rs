//! What happens at a time, whoever is there then: a [`Due`] is set with [`set`] in the same change as what it belongs to, kept in
//! the store, and done once by a process that can do it. To make something else happen at a time, give it a variant of `Due` and
//! an arm in [`Engine::happen`].
//!
//! Deliberately absent: what runs again and again, and lines; what happens here was asked for and judged when it was set.

use std::time::Duration;

use ecow::EcoString;
use pipit_commands::Error;
use serde::{Deserialize, Serialize};

use super::room::{RoomId, SHELL};
use super::serve::{Closing, Reminder};
use super::{Engine, now, unavailable};
use crate::audit::{Asked, Outcome, Status, Ticket, Trail};
use crate::store::timer::{Taken, Timer};
use crate::store::{Change, StoreError};

/// How often it is looked what is due.
const TICK: Duration = Duration::from_secs(1);
/// For how long what was taken is nobody else's, in milliseconds.
const LEASE: i64 = 120_000;
/// When something that could not be done is tried again, in milliseconds.
const AGAIN: i64 = 15_000;
/// How many are taken at once.
const MOST: usize = 32;

/// What is to happen.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "due", rename_all = "lowercase")]
pub(super) enum Due {
    /// Somebody is reminded.
    Remind(Reminder),
    /// A poll closes.
    Close(Closing),
}

impl Due {
    /// Whose it is: it goes with its owner.
    pub(super) fn owner(&self) -> &EcoString {
        match self {
            Self::Remind(reminder) => &reminder.by,
            Self::Close(closing) => &closing.by,
        }
    }

    /// The room it needs, if it can be done only where that room's service is reached.
    fn room(&self) -> Option<RoomId> {
        match self {
            Self::Remind(reminder) => reminder.room(),
            Self::Close(closing) => Some(closing.room()),
        }
    }
}

/// What became of something that was due.
pub(super) enum Happened {
    /// It is over, with these changes.
    Done(Vec<Change>),
    /// It cannot be done now, and why.
    Later(Error),
}

/// Something that happens, in the log: a line of whoever asked for it, with its cause.
pub(super) struct Logged {
    ticket: Ticket,
    at: i64,
}

impl Logged {
    /// What is written within the line.
    pub(super) fn trail(&self) -> &Trail {
        self.ticket.trail()
    }

    /// Says how it ended; durable when this returns.
    pub(super) async fn ended(self, status: Status, message: &str) -> Result<(), Error> {
        let at = now();
        let took = Duration::from_millis(u64::try_from(at.saturating_sub(self.at)).unwrap_or_default());
        let outcome = Outcome { at, status, message, took, values: 1 };
        self.ticket.close(&outcome).durable().await.map_err(unavailable)
    }
}

/// The change that sets it.
pub(super) fn set(id: &str, at: i64, due: &Due) -> Change {
    // plain structs of texts and numbers: there is nothing in them that JSON cannot say
    Timer::new(id, at, crate::scrub::owned(serde_json::to_string(due).unwrap_or_default())).set()
}

/// What a timer is for; none when an older or a newer shell knows it.
pub(super) fn read(timer: &Timer) -> Option<Due> {
    serde_json::from_str(&timer.body).ok()
}

impl Engine {
    /// Does what is due, now and as long as the process serves.
    pub(crate) async fn keep_time(self) {
        loop {
            if let Err(error) = self.do_due().await {
                tracing::warn!(%error, "what is due could not be looked at");
            }
            tokio::time::sleep(TICK).await;
        }
    }

    async fn do_due(&self) -> Result<(), Error> {
        let at = now();
        let reached = self.reached();
        let wanted = |timer: &Timer| {
            read(timer).is_some_and(|due| due.room().is_none_or(|room| reached.contains(&room.service)))
        };
        let taken = self.store().take_due(at, at.saturating_add(LEASE), MOST, wanted).await.map_err(unavailable)?;
        for taken in taken {
            self.happen(&taken).await?;
        }
        Ok(())
    }

    /// The services whose rooms this process reaches.
    fn reached(&self) -> Vec<EcoString> {
        let services = self.0.outlet.get().map(|outlet| outlet.services()).unwrap_or_default();
        services.into_iter().map(|(name, _)| name).chain([SHELL.into()]).collect()
    }

    /// Opens an entry of the log for something that happens.
    pub(super) async fn as_a_line(
        &self,
        who: &str,
        (via, room): (&str, &str),
        text: &str,
        cause: &'static str,
        at: i64,
    ) -> Result<Logged, Error> {
        let asked = Asked { at, who, via, room, text, cause: Some(cause) };
        let ticket = self.0.audit.open(asked).await.map_err(unavailable)?;
        Ok(Logged { ticket, at })
    }

    async fn happen(&self, taken: &Taken) -> Result<(), Error> {
        let timer = &taken.0;
        let Some(due) = read(timer) else { return Ok(()) };
        let happened = match &due {
            Due::Remind(reminder) => self.remind(reminder, timer, now()).await?,
            Due::Close(closing) => self.close_poll(closing, &timer.id, now()).await?,
        };
        let changes = match happened {
            Happened::Done(changes) => std::iter::once(taken.done()).chain(changes).collect(),
            Happened::Later(error) => {
                tracing::info!(id = timer.id, %error, "not done yet");
                taken.again(now().saturating_add(AGAIN))
            }
        };
        match self.store().apply(changes).await {
            // the lease ran out meanwhile, and it is another's to say how it ended
            Ok(()) | Err(StoreError::Missing { .. }) => Ok(()),
            Err(error) => Err(unavailable(error)),
        }
    }
}
