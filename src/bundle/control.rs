//! The control descriptor: a JSON object a line, by which a program says what is no value: how far it is, remarks for
//! the log, its template, that it gives up. What it says is hostile and bounded.

use ecow::EcoString;
use pipit_commands::{Level, Note, Record, Value};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

use crate::scrub;

/// The longest line, in bytes.
const LINE: u64 = 64 * 1024;
/// The most lines of a run.
const LINES: usize = 10_000;
/// The longest text that goes on to the log or the room, in bytes.
const TEXT: usize = 4096;

/// What the program has to be answered, or the run to be ended for.
#[derive(Debug, PartialEq)]
pub(super) enum Said {
    Note(Note),
    Abort(EcoString),
    Ask,
}

/// Reads what the program says until it closes the descriptor or gives up; notes go to `hear`. The message with which
/// it gave up comes back.
pub(super) async fn listen(channel: UnixStream, hear: &(dyn Fn(Note) + Send + Sync)) -> Option<EcoString> {
    let mut channel = BufReader::new(channel);
    let mut line = Vec::new();
    for _ in 0..LINES {
        line.clear();
        match (&mut channel).take(LINE).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return None,
            Ok(_) => {}
        }
        if line.len() as u64 == LINE {
            hear(warn("a line on its control descriptor is too long; what follows is not heard".into()));
            return None;
        }
        match read(&line) {
            Ok(Said::Note(note)) => hear(note),
            Ok(Said::Abort(message)) => return Some(message),
            Ok(Said::Ask) => {
                let answer = b"{\"error\":\"nobody can be asked here\"}\n";
                if channel.get_mut().write_all(answer).await.is_err() {
                    return None;
                }
            }
            Err(why) => hear(warn(format!("a line on its control descriptor {why}"))),
        }
    }
    hear(warn(format!("it wrote more than {LINES} lines on its control descriptor; the rest is not heard")));
    None
}

pub(super) fn warn(text: String) -> Note {
    Note::Log { level: Level::Warn, text: text.into() }
}

fn read(line: &[u8]) -> Result<Said, String> {
    let text = std::str::from_utf8(line).map_err(|_| "is no UTF-8".to_owned())?;
    let value = Value::from_json(text).map_err(|error| format!("is no JSON: {error}"))?;
    let Value::Record(record) = value else { return Err("is no JSON object".into()) };
    let text = |key: &str| record.get(key).map(|value| short(&scrub::text(&value.to_text())));
    if let Some(message) = text("abort") {
        return Ok(Said::Abort(message));
    }
    if record.get("ask").is_some() {
        return Ok(Said::Ask);
    }
    if let Some(name) = text("template") {
        return Ok(Said::Note(Note::Template(name)));
    }
    if let Some(remark) = text("log") {
        return Ok(Said::Note(Note::Log { level: level(&record)?, text: remark }));
    }
    if record.get("progress").is_some() || record.get("text").is_some() {
        return Ok(Said::Note(Note::Progress { part: part(&record)?, text: text("text").unwrap_or_default() }));
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
        assert_eq!(read(br#"{"ask":"which?","one-of":["a"]}"#), Ok(Said::Ask));
        for bad in ["", "[]", "{}", r#"{"progress":2}"#, r#"{"log":"x","level":"loud"}"#, r#"{"log":1,"log":2}"#] {
            assert!(read(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
