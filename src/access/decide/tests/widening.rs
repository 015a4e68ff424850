//! What a change of rules opens: cases, and that nothing is opened where it is said that nothing is.

use std::sync::Arc;

use proptest::prelude::*;

use super::super::widen::{Compared, at_most, opens};
use super::oracle::Made;
use super::random::{called, decided, held, made, pool};
use super::{Decision, Layer, Ruling, decide};
use crate::access::decide::Facts;

fn kept<T: AsRef<str>>(rules: &[T]) -> Vec<Arc<Ruling>> {
    let read = |(at, rule): (usize, &T)| Arc::new(Ruling::read(at.to_string(), Layer::Site, rule.as_ref()));
    rules.iter().enumerate().map(read).collect()
}

fn compared(before: &[&str], after: &[&str], mine: &[&str]) -> Compared {
    opens("a:b", [&kept(before), &kept(after)], &|name| mine.contains(&name))
}

const P: &str = "when command is a:b must have a:p";
const TWO: &str = "when command is a:b require approval 2 from captains distinct";

/// Rules of before; a rule that is new; what whoever makes it holds; whether it opens anything.
const MADE: &[(&[&str], &str, &[&str], bool)] = &[
    // whoever may do it lets others
    (&[P], "when command is a:b with arg[0] == 'x' allow", &["a:p"], false),
    (&[P], "when command is a:b with arg[0] == 'x' allow", &[], true),
    (&[P], "when command is a:b with arg[0] == 'x' must have a:q", &["a:q"], true),
    // one that says as much is one more to meet
    (&[P], "when command is a:b allow", &[], false),
    (&[P], "when command is a:b must have a:q", &[], false),
    (&[P], "when command is a:b with arg[0] == 'x' must have a:p", &[], false),
    (&[P], "when command is a:b with arg[0] == 'x' must have a:p and a:q", &[], false),
    (&[P], "when command is a:b with arg[0] == 'x' must have a:p or a:q", &[], true),
    // where there was nothing
    (&[], "when command is a:b must have a:p", &["a:p"], true),
    // places, ways and times that are not now
    (&[P], "when command is a:b in #ops allow", &[], true),
    (&[P], "when command is a:b in dm allow", &[], true),
    (&[P], "when command is a:b via trigger allow", &[], true),
    (&[P], "when command is a:b during 'mon 03:07-03:09 Europe/Zurich' allow", &[], true),
    (&["when command is a:b in #ops must have a:p"], "when command is a:b allow", &["a:p"], true),
    (&["when command is a:b via chat must have a:p"], "when command is a:b allow", &["a:p"], true),
    (
        &["when command is a:b in #ops must have a:p"],
        "when command is a:b with arg[0] == 'x' in #ops allow",
        &["a:p"],
        false,
    ),
    (
        &[P, "when command is a:b during 'mon-fri 09:00-17:00 UTC' must have a:q"],
        "when command is a:b with arg[0] == 'x' during 'sat-sun 00:00-24:00 UTC' allow",
        &["a:p"],
        false,
    ),
    // texts that a pattern finds
    (&[P], "when command is a:b with arg[0] matches /[^-]{3}-(?:dev|test)+/ allow", &[], true),
    (&[P], "when command is a:b with option[name] contains /q{40}/ allow", &[], true),
    (
        &[P, "when command is a:b with arg[0] contains /x/ allow"],
        "when command is a:b with arg[0] contains /x/ and arg[0] matches /x/ allow",
        &[],
        false,
    ),
    // what is all of a text is in it
    (
        &[P, "when command is a:b with arg[0] contains /x/ must have a:q"],
        "when command is a:b with arg[0] matches /x/ allow",
        &[],
        false,
    ),
    (
        &[P, "when command is a:b with option[o] contains /z/ and arg[0] contains /x/ must have a:q"],
        "when command is a:b with option[o] contains /z/ and arg[0] matches /x/ allow",
        &[],
        false,
    ),
    // what whole texts are is in them
    (
        &[P, "when command is a:b with arg[0] contains /x/ must have a:q"],
        "when command is a:b with arg[0] contains /x/ and arg[0] matches /y/ must have a:p and a:q",
        &[],
        false,
    ),
    // beyond the first words, in lists, in what flows in
    (&[P], "when command is a:b with arg[7] == 'x' allow", &[], true),
    (
        &[P],
        "when command is a:b with any args == 'x' and any args == 'y' and all args in ['x', 'y', 'z'] allow",
        &[],
        true,
    ),
    (&[P], "when command is a:b with all option[tag] == 'x' and any option[tag] == 'y' allow", &[], false),
    (&[P], "when command is a:b with any option[tag] == 'x' and any option[tag] == 'y' allow", &[], true),
    (&[P], "when command is a:b with any options == 'x' and any options == 'prod' allow", &[], true),
    (&[P], "when command is a:b with any stdin.label == 'x' and any stdin.label == 'y' allow", &[], true),
    (&[P], "when command is a:b with arg[0] is tainted and arg[1] is present allow", &[], true),
    (&[P], "when command is a:b with option[env] is tainted allow", &[], true),
    // what no call can be
    (&[P], "when command is a:b with arg[0] == 'x' and arg[0] == 'y' allow", &[], false),
    (&[P], "when command is a:b with arg[0] == 'x' and arg[0] > 'y' allow", &[], false),
    (&[P], "when command is a:b with arg[0] > 'x' and arg[0] < 'y' allow", &[], true),
    (&[P], "when command is a:b with arg[0] > 3 and arg[0] < 4 allow", &[], true),
    (&[P], "when command is a:b with arg[0] > 4 and arg[0] < 3 allow", &[], false),
    (&[P], "when command is a:b with arg[0] >= 4 and arg[0] <= 4 allow", &[], true),
    (&[P], "when command is a:b with arg[0] > -2.5 allow", &[], true),
    (&[P], "when command is a:b with arg[0] < -2.5 allow", &[], true),
    (&[P], "when command is a:b with arg[0] > 2.5 allow", &[], true),
    (&[P], "when command is a:b with arg[0] < 2.5 allow", &[], true),
    (&[P], "when command is a:b with arg[0] > 9007199254740992 and arg[0] < 9007199254740994 allow", &[], true),
    (&[P], "when command is a:b with arg[0] > 2.25 and arg[0] < 2.75 and arg[0] != 2.5 allow", &[], true),
    (&[P], "when command is a:b with arg[0] == 'x' and arg[0] is missing allow", &[], false),
    (&[P], "when command is a:b with arg[0] is missing and arg[1] is present allow", &[], false),
    (&[P], "when command is a:b with arg[0] is missing and all args == 'x' allow", &[], false),
    (&[P], "when command is a:b with arg[0] is missing and arg[0] is tainted allow", &[], false),
    // what no call is now, the next version of the command may take
    (&[P], "when command is a:b with option[env] == 'test' allow", &[], true),
    (&[P], "when command is a:b with option[env] != 'prod' and option[env] != 'stage' allow", &[], true),
    (&[P], "when command is a:b with option[force] == false allow", &[], true),
    (&[P], "when command is a:b with option[force] is present allow", &[], true),
    (&[P], "when command is a:b with arg[0] contains /x/ and arg[0] == 'abc' allow", &[], false),
    (&[P], "when command is a:b with arg[0] contains /b/ and arg[0] == 'abc' allow", &[], true),
    (&[P], "when command is a:b in #ops via chat during 'mon-fri 00:00-24:00 UTC' allow", &["a:p"], false),
    // less asked of people, though they still have to ask
    (&[TWO], "when command is a:b with arg[0] == 'x' require reason", &[], true),
    (&[TWO], "when command is a:b with arg[0] == 'x' require approval 1 from captains distinct", &[], true),
    (&[TWO], "when command is a:b with arg[0] == 'x' require approval 2 from captains", &[], true),
    (&[TWO], "when command is a:b with arg[0] == 'x' require approval 2 from sailors distinct", &[], true),
    (&[TWO], "when command is a:b with arg[0] == 'x' require step-up totp", &[], true),
    (&[TWO], "when command is a:b with arg[0] == 'x' require approval 3 from captains distinct", &[], false),
    (&[TWO], "when command is a:b with arg[0] == 'x' require approval 2 from captains distinct", &[], false),
    (
        &["when command is a:b require step-up totp"],
        "when command is a:b with arg[0] == 'x' require step-up totp within 11m",
        &[],
        true,
    ),
    (
        &["when command is a:b require step-up totp"],
        "when command is a:b with arg[0] == 'x' require step-up totp within 10m",
        &[],
        false,
    ),
    (
        &["when command is a:b require step-up totp within 2m"],
        "when command is a:b with arg[0] == 'x' require step-up totp",
        &[],
        true,
    ),
    (
        &["when command is a:b require step-up webauthn"],
        "when command is a:b with arg[0] == 'x' require step-up totp",
        &[],
        true,
    ),
    (&["when command is a:b require reason"], "when command is a:b with arg[0] == 'x' allow", &[], true),
    (&["when command is a:b require reason"], "when command is a:b with arg[0] == 'x' must have a:p", &["a:p"], true),
    // who waits as others do may let them
    (&[TWO, P], "when command is a:b with arg[0] == 'x' require approval 2 from captains distinct", &["a:p"], false),
    (&[TWO, P], "when command is a:b with arg[0] == 'x' require approval 2 from captains", &["a:p"], true),
    // guards and forbids hold against whatever is made
    (&[P, "forbid command is *:*"], "when command is a:b with arg[0] == 'x' allow", &[], false),
    (&[P, "forbid command is *:* unless a:q"], "when command is a:b with arg[0] == 'x' allow", &[], true),
    (&[P, "guard when command is a:* must have a:p"], "when command is a:b with arg[0] == 'x' allow", &[], false),
];

#[test]
fn what_a_new_rule_opens() {
    let mut wrong = Vec::new();
    for (before, new, mine, opening) in MADE {
        let after = [before.to_vec(), vec![*new]].concat();
        let found = compared(before, &after, mine);
        let good = if *opening { matches!(found, Compared::Opens(_)) } else { found == Compared::OpensNothing };
        if !good {
            wrong.push(format!("{before:?} + {new}: {found:?}"));
        }
        assert!(kept(&after).iter().all(|ruling| ruling.rule().is_ok()), "{after:?}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Rules; which of them goes; what whoever deletes it holds; whether that opens anything.
const DELETED: &[(&[&str], usize, &[&str], bool)] = &[
    (&[P, "when command is a:b allow"], 0, &[], true),
    (&[P, "when command is a:b allow"], 0, &["a:p"], false),
    (&[P, "when command is a:b allow"], 1, &[], false),
    (&["when command is a:b allow", "guard when command is a:b in #ops must have a:p"], 1, &[], true),
    (&["when command is a:b allow", "forbid command is a:b unless a:p"], 1, &[], true),
    (&["when command is a:b allow", "forbid command is a:b unless a:p"], 1, &["a:p"], false),
    (&["when command is a:b allow", "forbid command is a:b during 'mon 03:00-03:05 Asia/Tokyo'"], 1, &["a:p"], true),
    // one that asks for more was the exception of one that asks for less
    (&["when command is a:b allow", "when command is a:b with arg[0] == 'x' must have a:p"], 1, &[], true),
    (&[P, "when command is a:b with arg[0] == 'x' allow"], 1, &[], false),
    (&["when command is a:b allow", "when command is"], 1, &[], true),
];

#[test]
fn what_the_end_of_a_rule_opens() {
    for (before, gone, mine, opening) in DELETED {
        let mut after = before.to_vec();
        after.remove(*gone);
        let found = compared(before, &after, mine);
        assert_eq!(matches!(found, Compared::Opens(_)), *opening, "{before:?} - {gone}: {found:?}");
    }
}

#[test]
fn what_opens_is_shown() {
    let after = [P, "when command is a:b with arg[0] matches /i-[0-9]+/ in #ops must have a:q"];
    let Compared::Opens(opening) = compared(&[P], &after, &[]) else { panic!("it opens nothing") };
    assert_eq!(opening.tests, ["arg[0] matches /i-[0-9]+/", "in #ops"]);
    assert_eq!(opening.permissions, ["a:q"]);
}

#[test]
fn what_is_too_much_to_see_is_not_taken_for_nothing() {
    let of = |many: usize, atom: &dyn Fn(usize) -> String| {
        let tests: Vec<String> = (0..many).map(atom).collect();
        let after = [P.to_owned(), format!("when command is a:b with {} allow", tests.join(" and "))];
        opens("a:b", [&kept(&after[..1]), &kept(&after)], &|_| false)
    };
    assert_eq!(of(11, &|at| format!("arg[0] contains /{at}/")), Compared::TooMany);
    assert_eq!(of(30, &|at| format!("option[o{at}] is present")), Compared::TooMany);
    assert_eq!(of(60, &|at| format!("arg[{at}] contains /x/")), Compared::TooMany);
    assert!(matches!(of(3, &|at| format!("option[o{at}] is present")), Compared::Opens(_)));
    let names: Vec<String> = (0..11).map(|at| format!("a:p{at}")).collect();
    let after = [format!("when command is a:b must have {}", names.join(" and "))];
    assert_eq!(opens("a:b", [&[], &kept(&after)], &|_| false), Compared::TooMany);
}

/// The rules of a manifest that a rule of the site stood for come back with its end.
#[test]
fn what_was_replaced_comes_back() {
    let own = Arc::new(Ruling::read("own", Layer::Bundle, "when command is a:b must have a:p"));
    let site = |rule: &str| Arc::new(Ruling::read("site", Layer::Site, rule));
    let swap = site("when command is a:b must have a:q replaces bundle rule 'must have a:p'");
    let both = [Arc::clone(&own), swap];
    let mine = |name: &str| name == "a:q";
    assert!(matches!(opens("a:b", [&[Arc::clone(&own)], &both], &mine), Compared::Opens(_)));
    assert!(matches!(opens("a:b", [&both, &[own]], &|_| false), Compared::Opens(_)));
}

fn outcome(rules: &[Arc<Ruling>], at: i64) -> Decision {
    decide(rules, &|_| false, &Facts { at: Some(at), ..Facts::of("a:b") })
}

/// Windows that overlap for a minute, on clocks of one zone, are seen to.
#[test]
fn a_minute_is_enough() {
    let both = "when command is a:b during 'mon 10:00-11:00 UTC' must have a:p";
    let new = "forbid command is a:b during 'mon 10:59-12:00 UTC'";
    let allow = "when command is a:b during 'mon 10:59-12:00 UTC' allow";
    assert_eq!(compared(&[both, new], &[both, new, allow], &[]), Compared::OpensNothing);
    assert!(matches!(compared(&[both], &[both, allow], &["a:p"]), Compared::Opens(_)));
    let monday = 1_772_409_600_000;
    assert!(matches!(outcome(&kept(&[allow]), monday + 11 * 3_600_000), Decision::Allow { .. }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    /// What is said to open nothing opens nothing, for any call and any permissions.
    #[test]
    fn what_opens_nothing_opens_nothing(
        rules in pool().prop_flat_map(|pool| prop::collection::vec(made(pool), 1..5)),
        calls in prop::collection::vec(called(), 30),
        mine in 0..16_u8,
        gone in any::<bool>(),
    ) {
        let written: Vec<String> = rules.iter().map(Made::written).collect();
        let (all, fewer) = (kept(&written), kept(&written[1..]));
        let [before, after] = if gone { [&all, &fewer] } else { [&fewer, &all] };
        let said = opens("a:b", [before, after], &|name| held(mine, name));
        if said == Compared::OpensNothing {
            for call in &calls {
                let known = call.place.is_some() && call.via.is_some() && call.hour.is_some() && call.tainted.is_some() && call.stdin.is_some();
                if !known {
                    continue;
                }
                let own = decided(before, call, mine);
                for set in 0..16 {
                    let (was, becomes) = (decided(before, call, set), decided(after, call, set));
                    prop_assert!(
                        at_most(&becomes, &was) || at_most(&becomes, &own),
                        "{written:#?} {gone} {call:?} {set:04b} {mine:04b}: {was:?} {becomes:?}"
                    );
                }
            }
        }
    }
}
