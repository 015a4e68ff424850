//! A connection after the welcome: what is heard, and where we are.
//!
//! Deliberately absent: how it is said and how fast (`voice.rs`).

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use ecow::EcoString;
use tokio::time::Instant;

use super::cap::{Cap, Caps, list};
use super::codec::{Line, write};
use super::fold::Fold;
use super::login::Welcome;
use super::multiline::Open;
use super::voice::Voice;
use super::wire::Output;
use super::{Entry, said};
use crate::chat::session::{Ended, Heard, Order, Say, Session};
use crate::chat::{Place, Sender};

/// What `user@host` may come to before the server has told.
const USER_HOST: usize = 10 + 1 + 63;
/// A silence after which the server is asked whether it is there; twice that is the end.
const SILENCE: Duration = Duration::from_mins(1);
/// Groups of old messages open at the same time.
const BATCHES: usize = 64;

/// The state of a connection.
pub(super) struct Talk<'a> {
    entry: &'a Entry,
    caps: Caps,
    fold: Fold,
    nick: String,
    /// Length of `user@host`, as others see it.
    user_host: usize,
    rooms: HashMap<String, Room>,
    /// References of groups whose messages are not said now.
    old: HashSet<Vec<u8>>,
    /// Messages that have begun.
    open: Open,
    pub(super) voice: Voice,
    /// When we were let in, by the server's clock.
    since: Option<i64>,
    heard_at: Instant,
    pinged: bool,
    /// Told to stop: nothing said now runs.
    deaf: bool,
}

/// A room that we are in.
struct Room {
    name: EcoString,
    /// When we came, by the server's clock.
    since: Option<i64>,
}

impl<'a> Talk<'a> {
    pub(super) fn new(entry: &'a Entry, welcome: Welcome, now: Instant) -> Self {
        Self {
            entry,
            caps: welcome.caps,
            fold: Fold::default(),
            nick: welcome.nick,
            user_host: USER_HOST,
            rooms: HashMap::new(),
            old: HashSet::new(),
            open: Open::default(),
            voice: Voice::new(entry.flood, welcome.multiline, now),
            since: welcome.since,
            heard_at: now,
            pinged: false,
            deaf: false,
        }
    }

    /// Takes a line in.
    pub(super) fn hear(&mut self, raw: &[u8], session: &mut Session, output: &mut Output) -> Result<(), Ended> {
        let Some(line) = Line::parse(raw) else { return Ok(()) };
        let out = &mut output.bytes;
        match line.command {
            b"PRIVMSG" if !self.open.takes(&line) => self.message(&line, line.param(0), line.param(1), session),
            b"PING" => write(out, &["PONG"], Some(&line.last())),
            b"JOIN" => self.join(&line, session),
            b"PART" if self.is_me(line.nick()) => self.leave(line.param(0), None, session),
            b"KICK" if self.is_me(line.param(1)) => {
                let why = format!("kicked from {}: {}", String::from_utf8_lossy(line.param(0)), line.last());
                self.leave(line.param(0), Some(why), session);
            }
            b"NICK" if self.is_me(line.nick()) => {
                self.nick = String::from_utf8_lossy(line.param(0)).into_owned();
                session.up(&self.nick);
            }
            b"NICK" => self.left(&line, std::str::from_utf8(line.param(0)).ok(), session, out),
            b"QUIT" => self.left(&line, None, session, out),
            b"CHGHOST" if self.is_me(line.nick()) => self.user_host = line.param(0).len() + 1 + line.param(1).len(),
            // the new host, maybe with the user in front; the longest user is 10
            b"396" => self.user_host = line.param(1).len() + 11,
            b"BATCH" => self.batch(&line, raw, session),
            b"CAP" => self.cap(&line, out),
            b"005" => self.supports(&line, out),
            b"403" | b"405" | b"471" | b"473" | b"474" | b"475" | b"476" | b"477" | b"489" => {
                session.trouble(format!("not in {}: {}", String::from_utf8_lossy(line.param(1)), line.last()));
            }
            b"404" | b"531" => {
                session.trouble(format!("cannot speak to {}: {}", String::from_utf8_lossy(line.param(1)), line.last()));
            }
            b"KILL" if self.is_me(line.param(0)) => return Err(Ended::Lost(format!("killed: {}", line.last()))),
            b"ERROR" => return Err(Ended::Lost(format!("the server hung up: {}", line.last()))),
            // a NOTICE among them: no bot answers one
            _ => {}
        }
        self.heard_at = Instant::now();
        self.pinged = false;
        Ok(())
    }

    fn is_me(&self, nick: &[u8]) -> bool {
        self.fold.same(nick, self.nick.as_bytes())
    }

    /// A message: a line to run, or talk. Talk is by far the most, so the text is looked at first.
    /// The line says who said it, with which tags.
    fn message(&mut self, line: &Line<'_>, target: &[u8], bytes: &[u8], session: &mut Session) {
        // what other programs ask for, and what people do, is in \x01
        if self.deaf || bytes.starts_with(b"\x01") {
            return;
        }
        let lossy = String::from_utf8_lossy(bytes);
        let text = said::plain(&lossy);
        let direct = self.is_me(target);
        let nick = line.nick();
        let (place, since) = if direct {
            (Place::Direct(String::from_utf8_lossy(nick).as_ref().into()), self.since)
        } else {
            let Some(room) = self.room(target) else { return };
            room
        };
        let account = if self.caps.has(Cap::AccountTag) { line.tag("account") } else { None };
        let account = account.filter(|account| !account.is_empty() && account != "*").map(EcoString::from);
        let sender = Sender { shown: String::from_utf8_lossy(nick).as_ref().into(), account };
        session.spoke(&place, &sender.shown);
        let asked = session.asked(&text, &self.nick, &place, &sender);
        let server = nick.len() == line.source.len() && nick.contains(&b'.');
        let bot = ["bot", "draft/bot", "inspircd.org/bot"].iter().any(|tag| line.tag(tag).is_some());
        // what another bot says is talk, and never more
        if server || (bot && asked.is_some()) || self.is_me(nick) {
            return;
        }
        let Ok(nick) = std::str::from_utf8(nick) else { return };
        let at = self.caps.has(Cap::ServerTime).then(|| time(line)).flatten();
        let before_us = since.zip(at).is_some_and(|(since, at)| at < since);
        if before_us || line.tag("batch").is_some_and(|batch| self.old.contains(batch.as_bytes())) {
            return;
        }
        let key = line.tag("msgid").filter(|id| !id.is_empty()).map(EcoString::from);
        let Some(asked) = asked else {
            session.overhear(&place, &sender, &text, key.as_ref());
            return;
        };
        if matches!(lossy, Cow::Owned(_)) {
            if self.voice.takes_more() {
                let text = format!("{nick}: that is no UTF-8 text; nothing ran");
                self.say(&Say { place, text, notice: true, order: Order::Usual });
            }
            return;
        }
        // what stands around the commands is talk
        if asked.is_in_talk() {
            session.overhear(&place, &sender, &text, None);
        }
        if let Some(say) = session.hear(Heard { place, sender, asked, key, at }) {
            self.say(&say);
        }
    }

    /// The room that a message was said in, and since when we are there; `None` when we are not. A message to those of a
    /// rank only (`@#ops`) is of a room by that name, so that the answer stays among them.
    fn room(&self, target: &[u8]) -> Option<(Place, Option<i64>)> {
        let target = std::str::from_utf8(target).ok()?;
        if let Some(room) = self.rooms.get(self.fold.lower(target).as_ref()) {
            return Some((Place::Room(room.name.clone()), room.since));
        }
        let room = self.rooms.get(self.fold.lower(target.get(1..)?).as_ref())?;
        Some((Place::Room(ecow::eco_format!("{}{}", &target[..1], room.name)), room.since))
    }

    fn join(&mut self, line: &Line<'_>, session: &Session) {
        if !self.is_me(line.nick()) {
            return;
        }
        if line.nick().len() < line.source.len() {
            self.user_host = line.source.len() - line.nick().len() - 1;
        }
        let Ok(target) = std::str::from_utf8(line.param(0)) else { return };
        let lower = self.fold.lower(target).into_owned();
        let ours = self.entry.channels.iter().find(|name| self.fold.lower(name) == lower);
        let name = EcoString::from(ours.unwrap_or(&lower).as_str());
        session.room(&name, true);
        self.rooms.insert(lower, Room { name, since: time(line) });
    }

    fn leave(&mut self, target: &[u8], why: Option<String>, session: &Session) {
        let lower = self.fold.lower(&String::from_utf8_lossy(target)).into_owned();
        if let Some(room) = self.rooms.remove(&lower) {
            session.room(&room.name, false);
        }
        if let Some(why) = why {
            session.trouble(why);
        }
    }

    /// Somebody has another nick now, or is gone. It may be ours that is free again.
    fn left(&self, line: &Line<'_>, to: Option<&str>, session: &mut Session, out: &mut Vec<u8>) {
        let Ok(nick) = std::str::from_utf8(line.nick()) else { return };
        session.left(nick, to);
        if self.nick != self.entry.nick && nick == self.entry.nick {
            write(out, &["NICK", nick], None);
        }
    }

    /// The start and the end of a group of messages. What a server or a bouncer plays back was said before.
    fn batch(&mut self, line: &Line<'_>, raw: &[u8], session: &mut Session) {
        match line.param(0) {
            [b'+', reference @ ..] => {
                let kind = line.param(1);
                let inner = line.tag("batch").is_some_and(|outer| self.old.contains(outer.as_bytes()));
                let old = inner || kind.ends_with(b"chathistory") || kind.ends_with(b"playback");
                if old && self.old.len() < BATCHES {
                    self.old.insert(reference.to_vec());
                } else if kind == b"draft/multiline" {
                    self.open.begin(reference, raw);
                }
            }
            [b'-', reference @ ..] => {
                self.old.remove(reference);
                if let Some(whole) = self.open.end(reference)
                    && let Some(head) = Line::parse(&whole.head)
                {
                    self.message(&head, head.param(2), &whole.text, session);
                }
            }
            _ => {}
        }
    }

    /// The server changes what it offers.
    fn cap(&mut self, line: &Line<'_>, out: &mut Vec<u8>) {
        let text = line.last();
        for (name, _) in list(&text) {
            let Some(cap) = Cap::named(name).filter(|cap| *cap != Cap::Sasl) else { continue };
            match line.param(1) {
                b"DEL" if cap == Cap::Multiline => self.voice.multiline = None,
                // its limits were told at the start or never
                _ if cap == Cap::Multiline => {}
                b"NEW" => write(out, &["CAP", "REQ"], Some(name)),
                b"ACK" => self.caps.set(cap, true),
                b"DEL" | b"NAK" => self.caps.set(cap, false),
                _ => {}
            }
        }
    }

    /// What the server is like. Where it has a mode for bots, we say that we are one.
    fn supports(&mut self, line: &Line<'_>, out: &mut Vec<u8>) {
        for word in line.params() {
            if let Some(mapping) = word.strip_prefix(b"CASEMAPPING=") {
                self.fold = Fold::named(mapping);
            } else if let Some([mode]) = word.strip_prefix(b"BOT=")
                && mode.is_ascii_alphabetic()
            {
                write(out, &["MODE", &self.nick, &format!("+{}", char::from(*mode))], None);
            }
        }
    }

    /// Joins the rooms that we should be in and are not.
    pub(super) fn enter(&self, out: &mut Vec<u8>) {
        for room in &self.entry.channels {
            if !self.rooms.contains_key(self.fold.lower(room).as_ref()) {
                write(out, &["JOIN", room], None);
            }
        }
    }

    /// Looks after the link: is the server there, are we in our rooms, do we have our nick.
    pub(super) fn tick(&mut self, now: Instant, output: &mut Output) -> Result<(), Ended> {
        let silence = now.duration_since(self.heard_at);
        if self.pinged && silence > SILENCE * 2 {
            return Err(Ended::Lost(format!("the server has been silent for {} s", silence.as_secs())));
        }
        let out = &mut output.bytes;
        if silence > SILENCE {
            self.pinged = true;
            write(out, &["PING"], Some("pipit"));
        }
        if self.nick != self.entry.nick {
            write(out, &["NICK", &self.entry.nick], None);
        }
        self.enter(out);
        Ok(())
    }

    /// Says something, in lines that others get whole.
    pub(super) fn say(&mut self, say: &Say) {
        self.voice.say(say, self.nick.len() + 1 + self.user_host);
    }

    /// Runs nothing from now on.
    pub(super) fn deaf(&mut self) {
        self.deaf = true;
    }
}

/// When a line was said, in milliseconds since 1970, by the server's word.
pub(super) fn time(line: &Line<'_>) -> Option<i64> {
    let time: jiff::Timestamp = line.tag("time")?.parse().ok()?;
    Some(time.as_millisecond())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]
    use super::*;

    #[test]
    fn a_silent_server_is_asked_and_then_given_up() {
        let entry = "name = 'x'\nserver = 'h'\nnick = 'pipit'\nchannels = ['#a', '#b']";
        let entry: Entry = toml::from_str(entry).unwrap();
        let start = Instant::now();
        let welcome = Welcome { nick: "pipit_".into(), caps: Caps::default(), multiline: None, since: None };
        let mut talk = Talk::new(&entry, welcome, start);
        let sent = |talk: &mut Talk<'_>, seconds| {
            let mut output = Output::default();
            let ended = talk.tick(start + Duration::from_secs(seconds), &mut output).is_err();
            (String::from_utf8(output.bytes).unwrap(), ended)
        };
        let again = "NICK pipit\r\nJOIN #a\r\nJOIN #b\r\n";
        assert_eq!(sent(&mut talk, 30), (again.to_owned(), false));
        assert_eq!(sent(&mut talk, 61), (format!("PING :pipit\r\n{again}"), false));
        assert!(sent(&mut talk, 121).1);
    }
}
