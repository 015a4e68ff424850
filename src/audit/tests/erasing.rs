//! Erasing: what rows said is gone from the disk, the chain holds, and an erasure that no record owns up to is found.

use std::path::Path;

use super::{asked, attacked, check, full_line, ok, started};
use crate::audit::verify::Fault;
use crate::audit::{Asked, Audit, Filter, Whose};

/// Every byte of the database and its side files.
fn holds(home: &Path, text: &str) -> bool {
    ["pipit.db", "pipit.db-wal"].iter().any(|file| {
        let bytes = std::fs::read(home.join(file)).unwrap_or_default();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

async fn line_of(audit: &Audit, at: i64, who: &str, text: &str) {
    let ticket = audit.open(Asked { who, ..asked(at, text) }).await.unwrap();
    ticket.trail().verdict(&super::verdict(at, "net:ping", &format!("{:?}", format!("{text} as argument"))));
    ticket.close(&ok(at + 1)).durable().await.unwrap();
}

#[tokio::test]
async fn old_rows_lose_what_they_said_and_the_chain_holds() {
    let home = tempfile::tempdir().unwrap();
    let (store, audit) = started(home.path());
    for line in 0..300 {
        line_of(&audit, line * 1000, "user:alice", &format!("canary-{line:04}-old")).await;
    }
    assert!(holds(home.path(), "canary-0007-old"));
    assert_eq!(audit.erase_before(200_000, 900_000, "older than 1 day").await.unwrap(), 600);
    for line in [0, 7, 100, 199] {
        assert!(!holds(home.path(), &format!("canary-{line:04}-old")), "{line}");
    }
    assert!(holds(home.path(), "canary-0200-old"));
    let report = check(home.path());
    assert_eq!((report.fault, report.erased), (None, 600));
    // nothing is erased twice, and the rest later
    assert_eq!(audit.erase_before(200_000, 900_000, "again").await.unwrap(), 0);
    assert_eq!(audit.erase_before(250_000, 950_000, "later").await.unwrap(), 150);
    assert_eq!((check(home.path()).fault, check(home.path()).erased), (None, 750));
    let lines = audit.list(Filter { oldest: true, limit: 1, ..Filter::default() }).await.unwrap();
    assert_eq!((lines[0].text.as_str(), lines[0].who.as_str(), lines[0].at), ("(erased)", "", 0));
    assert_eq!(lines[0].end.as_ref().unwrap().status, "ok");
    drop((audit, store));
    // the log goes on from there in the next process
    let (_store, audit) = started(home.path());
    full_line(&audit, 1_000_000).await;
    assert_eq!(check(home.path()).fault, None);
}

#[tokio::test]
async fn the_lines_of_one_person_are_erased_and_nobody_elses() {
    let home = tempfile::tempdir().unwrap();
    let (_store, audit) = started(home.path());
    for line in 0..120 {
        let who = if line % 3 == 0 { "mallory" } else { "alice" };
        line_of(&audit, line * 1000, who, &format!("canary of {who} {line}")).await;
    }
    let open = audit.open(Asked { who: "mallory", ..asked(500_000, "still running") }).await.unwrap();
    assert_eq!(audit.erase_of("mallory", 600_000, "operator", "she asked for it").await.unwrap(), 120);
    assert!(!holds(home.path(), "canary of mallory") && holds(home.path(), "canary of alice 1"));
    assert_eq!(
        audit.list(Filter { who: Some(Whose::Person("mallory".into())), ..Filter::default() }).await.unwrap().len(),
        1
    );
    open.close(&ok(700_000)).durable().await.unwrap();
    let report = check(home.path());
    assert_eq!((report.fault, report.erased), (None, 120));
}

#[tokio::test]
async fn tampering_with_what_is_erased_is_found() {
    let home = tempfile::tempdir().unwrap();
    let (store, audit) = started(home.path());
    for line in 0..20 {
        line_of(&audit, line * 1000, "user:alice", "x").await;
    }
    audit.erase_before(10_000, 50_000, "old").await.unwrap();
    drop((audit, store));
    let connection = attacked(home.path());
    connection.execute_batch("CREATE TABLE kept AS SELECT * FROM audit").unwrap();
    let columns = "seq, line, at, kind, ticket, who, room, command, outcome, body, hash, digest";
    let fault = |sql: &str| {
        connection.execute_batch(sql).unwrap();
        let fault = check(home.path()).fault;
        let back = format!("DELETE FROM audit; INSERT INTO audit ({columns}) SELECT {columns} FROM kept");
        connection.execute_batch(&back).unwrap();
        fault
    };
    for change in [
        "at = at + 1",
        "outcome = 'denied'",
        "command = 'text:upper'",
        "digest = zeroblob(32)",
        "digest = x'00'",
        "body = 'y'",
        "who = 'user:bob'",
        "room = ''",
        "digest = NULL",
        "kind = 'closed', line = 4",
        "hash = zeroblob(32)",
    ] {
        assert_eq!(
            fault(&format!("UPDATE audit SET {change} WHERE seq = 5")),
            Some(Fault::Changed { seq: 5 }),
            "{change}"
        );
    }
    assert_eq!(fault("DELETE FROM audit WHERE seq = 5"), Some(Fault::Missing { from: 5, to: 5 }));
    // a row blanked with its right digest, by somebody who has the key of the digests but no record that says so
    let digest = "UPDATE audit SET who = NULL, room = NULL, body = '', digest = zeroblob(32) WHERE seq = 40";
    assert_eq!(fault(digest), Some(Fault::Changed { seq: 40 }));
    assert_eq!(check(home.path()).fault, None);
}

#[tokio::test]
async fn an_erasure_that_no_record_says_is_found() {
    let home = tempfile::tempdir().unwrap();
    let (store, audit) = started(home.path());
    for line in 0..4 {
        line_of(&audit, line * 1000, "user:alice", "x").await;
    }
    audit.erase_before(i64::MAX, 50_000, "all").await.unwrap();
    drop((audit, store));
    let connection = attacked(home.path());
    // the log as it was before the record of the erasure, and the anchor of that time with it
    connection.execute_batch("DELETE FROM audit WHERE kind = 'erased'").unwrap();
    let head = home.path().join("audit.head");
    std::fs::remove_file(&head).unwrap();
    assert_eq!(check(home.path()).fault, Some(Fault::Erased { from: 1, to: 12 }));
}

#[tokio::test]
async fn the_table_lets_nothing_but_erasing_pass() {
    let home = super::with_lines(2).await;
    let connection = rusqlite::Connection::open(home.path().join("pipit.db")).unwrap();
    let erase = "UPDATE audit SET who = NULL, room = NULL, body = '', digest = zeroblob(32)";
    for sql in [
        "UPDATE audit SET who = NULL WHERE seq = 1",
        &format!("{erase}, at = 7 WHERE seq = 1"),
        &format!("{erase}, hash = zeroblob(32) WHERE seq = 1"),
        &format!("{erase}, outcome = 'ok' WHERE seq = 1"),
    ] {
        let error = connection.execute_batch(sql).unwrap_err().to_string();
        assert!(error.contains("audit rows are never changed"), "{sql}: {error}");
    }
    connection.execute_batch(&format!("{erase} WHERE seq = 1")).unwrap();
    let again = connection.execute_batch("UPDATE audit SET digest = x'01' WHERE seq = 1").unwrap_err().to_string();
    assert!(again.contains("never changed"), "{again}");
}
