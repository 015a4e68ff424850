//! A process that is kept for several calls: lines in, lines out, and what it leaves behind between two calls.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use pipit_commands::{Error, ErrorKind};
use rustix::io::Errno;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::oneshot;
use tokio::time::{Duration, Instant, timeout};

use crate::bundle::output::LINE;
use crate::bundle::process::{Begun, Prepared, gone};
use crate::bundle::tail::Tail;
use crate::limits;

/// What is read of a program at once, in bytes.
const CHUNK: usize = 64 * 1024;
/// How long the end of a process is awaited that has closed its output.
const REST: Duration = Duration::from_secs(8);

/// A process. Dropped, it and all that it started is ended.
pub(super) struct Worker {
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    /// As much as has come of the line that is read.
    line: Vec<u8>,
    tail: Arc<Tail>,
    ended: oneshot::Receiver<Result<(), Error>>,
    _stop: oneshot::Sender<()>,
    folder: PathBuf,
    born: Instant,
    calls: u64,
}

/// What a process writes next.
pub(super) enum Next {
    /// A line, without its end.
    Line(Vec<u8>),
    /// More than a line may hold.
    TooLong,
    /// Nothing more: it has closed its output, or has ended.
    End,
}

impl Worker {
    /// Starts a process.
    pub(super) async fn start(prepared: Prepared) -> Result<Self, Error> {
        let folder = prepared.launch.folder.clone();
        let Begun { stdin, stdout, tail, ended, stop } = prepared.begin().await?;
        let stdin = stdin.ok_or_else(gone)?;
        Ok(Self {
            stdin,
            stdout: BufReader::with_capacity(CHUNK, stdout),
            line: Vec::new(),
            tail,
            ended,
            _stop: stop,
            folder,
            born: Instant::now(),
            calls: 0,
        })
    }

    /// Counts its next call.
    pub(super) fn begins(&mut self) {
        self.calls += 1;
    }

    /// Whether it had a call before this one.
    pub(super) fn is_used(&self) -> bool {
        self.calls > 1
    }

    /// Writes a line to it.
    pub(super) async fn send(&mut self, line: &str) -> std::io::Result<()> {
        self.stdin.write_all(line.as_bytes()).await
    }

    /// Its next line. May be given up and called again.
    pub(super) async fn next(&mut self) -> Next {
        let left = (LINE + 1).saturating_sub(self.line.len()) as u64;
        let read = (&mut self.stdout).take(left).read_until(b'\n', &mut self.line).await;
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
            return Next::Line(std::mem::take(&mut self.line));
        }
        match read {
            Ok(1..) if self.line.len() > LINE => Next::TooLong,
            Ok(_) | Err(_) => Next::End,
        }
    }

    /// Whether a whole line is there already.
    pub(super) fn has_line(&self) -> bool {
        memchr::memchr(b'\n', self.stdout.buffer()).is_some()
    }

    /// Whether it may have another call: it lives, is not old, has said nothing after its last call, and its folder is empty.
    pub(super) fn may_go_on(&mut self) -> bool {
        let young = self.calls < limits::WARM_CALLS && self.born.elapsed() < limits::WARM_AGE;
        young && self.is_fit()
    }

    /// Whether it is as if it had just begun: it lives and has said nothing since its last call, its folder is empty, and
    /// what it wrote on standard error is forgotten.
    pub(super) fn is_fit(&mut self) -> bool {
        self.lives() && self.is_silent() && self.clear().is_ok() && self.tail.cut()
    }

    /// Whether nothing of its standard output waits to be read.
    fn is_silent(&self) -> bool {
        // past the buffer, for what came while nobody read
        let waits = || rustix::io::read(self.stdout.get_ref(), &mut [0; 1]);
        self.line.is_empty() && self.stdout.buffer().is_empty() && waits() == Err(Errno::AGAIN)
    }

    /// Whether it has not ended.
    pub(super) fn lives(&mut self) -> bool {
        matches!(self.ended.try_recv(), Err(oneshot::error::TryRecvError::Empty))
    }

    /// What the next call must not find.
    fn clear(&self) -> std::io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) }?;
        }
        Ok(())
    }

    /// Why it has ended in the midst of a call, as what nobody knows the effect of, unless it never started.
    pub(super) async fn fate(self) -> Error {
        match timeout(REST, self.ended).await {
            Ok(Ok(Err(error))) => error,
            Ok(Ok(Ok(()))) => Error::new(ErrorKind::Unknown, "the program ended in the midst of its call"),
            Ok(Err(_)) => gone(),
            Err(_) => Error::new(ErrorKind::Unknown, "the program closed its output in the midst of its call"),
        }
    }
}
