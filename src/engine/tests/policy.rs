//! People and rules that cannot be read any more: those of before decide on for a minute, then nobody may anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pipit_commands::ErrorKind;

use super::super::uptime::Uptime;
use super::{Site, denied};
use crate::access::Identity;
use crate::store::{Change, Expect};

const LINES: &[&str] = &[
    "user create mallory",
    "permission create site:text",
    "role create writer",
    "rule create 'when command is text:upper must have site:text'",
];

async fn role(site: &Site, body: &str) {
    let change = Change::Put { kind: "role", key: "writer".into(), body: body.into(), expect: Expect::Present };
    site.engine.store().apply(vec![change]).await.unwrap();
}

#[tokio::test]
async fn what_can_no_longer_be_read_decides_on_for_a_minute() {
    // how far the clock is, in milliseconds
    let at = Arc::new(AtomicU64::new(0));
    let shown = Arc::clone(&at);
    let uptime = Uptime::by(move || Duration::from_millis(shown.load(Ordering::SeqCst)));
    let site = Site::new(LINES).await.by(uptime);
    let later = |ms: u64| at.store(ms, Ordering::SeqCst);
    assert_eq!(site.says("mallory", "echo a").await.end, None);
    let good = site.engine.store().get("role", "writer").unwrap().unwrap().body;

    later(10_000);
    assert_eq!(site.says("mallory", "echo a").await.end, None);
    role(&site, "broken").await;
    // what decides was read at ten seconds
    for ms in [10_000, 40_000, 69_999] {
        later(ms);
        assert_eq!(site.says("mallory", "echo a").await.end, None, "{ms}");
        denied(&site.says("mallory", "upper a").await, "it takes site:text");
    }
    for ms in [70_000, 70_001, 86_400_000] {
        later(ms);
        for line in ["echo a", "upper a"] {
            let heard = site.says("mallory", line).await;
            assert_eq!(heard.end, Some(ErrorKind::Unavailable), "{ms} {line}: {}", heard.text);
        }
    }
    // mended, and another minute begins from then on
    role(&site, &good).await;
    assert_eq!(site.says("mallory", "echo a").await.end, None);
    role(&site, "broken").await;
    later(86_400_000 + 59_999);
    assert_eq!(site.says("mallory", "echo a").await.end, None);
    later(86_400_000 + 60_000);
    assert_eq!(site.says("mallory", "echo a").await.end, Some(ErrorKind::Unavailable));
}

/// A rule that nobody could read is refused, and the one that it was to stand beside decides as before.
#[tokio::test]
async fn a_bad_edit_replaces_nothing() {
    let site = Site::new(LINES).await;
    for bad in [
        "when command is text:upper",
        "when command is text:upper with arg[0] contains /(/ allow",
        "when command is text:upper during 'mon 09:00-17:00 Mars/Olympus' allow",
        "when command is text:uper allow",
        "when command is text:upper must have site:txet",
    ] {
        let heard = site.hears(Identity::Operator, &format!("rule create \"{bad}\"")).await;
        assert_eq!(heard.end, Some(ErrorKind::Failed), "{bad}: {}", heard.text);
        denied(&site.says("mallory", "upper a").await, "it takes site:text");
    }
    assert_eq!(site.operator("rule list | count").await, "1");
}

/// Of changes of rules that are looked at together, one is made: the others come too late, and say so.
#[tokio::test]
async fn rules_change_one_after_the_other() {
    let site = Site::new(&[]).await;
    let lines: Vec<String> = ["text:upper", "text:lower", "text:trim"]
        .map(|command| format!("rule create 'forbid command is {command}'"))
        .into();
    let said = lines.iter().map(|line| site.hears(Identity::Operator, line));
    let said = futures_util::future::join_all(said).await;
    let made = said.iter().filter(|heard| heard.end.is_none()).count();
    assert!(made >= 1, "{said:?}");
    assert_eq!(site.operator("rule list | count").await, made.to_string());
}
