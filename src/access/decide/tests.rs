//! Every decision of the data, and what must hold of any decision: order, monotony, doubt, patterns.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::collections::BTreeSet;
use std::path::Path;

use ecow::EcoString;
use pipit_commands::Value;
use pipit_grammar::rule::{Place, Via};
use proptest::prelude::*;

use super::call::Tainted;
use super::{Decision, Denial, Explanation, Facts, Layer, Ruling, Standing, decide, explain, foresee, unconditional};

/// A call that owns what its facts borrow.
#[derive(Clone, Debug, Default)]
struct Case {
    command: String,
    args: Vec<Value>,
    options: Vec<(EcoString, Value)>,
    room: Option<Place>,
    via: Option<Via>,
}

impl Case {
    fn new(args: &[&str], options: &[(&str, &str)]) -> Self {
        Self {
            command: "a:b".to_owned(),
            args: args.iter().map(|arg| Value::text(*arg)).collect(),
            options: options.iter().map(|(name, value)| ((*name).into(), Value::text(*value))).collect(),
            ..Self::default()
        }
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            command: &self.command,
            args: &self.args,
            options: &self.options,
            room: self.room.as_ref(),
            via: self.via,
            tainted: None,
        }
    }
}

fn rulings<T: AsRef<str>>(rules: &[T]) -> Vec<Ruling> {
    let read = |(at, rule): (usize, &T)| Ruling::read(at.to_string(), Layer::Site, rule.as_ref());
    rules.iter().enumerate().map(read).collect()
}

fn why(rules: &[Ruling], permissions: &[&str], facts: &Facts<'_>) -> Explanation {
    let rules: Vec<&Ruling> = rules.iter().collect();
    let has = |name: &str| permissions.contains(&name);
    let explanation = explain(&rules, &has, facts);
    assert_eq!(explanation.decision, decide(&rules, &has, facts), "why and decide must agree");
    explanation
}

fn allowed(rules: &[Ruling], permissions: &[&str], case: &Case) -> bool {
    !matches!(why(rules, permissions, &case.facts()).decision, Decision::Deny(_))
}

#[test]
fn every_decision() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance/rules.jsonl");
    let text = std::fs::read_to_string(&data).unwrap_or_else(|error| panic!("{} is needed: {error}", data.display()));
    let mut wrong = Vec::new();
    let mut played = 0;
    for row in text.lines().map(|line| Value::from_json(line).unwrap()) {
        let Some(expected) = row.field("decision") else { continue };
        played += 1;
        let texts = |value: Option<&Value>| match value {
            Some(Value::List(items)) => items.iter().map(Value::to_text).collect::<Vec<_>>(),
            _ => Vec::new(),
        };
        let call = row.field("call").unwrap();
        let Some(Value::List(args)) = call.field("args") else { panic!("args") };
        let Some(Value::Record(options)) = call.field("options") else { panic!("options") };
        let case = Case {
            command: call.field("command").unwrap().to_text().to_string(),
            args: args.to_vec(),
            options: options.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
            room: call.field("room").map(|room| match room.to_text().as_str() {
                "dm" => Place::Dm,
                name => Place::Room(name.trim_start_matches('#').into()),
            }),
            via: call.field("via").map(|via| Via::from_name(&via.to_text()).unwrap()),
        };
        let permissions = texts(row.field("permissions"));
        let permissions: Vec<&str> = permissions.iter().map(EcoString::as_str).collect();
        let rules = rulings(&texts(row.field("rules")));
        let explanation = why(&rules, &permissions, &case.facts());
        let decided = match explanation.decision {
            Decision::Allow { .. } => "allow",
            Decision::Deny(_) => "deny",
            Decision::Park { .. } => "park",
        };
        if decided != expected.to_text() {
            wrong.push(format!("{row}\n  {explanation:?}"));
        }
    }
    assert!(played > 0, "{} holds no decisions", data.display());
    assert!(wrong.is_empty(), "{} of {played}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_cannot_be_read_denies() {
    let rules = rulings(&["when command is a:b allow", "when command is"]);
    let Decision::Deny(Denial::Unreadable { rule, reason }) = why(&rules, &[], &Case::new(&[], &[]).facts()).decision
    else {
        panic!("it was allowed")
    };
    assert_eq!(rule, "1");
    assert!(reason.contains("expected"), "{reason}");
    assert!(!unconditional(&rules.iter().collect::<Vec<_>>()));
}

#[test]
fn a_ruling_knows_what_it_is() {
    let text = "when command is  a:* allow";
    let read = Ruling::read("r1", Layer::Bundle, text);
    assert_eq!((read.layer, read.source.as_str()), (Layer::Bundle, text));
    assert!(read.covers("a:b") && !read.covers("c:b"));
    let made = Ruling::new("r1", Layer::Site, read.rule().unwrap().clone());
    assert_eq!((made.layer, made.source.as_str()), (Layer::Site, "when command is a:* allow"));
    let broken = Ruling::read("r2", Layer::Site, "when");
    assert!(broken.covers("a:b") && broken.rule().is_err());
}

#[test]
fn says_why() {
    let rules = rulings(&[
        "when command is a:b must have a:base",
        "when command is a:b with arg[0] == 'x' must have a:x",
        "when command is a:b with option[n] > 5 must have a:n",
        "when command is a:b with arg[0] == 'y' allow",
        "when command is c:d allow",
        "when command is a:b with option[n] > 6 allow",
    ]);
    let explanation = why(&rules, &["a:n"], &Case::new(&["x"], &[("n", "many")]).facts());
    let stands: Vec<&Standing> = explanation.stands.iter().map(|stand| &stand.standing).collect();
    assert_eq!(
        stands,
        [
            &Standing::Overridden { by: "1".into() },
            &Standing::Unsatisfied,
            &Standing::Satisfied,
            &Standing::Idle,
            &Standing::Elsewhere,
            &Standing::Doubtful,
        ]
    );
    let Decision::Deny(Denial::Missing(unmet)) = explanation.decision else { panic!("{:?}", explanation.decision) };
    assert_eq!(
        unmet.iter().map(|unmet| (unmet.rule.as_str(), unmet.needs.to_string())).collect::<Vec<_>>(),
        [("1", "a:x".to_owned())]
    );
}

#[test]
fn asks_for_more_than_permissions() {
    let rules = rulings(&[
        "when command is a:b must have a:p",
        "guard when command is a:* require approval 2 from captains distinct",
        "when command is a:b require reason",
        "guard when command is *:* require reason",
    ]);
    let case = Case::new(&[], &[]);
    let Decision::Park { by, obligations } = why(&rules, &["a:p"], &case.facts()).decision else {
        panic!("not parked")
    };
    assert_eq!(by, ["0", "1", "2", "3"]);
    let asked: Vec<String> = obligations.iter().map(|obligation| obligation.requirement.to_string()).collect();
    assert_eq!(asked, ["approval 2 from captains distinct", "reason"]);
    assert!(!allowed(&rules, &[], &case), "what is missing comes before what may be fulfilled");
}

#[test]
fn taint_is_known_or_in_doubt() {
    let rules =
        rulings(&["when command is a:b allow", "guard when command is a:b with arg[0] is tainted must have a:p"]);
    let case = Case::new(&["x"], &[]);
    let with = |tainted| Facts { tainted, ..case.facts() };
    let denied = |facts: &Facts<'_>| matches!(why(&rules, &[], facts).decision, Decision::Deny(_));
    assert!(denied(&with(None)));
    assert!(!denied(&with(Some(Tainted::default()))));
    assert!(denied(&with(Some(Tainted { args: &[0], options: &[] }))));
    assert!(!denied(&Case::new(&[], &[]).facts()), "what is missing did not come from outside");
}

#[test]
fn places_and_origins_are_conditions() {
    let rules = rulings(&["when command is a:b in [#ops, dm] via chat allow"]);
    let mut case = Case::new(&[], &[]);
    assert!(!allowed(&rules, &[], &case), "unknown");
    case.via = Some(Via::Chat);
    for (room, allow) in [(Place::Dm, true), (Place::Room("ops".into()), true), (Place::Room("dev".into()), false)] {
        case.room = Some(room);
        assert_eq!(allowed(&rules, &[], &case), allow);
    }
    case.room = Some(Place::Dm);
    case.via = Some(Via::Job);
    assert!(!allowed(&rules, &[], &case));
}

#[test]
fn the_target_says_more_or_less() {
    let rules = rulings(&["when command is a:* must have a:use", "when command is a:b allow"]);
    assert!(allowed(&rules, &[], &Case::new(&[], &[])));
    let rules = rulings(&["when command is a:* with arg[0] == 'x' must have a:use", "when command is a:b allow"]);
    assert!(!allowed(&rules, &[], &Case::new(&["x"], &[])), "neither says more");
}

#[test]
fn patterns_take_the_whole_or_search() {
    let whole = rulings(&["when command is a:b with arg[0] matches /^a+$/ allow"]);
    let search = rulings(&["when command is a:b with arg[0] contains /a+/ allow"]);
    for (text, takes, finds) in
        [("aa", true, true), ("aa\n", false, true), ("\naa", false, true), ("baab", false, true), ("b", false, false)]
    {
        assert_eq!(allowed(&whole, &[], &Case::new(&[text], &[])), takes, "{text:?}");
        assert_eq!(allowed(&search, &[], &Case::new(&[text], &[])), finds, "{text:?}");
    }
    let slow = rulings(&["when command is a:b with arg[0] matches /(a+)+b/ allow"]);
    let start = std::time::Instant::now();
    assert!(!allowed(&slow, &[], &Case::new(&["a".repeat(100_000).as_str()], &[])));
    assert!(start.elapsed().as_secs() < 5, "patterns take linear time");
}

#[test]
fn all_wants_something_and_missing_differs_from_nothing() {
    let rules = [
        "when command is a:b with all args == 'x' allow",
        "when command is a:b with any option[t] != 'x' allow",
        "when command is a:b with all options in ['x'] allow",
        "when command is a:b with arg[0] != 'x' allow",
        "when command is a:b with option[e] != 'x' allow",
        "when command is a:b with arg[0] != /x/ allow",
    ];
    for rule in rules {
        assert!(!allowed(&rulings(&[rule]), &[], &Case::new(&[], &[])), "{rule}");
    }
}

#[test]
fn deciding_is_quick() {
    let rules = rulings(&[
        "when command is a:b must have a:base",
        "when command is a:b with arg[0] == 'set' must have a:write",
        "when command is a:b with option[env] == 'prod' and arg[0] == 'set' in #ops must have a:prod",
    ]);
    let rules: Vec<&Ruling> = rules.iter().collect();
    let mut case = Case::new(&["set"], &[("env", "prod")]);
    case.room = Some(Place::Room("ops".into()));
    let has = |name: &str| name == "a:prod";
    let start = std::time::Instant::now();
    for _ in 0..10_000 {
        assert!(matches!(decide(&rules, &has, &case.facts()), Decision::Allow { .. }));
    }
    let each = start.elapsed() / 10_000;
    // unoptimised and on a busy machine; optimised it is well below two microseconds
    assert!(each.as_micros() < 100, "{each:?}");
}

#[test]
fn depends_on_the_call_or_not() {
    let depends = |rules: &[&str]| !unconditional(&rulings(rules).iter().collect::<Vec<_>>());
    assert!(!depends(&[]));
    assert!(!depends(&["when command is a:b must have a:x", "forbid command is *:* unless site:z"]));
    assert!(depends(&["when command is a:b allow", "when command is a:b in dm allow"]));
    assert!(depends(&["when command is a:b with arg[0] is missing allow"]));
}

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

fn normal() -> impl Strategy<Value = String> {
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

fn case() -> impl Strategy<Value = Case> {
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

fn permissions() -> impl Strategy<Value = BTreeSet<&'static str>> {
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
    fn order_and_repetition_change_nothing(
        (given, shuffled) in rules().prop_flat_map(|rules| (Just(rules.clone()), Just(rules).prop_shuffle())),
        permissions in permissions(),
        case in case(),
    ) {
        let expected = run(&given, &permissions, &case);
        prop_assert_eq!(&run(&shuffled, &permissions, &case), &expected);
        prop_assert_eq!(&run(&[shuffled.clone(), given].concat(), &permissions, &case), &expected);
    }

    #[test]
    fn nothing_comes_of_nothing(rules in rules(), case in case()) {
        let normal = rules.iter().filter(|rule| !rule.contains("command is c:d") && rule.starts_with("when"));
        let nobody = BTreeSet::new();
        if normal.clone().next().is_none() || normal.clone().all(|rule| rule.contains("must have")) {
            prop_assert_eq!(run(&rules, &nobody, &case).0, 2);
        }
        prop_assert_eq!(run(&[], &BTreeSet::from(["a:p", "a:q", "a:r"]), &case).0, 2);
    }

    #[test]
    fn tightening_never_widens(
        rules in rules(), more in narrowing(), permissions in permissions(), case in case(), fewer in permissions(),
    ) {
        let before = run(&rules, &permissions, &case);
        let tighter = [rules.clone(), vec![more]].concat();
        prop_assert!(run(&tighter, &permissions, &case).0 >= before.0);
        let fewer: BTreeSet<&str> = permissions.intersection(&fewer).copied().collect();
        prop_assert!(run(&rules, &fewer, &case).0 >= before.0);
    }

    #[test]
    fn more_permissions_never_narrow(
        rules in rules(), permissions in permissions(), more in permissions(), case in case(),
    ) {
        let more: BTreeSet<&str> = permissions.union(&more).copied().collect();
        prop_assert!(run(&rules, &more, &case).0 <= run(&rules, &permissions, &case).0);
    }

    #[test]
    fn one_that_cannot_be_read_denies(rules in rules(), at in 0..5_usize, permissions in permissions(), case in case()) {
        let mut rules = rules;
        rules.insert(at.min(rules.len()), "when command is a:b with arg[0] > allow".to_owned());
        prop_assert_eq!(run(&rules, &permissions, &case).0, 2);
    }

    /// Adding a word may only allow what was denied if a rule that now holds was written as the exception.
    #[test]
    fn padding_opens_nothing(
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
        let compiled: Vec<&Ruling> = compiled.iter().filter(|ruling| unconditional(&[ruling])).collect();
        let has = |name: &str| permissions.contains(name);
        let denied = match decide(&compiled, &has, &case.facts()) {
            Decision::Deny(denial) => Some(denial),
            Decision::Allow { .. } | Decision::Park { .. } => None,
        };
        prop_assert_eq!(foresee(&compiled, &has, &case.facts()).is_some(), denied.is_some());
    }
}
