//! Programs in the jq language: `pipit __jq PROGRAM`, contained like the programs of bundles, one process for a stage.
//! Values go in and out as JSON lines, as they come.
//!
//! A program can run for ever, recurse and grow; what bounds it are the limits of its process. It has no clock to wait
//! for, so processor time is what a hostile one takes, and how slow its input comes does not count. Deliberately absent:
//! the language itself.

use std::io::{BufRead as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use pipit_commands::jq::Jq;
use pipit_commands::{Call, Error, Stream};

use super::fence::{Reached, reached};
use super::output::Decoder;
use super::process::Prepared;
use super::reach;
use super::runner::{Launch, Runner};
use super::watch::{Cause, Ended};
use crate::limits;

/// The subcommand's name.
const NAME: &str = "__jq";
/// The processor time of a program, in seconds.
const SECONDS: u64 = 10;
/// What it may keep in memory, in bytes, its stack included.
const MEMORY: u64 = 512 << 20;
/// The stack, in bytes: a program's own recursion is as deep as this.
const STACK: usize = 64 << 20;
/// The most that may come out, in bytes.
const OUTPUT: usize = 64 << 20;
/// How many results wait to be written.
const WAITING: usize = 1024;
/// How many bytes are written at once, when so many wait.
const CHUNK: usize = 64 * 1024;
/// The exit code for a value that the program fails on; the reason is on standard error.
const FAILED: u8 = 5;

/// The values that a program makes of others. Dropping the stream ends its process.
pub(crate) async fn run(runner: &Arc<Runner>, call: &Call, program: &str, input: Stream) -> Result<Stream, Error> {
    let host = call.host();
    let mark = format!("{:016x}{:016x}", host.dice(), host.dice());
    // the language itself reaches nothing, so where no fence can be had it runs without
    let fence = match reached() {
        Reached::Restrict(_) | Reached::Offline(_) => Some(reach::alone(runner.own(), runner.home())),
        Reached::Basic(_) => None,
    };
    let prepared = Prepared {
        runner: Arc::clone(runner),
        launch: Launch {
            program: runner.own().to_owned(),
            args: vec![NAME.into(), program.into()],
            environment: vec![("PIPIT_INVOCATION".into(), mark.clone())],
            folder: runner.folder(&mark),
            seconds: SECONDS,
            memory: MEMORY,
            fence,
            input: true,
        },
        mark,
        longest: limits::LINE_TIME,
        hear: Box::new(|_| {}),
        verdict,
    };
    prepared.stage(call, Decoder::whole_values(OUTPUT), Some(input)).await
}

/// What the end of the process means.
fn verdict(ended: Ended) -> Result<(), Error> {
    let (code, signal) = match &ended.status {
        Ok(status) => (status.code(), status.signal()),
        Err(_) => (None, None),
    };
    let said = ended.said.as_str();
    match (&ended.cause, code, signal) {
        (None, Some(code), _) if code == i32::from(FAILED) => Err(Error::failed(said)),
        // a stack that is used up and memory that is not given both abort, and only the text tells which it was
        (None, _, Some(6)) if said.contains("overflowed its stack") => {
            Err(Error::failed("the program calls itself too deep").help("a call in tail position needs no stack"))
        }
        (None, _, Some(6)) if said.contains("memory allocation") => {
            Err(Error::failed(format!("the program needs more than {} MiB of memory", MEMORY >> 20)))
        }
        (None, _, Some(9 | 24)) => {
            Err(Error::failed(format!("the program took more than {SECONDS} s of processor time and was ended")))
        }
        (Some(Cause::Late | Cause::Unread | Cause::GaveUp(_)) | None, _, _) => ended.verdict(),
    }
}

/// Runs the subcommand, if the arguments are its own.
pub(crate) fn worker() -> Option<ExitCode> {
    let mut args = std::env::args_os().skip(1);
    if args.next()? != NAME {
        return None;
    }
    let Some(program) = args.next().and_then(|program| program.into_string().ok()) else {
        eprintln!("{NAME} is for pipit itself");
        return Some(ExitCode::from(FAILED));
    };
    let (give, given) = sync_channel(WAITING);
    let working = std::thread::Builder::new().name("jq".into()).stack_size(STACK).spawn(move || work(&program, &give));
    let ended = match working {
        Ok(working) => {
            // whoever does not read any more wants no more: the worker ends with its next result
            let _ = write(&given);
            drop(given);
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

/// Every line of standard input through the program, its results to the channel.
fn work(program: &str, give: &SyncSender<String>) -> Result<(), String> {
    let program = Jq::read(program)?;
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|error| format!("the input cannot be read: {error}"))?;
        let mut wanted = true;
        program.run(&line, &mut |result| {
            wanted = give.send(result).is_ok();
            wanted
        })?;
        if !wanted {
            break;
        }
    }
    Ok(())
}

/// Writes lines as they come: those that wait together, none waits for another.
fn write(given: &Receiver<String>) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let mut lines = String::new();
    while let Ok(first) = given.recv() {
        lines.clear();
        let mut next = Some(first);
        while let Some(line) = next {
            lines.push_str(&line);
            lines.push('\n');
            next = if lines.len() < CHUNK { given.try_recv().ok() } else { None };
        }
        out.write_all(lines.as_bytes())?;
        out.flush()?;
    }
    Ok(())
}
