//! The promises of the audit, each broken on purpose: rows changed, deleted, swapped, cut off; callers that stop
//! waiting; a second process; and in `faults` a database that takes nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod anchors;
mod erasing;
mod faults;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;

use super::verify::{Fault, Report};
use super::{
    Asked, Audit, Ended, Filter, Outcome, Outside, StartError, Status, Unavailable, Verdict, Whose, Wish, verify,
};
use crate::store::{Change, Store};

fn started(home: &Path) -> (Store, Audit) {
    let store = Store::open(home.join("pipit.db")).unwrap();
    let audit = Audit::start(&store, home, &Outside::default()).unwrap();
    (store, audit)
}

fn asked(at: i64, text: &str) -> Asked<'_> {
    Asked { at, who: "user:alice", via: "irc", room: "#ops", text, cause: None }
}

fn verdict<'a>(at: i64, command: &'a str, args: &'a str) -> Verdict<'a> {
    Verdict { at, command, args, allowed: true, rule: "must have site:net" }
}

fn ok(at: i64) -> Outcome<'static> {
    Outcome { at, status: Status::Ok, message: "", took: Duration::from_micros(1500), values: 3 }
}

/// A line with all kinds of rows: asked, verdict, intent, effect, closed.
async fn full_line(audit: &Audit, at: i64) {
    let ticket = audit.open(asked(at, "net:ping web | sort")).await.unwrap();
    ticket.trail().verdict(&verdict(at + 1, "net:ping", r#"{"host":"web"}"#));
    let intent = ticket.trail().intent(at + 2, "net:ping", r#"{"host":"web"}"#).await.unwrap();
    intent.ended(at + 3, Ended::Done, "");
    ticket.close(&ok(at + 4)).durable().await.unwrap();
}

async fn with_lines(lines: i64) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let (_store, audit) = started(home.path());
    for line in 0..lines {
        full_line(&audit, line * 1000).await;
    }
    home
}

fn check(home: &Path) -> Report {
    verify(&Store::open(home.join("pipit.db")).unwrap(), home, None).unwrap()
}

/// The database as somebody has it who may write the file: without triggers in the way.
fn attacked(home: &Path) -> Connection {
    let connection = Connection::open(home.join("pipit.db")).unwrap();
    connection
        .execute_batch(
            "DROP TRIGGER IF EXISTS audit_stays_as_written; DROP TRIGGER IF EXISTS audit_keeps_every_row; \
             DROP TRIGGER IF EXISTS audit_only_grows;",
        )
        .unwrap();
    connection
}

async fn kinds(audit: &Audit, ticket: &str) -> Vec<String> {
    let rows = audit.show(ticket).await.unwrap();
    rows.into_iter()
        .map(|row| row.outcome.map_or(row.kind.clone(), |outcome| format!("{} {outcome}", row.kind)))
        .collect()
}

#[tokio::test]
async fn a_line_is_read_back_as_it_was_written() {
    let home = with_lines(2).await;
    let (_store, audit) = started(home.path());
    let lines = audit.list(Filter::default()).await.unwrap();
    assert_eq!(lines.iter().map(|line| line.at).collect::<Vec<_>>(), [1000, 0]);
    let line = &lines[0];
    assert_eq!((line.who.as_str(), line.via.as_str(), line.room.as_str()), ("user:alice", "irc", "#ops"));
    assert_eq!((line.text.as_str(), line.ticket.len()), ("net:ping web | sort", 8));
    let end = line.end.as_ref().unwrap();
    assert_eq!((end.status.as_str(), end.at, end.took_us, end.values), ("ok", 1004, 1500, 3));
    let shown = kinds(&audit, &line.ticket.to_lowercase()).await;
    assert_eq!(shown, ["asked", "verdict allowed", "intent", "effect done", "closed ok"]);
    let report = check(home.path());
    assert_eq!((report.records, report.anchored, report.fault), (10, Some(10), None));
}

#[tokio::test]
async fn a_line_knows_what_was_changed_before_it_by_whomever() {
    let home = tempfile::tempdir().unwrap();
    let (store, audit) = started(home.path());
    let (other, _) = started(home.path());
    for made in 1..4_i64 {
        for (at, changed) in [&store, &other].into_iter().enumerate() {
            let key = format!("{made}-{at}");
            changed.apply(vec![Change::Insert { kind: "role", key, body: "{}".into() }]).await.unwrap();
            let before = other.version().unwrap();
            let ticket = audit.open(asked(made, "whoami")).await.unwrap();
            assert_eq!((ticket.version(), store.written()), (before, before));
            ticket.close(&ok(made)).durable().await.unwrap();
        }
    }
}

#[tokio::test]
async fn every_changed_byte_is_found() {
    let home = with_lines(6).await;
    let connection = attacked(home.path());
    let store = Store::open(home.path().join("pipit.db")).unwrap();
    let mut tried = 0;
    for seq in 1..=30 {
        for column in ["line", "at", "kind", "ticket", "who", "room", "command", "outcome", "body", "hash"] {
            let read = format!("SELECT CAST({column} AS BLOB), {column} FROM audit WHERE seq = {seq}");
            let (bytes, whole): (Option<Vec<u8>>, rusqlite::types::Value) =
                connection.query_row(&read, (), |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            let Some(bytes) = bytes else { continue };
            for place in 0..bytes.len() {
                let mut bytes = bytes.clone();
                bytes[place] ^= 1 << ((place + tried) % 8);
                let kind = match &whole {
                    rusqlite::types::Value::Integer(_) if !bytes[place].is_ascii_digit() => continue,
                    rusqlite::types::Value::Integer(_) => "INTEGER",
                    rusqlite::types::Value::Blob(_) => "BLOB",
                    _ => "TEXT",
                };
                let write = format!("UPDATE audit SET {column} = CAST(?1 AS {kind}) WHERE seq = {seq}");
                connection.execute(&write, (&bytes,)).unwrap();
                let fault = verify(&store, home.path(), None).unwrap().fault;
                assert!(
                    matches!(fault, Some(Fault::Changed { seq: at }) if at == seq),
                    "{column} of {seq}, byte {place}: {fault:?}"
                );
                connection.execute(&format!("UPDATE audit SET {column} = ?1 WHERE seq = {seq}"), (&whole,)).unwrap();
                tried += 1;
            }
        }
    }
    assert!(tried > 2000, "{tried}");
    assert_eq!(verify(&store, home.path(), None).unwrap().fault, None);
}

/// All rows as the walk sees them, or what went wrong on the way.
fn dump(home: &Path) -> Result<Vec<String>, String> {
    let store = Store::open(home.join("pipit.db")).map_err(|error| error.to_string())?;
    if let Some(fault) = verify(&store, home, None).map_err(|error| error.to_string())?.fault {
        return Err(fault.to_string());
    }
    let mut rows = Vec::new();
    let walked = store.walk(&mut |row, hash| {
        rows.push(format!("{row:?} {hash:?}"));
        std::ops::ControlFlow::Continue(())
    });
    walked.map(|()| rows).map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_flipped_bit_of_the_file_is_found_or_changes_no_row() {
    let home = with_lines(8).await;
    let whole = dump(home.path()).unwrap();
    let all_in_one = Connection::open(home.path().join("pipit.db")).unwrap();
    all_in_one.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).unwrap();
    drop(all_in_one);
    let file = std::fs::read(home.path().join("pipit.db")).unwrap();
    let (mut found, mut place) = (0, 1_u64);
    for _ in 0..600 {
        place = place.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let bit = usize::try_from(place >> 20).unwrap() % (file.len() * 8);
        let mut file = file.clone();
        file[bit / 8] ^= 1 << (bit % 8);
        for side in ["pipit.db-wal", "pipit.db-shm"] {
            let _none = std::fs::remove_file(home.path().join(side));
        }
        std::fs::write(home.path().join("pipit.db"), &file).unwrap();
        match dump(home.path()) {
            Ok(rows) => assert!(rows == whole, "bit {bit} changed a row unseen"),
            Err(_) => found += 1,
        }
    }
    assert!(found > 20, "{found}");
}

#[tokio::test]
async fn deleted_swapped_and_cut_off_rows_are_found() {
    let home = with_lines(4).await;
    let connection = attacked(home.path());
    let fault = |sql: &str| {
        connection.execute_batch(&format!("SAVEPOINT attack; {sql}; RELEASE attack")).unwrap();
        check(home.path()).fault
    };
    let keep = "CREATE TABLE kept AS SELECT * FROM audit";
    connection.execute_batch(keep).unwrap();
    let back = "DELETE FROM audit; INSERT INTO audit SELECT * FROM kept";
    assert_eq!(fault("DELETE FROM audit WHERE seq = 7"), Some(Fault::Missing { from: 7, to: 7 }));
    assert_eq!(fault(back), None);
    assert_eq!(fault("DELETE FROM audit WHERE seq <= 5"), Some(Fault::Missing { from: 1, to: 5 }));
    assert_eq!(fault(back), None);
    let swap = "UPDATE audit SET seq = 99 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 8; \
                UPDATE audit SET seq = 8 WHERE seq = 99";
    assert_eq!(fault(swap), Some(Fault::Changed { seq: 3 }));
    assert_eq!(fault(back), None);
    assert_eq!(fault("DELETE FROM audit WHERE seq > 17"), Some(Fault::CutOff { found: 17, anchored: 20 }));
    assert_eq!(fault(back), None);
    let closed_up = "DELETE FROM audit WHERE seq = 7; UPDATE audit SET seq = seq - 1 WHERE seq > 7";
    assert_eq!(fault(closed_up), Some(Fault::Changed { seq: 7 }));
    assert_eq!(fault(back), None);
    assert_eq!(fault("DELETE FROM audit"), Some(Fault::CutOff { found: 0, anchored: 20 }));
}

#[tokio::test]
async fn rows_that_no_index_names_are_found() {
    let home = with_lines(4).await;
    // the index as it would be without the first rows, under the definition that names them
    let hide = "CREATE TEMP TABLE kept AS SELECT sql FROM sqlite_schema WHERE name = 'audit_who'; DROP INDEX audit_who; \
                CREATE INDEX audit_who ON audit (who, at) WHERE ticket IS NOT NULL AND seq > 10; \
                PRAGMA writable_schema = ON; \
                UPDATE sqlite_schema SET sql = (SELECT sql FROM kept) WHERE name = 'audit_who';";
    let connection = Connection::open(home.path().join("pipit.db")).unwrap();
    connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false).unwrap();
    connection.execute_batch(hide).unwrap();
    drop(connection);
    assert!(matches!(check(home.path()).fault, Some(Fault::Hidden(_))));
}

#[tokio::test]
async fn a_log_that_was_rolled_back_does_not_start() {
    let home = with_lines(3).await;
    attacked(home.path()).execute_batch("DELETE FROM audit WHERE seq > 10").unwrap();
    let store = Store::open(home.path().join("pipit.db")).unwrap();
    let error = Audit::start(&store, home.path(), &Outside::default()).err().unwrap();
    assert!(matches!(error, StartError::RolledBack { seq: 15, .. }), "{error}");
    std::fs::remove_file(home.path().join("audit.head")).unwrap();
    let error = Audit::start(&store, home.path(), &Outside::default()).err().unwrap();
    assert!(matches!(error, StartError::AnchorMissing { .. }), "{error}");
    assert!(matches!(check(home.path()).fault, Some(Fault::NoAnchor { .. })));
}

#[tokio::test]
async fn a_forged_anchor_is_found() {
    let home = with_lines(2).await;
    let path = home.path().join("audit.head");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("10 ", "9 ", 1)).unwrap();
    assert!(matches!(check(home.path()).fault, Some(Fault::Unreadable(_))));
    let store = Store::open(home.path().join("pipit.db")).unwrap();
    assert!(matches!(Audit::start(&store, home.path(), &Outside::default()).err().unwrap(), StartError::Anchor { .. }));
}

#[tokio::test]
async fn another_key_does_not_fit_and_a_lost_one_is_not_made_again() {
    let home = with_lines(1).await;
    let path = home.path().join("audit.key");
    std::fs::remove_file(home.path().join("audit.head")).unwrap();
    std::fs::remove_file(&path).unwrap();
    let store = Store::open(home.path().join("pipit.db")).unwrap();
    assert!(matches!(
        Audit::start(&store, home.path(), &Outside::default()).err().unwrap(),
        StartError::KeyMissing { .. }
    ));
    std::fs::copy(with_lines(1).await.path().join("audit.key"), &path).unwrap();
    assert_eq!(check(home.path()).fault, Some(Fault::Changed { seq: 1 }));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(Audit::start(&store, home.path(), &Outside::default()).err().unwrap(), StartError::Key { .. }));
}

#[tokio::test]
async fn the_table_itself_refuses_changes() {
    let home = with_lines(1).await;
    let connection = Connection::open(home.path().join("pipit.db")).unwrap();
    let replace = "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE seq = 2";
    for sql in ["UPDATE audit SET body = '{}' WHERE seq = 2", "DELETE FROM audit", replace] {
        let error = connection.execute_batch(sql).unwrap_err().to_string();
        assert!(error.contains("audit rows are"), "{sql}: {error}");
    }
    assert_eq!(check(home.path()).fault, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_in_two_processes_make_one_chain() {
    let home = tempfile::tempdir().unwrap();
    let (first, second) = (started(home.path()), started(home.path()));
    let mut running = tokio::task::JoinSet::new();
    for caller in 0..40_i64 {
        let audit = if caller % 2 == 0 { first.1.clone() } else { second.1.clone() };
        running.spawn(async move {
            for line in 0..10 {
                full_line(&audit, caller * 100 + line).await;
            }
        });
    }
    running.join_all().await;
    let report = check(home.path());
    assert_eq!((report.records, report.fault), (40 * 10 * 5, None));
    let lines = first.1.list(Filter { limit: 1000, ..Filter::default() }).await.unwrap();
    let tickets: std::collections::HashSet<_> = lines.iter().map(|line| &line.ticket).collect();
    assert_eq!(tickets.len(), 400);
    let expected = ["asked", "verdict allowed", "intent", "effect done", "closed ok"];
    for line in lines.iter().take(20) {
        assert_eq!(kinds(&first.1, &line.ticket).await, expected);
    }
}

#[tokio::test]
async fn the_same_verdict_a_million_times_is_one_row_and_different_ones_are_bounded() {
    let home = tempfile::tempdir().unwrap();
    let (_store, audit) = started(home.path());
    let ticket = audit.open(asked(0, "x")).await.unwrap();
    for _ in 0..1_000_000 {
        ticket.trail().verdict(&verdict(1, "text:upper", "{}"));
    }
    for n in 0..1000 {
        ticket.trail().verdict(&verdict(2, "net:ping", &format!("[{n}]")));
    }
    ticket.trail().verdict(&Verdict { allowed: false, ..verdict(3, "net:ping", "not json") });
    let id = ticket.id().to_owned();
    ticket.close(&ok(4)).durable().await.unwrap();
    let rows = audit.show(&id).await.unwrap();
    assert!(rows.len() < 262, "{}", rows.len());
    assert!(rows[1].body.get().contains(r#""times":1000000"#), "{}", rows[1].body);
    let total: u64 = rows
        .iter()
        .filter(|row| row.command.as_deref() == Some("net:ping") && row.outcome.as_deref() == Some("allowed"))
        .map(|row| serde_json::from_str::<serde_json::Value>(row.body.get()).unwrap()["times"].as_u64().unwrap())
        .sum();
    assert_eq!(total, 1000);
    assert!(rows.iter().any(|row| row.outcome.as_deref() == Some("denied")));
}

#[tokio::test]
async fn a_dropped_ticket_broke_off_and_a_dropped_intent_is_unknown() {
    let home = tempfile::tempdir().unwrap();
    let (store, audit) = started(home.path());
    let ticket = audit.open(asked(5, "x")).await.unwrap();
    let id = ticket.id().to_owned();
    let intent = ticket.trail().intent(7, "vm:stop", "{}").await.unwrap();
    assert_eq!(intent.id(), format!("{id}.1"));
    drop(intent);
    let trail = ticket.trail().clone();
    trail.verdict(&verdict(6, "vm:stop", "{}"));
    drop(ticket);
    assert!(matches!(trail.intent(8, "vm:stop", "{}").await, Err(Unavailable::Ended(_))));
    trail.verdict(&verdict(9, "vm:start", "{}"));
    drop((trail, audit, store));
    let (_store, audit) = started(home.path());
    let expected = ["asked", "intent", "effect unknown", "verdict allowed", "closed unknown", "verdict allowed"];
    assert_eq!(kinds(&audit, &id).await, expected);
    assert_eq!(check(home.path()).fault, None);
}

#[tokio::test]
async fn a_caller_that_stops_waiting_leaves_no_open_line() {
    let home = tempfile::tempdir().unwrap();
    let (_store, audit) = started(home.path());
    for turn in 0..200_u64 {
        let opening = audit.open(asked(1, "x"));
        let _gone = tokio::time::timeout(Duration::from_micros(turn * 3), opening).await;
    }
    full_line(&audit, 2).await;
    let open = Filter { ended: Some(Wish::NotYet), ..Filter::default() };
    // The end of the last broken line may still be on its way behind the line that was waited for.
    full_line(&audit, 3).await;
    assert_eq!(audit.list(open).await.unwrap(), []);
    assert_eq!(check(home.path()).fault, None);
}

#[tokio::test]
async fn lines_are_found_by_what_is_asked_for() {
    let home = tempfile::tempdir().unwrap();
    let (_store, audit) = started(home.path());
    for (at, who, room, status) in [
        (1, "user:alice", "#ops", Status::Ok),
        (2, "user:bob", "#ops", Status::Denied),
        (3, "user:bob", "#dev", Status::Ok),
    ] {
        let ticket = audit.open(Asked { who, room, ..asked(at, "x") }).await.unwrap();
        ticket.trail().verdict(&verdict(at, if at == 3 { "net:ping" } else { "vm:stop" }, "{}"));
        ticket.close(&Outcome { status, ..ok(at) }).durable().await.unwrap();
    }
    let running = audit.open(asked(4, "x")).await.unwrap();
    let audit = &audit;
    let found = |filter: Filter| async move {
        audit.list(filter).await.unwrap().iter().map(|line| line.at).collect::<Vec<_>>()
    };
    let all = Filter::default;
    assert_eq!(found(all()).await, [4, 3, 2, 1]);
    assert_eq!(found(Filter { limit: 2, ..all() }).await, [4, 3]);
    assert_eq!(found(Filter { who: Some(Whose::Person("user:bob".into())), ..all() }).await, [3, 2]);
    assert_eq!(found(Filter { room: Some("#dev".into()), ..all() }).await, [3]);
    assert_eq!(found(Filter { since: Some(2), until: Some(4), ..all() }).await, [3, 2]);
    assert_eq!(found(Filter { command: Some("vm:stop".into()), ..all() }).await, [2, 1]);
    assert_eq!(found(Filter { ended: Some(Wish::As(Status::Denied)), ..all() }).await, [2]);
    assert_eq!(found(Filter { ended: Some(Wish::NotYet), ..all() }).await, [4]);
    let both = Filter { who: Some(Whose::Person("user:bob".into())), ended: Some(Wish::As(Status::Ok)), ..all() };
    assert_eq!(found(both).await, [3]);
    drop(running);
}
