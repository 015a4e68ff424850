//! `pipit __init`: the first process in a namespace for processes. It furnishes the others (`layout.rs`), gives its rights
//! away, starts the program, takes in whatever ends and goes when the program has ended: then the kernel ends all that is
//! left inside, whatever it did to hide.
//!
//! The fence is put around the one thread that starts the program, so this process can still wait and be told.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::net::SendFlags;
use rustix::process::{DumpableBehavior, Pid, Signal, WaitOptions};
use rustix::thread::{CapabilitySet, CapabilitySets};

use super::contain::{self, NOT_STARTED};
use super::fence::Fence;
use super::layout;
use super::report::{Reporter, Unstarted};

/// The subcommand's name.
pub(super) const NAME: &str = "__init";

/// Runs the subcommand: `__init FENCE PROGRAM [ARG]…`. Standard input is the socket to the one that started it, by which
/// the program's standard input comes and by which is told how it ended.
pub(super) fn init(args: impl Iterator<Item = OsString>) -> ExitCode {
    match run(args) {
        Ok(Some(())) => ExitCode::SUCCESS,
        Ok(None) => ExitCode::from(u8::try_from(NOT_STARTED).unwrap_or(1)),
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(u8::try_from(NOT_STARTED).unwrap_or(1))
        }
    }
}

/// To the end of the program; nothing when it was never started, which the shell has been told.
fn run(mut args: impl Iterator<Item = OsString>) -> Result<Option<()>, String> {
    let fence = args.next().and_then(|text| serde_json::from_str::<Fence>(text.to_str()?).ok());
    let (Some(fence), Some(program)) = (fence, args.next()) else {
        return Err(format!("{NAME} is for pipit itself"));
    };
    let (outside, reporter, stdin) = follow().map_err(|error| error.to_string())?;
    let mut command = Command::new(&program);
    command.args(args).stdin(stdin).process_group(0);
    let (nothing, program) = match start(fence, command) {
        Ok(started) => started,
        Err(why) => {
            reporter.tell(&why);
            return Ok(None);
        }
    };
    drop(reporter);
    contain::hush(&nothing).map_err(|error| error.to_string())?;
    let hand_on = move || {
        while contain::ask_to_end().wait().is_ok() {
            let _ = rustix::process::kill_process_group(program, Signal::TERM);
        }
    };
    std::thread::Builder::new().spawn(hand_on).map_err(|error| error.to_string())?;
    let status = take_in_until(program).map_err(|error| error.to_string())?;
    // nobody there means that all of this ends anyway
    let _ = rustix::net::send(outside, &status.to_ne_bytes(), SendFlags::NOSIGNAL);
    Ok(Some(()))
}

/// Furnishes the namespaces and starts the program in them; what takes everything and gives nothing, which need not be
/// there any more, and the program's number.
fn start(mut fence: Fence, mut command: Command) -> Result<(OwnedFd, Pid), Unstarted> {
    let unheld = |error: &dyn std::fmt::Display| Unstarted::unheld(error);
    let nothing = contain::nothing().map_err(|error| unheld(&error))?;
    layout::furnish(&fence).map_err(|why| unheld(&why))?;
    // what of it was not put in there is out of reach
    fence.home = None;
    fence.read.push("/proc".into());
    fence.write.push(layout::TEMPORARY.into());
    give_away().map_err(|error| unheld(&error))?;
    let starting = std::thread::Builder::new().spawn(move || {
        fence.close().map_err(Unstarted::unheld)?;
        contain::ask_to_end().thread_unblock().map_err(Unstarted::unheld)?;
        let started = command.spawn().map(|child| child.id());
        started.map_err(|error| Unstarted::unfit(command.get_program(), &error))
    });
    let started = starting.map_err(|error| unheld(&error))?.join();
    let id = started.map_err(|_| unheld(&"the thread that starts it has ended"))??;
    let program = i32::try_from(id).ok().and_then(Pid::from_raw).ok_or_else(|| unheld(&"it has no number"))?;
    Ok((nothing, program))
}

/// Binds this process's life to that of the one outside; gives the socket to it, the end by which is told that the
/// program was not started, and the program's standard input.
fn follow() -> io::Result<(OwnedFd, Reporter, OwnedFd)> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    let outside = rustix::io::fcntl_dupfd_cloexec(io::stdin(), contain::CONTROL + 1)?;
    // it may have ended before that was asked for, and its number cannot be seen from in here
    let mut watched = [PollFd::new(&outside, PollFlags::HUP)];
    if rustix::event::poll(&mut watched, Some(&Timespec::default()))? > 0
        && watched.iter().any(|watched| watched.revents().contains(PollFlags::HUP))
    {
        return Err(io::Error::other("the shell has ended"));
    }
    let reporter = contain::receive(outside.as_fd())?.into();
    let stdin = contain::receive(outside.as_fd())?;
    Ok((outside, reporter, stdin))
}

/// Gives away all rights in the namespaces, and lets nobody look into this process.
fn give_away() -> io::Result<()> {
    rustix::thread::clear_ambient_capability_set()?;
    let none = CapabilitySet::empty();
    rustix::thread::set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?;
    Ok(rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

/// Waits for all that end, as nobody else does, until the program has; its status as the kernel writes it.
fn take_in_until(program: Pid) -> io::Result<i32> {
    loop {
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(Some((ended, status))) if ended == program => return Ok(status.as_raw()),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
