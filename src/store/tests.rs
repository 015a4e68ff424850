//! The store as its callers use it: documents, compare-and-set, two processes, a newer file, a foreign lock, a full disk.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use super::{Change, Expect, Over, Spoken, Store, StoreError};

fn insert(key: &str, body: &str) -> Change {
    Change::Insert { kind: "role", key: key.into(), body: body.into() }
}

fn put(key: &str, body: &str, expect: Expect) -> Change {
    Change::Put { kind: "role", key: key.into(), body: body.into(), expect }
}

fn delete(key: &str, expect: Expect) -> Change {
    Change::Delete { kind: "role", key: key.into(), expect }
}

fn opened() -> (tempfile::TempDir, Store) {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path().join("pipit.db")).unwrap();
    (home, store)
}

fn bodies(store: &Store) -> Vec<(String, String)> {
    store.list("role").unwrap().into_iter().map(|document| (document.key, document.body)).collect()
}

#[tokio::test]
async fn documents_are_listed_by_key() {
    let (_home, store) = opened();
    store.apply(vec![insert("b", "2"), insert("a", "1"), insert("c", "3")]).await.unwrap();
    assert_eq!(bodies(&store), [("a", "1"), ("b", "2"), ("c", "3")].map(|(k, b)| (k.to_owned(), b.to_owned())));
    assert_eq!(store.get("role", "b").unwrap().unwrap().body, "2");
    assert_eq!(store.get("role", "d").unwrap(), None);
    assert_eq!(store.get("user", "b").unwrap(), None);
}

#[tokio::test]
async fn keys_that_begin_alike_are_found() {
    let (_home, store) = opened();
    let keys = ["a/1", "a/é", "a/\u{10fffe}", "a", "ab/1", "b/1"];
    store.apply(keys.map(|key| insert(key, "x")).to_vec()).await.unwrap();
    let found: Vec<String> = store.below("role", "a/").unwrap().into_iter().map(|document| document.key).collect();
    assert_eq!(found, ["a/1", "a/é", "a/\u{10fffe}"]);
    let count = |prefix: &str| store.count_below("role", prefix).unwrap();
    assert_eq!([count("a/"), count("a"), count("b/1"), count("c")], [3, 5, 1, 0]);
    assert_eq!(store.count_below("user", "a/").unwrap(), 0);
}

#[tokio::test]
async fn changes_hold_all_together_or_not_at_all() {
    let (_home, store) = opened();
    store.apply(vec![insert("a", "1")]).await.unwrap();
    let before = store.version().unwrap();
    let exists = store.apply(vec![put("b", "2", Expect::Anything), insert("a", "x")]).await;
    assert_eq!(exists, Err(StoreError::Exists { kind: "role", key: "a".into() }));
    let missing = store.apply(vec![put("b", "2", Expect::Anything), delete("x", Expect::Present)]).await;
    assert_eq!(missing, Err(StoreError::Missing { kind: "role", key: "x".into() }));
    assert_eq!(store.version().unwrap(), before);
    assert_eq!(bodies(&store).len(), 1);
    store.apply(vec![delete("x", Expect::Anything), delete("a", Expect::Present)]).await.unwrap();
    assert!(bodies(&store).is_empty());
}

#[tokio::test]
async fn a_revision_is_good_once_and_never_comes_back() {
    let (_home, store) = opened();
    store.apply(vec![insert("a", "1")]).await.unwrap();
    let first = Expect::Revision(store.get("role", "a").unwrap().unwrap().revision);
    store.apply(vec![put("a", "2", first)]).await.unwrap();
    let stale = Err(StoreError::Stale { kind: "role", key: "a".into() });
    assert_eq!(store.apply(vec![put("a", "3", first)]).await, stale);
    store.apply(vec![delete("a", Expect::Present)]).await.unwrap();
    store.apply(vec![insert("a", "1")]).await.unwrap();
    assert_eq!(store.apply(vec![put("a", "3", first)]).await, stale);
}

#[tokio::test]
async fn one_that_fails_leaves_its_neighbours_alone() {
    let (_home, store) = opened();
    let mut running = tokio::task::JoinSet::new();
    for n in 0..200 {
        let store = store.clone();
        running.spawn(async move { store.apply(vec![insert(&format!("{}", n / 2), "x")]).await.is_ok() });
    }
    let done = running.join_all().await.into_iter().filter(|ok| *ok).count();
    assert_eq!((done, bodies(&store).len()), (100, 100));
    assert_eq!(store.version().unwrap(), 100);
}

#[tokio::test]
async fn changes_of_one_caller_keep_their_order() {
    let (_home, store) = opened();
    let waiting: Vec<_> = (0..100).map(|n| store.apply(vec![put("a", &n.to_string(), Expect::Anything)])).collect();
    for result in futures_util::future::join_all(waiting).await {
        result.unwrap();
    }
    assert_eq!(store.get("role", "a").unwrap().unwrap().body, "99");
}

#[tokio::test]
async fn a_change_of_another_process_is_seen() {
    let (home, store) = opened();
    let other = Store::open(home.path().join("pipit.db")).unwrap();
    let before = store.version().unwrap();
    assert_eq!(store.version().unwrap(), before);
    other.apply(vec![insert("a", "1")]).await.unwrap();
    assert_ne!(store.version().unwrap(), before);
    assert_eq!(bodies(&store).len(), 1);
}

#[tokio::test]
async fn what_waits_is_written_when_the_store_is_dropped() {
    let (home, store) = opened();
    {
        let mut change = Box::pin(store.apply(vec![insert("a", "1")]));
        // Polled once: handed over, and nobody waits for the answer.
        assert!(futures_util::poll!(change.as_mut()).is_pending());
    }
    drop(store);
    let store = Store::open(home.path().join("pipit.db")).unwrap();
    assert_eq!(bodies(&store).len(), 1);
}

#[test]
fn a_newer_file_is_refused_and_left_alone() {
    let (home, store) = opened();
    drop(store);
    let path = home.path().join("pipit.db");
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = Store::open(&path).err().unwrap();
    assert!(matches!(error, StoreError::Newer { found: 99, .. }));
    assert!(error.to_string().contains("newer pipit"));
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("pipit.db");
    std::fs::write(&path, "not a database, but long enough to look at".repeat(100)).unwrap();
    assert!(matches!(Store::open(&path).err().unwrap(), StoreError::Damaged(_)));
}

#[test]
fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let (home, store) = opened();
    store.check().unwrap();
    for file in std::fs::read_dir(home.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", file.path());
    }
}

#[tokio::test]
async fn a_foreign_lock_is_waited_for_but_not_for_ever() {
    let (home, store) = opened();
    store.apply(vec![insert("a", "1")]).await.unwrap();
    let foreign = rusqlite::Connection::open(home.path().join("pipit.db")).unwrap();
    foreign.execute_batch("BEGIN EXCLUSIVE").unwrap();
    assert_eq!(store.apply(vec![insert("b", "2")]).await, Err(StoreError::Busy));
    assert_eq!(bodies(&store).len(), 1);
    foreign.execute_batch("ROLLBACK").unwrap();
    store.apply(vec![insert("b", "2")]).await.unwrap();
    assert_eq!(bodies(&store).len(), 2);
}

#[tokio::test]
async fn talk_comes_in_order_and_goes_when_it_is_over() {
    let (_dir, store) = opened();
    let version = store.version().unwrap();
    let say = |room: &str, at: i64, who: &str| {
        let spoken = Spoken { room: room.into(), at, who: who.into(), text: format!("{room} {at}") };
        store.spoken(spoken).unwrap();
    };
    for at in 0..10 {
        say("net/ops", at, if at % 2 == 0 { "alice" } else { "bob" });
        say("net/dev", at, "alice");
    }
    let left = |room: &str| -> Vec<i64> {
        let all = store.talk(0, 100, 100).unwrap();
        all.into_iter().filter(|spoken| spoken.room == room).map(|spoken| spoken.at).collect()
    };
    let end = |room: &str, before, most| store.end_talk(Over::Room { room: room.into(), before, most });
    // it is answered behind all that was said before
    assert_eq!(end("net/ops", 3, 100).await, Ok(3));
    assert_eq!(end("net/ops", 0, 4).await, Ok(3));
    assert_eq!((left("net/ops"), left("net/dev").len()), (vec![6, 7, 8, 9], 10));
    assert_eq!(store.talk(7, 9, 3).unwrap().len(), 3);
    assert_eq!(store.end_talk(Over::Person("alice".into())).await, Ok(12));
    assert_eq!((left("net/ops"), store.talked_in().unwrap()), (vec![7, 9], vec!["net/ops".to_owned()]));
    assert_eq!(end("net/ops", i64::MAX, 0).await, Ok(2));
    assert!(store.talked_in().unwrap().is_empty());
    // nobody has to look at documents anew for what is said
    assert_eq!(store.version().unwrap(), version);
}
