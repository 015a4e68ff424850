//! The decision: rules, a call and the caller's permissions in, allowed or denied out, and why.
//!
//! A pure function. Every condition is true, false or unknown. Among the rules that hold, one gives way only to one
//! that asks for strictly more of the same call, whatever the order; all the others must be satisfied at once. What is
//! unknown never opens a door and never overrides, but it does restrict. No rule means no, and so does a rule that
//! cannot be read. Deliberately absent: I/O, a clock, where rules and permissions are kept, approvals and how they are
//! given.

mod call;
mod ruling;
#[cfg(test)]
mod tests;
mod widen;

use std::borrow::Borrow;

use ecow::EcoString;
use pipit_grammar::rule::{Effect, Kind, Perms, Requirement};

pub(crate) use call::{Facts, Tainted};
pub(crate) use ruling::{Layer, Ruling};
pub(crate) use widen::{Compared, opens};

use call::Truth;
use ruling::{Alternative, Compiled};

/// What is decided about a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It may run.
    Allow {
        /// The rules that were asked, by id.
        by: Vec<EcoString>,
    },
    /// It may not run.
    Deny(Denial),
    /// It may run once this is fulfilled and it has been decided again.
    Park {
        /// The rules that were asked, by id.
        by: Vec<EcoString>,
        /// Each once, in order.
        obligations: Vec<Obligation>,
    },
}

/// Why a call may not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Denial {
    /// A rule cannot be read, so nobody knows what it would have said.
    Unreadable {
        /// The rule's id.
        rule: EcoString,
        /// What is wrong with it.
        reason: EcoString,
    },
    /// A forbid holds, or may hold.
    Forbidden {
        /// By id.
        by: Vec<EcoString>,
    },
    /// The room is shared with other organisations, and no rule that counts names it.
    Shared {
        /// The rules that ask for something, by id.
        by: Vec<EcoString>,
    },
    /// No rule says that it may.
    NoRule,
    /// Permissions are missing.
    Missing(Vec<Unmet>),
}

/// A rule that asks for permissions which the caller lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unmet {
    /// The rule's id.
    pub(crate) rule: EcoString,
    /// What it asks for.
    pub(crate) needs: Perms,
}

/// What a rule asks for beside permissions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Obligation {
    /// What must be fulfilled.
    pub(crate) requirement: Requirement,
    /// The id of the rule that asks for it.
    pub(crate) rule: EcoString,
}

/// How one alternative of a rule stands in a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stand {
    /// The rule's id.
    pub(crate) rule: EcoString,
    /// Which alternative of its condition, from 0.
    pub(crate) alternative: usize,
    /// How it stands.
    pub(crate) standing: Standing,
}

/// The ways to stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// About another command.
    Elsewhere,
    /// Its condition does not hold.
    Idle,
    /// Whether its condition holds is unknown; an `allow` then says nothing.
    Doubtful,
    /// Its condition holds, and so does that of a rule which says more.
    Overridden {
        /// The id of that rule.
        by: EcoString,
    },
    /// A rule of the site that holds stands in its place.
    Replaced {
        /// The id of that rule.
        by: EcoString,
    },
    /// It was asked, and the caller has what it takes.
    Satisfied,
    /// It was asked, and the caller lacks what it takes.
    Unsatisfied,
}

/// A decision with all that led to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Explanation {
    /// The same that [`decide`] gives.
    pub(crate) decision: Decision,
    /// Every alternative of every rule, in the order of the rules.
    pub(crate) stands: Vec<Stand>,
}

/// Decides about a call. Rules of other commands do no harm. `has` says whether the caller has a permission.
pub(crate) fn decide<R: Borrow<Ruling>>(rules: &[R], has: &dyn Fn(&str) -> bool, facts: &Facts<'_>) -> Decision {
    match weigh(rules, facts) {
        Ok(weighed) => conclude(&weighed, has),
        Err(denial) => Decision::Deny(denial),
    }
}

/// The same decision, and how every rule stood.
pub(crate) fn explain<R: Borrow<Ruling>>(rules: &[R], has: &dyn Fn(&str) -> bool, facts: &Facts<'_>) -> Explanation {
    let weighed = match weigh(rules, facts) {
        Ok(weighed) => weighed,
        Err(denial) => return Explanation { decision: Decision::Deny(denial), stands: Vec::new() },
    };
    let mut stands = Vec::new();
    for ruling in rules.iter().map(R::borrow) {
        let Ok(compiled) = ruling.compiled() else { continue };
        for (at, alternative) in compiled.alternatives.iter().enumerate() {
            let found = weighed.iter().find(|weighed| std::ptr::eq(weighed.alternative, alternative));
            let standing = match found {
                Some(weighed) => weighed.standing(has),
                None if compiled.rule.target.covers(facts.command) => Standing::Idle,
                None => Standing::Elsewhere,
            };
            stands.push(Stand { rule: ruling.id.clone(), alternative: at, standing });
        }
    }
    Explanation { decision: conclude(&weighed, has), stands }
}

/// Whether a decision by these rules depends on the command and the caller's permissions alone, so that it holds for
/// any arguments, in any place, however the call came.
pub(crate) fn unconditional<R: Borrow<Ruling>>(rules: &[R]) -> bool {
    rules.iter().all(|ruling| ruling.borrow().compiled().is_ok_and(Compiled::is_unconditional))
}

/// What can be said of a command before its arguments are known: a denial that no arguments whatever would change, or
/// nothing. The arguments and options of `facts` are not looked at.
pub(crate) fn foresee<R: Borrow<Ruling>>(rules: &[R], has: &dyn Fn(&str) -> bool, facts: &Facts<'_>) -> Option<Denial> {
    let open = match outlook(rules, facts) {
        Ok(open) => open,
        Err(denial) => return Some(denial),
    };
    let fixed = |weighed: &&Weighed<'_>| !weighed.alternative.asks_call;
    let forbids = open.iter().filter(fixed).filter(|weighed| weighed.forbids(has));
    let by = ids(forbids);
    if !by.is_empty() {
        return Some(Denial::Forbidden { by });
    }
    let holds = |weighed: &&Weighed<'_>| weighed.is_normal() && weighed.truth == Truth::True;
    let hopeful: Vec<&Weighed<'_>> = open.iter().filter(holds).collect();
    if hopeful.is_empty() {
        return Some(Denial::NoRule);
    }
    // without any that could be satisfied, whichever hold in the end, one of them is not
    let certain = hopeful.iter().all(|weighed| weighed.unmet(has).is_some());
    let unmet = open.iter().filter(|weighed| {
        let guard = matches!(weighed.compiled.rule.kind, Kind::Guard(_)) && !weighed.alternative.asks_call;
        let replaced = |by: &Weighed<'_>| by.replaces(weighed);
        let overridden = |by: &Weighed<'_>| holds(weighed) && weighed.alternative.is_less_than(by.alternative);
        let gives_way = hopeful.iter().any(|by| replaced(by) || overridden(by));
        let held = weighed.is_normal() && !weighed.alternative.asks_call && !gives_way;
        let gone = hopeful.iter().any(|by| replaced(by) && !by.alternative.asks_call);
        guard || held || (certain && !gone && holds(weighed))
    });
    let unmet = distinct(unmet.filter_map(|weighed| weighed.unmet(has)));
    (!unmet.is_empty()).then_some(Denial::Missing(unmet))
}

/// An alternative of a rule that holds or may hold.
struct Weighed<'a> {
    ruling: &'a Ruling,
    compiled: &'a Compiled,
    alternative: &'a Alternative,
    /// Never false.
    truth: Truth,
    /// What takes it out of the count.
    gives_way: Option<GivesWay<'a>>,
}

/// Why a rule that holds, or may hold, is not asked.
#[derive(Clone, Copy)]
enum GivesWay<'a> {
    /// To one that says more and holds.
    Overridden(&'a Ruling),
    /// To one that stands in its place and holds.
    Replaced(&'a Ruling),
}

impl<'a> Weighed<'a> {
    fn is_normal(&self) -> bool {
        matches!(self.compiled.rule.kind, Kind::When(_))
    }

    fn effect(&self) -> Option<&'a Effect> {
        match &self.compiled.rule.kind {
            Kind::When(effect) | Kind::Guard(effect) => Some(effect),
            Kind::Forbid { .. } => None,
        }
    }

    /// Whether this rule of the site stands in the place of another of the command's own.
    fn replaces(&self, other: &Self) -> bool {
        self.ruling.layer == Layer::Site
            && other.ruling.layer == Layer::Bundle
            && self.compiled.rule.replaces.as_ref() == Some(&other.compiled.short)
    }

    fn forbids(&self, has: &dyn Fn(&str) -> bool) -> bool {
        match &self.compiled.rule.kind {
            Kind::Forbid { unless } => !unless.as_ref().is_some_and(|perms| perms.satisfied(has)),
            Kind::When(_) | Kind::Guard(_) => false,
        }
    }

    /// Whether it must be satisfied: it is not overridden, and when in doubt it would restrict.
    fn is_active(&self) -> bool {
        let certain = self.truth == Truth::True;
        self.gives_way.is_none() && self.effect().is_some_and(|effect| certain || *effect != Effect::Allow)
    }

    fn unmet(&self, has: &dyn Fn(&str) -> bool) -> Option<Unmet> {
        match self.effect() {
            Some(Effect::MustHave(needs)) if !needs.satisfied(has) => {
                Some(Unmet { rule: self.ruling.id.clone(), needs: needs.clone() })
            }
            Some(Effect::MustHave(_) | Effect::Allow | Effect::Require(_)) | None => None,
        }
    }

    fn obligation(&self) -> Option<Obligation> {
        match self.effect() {
            Some(Effect::Require(requirement)) => {
                Some(Obligation { requirement: requirement.clone(), rule: self.ruling.id.clone() })
            }
            Some(Effect::MustHave(_) | Effect::Allow) | None => None,
        }
    }

    fn standing(&self, has: &dyn Fn(&str) -> bool) -> Standing {
        match self.gives_way {
            Some(GivesWay::Overridden(by)) => Standing::Overridden { by: by.id.clone() },
            Some(GivesWay::Replaced(by)) => Standing::Replaced { by: by.id.clone() },
            None if self.forbids(has) || (self.is_active() && self.unmet(has).is_some()) => Standing::Unsatisfied,
            None if self.is_active() || self.truth == Truth::True => Standing::Satisfied,
            None => Standing::Doubtful,
        }
    }
}

/// Every alternative that holds or may hold, and whether it gives way to another.
fn weigh<'a, R: Borrow<Ruling>>(rules: &'a [R], facts: &Facts<'_>) -> Result<Vec<Weighed<'a>>, Denial> {
    collect(rules, facts.command, |compiled, alternative| compiled.truth(alternative, facts)).map(set_against)
}

/// The same, where it is said of every test, by its text, whether it holds.
fn weigh_by<'a, R: Borrow<Ruling>>(
    rules: &'a [R],
    command: &str,
    truth: &dyn Fn(&EcoString) -> Truth,
) -> Result<Vec<Weighed<'a>>, Denial> {
    collect(rules, command, |compiled, alternative| compiled.truth_by(alternative, truth)).map(set_against)
}

/// Sees of every alternative whether it gives way to another.
fn set_against(mut weighed: Vec<Weighed<'_>>) -> Vec<Weighed<'_>> {
    let certain = |weighed: &&Weighed<'_>| weighed.is_normal() && weighed.truth == Truth::True;
    let replacing: Vec<usize> = (0..weighed.len())
        .filter(|at| weighed.get(*at).is_some_and(|one| certain(&one) && one.compiled.rule.replaces.is_some()))
        .collect();
    for at in 0..weighed.len() {
        let by = weighed.get(at).and_then(|one| {
            let mut replacing = replacing.iter().filter_map(|by| weighed.get(*by));
            replacing.find(|by| by.replaces(one)).map(|by| GivesWay::Replaced(by.ruling))
        });
        if let Some(one) = weighed.get_mut(at) {
            one.gives_way = by;
        }
    }
    for at in 0..weighed.len() {
        // what is replaced is not there any more: it gives way to no other, and none gives way to it
        let counts = |one: &&Weighed<'_>| certain(one) && !matches!(one.gives_way, Some(GivesWay::Replaced(_)));
        let Some(less) = weighed.get(at).filter(counts) else { continue };
        let more = weighed.iter().filter(counts).find(|more| less.alternative.is_less_than(more.alternative));
        let by = more.map(|more| GivesWay::Overridden(more.ruling));
        if let Some(less) = weighed.get_mut(at).filter(|_| by.is_some()) {
            less.gives_way = by;
        }
    }
    weighed
}

/// Every alternative that could hold, given only where and how the call came.
fn outlook<'a, R: Borrow<Ruling>>(rules: &'a [R], facts: &Facts<'_>) -> Result<Vec<Weighed<'a>>, Denial> {
    collect(rules, facts.command, |compiled, alternative| compiled.truth_of_context(alternative, facts))
}

fn collect<'a, R: Borrow<Ruling>>(
    rules: &'a [R],
    command: &str,
    truth: impl Fn(&Compiled, &Alternative) -> Truth,
) -> Result<Vec<Weighed<'a>>, Denial> {
    let mut weighed = Vec::with_capacity(rules.len());
    for ruling in rules.iter().map(R::borrow) {
        let compiled = ruling
            .compiled()
            .map_err(|reason| Denial::Unreadable { rule: ruling.id.clone(), reason: reason.clone() })?;
        if !compiled.rule.target.covers(command) {
            continue;
        }
        for alternative in &compiled.alternatives {
            let truth = truth(compiled, alternative);
            if truth != Truth::False {
                weighed.push(Weighed { ruling, compiled, alternative, truth, gives_way: None });
            }
        }
    }
    Ok(weighed)
}

fn conclude(weighed: &[Weighed<'_>], has: &dyn Fn(&str) -> bool) -> Decision {
    let forbids = ids(weighed.iter().filter(|weighed| weighed.forbids(has)));
    if !forbids.is_empty() {
        return Decision::Deny(Denial::Forbidden { by: forbids });
    }
    if !weighed.iter().any(|weighed| weighed.is_normal() && weighed.truth == Truth::True) {
        return Decision::Deny(Denial::NoRule);
    }
    let active = || weighed.iter().filter(|weighed| weighed.is_active());
    let unmet = distinct(active().filter_map(|weighed| weighed.unmet(has)));
    if !unmet.is_empty() {
        return Decision::Deny(Denial::Missing(unmet));
    }
    let mut obligations: Vec<Obligation> = active().filter_map(Weighed::obligation).collect();
    obligations.sort();
    obligations.dedup_by(|one, other| one.requirement == other.requirement);
    let by = ids(active());
    if obligations.is_empty() { Decision::Allow { by } } else { Decision::Park { by, obligations } }
}

fn ids<'a, 'b: 'a>(weighed: impl Iterator<Item = &'a Weighed<'b>>) -> Vec<EcoString> {
    distinct(weighed.map(|weighed| weighed.ruling.id.clone()))
}

/// Each once, in the order of first appearance. They are few: the alternatives of one rule stand together.
fn distinct<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut kept = Vec::new();
    for item in items {
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    kept
}
