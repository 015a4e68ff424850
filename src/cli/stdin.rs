//! Standard input as a stream of texts, a line each. A thread reads ahead by a few batches and no more.

use std::io::BufRead;

use pipit_commands::{BATCH, Batch, Error, Stream, Value};
use tokio::sync::mpsc;

/// The longest line, in bytes.
const LONGEST: u64 = 16 * 1024 * 1024;
/// How many batches are read ahead. Fewer make the two threads wait for each other more often than they work.
const AHEAD: usize = 16;

/// The lines of standard input, read when somebody pulls.
pub(super) fn lines() -> Stream {
    let (to, mut from) = mpsc::channel::<Result<Batch, Error>>(AHEAD);
    let mut to = Some(to);
    Stream::new(futures_util::stream::poll_fn(move |context| {
        if let Some(to) = to.take() {
            std::thread::spawn(move || read(&to));
        }
        from.poll_recv(context)
    }))
}

/// Standard input as one text, read when somebody pulls.
pub(super) fn whole() -> Stream {
    Stream::later(async {
        let read = tokio::task::spawn_blocking(|| {
            use std::io::Read;
            let mut text = String::new();
            let read = std::io::stdin().take(LONGEST).read_to_string(&mut text);
            read.map(|read| (text, read as u64 == LONGEST))
        });
        let failed = |why: String| Error::failed(format!("standard input: {why}"));
        match read.await.map_err(|error| failed(error.to_string()))? {
            Ok((_, true)) => Err(failed(format!("longer than {} MiB", LONGEST / 1024 / 1024))),
            Ok((text, false)) => Ok(Stream::once(Value::text(text))),
            Err(error) => Err(failed(error.to_string())),
        }
    })
}

/// Reads until the end, or until nobody listens.
fn read(to: &mpsc::Sender<Result<Batch, Error>>) {
    let mut input = std::io::BufReader::with_capacity(64 * 1024, std::io::stdin());
    let mut batch = Batch::with_capacity(BATCH);
    let mut line = Vec::new();
    let mut number = 0_u64;
    loop {
        // what is there already goes on before the next read may wait
        if !batch.is_empty() && (batch.len() == BATCH || input.buffer().is_empty()) {
            let full = std::mem::replace(&mut batch, Batch::with_capacity(BATCH));
            if to.blocking_send(Ok(full)).is_err() {
                return;
            }
        }
        number += 1;
        let failed = match next(&mut input, &mut line) {
            Ok(false) => None,
            Ok(true) => match std::str::from_utf8(&line) {
                Ok(text) => {
                    batch.push(Value::text(text));
                    continue;
                }
                Err(error) => Some(format!("line {number} of standard input is no UTF-8: {error}")),
            },
            Err(error) => Some(format!("line {number} of standard input: {error}")),
        };
        if !batch.is_empty() && to.blocking_send(Ok(std::mem::take(&mut batch))).is_err() {
            return;
        }
        if let Some(failed) = failed {
            // nobody left to tell is as good as told
            let _ = to.blocking_send(Err(Error::failed(failed)));
        }
        return;
    }
}

/// The next line without its end; false at the end of the input.
fn next(input: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<bool> {
    use std::io::Read;
    line.clear();
    let read = input.by_ref().take(LONGEST).read_until(b'\n', line)?;
    if read == 0 {
        return Ok(false);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    } else if read as u64 == LONGEST {
        return Err(std::io::Error::other(format!("longer than {} MiB", LONGEST / 1024 / 1024)));
    }
    Ok(true)
}
