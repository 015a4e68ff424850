//! A person on IRC with a client library of another project: what they say, what they hear.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Instant;

use super::home::{Beside, PATIENCE, sources, tool};

/// Somebody who is connected.
pub(crate) struct Person {
    client: Beside,
    heard: Receiver<Heard>,
    nick: String,
    room: String,
}

/// Something heard: of which kind, by whom, where, and the text.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) kind: String,
    pub(crate) who: String,
    pub(crate) place: String,
    pub(crate) text: String,
}

impl Person {
    /// Somebody on the way whom nobody vouches for.
    pub(crate) fn stranger(port: u16, nick: &str, room: &str) -> Self {
        Self::connect(port, nick, None, room)
    }

    /// Somebody on the way who logs in to the network's services.
    pub(crate) fn login(port: u16, nick: &str, password: &str, room: &str) -> Self {
        Self::connect(port, nick, Some(password), room)
    }

    fn connect(port: u16, nick: &str, password: Option<&str>, room: &str) -> Self {
        let mut command = Command::new(tool("python3"));
        command.arg(sources().join("tests/irc/client.py")).arg(port.to_string()).arg(nick).args(password);
        let mut client = Beside::start(command.stdin(Stdio::piped()).stdout(Stdio::piped()));
        let lines = BufReader::new(client.child().stdout.take().unwrap()).lines();
        let (tell, heard) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let (kind, who, place, text) = serde_json::from_str(&line).unwrap();
                if tell.send(Heard { kind, who, place, text }).is_err() {
                    return;
                }
            }
        });
        Self { client, heard, nick: nick.into(), room: room.into() }
    }

    /// Once they are in the room. Several may be on their way at the same time.
    pub(crate) fn arrived(mut self) -> Self {
        self.expect("a welcome", |heard| {
            assert_ne!(heard.kind, "login_failed", "{heard:?}");
            heard.kind == "welcome"
        });
        self.client.types(&format!(":JOIN {}\n", self.room));
        self.expect("the names", |heard| heard.kind == "endofnames");
        self
    }

    /// Takes another nick.
    pub(crate) fn rename(&mut self, nick: &str) {
        self.client.types(&format!(":NICK {nick}\n"));
        self.expect("the new nick", |heard| heard.kind == "nick" && heard.place == nick);
        self.nick = nick.into();
    }

    /// Says something in the room.
    pub(crate) fn say(&mut self, text: &str) {
        let room = self.room.clone();
        self.tell(&room, text);
    }

    /// Says something to somebody or in a room.
    pub(crate) fn tell(&mut self, target: &str, text: &str) {
        self.client.types(&format!("{target}\t{text}\n"));
    }

    /// Waits for something.
    pub(crate) fn expect(&mut self, what: &str, wanted: impl Fn(&Heard) -> bool) -> Heard {
        let end = Instant::now() + PATIENCE;
        let mut others = Vec::new();
        loop {
            match self.heard.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(heard) if wanted(&heard) => return heard,
                Ok(heard) => others.push(heard),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("{} waited in vain for {what}: {others:#?} {}", self.nick, self.client.written())
                }
            }
        }
    }

    /// What the bot says next in that place.
    pub(crate) fn hears_in(&mut self, place: &str) -> String {
        let spoken = |heard: &Heard| matches!(heard.kind.as_str(), "pubmsg" | "privmsg" | "pubnotice" | "privnotice");
        self.expect("the bot", |heard| spoken(heard) && heard.who == "pipit" && heard.place == place).text
    }

    /// What the bot says next in the room.
    pub(crate) fn hears(&mut self) -> String {
        let room = self.room.clone();
        self.hears_in(&room)
    }

    /// Asks in the room and gives the first line of the answer.
    pub(crate) fn ask(&mut self, text: &str) -> String {
        self.say(text);
        self.hears()
    }

    /// Asks in private and gives the first line of the answer.
    pub(crate) fn whisper(&mut self, text: &str) -> String {
        self.tell("pipit", text);
        let nick = self.nick.clone();
        self.hears_in(&nick)
    }
}
