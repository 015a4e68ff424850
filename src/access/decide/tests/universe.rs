//! Every decision of a small universe: two rules at most, of 474; 27 calls; 16 sets of permissions. That is 48.6 million.
//!
//! What must come out is not computed with conditions but read from tables: whether a test holds of a call was written
//! down by hand from the definition, and what a set of rules comes to is a set of sets of permissions. A part is played
//! each time; `PIPIT_WHOLE_UNIVERSE=1` plays all of it (about a minute, optimised).

use pipit_commands::Value;

use super::{Decision, Facts, Layer, Ruling, decide};

/// `T`, `F`, `?` for unknown.
type Row = &'static str;

/// Tests of the arguments, and how they come out for each of [`ARGS`].
const OF_ARGS: [(&str, Row); 7] = [
    ("arg[0] == 'a'", "FTFTTFF??"),
    ("arg[0] != 'a'", "?FTFFTT??"),
    ("arg[1] == 'b'", "FFFFTFTFT"),
    ("any args == 'a'", "FTFTTTF??"),
    ("all args in ['a', 'b']", "FTTTTTT??"),
    ("arg[0] is present", "FTTTTTTTT"),
    ("arg[1] is missing", "TTTFFFFTF"),
];

/// The arguments; digits are numbers.
const ARGS: [&str; 9] = ["", "a", "b", "aa", "ab", "ba", "bb", "7", "7b"];

/// Tests of the option, and how they come out for each of [`ENVS`].
const OF_ENV: [(&str, Row); 5] = [
    ("option[env] == 'prod'", "FTF"),
    ("option[env] != 'prod'", "?FT"),
    ("option[env] is present", "FTT"),
    ("any options matches /p.*/", "FTF"),
    ("option[env] > 3", "F??"),
];

/// The option.
const ENVS: [Option<&str>; 3] = [None, Some("prod"), Some("stage")];

/// The permissions; a set of them is a number below 16.
const PERMISSIONS: [&str; 4] = ["a:p", "a:q", "a:r", "a:s"];

/// Effects, and of which sets of permissions they are satisfied.
#[expect(clippy::type_complexity, reason = "a table")]
const EFFECTS: [(&str, fn(usize) -> bool); 6] = [
    ("allow", |_| true),
    ("must have a:p", |set| set & 0b1 != 0),
    ("must have a:q", |set| set & 0b10 != 0),
    ("must have a:p or a:q", |set| set & 0b11 != 0),
    ("must have a:p and a:r", |set| set & 0b101 == 0b101),
    ("must have any in [a:r, a:s]", |set| set & 0b1100 != 0),
];

/// A rule by its tests and its effect.
struct Picked {
    /// One bit for each test.
    tests: u16,
    /// The sets of permissions that satisfy it, one bit each.
    satisfied: u16,
    allows: bool,
    ruling: Ruling,
}

fn tests() -> Vec<&'static str> {
    OF_ARGS.iter().chain(&OF_ENV).map(|(test, _)| *test).collect()
}

/// No test, one, or two of them; with every effect.
fn rules() -> Vec<Picked> {
    let tests = tests();
    let mut conditions = vec![0_u16];
    for one in 0..tests.len() {
        conditions.extend((one..tests.len()).map(|two| 1 << one | 1 << two));
    }
    let picked = conditions.iter().flat_map(|condition| {
        let named: Vec<&str> = (0..tests.len()).filter(|at| condition & 1 << at != 0).map(|at| tests[at]).collect();
        let with = if named.is_empty() { String::new() } else { format!(" with {}", named.join(" and ")) };
        EFFECTS.map(|(effect, satisfied)| Picked {
            tests: *condition,
            satisfied: (0..16).filter(|set| satisfied(*set)).map(|set| 1 << set).sum(),
            allows: effect == "allow",
            ruling: Ruling::read("r", Layer::Site, format!("when command is a:b{with} {effect}")),
        })
    });
    picked.collect()
}

/// Which tests of a call are true, and which are false; the rest is unknown.
fn truths(args: usize, env: usize) -> (u16, u16) {
    let columns = OF_ARGS.iter().map(|(_, row)| row.as_bytes()[args]);
    let columns = columns.chain(OF_ENV.iter().map(|(_, row)| row.as_bytes()[env]));
    columns.enumerate().fold((0, 0), |(yes, no), (at, truth)| match truth {
        b'T' => (yes | 1 << at, no),
        b'F' => (yes, no | 1 << at),
        _ => (yes, no),
    })
}

/// The sets of permissions with which a call is allowed, one bit each.
fn expected(rules: &[&Picked], yes: u16, no: u16) -> u16 {
    let holds = |rule: &Picked| rule.tests & !yes == 0;
    let may_hold = |rule: &Picked| rule.tests & no == 0 && !holds(rule);
    if !rules.iter().any(|rule| holds(rule)) {
        return 0;
    }
    let says_more = |more: &Picked, less: &Picked| more.tests != less.tests && more.tests & less.tests == less.tests;
    let asked = rules.iter().filter(|rule| {
        let overridden = rules.iter().any(|more| holds(more) && says_more(more, rule));
        (holds(rule) && !overridden) || (may_hold(rule) && !rule.allows)
    });
    asked.fold(0xffff, |allowed, rule| allowed & rule.satisfied)
}

fn call(args: &str, env: Option<&str>) -> (Vec<Value>, Vec<(ecow::EcoString, Value)>) {
    let args = args.chars().map(|c| match c.to_digit(10) {
        Some(digit) => Value::Int(digit.into()),
        None => Value::text(c.to_string()),
    });
    (args.collect(), env.map(|env| ("env".into(), Value::text(env))).into_iter().collect())
}

#[test]
fn a_small_universe() {
    let rules = rules();
    assert_eq!(rules.len(), 474);
    let calls: Vec<_> = (0..ARGS.len())
        .flat_map(|args| (0..ENVS.len()).map(move |env| (truths(args, env), call(ARGS[args], ENVS[env]))))
        .collect();
    assert_eq!(calls.len(), 27);
    let mut sets: Vec<Vec<usize>> = vec![Vec::new()];
    sets.extend((0..rules.len()).map(|one| vec![one]));
    sets.extend((0..rules.len()).flat_map(|one| (one + 1..rules.len()).map(move |two| vec![one, two])));
    let whole = std::env::var_os("PIPIT_WHOLE_UNIVERSE").is_some();
    // a stride that shares no factor with what the universe is built of
    let stride = if whole { 1 } else { 211 };
    let (mut played, mut allowed) = (0_u64, 0_u64);
    for set in sets.iter().enumerate().filter(|(at, set)| at % stride == 0 || set.len() < 2).map(|(_, set)| set) {
        let picked: Vec<&Picked> = set.iter().map(|at| &rules[*at]).collect();
        let rulings: Vec<&Ruling> = picked.iter().map(|picked| &picked.ruling).collect();
        for ((yes, no), (args, options)) in &calls {
            let facts = Facts { args, options, ..Facts::of("a:b") };
            let expected = expected(&picked, *yes, *no);
            for permissions in 0..16_usize {
                let has =
                    |name: &str| PERMISSIONS.iter().position(|p| *p == name).is_some_and(|p| permissions & 1 << p != 0);
                let decision = decide(&rulings, &has, &facts);
                let allows = matches!(decision, Decision::Allow { .. });
                let sources = || rulings.iter().map(|rule| rule.source.as_str()).collect::<Vec<_>>();
                assert_eq!(
                    allows,
                    expected & 1 << permissions != 0,
                    "{:?} {args:?} {options:?} {permissions:04b}: {decision:?}",
                    sources()
                );
                played += 1;
                allowed += u64::from(allows);
            }
        }
    }
    println!("{played} decisions, {allowed} of them allowed");
    assert!(!whole || played == 48_632_832, "{played}");
    assert!(allowed > played / 50 && allowed < played / 2, "the universe is lopsided: {allowed} of {played}");
}
