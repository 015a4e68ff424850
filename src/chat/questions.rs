//! Questions that are open: a line lacked a word, or a program that runs wants to know something. What whoever typed the line
//! says next in that place is the answer.
//!
//! Deliberately absent: what is asked, which is the engine's.

use std::collections::HashMap;

use ecow::EcoString;
use tokio::time::Instant;

use super::{Place, Sender};
use crate::engine::{Asking, Question};
use crate::limits;

/// How many questions may be open in one service; when there are more, the oldest are forgotten.
const OPEN: usize = 1024;

/// Who is asked: an account, whatever nick it has now, else a nick.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Who {
    Account(EcoString),
    Nick(EcoString),
}

/// Where: a room, or in private.
type Where = Option<EcoString>;

/// A question.
#[derive(Debug)]
pub(super) enum Open {
    /// A line lacks a word.
    Word(Question),
    /// A program of a line that runs asks.
    Program(Asking),
}

impl Open {
    /// Whether whoever asked waits no more.
    fn is_over(&self) -> bool {
        match self {
            Self::Word(_) => false,
            Self::Program(asking) => asking.is_over(),
        }
    }
}

/// The open questions of a service.
#[derive(Default)]
pub(super) struct Questions {
    open: HashMap<(Where, Who), (Open, Instant)>,
}

impl Questions {
    /// Asks, in place of what was asked there before.
    pub(super) fn ask(&mut self, place: &Place, asker: &Sender, question: Open) {
        let now = Instant::now();
        if self.open.len() >= OPEN {
            self.open.retain(|_, (question, until)| *until > now && !question.is_over());
        }
        if self.open.len() >= OPEN
            && let Some(oldest) = self.open.iter().min_by_key(|(_, (_, until))| *until).map(|(key, _)| key.clone())
        {
            self.open.remove(&oldest);
        }
        self.open.insert(key(place, asker), (question, now + limits::QUESTION));
    }

    /// The question that is open for somebody there.
    pub(super) fn open(&self, place: &Place, asker: &Sender) -> Option<&Open> {
        if self.open.is_empty() {
            return None;
        }
        let (question, until) = self.open.get(&key(place, asker))?;
        (*until > Instant::now() && !question.is_over()).then_some(question)
    }

    /// Somebody has said another line there: a word that the last one lacked is of no interest any more. A program waits on.
    pub(super) fn moved_on(&mut self, place: &Place, asker: &Sender) {
        if self.open.is_empty() {
            return;
        }
        let key = key(place, asker);
        if matches!(self.open.get(&key), Some((Open::Word(_), _))) {
            self.open.remove(&key);
        }
    }

    /// The question of a program, to be answered.
    pub(super) fn take(&mut self, place: &Place, asker: &Sender) -> Option<Asking> {
        match self.open.remove(&key(place, asker))?.0 {
            Open::Program(asking) => Some(asking),
            Open::Word(_) => None,
        }
    }

    /// Somebody has another nick now, or is gone: whoever has the nick next was not asked.
    pub(super) fn left(&mut self, nick: &str) {
        self.open.retain(|(_, who), _| !matches!(who, Who::Nick(other) if other == nick));
    }
}

fn key(place: &Place, asker: &Sender) -> (Where, Who) {
    let place = match place {
        Place::Room(name) => Some(name.clone()),
        Place::Direct(_) => None,
    };
    let who = match &asker.account {
        Some(account) => Who::Account(account.clone()),
        None => Who::Nick(asker.shown.clone()),
    };
    (place, who)
}
