//! `pipit __contain`: between the shell and a program stands this, a single thread that takes things away from itself
//! and then becomes the program: a session of its own, no descriptors but its four, limits, no new privileges, a death
//! that follows the shell's and, when it is asked for, a fence or namespaces of its own (`isolate.rs`).
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
use std::process::ExitCode;

use nix::sys::signal::SigSet;
use rustix::fs::{Mode, OFlags};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
};
use rustix::process::{Resource, Rlimit, Signal};

use super::hold::Hold;
use super::report::{Reporter, Unstarted};
use super::{guard, init, isolate, quota, sweep};

/// The subcommand's name.
pub(super) const NAME: &str = "__contain";

/// The largest file it may write, in bytes.
const FILE: u64 = 256 << 20;
/// The most descriptors it may open.
const DESCRIPTORS: u64 = 1024;
/// The exit code where the program was never started; its own when it likes.
pub(super) const NOT_STARTED: i32 = 126;

/// The number of a program's control descriptor; one digit, since shells know no others.
pub(super) const CONTROL: i32 = 3;

/// Runs the subcommand, or that of the guard or of the first process of a namespace, if the arguments are its own:
/// `__contain PARENT CPU-SECONDS MEMORY HOLD PROGRAM [ARG]…`. Must be called first of all in `main`, before any thread
/// exists.
pub(crate) fn contain() -> Option<ExitCode> {
    let mut args = std::env::args_os().skip(1);
    let name = args.next()?;
    if name == guard::NAME {
        return Some(guard::guard());
    }
    if name == init::NAME {
        return Some(init::init(args));
    }
    if name != NAME {
        return None;
    }
    let code = |code: i32| ExitCode::from(u8::try_from(code).unwrap_or(1));
    Some(match begin(args) {
        Ok(begun) => begun.become_program().unwrap_or(code(NOT_STARTED)),
        Err(why) => {
            eprintln!("{why}");
            code(NOT_STARTED)
        }
    })
}

/// What it was given.
struct Begun<A> {
    seconds: u64,
    memory: u64,
    hold: Hold,
    program: OsString,
    args: A,
    reporter: Reporter,
    /// The socket for the way out of its network, if one is to come.
    door: Option<OwnedFd>,
}

/// Takes what was given. Nobody hears by the shell's pipe yet what goes wrong here, so what does is not known to the shell
/// as a program that was never started.
fn begin<A: Iterator<Item = OsString>>(mut args: A) -> Result<Begun<A>, String> {
    let mut number = || args.next()?.to_str()?.parse::<u64>().ok();
    let (Some(parent), Some(seconds), Some(memory)) = (number(), number(), number()) else {
        return Err(format!("{NAME} is for pipit itself"));
    };
    let hold = args.next().and_then(|text| serde_json::from_str::<Hold>(text.to_str()?).ok());
    let hold = hold.ok_or_else(|| format!("{NAME} takes how the program is held"))?;
    let program = args.next().ok_or_else(|| format!("{NAME} takes a program"))?;
    let (reporter, door) = follow(parent, hold.has_way_out()).map_err(|error| error.to_string())?;
    Ok(Begun { seconds, memory, hold, program, args, reporter, door })
}

impl<A: Iterator<Item = OsString>> Begun<A> {
    /// Comes back as the program ended when that has a process of its own; with nothing when it was never started, which
    /// the shell has been told.
    fn become_program(self) -> Option<ExitCode> {
        let Self { seconds, memory, hold, program, args, reporter, door } = self;
        let unheld = |why: &dyn std::fmt::Display| Unstarted::unheld(why);
        let held = limit_all(seconds, memory).map_err(|error| unheld(&error)).and_then(|()| {
            match &hold {
                Hold::Basic | Hold::Isolate(_) => Ok(()),
                Hold::Restrict(fence) => fence.close(),
                Hold::Quota(_, group) => quota::join(group),
            }
            .map_err(|why| unheld(&why))
        });
        let ended = held.and_then(|()| match hold {
            Hold::Basic | Hold::Restrict(_) => match execute(&program, args) {
                Ok(never) => match never {},
                Err(error) => Err(Unstarted::unfit(&program, &error)),
            },
            Hold::Isolate(fence) | Hold::Quota(fence, _) => {
                isolate::start(&fence, door, &reporter, &program, args).map_err(|why| unheld(&why))
            }
        });
        match ended {
            Ok(inside) => {
                // from here on it is told inside
                drop(reporter);
                Some(inside.end().unwrap_or_else(|why| {
                    eprintln!("its end cannot be waited for: {why}");
                    ExitCode::FAILURE
                }))
            }
            Err(why) => {
                reporter.tell(&why);
                None
            }
        }
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
    let mut environment: Vec<CString> = pairs.collect::<io::Result<_>>()?;
    // in front, where it is looked for
    environment.sort_by_key(|entry| !entry.as_bytes().starts_with(sweep::MARK.as_bytes()));
    Ok(nix::unistd::execve(&program, &words, &environment)?)
}

/// Binds its life to the shell's and takes its descriptors.
fn follow(parent: u64, door: bool) -> io::Result<(Reporter, Option<OwnedFd>)> {
    rustix::process::setsid()?;
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // the shell may have died before that was asked for
    let now = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get());
    if now.and_then(|pid| u64::try_from(pid).ok()) != Some(parent) {
        return Err(io::Error::other("the shell has ended"));
    }
    close_others()?;
    place(door)
}

/// Limits that all programs have.
fn limit_all(seconds: u64, memory: u64) -> io::Result<()> {
    rustix::process::umask(Mode::from_raw_mode(0o077));
    limit(Resource::Core, 0, 0)?;
    // the signal of the lower one says why it comes; whoever does not heed it is killed at the higher one
    limit(Resource::Cpu, seconds, seconds.saturating_add(2))?;
    limit(Resource::Fsize, FILE, FILE)?;
    limit(Resource::Nofile, DESCRIPTORS, DESCRIPTORS)?;
    // address space is not bounded: some language runtimes reserve far more than they use
    limit(Resource::Data, memory, memory)?;
    Ok(rustix::thread::set_no_new_privs(true)?)
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

/// Puts the control descriptor and standard input in their places; gives the rest. Nothing above 2 is open before.
fn place(door: bool) -> io::Result<(Reporter, Option<OwnedFd>)> {
    let control = rustix::io::dup(io::stdin())?.into_raw_fd();
    if control != CONTROL {
        return Err(io::Error::other(format!("descriptor {CONTROL} is not free")));
    }
    let reporter = receive(io::stdin().as_fd())?.into();
    let stdin = receive(io::stdin().as_fd())?;
    let door = door.then(|| receive(io::stdin().as_fd())).transpose()?;
    rustix::stdio::dup2_stdin(stdin)?;
    Ok((reporter, door))
}

/// What takes everything and gives nothing.
pub(super) fn nothing() -> io::Result<OwnedFd> {
    Ok(rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?)
}

/// Lets go of the program's descriptors: who only waits for it must not keep them open.
pub(super) fn hush(nothing: &OwnedFd) -> io::Result<()> {
    rustix::stdio::dup2_stdin(nothing)?;
    rustix::stdio::dup2_stdout(nothing)?;
    rustix::stdio::dup2_stderr(nothing)?;
    Ok(nix::unistd::close(CONTROL)?)
}

/// The signal by which a program is asked to end.
pub(super) fn ask_to_end() -> SigSet {
    SigSet::from_iter([nix::sys::signal::Signal::SIGTERM])
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

/// Receives the one that [`send`] sent.
pub(super) fn receive(socket: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    rustix::net::recvmsg(socket, &mut [IoSliceMut::new(&mut byte)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let received = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    received.ok_or_else(|| io::Error::other("a descriptor did not come"))
}
