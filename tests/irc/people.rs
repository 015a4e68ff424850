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
