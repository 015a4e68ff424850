//! Commands that run blocks, wait, or stop. A block's rounds make one stream, in order. Deliberately absent: running a
//! block (the evaluator's), and the clock (the host's).

use std::collections::VecDeque;
use std::pin::pin;

use futures_util::future::{Either, select};
use futures_util::stream::{self, StreamExt as _};

use crate::command::{Call, Command};
use crate::condition::Condition;
use crate::family::{family, row};
use crate::spec::Flow;
use crate::stream::{Batch, Stream};
use crate::{Block, Error, ErrorKind, Kind, Record, Value};

/// How often a block may be repeated.
const ROUNDS: i64 = 1000;
/// How many rounds may run side by side.
const PARALLEL: i64 = 64;

pub(crate) fn families() -> Vec<Command> {
    family(
        "control",
        [
            row("each { … } [--parallel=N] [--keep-going]")
                .about("Runs a block for each value, N at a time, in order; with --keep-going values whose round fails are passed over")
                .example("list a b | each { upper }", "\"A\"\n\"B\"")
                .example("list 2 3 | each { range | sum }", "1\n3")
                .kind("N", Kind::Int(1, PARALLEL))
                .runs(each),
            row("xargs COMMAND…")
                .about("Runs the words that follow as a command for each value, as each { … } does")
                .example("list a b | xargs echo x", "\"x a\"\n\"x b\"")
                .takes_command()
                .runs(each),
            row("repeat N { … }")
                .about("Runs a block N times, for each incoming value")
                .example("repeat 2 { echo hi }", "\"hi\"\n\"hi\"")
                .kind("N", Kind::Int(0, ROUNDS))
                .runs(repeat),
            row("try { … } [{ … }]")
                .about("Runs a block, and when it fails the second one with {message}; refusals and denials are not caught")
                .example("try { error boom } { echo failed: $message }", r#""failed: boom""#)
                .runs(try_),
            row("if CONDITION { … } [{ … }]")
                .about("Gives each value to the first block when the condition holds, else to the second")
                .example("list 1 9 | if _>5 { echo big } { echo small }", "\"small 1\"\n\"big 9\"")
                .kind("CONDITION", Kind::Word)
                .stream(if_)
                .flow(Flow::Value),
            row("timeout TIME { … }")
                .about("Runs a block, which fails when it takes longer")
                .example("timeout 5s { echo a }", r#""a""#)
                .kind("TIME", Kind::Time)
                .runs(timeout),
            row("because REASON { … }")
                .about("Runs a block for a reason, which is written down; some rules require one")
                .example("because 'an example needs one' { echo a }", r#""a""#)
                .runs(because),
            row("sleep TIME")
                .about("Waits, then passes everything on: 2, 2s, 500ms, 5m, 1h")
                .example("list 1 2 | sleep 0", "1\n2")
                .kind("TIME", Kind::Time)
                .stream(sleep),
            row("abort-when CONDITION… [--message=TEXT]")
                .about("Passes values on until the condition holds for one; then the line ends well, with the message")
                .example("list 1 2 3 4 | abort-when '_ >= 3'", "1\n2")
                .kind("CONDITION", Kind::Word)
                .stream(abort_when),
        ],
    )
}

/// The first block; none while a call is only checked.
fn block(call: &Call) -> Option<Block> {
    call.blocks().first().cloned()
}

fn each(call: Call, input: Option<Stream>) -> Result<Stream, Error> {
    let Some(block) = block(&call) else { return Ok(Stream::empty()) };
    let at_once = call.int("parallel").and_then(|number| usize::try_from(number).ok()).unwrap_or(1);
    let keep_going = call.flag("keep-going");
    let round = move |value| {
        let round = block.run(value);
        if keep_going { caught(round, |_| Stream::empty()) } else { round }
    };
    Ok(match input {
        Some(input) if at_once > 1 => side_by_side(input, at_once, round),
        input => rounds(input, round),
    })
}

fn repeat(call: Call, input: Option<Stream>) -> Result<Stream, Error> {
    let times = call.int("N").and_then(|number| usize::try_from(number).ok()).unwrap_or(0);
    let Some(block) = block(&call) else { return Ok(Stream::empty()) };
    Ok(rounds(input, move |value| {
        let (block, host) = (block.clone(), call.host().clone());
        rounds(Some(Stream::from_values(std::iter::repeat_n(Value::Null, times))), move |_| match host.spend(1) {
            Ok(()) => block.run(value.clone()),
            Err(error) => Stream::fail(error),
        })
    }))
}

fn try_(call: Call, input: Option<Stream>) -> Result<Stream, Error> {
    let Some(first) = block(&call) else { return Ok(Stream::empty()) };
    let second = call.blocks().get(1).cloned();
    Ok(rounds(input, move |value| {
        let second = second.clone();
        caught(first.run(value), move |error| match &second {
            Some(second) => {
                let message: Record = [("message", error.message())].into_iter().collect();
                second.run(Some(Value::Record(message)))
            }
            None => Stream::empty(),
        })
    }))
}

fn if_(call: Call, input: Stream) -> Result<Stream, Error> {
    let condition = Condition::read(call.all("CONDITION"))?;
    let Some(first) = block(&call) else { return Ok(Stream::empty()) };
    let second = call.blocks().get(1).cloned();
    Ok(rounds(Some(input), move |value| {
        let holds = value.as_ref().is_some_and(|value| condition.holds(value));
        match (holds, &second) {
            (true, _) => first.run(value),
            (false, Some(second)) => second.run(value),
            (false, None) => Stream::empty(),
        }
    }))
}

fn seconds(call: &Call) -> f64 {
    if let Some(Value::Float(seconds)) = call.value("TIME") { *seconds } else { 0.0 }
}

/// The reason itself is the planner's and the log's: to the block it is nothing.
fn because(call: Call, input: Option<Stream>) -> Result<Stream, Error> {
    let Some(block) = block(&call) else { return Ok(Stream::empty()) };
    Ok(rounds(input, move |value| block.run(value)))
}

fn timeout(call: Call, input: Option<Stream>) -> Result<Stream, Error> {
    let seconds = seconds(&call);
    let Some(block) = block(&call) else { return Ok(Stream::empty()) };
    Ok(rounds(input, move |value| {
        let host = call.host().clone();
        let late = Box::pin(async move { host.sleep(seconds).await });
        Stream::new(stream::unfold(Some((block.run(value), late)), move |running| async move {
            let (mut round, mut late) = running?;
            // the clock is looked at first: a block that always has something would never let it be
            let batch = match select(&mut late, pin!(round.next())).await {
                Either::Right((batch, _)) => batch?,
                Either::Left(((), _)) => Err(Error::failed(format!("the block took longer than {seconds} s"))),
            };
            let running = batch.is_ok().then_some((round, late));
            Some((batch, running))
        }))
    }))
}

fn sleep(call: Call, input: Stream) -> Result<Stream, Error> {
    let seconds = seconds(&call);
    Ok(Stream::later(async move {
        call.host().sleep(seconds).await;
        Ok(input)
    }))
}

fn abort_when(call: Call, input: Stream) -> Result<Stream, Error> {
    let condition = Condition::read(call.all("CONDITION"))?;
    let message = call.text("message").unwrap_or_default();
    Ok(input.lift(move |value, out| {
        if condition.holds(&value) {
            return Err(Error::new(ErrorKind::Stopped, message.clone()));
        }
        out.push(value);
        Ok(())
    }))
}

/// A round for each value, or one round without a value, one after the other.
fn rounds(input: Option<Stream>, mut round: impl FnMut(Option<Value>) -> Stream + Send + 'static) -> Stream {
    let Some(input) = input else { return round(None) };
    let state = (input, VecDeque::new(), None::<Stream>, round);
    Stream::new(stream::unfold(Some(state), |state| async move {
        let (mut input, mut values, mut running, mut round) = state?;
        loop {
            if let Some(stream) = &mut running {
                match stream.next().await {
                    Some(Ok(batch)) => return Some((Ok(batch), Some((input, values, running, round)))),
                    Some(Err(error)) => return Some((Err(error), None)),
                    None => running = None,
                }
            } else if let Some(value) = values.pop_front() {
                running = Some(round(Some(value)));
            } else {
                match input.next().await? {
                    Ok(batch) => values = batch.into(),
                    Err(error) => return Some((Err(error), None)),
                }
            }
        }
    }))
}

/// Rounds that run several at a time; what they give is in the order of their values all the same.
fn side_by_side(
    input: Stream,
    at_once: usize,
    mut round: impl FnMut(Option<Value>) -> Stream + Send + 'static,
) -> Stream {
    let values = input.flat_map(|batch| match batch {
        Ok(batch) => stream::iter(batch.into_iter().map(Ok).collect::<Vec<_>>()),
        Err(error) => stream::iter(vec![Err(error)]),
    });
    let rounds = values.map(move |value: Result<Value, Error>| match value {
        Ok(value) => round(Some(value)),
        Err(error) => Stream::fail(error),
    });
    let ended = rounds.map(to_the_end).buffered(at_once);
    let batches = ended.flat_map(|(batches, error)| {
        stream::iter(batches.into_iter().map(Ok).chain(error.map(Err)).collect::<Vec<_>>())
    });
    // the first error ends the stream, and with it the rounds that still run
    Stream::new(stream::unfold(Some(batches.boxed()), |batches| async move {
        let mut batches = batches?;
        let batch = batches.next().await?;
        let goes_on = batch.is_ok().then_some(batches);
        Some((batch, goes_on))
    }))
}

async fn to_the_end(mut round: Stream) -> (Vec<Batch>, Option<Error>) {
    let mut batches = Vec::new();
    while let Some(batch) = round.next().await {
        match batch {
            Ok(batch) => batches.push(batch),
            Err(error) => return (batches, Some(error)),
        }
    }
    (batches, None)
}

/// A stream that goes on with another one where it fails. Only failures are caught.
fn caught(first: Stream, instead: impl FnOnce(&Error) -> Stream + Send + 'static) -> Stream {
    Stream::new(stream::unfold((Some(first), Some(instead)), |(running, mut instead)| async move {
        let mut running = running?;
        match running.next().await? {
            Ok(batch) => Some((Ok(batch), (Some(running), instead))),
            Err(error) => match instead.take() {
                Some(instead) if error.kind() == ErrorKind::Failed => {
                    Some((Ok(Batch::new()), (Some(instead(&error)), None)))
                }
                Some(_) | None => Some((Err(error), (None, None))),
            },
        }
    }))
}
