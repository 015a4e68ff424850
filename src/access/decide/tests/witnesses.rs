//! Property 15: every construct of the language can hold and can fail to hold. Each has a call for either; a construct
//! that is added without them does not compile or fails here.

use std::collections::BTreeSet;

use ecow::EcoString;
use pipit_commands::{Labels, Value};
use pipit_grammar::rule::{
    Atom, Cond, Effect, Kind, Literal, Order, Patterns, Perms, Place, Requirement, Single, Spot, StepUp, Subject,
    Target, Test, Unit, Values, Via, parse_rule,
};

use super::super::call::Tainted;
use super::{Decision, Facts, Layer, Ruling, decide};

/// A rule, and the calls with which it holds and does not: words are arguments, `name=value` options, `#room` and `dm` the
/// place, `via:` the way, `at:` the hour of a Monday in UTC, `<label` what flows in, `~` the first argument came from outside.
const HOLD: &[(&str, &str, &str)] = &[
    ("when command is a:b allow", "", "other:command"),
    ("when command is a:* allow", "", "other:command"),
    ("when command is a:b with arg[0] == 'x' allow", "x", "y"),
    ("when command is a:b with arg[1] == x allow", "y x", "x"),
    ("when command is a:b with arg[0] != 'x' allow", "y", ""),
    ("when command is a:b with arg[0] == 5 allow", "5", "6"),
    ("when command is a:b with arg[0] == true allow", "true", "false"),
    ("when command is a:b with arg[0] > 5 allow", "6", "5"),
    ("when command is a:b with arg[0] < 5 allow", "4", "5"),
    ("when command is a:b with arg[0] >= 5 allow", "5", "4"),
    ("when command is a:b with arg[0] <= 5 allow", "5", "6"),
    ("when command is a:b with arg[0] =< 5 allow", "5", "x"),
    ("when command is a:b with arg[0] == /x/ allow", "axa", "a"),
    ("when command is a:b with arg[0] != /x/ allow", "a", "axa"),
    ("when command is a:b with arg[0] in ['x', 5, /z/] allow", "5", "6"),
    ("when command is a:b with arg[0] matches /x+/ allow", "xx", "xxa"),
    ("when command is a:b with arg[0] matches [/x/, /y/] allow", "y", "z"),
    ("when command is a:b with arg[0] contains /x/ allow", "axa", "a"),
    ("when command is a:b with arg[0] contains [/x/, /y/] allow", "aya", "a"),
    ("when command is a:b with arg[0] is missing allow", "", "x"),
    ("when command is a:b with arg[0] is present allow", "x", ""),
    ("when command is a:b with arg[0] is tainted allow", "~ x", "x"),
    ("when command is a:b with option[env] == 'prod' allow", "env=prod", "env=stage"),
    ("when command is a:b with option[env] is missing allow", "", "env=prod"),
    ("when command is a:b with option[env] is present allow", "env=prod", "count=1"),
    ("when command is a:b with any args == 'x' allow", "y x", "y"),
    ("when command is a:b with any arg == 'x' allow", "x", ""),
    ("when command is a:b with all args == 'x' allow", "x x", ""),
    ("when command is a:b with all args in ['x', 'y'] allow", "x y", "x z"),
    ("when command is a:b with any options == 'x' allow", "env=x", "env=y"),
    ("when command is a:b with any option in ['x'] allow", "env=x", ""),
    ("when command is a:b with all options == 'x' allow", "env=x", "env=x count=1"),
    ("when command is a:b with any option[env] == 'x' allow", "env=x", "count=x"),
    ("when command is a:b with all option[env] == 'x' allow", "env=x", ""),
    ("when command is a:b with any stdin.label == 'http' allow", "<http", "<bundle"),
    ("when command is a:b with all stdin.label == 'http' allow", "<http", ""),
    ("when command is a:b with arg[0] == 'x' and arg[1] == 'y' allow", "x y", "x z"),
    ("when command is a:b with arg[0] == 'x' or arg[1] == 'y' allow", "z y", "z z"),
    ("when command is a:b with (arg[0] == 'x' or arg[0] == 'y') and arg[1] == 'z' allow", "y z", "y y"),
    ("when command is a:b in #ops allow", "#ops", "#dev"),
    ("when command is a:b in #OPS allow", "#Ops", "#op"),
    ("when command is a:b in #ops allow", "@#ops", "@ops"),
    ("when command is a:b in libera://#ops allow", "libera://#ops", "libera://#dev"),
    ("when command is a:b in libera://#ops allow", "libera://#OPS", "oftc://#ops"),
    ("when command is a:b in libera://#ops allow", "libera://#ops", "#ops"),
    ("when command is a:b in #ops allow", "oftc://#ops", "oftc://#dev"),
    ("when command is a:b in dm allow", "dm", "#dm"),
    ("when command is a:b in [#ops, dm] allow", "dm", "#dev"),
    ("when command is a:b during 'mon-fri 09:00-17:00 UTC' allow", "at:9", "at:17"),
    ("when command is a:b during '09:00-17:00 Europe/Zurich' allow", "at:8", "at:16"),
    ("when command is a:b via chat allow", "via:chat", "via:job"),
    ("when command is a:b via job allow", "via:job", "via:chat"),
    ("when command is a:b via trigger allow", "via:trigger", "via:chat"),
    ("when command is a:b via alias allow", "via:alias", "via:chat"),
    ("when command is a:b via agent allow", "via:agent", "via:chat"),
    ("when command is a:b via callback allow", "via:callback", "via:chat"),
    ("when command is a:b via history allow", "via:history", "via:chat"),
];

/// What is asked for, and permissions that are enough and are not.
const ASK: &[(&str, &[&str], &[&str])] = &[
    ("when command is a:b must have a:p", &["a:p"], &["a:q"]),
    ("when command is a:b must have a:p and a:q", &["a:p", "a:q"], &["a:p"]),
    ("when command is a:b must have a:p or a:q", &["a:q"], &["a:r"]),
    ("when command is a:b must have any in [a:p, a:q]", &["a:q"], &["a:r"]),
    ("when command is a:b must have all in [a:p, a:q]", &["a:p", "a:q"], &["a:q"]),
    ("when command is a:b must have a:p and (a:q or a:r)", &["a:p", "a:r"], &["a:q", "a:r"]),
    ("guard when command is a:b must have a:p", &["a:p"], &[]),
    ("guard when command is a:* must have a:p", &["a:p"], &[]),
    ("guard when command is *:* must have a:p", &["a:p"], &[]),
    ("forbid command is a:b unless a:p", &["a:p"], &[]),
    ("forbid command is *:* unless a:p or a:q", &["a:q"], &[]),
];

/// What makes a call wait.
const WAIT: &[&str] = &[
    "when command is a:b require approval 1 from captains",
    "when command is a:b require approval 2 from captains distinct",
    "when command is a:b require step-up totp",
    "guard when command is a:b require step-up webauthn within 30s",
    "when command is a:b require step-up totp within 10m",
    "guard when command is *:* require step-up totp within 1h",
    "when command is a:b require reason",
];

fn decided(rules: &[&str], permissions: &[&str], call: &str) -> Decision {
    const MONDAY: i64 = 1_772_409_600_000;
    let rulings: Vec<Ruling> = rules.iter().map(|rule| Ruling::read(*rule, Layer::Site, *rule)).collect();
    let (mut args, mut options, mut stdin): (Vec<Value>, Vec<(EcoString, Value)>, Labels) = Default::default();
    let (mut room, mut via, mut at, mut tainted, mut command) = (Place::Dm, Via::Chat, MONDAY, None, "a:b");
    let mut service = None;
    let value = |text: &str| text.parse().map_or_else(|_| Value::of_bare(text), Value::Int);
    for word in call.split_ascii_whitespace() {
        if let Some((name, place)) = word.split_once("://") {
            (service, room) = (Some(name), Place::room(place));
        } else if word.starts_with(['#', '@']) {
            room = Place::room(word);
        } else if let Some(name) = word.strip_prefix("via:") {
            via = Via::from_name(name).unwrap();
        } else if let Some(hour) = word.strip_prefix("at:") {
            at = MONDAY + hour.parse::<i64>().unwrap() * 3_600_000;
        } else if let Some(label) = word.strip_prefix('<') {
            stdin = Labels::one(label);
        } else if let Some((name, text)) = word.split_once('=') {
            options.push((name.into(), value(text)));
        } else {
            match word {
                "dm" => room = Place::Dm,
                "~" => tainted = Some(0),
                "other:command" => command = word,
                word => args.push(value(word)),
            }
        }
    }
    let facts = Facts {
        args: &args,
        options: &options,
        room: Some(&room),
        service,
        via: Some(via),
        at: Some(at),
        tainted: Some(Tainted { args: tainted.as_slice(), options: &[] }),
        stdin: Some(&stdin),
        ..Facts::of(command)
    };
    decide(&rulings, &|name| permissions.contains(&name), &facts)
}

#[test]
fn p15_every_construct_can_hold_and_can_fail_to() {
    let mut wrong = Vec::new();
    for (rule, holds, fails) in HOLD {
        if !matches!(decided(&[rule], &[], holds), Decision::Allow { .. }) {
            wrong.push(format!("{rule}: does not hold of {holds:?}"));
        }
        if matches!(decided(&[rule], &[], fails), Decision::Allow { .. }) {
            wrong.push(format!("{rule}: holds of {fails:?}"));
        }
    }
    for (rule, enough, short) in ASK {
        let open = if rule.starts_with("when") { vec![*rule] } else { vec![*rule, "when command is a:b allow"] };
        if !matches!(decided(&open, enough, ""), Decision::Allow { .. }) {
            wrong.push(format!("{rule}: {enough:?} should be enough"));
        }
        if !matches!(decided(&open, short, ""), Decision::Deny(_)) {
            wrong.push(format!("{rule}: {short:?} should not be enough"));
        }
    }
    for rule in WAIT {
        let Decision::Park { obligations, .. } = decided(&[rule, "when command is a:b allow"], &[], "") else {
            wrong.push(format!("{rule}: nothing waits"));
            continue;
        };
        let asked: Vec<String> = obligations.iter().map(|due| due.requirement.to_string()).collect();
        if asked.len() != 1 || !rule.ends_with(&format!("require {}", asked[0])) {
            wrong.push(format!("{rule}: waits for {asked:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every construct of the language has a witness above.
#[test]
fn p15_no_construct_is_left_out() {
    let mut seen = BTreeSet::new();
    let rules =
        HOLD.iter().map(|(rule, ..)| *rule).chain(ASK.iter().map(|(rule, ..)| *rule)).chain(WAIT.iter().copied());
    for text in rules {
        let rule = parse_rule(text).unwrap();
        seen.insert(match rule.target {
            Target::Command { .. } => "a:b",
            Target::Bundle(_) => "a:*",
            Target::All => "*:*",
        });
        seen.extend(rule.places.iter().map(|place| match place {
            Spot::Dm => "dm",
            Spot::Room { service: None, .. } => "#room",
            Spot::Room { service: Some(_), .. } => "service://#room",
        }));
        seen.extend(rule.during.as_ref().map(|_| "during"));
        seen.extend(rule.via.map(Via::as_str));
        let effect = match &rule.kind {
            Kind::When(effect) => (effect, "when"),
            Kind::Guard(effect) => (effect, "guard"),
            Kind::Forbid { unless } => {
                seen.insert("forbid");
                seen.extend(unless.iter().flat_map(perms));
                (&Effect::Allow, "forbid")
            }
        };
        seen.insert(effect.1);
        match effect.0 {
            Effect::Allow => {
                seen.insert("allow");
            }
            Effect::MustHave(held) => seen.extend(perms(held)),
            Effect::Require(requirement) => seen.extend(required(requirement)),
        }
        for atom in rule.with.iter().flat_map(Cond::atoms) {
            seen.extend(of_atom(atom));
        }
        seen.extend(rule.with.iter().flat_map(joints));
    }
    let all = [
        "a:b",
        "a:*",
        "*:*",
        "dm",
        "#room",
        "service://#room",
        "during",
        "when",
        "guard",
        "forbid",
        "allow",
        "one permission",
        "any in",
        "all in",
        "permissions and",
        "permissions or",
        "approval",
        "approval distinct",
        "totp",
        "webauthn",
        "always",
        "within s",
        "within m",
        "within h",
        "reason",
        "and",
        "or",
        "arg[n]",
        "option[name]",
        "any args",
        "all args",
        "any options",
        "all options",
        "any option[name]",
        "all option[name]",
        "any stdin.label",
        "all stdin.label",
        "==",
        "!=",
        ">",
        "<",
        ">=",
        "<=",
        "in",
        "matches",
        "matches list",
        "contains",
        "contains list",
        "missing",
        "present",
        "tainted",
        "number",
        "bool",
        "text",
        "pattern",
        "one condition",
    ];
    let all: BTreeSet<&str> = all.into_iter().chain(Via::ALL.map(Via::as_str)).collect();
    assert_eq!(seen, all);
}

fn perms(perms: &Perms) -> Vec<&'static str> {
    match perms {
        Perms::One(_) => vec!["one permission"],
        Perms::Any(_) => vec!["any in"],
        Perms::All(_) => vec!["all in"],
        Perms::And(_) => vec!["permissions and"],
        Perms::Or(_) => vec!["permissions or"],
    }
}

fn required(requirement: &Requirement) -> Vec<&'static str> {
    match requirement {
        Requirement::Approval { distinct, .. } => vec![if *distinct { "approval distinct" } else { "approval" }],
        Requirement::Reason => vec!["reason"],
        Requirement::StepUp { method, within } => vec![
            match method {
                StepUp::Totp => "totp",
                StepUp::WebAuthn => "webauthn",
            },
            match within.map(|within| within.unit) {
                None => "always",
                Some(Unit::Seconds) => "within s",
                Some(Unit::Minutes) => "within m",
                Some(Unit::Hours) => "within h",
            },
        ],
    }
}

fn joints(cond: &Cond) -> Vec<&'static str> {
    match cond {
        Cond::Atom(_) => vec!["one condition"],
        Cond::And(parts) => std::iter::once("and").chain(parts.iter().flat_map(joints)).collect(),
        Cond::Or(parts) => std::iter::once("or").chain(parts.iter().flat_map(joints)).collect(),
    }
}

fn of_atom(atom: &Atom) -> Vec<&'static str> {
    let subject = match &atom.subject {
        Subject::One(Single::Arg(_)) => "arg[n]",
        Subject::One(Single::Option(_)) => "option[name]",
        Subject::Any(Values::Args) => "any args",
        Subject::Any(Values::Options) => "any options",
        Subject::Any(Values::Option(_)) => "any option[name]",
        Subject::Any(Values::Stdin) => "any stdin.label",
        Subject::All(Values::Args) => "all args",
        Subject::All(Values::Options) => "all options",
        Subject::All(Values::Option(_)) => "all option[name]",
        Subject::All(Values::Stdin) => "all stdin.label",
    };
    let literal = |literal: &Literal| match literal {
        Literal::Number(_) => "number",
        Literal::Bool(_) => "bool",
        Literal::Text(_) => "text",
        Literal::Pattern(_) => "pattern",
    };
    let mut seen = vec![subject];
    match &atom.test {
        Test::Compare(order, value) => seen.extend([
            match order {
                Order::Eq => "==",
                Order::Ne => "!=",
                Order::Gt => ">",
                Order::Lt => "<",
                Order::Ge => ">=",
                Order::Le => "<=",
            },
            literal(value),
        ]),
        Test::In(values) => seen.extend(std::iter::once("in").chain(values.iter().map(literal))),
        Test::Matches(Patterns::One(_)) => seen.push("matches"),
        Test::Matches(Patterns::List(_)) => seen.push("matches list"),
        Test::Contains(Patterns::One(_)) => seen.push("contains"),
        Test::Contains(Patterns::List(_)) => seen.push("contains list"),
        Test::Missing => seen.push("missing"),
        Test::Present => seen.push("present"),
        Test::Tainted => seen.push("tainted"),
    }
    seen
}
