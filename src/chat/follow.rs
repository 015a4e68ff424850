//! What a line has come to and what of it has been said: one whole answer when it is quick, else parts as they come, bounded,
//! and the rest for `more`. A line that has shown nothing for two seconds says that it runs.
//!
//! Deliberately absent: how fast a service takes what is said.

use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use pipit_commands::Value;
use pipit_commands::limits::weight;
use tokio::time::Instant;

use super::teller::Teller;
use crate::engine::{Asking, Life, Reply};
use crate::limits;
use crate::render::{self, Document, Progress, Roll, Running};

/// A line that is followed.
pub(super) struct Following<'t> {
    teller: &'t Teller,
    taken: &'t Mutex<Taken>,
    began: Instant,
    roll: Roll,
    /// Values that are drawn.
    drawn: usize,
    /// All that was drawn.
    whole: String,
    /// How much of it has been said, in bytes and in lines.
    said: usize,
    lines: usize,
    /// How much of it may be.
    bounds: (usize, usize),
    told: Told,
    /// How far the line said it was, and when that was said on.
    progress: (Option<Progress>, Instant),
}

/// What the place has been told of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Nothing,
    /// That it runs.
    Life,
    /// What it came to so far.
    Parts,
    /// As much as is shown of an answer.
    Full,
}

/// The end of an answer.
pub(super) struct Last {
    /// What is still to be said.
    pub(super) text: String,
    /// All of the answer, and from which byte on it is not said; none when all is said.
    pub(super) left: Option<(String, usize)>,
    /// Whether some of it was said before.
    pub(super) follows: bool,
}

impl<'t> Following<'t> {
    pub(super) fn new(teller: &'t Teller, taken: &'t Mutex<Taken>) -> Self {
        let now = Instant::now();
        Self {
            teller,
            taken,
            began: now,
            roll: Roll::new(teller.look()),
            drawn: 0,
            whole: String::new(),
            said: 0,
            lines: 0,
            bounds: (limits::SHOWN_LINES, limits::SHOWN_BYTES),
            told: Told::Nothing,
            progress: (None, now),
        }
    }

    /// Says what there is to say of a line that runs; to be called again and again.
    pub(super) async fn beat(&mut self, life: &Life) {
        let running =
            Running { id: life.id.clone(), seconds: self.began.elapsed().as_secs(), progress: life.progress.clone() };
        let fresh = if life.held || self.told == Told::Full {
            Vec::new()
        } else {
            lock(self.taken).values.get(self.drawn..).unwrap_or_default().to_vec()
        };
        if !fresh.is_empty() {
            self.drawn += fresh.len();
            self.draw(&Document::running(Running::default()).values(&fresh));
            let text = self.next();
            self.told = Told::Parts;
            if !text.is_empty() {
                self.teller.part(text).await;
            }
            if self.said < self.whole.len() {
                self.told = Told::Full;
                let stops = life.id.as_ref().map(|id| format!("; kill {id} stops it")).unwrap_or_default();
                self.teller.part(format!("… and it goes on; more shows the rest when it has ended{stops}")).await;
            }
        } else if self.told == Told::Nothing
            || (running.progress != self.progress.0 && self.progress.1.elapsed() >= limits::PROGRESS)
        {
            if self.told == Told::Nothing {
                self.told = Told::Life;
            }
            self.progress = (running.progress.clone(), Instant::now());
            self.teller.life(self.roll.document(&Document::running(running)));
        }
    }

    /// Says a question of the line's, which shows that it runs.
    pub(super) async fn ask(&mut self, asking: Asking) {
        if self.told == Told::Nothing {
            self.told = Told::Life;
        }
        self.teller.ask(asking).await;
    }

    /// The end, by what the line came to.
    pub(super) fn end(mut self, reply: &Reply) -> Last {
        let values = std::mem::take(&mut *lock(self.taken)).whole();
        let follows = matches!(self.told, Told::Parts | Told::Full);
        let document = if follows {
            // what has been said stays as it is, so a template that was chosen late shows nothing
            let rest = values.get(self.drawn..).unwrap_or_default();
            Document::running(Running::default()).values(rest).attached(reply.attached.clone())
        } else {
            reply.document(&values)
        };
        if !document.blocks.is_empty() {
            self.draw(&document);
        }
        if let Some(paging) = reply.paging {
            // a page has room for what its lines take
            self.bounds = (paging.lines, limits::SHOWN_BYTES * paging.lines.div_ceil(limits::SHOWN_LINES));
        }
        let text = self.next();
        let left = (self.said < self.whole.len()).then_some((self.whole, self.said));
        Last { text, left, follows }
    }

    fn draw(&mut self, document: &Document) {
        if !self.whole.is_empty() {
            self.whole.push('\n');
        }
        self.whole.push_str(&self.roll.document(document));
    }

    /// What may still be said of what is drawn.
    fn next(&mut self) -> String {
        let rest = self.whole.get(self.said..).unwrap_or_default();
        let rest = rest.strip_prefix('\n').filter(|_| self.said > 0).unwrap_or(rest);
        let (lines, bytes) = self.bounds;
        let (text, left) = render::shorten(rest, lines.saturating_sub(self.lines), bytes.saturating_sub(self.said));
        self.lines += if text.is_empty() { 0 } else { text.lines().count() };
        self.said = self.whole.len() - left.map_or(0, str::len);
        text.to_owned()
    }
}

/// What a line has come to so far.
pub(super) fn lock(taken: &Mutex<Taken>) -> std::sync::MutexGuard<'_, Taken> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The values of an answer as far as they are shown or kept: bounded in number and in bytes, for a long text that comes
/// ten thousand times takes no memory before it is written out.
#[derive(Default)]
pub(super) struct Taken {
    values: Vec<Value>,
    bytes: usize,
    over: bool,
}

impl Taken {
    /// Takes values in; says when there is no more room.
    pub(super) fn take(&mut self, batch: Vec<Value>) -> ControlFlow<()> {
        for value in batch {
            self.bytes += weight(&value);
            // the first is shown however long it is
            let long = self.bytes > limits::ANSWER && !self.values.is_empty();
            if long || self.values.len() == limits::KEPT_VALUES {
                self.over = true;
                return ControlFlow::Break(());
            }
            self.values.push(value);
        }
        ControlFlow::Continue(())
    }

    /// What was taken, and a word about what was not.
    fn whole(mut self) -> Vec<Value> {
        if self.over {
            let count = self.values.len();
            self.values.push(format!("… cut off after {count} values").into());
        }
        self.values
    }
}

#[cfg(test)]
mod tests {
    use super::{Taken, Value, limits};

    #[test]
    fn an_answer_is_bounded_in_number_and_in_bytes() {
        let mut many = Taken::default();
        assert!(many.take(vec![Value::Int(1); limits::KEPT_VALUES]).is_continue());
        assert!(many.take(vec![Value::Int(1)]).is_break());
        let values = many.whole();
        assert_eq!(values.len(), limits::KEPT_VALUES + 1);
        assert_eq!(values.last(), Some(&Value::from("… cut off after 10000 values")));

        let mut long = Taken::default();
        let mebibyte = Value::text("x".repeat(1 << 20));
        assert!(long.take(vec![mebibyte; 1000]).is_break());
        assert!(long.whole().len() < 10);
        let mut one = Taken::default();
        assert!(one.take(vec![Value::text("x".repeat(limits::ANSWER + 1))]).is_continue());
    }
}
