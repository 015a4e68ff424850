//! Rules, calls and permissions by chance, decided by both judges. What they disagree about is made small before it is
//! shown. `PIPIT_DECISIONS` says how many rule sets are drawn; each is decided for 16 sets of permissions.

use ecow::EcoString;
use pipit_commands::{Labels, Value};
use pipit_grammar::rule::{Place, Via};
use proptest::prelude::*;
use proptest::sample::select;

use super::super::call::Tainted;
use super::oracle::{
    Asked, Called, Fate, LITERALS, Look, Made, Must, Outcome, PATTERNS, PERMISSIONS, PERMS, REQUIRED, Sort, Val, judge,
};
use super::{Decision, Denial, Facts, Layer, Ruling, decide};

fn asked(look: Look) -> impl Strategy<Value = Asked> {
    let literal = || 0..LITERALS.len();
    let of_value = prop_oneof![
        4 => (select(vec!["==", "!="]), literal()).prop_map(|(sign, literal)| Asked::Compare(sign, literal)),
        2 => (select(vec![">", "<", ">=", "<="]), literal()).prop_map(|(sign, literal)| Asked::Compare(sign, literal)),
        1 => (literal(), literal()).prop_map(|(one, two)| Asked::In(one, two)),
        1 => (any::<bool>(), 0..PATTERNS.len()).prop_map(|(like, pattern)| Asked::Like(like, pattern)),
        1 => (0..PATTERNS.len()).prop_map(Asked::Matches),
        1 => (0..PATTERNS.len()).prop_map(Asked::Contains),
    ];
    let is = select(vec!["missing", "present", "tainted"]).prop_map(Asked::Is);
    if look.is_one() { prop_oneof![3 => of_value, 1 => is].boxed() } else { of_value.boxed() }
}

/// A small pool of tests for each rule set, so that rules meet each other.
pub(super) fn pool() -> impl Strategy<Value = Vec<Must>> {
    let look = select(vec![
        Look::Arg0,
        Look::Arg0,
        Look::Arg1,
        Look::Env,
        Look::Env,
        Look::Count,
        Look::AnyArg,
        Look::AllArgs,
        Look::AnyOption,
        Look::AllOptions,
        Look::AnyEnv,
        Look::AllEnv,
        Look::AnyStdin,
    ]);
    let test = look.prop_flat_map(|look| asked(look).prop_map(move |asked| Must::Test(look, asked)));
    prop::collection::vec(test, 2..5)
}

fn must(pool: Vec<Must>) -> impl Strategy<Value = Must> {
    select(pool).prop_recursive(2, 6, 3, |inner| {
        let parts = prop::collection::vec(inner, 2..4);
        prop_oneof![parts.clone().prop_map(Must::All), parts.prop_map(Must::One)]
    })
}

pub(super) fn made(pool: Vec<Must>) -> impl Strategy<Value = Made> {
    let outcome = prop_oneof![
        3 => Just(Outcome::Allow),
        5 => (0..PERMS.len()).prop_map(Outcome::Have),
        1 => (0..REQUIRED.len()).prop_map(Outcome::Require),
    ];
    let sort = prop_oneof![8 => Just(Sort::When), 1 => Just(Sort::Guard), 1 => Just(Sort::Forbid)];
    let places = prop::option::weighted(0.2, select(vec![vec!["#ops"], vec!["dm"], vec!["#ops", "dm"]]));
    let target = select(vec!["a:b", "a:b", "a:b", "a:*", "a:c", "*:*"]);
    let office = prop::bool::weighted(0.1);
    let via = prop::option::weighted(0.1, select(vec!["chat", "alias"]));
    (sort, target, prop::option::weighted(0.8, must(pool)), places, office, via, outcome).prop_map(
        |(sort, target, must, places, office, via, outcome)| Made {
            sort,
            // every command is for guards and forbids only
            target: if sort == Sort::When && target == "*:*" { "a:b" } else { target },
            must,
            places: places.unwrap_or_default(),
            office,
            via,
            outcome,
        },
    )
}

fn value() -> impl Strategy<Value = Val> {
    let scalar = select(vec![
        Val::Text("a"),
        Val::Text("b"),
        Val::Text("prod"),
        Val::Text(""),
        Val::Int(2),
        Val::Int(3),
        Val::Half,
        Val::Bool(true),
        Val::Bool(false),
        Val::Null,
    ]);
    let list = prop::collection::vec(scalar.clone(), 0..3).prop_map(Val::List);
    prop_oneof![8 => scalar, 1 => list]
}

pub(super) fn called() -> impl Strategy<Value = Called> {
    let way = |names: &'static [&'static str]| prop::option::weighted(0.9, select(names));
    (
        prop::collection::vec(value(), 0..3),
        prop::option::of(value()),
        prop::option::of(value()),
        way(&["#ops", "#dev", "dm"]),
        way(&["chat", "alias"]),
        prop::option::weighted(0.9, 0..24_u8),
        prop::option::weighted(0.9, (any::<bool>(), any::<bool>())),
        prop::option::weighted(0.9, select(vec![vec![], vec!["prod"], vec!["a", "http"]])),
    )
        .prop_map(|(args, env, count, place, via, hour, tainted, stdin)| Called {
            args,
            env,
            count,
            place,
            via,
            hour,
            tainted,
            stdin,
        })
}

fn real(value: &Val) -> Value {
    match value {
        Val::Text(text) => Value::text(*text),
        Val::Int(number) => Value::Int(*number),
        Val::Half => Value::Float(2.5),
        Val::Bool(value) => Value::Bool(*value),
        Val::Null => Value::Null,
        Val::List(items) => items.iter().map(real).collect::<Vec<_>>().into(),
    }
}

/// What the first judge says.
pub(super) fn decided<R: std::borrow::Borrow<Ruling>>(rulings: &[R], called: &Called, permissions: u8) -> Decision {
    const MONDAY: i64 = 1_772_409_600_000;
    let args: Vec<Value> = called.args.iter().map(real).collect();
    let options = [("env", &called.env), ("count", &called.count)];
    let options: Vec<(EcoString, Value)> =
        options.iter().filter_map(|(name, value)| Some(((*name).into(), real(value.as_ref()?)))).collect();
    let room = called.place.map(|place| match place.strip_prefix('#') {
        Some(name) => Place::Room(name.into()),
        None => Place::Dm,
    });
    let (first, env) = called.tainted.unwrap_or_default();
    let (first, env) = (first.then_some(0), env.then(|| EcoString::from("env")));
    let stdin: Option<Labels> =
        called.stdin.as_ref().map(|labels| labels.iter().map(|label| EcoString::from(*label)).collect());
    let facts = Facts {
        args: &args,
        options: &options,
        room: room.as_ref(),
        via: called.via.and_then(Via::from_name),
        at: called.hour.map(|hour| MONDAY + i64::from(hour) * 3_600_000),
        tainted: called.tainted.map(|_| Tainted { args: first.as_slice(), options: env.as_slice() }),
        stdin: stdin.as_ref(),
        ..Facts::of("a:b")
    };
    decide(rulings, &|name| held(permissions, name), &facts)
}

/// Whether a permission is in a set of them.
pub(super) fn held(permissions: u8, name: &str) -> bool {
    PERMISSIONS.iter().position(|p| *p == name).is_some_and(|at| permissions & 1 << at != 0)
}

/// The same in the words of the second.
fn first(rulings: &[Ruling], called: &Called, permissions: u8) -> Fate {
    match decided(rulings, called, permissions) {
        Decision::Allow { .. } => Fate::Allowed,
        Decision::Deny(_) => Fate::Denied,
        Decision::Park { obligations, .. } => {
            let due = obligations.iter().map(|due| due.requirement.to_string());
            Fate::Waits(REQUIRED.into_iter().filter(|what| due.clone().any(|due| due == *what)).collect())
        }
    }
}

fn cases() -> u32 {
    std::env::var("PIPIT_DECISIONS").ok().and_then(|count| count.parse().ok()).unwrap_or(3000)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn p1_both_judges_decide_alike(
        rules in pool().prop_flat_map(|pool| prop::collection::vec(made(pool), 0..7)),
        called in called(),
    ) {
        let rulings: Vec<Ruling> = rules
            .iter()
            .enumerate()
            .map(|(at, made)| Ruling::read(at.to_string(), Layer::Site, made.written()))
            .collect();
        for ruling in &rulings {
            prop_assert!(ruling.rule().is_ok(), "{}: {:?}", ruling.source, ruling.rule());
        }
        for permissions in 0..16 {
            let (mine, theirs) = (first(&rulings, &called, permissions), judge(&rules, &called, permissions));
            let written: Vec<String> = rules.iter().map(Made::written).collect();
            prop_assert_eq!(mine, theirs, "{:#?}\n{:?} {:04b}", written, called, permissions);
        }
    }

    /// A rule is what it prints, to the letter and in what it decides.
    #[test]
    fn p14_a_rule_is_what_it_prints(
        rules in pool().prop_flat_map(|pool| prop::collection::vec(made(pool), 1..4)),
        called in called(),
        permissions in 0..16_u8,
    ) {
        let read: Vec<Ruling> =
            rules.iter().enumerate().map(|(at, made)| Ruling::read(at.to_string(), Layer::Site, made.written())).collect();
        let again: Vec<Ruling> = read
            .iter()
            .map(|ruling| Ruling::read(ruling.id.clone(), Layer::Site, ruling.rule().unwrap().to_string()))
            .collect();
        for (one, other) in read.iter().zip(&again) {
            prop_assert_eq!(one.rule(), other.rule());
            prop_assert_eq!(one.rule().unwrap().to_string(), other.rule().unwrap().to_string());
        }
        prop_assert_eq!(decided(&read, &called, permissions), decided(&again, &called, permissions));
    }

    /// Whatever stands for a rule is read or refused, and then denies; nothing panics.
    #[test]
    fn p14_what_is_no_rule_denies(
        made in pool().prop_flat_map(made), at in any::<prop::sample::Index>(), junk in "[ -~é#'\"/\\[\\]()]{1,3}", called in called(),
    ) {
        let mut text = made.written();
        let place = at.index(text.len() + 1);
        text.insert_str(place, &junk);
        let ruling = Ruling::read("0", Layer::Site, text.clone());
        let decision = decided(&[&ruling], &called, 15);
        if ruling.rule().is_err() {
            prop_assert!(matches!(decision, Decision::Deny(Denial::Unreadable { .. })), "{}", text);
        }
    }
}
