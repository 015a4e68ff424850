//! Starting programs: the one place of the product that does.
//!
//! A thread of its own starts them all, one after the other: a program's death follows the thread that started it, so
//! it must be one that never ends before the shell. Deliberately absent: what to start and when to end it (`process.rs`, `watch.rs`).

use std::fs::{self, DirBuilder};
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustix::pipe::PipeFlags;
use rustix::process::DumpableBehavior;
use tokio::net::UnixStream;
use tokio::process::{Child, ChildStdin, Command};
use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use super::contain;
use super::control::Hear;
use super::fence::{Reached, reached};
use super::gate::{self, Dial, Endpoint, Gate};
use super::guard::{self, Guard};
use super::hold::Hold;
use super::levels::Levels;
use super::quota::{Group, Groups};
use super::remove::remove;
use super::report::{self, Report};
use super::sweep::{self, Started};
use super::warm::Warm;

/// Programs that may wait to be started.
const WAITING: usize = 64;
/// Private folders that are older than this were left by a shell that died.
const STALE: Duration = Duration::from_hours(24);

/// What is to be started.
pub(super) struct Launch {
    pub(super) program: PathBuf,
    pub(super) args: Vec<String>,
    pub(super) environment: Vec<(String, String)>,
    pub(super) folder: PathBuf,
    /// How much processor time it may take.
    pub(super) seconds: u64,
    /// The most it may keep in memory of its own, in bytes.
    pub(super) memory: u64,
    pub(super) hold: Hold,
    /// Where it may go by the way out of its network, if it has one.
    pub(super) endpoints: Vec<Endpoint>,
    /// Hears where it was not let.
    pub(super) hear: Hear,
    pub(super) input: bool,
}

/// A program that runs, and the shell's end of its control descriptor.
pub(super) struct Running {
    pub(super) child: Child,
    /// When it was asked for.
    pub(super) stdin: Option<ChildStdin>,
    pub(super) control: UnixStream,
    /// Says whether it was never started.
    pub(super) report: Report,
    /// Serves the way out of its network, for as long as this is kept.
    pub(super) way_out: JoinSet<()>,
    /// Its control group, if it has one of its own.
    pub(super) group: Option<Group>,
}

type Job = Box<dyn FnOnce() + Send>;

/// What starts programs and knows which are running. There is one for the whole shell.
pub(crate) struct Runner {
    contain: PathBuf,
    home: PathBuf,
    folders: PathBuf,
    dial: Dial,
    pub(super) levels: Levels,
    groups: OnceLock<Result<Groups, String>>,
    jobs: SyncSender<Job>,
    pub(super) started: Arc<Started>,
    live: watch::Sender<usize>,
    /// Started with the first program; none when that failed.
    guard: OnceLock<Option<Guard>>,
    /// Programs that are kept for their next call.
    kept: Mutex<Vec<Weak<Warm>>>,
}

/// Counts a run for as long as it is there, by its secret mark.
pub(super) struct Live(Arc<Runner>, String);

impl Live {
    /// What all processes of the run carry in their environment.
    pub(super) fn mark(&self) -> &str {
        &self.1
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(guard) = self.0.guard() {
            guard.ended(&self.1);
        }
        self.0.started.lock().marks.remove(&self.1);
        self.0.live.send_modify(|live| *live = live.saturating_sub(1));
    }
}

impl Runner {
    /// Makes the shell the reaper of what its programs leave behind, and gets ready to start some. `contain` is the
    /// binary whose `__contain` holds them: the shell's own. The private folders of runs are made in the shell's home.
    /// `dial` is how those are connected that have no network of the machine's.
    pub(crate) fn new(contain: impl Into<PathBuf>, home: impl Into<PathBuf>, dial: Dial) -> io::Result<Arc<Self>> {
        let home = home.into();
        let folders = home.join("runs");
        DirBuilder::new().recursive(true).mode(0o700).create(&folders)?;
        clear(&folders);
        // what the shell keeps in memory and in its environment is not for programs that run as the same user
        rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
        rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
        let (jobs, waiting): (SyncSender<Job>, Receiver<Job>) = sync_channel(WAITING);
        let serve = move || waiting.into_iter().for_each(|job| job());
        std::thread::Builder::new().name("programs".into()).spawn(serve)?;
        if let Reached::Basic(missing) = reached() {
            tracing::warn!(%missing, "bundles in the sandbox restrict do not run here");
        }
        let live = watch::Sender::new(0);
        Ok(Arc::new(Self {
            contain: contain.into(),
            home,
            folders,
            dial,
            levels: Levels::default(),
            groups: OnceLock::new(),
            jobs,
            started: Arc::default(),
            live,
            guard: OnceLock::new(),
            kept: Mutex::default(),
        }))
    }

    /// Ends what waits for its next call, then as [`Self::rest`]. To be called before the shell ends, when lines have ended.
    pub(crate) async fn settle(&self) {
        for warm in self.kept().drain(..).filter_map(|warm| warm.upgrade()) {
            warm.close();
        }
        self.rest().await;
    }

    /// Waits until no program runs any more and all are cleared away, but no longer than a program has to end after it
    /// was asked to.
    pub(super) async fn rest(&self) {
        const LONGEST: Duration = Duration::from_secs(8);
        let mut live = self.live.subscribe();
        let _ = tokio::time::timeout(LONGEST, live.wait_for(|live| *live == 0)).await;
    }

    /// Programs that have to be ended before the shell ends.
    pub(super) fn keeps(&self, warm: Weak<Warm>) {
        let mut kept = self.kept();
        kept.retain(|warm| warm.strong_count() > 0);
        kept.push(warm);
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Weak<Warm>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a run. An error when the machine gives no chance.
    pub(super) fn live(self: &Arc<Self>) -> io::Result<Live> {
        let mark = sweep::secret()?;
        self.live.send_modify(|live| *live += 1);
        self.started.lock().marks.insert(mark.clone());
        if let Some(guard) = self.guard() {
            guard.begins(&mark);
        }
        Ok(Live(Arc::clone(self), mark))
    }

    fn guard(&self) -> Option<&Guard> {
        let start = || match start_guard(&self.contain, &self.started) {
            Ok(guard) => Some(guard),
            Err(error) => {
                tracing::warn!(%error, "there is no guard; what programs start may outlive a shell that is killed");
                None
            }
        };
        self.guard.get_or_init(start).as_ref()
    }

    /// The shell's own binary.
    pub(super) fn own(&self) -> &Path {
        &self.contain
    }

    /// The shell's home.
    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    /// Where control groups for runs are made, or what is missing. Looked at once.
    pub(super) fn groups(&self) -> Result<&Groups, &str> {
        self.groups.get_or_init(Groups::ready).as_ref().map_err(String::as_str)
    }

    /// Where the private folder of this name is to be.
    pub(super) fn folder(&self, name: &str) -> PathBuf {
        self.folders.join(name)
    }

    /// Starts a program of a run. When nobody waits for it any more it is ended at once.
    pub(super) async fn start(&self, launch: Launch, live: &Live) -> io::Result<Running> {
        let gone = || io::Error::other("the thread that starts programs has ended; restart pipit");
        let (answer, answered) = oneshot::channel();
        let (runtime, started) = (Handle::current(), Arc::clone(&self.started));
        let (contain, dial, mark) = (self.contain.clone(), Arc::clone(&self.dial), live.mark().to_owned());
        let mut job: Job = Box::new(move || {
            let _runtime = runtime.enter();
            let _ = answer.send(start(&contain, launch, &mark, &started, dial));
        });
        // a full queue is rare and short; waiting for it must not hold up other lines
        loop {
            match self.jobs.try_send(job) {
                Ok(()) => break,
                Err(std::sync::mpsc::TrySendError::Full(back)) => job = back,
                Err(std::sync::mpsc::TrySendError::Disconnected(_)) => return Err(gone()),
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        answered.await.map_err(|_| gone())?
    }
}

/// Starts the guard, in a group of its own: a key that stops the shell is not for it.
fn start_guard(contain: &Path, started: &Started) -> io::Result<Guard> {
    let (guard, theirs) = Guard::pair()?;
    let mut command = std::process::Command::new(contain);
    command.arg(guard::NAME).env_clear().current_dir("/").process_group(0);
    command.stdin(OwnedFd::from(theirs)).stdout(Stdio::null()).stderr(Stdio::null());
    // known before anybody sweeps
    let mut known = started.lock();
    let child = command.spawn()?;
    if let Ok(pid) = i32::try_from(child.id()) {
        known.processes.insert(pid);
    }
    Ok(guard)
}

fn start(contain: &Path, launch: Launch, mark: &str, started: &Started, dial: Dial) -> io::Result<Running> {
    let (ours, theirs) = pair()?;
    let (report, reporter) = report::pipe()?;
    contain::send(&ours, reporter.as_fd())?;
    drop(reporter);
    let stdin = if launch.input {
        let (read, write) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
        contain::send(&ours, read.as_fd())?;
        Some(ChildStdin::from_std(std::process::ChildStdin::from(write))?)
    } else {
        contain::send(&ours, fs::File::open("/dev/null")?.as_fd())?;
        None
    };
    let mut way_out = JoinSet::new();
    if launch.hold.has_way_out() {
        let (door, their_door) = pair()?;
        contain::send(&ours, their_door.as_fd())?;
        way_out.spawn(gate::serve(stream(door)?, Gate { endpoints: launch.endpoints, dial, hear: launch.hear }));
    }
    let group = match &launch.hold {
        Hold::Quota(_, folder) => Some(Group::make(folder)?),
        Hold::Basic | Hold::Restrict(_) | Hold::Isolate(_) => None,
    };
    let hold = serde_json::to_string(&launch.hold)?;
    DirBuilder::new().mode(0o700).create(&launch.folder)?;
    let mut command = Command::new(contain);
    command
        .args([contain::NAME, &std::process::id().to_string()])
        .args([launch.seconds, launch.memory].map(|most| most.to_string()))
        .arg(hold)
        .arg(&launch.program)
        .args(&launch.args)
        .env_clear()
        .envs(launch.environment.iter().map(|(name, value)| (name, value)))
        .env(sweep::MARK, mark)
        .current_dir(&launch.folder)
        .stdin(theirs)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut known = started.lock();
    let child = command.spawn()?;
    if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) {
        known.processes.insert(pid);
    }
    drop(known);
    Ok(Running { child, stdin, control: stream(ours)?, report, way_out, group })
}

fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?)
}

fn stream(end: OwnedFd) -> io::Result<UnixStream> {
    let end = std::os::unix::net::UnixStream::from(end);
    end.set_nonblocking(true)?;
    UnixStream::from_std(end)
}

/// Takes away what a shell that died has left.
fn clear(folders: &Path) {
    let Ok(entries) = fs::read_dir(folders) else { return };
    for entry in entries.flatten() {
        // not the time that a program may set
        let changed = entry.metadata().ok().and_then(|about| u64::try_from(about.ctime()).ok());
        let age = changed.and_then(|seconds| (SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).elapsed().ok());
        if age.is_some_and(|age| age > STALE)
            && let Err(error) = remove(&entry.path())
        {
            tracing::warn!(folder = %entry.path().display(), %error, "a private folder could not be taken away");
        }
    }
}
