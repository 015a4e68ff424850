//! A program that does all that a program should not: held, told of in one line, and gone afterwards.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pipit_commands::{Level, Note};

use super::stage::{Open, copied, fault, left, made, memory, ready, run, runner, start, texts};
use crate::bundle::Ready;

fn chaos() -> (tempfile::TempDir, PathBuf, Arc<Ready>) {
    let temporary = tempfile::tempdir().unwrap();
    let folder = copied("chaos", temporary.path());
    let bundle = ready(&folder, &[], &[]);
    (temporary, folder, bundle)
}

/// Nothing of the bundle's processes is left after they had their time to end.
async fn gone(folder: &Path) {
    let end = Instant::now() + Duration::from_secs(8);
    while !left(folder).is_empty() && Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(left(folder), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn says_what_went_wrong() {
    let (_temporary, folder, chaos) = chaos();
    assert_eq!(fault(&chaos, &["fail"]).await, "this goes wrong (exit code 3)");
    let (values, end, _) = run(&chaos, &["badjson"], None).await;
    assert_eq!(values.len(), 1, "what came before the fault is handed on");
    let message = end.unwrap_err().to_string();
    assert!(message.starts_with("line 2 of its output is no JSON"), "{message}");
    let message = fault(&chaos, &["twice"]).await;
    assert!(message.starts_with("line 1 of its output is no JSON: the key \"a\" occurs twice"), "{message}");
    gone(&folder).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_are_shown_and_told() {
    let (_temporary, _folder, chaos) = chaos();
    let (values, end, notes) = run(&chaos, &["bytes"], None).await;
    end.unwrap();
    assert_eq!(values[0].to_text(), "ok \u{fffd}\u{fffd} end");
    assert!(matches!(&notes[..], [Note::Log { level: Level::Warn, .. }]), "{notes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_is_clean() {
    let (_temporary, _folder, chaos) = chaos();
    let names = texts(&chaos, &["env"], None).await;
    let fixed = ["HOME", "LANG", "PATH", "PWD", "PYTHONDONTWRITEBYTECODE", "TMPDIR"];
    let odd: Vec<_> =
        names.iter().filter(|name| !fixed.contains(&name.as_str()) && !name.starts_with("PIPIT_")).collect();
    assert!(odd.is_empty(), "{odd:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_lines_come_whole() {
    let (_temporary, _folder, chaos) = chaos();
    let lines = texts(&chaos, &["lines"], None).await;
    assert_eq!((lines.len(), lines[29_999].as_str()), (30_000, "line 29999"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_cut_and_an_endless_line_fails() {
    let (_temporary, folder, chaos) = chaos();
    let before = memory();
    let started = Instant::now();
    let (values, end, notes) = run(&chaos, &["flood"], None).await;
    end.unwrap();
    let bytes: usize = values.iter().map(|value| value.to_text().len() + 1).sum();
    assert!(bytes <= 8 << 20 && bytes > 7 << 20, "{bytes}");
    assert!(matches!(&notes[..], [Note::Log { level: Level::Warn, .. }]), "{notes:?}");
    let message = fault(&chaos, &["longline"]).await;
    assert_eq!(message, "line 1 of its output is longer than 1 MiB");
    // an unread flood fills a pipe and no more
    let host = Arc::new(Open::default());
    let unread = start(&chaos, &["flood"], None, &host).await.unwrap();
    drop(values);
    let grown = memory().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown}");
    drop(unread);
    gone(&folder).await;
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sleeper_is_ended_when_its_time_is_up() {
    let (_temporary, folder, chaos) = chaos();
    let started = Instant::now();
    let message = fault(&chaos, &["sleep"]).await;
    assert_eq!(message, "the program did not end within 2 s and was ended");
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    assert_eq!(left(&folder), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_ignores_the_end_is_ended() {
    let (_temporary, folder, chaos) = chaos();
    let started = Instant::now();
    let message = fault(&chaos, &["daemon"]).await;
    assert_eq!(message, "the program did not end within 2 s and was ended");
    assert!(started.elapsed() < Duration::from_secs(9), "{:?}", started.elapsed());
    assert_eq!(left(&folder), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_the_stage_ends_all_of_it() {
    let (_temporary, folder, chaos) = chaos();
    let host = Arc::new(Open::default());
    let mut stream = start(&chaos, &["flood"], None, &host).await.unwrap();
    assert!(stream.next().await.unwrap().is_ok());
    assert_ne!(left(&folder), Vec::<String>::new());
    let dropped = Instant::now();
    drop(stream);
    gone(&folder).await;
    assert!(dropped.elapsed() < Duration::from_secs(3), "{:?}", dropped.elapsed());
    runner().settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_and_some_given_up() {
    let (_temporary, folder, chaos) = chaos();
    let mut runs = tokio::task::JoinSet::new();
    for number in 0..60 {
        let chaos = Arc::clone(&chaos);
        runs.spawn(async move {
            if number % 3 == 0 {
                // given up at some point of its start
                let host = Arc::new(Open::default());
                let mut stream = start(&chaos, &["flood"], None, &host).await.unwrap();
                let _ = tokio::time::timeout(Duration::from_micros(number * 150), stream.next()).await;
                return;
            }
            let word = format!("w{number}");
            assert_eq!(texts(&chaos, &["say", &word], None).await, [word]);
        });
    }
    while let Some(run) = runs.join_next().await {
        run.unwrap();
    }
    runner().settle().await;
    gone(&folder).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_with_a_mark_of_its_own_making_is_ended() {
    let temporary = tempfile::tempdir().unwrap();
    let script = "#!/bin/sh\nPIPIT_RUN=mine setsid sleep 300 >/dev/null 2>&1 3>&- &\nsleep 0.2\n";
    let commands = "  leave:\n    about: x\n    run: [./leave.sh]\n    output: lines\n    rules: [allow]\n";
    let bundle = made(temporary.path(), commands, &[("leave.sh", script)]);
    assert_eq!(texts(&bundle, &["leave"], None).await, Vec::<String>::new());
    gone(temporary.path()).await;
}
