//! Polls: a question to a room, one vote a person, which may be changed until it closes.

use ecow::EcoString;
use pipit_commands::{Call, Error, ErrorKind, Record, Value};
use pipit_grammar::rule::Place;
use serde::{Deserialize, Serialize};

use super::super::room::{RoomId, SHELL};
use super::super::timers::{self, Due, Happened};
use super::super::world::{kind, own};
use super::super::{Engine, now};
use super::{Host, age, apply, clock, delete as remove, done, insert, owner, put, text};
use crate::audit::Status;
use crate::limits;
use crate::store::{Change, Expect, Store, StoreError};

/// A poll as kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Poll {
    number: u64,
    by: EcoString,
    at: i64,
    question: EcoString,
    options: Vec<EcoString>,
    /// When it closes by itself.
    closes: Option<i64>,
    /// When it was closed.
    closed: Option<i64>,
}

/// A vote as kept; its key says whose, so that nobody has two.
#[derive(Debug, Serialize, Deserialize)]
struct Vote {
    option: usize,
    /// When: what comes after the end does not count.
    at: i64,
}

/// A poll that closes at a time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in super::super) struct Closing {
    pub(in super::super) by: EcoString,
    service: EcoString,
    room: EcoString,
    number: u64,
}

impl Closing {
    /// The room it is in.
    pub(in super::super) fn room(&self) -> RoomId {
        RoomId::new(&self.service, &self.room)
    }
}

impl Poll {
    fn is_open(&self, at: i64) -> bool {
        self.closed.is_none() && self.closes.is_none_or(|closes| at < closes)
    }

    /// The option that a word means: its number, or its text.
    fn option(&self, said: &str) -> Option<usize> {
        let by_text = self.options.iter().position(|option| option.to_lowercase() == said.to_lowercase());
        by_text.or_else(|| said.parse::<usize>().ok()?.checked_sub(1).filter(|at| *at < self.options.len()))
    }
}

/// Under which key a poll of a room is kept, so that they come in the order of their numbers.
fn key(room: &RoomId, number: u64) -> String {
    own(&room.owner(), &format!("{number:08}"))
}

/// The polls of a room, the newest last.
fn all(store: &Store, room: &RoomId) -> Result<Vec<Poll>, Error> {
    let found = store.below(kind::POLL, &own(&room.owner(), "")).map_err(super::stored)?;
    Ok(found.into_iter().filter_map(|found| serde_json::from_str(&found.body).ok()).collect())
}

pub(super) async fn ask(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let (by, room, at) = (owner(host)?.clone(), super::rooms::this(host)?, now());
    let question = text(call, "QUESTION")?;
    let options: Vec<EcoString> = call.all("OPTION").iter().map(|arg| arg.value.to_text()).collect();
    checked(&question, &options)?;
    let closes = match call.value("for") {
        #[expect(clippy::cast_possible_truncation, reason = "a time of at most a year, in milliseconds")]
        Some(Value::Float(seconds)) => Some(at.saturating_add((seconds * 1000.0) as i64)),
        Some(_) | None => None,
    };
    let store = host.engine.store();
    let polls = all(store, &room)?;
    if polls.iter().filter(|poll| poll.is_open(at)).count() >= limits::POLLS {
        return Err(Error::failed(format!("{} polls are open in {room}, and that is all there can be", limits::POLLS))
            .help("poll close ends one"));
    }
    let number = polls.last().map_or(1, |poll| poll.number + 1);
    let mut changes = Vec::new();
    // the oldest that are closed make room for the new one
    let over = (polls.len() + 1).saturating_sub(limits::OWN_THINGS);
    for old in polls.iter().filter(|poll| !poll.is_open(at)).take(over) {
        changes.push(remove(kind::POLL, key(&room, old.number), Expect::Anything));
        let votes = store.below(kind::BALLOT, &format!("{}/", key(&room, old.number))).map_err(super::stored)?;
        changes.extend(votes.into_iter().map(|vote| remove(kind::BALLOT, vote.key, Expect::Anything)));
    }
    let poll = Poll { number, by: by.clone(), at, question, options, closes, closed: None };
    changes.push(insert(kind::POLL, key(&room, number), &poll));
    if let Some(closes) = closes {
        let closing = Closing { by, service: room.service.clone(), room: room.name.clone(), number };
        let id = super::fresh_id();
        changes.push(timers::set(&id, closes, &Due::Close(closing)));
    }
    match store.apply(changes).await {
        Err(StoreError::Exists { .. }) => {
            Err(Error::failed("somebody asked something at the same moment; say it again"))
        }
        other => other.map_err(super::stored),
    }?;
    let mut said = format!("poll {number}: {}", poll.question);
    for (at, option) in poll.options.iter().enumerate() {
        said.push_str(&format!("\n{}. {option}", at + 1));
    }
    let until = closes.map_or(String::new(), |closes| format!("; it closes in {}", clock::length(closes - at)));
    said.push_str(&format!("\nvote with: poll vote NUMBER{until}"));
    Ok(done(said))
}

fn checked(question: &str, options: &[EcoString]) -> Result<(), Error> {
    const LONGEST: usize = 300;
    if options.len() < 2 || options.len() > limits::OPTIONS {
        return Err(Error::failed(format!("a poll has two to {} options", limits::OPTIONS))
            .help("write poll 'QUESTION' OPTION OPTION; words that belong together go in quotes"));
    }
    let texts = || std::iter::once(question).chain(options.iter().map(EcoString::as_str));
    if texts().any(|text| text.trim().is_empty() || text.chars().count() > LONGEST || text.contains('\n')) {
        return Err(Error::failed(format!("a question and an option are one line of up to {LONGEST} letters")));
    }
    let mut seen = std::collections::HashSet::new();
    match options.iter().find(|option| !seen.insert(option.to_lowercase())) {
        Some(twice) => Err(Error::failed(format!("the option {twice} is there twice"))),
        None => Ok(()),
    }
}

/// The poll that a call means: by its number, or the newest, or the newest that is open.
fn find(host: &Host, number: Option<i64>, open: bool) -> Result<(RoomId, Poll), Error> {
    let (room, at) = (super::rooms::this(host)?, now());
    let polls = all(host.engine.store(), &room)?;
    let wanted = |poll: &Poll| match number {
        Some(number) => i64::try_from(poll.number) == Ok(number),
        None => !open || poll.is_open(at),
    };
    let poll = polls.into_iter().rev().find(wanted);
    let poll = poll.ok_or_else(|| {
        let what = match number {
            Some(number) => format!("there is no poll {number} in {room}"),
            None if open => format!("no poll is open in {room}"),
            None => format!("there is no poll in {room}"),
        };
        Error::failed(what).help("poll list shows those of the last time; poll 'QUESTION' OPTION OPTION asks")
    })?;
    Ok((room, poll))
}

pub(super) async fn vote(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let (me, at) = (owner(host)?, now());
    let (room, poll) = find(host, call.int("poll"), true)?;
    let said = call.joined("CHOICE").unwrap_or_default();
    if !poll.is_open(at) {
        return Err(Error::failed(format!("poll {} is closed", poll.number)).help("poll show says how it ended"));
    }
    let option = poll.option(&said).ok_or_else(|| {
        let options = poll.options.iter().enumerate().map(|(at, option)| format!("{} {option}", at + 1));
        Error::failed(format!("{said:?} is no option of poll {}", poll.number))
            .help(options.collect::<Vec<_>>().join(", "))
    })?;
    let vote = Vote { option, at };
    apply(host, vec![put(kind::BALLOT, format!("{}/{me}", key(&room, poll.number)), &vote, Expect::Anything)]).await?;
    let chosen = poll.options.get(option).cloned().unwrap_or_default();
    Ok(done(format!("{me} votes for {chosen} in poll {}", poll.number)))
}

/// The votes of a poll, option by option.
fn counted(store: &Store, room: &RoomId, poll: &Poll) -> Result<Vec<usize>, Error> {
    let votes = store.below(kind::BALLOT, &format!("{}/", key(room, poll.number))).map_err(super::stored)?;
    let mut counts = vec![0; poll.options.len()];
    let votes = votes.iter().filter_map(|vote| serde_json::from_str::<Vote>(&vote.body).ok());
    for vote in votes.filter(|vote| poll.closed.is_none_or(|closed| vote.at <= closed)) {
        if let Some(count) = counts.get_mut(vote.option) {
            *count += 1;
        }
    }
    Ok(counts)
}

/// How a poll stands: a record an option, with a bar.
fn standing(store: &Store, room: &RoomId, poll: &Poll) -> Result<Vec<Value>, Error> {
    const WIDTH: usize = 20;
    let counts = counted(store, room, poll)?;
    let all: usize = counts.iter().sum();
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    Ok(poll
        .options
        .iter()
        .zip(counts)
        .enumerate()
        .map(|(at, (option, votes))| {
            let share = (votes * 100 + all / 2).checked_div(all).unwrap_or(0);
            let fields = [
                ("number", Value::from(at + 1)),
                ("option", option.clone().into()),
                ("votes", Value::from(votes)),
                ("share", format!("{share}%").into()),
                ("bar", "█".repeat((votes * WIDTH).div_ceil(most)).into()),
            ];
            fields.into_iter().collect::<Record>().into()
        })
        .collect())
}

pub(super) fn show(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    owner(host)?;
    let (room, poll) = find(host, call.int("NUMBER"), false)?;
    standing(host.engine.store(), &room, &poll)
}

pub(super) fn list(host: &Host) -> Result<Vec<Value>, Error> {
    owner(host)?;
    let (room, at) = (super::rooms::this(host)?, now());
    let polls = all(host.engine.store(), &room)?;
    polls
        .into_iter()
        .map(|poll| {
            let votes: usize = counted(host.engine.store(), &room, &poll)?.iter().sum();
            let fields = [
                ("number", Value::Int(i64::try_from(poll.number).unwrap_or(i64::MAX))),
                ("question", poll.question.clone().into()),
                ("by", poll.by.clone().into()),
                ("age", age(poll.at).into()),
                ("votes", votes.into()),
                ("state", if poll.is_open(at) { "open" } else { "closed" }.into()),
            ];
            Ok(fields.into_iter().collect::<Record>().into())
        })
        .collect()
}

pub(super) async fn close(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let me = owner(host)?;
    let (room, poll) = find(host, call.int("NUMBER"), true)?;
    if poll.by != *me && !host.subject.has("room:manage") {
        let message = format!("{me} may not close poll {}: {} asked it", poll.number, poll.by);
        return Err(Error::new(ErrorKind::Denied, message).help("whoever holds room:manage may too"));
    }
    if !poll.is_open(now()) {
        return Err(Error::failed(format!("poll {} is closed already", poll.number)));
    }
    let closed = Poll { closed: Some(now()), ..poll };
    apply(host, vec![put(kind::POLL, key(&room, closed.number), &closed, Expect::Present)]).await?;
    standing(host.engine.store(), &room, &closed)
}

impl Engine {
    /// Closes a poll whose time has come and tells its room, unless somebody closed it before.
    pub(in super::super) async fn close_poll(&self, closing: &Closing, id: &str, at: i64) -> Result<Happened, Error> {
        let room = closing.room();
        let found = all(self.store(), &room)?.into_iter().find(|poll| poll.number == closing.number);
        let Some(poll) = found.filter(|poll| poll.closed.is_none()) else {
            return Ok(Happened::Done(Vec::new()));
        };
        let closed = Poll { closed: poll.closes.or(Some(at)), ..poll };
        let values = standing(self.store(), &room, &closed)?;
        let said = format!("poll {} is closed: {}\n{}", closed.number, closed.question, crate::render::text(&values));
        let mut changes: Vec<Change> = vec![put(kind::POLL, key(&room, closed.number), &closed, Expect::Anything)];
        let line = format!("poll close {}", closed.number);
        let line = self.as_a_line(&closing.by, (&room.service, &room.name), &line, "timer", at).await?;
        if room.service == SHELL {
            changes.push(super::rooms::kept_post(&room.to_string(), at, &closing.by, &said, id));
        } else if let Some(outlet) = self.0.outlet.get()
            && outlet.knows(&room.service, &Place::Room(room.name.clone()))
            && let Err(error) = outlet.post(&room.service, &room.name, &said).await
        {
            line.ended(Status::Failed, &error.to_string()).await?;
            return Ok(Happened::Later(error));
        }
        line.ended(Status::Ok, "").await?;
        Ok(Happened::Done(changes))
    }
}
