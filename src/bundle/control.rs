//! The control descriptor: a JSON object a line, by which a program says what is no value: how far it is, remarks for
//! the log, its template, a question, that it gives up. What it says is hostile and bounded.

use std::sync::Arc;

use ecow::EcoString;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pipit_commands::{Call, Error, Inquiry, Level, Note, Record, Value};
use rustix::net::Shutdown;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::time::{Duration, timeout};

use crate::scrub;

/// The longest line, in bytes.
const LINE: u64 = 64 * 1024;
/// The most lines of a run.
const LINES: usize = 10_000;
/// How long an answer waits for a program to read those before it.
const UNREAD: Duration = Duration::from_secs(1);
/// The longest text that goes on to the log or the room, in bytes.
const TEXT: usize = 4096;

/// Something that a program says.
#[derive(Debug, PartialEq)]
pub(super) enum Said {
    /// A remark, to be passed on.
    Note(Note),
    /// It gives up, for this reason.
    Abort(EcoString),
    /// A question, which has to be answered.
    Ask(Inquiry),
}

/// What hears remarks about a run.
pub(super) type Hear = Arc<dyn Fn(Note) + Send + Sync>;

/// Who hears what a program says beside its values.
pub(super) struct Ears {
    /// Passes a remark on.
    pub(super) hear: Hear,
    /// Asks whoever typed the line.
    pub(super) ask: Box<dyn Fn(Inquiry) -> BoxFuture<'static, Answered> + Send + Sync>,
}

/// What was said to a question, or why nothing was.
pub(super) type Answered = Result<EcoString, Error>;

impl Ears {
    /// Nobody.
    pub(super) fn deaf() -> Self {
        let nobody = || Err(Error::failed("nobody can be asked here"));
        Self { hear: Arc::new(|_| {}), ask: Box::new(move |_| std::future::ready(nobody()).boxed()) }
    }

    /// The host of a call. Of the templates only the bundle's own are passed on.
    pub(super) fn of(call: &Call, templates: Vec<EcoString>) -> Self {
        let (host, command) = (Arc::clone(call.host()), call.command().clone());
        let hear = move |note: Note| match &note {
            Note::Template(name) if !templates.contains(name) => {
                host.note(&command, warn(format!("its bundle has no template {name:?}")));
            }
            Note::Template(_) | Note::Progress { .. } | Note::Log { .. } | Note::Attach(_) => {
                host.note(&command, note);
            }
        };
        let (host, command) = (Arc::clone(call.host()), call.command().clone());
        let ask = move |inquiry| {
            let (host, command) = (Arc::clone(&host), command.clone());
            async move { host.ask(&command, inquiry).await }.boxed()
        };
        Self { hear: Arc::new(hear), ask: Box::new(ask) }
    }
}

/// The answer to a question as a program reads it: `{"answer":"eu"}`, or `{"error":"nobody answered"}`.
fn answer(answered: Answered) -> String {
    Value::from(said_to(answered)).to_json() + "\n"
}

/// The same as a record.
pub(super) fn said_to(answered: Answered) -> Record {
    let (key, text) = match answered {
        Ok(answer) => ("answer", answer),
        Err(error) => ("error", error.message().into()),
    };
    [(key, Value::from(text))].into_iter().collect()
}

/// The shell's end of a control descriptor.
pub(super) struct Control {
    channel: BufReader<UnixStream>,
    /// As much as has come of the line that is read.
    line: Vec<u8>,
    lines: usize,
}

impl Control {
    pub(super) fn new(channel: UnixStream) -> Self {
        Self { channel: BufReader::new(channel), line: Vec::new(), lines: 0 }
    }

    /// The next that the program says; none when it has closed the descriptor or said too much. May be given up and
    /// called again.
    pub(super) async fn next(&mut self) -> Option<Said> {
        if self.lines == LINES {
            self.close();
            let text = format!("it wrote more than {LINES} lines on its control descriptor; the rest is not heard");
            return Some(Said::Note(warn(text)));
        }
        if self.lines > LINES {
            return None;
        }
        let left = LINE.saturating_sub(self.line.len() as u64);
        match (&mut self.channel).take(left).read_until(b'\n', &mut self.line).await {
            Ok(0) if self.line.is_empty() => return None,
            Ok(_) => {}
            Err(_) => return None,
        }
        if self.line.len() as u64 == LINE {
            self.close();
            let text = "a line on its control descriptor is too long; what follows is not heard";
            return Some(Said::Note(warn(text.into())));
        }
        let line = std::mem::take(&mut self.line);
        self.lines += 1;
        Some(read(&line).unwrap_or_else(|why| Said::Note(warn(format!("a line on its control descriptor {why}")))))
    }

    /// Hears no more. A program that goes on is told by an error, and does not wait for somebody who listens.
    fn close(&mut self) {
        self.lines = LINES + 1;
        let _ = rustix::net::shutdown(self.channel.get_ref(), Shutdown::Both);
    }

    /// Answers a question; a program that has gone, or does not read, does not hear it.
    pub(super) async fn answer(&mut self, answered: Answered) {
        let line = answer(answered);
        let _ = timeout(UNREAD, self.channel.get_mut().write_all(line.as_bytes())).await;
    }
}

pub(super) fn warn(text: String) -> Note {
    Note::Log { level: Level::Warn, text: text.into() }
}

fn read(line: &[u8]) -> Result<Said, String> {
    let text = std::str::from_utf8(line).map_err(|_| "is no UTF-8".to_owned())?;
    let value = Value::from_json(text).map_err(|error| format!("is no JSON: {error}"))?;
    let Value::Record(record) = value else { return Err("is no JSON object".into()) };
    said(&record)
}

/// What a JSON object says, by the first of its keys that says something.
pub(super) fn said(record: &Record) -> Result<Said, String> {
    let text = |key: &str| record.get(key).map(|value| short(&scrub::text(&value.to_text())));
    if let Some(message) = text("abort") {
        // a line of its own would read as the shell's
        return Ok(Said::Abort(message.lines().map(str::trim).collect::<Vec<_>>().join(" ").trim().into()));
    }
    if let Some(text) = text("ask") {
        return Ok(Said::Ask(Inquiry { text, one_of: choices(record)? }));
    }
    if let Some(name) = text("template") {
        return Ok(Said::Note(Note::Template(name)));
    }
    if let Some(remark) = text("log") {
        return Ok(Said::Note(Note::Log { level: level(record)?, text: remark }));
    }
    if record.get("progress").is_some() || record.get("text").is_some() {
        return Ok(Said::Note(Note::Progress { part: part(record)?, text: text("text").unwrap_or_default() }));
    }
    Err("says nothing known: progress, log, template, ask, abort".into())
}

fn level(record: &Record) -> Result<Level, String> {
    match record.get("level").map(Value::to_text).as_deref() {
        None | Some("info") => Ok(Level::Info),
        Some("debug") => Ok(Level::Debug),
        Some("warn") => Ok(Level::Warn),
        Some("error") => Ok(Level::Error),
        Some(_) => Err("has a level that is none of debug, info, warn, error".into()),
    }
}

fn choices(record: &Record) -> Result<Vec<EcoString>, String> {
    match record.get("one-of") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::List(choices)) if !choices.is_empty() => {
            Ok(choices.iter().map(|choice| short(&scrub::text(&choice.to_text()))).collect())
        }
        Some(_) => Err("has a one-of that is no list of choices".into()),
    }
}

fn part(record: &Record) -> Result<Option<f64>, String> {
    match record.get("progress") {
        None | Some(Value::Null) => Ok(None),
        #[expect(clippy::cast_precision_loss, reason = "only 0 and 1 are taken")]
        Some(Value::Int(whole @ (0 | 1))) => Ok(Some(*whole as f64)),
        Some(Value::Float(part)) if (0.0..=1.0).contains(part) => Ok(Some(*part)),
        Some(_) => Err("has a progress that is not between 0 and 1".into()),
    }
}

fn short(text: &str) -> EcoString {
    let mut end = text.len().min(TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

    use super::*;

    #[test]
    fn what_a_program_may_say() {
        let note = |line: &str| match read(line.as_bytes()).unwrap() {
            Said::Note(note) => note,
            other => panic!("{other:?}"),
        };
        assert_eq!(note(r#"{"progress":0.4,"text":"half"}"#), Note::Progress { part: Some(0.4), text: "half".into() });
        assert_eq!(note(r#"{"log":"x","level":"warn"}"#), warn("x".into()));
        assert_eq!(note(r#"{"template":"t"}"#), Note::Template("t".into()));
        assert_eq!(read(br#"{"abort":"no"}"#), Ok(Said::Abort("no".into())));
        assert_eq!(read(br#"{"abort":"no\n\nerror: x\r\n"}"#), Ok(Said::Abort("no  error: x".into())));
        let asked = |one_of: &[&str]| {
            Said::Ask(Inquiry { text: "which?".into(), one_of: one_of.iter().map(|one| (*one).into()).collect() })
        };
        assert_eq!(read(br#"{"ask":"which?"}"#), Ok(asked(&[])));
        assert_eq!(read(br#"{"ask":"which?","one-of":["a",2]}"#), Ok(asked(&["a", "2"])));
        for bad in [
            r#"{"ask":"x","one-of":"a"}"#,
            r#"{"ask":"x","one-of":[]}"#,
            "",
            "[]",
            "{}",
            r#"{"progress":2}"#,
            r#"{"log":"x","level":"loud"}"#,
            r#"{"log":1,"log":2}"#,
        ] {
            assert!(read(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
