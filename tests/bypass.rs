//! Attempts of the bypass corpus that a situation goes with, each played as its row tells it: rights that are taken
//! while a line runs, rules that an old version left behind, aliases that change, rights handed on. The rows that a line
//! alone plays are in the conformance test; how many are played, and of which kind, is printed.
//!
//! Deliberately absent: what needs a chat service or the network, which is tested where that lives.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use totp_rs::Builder;

#[path = "play/pipit.rs"]
#[allow(dead_code, reason = "another test uses the rest")]
mod pipit;

#[path = "play/tar.rs"]
mod tar;

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

/// A row's line, and who says it where.
struct Row<'a> {
    actor: Option<&'a str>,
    room: Option<&'a str>,
    line: &'a str,
}

impl<'a> Row<'a> {
    fn of(row: &'a Value) -> Self {
        let text = |key: &str| row[key].as_str().unwrap();
        let actor = Some(text("actor")).filter(|actor| *actor != "root");
        let room = Some(text("room")).filter(|room| *room != "dm" && actor.is_some());
        Self { actor, room, line: text("line").trim_start_matches('!') }
    }

    /// The row's own line, said as the row says it.
    fn says(&self, home: &Home) -> Answer {
        home.says(self.actor, self.room, self.line)
    }

    /// The same from another folder.
    fn says_from(&self, home: &Home, folder: &Path) -> Answer {
        Answer::new(&home.command(&["--", self.line]).current_dir(folder).stdin(Stdio::null()).output().unwrap())
    }
}

/// A way to play a row: what comes of its line, in a home of the fixture world.
type Play = fn(&Home, &Row<'_>) -> Answer;

/// Rows, what is said of them, and how they are played. Where a row's words are not those of the shell (`acl:grant`,
/// `audit:purge`) its line is said with the shell's; every other line is the row's own.
const SCRIPTS: &[(&str, &str, Play)] = &[
    // an alias that everybody has is production all of a sudden; whoever says it has their own rights
    ("ALI-010", "bob may not run deploy:run", |home, row| {
        home.operator("role create aliaser && role grant aliaser alias:site && role give aliaser deployers");
        well(home, "alice", "alias ship = 'deploy:run $1 --env=staging'");
        well(home, "alice", "alias move ship site");
        well(home, "bob", "ship api");
        well(home, "alice", "alias delete ship --scope=site");
        well(home, "alice", "alias ship = 'deploy:run $1 --env=prod'");
        well(home, "alice", "alias move ship site");
        row.says(home)
    }),
    // the line is denied before anything of it runs; and a right that is taken while it waits is not used
    ("ACL-008", "may not run deploy:run", |home, row| {
        bundle(home, "slow", "wait SECONDS", "sleep \"$2\"; echo '\"waited\"'");
        let line = row.line.replace("wait 2", "wait 6").replace("--env=prod", "--env=staging");
        let child = home
            .command(&["--as", "alice", "--room", "#dev", "--", &line])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let limit = Instant::now() + Duration::from_mins(1);
        while !home.operator("audit list --user=alice --count=5").iter().any(|row| row["line"] == line.as_str()) {
            assert!(Instant::now() < limit, "the line never began");
        }
        home.operator("group remove stagers alice");
        let late = Answer::new(&child.wait_with_output().unwrap());
        assert!(late.code == Some(3) && late.out.is_empty(), "{late:?}");
        row.says(home)
    }),
    // what an old version kept as a rule cannot be read: it is not passed over
    ("OPT-024", "cannot be read", |home, row| {
        // no other bundle may have the name, so the command comes with a later version of this one
        let from = data("world/bundles/tie");
        let later = tempfile::tempdir().unwrap();
        let manifest = std::fs::read_to_string(from.join("bundle.yaml")).unwrap();
        let manifest = manifest.replace("version: 1.0.0", "version: 1.0.1").replace(
            "commands:\n",
            "commands:\n  badre: {about: A pattern of old, usage: \"badre NAME\", run: [./tie.sh, badre], output: lines, \
             effect: pure, rules: [allow]}\n",
        );
        std::fs::write(later.path().join("bundle.yaml"), manifest).unwrap();
        std::fs::copy(from.join("tie.sh"), later.path().join("tie.sh")).unwrap();
        home.operator(&format!("bundle install {} && bundle upgrade tie --accept", later.path().display()));
        assert_eq!(row.says(home).code, Some(0), "without the rule it is allowed");
        let store = rusqlite::Connection::open(home.path().join("pipit.db")).unwrap();
        let body = r#"{"text":"when command is tie:badre with arg[0] == /(/ must have tie:x"}"#;
        store
            .execute("INSERT INTO document (kind, key, revision, body) VALUES ('rule', 'r99', 1000000, ?1)", [body])
            .unwrap();
        store.execute("UPDATE documents_revision SET n = 1000000", []).unwrap();
        drop(store);
        row.says(home)
    }),
    // a command that one may not run is answered like one that is not there
    ("ACL-016", "nothing that you may run", |home, row| {
        let hidden = row.says(home);
        let unknown = home.says(row.actor, row.room, &row.line.replace("get", "gat"));
        assert_eq!((hidden.code, &hidden.out), (unknown.code, &unknown.out));
        assert_eq!(hidden.err.replace("get", "gat"), unknown.err);
        hidden
    }),
    // who may make rules opens nothing that is closed to them
    ("ACL-017", "bob may not run it", |home, row| {
        home.operator("role create editor && role grant editor rule:manage && role give editor stagers");
        home.says(row.actor, row.room, &row.line.replace("acl:rule create", "rule create"))
    }),
    ("ACL-018", "bob may not give deploy:prod", |home, row| {
        home.operator("role create granter && role grant granter role:manage && role give granter stagers");
        home.says(row.actor, row.room, "role grant granter deploy:prod")
    }),
    ("ACL-019", "nobody would be an administrator", |home, _| {
        home.operator("role create admin && role grant admin user:manage && role give admin deployers");
        home.says(None, None, "role revoke admin user:manage")
    }),
    // only places of services that the shell is on
    ("RED-005", "it is on no such service", |home, row| row.says(home)),
    // a room's name is never a part of a path
    ("SQL-005", "may not run deploy:run", |home, row| {
        let line = home.says(row.actor, Some("#x/../../other/config"), row.line);
        assert!(!home.path().join("../other").exists());
        line
    }),
    // what a secret had a part in flows nowhere that a rule closes
    ("SEC-005", "a rule of the site forbids it", |home, row| {
        home.operator("rule create \"forbid command is http:* with any stdin.label == 'bundle:secretstub'\"");
        row.says(home)
    }),
    // a word behind history is looked for in one's own lines; those of others take a right
    ("SEC-007", "it takes audit:read", |home, row| {
        well(home, "alice", "echo alice was here");
        let own = row.says(home);
        assert!(own.code == Some(0) && own.out.is_empty(), "{own:?}");
        home.says(row.actor, row.room, "audit list --user=alice")
    }),
    // the right alone breaks no glass
    ("ADM-002", "a second factor", |home, row| {
        home.operator("role create breaker && role grant breaker shell:break-glass && role give breaker deployers");
        row.says(home)
    }),
    // a code counts once, and no older one after it
    ("OTP-002", "used already", |home, _| {
        let seed = enrolled(home, "alice");
        let code = shown(&seed, 0);
        well(home, "alice", &format!("totp confirm {code}"));
        home.says(Some("alice"), None, &format!("step-up {code}"))
    }),
    ("OTP-003", "used already", |home, _| {
        let seed = enrolled(home, "alice");
        let codes = [-1, 0, 1].map(|steps| shown(&seed, steps));
        well(home, "alice", &format!("totp confirm {}", codes[1]));
        well(home, "alice", &format!("step-up {}", codes[2]));
        home.says(Some("alice"), None, &format!("step-up {}", codes[1]))
    }),
    // after five guesses none is looked at, the right one neither
    ("OTP-004", "too many wrong codes", |home, _| {
        let seed = enrolled(home, "mallory");
        well(home, "mallory", &format!("totp confirm {}", shown(&seed, 0)));
        for guess in 0..5 {
            home.says(Some("mallory"), None, &format!("step-up 00000{guess}"));
        }
        home.says(Some("mallory"), None, &format!("step-up {}", shown(&seed, 1)))
    }),
    // a code is of whoever has its secret
    ("OTP-005", "that is not the code", |home, _| {
        let [alice, mallory] = ["alice", "mallory"].map(|who| enrolled(home, who));
        well(home, "mallory", &format!("totp confirm {}", shown(&mallory, 0)));
        home.says(Some("mallory"), None, &format!("step-up {}", shown(&alice, 1)))
    }),
    // the rights of an emergency are none over rights and the log
    ("ADM-003", "may not", |home, _| {
        broken(home);
        home.says(Some("alice"), Some("#dev"), "role grant stager access:escalate")
    }),
    ("ADM-004", "may not", |home, _| {
        broken(home);
        home.says(Some("alice"), Some("#dev"), "audit erase alice nothing to see")
    }),
    // there is no password that a configuration could have, and no start with one
    ("ADM-007", "admin", |home, _| {
        std::fs::write(home.path().join("pipit.toml"), "[admin]\nname = 'root'\npassword = 'admin'\n").unwrap();
        let mut serve = Command::new(env!("CARGO_BIN_EXE_pipit"));
        serve.args(["serve", "--home"]).arg(home.path()).stdin(Stdio::null());
        Answer::new(&serve.output().unwrap())
    }),
    // no password is there by default, nor can one be set
    ("ADM-007", "there is no key password here", |home, _| {
        std::fs::write(home.path().join("pipit.toml"), "password = \"admin\"\n").unwrap();
        pipit(home, &["serve"])
    }),
    // whoever can write the database cuts the log, or brings an old one back
    ("AUD-003", "there were", |home, _| {
        let store = rusqlite::Connection::open(home.path().join("pipit.db")).unwrap();
        for trigger in ["audit_keeps_every_row", "audit_only_grows", "audit_stays_as_written"] {
            store.execute(&format!("DROP TRIGGER {trigger}"), []).unwrap();
        }
        let cut = store.execute("DELETE FROM audit WHERE seq > (SELECT max(seq) - 100 FROM audit)", []).unwrap();
        assert_eq!(cut, 100);
        drop(store);
        pipit(home, &["audit", "verify"])
    }),
    ("AUD-004", "cut or rolled back", |home, _| {
        let backup = copy(home);
        home.operator("echo later");
        std::fs::copy(backup.path().join("pipit.db"), home.path().join("pipit.db")).unwrap();
        for beside in ["pipit.db-wal", "pipit.db-shm"] {
            let _ = std::fs::remove_file(home.path().join(beside));
        }
        let chat = "[[chat]]\nservice = \"irc\"\nname = \"net\"\nserver = \"127.0.0.1:1\"\nnick = \"pipit\"\n";
        std::fs::write(home.path().join("pipit.toml"), chat).unwrap();
        pipit(home, &["serve"])
    }),
    // the values of a program are no argument of a guarded option
    ("LLM-003", "a rule of the site forbids it", |home, row| {
        bundle(home, "ticket", "get ID", "echo '{\"body\":\"staging\"}'");
        home.operator("rule create \"forbid command is deploy:run with option[env] is tainted\"");
        row.says(home)
    }),
    // archives and manifests that reach out of their folder, or for what is not theirs
    ("BND-007", "no path inside a bundle", |home, row| {
        unpack(home, row, &[tar::file("bundle.yaml", MANIFEST), tar::file("../../etc/cron.d/x", "x")])
    }),
    ("BND-008", "a is a link", |home, row| {
        unpack(home, row, &[tar::file("bundle.yaml", MANIFEST), tar::link("a", "/etc"), tar::file("a/passwd", "x")])
    }),
    ("BND-010", "an extended head says size", |home, row| {
        let entries =
            [tar::file("bundle.yaml", MANIFEST), tar::extended("10 size=3\n"), tar::file("b", "longer than three")];
        unpack(home, row, &entries)
    }),
    ("BND-011", "is there twice", |home, row| {
        unpack(home, row, &[tar::file("bundle.yaml", MANIFEST), tar::file("run.sh", "x"), tar::file("RUN.sh", "y")])
    }),
    ("BND-012", "anchor", |home, row| {
        let bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n";
        folder(home, row, &format!("{MANIFEST}{bomb}"))
    }),
    ("BND-013", "the name operable is reserved", |home, row| {
        folder(home, row, &MANIFEST.replace("bundle: 1\nname: evil", "bundle: 1\nname: operable"))
    }),
    ("BND-016", "the rule is about secretstub:get", |home, row| {
        folder(home, row, &MANIFEST.replace("rules: [allow]", "rules: [\"when command is secretstub:get allow\"]"))
    }),
];

const MANIFEST: &str = "bundle: 1\nname: evil\nversion: 1.0.0\ndescription: evil\ncommands:\n  \
                        run: {about: Runs, run: [./run.sh], effect: pure, rules: [allow]}\n";

/// Another command of the binary's than `run`, in this home.
fn pipit(home: &Home, args: &[&str]) -> Answer {
    // one that starts all the same ends by itself
    let mut command = Command::new("timeout");
    command.args(["60", env!("CARGO_BIN_EXE_pipit")]);
    Answer::new(&command.args(args).arg("--home").arg(home.path()).stdin(Stdio::null()).output().unwrap())
}

/// Installs an archive of the name that the row says.
fn unpack(home: &Home, row: &Row<'_>, entries: &[Vec<u8>]) -> Answer {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(row.line.split(' ').next_back().unwrap()), tar::archive(entries)).unwrap();
    row.says_from(home, folder.path())
}

/// Installs a folder of the name that the row says, with a manifest.
fn folder(home: &Home, row: &Row<'_>, manifest: &str) -> Answer {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join(row.line.split(' ').next_back().unwrap());
    std::fs::create_dir(&bundle).unwrap();
    std::fs::write(bundle.join("bundle.yaml"), manifest).unwrap();
    std::fs::write(bundle.join("run.sh"), "#!/bin/sh\n").unwrap();
    row.says_from(home, folder.path())
}

/// A bundle of one command that everybody may run, whose program is this line of the shell.
fn bundle(home: &Home, name: &str, usage: &str, program: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let (command, param) = usage.split_once(' ').unwrap();
    let manifest = format!(
        "bundle: 1\nname: {name}\nversion: 1.0.0\ndescription: {name}\ncommands:\n  {command}: {{about: A program, usage: \
         \"{usage}\", run: [./run.sh, {command}, \"{{{param}}}\"], output: json-lines, effect: pure, rules: [allow]}}\n"
    );
    std::fs::write(folder.path().join("bundle.yaml"), manifest).unwrap();
    let file = folder.path().join("run.sh");
    std::fs::write(&file, format!("#!/bin/sh\n{program}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    home.operator(&format!("bundle install {} && bundle enable {name}", folder.path().display()));
}

/// Gives somebody a second factor; its secret.
fn enrolled(home: &Home, who: &str) -> Vec<u8> {
    let answer = home.says(Some(who), None, "totp enrol");
    let seed = answer.out.split("secret=").nth(1).and_then(|rest| rest.split('&').next()).expect("a secret is shown");
    data_encoding::BASE32_NOPAD.decode(seed.as_bytes()).unwrap()
}

/// The code that an authenticator shows so many steps from now.
fn shown(secret: &[u8], steps: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let at = now.checked_add_signed(steps * 30).unwrap();
    Builder::new().with_secret(secret).build().unwrap().generate(at).to_string()
}

/// alice may break the glass, and the role for it holds more than it can lend.
fn breaker(home: &Home) {
    home.operator(
        "role create break-glass && role grant break-glass access:escalate && role grant break-glass audit:erase",
    );
    home.operator("role grant break-glass role:manage && role grant break-glass deploy:any");
    home.operator("role create breaker && role grant breaker shell:break-glass && role give breaker deployers");
}

/// alice has the rights of an emergency.
fn broken(home: &Home) {
    breaker(home);
    let seed = enrolled(home, "alice");
    well(home, "alice", &format!("totp confirm {}", shown(&seed, 0)));
    well(home, "alice", &format!("step-up {}", shown(&seed, 1)));
    well(home, "alice", "break-glass 'INC-77 the database is down'");
}

/// Where rows are played that need a service, or a moment that nobody can wait for.
const ELSEWHERE: [&str; 4] =
    ["tests/irc/bypass.rs", "tests/approval.rs", "src/engine/approval/tests.rs", "src/chat/irc/tests/scripted.rs"];

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
    for (id, says, play) in SCRIPTS {
        let row = rows.iter().find(|row| row["id"] == *id).unwrap_or_else(|| panic!("there is no row {id}"));
        let answer = play(&copy(&world), &Row::of(row));
        let good = match row["must"].as_str().unwrap() {
            "deny" => answer.code == Some(3),
            // a start that is refused is no line that fails
            "error" if row["line"] == "(server start)" => matches!(answer.code, Some(2 | 5)),
            "error" => matches!(answer.code, Some(1 | 2)),
            other => panic!("{id}: what is {other}?"),
        };
        if !good || !answer.out.is_empty() || !answer.err.contains(says) {
            wrong.push(format!("{id} must {}: {answer:?}", row["must"]));
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let elsewhere = ELSEWHERE.map(|file| std::fs::read_to_string(root.join(file)).unwrap()).concat();
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for row in &rows {
        let needs = row["needs"].as_str().unwrap();
        let played = needs == "cli"
            || SCRIPTS.iter().any(|(id, ..)| row["id"] == *id)
            || elsewhere.contains(row["id"].as_str().unwrap());
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
