//! A second account of the same person, proved over both: a code goes from the user's account to the new one, and another one
//! back. Nobody else has a part in it, and nobody is made a user by it.

use ecow::EcoString;
use pipit_commands::{Call, Error, ErrorKind, Value};
use pipit_grammar::rule::Place;
use serde::{Deserialize, Serialize};

use super::super::now;
use super::super::world::kind;
use super::{Host, apply, delete as remove, done, put, stored};
use crate::access::User;
use crate::limits;
use crate::store::{Change, Expect};

/// Bytes of a code.
const CODE: usize = 8;

/// How far it has come, by user. Codes are kept as digests.
#[derive(Serialize, Deserialize)]
struct Linking {
    /// What the new account has to say.
    there: String,
    /// The account that said it, and what the user has to say then.
    back: Option<(EcoString, String)>,
    /// Wrong codes.
    wrong: usize,
    /// Until when it counts, Unix milliseconds.
    until: i64,
}

pub(super) async fn link(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let denied = |why: &str| Error::new(ErrorKind::Denied, why);
    if host.context().place != Place::Dm {
        return Err(denied("a room is no place for this").help("say it to the bot in a direct message"));
    }
    let account = host.claimant().ok_or_else(|| {
        denied("no chat service has verified an account of yours here")
            .help("log in to the chat service first, and say it again")
    })?;
    let code = call.text("CODE").map(|code| code.to_ascii_uppercase());
    match (host.subject.owner().cloned(), code) {
        (Some(user), None) => begin(host, &user).await,
        (Some(user), Some(code)) => finish(host, &user, &code).await,
        (None, Some(code)) => answer(host, &account, &code).await,
        (None, None) => Err(denied("the account is linked to no user, so it cannot take another one in")
            .help("begin with the account that is yours already: link")),
    }
}

/// The user asks for a code to take to the other account.
async fn begin(host: &Host, user: &EcoString) -> Result<Vec<Value>, Error> {
    let code = fresh()?;
    let until = now().saturating_add(i64::try_from(limits::LINK.as_millis()).unwrap_or(i64::MAX));
    let linking = Linking { there: digest(&code), back: None, wrong: 0, until };
    apply(host, vec![put(kind::LINK, user.clone(), &linking, Expect::Anything)]).await?;
    let minutes = limits::LINK.as_secs() / 60;
    Ok(done(format!("within {minutes} minutes, say from the other account in a direct message: link {code}")))
}

/// The other account brings it, and gets one to take back.
async fn answer(host: &Host, account: &EcoString, code: &str) -> Result<Vec<Value>, Error> {
    let wrong = || Error::new(ErrorKind::Denied, "that is no code, or not any more");
    let wanted = digest(code);
    for found in host.engine.store().list(kind::LINK).map_err(stored)? {
        let Ok(linking) = serde_json::from_str::<Linking>(&found.body) else { continue };
        if linking.there != wanted || linking.back.is_some() || now() >= linking.until {
            continue;
        }
        let back = fresh()?;
        let next = Linking { back: Some((account.clone(), digest(&back))), ..linking };
        apply(host, vec![put(kind::LINK, found.key.clone(), &next, Expect::Revision(found.revision))]).await?;
        return Ok(done(format!("now say from the account of {}: link {back}", found.key)));
    }
    Err(wrong())
}

/// The user brings the second one: both accounts have shown that they are one person's.
async fn finish(host: &Host, user: &EcoString, code: &str) -> Result<Vec<Value>, Error> {
    let wrong = || Error::new(ErrorKind::Denied, "that is not the code, or not any more").help("begin again: link");
    let found = host.engine.store().get(kind::LINK, user).map_err(stored)?.ok_or_else(wrong)?;
    let linking: Linking = serde_json::from_str(&found.body).map_err(|_| wrong())?;
    let Some((account, wanted)) = linking.back.clone().filter(|_| now() < linking.until) else { return Err(wrong()) };
    let seen = Expect::Revision(found.revision);
    if wanted != digest(code) {
        let change = if linking.wrong + 1 >= limits::WRONG_CODES {
            remove(kind::LINK, user.clone(), seen)
        } else {
            put(kind::LINK, user.clone(), &Linking { wrong: linking.wrong + 1, ..linking }, seen)
        };
        apply(host, vec![change]).await?;
        return Err(wrong());
    }
    // the account may have become somebody's meanwhile
    if let Some(other) = host.engine.world()?.policy.people().user_of(&account) {
        return Err(Error::failed(format!("{account} is {other} already")));
    }
    let kept = host.engine.store().get(kind::USER, user).map_err(stored)?.ok_or_else(wrong)?;
    let mut body: User = serde_json::from_str(&kept.body).map_err(|_| wrong())?;
    body.accounts.insert(account.clone());
    let changes: Vec<Change> = vec![
        remove(kind::LINK, user.clone(), seen),
        put(kind::USER, user.clone(), &body, Expect::Revision(kept.revision)),
    ];
    apply(host, changes).await?;
    Ok(done(format!("{account} is {user}")))
}

/// A code that nobody guesses.
fn fresh() -> Result<String, Error> {
    let mut bytes = [0; CODE];
    getrandom::fill(&mut bytes).map_err(super::super::unavailable)?;
    Ok(data_encoding::BASE32_NOPAD.encode(&bytes))
}

fn digest(code: &str) -> String {
    blake3::hash(code.as_bytes()).to_hex().to_string()
}
