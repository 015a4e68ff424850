//! Good and bad manifests, and where the bad ones are bad.

use std::path::Path;

use crate::bundle::check;

#[test]
fn the_conformance_rows() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance/bundle_config.jsonl");
    let rows = std::fs::read_to_string(&path).expect("../shared/conformance is needed beside the repository");
    let mut played = 0;
    let mut wrong = Vec::new();
    for row in rows.lines() {
        let row: serde_json::Value = serde_json::from_str(row).unwrap();
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
    assert!(played > 170, "only {played} rows");
}

/// Manifests as they were published for Cog.
#[test]
fn published_manifests() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance/cog-manifests");
    let rows = std::fs::read_to_string(folder.join("expected.jsonl"));
    for row in rows.expect("../shared/conformance is needed beside the repository").lines() {
        let row: serde_json::Value = serde_json::from_str(row).unwrap();
        let file = row["file"].as_str().unwrap();
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let checked = match check(&text) {
            Ok(checked) => checked,
            Err(faults) => {
                assert_eq!(row["ok"], false, "{file}: {faults:?}");
                let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
                for path in row["paths"].as_array().unwrap() {
                    assert!(said.iter().any(|said| said.contains(path.as_str().unwrap())), "{file}: {said:?}");
                }
                continue;
            }
        };
        assert_eq!(row["ok"], true, "{file}");
        let manifest = checked.manifest;
        assert_eq!(
            (row["bundle"].as_str(), row["version"].as_str()),
            (Some(&*manifest.name), Some(&*manifest.version))
        );
        let mut commands: Vec<_> = manifest.commands.iter().map(|entry| entry.name.to_string()).collect();
        commands.sort();
        assert_eq!(row["commands"], serde_json::json!(commands), "{file}");
        let whole = |name: &ecow::EcoString| format!("{}:{name}", manifest.name);
        let mut permissions: Vec<_> = manifest.permissions.iter().map(whole).collect();
        permissions.sort();
        assert_eq!(row["permissions"], serde_json::json!(permissions), "{file}");
        for entry in &manifest.commands {
            let rules: Vec<&str> = entry.rules.iter().map(|rule| &**rule).collect();
            assert_eq!(row["rules"][&*entry.name], serde_json::json!(rules), "{file} {}", entry.name);
        }
    }
}
