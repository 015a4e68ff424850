//! What a connection says: cut into lines that reach the others whole, at the pace that the network bears.

use tokio::time::Instant;

use super::codec::write;
use super::multiline::{Limits, write_message};
use super::wire::Output;
use crate::chat::flood::{Bucket, Flood};
use crate::chat::outbox::{Outbox, Ready};
use crate::chat::session::{Order, Say};
use crate::chat::split;

/// Lines that may wait for their turn to be sent; when there are more, answers wait with those who made them.
const QUEUE: usize = 128;
/// Bytes handed to the socket ahead of it. An answer to a PING waits for no more than these.
const AHEAD: usize = 32 * 1024;
/// Lines that may be sent ahead of their time when they are urgent.
const URGENT: u32 = 2;
/// The longest line of the protocol, its end included.
const LINE: usize = 512;

/// What waits to be said.
pub(super) struct Voice {
    outbox: Outbox,
    bucket: Bucket,
    /// What the server takes as one message of several lines.
    pub(super) multiline: Option<Limits>,
    /// Such messages said.
    said: u64,
}

/// When there is more to hand to the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum More {
    /// Nothing waits.
    None,
    /// The network bears the next line then.
    At(Instant),
    /// As soon as the socket has taken what it has.
    WhenSent,
}

impl Voice {
    /// Silent so far.
    pub(super) fn new(flood: Flood, multiline: Option<Limits>, now: Instant) -> Self {
        Self { outbox: Outbox::default(), bucket: Bucket::new(flood, now), multiline, said: 0 }
    }

    /// Whether there is room for more to say.
    pub(super) fn takes_more(&self) -> bool {
        self.outbox.len() < QUEUE
    }

    /// Cuts a text into lines that reach the others whole, and lines them up.
    /// `name` is the length of `nick!user@host` as others see us.
    pub(super) fn say(&mut self, say: &Say, name: usize) {
        let verb = if say.notice { "NOTICE" } else { "PRIVMSG" };
        let target = say.place.name();
        // as others get it: `:nick!user@host VERB target :text` and the line end
        let frame = ":   :\r\n".len() + name + verb.len() + target.len();
        let budget = LINE.saturating_sub(frame);
        match say.order {
            Order::Life(about) => {
                // a word or two: it is one message, whatever it takes
                let line = split::lines(&say.text).next().unwrap_or_default();
                if let Some(piece) = split::pieces(&line, budget).next() {
                    let mut bytes = Vec::new();
                    write(&mut bytes, &[verb, target], Some(piece));
                    self.outbox.hurry(about, Ready { bytes, cost: 1 });
                }
                return;
            }
            Order::Answer(about) => self.outbox.withdraw(about),
            Order::Usual => {}
        }
        let Some(limits) = self.multiline else {
            for line in split::lines(&say.text) {
                for piece in split::pieces(&line, budget) {
                    let mut bytes = Vec::with_capacity(verb.len() + target.len() + piece.len() + 5);
                    write(&mut bytes, &[verb, target], Some(piece));
                    self.outbox.push(target, Ready { bytes, cost: 1 });
                }
            }
            return;
        };
        let lines: Vec<_> = split::lines(&say.text).collect();
        let pieces: Vec<&str> = lines.iter().flat_map(|line| split::pieces(line, budget)).collect();
        let mut rest = pieces.as_slice();
        while !rest.is_empty() {
            let (message, after) = rest.split_at(limits.fit(rest));
            let mut bytes = Vec::new();
            if let [line] = message {
                write(&mut bytes, &[verb, target], Some(line));
            } else {
                self.said += 1;
                write_message(&mut bytes, self.said, verb, target, message);
            }
            self.outbox.push(target, Ready { bytes, cost: u32::try_from(message.len()).unwrap_or(u32::MAX) });
            rest = after;
        }
    }

    /// Hands to the socket what may be sent now, and tells when there is more to hand on.
    pub(super) fn release(&mut self, now: Instant, output: &mut Output) -> More {
        while !self.outbox.is_empty() {
            if output.waiting() > AHEAD {
                return More::WhenSent;
            }
            // what is urgent takes a line or two ahead of its time
            let ahead = if self.outbox.is_urgent() { URGENT } else { 0 };
            if !self.bucket.ready(now, ahead) {
                return More::At(self.bucket.ready_at(ahead));
            }
            if let Some(ready) = self.outbox.pop() {
                self.bucket.take(ready.cost, now);
                output.bytes.extend_from_slice(&ready.bytes);
            }
        }
        More::None
    }
}
