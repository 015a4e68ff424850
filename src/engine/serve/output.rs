//! Long answers: shown short and kept whole for a while, for whoever asked, in the place where they asked.
//!
//! What is said of an answer is kept in a document of its own: it changes with every page, and the text does not.

use std::time::Duration;

use pipit_commands::{Call, Error, Value};
use pipit_grammar::rule::Place;
use serde::{Deserialize, Serialize};

use super::super::host::Paging;
use super::super::world::{kind, own};
use super::super::{Engine, now, room_name, unavailable};
use super::{Host, delete, owner, put};
use crate::access::Identity;
use crate::limits;
use crate::store::{Change, Expect, Store};

/// How much of a kept answer has been shown.
#[derive(Serialize, Deserialize)]
struct Shown {
    /// When it was answered, in milliseconds since 1970.
    at: i64,
    /// In bytes.
    shown: usize,
}

/// The text of a kept answer.
#[derive(Serialize, Deserialize)]
struct Whole {
    text: String,
}

/// Under which key an answer is kept: by person, service and room.
fn key(owner: &str, service: &str, place: &Place) -> String {
    own(owner, &format!("{service}/{}", room_name(place)))
}

impl Engine {
    /// Keeps an answer of which `shown` bytes were shown, for `more` of the same person in the same place; false when
    /// nobody verified them, for then nothing is theirs. `on` says that the answer went on with the one that is kept: then
    /// the text stays, and what was not shown of it is known from the end.
    pub(crate) async fn keep_answer(
        &self,
        identity: &Identity,
        (service, place): (&str, &Place),
        (text, shown): (&str, usize),
        on: bool,
    ) -> Result<bool, Error> {
        let world = self.world()?;
        let subject = world.policy.subject(identity)?;
        let Some(owner) = subject.owner() else { return Ok(false) };
        let key = key(owner, service, place);
        let store = self.store();
        let kept = if on { read(store, &key)? } else { None };
        let changes = match kept {
            Some((at, whole)) if whole.ends_with(text.get(shown..).unwrap_or_default()) => {
                let shown = whole.len() - (text.len() - shown);
                vec![put(kind::OUTPUT, key, &Shown { at, shown }, Expect::Anything)]
            }
            Some(_) | None => {
                let text = text.get(..text.floor_char_boundary(limits::OUTPUT_BYTES)).unwrap_or(text);
                vec![
                    put(kind::OUTPUT, key.clone(), &Shown { at: now(), shown }, Expect::Anything),
                    put(kind::OUTPUT_TEXT, key, &Whole { text: text.to_owned() }, Expect::Anything),
                ]
            }
        };
        store.apply(changes).await.map_err(unavailable)?;
        Ok(true)
    }

    /// Forgets the answers that have been kept long enough; now and then, while the shell serves.
    pub(crate) async fn forget_answers(&self) -> Result<(), Error> {
        let kept = self.store().list(kind::OUTPUT).map_err(unavailable)?;
        let old = kept.into_iter().filter(|kept| {
            let shown: Result<Shown, _> = serde_json::from_str(&kept.body);
            // one that cannot be read is of no use to anybody
            shown.map_or(true, |shown| is_old(shown.at))
        });
        let forgotten = |kept: crate::store::Document| {
            // one that was kept anew meanwhile stays
            let expect = Expect::Revision(kept.revision);
            let first: Change = delete(kind::OUTPUT, kept.key.clone(), expect);
            vec![first, delete(kind::OUTPUT_TEXT, kept.key, Expect::Anything)]
        };
        for changes in old.map(forgotten) {
            // another process may have been first
            let _ = self.store().apply(changes).await;
        }
        Ok(())
    }
}

fn is_old(at: i64) -> bool {
    let kept = Duration::from_millis(u64::try_from(now().saturating_sub(at)).unwrap_or(0));
    kept > limits::OUTPUT_TIME
}

/// When an answer was kept, and its text, unless that is too long ago.
fn read(store: &Store, key: &str) -> Result<Option<(i64, String)>, Error> {
    let get = |kind| store.get(kind, key).map_err(unavailable);
    let (Some(shown), Some(whole)) = (get(kind::OUTPUT)?, get(kind::OUTPUT_TEXT)?) else { return Ok(None) };
    let shown: Option<Shown> = serde_json::from_str(&shown.body).ok();
    let whole: Option<Whole> = serde_json::from_str(&whole.body).ok();
    Ok(shown.filter(|shown| !is_old(shown.at)).zip(whole).map(|(shown, whole)| (shown.at, whole.text)))
}

/// What is not shown yet, or all of it. Whoever shows an answer cuts it short, and says then how much was shown.
pub(super) fn more(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let store = host.engine.store();
    let key = key(owner(host)?, &host.service, &host.context().place);
    let nothing = || Error::failed("there is no more to show here");
    let (_, whole) = read(store, &key)?.ok_or_else(nothing)?;
    let lines = call.int("N").and_then(|lines| usize::try_from(lines).ok()).unwrap_or(limits::SHOWN_LINES);
    host.turns_pages(Paging { lines });
    if call.flag("all") {
        return Ok(vec![Value::from(whole)]);
    }
    let kept = store.get(kind::OUTPUT, &key).map_err(unavailable)?.ok_or_else(nothing)?;
    let shown: Shown = serde_json::from_str(&kept.body).map_err(|_| nothing())?;
    let rest = whole.get(shown.shown..).unwrap_or_default();
    let rest = rest.strip_prefix('\n').unwrap_or(rest);
    if rest.is_empty() {
        return Err(nothing().help("more --all shows it again"));
    }
    Ok(vec![Value::from(rest)])
}
