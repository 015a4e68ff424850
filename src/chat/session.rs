//! One entry's life over all its connections: what is heard becomes lines, answers find their way back.
//!
//! Lines go on while a connection is down; what they answer to a room is said on the next one. What they answer to one
//! person is not: the name may be another's by then.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ecow::EcoString;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::backoff::Backoff;
use super::breaker::Breaker;
use super::embedded::{self, Asked};
use super::seen::Seen;
use super::turns::{Done, Turn, Turns};
use super::whereabouts::Whereabouts;
use super::{Answer, Ask, Entry, Link, Message, Place, Post, Sender, Stands, State, Ways, address};
use crate::limits;

/// How a connection ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// We were told to.
    Stopped,
    /// It broke; why.
    Lost(String),
    /// The other side, or our own care, says no; why. Trying again soon would be rude.
    Refused(String),
}

impl From<std::io::Error> for Ended {
    fn from(error: std::io::Error) -> Self {
        Self::Lost(format!("the connection broke: {error}"))
    }
}

/// A message as an adapter hears it, after what only it can know: it is nobody's echo, no notice, no bot, not old.
pub(super) struct Heard<'a> {
    pub(super) place: Place,
    pub(super) sender: Sender,
    pub(super) asked: Asked<'a>,
    pub(super) key: Option<EcoString>,
    pub(super) at: Option<i64>,
}

/// Something to say.
#[derive(Debug)]
pub(super) struct Say {
    pub(super) place: Place,
    pub(super) text: String,
    pub(super) notice: bool,
}

/// What an adapter waits for besides its socket.
pub(super) enum Next {
    /// To be said; `None` where a line had nothing to say.
    Say(Option<Say>),
    /// Take leave.
    Stop,
}

/// What outlives a connection.
pub(super) struct Session {
    service: EcoString,
    prefix: EcoString,
    ways: Ways,
    turns: Turns,
    seen: Seen,
    answers: mpsc::Receiver<Done>,
    posts: mpsc::Receiver<Post>,
    state: watch::Sender<State>,
    stop: watch::Receiver<bool>,
    breaker: Breaker,
    whereabouts: Whereabouts,
    up_since: Option<Instant>,
}

impl Session {
    pub(super) fn new(
        service: EcoString,
        prefix: &str,
        (ask, ways): (Ask, Ways),
        posts: mpsc::Receiver<Post>,
        state: watch::Sender<State>,
        stop: watch::Receiver<bool>,
    ) -> Self {
        let (turns, answers) = Turns::new(ask);
        let prefix = prefix.into();
        let (seen, breaker) = (Seen::default(), Breaker::new(Instant::now()));
        Self {
            service,
            prefix,
            ways,
            turns,
            seen,
            answers,
            posts,
            state,
            stop,
            breaker,
            whereabouts: Whereabouts::default(),
            up_since: None,
        }
    }

    /// What a text that was said in a place asks for, or `None` for talk.
    pub(super) fn asked<'a>(&self, text: &'a str, nick: &str, place: &Place) -> Option<Asked<'a>> {
        let direct = match place {
            Place::Direct(_) => return address::line(text, &self.prefix, nick, true).map(Asked::Line),
            Place::Room(_) => false,
        };
        let habits = (self.ways)(place);
        let prefix = habits.prefix.as_ref().unwrap_or(&self.prefix);
        match address::line(text, prefix, nick, direct) {
            Some(line) => Some(Asked::Line(line)),
            None if habits.embedded => embedded::lines(text),
            None => None,
        }
    }

    /// Runs a line, once. What comes back is to be said at once.
    pub(super) fn hear(&mut self, heard: Heard<'_>) -> Option<Say> {
        if let Some(key) = &heard.key
            && !self.seen.first(key)
        {
            return None;
        }
        let (text, stands) = match heard.asked {
            Asked::Line(line) => (line, Stands::Alone),
            Asked::Embedded { first, then } => {
                (first, Stands::InTalk { then: then.into_iter().map(EcoString::from).collect() })
            }
            Asked::TooMany(many) => {
                let text = format!(
                    "{}: {many} commands stand in that message, and {} are the most; none of them ran",
                    heard.sender.shown,
                    limits::EMBEDDED
                );
                return Some(Say { place: heard.place, text, notice: true });
            }
        };
        let message = Message {
            service: self.service.clone(),
            place: heard.place,
            sender: heard.sender,
            text: text.into(),
            stands,
            key: heard.key,
            at: heard.at.unwrap_or_else(now),
            heard: self.whereabouts.now(),
        };
        match self.turns.line_up(message) {
            Turn::Taken | Turn::RefusedAgain => None,
            Turn::Refused { sender, place } => {
                let text = format!("{sender}: too many of your lines wait; say it again later");
                Some(Say { place, text, notice: true })
            }
        }
    }

    /// Waits until told to stop.
    pub(super) async fn stopped(&mut self) {
        // an error is a handle that was dropped, which says the same
        let _told = self.stop.wait_for(|stop| *stop).await;
    }

    /// Waits for something to say. Nothing is lost when the wait is given up.
    pub(super) async fn next(&mut self) -> Next {
        let heard = tokio::select! {
            _ = self.stop.wait_for(|stop| *stop) => return Next::Stop,
            Some(done) = self.answers.recv() => Ok(done),
            Some(post) = self.posts.recv() => Err(post),
        };
        Next::Say(match heard {
            Ok(done) => self.answered(done),
            Err(post) => self.posted(post),
        })
    }

    /// Something to say that is there already.
    pub(super) fn ready(&mut self) -> Option<Say> {
        while let Ok(done) = self.answers.try_recv() {
            if let Some(say) = self.answered(done) {
                return Some(say);
            }
        }
        while let Ok(post) = self.posts.try_recv() {
            if let Some(say) = self.posted(post) {
                return Some(say);
            }
        }
        None
    }

    fn posted(&self, post: Post) -> Option<Say> {
        let place = match (post.place, post.heard) {
            (Place::Direct(name), Some(heard)) => {
                let Some(name) = self.whereabouts.follow(name, heard) else {
                    tracing::info!(service = %self.service, "a post came after whom it was for had left");
                    return None;
                };
                Place::Direct(name)
            }
            (place, _) => place,
        };
        let notice = matches!(place, Place::Room(_)) && address::rouses(&post.text);
        Some(Say { place, text: post.text, notice })
    }

    fn answered(&mut self, done: Done) -> Option<Say> {
        let Answer { text, notice } = done.answer?;
        match done.place {
            Place::Room(_) => {
                let notice = notice || address::rouses(&text);
                Some(Say { place: done.place, text, notice })
            }
            Place::Direct(name) => {
                let Some(name) = self.whereabouts.follow(name, done.asked) else {
                    tracing::info!(service = %self.service, "an answer came after its asker had left");
                    return None;
                };
                let notice = notice || self.breaker.careful(&name, Instant::now());
                Some(Say { place: Place::Direct(name), text, notice })
            }
        }
    }

    /// Somebody has another name now, or is gone.
    pub(super) fn left(&mut self, name: &str, now: Option<&str>) {
        self.whereabouts.left(name, now);
    }

    /// Whether every line has been answered and every answer taken.
    pub(super) fn idle(&self) -> bool {
        self.turns.idle() && self.answers.is_empty() && self.posts.is_empty()
    }

    /// The link is up, under this name.
    pub(super) fn up(&mut self, nick: &str) {
        self.up_since.get_or_insert_with(Instant::now);
        let nick = EcoString::from(nick);
        self.state.send_modify(|state| {
            let since = match &state.link {
                Link::Connected { since, .. } => *since,
                Link::Connecting | Link::Waiting { .. } | Link::Stopped => now(),
            };
            state.link = Link::Connected { since, nick };
        });
    }

    /// The bot is in that room, or no longer.
    pub(super) fn room(&self, room: &EcoString, joined: bool) {
        self.state.send_modify(|state| {
            state.rooms.retain(|name| name != room);
            if joined {
                state.rooms.push(room.clone());
            }
        });
    }

    /// Something went wrong that does not end the connection.
    pub(super) fn trouble(&self, error: String) {
        tracing::warn!(service = %self.service, "{error}");
        self.state.send_modify(|state| state.last_error = Some(error));
    }

    fn link(&self, link: Link) {
        self.state.send_modify(|state| {
            state.link = link;
            state.rooms.clear();
        });
    }
}

/// Connects, and connects again, until told to stop.
pub(super) async fn keep(entry: Arc<Entry>, mut session: Session) {
    let mut backoff = Backoff::default();
    loop {
        session.whereabouts.all_left();
        session.up_since = None;
        session.link(Link::Connecting);
        let (error, refused) = match entry.live(&mut session).await {
            Ended::Stopped => break,
            Ended::Lost(error) => (error, false),
            Ended::Refused(error) => (error, true),
        };
        session.trouble(error);
        let held = session.up_since.map_or(Duration::ZERO, |since| since.elapsed());
        let wait = backoff.after(held, refused, getrandom::u32().unwrap_or_default());
        let until = now().saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
        session.link(Link::Waiting { until });
        tokio::select! {
            _ = session.stop.wait_for(|stop| *stop) => break,
            () = tokio::time::sleep(wait) => {}
        }
    }
    session.link(Link::Stopped);
}

/// Milliseconds since 1970.
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
