//! The checks of `fuzz/` over texts from a seed, a few thousand of each: `FUZZ_SECONDS=60` runs each for so long.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

#[path = "../../fuzz/checks/grammar.rs"]
mod checks;
#[path = "../../fuzz/checks/mutate.rs"]
mod mutate;

use mutate::{Mutator, rows, run};

const MARKS: &[&str] = &[
    " ", " | ", " && ", " || ", " > ", " *> ", "{", "}", " { ", " } ", "$(", ")", "`", "'", "\"", "\\", "$", "$x",
    "$_", "${", "%s", "[", "]", "['", "\\u{", "--", "-", "=", ":", "echo", "#o", "@me", "0", "1e3", ".",
];
const WORDS: &[&str] = &[
    " ",
    "when ",
    "forbid ",
    "guard ",
    "command is ",
    "a:b",
    "a:*",
    "*:*",
    " with ",
    " and ",
    " or ",
    " not ",
    "(",
    ")",
    "[",
    "]",
    ", ",
    "arg[0]",
    "any args",
    "all options",
    "option[x]",
    " == ",
    " != ",
    " =< ",
    " in ",
    " matches ",
    " contains ",
    " is missing",
    "/a.b/",
    "'x'",
    "\"x\"",
    "\\",
    "5",
    "-1",
    "true",
    " must have ",
    "allow",
    " require approval 2 from ops distinct",
    " unless ",
    " via ",
    "any in [",
    "#room",
    "dm",
    "site:x",
];
const SIGNS: &[&str] = &[
    " ",
    "…",
    "...",
    "[",
    "]",
    "--",
    "-",
    "=",
    "|",
    "{ … }",
    "{ ... }",
    "a",
    "KEY",
    "[--x=Y]",
    "[-n|--name=N]",
    "…]",
    "é",
];

fn shared(file: &str, key: &str) -> Vec<String> {
    rows(&format!("{}/../../shared/conformance/{file}", env!("CARGO_MANIFEST_DIR")), key)
}

#[test]
fn lines() {
    let corpus = [shared("parse.jsonl", "line"), shared("eval.jsonl", "line"), shared("bypass.jsonl", "line")].concat();
    run(20_000, Mutator::new(1, corpus, MARKS), checks::line);
}

#[test]
fn rules() {
    run(20_000, Mutator::new(2, shared("rules.jsonl", "rule"), WORDS), checks::rule);
}

#[test]
fn usages() {
    let corpus = [
        "sort [KEY]... [--desc]",
        "grep PATTERN [-v] [-C N] [--field=KEY]",
        "each { … } [--parallel=N]",
        "to json|yaml|csv",
        "x",
        "deploy SERVICE… --env=ENV [--header=H]…",
        "try { … } [{ … }]",
        "run -e|--env=ENV [-n]",
    ];
    run(20_000, Mutator::new(3, corpus.map(String::from).to_vec(), SIGNS), checks::usage);
}

#[test]
fn expressions() {
    let corpus = [
        "cpu > 80 and (env == \"prod\" or not ready)",
        "a.b[0]['x y'] ~ '^web'",
        "_ in [1, 2.5, \"x\", null]",
        "name!~^web",
        "cpu>80",
        "a='b c'",
        "not not a",
        "a !~ b and true",
    ];
    run(20_000, Mutator::new(4, corpus.map(String::from).to_vec(), &[MARKS, WORDS].concat()), checks::expression);
}
