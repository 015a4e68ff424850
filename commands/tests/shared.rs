//! The shared cases of what lines come to, as far as they need no shell: no alias, no kept stream, no history.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

#[path = "play/line.rs"]
mod line;

use line::World;
use pipit_commands::Value;

/// Commands that are the shell's or a program's.
const ELSEWHERE: [&str; 9] = ["alias", "tee", "cat", "keep", "my", "history", "!!", "jq", "wc"];

fn plays(case: &serde_json::Value) -> bool {
    let line = case["line"].as_str().unwrap();
    let shell = |word: &str| ELSEWHERE.contains(&word);
    case["setup"].as_array().is_none_or(Vec::is_empty) && !line.split_whitespace().any(shell)
}

#[tokio::test]
async fn lines_come_to_what_they_should() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/conformance/eval.jsonl");
    let text = std::fs::read_to_string(path).expect("the shared cases lie beside the repository, in ../shared");
    let (mut played, mut wrong) = (0, Vec::new());
    for case in text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()) {
        if !plays(&case) {
            continue;
        }
        played += 1;
        let line = case["line"].as_str().unwrap();
        let (values, error) = World::new().play(line).await;
        let exit = error.as_ref().map_or(0, |error| error.kind().exit());
        let shown: Vec<String> = values.iter().map(Value::to_json).collect();
        let fine = match (case["values"].as_array(), case["exit"].as_u64()) {
            (Some(expected), _) => {
                let mut expected: Vec<Value> =
                    expected.iter().map(|value| Value::from_json(&value.to_string()).unwrap()).collect();
                let mut values = values;
                if case["unordered"] == true {
                    expected.sort_by(Value::order);
                    values.sort_by(Value::order);
                }
                exit == 0 && values == expected
            }
            (None, Some(wanted)) => u64::from(exit) == wanted,
            (None, None) => false,
        };
        if !fine {
            let why = error.map(|error| error.to_string()).unwrap_or_default();
            wrong.push(format!(
                "{}: {line}\n  gives {exit} {} {why}\n  not {}{}",
                case["id"],
                shown.join(" "),
                case["values"],
                case["exit"]
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {played}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(played > 400, "only {played} cases were played");
}
