//! Karma: what people think of each other and of things, counted. Nobody raises their own, by whatever name or account.

use std::collections::BTreeMap;

use ecow::EcoString;
use pipit_commands::{Call, Error, Record, Value};
use serde::{Deserialize, Serialize};

use super::super::world::kind;
use super::super::{now, withheld};
use super::{Host, clock, owner, put, text};
use crate::limits;
use crate::store::{Change, Expect, StoreError};

/// How often a change is tried again that another got before.
const TRIES: usize = 16;

/// The count of one name, as kept.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Karma {
    up: u64,
    down: u64,
}

impl Karma {
    fn score(self) -> i64 {
        i64::try_from(self.up).unwrap_or(i64::MAX).saturating_sub(i64::try_from(self.down).unwrap_or(i64::MAX))
    }

    fn record(self, name: &str) -> Value {
        let fields = [("name", Value::from(name)), ("karma", Value::Int(self.score()))];
        fields.into_iter().collect::<Record>().into()
    }
}

/// What somebody changed of late: names, and when.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Pace {
    changes: Vec<(EcoString, i64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Up,
    Down,
}

/// A name and what is to become of its karma: `bob++`, `bob ++`, `bob -1`; a name alone is only looked at.
fn read(call: &Call) -> Result<(EcoString, Option<Step>), Error> {
    let whole = text(call, "NAME")?;
    withheld::keeps_none("karma", &whole)?;
    let (name, glued) = match (whole.strip_suffix("++"), whole.strip_suffix("--")) {
        (Some(name), _) => (name, Some(Step::Up)),
        (None, Some(name)) => (name, Some(Step::Down)),
        (None, None) => (whole.as_str(), None),
    };
    let step = match call.text("CHANGE").as_deref() {
        Some("++" | "+1" | "up") => Some(Step::Up),
        Some(_) => Some(Step::Down),
        None => None,
    };
    if glued.is_some() && step.is_some() {
        return Err(Error::failed(format!("{whole} says already what is to become of it")).help("write karma bob++"));
    }
    let name = name.trim().trim_start_matches('@').trim_end_matches([':', ',']).to_lowercase();
    let seen = |c: char| !c.is_control();
    if name.is_empty() || name.chars().count() > limits::NAME || !name.chars().all(seen) {
        return Err(Error::failed(format!("{whole:?} is nobody's name and nothing's"))
            .help(format!("a name has up to {} letters, without control characters", limits::NAME)));
    }
    Ok((name.into(), glued.or(step)))
}

/// The user that a name means: by the name here, or by an account on the service of the line.
fn meant(host: &Host, name: &EcoString) -> EcoString {
    let people = host.world.policy.people();
    if let Some(user) = people.meant(name) {
        return user.clone();
    }
    let accounts =
        people.users.iter().flat_map(|(user, kept)| kept.accounts.iter().map(move |account| (user, account)));
    let mut here = accounts.filter_map(|(user, account)| {
        let (network, id) = account.split_once("://")?.1.split_once('/')?;
        (network == host.service && id.to_lowercase() == *name).then_some(user)
    });
    here.next().unwrap_or(name).clone()
}

/// Whether a name is the caller's own: as a user, as an account of theirs anywhere, or as they are shown now.
fn is_mine(host: &Host, me: &EcoString, name: &EcoString) -> bool {
    let shown = host.address.as_ref().is_some_and(|address| address.name.to_lowercase() == *name);
    let accounts = host.world.policy.people().users.get(me).map(|user| &user.accounts);
    let of_mine = accounts
        .into_iter()
        .flatten()
        .any(|account| account.rsplit('/').next().is_some_and(|id| id.to_lowercase() == *name));
    me == name || shown || of_mine
}

pub(super) async fn karma(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let (name, step) = read(call)?;
    let me = owner(host)?;
    let meant = meant(host, &name);
    let Some(step) = step else {
        let (karma, _) = kept::<Karma>(host, kind::KARMA, &meant)?;
        return Ok(vec![karma.record(&meant)]);
    };
    if step == Step::Up && (is_mine(host, me, &name) || is_mine(host, me, &meant)) {
        return Err(Error::failed("nobody raises their own karma").help("do something that others will raise it for"));
    }
    for _ in 0..TRIES {
        let at = now();
        let (mut karma, found) = kept::<Karma>(host, kind::KARMA, &meant)?;
        let (pace, paced) = kept::<Pace>(host, kind::PACE, me)?;
        let pace = allowed(pace, &meant, at)?;
        if found.is_none()
            && host.engine.store().count_below(kind::KARMA, "").map_err(super::stored)? >= limits::KARMA_NAMES
        {
            return Err(Error::failed(format!(
                "{} names have karma, and that is all there can be",
                limits::KARMA_NAMES
            )));
        }
        match step {
            Step::Up => karma.up += 1,
            Step::Down => karma.down += 1,
        }
        let changes = vec![write(kind::KARMA, &meant, &karma, found), write(kind::PACE, me, &pace, paced)];
        match host.engine.store().apply(changes).await {
            Ok(()) => return Ok(vec![karma.record(&meant)]),
            // another was faster: look again
            Err(StoreError::Stale { .. } | StoreError::Exists { .. } | StoreError::Missing { .. }) => {}
            Err(error) => return Err(super::stored(error)),
        }
    }
    Err(Error::failed("too many change karma at this moment; say it again"))
}

/// A document and its revision; the default when there is none.
fn kept<T: Default + for<'de> Deserialize<'de>>(
    host: &Host,
    kind: &'static str,
    key: &str,
) -> Result<(T, Option<u64>), Error> {
    let found = host.engine.store().get(kind, key).map_err(super::stored)?;
    let Some(found) = found else { return Ok((T::default(), None)) };
    let read = serde_json::from_str(&found.body)
        .map_err(|error| Error::failed(format!("the {kind} of {key} cannot be read: {error}")))?;
    Ok((read, Some(found.revision)))
}

fn write(kind: &'static str, key: &str, body: &impl Serialize, revision: Option<u64>) -> Change {
    match revision {
        Some(revision) => put(kind, key, body, Expect::Revision(revision)),
        None => super::insert(kind, key, body),
    }
}

/// What somebody changed of late with one more, or why they have to wait.
fn allowed(pace: Pace, name: &EcoString, at: i64) -> Result<Pace, Error> {
    const HOUR: i64 = 3_600_000;
    const MINUTE: i64 = 60_000;
    let mut changes = pace.changes;
    // a clock that was set back must not lock anybody out
    changes.retain(|(_, then)| (0..HOUR).contains(&at.saturating_sub(*then)));
    let wait = |until: i64| format!("again in {}", clock::length(until - at));
    if let Some((_, then)) = changes.iter().rfind(|(other, then)| other == name && at - then < MINUTE) {
        return Err(Error::failed(format!("you changed the karma of {name} a moment ago")).help(wait(then + MINUTE)));
    }
    if changes.len() >= limits::KARMA_CHANGES
        && let Some((_, first)) = changes.first()
    {
        return Err(Error::failed(format!(
            "{} changes of karma an hour are all that one person has",
            limits::KARMA_CHANGES
        ))
        .help(wait(first + HOUR)));
    }
    changes.push((name.clone(), at));
    Ok(Pace { changes })
}

pub(super) fn list(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    const SHOWN: i64 = 10;
    owner(host)?;
    let count = usize::try_from(call.int("count").unwrap_or(SHOWN)).unwrap_or_default();
    let all: BTreeMap<String, Karma> = host
        .engine
        .store()
        .list(kind::KARMA)
        .map_err(super::stored)?
        .into_iter()
        .filter_map(|found| Some((found.key, serde_json::from_str(&found.body).ok()?)))
        .collect();
    let mut rows: Vec<(String, Karma)> = all.into_iter().collect();
    rows.sort_by_key(|(_, karma)| std::cmp::Reverse(karma.score()));
    Ok(rows.into_iter().take(count).map(|(name, karma)| karma.record(&name)).collect())
}
