//! Against `InspIRCd` with services: who somebody is, TLS, long lines, restarts, flood.

use std::time::{Duration, Instant};

use super::peer::Peer;
use super::servers::{Inspircd, Pace};
use super::{bot, post};
use crate::chat::{Link, Place};

const PLAIN: &str = "tls = false\nflood = { burst = 0 }";

#[tokio::test]
async fn an_account_is_proof_and_a_nick_is_none() {
    let server = Inspircd::start().await;
    let _services = server.services().await;
    server.account("pipit", "botpw").await;
    server.account("alice", "alicepw").await;
    let more = format!(
        "ca-file = '{}'\nsasl = {{ account = 'pipit', password-file = '{}' }}\nflood = {{ burst = 0 }}",
        server.ca().display(),
        server.password("botpw").display()
    );
    let mut bot = bot(&format!("localhost:{}", server.tls_port), &more);
    bot.joined().await;

    let mut alice = Peer::login(server.port, "alice", "alicepw", "#ops").await;
    alice.say("!who").await;
    assert_eq!(alice.hears("pipit").await, "alice is Some(\"alice\")");
    alice.send("WHOIS pipit").await;
    alice.expect(" 330 alice pipit pipit :").await;
    let message = bot.hears().await;
    assert_eq!((message.service.as_str(), &message.place), ("test", &Place::Room("#ops".into())));
    assert!(message.key.is_some());
    assert!((crate::chat::session::now() - message.at).abs() < 60_000);

    // under another name she is who she is, and whoever takes her name is nobody
    alice.send("NICK wonder").await;
    alice.expect("NICK").await;
    let mut mallory = Peer::join(server.port, "mallory", "#ops").await;
    mallory.send("NICK alice").await;
    mallory.expect("NICK").await;
    mallory.say("!who").await;
    assert_eq!(mallory.hears("pipit").await, "alice is None");
    alice.send("PRIVMSG pipit :who").await;
    assert_eq!(alice.expect("PRIVMSG wonder").await.rsplit(" :").next(), Some("wonder is Some(\"alice\")"));
    // tags that a client makes up are no proof either
    let mut forger = Peer::open(server.port).await;
    forger.send("CAP REQ :message-tags\r\nNICK forger\r\nUSER f 0 * :f\r\nCAP END").await;
    forger.expect(" 001 ").await;
    forger.send("JOIN #ops").await;
    forger.expect(" 366 ").await;
    forger.send("@account=alice;+account=alice PRIVMSG #ops :!who").await;
    assert_eq!(forger.hears("pipit").await, "forger is None");
}

#[tokio::test]
async fn a_wrong_password_is_the_end_of_the_connection() {
    let server = Inspircd::start().await;
    let _services = server.services().await;
    server.account("pipit", "botpw").await;
    let mut watcher = Peer::join(server.port, "watcher", "#ops").await;
    let sasl = |password| {
        let file = server.password(password);
        format!("tls = false\nsasl = {{ account = 'pipit', password-file = '{}' }}", file.display())
    };
    let wrong = bot(&server.address(), &sasl("wrong"));
    let state = wrong.until("refused", |state| matches!(state.link, Link::Waiting { .. })).await;
    let error = state.last_error.unwrap();
    assert!(error.contains("does not take the account"), "{error}");
    watcher.expect_no("JOIN", Duration::from_millis(500)).await;
    watcher.send("WHOIS pipit").await;
    watcher.expect(" 401 ").await;
    wrong.handle.stop().await;
    let right = bot(&server.address(), &sasl("botpw"));
    right.joined().await;
    watcher.expect(":pipit!").await;
}

#[tokio::test]
async fn no_services_is_no_connection_for_a_bot_with_an_account() {
    let server = Inspircd::start().await;
    let file = server.password("botpw");
    let more = format!("tls = false\nsasl = {{ account = 'pipit', password-file = '{}' }}", file.display());
    let bot = bot(&server.address(), &more);
    let state = bot.until("refused", |state| matches!(state.link, Link::Waiting { .. })).await;
    assert!(state.last_error.unwrap().contains("no login by sasl"));
}

#[tokio::test]
async fn a_server_nobody_vouches_for_is_refused() {
    let (server, other) = (Inspircd::start().await, Inspircd::start().await);
    for (host, ca) in [("localhost", other.ca()), ("127.0.0.2", server.ca())] {
        let bot = bot(&format!("{host}:{}", server.tls_port), &format!("ca-file = '{}'", ca.display()));
        let state = bot.until("refused", |state| state.last_error.is_some()).await;
        let error = state.last_error.unwrap();
        assert!(error.contains("no TLS with") || error.contains("no connection"), "{error}");
    }
    let bot = bot(&format!("localhost:{}", server.tls_port), "ca-file = '/nowhere.pem'");
    let state = bot.until("refused", |state| state.last_error.is_some()).await;
    assert!(state.last_error.unwrap().contains("/nowhere.pem"));
}

#[tokio::test]
async fn long_lines_arrive_whole() {
    let server = Inspircd::start().await;
    let bot = bot(&server.address(), PLAIN);
    bot.joined().await;
    let mut alice = Peer::join(server.port, "alice", "#ops").await;
    let texts =
        ["äöü€ 😀 wörter ".repeat(90), "€".repeat(700), "😀".repeat(300), "e\u{301}".repeat(500), "x".repeat(3000)];
    for (number, text) in texts.iter().enumerate() {
        bot.handle.post(post(Place::Room("#ops".into()), &format!("{text}\nend {number}"))).unwrap();
        let mut got = String::new();
        loop {
            let line = alice.expect(":pipit!").await;
            assert!(line.len() + 2 <= 512);
            let said = line.splitn(4, ' ').nth(3).unwrap()[1..].to_owned();
            if said == format!("end {number}") {
                break;
            }
            // full, as far as words allow
            assert!(said.len() > 300 || got.len() + said.len() > text.len() - 100, "{said}");
            got.push_str(&said);
        }
        assert_eq!(got.replace(' ', ""), text.replace(' ', ""));
    }
}

#[tokio::test]
async fn a_new_host_changes_what_fits() {
    let server = Inspircd::start().await;
    let bot = bot(&server.address(), PLAIN);
    bot.joined().await;
    let mut alice = Peer::join(server.port, "alice", "#ops").await;
    bot.handle.post(post(Place::Room("#ops".into()), &"a".repeat(600))).unwrap();
    assert_eq!(alice.expect("PRIVMSG").await.len() + 2, 512);
    alice.expect("PRIVMSG").await;
    alice.send("OPER root oper").await;
    alice.expect(" 381 ").await;
    let host = format!("{}.test", "long".repeat(12));
    alice.send(&format!("CHGHOST pipit {host}")).await;
    // the order and the line come to the bot one after the other
    alice.say(&format!("!say {}", "b".repeat(440))).await;
    let first = alice.expect("PRIVMSG").await;
    assert!(first.contains(&host) && first.len() + 2 <= 512, "{first}");
    let rest = alice.hears("pipit").await;
    assert_eq!(first.matches('b').count() + rest.len(), 440);
}

#[tokio::test]
async fn a_restart_is_survived() {
    let mut server = Inspircd::start().await;
    let bot = bot(&server.address(), PLAIN);
    bot.joined().await;
    server.down();
    let state = bot.until("lost", |state| !matches!(state.link, Link::Connected { .. })).await;
    assert!(state.last_error.is_some() && state.rooms.is_empty());
    assert!(bot.handle.post(post(Place::Room("#ops".into()), "hi")).is_err());
    server.up().await;
    let back = Instant::now();
    bot.joined().await;
    println!("back in the room {:?} after the server", back.elapsed());
    let mut alice = Peer::join(server.port, "alice", "#ops").await;
    alice.say("pipit: say back").await;
    assert_eq!(alice.hears("pipit").await, "back");
}

#[tokio::test]
async fn an_answer_outlives_its_connection_in_rooms_only() {
    let mut server = Inspircd::start().await;
    let mut bot = bot(&server.address(), PLAIN);
    bot.joined().await;
    let mut alice = Peer::join(server.port, "alice", "#ops").await;
    alice.say("!wait 4000 for all").await;
    alice.send("PRIVMSG pipit :wait 1 secret").await;
    alice.send("PRIVMSG pipit :wait 100 secret").await;
    bot.hears().await;
    server.down();
    bot.until("lost", |state| !matches!(state.link, Link::Connected { .. })).await;
    server.up().await;
    let mut alice = Peer::join(server.port, "alice", "#ops").await;
    assert_eq!(alice.hears("pipit").await, "for all");
    alice.expect_no("secret", Duration::from_millis(300)).await;
}

#[tokio::test]
async fn a_long_answer_does_not_flood() {
    // 20 lines at once, then 10 a second; whoever says more is thrown out
    let server = Inspircd::paced(&Pace(20, 10_000, false)).await;
    let mut rude = Peer::join(server.port, "rude", "#ops").await;
    rude.send(&vec!["PRIVMSG #ops :flood"; 40].join("\r\n")).await;
    rude.expect("ERROR").await;

    let bot = bot(&server.address(), "tls = false\nflood = { burst = 4, every = '120ms' }");
    bot.joined().await;
    let mut alice = Peer::join(server.port, "alice", "#ops").await;
    let start = Instant::now();
    alice.say("!lines 40").await;
    for number in 0..40 {
        assert_eq!(alice.hears("pipit").await, format!("line {number}"));
    }
    println!("40 lines in {:?}", start.elapsed());
    assert!(start.elapsed() > Duration::from_millis(36 * 120 - 50));
    assert!(matches!(bot.handle.state().link, Link::Connected { .. }));
    assert_eq!(bot.handle.state().last_error, None);
}

#[tokio::test]
async fn the_usual_pace_is_borne_by_a_server_as_it_comes() {
    // ten at once, then one a second
    let server = Inspircd::paced(&Pace(10, 1000, true)).await;
    let bot = bot(&server.address(), "tls = false");
    bot.joined().await;
    let mut alice = Peer::join(server.port, "alice", "#ops").await;
    let start = Instant::now();
    alice.say("!lines 16").await;
    for number in 0..16 {
        assert_eq!(alice.hears("pipit").await, format!("line {number}"));
    }
    println!("16 lines in {:?}", start.elapsed());
    assert_eq!(bot.handle.state().last_error, None);
}

#[tokio::test]
async fn a_command_right_after_talk_is_answered_at_once() {
    let server = Inspircd::start().await;
    let bot = bot(&server.address(), PLAIN);
    bot.joined().await;
    let mut alice = Peer::join(server.port, "alice", "#ops").await;
    let mut times = Vec::new();
    for number in 0..40 {
        alice.say("just talk").await;
        tokio::time::sleep(Duration::from_millis(3)).await;
        let start = Instant::now();
        alice.say(&format!("!say {number}")).await;
        assert_eq!(alice.hears("pipit").await, number.to_string());
        times.push(start.elapsed());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    times.sort();
    println!("answer after talk: median {:?}, slowest {:?}", times[20], times[39]);
    assert!(times[20] < Duration::from_millis(20), "{times:?}");
}

#[tokio::test]
async fn nobody_runs_notices_bots_or_what_is_no_command() {
    let server = Inspircd::start().await;
    let mut one = bot(&server.address(), PLAIN);
    one.joined().await;
    let mut other = bot(&server.address(), &format!("{PLAIN}\nnick = 'robin'"));
    other.joined().await;
    let mut alice = Peer::join(server.port, "alice", "#ops").await;
    alice.send("NOTICE #ops :!say a\r\nNOTICE pipit :say b\r\nPRIVMSG pipit :\x01VERSION\x01").await;
    alice.say("\x01ACTION !say c\x01").await;
    alice.say("no !say d").await;
    alice.say("!").await;
    // each bot says what would be a command if a person said it
    alice.say("pipit: say !say e").await;
    assert_eq!(alice.hears("pipit").await, "!say e");
    alice.say("robin, say pipit: say f").await;
    assert_eq!(alice.hears("robin").await, "pipit: say f");
    alice.say("pipit: say done").await;
    assert_eq!(alice.hears("pipit").await, "done");
    assert_eq!(one.hears().await.text, "say !say e");
    assert_eq!(one.hears().await.text, "say done");
    assert_eq!(other.hears().await.text, "say pipit: say f");
    one.heard_nothing_more();
    other.heard_nothing_more();
}

#[tokio::test]
async fn a_taken_nick_is_taken_back_and_stop_says_goodbye() {
    let server = Inspircd::start().await;
    let mut thief = Peer::join(server.port, "pipit", "#ops").await;
    let mut bot = bot(&server.address(), PLAIN);
    bot.joined().await;
    thief.say("pipit: say mine").await;
    thief.say("pipit_: say yours").await;
    assert_eq!(thief.hears("pipit_").await, "yours");
    bot.handle.post(post(Place::Direct("pipit".into()), "psst\nand more")).unwrap();
    thief.expect("PRIVMSG pipit :psst").await;
    thief.expect("PRIVMSG pipit :and more").await;
    thief.send("NICK thief").await;
    thief.expect(":pipit_!pipit@127.0.0.1 NICK :pipit").await;
    let is_pipit = |state: &crate::chat::State| matches!(&state.link, Link::Connected { nick, .. } if nick == "pipit");
    bot.until("pipit again", is_pipit).await;
    thief.say("pipit: wait 300 last words").await;
    bot.hears().await;
    bot.hears().await;
    bot.handle.stop().await;
    assert_eq!(thief.hears("pipit").await, "last words");
    thief.expect("QUIT :bye").await;
}
