//! Bundles through the binary: their life, and programs that misbehave.
//!
//! Deliberately absent: manifests and single programs, which the room's own tests look at.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::Signal;

#[path = "support/home.rs"]
mod home;

use home::{Beside, Home, field, processes_with, sources, until};

/// Where the bundles lie that misbehave.
fn world() -> PathBuf {
    let world = sources().join("../shared/conformance/world/bundles");
    assert!(world.exists(), "{} is missing: the conformance data lies beside the repository", world.display());
    world.canonicalize().unwrap()
}

/// A bundle of one shell script, which may write to the folder `out` beside the home; its commands are lines of the manifest, `$1` in the script says which.
fn bundle(home: &Home, name: &str, commands: &str, script: &str) -> PathBuf {
    let folder = home.beside(name);
    fs::create_dir_all(&folder).unwrap();
    let out = home.beside("out");
    fs::create_dir_all(&out).unwrap();
    let needs = format!("needs: {{write: [{}]}}", out.display());
    let head = format!("bundle: 1\nname: {name}\nversion: 1.0.0\ndescription: A test\n{needs}\ncommands:\n");
    fs::write(folder.join("bundle.yaml"), head + commands).unwrap();
    let file = folder.join("run.sh");
    fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn enable(home: &Home, folder: &Path, name: &str) {
    home.setup(&[&format!("bundle install '{}'", folder.display()), &format!("bundle enable {name}")]);
}

#[test]
fn a_bundle_lives() {
    let home = Home::new();
    home.run("bundle install bundles/nothing-here").fails(1, "bundles/nothing-here");
    let said = home.run("bundle install bundles/hello-sh").well();
    assert_eq!(said, "hello-sh 1.0.0 is installed; bundle enable hello-sh makes its commands available");
    // installed is not enabled
    home.run("hello").fails(2, "there is no command hello");
    let shown = home.run("bundle show hello-sh").well();
    assert!(shown.contains("hello-sh:hello [NAME]: Say hello (pure)\n  allow"), "{shown}");
    home.run("bundle remove nothing").fails(1, "nothing");
    home.run("bundle enable hello-sh").well();
    assert_eq!(home.run("hello ada").well(), "hello, ada");
    assert_eq!(home.run("list ada grace | hello | upper").well(), "HELLO, ADA\nHELLO, GRACE");
    home.run("bundle remove hello-sh").fails(1, "enabled");
    let rows = home.values("bundle list");
    assert_eq!(["name", "version", "state"].map(|name| field(&rows[0], name)), ["hello-sh", "1.0.0", "enabled"]);
    // who asks is what the program hears, and the rules hold for everybody
    home.setup(&["user create bob"]);
    assert_eq!(home.run_as("bob", "hello").well(), "hello, bob");
    home.run_as("bob", "bundle disable hello-sh").fails(3, "it takes bundle:manage");

    home.setup(&["bundle install bundles/hello-python", "bundle enable hello-python"]);
    home.run("hello x").fails(2, "hello");
    let greeted = home.values("hello-python:hello ada --loud");
    assert_eq!(greeted, [serde_json::json!({"name": "ada", "greeting": "HELLO, ADA"})]);
    assert_eq!(home.values("list a b | number --from=5 | get number | sum"), [11]);

    home.run("bundle disable hello-sh").well();
    home.run("hello-sh:hello").fails(2, "there is no command hello-sh:hello");
    home.run("hello ada").well();
    home.run("bundle remove hello-sh").well();
    assert_eq!(home.values("bundle list | get name"), ["hello-python"]);
}

#[test]
fn a_bundle_that_was_tampered_with_does_not_run() {
    let home = Home::new();
    home.setup(&[
        "bundle install bundles/hello-sh",
        "bundle enable hello-sh",
        "hello",
        "bundle install bundles/hello-python",
    ]);
    let copy = find(&home.path(), "hello.sh").expect("the copy lies in the home");
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    let text = fs::read_to_string(&copy).unwrap();
    fs::write(&copy, format!("{text}echo more\n")).unwrap();
    let said = home.run("hello-sh:hello");
    assert!(said.code != Some(0) && said.out.is_empty() && !said.err.is_empty(), "{said:?}");
    let rows = home.values("bundle list | where 'name == \"hello-sh\"'");
    assert!(field(&rows[0], "state").starts_with("enabled, but "), "{rows:?}");
    assert_eq!(home::Said::of(&mut home.command(&["doctor"])).code, Some(1));
    // the rest goes on
    assert_eq!(home.run("bundle enable hello-python").code, Some(0));
    assert_eq!(home.values("list a | number | count"), [1]);
    fs::write(&copy, text).unwrap();
    home.run("hello-sh:hello ada").well();
}

/// The first file of a name below a folder.
fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    fs::read_dir(folder).ok()?.flatten().find_map(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => find(&entry.path(), name),
        _ => (entry.file_name().to_str() == Some(name)).then(|| entry.path()),
    })
}

#[test]
fn misbehaving_programs_are_contained() {
    let home = Home::new();
    enable(&home, &world().join("chaos"), "chaos");
    for (line, code, part) in [
        ("chaos:fail", 1, "this goes wrong (exit code 3)"),
        ("chaos:badjson", 1, "line 2 of its output is no JSON"),
        ("chaos:twice", 1, "the key \"a\" occurs twice"),
        ("chaos:longline", 1, "is longer than 1 MiB"),
        ("chaos:sleep", 1, "did not end within 2 s and was ended"),
        ("chaos:daemon", 1, "did not end within 2 s and was ended"),
    ] {
        let begun = Instant::now();
        home.run(line).fails(code, part);
        assert!(begun.elapsed() < Duration::from_secs(20), "{line} took {:?}", begun.elapsed());
    }
    for (line, out) in [
        ("chaos:ansi", "a\u{fffd}[2Jb\u{fffd}]0;title\u{fffd}c"),
        ("chaos:bytes", "ok \u{fffd}\u{fffd} end"),
        ("chaos:tmpl", "{{ secret }} {% raw %} ~each~ $user $(id)"),
        ("chaos:lines | count", "30000"),
        ("chaos:flood | head 3 | unique | length", "64"),
        ("chaos:say '$(id); `id`' | chaos:pass", "$(id); `id`"),
        ("chaos:fail || echo saved", "saved"),
    ] {
        assert_eq!(home.run(line).well(), out, "{line}");
    }
    // what goes to another program is exact, only what is shown is made plain
    assert_eq!(home.values("chaos:ansi"), ["a\u{1b}[2Jb\u{1b}]0;title\u{7}c"]);
    // the environment is the bundle's own
    let names = home.values("chaos:env");
    let known = ["HOME", "LANG", "PATH", "PWD", "OLDPWD", "PYTHONDONTWRITEBYTECODE", "SHLVL", "TMPDIR", "TZ", "_"];
    let others: Vec<&str> = names.iter().filter_map(serde_json::Value::as_str).collect();
    let others: Vec<&&str> =
        others.iter().filter(|name| !known.contains(name) && !name.starts_with("PIPIT_")).collect();
    assert!(others.is_empty(), "{others:?}");
    let left = processes_with(&home.path().display().to_string());
    assert!(left.is_empty(), "{left:?}");
    let runs = fs::read_dir(home.path().join("runs")).map_or(0, Iterator::count);
    assert_eq!(runs, 0, "the programs' own folders are gone");
}

/// The most memory that a process had so far, in KiB.
fn peak(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_flood_takes_no_memory() {
    let home = Home::new();
    enable(&home, &world().join("chaos"), "chaos");
    let lines = home.file("lines", "");
    let mut shell =
        Beside::start(home.command(&["shell"]).stdin(Stdio::piped()).stdout(fs::File::create(&lines).unwrap()));
    let mut shown = |line: &str, out: &str| {
        shell.types(&format!("{line}\n"));
        until(line, || fs::read_to_string(&lines).unwrap().ends_with(&format!("{out}\n")).then_some(()));
        peak(shell.id())
    };
    let before = shown("chaos:lines | count", "30000");
    for number in 0..5 {
        shown("chaos:flood | head 50000 | count", "50000");
        shown(&format!("chaos:lines | where 'false' | nth 1 | or {number}"), &number.to_string());
    }
    let after = shown("chaos:longline || echo done", "done");
    // the longest line there may be is held some times over, and its error is code that was not yet in memory
    assert!(after < before + 12 * 1024, "{before} KiB became {after}");
    until("the programs' end", || {
        let left = processes_with(&home.path().join("runs").display().to_string());
        left.is_empty().then_some(())
    });
}

/// Appends its process and waits; without an effect it may run twice, with one only once.
const TOUCH: &str = "  touch: {about: Touch, usage: \"touch FILE\", run: [./run.sh, \"{FILE}\"], rules: [allow]}\n";

#[test]
fn what_has_an_effect_is_done_once_and_written_down_first() {
    let home = Home::new();
    let file = home.beside("out/touched");
    let touched = || fs::read_to_string(&file).unwrap_or_default().lines().count();
    let folder = bundle(&home, "effect", TOUCH, "echo $$ >>\"$1\"; case $1 in *touched) ;; *) exit 7 ;; esac");
    enable(&home, &folder, "effect");
    let line = format!("effect:touch {}", file.display());
    home.run(&line).well();
    assert_eq!(touched(), 1);
    // whatever goes wrong around it, it is not done again
    home.run(&format!("{line} | nosuch")).fails(2, "nosuch");
    assert_eq!(touched(), 1);
    let other = home.beside("out/other");
    home.run(&format!("try {{ effect:touch {} }} | echo went on", other.display()));
    assert_eq!(fs::read_to_string(&other).unwrap().lines().count(), 1);

    let log = home.log();
    let last = log.iter().rfind(|row| field(row, "line") == line).unwrap();
    let rows = home.values(&format!("audit show {}", field(last, "id")));
    let kinds: Vec<&str> = rows.iter().map(|row| field(row, "kind")).collect();
    assert_eq!(kinds, ["asked", "verdict", "intent", "effect", "closed"]);
    assert_eq!([&rows[3], &rows[4]].map(|row| field(row, "outcome")), ["done", "ok"]);
    assert_eq!(field(&rows[2], "command"), "effect:touch");
    let failed = log.iter().rfind(|row| field(row, "line").contains("went on")).unwrap();
    let rows = home.values(&format!("audit show {}", field(failed, "id")));
    let effect = rows.iter().find(|row| field(row, "kind") == "effect").expect("the effect is written");
    assert_eq!(field(effect, "outcome"), "failed");
}

#[test]
fn a_killed_shell_leaves_no_program_and_a_log_that_says_so() {
    let home = Home::new();
    let mark = format!("98.{}", std::process::id());
    let file = home.beside("out/touched");
    // one child in a group of its own, one that ignores what it can
    let script = format!("trap '' TERM HUP INT; echo on >>\"$1\"; (setsid sleep {mark} &) ; sleep {mark}");
    let folder = bundle(&home, "stay", TOUCH, &script);
    enable(&home, &folder, "stay");
    let line = format!("stay:touch {}", file.display());
    let mut shell = Beside::start(home.command(&["run", "--", &line]).stdout(Stdio::null()));
    until("both children", || (file.exists() && processes_with(&format!("sleep\0{mark}")).len() >= 2).then_some(()));
    let running = home.log();
    assert_eq!(field(running.last().unwrap(), "ended"), "running");
    shell.signal(Signal::KILL);
    assert_eq!(shell.ends().code(), None);
    until("the programs' end", || processes_with(&mark).is_empty().then_some(()));

    let log = home.log();
    let last = log.iter().rfind(|row| field(row, "line") == line).unwrap();
    assert_eq!(field(last, "ended"), "unknown", "{last}");
    let rows = home.values(&format!("audit show {}", field(last, "id")));
    let kinds: Vec<&str> = rows.iter().map(|row| field(row, "kind")).collect();
    assert_eq!(kinds, ["asked", "verdict", "intent", "closed"], "an intent without its effect");
    assert_eq!(fs::read_to_string(&file).unwrap(), "on\n");
    assert_eq!(home.values("audit verify").len(), 1);
    assert_eq!(home.run("echo well").well(), "well");
}

/// Who approves by the rules of a bundle that is not enabled approves of its calls as soon as it is: nobody becomes one
/// meanwhile by the hand of who only manages roles. And who enables it hears which rules of the site go before its own.
#[test]
fn approvers_of_a_bundle_count_before_it_is_enabled() {
    let home = Home::new();
    let commands = "  go:\n    about: Go\n    usage: go [X]\n    run: [./run.sh, go]\n    output: lines\n    \
                    effect: pure\n    rules: [require approval 1 from captain]\n";
    let folder = bundle(&home, "act", commands, "echo gone");
    home.setup(&[
        "user create eve && group create managers && group add managers eve",
        "role create manager && role grant manager role:manage && role give manager managers",
        "role create captain",
    ]);
    enable(&home, &folder, "act");
    home.setup(&["bundle disable act"]);
    home.run_as("eve", "role give captain managers").fails(3, "approvals come from it");
    home.setup(&[
        "bundle enable act",
        "rule create \"when command is act:go with arg[0] == x allow\"",
        "bundle disable act",
    ]);
    let said = home.run("bundle enable act").well();
    assert!(said.contains("r1 goes before `when command is act:go require approval 1 from captain`"), "{said}");
}
