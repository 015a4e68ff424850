//! Conditions: what is read, and what is refused.
#![allow(clippy::unwrap_used, reason = "a test")]

use pipit_grammar::ast::{Path, Step};
use pipit_grammar::expr::{Expr, Op, Operand, WordCondition, parse_expr, parse_word_condition};
use proptest::prelude::*;

/// A condition with parentheses everywhere.
fn show(expr: &Expr) -> String {
    let join = |parts: &[Expr], word: &str| format!("({})", parts.iter().map(show).collect::<Vec<_>>().join(word));
    match expr {
        Expr::Or(parts) => join(parts, " or "),
        Expr::And(parts) => join(parts, " and "),
        Expr::Not(inside) => format!("not {}", show(inside)),
        Expr::Compare { left, op, right } => format!("{} {} {}", operand(left), op.as_str(), operand(right)),
        Expr::In { left, list } => {
            format!("{} in [{}]", operand(left), list.iter().map(operand).collect::<Vec<_>>().join(", "))
        }
        Expr::Truth(alone) => operand(alone),
    }
}

fn operand(operand: &Operand) -> String {
    match operand {
        Operand::Field(path) => place(path),
        Operand::Text(text) => format!("{text:?}"),
        Operand::Number(number) => number.to_string(),
        Operand::Bool(value) => value.to_string(),
        Operand::Null => "null".to_owned(),
    }
}

fn place(path: &Path) -> String {
    let steps = path.steps.iter().map(|step| match step {
        Step::Key(key) => format!("[{key:?}]"),
        Step::Index(index) => format!("[{index}]"),
    });
    path.field
        .iter()
        .map(ToString::to_string)
        .chain(path.field.is_none().then(|| "_".to_owned()))
        .chain(steps)
        .collect()
}

#[test]
fn read() {
    let cases = [
        ("cpu > 80", "cpu > 80"),
        ("cpu>80and env=='prod'", "!"),
        ("cpu > 80 and env == \"prod\"", "(cpu > 80 and env == \"prod\")"),
        ("cpu > 80 and (env == 'prod' or not ready)", "(cpu > 80 and (env == \"prod\" or not ready))"),
        ("a or b and c or d", "(a or (b and c) or d)"),
        ("not a and b", "(not a and b)"),
        ("not not a", "not not a"),
        ("((a))", "a"),
        ("_ >= 'b'", "_ >= \"b\""),
        ("_[0].x = null", "_[0][\"x\"] == null"),
        ("a.b[0]['x.y'] != -1.5e3", "a[\"b\"][0][\"x.y\"] != -1.5e3"),
        ("a.\"x.y\"[-1][k]", "a[\"x.y\"][-1][\"k\"]"),
        ("instance-id ~ '^i-\\d+$'", "instance-id ~ \"^i-\\\\d+$\""),
        ("name !~ 'it\\'s \\\\'", "name !~ \"it's \\\\\""),
        ("env in [\"stage\", 'dev', 3, x]", "env in [\"stage\", \"dev\", 3, x]"),
        ("env in []", "env in []"),
        ("not x in [1]", "not x in [1]"),
        ("true", "true"),
        ("android or inn", "(android or inn)"),
        ("'prod' == env", "\"prod\" == env"),
        ("_x", "_x"),
        ("a\n<=\t2", "a <= 2"),
    ];
    for (text, shown) in cases {
        let read = parse_expr(text).map_or("!".to_owned(), |expr| show(&expr));
        assert_eq!(read, shown, "{text}");
    }
}

#[test]
fn refused() {
    let bad = [
        "",
        " ",
        "cpu >",
        "> 3",
        "a and",
        "and a",
        "a or or b",
        "not",
        "(a",
        "a)",
        "()",
        "a b",
        "a == b c",
        "a = = b",
        "a < b < c",
        "upper(name) == 'X'",
        "env in",
        "env in 'x'",
        "env in [1,]",
        "env in [1",
        "env in [,]",
        "env in [[1]]",
        "a == 'x",
        "a == \"x'",
        "a == 01",
        "a == 1.",
        "a == .5",
        "a == 0x10",
        "a == +5",
        "a == 1e999",
        "a == 9223372036854775808",
        "a.0",
        "a.",
        "a[",
        "a[]",
        "a[0",
        "a[0.5]",
        "a['x]",
        "a[x y]",
        "a[99999999999999999999]",
        "a == and",
        "in",
        "a && b",
        "a == $b",
        "a in b",
        "a--b == 1",
        "é == 1",
    ];
    for text in bad {
        let error = parse_expr(text).err().unwrap_or_else(|| panic!("{text} was read"));
        assert!(error.span.start <= error.span.end && error.span.end as usize <= text.len(), "{text}: {error:?}");
        assert!(!error.message.is_empty());
    }
    assert!(parse_expr(&format!("{}a{}", "(".repeat(30), ")".repeat(30))).is_ok());
    assert!(parse_expr(&"(".repeat(10_000)).is_err());
    assert!(parse_expr(&"not ".repeat(10_000)).is_err());
}

#[test]
fn words() {
    let cases = [
        ("cpu>80", "cpu > :80"),
        ("cpu>=80", "cpu >= :80"),
        ("env==prod", "env == :prod"),
        ("env=prod", "env == :prod"),
        ("env!=prod", "env != :prod"),
        ("name!~^web", "name !~ :^web"),
        ("name~^web", "name ~ :^web"),
        ("a.b[0]['x.y']<=x", "a[\"b\"][0][\"x.y\"] <= :x"),
        ("_>4", "_ > :4"),
        ("name=", "name == :"),
        ("a===b", "a == :=b"),
        ("a=<b", "a == :<b"),
        ("in=5", "in == :5"),
        ("ready", "ready"),
        ("a.b", "a[\"b\"]"),
        ("_", "_"),
    ];
    for (text, shown) in cases {
        let read = match parse_word_condition(text).unwrap() {
            WordCondition::Truth(path) => place(&path),
            WordCondition::Compare { path, op, value } => {
                format!("{} {} :{}", place(&path), op.as_str(), &text[value..])
            }
        };
        assert_eq!(read, shown, "{text}");
    }
    for text in ["", "5", ">80", "a!b", "a.", "a[", "in", "and", "true", "a b", "a:b", "1=2", "a--b=1", "-v"] {
        assert!(parse_word_condition(text).is_err(), "{text}");
    }
    assert_eq!(Op::Eq.as_str(), "==");
}

proptest! {
    #[test]
    fn any_text_ends_well(text in r#"([a-c_ ()'"\[\].,<>=!~0-9\\-]|and|or|not|in){0,40}|\PC{0,40}"#) {
        let _ = parse_word_condition(&text);
        if let Err(error) = parse_expr(&text) {
            prop_assert!(error.span.end as usize <= text.len());
        } else {
            let wrapped = format!("({text})");
            prop_assert!(parse_expr(&wrapped).is_ok());
        }
    }
}
