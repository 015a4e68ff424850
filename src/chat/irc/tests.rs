//! The adapter against real servers that the tests start themselves, and against a scripted one for what no server can
//! be made to do. Each test has its own server, ports and folder.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod clients;
mod inspircd;
mod ngircd;
mod peer;
mod scripted;
mod servers;
mod speed;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use pipit_commands::{Error, Wanted};
use pipit_grammar::Span;
use tokio::sync::mpsc;

use crate::chat::{Answer, Ask, Entry, Habits, Handle, Link, Message, Place, Post, State, Teller, start};
use crate::engine::Question;

/// How long anything may take before a test fails.
const LIMIT: Duration = Duration::from_secs(20);

/// A bot under test, and what it heard.
struct Bot {
    handle: Handle,
    heard: mpsc::UnboundedReceiver<Message>,
}

/// Starts a bot: `extra` are more lines of its entry. It understands `say TEXT`, `lines N`, `who`, `wait MS TEXT`, `live`,
/// `lack` and `nothing`.
fn bot(server: &str, extra: &str) -> Bot {
    let entry = format!("service = 'irc'\nname = 'test'\nserver = '{server}'\nchannels = ['#ops']\n{extra}");
    let entry: Entry = toml::from_str(&entry).unwrap();
    entry.check().unwrap();
    let (tell, heard) = mpsc::unbounded_channel();
    let ask: Ask = Arc::new(move |message, teller| {
        let _test_is_over = tell.send(message.clone());
        answer(message, teller).boxed()
    });
    Bot { handle: start(entry, ask, Arc::new(|_| Habits::default()), Arc::new(|_, _, _, _| {})), heard }
}

async fn answer(message: Message, teller: Arc<Teller>) -> Option<Answer> {
    let (verb, rest) = message.text.split_once([' ', '\n']).unwrap_or((&message.text, ""));
    let text = match verb {
        "say" => rest.to_owned(),
        "lines" => (0..rest.parse().unwrap()).map(|n: u32| format!("line {n}")).collect::<Vec<_>>().join("\n"),
        "who" => format!("{} is {:?}", message.sender.shown, message.sender.account),
        "wait" => {
            let (millis, text) = rest.split_once(' ').unwrap();
            tokio::time::sleep(Duration::from_millis(millis.parse().unwrap())).await;
            text.to_owned()
        }
        "live" => {
            teller.life("it runs");
            return std::future::pending().await;
        }
        "lack" => {
            let (command, name) = ("say".into(), "TEXT".into());
            let wanted = Wanted { command, name, option: None, many: false, secret: false, one_of: Vec::new() };
            let error = Error::refused("TEXT is missing").at(Span::new(0, 3)).wants(wanted);
            let question = Question::of(&error, "say", true);
            return Some(Answer { text: "which TEXT?".into(), notice: false, question });
        }
        "boom" => panic!("as asked"),
        _ => return None,
    };
    Some(Answer { text, notice: false, question: None })
}

impl Bot {
    /// Waits until it is in its room.
    async fn joined(&self) {
        self.until("in #ops", |state| matches!(state.link, Link::Connected { .. }) && state.rooms == ["#ops"]).await;
    }

    async fn until(&self, what: &str, is: impl FnMut(&State) -> bool) -> State {
        let mut states = self.handle.watch();
        let state = tokio::time::timeout(LIMIT, states.wait_for(is)).await;
        state.unwrap_or_else(|_| panic!("not {what}: {:?}", self.handle.state())).unwrap().clone()
    }

    async fn hears(&mut self) -> Message {
        tokio::time::timeout(LIMIT, self.heard.recv()).await.expect("the bot hears nothing").unwrap()
    }

    fn heard_nothing_more(&mut self) {
        assert!(self.heard.try_recv().is_err());
    }
}

fn post(place: Place, text: &str) -> Post {
    Post { place, text: text.into(), heard: None, said: None }
}

#[test]
fn an_entry_is_read_or_refused_by_name() {
    let read = |text: &str| {
        let entry: Result<Entry, _> = toml::from_str(&format!("service = 'irc'\n{text}"));
        entry.map_err(|error| error.to_string()).and_then(|entry| entry.check().map(|()| entry))
    };
    let full = "name = 'libera'\nserver = 'irc.libera.chat:6697'\ntls = true\nca-file = '/ca.pem'\nnick = 'bob'\n\
                channels = ['#a']\nsasl = { account = 'bob', password-file = '/pw' }\nprefix = '..'\n\
                flood = { burst = 2, every = '500ms' }";
    let Entry::Irc(entry) = read(full).unwrap();
    assert_eq!((entry.nick.as_str(), entry.flood.burst, entry.sasl.unwrap().account.as_str()), ("bob", 2, "bob"));
    let Entry::Irc(entry) = read("name = 'x'\nserver = '[::1]'").unwrap();
    assert_eq!((entry.address().as_str(), entry.nick.as_str(), entry.prefix.as_str()), ("[::1]:6697", "pipit", "!"));
    let wrong = [
        ("name = 'x'", "server"),
        ("name = 'x'\nserver = 'h'\nnik = 'a'", "nik"),
        ("name = 'x y'\nserver = 'h'", "name"),
        ("name = 'x'\nserver = 'h:port'", "server"),
        ("name = 'x'\nserver = 'h'\nnick = '1a'", "nick"),
        ("name = 'x'\nserver = 'h'\nnick = 'a b'", "nick"),
        ("name = 'x'\nserver = 'h'\nchannels = ['ops']", "channels"),
        ("name = 'x'\nserver = 'h'\nchannels = ['#a,#b']", "channels"),
        ("name = 'x'\nserver = 'h'\nprefix = ''", "prefix"),
        ("name = 'x'\nserver = 'h'\nprefix = 'a'", "prefix"),
        ("name = 'x'\nserver = 'h'\nsasl = { account = 'a', password = 'b' }", "password"),
        ("name = 'x'\nserver = 'h'\nflood = { burst = 1, every = 'soon' }", "soon"),
    ];
    for (text, names) in wrong {
        let error = read(text).expect_err(text);
        assert!(error.contains(names), "{text}: {error}");
    }
}

#[test]
fn a_place_is_one_target() {
    let room = |name: &str| super::takes(&Place::Room(name.into())).is_ok();
    let direct = |name: &str| super::takes(&Place::Direct(name.into())).is_ok();
    assert!(room("#ops") && direct("al[i]ce"));
    for wrong in ["ops", "#a,#b", "#a b", "#a\r\nQUIT", "", "#"] {
        assert!(!room(wrong), "{wrong}");
    }
    for wrong in ["#ops", "a,b", "a b", "", "NickServ", ":a", "$*", "a!b@c", "@#ops"] {
        assert!(!direct(wrong), "{wrong}");
    }
}
