//! The sandbox `isolate` from outside: `__contain` leaves the machine's namespaces for new ones, starts the first
//! process in there (`init.rs`), waits for it and ends as the program ended.
//!
//! It takes three processes, since who makes a namespace for processes is not in it, and who is the first in it cannot be
//! ended by most signals, which a program must be. Each dies with the one before, and the namespace with its first.
//!
//! Deliberately absent: mounts (`layout.rs`), which take a process inside.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitCode, ExitStatus};

use nix::sched::CloneFlags;
use nix::sys::signal::SigSet;
use rustix::process::{Resource, Rlimit, Signal};
use rustix::thread::{CapabilitySet, CapabilitySets};

use super::contain::{self, send};
use super::fence::Fence;
use super::report::Reporter;
use super::{init, loopback};

/// The most processes and threads it may have at once. The kernel holds no user with the number 0 to it.
const PROCESSES: u64 = 512;
/// What was asked for at once.
const OWN: CloneFlags = CloneFlags::CLONE_NEWUSER
    .union(CloneFlags::CLONE_NEWNS)
    .union(CloneFlags::CLONE_NEWPID)
    .union(CloneFlags::CLONE_NEWNET)
    .union(CloneFlags::CLONE_NEWIPC)
    .union(CloneFlags::CLONE_NEWUTS);

/// A program that runs in there.
pub(super) struct Inside {
    first: Child,
    /// By this the first process tells how the program ended.
    told: UnixStream,
    nothing: OwnedFd,
}

/// Starts a program in there; the first process tells by `reporter` when that cannot be. `door` is where the listener goes
/// that leads out of its network. An error says what this machine lacks.
pub(super) fn start(
    fence: &Fence,
    door: Option<OwnedFd>,
    reporter: &Reporter,
    program: &OsStr,
    args: impl Iterator<Item = OsString>,
) -> Result<Inside, String> {
    // whoever ends the group means the program, and the first process hands that on
    contain::ask_to_end().thread_block().map_err(|error| format!("signals cannot be held back: {error}"))?;
    leave()?;
    if let Some(door) = door {
        let listener = loopback::listen().map_err(|error| format!("its own network cannot be used: {error}"))?;
        send(&door, listener.as_fd()).map_err(|error| format!("the way out of its network cannot be had: {error}"))?;
    }
    let fence = serde_json::to_string(fence).map_err(|error| error.to_string())?;
    // the first process takes the machine's files away from this one too
    let nothing = contain::nothing().map_err(|error| format!("/dev/null: {error}"))?;
    let started = || -> io::Result<_> {
        let (ours, theirs) = UnixStream::pair()?;
        let ours = OwnedFd::from(ours);
        send(&ours, reporter.as_fd())?;
        send(&ours, io::stdin().as_fd())?;
        let mut first = Command::new("/proc/self/exe");
        first.arg0("pipit").arg(init::NAME).arg(fence).arg(program).args(args).stdin(OwnedFd::from(theirs));
        Ok((first.spawn()?, ours.into()))
    };
    let (first, told) = started().map_err(|error| format!("the first process inside cannot start: {error}"))?;
    Ok(Inside { first, told, nothing })
}

impl Inside {
    /// Waits for its end; how it ended.
    pub(super) fn end(self) -> io::Result<ExitCode> {
        let Self { mut first, mut told, nothing } = self;
        contain::hush(&nothing)?;
        let status = first.wait()?;
        let mut said = [0; 4];
        let heard = told.read_exact(&mut said).is_ok();
        Ok(end_like(if heard { ExitStatus::from_raw(i32::from_ne_bytes(said)) } else { status }))
    }
}

/// Ends as somebody else did.
fn end_like(status: ExitStatus) -> ExitCode {
    if let Some(signal) = status.signal().and_then(Signal::from_named_raw) {
        let _ = SigSet::all().thread_unblock();
        let _ = rustix::process::kill_process(rustix::process::getpid(), signal);
    }
    let code = status.code().or(status.signal().map(|signal| signal | 0x80)).unwrap_or(contain::NOT_STARTED);
    ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
}

/// Makes the namespaces and keeps in them what the first process needs to furnish them.
fn leave() -> Result<(), String> {
    let (user, group) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    if user == 0 {
        // other groups of the administrator reach more than he needs here
        let _ = nix::unistd::setgroups(&[]);
    }
    nix::sched::unshare(OWN)
        .map_err(|error| format!("namespaces of its own, which this user may not make ({error}): {}", permitted()))?;
    let write = |file: &str, text: String| {
        let why = |error| format!("/proc/self/{file} cannot be written: {error}");
        std::fs::write(format!("/proc/self/{file}"), text).map_err(why)
    };
    write("setgroups", "deny".into())?;
    write("uid_map", format!("{user} {user} 1"))?;
    write("gid_map", format!("{group} {group} 1"))?;
    let most = Some(PROCESSES);
    rustix::process::setrlimit(Resource::Nproc, Rlimit { current: most, maximum: most })
        .map_err(|error| format!("processes cannot be limited: {error}"))?;
    keep(CapabilitySet::SYS_ADMIN | CapabilitySet::NET_ADMIN)
        .map_err(|error| format!("its namespaces cannot be furnished ({error}): {}", permitted()))
}

/// Keeps these rights in the new namespaces, also over the start of another program, and no others.
fn keep(rights: CapabilitySet) -> io::Result<()> {
    let sets = CapabilitySets { effective: rights, permitted: rights, inheritable: rights };
    rustix::thread::set_capabilities(None, sets)?;
    Ok(rights.iter().try_for_each(|right| rustix::thread::configure_capability_in_ambient_set(right, true))?)
}

/// What allows it, by what forbids it here.
fn permitted() -> &'static str {
    let says = |file: &str, value: &str| std::fs::read_to_string(file).is_ok_and(|text| text.trim() == value);
    if says("/proc/sys/user/max_user_namespaces", "0") {
        "set user.max_user_namespaces above 0"
    } else if says("/proc/sys/kernel/unprivileged_userns_clone", "0") {
        "set kernel.unprivileged_userns_clone to 1"
    } else if says("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1") {
        "give pipit a profile of AppArmor that holds userns, or set kernel.apparmor_restrict_unprivileged_userns to 0"
    } else {
        "a container has to allow unshare and mount to what runs in it"
    }
}
