//! Reminders: a text that is said at a time, to whoever asked, in a room, or to another person.
//!
//! One that was asked for in a room is said there; one that was asked for in private goes to the person it was asked by, as long
//! as the service still knows them to be that person, and else into their inbox.

use ecow::EcoString;
use pipit_commands::{Call, Error, Labels, Record, Value};
use pipit_grammar::ast::Target;
use pipit_grammar::rule::Place;
use serde::{Deserialize, Serialize};

use super::super::room::{RoomId, SHELL};
use super::super::timers::{self, Due, Happened};
use super::super::{Address, Engine, now};
use super::{Host, apply, clock, done, inbox, owner, text};
use crate::access::{Identity, Subject};
use crate::audit::{self, Status};
use crate::limits;
use crate::store::timer::Timer;

/// A reminder as kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in super::super) struct Reminder {
    /// Who asked for it.
    pub(in super::super) by: EcoString,
    to: To,
    text: EcoString,
    /// Whether saying it took the right to post, which is asked for again then.
    posts: bool,
    /// The zone in which its time was meant.
    zone: EcoString,
    /// Where its words come from, when somebody else had a part in them.
    #[serde(default)]
    labels: Vec<EcoString>,
}

/// Where a reminder is said.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum To {
    /// In a room; to somebody there, when it is not for all.
    Room { service: EcoString, room: EcoString, to: Option<EcoString> },
    /// To a user alone; where the service reached them, for as long as the process lives that heard them.
    Person { user: EcoString, service: EcoString, name: Option<EcoString>, heard: u64, process: EcoString },
}

impl Reminder {
    /// The room it is said in. For one person there is always the inbox.
    pub(in super::super) fn room(&self) -> Option<RoomId> {
        match &self.to {
            To::Room { service, room, .. } => Some(RoomId::new(service, room)),
            To::Person { .. } => None,
        }
    }

    /// For whom it is, as it is shown.
    fn shown(&self) -> String {
        match &self.to {
            To::Room { service, room, to: Some(to) } => format!("{to} in {}", RoomId::new(service, room)),
            To::Room { service, room, to: None } => RoomId::new(service, room).to_string(),
            To::Person { user, .. } => format!("@{user}"),
        }
    }

    /// What is said, late or not.
    fn said(&self, timer: &Timer, at: i64) -> String {
        const LATE: i64 = 60_000;
        let other = match &self.to {
            To::Person { user, .. } => *user != self.by,
            To::Room { to, .. } => to.is_none(),
        };
        let from = if other { format!(" from {}", self.by) } else { String::new() };
        let mut said = match &self.to {
            To::Room { to: Some(to), .. } => format!("{to}, a reminder{from}: {}", self.text),
            To::Room { to: None, .. } | To::Person { .. } => format!("a reminder{from}: {}", self.text),
        };
        if at.saturating_sub(timer.due) > LATE {
            let zone = clock::zone(&self.zone).unwrap_or(jiff::tz::TimeZone::UTC);
            let due = clock::shown(timer.due, at, &zone);
            said.push_str(&format!(" (late: it was for {due}, {} ago)", super::age(timer.due)));
        }
        if timer.broken_off > 1 {
            said.push_str(" (maybe said before: the shell broke off)");
        }
        said
    }
}

/// Sets a reminder.
pub(super) async fn remind(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let by = owner(host)?.clone();
    let words: Vec<EcoString> =
        call.all("WHEN").iter().chain(call.all("TEXT")).map(|arg| arg.value.to_text()).collect();
    let (zone, at) = (clock::zone_of(host), now());
    let (due, said) = split(&words, at, &zone)?;
    if said.chars().count() > limits::REMINDER {
        return Err(Error::failed(format!("a reminder has {} letters at most", limits::REMINDER)));
    }
    let labels = &call.args().output;
    let (to, posts) = recipient(host, &text(call, "WHO")?, labels)?;
    let set = all(host.engine.store())?.into_iter().filter(|(_, reminder)| reminder.by == by).count();
    if set >= limits::OWN_THINGS {
        return Err(Error::failed(format!("{set} reminders are all that one person may have; cancel one first")));
    }
    let zone_name = zone.iana_name().unwrap_or("UTC").into();
    let labels = labels.iter().cloned().collect();
    let reminder = Reminder { by, to, text: said, posts, zone: zone_name, labels };
    let id = super::fresh_id();
    apply(host, vec![timers::set(&id, due, &Due::Remind(reminder.clone()))]).await?;
    Ok(done(format!(
        "{id}: {} is reminded at {} {}, in {}",
        reminder.shown(),
        clock::shown(due, at, &zone),
        zone.iana_name().unwrap_or("UTC"),
        clock::length(due - at)
    )))
}

/// The time at the head of the words, as many of them as make one, and the text behind it.
fn split(words: &[EcoString], at: i64, zone: &jiff::tz::TimeZone) -> Result<(i64, EcoString), Error> {
    const MOST: usize = 6;
    for upto in (1..=words.len().min(MOST)).rev() {
        let Some((head, rest)) = words.split_at_checked(upto) else { continue };
        let Some(due) = clock::when(&head.join(" "), at, zone) else { continue };
        let due = due?;
        let said = rest.join(" ");
        if said.trim().is_empty() {
            return Err(Error::failed("what to remind of is missing").help("write remind WHO WHEN TEXT"));
        }
        return Ok((due, said.into()));
    }
    let first = words.first().cloned().unwrap_or_default();
    Err(Error::failed(format!("{first:?} begins no time")).help(
        "write in 10m, at 15:00, tomorrow 9:00, monday 9am or 2026-12-24 18:00; `my zone = Europe/Zurich` says where you are",
    ))
}

/// Whom `WHO` means, and whether reaching them takes the right to post: oneself and the room of the line take none.
fn recipient(host: &Host, who: &str, labels: &Labels) -> Result<(To, bool), Error> {
    let me = owner(host)?;
    let shown = host.address.as_ref().map_or_else(|| me.clone(), |address| address.name.clone());
    match who {
        "me" => Ok((here(host, Some(shown)).unwrap_or_else(|| myself(host, me)), false)),
        "here" => match here(host, None) {
            Some(room) => Ok((room, false)),
            None => Ok((myself(host, me), false)),
        },
        _ if who.starts_with('#') || who.contains("://") => {
            let id = super::rooms::named(host, who)?;
            let target = if id.service == host.service {
                Target::Room(id.name.clone())
            } else {
                Target::Place { adapter: id.service.clone(), place: ecow::eco_format!("#{}", id.name) }
            };
            may_post(host, &target, labels)?;
            Ok((To::Room { service: id.service, room: id.name, to: None }, true))
        }
        _ => {
            let name = who.strip_prefix('@').unwrap_or(who);
            if host.world.policy.people().meant(name) == Some(me) {
                return Ok((myself(host, me), false));
            }
            let Some(user) = host.world.policy.people().meant(name) else {
                return Err(Error::failed(format!("there is nobody called {name} to remind"))
                    .help("WHO is me, here, #room, service://#room or @user"));
            };
            may_post(host, &Target::User(name.into()), labels)?;
            let person = To::Person {
                user: user.clone(),
                service: SHELL.into(),
                name: None,
                heard: 0,
                process: EcoString::new(),
            };
            Ok((person, true))
        }
    }
}

fn may_post(host: &Host, target: &Target, labels: &Labels) -> Result<(), Error> {
    host.may_post_now(target)?;
    host.suits(target, labels, None)
}

/// The room of the line, if something can be said there later.
fn here(host: &Host, to: Option<EcoString>) -> Option<To> {
    let Place::Room(room) = &host.context().place else { return None };
    let chat = host.engine.0.outlet.get().is_some_and(|outlet| outlet.knows(&host.service, &host.context().place));
    let own = host.service == SHELL && host.world.rooms.contains_key(&RoomId::new(SHELL, room));
    (chat || own).then(|| To::Room { service: host.service.clone(), room: room.clone(), to })
}

fn myself(host: &Host, me: &EcoString) -> To {
    let (name, heard) = host.address.as_ref().map_or((None, 0), |address| (Some(address.name.clone()), address.heard));
    To::Person { user: me.clone(), service: host.service.clone(), name, heard, process: host.engine.0.process.clone() }
}

/// Every reminder there is, the next one first.
fn all(store: &crate::store::Store) -> Result<Vec<(Timer, Reminder)>, Error> {
    let timers = store.timers().map_err(super::stored)?;
    Ok(timers
        .into_iter()
        .filter_map(|timer| match timers::read(&timer) {
            Some(Due::Remind(reminder)) => Some((timer, reminder)),
            Some(Due::Close(_)) | None => None,
        })
        .collect())
}

pub(super) fn list(host: &Host) -> Result<Vec<Value>, Error> {
    let (me, zone, at) = (owner(host)?, clock::zone_of(host), now());
    let mine = all(host.engine.store())?.into_iter().filter(|(_, reminder)| reminder.by == *me);
    Ok(mine
        .map(|(timer, reminder)| {
            let fields = [
                ("id", Value::from(timer.id.as_str())),
                ("when", clock::shown(timer.due, at, &zone).into()),
                ("who", reminder.shown().into()),
                ("text", reminder.text.into()),
            ];
            Value::from(fields.into_iter().collect::<Record>())
        })
        .collect())
}

pub(super) async fn cancel(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let (id, me) = (text(call, "ID")?, owner(host)?);
    let found = all(host.engine.store())?.into_iter().find(|(timer, reminder)| timer.id == *id && reminder.by == *me);
    // the reminders of others are not there
    let (timer, _) = found
        .ok_or_else(|| Error::failed(format!("you have no reminder {id}")).help("remind list shows those you have"))?;
    apply(host, vec![timer.cancel()]).await?;
    Ok(done(format!("the reminder {id} is cancelled")))
}

impl Engine {
    /// Says a reminder, as far as whoever asked may still post there. It stands in the log as a line of theirs.
    pub(in super::super) async fn remind(
        &self,
        reminder: &Reminder,
        timer: &Timer,
        at: i64,
    ) -> Result<Happened, Error> {
        let world = self.world()?;
        let identity =
            if reminder.by == "operator" { Identity::Operator } else { Identity::Named(reminder.by.clone()) };
        // a person who is no longer a user reminds nobody and is not reminded
        let Ok(subject) = world.policy.subject(&identity) else { return Ok(Happened::Done(Vec::new())) };
        if let To::Person { user, .. } = &reminder.to
            && user != subject.name()
            && !world.policy.people().has_user(user)
        {
            return Ok(Happened::Done(Vec::new()));
        }
        if let (To::Room { service, room, .. }, Some(outlet)) = (&reminder.to, self.0.outlet.get())
            && service != SHELL
            && !outlet.knows(service, &Place::Room(room.clone()))
            && at.saturating_sub(timer.due) < limits::REMINDER_WAITS
        {
            return Ok(Happened::Later(Error::failed(format!("the bot is not in {}", RoomId::new(service, room)))));
        }
        let (via, room) = match &reminder.to {
            To::Room { service, room, .. } => (service, room.as_str()),
            To::Person { service, .. } => (service, ""),
        };
        let line = format!("remind {} {}", reminder.shown(), reminder.text);
        let line = self.as_a_line(&reminder.by, (via, room), &line, "reminder", at).await?;
        let right = !reminder.posts || subject.has("room:post");
        let suits = match &reminder.to {
            To::Room { service, room, .. } => {
                world.audience(service, &Place::Room(room.clone())).takes(&reminder.labels.iter().cloned().collect())
            }
            To::Person { .. } => true,
        };
        let allowed = right && suits;
        if reminder.posts || !suits {
            line.trail().verdict(&audit::Verdict {
                at,
                command: "room:post",
                args: &Value::from(reminder.shown()).to_json(),
                allowed,
                rule: "must have room:post",
            });
        }
        let said = if allowed { self.say(reminder, timer, at, &subject).await } else { Ok(Vec::new()) };
        let (status, message) = match &said {
            Ok(_) if !suits => {
                (Status::Denied, "the room is shared with others, who are not shown what others wrote".into())
            }
            Ok(_) if !allowed => (Status::Denied, format!("it takes room:post, which {} no longer has", reminder.by)),
            Ok(_) => (Status::Ok, String::new()),
            Err(error) => (Status::Failed, error.to_string()),
        };
        line.ended(status, &message).await?;
        Ok(match said {
            Ok(changes) => Happened::Done(changes),
            Err(error) => Happened::Later(error),
        })
    }

    async fn say(
        &self,
        reminder: &Reminder,
        timer: &Timer,
        at: i64,
        subject: &Subject,
    ) -> Result<Vec<crate::store::Change>, Error> {
        let said = reminder.said(timer, at);
        let inbox = |user: &str| inbox::message(self.store(), user, at, &reminder.by, &said, &timer.id);
        match &reminder.to {
            To::Room { service, room, .. } if service == SHELL => {
                let place = RoomId::new(SHELL, room).to_string();
                Ok(vec![super::rooms::kept_post(&place, at, subject.name(), &said, &timer.id)])
            }
            To::Room { service, room, .. } => match self.0.outlet.get() {
                Some(outlet) if outlet.knows(service, &Place::Room(room.clone())) => {
                    outlet.post(service, room, &said).await.map(|()| Vec::new())
                }
                // the room has been out of reach for long: whoever asked should know at least
                Some(_) | None => inbox(&reminder.by),
            },
            To::Person { user, service, name, heard, process } => {
                if let (Some(name), Some(outlet)) = (name, self.0.outlet.get())
                    && *process == self.0.process
                {
                    let address = Address { name: name.clone(), heard: *heard };
                    if outlet.whisper(service, &address, &said).await.is_ok() {
                        return Ok(Vec::new());
                    }
                }
                inbox(user)
            }
        }
    }
}
