//! What nobody may do with the right to manage rights alone: give what they do not hold, widen what they may not run,
//! take away the last administrator.

use std::sync::Arc;

use ecow::EcoString;
use pipit_commands::{Command, Error, ErrorKind};

use super::super::now;
use super::super::world::World;
use super::Host;
use crate::access::decide::Ruling;
use crate::access::{Fate, People, Role, differences};

/// The right to give rights that one does not hold.
const ESCALATE: &str = "access:escalate";

/// The right without which there is no administrator.
const ADMINISTERS: &str = "user:manage";

/// Refuses to give permissions that the caller does not hold for good: those of an emergency are lent.
pub(super) fn may_give<'p>(host: &Host, permissions: impl IntoIterator<Item = &'p EcoString>) -> Result<(), Error> {
    if host.subject.has(ESCALATE) {
        return Ok(());
    }
    let me = host.subject.name();
    let world = host.engine.world()?;
    let people = world.policy.people();
    let holds =
        |permission: &str| host.subject.has(permission) && (host.subject.is_operator() || people.owns(me, permission));
    match permissions.into_iter().find(|permission| !holds(permission)) {
        Some(lacking) => {
            Err(Error::new(ErrorKind::Denied, format!("{me} may not give {lacking}: {me} does not hold it"))
                .help(format!("who holds it may, or who holds {ESCALATE}")))
        }
        None => Ok(()),
    }
}

/// Refuses to give what a group has by its roles.
pub(super) fn may_give_group(host: &Host, group: &str) -> Result<(), Error> {
    let world = host.engine.world()?;
    let roles = world.policy.people().roles.iter().filter(|(_, role)| role.groups.contains(group));
    may_give_roles(host, roles)
}

/// Refuses to give what a user has by groups and roles.
pub(super) fn may_give_user(host: &Host, user: &str) -> Result<(), Error> {
    may_give_roles(host, host.engine.world()?.policy.people().roles_of(user))
}

/// Refuses to give roles whose permissions the caller does not hold, and those that approvals come from when the caller
/// has them not: whoever could give them could approve of their own lines by somebody else's hand.
pub(super) fn may_give_roles<'r>(
    host: &Host,
    roles: impl Iterator<Item = (&'r EcoString, &'r Role)>,
) -> Result<(), Error> {
    let roles: Vec<_> = roles.collect();
    may_give(host, roles.iter().flat_map(|(_, role)| &role.permissions))?;
    if host.subject.has(ESCALATE) {
        return Ok(());
    }
    let me = host.subject.name();
    let world = host.engine.world()?;
    let lacking = |role: &str| world.policy.approves(role) && !world.policy.people().holds(me, role);
    match roles.iter().find(|(name, _)| lacking(name)) {
        Some((role, _)) => Err(Error::new(
            ErrorKind::Denied,
            format!("{me} may not give the role {role}: approvals come from it, and {me} does not have it"),
        )
        .help(format!("who has it may, or who holds {ESCALATE}"))),
        None => Ok(()),
    }
}

/// Refuses a change of rules by which anybody gains what the caller may not run.
pub(super) fn widens_nothing(
    host: &Host,
    world: &World,
    after: &dyn Fn(&Command) -> Vec<Arc<Ruling>>,
    commands: &[&Command],
) -> Result<(), Error> {
    if host.subject.has(ESCALATE) {
        return Ok(());
    }
    let everybody = super::rules::everybody(world)?;
    let me = host.subject.name();
    let lent = |permission: &EcoString| !world.policy.people().owns(me, permission);
    if !host.subject.is_operator() && host.subject.permissions().iter().any(lent) {
        return Err(Error::new(ErrorKind::Denied, format!("{me} may not change rules during an emergency"))
            .help("its rights are lent, and a rule would make them somebody's own"));
    }
    for command in commands {
        let rules = [world.policy.rules_of(command.exact()), &after(command)];
        let found = differences(command, rules, &everybody, now());
        let widens = |was: &Fate, becomes: &Fate| becomes > was;
        let gained = found.found.iter().filter(|one| widens(&one.was, &one.becomes));
        // whose own fate does not change ran it before, or does not after
        let mine = differences(command, [&[], rules[0]], std::slice::from_ref(&host.subject), now());
        let may = |call: &str| mine.found.iter().any(|one| one.call == call && one.becomes == Fate::Allowed);
        if let Some(first) = gained.into_iter().find(|one| !may(&one.call)) {
            let who = first.who.first().cloned().unwrap_or_default();
            let message = format!("{me} may not let {who} run {}: {me} may not run it", first.call);
            return Err(
                Error::new(ErrorKind::Denied, message).help(format!("who may, or who holds {ESCALATE}, makes it"))
            );
        }
    }
    Ok(())
}

/// Refuses a change after which nobody is an administrator any more, where somebody was.
pub(super) fn keeps_an_administrator(host: &Host, edit: impl FnOnce(&mut People)) -> Result<(), Error> {
    let world = host.engine.world()?;
    let before = world.policy.people();
    let mut after = before.clone();
    edit(&mut after);
    let after = People::new(after.users, after.groups, after.roles);
    let administrators = |people: &People| -> Vec<EcoString> {
        people.users.keys().filter(|user| people.permissions_of(user).contains(ADMINISTERS)).cloned().collect()
    };
    let last = administrators(before);
    if last.is_empty() || !administrators(&after).is_empty() {
        return Ok(());
    }
    Err(Error::failed(format!("then nobody would be an administrator any more: {} is the last", last.join(", ")))
        .help(format!("give somebody else {ADMINISTERS} first")))
}
