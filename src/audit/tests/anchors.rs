//! Anchors: what they prove, what is refused when they are gone, and how one goes on after a loss.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use super::{attacked, check, full_line, started, with_lines};
use crate::audit::verify::{Fault, Report};
use crate::audit::{Audit, Filter, Outside, StartError, Whose, accept_loss, verify};
use crate::store::Store;

/// An anchor file beside the home.
fn beside(home: &TempDir) -> Outside {
    Outside { file: Some(home.path().with_extension("anchors")), send: None }
}

fn open(home: &Path) -> Store {
    Store::open(home.join("pipit.db")).unwrap()
}

async fn lines(home: &Path, outside: &Outside, from: i64, count: i64) {
    let audit = Audit::start(&open(home), home, outside).unwrap();
    for line in from..from + count {
        full_line(&audit, line * 100_000).await;
    }
}

fn refused(home: &Path, outside: &Outside) -> StartError {
    Audit::start(&open(home), home, outside).err().expect("the start is refused")
}

fn report(home: &Path, outside: &Outside) -> Report {
    verify(&open(home), home, outside.file.as_deref()).unwrap()
}

/// The files of a home, to be put back later.
fn copy(home: &Path) -> TempDir {
    let kept = tempfile::tempdir().unwrap();
    for file in fs::read_dir(home).unwrap().flatten().filter(|file| file.path().is_file()) {
        fs::copy(file.path(), kept.path().join(file.file_name())).unwrap();
    }
    kept
}

fn put_back(kept: &TempDir, home: &Path) {
    for file in ["pipit.db-wal", "pipit.db-shm"] {
        let _none = fs::remove_file(home.join(file));
    }
    for file in fs::read_dir(kept.path()).unwrap().flatten() {
        fs::copy(file.path(), home.join(file.file_name())).unwrap();
    }
}

#[tokio::test]
async fn an_empty_log_is_anchored_from_the_beginning() {
    let home = tempfile::tempdir().unwrap();
    drop(started(home.path()));
    let report = check(home.path());
    assert_eq!((report.records, report.anchored, report.fault), (0, Some(0), None));
    let head = home.path().join("audit.head");
    let first = fs::read(&head).unwrap();
    full_line(&started(home.path()).1, 0).await;
    // the first anchor says nothing of the rows after it, but it is there
    fs::write(&head, first).unwrap();
    drop(started(home.path()));
    fs::remove_file(&head).unwrap();
    assert!(matches!(refused(home.path(), &Outside::default()), StartError::AnchorMissing { .. }));
    // without rows and without its key it is still a log that was there
    let home = with_lines(1).await;
    for file in ["pipit.db", "pipit.db-wal", "pipit.db-shm", "audit.key"] {
        let _none = fs::remove_file(home.path().join(file));
    }
    assert!(matches!(refused(home.path(), &Outside::default()), StartError::KeyMissing { .. }));
    assert!(verify(&open(home.path()), home.path(), None).is_err());
}

#[tokio::test]
async fn anchors_outside_the_home_show_that_the_whole_home_was_put_back() {
    let home = tempfile::tempdir().unwrap();
    let outside = beside(&home);
    lines(home.path(), &outside, 0, 3).await;
    let old = copy(home.path());
    lines(home.path(), &outside, 3, 3).await;
    let file = outside.file.clone().unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 2);
    let held = report(home.path(), &outside);
    assert_eq!((held.outside, held.fault), (Some(2), None));
    put_back(&old, home.path());
    assert_eq!(check(home.path()).fault, None, "the home alone does not know");
    assert!(matches!(refused(home.path(), &outside), StartError::RolledBack { seq: 30, .. }));
    assert!(matches!(report(home.path(), &outside).fault, Some(Fault::Outside { line: 2, seq: 30, .. })));
    // taking the file away helps nobody who was there when it was written
    fs::remove_file(&file).unwrap();
    assert!(matches!(refused(home.path(), &outside), StartError::AnchorMissing { .. }));
    fs::write(&file, "").unwrap();
    assert!(matches!(refused(home.path(), &outside), StartError::AnchorMissing { .. }));
}

#[tokio::test]
async fn every_line_of_a_file_of_anchors_is_looked_at() {
    let home = tempfile::tempdir().unwrap();
    let outside = beside(&home);
    for run in 0..5 {
        lines(home.path(), &outside, run, 1).await;
    }
    let file = outside.file.clone().unwrap();
    let good = fs::read_to_string(&file).unwrap();
    assert_eq!(good.lines().count(), 5);
    let fault = |text: &str| {
        fs::write(&file, text).unwrap();
        report(home.path(), &outside).fault
    };
    assert_eq!(fault(&good), None);
    // a crash while a line was written leaves a part of it; the next line stands by itself
    assert_eq!(fault(&format!("{good}25 4000")), None);
    let mut lines_of: Vec<&str> = good.lines().collect();
    lines_of[2] = "15 200004 0 00 00";
    assert!(matches!(fault(&(lines_of.join("\n") + "\n")), Some(Fault::Foreign { line: 3, .. })));
    let mut bits = 0;
    for place in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[place] ^= 1 << (place % 7);
        let Ok(text) = String::from_utf8(bytes) else { continue };
        // the very last line break is what a crash would have kept away
        if place + 1 < good.len() {
            assert!(fault(&text).is_some(), "byte {place}");
            bits += 1;
        }
    }
    assert!(bits > 700, "{bits}");
    fs::write(&file, format!("{good}25 4000")).unwrap();
    lines(home.path(), &outside, 9, 1).await;
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 6);
    assert_eq!(report(home.path(), &outside).outside, Some(6));
}

#[tokio::test]
async fn a_program_is_handed_each_anchor() {
    let home = tempfile::tempdir().unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let keeps = Arc::clone(&heard);
    let send: crate::audit::Send = Arc::new(move |text: &str| {
        keeps.lock().unwrap().push(text.to_owned());
        Ok(())
    });
    let outside = Outside { file: None, send: Some(send) };
    lines(home.path(), &outside, 0, 1).await;
    // a second process within the minute leaves it to a later one
    lines(home.path(), &outside, 0, 1).await;
    lines(home.path(), &outside, 3, 1).await;
    lines(home.path(), &outside, 4, 500).await;
    let heard = heard.lock().unwrap().clone();
    let rows: Vec<&str> = heard.iter().filter_map(|text| text.split(' ').next()).collect();
    assert_eq!((rows[0], rows[1], rows.last()), ("5", "15", Some(&"2515")), "{rows:?}");
    assert!(rows.len() >= 4, "one after a thousand rows: {rows:?}");
}

#[tokio::test]
async fn a_loss_is_accepted_once_and_written_down() {
    let home = tempfile::tempdir().unwrap();
    let outside = beside(&home);
    lines(home.path(), &outside, 0, 2).await;
    let accept = async |reason| accept_loss(&open(home.path()), home.path(), &outside, 7, reason).await;
    assert!(matches!(accept("nothing").await, Err(StartError::NothingLost)));
    lines(home.path(), &outside, 2, 2).await;
    attacked(home.path()).execute_batch("DELETE FROM audit WHERE seq > 12").unwrap();
    assert!(matches!(refused(home.path(), &outside), StartError::RolledBack { seq: 20, .. }));
    let loss = accept("the disk lost the last day").await.unwrap();
    assert_eq!((loss.number, loss.found, loss.anchored), (1, 12, Some(20)));
    // it goes on, and what was anchored before the loss is neither a fault nor forgotten
    lines(home.path(), &outside, 5, 3).await;
    let held = report(home.path(), &outside);
    assert_eq!((held.fault, held.outside), (None, Some(3)));
    assert_eq!(held.losses.iter().map(|loss| loss.reason.as_str()).collect::<Vec<_>>(), ["the disk lost the last day"]);
    let audit = Audit::start(&open(home.path()), home.path(), &outside).unwrap();
    let told = audit.list(Filter { who: Some(Whose::Person("operator".into())), ..Filter::default() }).await.unwrap();
    assert_eq!(told[0].text, "pipit audit accept-loss 'the disk lost the last day'");
    assert!(audit.show(&told[0].ticket).await.unwrap().iter().any(|row| row.kind == "lost"));
    drop(audit);
    // a second loss, this time of the anchor
    fs::remove_file(home.path().join("audit.head")).unwrap();
    assert_eq!(accept("and the anchor").await.unwrap().number, 2);
    assert_eq!(report(home.path(), &outside).fault, None);
    // a row that was changed is no loss
    attacked(home.path()).execute_batch("UPDATE audit SET body = '{}' WHERE seq = 3").unwrap();
    fs::remove_file(home.path().join("audit.head")).unwrap();
    assert!(matches!(accept("no").await, Err(StartError::Altered(Fault::Changed { seq: 3 }))));
}

/// Takes the log away as somebody does who may write the files of the home.
fn emptied(home: &Path, also: &[&str]) {
    attacked(home).execute_batch("DELETE FROM audit").unwrap();
    for file in also {
        fs::remove_file(home.join(file)).unwrap();
    }
}

async fn kept(home: &Path) {
    let (kind, key, body) = ("user", "alice".to_owned(), "{}".to_owned());
    open(home).apply(vec![crate::store::Change::Insert { kind, key, body }]).await.unwrap();
}

#[tokio::test]
async fn what_is_kept_without_a_log_of_how_it_came_starts_nothing() {
    for gone in [&["audit.key", "audit.head"][..], &["audit.key"], &["audit.head"], &[]] {
        let home = with_lines(1).await;
        kept(home.path()).await;
        drop(started(home.path()));
        emptied(home.path(), gone);
        let error = refused(home.path(), &Outside::default());
        assert_eq!(matches!(error, StartError::Emptied), gone.len() == 2, "{gone:?}: {error}");
        let verified = verify(&open(home.path()), home.path(), None);
        assert!(verified.is_err() || verified.is_ok_and(|report| report.fault.is_some()), "{gone:?}");
        // it goes on when the operator says so, and that is the first record
        let loss = accept_loss(&open(home.path()), home.path(), &Outside::default(), 1, "gone").await.unwrap();
        assert_eq!((loss.number, loss.found), (1, 0), "{gone:?}");
        drop(started(home.path()));
        let report = check(home.path());
        assert_eq!((report.losses.len(), report.fault), (1, None), "{gone:?}");
    }
}

#[tokio::test]
async fn a_first_anchor_that_was_put_aside_covers_no_log_that_was_emptied() {
    let home = tempfile::tempdir().unwrap();
    drop(started(home.path()));
    let first = fs::read(home.path().join("audit.head")).unwrap();
    full_line(&started(home.path()).1, 0).await;
    kept(home.path()).await;
    emptied(home.path(), &[]);
    fs::write(home.path().join("audit.head"), first).unwrap();
    assert!(matches!(refused(home.path(), &Outside::default()), StartError::Emptied));
    assert!(check(home.path()).fault.is_some());
}

#[tokio::test]
async fn the_code_for_the_first_administrator_comes_before_all_lines() {
    let home = tempfile::tempdir().unwrap();
    let (store, audit) = started(home.path());
    let (kind, key, body) = ("claim", "code".to_owned(), "{}".to_owned());
    store.apply(vec![crate::store::Change::Insert { kind, key, body }]).await.unwrap();
    drop((store, audit));
    drop(started(home.path()));
}
