//! What nobody may do with the right to manage rights alone: give what they do not hold, widen what they may not run,
//! take away the last administrator.

use std::collections::HashSet;
use std::sync::Arc;

use ecow::EcoString;
use pipit_commands::{Command, Error, ErrorKind};
use pipit_grammar::rule::{Effect, Kind as Says, Rule, Target};

use super::super::now;
use super::super::world::World;
use super::Host;
use crate::access::decide::{Compared, Layer, Ruling, opens};
use crate::access::{Fate, People, Role, differences};
use crate::bundle::install;

/// The right to give rights that one does not hold.
pub(super) const ESCALATE: &str = "access:escalate";

/// The right without which there is no administrator.
const ADMINISTERS: &str = "user:manage";

/// Refuses to give permissions that the caller does not hold for good: those of an emergency are lent.
pub(super) fn may_give<'p>(host: &Host, permissions: impl IntoIterator<Item = &'p EcoString>) -> Result<(), Error> {
    holds(host, "give", permissions)
}

/// Refuses to delete a permission that the caller could not give: nobody else could give it back.
pub(super) fn may_delete(host: &Host, permission: &EcoString) -> Result<(), Error> {
    holds(host, "delete", [permission])
}

fn holds<'p>(host: &Host, what: &str, permissions: impl IntoIterator<Item = &'p EcoString>) -> Result<(), Error> {
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
            Err(Error::new(ErrorKind::Denied, format!("{me} may not {what} {lacking}: {me} does not hold it"))
                .help(format!("who holds it may, or who holds {ESCALATE}")))
        }
        None => Ok(()),
    }
}

/// Refuses to give what a group has by its roles.
pub(super) async fn may_give_group(host: &Host, group: &str) -> Result<(), Error> {
    let world = host.engine.world()?;
    let roles: Vec<_> = world.policy.people().roles.iter().filter(|(_, role)| role.groups.contains(group)).collect();
    may_give_roles(host, roles).await
}

/// Refuses to give what a user has by groups and roles.
pub(super) async fn may_give_user(host: &Host, user: &str) -> Result<(), Error> {
    let world = host.engine.world()?;
    let roles: Vec<_> = world.policy.people().roles_of(user).collect();
    may_give_roles(host, roles).await
}

/// The roles that approvals come from by the rules of bundles that are installed and not enabled.
async fn dormant_approvers(host: &Host) -> Result<HashSet<EcoString>, Error> {
    let (store, home) = (host.engine.store(), &host.engine.0.home);
    let mut roles = HashSet::new();
    for (one, enabled) in install::list(store)? {
        if enabled {
            continue;
        }
        // one whose folder is not what it was runs never again
        let Ok((_, manifest)) = install::show(store, home, &one.name, Some(&one.version)).await else { continue };
        let rulings = manifest
            .commands
            .iter()
            .flat_map(|entry| &entry.rules)
            .map(|rule| Ruling::read("dormant", Layer::Bundle, rule.clone()));
        roles.extend(rulings.filter_map(|ruling| ruling.approver().cloned()));
    }
    Ok(roles)
}

/// Refuses to give roles whose permissions the caller does not hold, and those that approvals come from when the caller
/// has them not: whoever could give them could approve of their own lines by somebody else's hand.
pub(super) async fn may_give_roles<'r>(
    host: &Host,
    roles: impl IntoIterator<Item = (&'r EcoString, &'r Role)>,
) -> Result<(), Error> {
    let roles: Vec<_> = roles.into_iter().collect();
    may_give(host, roles.iter().flat_map(|(_, role)| &role.permissions))?;
    if host.subject.has(ESCALATE) {
        return Ok(());
    }
    let me = host.subject.name();
    let world = host.engine.world()?;
    let lacking = |role: &str| world.policy.approves(role) && !world.policy.people().holds(me, role);
    let mut lacking = roles.iter().find(|(name, _)| lacking(name));
    if lacking.is_none() {
        // a bundle that is enabled tomorrow asks those who have the role by then
        let dormant = dormant_approvers(host).await?;
        let own = |role: &EcoString| world.policy.people().holds(me, role);
        lacking = roles.iter().find(|(name, _)| dormant.contains(*name) && !own(name));
    }
    match lacking {
        Some((role, _)) => Err(Error::new(
            ErrorKind::Denied,
            format!("{me} may not give the role {role}: approvals come from it, and {me} does not have it"),
        )
        .help(format!("who has it may, or who holds {ESCALATE}"))),
        None => Ok(()),
    }
}

/// A change of the rules of the site.
#[derive(Clone, Copy)]
pub(super) enum Edit<'a> {
    /// A rule that is new.
    Made(&'a Rule),
    /// A rule that is there no longer.
    Deleted(&'a Ruling),
}

impl Edit<'_> {
    /// Whether nobody can gain by it, whatever other rules there are: what only closes is made, or what only opens is
    /// deleted.
    fn only_closes(self) -> bool {
        match self {
            Self::Made(rule) => matches!(rule.kind, Says::Guard(_) | Says::Forbid { .. }),
            Self::Deleted(ruling) => {
                ruling.rule().is_ok_and(|rule| rule.kind == Says::When(Effect::Allow) && rule.replaces.is_none())
            }
        }
    }

    /// The commands that it is about, as a rule writes it, where there may be others than those that are here.
    fn beyond(self, here: &[&Command]) -> Option<String> {
        let target = match self {
            Self::Made(rule) => &rule.target,
            Self::Deleted(ruling) => match ruling.rule() {
                Ok(rule) => &rule.target,
                Err(_) => &Target::All,
            },
        };
        let whole = match target {
            Target::Command { .. } => !here.is_empty(),
            Target::Bundle(_) | Target::All => false,
        };
        (!whole).then(|| target.to_string())
    }
}

/// Refuses a change of rules by which anybody could do more than before, or with less asked of them, unless the caller may
/// do it just so. What cannot be shown to open nothing is taken to open something: a time that is yet to come, a text that
/// only a pattern finds, commands that are not there yet.
pub(super) fn opens_nothing(
    host: &Host,
    world: &World,
    edit: Edit<'_>,
    after: &dyn Fn(&Command) -> Vec<Arc<Ruling>>,
    commands: &[&Command],
) -> Result<(), Error> {
    if edit.only_closes() || host.subject.has(ESCALATE) {
        return Ok(());
    }
    let me = host.subject.name();
    let denied = |message: String| Error::new(ErrorKind::Denied, message);
    let lent = |permission: &EcoString| !world.policy.people().owns(me, permission);
    if !host.subject.is_operator() && host.subject.permissions().iter().any(lent) {
        return Err(denied(format!("{me} may not change rules during an emergency"))
            .help("its rights are lent, and a rule would make them somebody's own"));
    }
    if let Some(target) = edit.beyond(commands) {
        return Err(denied(format!(
            "{me} may not change what opens {target}: nobody can see whom that lets run commands of it that are not here"
        ))
        .help(match edit {
            Edit::Made(_) => format!("name one command, or make a guard, which only closes; or ask who holds {ESCALATE}"),
            Edit::Deleted(_) => format!("ask who holds {ESCALATE}"),
        }));
    }
    for command in commands {
        let rules = [world.policy.rules_of(command.exact()), &after(command)];
        let message = match opens(command.exact(), rules, &|name| host.subject.has(name)) {
            Compared::OpensNothing => continue,
            Compared::Opens(opening) => {
                let tests: Vec<String> = opening.tests.iter().map(|test| format!("`{test}`")).collect();
                let tests = if tests.is_empty() { String::new() } else { format!(" where {}", tests.join(" and ")) };
                let any = format!(
                    "this would let people run {}{tests} who may not now, or ask less of them, and {me} may not run it so",
                    command.exact()
                );
                example(host, world, command, rules)?.unwrap_or(any)
            }
            Compared::TooMany => format!(
                "nobody can see whether this lets people run {} who may not now: its rules tell too many calls apart",
                command.exact()
            ),
        };
        return Err(denied(message).help(format!("who may, or who holds {ESCALATE}, makes it")));
    }
    Ok(())
}

/// Somebody who is here, and a call that they gain and the caller may not make, where one is found.
fn example(host: &Host, world: &World, command: &Command, rules: [&[Arc<Ruling>]; 2]) -> Result<Option<String>, Error> {
    // an hour that was found by chance says less than the window it lies in
    let timed = |ruling: &Arc<Ruling>| ruling.rule().is_ok_and(|rule| rule.during.is_some());
    if rules.into_iter().flatten().any(timed) {
        return Ok(None);
    }
    let everybody = super::rules::everybody(world)?;
    let found = differences(command, rules, &everybody, now());
    let gained = found.found.iter().filter(|one| one.becomes > one.was);
    let mine = differences(command, [&[], rules[0]], std::slice::from_ref(&host.subject), now());
    let may = |call: &str| mine.found.iter().any(|one| one.call == call && one.becomes == Fate::Allowed);
    let me = host.subject.name();
    Ok(gained.into_iter().find(|one| !may(&one.call)).map(|one| {
        let who = one.who.first().cloned().unwrap_or_default();
        format!("{me} may not let {who} run {}: {me} may not run it", one.call)
    }))
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
