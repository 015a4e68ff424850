//! A program as a stage of a pipeline: pulled for values while it runs, fed with those that come in.
//!
//! While nobody asks for values the program's pipe fills and it waits. Deliberately absent: starting and ending it.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::FutureExt as _;
use pipit_commands::{BATCH, Batch, Call, Command, Effect, Error, Host, Stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::oneshot;
use tokio::time::{Duration, timeout};

use super::control::warn;
use super::output::{Decoder, RUN};
use super::process::{Begun, gone};
use crate::scrub;

/// What is read from standard output at once, in bytes.
const CHUNK: usize = 64 * 1024;
/// How long standard output is read after all of the program has ended.
const REST: Duration = Duration::from_millis(500);

type Feed = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// Writes the incoming values, a JSON value a line, and closes. A program that does not want them all is left alone.
async fn feed(mut stdin: ChildStdin, mut input: Stream) -> Result<(), Error> {
    let mut lines = String::new();
    let mut next = input.next().await;
    while let Some(batch) = next {
        lines.clear();
        let mut ready = Some(Some(batch));
        // what is there already goes along: each write wakes the program
        let ended = loop {
            match ready {
                Some(Some(Ok(batch))) => {
                    for value in batch {
                        value.write_json(&mut lines);
                        lines.push('\n');
                    }
                }
                Some(Some(Err(error))) => break Some(Err(error)),
                Some(None) => break Some(Ok(())),
                None => break None,
            }
            ready = if lines.len() < CHUNK { input.next().now_or_never() } else { None };
        };
        if stdin.write_all(lines.as_bytes()).await.is_err() {
            return Ok(());
        }
        if let Some(ended) = ended {
            return ended;
        }
        next = input.next().await;
    }
    Ok(())
}

/// The stage while its program runs.
pub(super) struct Stage {
    feed: Option<Feed>,
    stdout: ChildStdout,
    decoder: Decoder,
    buffer: Vec<u8>,
    /// Set when standard output has ended: whether it was whole.
    closed: Option<Result<(), Error>>,
    ended: oneshot::Receiver<Result<(), Error>>,
    /// Dropped with the stage, which ends the program.
    _stop: oneshot::Sender<()>,
    effect: Effect,
    command: Command,
    host: Arc<dyn Host>,
    /// How it all ended, once that is known; what was read before still goes out.
    done: Option<Result<(), Error>>,
}

impl Stage {
    /// What a program that runs for a call gives, of what it is given.
    pub(super) fn of(begun: Begun, call: &Call, decoder: Decoder, input: Option<Stream>) -> Stream {
        let Begun { stdin, stdout, tail: _, ended, stop } = begun;
        let feed = match (stdin, input) {
            (Some(stdin), Some(input)) => Some(Box::pin(feed(stdin, input)) as Feed),
            (_, _) => None,
        };
        let (buffer, command, host) = (vec![0; CHUNK], call.command().clone(), Arc::clone(call.host()));
        let (effect, closed) = (command.spec().effect, None);
        let stage =
            Self { feed, stdout, decoder, buffer, closed, ended, _stop: stop, effect, command, host, done: None };
        Stream::new(futures_util::stream::unfold(stage, Self::step))
    }

    async fn step(mut self) -> Option<(Result<Batch, Error>, Self)> {
        loop {
            let mut ready = self.decoder.take(BATCH);
            if !ready.is_empty() {
                // a program that says its own secret says it to nobody
                scrub::values(&mut ready);
                return Some((Ok(ready), self));
            }
            match self.done.take() {
                None => {}
                Some(Ok(())) => return None,
                Some(Err(error)) => {
                    // nothing comes after an error
                    self.done = Some(Ok(()));
                    return Some((Err(error), self));
                }
            }
            self.done = self.read().await;
        }
    }

    /// Reads once; how it ended when it has.
    async fn read(&mut self) -> Option<Result<(), Error>> {
        let read = tokio::select! {
            fed = async { match &mut self.feed { Some(feed) => feed.await, None => std::future::pending().await } } => {
                self.feed = None;
                return fed.err().map(Err);
            }
            verdict = &mut self.ended => {
                if self.closed.is_none() {
                    // nothing of the program is left, so this is the rest of its output
                    self.closed = Some(self.rest().await);
                }
                // what the program says of its failure goes before what its output lacks for it
                let verdict = verdict.unwrap_or_else(|_| Err(gone()));
                return Some(verdict.and(self.closed.take().unwrap_or(Ok(()))));
            }
            read = self.stdout.read(&mut self.buffer), if self.closed.is_none() => read,
        };
        match read {
            Ok(0) => {
                // it may still take input, and end well or badly
                self.closed = Some(self.end());
                None
            }
            Ok(count) => match self.decode(count) {
                Ok(true) => None,
                Ok(false) => Some(Ok(())),
                Err(error) => Some(Err(error)),
            },
            Err(error) => Some(Err(Error::failed(format!("its output cannot be read: {error}")))),
        }
    }

    /// What is still in the pipe.
    async fn rest(&mut self) -> Result<(), Error> {
        while let Ok(Ok(count @ 1..)) = timeout(REST, self.stdout.read(&mut self.buffer)).await {
            self.decode(count)?;
        }
        self.end()
    }

    /// Whether to go on reading.
    fn decode(&mut self, count: usize) -> Result<bool, Error> {
        let before = self.decoder.full;
        self.decoder.push(self.buffer.get(..count).unwrap_or_default())?;
        if !self.decoder.full {
            return Ok(true);
        }
        if !before {
            let text = format!("its output is larger than {} MiB; the rest is left out", RUN >> 20);
            self.host.note(&self.command, warn(text));
        }
        // a program that changes nothing is ended here, another one may finish what it does
        Ok(self.effect != Effect::Pure)
    }

    fn end(&mut self) -> Result<(), Error> {
        self.decoder.end()?;
        if self.decoder.replaced {
            self.decoder.replaced = false;
            self.host.note(&self.command, warn("its output held bytes that are no UTF-8, shown as \u{fffd}".into()));
        }
        Ok(())
    }
}
