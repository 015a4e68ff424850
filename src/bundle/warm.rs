//! Programs that are kept warm: an interpreter's start is paid once, and a process has one call after the other.
//!
//! A process is only ever given calls of the command that it was started for, with the same settings: what one person's
//! or one room's settings are is in its environment, and no other's call comes there. Deliberately absent: rights, which
//! were judged for each call before it comes here.

mod call;
mod frame;
mod worker;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use ecow::EcoString;
use pipit_commands::{Call, Effect, Error, Stream};
use tokio::time::{Duration, Instant, timeout_at};

use self::call::{Begin, Calling};
use self::worker::Worker;
use super::control::Ears;
use super::manifest::{Entry, Manifest, Sandbox};
use super::process::{Prepared, Ready, mark};
use super::runner::Runner;
use crate::limits;

/// How often it is looked which processes have waited long enough.
const LOOK: Duration = Duration::from_secs(30);

/// Which calls a process may have.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    /// The command, counted in the manifest.
    at: usize,
    /// The digest of its settings.
    settings: blake3::Hash,
    /// Whose calls alone it has, where what it writes is in memory of its own and lasts as long as it does.
    whose: Option<EcoString>,
    /// How many are kept of the command.
    most: usize,
}

/// The processes of a bundle that wait for their next call. Dropped, they are ended.
#[derive(Default)]
pub(crate) struct Warm(Mutex<State>);

#[derive(Default)]
struct State {
    idle: Vec<Idle>,
    /// Nothing is kept any more: the shell ends.
    closed: bool,
    /// Somebody looks which of them have waited long enough.
    watched: bool,
    /// The runner knows of them.
    known: bool,
}

struct Idle {
    place: Place,
    worker: Worker,
    since: Instant,
}

impl Warm {
    /// Ends what waits, and what comes back from its call.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.idle.clear();
    }

    /// The process that waited last of those that may have the call.
    fn take(&self, place: &Place) -> Option<Worker> {
        let mut state = self.lock();
        while let Some(at) = state.idle.iter().rposition(|idle| idle.place == *place) {
            let mut worker = state.idle.remove(at).worker;
            if worker.is_fit() {
                return Some(worker);
            }
        }
        None
    }

    /// Keeps a process for its next call, unless it is not fit for one. Where there are too many, the one goes that has
    /// waited longest.
    fn keep(self: &Arc<Self>, mut worker: Worker, place: &Place) {
        if place.most == 0 || !worker.may_go_on() {
            return;
        }
        let mut state = self.lock();
        if state.closed {
            return;
        }
        let of_command = state.idle.iter().filter(|idle| idle.place.at == place.at).count();
        if of_command >= place.most
            && let Some(oldest) = state.idle.iter().position(|idle| idle.place.at == place.at)
        {
            state.idle.remove(oldest);
        }
        state.idle.push(Idle { place: place.clone(), worker, since: Instant::now() });
        if !state.watched {
            state.watched = true;
            tokio::spawn(watch(Arc::downgrade(self)));
        }
    }

    /// Ends what has waited long enough; whether something still waits.
    fn tidy(&self) -> bool {
        let mut state = self.lock();
        state.idle.retain_mut(|idle| idle.since.elapsed() < limits::WARM_IDLE && idle.worker.lives());
        state.watched = !state.idle.is_empty();
        state.watched
    }

    /// Lets the runner know of them, once.
    fn meet(self: &Arc<Self>, runner: &Runner) {
        let mut state = self.lock();
        if !state.known {
            state.known = true;
            runner.keeps(Arc::downgrade(self));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn watch(warm: Weak<Warm>) {
    loop {
        tokio::time::sleep(LOOK).await;
        if !warm.upgrade().is_some_and(|warm| warm.tidy()) {
            return;
        }
    }
}

/// Runs a call in a process that waits, else in a new one, which waits then.
pub(super) async fn run(
    bundle: Arc<Ready>,
    at: usize,
    entry: Entry,
    runner: Arc<Runner>,
    call: Call,
    input: Option<Stream>,
) -> Result<Stream, Error> {
    let input = match input {
        None => None,
        Some(input) => match input.collect().await?.into_iter().next() {
            Some(value) => Some(value),
            None => return Ok(Stream::empty()),
        },
    };
    let origin = call.host().origin();
    let settings = (bundle.settings)(&origin)?;
    let warm = Arc::clone(&bundle.warm);
    warm.meet(&runner);
    let place = place(at, &entry, &bundle.manifest, digest(&settings), origin.user);
    let ears = Ears::of(&call, bundle.manifest.templates.keys().cloned().collect());
    let mut begin = Begin { warm, place, ears, longest: entry.timeout };
    let invocation = mark(&call);
    loop {
        let mut worker = if let Some(worker) = begin.warm.take(&begin.place) {
            worker
        } else {
            let host = call.host();
            let mark = format!("{:016x}{:016x}", host.dice(), host.dice());
            Worker::start(Prepared::kept(&bundle, &entry, &runner, mark, settings.clone())?).await?
        };
        worker.begins();
        let number = number(call.host().dice());
        let until = Instant::now() + entry.timeout;
        let line = frame::call(number, &invocation, &call, input.clone());
        match timeout_at(until, worker.send(&line)).await {
            Ok(Ok(())) => {}
            // it has ended while nobody looked, and has not read its call to the end
            Ok(Err(_)) if worker.is_used() => continue,
            Ok(Err(_)) => return Err(worker.fate().await),
            Err(_) => return Err(Error::failed("the program does not read its call")),
        }
        let again = worker.is_used() && entry.effect != Effect::Unsafe;
        let mut calling = Calling::new(worker, number, until, begin, &call);
        if calling.hears().await || !again {
            return Ok(Stream::new(futures_util::stream::unfold(calling, Calling::step)));
        }
        // it may have begun: what may be repeated is, under the same id
        begin = calling.given_up();
    }
}

/// Which calls a process may have beside one of this person.
fn place(at: usize, entry: &Entry, manifest: &Manifest, settings: blake3::Hash, user: EcoString) -> Place {
    let most = entry.warm.min(limits::WARM);
    match manifest.needs.sandbox {
        Sandbox::Basic | Sandbox::Restrict => Place { at, settings, whose: None, most },
        // the nick of somebody whom nobody verified is whoever's takes it next
        Sandbox::Isolate | Sandbox::Quota if user.starts_with('?') => {
            Place { at, settings, whose: Some(user), most: 0 }
        }
        Sandbox::Isolate | Sandbox::Quota => Place { at, settings, whose: Some(user), most },
    }
}

/// The number of a call by chance, so that nobody answers one that has not begun: as large as every language keeps exactly.
fn number(chance: u64) -> u64 {
    chance >> 11
}

/// What a process may know, in a word that tells nobody what it is.
fn digest(settings: &[(EcoString, EcoString)]) -> blake3::Hash {
    let mut hash = blake3::Hasher::new_derive_key("pipit warm settings 1");
    for text in settings.iter().flat_map(|(name, value)| [name, value]) {
        hash.update(&(text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    }
    hash.finalize()
}
