//! Good and bad manifests, and where the bad ones are bad.

use std::path::Path;

use crate::bundle::check;

/// Plays the rows of the conformance data that are not of Cog.
#[test]
fn the_conformance_rows() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance/bundle_config.jsonl");
    let rows = std::fs::read_to_string(&path).expect("../shared/conformance is needed beside the repository");
    let mut played = 0;
    let mut wrong = Vec::new();
    for row in rows.lines() {
        let row: serde_json::Value = serde_json::from_str(row).unwrap();
        if row["config"].get("cog_bundle_version").is_some()
            || row["text"].as_str().is_some_and(|text| text.contains("cog_"))
        {
            continue;
        }
        played += 1;
        let text = match row["text"].as_str() {
            Some(text) => text.to_owned(),
            None => row["config"].to_string(),
        };
        let id = &row["id"];
        match (check(&text), row["ok"].as_bool().unwrap()) {
            (Ok(_), true) => {}
            (Ok(_), false) => wrong.push(format!("{id} is taken: {text}")),
            (Err(faults), true) => wrong.push(format!("{id} is refused: {faults:?}")),
            (Err(faults), false) => {
                let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
                for path in row["paths"].as_array().unwrap() {
                    let path = path.as_str().unwrap();
                    if !said.iter().any(|said| said.contains(path)) {
                        wrong.push(format!("{id} lacks {path}: {said:?}"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {played}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(played > 70, "only {played} rows");
}
