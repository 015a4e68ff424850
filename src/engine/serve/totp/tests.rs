//! The second factor, the rights of an emergency and the linking of accounts, through the engine.
#![allow(clippy::unwrap_used, reason = "a test")]

use pipit_commands::ErrorKind;
use totp_rs::Builder;

use crate::access::Identity;
use crate::engine::tests::{Site, denied};
use crate::engine::{Notices, now};
use crate::store::{Change, Expect};

fn alice() -> Identity {
    Identity::Named("alice".into())
}

fn account(name: &str) -> Identity {
    Identity::Account(format!("chat://net/{name}").into())
}

/// The code that an authenticator shows now.
fn shown(secret: &[u8]) -> String {
    let seconds = u64::try_from(now() / 1000).unwrap();
    Builder::new().with_secret(secret).build().unwrap().generate(seconds).to_string()
}

/// Enrols somebody; the secret.
async fn enrolled(site: &Site, who: &str) -> Vec<u8> {
    let heard = site.alone(Identity::Named(who.into()), "totp enrol").await;
    assert_eq!(heard.end, None, "{heard:?}");
    assert!(heard.text.contains('█') && heard.text.contains(&format!("otpauth://totp/Pipit:{who}?")), "{heard:?}");
    let secret = heard.text.split("secret=").nth(1).unwrap().split('&').next().unwrap();
    let secret = data_encoding::BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
    let heard = site.alone(Identity::Named(who.into()), &format!("totp confirm {}", shown(&secret))).await;
    assert_eq!(heard.end, None, "{heard:?}");
    time_passes(site, who).await;
    secret
}

/// As if the steps whose codes were accepted were long ago.
async fn time_passes(site: &Site, who: &str) {
    let kept = site.engine.store().get("totp", who).unwrap().unwrap();
    let mut body: serde_json::Value = serde_json::from_str(&kept.body).unwrap();
    body["codes"]["last_step"] = 1.into();
    let change = Change::Put { kind: "totp", key: who.into(), body: body.to_string(), expect: Expect::Anything };
    site.engine.store().apply(vec![change]).await.unwrap();
}

async fn site() -> Site {
    let site = Site::new(&[
        "user create alice && user create bob && user create mallory",
        "room create '#alarms'",
        "rule create \"when command is my:my require step-up totp within 10m\"",
        "group create helpers && group add helpers alice && group add helpers bob",
        "role create helper && role grant helper shell:break-glass && role give helper helpers",
        "permission create site:restart && rule create \"when command is list:shuffle must have site:restart\"",
        "role create break-glass && role grant break-glass site:restart && role grant break-glass user:manage",
        "role grant break-glass audit:read && role grant break-glass shell:break-glass",
    ])
    .await;
    site.engine.tell_in(Notices { room: Some("#alarms".into()) });
    site
}

#[tokio::test]
async fn a_code_is_said_in_private_counts_once_and_for_ten_minutes() {
    let site = site().await;
    denied(&site.says("alice", "totp enrol").await, "a room is no place");
    let before = site.says("alice", "my a = 1").await;
    assert!(before.end == Some(ErrorKind::Parked) && before.text.contains("step-up CODE"), "{before:?}");
    let secret = enrolled(&site, "alice").await;
    // a code that was seen in a room is spent
    let code = shown(&secret);
    denied(&site.says("alice", &format!("step-up {code}")).await, "a room is no place");
    denied(&site.alone(alice(), &format!("step-up {code}")).await, "used already");
    assert_eq!(site.says("alice", "my a = 1").await.end, Some(ErrorKind::Parked));
    time_passes(&site, "alice").await;
    let code = shown(&secret);
    // alice's code is good for nobody else
    enrolled(&site, "mallory").await;
    denied(&site.alone(Identity::Named("mallory".into()), &format!("step-up {code}")).await, "not the code");
    // typed by hand, alone
    denied(&site.alone(alice(), &format!("echo a && step-up {code}")).await, "typed by hand");
    assert_eq!(site.alone(alice(), &format!("step-up {code}")).await.end, None);
    denied(&site.alone(alice(), &format!("step-up {code}")).await, "used already");
    assert_eq!(site.says("alice", "my a = 1").await.end, None);
    assert_eq!(site.says("mallory", "my a = 1").await.end, Some(ErrorKind::Parked));
    // another process sees it, and it ends
    let site = site.again();
    assert_eq!(site.says("alice", "my a = 1").await.end, None);
    let old = format!("{{\"at\":{}}}", now() - 10 * 60 * 1000);
    let change = Change::Put { kind: "elevation", key: "alice".into(), body: old, expect: Expect::Anything };
    site.engine.store().apply(vec![change]).await.unwrap();
    assert_eq!(site.says("alice", "my a = 1").await.end, Some(ErrorKind::Parked));
}

#[tokio::test]
async fn guessing_locks_and_is_told() {
    let site = site().await;
    let secret = enrolled(&site, "alice").await;
    for _ in 0..4 {
        denied(&site.alone(alice(), "step-up 000000x").await, "not the code");
    }
    denied(&site.alone(alice(), "step-up 000000x").await, "too many wrong codes");
    denied(&site.alone(alice(), &format!("step-up {}", shown(&secret))).await, "too many wrong codes");
    let told = site.operator("room read '#alarms' | get text").await;
    assert!(told.contains("5 wrong codes for alice"), "{told}");
    // the secret lies sealed in the store
    let kept = site.engine.store().get("totp", "alice").unwrap().unwrap().body;
    assert!(!kept.contains(&data_encoding::HEXLOWER.encode(&secret)), "{kept}");
    assert!(!kept.contains(&data_encoding::BASE32_NOPAD.encode(&secret)), "{kept}");
}

#[tokio::test]
async fn another_key_seals_the_second_factor_too() {
    let site = site().await;
    let secret = enrolled(&site, "alice").await;
    let heard = site.alone(Identity::Operator, "secret rotate-key").await;
    assert_eq!(heard.text, "1 secrets are sealed with another key");
    let site = site.again();
    assert_eq!(site.alone(alice(), &format!("step-up {}", shown(&secret))).await.end, None);
}

#[tokio::test]
async fn a_lost_factor_is_reset_by_two() {
    let site = site().await;
    site.operator("group create admin && role create admin && role give admin admin && role grant admin user:manage")
        .await;
    site.operator("user create ada && user create bea && group add admin ada && group add admin bea").await;
    enrolled(&site, "ada").await;
    enrolled(&site, "alice").await;
    let asked = site.says("ada", "totp reset alice").await;
    assert_eq!(asked.end, Some(ErrorKind::Parked), "{asked:?}");
    let from = asked.text.find("approve ").unwrap();
    let approve = asked.text[from..].split(',').next().unwrap().to_owned();
    denied(&site.says("ada", &approve).await, "their own");
    assert!(site.says("bea", &approve).await.text.contains("it went well"));
    assert!(site.engine.store().get("totp", "alice").unwrap().is_none());
    assert_eq!(site.says("bob", "totp reset ada").await.end, Some(ErrorKind::Denied));
}

#[tokio::test]
async fn an_emergency_is_seen_by_all_ends_and_is_reviewed() {
    let site = site().await;
    let reason = "break-glass 'INC-77 the database is down'";
    denied(&site.says("mallory", reason).await, "shell:break-glass");
    denied(&site.says("alice", reason).await, "second factor");
    let secret = enrolled(&site, "alice").await;
    assert_eq!(site.alone(alice(), &format!("step-up {}", shown(&secret))).await.end, None);
    assert_eq!(site.says("alice", "break-glass short").await.end, Some(ErrorKind::Failed));
    denied(&site.says("alice", "list a | shuffle").await, "site:restart");
    assert_eq!(site.says("alice", reason).await.end, None);
    assert_eq!(site.says("alice", "list a | shuffle").await.end, None);
    // never over people and the log
    denied(&site.says("alice", "user create eve").await, "user:manage");
    denied(&site.says("alice", "audit list").await, "audit:read");
    denied(&site.says("alice", reason).await, "has not been reviewed");
    let told = site.operator("room read '#alarms' | get text").await;
    assert!(told.contains("alice breaks the glass") && told.contains("in an emergency: list a | shuffle"), "{told}");
    let id = site.says("alice", "break-glass list | get id").await.text;
    assert_eq!(site.says("bob", &format!("break-glass review {id}")).await.end, Some(ErrorKind::Failed));
    assert_eq!(site.says("alice", "break-glass end").await.end, None);
    denied(&site.says("alice", "list a | shuffle").await, "site:restart");
    denied(&site.says("alice", reason).await, "has not been reviewed");
    denied(&site.says("alice", &format!("break-glass review {id}")).await, "nobody reviews");
    assert_eq!(site.says("bob", &format!("break-glass review {id} looked well")).await.end, None);
    assert_eq!(site.says("alice", reason).await.end, None);
    // it ends by itself: as if it were long ago
    let id = site.says("alice", "break-glass list | tail 1 | get id").await.text;
    let kept = site.engine.store().get("emergency", &id).unwrap().unwrap();
    let mut body: serde_json::Value = serde_json::from_str(&kept.body).unwrap();
    body["until"] = 1.into();
    let change = Change::Put { kind: "emergency", key: id, body: body.to_string(), expect: Expect::Anything };
    site.engine.store().apply(vec![change]).await.unwrap();
    denied(&site.says("alice", "list a | shuffle").await, "site:restart");
}

#[tokio::test]
async fn an_account_is_linked_over_both() {
    let site = site().await;
    site.operator("user link alice chat://net/alice && user link bob chat://net/bob").await;
    let code = |text: &str| text.rsplit(' ').next().unwrap().to_owned();
    denied(&site.hears(account("alice"), "link").await, "a room is no place");
    denied(&site.alone(account("second"), "link").await, "linked to no user");
    denied(&site.alone(account("second"), "link AAAA").await, "no code");
    denied(&site.alone(Identity::Stranger("alice".into()), "link").await, "no chat service has verified");
    let there = code(&site.alone(account("alice"), "link").await.text);
    // saying it in the account that is known already is no proof
    denied(&site.alone(account("alice"), &format!("link {there}")).await, "not the code");
    let back = code(&site.alone(account("second"), &format!("link {there}")).await.text);
    // each code once, and only by the one it is for
    denied(&site.alone(account("third"), &format!("link {there}")).await, "no code");
    denied(&site.alone(account("bob"), &format!("link {back}")).await, "not the code");
    assert_eq!(site.alone(account("second"), "whoami | get name").await.text, "chat://net/second");
    assert_eq!(site.alone(account("alice"), &format!("link {back}")).await.text, "chat://net/second is alice");
    assert_eq!(site.alone(account("second"), "whoami | get name").await.text, "alice");
    denied(&site.alone(account("alice"), &format!("link {back}")).await, "not the code");
    // nobody else's word links one
    denied(&site.alone(account("alice"), "user link alice chat://net/mallory").await, "user:manage");
}

#[tokio::test]
async fn a_name_that_looks_like_another_is_not_taken() {
    let site = site().await;
    for (name, other) in [("a1ice", "alice"), ("b0b", "bob"), ("rnallory", "mallory")] {
        let heard = site.hears(Identity::Operator, &format!("user create {name}")).await;
        assert!(
            heard.end == Some(ErrorKind::Failed) && heard.text.contains(&format!("looks like {other}")),
            "{heard:?}"
        );
    }
}
