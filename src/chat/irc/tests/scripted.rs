//! Against a scripted server, for what no real one can be made to do: history, repeats, lies, silence.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;

use super::peer::Peer;
use super::{Bot, bot, post};
use crate::chat::{Link, Place, Post};

/// The other end of a bot's connection.
struct Script {
    listener: TcpListener,
    bot: Bot,
}

const ALL: &str = "message-tags server-time account-tag batch sasl=PLAIN,EXTERNAL";

impl Script {
    async fn start(extra: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        Self { listener, bot: bot(&address, &format!("tls = false\n{extra}")) }
    }

    async fn accept(&self) -> Peer {
        Peer::over(self.listener.accept().await.unwrap().0)
    }

    /// Lets the bot in, offering these extensions and granting what it asks for.
    async fn welcome(&self, caps: &str) -> Peer {
        let mut server = self.accept().await;
        server.expect("CAP LS 302").await;
        let (first, rest) = caps.split_once(' ').unwrap_or((caps, ""));
        server.send(&format!(":s CAP * LS * :{first}\r\n:s CAP * LS :{rest}")).await;
        loop {
            let line = server.line().await.unwrap();
            if let Some(cap) = line.strip_prefix("CAP REQ :") {
                server.send(&format!(":s CAP * ACK :{cap} ")).await;
            } else if line == "CAP END" {
                break;
            }
        }
        server.send("@time=2026-01-01T00:00:00.000Z :s 001 pipit :hi").await;
        server.expect("JOIN #ops").await;
        server.send(":s 005 pipit CASEMAPPING=rfc1459 BOT=B :are").await;
        server.expect("MODE pipit +B").await;
        server.send("@time=2026-01-01T00:00:10.000Z :pipit!p@host JOIN #ops").await;
        self.bot.joined().await;
        server
    }
}

#[tokio::test]
async fn what_was_said_before_or_comes_again_does_not_run() {
    // EVT-002, EVT-009
    let mut script = Script::start("flood = { burst = 0 }").await;
    let mut server = script.welcome(ALL).await;
    for line in [
        ":s BATCH +h chathistory #ops",
        "@batch=h;time=2027-01-01T00:00:00.000Z :a!b@c PRIVMSG #ops :!say history",
        "@batch=h :s BATCH +inner draft/multiline #ops",
        "@batch=inner :a!b@c PRIVMSG #ops :!say inner",
        ":s BATCH -inner",
        ":s BATCH -h",
        "@time=2026-01-01T00:00:09.999Z :a!b@c PRIVMSG #ops :!say before the join",
        "@time=2025-12-31T00:00:00.000Z :a!b@c PRIVMSG pipit :say before the welcome",
        ":pipit!p@host PRIVMSG #ops :!say my own",
        ":PIPIT!p@host PRIVMSG pipit :say my own",
        "@bot :a!b@c PRIVMSG #ops :!say a bot",
        ":server.name PRIVMSG #ops :!say a server",
        ":a!b@c NOTICE #ops :!say a notice",
        ":pipit PRIVMSG #ops :!say my own",
        ":a!b@c PRIVMSG #elsewhere :!say a room I am not in",
        ":a!b@c PRIVMSG",
        ":a!b@c PRIVMSG #ops",
        "@msgid=1;time=2026-01-01T00:00:11.000Z :a!b@c PRIVMSG #ops :!say once",
        "@msgid=1;time=2026-01-01T00:00:11.000Z :a!b@c PRIVMSG #ops :!say once",
        "@msgid=2 :a!b@c PRIVMSG @#OPS :\x02!say\x02 to the ops",
    ] {
        server.send(line).await;
    }
    server.expect("PRIVMSG #ops :once").await;
    server.expect("PRIVMSG @#ops :to the ops").await;
    let first = script.bot.hears().await;
    assert_eq!((first.text.as_str(), first.key.as_deref(), first.at), ("say once", Some("1"), 1_767_225_611_000));
    assert_eq!(script.bot.hears().await.place, Place::Room("@#ops".into()));
    script.bot.heard_nothing_more();
}

#[tokio::test]
async fn an_account_counts_only_while_the_server_vouches() {
    let mut script = Script::start("flood = { burst = 0 }").await;
    let mut server = script.welcome(ALL).await;
    server.send("@account=al :a!b@c PRIVMSG #ops :!who\r\n@account=* :a!b@c PRIVMSG #ops :!who").await;
    server.send("@account :a!b@c PRIVMSG #ops :!who\r\n:s CAP pipit DEL :account-tag").await;
    server.send("@account=al :a!b@c PRIVMSG #ops :!who\r\n:s CAP pipit NEW :account-tag").await;
    server.expect("CAP REQ :account-tag").await;
    server.send("@account=al :a!b@c PRIVMSG #ops :!who\r\n:s CAP pipit ACK :account-tag").await;
    server.send("@account=al :a!b@c PRIVMSG #ops :!who").await;
    let mut accounts = Vec::new();
    for _ in 0..6 {
        accounts.push(script.bot.hears().await.sender.account.map(String::from));
    }
    let al = || Some("al".to_owned());
    assert_eq!(accounts, [al(), None, None, None, None, al()]);
}

#[tokio::test]
async fn a_ping_waits_for_no_queue() {
    let script = Script::start("flood = { burst = 1, every = '5s' }").await;
    let mut server = script.welcome("").await;
    server.send(":a!b@c PRIVMSG #ops :!lines 30\r\n:a!b@c PRIVMSG #ops :!lines 30").await;
    server.expect("line 0").await;
    let start = Instant::now();
    server.send("PING :are you there").await;
    let line = server.line().await.unwrap();
    assert_eq!(line, "PONG :are you there");
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_long_password_goes_in_pieces_and_a_refusal_ends_it() {
    let file = tempfile::NamedTempFile::new().unwrap();
    // 300 bytes with the account: exactly one full piece in base64, which an empty one has to end
    std::fs::write(file.path(), format!("{}\n", "p".repeat(296))).unwrap();
    let sasl = format!("sasl = {{ account = 'ab', password-file = '{}' }}", file.path().display());
    let script = Script::start(&sasl).await;
    let mut server = script.accept().await;
    server.send(&format!(":s CAP * LS :{ALL}")).await;
    server.expect("CAP REQ :sasl").await;
    server.send(":s CAP * ACK :sasl").await;
    server.expect("AUTHENTICATE PLAIN").await;
    server.send("AUTHENTICATE :+").await;
    assert_eq!(server.expect("AUTHENTICATE").await.len(), "AUTHENTICATE ".len() + 400);
    assert_eq!(server.line().await.unwrap(), "AUTHENTICATE +");
    // a server that lets it in all the same
    server.send(":s 904 pipit :no\r\n:s 001 pipit :hi\r\n:s 376 pipit :end").await;
    let state = script.bot.until("refused", |state| matches!(state.link, Link::Waiting { .. })).await;
    assert_eq!(state.last_error.as_deref(), Some("the server does not take the account: no"));
    assert_eq!(server.line().await.as_deref(), Some("QUIT :bye"));

    for refusal in [":s CAP * NAK :sasl", ":s 001 pipit :hi"] {
        let script = Script::start(&sasl).await;
        let mut server = script.accept().await;
        server.send(&format!(":s CAP * LS :{ALL}")).await;
        server.expect("CAP REQ :sasl").await;
        server.send(refusal).await;
        server.expect("QUIT").await;
        script.bot.until("refused", |state| matches!(state.link, Link::Waiting { .. })).await;
    }
}

#[tokio::test]
async fn a_broken_line_ends_itself_only_and_a_kick_is_told() {
    let mut script = Script::start("flood = { burst = 0 }").await;
    let mut server = script.welcome("").await;
    server.send(":a!b@c PRIVMSG #ops :!boom\r\n:a!b@c PRIVMSG #ops :!say alive").await;
    server.expect("the line broke off").await;
    server.expect("PRIVMSG #ops :alive").await;
    server.send(":op!b@c KICK #ops pipit :out\r\n:a!b@c PRIVMSG #ops :!say heard").await;
    let state = script.bot.until("out", |state| state.rooms.is_empty()).await;
    assert!(matches!(state.link, Link::Connected { .. }));
    script.bot.until("told", |state| state.last_error.as_deref() == Some("kicked from #ops: out")).await;
    server.send("ERROR :Closing link").await;
    let state = script.bot.until("lost", |state| !matches!(state.link, Link::Connected { .. })).await;
    assert_eq!(state.last_error.as_deref(), Some("the server hung up: Closing link"));
    assert_eq!(script.bot.hears().await.text, "boom");
    assert_eq!(script.bot.hears().await.text, "say alive");
    script.bot.heard_nothing_more();
}

#[tokio::test]
async fn lines_of_one_keep_their_order_and_nobody_waits_for_another() {
    let script = Script::start("flood = { burst = 0 }").await;
    let mut server = script.welcome("").await;
    let start = Instant::now();
    let mut lines = String::new();
    for sender in 0..64 {
        for (line, wait) in [(1, 200), (2, 100), (3, 0)] {
            write!(lines, ":n{sender}!b@c PRIVMSG #ops :!wait {wait} {sender}/{line}\r\n").unwrap();
        }
    }
    server.bytes(lines.as_bytes()).await;
    let mut next = [1; 64];
    for _ in 0..64 * 3 {
        let said = server.expect("PRIVMSG #ops :").await;
        let (sender, line) = said.rsplit_once(':').unwrap().1.trim().split_once('/').unwrap();
        let next = &mut next[sender.parse::<usize>().unwrap()];
        assert_eq!(line.parse::<i32>().unwrap(), *next);
        *next += 1;
    }
    println!("64 senders with 300 ms of lines each: {:?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn too_many_lines_are_refused_aloud() {
    let script = Script::start("flood = { burst = 0 }").await;
    let mut server = script.welcome("").await;
    server.bytes(":a!b@c PRIVMSG #ops :!wait 300 x\r\n".repeat(300).as_bytes()).await;
    server.expect("NOTICE #ops :a: too many of your lines wait").await;
    server.expect_no("NOTICE", Duration::from_millis(100)).await;
}

#[tokio::test]
async fn nothing_said_becomes_a_command_to_the_server() {
    let script = Script::start("flood = { burst = 0 }").await;
    let mut server = script.welcome("").await;
    let text = "one\r\nQUIT :x\n\u{1}VERSION\u{1}\n\0JOIN #x\n\n \n\u{1b}[31mred";
    script.bot.handle.post(post(Place::Room("#ops".into()), text)).unwrap();
    let mut said = Vec::new();
    for _ in 0..5 {
        said.push(server.line().await.unwrap());
    }
    let expected = ["one", "QUIT :x", "VERSION", "JOIN #x", "[31mred"].map(|text| format!("PRIVMSG #ops :{text}"));
    assert_eq!(said, expected);
    assert!(script.bot.handle.post(post(Place::Room("#ops,#a".into()), "x")).is_err());
}

#[tokio::test]
async fn places_take_turns_and_a_chatty_bot_is_not_answered_for_ever() {
    let script = Script::start("flood = { burst = 1, every = '20ms' }").await;
    let mut server = script.welcome("").await;
    server.send(":a!b@c PRIVMSG #ops :!lines 30").await;
    server.expect("line 2").await;
    server.send(":b!b@c PRIVMSG pipit :say quick").await;
    let mut before = 0;
    while !server.line().await.unwrap().ends_with("PRIVMSG b :quick") {
        before += 1;
    }
    assert!(before < 6, "{before} lines came first");
    server.expect("line 29").await;
    for number in 0..25 {
        server.send(&format!(":robot!b@c PRIVMSG pipit :say {number}")).await;
        let verb = if number < 20 { "PRIVMSG" } else { "NOTICE" };
        server.expect(&format!("{verb} robot :{number}")).await;
    }
}

#[tokio::test]
async fn one_message_of_several_lines_is_one_line_and_one_answer() {
    let mut script = Script::start("flood = { burst = 0 }").await;
    let mut server = script.welcome(&format!("{ALL} draft/multiline=max-bytes=100,max-lines=3")).await;
    for line in [
        "@msgid=7;account=al :a!b@c BATCH +x draft/multiline #ops",
        "@batch=x :a!b@c PRIVMSG #ops :!nothing",
        ":b!b@c PRIVMSG #ops :!say between",
        "@batch=x :a!b@c PRIVMSG #ops :4",
        "@batch=x;draft/multiline-concat :a!b@c PRIVMSG #ops : ",
        ":s BATCH -x",
        ":a!b@c BATCH +y draft/multiline pipit",
        "@batch=y :a!b@c PRIVMSG pipit :say one",
        ":s BATCH -y",
    ] {
        server.send(line).await;
    }
    assert_eq!(script.bot.hears().await.text, "say between");
    let message = script.bot.hears().await;
    assert_eq!((message.text.as_str(), message.key.as_deref()), ("nothing\n4", Some("7")));
    assert_eq!(message.sender.account.as_deref(), Some("al"));
    assert_eq!(script.bot.hears().await.place, Place::Direct("a".into()));
    // somebody else has spoken since
    server.expect("PRIVMSG #ops :b: between").await;
    script.bot.handle.post(post(Place::Room("#ops".into()), "a\nb\nc\nd")).unwrap();
    server.expect("PRIVMSG a :one").await;
    let mut said = Vec::new();
    for _ in 0..6 {
        said.push(server.line().await.unwrap());
    }
    let expected = [
        "BATCH +1 draft/multiline #ops",
        "@batch=1 PRIVMSG #ops :a",
        "@batch=1 PRIVMSG #ops :b",
        "@batch=1 PRIVMSG #ops :c",
        "BATCH -1",
        "PRIVMSG #ops :d",
    ];
    assert_eq!(said, expected);
}

#[tokio::test]
async fn a_server_that_reads_late_gets_all_of_it() {
    let script = Script::start("flood = { burst = 0 }").await;
    let mut server = script.welcome("").await;
    server.send(":a!b@c PRIVMSG #ops :!lines 200000").await;
    // more than any socket buffers
    tokio::time::sleep(Duration::from_millis(500)).await;
    for number in 0..200_000 {
        assert!(server.line().await.unwrap().ends_with(&format!(":line {number}")));
    }
    server.send(":a!b@c PRIVMSG #ops :!say well").await;
    server.expect(":well").await;
}

#[tokio::test]
async fn an_answer_follows_a_person_and_no_name() {
    let script = Script::start("flood = { burst = 0 }").await;
    let mut server = script.welcome("").await;
    for line in [
        ":alice!b@c PRIVMSG pipit :wait 300 for alice",
        ":gone!b@c PRIVMSG pipit :wait 300 for one who left",
        ":alice!b@c NICK :wonder",
        ":wonder!b@c NICK land",
        ":mallory!b@c NICK alice",
        ":gone!b@c QUIT :bye",
        ":gone!b@c PRIVMSG pipit :wait 400 for one who came",
        ":alice!b@c PRIVMSG pipit :wait 400 for the new alice",
    ] {
        server.send(line).await;
    }
    let mut said = Vec::new();
    for _ in 0..3 {
        said.push(server.line().await.unwrap());
    }
    said.sort();
    let expected = ["PRIVMSG alice :for the new alice", "PRIVMSG gone :for one who came", "PRIVMSG land :for alice"];
    assert_eq!(said, expected);
}

#[tokio::test]
async fn a_post_to_one_person_follows_them_too() {
    let mut script = Script::start("flood = { burst = 0 }").await;
    let mut server = script.welcome("").await;
    for line in [":alice!b@c PRIVMSG #ops :!nothing", ":gone!b@c PRIVMSG #ops :!nothing"] {
        server.send(line).await;
    }
    let (alice, gone) = (script.bot.hears().await, script.bot.hears().await);
    for line in [
        ":alice!b@c NICK land",
        ":gone!b@c QUIT :bye",
        ":mallory!b@c NICK gone",
        ":mallory!b@c NICK alice",
        ":x!b@c PRIVMSG #ops :!nothing",
    ] {
        server.send(line).await;
    }
    script.bot.hears().await;
    for (name, heard, text) in [("gone", gone.heard, "lost"), ("alice", alice.heard, "for alice")] {
        let post = Post { place: Place::Direct(name.into()), text: text.into(), heard: Some(heard), said: None };
        script.bot.handle.post(post).unwrap();
    }
    assert_eq!(server.line().await.unwrap(), "PRIVMSG land :for alice");
}

#[tokio::test]
async fn what_the_asker_says_next_answers_a_question() {
    let mut script = Script::start("flood = { burst = 0 }").await;
    let mut server = script.welcome(ALL).await;
    let heard = async |script: &mut Script| script.bot.hears().await.text;
    let asks = "PRIVMSG #ops :which TEXT?";
    server.send("@account=al :a!b@c PRIVMSG #ops :!lack").await;
    assert_eq!(heard(&mut script).await, "lack");
    server.expect(asks).await;
    // others, the asker elsewhere, and the asker's name under another account answer nothing
    server.send("@account=bo :b!b@c PRIVMSG #ops :no\r\n@account=bo :a!b@c PRIVMSG #ops :no").await;
    server.send("@account=al :a!b@c PRIVMSG pipit :say elsewhere").await;
    assert_eq!(heard(&mut script).await, "say elsewhere");
    server.send("@account=al :wonder!b@c PRIVMSG #ops :it's | echo x").await;
    assert_eq!(heard(&mut script).await, "say \"it's | echo x\"");
    server.expect("it's | echo x").await;
    server.send("@account=al :a!b@c PRIVMSG #ops :talk again").await;

    server.send("@account=al :a!b@c PRIVMSG #ops :!lack").await;
    server.expect(asks).await;
    server.send("@account=al :a!b@c PRIVMSG #ops :Cancel").await;
    server.expect("PRIVMSG #ops :a: cancelled; nothing ran").await;
    server.send("@account=al :a!b@c PRIVMSG #ops :talk\r\n@account=al :a!b@c PRIVMSG #ops :!lack").await;
    server.expect(asks).await;
    server.send("@account=al :a!b@c PRIVMSG #ops :!say instead\r\n@account=al :a!b@c PRIVMSG #ops :talk").await;
    server.expect("PRIVMSG #ops :instead").await;

    // in private every message is a line, but for the next one; a name that was left was not asked
    server.send(":s!b@c PRIVMSG pipit :lack").await;
    server.expect("PRIVMSG s :which TEXT?").await;
    server.send(":s!b@c PRIVMSG pipit :say this").await;
    server.expect("say this'").await;
    server.send(":s!b@c PRIVMSG pipit :lack").await;
    server.expect("PRIVMSG s :which TEXT?").await;
    server.send(":s!b@c QUIT :bye\r\n:s!b@c PRIVMSG pipit :say new").await;
    server.expect("PRIVMSG s :new").await;
    for text in ["lack", "lack", "say instead", "lack", "say 'say this'", "lack", "say new"] {
        assert_eq!(heard(&mut script).await, text);
    }
    script.bot.heard_nothing_more();
}

#[tokio::test]
async fn a_line_shows_life_before_all_that_waits() {
    let script = Script::start("flood = { burst = 1, every = '5s' }").await;
    let mut server = script.welcome("").await;
    server.send(":a!b@c PRIVMSG #ops :!lines 200").await;
    server.expect("line 0").await;
    // 199 wait, and the next of them for five seconds
    server.send(":b!b@c PRIVMSG #ops :!live").await;
    assert_eq!(server.line().await.unwrap(), "PRIVMSG #ops :it runs");
}
