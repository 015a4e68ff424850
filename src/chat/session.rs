//! One entry's life over all its connections: what is heard becomes lines, answers find their way back.
//!
//! Lines go on while a connection is down; what they answer to a room is said on the next one. What they answer to one
//! person is not: the name may be another's by then.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ecow::EcoString;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::backoff::Backoff;
use super::breaker::Breaker;
use super::embedded::{self, Asked};
use super::questions::{Open, Questions};
use super::seen::Seen;
use super::speakers::Speakers;
use super::teller::{About, Told, What};
use super::turns::{Turn, Turns};
use super::whereabouts::Whereabouts;
use super::{Ask, Entry, Habits, Link, Listen, Message, Place, Post, Sender, Stands, State, Ways, address};
use crate::limits;
use crate::scrub;

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
    pub(super) order: Order,
}

/// How things that wait to be said stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// One behind the other.
    Usual,
    /// That a line of this number runs: before all others, and not when its answer is there.
    Life(u64),
    /// What a line of this number came to.
    Answer(u64),
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
    listen: Listen,
    turns: Turns,
    seen: Seen,
    lives: mpsc::Receiver<Told>,
    answers: mpsc::Receiver<Told>,
    posts: mpsc::Receiver<Post>,
    state: watch::Sender<State>,
    stop: watch::Receiver<bool>,
    breaker: Breaker,
    whereabouts: Whereabouts,
    speakers: Speakers,
    questions: Questions,
    up_since: Option<Instant>,
}

impl Session {
    pub(super) fn new(
        entry: &Entry,
        (ask, ways, listen): (Ask, Ways, Listen),
        posts: mpsc::Receiver<Post>,
        state: watch::Sender<State>,
        stop: watch::Receiver<bool>,
    ) -> Self {
        let (turns, lives, answers) = Turns::new(ask, entry.look());
        let (service, prefix) = (entry.name().into(), entry.prefix().into());
        let (seen, breaker) = (Seen::default(), Breaker::new(Instant::now()));
        Self {
            service,
            prefix,
            ways,
            listen,
            turns,
            seen,
            lives,
            answers,
            posts,
            state,
            stop,
            breaker,
            whereabouts: Whereabouts::default(),
            speakers: Speakers::default(),
            questions: Questions::default(),
            up_since: None,
        }
    }

    /// Somebody said something in a place.
    pub(super) fn spoke(&mut self, place: &Place, nick: &str) {
        self.speakers.spoke(place, nick);
    }

    /// Somebody said something that is no command.
    pub(super) fn overhear(&mut self, place: &Place, sender: &Sender, text: &str, key: Option<&EcoString>) {
        let first = key.is_none_or(|key| self.seen.first(key));
        if first && matches!(place, Place::Room(_)) {
            // by our own clock, as the log is, so that all stands in the order in which it was heard
            (self.listen)(place, Some(sender), text, now());
        }
    }

    /// What a text that somebody said in a place asks for, or `None` for talk. `bot` is our own name there.
    pub(super) fn asked<'a>(&self, text: &'a str, bot: &str, place: &Place, sender: &Sender) -> Option<Asked<'a>> {
        let habits = match place {
            Place::Direct(_) => Habits::default(),
            Place::Room(_) => (self.ways)(place),
        };
        let prefix = habits.prefix.as_ref().unwrap_or(&self.prefix);
        if let Some(line) = address::line(text, prefix, bot, false) {
            return Some(Asked::Line(line));
        }
        match self.questions.open(place, sender) {
            Some(Open::Word(_)) if text.trim().eq_ignore_ascii_case("cancel") => return Some(Asked::Cancelled),
            Some(Open::Word(question)) => return Some(Asked::Completed(question.completed(text))),
            Some(Open::Program(_)) => return Some(Asked::Answered(text)),
            None => {}
        }
        match place {
            Place::Direct(_) => address::line(text, prefix, bot, true).map(Asked::Line),
            Place::Room(_) if habits.embedded => embedded::lines(text),
            Place::Room(_) => None,
        }
    }

    /// Runs a line, once. What comes back is to be said at once.
    pub(super) fn hear(&mut self, heard: Heard<'_>) -> Option<Say> {
        if let Some(key) = &heard.key
            && !self.seen.first(key)
        {
            return None;
        }
        // whatever they say now, they have heard the question
        self.questions.moved_on(&heard.place, &heard.sender);
        let (text, stands): (EcoString, Stands) = match heard.asked {
            Asked::Line(line) => (line.into(), Stands::Alone),
            Asked::Completed(line) => (line, Stands::Alone),
            Asked::Cancelled => {
                let text = format!("{}: cancelled; nothing ran", heard.sender.shown);
                return Some(Say { place: heard.place, text, notice: false, order: Order::Usual });
            }
            Asked::Answered(said) => {
                if let Some(asking) = self.questions.take(&heard.place, &heard.sender) {
                    asking.answer(said);
                }
                return None;
            }
            Asked::Embedded { first, then } => {
                (first.into(), Stands::InTalk { then: then.into_iter().map(EcoString::from).collect() })
            }
            Asked::TooMany(many) => {
                let text = format!(
                    "{}: {many} commands stand in that message, and {} are the most; none of them ran",
                    heard.sender.shown,
                    limits::EMBEDDED
                );
                return Some(Say { place: heard.place, text, notice: true, order: Order::Usual });
            }
        };
        let spoken = self.speakers.since(&heard.place);
        let message = Message {
            service: self.service.clone(),
            place: heard.place,
            sender: heard.sender,
            text,
            stands,
            key: heard.key,
            at: heard.at.unwrap_or_else(now),
            heard: self.whereabouts.now(),
            spoken,
        };
        match self.turns.line_up(message) {
            Turn::Taken | Turn::RefusedAgain => None,
            Turn::Refused { sender, place } => {
                let text = format!("{sender}: too many of your lines wait; say it again later");
                Some(Say { place, text, notice: true, order: Order::Usual })
            }
        }
    }

    /// Waits until told to stop.
    pub(super) async fn stopped(&mut self) {
        // an error is a handle that was dropped, which says the same
        let _told = self.stop.wait_for(|stop| *stop).await;
    }

    /// Waits for something to say. Nothing is lost when the wait is given up. Without `room` for more only what may go
    /// before all else is awaited.
    pub(super) async fn next(&mut self, room: bool) -> Next {
        let heard = tokio::select! {
            biased;
            _ = self.stop.wait_for(|stop| *stop) => return Next::Stop,
            Some(life) = self.lives.recv() => Ok(life),
            Some(told) = self.answers.recv(), if room => Ok(told),
            Some(post) = self.posts.recv(), if room => Err(post),
        };
        Next::Say(match heard {
            Ok(told) => self.told(told),
            Err(post) => self.posted(post),
        })
    }

    /// Something to say that is there already; see [`Self::next`].
    pub(super) fn ready(&mut self, room: bool) -> Option<Say> {
        while let Ok(told) = self.lives.try_recv() {
            if let Some(say) = self.told(told) {
                return Some(say);
            }
        }
        if !room {
            return None;
        }
        while let Ok(told) = self.answers.try_recv() {
            if let Some(say) = self.told(told) {
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
        if let Some(said) = post.said {
            // whoever asked may not wait any more
            let _ = said.send(());
        }
        let notice = matches!(place, Place::Room(_)) && address::rouses(&post.text);
        let text = scrub::owned(post.text);
        if matches!(place, Place::Room(_)) {
            (self.listen)(&place, None, &text, now());
        }
        Some(Say { place, text, notice, order: Order::Usual })
    }

    fn told(&mut self, told: Told) -> Option<Say> {
        let about = told.about;
        let answers = Order::Answer(about.number);
        let (text, notice, order) = match told.what {
            // it is late: the place knows more already
            What::Life(_) if about.is_answered() => return None,
            What::Life(text) => (text.into(), false, Order::Life(about.number)),
            What::Part(text) => (text, false, answers),
            What::Ask(asking) => {
                let text = format!("{} Say it here, or cancel", asking.text());
                let text = match &about.place {
                    // it is the asker's alone, and says so
                    Place::Room(_) => format!("{}: {text}", about.asker.shown),
                    Place::Direct(_) => text,
                };
                self.questions.ask(&about.place, &about.asker, Open::Program(asking));
                (text, false, answers)
            }
            What::Answer(answer) => {
                about.answer();
                let answer = answer?;
                if let Some(question) = answer.question {
                    self.questions.ask(&about.place, &about.asker, Open::Word(question));
                }
                (answer.text, answer.notice, answers)
            }
        };
        match &about.place {
            Place::Room(_) => {
                let text = self.named(&about, scrub::owned(text));
                if !matches!(order, Order::Life(_)) {
                    (self.listen)(&about.place, None, &text, now());
                }
                let notice = notice || address::rouses(&text);
                Some(Say { place: about.place.clone(), text, notice, order })
            }
            Place::Direct(name) => {
                let text = scrub::told_text(text);
                let Some(name) = self.whereabouts.follow(name.clone(), about.heard) else {
                    tracing::info!(service = %self.service, "an answer came after its asker had left");
                    return None;
                };
                let notice = notice || self.breaker.careful(&name, Instant::now());
                Some(Say { place: Place::Direct(name), text, notice, order })
            }
        }
    }

    /// The text, with the name of the asker when somebody else has spoken in the room since they were last addressed.
    fn named(&self, about: &About, text: String) -> String {
        let spoken = self.speakers.since(&about.place);
        if about.spoken.swap(spoken, Ordering::Relaxed) == spoken {
            return text;
        }
        let shown = &about.asker.shown;
        let name = self.whereabouts.follow(shown.clone(), about.heard).unwrap_or_else(|| shown.clone());
        if text.starts_with(&format!("{name}: ")) {
            return text;
        }
        // what stands under each other goes on to do so
        let between = if text.contains('\n') { '\n' } else { ' ' };
        format!("{name}:{between}{text}")
    }

    /// Somebody has another name now, or is gone.
    pub(super) fn left(&mut self, name: &str, now: Option<&str>) {
        self.whereabouts.left(name, now);
        self.questions.left(name);
    }

    /// Whether every line has been answered and every answer taken.
    pub(super) fn idle(&self) -> bool {
        self.turns.idle() && self.lives.is_empty() && self.answers.is_empty() && self.posts.is_empty()
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
