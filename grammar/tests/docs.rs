//! Every example of `docs/language.md`: in a block marked `pipit-parse`, `input => canonical` or `input => error: message`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use pipit_grammar::parse;

const PAGE: &str = include_str!("../../docs/language.md");

#[test]
fn every_example_of_the_page_is_true() {
    let mut played = 0;
    let mut wrong = Vec::new();
    for block in PAGE.split("```pipit-parse\n").skip(1) {
        let (examples, _) = block.split_once("```").expect("a block is closed");
        for example in examples.lines() {
            let (line, expected) = example.rsplit_once(" => ").expect("input => canonical");
            let given = parse(line).map_or_else(|error| format!("error: {error}"), |tree| tree.to_string());
            if given != expected {
                wrong.push(format!("{line}\n  gives   {given}\n  and not {expected}"));
            }
            played += 1;
        }
    }
    assert!(played >= 50, "only {played} examples were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
