//! Rooms that people of other organisations read along in.

use pipit_commands::Error;
use pipit_grammar::rule::Place;

use super::super::{Address, Outlet};
use super::{Heard, Site, denied};
use crate::access::Identity;

/// A chat service that takes what is posted.
struct Service;

#[async_trait::async_trait]
impl Outlet for Service {
    fn knows(&self, service: &str, _: &Place) -> bool {
        service == "net"
    }

    async fn post(&self, _: &str, _: &str, _: &str) -> Result<(), Error> {
        Ok(())
    }

    async fn whisper(&self, _: &str, _: &Address, _: &str) -> Result<(), Error> {
        Ok(())
    }

    fn services(&self) -> Vec<(ecow::EcoString, ecow::EcoString)> {
        vec![("net".into(), "connected".into())]
    }
}

async fn site() -> Site {
    let site = Site::new(&[
        "user create alice && permission create site:text && role create writer && role grant writer site:text",
        "role grant writer room:post && group create writers && role give writer writers && group add writers alice",
        "user create bob && rule create 'when command is text:upper must have site:text'",
    ])
    .await;
    site.engine.connect(std::sync::Arc::new(Service));
    site.operator("room set 'net://#partners' audience=external-shared").await;
    site
}

async fn says(site: &Site, who: &str, room: &str, line: &str) -> Heard {
    site.hears_on("net", Place::room(room), Identity::Named(who.into()), line).await
}

#[tokio::test]
async fn what_takes_a_right_is_denied_where_others_read_along() {
    const SHARED: &str = "shared with others";
    let site = site().await;
    for room in ["#partners", "#PARTNERS"] {
        denied(&says(&site, "alice", room, "upper a").await, SHARED);
        denied(&says(&site, "alice", room, "list a | each { upper }").await, SHARED);
        assert_eq!(says(&site, "alice", room, "lower A").await.end, None, "{room}");
    }
    denied(&says(&site, "alice", "@#partners", "upper a").await, SHARED);
    assert_eq!(says(&site, "alice", "#dev", "upper a").await.end, None);
    // another room of the name is another room, and a rule that means any of them means none that is shared
    let elsewhere = site.hears_on("other", Place::room("partners"), Identity::Named("alice".into()), "upper a").await;
    assert_eq!(elsewhere.end, None, "{}", elsewhere.text);
    for still in [
        "when command is text:upper in #partners must have site:text",
        "guard when command is text:upper in net://#partners must have site:text",
        "when command is text:upper in net://#dev must have site:text",
    ] {
        site.operator(&format!("rule create '{still}'")).await;
        denied(&says(&site, "alice", "#partners", "upper a").await, SHARED);
    }
    // nor does anybody open it who only makes rules
    site.operator("role create editor && role grant editor rule:manage && role give editor writers").await;
    let opens = "rule create 'when command is text:upper in net://#partners must have site:text'";
    denied(&says(&site, "alice", "#dev", opens).await, "it would go before a plainer rule");
    site.operator(opens).await;
    assert_eq!(says(&site, "alice", "#partners", "upper a").await.end, None);
    denied(&says(&site, "bob", "#partners", "upper a").await, "it takes site:text");
}

#[tokio::test]
async fn what_comes_from_outside_a_line_is_not_posted_where_others_read_along() {
    let site = site().await;
    assert_eq!(says(&site, "bob", "#dev", "our plan = secret").await.end, None);
    for line in [
        "our plan > #partners",
        "our plan *> here net://#Partners",
        "echo $(our plan) > #partners",
        "try { our plan > #partners }",
        "our plan | count > #partners",
    ] {
        denied(&says(&site, "alice", "#dev", line).await, "what comes from others");
    }
    for line in ["echo hello > #partners", "our plan > #dev", "our plan *> here #general", "our plan > me"] {
        let heard = says(&site, "alice", "#dev", line).await;
        assert_eq!(heard.end, None, "{line}: {}", heard.text);
    }
}
