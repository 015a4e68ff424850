//! `pipit run`: one line of the local operator's.

use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::process::ExitCode;

use pipit_commands::{Batch, Value};
use pipit_grammar::rule::{Place, Via};

use super::{Home, fail, tell};
use crate::access::Identity;
use crate::engine::Request;
use crate::render;

/// How many values of a table are awaited before it is drawn.
const TABLE: usize = 1000;

/// What standard input is to the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// Nothing to it.
    None,
    /// A text a line.
    Lines,
    /// One text.
    Whole,
}

impl Input {
    /// As the flags say.
    pub(super) fn of(stdin: bool, whole: bool) -> Self {
        match (stdin, whole) {
            (false, _) => Self::None,
            (true, false) => Self::Lines,
            (true, true) => Self::Whole,
        }
    }
}

/// What is asked on the command line.
pub(super) struct Ask {
    pub(super) user: Option<String>,
    pub(super) room: Option<String>,
    pub(super) json: bool,
    pub(super) input: Input,
    pub(super) line: String,
}

/// Runs a line and shows what comes.
pub(super) fn run(home: &Home, ask: Ask) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(5, &format!("the runtime does not start: {error}")),
    };
    let text = ask.line.clone();
    let cause = ask.user.is_some().then_some("operator");
    let request = Request {
        text: ask.line,
        identity: ask.user.map_or(Identity::Operator, |user| Identity::Named(user.into())),
        service: "shell".into(),
        place: ask.room.map_or(Place::Dm, |room| Place::Room(room.strip_prefix('#').unwrap_or(&room).into())),
        address: None,
        via: Via::Chat,
        cause,
        input: match ask.input {
            Input::None => None,
            Input::Lines => Some(super::stdin::lines()),
            Input::Whole => Some(super::stdin::whole()),
        },
        ticket: None,
    };
    let mut shown = Shown::new(ask.json);
    runtime.block_on(async {
        let engine = match home.open() {
            Ok(engine) => engine,
            Err(error) => return fail(5, &error),
        };
        let reply = engine.handle(request, &mut |batch| shown.take(batch)).await;
        let written = shown.end(reply.template.as_deref());
        for note in &reply.notes {
            tell(&format_args!("note: {note}"));
        }
        engine.settle().await;
        let code = reply.error.as_ref().map_or(0, |error| {
            if error.exits_loudly() {
                tell(&render::error(error, &text));
            }
            error.kind().exit()
        });
        if let Some(receipt) = reply.receipt
            && let Err(error) = receipt.durable().await
        {
            return fail(5, &error);
        }
        match written {
            Err(error) if code == 0 => fail(1, &error),
            Err(_) | Ok(()) => ExitCode::from(code),
        }
    })
}

/// Standard output: JSON lines as they come, or text, where records wait a while so that they can be a table.
pub(super) struct Shown {
    out: BufWriter<std::io::Stdout>,
    json: bool,
    line: String,
    waiting: Vec<Value>,
    /// What went wrong with standard output, if it was more than a reader that left.
    failed: Option<std::io::Error>,
}

impl Shown {
    pub(super) fn new(json: bool) -> Self {
        Self {
            out: BufWriter::with_capacity(64 * 1024, std::io::stdout()),
            json,
            line: String::new(),
            waiting: Vec::new(),
            failed: None,
        }
    }

    pub(super) fn take(&mut self, batch: Batch) -> ControlFlow<()> {
        let written = if self.json { self.lines(&batch) } else { self.text(batch) };
        if self.note(written) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    /// Whether a write went well. A reader that has gone ends the line, and well.
    fn note(&mut self, written: std::io::Result<()>) -> bool {
        match written {
            Ok(()) => true,
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => false,
            Err(error) => {
                self.failed = Some(error);
                false
            }
        }
    }

    fn lines(&mut self, batch: &[Value]) -> std::io::Result<()> {
        for value in batch {
            self.line.clear();
            value.write_json(&mut self.line);
            self.line.push('\n');
            self.out.write_all(self.line.as_bytes())?;
        }
        self.out.flush()
    }

    fn text(&mut self, batch: Batch) -> std::io::Result<()> {
        let records = batch.iter().all(|value| matches!(value, Value::Record(_)));
        if records && self.waiting.len() < TABLE {
            self.waiting.extend(batch);
            return Ok(());
        }
        self.flush()?;
        self.write(&batch)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        self.write(&waiting)
    }

    fn write(&mut self, values: &[Value]) -> std::io::Result<()> {
        if values.is_empty() {
            return Ok(());
        }
        writeln!(self.out, "{}", render::text(values))?;
        self.out.flush()
    }

    /// Shows what has waited; an error when standard output did not take all.
    pub(super) fn end(&mut self, template: Option<&str>) -> Result<(), String> {
        let waiting = std::mem::take(&mut self.waiting);
        if !waiting.is_empty() && self.failed.is_none() {
            let text = render::shown(&waiting, template);
            let written = writeln!(self.out, "{text}").and_then(|()| self.out.flush());
            self.note(written);
        }
        match self.failed.take() {
            Some(error) => Err(format!("standard output: {error}")),
            None => Ok(()),
        }
    }
}
