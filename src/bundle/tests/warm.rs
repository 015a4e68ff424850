//! Programs that are kept warm: who shares a process, what a call finds, and what becomes of one that misbehaves.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ecow::EcoString;
use pipit_commands::{ErrorKind, Stream, Value};

use super::stage::{Open, left, made, ready, run, run_on, start, texts};
use crate::bundle::{Ready, check};
use crate::limits;

/// Its word says what it does; each value is its process and what the word came to.
const PROGRAM: &str = r#"#!/usr/bin/env python3
import json, os, sys, time, random
mine = random.random()
def say(frame):
    print(json.dumps(frame), flush=True)
def seen(folder):
    try: return os.listdir(folder)
    except OSError: return []
for line in sys.stdin:
    call = json.loads(line)
    n, word = call["call"], call["args"].get("WORD", "pid")
    if word == "pid":
        say({"call": n, "value": os.getpid()})
    elif word == "mine":
        say({"call": n, "value": [mine, seen("."), seen("/tmp")]})
        for at in "over", "/tmp/over":
            try: open(at, "w").close()
            except OSError: pass
    elif word == "whisper":
        print("a secret of alice", file=sys.stderr, flush=True)
    elif word == "control":
        say({"call": n, "value": os.environ.get("PIPIT_CONTROL")})
    elif word in ("late", "late-error"):
        say({"call": n, "end": True})
        room = os.environ["ROOM"]
        while not os.path.exists(room + "/go"): time.sleep(0.005)
        if word == "late": say({"call": n, "value": "for the next"})
        print("a secret of alice", file=sys.stderr, flush=True)
        open(room + "/gone", "w").close()
        continue
    elif word == "call":
        say({"call": n, "value": call})
    elif word == "setting":
        say({"call": n, "value": [os.getpid(), os.environ["PLACE"]]})
    elif word == "file":
        say({"call": n, "value": os.listdir(".")})
        os.mkdir("left"); open("left/over", "w").close(); open("over", "w").close()
    elif word == "many":
        say({"call": n, "values": list(range(1000))})
        for i in range(1000, 3000): print(json.dumps({"call": n, "value": i}))
    elif word == "endless":
        while True: print(json.dumps({"call": n, "value": "x" * 1000}))
    elif word == "ask":
        say({"call": n, "ask": "which?", "one-of": ["a"]})
        say({"call": n, "value": json.loads(sys.stdin.readline())})
    elif word == "abort":
        say({"call": n, "abort": "no such host"})
        continue
    elif word == "garbage":
        say("hello")
    elif word == "other":
        say({"call": n + 1, "value": 1})
    elif word == "after":
        print(json.dumps({"call": n, "end": True}) + "\n" + json.dumps({"call": n + 1, "value": "late"}), flush=True)
        continue
    elif word == "long":
        say({"call": n, "value": "x" * (1 << 20)})
    elif word == "exit":
        sys.exit("the server is away")
    elif word == "quiet":
        sys.exit(0)
    elif word == "slow":
        say({"call": n, "value": "begun"}); time.sleep(60)
    elif word == "once":
        with open(os.environ["EFFECTS"], "a+") as effects:
            effects.write(call["invocation"] + "\n"); effects.seek(0)
            if len(effects.readlines()) == 2: sys.exit(0)
        say({"call": n, "value": call["invocation"]})
    say({"call": n, "end": True})
"#;

fn command(name: &str, more: &str) -> String {
    format!("  {name}: {{about: x, usage: \"{name} [WORD]\", run: [./p.py], rules: [allow], warm: 2, {more}}}\n")
}

fn bundle(folder: &Path) -> Arc<Ready> {
    let commands = [command("do", "effect: pure, timeout: 5s"), command("act", "effect: unsafe, timeout: 1s")].concat();
    made(folder, &commands, &[("p.py", PROGRAM)])
}

async fn fault(bundle: &Arc<Ready>, words: &[&str]) -> (ErrorKind, String) {
    let (_, end, _) = run(bundle, words, None).await;
    let error = end.unwrap_err();
    (error.kind(), error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_has_one_call_after_the_other() {
    let temporary = tempfile::tempdir().unwrap();
    let bundle = bundle(temporary.path());
    let first = texts(&bundle, &["do"], None).await;
    assert_eq!(texts(&bundle, &["do"], None).await, first);
    // an input value comes with its call
    let (values, end, _) = run(&bundle, &["do", "call"], Some(vec![Value::from(7_i64)])).await;
    end.unwrap();
    let told = |key: &str| values[0].field(key).map(Value::to_json).unwrap_or_default();
    assert_eq!((told("args").as_str(), told("options").as_str()), (r#"{"WORD":"call"}"#, "{}"));
    assert_eq!(
        (told("input").as_str(), told("user").as_str(), told("room").as_str()),
        ("[7]", "\"alice\"", "\"#dev\"")
    );
    assert_eq!(told("invocation").len(), 34);
    // nothing of one call is there in the next
    assert_eq!(texts(&bundle, &["do", "file"], None).await, ["[]"]);
    assert_eq!(texts(&bundle, &["do", "file"], None).await, ["[]"]);
    assert_eq!(texts(&bundle, &["do", "many"], None).await.len(), 3000);
    assert_eq!(texts(&bundle, &["do"], None).await, first, "it was one process all the time");
    // and another command has another one
    assert_ne!(texts(&bundle, &["act"], None).await, first);
    drop(bundle);
    super::stage::runner().rest().await;
    assert_eq!(left(temporary.path()), Vec::<String>::new(), "they go with their bundle");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_settings_are_another_process() {
    let temporary = tempfile::tempdir().unwrap();
    let commands = command("do", "effect: pure");
    let plain = made(temporary.path(), &commands, &[("p.py", PROGRAM)]);
    let place = Arc::new(Mutex::new(EcoString::from("here")));
    let manifest = check(&std::fs::read_to_string(temporary.path().join("bundle.yaml")).unwrap()).unwrap().manifest;
    let (folder, programs, now) = (plain.folder.clone(), plain.programs.clone(), Arc::clone(&place));
    let settings: crate::bundle::process::Settings =
        Arc::new(move |_| Ok(vec![("PLACE".into(), now.lock().unwrap().clone())]));
    let bundle = Arc::new(Ready { manifest, folder, programs, settings, warm: Arc::default() });
    let here = texts(&bundle, &["do", "setting"], None).await;
    *place.lock().unwrap() = "there".into();
    let there = texts(&bundle, &["do", "setting"], None).await;
    assert!(here[0].ends_with(r#""here"]"#) && there[0].ends_with(r#""there"]"#), "{here:?} {there:?}");
    *place.lock().unwrap() = "here".into();
    assert_eq!(texts(&bundle, &["do", "setting"], None).await, here);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_misbehaves_is_ended_and_its_call_fails() {
    let temporary = tempfile::tempdir().unwrap();
    let bundle = bundle(temporary.path());
    let mut processes = BTreeSet::new();
    for (word, said) in [
        ("garbage", "a line of its output is no JSON object"),
        ("other", "a line of its output is of another call"),
        ("long", "it wrote a line longer than 1 MiB"),
        ("exit", "the server is away (exit code 1)"),
        ("quiet", "the program ended in the midst of its call"),
        ("slow", "the program did not end within 1 s and was ended"),
    ] {
        assert!(processes.insert(texts(&bundle, &["act"], None).await), "{word}: the one before was ended");
        // it changes something, so nobody knows whether it did
        assert_eq!(fault(&bundle, &["act", word]).await, (ErrorKind::Unknown, said.to_owned()), "{word}");
    }
    let before = texts(&bundle, &["act"], None).await;
    assert_eq!(fault(&bundle, &["act", "abort"]).await, (ErrorKind::Failed, "no such host".to_owned()));
    assert_eq!(texts(&bundle, &["act"], None).await, before, "a call that fails is no reason to end its process");
    // what it says between two calls is nobody's
    assert_eq!(texts(&bundle, &["do", "after"], None).await, Vec::<String>::new());
    let next = texts(&bundle, &["do"], None).await;
    assert!(next[0].parse::<u32>().is_ok(), "{next:?}");
    let (kind, said) = fault(&bundle, &["do", "garbage"]).await;
    assert_eq!((kind, said.as_str()), (ErrorKind::Failed, "a line of its output is no JSON object"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_reads_and_what_is_endless() {
    let temporary = tempfile::tempdir().unwrap();
    let bundle = bundle(temporary.path());
    let host = Arc::default();
    let first = texts(&bundle, &["do"], None).await;
    // what ends by itself is kept though nobody read to the end
    let mut stream: Stream = start(&bundle, &["do", "many"], None, &host).await.unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap()[0], Value::from(0_i64));
    drop(stream);
    let until = Instant::now() + Duration::from_secs(20);
    while texts(&bundle, &["do"], None).await != first {
        assert!(Instant::now() < until, "the process did not come back");
    }
    // what does not is ended
    let mut stream: Stream = start(&bundle, &["do", "endless"], None, &host).await.unwrap();
    assert!(!stream.next().await.unwrap().unwrap().is_empty());
    drop(stream);
    let (values, end, notes) = run(&bundle, &["do", "endless"], None).await;
    end.unwrap();
    assert!((7000..9000).contains(&values.len()), "{}", values.len());
    assert!(format!("{notes:?}").contains("larger than 8 MiB"), "{notes:?}");
    drop(bundle);
    super::stage::runner().rest().await;
    assert_eq!(left(temporary.path()), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn several_calls_at_once_have_a_process_each() {
    let temporary = tempfile::tempdir().unwrap();
    let bundle = bundle(temporary.path());
    let host = Arc::default();
    let mut streams = Vec::new();
    for _ in 0..4 {
        // it holds its call open while it waits for an answer that never comes
        streams.push(start(&bundle, &["do", "slow"], None, &host).await.unwrap());
    }
    for stream in &mut streams {
        assert_eq!(stream.next().await.unwrap().unwrap(), [Value::text("begun")]);
    }
    drop(streams);
    let mut processes = BTreeSet::new();
    for _ in 0..=limits::WARM_CALLS {
        processes.extend(texts(&bundle, &["do"], None).await);
    }
    assert_eq!(processes.len(), 2, "after so many calls another process takes its place");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_asks_by_frames() {
    let temporary = tempfile::tempdir().unwrap();
    let bundle = bundle(temporary.path());
    let answers = Mutex::new([(Duration::from_millis(1200), "a")].into());
    let host = Arc::new(Open { answers, ..Open::default() });
    let (values, end, _) = run_on(&host, &bundle, &["act", "ask"], None).await;
    end.unwrap();
    let answer = |value: &Value| (value.field("answer").map(Value::to_json), value.field("error").map(Value::to_json));
    assert_eq!(answer(&values[0]), (Some("\"a\"".into()), None));
    let (values, end, _) = run_on(&host, &bundle, &["act", "ask"], None).await;
    end.unwrap();
    assert_eq!(answer(&values[0]), (None, Some("\"nobody knows which?\"".into())));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_repeated_is_under_the_same_id_and_nothing_else_is() {
    for (effect, times) in [("idempotent", 3), ("unsafe", 2)] {
        let temporary = tempfile::tempdir().unwrap();
        let commands = command("do", &format!("effect: {effect}"));
        made(temporary.path(), &commands, &[("p.py", PROGRAM)]);
        let effects = temporary.path().join("effects");
        let bundle = ready(temporary.path(), &[("EFFECTS", effects.to_str().unwrap())], &[]);
        let manifest = {
            let text = std::fs::read_to_string(temporary.path().join("bundle.yaml")).unwrap();
            check(&text.replace("commands:", "needs: {sandbox: basic}\ncommands:")).unwrap().manifest
        };
        let (folder, programs, settings) = (bundle.folder.clone(), bundle.programs.clone(), bundle.settings.clone());
        let bundle = Arc::new(Ready { manifest, folder, programs, settings, warm: Arc::default() });
        let first = texts(&bundle, &["do", "once"], None).await;
        // the process ends after it took effect and before it says so
        let (values, end, _) = run(&bundle, &["do", "once"], None).await;
        let done = std::fs::read_to_string(&effects).unwrap();
        let done: Vec<&str> = done.lines().collect();
        assert_eq!((done.len(), done[0]), (times, first[0].as_str()), "{effect}");
        if effect == "unsafe" {
            assert_eq!((values.len(), end.unwrap_err().kind()), (0, ErrorKind::Unknown));
        } else {
            end.unwrap();
            assert_eq!((done[1], values), (done[2], vec![Value::text(done[1])]));
        }
    }
}

/// The bundle at a sandbox, with these settings.
fn held(folder: &Path, sandbox: &str, settings: &[(&str, &str)]) -> Arc<Ready> {
    made(folder, &command("do", "effect: idempotent"), &[("p.py", PROGRAM)]);
    let plain = ready(folder, settings, &[]);
    let text = std::fs::read_to_string(folder.join("bundle.yaml")).unwrap();
    let manifest =
        check(&text.replace("commands:", &format!("needs: {{sandbox: {sandbox}}}\ncommands:"))).unwrap().manifest;
    let (folder, programs, settings) = (plain.folder.clone(), plain.programs.clone(), plain.settings.clone());
    Arc::new(Ready { manifest, folder, programs, settings, warm: Arc::default() })
}

/// What it writes in a root of its own lasts as long as it does, so nobody else's call comes there.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_in_a_root_of_its_own_is_one_persons() {
    for (sandbox, alone) in [("restrict", false), ("isolate", true)] {
        let temporary = tempfile::tempdir().unwrap();
        let bundle = held(temporary.path(), sandbox, &[]);
        let mine = async |user| {
            let host = Arc::new(Open { user: Some(user), ..Open::default() });
            let (values, end, _) = run_on(&host, &bundle, &["do", "mine"], None).await;
            end.unwrap();
            values[0].to_json()
        };
        let process = |said: &str| said.split(',').next().unwrap().to_owned();
        let (alice, bob, again) = (mine("alice").await, mine("bob").await, mine("alice").await);
        assert_eq!(process(&alice), process(&again), "{sandbox}: alice has hers again");
        assert_eq!(process(&alice) != process(&bob), alone, "{sandbox}: {alice} {bob}");
        if alone {
            assert!(!bob.contains("over"), "nothing of alice's is there: {bob}");
            assert!(again.matches("over").count() == 2, "and hers is, as it is in memory: {again}");
            // a nick is nobody's
            assert_ne!(process(&mine("?eve").await), process(&mine("?eve").await));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_in_a_call_is_not_told_in_the_next() {
    let temporary = tempfile::tempdir().unwrap();
    let bundle = bundle(temporary.path());
    for last in ["exit", "quiet"] {
        let process = texts(&bundle, &["do"], None).await;
        texts(&bundle, &["do", "whisper"], None).await;
        assert_eq!(texts(&bundle, &["do"], None).await, process);
        texts(&bundle, &["do", "whisper"], None).await;
        let (_, said) = fault(&bundle, &["do", last]).await;
        assert!(!said.contains("secret"), "{last}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_between_two_calls_ends_the_process() {
    for (word, ends) in [("late", true), ("late-error", false)] {
        let (temporary, room) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let bundle = held(temporary.path(), "basic", &[("ROOM", room.path().to_str().unwrap())]);
        let before = texts(&bundle, &["do"], None).await;
        assert_eq!(texts(&bundle, &["do", word], None).await, Vec::<String>::new());
        // it waits for its next call by now
        std::fs::write(room.path().join("go"), "").unwrap();
        let until = Instant::now() + Duration::from_secs(20);
        while !room.path().join("gone").exists() {
            assert!(Instant::now() < until, "the process wrote nothing");
            tokio::task::yield_now().await;
        }
        let after = texts(&bundle, &["do"], None).await;
        assert_eq!((after.len(), after != before), (1, ends), "{word}: {after:?}");
        let (_, said) = fault(&bundle, &["do", "exit"]).await;
        assert_eq!(said, "the server is away (exit code 1)", "{word}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_numbered_by_chance_and_have_no_control_descriptor() {
    let temporary = tempfile::tempdir().unwrap();
    let bundle = bundle(temporary.path());
    let mut numbers = BTreeSet::new();
    for _ in 0..20 {
        let (values, end, _) = run(&bundle, &["do", "call"], None).await;
        end.unwrap();
        let Some(Value::Int(number)) = values[0].field("call").cloned() else { panic!("{values:?}") };
        assert!((0..1 << 53).contains(&number), "{number} is kept exactly nowhere");
        numbers.insert(number);
    }
    assert_eq!(numbers.len(), 20);
    let near = numbers.iter().zip(numbers.iter().skip(1)).filter(|(one, next)| *next - *one < 1000).count();
    assert_eq!(near, 0, "{numbers:?}");
    assert_eq!(texts(&bundle, &["do", "control"], None).await, ["null"]);
}
