//! `pipit serve` on real IRC servers with people who use clients of other projects: who may what, what the room sees,
//! starts and ends.
//!
//! Deliberately absent: the protocol's corners, which the adapter's own tests look at.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::time::{Duration, Instant};

use rustix::process::Signal;

#[path = "irc/bypass.rs"]
mod bypass;
#[path = "irc/cog.rs"]
mod cog;
#[path = "support/home.rs"]
mod home;
#[path = "irc/irssi.rs"]
mod irssi;
#[allow(dead_code, reason = "shared with the adapter's own tests")]
#[path = "../src/chat/irc/tests/peer.rs"]
mod peer;
#[path = "irc/people.rs"]
mod people;
#[path = "irc/person.rs"]
mod person;
#[allow(dead_code, reason = "shared with the adapter's own tests")]
#[path = "../src/chat/irc/tests/servers.rs"]
mod servers;
#[path = "irc/site.rs"]
mod site;

use home::{Beside, Home, PATIENCE, field, processes_with, until};
use person::Person;
use site::Site;

/// The longest wait for a server.
const LIMIT: Duration = PATIENCE;

/// The one-time code that a start printed.
fn code(shell: &mut Beside) -> String {
    let written = shell.writes("irc test: connected as pipit, in #");
    let line = written.lines().find_map(|line| line.split_once("claim ")).expect("a code is printed");
    line.1.to_owned()
}

#[tokio::test]
async fn the_first_administrator_sets_the_site_up_in_chat() {
    let site = Site::with(&["alice", "bob"]).await;
    let mut shell = site.serve().await;
    let code = code(&mut shell);
    let port = site.server.port;
    let people = [
        Person::login(port, "alice", "alicepw", "#ops"),
        Person::login(port, "bob", "bobpw", "#ops"),
        Person::stranger(port, "mallory", "#ops"),
    ];
    let [mut alice, mut bob, mut mallory] = people.map(Person::arrived);

    // who is not verified gets nothing for the right code, who is gets nothing for a wrong one
    let said = mallory.whisper(&format!("claim {code}"));
    assert!(said.starts_with("error: ") && said.contains("nobody has verified who you are"), "{said}");
    let said = alice.whisper("claim ABCDEFGHJKMNPQRS");
    assert!(said.contains("not the code"), "{said}");
    let said = alice.ask("!user list");
    let linking = "user link NAME irc://test/alice";
    assert!(said.contains("the account is linked to no user") && said.contains(linking), "{said}");
    bob.hears();
    let said = alice.whisper(&format!("claim {code}"));
    assert!(said.starts_with("alice, you are the administrator"), "{said}");
    let said = bob.whisper(&format!("claim {code}"));
    assert!(said.contains("not the code"), "{said}");

    for (line, answer) in [
        ("!user create bob", "the user bob is there"),
        ("!group create ops", "the group ops is there"),
        ("!group add ops bob", "bob is in ops"),
        ("!role create reader", "the role reader is there"),
        ("!role grant reader audit:read", "reader holds audit:read"),
        ("!role give reader ops", "ops has the role reader"),
    ] {
        assert_eq!(alice.ask(line), answer);
        assert_eq!(bob.hears(), answer, "the room sees it too");
    }
    let said = alice.ask("!permission create site:shout");
    assert!(!said.starts_with("error"), "{said}");
    let said = alice.ask("!rule create \"when command is text:upper must have site:shout\"");
    assert!(!said.starts_with("error"), "{said}");

    // bob is nobody's user until his account is linked, and then at once
    bob.hears();
    bob.hears();
    let said = bob.ask("!audit list | count");
    assert!(said.starts_with("error: irc://test/bob may not run audit:list"), "{said}");
    alice.hears();
    assert_eq!(alice.ask("!user link bob irc://test/bob"), "irc://test/bob is bob");
    bob.hears();
    assert_eq!(bob.ask("!audit list --count=2 | count"), "2");
    let said = bob.ask("!echo quiet | upper");
    assert!(said.contains("bob may not run text:upper: it takes site:shout"), "{said}");
    let said = bob.ask("!user create eve");
    assert!(said.contains("bob may not run user:create: it takes user:manage"), "{said}");

    // the account counts, not the name
    bob.rename("bobby");
    mallory.rename("bob");
    let said = mallory.whisper("audit list");
    assert!(said.starts_with("error: bob may not run audit:list: nobody has verified who you are"), "{said}");
    let said = mallory.whisper("alias mine = 'echo x'");
    assert!(said.starts_with("error: "), "{said}");
    assert_eq!(mallory.whisper("echo anybody may | words | count"), "2");
    assert_eq!(bob.whisper("audit list --count=3 | count"), "3");

    let log = site.home.log();
    let row = |text: &str| log.iter().rfind(|row| field(row, "line") == text).unwrap_or_else(|| panic!("{text}"));
    let of = |text: &str| ["who", "via", "room", "ended"].map(|name| field(row(text), name));
    assert_eq!(of("user create bob"), ["alice", "test", "ops", "ok"]);
    assert_eq!(of("echo quiet | upper"), ["bob", "test", "ops", "denied"]);
    assert_eq!(of("audit list"), ["?bob", "test", "", "denied"]);
    assert_eq!(of("audit list --count=3 | count"), ["bob", "test", "", "ok"]);
    assert!(site.home.run("user list | get name | grep eve").well().is_empty());
}

#[tokio::test]
async fn a_room_types_lines() {
    let site = Site::with(&["alice"]).await;
    site.users(&["alice"]);
    let _shell = site.serve().await;
    let port = site.server.port;
    let people = [Person::login(port, "alice", "alicepw", "#ops"), Person::stranger(port, "oscar", "#other")];
    let [mut alice, mut other] = people.map(Person::arrived);
    for (said, answer) in [
        ("!list b a c | sort | head 2", ["a", "b"]),
        ("pipit: list b a c | sort | head 2", ["a", "b"]),
        ("Pipit, list 1 2", ["1", "2"]),
        ("@pipit list 'größer 😀' 2", ["größer 😀", "2"]),
    ] {
        assert_eq!([alice.ask(said), alice.hears()], answer, "{said}");
    }
    assert_eq!(alice.whisper("list c b a | sort | tail 1"), "c");

    // an error is one line, and says where
    let said = alice.ask("!list b a | nosuch | sort");
    assert!(said.starts_with("error: there is no command nosuch (at `nosuch | sort`)"), "{said}");
    let said = alice.ask("!echo 'open");
    assert!(said.starts_with("error: "), "{said}");
    assert_eq!(alice.ask("!echo next"), "next");
    let said = alice.ask("!echo 1 | where 'a >'");
    assert!(said.starts_with("error: "), "{said}");
    assert_eq!(alice.ask("!echo next"), "next");
    assert_eq!(alice.ask("!list a | grep b"), "(nothing came out)");

    // long output is cut, and goes on when asked
    alice.say("!range 100");
    for part in 0..3 {
        for line in 0..15 {
            assert_eq!(alice.hears(), (part * 15 + line).to_string());
        }
        assert_eq!(alice.hears(), format!("… {} more lines: more", 85 - part * 15));
        alice.say("!more");
    }
    assert_eq!(alice.hears(), "45");
    (0..15).for_each(|_| drop(alice.hears()));
    assert_eq!(alice.ask("!more --all | lines | count"), "100");
    assert_eq!([alice.ask("!more 2"), alice.hears(), alice.hears()], ["60", "61", "… 38 more lines: more"]);
    assert_eq!([alice.ask("!more 38"), alice.hears()], ["62", "63"]);
    (64..100).for_each(|_| drop(alice.hears()));
    for said in [alice.ask("!more"), alice.whisper("more")] {
        assert!(said.starts_with("error: more: there is no more to show here"), "{said}");
    }
    assert_eq!(alice.ask("!more --all | lines | head"), "0");

    // elsewhere only with the right, only where the bot is, and then only there
    let said = alice.ask("!echo hi > #other");
    assert!(said.contains("alice may not post to #other: it takes room:post"), "{said}");
    site.home.setup(&[
        "group create posters",
        "group add posters alice",
        "role create poster",
        "role grant poster room:post",
        "role give poster posters",
    ]);
    alice.say("!echo there > #other");
    assert_eq!(other.hears(), "there");
    alice.hears();
    alice.say("!list both places *> here #other");
    assert_eq!([alice.hears(), alice.hears()], ["both", "places"]);
    assert_eq!([other.hears(), other.hears()], ["both", "places"]);
    let said = alice.ask("!echo hi > #nowhere");
    assert!(said.contains("there is no place #nowhere"), "{said}");
    // nothing that was printed can be a command of the network or of the bot
    assert_eq!(alice.ask("!echo \"a\\nQUIT :b\""), "a");
    assert_eq!(alice.hears(), "QUIT :b");
    assert_eq!(alice.ask("!echo '!echo twice'"), "!echo twice");
    assert_eq!(alice.ask("!echo end"), "end");
}

/// A bundle whose command writes that it was there, and then takes its time.
fn slow_bundle(home: &Home, mark: &str) {
    let folder = home.beside("slow");
    std::fs::create_dir(&folder).unwrap();
    let out = home.beside("out");
    std::fs::create_dir(&out).unwrap();
    let head = "bundle: 1\nname: slow\nversion: 1.0.0\ndescription: Slow\n";
    let command = "wait: {about: Wait, usage: \"wait FILE\", run: [./wait.sh, \"{FILE}\"], rules: [allow]}";
    let manifest = format!("{head}needs: {{write: [{}]}}\ncommands:\n  {command}\n", out.display());
    std::fs::write(folder.join("bundle.yaml"), manifest).unwrap();
    let script = folder.join("wait.sh");
    std::fs::write(&script, format!("#!/bin/sh\necho started >>\"$1\"\necho {mark}\nsleep {mark}\n")).unwrap();
    let runnable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&script, runnable).unwrap();
    home.setup(&[&format!("bundle install '{}'", folder.display()), "bundle enable slow"]);
}

#[tokio::test]
async fn a_slow_line_shows_life_and_can_be_stopped() {
    let site = Site::with(&["alice", "bob"]).await;
    site.users(&["alice", "bob"]);
    let mark = format!("97.{}", std::process::id());
    slow_bundle(&site.home, &mark);
    let _shell = site.serve().await;
    let port = site.server.port;
    let people = [Person::login(port, "alice", "alicepw", "#ops"), Person::login(port, "bob", "bobpw", "#ops")];
    let [mut alice, mut bob] = people.map(Person::arrived);

    let begun = Instant::now();
    let said = alice.ask("!sleep 90 | count");
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    let id = said.split(' ').next().unwrap().to_owned();
    assert_eq!(said, format!("{id} is running; kill {id} stops it"));
    bob.hears();
    // the lines of others are not there for who may not stop them
    assert_eq!(bob.ask("!ps | count"), "0");
    alice.hears();
    let said = bob.ask(&format!("!kill {id}"));
    assert!(said.contains(&format!("no line {id} is running")), "{said}");
    alice.hears();
    // one's own are, also while one of them runs
    assert_eq!(alice.ask("!ps | get line"), "sleep 90 | count");
    alice.say(&format!("!kill {id}"));
    let mut said = [alice.hears(), alice.hears()];
    said.sort();
    // others have spoken since that line was typed, so its answer names her
    assert_eq!(said, [format!("{id} is stopped"), "alice: error: stopped by alice".into()]);

    // a program is ended with its line
    let file = site.home.beside("out/was-here");
    assert_eq!(alice.ask(&format!("!slow:wait {}", file.display())), mark);
    let id = alice.ask("!ps | get id");
    assert!(!processes_with(&mark).is_empty() && file.exists());
    alice.say(&format!("!kill {id}"));
    until("the program's end", || processes_with(&mark).is_empty().then_some(()));
    let rows = site.home.values(&format!("audit show {id}"));
    let kinds: Vec<&str> = rows.iter().map(|row| field(row, "kind")).collect();
    assert!(kinds.contains(&"intent") && kinds.contains(&"effect"), "{kinds:?}");
}

#[tokio::test]
async fn a_slow_line_is_followed_and_what_a_line_lacks_is_asked_for() {
    let site = Site::with(&["alice", "bob"]).await;
    site.users(&["alice", "bob"]);
    let _shell = site.serve().await;
    let port = site.server.port;
    let people = [Person::login(port, "alice", "alicepw", "#ops"), Person::login(port, "bob", "bobpw", "#ops")];
    let [mut alice, mut bob] = people.map(Person::arrived);

    // what has come is there while the rest is on its way
    assert_eq!(alice.ask("!range 4 | each { sleep 1.2 }"), "0");
    assert_eq!(alice.whisper("ps | get line"), "range 4 | each { sleep 1.2 }");
    assert_eq!([alice.hears(), alice.hears(), alice.hears()], ["1", "2", "3"]);
    (0..4).for_each(|_| drop(bob.hears()));

    assert_eq!(alice.ask("!range"), "alice: which END for range? Say it here, or cancel");
    bob.hears();
    assert_eq!(bob.ask("!echo 7"), "7");
    alice.hears();
    assert_eq!([alice.ask("2"), alice.hears()], ["0", "1"]);
    let log = site.home.log();
    let row = |text: &str| log.iter().rfind(|row| field(row, "line") == text).unwrap();
    assert_eq!(["who", "room", "ended"].map(|name| field(row("range 2"), name)), ["alice", "ops", "ok"]);
    assert_eq!(field(row("range"), "ended"), "refused");
    // what only its owner may know is not asked for where others read along, and what one may not run neither
    let said = alice.ask("!claim");
    assert!(said.starts_with("error: CODE of claim is missing"), "{said}");
    assert_eq!(alice.whisper("claim"), "which CODE for claim? Say it here, or cancel");
    assert_eq!(alice.whisper("cancel"), "alice: cancelled; nothing ran");
    let said = alice.ask("!user create");
    assert!(said.contains("alice may not run user:create"), "{said}");
}

#[tokio::test]
async fn a_program_asks_whoever_typed_the_line_and_nobody_else() {
    let site = Site::with(&["alice", "bob"]).await;
    site.users(&["alice", "bob"]);
    let bundle = site.home.beside("asks");
    std::fs::create_dir(&bundle).unwrap();
    let head = "bundle: 1\nname: asks\nversion: 1.0.0\ndescription: Asks\nneeds: {programs: [python3]}\n";
    let command = "move: {about: Ask, run: [./move.py], output: lines, rules: [allow]}";
    std::fs::write(bundle.join("bundle.yaml"), format!("{head}commands:\n  {command}\n")).unwrap();
    let program = "#!/usr/bin/env python3\nimport os, socket\n\
        control = socket.socket(fileno=int(os.environ['PIPIT_CONTROL'])).makefile('rw')\n\
        control.write('{\"ask\":\"which region?\",\"one-of\":[\"eu\",\"us\"]}\\n')\n\
        control.flush()\nprint(control.readline().strip())\n";
    let script = bundle.join("move.py");
    std::fs::write(&script, program).unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    site.home.setup(&[&format!("bundle install '{}'", bundle.display()), "bundle enable asks"]);
    let _shell = site.serve().await;
    let port = site.server.port;
    let people = [Person::login(port, "alice", "alicepw", "#ops"), Person::login(port, "bob", "bobpw", "#ops")];
    let [mut alice, mut bob] = people.map(Person::arrived);

    let question = "alice: move asks: which region: eu, us? Say it here, or cancel";
    assert_eq!(alice.ask("!asks:move"), question);
    assert_eq!(bob.hears(), question);
    // what others say is talk, and another line of hers takes nothing back
    bob.say("us");
    assert_eq!(bob.ask("!echo not mine"), "not mine");
    alice.hears();
    assert!(alice.ask("!echo meanwhile").ends_with("meanwhile"));
    bob.hears();
    assert_eq!(alice.ask("mars"), "alice: \"mars\" is no choice; which region: eu, us? Say it here, or cancel");
    bob.hears();
    assert!(alice.ask("EU").ends_with(r#"{"answer":"eu"}"#));
    bob.hears();
    assert_eq!(alice.whisper("asks:move"), "move asks: which region: eu, us? Say it here, or cancel");
    assert_eq!(alice.whisper("cancel"), r#"{"error":"cancelled"}"#);
    // what was asked and said is in the log
    let log = site.home.log();
    let line = log.iter().find(|row| field(row, "line") == "asks:move").unwrap();
    let rows = site.home.values(&format!("audit show {}", field(line, "id")));
    let questions: Vec<_> = rows.iter().filter(|row| field(row, "kind") == "question").collect();
    let told = |at: usize| (field(questions[at], "outcome"), questions[at]["body"].to_string());
    assert_eq!(told(0).0, "answered");
    assert!(told(0).1.contains("which region?") && told(0).1.contains("mars"), "{:?}", told(0));
    assert!(told(1).1.contains("EU"), "{:?}", told(1));
}

#[tokio::test]
async fn a_shell_that_is_told_to_stop_takes_leave_and_comes_back() {
    let site = Site::with(&["alice"]).await;
    let mut shell = site.serve().await;
    let code = code(&mut shell);
    let mut alice = Person::login(site.server.port, "alice", "alicepw", "#ops").arrived();
    let said = alice.whisper(&format!("claim {code}"));
    assert!(said.contains("you are the administrator"), "{said}");
    alice.whisper("alias hi = 'echo hello again'");
    // what runs when it is told to stop has a moment to answer
    alice.say("!sleep 1 | or late");
    until("the line to run", || {
        site.home.log().iter().any(|row| field(row, "line") == "sleep 1 | or late").then_some(())
    });
    shell.signal(Signal::TERM);
    assert_eq!(alice.hears(), "late");
    let quit = alice.expect("the leave", |heard| heard.kind == "quit" && heard.who == "pipit");
    assert!(quit.text.contains("bye"), "{quit:?}");
    assert_eq!(shell.ends().code(), Some(0));
    let written = shell.written();
    assert!(written.ends_with("pipit: stopping\n"), "{written}");

    let mut shell = site.serve().await;
    let written = shell.writes("irc test: connected as pipit, in #");
    assert!(!written.contains("claim"), "{written}");
    assert_eq!(alice.ask("!hi"), "hello again");
    assert_eq!(alice.ask("!user list | count"), "1");
    shell.signal(Signal::INT);
    assert_eq!(shell.ends().code(), Some(0));
    assert!(site.home.log().iter().all(|row| field(row, "ended") != "running"));
}

#[tokio::test]
async fn nothing_runs_that_cannot_be_written_down() {
    let site = Site::with(&["alice"]).await;
    site.users(&["alice"]);
    slow_bundle(&site.home, "0");
    let _shell = site.serve().await;
    let mut alice = Person::login(site.server.port, "alice", "alicepw", "#ops").arrived();
    let file = site.home.beside("out/was-here");
    let line = format!("slow:wait {}", file.display());
    let hold = rusqlite::Connection::open(site.home.path().join("pipit.db")).unwrap();
    hold.execute_batch("BEGIN EXCLUSIVE").unwrap();
    alice.say(&format!("!{line}"));
    let run = site.home.run("echo hi");
    assert_eq!(alice.hears(), "the line has not begun: it waits to be written down in the audit log");
    let said = alice.hears();
    assert!(said.starts_with("error: the audit log cannot be written, so nothing runs"), "{said}");
    assert!(run.out.is_empty(), "{run:?}");
    run.fails(5, "");
    assert!(!file.exists());
    hold.execute_batch("ROLLBACK").unwrap();
    assert_eq!(alice.ask("!echo well again"), "well again");
    assert!(!file.exists(), "what was refused is not made up for");
    assert_eq!(alice.ask(&format!("!{line}")), "0");
    assert_eq!(std::fs::read_to_string(file).unwrap(), "started\n");
}

#[tokio::test]
async fn a_network_without_proof_has_strangers_only() {
    let (server, home) = site::bare().await;
    home.setup(&["user create alice", "user link alice irc://bare/alice"]);
    let mut shell = site::serve(&home, server.port).await;
    let code = shell.writes("irc bare: connected as pipit, in #");
    let code = code.split_once("claim ").unwrap().1.lines().next().unwrap().to_owned();
    let mut alice = Person::stranger(server.port, "alice", "#ops").arrived();
    assert_eq!([alice.ask("!list b a | sort | upper"), alice.hears()], ["A", "B"]);
    let said = alice.ask("!whoami | get is");
    assert!(said.starts_with("somebody whom nobody has verified"), "{said}");
    let said = alice.ask("!user list");
    assert!(said.starts_with("error: alice may not run user:list: nobody has verified who you are"), "{said}");
    let said = alice.ask("!echo hi > #other");
    assert!(said.contains("may not post to #other: it takes room:post"), "{said}");
    let said = alice.whisper(&format!("claim {code}"));
    assert!(said.contains("nobody has verified who you are"), "{said}");
    let said = alice.ask("!my x = 1");
    assert!(said.starts_with("error: "), "{said}");
    // who owns nothing has no more
    alice.say("!range 20");
    (0..15).for_each(|_| drop(alice.hears()));
    assert_eq!(alice.hears(), "… 5 more lines");
    shell.signal(Signal::TERM);
    alice.expect("the leave", |heard| heard.kind == "quit" && heard.who == "pipit");
    assert_eq!(shell.ends().code(), Some(0));
}

#[tokio::test]
async fn a_person_with_irssi_is_who_they_logged_in_as() {
    let site = Site::with(&["bob"]).await;
    site.users(&["bob"]);
    let _shell = site.serve().await;
    let mut watcher = Person::stranger(site.server.port, "carol", "#ops").arrived();
    let mut bob = irssi::Irssi::login(site.server.port, "bob", "bobpw", "#ops");
    watcher.expect("irssi", |heard| heard.kind == "join" && heard.who == "bob");
    bob.types("/window goto #ops");
    bob.shows("[#ops]");
    bob.types("!whoami | get name");
    assert_eq!(watcher.hears(), "bob");
    bob.types("/query pipit");
    bob.types("list 30 20 10 | sort | join ' then '");
    bob.shows("10 then 20 then 30");
    bob.types("/window goto #ops");
    bob.types("pipit: list größer 😀 | length | sum");
    assert_eq!(watcher.hears(), "7");
}

#[test]
fn a_wrong_configuration_stops_the_start_and_says_where() {
    let home = Home::new();
    site::refused(&home).fails(2, "there is no chat service to serve; name one in pipit.toml");
    let file = home.beside("pipit.toml");
    for (text, message) in [
        (
            "log = 'info'\n[[chat]]\nservice = 'irc'\nname = 'a'\nserver = 'h:1'\nchanels = ['#x']\n",
            ":6: error: there is no key chanels here",
        ),
        ("log = 'info'\nbroken = [1,\n", ":2: "),
        ("[[chat]]\nservice = 'irk'\nname = 'a'\n", ":2: "),
        ("[[chat]]\nservice = 'irc'\nname = 'a'\nserver = 'h:x'\n", ": chat a: server = \"h:x\": write `host:port`"),
        (
            "[[chat]]\nservice = 'irc'\nname = 'a'\nserver = 'h:1'\nchannels = ['ops']\n",
            ": chat a: channels: \"ops\" is no room",
        ),
    ] {
        home.configure(text);
        site::refused(&home).fails(2, &format!("{}{message}", file.display()));
        // no line runs with settings that may mean something else
        home.run("echo hi").fails(2, &format!("{}{message}", file.display()));
    }
    home.configure("[[chat]]\nservice = 'irc'\nname = 'a'\nserver = 'h:1'\n[[chat]]\nservice = 'irc'\nname = 'a'\nserver = 'h:2'\n");
    site::refused(&home).fails(2, "two chat entries are named a");
}
