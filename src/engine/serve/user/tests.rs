//! Who is who when names and accounts change hands, through the engine.
#![allow(clippy::unwrap_used, reason = "a test")]

use crate::access::Identity;
use crate::engine::tests::Site;
use crate::engine::world::kind;
use crate::store::{Change, Expect};

fn account() -> Identity {
    Identity::Account("irc://net/alice".into())
}

#[tokio::test]
async fn names_of_homes_that_did_not_count_them_are_known_from_the_log() {
    let site = Site::new(&["user create alice", "user create bob"]).await;
    site.says("alice", "my plan = secret").await;
    // as a shell left them that took users away and counted nobody
    let gone = [(kind::USER, "alice"), (kind::NAME, "alice"), (kind::NAME, "bob")];
    let gone = gone.map(|(kind, key)| Change::Delete { kind, key: key.into(), expect: Expect::Present });
    site.engine.store().apply(gone.into()).await.unwrap();
    let said = site.operator("user create alice").await;
    assert!(said.contains("alice~2"), "{said}");
    // and one who is there is counted when they go
    site.operator("user delete bob").await;
    let said = site.operator("user create bob").await;
    assert!(said.contains("bob~2"), "{said}");
    // a name under which nobody could run anything was nobody's
    site.says("carol", "list 1").await;
    assert_eq!(site.operator("user create carol").await, "the user carol is there");
}

#[tokio::test]
async fn of_two_who_are_made_at_once_one_is() {
    let site = Site::new(&[]).await;
    let one = site.hears(Identity::Operator, "user create alice");
    let two = site.hears(Identity::Operator, "user create alice");
    let (one, two) = tokio::join!(one, two);
    assert_ne!(one.end.is_none(), two.end.is_none(), "{one:?} {two:?}");
    assert_eq!(site.operator("user list | get name").await, "alice");
}

#[tokio::test]
async fn whose_account_it_is_now_gets_no_request_of_whose_it_was() {
    let site = Site::new(&[
        "user create alice && user link alice irc://net/alice",
        "user create bob && role create checker && group create checkers && group add checkers bob",
        "role give checker checkers",
        "rule create 'when command is list:shuffle require approval 1 from checker'",
    ])
    .await;
    let asked = site.hears(account(), "list 1 2 | shuffle").await;
    let vote = asked.text.split("approve ").nth(1).and_then(|rest| rest.split(',').next()).unwrap();
    let vote = format!("approve {vote}");
    site.operator("user unlink irc://net/alice && user create eve && user link eve irc://net/alice").await;
    let heard = site.says("bob", &vote).await;
    assert!(heard.text.contains("is not known by the account that asked"), "{heard:?}");
    // the log names who says it now, at once
    site.hears(account(), "list 1").await;
    assert_eq!(site.operator("audit list --user=eve | get line").await, "list 1");
    site.operator("user delete eve && user create eve && user link eve irc://net/alice").await;
    assert_eq!(site.hears(account(), "whoami | get name").await.text, "eve~2");
    assert_eq!(site.hears(account(), "history | get line").await.text, "whoami | get name");
}
