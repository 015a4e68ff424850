//! What nobody may do with the right to manage rights alone: give what they do not hold, widen what they may not run,
//! take away the last administrator.

use std::sync::Arc;

use ecow::EcoString;
use pipit_commands::{Command, Error, ErrorKind};

use super::super::now;
use super::super::world::World;
use super::Host;
use crate::access::decide::Ruling;
use crate::access::{Fate, People, differences};

/// The right to give rights that one does not hold.
const ESCALATE: &str = "access:escalate";

/// The right without which there is no administrator.
const ADMINISTERS: &str = "user:manage";

/// Refuses to give permissions that the caller does not hold.
pub(super) fn may_give<'p>(host: &Host, permissions: impl IntoIterator<Item = &'p EcoString>) -> Result<(), Error> {
    if host.subject.has(ESCALATE) {
        return Ok(());
    }
    let me = host.subject.name();
    match permissions.into_iter().find(|permission| !host.subject.has(permission)) {
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
    let roles = world.policy.people().roles.values().filter(|role| role.groups.contains(group));
    may_give(host, roles.flat_map(|role| &role.permissions))
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
