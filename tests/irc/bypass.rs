//! Rows of the bypass corpus that a chat service goes with, on a real server: who somebody is when names change hands, what
//! is a command and what is talk, other bots, and an approval from the request in a room to the run.
//!
//! Deliberately absent: rows of services that there are none of yet.

use std::path::{Path, PathBuf};

use super::home::{Said, field};
use super::peer::Peer;
use super::person::Person;
use super::site::Site;

fn data(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance").join(name);
    assert!(path.exists(), "{} is missing: the conformance data lies beside the repository", path.display());
    path
}

/// The fixture world on a network: its people have accounts there, alice has a second one.
async fn world() -> Site {
    let site = Site::with(&["alice", "alice2", "bob", "carol", "mallory", "robo", "chief"]).await;
    let text = std::fs::read_to_string(data("world/world.txt")).unwrap();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        Said::of(site.home.command(&["run", "--", line]).current_dir(data("world"))).well();
    }
    for name in ["alice", "bob", "carol", "mallory"] {
        site.home.setup(&[&format!("user link {name} irc://test/{name}")]);
    }
    site.home.setup(&["user link alice irc://test/alice2"]);
    site
}

/// Lines of people in the log that begin so: who, what, and how they ended.
fn logged(site: &Site, part: &str) -> Vec<[String; 3]> {
    let log = site.home.log();
    let rows = log.iter().filter(|row| field(row, "line").starts_with(part));
    rows.map(|row| ["who", "line", "ended"].map(|name| field(row, name).to_owned())).collect()
}

const DEPLOY: &str = "deploy:run api --env=prod";

#[tokio::test]
async fn a_name_is_nobody_until_the_network_vouches_for_it() {
    let site = world().await;
    let _shell = site.serve().await;
    let port = site.server.port;
    let people = [Person::login(port, "alice", "alicepw", "#ops"), Person::login(port, "mallory", "mallorypw", "#ops")];
    let [alice, mut mallory] = people.map(Person::arrived);

    // IDN-001: the nick of somebody who has left
    drop(alice);
    mallory.expect("her to be gone", |heard| heard.kind == "quit" && heard.who == "alice");
    mallory.rename("alice");
    let said = mallory.ask(&format!("!{DEPLOY}"));
    assert!(said.contains("mallory may not run deploy:run"), "{said}");
    let mut stranger = Person::stranger(port, "a1ice", "#ops").arrived();
    stranger.rename("alice_");
    let said = stranger.ask(&format!("!{DEPLOY}"));
    assert!(said.contains("alice_ may not run deploy:run"), "{said}");

    // IDN-002: an ident is what a client says of itself
    let mut ident = Peer::open(port).await;
    ident.send("NICK nobody\r\nUSER alice 0 * :alice").await;
    ident.expect(" 001 ").await;
    ident.send("JOIN #ops").await;
    ident.expect(" 366 ").await;
    ident.say(&format!("!{DEPLOY}")).await;
    assert!(ident.expect("nobody may not run deploy:run").await.contains("PRIVMSG #ops"));

    // IDN-004: the name of an administrator who was, with the account of before or as a user made anew
    site.home.setup(&[
        "user create chief && user link chief irc://test/chief && group add deployers chief",
        "user delete chief",
    ]);
    let mut chief = Person::login(port, "chief", "chiefpw", "#ops").arrived();
    let said = chief.ask(&format!("!{DEPLOY}"));
    assert!(said.contains("may not run deploy:run"), "{said}");
    site.home.setup(&["user create chief && user link chief irc://test/chief"]);
    chief.say(&format!("!{DEPLOY}"));
    chief.expect("a denial", |heard| heard.text.contains("chief~2 may not run deploy:run"));
    chief.tell("pipit", "history | count");
    let heard = chief.expect("how many lines are the new one's", |heard| heard.place == "chief");
    assert_eq!(heard.text, "1");

    // IDN-006: what a bridge relays is the bridge's talk
    stranger.say(&format!("<alice> !{DEPLOY}"));
    // IDN-008: an account is linked by whoever has both, or by who administers users
    chief.tell("pipit", "user link chief irc://test/mallory");
    chief.expect("a denial", |heard| heard.text.contains("may not run user:link"));
    chief.say("!link");
    chief.expect("a denial", |heard| heard.text.contains("a room is no place for this"));
    let ran = logged(&site, "deploy:run");
    assert!(ran.iter().all(|[_, line, ended]| line == DEPLOY && ended == "denied"), "{ran:?}");
    let who: Vec<&str> = ran.iter().map(|[who, ..]| who.as_str()).collect();
    assert_eq!(who, ["mallory", "?alice_", "?nobody", "irc://test/chief", "chief~2"]);
}

#[tokio::test]
async fn only_a_message_that_begins_with_a_command_is_one() {
    let site = world().await;
    let _shell = site.serve().await;
    let port = site.server.port;
    let people = [Person::login(port, "alice", "alicepw", "#ops"), Person::login(port, "mallory", "mallorypw", "#ops")];
    let [mut alice, mut mallory] = people.map(Person::arrived);
    // FMT-004: this service writes no entities
    assert_eq!(mallory.ask("!echo a &gt; #ops"), "a &gt; #ops");
    assert_eq!(alice.hears(), "a &gt; #ops");
    // FMT-006, FMT-008: in the midst of talk, and quoted
    for talk in [format!("Look at this: `!{DEPLOY}`"), format!("> !{DEPLOY}"), format!("he said !{DEPLOY}")] {
        alice.say(&talk);
    }
    // EVT-005: another bot, which the server knows as one
    let mut robo = Peer::login(port, "robo", "robopw", "#ops").await;
    robo.send("MODE robo +B").await;
    robo.expect("MODE robo").await;
    robo.say("!echo ping").await;
    // EVT-006: what the bot says itself
    assert!(alice.ask("!echo '!echo loop'").ends_with("!echo loop"));
    assert!(alice.ask("!echo done").ends_with("done"));
    assert_eq!(logged(&site, "deploy:run").len(), 0);
    assert_eq!(logged(&site, "echo ping").len(), 0);
    assert_eq!(logged(&site, "echo loop").len(), 0);
    // SEC-008: one's own lines, whatever one is called
    mallory.rename("root");
    mallory.tell("pipit", "!!");
    let heard = mallory.expect("the last line", |heard| heard.who == "pipit" && heard.kind.starts_with("priv"));
    assert_eq!(heard.text, "a &gt; #ops");
}

#[tokio::test]
async fn a_request_in_a_room_is_approved_of_by_another_and_runs_once() {
    let site = world().await;
    let _shell = site.serve().await;
    let port = site.server.port;
    let people = [
        Person::login(port, "alice", "alicepw", "#ops"),
        Person::login(port, "alice2", "alice2pw", "#ops"),
        Person::login(port, "carol", "carolpw", "#ops"),
        Person::login(port, "mallory", "mallorypw", "#ops"),
    ];
    let [mut alice, mut second, mut carol, mut mallory] = people.map(Person::arrived);
    // APR-001
    alice.say(&format!("!{DEPLOY}"));
    let request = carol.expect("the request", |heard| heard.text.contains("approve ") && heard.text.contains("until "));
    let vote = request.text.split("approve ").nth(1).and_then(|rest| rest.split(',').next()).unwrap();
    let vote = format!("approve {vote}");
    // APR-002, APR-003: neither the one who asked nor their other account
    alice.say(&format!("!{vote}"));
    alice.expect("a denial", |heard| heard.text.contains("nobody approves of what is their own"));
    second.say(&format!("!{vote}"));
    second.expect("a denial", |heard| heard.text.contains("nobody approves of what is their own"));
    mallory.say(&format!("!{vote}"));
    mallory.expect("nothing", |heard| heard.text.contains("there is no request"));
    // the code is part of it
    carol.tell("pipit", "approve 0000 0000");
    carol.expect("nothing", |heard| heard.text.contains("there is no request"));
    carol.tell("pipit", &vote);
    alice.expect("the answer", |heard| heard.place == "#ops" && heard.text.contains("deployed api to prod"));
    carol.expect("how it ended", |heard| heard.place == "carol" && heard.text.contains("it went well"));
    // APR-012
    carol.tell("pipit", &vote);
    carol.expect("a denial", |heard| heard.text.contains("counts once"));
    let ran = logged(&site, "deploy:run");
    let ended: Vec<&str> = ran.iter().map(|[_, _, ended]| ended.as_str()).collect();
    assert_eq!(ended, ["parked", "ok"], "{ran:?}");
    assert!(ran.iter().all(|[who, ..]| who == "alice"), "{ran:?}");
}
