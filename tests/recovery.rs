//! Killed at any moment, with a disk that is full or fails, or a database that is damaged: what was acknowledged is there, what
//! changes the world happened once at most, what nobody can know says so, and nothing is altered unseen.
//!
//! The judge sees only what its users see: answers, exit codes, the effects of programs, and the log by its own commands.
//! `PIPIT_KILL_ROUNDS=1000 cargo test --test recovery killed` runs the long form of the first test.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[path = "support/home.rs"]
mod home;

use home::{Home, Said, field, pipit, tool};

const MANIFEST: &str = "bundle: 1
name: world
version: 1.0.0
description: changes the world, and keeps a ledger of it
needs: {sandbox: basic}
config:
  - {name: LEDGER, required: true, about: the file}
commands:
  act: {about: x, usage: 'act N', run: [./act.sh, '{N}'], rules: [allow], effect: unsafe, output: lines}
";

/// Its effect is one line of a file, on the disk before it says so.
const PROGRAM: &str = "#!/bin/sh
printf '%s %s\\n' \"$1\" \"$PIPIT_INVOCATION\" >> \"$LEDGER\"
sync \"$LEDGER\"
printf 'did %s\\n' \"$1\"
";

fn with_world() -> Home {
    let home = Home::new();
    let folder = home.beside("world");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("bundle.yaml"), MANIFEST).unwrap();
    fs::write(folder.join("act.sh"), PROGRAM).unwrap();
    fs::set_permissions(folder.join("act.sh"), Permissions::from_mode(0o755)).unwrap();
    let ledger = home.file("ledger", "");
    home.setup(&[
        &format!("bundle install {}", folder.display()),
        "bundle enable world",
        &format!("bundle set world LEDGER {}", ledger.display()),
    ]);
    home
}

/// Numbers without a pattern, the same in every run.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// A shell that is given lines and killed after a while; what it answered.
fn killed_after(home: &Home, first: u64, life: Duration) -> Vec<u64> {
    let mut shell =
        home.command(&["shell"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let (mut lines, answers) = (shell.stdin.take().unwrap(), shell.stdout.take().unwrap());
    let reader = std::thread::spawn(move || {
        // what a pipe holds when its writer is killed is still read
        let said = BufReader::new(answers).lines().map_while(Result::ok);
        said.filter_map(|line| line.strip_prefix("did ")?.parse().ok()).collect::<Vec<u64>>()
    });
    let writer = std::thread::spawn(move || {
        for number in first.. {
            if writeln!(lines, "world:act {number}").is_err() {
                break;
            }
        }
    });
    std::thread::sleep(life);
    shell.kill().unwrap();
    shell.wait().unwrap();
    writer.join().unwrap();
    reader.join().unwrap()
}

#[test]
fn a_shell_that_is_killed_loses_nothing_and_does_nothing_twice() {
    let rounds: u64 = std::env::var("PIPIT_KILL_ROUNDS").map_or(30, |rounds| rounds.parse().unwrap());
    let home = with_world();
    let mut chance = 42;
    let mut acknowledged = Vec::new();
    for round in 0..rounds {
        let life = Duration::from_millis(30 + next(&mut chance) % 600);
        // numbers of a round are a span of their own, so that every line is another
        acknowledged.extend(killed_after(&home, (round + 1) * 1_000_000, life));
    }
    let began = Instant::now();
    // asking for them gives an end to those whose process is gone
    home.values("audit list --ended=unknown --count=1");
    let rows: Vec<serde_json::Value> = home.values("audit export");
    assert!(began.elapsed() < Duration::from_secs(30), "every line has an end within 30 s");
    let mut ended: BTreeMap<u64, Vec<(String, String)>> = BTreeMap::new();
    let closed = rows.iter().filter(|row| field(row, "kind") == "closed");
    let mut ends: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    closed.for_each(|row| ends.entry(field(row, "line")).or_default().push(field(row, "outcome")));
    for row in rows.iter().filter(|row| field(row, "kind") == "asked") {
        let Some(number) = field(&row["body"], "text").strip_prefix("world:act ") else { continue };
        let id = field(row, "line");
        let [how] = ends.get(id).map(Vec::as_slice).unwrap_or_default() else {
            panic!("{id} has not one end: {ends:?}")
        };
        ended.entry(number.parse().unwrap()).or_default().push(((*how).to_owned(), id.to_owned()));
    }
    for number in &acknowledged {
        let found = ended.get(number).unwrap_or_else(|| panic!("{number} was answered and is not in the log"));
        assert!(found.len() == 1 && ["ok", "unknown"].contains(&found[0].0.as_str()), "{number}: {found:?}");
    }
    assert!(ended.values().flatten().all(|(how, _)| how == "ok" || how == "unknown"), "{ended:?}");
    let ledger = fs::read_to_string(home.beside("ledger")).unwrap();
    let mut effects: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
    for line in ledger.lines() {
        let (number, invocation) = line.split_once(' ').unwrap();
        effects.entry(number.parse().unwrap()).or_default().push(invocation);
    }
    for (number, invocations) in &effects {
        assert_eq!(invocations.len(), 1, "{number} took effect twice: {invocations:?}");
        let (line, _) = invocations[0].split_once('.').unwrap();
        let found = ended.get(number).unwrap_or_else(|| panic!("{number} took effect and is not in the log"));
        assert_eq!(found[0].1, line, "the log names the call that took effect");
    }
    for number in &acknowledged {
        assert!(effects.contains_key(number), "{number} was answered and did not take effect");
    }
    for (number, found) in &ended {
        assert!(found[0].0 != "ok" || effects.contains_key(number), "{number} is said to be well and did not happen");
    }
    let unknown = ended.values().flatten().filter(|(how, _)| how == "unknown").count();
    println!("{rounds} rounds: {} answered, {} took effect, {unknown} unknown", acknowledged.len(), effects.len());
    assert!(acknowledged.len() as u64 > rounds / 2, "{}", acknowledged.len());
    Said::of(&mut home.command(&["audit", "verify"])).well();
}

#[test]
fn a_full_disk_refuses_new_lines_and_is_well_again_when_there_is_room() {
    let home = Home::new();
    let disk = home.beside("disk");
    fs::create_dir(&disk).unwrap();
    let binary = pipit().get_program().to_owned();
    let script = format!(
        "set -u; mount -t tmpfs -o size=12m tmpfs '{disk}' || exit 90; P='{binary} --home {disk}/home'; \
         $P run 'echo one' || exit 91; dd if=/dev/zero of='{disk}/ballast' bs=4k 2>/dev/null; \
         n=0; while [ $n -lt 60 ]; do $P run 'echo two' >'/dev/null' 2>/dev/shm/pipit-full.$$; c=$?; n=$((n+1)); \
         [ $c -ne 0 ] && break; done; cat /dev/shm/pipit-full.$$; rm -f /dev/shm/pipit-full.$$; \
         [ $c -eq 5 ] || exit 92; rm '{disk}/ballast'; $P run 'echo three' || exit 93; $P audit verify || exit 94; \
         $P run \"audit list --ended=running | count\"",
        disk = disk.display(),
        binary = binary.display(),
    );
    let mut command = Command::new(tool("unshare"));
    let said = Said::of(command.args(["-Urm", "sh", "-c", &script]).stdin(Stdio::null()));
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("free some space"), "{said:?}");
    assert!(said.out.contains("three") && said.out.ends_with("1\n"), "{said:?}");
}

#[test]
fn a_disk_that_fails_to_flush_acknowledges_nothing() {
    let home = Home::new();
    home.run("echo first").well();
    let mut refused = 0;
    for when in 1..=12 {
        let mut command = Command::new(tool("strace"));
        command.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync,fsync"]);
        command.args(["-e", &format!("inject=fdatasync,fsync:error=EIO:when={when}")]);
        command.arg(pipit().get_program()).arg("--home").arg(home.path()).args([
            "run",
            "--",
            &format!("echo number {when}"),
        ]);
        let said = Said::of(command.stdin(Stdio::null()));
        let row = home.log().into_iter().find(|row| field(row, "line") == format!("echo number {when}"));
        match said.code {
            Some(0) => assert_eq!(field(&row.expect("an answered line is in the log"), "ended"), "ok"),
            Some(5) => {
                refused += 1;
                // it may have been answered and its end be unknown; it is never said to be well without being so
                assert!(said.err.contains("pipit: ") || said.err.contains("error: "), "{said:?}");
            }
            code => panic!("{code:?} at flush {when}: {said:?}"),
        }
        Said::of(&mut home.command(&["audit", "verify"])).well();
    }
    assert!(refused >= 1, "no flush was the one that matters");
    home.run("echo last").well();
}

#[test]
fn a_damaged_database_is_not_served() {
    let home = Home::new();
    home.configure("[[chat]]\nservice = 'irc'\nname = 'net'\nserver = '127.0.0.1:1'\ntls = false\n");
    for number in 0..40 {
        home.setup(&[&format!("user create somebody-{number}")]);
    }
    let database = home.path().join("pipit.db");
    // what the write-ahead log holds goes into the main file
    Said::of(Command::new(tool("sqlite3")).arg(&database).arg("PRAGMA wal_checkpoint(TRUNCATE);")).well();
    let whole = fs::read(&database).unwrap();
    let mut refused = 0;
    for page in 1..whole.len() / 4096 {
        let mut bytes = whole.clone();
        // the head of a page says what the rest of it is
        bytes[page * 4096..page * 4096 + 8].copy_from_slice(b"garbage!");
        fs::write(&database, &bytes).unwrap();
        for side in ["pipit.db-wal", "pipit.db-shm"] {
            let _none = fs::remove_file(home.path().join(side));
        }
        let command = home.command(&["serve"]);
        let said = Said::of(
            Command::new("timeout").arg("3").arg(command.get_program()).args(command.get_args()).stdin(Stdio::null()),
        );
        if said.code == Some(5) {
            refused += 1;
            assert!(said.err.contains("restore a backup") || said.err.contains("cannot be read"), "{page}: {said:?}");
        } else {
            // a page that nothing uses may hold anything
            assert_eq!(said.code, Some(124), "page {page}: {said:?}");
            assert_eq!(home.values("user list | count"), [40], "page {page}");
        }
    }
    assert!(refused > 5, "{refused}");
    fs::write(&database, &whole).unwrap();
    home.run("user list | count").well();
}
