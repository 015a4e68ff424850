//! From the open socket to the welcome: extensions, the account, a free nick.
//!
//! With an account in the entry the only ways out are logged in and not connected. A server lets a client in after a
//! failed login all the same, and a bot without its account is one whose nick anybody may take.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::cap::{Cap, Caps, list};
use super::codec::{Line, write};
use super::multiline::Limits;
use super::talk::time;
use super::wire::{Input, Output, Stream, turn};
use super::{Entry, Sasl};
use crate::chat::session::Ended;

/// The base64 text goes in pieces of this many bytes; a piece shorter than that is the last.
const PIECE: usize = 400;
/// Names tried before giving up.
const NICKS: usize = 8;

/// What the server gave us.
#[derive(Debug)]
pub(super) struct Welcome {
    pub(super) nick: String,
    pub(super) caps: Caps,
    /// What it takes as one message of several lines, if it knows them.
    pub(super) multiline: Option<Limits>,
    /// When we were let in, by its own clock; where it tells.
    pub(super) since: Option<i64>,
}

/// How far the account is.
#[derive(Debug, PartialEq, Eq)]
enum Account {
    /// None is wanted.
    None,
    /// The credentials, to be sent when asked for.
    Wanted(String),
    /// They were sent.
    Sent,
    /// The server took them.
    In,
}

struct Login {
    nick: String,
    nicks: usize,
    caps: Caps,
    /// Answers to requests for extensions that are still to come.
    open: usize,
    multiline: Option<Limits>,
    offered: Vec<(Cap, String)>,
    account: Account,
    ended: bool,
}

/// Registers. An error that says no is worth no quick second try.
pub(super) async fn login(
    entry: &Entry,
    stream: &mut Stream,
    input: &mut Input,
    output: &mut Output,
) -> Result<Welcome, Ended> {
    let account = match &entry.sasl {
        None => Account::None,
        Some(_) if !stream.encrypted() && !stream.peer()?.ip().is_loopback() => {
            return Err(Ended::Refused(
                "sasl without tls would show the password to the network; set tls = true".into(),
            ));
        }
        Some(sasl) => Account::Wanted(credentials(sasl).map_err(Ended::Refused)?),
    };
    let nick = entry.nick.clone();
    let out = &mut output.bytes;
    write(out, &["CAP", "LS", "302"], None);
    write(out, &["NICK", &nick], None);
    write(out, &["USER", "pipit", "0", "*"], Some("Pipit"));
    let offered = Vec::new();
    let mut login =
        Login { nick, nicks: 0, caps: Caps::default(), open: 0, multiline: None, offered, account, ended: false };
    loop {
        while let Some(line) = input.line() {
            if let Some(line) = Line::parse(line)
                && let Some(welcome) = login.hear(&line, &mut output.bytes)?
            {
                return Ok(welcome);
            }
        }
        turn(stream, input, output, false).await?;
    }
}

/// What SASL PLAIN sends: whom to act as (left empty: the account itself), the account, the password.
fn credentials(sasl: &Sasl) -> Result<String, String> {
    let path = sasl.password_file.display();
    let text =
        std::fs::read_to_string(&sasl.password_file).map_err(|error| format!("password-file {path}: {error}"))?;
    let password = text.lines().next().unwrap_or_default();
    if password.is_empty() || password.contains('\0') {
        return Err(format!("password-file {path}: its first line has to be the password"));
    }
    crate::scrub::keep("chat password", password);
    Ok(BASE64_STANDARD.encode(format!("\0{}\0{password}", sasl.account)))
}

impl Login {
    fn hear(&mut self, line: &Line<'_>, out: &mut Vec<u8>) -> Result<Option<Welcome>, Ended> {
        match line.command {
            b"PING" => write(out, &["PONG"], Some(&line.last())),
            b"CAP" => self.cap(line, out)?,
            b"AUTHENTICATE" => self.authenticate(line, out),
            b"903" => {
                self.account = Account::In;
                self.end(out);
            }
            b"902" | b"904" | b"905" | b"906" | b"907" | b"908" => {
                return Err(Ended::Refused(format!("the server does not take the account: {}", line.last())));
            }
            b"433" | b"436" | b"437" => self.next_nick(out)?,
            b"432" => return Err(Ended::Refused(format!("nick {}: {}", self.nick, line.last()))),
            b"464" | b"465" | b"466" => return Err(Ended::Refused(format!("the server says no: {}", line.last()))),
            b"ERROR" => return Err(Ended::Lost(format!("the server hung up: {}", line.last()))),
            b"001" => return self.welcome(line).map(Some),
            // numerics and notices that tell nothing of use here
            _ => {}
        }
        Ok(None)
    }

    fn cap(&mut self, line: &Line<'_>, out: &mut Vec<u8>) -> Result<(), Ended> {
        let text = line.last();
        match line.param(1) {
            b"LS" => {
                let of_use = |(name, value): (&str, &str)| Some((Cap::named(name)?, value.into()));
                self.offered.extend(list(&text).filter_map(of_use));
                let more = line.param(2) == b"*" && line.params().len() > 3;
                if !more {
                    self.request(out)?;
                }
            }
            b"ACK" => list(&text).try_for_each(|(name, _)| self.answered(name, true, out))?,
            b"NAK" => list(&text).try_for_each(|(name, _)| self.answered(name, false, out))?,
            _ => {}
        }
        Ok(())
    }

    /// Asks for each extension by itself, so that one refusal takes no other along.
    fn request(&mut self, out: &mut Vec<u8>) -> Result<(), Ended> {
        let wants_sasl = self.account != Account::None;
        let takes_plain =
            |mechanisms: &String| mechanisms.is_empty() || mechanisms.split(',').any(|name| name == "PLAIN");
        if wants_sasl && !self.offered.iter().any(|(cap, value)| *cap == Cap::Sasl && takes_plain(value)) {
            return Err(no_sasl());
        }
        for (cap, value) in std::mem::take(&mut self.offered) {
            if cap == Cap::Multiline {
                self.multiline = Limits::offered(&value);
            }
            if cap != Cap::Sasl || wants_sasl {
                write(out, &["CAP", "REQ"], Some(cap.name()));
                self.open += 1;
            }
        }
        self.end(out);
        Ok(())
    }

    fn answered(&mut self, name: &str, yes: bool, out: &mut Vec<u8>) -> Result<(), Ended> {
        self.open = self.open.saturating_sub(1);
        match Cap::named(name) {
            Some(Cap::Sasl) if yes => write(out, &["AUTHENTICATE", "PLAIN"], None),
            Some(Cap::Sasl) => return Err(no_sasl()),
            Some(cap) => self.caps.set(cap, yes),
            None => {}
        }
        self.end(out);
        Ok(())
    }

    fn authenticate(&mut self, line: &Line<'_>, out: &mut Vec<u8>) {
        let Account::Wanted(credentials) = &self.account else { return };
        if line.param(0) != b"+" {
            return;
        }
        let mut rest = credentials.as_str();
        loop {
            // base64 is ASCII: every byte is a border
            let (piece, after) = rest.split_at(rest.len().min(PIECE));
            write(out, &["AUTHENTICATE", if piece.is_empty() { "+" } else { piece }], None);
            if piece.len() < PIECE {
                break;
            }
            rest = after;
        }
        self.account = Account::Sent;
    }

    /// Ends the negotiation, once, when nothing is open any more.
    fn end(&mut self, out: &mut Vec<u8>) {
        let account_settled = match self.account {
            Account::None | Account::In => true,
            Account::Wanted(_) | Account::Sent => false,
        };
        if self.open == 0 && account_settled && !self.ended {
            self.ended = true;
            write(out, &["CAP", "END"], None);
        }
    }

    fn next_nick(&mut self, out: &mut Vec<u8>) -> Result<(), Ended> {
        self.nicks += 1;
        if self.nicks > NICKS {
            return Err(Ended::Refused(format!("nick {} and its like are all taken", self.nick)));
        }
        self.nick.push('_');
        write(out, &["NICK", &self.nick], None);
        Ok(())
    }

    fn welcome(&self, line: &Line<'_>) -> Result<Welcome, Ended> {
        match self.account {
            Account::None | Account::In => {}
            Account::Wanted(_) | Account::Sent => return Err(no_sasl()),
        }
        let nick = String::from_utf8_lossy(line.param(0)).into_owned();
        // such messages are groups, and tags say which line is in which
        let able = [Cap::Multiline, Cap::Batch, Cap::MessageTags].iter().all(|cap| self.caps.has(*cap));
        Ok(Welcome { nick, caps: self.caps, multiline: self.multiline.filter(|_| able), since: time(line) })
    }
}

fn no_sasl() -> Ended {
    Ended::Refused("the server offers no login by sasl plain now; its services may be down, or take sasl out".into())
}
