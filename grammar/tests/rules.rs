//! The access language: every row of the data, what a manifest may write, and that printing and reading agree.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::path::Path;

use pipit_grammar::rule::{parse_rule, parse_rule_for};
use proptest::prelude::*;
use serde_json::Value;

#[test]
fn every_form() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/conformance/rules.jsonl");
    let text = std::fs::read_to_string(&data).unwrap_or_else(|error| panic!("{} is needed: {error}", data.display()));
    let rows = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut wrong = Vec::new();
    let mut played = 0;
    for row in rows {
        let Some(rule) = row["rule"].as_str() else { continue };
        played += 1;
        let read = parse_rule(rule);
        let right = match row["canonical"].as_str() {
            Some(canonical) => read.as_ref().is_ok_and(|rule| rule.to_string() == canonical),
            None => read.is_err(),
        };
        if !right {
            wrong.push(format!("{}: {rule}\n  {}", row["id"], read.map_or_else(|e| e.to_string(), |r| r.to_string())));
        }
    }
    assert!(played > 0, "{} holds no rules", data.display());
    assert!(wrong.is_empty(), "{} of {played}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn own_forms() {
    let same = [
        "guard when command is *:* via agent must have site:agents",
        "guard when command is a:* with option[x] == 'y' in [#ops, dm] via job require reason",
        "forbid command is *:* with arg[0] is tainted in dm via trigger unless any in [site:a, site:b]",
        "forbid command is a:b",
        "when command is a:b require step-up totp within 10m",
        "when command is a:b require approval 1 from on-call",
        "when command is a:b with arg[0] == 1e3 or arg[0] == -0.5 allow",
        "when command is a:b with arg[0] contains [/a/, /b/] allow",
        "when command is a:b with any option[tags] matches /a|b/ allow",
        "when command is a:b with arg[0] == 'a\\\\b' allow",
        "when command is a:b in #büro allow",
        "when command is a:b in libera://#ops allow",
        "when command is a:b in [my-net://##c++, shell://#OPS, #dev, dm] allow",
    ];
    for text in same {
        assert_eq!(parse_rule(text).map(|rule| rule.to_string()), Ok(text.to_owned()));
    }
    let regular = [
        ("when command is 'a:b' allow", "when command is a:b allow"),
        ("when command is a:b with arg[0] == 01 allow", "when command is a:b with arg[0] == '01' allow"),
        ("when command is a:b in [#ops] allow", "when command is a:b in #ops allow"),
        ("when command is a:b with arg [ 0 ] ==1 allow", "when command is a:b with arg[0] == 1 allow"),
    ];
    for (text, canonical) in regular {
        assert_eq!(parse_rule(text).map(|rule| rule.to_string()).as_deref(), Ok(canonical));
    }
    let bad = [
        "when command is *:* allow",
        "when command is a:b via moon allow",
        "when command is a:b in libera:// allow",
        "when command is a:b in libera://ops allow",
        "when command is a:b in ://#ops allow",
        "when command is a:b in a:b://#ops allow",
        "when command is a:b in libera://# allow",
        "when command is a:b with arg[0] matches /a)|(b/ allow",
        "when command is a:b with arg[0] matches /(?x)a # b/ allow",
        "when command is a:b with arg[0] contains /(\\w{1000}){1000}/ allow",
        "when command is a:b with arg[0] contains /(?=a)/ allow",
        "when command is a:b require approval 0 from x",
        "when command is a:b require step-up",
        "when command is a:b require step-up totp within 0m",
        "when command is a:b with option[a] == null allow",
        "when command is a:b with arg[0] == 'x allow",
        "when command is a:b\u{a0}allow",
        "forbid command is a:b unless",
        "guard when command is *:*",
    ];
    for text in bad {
        let error = parse_rule(text).expect_err(text);
        assert!(error.span.start <= error.span.end && error.span.end as usize <= text.len(), "{text}: {error:?}");
    }
    let many = |count| format!("when command is a:b with arg[0] contains [{}] allow", vec!["/x/"; count].join(","));
    assert!(parse_rule(&many(64)).is_ok());
    assert!(parse_rule(&many(65)).is_err());
    let deep = |depth| format!("when command is a:b with {}arg[0] == 1{} allow", "(".repeat(depth), ")".repeat(depth));
    assert!(parse_rule(&deep(32)).is_ok());
    assert!(parse_rule(&deep(33)).is_err());
    assert!(parse_rule(&deep(7000)).is_err());
}

#[test]
fn manifests() {
    let canonical = |text: &str| parse_rule_for(text, "aws", "stop").map(|rule| rule.to_string());
    assert_eq!(canonical("allow").as_deref(), Ok("when command is aws:stop allow"));
    assert_eq!(canonical("in dm allow").as_deref(), Ok("when command is aws:stop in dm allow"));
    assert_eq!(
        canonical("with option[force] == true must have site:oncall").as_deref(),
        Ok("when command is aws:stop with option[force] == true must have site:oncall")
    );
    assert_eq!(canonical("when command is aws:stop allow").as_deref(), Ok("when command is aws:stop allow"));
    let bad = [
        "when command is aws:start allow",
        "when command is aws:* allow",
        "WHEN COMMAND IS aws:stop allow",
        "guard when command is aws:stop allow",
        "forbid command is aws:stop",
        "must have",
        "",
        "is aws:stop allow",
    ];
    for text in bad {
        assert!(canonical(text).is_err(), "{text}");
    }
}

#[test]
fn names_what_it_names() {
    let rule = parse_rule(
        "when command is a:b with (any option[x] == 1 or arg[0] == 2) and option[y] is missing must have (a:p or all in [a:q, a:r])",
    )
    .unwrap();
    assert_eq!(rule.options(), ["x", "y"]);
    assert_eq!(rule.permissions(), ["a:p", "a:q", "a:r"]);
    assert_eq!(rule.alternatives().map(|alternatives| alternatives.len()), Some(2));
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("'it'".to_owned()),
        Just("\"it's\"".to_owned()),
        Just("/a\\/b|c/".to_owned()),
        "-?(0|[1-9][0-9]{0,3})(\\.[0-9])?",
        "[b-h]{1,4}",
        Just("true".to_owned()),
        r#""[ '\\a]{0,4}""#.prop_map(|text| text.replace('\\', "\\\\")),
    ]
}

fn atom() -> impl Strategy<Value = String> {
    let subject = prop_oneof![
        Just("arg[0]"),
        Just("option[env]"),
        Just("any args"),
        Just("all option"),
        Just("any option[x-y]"),
    ];
    let test = prop_oneof![
        (prop_oneof![Just("=="), Just("!=")], value()).prop_map(|(op, value)| format!("{op} {value}")),
        prop::collection::vec(value(), 1..3).prop_map(|values| format!("in [{}]", values.join(","))),
        Just("matches /a+/".to_owned()),
        Just("contains [/a/]".to_owned()),
        Just("> 3".to_owned()),
        Just("=< 'x'".to_owned()),
    ];
    (subject, test).prop_map(|(subject, test)| format!("{subject} {test}"))
}

fn cond() -> impl Strategy<Value = String> {
    atom().prop_recursive(3, 12, 3, |inner| {
        (prop::collection::vec(inner, 1..4), prop_oneof![Just(" and "), Just(" or ")])
            .prop_map(|(parts, joint)| format!("({})", parts.join(joint)))
    })
}

fn rule() -> impl Strategy<Value = String> {
    let frame =
        prop_oneof![Just("when command is a:b"), Just("guard when command is *:*"), Just("when command is a:*")];
    let clauses = prop_oneof![Just(""), Just("in dm"), Just("via job in [#a, dm]")];
    let effect = prop_oneof![
        Just("allow"),
        Just("must have a:x and (a:y or any in [a:z, a:w])"),
        Just("require approval 2 from ops distinct"),
    ];
    (frame, cond(), clauses, effect)
        .prop_map(|(frame, cond, clauses, effect)| format!("{frame} with {cond} {clauses} {effect}"))
}

proptest! {
    #[test]
    fn reads_what_it_prints(text in rule()) {
        if let Ok(rule) = parse_rule(&text) {
            let printed = rule.to_string();
            prop_assert_eq!(parse_rule(&printed).unwrap(), rule);
            prop_assert_eq!(parse_rule(&printed).unwrap().to_string(), printed);
        }
    }

    #[test]
    fn any_text_ends_well(
        text in r"(when|command|is|with|arg|option|any|all|in|must|have|a:b|allow|and|or|==|\[|\]|\(|\)|0|'x'|/x/|#r|,| ){0,30}|\PC{0,60}",
    ) {
        for read in [parse_rule(&text), parse_rule_for(&text, "a", "b")] {
            match read {
                Ok(rule) => prop_assert_eq!(parse_rule(&rule.to_string()).unwrap(), rule),
                Err(error) => prop_assert!(error.span.end as usize <= text.len()),
            }
        }
    }
}
