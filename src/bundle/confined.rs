//! Work of the shell's own that has no bound of its own: programs in the jq language and searches in pages, as
//! `pipit __jq PROGRAM` and `pipit __scrape WANTED`, contained like the programs of bundles, one process for a stage.
//! Values go in and out as JSON lines, as they come.
//!
//! A program can run for ever, recurse and grow; what bounds it are the limits of its process. It has no clock to wait
//! for, so processor time is what a hostile one takes, and how slow its input comes does not count. Deliberately absent:
//! what is done there.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitCode;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pipit_commands::jq::Jq;
use pipit_commands::{Call, Error, Stream, Value, html};

use super::control::Ears;
use super::fence::{Reached, reached};
use super::hold::Hold;
use super::output::Decoder;
use super::process::Prepared;
use super::reach;
use super::runner::{Launch, Runner};
use super::watch::{Cause, Ended};
use crate::limits;

/// The processor time of a program, in seconds.
const SECONDS: u64 = 10;
/// What it may keep in memory, in bytes, its stack included.
const MEMORY: u64 = 512 << 20;
/// The stack, in bytes: a program's own recursion is as deep as this.
const STACK: usize = 64 << 20;
/// The most that may come out, in bytes.
const OUTPUT: usize = 64 << 20;
/// What is read at once, and how many bytes of results may wait to be written.
const CHUNK: usize = 64 * 1024;
/// So many bytes of results are written at once.
const ENOUGH: usize = CHUNK / 4;
/// How long fewer wait for more: each write wakes the shell.
const LINGER: Duration = Duration::from_millis(1);
/// The exit code for a value that the program fails on; the reason is on standard error.
const FAILED: u8 = 5;

/// What is done in a process of its own.
#[derive(Clone, Copy)]
pub(crate) enum Work {
    /// A program in the jq language, over each value.
    Jq,
    /// A search for what is wanted ([`html::Wanted`] as JSON) in each page.
    Scrape,
}

impl Work {
    const ALL: [Self; 2] = [Self::Jq, Self::Scrape];

    /// The subcommand's name.
    fn name(self) -> &'static str {
        match self {
            Self::Jq => "__jq",
            Self::Scrape => "__scrape",
        }
    }

    /// What the end of its process means.
    fn verdict(self) -> fn(Ended) -> Result<(), Error> {
        match self {
            Self::Jq => |ended| verdict("the program", ended),
            Self::Scrape => |ended| verdict("the search in the page", ended),
        }
    }
}

/// The values that some work makes of others, as its program says. Dropping the stream ends its process.
pub(crate) async fn run(
    work: Work,
    runner: &Arc<Runner>,
    call: &Call,
    program: &str,
    input: Stream,
) -> Result<Stream, Error> {
    let host = call.host();
    let mark = format!("{:016x}{:016x}", host.dice(), host.dice());
    // the language itself reaches nothing, so where no fence can be had it runs without
    let hold = match reached() {
        Reached::Restrict(_) | Reached::Offline(_) => Hold::Restrict(reach::alone(runner.own(), runner.home())),
        Reached::Basic(_) => Hold::Basic,
    };
    let prepared = Prepared {
        runner: Arc::clone(runner),
        launch: Launch {
            program: runner.own().to_owned(),
            args: vec![work.name().into(), program.into()],
            environment: Vec::new(),
            folder: runner.folder(&mark),
            seconds: SECONDS,
            memory: MEMORY,
            hold,
            endpoints: Vec::new(),
            hear: Arc::new(|_| {}),
            input: true,
        },
        mark,
        longest: limits::LINE_TIME,
        ears: Ears::deaf(),
        verdict: work.verdict(),
    };
    prepared.stage(call, Decoder::whole_values(OUTPUT), Some(input)).await
}

fn verdict(what: &str, ended: Ended) -> Result<(), Error> {
    let (code, signal) = match &ended.status {
        Ok(status) => (status.code(), status.signal()),
        Err(_) => (None, None),
    };
    let said = ended.said.as_str();
    match (&ended.cause, code, signal) {
        (None, Some(code), _) if code == i32::from(FAILED) => Err(Error::failed(said)),
        // a stack that is used up and memory that is not given both abort, and only the text tells which it was
        (None, _, Some(6)) if said.contains("overflowed its stack") => {
            Err(Error::failed(format!("{what} calls itself too deep")).help("a call in tail position needs no stack"))
        }
        (None, _, Some(6)) if said.contains("memory allocation") => {
            Err(Error::failed(format!("{what} needs more than {} MiB of memory", MEMORY >> 20)))
        }
        (None, _, Some(9 | 24)) => {
            Err(Error::failed(format!("{what} took more than {SECONDS} s of processor time and was ended")))
        }
        (Some(Cause::Late | Cause::Unread | Cause::GaveUp(_)) | None, _, _) => ended.verdict(),
    }
}

/// Runs one of the subcommands, if the arguments are its own.
pub(crate) fn worker() -> Option<ExitCode> {
    let mut args = std::env::args_os().skip(1);
    let name = args.next()?;
    let work = Work::ALL.into_iter().find(|work| name == work.name())?;
    let Some(program) = args.next().and_then(|program| program.into_string().ok()) else {
        eprintln!("{} is for pipit itself", work.name());
        return Some(ExitCode::from(FAILED));
    };
    let outbox = Arc::new(Outbox::default());
    let to = Arc::clone(&outbox);
    let working = std::thread::Builder::new().name(work.name().into()).stack_size(STACK).spawn(move || {
        let _ends = Ends(&to);
        work.run(&program, &to)
    });
    let ended = match working {
        Ok(working) => {
            outbox.write();
            working.join().unwrap_or_else(|_| Err("the program broke the one that runs it".into()))
        }
        Err(error) => Err(format!("no thread can be started: {error}")),
    };
    Some(match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(FAILED)
        }
    })
}

impl Work {
    fn run(self, program: &str, outbox: &Outbox) -> Result<(), String> {
        match self {
            Self::Jq => {
                let program = Jq::read(program)?;
                each_line(outbox, |line, give| program.run(line, give))
            }
            Self::Scrape => {
                let wanted: html::Wanted = serde_json::from_str(program).map_err(|error| error.to_string())?;
                each_line(outbox, |line, give| {
                    let page: Value = serde_json::from_slice(line).map_err(|error| error.to_string())?;
                    html::find(&page.to_text(), &wanted, &mut |found| give(&found.to_json()))
                })
            }
        }
    }
}

/// Every line of standard input through a function, its results to the outbox.
fn each_line(
    outbox: &Outbox,
    run: impl Fn(&[u8], &mut dyn FnMut(&str) -> bool) -> Result<(), String>,
) -> Result<(), String> {
    let mut input = BufReader::with_capacity(CHUNK, std::io::stdin().lock());
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.buffer().is_empty() {
            outbox.hurry();
        }
        let read = input.read_until(b'\n', &mut line).map_err(|error| format!("the input cannot be read: {error}"))?;
        if read == 0 {
            return Ok(());
        }
        let mut wanted = true;
        run(&line, &mut |result| {
            wanted = outbox.give(result);
            wanted
        })?;
        if !wanted {
            return Ok(());
        }
    }
}

/// Results on their way out: one thread makes them, another one writes them, so that none waits for what the program does
/// next.
#[derive(Default)]
struct Outbox {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: String,
    /// Nothing more will come soon.
    hurried: bool,
    /// Nothing more will come at all.
    ended: bool,
    /// Whoever read them has gone.
    unwanted: bool,
}

impl Outbox {
    /// A result more, unless whoever reads them wants no more.
    fn give(&self, line: &str) -> bool {
        let mut waiting = self.waiting();
        while waiting.lines.len() >= CHUNK && !waiting.unwanted {
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        let first = waiting.lines.is_empty();
        waiting.lines.push_str(line);
        waiting.lines.push('\n');
        waiting.hurried = false;
        if first || waiting.lines.len() >= ENOUGH {
            self.changed.notify_one();
        }
        !waiting.unwanted
    }

    /// The program waits for its input.
    fn hurry(&self) {
        let mut waiting = self.waiting();
        waiting.hurried = true;
        if !waiting.lines.is_empty() {
            self.changed.notify_one();
        }
    }

    /// Writes what comes until nothing more will, or nobody reads.
    fn write(&self) {
        let mut out = std::io::stdout().lock();
        let mut lines = String::new();
        while self.take(&mut lines) {
            if out.write_all(lines.as_bytes()).and_then(|()| out.flush()).is_err() {
                self.waiting().unwanted = true;
                self.changed.notify_one();
                return;
            }
        }
    }

    /// Waits for results and takes all there are, a moment after the first unless there are enough; false at the end.
    fn take(&self, lines: &mut String) -> bool {
        lines.clear();
        let mut waiting = self.waiting();
        while waiting.lines.is_empty() && !waiting.ended {
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        let lingers = |waiting: &mut Waiting| !waiting.ended && !waiting.hurried && waiting.lines.len() < ENOUGH;
        waiting = self.changed.wait_timeout_while(waiting, LINGER, lingers).unwrap_or_else(PoisonError::into_inner).0;
        std::mem::swap(lines, &mut waiting.lines);
        self.changed.notify_one();
        !lines.is_empty()
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells the outbox when the program has ended, by whatever way.
struct Ends<'a>(&'a Outbox);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.waiting().ended = true;
        self.0.changed.notify_one();
    }
}
