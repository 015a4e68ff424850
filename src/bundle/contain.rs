//! `pipit __contain`: between the shell and a program stands this, a single thread that takes things away from itself
//! and then becomes the program: a session of its own, no descriptors but its four, limits, no new privileges, a death
//! that follows the shell's and, when it is asked for, a fence.
//!
//! The control descriptor comes as standard input, and the program's standard input through it, so that no descriptor
//! of one program is ever inherited by another that is started at the same time.
//!
//! Deliberately absent: anything asynchronous, reading the environment, the network.

use std::convert::Infallible;
use std::ffi::{CString, OsStr, OsString};
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, IntoRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::ExitCode;

use rustix::fs::Mode;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
};
use rustix::process::{Resource, Rlimit, Signal};

use super::fence::Fence;
use super::guard;

/// The subcommand's name.
pub(super) const NAME: &str = "__contain";

/// The largest file it may write, in bytes.
const FILE: u64 = 256 << 20;
/// The most descriptors it may open.
const DESCRIPTORS: u64 = 1024;
/// The exit code that says the program was never started; the reason is on standard error.
pub(super) const NOT_STARTED: i32 = 126;

/// The number of a program's control descriptor; one digit, since shells know no others.
pub(super) const CONTROL: i32 = 3;

/// Runs the subcommand, or that of the guard, if the arguments are its own: `__contain PARENT CPU-SECONDS MEMORY FENCE
/// PROGRAM [ARG]…`. Must be called first of all in `main`, before any thread exists.
pub(crate) fn contain() -> Option<ExitCode> {
    let mut args = std::env::args_os().skip(1);
    let name = args.next()?;
    if name == guard::NAME {
        return Some(guard::guard());
    }
    if name != NAME {
        return None;
    }
    let why = become_program(args);
    eprintln!("{why}");
    Some(ExitCode::from(u8::try_from(NOT_STARTED).unwrap_or(1)))
}

/// Comes back only with the reason why it could not.
fn become_program(mut args: impl Iterator<Item = OsString>) -> String {
    let mut number = || args.next()?.to_str()?.parse::<u64>().ok();
    let (Some(parent), Some(seconds), Some(memory)) = (number(), number(), number()) else {
        return format!("{NAME} is for pipit itself");
    };
    let fence = args.next().and_then(|text| serde_json::from_str::<Option<Fence>>(text.to_str()?).ok());
    let Some(fence) = fence else { return format!("{NAME} takes a fence") };
    let Some(program) = args.next() else { return format!("{NAME} takes a program") };
    let limited = limit_all(parent, seconds, memory).map_err(|error| error.to_string());
    if let Err(error) = limited.and_then(|()| fence.map_or(Ok(()), |fence| fence.close())) {
        return format!("the program cannot be contained: {error}");
    }
    let error = match execute(&program, args) {
        Ok(never) => match never {},
        Err(error) => error,
    };
    let name = Path::new(&program).file_name().unwrap_or(&program).display();
    match error.kind() {
        io::ErrorKind::NotFound => {
            format!("{name} cannot be started: it, or the interpreter of its first line, is not there")
        }
        io::ErrorKind::PermissionDenied => format!("{name} cannot be started: it may not be executed"),
        io::ErrorKind::ArgumentListTooLong => format!("{name} cannot be started: its arguments are too long"),
        _ if error.raw_os_error() == Some(nix::errno::Errno::ENOEXEC as i32) => {
            format!("{name} cannot be started: it is no program; a script begins with #! and its interpreter")
        }
        _ => format!("{name} cannot be started: {error}"),
    }
}

/// Not through the standard library, which would hand a file that is no program to a shell.
fn execute(program: &OsStr, args: impl Iterator<Item = OsString>) -> io::Result<Infallible> {
    let text = |text: &OsStr| CString::new(text.as_bytes()).map_err(io::Error::from);
    let program = text(program)?;
    let rest = args.map(|arg| text(&arg));
    let words: Vec<CString> = std::iter::once(Ok(program.clone())).chain(rest).collect::<io::Result<_>>()?;
    let pairs = std::env::vars_os().map(|(mut name, value)| {
        name.push("=");
        name.push(value);
        text(&name)
    });
    let environment: Vec<CString> = pairs.collect::<io::Result<_>>()?;
    Ok(nix::unistd::execve(&program, &words, &environment)?)
}

fn limit_all(parent: u64, seconds: u64, memory: u64) -> io::Result<()> {
    rustix::process::setsid()?;
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // the shell may have died before that was asked for
    let now = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get());
    if now.and_then(|pid| u64::try_from(pid).ok()) != Some(parent) {
        return Err(io::Error::other("the shell has ended"));
    }
    close_others()?;
    place()?;
    rustix::process::umask(Mode::from_raw_mode(0o077));
    limit(Resource::Core, 0, 0)?;
    // the signal of the lower one says why it comes; whoever does not heed it is killed at the higher one
    limit(Resource::Cpu, seconds, seconds.saturating_add(2))?;
    limit(Resource::Fsize, FILE, FILE)?;
    limit(Resource::Nofile, DESCRIPTORS, DESCRIPTORS)?;
    // address space is not bounded: some language runtimes reserve far more than they use
    limit(Resource::Data, memory, memory)?;
    rustix::thread::set_no_new_privs(true)?;
    Ok(())
}

/// Never raises what is lower already.
fn limit(resource: Resource, current: u64, maximum: u64) -> io::Result<()> {
    let hard = rustix::process::getrlimit(resource).maximum;
    let lower = |most: u64| Some(hard.map_or(most, |hard| hard.min(most)));
    Ok(rustix::process::setrlimit(resource, Rlimit { current: lower(current), maximum: lower(maximum) })?)
}

fn close_others() -> io::Result<()> {
    let open = |entry: io::Result<std::fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse::<i32>().ok();
    // collected first: the listing holds a descriptor itself, which is closed by then
    let open: Vec<i32> = std::fs::read_dir("/proc/self/fd")?.filter_map(open).collect();
    for descriptor in open.into_iter().filter(|open| *open > 2) {
        let _ = nix::unistd::close(descriptor);
    }
    Ok(())
}

/// Puts the control descriptor and standard input in their places. Nothing above 2 is open before.
fn place() -> io::Result<()> {
    let control = rustix::io::dup(io::stdin())?.into_raw_fd();
    if control != CONTROL {
        return Err(io::Error::other(format!("descriptor {CONTROL} is not free")));
    }
    rustix::stdio::dup2_stdin(receive(io::stdin().as_fd())?)?;
    Ok(())
}

/// Sends a descriptor to the other end of a socket.
pub(super) fn send(socket: &OwnedFd, descriptor: BorrowedFd<'_>) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = [descriptor];
    if !control.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(io::Error::other("a descriptor does not fit its message"));
    }
    rustix::net::sendmsg(socket, &[IoSlice::new(b"0")], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

fn receive(socket: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    rustix::net::recvmsg(socket, &mut [IoSliceMut::new(&mut byte)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let received = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    received.ok_or_else(|| io::Error::other("standard input did not come"))
}
