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

/// The subcommand's name.
pub(super) const NAME: &str = "__init";

/// Runs the subcommand: `__init FENCE PROGRAM [ARG]…`. Standard input is the socket to the one that started it, by which
/// the program's standard input comes and by which is told how it ended.
pub(super) fn init(args: impl Iterator<Item = OsString>) -> ExitCode {
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(u8::try_from(NOT_STARTED).unwrap_or(1))
        }
    }
}

fn run(mut args: impl Iterator<Item = OsString>) -> Result<(), String> {
    let fence = args.next().and_then(|text| serde_json::from_str::<Fence>(text.to_str()?).ok());
    let (Some(mut fence), Some(program)) = (fence, args.next()) else {
        return Err(format!("{NAME} is for pipit itself"));
    };
    let held = |error: &dyn std::fmt::Display| contain::unheld(error);
    let (outside, stdin) = follow().map_err(|error| held(&error))?;
    // it need not be there any more afterwards
    let nothing = contain::nothing().map_err(|error| held(&error))?;
    layout::furnish(&fence).map_err(|why| held(&why))?;
    fence.read.push("/proc".into());
    fence.write.push(layout::TEMPORARY.into());
    give_away().map_err(|error| held(&error))?;
    let mut command = Command::new(&program);
    command.args(args).stdin(stdin).process_group(0);
    let starting = std::thread::Builder::new().spawn(move || {
        fence.close().map_err(|why| contain::unheld(&why))?;
        contain::ask_to_end().thread_unblock().map_err(|error| contain::unheld(&error))?;
        command.spawn().map(|child| child.id()).map_err(|error| contain::not_started(&program, &error))
    });
    let started = starting.map_err(|error| held(&error))?.join();
    let id = started.map_err(|_| contain::unheld(&"the thread that starts it has ended"))??;
    let program = i32::try_from(id).ok().and_then(Pid::from_raw).ok_or("the program has no number")?;
    contain::hush(&nothing).map_err(|error| held(&error))?;
    let hand_on = move || {
        while contain::ask_to_end().wait().is_ok() {
            let _ = rustix::process::kill_process_group(program, Signal::TERM);
        }
    };
    std::thread::Builder::new().spawn(hand_on).map_err(|error| error.to_string())?;
    let status = take_in_until(program).map_err(|error| error.to_string())?;
    // nobody there means that all of this ends anyway
    let _ = rustix::net::send(outside, &status.to_ne_bytes(), SendFlags::NOSIGNAL);
    Ok(())
}

/// Binds this process's life to that of the one outside; gives the socket to it, and the program's standard input.
fn follow() -> io::Result<(OwnedFd, OwnedFd)> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    let outside = rustix::io::fcntl_dupfd_cloexec(io::stdin(), contain::CONTROL + 1)?;
    // it may have ended before that was asked for, and its number cannot be seen from in here
    let mut watched = [PollFd::new(&outside, PollFlags::HUP)];
    if rustix::event::poll(&mut watched, Some(&Timespec::default()))? > 0
        && watched.iter().any(|watched| watched.revents().contains(PollFlags::HUP))
    {
        return Err(io::Error::other("the shell has ended"));
    }
    let stdin = contain::receive(outside.as_fd())?;
    Ok((outside, stdin))
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
