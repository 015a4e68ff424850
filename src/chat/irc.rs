//! Internet Relay Chat: the entry, and one connection from the first packet to the last.
//!
//! A nick proves nothing here. Who somebody is comes from the `account` tag that the server puts on the very message,
//! and only where the server agreed to send it; a server without it has strangers only. Deliberately absent: looking
//! accounts up by WHOIS or WHOX (true when asked, not when the line was said), CTCP replies, DCC, channel services.

mod cap;
mod codec;
mod fold;
mod login;
mod multiline;
mod said;
mod talk;
mod voice;
mod wire;

#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use tokio::time::{Instant, sleep_until, timeout};

use super::session::{Ended, Next, Session};
use super::{Flood, Place};
use crate::render::Look;
use talk::Talk;
use voice::More;
use wire::{Input, Output, Stream};

/// A table of more columns than most windows show becomes a record a message.
pub(super) const LOOK: Look = Look::Room { width: 100 };
/// The longest wait for TCP and TLS, and for the server's welcome.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often the link is looked after: silence, rooms, the nick.
const TICK: Duration = Duration::from_secs(30);
/// The longest wait for running lines when told to stop, and how often it is looked.
const LEAVE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_millis(20));

/// A bot on one network.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Entry {
    /// What this network is called here, such as `libera`; part of who somebody is.
    pub(crate) name: String,
    /// `host:port`; the port is 6697, or 6667 without TLS, when left out.
    pub(crate) server: String,
    /// Whether to speak TLS; on unless switched off.
    #[serde(default = "yes")]
    pub(crate) tls: bool,
    /// The certificates to trust, in PEM, in place of the machine's own.
    #[serde(default)]
    pub(crate) ca_file: Option<PathBuf>,
    /// The bot's name.
    #[serde(default = "pipit")]
    pub(crate) nick: String,
    /// The rooms to be in.
    #[serde(default)]
    pub(crate) channels: Vec<String>,
    /// The account to log in with. With it, a connection that is not logged in is given up.
    #[serde(default)]
    pub(crate) sasl: Option<Sasl>,
    /// What a command begins with.
    #[serde(default = "bang")]
    pub(crate) prefix: String,
    /// How fast the network lets a bot talk.
    #[serde(default = "safe_everywhere")]
    pub(crate) flood: Flood,
}

/// An account of the network's services.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Sasl {
    /// Its name.
    pub(crate) account: String,
    /// A file whose first line is the password; read anew for every connection.
    pub(crate) password_file: PathBuf,
}

fn yes() -> bool {
    true
}

fn pipit() -> String {
    "pipit".into()
}

fn bang() -> String {
    "!".into()
}

fn safe_everywhere() -> Flood {
    Flood { burst: 8, every: Duration::from_secs(1), long: 20 }
}

impl Entry {
    /// The files it needs.
    pub(super) fn files(&self) -> Vec<&std::path::Path> {
        let password = self.sasl.as_ref().map(|sasl| sasl.password_file.as_path());
        self.ca_file.as_deref().into_iter().chain(password).collect()
    }

    /// Takes paths in it as relative to a folder.
    pub(super) fn beside(&mut self, folder: &std::path::Path) {
        for path in self.ca_file.iter_mut().chain(self.sasl.iter_mut().map(|sasl| &mut sasl.password_file)) {
            *path = folder.join(&*path);
        }
    }

    /// Whether it can be started; the error names the key.
    pub(super) fn check(&self) -> Result<(), String> {
        let plain = |c: char| !c.is_whitespace() && !c.is_control();
        if self.name.is_empty() || !self.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
            return Err(format!("name = \"{}\": it takes letters, digits, `-` and `_`", self.name));
        }
        if self.server.is_empty() || !self.server.chars().all(plain) {
            return Err(format!("server = \"{}\": write `host:port`", self.server));
        }
        let address = self.address();
        if address.rsplit_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_err()) {
            return Err(format!("server = \"{}\": write `host:port`, the port a number", self.server));
        }
        let starts_well =
            self.nick.starts_with(|c: char| c.is_ascii() && !c.is_ascii_digit() && !"#&+@%!~:-$*".contains(c));
        if !starts_well || !self.nick.chars().all(|c| plain(c) && !"!@,*?".contains(c)) {
            return Err(format!("nick = \"{}\": it begins with a letter and holds no blank", self.nick));
        }
        if let Some(wrong) = self.channels.iter().find(|name| !is_room(name)) {
            return Err(format!("channels: \"{wrong}\" is no room; a room begins with `#`, without blank or comma"));
        }
        if self.prefix.is_empty() || !self.prefix.chars().all(|c| plain(c) && !c.is_alphanumeric()) {
            return Err(format!(
                "prefix = \"{}\": it takes signs, such as `!` or `..`, no letter and no blank",
                self.prefix
            ));
        }
        if self.sasl.as_ref().is_some_and(|sasl| sasl.account.is_empty() || sasl.account.contains('\0')) {
            return Err("sasl: the account is empty".into());
        }
        Ok(())
    }

    /// The server with its port.
    fn address(&self) -> String {
        let bare = match self.server.rsplit_once(':') {
            Some((host, _)) => host.contains(':') && self.server.ends_with(']'),
            None => true,
        };
        if bare { format!("{}:{}", self.server, if self.tls { 6697 } else { 6667 }) } else { self.server.clone() }
    }
}

/// Whether a name can be one target of a message, and nothing more.
fn is_target(name: &str) -> bool {
    let taken = |c: char| c.is_whitespace() || c.is_control() || c == ',';
    !name.is_empty() && name.len() <= 200 && !name.starts_with([':', '$']) && !name.contains(taken)
}

fn is_room(name: &str) -> bool {
    name.starts_with(['#', '&', '+', '!']) && name.len() > 1 && is_target(name)
}

/// Whether something may be posted there. A person's name may be no room, no list, and none of the network's services,
/// which would take it for the bot owner's order.
pub(super) fn takes(place: &Place) -> Result<(), String> {
    match place {
        Place::Room(name) if is_room(name) => Ok(()),
        Place::Room(name) => Err(format!("`{name}` is no room; a room begins with `#`")),
        Place::Direct(name) if name.to_ascii_lowercase().ends_with("serv") => {
            Err(format!("`{name}` is a service of the network; nothing is posted there"))
        }
        Place::Direct(name) if is_target(name) && !is_room(name) && !name.contains(['!', '@', '*', '?', '%']) => Ok(()),
        Place::Direct(name) => Err(format!("`{name}` is nobody's name")),
    }
}

/// One connection.
pub(super) async fn live(entry: &Entry, session: &mut Session) -> Ended {
    let address = entry.address();
    let opened = tokio::select! {
        opened = timeout(PATIENCE, Stream::open(&address, entry.tls, entry.ca_file.as_deref())) => opened,
        () = session.stopped() => return Ended::Stopped,
    };
    let mut stream = match opened {
        Ok(Ok(stream)) => stream,
        Ok(Err(ended)) => return ended,
        Err(_late) => return Ended::Lost(format!("no answer from {address} within {} s", PATIENCE.as_secs())),
    };
    let mut output = Output::default();
    let Err(ended) = through(entry, session, &mut stream, &mut output).await;
    match &ended {
        Ended::Lost(_) => {}
        Ended::Stopped | Ended::Refused(_) => leave(&mut stream, &mut output).await,
    }
    ended
}

async fn through(
    entry: &Entry,
    session: &mut Session,
    stream: &mut Stream,
    output: &mut Output,
) -> Result<Infallible, Ended> {
    let mut input = Input::new();
    let welcome = tokio::select! {
        welcome = timeout(PATIENCE, login::login(entry, stream, &mut input, output)) => match welcome {
            Ok(welcome) => welcome?,
            Err(_late) => return Err(Ended::Lost(format!("no welcome within {} s", PATIENCE.as_secs()))),
        },
        () = session.stopped() => return Err(Ended::Stopped),
    };
    session.up(&welcome.nick);
    let mut talk = Talk::new(entry, welcome, Instant::now());
    talk.enter(&mut output.bytes);
    let mut tick_at = Instant::now() + TICK;
    let mut leave_at = None;
    loop {
        // lines that came along with the welcome, and whatever was received since
        while let Some(line) = input.line() {
            talk.hear(line, session, output)?;
        }
        while let Some(say) = session.ready(talk.voice.takes_more()) {
            talk.say(&say);
        }
        let now = Instant::now();
        let more = talk.voice.release(now, output);
        let mut wake = match more {
            More::At(at) => at.min(tick_at),
            More::None | More::WhenSent => tick_at,
        };
        if let Some(leave_at) = leave_at {
            if now >= leave_at || (session.idle() && more == More::None) {
                return Err(Ended::Stopped);
            }
            wake = wake.min(now + LEAVE.1);
        }
        tokio::select! {
            biased;
            received = wire::turn(stream, &mut input, output, more == More::WhenSent) => received?,
            next = session.next(talk.voice.takes_more()), if leave_at.is_none() => match next {
                Next::Say(say) => say.iter().for_each(|say| talk.say(say)),
                Next::Stop => {
                    talk.deaf();
                    leave_at = Some(now + LEAVE.0);
                }
            },
            () = sleep_until(wake) => {
                if wake >= tick_at {
                    talk.tick(wake, output)?;
                    tick_at = Instant::now() + TICK;
                }
            }
        }
    }
}

/// Takes leave, and gives the server a second to say so: it would otherwise tell the rooms of a broken connection.
async fn leave(stream: &mut Stream, output: &mut Output) {
    codec::write(&mut output.bytes, &["QUIT"], Some("bye"));
    let mut input = Input::new();
    let gone = async {
        wire::send(stream, output).await?;
        loop {
            while input.line().is_some() {}
            wire::turn(stream, &mut input, output, false).await?;
        }
    };
    let _either: Result<std::io::Result<Infallible>, _> = timeout(Duration::from_secs(1), gone).await;
}
