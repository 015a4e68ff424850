//! What happened in a time, for a review after it: lines, decisions against them, effects, consents, posts, outcomes and
//! silence, gathered from the log, with the talk of rooms that keep it. Deliberately absent: how it is written down, see `page`.

use jiff::tz::TimeZone;
use pipit_commands::{Call, Error, Value, point, zone};
use pipit_grammar::rule::Place;

use super::super::room::{RoomId, room_of};
use super::super::{now, unavailable};
use super::Host;
use super::log::found;
use crate::access::asked_for;
use crate::audit::{Filter, Row, Summary, Whose};
use crate::limits::{TIMELINE_LINES, TIMELINE_TALK, TIMELINE_TIME};

mod page;

use page::Page;

/// Something that happened.
enum Moment {
    Line(Asked),
    Said(Said),
}

impl Moment {
    fn at(&self) -> i64 {
        match self {
            Self::Line(asked) => asked.at,
            Self::Said(said) => said.at,
        }
    }

    fn who(&self) -> &str {
        match self {
            Self::Line(asked) => &asked.who,
            Self::Said(said) => &said.who,
        }
    }
}

/// What was said in a room that keeps its conversation.
struct Said {
    at: i64,
    who: String,
    room: String,
    text: String,
}

/// A line and what came of it.
struct Asked {
    /// When it was asked, Unix milliseconds.
    at: i64,
    id: String,
    who: String,
    room: String,
    text: String,
    /// How it ended, in a word.
    ended: String,
    /// The rest of that.
    rest: String,
    /// What happened within it, each with its own time.
    within: Vec<(i64, String)>,
}

/// What the time is about.
struct About {
    since: i64,
    until: i64,
    zone: TimeZone,
    /// The name of the zone, as it is shown.
    zone_name: String,
    room: Option<String>,
    user: Option<String>,
    /// There was more than is shown.
    cut: bool,
}

/// The page, as one text.
pub(super) async fn timeline(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let at = now();
    let zone_name = call.text("zone").map_or_else(|| "UTC".to_owned(), |name| name.to_string());
    let zone = zone(&zone_name).map_err(Error::failed)?;
    let when = |option: &str| call.text(option).map(|text| point(&text, at).map_err(Error::failed)).transpose();
    let until = when("until")?.unwrap_or(at);
    let hour = i64::try_from(TIMELINE_TIME.as_millis()).unwrap_or(i64::MAX);
    let since = when("since")?.unwrap_or(until.saturating_sub(hour));
    if since >= until {
        return Err(Error::failed("the time ends before it begins"));
    }
    let typed = call.text("room");
    let meant = typed.as_ref().map(|typed| {
        room_of(typed).ok_or_else(|| Error::failed(format!("{typed:?} is no room: write #NAME, or SERVICE://#NAME")))
    });
    let meant = meant.transpose()?;
    let service = meant.as_ref().and_then(|(service, _)| service.clone());
    let room = meant.and_then(|(_, place)| match place {
        Place::Room(name) => Some(name.to_string()),
        Place::Dm => None,
    });
    let user = call.text("user").map(String::from);
    let filter = Filter {
        since: Some(since),
        until: Some(until),
        room: room.clone(),
        who: user.clone().map(Whose::Name),
        oldest: true,
        limit: TIMELINE_LINES + 1,
        ..Filter::default()
    };
    let mut lines = found(host, filter).await?;
    let here = |via: &str| service.as_ref().is_none_or(|service| service == via);
    lines.retain(|line| line.ticket != host.line() && here(&line.via));
    let cut = lines.len() > TIMELINE_LINES;
    lines.truncate(TIMELINE_LINES);
    let mut moments = Vec::with_capacity(lines.len());
    for line in lines {
        let rows = host.engine.0.audit.show(&line.ticket).await.map_err(unavailable)?;
        moments.push(Moment::Line(of_line(line, &rows)));
    }
    let there = |id: &RoomId| here(&id.service) && room.as_ref().is_none_or(|room| *id.name == room.to_lowercase());
    let (said, more) = said(host, (since, until), &there, user.as_deref())?;
    let cut = cut || more;
    moments.extend(said.into_iter().map(Moment::Said));
    if moments.is_empty() {
        let everybody = Filter { since: Some(since), until: Some(until), oldest: true, limit: 2, ..Filter::default() };
        let others = found(host, everybody).await?.iter().any(|line| line.ticket != host.line());
        host.tell(vec![if others {
            "the log has nothing of that room or person in that time, but of others it has: look at how they are spelled".into()
        } else {
            "the log has nothing of that time; --since says from when on, an hour ago when it is left out".into()
        }]);
    }
    // within a millisecond lines stand before talk, for that may be their answer
    moments.sort_by_key(Moment::at);
    let about = About { since, until, zone, zone_name, room, user, cut };
    let page = match call.text("format").as_deref() {
        Some("html") => Page::html(&about, &moments),
        Some(_) | None => Page::markdown(&about, &moments),
    };
    Ok(vec![Value::from(page)])
}

/// What was said in a time, in a room or by somebody; and whether there was more.
fn said(
    host: &Host,
    (since, until): (i64, i64),
    there: &dyn Fn(&RoomId) -> bool,
    user: Option<&str>,
) -> Result<(Vec<Said>, bool), Error> {
    let most = i64::try_from(TIMELINE_TALK).unwrap_or(i64::MAX).saturating_add(1);
    let mut talk = host.engine.store().talk(since, until, most).map_err(unavailable)?;
    let more = talk.len() > TIMELINE_TALK;
    talk.truncate(TIMELINE_TALK);
    let said = talk.into_iter().filter_map(|spoken| {
        let id = RoomId::from_key(&spoken.room)?;
        let theirs = user.is_none_or(|user| spoken.who == user || asked_for(&spoken.who) == user);
        (there(&id) && theirs).then(|| Said {
            at: spoken.at,
            who: spoken.who,
            room: id.name.to_string(),
            text: spoken.text,
        })
    });
    Ok((said.collect(), more))
}

fn of_line(line: Summary, rows: &[Row]) -> Asked {
    let within = rows.iter().filter_map(|row| Some((row.at, within(row)?))).collect();
    let (ended, rest) = match line.end {
        None => ("running".to_owned(), "it has not ended".to_owned()),
        Some(end) => {
            let values = match end.values {
                0 => String::new(),
                1 => "1 value, ".to_owned(),
                many => format!("{many} values, "),
            };
            let message = if end.message.is_empty() { String::new() } else { format!(": {}", end.message) };
            (end.status, format!("{values}{}{message}", took(end.took_us)))
        }
    };
    let via = if line.via == "shell" { " (terminal)" } else { "" };
    let who = format!("{}{via}", line.who);
    Asked { at: line.at, id: line.ticket, who, room: line.room, text: line.text, ended, rest, within }
}

/// What a record of a line tells, when it is more than the line itself.
fn within(row: &Row) -> Option<String> {
    let body = Value::from_json(row.body.get()).ok();
    let said = |name: &str| match &body {
        Some(Value::Record(record)) => record.get(name).map(|value| value.to_text().to_string()).unwrap_or_default(),
        _ => String::new(),
    };
    let command = row.command.as_deref().unwrap_or_default();
    let outcome = row.outcome.as_deref().unwrap_or_default();
    match (row.kind.as_str(), outcome) {
        ("verdict", "allowed") if command == "room:post" => Some(posted(body.as_ref())),
        ("asked" | "closed" | "intent", _) | ("verdict", "allowed") => None,
        ("verdict", _) => {
            let rule = said("rule");
            let rule = if rule.is_empty() { "no rule allows it".to_owned() } else { rule };
            Some(format!("{command} {outcome}: {rule}"))
        }
        ("effect", _) => {
            let message = said("message");
            Some(format!("{command} {outcome}{}{message}", if message.is_empty() { "" } else { ": " }))
        }
        (kind, _) => {
            let words = [kind, command, outcome].into_iter().filter(|word| !word.is_empty());
            let words: Vec<&str> = words.collect();
            let rest = body.as_ref().map(Value::to_json).filter(|body| body != "{}").unwrap_or_default();
            Some(format!("{} {rest}", words.join(" ")).trim_end().to_owned())
        }
    }
}

/// Where a post went, and by which program when it was one's.
fn posted(body: Option<&Value>) -> String {
    let Some(Value::Record(body)) = body else { return "posted".to_owned() };
    match body.get("args") {
        Some(Value::Record(args)) => {
            let part = |name: &str| args.get(name).map(Value::to_text).unwrap_or_default();
            format!("{} posted to {}", part("by"), part("to"))
        }
        place => format!("posted to {}", place.map(Value::to_text).unwrap_or_default()),
    }
}

/// `12 ms`, `1.2 s`, `3 min 20 s`.
fn took(micros: u64) -> String {
    match micros {
        0..1_000_000 => format!("{} ms", micros.div_ceil(1000)),
        1_000_000..60_000_000 => format!("{}.{} s", micros / 1_000_000, micros / 100_000 % 10),
        _ => format!("{} min {} s", micros / 60_000_000, micros / 1_000_000 % 60),
    }
}
