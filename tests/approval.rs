//! Approvals through the binary: the rows of the data that need an approval, and processes that are killed on the way.
//!
//! Deliberately absent: what the engine's own tests look at, such as who counts and what makes a request void.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[path = "support/home.rs"]
mod home;

use home::{Home, Said, sources};

/// How many processes are killed with an approval on the way; `PIPIT_KILL_ROUNDS` says otherwise.
const ROUNDS: u64 = 12;

/// Who may vote: carol and dave. `site:act` writes a line of its words to a file beside the home, once a call.
fn world() -> Home {
    let home = Home::new();
    act(&home, "1.0.0", "");
    home.setup(&[
        "user create alice && user create carol && user create dave && user create mallory",
        "group create captains && group add captains carol && group add captains dave",
        "role create captain && role give captain captains",
        "rule create \"when command is act:act require approval 1 from captain\"",
    ]);
    home
}

/// Installs and enables a version of the bundle.
fn act(home: &Home, version: &str, more: &str) {
    let (folder, out) = (home.beside(&format!("act-{version}")), home.beside("out"));
    fs::create_dir_all(&folder).unwrap();
    fs::create_dir_all(&out).unwrap();
    let manifest = format!(
        "bundle: 1\nname: act\nversion: {version}\ndescription: A test\nneeds: {{write: [{}]}}\ncommands:\n  act:\n    \
         about: acts\n    usage: act [WORD…]\n    run: [./run.sh, \"{{WORD}}\"]\n    effect: unsafe\n    output: text\n    rules: [allow]\n",
        out.display()
    );
    fs::write(folder.join("bundle.yaml"), manifest).unwrap();
    let script = folder.join("run.sh");
    fs::write(&script, format!("#!/bin/sh\n{more}\necho \"$@\" >> {}/acts\necho acted \"$@\"\n", out.display()))
        .unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    home.setup(&[&format!("bundle install '{}'", folder.display()), "bundle enable act"]);
}

/// How often it has acted.
fn acts(home: &Home) -> usize {
    fs::read_to_string(home.beside("out/acts")).map_or(0, |text| text.lines().count())
}

fn says(home: &Home, who: &str, room: Option<&str>, line: &str) -> Said {
    let mut args = vec!["run", "--as", who];
    args.extend(room.iter().flat_map(|room| ["--room", room]));
    args.extend(["--", line]);
    Said::of(&mut home.command(&args))
}

/// What alice asks for in a room; the line that approves of it.
fn asks(home: &Home, line: &str) -> String {
    let said = says(home, "alice", Some("#ops"), line).fails(4, "waits for the approval");
    let from = said.err.find("approve ").unwrap();
    said.err[from..].split(',').next().unwrap().to_owned()
}

#[test]
fn one_human_one_vote_and_not_their_own() {
    // APR-001, APR-002, APR-003, APR-012
    let home = world();
    let approve = asks(&home, "act api");
    assert_eq!(acts(&home), 0);
    says(&home, "alice", Some("#dev"), &approve).fails(3, "their own");
    says(&home, "mallory", Some("#dev"), &approve).fails(1, "there is no request");
    assert!(says(&home, "carol", Some("#dev"), &approve).well().contains("it went well"));
    assert_eq!(acts(&home), 1);
    says(&home, "carol", Some("#dev"), &approve).fails(3, "counts once");
    says(&home, "dave", Some("#dev"), &approve).fails(3, "counts once");
    assert_eq!(acts(&home), 1);
    assert!(says(&home, "alice", Some("#ops"), "more").well().contains("acted api"));
}

#[test]
fn what_cannot_be_shown_whole_is_not_approved_of_in_a_room() {
    // APR-008, APR-015, APR-016
    let home = world();
    let long = format!("act {} rm", "x".repeat(9000));
    for line in [
        long.as_str(),
        "act \"rm\\u{202e}txt.exe\"",
        "seed '{\"n\":\"rm\\u202etxt.exe\"}' | act $n",
        "act 'deploy '",
        "act \"p\u{430}yments\"",
        "act \"a\\u{200b}b\"",
    ] {
        let approve = asks(&home, line);
        says(&home, "carol", Some("#dev"), &approve).fails(1, "cannot be shown well enough");
        assert_eq!(acts(&home), 0, "{line}");
    }
    // on the console it can be read
    let approve = asks(&home, "act 'deploy '");
    assert!(says(&home, "carol", None, &approve).well().contains("it went well"));
    assert_eq!(acts(&home), 1);
}

#[test]
fn another_bundle_is_another_plan() {
    // APR-010
    let home = world();
    let approve = asks(&home, "act api");
    act(&home, "1.0.1", "true");
    says(&home, "carol", Some("#dev"), &approve).fails(3, "the bundle act is not the one that it was");
    says(&home, "dave", Some("#dev"), &approve).fails(3, "is void");
    assert_eq!(acts(&home), 0);
    let approve = asks(&home, "act api");
    home.setup(&["bundle disable act"]);
    says(&home, "carol", Some("#dev"), &approve).fails(3, "the bundle act is not the one that it was");
}

#[test]
fn the_data_of_a_command_approves_of_nothing() {
    // APR-007
    let home = world();
    let approve = asks(&home, "act api");
    says(&home, "mallory", Some("#ops"), &format!("echo 'approved by carol' && echo '{approve}'")).well();
    assert_eq!(acts(&home), 0);
    assert_eq!(says(&home, "carol", None, "approvals | count").well(), "1");
}

/// Kills an approval at some moment, again and again: it acts once at most, and what was not released can be approved of
/// by the next process.
#[test]
fn an_approval_that_is_killed_acts_once_at_most() {
    let rounds = std::env::var("PIPIT_KILL_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(ROUNDS);
    let home = world();
    let mut before = 0;
    for round in 0..rounds {
        let approve = asks(&home, &format!("act {round}"));
        let mut child = home.command(&["run", "--as", "carol", "--", &approve]).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(round * 5 % 60));
        let _gone = child.kill();
        child.wait().unwrap();
        let killed = settled(&home);
        assert!(killed <= before + 1, "acted {} times in round {round}", killed - before);
        // whoever comes next either releases it or hears that it was
        let next = says(&home, "dave", None, &approve);
        let after = settled(&home);
        match next.code {
            Some(0) => assert_eq!((killed, after), (before, before + 1), "{next:?}"),
            Some(3) => assert!(next.err.contains("counts once") && after == killed, "{next:?}"),
            _ => panic!("{next:?}"),
        }
        before = after;
    }
    home.run("audit verify").well();
}

/// How often it has acted, when no program of it runs any more.
fn settled(home: &Home) -> usize {
    let script = home.beside("act-1.0.0");
    home::until("the end of the program", || home::processes_with(&mark(&script)).is_empty().then(|| acts(home)))
}

fn mark(script: &Path) -> String {
    let mark: PathBuf = script.parent().unwrap().join("out");
    assert!(sources().exists());
    mark.display().to_string()
}
