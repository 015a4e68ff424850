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

/// A manifest with one command, into which a line is put.
fn with(command: &str) -> String {
    format!(
        "bundle: 1\nname: t\nversion: 1.0.0\ndescription: x\ncommands:\n  c:\n    about: x\n    rules: [allow]\n{command}"
    )
}

#[test]
fn faults_say_what_and_where() {
    for (text, said) in [
        ("", "the manifest is empty"),
        ("- a\n", "a map is expected, not a list (line 1, column 1)"),
        (
            &with("    run: [./c.sh]\n    ouptut: json\n"),
            "commands.c.ouptut: the key is unknown; did you mean output? (line 10, column 5)",
        ),
        (
            &with("    run: [./c.sh]\n    run: [./d.sh]\n"),
            "commands.c.run: the key comes twice; keep the one that is meant (line 10, column 5)",
        ),
        (
            &with("    run: [./c.sh, !!str x]\n"),
            "commands.c.run[1]: tags are not read; write the value alone (line 9, column 25)",
        ),
        (
            &with("    run: &a [./c.sh]\n"),
            "commands.c.run: anchors and aliases are not read; write the value out (line 9, column 13)",
        ),
        (
            &with("    run: [c.sh]\n"),
            "commands.c.run[0]: c.sh is not among needs.programs; a file of the bundle is written ./c.sh (line 9, column 11)",
        ),
        (
            &with("    run: [./c.sh]\n    usage: \"c [--n=N]\"\n    params: {N: {type: int, one-of: [1]}}\n"),
            "commands.c.params.N.one-of: a parameter has one of: a type other than text, one-of, matches (line 11, column 37)",
        ),
        (
            &with("    run: [./c.sh, \"{A}{B}\"]\n    usage: \"c [--a=A…] [--b=B…]\"\n"),
            "commands.c.run[1]: two names in one element can both have several values; give each its own element (line 9, column 19)",
        ),
        (
            &with("    run: [./c.sh, \"{--n}\"]\n    usage: \"c [--n=N]\"\n"),
            "commands.c.run[1]: --n has a value; write --n={N} (line 9, column 19)",
        ),
        (
            &with("    run: [./c.sh]\n    output: {json: \"$[\"}\n"),
            "commands.c.output.json: \"$[\" is no JSONPath: expected selector (line 10, column 20)",
        ),
        (
            &with("    run: [./c.sh]\n    timeout: 13h\n"),
            "commands.c.timeout: a time is written 30s, 5m or 1h, and is at most 12h (line 10, column 14)",
        ),
        (
            &with("    run: [./c.sh]\nneeds: {write: [/srv/data, /srv/other, /srv/data/below]}\n"),
            "needs.write[2]: this lies within another path of the list, which is enough (line 10, column 40)",
        ),
        (
            &with("    run: [./c.sh]\nconfig: [{name: LD_PRELOAD}]\n"),
            "config[0].name: LD_PRELOAD would steer how programs are loaded; choose another name (line 10, column 17)",
        ),
    ] {
        let faults = check(text).unwrap_err();
        let all: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert!(all.iter().any(|one| one == said), "{said}\n{all:?}");
    }
}

/// A bundle may be called `net`, as one of Cog's is; `net:http` is a right of the shell's own all the same.
#[test]
fn rights_of_the_shell_are_no_permissions_of_a_bundle() {
    for right in pipit_commands::RIGHTS {
        let (space, short) = right.split_once(':').unwrap();
        let body = format!("name: {space}\nversion: 1.0.0\ndescription: x\n");
        let own = "commands:\n  c: {about: x, usage: c, run: [./c.sh], rules: [allow]}\n";
        let cog = "commands:\n  c: {description: x, executable: /c, rules: [allow]}\n";
        for text in [
            format!("bundle: 1\n{body}permissions: [{short}]\n{own}"),
            format!("cog_bundle_version: 4\n{body}permissions: [\"{right}\"]\n{cog}"),
        ] {
            let said: Vec<String> = check(&text).unwrap_err().iter().map(ToString::to_string).collect();
            let why = format!("permissions[0]: the permission {right} is the shell's own");
            assert!(said.iter().any(|said| said.starts_with(&why)), "{text}\n{said:?}");
            let named = said.iter().any(|said| said.contains(&format!("the name {space} is reserved")));
            assert_eq!(named, space != "net", "{text}\n{said:?}");
        }
    }
}

#[test]
fn json_is_yaml() {
    let text = r#"{"bundle": 1, "name": "t", "version": "1.0.0", "description": "\ud83d\ude00 \u2026 \/ \"q\"",
        "commands": {"c": {"about": "x", "run": ["./c.sh"], "rules": ["allow"]}}}"#;
    let checked = check(text).unwrap();
    assert_eq!(checked.manifest.description, "\u{1f600} … / \"q\"");
}

#[test]
fn bounds_hold() {
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    assert!(check(&deep).unwrap_err()[0].message.contains("nested deeper"));
    let wide = format!("[{}]", "1,".repeat(50_000));
    assert!(check(&wide).unwrap_err()[0].message.contains("at most"));
    assert!(check(&"x".repeat(300_000)).unwrap_err()[0].message.contains("at most"));
    let unclosed = "[".repeat(200_000);
    assert!(check(&unclosed).is_err());
}
