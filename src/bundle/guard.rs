//! `pipit __guard`: a process beside the shell that outlives it. When the shell is killed, its programs die with it, but
//! not what they had started; the guard hears of the shell's end by a socket that closes, and ends the rest.
//!
//! Not stopped here: a program that took its mark off before the shell was killed. That takes a namespace of its own.

use std::collections::BTreeSet;
use std::io::{self, BufRead as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use super::sweep;

/// The subcommand's name.
pub(super) const NAME: &str = "__guard";

/// The shell's end of the socket to its guard.
pub(super) struct Guard(UnixStream);

impl Guard {
    /// A socket for a guard, and the end to give it as standard input.
    pub(super) fn pair() -> io::Result<(Self, UnixStream)> {
        let (ours, theirs) = UnixStream::pair()?;
        // a guard that does not read must not hold up the shell
        ours.set_nonblocking(true)?;
        Ok((Self(ours), theirs))
    }

    /// Says that a run with this mark begins.
    pub(super) fn begins(&self, mark: &str) {
        self.tell('+', mark);
    }

    /// Says that nothing is left of a run.
    pub(super) fn ended(&self, mark: &str) {
        self.tell('-', mark);
    }

    fn tell(&self, what: char, mark: &str) {
        // without its guard the shell works as ever; only after it is killed there is less care
        let _ = (&self.0).write_all(format!("{what}{mark}\n").as_bytes());
    }
}

/// Runs the subcommand: listens until the shell is gone, then ends what is left of the runs that went on.
pub(super) fn guard() -> ExitCode {
    let mut live = BTreeSet::new();
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        if let Some(mark) = line.strip_prefix('+') {
            live.insert(mark.to_owned());
        } else if let Some(mark) = line.strip_prefix('-') {
            live.remove(mark);
        }
    }
    if !live.is_empty() {
        sweep::end_marked(&live);
    }
    ExitCode::SUCCESS
}
