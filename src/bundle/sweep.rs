//! Ending everything that a run started, also what left its group: the shell is made the reaper of orphans, so a
//! process that lost its parent is the shell's child and can be found and ended.
//!
//! Not stopped here: a hostile program that forks faster than it is swept. That takes a namespace of its own.

use std::collections::BTreeSet;
use std::fs;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions};

/// How long a sweep goes on at most.
const LONGEST: Duration = Duration::from_secs(2);

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
        let ours = all.filter(|pid| marked(*pid).is_some_and(|mark| marks.contains(&mark)) && contained(*pid));
        let found: Vec<Pid> = ours.filter_map(Pid::from_raw).collect();
        quiet = if found.is_empty() { quiet + 1 } else { 0 };
        for pid in found {
            let _ = rustix::process::kill_process(pid, Signal::KILL);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// One look at the children of the shell; whether something of the run is still there.
fn round(group: i32, mark: &str, started: &Started) -> bool {
    let known = started.lock();
    let mut left = false;
    for pid in children() {
        if known.processes.contains(&pid) {
            continue;
        }
        let (Some(process), Some(state)) = (Pid::from_raw(pid), state(pid)) else { continue };
        // every program and all that come from it have given up new privileges for good; nothing else is touched
        if !contained(pid) {
            continue;
        }
        if state.ended {
            // its own children became the shell's when it ended, perhaps after they were listed here: look again
            left |= match rustix::process::waitpid(Some(process), WaitOptions::NOHANG) {
                Ok(Some(_)) => true,
                // its first thread has ended, and others have not yet
                Ok(None) => state.group == group || !known.processes.contains(&state.group),
                Err(_) => false,
            };
            continue;
        }
        let ours = state.group == group
            || match marked(pid) {
                Some(found) if found == mark => true,
                Some(found) if known.marks.contains(&found) => false,
                // it took off its mark or wears one of no run, and no program that runs on has it in its group
                Some(_) | None => !known.processes.contains(&state.group),
            };
        if ours {
            left = true;
            let _ = rustix::process::kill_process(process, Signal::KILL);
        }
    }
    left
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

/// The invocation id in the environment that a process was started with.
fn marked(pid: i32) -> Option<String> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let mark = environment.split(|byte| *byte == 0).find_map(|entry| entry.strip_prefix(b"PIPIT_INVOCATION="))?;
    Some(String::from_utf8_lossy(mark).into_owned())
}
