//! The rows of the log as JSON bodies, and the limits of what a row keeps of a text. Deliberately absent: hashes and places.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::erase::Erasure;
use super::loss::Loss;
use super::{Asked, Ended, Event, Outcome, Status, Verdict};
use crate::scrub;
use crate::store::log::Record;

/// The kinds of rows.
pub(super) const ASKED: &str = "asked";
pub(super) const VERDICT: &str = "verdict";
pub(super) const INTENT: &str = "intent";
pub(super) const EFFECT: &str = "effect";
pub(super) const CLOSED: &str = "closed";
pub(super) const ERASED: &str = "erased";
pub(super) const LOST: &str = "lost";
pub(super) const DAMAGED: &str = "damaged";

/// Bytes a row keeps of a line.
const TEXT: usize = 16 * 1024;

/// Bytes a row keeps of arguments and messages.
const PART: usize = 4 * 1024;

#[derive(Serialize, Deserialize)]
pub(super) struct AskedBody<'a> {
    #[serde(borrow)]
    pub(super) text: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) via: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) cause: Option<Cow<'a, str>>,
    /// Which process was to close the line.
    #[serde(borrow)]
    pub(super) process: Cow<'a, str>,
}

#[derive(Serialize)]
struct VerdictBody<'a> {
    args: Option<&'a RawValue>,
    rule: Cow<'a, str>,
    times: u64,
}

#[derive(Serialize)]
struct IntentBody<'a> {
    call: u64,
    args: &'a RawValue,
}

#[derive(Serialize)]
struct EffectBody<'a> {
    call: u64,
    message: Cow<'a, str>,
}

#[derive(Default, Serialize, Deserialize)]
pub(super) struct ClosedBody<'a> {
    #[serde(borrow)]
    pub(super) message: Cow<'a, str>,
    pub(super) took_us: u64,
    pub(super) values: u64,
}

pub(super) fn asked(asked: &Asked<'_>, process: &str) -> Record {
    let body = AskedBody {
        text: kept(asked.text, TEXT),
        via: Cow::Borrowed(asked.via),
        cause: asked.cause.map(|cause| kept(cause, PART)),
        process: Cow::Borrowed(process),
    };
    Record {
        who: Some(scrub::text(asked.who).into_owned()),
        room: Some(asked.room.to_owned()),
        ..row(0, asked.at, ASKED, &body)
    }
}

/// A verdict that was given `times` times; without arguments when they differed.
pub(super) fn verdict(line: i64, verdict: &Verdict<'_>, args: Option<&RawValue>, times: u64) -> Record {
    let body = VerdictBody { args, rule: kept(verdict.rule, PART), times };
    Record {
        command: Some(verdict.command.to_owned()),
        outcome: Some(Cow::Borrowed(if verdict.allowed { "allowed" } else { "denied" })),
        ..row(line, verdict.at, VERDICT, &body)
    }
}

pub(super) fn intent(line: i64, at: i64, command: &str, args: &RawValue, call: u64) -> Record {
    Record { command: Some(command.to_owned()), ..row(line, at, INTENT, &IntentBody { call, args }) }
}

pub(super) fn effect(line: i64, at: i64, command: &str, ended: Ended, message: &str, call: u64) -> Record {
    Record {
        command: Some(command.to_owned()),
        outcome: Some(Cow::Borrowed(ended.as_str())),
        ..row(line, at, EFFECT, &EffectBody { call, message: kept(message, PART) })
    }
}

pub(super) fn event(line: i64, event: &Event<'_>) -> Record {
    Record {
        command: (!event.command.is_empty()).then(|| event.command.to_owned()),
        outcome: (!event.outcome.is_empty()).then(|| Cow::Owned(event.outcome.to_owned())),
        ..row(line, event.at, event.kind.as_str(), &args(event.body))
    }
}

/// Part of no line: what happened to the log itself.
pub(super) fn erased(at: i64, erasure: &Erasure) -> Record {
    row(-1, at, ERASED, erasure)
}

pub(super) fn lost(line: i64, at: i64, loss: &Loss) -> Record {
    row(line, at, LOST, &Loss { reason: kept(&loss.reason, PART).into_owned(), ..loss.clone() })
}

pub(super) fn closed(line: i64, outcome: &Outcome<'_>) -> Record {
    let body = ClosedBody {
        message: kept(outcome.message, PART),
        took_us: u64::try_from(outcome.took.as_micros()).unwrap_or(u64::MAX),
        values: outcome.values,
    };
    Record { outcome: Some(Cow::Borrowed(outcome.status.as_str())), ..row(line, outcome.at, CLOSED, &body) }
}

/// The end of a line whose ticket was dropped.
pub(super) fn broke_off(line: i64, at: i64) -> Record {
    unknown(line, at, "the line broke off")
}

/// The end of a line whose process is gone.
pub(super) fn orphan(line: i64, at: i64) -> Record {
    unknown(line, at, "the process that ran the line ended before it")
}

fn unknown(line: i64, at: i64, message: &str) -> Record {
    let body = ClosedBody { message: Cow::Borrowed(message), ..ClosedBody::default() };
    Record { outcome: Some(Cow::Borrowed(Status::Unknown.as_str())), ..row(line, at, CLOSED, &body) }
}

/// Something that was put aside and came back unreadable.
pub(super) fn damaged(raw: &str) -> Record {
    row(-1, 0, DAMAGED, &kept(raw, TEXT))
}

/// Arguments as the log keeps them: JSON as it came, text that is no JSON as a string, too much of either cut.
pub(super) fn args(args: &str) -> Box<RawValue> {
    let clean = scrub::text(args);
    let raw = if clean.len() <= PART { RawValue::from_string(clean.into_owned()).ok() } else { None };
    raw.or_else(|| serde_json::value::to_raw_value(&kept(args, PART)).ok()).unwrap_or_default()
}

/// The text, or as much of it as a row keeps, with the length and digest of the whole.
fn kept(text: &str, most: usize) -> Cow<'_, str> {
    let text = match scrub::text(text) {
        Cow::Borrowed(text) if text.len() <= most => return Cow::Borrowed(text),
        clean if clean.len() <= most => return Cow::Owned(clean.into_owned()),
        long => long,
    };
    let start = &text[..text.floor_char_boundary(most)];
    Cow::Owned(format!("{start}… ({} bytes, blake3 {})", text.len(), blake3::hash(text.as_bytes()).to_hex()))
}

fn row<T: Serialize>(line: i64, at: i64, kind: &'static str, body: &T) -> Record {
    Record {
        line,
        at,
        kind: Cow::Borrowed(kind),
        who: None,
        room: None,
        command: None,
        outcome: None,
        // Numbers and texts always have a JSON; an empty object says at least that there was a row.
        body: serde_json::to_string(body).unwrap_or_else(|_| "{}".to_owned()),
    }
}
