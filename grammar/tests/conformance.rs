//! Plays the parse cases of the conformance data: a line and its canonical form, or that it is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod trees;

use pipit_grammar::parse;
use serde_json::Value;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/conformance/parse.jsonl");

#[test]
fn every_case_has_its_canonical_form_or_is_refused() {
    let cases = std::fs::read_to_string(CASES).unwrap_or_else(|error| {
        panic!("{CASES}: {error}; put the conformance data beside the repository, in ../shared/conformance")
    });
    let mut played = 0;
    let mut wrong = Vec::new();
    for row in cases.lines().filter(|row| !row.is_empty()) {
        let case: Value = serde_json::from_str(row).unwrap();
        played += 1;
        if let Err(what) = play(case["line"].as_str().unwrap(), case["canonical"].as_str()) {
            wrong.push(format!("{}: {what}", case["id"]));
        }
    }
    assert!(played >= 629, "{CASES} holds {played} cases, expected 629 or more");
    assert!(wrong.is_empty(), "{} of {played} cases fail:\n{}", wrong.len(), wrong.join("\n"));
}

fn play(line: &str, canonical: Option<&str>) -> Result<(), String> {
    let tree = match (parse(line), canonical) {
        (Ok(tree), Some(_)) => tree,
        (Err(_), None) => return Ok(()),
        (Ok(tree), None) => return Err(format!("{line:?} should be refused, and is {tree}")),
        (Err(error), Some(_)) => return Err(format!("{line:?} is refused: {error}")),
    };
    let printed = tree.to_string();
    if Some(printed.as_str()) != canonical {
        return Err(format!("{line:?}\n  prints {printed}\n  not    {}", canonical.unwrap_or_default()));
    }
    trees::assert_fixed_point(parse, &tree);
    Ok(())
}
