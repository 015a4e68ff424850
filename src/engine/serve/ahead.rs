//! What a rule does to other rules: one that goes before rules that are not made yet, one that shuts out whoever could undo
//! it, and one that is gone before as it is made.
//!
//! Deliberately absent: what a rule opens now, which [`super::guards`] sees to.

use std::sync::Arc;

use pipit_commands::{Command, Error, ErrorKind};
use pipit_grammar::rule::{Effect, Kind as Says, Rule, Target};

use super::super::world::World;
use super::Host;
use super::guards::ESCALATE;
use crate::access::decide::{Layer, Ruling};

/// The bundles without which nobody undoes a rule or sees what one did.
const WAYS_BACK: [&str; 2] = ["audit", "rule"];

/// How many rules are named that go before one; of the rest only the number is said.
const NAMED: usize = 3;

/// Refuses what somebody who only makes rules could prepare, or do for good: a rule that would go before plainer ones that
/// come later, and one that could shut everybody out of the rules and the log.
pub(super) fn is_no_trap(host: &Host, rule: &Rule) -> Result<(), Error> {
    if host.subject.has(ESCALATE) {
        return Ok(());
    }
    let me = host.subject.name();
    let shuts = match &rule.target {
        Target::All => true,
        Target::Bundle(bundle) | Target::Command { bundle, .. } => WAYS_BACK.contains(&bundle.as_str()),
    };
    if shuts {
        return Err(Error::new(
            ErrorKind::Denied,
            format!("{me} may make no rule about {}: it could keep everybody from the rules or the log", rule.target),
        )
        .help(format!("name another bundle or command; or ask who holds {ESCALATE}")));
    }
    let refines = rule.with.is_some() || !rule.places.is_empty() || rule.during.is_some() || rule.via.is_some();
    if matches!(rule.kind, Says::When(_)) && refines {
        return Err(Error::new(
            ErrorKind::Denied,
            format!("{me} may make no `when` with a condition: it would go before a plainer rule that comes later"),
        )
        .help(format!("make a guard, which is asked beside every other rule; or ask who holds {ESCALATE}")));
    }
    Ok(())
}

/// The rules of the commands that a new one covers, as far as they are asked for, each once.
fn beside<'r>(
    new: &Ruling,
    commands: &[&Command],
    rules: impl Fn(&Command) -> &'r [Arc<Ruling>],
    wanted: impl Fn(&Ruling) -> bool,
) -> Vec<&'r Arc<Ruling>> {
    let mut found: Vec<&Arc<Ruling>> = Vec::new();
    for ruling in commands.iter().filter(|command| new.covers(command.exact())).flat_map(|command| rules(command)) {
        if wanted(ruling) && !found.iter().any(|other| other.id == ruling.id) {
            found.push(ruling);
        }
    }
    found
}

/// What is to be said of a rule that others go before: where they hold, it is not asked. `rules` are those of a command
/// without the new one.
pub(super) fn overridden<'r>(
    new: &Ruling,
    commands: &[&Command],
    rules: impl Fn(&Command) -> &'r [Arc<Ruling>],
) -> Vec<String> {
    let before = beside(new, commands, rules, |ruling| ruling.goes_before(new));
    let rest = before.len().saturating_sub(NAMED);
    let named = before.iter().take(NAMED);
    let mut said: Vec<String> =
        named.map(|ruling| format!("{} goes before it where it holds: {}", ruling.id, ruling.source)).collect();
    if rest > 0 {
        said.push(format!("{rest} more rules go before it where they hold"));
    }
    said
}

/// What is to be said of a rule that asks for an approval, a second factor or a reason and goes before rules that ask for
/// permissions: most often both are meant.
pub(super) fn replaced<'r>(
    new: &Ruling,
    commands: &[&Command],
    rules: impl Fn(&Command) -> &'r [Arc<Ruling>],
) -> Vec<String> {
    let asks = |ruling: &Ruling, of: fn(&Effect) -> bool| {
        ruling.rule().is_ok_and(|rule| matches!(&rule.kind, Says::When(effect) if of(effect)))
    };
    if !asks(new, |effect| matches!(effect, Effect::Require(_))) {
        return Vec::new();
    }
    let permission = |ruling: &Ruling| asks(ruling, |effect| matches!(effect, Effect::MustHave(_)));
    let gone = beside(new, commands, rules, |ruling| permission(ruling) && new.goes_before(ruling));
    let named = gone.iter().take(NAMED);
    named
        .map(|ruling| {
            let (id, source) = (&ruling.id, &ruling.source);
            format!("where it holds, {id} is no longer asked: {source}; `guard when …` asks for both")
        })
        .collect()
}

/// What is to be said of the rules that a bundle brings and that rules of the site go before.
pub(super) fn overridden_of(world: &World, bundle: &str) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    for command in world.catalogue.all().iter().filter(|command| command.spec().bundle == bundle) {
        let rules = world.policy.rules_of(command.exact());
        for own in rules.iter().filter(|ruling| ruling.layer == Layer::Bundle) {
            let site = rules.iter().filter(|ruling| ruling.layer == Layer::Site && ruling.goes_before(own));
            said.extend(
                site.map(|ruling| {
                    format!("{} goes before `{}` where it holds: {}", ruling.id, own.source, ruling.source)
                }),
            );
        }
    }
    said.sort();
    said.dedup();
    said
}
