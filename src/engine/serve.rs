//! What only the shell can do, verb by verb. Everything here is reached through a judged call.

use std::sync::Arc;

use pipit_commands::{Call, Error, Stream, Value, Verb};
use reqwest::Method;

use super::approval;
use super::host::LineHost;
use super::world::{kind, own};
use crate::store::{Change, Expect, StoreError};

mod ahead;
mod alias;
mod bundles;
mod clock;
mod emergency;
mod explain;
mod export;
mod guards;
mod help;
mod http;
mod inbox;
mod jq;
mod karma;
mod kept;
mod lines;
mod link;
mod log;
mod look;
mod notes;
mod output;
mod people;
mod policy;
mod poll;
mod remind;
pub(super) mod rooms;
mod rules;
mod scrape;
mod secrets;
mod standup;
mod timeline;
mod totp;
mod user;
mod who;

pub(super) use alias::set_aside;
pub(super) use help::typed;
pub(super) use inbox::{Unread, unread, waiting};
pub(super) use people::new_code;
pub(super) use poll::Closing;
pub(super) use remind::Reminder;
pub(super) use rules::mark as rules_changed;
pub(super) use totp::keep_in;

/// A host whose line is running.
type Host = Arc<LineHost>;

/// Does what a call asks.
pub(super) fn serve(host: Host, verb: Verb, call: Call, input: Option<Stream>) -> Stream {
    if verb == Verb::Tee {
        return kept::tee(&host, &call, input);
    }
    if verb == Verb::BundleSet {
        return Stream::later(async move { bundles::set(&host, &call, input).await.map(Stream::of) });
    }
    if verb == Verb::AuditExport {
        return Stream::later(async move { export::export(&host, &call) });
    }
    if verb == Verb::Scrape {
        return Stream::later(async move { scrape::scrape(&host, &call).await });
    }
    let before = match verb {
        Verb::SecretSet => Some(secrets::Before::Anything),
        Verb::SecretRotate => Some(secrets::Before::Value),
        _ => None,
    };
    if let Some(before) = before {
        return Stream::later(async move { secrets::set(&host, &call, input, before).await.map(Stream::of) });
    }
    if verb == Verb::Jq {
        return Stream::later(async move { jq::jq(&host, &call, input).await });
    }
    Stream::later(async move { values(&host, verb, &call).await.map(Stream::of) })
}

#[expect(clippy::too_many_lines, reason = "a table, with a line for every verb")]
async fn values(host: &Host, verb: Verb, call: &Call) -> Result<Vec<Value>, Error> {
    match verb {
        Verb::Help => help::help(host, call),
        Verb::Which => help::which(host, call),
        Verb::Explain => explain::explain(host, call),
        Verb::Why => who::why(host, call),
        Verb::WhoCan => who::who_can(host, call),
        Verb::Whoami => Ok(look::whoami(host, call)),
        Verb::Status => look::status(host, call).await,
        Verb::History => lines::history(host, call).await,
        Verb::Ps => lines::ps(host),
        Verb::Kill => lines::kill(host, call),
        Verb::More => output::more(host, call),
        Verb::Claim => people::claim(host, call).await,
        Verb::Link => link::link(host, call).await,
        Verb::Approve => approval::approve(host, call).await,
        Verb::Deny => approval::deny(host, call).await,
        Verb::Approvals if call.value("ID").is_some() => approval::request(host, call),
        Verb::Approvals => approval::list(host),
        Verb::TotpEnrol => totp::enrol(host).await,
        Verb::TotpConfirm => totp::confirm(host, call).await,
        Verb::TotpRemove => totp::forget(host, call).await,
        Verb::TotpReset => totp::reset(host, call).await,
        Verb::StepUp => totp::step_up(host, call).await,
        Verb::BreakGlass => emergency::begin(host, call).await,
        Verb::BreakGlassEnd => emergency::end(host).await,
        Verb::BreakGlassList => emergency::list(host),
        Verb::BreakGlassReview => emergency::review(host, call).await,
        Verb::AliasMake | Verb::AliasCreate => alias::make(host, call).await,
        Verb::AliasDelete => alias::delete(host, call).await,
        Verb::AliasMove => alias::publish(host, call).await,
        Verb::AliasList => alias::list(host),
        Verb::AliasRename => alias::rename(host, call).await,
        Verb::Cat => kept::cat(host, call),
        Verb::KeepList => kept::list(host, call),
        Verb::KeepDrop => kept::drop(host, call).await,
        Verb::Remind => remind::remind(host, call).await,
        Verb::RemindList => remind::list(host),
        Verb::RemindCancel => remind::cancel(host, call).await,
        Verb::Karma => karma::karma(host, call).await,
        Verb::KarmaList => karma::list(host, call),
        Verb::Standup => standup::note(host, call).await,
        Verb::StandupList => standup::list(host, call),
        Verb::StandupDelete => standup::take_back(host).await,
        Verb::Poll => poll::ask(host, call).await,
        Verb::PollVote => poll::vote(host, call).await,
        Verb::PollShow => poll::show(host, call),
        Verb::PollList => poll::list(host),
        Verb::PollClose => poll::close(host, call).await,
        Verb::Inbox => inbox::read(host).await,
        Verb::InboxClear => inbox::clear(host).await,
        Verb::My => notes::note(host, call, false).await,
        Verb::MyList => notes::list(host, false),
        Verb::MyDelete => notes::delete(host, call, false).await,
        Verb::Our => notes::note(host, call, true).await,
        Verb::OurList => notes::list(host, true),
        Verb::OurDelete => notes::delete(host, call, true).await,
        Verb::UserCreate => user::create(host, call).await,
        Verb::UserDelete => user::delete(host, call).await,
        Verb::UserList => Ok(people::list_users(host)),
        Verb::UserShow => people::show_user(host, call),
        Verb::UserLink => people::link(host, call).await,
        Verb::UserUnlink => people::unlink(host, call).await,
        Verb::GroupCreate => people::create_group(host, call).await,
        Verb::GroupDelete => people::delete_group(host, call).await,
        Verb::GroupList => Ok(people::list_groups(host)),
        Verb::GroupAdd => people::add(host, call).await,
        Verb::GroupRemove => people::remove_user(host, call).await,
        Verb::RoleCreate => policy::create_role(host, call).await,
        Verb::RoleDelete => policy::delete_role(host, call).await,
        Verb::RoleList => Ok(policy::list_roles(host)),
        Verb::RoleGrant => policy::grant(host, call).await,
        Verb::RoleRevoke => policy::revoke(host, call).await,
        Verb::RoleGive => policy::give(host, call).await,
        Verb::RoleTake => policy::take(host, call).await,
        Verb::PermissionCreate => policy::create_permission(host, call).await,
        Verb::PermissionDelete => policy::delete_permission(host, call).await,
        Verb::PermissionList => policy::list_permissions(host),
        Verb::RuleCreate => rules::create(host, call).await,
        Verb::RuleDelete => rules::delete(host, call).await,
        Verb::RuleList => rules::list(host, call),
        Verb::RuleDiff => rules::diff(host, call),
        Verb::RuleTest => who::test(host, call),
        Verb::RoomCreate => rooms::create(host, call).await,
        Verb::RoomDelete => rooms::delete(host, call).await,
        Verb::RoomRead => rooms::read(host, call),
        Verb::RoomList => Ok(rooms::list(host)),
        Verb::RoomSet => rooms::set(host, call).await,
        Verb::RoomShow => rooms::show(host, call),
        Verb::BundleInstall => bundles::install(host, call).await,
        Verb::BundleFind => bundles::find(host, call).await,
        Verb::BundleDiff => bundles::diff(host, call).await,
        Verb::BundleUpgrade => bundles::upgrade(host, call).await,
        Verb::BundleRollback => bundles::rollback(host, call).await,
        Verb::BundleEnable => bundles::enable(host, call).await,
        Verb::BundleDisable => bundles::disable(host, call).await,
        Verb::BundleRemove => bundles::remove(host, call).await,
        Verb::BundleList => bundles::list(host),
        Verb::BundleShow => bundles::show(host, call).await,
        // these take or give a stream, not only words and values: see `serve`
        Verb::Tee
        | Verb::BundleSet
        | Verb::SecretSet
        | Verb::SecretRotate
        | Verb::Jq
        | Verb::Scrape
        | Verb::AuditExport => Ok(Vec::new()),
        Verb::BundleUnset => bundles::unset(host, call).await,
        Verb::BundleSettings => bundles::settings(host, call),
        Verb::HttpGet => http::ask(host, call, Method::GET).await,
        Verb::HttpPost => http::ask(host, call, Method::POST).await,
        Verb::HttpPut => http::ask(host, call, Method::PUT).await,
        Verb::HttpDelete => http::ask(host, call, Method::DELETE).await,
        Verb::Dns => scrape::dns(host, call).await,
        Verb::SecretList => secrets::list(host, call),
        Verb::SecretRemove => secrets::remove(host, call).await,
        Verb::SecretRotateKey => secrets::rotate_key(host).await,
        Verb::AuditList => log::list(host, call).await,
        Verb::AuditShow => log::show(host, call).await,
        Verb::AuditSearch => log::search(host, call).await,
        Verb::AuditTimeline => timeline::timeline(host, call).await,
        Verb::AuditErase => log::erase(host, call).await,
        Verb::AuditVerify => log::verify(host).await,
    }
}

/// The text of a parameter that the usage requires.
fn text(call: &Call, name: &str) -> Result<ecow::EcoString, Error> {
    call.text(name).ok_or_else(|| Error::failed(format!("{name} is missing")))
}

/// Who owns what the line makes; strangers own nothing.
fn owner(host: &Host) -> Result<&ecow::EcoString, Error> {
    host.subject.owner().ok_or_else(|| Error::failed("nothing can be kept for somebody whom nobody verified"))
}

/// A text that says what was done.
fn done(said: impl Into<String>) -> Vec<Value> {
    vec![Value::from(said.into())]
}

async fn apply(host: &Host, changes: Vec<Change>) -> Result<(), Error> {
    host.engine.0.store.apply(changes).await.map_err(stored)
}

/// A change that the store refused.
pub(super) fn stored(error: StoreError) -> Error {
    match error {
        StoreError::Exists { .. } | StoreError::Missing { .. } | StoreError::Stale { .. } => {
            Error::failed(error.to_string())
        }
        StoreError::Newer { .. }
        | StoreError::Busy
        | StoreError::Full
        | StoreError::Unsynced(_)
        | StoreError::Damaged(_)
        | StoreError::Failed(_)
        | StoreError::Closed => super::unavailable(error),
    }
}

fn insert(kind: &'static str, key: impl Into<String>, body: &impl serde::Serialize) -> Change {
    Change::Insert { kind, key: key.into(), body: json(body) }
}

fn put(kind: &'static str, key: impl Into<String>, body: &impl serde::Serialize, expect: Expect) -> Change {
    Change::Put { kind, key: key.into(), body: json(body), expect }
}

fn delete(kind: &'static str, key: impl Into<String>, expect: Expect) -> Change {
    Change::Delete { kind, key: key.into(), expect }
}

fn json(body: &impl serde::Serialize) -> String {
    // the documents here are plain structs, lists and values: there is nothing in them that JSON cannot say
    crate::scrub::owned(serde_json::to_string(body).unwrap_or_default())
}

/// A document read, changed and written back only if nobody else changed it meanwhile.
async fn change<T>(
    host: &Host,
    kind: &'static str,
    key: &str,
    edit: impl FnOnce(&mut T) -> Result<(), Error>,
) -> Result<(), Error>
where
    T: serde::Serialize + serde::de::DeserializeOwned,
{
    let found = host.engine.0.store.get(kind, key).map_err(stored)?;
    let found = found.ok_or_else(|| Error::failed(format!("there is no {kind} {key}")))?;
    let mut document: T = serde_json::from_str(&found.body)
        .map_err(|error| Error::failed(format!("the {kind} {key} in the store cannot be read: {error}")))?;
    edit(&mut document)?;
    apply(host, vec![put(kind, key, &document, Expect::Revision(found.revision))]).await
}

/// Refuses one more of what somebody, a room or the site may have only so many of. One that is there already is changed.
fn room_for_more(host: &Host, what: &'static str, holder: &str, name: &str) -> Result<(), Error> {
    use crate::limits;
    let store = host.engine.store();
    if store.get(what, &own(holder, name)).map_err(stored)?.is_some() {
        return Ok(());
    }
    let shared = holder.is_empty() || holder.starts_with('#');
    let most = if shared { limits::SHARED_THINGS } else { limits::OWN_THINGS };
    let many = store.count_below(what, &own(holder, "")).map_err(stored)?;
    if many < most {
        return Ok(());
    }
    let plural = match what {
        kind::NOTE => "notes",
        kind::KEPT => "kept streams",
        kind::ALIAS => "aliases",
        _ => "things",
    };
    let who = if holder.is_empty() {
        "the site"
    } else if shared {
        "one room"
    } else {
        "one person"
    };
    Err(Error::failed(format!("{many} {plural} are all that {who} may have; delete one first")))
}

/// A name under which something is kept: not too long, and nothing in it that cannot be seen.
fn name_of(call: &Call, param: &str) -> Result<ecow::EcoString, Error> {
    let name = text(call, param)?;
    super::withheld::keeps_none("a name", &name)?;
    let seen = |c: char| !c.is_control() && !c.is_whitespace();
    if !name.is_empty() && name.chars().count() <= crate::limits::NAME && name.chars().all(seen) {
        return Ok(name);
    }
    Err(Error::failed(format!("{name:?} is no name to keep something under"))
        .help(format!("up to {} letters, digits and signs, without blanks", crate::limits::NAME)))
}

/// Under whose name something is kept: the caller's own, or with a flag the room's that the line was said in.
fn holder(host: &Host, room: bool) -> Result<ecow::EcoString, Error> {
    // strangers own nothing, and what a room keeps is for those who are known in it
    let me = owner(host)?;
    if room { rooms::this(host).map(|room| room.owner()) } else { Ok(me.clone()) }
}

/// An id that is not in use, short enough to type.
fn fresh_id() -> String {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstvwxyz0123456789";
    // without chance of the system's the id is one that is taken, and nothing is made
    let dice = getrandom::u64().unwrap_or_default();
    let letter = |at: u64| LETTERS.get(usize::try_from(dice >> (5 * at) & 31).unwrap_or_default());
    (0..6).filter_map(|at| letter(at).copied().map(char::from)).collect()
}

/// How long ago something was, in words that are short.
fn age(at: i64) -> String {
    let whole = clock::length(super::now().saturating_sub(at));
    whole.split(' ').next().unwrap_or_default().to_owned()
}
