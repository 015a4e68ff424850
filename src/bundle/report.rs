//! How the shell hears that a program was never started: by a pipe that goes along with its descriptors as far as its start,
//! where the kernel closes it. The program never has it, so it cannot claim that it did not run.
//!
//! Deliberately absent: how a program ended that was started (`watch.rs`).

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::pipe::PipeFlags;
use serde::{Deserialize, Serialize};

/// The most that is read of a report, in bytes; what a pipe takes at once.
const LONGEST: u64 = 4096;

/// How it is said that this machine lacks what holds a program.
pub(super) const UNHELD: &str = "the program cannot be contained: ";

/// Why a program was never started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Unstarted {
    /// It cannot be held as it should be; what is missing.
    Unheld(String),
    /// It could be held; what is wrong with it, in a sentence.
    Unfit(String),
}

impl Unstarted {
    /// That the program cannot be held.
    pub(super) fn unheld(why: impl fmt::Display) -> Self {
        Self::Unheld(why.to_string())
    }

    /// That the kernel would not start it.
    pub(super) fn unfit(program: &OsStr, error: &io::Error) -> Self {
        let name = Path::new(program).file_name().unwrap_or(program).display();
        let why = match error.kind() {
            io::ErrorKind::NotFound => "it, or the interpreter of its first line, is not there".to_owned(),
            io::ErrorKind::PermissionDenied => "it may not be executed".to_owned(),
            io::ErrorKind::ArgumentListTooLong => "its arguments are too long".to_owned(),
            _ if error.raw_os_error() == Some(nix::errno::Errno::ENOEXEC as i32) => {
                "it is no program; a script begins with #! and its interpreter".to_owned()
            }
            _ => error.to_string(),
        };
        Self::Unfit(format!("{name} cannot be started: {why}"))
    }
}

impl fmt::Display for Unstarted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unheld(why) => write!(f, "{UNHELD}{why}"),
            Self::Unfit(why) => f.write_str(why),
        }
    }
}

/// The shell's end.
#[derive(Debug)]
pub(super) struct Report(File);

/// The end that goes along.
pub(super) struct Reporter(File);

/// Both ends. None waits for the other, and neither is inherited.
pub(super) fn pipe() -> io::Result<(Report, Reporter)> {
    let (read, write) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
    Ok((Report(read.into()), Reporter(write.into())))
}

impl Report {
    /// What was told. To be asked when the process has ended that would tell.
    pub(super) fn told(self) -> Option<Unstarted> {
        let mut bytes = Vec::new();
        // an end that somebody still has says that nothing is there yet
        let _ = self.0.take(LONGEST).read_to_end(&mut bytes);
        serde_json::from_slice(&bytes).ok()
    }
}

impl Reporter {
    /// Tells it. Nobody who listens is no fault.
    pub(super) fn tell(&self, why: &Unstarted) {
        let text = serde_json::to_vec(why).unwrap_or_default();
        let _ = (&self.0).write_all(&text);
    }
}

impl AsFd for Reporter {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl From<OwnedFd> for Reporter {
    fn from(end: OwnedFd) -> Self {
        Self(end.into())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test")]

    use super::*;

    #[test]
    fn what_is_told_is_heard() {
        let why = Unstarted::unheld("x");
        let (report, reporter) = pipe().unwrap();
        reporter.tell(&why);
        assert_eq!(report.told(), Some(why));
        // a program that was started, and one that still may be
        let (report, reporter) = pipe().unwrap();
        drop(reporter);
        assert_eq!(report.told(), None);
        let (report, _reporter) = pipe().unwrap();
        assert_eq!(report.told(), None);
    }
}
