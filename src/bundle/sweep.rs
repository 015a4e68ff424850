//! Ending everything that a run started, also what left its group: the shell is made the reaper of orphans, so a
//! process that lost its parent is the shell's child and can be found and ended.
//!
//! Not stopped here: a hostile program that forks faster than it is swept. That takes a namespace of its own.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, pidfd_open, pidfd_send_signal};

/// How long a sweep goes on at most.
const LONGEST: Duration = Duration::from_secs(2);
/// The variable by which the processes of a run are known. Its value is a secret of the run, so that no program can wear
/// the mark of another run that goes on.
pub(super) const MARK: &str = "PIPIT_RUN";
/// How much of a process's environment is looked at, in bytes. The shell gives the mark in front; a process says itself
/// where its environment lies, and may name all of its memory.
const ENVIRONMENT: u64 = 256 << 10;

/// The runs that go on.
#[derive(Default)]
pub(super) struct Known {
    /// The processes that the shell started itself and has not yet waited for.
    pub(super) processes: BTreeSet<i32>,
    /// The marks of the runs.
    pub(super) marks: BTreeSet<String>,
}

/// What must not be swept.
#[derive(Default)]
pub(super) struct Started(Mutex<Known>);

impl Started {
    /// Nobody sweeps while this is held, so a process may be started and put in.
    pub(super) fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends a signal to a program's group, and to the program itself as long as it has no group yet.
pub(super) fn signal(leader: Pid, signal: Signal) {
    let _ = rustix::process::kill_process_group(leader, signal);
    let _ = rustix::process::kill_process(leader, signal);
}

/// Ends what is left of a run whose program has ended: its group, then every orphan that carries its mark, or none
/// that belongs to a run that goes on. One look, which takes less than a millisecond; says whether nothing was left.
pub(super) fn sweep(group: i32, mark: &str, started: &Started) -> bool {
    if let Some(group) = Pid::from_raw(group) {
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
    }
    !round(group, mark, started)
}

/// The same until nothing is left. Blocks, at most [`LONGEST`].
pub(super) fn sweep_all(group: i32, mark: &str, started: &Started) -> bool {
    let end = Instant::now() + LONGEST;
    let mut pause = Duration::from_micros(200);
    while !sweep(group, mark, started) {
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
    true
}

/// Ends every process that carries one of these marks, wherever it hangs. Blocks, at most [`LONGEST`].
pub(super) fn end_marked(marks: &BTreeSet<String>) {
    let end = Instant::now() + LONGEST;
    // one more look after the last was found: it may just have started another
    let mut quiet = 0;
    while quiet < 2 && Instant::now() < end {
        let Ok(entries) = fs::read_dir("/proc") else { return };
        let all = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let all = all.filter_map(|pid| Some((pid, open(pid)?)));
        let ours = all.filter(|(pid, _)| marked(*pid).is_some_and(|mark| marks.contains(&mark)) && contained(*pid));
        let found: Vec<OwnedFd> = ours.map(|(_, process)| process).collect();
        quiet = if found.is_empty() { quiet + 1 } else { 0 };
        for process in found {
            let _ = pidfd_send_signal(process, Signal::KILL);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// One look at the children of the shell; whether something of the run is still there.
fn round(group: i32, mark: &str, started: &Started) -> bool {
    // looked at before it is known which go on: a process bounds how long that takes only in part, and programs that
    // start meanwhile are not among these
    let seen: Vec<Seen> = children().into_iter().filter_map(Seen::look).collect();
    let known = started.lock();
    let mut left = false;
    for Seen { pid, handle, state, mark: worn } in seen {
        if known.processes.contains(&pid.as_raw_nonzero().get()) {
            continue;
        }
        if state.ended {
            // its own children became the shell's when it ended, perhaps after they were listed here: look again
            left |= match rustix::process::waitpid(Some(pid), WaitOptions::NOHANG) {
                Ok(Some(_)) => true,
                // its first thread has ended, and others have not yet
                Ok(None) => state.group == group || !known.processes.contains(&state.group),
                Err(_) => false,
            };
            continue;
        }
        let ours = state.group == group
            || match worn {
                Some(found) if found == mark => true,
                Some(found) if known.marks.contains(&found) => false,
                // it took off its mark or wears one of no run, and no program that runs on has it in its group
                Some(_) | None => !known.processes.contains(&state.group),
            };
        if ours {
            left = true;
            let _ = pidfd_send_signal(handle, Signal::KILL);
        }
    }
    left
}

/// A child of the shell, as it was when it was looked at.
struct Seen {
    pid: Pid,
    /// Stays with it when its number is another's.
    handle: OwnedFd,
    state: State,
    mark: Option<String>,
}

impl Seen {
    /// None for what no run has started.
    fn look(pid: i32) -> Option<Self> {
        let handle = open(pid)?;
        let state = state(pid)?;
        // every program and all that come from it have given up new privileges for good; nothing else is touched
        if !contained(pid) {
            return None;
        }
        let mark = if state.ended { None } else { marked(pid) };
        Some(Self { pid: Pid::from_raw(pid)?, handle, state, mark })
    }
}

fn open(pid: i32) -> Option<OwnedFd> {
    pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok()
}

struct State {
    ended: bool,
    group: i32,
}

/// From `/proc/PID/stat`, whose second field may hold anything.
fn state(pid: i32) -> Option<State> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let ended = matches!(fields.next()?, "Z" | "X");
    let group = fields.nth(1)?.parse().ok()?;
    Some(State { ended, group })
}

fn children() -> Vec<i32> {
    let mut all = Vec::new();
    let Ok(tasks) = fs::read_dir("/proc/self/task") else { return all };
    for task in tasks.flatten() {
        if let Ok(children) = fs::read_to_string(task.path().join("children")) {
            all.extend(children.split_ascii_whitespace().filter_map(|pid| pid.parse::<i32>().ok()));
        }
    }
    all
}

fn contained(pid: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.lines().any(|line| line.strip_prefix("NoNewPrivs:").is_some_and(|value| value.trim() == "1"))
}

/// The mark in the environment that a process was started with.
fn marked(pid: i32) -> Option<String> {
    let mut environment = Vec::new();
    let file = fs::File::open(format!("/proc/{pid}/environ")).ok()?;
    file.take(ENVIRONMENT).read_to_end(&mut environment).ok()?;
    let name = |entry: &'_ [u8]| entry.strip_prefix(MARK.as_bytes())?.strip_prefix(b"=").map(<[u8]>::to_vec);
    let mark = environment.split(|byte| *byte == 0).find_map(name)?;
    Some(String::from_utf8_lossy(&mark).into_owned())
}

/// A mark for a run, which nobody guesses.
pub(super) fn secret() -> std::io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}
