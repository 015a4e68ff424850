//! Requests and votes, through the engine as every way in uses it. The witness is a note: `my done = x` is guarded, and
//! the note is there when it ran.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;

use pipit_commands::{Error, ErrorKind};
use pipit_grammar::rule::Place;

use crate::access::Identity;
use crate::engine::tests::{Site, denied};
use crate::engine::{Address, Outlet, Running};
use crate::limits;
use crate::store::{Change, Expect};

const GUARD: &str = "rule create \"when command is my:my require approval 1 from checker\"";

/// alice may ask; carol, dave and alice may vote; the guard is there.
async fn site() -> Site {
    Site::new(&[
        "user create alice && user create bob && user create carol && user create dave",
        "group create checkers && role create checker && role give checker checkers",
        "group add checkers carol && group add checkers dave && group add checkers alice",
        "user link alice chat://net/alice && user link alice chat://other/al",
        "user link carol chat://net/carol",
        GUARD,
    ])
    .await
}

impl Site {
    /// A line that has to wait; the line that approves of it.
    async fn asks(&self, who: &str, line: &str) -> String {
        let heard = self.says(who, line).await;
        assert_eq!(heard.end, Some(ErrorKind::Parked), "{line}: {}", heard.text);
        vote(&heard.text)
    }

    /// How many of alice's lines with this in them went well.
    async fn went_well(&self, part: &str) -> String {
        self.operator(&format!("audit list --user=alice --ended=ok --count=500 | grep --field=line '{part}' | count"))
            .await
    }
}

/// The line in the text of a request that approves of it.
fn vote(text: &str) -> String {
    let from = text.find("approve ").unwrap_or_else(|| panic!("no request: {text}"));
    text[from..].split(',').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_line_waits_and_runs_once_as_its_requester() {
    let site = site().await;
    let approve = site.asks("alice", "my done = yes").await;
    assert_eq!(site.went_well("done =").await, "0");
    let heard = site.says("carol", &approve).await;
    assert!(heard.end.is_none() && heard.text.contains("ran as"), "{heard:?}");
    assert_eq!(site.went_well("done =").await, "1");
    denied(&site.says("carol", &approve).await, "counts once");
    denied(&site.says("dave", &approve).await, "counts once");
    // the line of before is no free pass for another one
    assert_eq!(site.says("alice", "my done = yes").await.end, Some(ErrorKind::Parked));
    let log = site.operator("audit list --user=alice | where line='my done = yes' | get ended").await;
    assert_eq!(log, "parked\nok\nparked");
}

#[tokio::test]
async fn who_has_all_lines_running_still_looks_stops_and_has_what_was_approved() {
    let site = site().await;
    let approve = site.asks("alice", "my done = yes").await;
    for at in 0..limits::RUNNING_USER {
        let (kill, _) = tokio::sync::oneshot::channel();
        let (who, text) = ("alice".into(), "sleep 1h".to_owned());
        let line =
            Running { who, service: "net".into(), room: "dev".into(), text, since: 0, shown: Arc::default(), kill };
        site.engine.running().insert(format!("LINE{at}"), line);
    }
    for line in ["echo a", "ps | sleep 1h", "list 1 | each { ps }"] {
        let heard = site.says("alice", line).await;
        assert!(heard.end == Some(ErrorKind::Refused) && heard.text.contains("lines run already"), "{heard:?}");
    }
    assert_eq!(site.says("bob", "echo a").await.end, None);
    let heard = site.says("carol", &approve).await;
    assert!(heard.end.is_none() && heard.text.contains("it went well"), "{heard:?}");
    let heard = site.says("alice", "ps").await;
    assert!(heard.end.is_none() && heard.text.contains("LINE0"), "{heard:?}");
    assert_eq!(site.says("alice", "kill LINE0").await.end, None);
    assert_eq!(site.says("alice", "echo a").await.end, None);
}

#[tokio::test]
async fn nobody_approves_of_their_own() {
    let site = site().await;
    let account = |name: &str| Identity::Account(name.into());
    let asked = site.hears(account("chat://net/alice"), "my done = yes").await;
    let approve = vote(&asked.text);
    denied(&site.says("alice", &approve).await, "their own");
    // not by another account either, and not from another service
    denied(&site.hears(account("chat://other/al"), &approve).await, "their own");
    denied(&site.hears(account("chat://net/alice"), &approve).await, "their own");
    // those who are nobody, and those who are no checkers
    for identity in [account("chat://net/x"), Identity::Stranger("carol".into())] {
        let heard = site.hears(identity, &approve).await;
        assert_eq!(heard.end, Some(ErrorKind::Denied), "{heard:?}");
    }
    denied(&site.hears(Identity::Operator, &approve).await, "takes the role checker");
    assert_eq!(site.says("bob", &approve).await.end, Some(ErrorKind::Failed));
    assert_eq!(site.went_well("done =").await, "0");
}

#[tokio::test]
async fn a_vote_is_typed_by_hand_and_alone() {
    let site = site().await;
    let approve = site.asks("alice", "my done = yes").await;
    let (command, words) = approve.split_once(' ').unwrap();
    let (id, code) = words.split_once(' ').unwrap();
    for line in [
        format!("{approve} | count"),
        format!("echo {id} | approve $_ {code}"),
        format!("echo a && {approve}"),
        format!("{approve} && echo a"),
        format!("echo $({approve})"),
        format!("approve {id} $(echo {code})"),
        format!("try {{ {approve} }}"),
        format!("list a | each {{ {approve} }}"),
        format!("because 'it is fine' {{ {approve} }}"),
        format!("{approve} > me"),
        format!("list {id} | xargs {command} $_ {code}"),
    ] {
        denied(&site.says("carol", &line).await, "typed by hand, alone");
    }
    site.says("carol", &format!("alias yes = '{approve}'")).await;
    site.says("carol", "alias any = 'approve $1 $2'").await;
    denied(&site.says("carol", "yes").await, "typed by hand, alone");
    denied(&site.says("carol", &format!("any {id} {code}")).await, "typed by hand, alone");
    // nor by the line of before
    site.says("carol", &format!("approve {id} AAAA")).await;
    denied(&site.says("carol", "!!").await, "typed by hand, alone");
    denied(&site.says("carol", "history run 2").await, "typed by hand, alone");
    assert_eq!(site.went_well("done =").await, "0");
    assert!(site.says("carol", &approve).await.end.is_none());
}

#[tokio::test]
async fn what_gives_rights_is_typed() {
    let site = site().await;
    site.operator("alias promote = 'group add checkers $1'").await;
    denied(&site.hears(Identity::Operator, "promote bob").await, "typed by hand");
    site.hears(Identity::Operator, "group add checkers bob && nil").await;
    denied(&site.hears(Identity::Operator, "!!").await, "typed by hand");
    // a value may say who it is about: the operator typed what is done with it
    assert!(site.operator("list bob | each { group remove checkers $_ }").await.contains("no longer"));
}

#[tokio::test]
async fn several_votes_of_several_persons() {
    let site = site().await;
    site.operator("rule delete r1").await;
    site.operator("rule create \"when command is my:my require approval 2 from checker\"").await;
    let approve = site.asks("alice", "my done = yes").await;
    let first = site.says("carol", &approve).await;
    assert!(first.text.contains("still takes 1 of checker"), "{first:?}");
    denied(&site.says("carol", &approve).await, "counts once");
    denied(&site.hears(Identity::Account("chat://net/carol".into()), &approve).await, "counts once");
    let second = site.says("dave", &approve).await;
    assert!(second.text.contains("ran as"), "{second:?}");
    // whoever lost the role meanwhile does not count
    let approve = site.asks("alice", "my done = no").await;
    site.says("carol", &approve).await;
    site.operator("group remove checkers carol").await;
    let second = site.says("dave", &approve).await;
    assert!(second.text.contains("still takes 1 of checker"), "{second:?}");
    // and counts again with the role: nobody else may be there
    denied(&site.says("dave", &approve).await, "counts once");
    site.operator("group add checkers carol").await;
    let returned = site.says("carol", &approve).await;
    assert!(returned.text.contains("ran as"), "{returned:?}");
    denied(&site.says("carol", &approve).await, "counts once");
}

#[tokio::test]
async fn what_changes_makes_a_request_void() {
    for (who, change, why) in [
        ("operator", "user unlink chat://net/alice", "not known by the account"),
        ("operator", "rule create \"forbid command is my:my\"", "forbids"),
        ("operator", "rule create \"when command is my:my require approval 2 from checker\"", "other approvals"),
        (
            "operator",
            "role create other && rule create \"when command is my:my require approval 1 from other\"",
            "other approvals",
        ),
        ("alice", "alias line = 'my other = $1'", "something else"),
    ] {
        let site = site().await;
        site.says("alice", "alias line = 'my done = $1'").await;
        let asked = site.hears(Identity::Account("chat://net/alice".into()), "line yes").await;
        assert_eq!(asked.end, Some(ErrorKind::Parked), "{asked:?}");
        let identity = if who == "operator" { Identity::Operator } else { Identity::Named(who.into()) };
        let heard = site.hears(identity, change).await;
        assert_eq!(heard.end, None, "{heard:?}");
        denied(&site.says("carol", &vote(&asked.text)).await, why);
        // and stays so
        denied(&site.says("dave", &vote(&asked.text)).await, "is void");
        assert_eq!(site.went_well("line yes").await, "0", "{change}");
    }
}

#[tokio::test]
async fn saying_no_and_taking_back() {
    let site = site().await;
    let approve = site.asks("alice", "my done = yes").await;
    let id = approve.split(' ').nth(1).unwrap().to_owned();
    assert_eq!(site.says("bob", &format!("deny {id}")).await.end, Some(ErrorKind::Failed));
    assert!(site.says("dave", &format!("deny {id} not today")).await.end.is_none());
    denied(&site.says("carol", &approve).await, "dave said no");
    let approve = site.asks("alice", "my done = yes").await;
    let id = approve.split(' ').nth(1).unwrap().to_owned();
    assert!(site.says("alice", &format!("deny {id}")).await.text.contains("taken back"));
    denied(&site.says("carol", &approve).await, "said no");
}

#[tokio::test]
async fn one_request_names_all_that_wait_and_what_comes_later_asks_anew() {
    let site = site().await;
    for (line, calls) in [
        ("my a = 1 && my b = 2", 2),
        ("list a b c | my $_ = x", 3),
        ("list a b | each { my $_ = x } | count", 2),
        ("list a a | my $_ = x", 1),
        ("list a b | each { echo $(my $_ = x) }", 2),
        ("list 1 2 | if _>1 { my two = x } { my one = x }", 2),
    ] {
        let heard = site.says("alice", line).await;
        assert_eq!(heard.end, Some(ErrorKind::Parked), "{line}: {heard:?}");
        assert_eq!(heard.text.matches("it calls `my:my`").count(), calls, "{line}: {}", heard.text);
    }
    // the same line asks once; its request is shown again
    let (one, two) = (site.asks("alice", "my a = 1").await, site.asks("alice", "my a = 1").await);
    assert_eq!(one, two);
    // what the approved line meets later and nobody saw asks anew
    site.says("alice", "list a | tee these").await;
    let approve = site.asks("alice", "cat these | my $_ = x").await;
    site.says("alice", "list a b | tee these").await;
    let heard = site.says("carol", &approve).await;
    assert!(heard.text.contains("ended with: the line waits for the approval"), "{heard:?}");
    let waits = site.says("carol", "approvals").await.text;
    assert_eq!(waits.matches("cat these").count(), 1, "{waits}");
}

#[tokio::test]
async fn a_request_outlives_the_process() {
    let site = site().await;
    let approve = site.asks("alice", "my done = yes").await;
    let site = site.again();
    assert!(site.says("carol", "approvals").await.text.contains("my done = yes"));
    assert!(site.says("carol", &approve).await.text.contains("ran as"));
    let site = site.again();
    denied(&site.says("dave", &approve).await, "counts once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_votes_at_one_moment_release_once() {
    let site = site().await;
    for name in ["e1", "e2", "e3", "e4", "e5", "e6"] {
        site.operator(&format!("user create {name} && group add checkers {name}")).await;
    }
    for round in 0..5 {
        let line = format!("my done = r{round}");
        let approve = site.asks("alice", &line).await;
        let all = ["carol", "dave", "e1", "e2", "e3", "e4", "e5", "e6"];
        let votes = all.map(|voter| site.says(voter, &approve));
        let heard = futures_util::future::join_all(votes).await;
        let ran = heard.iter().filter(|heard| heard.text.contains("ran as")).count();
        assert_eq!(ran, 1, "{heard:?}");
        assert_eq!(site.went_well(&line).await, "1");
    }
}

#[tokio::test]
async fn a_request_expires() {
    // APR-011
    let site = site().await;
    let approve = site.asks("alice", "my done = yes").await;
    let id = approve.split(' ').nth(1).unwrap();
    let kept = site.engine.store().get("approval", id).unwrap().unwrap();
    let mut body: serde_json::Value = serde_json::from_str(&kept.body).unwrap();
    body["plan"]["until"] = (crate::engine::now() - 1).into();
    let change = Change::Put { kind: "approval", key: id.into(), body: body.to_string(), expect: Expect::Anything };
    site.engine.store().apply(vec![change]).await.unwrap();
    denied(&site.says("carol", &approve).await, "has expired");
    assert_eq!(site.says("carol", "approvals").await.text, "");
    assert_eq!(site.went_well("done =").await, "0");
}

/// A chat service that hands on what is posted.
struct Posts(tokio::sync::mpsc::UnboundedSender<String>);

#[async_trait::async_trait]
impl Outlet for Posts {
    fn knows(&self, _: &str, _: &Place) -> bool {
        true
    }

    async fn post(&self, service: &str, room: &str, text: &str) -> Result<(), Error> {
        self.0.send(format!("{service} #{room}: {text}")).map_err(|error| Error::failed(error.to_string()))
    }

    async fn whisper(&self, _: &str, _: &Address, _: &str) -> Result<(), Error> {
        Ok(())
    }

    fn services(&self) -> Vec<(ecow::EcoString, ecow::EcoString)> {
        vec![("net".into(), "connected".into())]
    }
}

/// A request from a chat that is approved of at the console runs in the process that is on that chat, and answers there.
#[tokio::test]
async fn whoever_reaches_the_room_releases_the_line() {
    let site = site().await;
    let asked = site.hears(Identity::Account("chat://net/alice".into()), "my done = yes").await;
    let heard = site.says("carol", &vote(&asked.text)).await;
    assert!(heard.end.is_none() && heard.text.contains("runs when net is reached"), "{heard:?}");
    assert_eq!(site.went_well("done =").await, "0");
    let site = site.again();
    let (posts, mut posted) = tokio::sync::mpsc::unbounded_channel();
    site.engine.connect(std::sync::Arc::new(Posts(posts)));
    let serving = site.engine.clone();
    let serving = tokio::spawn(async move { serving.take_over().await });
    let said = posted.recv().await.unwrap();
    assert!(said.starts_with("net #ops: alice's my done = yes was approved of by carol"), "{said}");
    assert_eq!(site.went_well("done =").await, "1");
    denied(&site.says("dave", &vote(&asked.text)).await, "counts once");
    serving.abort();
}
