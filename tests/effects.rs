//! What programs do to the world, by a file that they write to: an unsafe call at most once whatever happens to it, and never
//! said to be well or failed when nobody knows. What may be repeated is repeated under one id. Nothing of a program outlives
//! the shell.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

#[path = "support/home.rs"]
mod home;

use home::{Home, Said, field, processes_with, until};

const MANIFEST: &str = "bundle: 1
name: effects
version: 1.0.0
description: keeps a ledger of what it was asked to do
needs: {programs: [python3], sandbox: basic}
config:
  - {name: LEDGER, required: true, about: the file}
commands:
  act: {about: x, usage: 'act HOW', run: [./act.sh, '{HOW}'], rules: [allow], effect: unsafe, timeout: 1s, output: lines}
  lay: {about: x, usage: 'lay HOW', run: [./act.sh, '{HOW}'], rules: [allow], effect: idempotent, timeout: 1s, output: lines}
  keep: {about: x, usage: 'keep HOW', run: [./keep.py], rules: [allow], effect: unsafe, warm: 1}
  again: {about: x, usage: 'again HOW', run: [./keep.py], rules: [allow], effect: idempotent, warm: 1}
";

const ACT: &str = r#"#!/bin/sh
printf '%s\n' "$PIPIT_INVOCATION" >> "$LEDGER"
sync "$LEDGER"
case $1 in
    hang) sleep 60 ;;
    crash) kill -SEGV $$ ;;
    fail) echo 'the server said no' >&2; exit 3 ;;
    slow) echo begun; sleep 60 ;;
esac
echo "did $1"
"#;

const KEEP: &str = r#"#!/usr/bin/env python3
import os
import pipit

@pipit.serve
def keep(call):
    with open(os.environ["LEDGER"], "a+") as ledger:
        ledger.write(call.invocation + "\n")
        ledger.flush()
        ledger.seek(0)
        before = len(ledger.readlines())
    how = call.args["HOW"]
    if how == "die" or (how == "die-second" and before == 2):
        os._exit(1)
    if how == "hang":
        call.emit("begun")
        import time
        time.sleep(60)
    yield call.invocation
"#;

struct World {
    home: Home,
}

impl World {
    fn new() -> Self {
        let home = Home::new();
        let folder = home.beside("effects");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("bundle.yaml"), MANIFEST).unwrap();
        for (name, text) in [("act.sh", ACT), ("keep.py", KEEP)] {
            fs::write(folder.join(name), text).unwrap();
            fs::set_permissions(folder.join(name), Permissions::from_mode(0o755)).unwrap();
        }
        fs::copy(home::sources().join("bundles/helpers/pipit.py"), folder.join("pipit.py")).unwrap();
        let ledger = home.file("ledger", "");
        home.setup(&[
            &format!("bundle install {}", folder.display()),
            "bundle enable effects",
            &format!("bundle set effects LEDGER {}", ledger.display()),
        ]);
        Self { home }
    }

    /// What a shell says that is given these lines.
    fn typed(&self, lines: &str) -> String {
        let file = self.home.file("lines", lines);
        Said::of(self.home.command(&["shell"]).stdin(fs::File::open(file).unwrap())).out
    }

    /// The ids of the calls that took effect.
    fn effects(&self) -> Vec<String> {
        let ledger = fs::read_to_string(self.home.beside("ledger")).unwrap();
        ledger.lines().map(str::to_owned).collect()
    }

    /// How the line of a call is said to have ended, in the list of lines and in the caller's own.
    fn ended(&self, line: &str) -> (String, String) {
        let row = |rows: Vec<serde_json::Value>| {
            let found =
                rows.iter().rfind(|row| field(row, "line") == line).unwrap_or_else(|| panic!("{line}: {rows:?}"));
            field(found, "ended").to_owned()
        };
        (row(self.home.values("audit list")), row(self.home.values("history")))
    }
}

#[test]
fn an_unsafe_call_that_is_cut_short_is_unknown_and_nothing_goes_on() {
    let world = World::new();
    for (line, said) in [
        ("act hang", "the program did not end within 1 s and was ended"),
        ("act crash", "the program crashed with signal 11"),
        ("keep die", "exit code 1"),
    ] {
        let before = world.effects().len();
        let run = world.home.run(&format!("try {{ {line} }} {{ echo caught }} || echo went on"));
        assert!(run.code == Some(1) && run.out.is_empty(), "{line}: {run:?}");
        assert!(run.err.contains(said) && run.err.contains("look whether it took effect"), "{line}: {run:?}");
        let whole = format!("try {{ {line} }} {{ echo caught }} || echo went on");
        assert_eq!(world.ended(&whole), ("unknown".to_owned(), "unknown".to_owned()), "{line}");
        assert_eq!(world.effects().len(), before + 1, "{line} is not repeated");
    }
    // a program that says itself that it failed, and one that may be repeated, have failed
    for line in ["act fail", "lay hang", "lay crash"] {
        assert_eq!(world.home.run(&format!("{line} || echo went on")).well(), "went on");
    }
    assert_eq!(world.home.run("act well").well(), "did well");
    assert_eq!(world.ended("act well").0, "ok");
}

#[test]
fn what_may_be_repeated_is_repeated_under_the_same_id() {
    let world = World::new();
    let lines = "again well\nagain die-second\n";
    let said = world.typed(lines);
    let effects = world.effects();
    assert_eq!(effects.len(), 3, "{effects:?} {said:?}");
    assert!(effects[0] != effects[1] && effects[1] == effects[2], "{effects:?}");
    assert_eq!(said.lines().collect::<Vec<_>>(), [&effects[0], &effects[1]]);
    // the id is the one in the log
    let row = world.home.log().into_iter().rfind(|row| field(row, "line") == "again die-second").unwrap();
    assert_eq!(effects[1].split('.').next(), Some(field(&row, "id")));
    // the same of an unsafe one is not
    fs::write(world.home.beside("ledger"), "").unwrap();
    world.typed("keep well\nkeep die-second\n");
    assert_eq!(world.effects().len(), 2);
    assert_eq!(world.ended("keep die-second").0, "unknown");
}

#[test]
fn a_shell_that_is_killed_leaves_no_process_and_says_unknown() {
    let world = World::new();
    for (line, program) in [("act slow", "act.sh"), ("keep hang", "keep.py")] {
        let before = world.effects().len();
        let mut shell = world.home.command(&["shell"]);
        let mut shell = shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = shell.stdin.take().unwrap();
        // the second command's process waits for its next call when the shell is killed
        std::io::Write::write_all(&mut lines, format!("keep well\n{line}\n").as_bytes()).unwrap();
        until("the effect", || (world.effects().len() == before + 2).then_some(()));
        let mark = world.home.path().join("bundles").display().to_string();
        assert!(!processes_with(&mark).is_empty(), "{program} runs");
        shell.kill().unwrap();
        shell.wait().unwrap();
        until("the end of all its programs", || processes_with(&mark).is_empty().then_some(()));
        assert_eq!(world.ended(line), ("unknown".to_owned(), "unknown".to_owned()), "{line}");
        assert_eq!(world.effects().len(), before + 2, "{line} is not repeated");
    }
}
