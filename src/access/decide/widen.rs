//! Whether other rules let somebody do what these do not.
//!
//! No call is tried. Every test of both sets of rules is taken for true, false or unknown in each of the ways in which a
//! call could make it so (`widen/ways.rs`), for every set of permissions that the rules tell apart. What is said to open
//! nothing opens nothing, for nobody who is here or comes later, in no room and at no time; now and then something is
//! said to open what no call can be, for a pattern may find or not find any text here. Deliberately absent: whether
//! whoever changes rules may.

mod ways;

use std::sync::Arc;

use ecow::EcoString;
use pipit_grammar::rule::Requirement;

use super::call::{Probe, Truth};
use super::{Decision, Ruling, Weighed, conclude, weigh_by};
use crate::limits;

/// The most permissions that the rules of one command may name to be compared.
const PERMISSIONS: usize = 10;

/// A kind of calls, and of people, for whom other rules do more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opening {
    /// The tests that hold of the calls, as rules write them.
    pub(crate) tests: Vec<EcoString>,
    /// What the people have of what the rules name.
    pub(crate) permissions: Vec<EcoString>,
}

/// What comes of comparing two sets of rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Compared {
    /// Nobody may more than before.
    OpensNothing,
    /// Somebody may, or could.
    Opens(Opening),
    /// There are more kinds of calls than are looked at, so nobody knows.
    TooMany,
}

/// A test of either set of rules, once.
struct Asked<'a> {
    text: &'a EcoString,
    probe: &'a Probe,
}

/// Compares the rules of a command (`bundle:name`) before and after a change. What whoever makes it may do by the rules of
/// before is no opening; `mine` says which permissions they hold. What types the command asks for does not count: its next
/// version may take other words.
pub(crate) fn opens(command: &str, [before, after]: [&[Arc<Ruling>]; 2], mine: &dyn Fn(&str) -> bool) -> Compared {
    let mut asked: Vec<Asked<'_>> = Vec::new();
    let mut named: Vec<&EcoString> = Vec::new();
    for compiled in before.iter().chain(after).filter_map(|ruling| ruling.compiled().ok()) {
        for (text, probe) in compiled.tests() {
            if !asked.iter().any(|one| one.text == text) {
                asked.push(Asked { text, probe });
            }
        }
        named.extend(compiled.rule.permissions());
    }
    named.sort();
    named.dedup();
    let Some(groups) = ways::of(&asked) else { return Compared::TooMany };
    let calls = groups.iter().try_fold(1_usize, |all, group| all.checked_mul(group.len()));
    let sets = (named.len() <= PERMISSIONS).then(|| 1_usize << named.len());
    match (calls, sets) {
        (Some(calls), Some(sets)) if calls.saturating_mul(sets) <= limits::COMPARED => {}
        (Some(_) | None, Some(_) | None) => return Compared::TooMany,
    }
    let mut truths = vec![Truth::Unknown; asked.len()];
    for call in 0..calls.unwrap_or(0) {
        let mut rest = call;
        for group in &groups {
            for (at, truth) in group.get(rest % group.len()).into_iter().flatten() {
                if let Some(known) = truths.get_mut(*at) {
                    *known = *truth;
                }
            }
            rest /= group.len();
        }
        let of = |text: &EcoString| {
            let at = asked.iter().position(|one| one.text == text);
            at.and_then(|at| truths.get(at).copied()).unwrap_or(Truth::Unknown)
        };
        let weighed = [before, after].map(|rules| weigh_by(rules, command, &of));
        let [was, becomes] = &weighed;
        let decided = |weighed: &Result<Vec<Weighed<'_>>, _>, has: &dyn Fn(&str) -> bool| match weighed {
            Ok(weighed) => conclude(weighed, has),
            Err(denial) => Decision::Deny(Clone::clone(denial)),
        };
        let own = decided(was, mine);
        for set in 0..sets.unwrap_or(0) {
            let holds = |at: usize| set & (1 << at) != 0;
            let has = |permission: &str| named.iter().position(|name| *name == permission).is_some_and(holds);
            let becomes = decided(becomes, &has);
            if !at_most(&becomes, &decided(was, &has)) && !at_most(&becomes, &own) {
                let true_ones = asked.iter().zip(&truths).filter(|(_, truth)| **truth == Truth::True);
                return Compared::Opens(Opening {
                    tests: true_ones.map(|(one, _)| one.text.clone()).collect(),
                    permissions: named
                        .iter()
                        .enumerate()
                        .filter(|(at, _)| holds(*at))
                        .map(|(_, name)| (*name).clone())
                        .collect(),
                });
            }
        }
    }
    Compared::OpensNothing
}

/// Whether one decision lets nobody do more than another, and asks for no less.
pub(super) fn at_most(one: &Decision, other: &Decision) -> bool {
    match (one, other) {
        (Decision::Deny(_), _) | (_, Decision::Allow { .. }) => true,
        (_, Decision::Deny(_)) | (Decision::Allow { .. }, Decision::Park { .. }) => false,
        (Decision::Park { obligations: asks, .. }, Decision::Park { obligations: asked, .. }) => {
            asked.iter().all(|asked| asks.iter().any(|asks| is_as_much(&asks.requirement, &asked.requirement)))
        }
    }
}

/// Whether who has fulfilled the one has fulfilled the other by that.
fn is_as_much(one: &Requirement, other: &Requirement) -> bool {
    match (one, other) {
        (
            Requirement::Approval { count, role, distinct },
            Requirement::Approval { count: asked, role: from, distinct: apart },
        ) => role == from && count >= asked && (*distinct || !apart),
        (Requirement::StepUp { method, within }, Requirement::StepUp { method: by, within: asked }) => {
            let seconds = |within: &Option<pipit_grammar::rule::Within>| {
                within.map_or(limits::STEP_UP.as_secs(), pipit_grammar::rule::Within::seconds)
            };
            method == by && seconds(within) <= seconds(asked)
        }
        (Requirement::Reason, Requirement::Reason) => true,
        (Requirement::Approval { .. } | Requirement::StepUp { .. } | Requirement::Reason, _) => false,
    }
}
