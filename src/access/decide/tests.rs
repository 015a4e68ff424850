//! Every decision of the data, and what must hold of any decision: order, monotony, doubt, patterns.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::path::Path;

use ecow::EcoString;
use pipit_commands::Value;
use pipit_grammar::rule::{Place, Via};

mod cog;
mod oracle;
mod properties;
mod random;
mod universe;
mod widening;
mod witnesses;

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
            args: &self.args,
            options: &self.options,
            room: self.room.as_ref(),
            via: self.via,
            ..Facts::of(&self.command)
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
fn p7_what_cannot_be_read_denies() {
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
fn p10_patterns_take_the_whole_or_search() {
    let whole = rulings(&["when command is a:b with arg[0] matches /^a+$/ allow"]);
    let search = rulings(&["when command is a:b with arg[0] contains /a+/ allow"]);
    for (text, takes, finds) in
        [("aa", true, true), ("aa\n", false, true), ("\naa", false, true), ("baab", false, true), ("b", false, false)]
    {
        assert_eq!(allowed(&whole, &[], &Case::new(&[text], &[])), takes, "{text:?}");
        assert_eq!(allowed(&search, &[], &Case::new(&[text], &[])), finds, "{text:?}");
    }
    let slow = rulings(&["when command is a:b with arg[0] matches /(a+)+b/ allow"]);
    assert!(!allowed(&slow, &[], &Case::new(&["a".repeat(100_000).as_str()], &[])));
}

#[test]
fn p9_all_wants_something_and_missing_differs_from_nothing() {
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
fn depends_on_the_call_or_not() {
    let depends = |rules: &[&str]| !unconditional(&rulings(rules).iter().collect::<Vec<_>>());
    assert!(!depends(&[]));
    assert!(!depends(&["when command is a:b must have a:x", "forbid command is *:* unless site:z"]));
    assert!(depends(&["when command is a:b allow", "when command is a:b in dm allow"]));
    assert!(depends(&["when command is a:b with arg[0] is missing allow"]));
}

#[test]
fn a_rule_of_the_site_stands_in_the_place_of_a_commands_own() {
    let bundle = |at: usize, rule: &str| Ruling::read(format!("a:b#{at}"), Layer::Bundle, rule);
    let site = |rule: &str| rulings(&[rule]).remove(0);
    let own = || bundle(1, "when command is a:b must have a:own");
    let by = "when command is a:b must have a:site replaces bundle rule 'must have a:own'";
    let some = "when command is a:b with arg[0] == 'x' must have a:site replaces bundle rule 'must have a:own'";
    let (none, x) = (Case::new(&[], &[]), Case::new(&["x"], &[]));

    let rules = [own(), site(by)];
    assert!(allowed(&rules, &["a:site"], &none) && !allowed(&rules, &["a:own"], &none));
    let stands = why(&rules, &["a:site"], &none.facts()).stands;
    assert_eq!(stands[0].standing, Standing::Replaced { by: "0".into() });

    // only a command's own, and only in those words
    assert!(!allowed(&[site("when command is a:b must have a:own"), site(by)], &["a:site"], &none));
    assert!(!allowed(&[bundle(1, "when command is a:b must have a:other"), site(by)], &["a:site"], &none));
    assert!(!allowed(&[own(), bundle(2, by)], &["a:site"], &none), "a manifest replaces nothing");

    // only where it surely holds itself
    let doubt = site("when command is a:b with arg[0] > 3 allow replaces bundle rule 'must have a:own'");
    assert!(!allowed(&[own(), doubt, site("when command is a:b allow")], &[], &x));
    let rules = [own(), site(some)];
    assert!(allowed(&rules, &["a:site"], &x) && !allowed(&rules, &["a:site"], &none));
    assert!(allowed(&rules, &["a:own"], &none));

    // what is replaced overrides nothing any more, and its doubts do not count
    let more = bundle(2, "when command is a:b with arg[0] == 'x' must have a:own");
    let rules = [
        bundle(1, "when command is a:b must have a:base"),
        more,
        site("when command is a:b allow replaces bundle rule 'with arg[0] == \\'x\\' must have a:own'"),
    ];
    assert!(rules[2].rule().is_ok(), "{:?}", rules[2].rule());
    assert!(allowed(&rules, &["a:base"], &x) && !allowed(&rules, &["a:own"], &x));
    let doubtful = bundle(1, "when command is a:b with arg[0] > 3 must have a:own");
    let instead = "when command is a:b allow replaces bundle rule 'with arg[0] > 3 must have a:own'";
    assert!(!allowed(&[doubtful.clone(), site("when command is a:b allow")], &[], &x));
    assert!(allowed(&[doubtful, site(instead)], &[], &x));

    // before the arguments are known nothing is foreseen that a replacement could change
    let foreseen =
        |rules: &[Ruling], permissions: &[&str]| foresee(rules, &|name| permissions.contains(&name), &Facts::of("a:b"));
    assert_eq!(foreseen(&[own(), site(by)], &["a:site"]), None);
    assert_eq!(foreseen(&[own(), site(some)], &["a:site"]), None);
    let Some(Denial::Missing(unmet)) = foreseen(&[own(), site(by)], &["a:own"]) else { panic!("not foreseen") };
    assert_eq!(unmet.iter().map(|unmet| unmet.needs.to_string()).collect::<Vec<_>>(), ["a:site"]);
    let Some(Denial::Missing(unmet)) = foreseen(&[own(), site(some)], &[]) else { panic!("not foreseen") };
    assert_eq!(unmet.len(), 2, "either may be asked for");
}

/// Where and how a call came is known before its arguments are.
#[test]
fn the_circumstances_are_foreseen() {
    let rules = rulings(&["when command is a:b in #ops must have a:p", "when command is a:b via job must have a:q"]);
    let ops = Place::Room("ops".into());
    let facts = Facts { room: Some(&ops), via: Some(Via::Chat), ..Facts::of("a:b") };
    let has = |name: &str| name == "a:q";
    let Some(Denial::Missing(unmet)) = foresee(&rules, &has, &facts) else { panic!("not foreseen") };
    assert_eq!(unmet.iter().map(|unmet| unmet.rule.as_str()).collect::<Vec<_>>(), ["0"]);
    let elsewhere = Facts { room: Some(&Place::Dm), ..facts };
    assert_eq!(foresee(&rules, &has, &elsewhere), Some(Denial::NoRule));
    let forbids = rulings(&["forbid command is a:b in #ops", "when command is a:b allow"]);
    assert_eq!(foresee(&forbids, &has, &facts), Some(Denial::Forbidden { by: vec!["0".into()] }));
    assert_eq!(foresee(&forbids, &has, &elsewhere), None);
}

/// What holds whatever the arguments are is foreseen, and what another rule may take out of the count is not.
#[test]
fn what_gives_way_is_not_foreseen() {
    let foreseen = |rules: &[&str], permissions: &[&str]| {
        let found = foresee(&rulings(rules), &|name| permissions.contains(&name), &Facts::of("a:b"));
        found.map(|denial| match denial {
            Denial::Missing(unmet) => unmet.iter().map(|unmet| unmet.rule.to_string()).collect::<Vec<_>>().join(" "),
            other => format!("{other:?}"),
        })
    };
    let base = "when command is a:b must have a:p";
    let more = "when command is a:b with arg[0] == 'x' must have a:q";
    assert_eq!(foreseen(&[base, more], &["a:q"]), None, "the second may take the place of the first");
    assert_eq!(foreseen(&[base, more], &["a:p"]), None);
    assert_eq!(foreseen(&[base, more], &[]).as_deref(), Some("0 1"));
    assert_eq!(foreseen(&[base, "when command is a:b allow"], &[]).as_deref(), Some("0"), "both count, surely");
    assert_eq!(foreseen(&[base, "guard when command is a:b must have a:q"], &["a:p"]).as_deref(), Some("1"));
    let asks = "guard when command is a:b with arg[0] == 'x' must have a:q";
    assert_eq!(foreseen(&[base, asks], &["a:p"]), None, "it may not hold");
    let alone = "when command is a:b with arg[0] == 'x' must have a:p";
    assert_eq!(foreseen(&[alone, "when command is a:b allow"], &[]), None);
}

#[test]
fn a_window_opens_to_the_minute() {
    const NINE: i64 = 1_772_409_600_000 + 9 * 3_600_000;
    let rules = rulings(&["when command is a:b during 'mon 09:15-09:45 UTC' allow"]);
    let rules: Vec<&Ruling> = rules.iter().collect();
    for (minute, open) in [(0, false), (14, false), (15, true), (30, true), (44, true), (45, false)] {
        let facts = Facts { at: Some(NINE + minute * 60_000), ..Facts::of("a:b") };
        assert_eq!(!matches!(decide(&rules, &|_| false, &facts), Decision::Deny(_)), open, "{minute}");
    }
    let no_time = Facts { at: Some(i64::MAX), ..Facts::of("a:b") };
    assert!(matches!(decide(&rules, &|_| false, &no_time), Decision::Deny(_)), "no clock shows it");
}
