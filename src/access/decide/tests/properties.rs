//! What must hold of any decision: order, monotony, doubt, foresight. The properties are numbered as the tests beside
//! this file are: 1 is the second judge, 9 and 10 are cases, 15 the witnesses, 16 the comparison with Cog.

use std::collections::BTreeSet;

use pipit_commands::Value;
use pipit_grammar::rule::{Place, Via};
use proptest::prelude::*;

use super::{Case, Decision, Denial, Ruling, Standing, decide, foresee, rulings, unconditional, why};

const TESTS: [&str; 14] = [
    "arg[0] == 'a'",
    "arg[0] != 'a'",
    "arg[1] == 'b'",
    "any args == 'a'",
    "all args in ['a', 'b']",
    "option[env] == 'prod'",
    "option[env] != 'prod'",
    "option[env] is missing",
    "option[env] is present",
    "any options matches /p.*/",
    "arg[0] contains /a/",
    "option[env] > 3",
    "arg[0] is tainted",
    "any option[env] == 'prod'",
];

fn cond() -> impl Strategy<Value = String> {
    let atom = prop::sample::select(&TESTS[..]).prop_map(str::to_owned);
    atom.prop_recursive(2, 6, 3, |inner| {
        (prop::collection::vec(inner, 1..3), prop::sample::select(&[" and ", " or "][..]))
            .prop_map(|(parts, joint)| format!("({})", parts.join(joint)))
    })
}

fn tail() -> impl Strategy<Value = String> {
    let clauses = prop::sample::select(&["", "", "", " in dm", " in #ops", " via chat"][..]);
    (prop::option::weighted(0.8, cond()), clauses)
        .prop_map(|(cond, clauses)| cond.map_or(clauses.to_owned(), |cond| format!(" with {cond}{clauses}")))
}

const EFFECTS: [&str; 6] =
    ["allow", "must have a:p", "must have a:q", "must have a:p or a:q", "must have a:p and a:r", "require reason"];

pub(super) fn normal() -> impl Strategy<Value = String> {
    (prop::sample::select(&["a:b", "a:b", "a:*", "c:d"][..]), tail(), prop::sample::select(&EFFECTS[..]))
        .prop_map(|(target, tail, effect)| format!("when command is {target}{tail} {effect}"))
}

fn narrowing() -> impl Strategy<Value = String> {
    let guard = (tail(), prop::sample::select(&EFFECTS[..]))
        .prop_map(|(tail, effect)| format!("guard when command is a:b{tail} {effect}"));
    let unless = prop::sample::select(&["", " unless a:p", " unless a:q and a:r"][..]);
    let forbid = (tail(), unless).prop_map(|(tail, unless)| format!("forbid command is *:*{tail}{unless}"));
    prop_oneof![guard, forbid]
}

fn rules() -> impl Strategy<Value = Vec<String>> {
    (prop::collection::vec(normal(), 0..5), prop::collection::vec(narrowing(), 0..2))
        .prop_map(|(normal, narrowing)| [normal, narrowing].concat())
}

pub(super) fn case() -> impl Strategy<Value = Case> {
    let value = || {
        prop_oneof![
            prop::sample::select(&["a", "b", "prod", "stage", "10"][..]).prop_map(Value::text),
            Just(Value::Int(10)),
            Just(Value::Bool(true)),
            Just(Value::Null),
            Just(Value::from(vec!["a", "prod"])),
        ]
    };
    (
        prop::collection::vec(value(), 0..3),
        prop::option::of(value()),
        prop::option::of(prop::sample::select(vec![Place::Dm, Place::Room("ops".into())])),
        prop::option::of(prop::sample::select(vec![Via::Chat, Via::Job])),
    )
        .prop_map(|(args, env, room, via)| Case {
            command: "a:b".to_owned(),
            args,
            options: env.map(|value| ("env".into(), value)).into_iter().collect(),
            room,
            via,
        })
}

pub(super) fn permissions() -> impl Strategy<Value = BTreeSet<&'static str>> {
    prop::sample::subsequence(vec!["a:p", "a:q", "a:r"], 0..=3).prop_map(BTreeSet::from_iter)
}

/// Allowed, parked or denied, without the names of rules; what must be fulfilled counts.
fn outcome(decision: &Decision) -> (u8, Vec<String>) {
    match decision {
        Decision::Allow { .. } => (0, Vec::new()),
        Decision::Park { obligations, .. } => (1, obligations.iter().map(|one| one.requirement.to_string()).collect()),
        Decision::Deny(_) => (2, Vec::new()),
    }
}

fn run(rules: &[String], permissions: &BTreeSet<&str>, case: &Case) -> (u8, Vec<String>) {
    let permissions: Vec<&str> = permissions.iter().copied().collect();
    outcome(&why(&rulings(rules), &permissions, &case.facts()).decision)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn p2_order_and_repetition_change_nothing(
        (given, shuffled) in rules().prop_flat_map(|rules| (Just(rules.clone()), Just(rules).prop_shuffle())),
        permissions in permissions(),
        case in case(),
    ) {
        let expected = run(&given, &permissions, &case);
        prop_assert_eq!(&run(&shuffled, &permissions, &case), &expected);
        prop_assert_eq!(&run(&[shuffled.clone(), given].concat(), &permissions, &case), &expected);
    }

    #[test]
    fn p3_nothing_comes_of_nothing(rules in rules(), case in case()) {
        let normal = rules.iter().filter(|rule| !rule.contains("command is c:d") && rule.starts_with("when"));
        let nobody = BTreeSet::new();
        if normal.clone().next().is_none() || normal.clone().all(|rule| rule.contains("must have")) {
            prop_assert_eq!(run(&rules, &nobody, &case).0, 2);
        }
        prop_assert_eq!(run(&[], &BTreeSet::from(["a:p", "a:q", "a:r"]), &case).0, 2);
    }

    #[test]
    fn p4_tightening_never_widens(
        rules in rules(), more in narrowing(), permissions in permissions(), case in case(), fewer in permissions(),
    ) {
        let before = run(&rules, &permissions, &case);
        let tighter = [rules.clone(), vec![more]].concat();
        prop_assert!(run(&tighter, &permissions, &case).0 >= before.0);
        let fewer: BTreeSet<&str> = permissions.intersection(&fewer).copied().collect();
        prop_assert!(run(&rules, &fewer, &case).0 >= before.0);
    }

    #[test]
    fn p5_more_permissions_never_narrow(
        rules in rules(), permissions in permissions(), more in permissions(), case in case(),
    ) {
        let more: BTreeSet<&str> = permissions.union(&more).copied().collect();
        prop_assert!(run(&rules, &more, &case).0 <= run(&rules, &permissions, &case).0);
    }

    #[test]
    fn p7_one_that_cannot_be_read_denies(rules in rules(), at in 0..5_usize, permissions in permissions(), case in case()) {
        let mut rules = rules;
        rules.insert(at.min(rules.len()), "when command is a:b with arg[0] > allow".to_owned());
        prop_assert_eq!(run(&rules, &permissions, &case).0, 2);
    }

    /// Adding a word may only allow what was denied if a rule that now holds was written as the exception.
    #[test]
    fn p6_padding_opens_nothing(
        rules in rules(), permissions in permissions(), case in case(), word in prop::sample::select(&["a", "b", "x"][..]),
    ) {
        let compiled = rulings(&rules);
        let permissions: Vec<&str> = permissions.iter().copied().collect();
        let mut padded = case.clone();
        padded.args.push(Value::text(word));
        let before = why(&compiled, &permissions, &case.facts());
        let after = why(&compiled, &permissions, &padded.facts());
        if let (Decision::Deny(Denial::Missing(_)), false) = (&before.decision, matches!(after.decision, Decision::Deny(_))) {
            for (before, after) in before.stands.iter().zip(&after.stands) {
                let explained = before.standing != Standing::Unsatisfied
                    || matches!(after.standing, Standing::Overridden { .. } | Standing::Idle | Standing::Doubtful);
                prop_assert!(explained, "{before:?} {after:?}");
            }
        }
    }

    /// What is foreseen comes true whatever the arguments.
    #[test]
    fn foresight_is_sound(rules in rules(), permissions in permissions(), case in case()) {
        let compiled = rulings(&rules);
        let compiled: Vec<&Ruling> = compiled.iter().collect();
        let has = |name: &str| permissions.contains(name);
        if foresee(&compiled, &has, &case.facts()).is_some() {
            prop_assert!(matches!(decide(&compiled, &has, &case.facts()), Decision::Deny(_)));
        }
    }

    /// Without conditions the decision is the one that is foreseen.
    #[test]
    fn foresight_is_whole_where_nothing_is_asked(rules in rules(), permissions in permissions(), case in case()) {
        let compiled = rulings(&rules);
        let compiled: Vec<&Ruling> = compiled.iter().filter(|ruling| unconditional(&[*ruling])).collect();
        let has = |name: &str| permissions.contains(name);
        let denied = match decide(&compiled, &has, &case.facts()) {
            Decision::Deny(denial) => Some(denial),
            Decision::Allow { .. } | Decision::Park { .. } => None,
        };
        prop_assert_eq!(foresee(&compiled, &has, &case.facts()).is_some(), denied.is_some());
    }
}
