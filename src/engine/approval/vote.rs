//! Votes: who may vote, what a vote comes to, and the one that releases the line.

use std::sync::Arc;

use ecow::EcoString;
use pipit_commands::{Call, Error, ErrorKind, Value};
use pipit_grammar::rule::Place;

use super::{Kept, again, is_asker, release, show};
use crate::access::Subject;
use crate::access::approval::{self, Need, Plan, State};
use crate::audit::Happened;
use crate::engine::host::LineHost;
use crate::engine::world::{World, kind};
use crate::engine::{now, unavailable};
use crate::store::{Change, StoreError};

/// The fewest letters by which a request can be named.
const SHORTEST: usize = 4;
/// How often a vote is tried again when another one came at the same moment.
const TRIES: usize = 16;

/// The request that a call names, by its id or the beginning of it.
pub(super) fn find(host: &LineHost, call: &Call) -> Result<Kept, Error> {
    let typed = call.text("ID").unwrap_or_default().to_ascii_uppercase();
    let mut found = host.engine.requests()?;
    found.retain(|kept| {
        let named = kept.id == typed || (typed.len() >= SHORTEST && kept.id.starts_with(typed.as_str()));
        named && show::concerns(host, kept)
    });
    match <[Kept; 1]>::try_from(found) {
        Ok([kept]) => Ok(kept),
        Err(several) if several.is_empty() => {
            Err(Error::failed(format!("there is no request {typed} for you")).help("approvals shows those there are"))
        }
        Err(_) => Err(Error::failed(format!("several requests begin with {typed}")).help("write more of the id")),
    }
}

/// Whether somebody may vote: a user who has one of the roles, and is not the one who asked.
pub(super) fn may_vote(world: &World, plan: &Plan, subject: &Subject) -> bool {
    let people = world.policy.people();
    subject.owner().is_some_and(|name| {
        *name != plan.who.name && people.has_user(name) && plan.needs.iter().any(|need| people.holds(name, &need.role))
    })
}

/// What is missing yet, by the roles as they are now.
pub(super) fn missing(world: &World, plan: &Plan, voters: &[EcoString]) -> Vec<Need> {
    let voters: Vec<EcoString> = voters.iter().filter(|voter| **voter != plan.who.name).cloned().collect();
    approval::missing(&plan.needs, &voters, &|who, role| world.policy.people().holds(who, role))
}

/// Counts the caller's vote. The one that completes a request runs its line, or leaves that to the process that reaches
/// the requester's room.
pub(in super::super) async fn approve(host: &Arc<LineHost>, call: &Call) -> Result<Vec<Value>, Error> {
    for _ in 0..TRIES {
        let kept = find(host, call)?;
        let name = voter(host, &kept)?;
        let plan = &kept.parked.plan;
        if call.text("CODE").unwrap_or_default().to_ascii_uppercase() != plan.code() {
            return Err(Error::failed(format!("that is not the code of the request {}", kept.id))
                .help(format!("it stands at the end of the request: approvals {}", kept.id)));
        }
        if host.is_in_chat() && !show::fits_chat(&host.world, &kept.parked) {
            return Err(Error::failed("the request cannot be shown well enough here to be approved of")
                .help("it is too long, or has letters that do not show as what they are; use the console"));
        }
        // the world as it is now, and not as it was when this line began
        let world = host.engine.world()?;
        if let Some(why) = again::changed(host, &world, plan)? {
            return Err(void(host, &kept, why).await?);
        }
        let mut voters = host.engine.voters(&kept.id)?;
        let again = voters.contains(&name);
        if !again {
            voters.push(name.clone());
        }
        let missing = missing(&world, plan, &voters);
        // who lost the role and has it again counts again, where theirs is the vote that was missing
        if again && !missing.is_empty() {
            return Err(denied(format!("{name} has approved of {} already, and counts once", kept.id)));
        }
        let here = release::reaches(&host.engine, &plan.service);
        let state = match (missing.is_empty(), here) {
            (false, _) => State::Waiting,
            (true, true) => State::Released,
            (true, false) => State::Approved,
        };
        let vote = Change::Insert {
            kind: kind::VOTE,
            key: format!("{}/{name}", kept.id),
            body: format!("{{\"at\":{}}}", now()),
        };
        let new = (!again).then_some(vote);
        match host.engine.store().apply(new.into_iter().chain([kept.becomes(state.clone())]).collect()).await {
            Ok(()) => {}
            // another vote came between, or something ended it: look again
            Err(StoreError::Stale { .. } | StoreError::Exists { .. } | StoreError::Missing { .. }) => continue,
            Err(error) => return Err(unavailable(error)),
        }
        host.remark(Happened::Voted, "approved", &kept.id, &plan.line);
        if state == State::Released {
            host.remark(Happened::Released, "", &kept.id, &plan.line);
        }
        return Ok(vec![
            match state {
                State::Released => release::release(host.engine.clone(), kept, voters).await?,
                State::Approved => format!("{} is approved of; it runs when {} is reached", kept.id, plan.service),
                State::Waiting | State::Denied { .. } | State::Void { .. } => {
                    let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
                    format!("counted; {} still takes {}", kept.id, missing.join(" and "))
                }
            }
            .into(),
        ]);
    }
    Err(Error::failed("too many voted at the same moment").help("say it again"))
}

/// Ends a request: by somebody who may vote, or by the requester, who takes it back.
pub(in super::super) async fn deny(host: &LineHost, call: &Call) -> Result<Vec<Value>, Error> {
    let kept = find(host, call)?;
    let plan = &kept.parked.plan;
    open(&kept)?;
    let own = is_asker(&plan.who, &host.subject);
    if !own && !may_vote(&host.world, plan, &host.subject) {
        return Err(not_for(&kept));
    }
    let by = host.subject.name().clone();
    let why = call.joined("REASON");
    host.engine
        .store()
        .apply(vec![kept.becomes(State::Denied { by: by.clone(), why: why.clone() })])
        .await
        .map_err(|_| Error::failed("the request was decided at this moment").help("approvals shows how it stands"))?;
    host.remark(Happened::Voted, if own { "taken back" } else { "denied" }, &kept.id, &plan.line);
    if own {
        return Ok(vec![format!("{} is taken back", kept.id).into()]);
    }
    let why = why.map_or(String::new(), |why| format!(": {why}"));
    release::tell(&host.engine, &kept.parked, &format!("{by} said no to {}'s {}{why}", plan.who.name, plan.line)).await;
    Ok(vec![format!("{} is denied", kept.id).into()])
}

/// The caller, if he may vote on it now.
fn voter(host: &LineHost, kept: &Kept) -> Result<EcoString, Error> {
    open(kept)?;
    let plan = &kept.parked.plan;
    if is_asker(&plan.who, &host.subject) {
        return Err(denied(format!(
            "{} asked for {}, and nobody approves of what is their own",
            plan.who.name, kept.id
        )));
    }
    match host.subject.owner().filter(|_| may_vote(&host.world, plan, &host.subject)) {
        Some(name) => Ok(name.clone()),
        None => Err(not_for(kept)),
    }
}

/// Refuses a request that came to its end.
fn open(kept: &Kept) -> Result<(), Error> {
    let id = &kept.id;
    Err(match &kept.parked.state {
        State::Waiting if kept.waits(now()) => return Ok(()),
        State::Waiting => denied(format!("{id} has expired")).help("whoever asked for it says the line again"),
        State::Approved | State::Released => denied(format!("{id} was approved of already, and that counts once")),
        State::Denied { by, .. } => denied(format!("{by} said no to {id}")),
        State::Void { why } => denied(format!("{id} is void: {why}")),
    })
}

/// The request is void from now on; what is said to whoever wanted to vote.
async fn void(host: &LineHost, kept: &Kept, why: String) -> Result<Error, Error> {
    match host.engine.store().apply(vec![kept.becomes(State::Void { why: why.clone() })]).await {
        // somebody else ended it at this moment, which is as good
        Ok(()) | Err(StoreError::Stale { .. } | StoreError::Missing { .. }) => {}
        Err(error) => return Err(unavailable(error)),
    }
    host.remark(Happened::Voided, "", &kept.id, &why);
    let said = format!("{}'s {} is void: {why}", kept.parked.plan.who.name, kept.parked.plan.line);
    release::tell(&host.engine, &kept.parked, &said).await;
    Ok(denied(format!("{} is void: {why}", kept.id)).help("whoever asked for it says the line again"))
}

fn not_for(kept: &Kept) -> Error {
    let roles: Vec<&str> = kept.parked.plan.needs.iter().map(|need| need.role.as_str()).collect();
    denied(format!("{} takes the role {}", kept.id, roles.join(" or ")))
}

fn denied(why: String) -> Error {
    Error::new(ErrorKind::Denied, why)
}

impl LineHost {
    /// Whether the line came from a room or a chat service, and not from the console.
    fn is_in_chat(&self) -> bool {
        self.address.is_some() || matches!(self.context().place, Place::Room(_))
    }
}
