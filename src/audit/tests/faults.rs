//! The database locked, full or killed under the audit's feet: nothing runs unwritten, nothing acknowledged is lost.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use super::{asked, check, full_line, kinds, ok, started, verdict};
use crate::audit::{Audit, Ended, Filter, Outside, Ticket, Unavailable, Wish};
use crate::store::{Change, Expect, Store, StoreError};

/// Closes a line while the database takes nothing: its end must be in the spool when `durable` returns.
async fn closed_aside(home: &Path, ticket: Ticket) {
    ticket.trail().verdict(&verdict(5, "net:ping", "{}"));
    ticket.close(&ok(6)).durable().await.unwrap();
    assert!(std::fs::metadata(home.join("audit.spool")).unwrap().len() > 0);
}

#[tokio::test]
async fn a_foreign_lock_stops_new_lines_and_loses_none() {
    let home = tempfile::tempdir().unwrap();
    let (_store, audit) = started(home.path());
    let ticket = audit.open(asked(1, "x")).await.unwrap();
    let id = ticket.id().to_owned();
    let foreign = Connection::open(home.path().join("pipit.db")).unwrap();
    foreign.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let refused = audit.open(asked(2, "y")).await.err().unwrap();
    assert_eq!(refused, Unavailable::Store(StoreError::Busy));
    assert!(refused.to_string().contains("nothing runs"));
    assert!(ticket.trail().intent(2, "vm:stop", "{}").await.is_err());
    closed_aside(home.path(), ticket).await;
    foreign.execute_batch("ROLLBACK").unwrap();
    full_line(&audit, 10).await;
    assert_eq!(kinds(&audit, &id).await, ["asked", "verdict allowed", "closed ok"]);
    assert_eq!(std::fs::metadata(home.path().join("audit.spool")).unwrap().len(), 0);
    assert_eq!(audit.list(Filter::default()).await.unwrap().len(), 2);
    assert_eq!(check(home.path()).fault, None);
}

#[tokio::test]
async fn the_next_process_writes_what_was_put_aside_once() {
    let home = tempfile::tempdir().unwrap();
    let spool = home.path().join("audit.spool");
    let (store, audit) = started(home.path());
    let ticket = audit.open(asked(1, "x")).await.unwrap();
    let id = ticket.id().to_owned();
    let foreign = Connection::open(home.path().join("pipit.db")).unwrap();
    foreign.execute_batch("BEGIN EXCLUSIVE").unwrap();
    closed_aside(home.path(), ticket).await;
    drop((audit, store));
    foreign.execute_batch("ROLLBACK").unwrap();
    let kept = std::fs::read(&spool).unwrap();
    for _ in 0..2 {
        let (_store, audit) = started(home.path());
        full_line(&audit, 10).await;
        assert_eq!(kinds(&audit, &id).await, ["asked", "verdict allowed", "closed ok"]);
        // As if the process had died after the commit and before the spool was emptied.
        std::fs::write(&spool, &kept).unwrap();
    }
    // A forged end, and one that a crash cut short, are logged as what they are.
    let mut text = String::from_utf8(kept).unwrap().replace(r#""closed""#, r#""clothed""#);
    text.push_str("\n0123 {\"line\":1,");
    std::fs::write(&spool, text).unwrap();
    let (_store, audit) = started(home.path());
    full_line(&audit, 20).await;
    let connection = Connection::open(home.path().join("pipit.db")).unwrap();
    let damaged: i64 =
        connection.query_row("SELECT count(*) FROM audit WHERE kind = 'damaged'", (), |row| row.get(0)).unwrap();
    assert_eq!(damaged, 2);
    assert_eq!(check(home.path()).fault, None);
}

#[tokio::test]
async fn a_full_database_stops_new_lines_loses_none_and_recovers() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open_bounded(home.path().join("pipit.db"), 60).unwrap();
    let audit = Audit::start(&store, home.path(), &Outside::default()).unwrap();
    let ticket = audit.open(asked(1, "x")).await.unwrap();
    let id = ticket.id().to_owned();
    let ballast = |n: u32| Change::Insert { kind: "ballast", key: n.to_string(), body: "x".repeat(30_000) };
    let mut made = 0;
    while store.apply(vec![ballast(made)]).await.is_ok() {
        made += 1;
    }
    // Lines go on in the pages that are left, until there are none.
    let refused = loop {
        match audit.open(asked(2, &"y".repeat(3000))).await {
            Ok(ticket) => drop(ticket),
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused, Unavailable::Store(StoreError::Full));
    assert!(refused.to_string().contains("free some space"));
    // more than the ballast that did not fit
    for number in 0..12 {
        ticket.trail().verdict(&verdict(5, "net:ping", &format!("\"{number}{}\"", "z".repeat(4000))));
    }
    ticket.close(&ok(6)).durable().await.unwrap();
    assert!(std::fs::metadata(home.path().join("audit.spool")).unwrap().len() > 40_000);
    assert!(audit.open(asked(7, "y")).await.is_err());
    let delete = |n: u32| Change::Delete { kind: "ballast", key: n.to_string(), expect: Expect::Present };
    store.apply((0..made).map(delete).collect()).await.unwrap();
    full_line(&audit, 10).await;
    let kinds = kinds(&audit, &id).await;
    assert_eq!(
        (kinds.len(), kinds.first().map(|kind| &**kind), kinds.last().map(|kind| &**kind)),
        (14, Some("asked"), Some("closed ok"))
    );
    assert_eq!(std::fs::metadata(home.path().join("audit.spool")).unwrap().len(), 0);
    drop((audit, store));
    let (_store, audit) = started(home.path());
    assert_eq!(audit.list(Filter { ended: Some(Wish::NotYet), ..Filter::default() }).await.unwrap(), []);
    assert_eq!(check(home.path()).fault, None);
}

#[tokio::test]
async fn what_cannot_even_be_put_aside_is_held_until_it_can_be_written() {
    let home = tempfile::tempdir().unwrap();
    let (_store, audit) = started(home.path());
    let ticket = audit.open(asked(1, "x")).await.unwrap();
    let id = ticket.id().to_owned();
    std::fs::remove_file(home.path().join("audit.spool")).unwrap();
    std::os::unix::fs::symlink("/dev/full", home.path().join("audit.spool")).unwrap();
    let foreign = Connection::open(home.path().join("pipit.db")).unwrap();
    foreign.execute_batch("BEGIN EXCLUSIVE").unwrap();
    assert!(ticket.close(&ok(6)).durable().await.is_err());
    assert!(audit.open(asked(7, "y")).await.is_err());
    foreign.execute_batch("ROLLBACK").unwrap();
    std::fs::remove_file(home.path().join("audit.spool")).unwrap();
    full_line(&audit, 10).await;
    assert_eq!(kinds(&audit, &id).await, ["asked", "closed ok"]);
    assert_eq!(check(home.path()).fault, None);
}

/// Set in the child of the next test: where it works until it is killed.
const VICTIM: &str = "PIPIT_TEST_VICTIM";

/// What a process said was durable is there after it was killed at any instant, and the chain holds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_loses_nothing_it_acknowledged() {
    if let Ok(home) = std::env::var(VICTIM) {
        return victim(Path::new(&home)).await;
    }
    let home = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for round in 0..12_u64 {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "audit::tests::faults::a_killed_process_loses_nothing_it_acknowledged", "--nocapture"])
            .env(VICTIM, home.path())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        tokio::time::sleep(Duration::from_millis(40 + round * 17)).await;
        child.kill().unwrap();
        let said = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        acknowledged.extend(said.split_inclusive('\n').filter_map(|line| {
            let (word, ticket) = line.strip_suffix('\n')?.split_once(' ')?;
            ["opened", "intent", "closed"].contains(&word).then(|| (word.to_owned(), ticket.to_owned()))
        }));
        assert_eq!(check(home.path()).fault, None);
    }
    assert!(acknowledged.len() > 100, "{}", acknowledged.len());
    let (_store, audit) = started(home.path());
    // The lines the dead left open are closed, the one of the living is not.
    let own = audit.open(asked(0, "x")).await.unwrap();
    assert!(!audit.close_orphans(0, 99).await.unwrap().is_empty());
    full_line(&audit, 100).await;
    assert_eq!(audit.close_orphans(0, 99).await.unwrap(), [""; 0]);
    let open = audit.list(Filter { ended: Some(Wish::NotYet), ..Filter::default() }).await.unwrap();
    assert_eq!(open.iter().map(|line| line.ticket.as_str()).collect::<Vec<_>>(), [own.id()]);
    for (word, ticket) in acknowledged {
        let kinds = kinds(&audit, &ticket).await;
        let wanted = match word.as_str() {
            "opened" => "asked",
            "intent" => "intent",
            _ => "closed ok",
        };
        assert!(kinds.iter().any(|kind| kind == wanted), "{word} {ticket}: {kinds:?}");
    }
}

async fn victim(home: &Path) {
    use std::io::Write as _;
    let (_store, audit) = started(home);
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..8 {
        let audit = audit.clone();
        callers.spawn(async move {
            for at in 0.. {
                let say = |word: &str, id: &str| {
                    // One write a line: the pipe keeps what was said before the kill.
                    std::io::stdout().write_all(format!("{word} {id}\n").as_bytes()).unwrap();
                };
                let ticket = audit.open(asked(at, &format!("line of {caller}"))).await.unwrap();
                let id = ticket.id().to_owned();
                say("opened", &id);
                let intent = ticket.trail().intent(at, "vm:stop", "{}").await.unwrap();
                say("intent", &id);
                intent.ended(at, Ended::Done, "");
                ticket.close(&ok(at)).durable().await.unwrap();
                say("closed", &id);
            }
        });
    }
    callers.join_all().await;
}
