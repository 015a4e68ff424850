//! The frames of a program that is kept warm: a JSON object a line, each with the number of its call. What it says is
//! hostile and bounded.
//!
//! ```text
//! → {"call":1,"invocation":"…","args":{…},"options":{…},"input":[…],"user":"ada","room":"#ops","adapter":"irc","line":"…"}
//! ← {"call":1,"value":…}   {"call":1,"values":[…]}   {"call":1,"progress":0.4}   {"call":1,"log":"…"}   {"call":1,"template":"…"}
//! ← {"call":1,"ask":"…"}
//! → {"call":1,"answer":"…"}
//! ← {"call":1,"end":true}  or  {"call":1,"abort":"…"}
//! ```
//!
//! Deliberately absent: processes, waiting.

use ecow::EcoString;
use pipit_commands::{Call, Record, Value};

use crate::bundle::control::{Answered, Said, said, said_to};
use crate::bundle::process::described;

/// What a program says in a frame.
#[derive(Debug, PartialEq)]
pub(super) enum Frame {
    /// Values that come out.
    Values(Vec<Value>),
    /// What is no value; never that it gives up.
    Said(Said),
    /// The call has ended well.
    End,
    /// The call has failed, for this reason.
    Failed(EcoString),
}

/// The frame of a call.
pub(super) fn call(number: u64, invocation: &str, call: &Call, input: Option<Value>) -> String {
    let origin = call.host().origin();
    let mut frame = of(number);
    frame.put("invocation", invocation);
    for (key, value) in described(call).iter() {
        frame.put(key.clone(), value.clone());
    }
    if let Some(input) = input {
        frame.put("input", vec![input]);
    }
    frame.put("user", origin.user);
    frame.put("room", origin.room);
    frame.put("adapter", origin.adapter);
    frame.put("line", origin.line);
    line(frame)
}

/// The frame of an answer to a question.
pub(super) fn answer(number: u64, answered: Answered) -> String {
    let mut frame = of(number);
    for (key, value) in said_to(answered).iter() {
        frame.put(key.clone(), value.clone());
    }
    line(frame)
}

fn of(number: u64) -> Record {
    let mut frame = Record::new();
    frame.put("call", i64::try_from(number).unwrap_or(i64::MAX));
    frame
}

fn line(frame: Record) -> String {
    Value::from(frame).to_json() + "\n"
}

/// Reads a line of a program that has this call. The error says what is wrong with it.
pub(super) fn read(bytes: &[u8], number: u64) -> Result<Frame, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "is no UTF-8".to_owned())?;
    let value = Value::from_json(text).map_err(|error| format!("is no JSON: {error}"))?;
    let Value::Record(frame) = value else { return Err("is no JSON object".into()) };
    match frame.get("call") {
        Some(Value::Int(call)) if u64::try_from(*call) == Ok(number) => {}
        Some(_) => return Err("is of another call".into()),
        None => return Err("does not say its call".into()),
    }
    if let Some(value) = frame.get("value") {
        return Ok(Frame::Values(vec![value.clone()]));
    }
    match frame.get("values") {
        Some(Value::List(values)) => return Ok(Frame::Values(values.to_vec())),
        Some(_) => return Err("has values that are no list".into()),
        None => {}
    }
    if frame.get("end") == Some(&Value::Bool(true)) {
        return Ok(Frame::End);
    }
    match said(&frame) {
        Ok(Said::Abort(reason)) => Ok(Frame::Failed(reason)),
        Ok(said @ (Said::Note(_) | Said::Ask(_))) => Ok(Frame::Said(said)),
        Err(_) => Err("says nothing known: value, values, progress, log, template, ask, end, abort".into()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    #[test]
    fn what_a_frame_may_say() {
        let read = |text: &str| read(text.as_bytes(), 7);
        assert_eq!(read(r#"{"call":7,"value":null}"#), Ok(Frame::Values(vec![Value::Null])));
        assert_eq!(
            read(r#"{"values":[1,2],"call":7}"#),
            Ok(Frame::Values(vec![Value::from(1_i64), Value::from(2_i64)]))
        );
        assert_eq!(read(r#"{"call":7,"end":true}"#), Ok(Frame::End));
        assert_eq!(read(r#"{"call":7,"abort":"no host"}"#), Ok(Frame::Failed("no host".into())));
        assert!(matches!(read(r#"{"call":7,"ask":"which?"}"#), Ok(Frame::Said(Said::Ask(_)))));
        assert!(matches!(read(r#"{"call":7,"progress":1}"#), Ok(Frame::Said(Said::Note(_)))));
        for (bad, why) in [
            ("hello", "is no JSON"),
            ("[7]", "is no JSON object"),
            (r#"{"value":1}"#, "does not say its call"),
            (r#"{"call":6,"value":1}"#, "is of another call"),
            (r#"{"call":"7","value":1}"#, "is of another call"),
            (r#"{"call":7,"values":1}"#, "has values that are no list"),
            (r#"{"call":7,"end":false}"#, "says nothing known"),
            (r#"{"call":7}"#, "says nothing known"),
        ] {
            assert!(read(bad).unwrap_err().starts_with(why), "{bad}");
        }
    }
}
