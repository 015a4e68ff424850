//! The way back from a running line to the place that it was typed in: that it runs, what it came to so far, its answer.
//!
//! That a line runs goes a way of its own: it waits behind no answers, and it is not said when the answer is there already.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ecow::EcoString;
use tokio::sync::mpsc;

use super::{Answer, Message, Place, Sender};
use crate::engine::Asking;
use crate::render::Look;

/// What is remembered of a line until it is answered.
#[derive(Debug)]
pub(super) struct About {
    /// Counts the lines of an entry.
    pub(super) number: u64,
    /// Where it was typed.
    pub(super) place: Place,
    /// Who typed it.
    pub(super) asker: Sender,
    /// When, as the session counts departures.
    pub(super) heard: u64,
    /// How often somebody else had spoken in the room when the asker was last answered, or else had typed the line.
    pub(super) spoken: AtomicU64,
    answered: AtomicBool,
}

impl About {
    pub(super) fn new(number: u64, message: &Message) -> Self {
        Self {
            number,
            place: message.place.clone(),
            asker: message.sender.clone(),
            heard: message.heard,
            spoken: AtomicU64::new(message.spoken),
            answered: AtomicBool::new(false),
        }
    }

    /// Whether the answer has been taken.
    pub(super) fn is_answered(&self) -> bool {
        self.answered.load(Ordering::Acquire)
    }

    /// The answer is taken.
    pub(super) fn answer(&self) {
        self.answered.store(true, Ordering::Release);
    }
}

/// Something of a line to be said.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) about: Arc<About>,
    pub(super) what: What,
}

/// What it is.
#[derive(Debug)]
pub(super) enum What {
    /// That the line runs, or waits.
    Life(EcoString),
    /// What it came to so far.
    Part(String),
    /// What a program of the line asks.
    Ask(Asking),
    /// Its answer; `None` for nothing to say.
    Answer(Option<Answer>),
}

/// Where lines tell; one for all lines of an entry.
#[derive(Clone)]
pub(super) struct Ways {
    /// Small, for who does not read it in time is told the outcome.
    pub(super) lives: mpsc::Sender<Told>,
    pub(super) answers: mpsc::Sender<Told>,
    pub(super) look: Look,
}

/// Tells what a running line comes to.
pub(crate) struct Teller {
    about: Arc<About>,
    ways: Ways,
}

impl Teller {
    pub(super) fn new(about: Arc<About>, ways: Ways) -> Self {
        Self { about, ways }
    }

    /// For what answers are drawn there.
    pub(crate) fn look(&self) -> Look {
        self.ways.look
    }

    /// Says that the line runs. Not said when too much else waits, or the answer comes first.
    pub(crate) fn life(&self, text: impl Into<EcoString>) {
        let _too_many = self.ways.lives.try_send(self.told(What::Life(text.into())));
    }

    /// Says what the line came to so far; waits when answers wait.
    pub(crate) async fn part(&self, text: String) {
        // nobody left to hear it: the entry was stopped
        let _stopped = self.ways.answers.send(self.told(What::Part(text))).await;
    }

    /// Asks whoever typed the line.
    pub(crate) async fn ask(&self, asking: Asking) {
        // nobody left to hear it: the entry was stopped, and the question is answered by nobody
        let _stopped = self.ways.answers.send(self.told(What::Ask(asking))).await;
    }

    /// Says the answer.
    pub(super) async fn answer(&self, answer: Option<Answer>) {
        // nobody left to hear it: the entry was stopped, and the line has run all the same
        let _stopped = self.ways.answers.send(self.told(What::Answer(answer))).await;
    }

    fn told(&self, what: What) -> Told {
        Told { about: Arc::clone(&self.about), what }
    }
}
