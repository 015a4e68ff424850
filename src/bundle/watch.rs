//! Watching over a program until nothing of it is left: it is ended when its time is up, when nobody reads it any more
//! or when it gives up; what it says on standard error and on its control descriptor is heard all the while.
//!
//! Deliberately absent: its standard input and output (`process.rs`).

use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use ecow::EcoString;
use pipit_commands::{Error, ErrorKind};
use rustix::process::{Pid, Signal};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout};

use super::control::{Control, Ears, Said};
use super::questions::Questions;
use super::remove::{remove, remove_empty};
use super::report::Unstarted;
use super::runner::{Live, Runner, Running};
use super::sweep::{signal, sweep, sweep_all};
use super::tail::Tail;

/// How long a program has to end after its time was up or it gave up.
const GRACE: Duration = Duration::from_secs(5);
/// The same when nobody reads it any more.
const SHORT_GRACE: Duration = Duration::from_secs(1);
/// How long its descriptors are heard after all of it has ended.
const REST: Duration = Duration::from_millis(500);

/// What has to be known of a run.
pub(super) struct Watched {
    pub(super) runner: Arc<Runner>,
    pub(super) live: Live,
    /// The invocation id.
    pub(super) mark: String,
    pub(super) folder: PathBuf,
    pub(super) longest: Duration,
    /// Comes, or is dropped, when nobody reads any more.
    pub(super) stop: oneshot::Receiver<()>,
    pub(super) ears: Ears,
    /// Its standard error.
    pub(super) tail: Arc<Tail>,
}

/// Why a program was ended before it ended itself.
pub(super) enum Cause {
    Late,
    Unread,
    GaveUp(EcoString),
}

/// How a program ended, once nothing of the run is left.
pub(super) struct Ended {
    /// Why it was never started, if it was not; nobody else than the shell itself says so.
    pub(super) unstarted: Option<Unstarted>,
    pub(super) cause: Option<Cause>,
    pub(super) status: std::io::Result<ExitStatus>,
    /// The last of what it said on standard error.
    pub(super) said: String,
    /// How long it was allowed to run.
    pub(super) longest: Duration,
}

impl Watched {
    /// Comes back when nothing of the run is left.
    pub(super) async fn watch(mut self, mut running: Running) -> Ended {
        let leader = running.child.id().and_then(|pid| i32::try_from(pid).ok());
        let (status, cause) = {
            let tail = Arc::clone(&self.tail);
            let drain = async move { tail.drain().await };
            let mut control = Control::new(running.control);
            let clock = sleep_until(Instant::now() + self.longest);
            tokio::pin!(drain, clock);
            let (mut drained, mut heard, mut asked) = (false, false, false);
            let mut cause = None;
            let mut open = Questions::default();
            let status = loop {
                let (why, grace) = tokio::select! {
                    status = running.child.wait() => break status,
                    () = &mut drain, if !drained => { drained = true; continue }
                    said = control.next(), if !heard && !open.waits() => match said {
                        Some(Said::Note(note)) => { (self.ears.hear)(note); continue }
                        // one that is being ended has nothing to ask any more
                        Some(Said::Ask(inquiry)) if cause.is_none() => { open.ask(&self.ears, inquiry); continue }
                        Some(Said::Ask(_)) => continue,
                        Some(Said::Abort(message)) => { heard = true; (Cause::GaveUp(message), GRACE) }
                        None => { heard = true; continue }
                    },
                    (answered, waited) = open.answered() => {
                        let later = clock.deadline() + waited;
                        clock.as_mut().reset(later);
                        control.answer(answered).await;
                        continue;
                    }
                    _ = &mut self.stop, if cause.is_none() => (Cause::Unread, SHORT_GRACE),
                    // its time stands still while somebody is asked
                    () = &mut clock, if cause.is_some() || !open.waits() => (Cause::Late, GRACE),
                };
                cause.get_or_insert(why);
                if let Some(leader) = leader.and_then(Pid::from_raw) {
                    signal(leader, if asked { Signal::KILL } else { Signal::TERM });
                }
                asked = true;
                open = Questions::default();
                clock.as_mut().reset(Instant::now() + grace);
            };
            running.way_out.shutdown().await;
            if let Some(group) = running.group.take()
                && !group.end().await
            {
                tracing::warn!(invocation = self.mark, "a control group could not be taken away");
            }
            self.clear(leader).await;
            if !drained {
                let _ = timeout(REST, drain).await;
            }
            let rest = async {
                while let Some(said) = control.next().await {
                    match said {
                        Said::Note(note) => (self.ears.hear)(note),
                        Said::Abort(message) => return Some(message),
                        // nobody is left who would hear the answer
                        Said::Ask(_) => {}
                    }
                }
                None
            };
            if !heard && let Ok(Some(message)) = timeout(REST, rest).await {
                cause.get_or_insert(Cause::GaveUp(message));
            }
            (status, cause)
        };
        drop(self.live);
        let unstarted = running.report.told();
        Ended { unstarted, cause, status, said: self.tail.shown(), longest: self.longest }
    }

    /// Ends what the program left behind and takes its folder away.
    async fn clear(&self, leader: Option<i32>) {
        let Some(leader) = leader else { return };
        let started = &self.runner.started;
        started.lock().processes.remove(&leader);
        // nearly always there is nothing, and one look is faster than another thread
        if !sweep(leader, self.live.mark(), started) {
            let (started, mark) = (Arc::clone(started), self.live.mark().to_owned());
            let swept = tokio::task::spawn_blocking(move || sweep_all(leader, &mark, &started)).await;
            if !swept.unwrap_or(false) {
                tracing::warn!(invocation = self.mark, "a program left processes behind that could not be ended");
            }
        }
        // nearly always it is empty; what a program filled it with may take long
        if remove_empty(&self.folder) {
            return;
        }
        let folder = self.folder.clone();
        let removed = tokio::task::spawn_blocking(move || remove(&folder)).await;
        if let Err(error) = removed.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
            tracing::warn!(folder = %self.folder.display(), %error, "a private folder could not be taken away");
        }
    }
}

impl Ended {
    /// The same for a program that changes something, as to which a program that did not end itself leaves everybody in
    /// doubt.
    pub(super) fn verdict_of_unsafe(self) -> Result<(), Error> {
        let ended_itself = match (&self.cause, &self.status) {
            _ if self.unstarted.is_some() => true,
            (Some(Cause::GaveUp(_) | Cause::Unread), _) => true,
            (Some(Cause::Late), _) | (None, Err(_)) => false,
            (None, Ok(status)) => status.code().is_some(),
        };
        let verdict = self.verdict();
        if ended_itself { verdict } else { verdict.map_err(in_doubt) }
    }

    /// The same for a program that is kept for several calls, and ended in the midst of one: only one that never started
    /// leaves nobody in doubt.
    pub(super) fn verdict_of_kept(self) -> Result<(), Error> {
        let started = self.unstarted.is_none();
        let verdict = self.verdict();
        if started { verdict.map_err(|error| error.as_kind(ErrorKind::Unknown)) } else { verdict }
    }

    /// Well, or the reason why not.
    pub(super) fn verdict(self) -> Result<(), Error> {
        let Self { unstarted, cause, status, said, longest } = self;
        let also = if said.is_empty() { String::new() } else { format!(": {said}") };
        match (unstarted, &cause) {
            (Some(Unstarted::Unfit(why)), None | Some(Cause::Late | Cause::GaveUp(_))) => {
                return Err(Error::failed(why));
            }
            (Some(why @ Unstarted::Unheld(_)), None | Some(Cause::Late | Cause::GaveUp(_))) => {
                let help = "`status` says which sandboxes this machine has; needs.sandbox of the manifest names one";
                return Err(Error::new(ErrorKind::Denied, why.to_string()).help(help));
            }
            (Some(_), Some(Cause::Unread)) | (None, _) => {}
        }
        match (cause, status) {
            (Some(Cause::GaveUp(message)), _) => Err(Error::failed(if message.is_empty() {
                "the program gave up".to_owned()
            } else {
                message.to_string()
            })),
            (Some(Cause::Late), _) => {
                let seconds = longest.as_secs_f64();
                Err(Error::failed(format!("the program did not end within {seconds} s and was ended{also}")))
            }
            (Some(Cause::Unread), _) => Ok(()),
            (None, Err(error)) => Err(Error::failed(format!("how the program ended is not known: {error}"))),
            (None, Ok(status)) => match (status.code(), status.signal()) {
                (Some(0), _) => Ok(()),
                (Some(code), _) if said.is_empty() => {
                    Err(Error::failed(format!("the program ended with exit code {code} and said nothing")))
                }
                (Some(code), _) => Err(Error::failed(format!("{said} (exit code {code})"))),
                (None, number) => Err(Error::failed(format!("the program {}{also}", fate(number.unwrap_or_default())))),
            },
        }
    }
}

/// The error of a call that was cut short, when nobody can say whether it took effect.
pub(super) fn in_doubt(error: Error) -> Error {
    error.as_kind(ErrorKind::Unknown).help("look whether it took effect before you run it again: nobody here knows")
}

fn fate(signal: i32) -> String {
    match signal {
        9 => "was killed".into(),
        24 => "took more processor time than it may".into(),
        25 => "wrote a larger file than it may".into(),
        6 | 7 | 8 | 11 => format!("crashed with signal {signal}"),
        _ => format!("was ended by signal {signal}"),
    }
}
