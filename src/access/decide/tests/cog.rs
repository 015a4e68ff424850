//! Property 16: where the tests of rules come out alike, nothing is allowed here that Cog would not allow.
//!
//! Cog weighs the rules that hold by how many inputs they looked at, and asks one of the heaviest: if one of several is
//! satisfied the call runs. Here that is played beside the real thing, over rules by chance and over published ones.

use std::collections::BTreeSet;
use std::path::Path;

use ecow::EcoString;
use pipit_commands::Value;
use pipit_grammar::rule::{Atom, Cond, Effect, Kind, Literal, Single, Subject, Test, Values};
use proptest::prelude::*;

use super::super::call::Truth;
use super::properties::{case, normal, permissions};
use super::{Case, Decision, Facts, Ruling, decide, rulings};

/// Whether Cog would let it run. An alternative of a condition counts as a rule of its own, as it does here.
fn cog(rulings: &[Ruling], has: &dyn Fn(&str) -> bool, facts: &Facts<'_>) -> bool {
    let mut heaviest = (0, false);
    for ruling in rulings {
        let compiled = ruling.compiled().unwrap();
        if !compiled.rule.target.covers(facts.command) {
            continue;
        }
        let atoms = compiled.rule.alternatives().unwrap();
        for (alternative, atoms) in compiled.alternatives.iter().zip(atoms) {
            if compiled.truth(alternative, facts) != Truth::True {
                continue;
            }
            let inputs: BTreeSet<String> = atoms.iter().map(|atom| atom.subject.to_string()).collect();
            let satisfied = match &compiled.rule.kind {
                Kind::When(Effect::MustHave(perms)) => perms.satisfied(has),
                Kind::When(Effect::Allow) => true,
                other => panic!("Cog has no {other:?}"),
            };
            // one more for a rule that holds at all
            heaviest = heaviest.max((inputs.len() + 1, satisfied));
        }
    }
    heaviest.1
}

fn stricter(rulings: &[Ruling], has: &dyn Fn(&str) -> bool, facts: &Facts<'_>) -> Option<bool> {
    match (decide(rulings, has, facts), cog(rulings, has, facts)) {
        (Decision::Deny(_), theirs) => Some(theirs),
        (Decision::Allow { .. } | Decision::Park { .. }, true) => Some(false),
        (Decision::Allow { .. } | Decision::Park { .. }, false) => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn p16_never_looser_than_cog(
        rules in prop::collection::vec(normal(), 0..7), permissions in permissions(), case in case(),
    ) {
        let rules: Vec<String> = rules
            .into_iter()
            .filter(|rule| !["require", " in dm", " in #", " via ", "tainted", "a:*"].iter().any(|no| rule.contains(no)))
            .collect();
        let rulings = rulings(&rules);
        let outcome = stricter(&rulings, &|name| permissions.contains(name), &case.facts());
        prop_assert!(outcome.is_some(), "{rules:#?}\n{case:?} {permissions:?}");
    }
}

/// What a rule compares arguments and options with, so that calls can be made that meet it.
fn literals(rulings: &[Ruling]) -> (Vec<Value>, Vec<EcoString>) {
    let (mut values, mut options) = (vec![Value::text("other"), Value::Int(7), Value::Bool(true)], Vec::new());
    for rule in rulings.iter().map(|ruling| ruling.rule().unwrap()) {
        options.extend(rule.options().into_iter().cloned());
        for Atom { test, subject } in rule.with.iter().flat_map(Cond::atoms) {
            let all = match test {
                Test::Compare(_, literal) => std::slice::from_ref(literal),
                Test::In(literals) => literals,
                Test::Matches(_) | Test::Contains(_) | Test::Missing | Test::Present | Test::Tainted => &[],
            };
            values.extend(all.iter().map(|literal| match literal {
                Literal::Number(number) => Value::number_of(number).unwrap(),
                Literal::Bool(value) => Value::Bool(*value),
                Literal::Text(text) => Value::Text(text.clone()),
                Literal::Pattern(pattern) => Value::text(pattern.trim_matches(['^', '$', '.', '*'])),
            }));
            assert!(!matches!(subject, Subject::One(Single::Arg(9..))), "calls here have few arguments");
            assert!(!matches!(subject, Subject::Any(Values::Stdin)), "Cog has no labels");
        }
    }
    options.sort();
    options.dedup();
    (values, options)
}

fn rows(name: &str) -> Vec<serde_json::Value> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance").join(name);
    let text = std::fs::read_to_string(&data).unwrap_or_else(|error| panic!("{} is needed: {error}", data.display()));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Rules of one command each: those of published bundles, and sets that Cog decides in the data.
fn published() -> Vec<(String, Vec<String>)> {
    let texts = |rules: &serde_json::Value| -> Vec<String> {
        rules.as_array().unwrap().iter().map(|rule| rule.as_str().unwrap().to_owned()).collect()
    };
    let mut sets = Vec::new();
    for row in rows("cog-manifests/expected.jsonl") {
        let bundle = row["bundle"].as_str().unwrap_or_default().to_owned();
        let rules = row["rules"].as_object().cloned().unwrap_or_default();
        sets.extend(rules.iter().map(|(command, rules)| (format!("{bundle}:{command}"), texts(rules))));
    }
    for row in rows("rules.jsonl").iter().filter(|row| row["from"] == "cog" && row.get("rules").is_some()) {
        sets.push((row["call"]["command"].as_str().unwrap().to_owned(), texts(&row["rules"])));
    }
    sets
}

#[test]
fn p16_never_looser_than_cog_on_published_rules() {
    let (mut played, mut stricter_here) = (0, 0);
    for (command, rules) in published() {
        let rulings = rulings(&rules);
        if rulings.iter().any(|ruling| ruling.rule().is_err()) {
            continue;
        }
        let (values, options) = literals(&rulings);
        let named: BTreeSet<EcoString> =
            rulings.iter().flat_map(|ruling| ruling.rule().unwrap().permissions()).cloned().collect();
        let named: Vec<EcoString> = named.into_iter().take(6).collect();
        let mut calls = vec![Vec::new()];
        calls.extend(values.iter().map(|one| vec![one.clone()]));
        calls.extend(values.iter().flat_map(|one| values.iter().map(|two| vec![one.clone(), two.clone()])));
        for args in calls {
            for given in 0..1_usize << options.len().min(4) {
                let options: Vec<(EcoString, Value)> = options
                    .iter()
                    .enumerate()
                    .filter(|(at, _)| given & 1 << at != 0)
                    .map(|(at, name)| (name.clone(), values[(given + at) % values.len()].clone()))
                    .collect();
                let case = Case { command: command.clone(), args: args.clone(), options, ..Case::default() };
                for held in 0..1_usize << named.len() {
                    let has = |name: &str| named.iter().position(|p| p == name).is_some_and(|at| held & 1 << at != 0);
                    let outcome = stricter(&rulings, &has, &case.facts());
                    assert!(outcome.is_some(), "{rules:#?} {case:?} {held:b}");
                    played += 1;
                    stricter_here += u32::from(outcome == Some(true));
                }
            }
        }
    }
    println!("{played} decisions, {stricter_here} of them stricter here");
    assert!(played > 1000 && stricter_here > 0, "{played} {stricter_here}");
}
