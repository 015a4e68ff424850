//! Looking into the log: lines in short, newest first, and one line in full. Deliberately absent: who may look.

use serde::Serialize;
use serde_json::value::RawValue;

use super::body::{AskedBody, ClosedBody};
use super::{Audit, Status, name};
use crate::store::{Ended, Found, Line, StoreError, Wanted};

/// Which lines are wanted; what is `None` does not matter.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    /// Opened at this time or later, Unix milliseconds.
    pub(crate) since: Option<i64>,
    /// Opened before this time.
    pub(crate) until: Option<i64>,
    /// By whom.
    pub(crate) who: Option<Whose>,
    /// In this room.
    pub(crate) room: Option<String>,
    /// With a verdict, intent or effect of this command.
    pub(crate) command: Option<String>,
    /// With this text in what is written of it, in small or large letters.
    pub(crate) text: Option<String>,
    /// That ended so.
    pub(crate) ended: Option<Wish>,
    /// The oldest instead of the newest.
    pub(crate) oldest: bool,
    /// This many at most.
    pub(crate) limit: usize,
}

/// Whose lines are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Those of one person.
    Person(String),
    /// Those of all who asked for this name one after the other: `alice`, `alice~2`.
    Name(String),
}

/// How a wanted line ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// So.
    As(Status),
    /// It has not ended: it runs, or its process died.
    NotYet,
}

/// A line in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Summary {
    /// The id of the line.
    pub(crate) ticket: String,
    /// When it was asked, Unix milliseconds.
    pub(crate) at: i64,
    /// Who asked.
    pub(crate) who: String,
    /// The way in.
    pub(crate) via: String,
    /// The room, empty when there was none.
    pub(crate) room: String,
    /// The line.
    pub(crate) text: String,
    /// What made it run, when nobody typed it.
    pub(crate) cause: Option<String>,
    /// How it ended.
    pub(crate) end: Option<End>,
}

/// How a line ended, as it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct End {
    /// In one word, see `Status`.
    pub(crate) status: String,
    /// When, Unix milliseconds.
    pub(crate) at: i64,
    /// What the room was told.
    pub(crate) message: String,
    /// How long it took, microseconds.
    pub(crate) took_us: u64,
    /// Values in the reply.
    pub(crate) values: u64,
}

/// A row of a line, in full.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    /// Its place in the log.
    pub(crate) seq: i64,
    /// When, Unix milliseconds.
    pub(crate) at: i64,
    /// `asked`, `verdict`, `intent`, `effect` or `closed`.
    pub(crate) kind: String,
    /// The command it is about.
    pub(crate) command: Option<String>,
    /// What was decided, or how it ended.
    pub(crate) outcome: Option<String>,
    /// The rest, a JSON object.
    pub(crate) body: Box<RawValue>,
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            since: None,
            until: None,
            who: None,
            room: None,
            command: None,
            text: None,
            ended: None,
            oldest: false,
            limit: 50,
        }
    }
}

impl Audit {
    /// Lines, newest first unless the oldest are wanted. Reads beside the writer, on a thread of its own.
    pub(crate) async fn list(&self, filter: Filter) -> Result<Vec<Summary>, StoreError> {
        let store = self.0.store.clone();
        apart(move || {
            let wanted = Wanted {
                since: filter.since,
                until: filter.until,
                who: filter.who.as_ref().map(|whose| match whose {
                    Whose::Person(who) | Whose::Name(who) => who.as_str(),
                }),
                again: matches!(filter.who, Some(Whose::Name(_))),
                room: filter.room.as_deref(),
                command: filter.command.as_deref(),
                text: filter.text.as_deref(),
                oldest: filter.oldest,
                ended: filter.ended.map(|wish| match wish {
                    Wish::As(status) => Ended::As(status.as_str()),
                    Wish::NotYet => Ended::NotYet,
                }),
                limit: filter.limit,
            };
            Ok(store.lines(&wanted)?.into_iter().map(summary).collect())
        })
        .await
    }

    /// All rows of a line in order; none when there is no such line. Small letters, and O, I, L for the digits, will do.
    pub(crate) async fn show(&self, ticket: &str) -> Result<Vec<Row>, StoreError> {
        let store = self.0.store.clone();
        let Some(seq) = name::seq(ticket) else { return Ok(Vec::new()) };
        apart(move || Ok(store.line(seq)?.into_iter().map(row).collect())).await
    }
}

pub(super) async fn apart<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(read).await.unwrap_or_else(|error| Err(StoreError::Failed(error.to_string())))
}

fn summary(line: Line) -> Summary {
    let Found { at, ticket, who, room, body, .. } = line.opened;
    let (text, via, cause) = match serde_json::from_str::<AskedBody<'_>>(&body) {
        Ok(AskedBody { text, via, cause, process: _ }) => {
            (text.into_owned(), via.into_owned(), cause.map(std::borrow::Cow::into_owned))
        }
        Err(_) if body.is_empty() => ("(erased)".into(), String::new(), None),
        // A row that was tampered with is shown as it is.
        Err(_) => (body, String::new(), None),
    };
    Summary {
        ticket: ticket.unwrap_or_default(),
        at,
        who: who.unwrap_or_default(),
        via,
        room: room.unwrap_or_default(),
        text,
        cause,
        end: line.closed.map(end),
    }
}

fn end(row: Found) -> End {
    let body = serde_json::from_str::<ClosedBody<'_>>(&row.body).unwrap_or_default();
    End {
        status: row.outcome.unwrap_or_default(),
        at: row.at,
        message: body.message.into_owned(),
        took_us: body.took_us,
        values: body.values,
    }
}

pub(super) fn row(found: Found) -> Row {
    let Found { seq, at, kind, command, outcome, body, .. } = found;
    let body = RawValue::from_string(body).unwrap_or_default();
    Row { seq, at, kind, command, outcome, body }
}
