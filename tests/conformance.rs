//! The conformance data, played through the binary as its README says. Every row that the command line can play passes.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

const PIPIT: &str = env!("CARGO_BIN_EXE_pipit");

fn data(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance").join(name);
    assert!(path.exists(), "{} is missing: the conformance data lies beside the repository", path.display());
    path
}

fn rows(name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(data(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_default()
}

/// Plays every row on two threads and reports all that fail, by kind.
fn play(rows: &[Value], run: impl Fn(&Value) -> Result<(), String> + Sync) {
    assert!(!rows.is_empty(), "no row to play");
    let next = AtomicUsize::new(0);
    let failures = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(row) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(why) = run(row) {
                        let mut failures = failures.lock().unwrap();
                        failures.push(format!(
                            "{} ({}): {}\n    {why}",
                            text(row, "id"),
                            text(row, "kind"),
                            text(row, "line")
                        ));
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    let count = failures.len();
    assert!(failures.is_empty(), "{count} of {} rows fail:\n{}", rows.len(), failures.join("\n"));
}

fn output(mut command: Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap()
}

fn pipit(home: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(PIPIT);
    command.args(["run", "--home"]).arg(home).args(args);
    output(command)
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim_end().replace('\n', " / ")
}

#[test]
fn parse() {
    play(&rows("parse.jsonl"), |row| {
        let output = output({
            let mut command = Command::new(PIPIT);
            command.args(["parse", "--", text(row, "line")]);
            command
        });
        if row["error"] == true {
            return if output.status.code() == Some(2) && !output.stderr.is_empty() && output.stdout.is_empty() {
                Ok(())
            } else {
                Err(format!("not refused: {}", String::from_utf8_lossy(&output.stdout)))
            };
        }
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let wanted = format!("{}\n", text(row, "canonical"));
        if said == wanted { Ok(()) } else { Err(format!("wanted {wanted:?}, got {said:?} {}", stderr(&output))) }
    });
}

/// Equal as the data compares: numbers by value, integers exact, records without regard to order.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || (a.as_f64() == b.as_f64() && !(a.is_i64() && b.is_i64())),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

fn unordered(mut got: Vec<Value>, wanted: &[Value]) -> bool {
    got.len() == wanted.len()
        && wanted.iter().all(|wanted| match got.iter().position(|got| same(got, wanted)) {
            Some(at) => {
                got.swap_remove(at);
                true
            }
            None => false,
        })
}

#[test]
fn eval() {
    play(&rows("eval.jsonl"), |row| {
        let home = tempfile::tempdir().unwrap();
        for line in row["setup"].as_array().unwrap() {
            let output = pipit(home.path(), &["--json", "--", line.as_str().unwrap()]);
            if !output.status.success() {
                return Err(format!("the setup {line} fails: {}", stderr(&output)));
            }
        }
        let output = pipit(home.path(), &["--json", "--", text(row, "line")]);
        let code = output.status.code();
        if let Some(wanted) = row["exit"].as_i64() {
            return if code.map(i64::from) == Some(wanted) && !output.stderr.is_empty() {
                Ok(())
            } else {
                let shown = String::from_utf8_lossy(&output.stdout).into_owned();
                Err(format!("wanted exit {wanted}, got {code:?}: {} {shown}", stderr(&output)))
            };
        }
        if code != Some(0) {
            return Err(format!("exit {code:?}: {}", stderr(&output)));
        }
        let said = String::from_utf8(output.stdout).unwrap();
        let got: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let wanted = row["values"].as_array().unwrap();
        let agree = if row["unordered"] == true {
            unordered(got, wanted)
        } else {
            got.len() == wanted.len() && got.iter().zip(wanted).all(|(got, wanted)| same(got, wanted))
        };
        if agree { Ok(()) } else { Err(format!("wanted {}, got {}", row["values"], said.replace('\n', " "))) }
    });
}

#[test]
fn rules() {
    let all = rows("rules.jsonl");
    let (written, decided): (Vec<Value>, Vec<Value>) = all.into_iter().partition(|row| row.get("rule").is_some());
    play(&written, |row| {
        let mut command = Command::new(PIPIT);
        command.args(["rule", "check", "--", text(row, "rule")]);
        let output = output(command);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        match row["canonical"].as_str() {
            Some(wanted) if said == format!("{wanted}\n") => Ok(()),
            Some(wanted) => Err(format!("wanted {wanted:?}, got {said:?} {}", stderr(&output))),
            None if output.status.code() == Some(2) && !output.stderr.is_empty() => Ok(()),
            None => Err(format!("not refused: {said}")),
        }
    });
    let mut child =
        Command::new(PIPIT).args(["rule", "eval"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let cases: Vec<String> = decided
        .iter()
        .map(|row| {
            let case = serde_json::json!({
                "id": row["id"], "rules": row["rules"], "call": row["call"], "permissions": row["permissions"],
            });
            format!("{case}\n")
        })
        .collect();
    let writer = std::thread::spawn(move || stdin.write_all(cases.concat().as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), decided.len());
    let wrong: Vec<String> = decided
        .iter()
        .zip(&answers)
        .filter(|(row, answer)| row["id"] != answer["id"] || row["decision"] != answer["decision"])
        .map(|(row, answer)| format!("{}: wanted {}, got {}", row["id"], row["decision"], answer["decision"]))
        .collect();
    assert!(wrong.is_empty(), "{} decisions differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// A copy of a folder with plain files and folders in it.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
    std::fs::set_permissions(to, std::fs::metadata(from).unwrap().permissions()).unwrap();
}

/// The fixture world, made once from its lines.
fn world() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let lines = std::fs::read_to_string(data("world/world.txt")).unwrap();
    for line in lines.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut command = Command::new(PIPIT);
        command.current_dir(data("world")).args(["run", "--home"]).arg(home.path()).args(["--", line]);
        let output = output(command);
        assert!(output.status.success(), "{line}: {}", stderr(&output));
    }
    home
}

#[test]
fn bypass() {
    let world = world();
    let rows: Vec<Value> = rows("bypass.jsonl").into_iter().filter(|row| row["needs"] == "cli").collect();
    play(&rows, |row| {
        let home = tempfile::tempdir().unwrap();
        copy(world.path(), home.path());
        let ask = |line: &str, actor: Option<&str>, json: bool| {
            let mut command = Command::new(PIPIT);
            command.current_dir(data("world")).args(["run", "--home"]).arg(home.path());
            if let Some(actor) = actor {
                command.args(["--as", actor]);
            }
            if text(row, "room") != "dm" && actor.is_some() {
                command.args(["--room", text(row, "room")]);
            }
            if json {
                command.arg("--json");
            }
            command.args(["--", line]);
            output(command)
        };
        for line in row["setup"].as_array().unwrap() {
            let line = line.as_str().unwrap();
            let output = ask(line, None, false);
            if !output.status.success() {
                return Err(format!("the setup {line} fails: {}", stderr(&output)));
            }
        }
        let actor = Some(text(row, "actor")).filter(|actor| *actor != "root");
        let output = ask(text(row, "line"), actor, row["plain"] != true);
        let code = output.status.code().unwrap_or(-1);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let good = match text(row, "must") {
            "deny" => code == 3,
            "error" => code == 2 || code == 1,
            "literal" | "ok" => code == 0,
            "parked" => code == 4,
            other => return Err(format!("what is {other}?")),
        };
        if !good {
            return Err(format!("must {}, got exit {code}: {} {said}", text(row, "must"), stderr(&output)));
        }
        if code != 0 && row["partial"] != true && !said.is_empty() {
            return Err(format!("something is shown: {said}"));
        }
        let texts: Vec<String> = said
            .lines()
            .map(|line| match serde_json::from_str(line) {
                Ok(Value::String(text)) => text,
                _ => line.to_owned(),
            })
            .collect();
        let texts = texts.join("\n");
        for (key, wanted) in [("stdout_contains", true), ("stdout_lacks", false)] {
            let all = match &row[key] {
                Value::Array(all) => all.clone(),
                Value::Null => Vec::new(),
                one => vec![one.clone()],
            };
            if let Some(wrong) = all.iter().find(|part| texts.contains(part.as_str().unwrap()) != wanted) {
                return Err(format!("{key} {wrong}: {texts}"));
            }
        }
        Ok(())
    });
}

#[test]
fn manifests() {
    let rows: Vec<Value> = rows("bundle_config.jsonl");
    play(&rows, |row| {
        let file = tempfile::NamedTempFile::new().unwrap();
        let manifest = match (&row["config"], &row["text"]) {
            (Value::Null, Value::String(text)) => text.clone(),
            (config, _) => config.to_string(),
        };
        std::fs::write(file.path(), manifest).unwrap();
        let mut command = Command::new(PIPIT);
        command.args(["bundle", "check"]).arg(file.path());
        let output = output(command);
        let code = output.status.code();
        if row["ok"] == true {
            return if code == Some(0) { Ok(()) } else { Err(format!("exit {code:?}: {}", stderr(&output))) };
        }
        if code != Some(2) {
            return Err(format!("not refused: exit {code:?} {}", stderr(&output)));
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let paths = row["paths"].as_array().cloned().unwrap_or_default();
        match paths.iter().find(|path| !said.contains(path.as_str().unwrap())) {
            Some(path) => Err(format!("{path} is not named: {}", stderr(&output))),
            None => Ok(()),
        }
    });
}
