//! An open line: verdicts, intents and effects are written through its trail, closing it gives the receipt.
//! Deliberately absent: a way to a reply that does not pass `Ticket::close`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::event::Event;
use super::loss::Loss;
use super::{Audit, Unavailable, body};
use crate::store::StoreError;
use crate::store::log::{Entry, Place, Record};

/// Different verdicts a line keeps in full. Beyond that those of one command and rule are counted in one row.
const VERDICTS: usize = 256;

/// The proof that a line is on the disk, and the right to run it. Dropped without `close` the log says that it broke off.
#[must_use = "a ticket that is dropped says that the line broke off"]
pub(crate) struct Ticket(Trail);

/// What everything that happens within a line is written to. Cloning is cheap; any task may hold one.
#[derive(Clone)]
pub(crate) struct Trail(Arc<Open>);

struct Open {
    audit: Audit,
    place: Place,
    state: Mutex<State>,
}

struct State {
    closed: bool,
    /// The latest time heard of, for what has to be written when nobody says the time.
    at: i64,
    calls: u64,
    verdicts: Vec<Counted>,
    known: HashMap<String, usize>,
    permit: Option<OwnedSemaphorePermit>,
}

/// A verdict and how often it was given.
struct Counted {
    at: i64,
    command: String,
    args: Option<Box<RawValue>>,
    allowed: bool,
    rule: String,
    times: u64,
}

/// What was decided on one call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verdict<'a> {
    /// When, Unix milliseconds.
    pub(crate) at: i64,
    /// The command's full name.
    pub(crate) command: &'a str,
    /// The bound arguments, JSON.
    pub(crate) args: &'a str,
    /// Whether the call may run.
    pub(crate) allowed: bool,
    /// The rule that decided, as it is written; empty when none did.
    pub(crate) rule: &'a str,
}

/// The proof that the intent of an unsafe call is on the disk. Dropped without `Intent::ended` its effect is unknown.
#[must_use = "a dropped intent says that the effect is unknown"]
pub(crate) struct Intent {
    trail: Trail,
    command: String,
    call: u64,
    permit: Option<OwnedSemaphorePermit>,
}

/// How an unsafe call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It did what it was asked.
    Done,
    /// It said that it failed.
    Failed,
    /// It was never started.
    NotStarted,
    /// Nobody can say whether it took effect.
    Unknown,
}

/// How a line ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome<'a> {
    /// When, Unix milliseconds.
    pub(crate) at: i64,
    /// In one word.
    pub(crate) status: Status,
    /// What the room was told, when there was something to say. What goes beyond 4 KiB is kept as length and digest.
    pub(crate) message: &'a str,
    /// How long it took.
    pub(crate) took: Duration,
    /// Values in the reply.
    pub(crate) values: u64,
}

/// How a line ended, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Ok,
    Failed,
    Refused,
    Denied,
    Parked,
    Stopped,
    Unknown,
}

/// The proof that a line was closed: its end is written, or will be before anything else is.
#[must_use = "a reply needs the receipt"]
pub(crate) struct Receipt {
    audit: Audit,
    ticket: String,
    answered: oneshot::Receiver<Result<(), StoreError>>,
}

impl Ticket {
    pub(super) fn new(audit: Audit, place: Place, at: i64, permit: Option<OwnedSemaphorePermit>) -> Self {
        let state = State { closed: false, at, calls: 0, verdicts: Vec::new(), known: HashMap::new(), permit };
        Self(Trail(Arc::new(Open { audit, place, state: Mutex::new(state) })))
    }

    /// The id people see: eight letters and digits, no two lines have the same.
    pub(crate) fn id(&self) -> &str {
        self.0.id()
    }

    /// The version of the store's documents as the line was opened.
    pub(crate) fn version(&self) -> u64 {
        self.0.0.place.version
    }

    /// What is written within the line; also for other tasks.
    pub(crate) fn trail(&self) -> &Trail {
        &self.0
    }

    /// Ends the line. The record is handed over, not waited for; it is written with the next commit.
    pub(crate) fn close(self, outcome: &Outcome<'_>) -> Receipt {
        let (answer, answered) = oneshot::channel();
        self.0.end(body::closed(self.0.line(), outcome), Some(answer));
        Receipt { audit: self.0.0.audit.clone(), ticket: self.id().to_owned(), answered }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let at = self.0.state().at;
        self.0.end(body::broke_off(self.0.line(), at), None);
    }
}

impl Trail {
    /// The id of the line.
    pub(crate) fn id(&self) -> &str {
        &self.0.place.ticket
    }

    /// Notes what was decided; written with the next intent or with the end of the line. The same verdict again is counted.
    pub(crate) fn verdict(&self, verdict: &Verdict<'_>) {
        let mut state = self.state();
        state.at = state.at.max(verdict.at);
        let word = if verdict.allowed { '+' } else { '-' };
        let mut name = format!("{word}{}\0{}\0{}", verdict.command, verdict.rule, verdict.args);
        let mut args = Some(verdict.args);
        if state.verdicts.len() >= VERDICTS && !state.known.contains_key(&name) {
            name = format!("{word}{}\0{}", verdict.command, verdict.rule);
            args = None;
        }
        if let Some(&place) = state.known.get(&name) {
            state.verdicts[place].times += 1;
            return;
        }
        let place = state.verdicts.len();
        state.known.insert(name, place);
        state.verdicts.push(Counted {
            at: verdict.at,
            command: verdict.command.to_owned(),
            args: args.map(body::args),
            allowed: verdict.allowed,
            rule: verdict.rule.to_owned(),
            times: 1,
        });
    }

    /// Notes what happened to the line beside its calls: handed over, not waited for; written with the next commit.
    pub(crate) fn event(&self, event: &Event<'_>) {
        let mut state = self.state();
        state.at = state.at.max(event.at);
        drop(state);
        self.0.keep(vec![body::event(self.line(), event)], None, None);
    }

    /// The same, and returns when it is on the disk. When it cannot be, what hangs on it must not happen.
    pub(crate) async fn durable_event(&self, event: &Event<'_>) -> Result<(), Unavailable> {
        let (answer, answered) = oneshot::channel();
        self.0.audit.0.store.append([Entry::Row { record: body::event(self.line(), event), answer }])?;
        Ok(answered.await.unwrap_or(Err(StoreError::Closed))?)
    }

    pub(super) fn lost(&self, at: i64, loss: &Loss) {
        self.0.keep(vec![body::lost(self.line(), at, loss)], None, None);
    }

    /// Writes down that an unsafe call is about to start, and returns when that is on the disk. When it cannot be, or
    /// the line has ended, the call must not start. If the caller stops waiting, the log says it was not started.
    pub(crate) async fn intent(&self, at: i64, command: &str, args: &str) -> Result<Intent, Unavailable> {
        let calls = Arc::clone(&self.0.audit.0.calls);
        let permit = calls.acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let (answer, answered) = oneshot::channel();
        let intent = {
            let mut state = self.state();
            if state.closed {
                return Err(Unavailable::Ended(self.id().to_owned()));
            }
            state.at = state.at.max(at);
            state.calls += 1;
            let call = state.calls;
            let record = body::intent(self.line(), at, command, &body::args(args), call);
            let verdicts = Entry::Keep { records: state.take_verdicts(self.line()), answer: None, permit: None };
            // Pushed under the lock, so that the end of the line cannot come before it.
            self.0.audit.0.store.append([verdicts, Entry::Row { record, answer }])?;
            Intent { trail: self.clone(), command: command.to_owned(), call, permit: Some(permit) }
        };
        let intent = Starting(Some(intent));
        let written = answered.await.unwrap_or(Err(StoreError::Closed));
        match (written, intent.keep()) {
            (Ok(()), Some(intent)) => Ok(intent),
            (Ok(()), None) => Err(StoreError::Closed.into()),
            (Err(error), intent) => {
                // There is no intent in the log that would need its end.
                if let Some(mut intent) = intent {
                    intent.permit = None;
                }
                Err(error.into())
            }
        }
    }

    fn end(&self, record: Record, answer: Option<oneshot::Sender<Result<(), StoreError>>>) {
        let mut state = self.state();
        if state.closed {
            return;
        }
        state.closed = true;
        let mut records = state.take_verdicts(self.line());
        records.push(record);
        self.0.keep(records, answer, state.permit.take());
    }

    fn line(&self) -> i64 {
        self.0.place.line
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take_verdicts(&mut self, line: i64) -> Vec<Record> {
        self.known.clear();
        let verdicts = self.verdicts.drain(..).map(|counted| {
            let Counted { at, ref command, ref args, allowed, ref rule, times } = counted;
            let verdict = Verdict { at, command, args: "", allowed, rule };
            body::verdict(line, &verdict, args.as_deref(), times)
        });
        verdicts.collect()
    }
}

impl Open {
    fn keep(
        &self,
        records: Vec<Record>,
        answer: Option<oneshot::Sender<Result<(), StoreError>>>,
        permit: Option<OwnedSemaphorePermit>,
    ) {
        // It fails only where there is no writer, and then there was no line to open.
        let _handed = self.audit.0.store.append([Entry::Keep { records, answer, permit }]);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let line = self.place.line;
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        // Verdicts on calls that outlived their line.
        let late = state.take_verdicts(line);
        if !late.is_empty() {
            self.keep(late, None, None);
        }
    }
}

impl Intent {
    /// The id of the call: the same for every attempt to carry it out, different for every other call.
    pub(crate) fn id(&self) -> String {
        format!("{}.{}", self.trail.id(), self.call)
    }

    /// Writes down how the call ended; handed over, not waited for.
    pub(crate) fn ended(mut self, at: i64, ended: Ended, message: &str) {
        self.write(at, ended, message);
    }

    fn write(&mut self, at: i64, ended: Ended, message: &str) {
        let Some(permit) = self.permit.take() else { return };
        let record = body::effect(self.trail.line(), at, &self.command, ended, message, self.call);
        self.trail.0.keep(vec![record], None, Some(permit));
    }
}

impl Drop for Intent {
    fn drop(&mut self) {
        let at = self.trail.state().at;
        self.write(at, Ended::Unknown, "nobody saw the end of it");
    }
}

/// An intent that is not known to be on the disk yet.
struct Starting(Option<Intent>);

impl Starting {
    fn keep(mut self) -> Option<Intent> {
        self.0.take()
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        if let Some(mut intent) = self.0.take() {
            let at = intent.trail.state().at;
            intent.write(at, Ended::NotStarted, "nobody waited for it any more");
        }
    }
}

impl Receipt {
    /// The id of the line.
    pub(crate) fn id(&self) -> &str {
        &self.ticket
    }

    /// Waits until the end of the line is on the disk.
    pub(crate) async fn durable(self) -> Result<(), Unavailable> {
        self.audit.0.store.hurry();
        Ok(self.answered.await.unwrap_or(Err(StoreError::Closed))?)
    }
}

impl Ended {
    /// The word in the log.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::NotStarted => "not started",
            Self::Unknown => "unknown",
        }
    }
}

impl Status {
    /// The word in the log.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Denied => "denied",
            Self::Parked => "parked",
            Self::Stopped => "stopped",
            Self::Unknown => "unknown",
        }
    }
}
