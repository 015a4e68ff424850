//! The second factor: a secret that an authenticator has, and the codes it gives. Codes are said in direct messages and at
//! the console only; one that was said in a room is spent.

use pipit_commands::{Call, Error, ErrorKind, Value};
use pipit_grammar::rule::Place;
use qrcode::render::unicode::Dense1x2;
use serde::{Deserialize, Serialize};

use super::super::elevation::{self, Elevation};
use super::super::world::kind;
use super::super::{now, unavailable};
use super::{Host, delete as remove, done, insert, owner, put, stored, text};
use crate::access::totp::{self, Checked, Codes};
use crate::audit::{Event, Happened};
use crate::limits;
use crate::scrub;
use crate::seal::{Next, Seals};
use crate::store::{Change, Expect, Store, StoreError};

#[cfg(test)]
mod tests;

/// Bytes of a secret, as RFC 4226 recommends.
const SECRET: usize = 20;
/// How often a code is looked at again when another one came at the same moment.
const TRIES: usize = 16;

/// Somebody's second factor as kept.
#[derive(Serialize, Deserialize)]
struct Factor {
    /// The secret in base32, sealed.
    sealed: String,
    /// Whether a code has shown that the authenticator has it.
    confirmed: bool,
    codes: Codes,
}

/// Refuses a place where others read along.
fn in_private(host: &Host) -> Result<(), Error> {
    match host.context().place {
        Place::Dm => Ok(()),
        Place::Room(_) => Err(Error::new(ErrorKind::Denied, "a room is no place for this")
            .help("say it to the bot in a direct message, or at the console")),
    }
}

fn find(host: &Host, user: &str) -> Result<Option<(u64, Factor)>, Error> {
    let Some(found) = host.engine.store().get(kind::TOTP, user).map_err(stored)? else { return Ok(None) };
    let factor = serde_json::from_str(&found.body)
        .map_err(|error| Error::failed(format!("the second factor of {user} cannot be read: {error}")))?;
    Ok(Some((found.revision, factor)))
}

fn none() -> Error {
    Error::failed("you have no second factor").help("totp enrol gives you one, in a direct message")
}

/// Under which name a secret is sealed, so that it cannot be moved to another user.
fn place(user: &str) -> String {
    format!("totp {user}")
}

pub(super) async fn enrol(host: &Host) -> Result<Vec<Value>, Error> {
    in_private(host)?;
    let user = owner(host)?;
    let before = find(host, user)?;
    if before.as_ref().is_some_and(|(_, factor)| factor.confirmed) {
        return Err(Error::failed("you have a second factor already")
            .help("totp remove CODE takes it away; if it is lost, an administrator says totp reset"));
    }
    let mut secret = [0; SECRET];
    getrandom::fill(&mut secret).map_err(unavailable)?;
    let sealed =
        host.engine.0.seals.seal(&place(user), &data_encoding::BASE32_NOPAD.encode(&secret)).map_err(unsealed)?;
    // what was guessed wrong before counts on
    let codes = before.as_ref().map(|(_, factor)| factor.codes.clone()).unwrap_or_default();
    let factor = Factor { sealed, confirmed: false, codes };
    let change = match before {
        None => insert(kind::TOTP, user.clone(), &factor),
        Some((revision, _)) => put(kind::TOTP, user.clone(), &factor, Expect::Revision(revision)),
    };
    super::apply(host, vec![change]).await?;
    let address = totp::address(user, &secret);
    let mut text = String::new();
    // a chat shows no lines of blocks well, and would keep what it cuts off
    if host.address.is_none()
        && let Ok(code) = qrcode::QrCode::new(&address)
    {
        // drawn for light letters on a dark ground, as most terminals have it
        let drawn = code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build();
        text.push_str(&format!("{drawn}\n"));
    }
    text.push_str(&format!("{address}\nthis is shown once; put it in an authenticator, then say totp confirm CODE"));
    Ok(vec![text.into()])
}

pub(super) async fn confirm(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    check(host, call, |factor| {
        factor.confirmed = true;
        Vec::new()
    })
    .await?;
    Ok(done("your second factor counts from now on"))
}

pub(super) async fn forget(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let user = owner(host)?.clone();
    confirmed(host)?;
    check(host, call, |_| {
        vec![
            remove(kind::TOTP, user.clone(), Expect::Anything),
            remove(kind::ELEVATION, user.clone(), Expect::Anything),
        ]
    })
    .await?;
    Ok(done("your second factor is gone"))
}

pub(super) async fn reset(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let user = super::user::user(host, call, "USER")?;
    if Some(&user) == host.subject.owner() {
        return Err(Error::new(ErrorKind::Denied, "nobody resets their own second factor")
            .help("totp remove CODE takes it away; if it is lost, another administrator says totp reset"));
    }
    if find(host, &user)?.is_none() {
        return Err(Error::failed(format!("{user} has no second factor")));
    }
    let changes = [kind::TOTP, kind::ELEVATION].map(|kind| remove(kind, user.clone(), Expect::Anything));
    super::apply(host, changes.into()).await?;
    host.engine.notice(&format!("{} took away the second factor of {user}", host.subject.name())).await;
    Ok(done(format!("{user} has no second factor any more, and may enrol a new one")))
}

pub(super) async fn step_up(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let user = owner(host)?.clone();
    confirmed(host)?;
    if call.value("CODE").is_none() {
        let method = pipit_grammar::rule::StepUp::Totp;
        return Ok(match elevation::proved(host.engine.store(), &user, method, None, now()) {
            Some(at) => done(format!(
                "proved at {}; it counts for ten minutes, or as long as a rule says",
                super::log::time(at)
            )),
            None => done("not proved, or too long ago: step-up CODE"),
        });
    }
    check(host, call, |_| vec![put(kind::ELEVATION, user.clone(), &Elevation { at: now() }, Expect::Anything)]).await?;
    Ok(done("it is you; this counts for ten minutes, or as long as a rule says"))
}

/// Refuses who has no second factor that counts.
fn confirmed(host: &Host) -> Result<(), Error> {
    match find(host, owner(host)?)? {
        Some((_, factor)) if factor.confirmed => Ok(()),
        Some(_) => Err(Error::failed("your second factor does not count yet").help("totp confirm CODE")),
        None => Err(none()),
    }
}

/// Looks at a code. When it is right, `also` says what changes in the same moment; it is spent in any case.
async fn check(host: &Host, call: &Call, also: impl Fn(&mut Factor) -> Vec<Change>) -> Result<(), Error> {
    let user = owner(host)?;
    let code = text(call, "CODE")?;
    let denied = |why: &str| Error::new(ErrorKind::Denied, why);
    for _ in 0..TRIES {
        let (revision, mut factor) = find(host, user)?.ok_or_else(none)?;
        let secret = host.engine.0.seals.open(&place(user), &factor.sealed).map_err(unsealed)?;
        // it was shown once, and from now on it leaves the shell no more
        scrub::keep(&place(user), &secret);
        let secret = data_encoding::BASE32_NOPAD.decode(secret.as_bytes()).map_err(|_| none())?;
        let checked = factor.codes.check(&secret, &code, now());
        let private = in_private(host);
        let mut changes = Vec::new();
        if checked == Checked::Right && private.is_ok() {
            changes = also(&mut factor);
        }
        changes.insert(0, put(kind::TOTP, user.clone(), &factor, Expect::Revision(revision)));
        match host.engine.store().apply(changes).await {
            Ok(()) => {}
            Err(StoreError::Stale { .. } | StoreError::Missing { .. }) => continue,
            Err(error) => return Err(unavailable(error)),
        }
        let outcome = match checked {
            Checked::Right if private.is_err() => "in a room",
            Checked::Right => "right",
            Checked::Used => "used",
            Checked::Wrong => "wrong",
            Checked::Locks { .. } | Checked::Locked { .. } => "locked",
        };
        let command = call.command().exact();
        host.trail().event(&Event { at: now(), kind: Happened::SteppedUp, command, outcome, body: "{}" });
        if let Err(error) = private {
            return Err(error.help("a code that was said in a room is void; take the next one to a direct message"));
        }
        return match checked {
            Checked::Right => Ok(()),
            Checked::Used => Err(denied("that code was used already").help("wait for the next one")),
            Checked::Wrong => Err(denied("that is not the code")),
            Checked::Locks { until } => {
                let minutes = limits::CODE_LOCK.as_secs() / 60;
                let wrong = limits::WRONG_CODES;
                host.engine
                    .notice(&format!("{wrong} wrong codes for {user}: none is looked at for {minutes} minutes"))
                    .await;
                Err(locked(until))
            }
            Checked::Locked { until } => Err(locked(until)),
        };
    }
    Err(Error::failed("too many codes came at the same moment").help("say it again"))
}

/// From now on no second factor of anybody leaves the shell; what cannot be opened now is of no use to anybody.
pub(in super::super) fn keep_in(store: &Store, seals: &Seals) {
    let kept = store.list(kind::TOTP).unwrap_or_default().into_iter().filter_map(|found| {
        let factor: Factor = serde_json::from_str(&found.body).ok()?;
        let place = place(&found.key);
        let secret = seals.open(&place, &factor.sealed).ok()?;
        Some((place, secret))
    });
    scrub::keep_all(kept);
}

/// The changes that seal every secret with another key.
pub(super) fn sealed_anew(host: &Host, next: &Next) -> Result<Vec<Change>, Error> {
    let mut changes = Vec::new();
    for found in host.engine.store().list(kind::TOTP).map_err(stored)? {
        let factor: Factor = serde_json::from_str(&found.body)
            .map_err(|error| Error::failed(format!("the second factor of {} cannot be read: {error}", found.key)))?;
        let place = place(&found.key);
        let secret = host.engine.0.seals.open(&place, &factor.sealed).map_err(unsealed)?;
        let sealed = next.seal(&place, &secret).map_err(unsealed)?;
        changes.push(put(kind::TOTP, found.key, &Factor { sealed, ..factor }, Expect::Revision(found.revision)));
    }
    Ok(changes)
}

#[expect(clippy::needless_pass_by_value, reason = "its use is `map_err(unsealed)`")]
fn unsealed(error: crate::seal::SealError) -> Error {
    Error::failed(error.to_string())
}

fn locked(until: i64) -> Error {
    Error::new(ErrorKind::Denied, format!("too many wrong codes: none is looked at until {}", super::log::time(until)))
        .help("if those were not yours, tell an administrator")
}
