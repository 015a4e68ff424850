//! Against `ngIRCd`: no tags, so nobody is anybody; and a server that hangs up on a line too long.

use std::time::Instant;

use super::bot;
use super::peer::Peer;
use super::post;
use super::servers::Ngircd;
use crate::chat::{Link, Place};

#[tokio::test]
async fn without_tags_everybody_is_a_stranger() {
    let server = Ngircd::start().await;
    let mut bot = bot(&format!("127.0.0.1:{}", server.port), "tls = false\nflood = { burst = 0 }");
    bot.joined().await;
    let mut alice = Peer::join(server.port, "alice", "#ops").await;
    alice.say("!who").await;
    assert_eq!(alice.hears("pipit").await, "alice is None");
    alice.send("PRIVMSG Pipit :who").await;
    alice.expect("PRIVMSG alice :alice is None").await;
    let message = bot.hears().await;
    assert_eq!((message.key, message.sender.account), (None, None));
    alice.send("PRIVMSG #OPS :!say same room").await;
    assert_eq!(alice.hears("pipit").await, "same room");
    assert_eq!(bot.hears().await.place, Place::Direct("alice".into()));
    assert_eq!(bot.hears().await.place, Place::Room("#ops".into()));
    alice.bytes(b"PRIVMSG #ops :!say \xff\xfe\r\n").await;
    assert!(alice.hears("pipit").await.contains("no UTF-8"));
    bot.heard_nothing_more();
}

#[tokio::test]
async fn no_line_is_too_long_for_the_server() {
    let server = Ngircd::start().await;
    let bot = bot(&format!("127.0.0.1:{}", server.port), "tls = false\nflood = { burst = 0 }");
    bot.joined().await;
    let mut alice = Peer::join(server.port, "alice", "#ops").await;
    for text in ["x".repeat(5000), "wörd ".repeat(800)] {
        bot.handle.post(post(Place::Room("#ops".into()), &format!("{text}\nend"))).unwrap();
        let mut got = String::new();
        loop {
            let said = alice.hears("pipit").await;
            if said == "end" {
                break;
            }
            got.push_str(&said);
        }
        assert_eq!(got.replace(' ', ""), text.replace(' ', ""));
    }
    assert!(matches!(bot.handle.state().link, Link::Connected { .. }));
    assert_eq!(bot.handle.state().last_error, None);
}

#[tokio::test]
async fn the_usual_pace_is_borne_by_a_server_as_it_comes() {
    let server = Ngircd::with_penalties().await;
    let bot = bot(&format!("127.0.0.1:{}", server.port), "tls = false");
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
async fn an_account_is_not_asked_for_where_there_is_none() {
    let server = Ngircd::start().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "pw").unwrap();
    let sasl = format!("tls = false\nsasl = {{ account = 'a', password-file = '{}' }}", file.path().display());
    let bot = bot(&format!("127.0.0.1:{}", server.port), &sasl);
    let state = bot.until("refused", |state| matches!(state.link, Link::Waiting { .. })).await;
    assert!(state.last_error.unwrap().contains("no login by sasl"));
}
