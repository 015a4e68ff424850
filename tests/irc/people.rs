//! What people do with each other in the rooms of a real server: commands in the midst of talk, reminders.

use rustix::process::Signal;

use super::home::{field, until};
use super::person::Person;
use super::site::Site;

#[tokio::test]
async fn commands_in_the_midst_of_talk_run_where_that_is_on() {
    let site = Site::with(&["alice"]).await;
    site.users(&["alice"]);
    site.home.setup(&["room set test://#other embedded=on prefix=..", "room set elsewhere://#ops embedded=on"]);
    let _shell = site.serve().await;
    let port = site.server.port;
    let people = [
        Person::login(port, "alice", "alicepw", "#other"),
        Person::stranger(port, "mallory", "#other"),
        Person::stranger(port, "oscar", "#ops"),
    ];
    let [mut alice, mut mallory, mut oscar] = people.map(Person::arrived);

    // each is a line of its own, in order; one that goes wrong stops no other
    alice.say("lunch? `echo soup`, `nosuch` and `echo salad | upper`");
    assert_eq!(alice.hears(), "soup");
    assert!(alice.hears().starts_with("error: there is no command nosuch"));
    assert_eq!(alice.hears(), "SALAD");
    alice.say("`echo 1` `echo 2` `echo 3` `echo 4` `echo 5` `echo 6`");
    assert!(alice.hears().contains("6 commands stand in that message, and 5 are the most"));
    // what is quoted or code is talk, and so is a notice; the room has a prefix of its own
    for talk in ["> `echo quoted`", "<bob> `echo pasted`", "``echo code``", "!echo prefix"] {
        alice.say(talk);
    }
    assert_eq!(alice.ask("..echo now"), "now");
    for _ in 0..5 {
        mallory.hears();
    }
    // who may not run it alone may not run it here
    let said = mallory.ask("look: `audit list`");
    assert!(said.starts_with("error: mallory may not run audit:list"), "{said}");
    // a room of the same name elsewhere has its own settings
    oscar.say("lunch? `echo soup`");
    assert_eq!(oscar.ask("!echo now"), "now");

    let log = site.home.log();
    let lines: Vec<&str> = log.iter().map(|row| field(row, "line")).collect();
    let ran = |line: &str| lines.iter().filter(|other| **other == line).count();
    assert_eq!(["echo soup", "nosuch", "echo salad | upper", "audit list"].map(ran), [1, 1, 1, 1], "{lines:?}");
    assert_eq!(["echo quoted", "echo pasted", "echo code", "echo prefix", "echo 1"].map(ran), [0; 5], "{lines:?}");
}

#[tokio::test]
async fn reminders_are_said_where_they_were_asked_for_and_outlive_the_shell() {
    let site = Site::with(&["alice", "bob"]).await;
    site.users(&["alice", "bob"]);
    let mut shell = site.serve().await;
    let port = site.server.port;
    let people = [Person::login(port, "alice", "alicepw", "#ops"), Person::login(port, "bob", "bobpw", "#ops")];
    let [mut alice, mut bob] = people.map(Person::arrived);

    let said = alice.ask("!remind me in 1s tea");
    assert!(said.contains("alice in test://#ops is reminded at "), "{said}");
    assert_eq!(alice.hears(), "alice, a reminder: tea");
    assert!(bob.hears().contains("is reminded at") && bob.hears() == "alice, a reminder: tea");
    alice.ask("!remind here in 1s lunch");
    assert_eq!(alice.hears(), "a reminder from alice: lunch");
    alice.whisper("remind me in 1s 'in private'");
    assert_eq!(alice.hears_in("alice"), "a reminder: in private");
    // to another room or person it takes the right to post
    let said = alice.whisper("remind @bob in 1s hello");
    assert!(said.contains("alice may not post to @bob: it takes room:post"), "{said}");
    site.home.setup(&[
        "role create poster",
        "role grant poster room:post",
        "group create posters",
        "group add posters alice",
        "role give poster posters",
    ]);
    alice.whisper("remind @bob in 1s 'see you at ten'");
    let waits = || site.home.run("room read @bob | count").well() == "1";
    until("the message", || waits().then_some(()));
    bob.tell("pipit", "echo hi");
    assert_eq!(
        [bob.hears_in("bob"), bob.hears_in("bob")],
        ["hi", "note: 1 message waits for bob: inbox, in a direct message"]
    );
    let said = bob.whisper("inbox | get text");
    assert_eq!(said, "a reminder from alice: see you at ten");
    assert_eq!(bob.whisper("echo again"), "again");
    assert_eq!(bob.whisper("inbox clear"), "1 message is gone");

    // what falls due while the shell is gone is said when it is back; who asked in private may be somebody else by then
    alice.whisper("remind here in 2s private");
    alice.whisper("remind #ops in 2s public");
    alice.whisper("remind #ops in 1h later");
    shell.signal(Signal::KILL);
    shell.ends();
    let _shell = site.serve().await;
    assert_eq!(alice.hears(), "a reminder from alice: public");
    until("the message", || (site.home.run("room read @alice | count").well() == "1").then_some(()));
    alice.tell("pipit", "remind list | get text");
    assert_eq!(
        [alice.hears_in("alice"), alice.hears_in("alice")],
        ["later", "note: 1 message waits for alice: inbox, in a direct message"]
    );
    assert_eq!(alice.whisper("inbox | get text"), "a reminder: private");

    // each stands in the log as a line of whoever asked
    let log = site.home.log();
    let reminded = log.iter().filter(|row| field(row, "line").starts_with("remind @bob see you"));
    let rows: Vec<[&str; 2]> = reminded.map(|row| ["who", "ended"].map(|name| field(row, name))).collect();
    assert_eq!(rows, [["alice", "ok"]]);
}

#[tokio::test]
async fn a_poll_closes_by_itself_and_tells_its_room() {
    let site = Site::with(&["alice", "bob"]).await;
    site.users(&["alice", "bob"]);
    let _shell = site.serve().await;
    let port = site.server.port;
    let people = [
        Person::login(port, "alice", "alicepw", "#ops"),
        Person::login(port, "bob", "bobpw", "#other"),
        Person::stranger(port, "mallory", "#ops"),
    ];
    let [mut alice, mut bob, mut mallory] = people.map(Person::arrived);
    alice.say("!poll 'Lunch?' soup salad --for=20s");
    for line in ["poll 1: Lunch?", "1. soup", "2. salad", "vote with: poll vote NUMBER; it closes in 20s"] {
        assert_eq!([alice.hears(), mallory.hears()], [line, line]);
    }
    assert_eq!(alice.ask("!poll vote 1"), "alice votes for soup in poll 1");
    assert_eq!(mallory.hears(), "alice votes for soup in poll 1");
    // who is not known has no vote, nor who is in another room
    let said = mallory.ask("!poll vote 2");
    assert!(said.contains("mallory may not run poll:vote"), "{said}");
    assert_eq!(alice.hears(), said);
    let said = bob.ask("!poll vote 2 --poll=1");
    assert!(said.contains("there is no poll 1 in test://#other"), "{said}");
    // nor does anybody raise themselves under the name they have on the network
    let said = alice.ask("!karma Alice++");
    assert!(said.contains("nobody raises their own karma"), "{said}");
    alice.expect("the end", |heard| heard.text == "poll 1 is closed: Lunch?");
    alice.expect("a row", |heard| heard.text.contains("soup") && heard.text.contains("100%"));
    alice.expect("the other row", |heard| heard.text.contains("salad") && heard.text.contains("0%"));
    let said = alice.ask("!poll vote 2 --poll=1");
    assert!(said.contains("poll 1 is closed"), "{said}");
}

#[tokio::test]
async fn talk_is_kept_where_the_room_was_told_and_shown_in_a_review() {
    let site = Site::with(&["alice", "bob", "carol"]).await;
    site.users(&["alice", "bob"]);
    let _shell = site.serve().await;
    let port = site.server.port;
    let people = [
        Person::login(port, "alice", "alicepw", "#ops"),
        Person::login(port, "bob", "bobpw", "#ops"),
        Person::stranger(port, "oscar", "#ops"),
        Person::login(port, "carol", "carolpw", "#other"),
    ];
    let [mut alice, mut bob, mut oscar, mut carol] = people.map(Person::arrived);
    alice.say("before anybody was asked");
    // a shell of its own sets it, and the one that serves tells the room when it hears somebody there
    site.home.setup(&["room set test://#ops conversation=30d embedded=on"]);
    assert_eq!(site.home.run("room show test://#ops | get conversation").well(), "30d, once the room was told");
    until("the room to be told", || {
        bob.say("anybody there?");
        (site.home.run("room show test://#ops | get conversation").well() == "30d").then_some(())
    });
    for person in [&mut alice, &mut bob, &mut oscar] {
        person.expect("word", |heard| heard.text.starts_with("from now on what is said here is kept for 30 days"));
    }
    // one after the other, as people do who read each other
    let mut said = |person: &mut Person, text: &str| {
        person.say(text);
        alice.expect("them", |heard| heard.text == text);
    };
    said(&mut bob, "the database is <slow> & *odd*");
    said(&mut oscar, "it began with the release");
    said(&mut oscar, "my token is ghp_0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1wX");
    carol.say("this is another room");
    assert_eq!(alice.ask("!list web-1 web-2 | count"), "2");
    bob.say("that was it");
    alice.expect("them", |heard| heard.text == "that was it");
    alice.say("so we run `echo soup` now");
    alice.expect("an answer", |heard| heard.text.ends_with("soup"));
    bob.say("!echo thanks");
    bob.expect("an answer", |heard| heard.text.ends_with("thanks"));
    let timeline = || site.home.run("audit timeline --room=#ops").well();
    let page = timeline();
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} is not in {page}"));
    let order = [
        "bob: “the database is \\<slow\\> &amp; \\*odd\\*”",
        "?oscar: “it began with the release”",
        "?oscar: “my token is \\[secret GitHub token\\]”",
        "alice: `list web-1 web-2 | count` → **ok**",
        "pipit: “2”",
        "bob: “that was it”",
        "alice: `echo soup` → **ok**",
        "bob: `echo thanks` → **ok**",
    ];
    assert!(order.windows(2).all(|pair| at(pair[0]) < at(pair[1])), "{page}");
    at("alice: “so we run \\`echo soup\\` now”");
    assert!(!page.contains("before anybody") && !page.contains("another room") && !page.contains("ghp_"), "{page}");
    assert_eq!(page.matches("from now on what is said here").count(), 1, "{page}");
    let html = site.home.run("audit timeline --room=#ops --format=html").well();
    assert!(html.contains("the database is &lt;slow&gt; &amp; *odd*") && html.contains("<tr class=said>"), "{html}");
    let there = site.home.run("audit timeline --room=test://#ops").well();
    assert!(there.contains("that was it") && there.contains("echo thanks"), "{there}");
    let elsewhere = site.home.run("audit timeline --room=other://#ops").well();
    assert!(!elsewhere.contains("that was it") && !elsewhere.contains("echo thanks"), "{elsewhere}");
    let bobs = site.home.run("audit timeline --user=bob").well();
    assert!(bobs.contains("that was it") && !bobs.contains("it began"), "{bobs}");
    // what a person said goes with their lines, and what a room said when it keeps nothing any more
    let said = site.home.run("audit erase bob 'they asked for it'").well();
    assert!(said.contains("messages of theirs in rooms"), "{said}");
    assert!(!timeline().contains("that was it") && timeline().contains("it began"), "{}", timeline());
    site.home.setup(&["room set test://#ops conversation=off"]);
    oscar.say("not any more");
    alice.say("!echo now");
    alice.expect("an answer", |heard| heard.text.ends_with("now"));
    assert!(!timeline().contains("it began") && !timeline().contains("not any more"), "{}", timeline());
}
