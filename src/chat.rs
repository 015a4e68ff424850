//! The chat services: what every one of them has in common, and the table of them.
//!
//! An adapter is one connection's life between two queues: it hands on what it heard and sends what it is given. All
//! else is decided here, once: which message is a command, that it runs once, whose turn it is, when to connect again.
//! Deliberately absent: commands, rights, and the protocol of any service (each has one file of its own below `chat/`).

mod address;
mod ask;
mod backoff;
mod breaker;
mod embedded;
mod flood;
mod follow;
pub(crate) mod irc;
mod outbox;
mod questions;
mod seen;
mod services;
mod session;
mod speakers;
mod split;
mod teller;
mod tls;
mod turns;
mod whereabouts;

use std::sync::Arc;

use ecow::EcoString;
use futures_util::future::BoxFuture;
use serde::Deserialize;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

pub(crate) use ask::{ask, listen, ways};
pub(crate) use flood::Flood;
pub(crate) use services::Services;
use session::Session;
pub(crate) use teller::Teller;

use crate::engine::Question;
use crate::render::Look;

/// Posts that may wait for a connection to take them.
const POSTS: usize = 256;

/// A command as heard: the prefix or the address is off, and it comes from nobody who may not ask.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// The entry's name, such as `libera`.
    pub(crate) service: EcoString,
    /// Where it was said, and where the answer goes.
    pub(crate) place: Place,
    /// Who said it.
    pub(crate) sender: Sender,
    /// The line itself.
    pub(crate) text: EcoString,
    /// How the line stood in what was said.
    pub(crate) stands: Stands,
    /// The service's own id of the message, where it has one; never handed on twice.
    pub(crate) key: Option<EcoString>,
    /// When it was said, in milliseconds since 1970: the service's word, or ours where it gives none.
    pub(crate) at: i64,
    /// When it was heard, in departures that the entry has counted: who had the sender's name then.
    pub(crate) heard: u64,
    /// How often somebody else had spoken in the room until then.
    pub(crate) spoken: u64,
}

/// How a line stood in what was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stands {
    /// The message was the line.
    Alone,
    /// In the midst of talk, in backticks.
    InTalk {
        /// The lines that stood there after it.
        then: Vec<EcoString>,
    },
}

/// What is said in a room that is not as the entry says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Habits {
    /// What a command begins with.
    pub(crate) prefix: Option<EcoString>,
    /// Whether commands in the midst of talk run.
    pub(crate) embedded: bool,
}

/// Tells the habits of a place. Asked for every message, also for talk.
pub(crate) type Ways = Arc<dyn Fn(&Place) -> Habits + Send + Sync>;

/// Told of what is said in a room and is no command, by whom (by the bot itself when by nobody), and when.
pub(crate) type Listen = Arc<dyn Fn(&Place, Option<&Sender>, &str, i64) + Send + Sync>;

/// Where something is said.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// A room by its name, such as `#ops`. Spelled as in the entry; a room the entry does not name is in small letters.
    Room(EcoString),
    /// One person, by the name shown.
    Direct(EcoString),
}

impl Place {
    /// The name that the service knows the place by.
    pub(crate) fn name(&self) -> &EcoString {
        match self {
            Self::Room(name) | Self::Direct(name) => name,
        }
    }
}

/// Who said something.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    /// The name shown. It proves nothing: anybody may take it.
    pub(crate) shown: EcoString,
    /// The account as the service verified it for this very message; `None` is a stranger.
    pub(crate) account: Option<EcoString>,
}

/// What to say in answer. Lines of the text become messages of their own, blank ones are left out.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The rendered answer.
    pub(crate) text: String,
    /// Said in the form that no bot answers, where the service has one.
    pub(crate) notice: bool,
    /// The line lacks a word, and the text asks for it: what the asker says next in that place is the word.
    pub(crate) question: Option<Question>,
}

/// Something said without being asked, such as the target of a redirect.
#[derive(Debug)]
pub(crate) struct Post {
    /// Where to.
    pub(crate) place: Place,
    /// Its lines become messages of their own.
    pub(crate) text: String,
    /// To one person: to who had the name when a message with this was heard, wherever they are now.
    pub(crate) heard: Option<u64>,
    /// Told when it goes out; dropped when whom it is for has left.
    pub(crate) said: Option<oneshot::Sender<()>>,
}

/// What runs a line: `None` says nothing. What the line comes to before its end can be told on the way. Lines of one sender
/// come one after the other, unless one takes long; those of others at the same time.
pub(crate) type Ask = Arc<dyn Fn(Message, Arc<Teller>) -> BoxFuture<'static, Option<Answer>> + Send + Sync>;

/// One `[[chat]]` of the configuration; `service` says which kind.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "service")]
pub(crate) enum Entry {
    /// A bot on one network of Internet Relay Chat.
    #[serde(rename = "irc")]
    Irc(irc::Entry),
}

impl Entry {
    /// The name the operator gave it.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Irc(entry) => &entry.name,
        }
    }

    /// Whether it can be started. The error names the key and what it should be.
    pub(crate) fn check(&self) -> Result<(), String> {
        match self {
            Self::Irc(entry) => entry.check(),
        }
    }

    /// What kind of service it is, as addresses begin: `irc` of `irc://libera/alice`.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Irc(_) => "irc",
        }
    }

    /// Takes paths in it as relative to a folder.
    pub(crate) fn beside(&mut self, folder: &std::path::Path) {
        match self {
            Self::Irc(entry) => entry.beside(folder),
        }
    }

    /// The files it needs.
    pub(crate) fn files(&self) -> Vec<&std::path::Path> {
        match self {
            Self::Irc(entry) => entry.files(),
        }
    }

    /// The rooms to be in.
    pub(crate) fn rooms(&self) -> &[String] {
        match self {
            Self::Irc(entry) => &entry.channels,
        }
    }

    /// For what answers are drawn there.
    fn look(&self) -> Look {
        match self {
            Self::Irc(_) => irc::LOOK,
        }
    }

    fn prefix(&self) -> &str {
        match self {
            Self::Irc(entry) => &entry.prefix,
        }
    }

    /// Whether something may be posted there at all.
    fn takes(&self, place: &Place) -> Result<(), String> {
        match self {
            Self::Irc(_) => irc::takes(place),
        }
    }

    /// One connection, from the first packet to the last.
    async fn live(&self, session: &mut Session) -> session::Ended {
        match self {
            Self::Irc(entry) => irc::live(entry, session).await,
        }
    }
}

/// How a connection is.
#[derive(Clone, Debug)]
pub(crate) struct State {
    /// The link now.
    pub(crate) link: Link,
    /// What went wrong last, kept after it is well again.
    pub(crate) last_error: Option<String>,
    /// The rooms the bot is in.
    pub(crate) rooms: Vec<EcoString>,
}

/// The link to a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// On the way.
    Connecting,
    /// Up and logged in.
    Connected {
        /// Since when, in milliseconds since 1970.
        since: i64,
        /// The bot's own name there.
        nick: EcoString,
    },
    /// Down; tried again at that time.
    Waiting {
        /// In milliseconds since 1970.
        until: i64,
    },
    /// Stopped for good.
    Stopped,
}

/// A started entry. Dropping it stops the connection as `stop` does, without waiting for it.
#[derive(Debug)]
pub(crate) struct Handle {
    entry: Arc<Entry>,
    posts: mpsc::Sender<Post>,
    state: watch::Receiver<State>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Handle {
    /// Says something. An error says why it will not be said: no such place, no link, or too much waiting.
    pub(crate) fn post(&self, post: Post) -> Result<(), String> {
        self.entry.takes(&post.place)?;
        let name = self.entry.name();
        match &self.state.borrow().link {
            Link::Connected { .. } => {}
            Link::Connecting | Link::Waiting { .. } => return Err(format!("{name} is not connected; try again later")),
            Link::Stopped => return Err(format!("{name} is stopped")),
        }
        self.posts.try_send(post).map_err(|_| format!("{POSTS} messages already wait for {name}; try again later"))
    }

    /// How it is now.
    pub(crate) fn state(&self) -> State {
        self.state.borrow().clone()
    }

    /// Tells of every change of the state.
    pub(crate) fn watch(&self) -> watch::Receiver<State> {
        self.state.clone()
    }

    /// Hears nothing more, gives running lines a few seconds to answer, and takes leave.
    pub(crate) async fn stop(self) {
        let _gone = self.stop.send(true);
        let _ended = self.task.await;
    }
}

/// Connects an entry and keeps it connected until the handle is stopped or dropped. Needs a tokio runtime.
pub(crate) fn start(entry: Entry, ask: Ask, ways: Ways, listen: Listen) -> Handle {
    let entry = Arc::new(entry);
    let (posts, heard_posts) = mpsc::channel(POSTS);
    let (stop, stopped) = watch::channel(false);
    let first = State { link: Link::Connecting, last_error: None, rooms: Vec::new() };
    let (tell, state) = watch::channel(first);
    let session = Session::new(&entry, (ask, ways, listen), heard_posts, tell, stopped);
    let task = tokio::spawn(session::keep(entry.clone(), session));
    Handle { entry, posts, state, stop, task }
}
