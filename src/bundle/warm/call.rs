//! A call of a program that is kept warm, as a stage that pulls its frames.

use std::collections::VecDeque;
use std::sync::Arc;

use pipit_commands::{BATCH, Batch, Call, Command, Effect, Error, ErrorKind, Host};
use tokio::runtime::Handle;
use tokio::time::{Duration, Instant, sleep_until, timeout, timeout_at};

use super::frame::{self, Frame};
use super::worker::{Next, Worker};
use super::{Place, Warm};
use crate::bundle::control::{Ears, Said, warn};
use crate::bundle::output::RUN;
use crate::bundle::questions::Questions;
use crate::bundle::watch::in_doubt;
use crate::scrub;

/// How long a call that nobody reads any more has to end by itself; then its process is ended.
const UNREAD: Duration = Duration::from_secs(1);

/// A call that a process has.
pub(super) struct Calling {
    /// None when it has ended.
    worker: Option<Worker>,
    number: u64,
    /// Where the process goes when the call has ended.
    warm: Arc<Warm>,
    place: Place,
    ears: Ears,
    questions: Questions,
    until: Instant,
    longest: Duration,
    command: Command,
    host: Arc<dyn Host>,
    /// What came first, before anybody pulled.
    first: Option<Next>,
    ready: VecDeque<pipit_commands::Value>,
    /// Bytes that have been read, and whether more came than is taken.
    read: usize,
    full: bool,
    /// How it all ended, once that is known; what was read before still goes out.
    done: Option<Result<(), Error>>,
}

/// Where a process goes back to, and what it is called for.
pub(super) struct Begin {
    pub(super) warm: Arc<Warm>,
    pub(super) place: Place,
    pub(super) ears: Ears,
    pub(super) longest: Duration,
}

impl Calling {
    /// A call that was sent to a process.
    pub(super) fn new(worker: Worker, number: u64, until: Instant, begin: Begin, call: &Call) -> Self {
        let Begin { warm, place, ears, longest } = begin;
        Self {
            worker: Some(worker),
            number,
            warm,
            place,
            ears,
            questions: Questions::default(),
            until,
            longest,
            command: call.command().clone(),
            host: Arc::clone(call.host()),
            first: None,
            ready: VecDeque::new(),
            read: 0,
            full: false,
            done: None,
        }
    }

    /// Waits until the process says something; false when it has ended without a word, so that the call may be made again
    /// where that does no harm.
    pub(super) async fn hears(&mut self) -> bool {
        let Some(worker) = &mut self.worker else { return false };
        // a call whose time is up says so when it is pulled
        let next = timeout_at(self.until, worker.next()).await.ok();
        let silent = matches!(next, Some(Next::End));
        self.first = next;
        !silent
    }

    /// What the call was begun with, for another process.
    pub(super) fn given_up(mut self) -> Begin {
        self.worker = None;
        let (warm, place, longest) = (Arc::clone(&self.warm), self.place.clone(), self.longest);
        Begin { warm, place, ears: std::mem::replace(&mut self.ears, Ears::deaf()), longest }
    }

    /// The next batch; none at the end.
    pub(super) async fn step(mut self) -> Option<(Result<Batch, Error>, Self)> {
        loop {
            // what has come already goes along
            let more = self.done.is_none() && self.worker.as_ref().is_some_and(Worker::has_line);
            if self.ready.len() >= BATCH || (!self.ready.is_empty() && !more) {
                let mut ready: Batch = self.ready.drain(..BATCH.min(self.ready.len())).collect();
                // a program that says its own secret says it to nobody
                scrub::values(&mut ready);
                return Some((Ok(ready), self));
            }
            match self.done.take() {
                None => self.done = self.pull().await,
                Some(Ok(())) => return None,
                Some(Err(error)) => {
                    // nothing comes after an error
                    self.done = Some(Ok(()));
                    return Some((Err(error), self));
                }
            }
        }
    }

    /// Takes the next that the process says; how the call ended when it has.
    async fn pull(&mut self) -> Option<Result<(), Error>> {
        // what writes for ever has no more time than the others
        if self.full && Instant::now() > self.until {
            return Some(Err(self.late()));
        }
        let Some(worker) = &mut self.worker else { return Some(Ok(())) };
        let first = self.first.take();
        let next = async {
            match first {
                Some(first) => first,
                None => worker.next().await,
            }
        };
        let next = tokio::select! {
            biased;
            next = next, if !self.questions.waits() => next,
            (answered, waited) = self.questions.answered() => {
                self.until += waited;
                let line = frame::answer(self.number, answered);
                // one that does not read runs into its time
                if let Some(worker) = &mut self.worker {
                    let _ = timeout_at(self.until, worker.send(&line)).await;
                }
                return None;
            }
            // its time stands still while somebody is asked
            () = sleep_until(self.until), if !self.questions.waits() => return Some(Err(self.late())),
        };
        match next {
            Next::Line(line) => self.take(&line),
            Next::TooLong => {
                let why = format!("it wrote a line longer than {} MiB", crate::bundle::output::LINE >> 20);
                Some(Err(self.misbehaves(&why)))
            }
            Next::End => {
                let fate = self.worker.take()?.fate().await;
                Some(Err(if fate.kind() == ErrorKind::Unknown { self.cut(fate) } else { fate }))
            }
        }
    }

    fn take(&mut self, line: &[u8]) -> Option<Result<(), Error>> {
        if line.trim_ascii().is_empty() {
            return None;
        }
        match frame::read(line, self.number) {
            Ok(Frame::Values(values)) => self.values(values, line.len()),
            Ok(Frame::Said(Said::Note(note))) => {
                (self.ears.hear)(note);
                None
            }
            Ok(Frame::Said(Said::Ask(inquiry))) => {
                self.questions.ask(&self.ears, inquiry);
                None
            }
            Ok(Frame::End) => {
                self.go_back();
                Some(Ok(()))
            }
            Ok(Frame::Failed(reason) | Frame::Said(Said::Abort(reason))) => {
                self.go_back();
                let reason = if reason.is_empty() { "the program gave up".into() } else { reason };
                Some(Err(Error::failed(reason)))
            }
            Err(why) => Some(Err(self.misbehaves(&format!("a line of its output {why}")))),
        }
    }

    fn values(&mut self, values: Vec<pipit_commands::Value>, bytes: usize) -> Option<Result<(), Error>> {
        self.read += bytes;
        if self.read <= RUN {
            self.ready.extend(values);
            return None;
        }
        if !self.full {
            self.full = true;
            let text = format!("its output is larger than {} MiB; the rest is left out", RUN >> 20);
            self.host.note(&self.command, warn(text));
        }
        // a program that changes nothing is ended here, another one may finish what it does
        (self.command.spec().effect == Effect::Pure).then_some(Ok(()))
    }

    /// The process may have its next call.
    fn go_back(&mut self) {
        if let Some(worker) = self.worker.take() {
            self.warm.keep(worker, &self.place);
        }
    }

    /// A process that does not keep to the frames is not believed any more.
    fn misbehaves(&mut self, why: &str) -> Error {
        self.worker = None;
        let error = Error::failed(why).help(
            "its standard output is for frames alone; what it prints belongs on standard error: docs/bundles.md, Warm programs",
        );
        self.cut(error)
    }

    /// Its time is up, and with it that of its process.
    fn late(&mut self) -> Error {
        self.worker = None;
        let seconds = self.longest.as_secs_f64();
        self.cut(Error::failed(format!("the program did not end within {seconds} s and was ended")))
    }

    /// The error of a call that did not come to its end.
    fn cut(&self, error: Error) -> Error {
        match self.command.spec().effect {
            Effect::Unsafe => in_doubt(error),
            Effect::Pure | Effect::Idempotent => error.as_kind(ErrorKind::Failed),
        }
    }
}

impl Drop for Calling {
    fn drop(&mut self) {
        // nobody reads any more: what ends at once is kept all the same
        let Some(worker) = self.worker.take() else { return };
        let (number, warm, place) = (self.number, Arc::clone(&self.warm), self.place.clone());
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                if let Ok(Some(worker)) = timeout(UNREAD, ends(worker, number)).await {
                    warm.keep(worker, &place);
                }
            });
        }
    }
}

/// The process, when its call comes to its end.
async fn ends(mut worker: Worker, number: u64) -> Option<Worker> {
    loop {
        let Next::Line(line) = worker.next().await else { return None };
        match frame::read(&line, number) {
            Ok(Frame::End | Frame::Failed(_)) => return Some(worker),
            Ok(Frame::Values(_) | Frame::Said(Said::Note(_))) => {}
            Ok(Frame::Said(Said::Ask(_) | Said::Abort(_))) | Err(_) => return None,
        }
    }
}
