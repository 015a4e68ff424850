//! Questions that are open: a line lacked a word, and what whoever typed it says next in that place is the word.
//!
//! Deliberately absent: what is asked, which is the engine's.

use std::collections::HashMap;

use ecow::EcoString;
use tokio::time::Instant;

use super::{Place, Sender};
use crate::engine::Question;
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

/// The open questions of a service.
#[derive(Default)]
pub(super) struct Questions {
    open: HashMap<(Where, Who), (Question, Instant)>,
}

impl Questions {
    /// Asks, in place of what was asked there before.
    pub(super) fn ask(&mut self, place: &Place, asker: &Sender, question: Question) {
        let now = Instant::now();
        if self.open.len() >= OPEN {
            self.open.retain(|_, (_, until)| *until > now);
        }
        if self.open.len() >= OPEN
            && let Some(oldest) = self.open.iter().min_by_key(|(_, (_, until))| *until).map(|(key, _)| key.clone())
        {
            self.open.remove(&oldest);
        }
        self.open.insert(key(place, asker), (question, now + limits::QUESTION));
    }

    /// The question that is open for somebody there.
    pub(super) fn open(&self, place: &Place, asker: &Sender) -> Option<&Question> {
        if self.open.is_empty() {
            return None;
        }
        self.open.get(&key(place, asker)).filter(|(_, until)| *until > Instant::now()).map(|(question, _)| question)
    }

    /// The question is answered, taken back, or of no interest any more.
    pub(super) fn close(&mut self, place: &Place, asker: &Sender) {
        if !self.open.is_empty() {
            self.open.remove(&key(place, asker));
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
