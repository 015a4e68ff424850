//! The protocol, with programs in shell and Python: arguments, input, output, control, and what escapes.

use std::path::Path;
use std::time::{Duration, Instant};

use pipit_commands::{Error, Level, Note, Stream, Value};

use super::stage::{fault, left, made, run, texts};

fn json(text: &str) -> Value {
    Value::from_json(text).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_are_never_split_or_read_again() {
    let temporary = tempfile::tempdir().unwrap();
    let commands = r#"
  show:
    about: x
    usage: "show [NAME] [TAG…] [--loud] [--region=REGION]"
    run: [./show.sh, "<{NAME}>", "{TAG}", "{--loud}", "--region={REGION}", "{literal}", end]
    output: lines
    rules: [allow]
  call:
    about: x
    usage: "call NAME [TAG…] [--loud] [--n=N]"
    params: {N: {type: int}}
    run: [./call.sh]
    output: json
    rules: [allow]
"#;
    let show = "#!/bin/sh\nprintf '%s\\n' \"$@\"\n";
    let call = "#!/bin/sh\nprintf '%s' \"$PIPIT_CALL\"\n";
    let bundle = made(temporary.path(), commands, &[("show.sh", show), ("call.sh", call)]);
    assert_eq!(texts(&bundle, &["show"], None).await, ["{literal}", "end"]);
    let all = texts(&bundle, &["show", "a b; $(id) *", "x y", "{NAME}", "--loud", "--region=eu 1"], None).await;
    assert_eq!(all, ["<a b; $(id) *>", "x y", "{NAME}", "--loud", "--region=eu 1", "{literal}", "end"]);
    let (values, end, _) = run(&bundle, &["call", "a", "b", "c", "--n=3", "--loud"], None).await;
    end.unwrap();
    assert_eq!(values, [json(r#"{"args":{"NAME":"a","TAG":["b","c"]},"options":{"loud":true,"n":3}}"#)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_of_output() {
    let temporary = tempfile::tempdir().unwrap();
    let mut commands = String::new();
    for (name, output) in [
        ("sniff", ""),
        ("json", ", output: json"),
        ("path", ", output: {json: \"$.a[*].b\"}"),
        ("jlines", ", output: json-lines"),
        ("lines", ", output: lines"),
        ("text", ", output: text"),
        ("csv", ", output: csv"),
    ] {
        let line = format!(
            "  {name}: {{about: x, usage: \"{name} TEXT\", run: [./p.sh, \"{{TEXT}}\"]{output}, effect: pure, rules: [allow]}}\n"
        );
        commands.push_str(&line);
    }
    let bundle = made(temporary.path(), &commands, &[("p.sh", "#!/bin/sh\nprintf \"$1\"\n")]);
    for (command, said, values) in [
        ("sniff", "{\"a\":1}\\n[2]\\n", r#"[{"a":1},[2]]"#),
        ("sniff", "one\\n{two\\n", r#"["one","{two"]"#),
        ("sniff", "", "[]"),
        ("json", "[1,\\n2]", "[[1,2]]"),
        ("json", " \\n", "[]"),
        ("path", "{\"a\":[{\"b\":1},{\"c\":0},{\"b\":[2]}]}", "[1,[2]]"),
        ("jlines", "1\\n\\n2", "[1,2]"),
        ("lines", "a\\r\\n\\nb", r#"["a","","b"]"#),
        ("text", "a\\nb\\n", r#"["a\nb"]"#),
        ("text", "", "[]"),
        ("csv", "a,b\\n1,\"x,\\ny\"\\n2,z", r#"[{"a":"1","b":"x,\ny"},{"a":"2","b":"z"}]"#),
    ] {
        let (got, end, _) = run(&bundle, &[command, said], None).await;
        end.unwrap_or_else(|error| panic!("{command} {said}: {error}"));
        assert_eq!(Value::from(got), json(values), "{command} {said}");
    }
    for (command, said, message) in [
        ("json", "{", "its output is no JSON"),
        ("json", "1 2", "its output is no JSON"),
        ("jlines", "1\\n\"\\377\"\\n", "line 2 of its output is no UTF-8 at byte 2"),
        ("csv", "a,a\\n", "the first row of its output names the column \"a\" twice"),
        ("csv", "a,b\\n1\\n", "row 2 of its output has 1 cells, the first has 2"),
    ] {
        let got = fault(&bundle, &[command, said]).await;
        assert!(got.starts_with(message), "{command} {said}: {got}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn input_comes_as_json_lines() {
    let temporary = tempfile::tempdir().unwrap();
    let commands = "
  each: {about: x, run: [./cat.sh], output: json-lines, rules: [allow]}
  all: {about: x, input: stream, run: [./double.py], output: json-lines, rules: [allow]}
  head: {about: x, input: stream, run: [./head.sh], output: lines, rules: [allow]}
  named: {about: x, usage: \"named [ID]\", params: {ID: {from-input: id}}, run: [./echo.sh, \"{ID}\"], output: lines, rules: [allow]}
";
    let double = "#!/usr/bin/env python3\nimport json, sys\nfor line in sys.stdin:\n    print(json.dumps(json.loads(line) * 2), flush=True)\n";
    let bundle = made(
        temporary.path(),
        commands,
        &[
            ("cat.sh", "#!/bin/sh\ncat\n"),
            ("double.py", double),
            ("head.sh", "#!/bin/sh\nhead -n 1\n"),
            ("echo.sh", "#!/bin/sh\necho \"$1\"\n"),
        ],
    );
    assert_eq!(texts(&bundle, &["each"], None).await, Vec::<String>::new());
    assert_eq!(texts(&bundle, &["each"], Some(vec![json(r#"{"a":"x\ny"}"#)])).await, [r#"{"a":"x\ny"}"#]);
    let many: Vec<Value> = (0..20_000_i64).map(Value::from).collect();
    let (values, end, _) = run(&bundle, &["all"], Some(many.clone())).await;
    end.unwrap();
    assert_eq!((values.len(), &values[19_999]), (20_000, &Value::from(39_998_i64)));
    // who reads no more than he wants has not failed
    assert_eq!(texts(&bundle, &["head"], Some(many)).await, ["0"]);
    assert_eq!(texts(&bundle, &["named"], Some(vec![json(r#"{"id":"i-1"}"#)])).await, ["i-1"]);
    assert_eq!(texts(&bundle, &["named"], Some(vec![json(r#""i-2""#)])).await, ["i-2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_come_as_they_are_written() {
    let temporary = tempfile::tempdir().unwrap();
    let commands = "  slow: {about: x, run: [./slow.sh], output: lines, rules: [allow]}\n";
    let bundle = made(temporary.path(), commands, &[("slow.sh", "#!/bin/sh\necho one\nsleep 2\necho two\n")]);
    let host = std::sync::Arc::default();
    let started = Instant::now();
    let mut stream = super::stage::start(&bundle, &["slow"], None, &host).await.unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap(), [Value::text("one")]);
    assert!(started.elapsed() < Duration::from_millis(1500), "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_control_descriptor() {
    let temporary = tempfile::tempdir().unwrap();
    let commands = "
  say: {about: x, run: [./say.sh], output: lines, rules: [allow]}
  give-up: {about: x, run: [./up.sh], output: lines, rules: [allow]}
  ask: {about: x, run: [./ask.py], output: lines, rules: [allow]}
";
    let say = "#!/bin/sh\n";
    let say = format!(
        "{say}echo '{{\"progress\":0.5,\"text\":\"half\"}}' >&3\necho '{{\"template\":\"none\"}}' >&3\necho '{{\"log\":\"x\"}}' >&3\necho done\n"
    );
    let up = "#!/bin/sh\necho '{\"abort\":\"no more\"}' >&$PIPIT_CONTROL\nsleep 60\n";
    let ask = "#!/usr/bin/env python3\nimport os, socket\ns = socket.socket(fileno=int(os.environ['PIPIT_CONTROL']))\ns.sendall(b'{\"ask\":\"which?\"}\\n')\nprint(s.makefile().readline().strip())\n";
    let files = [("say.sh", say.as_str()), ("up.sh", up), ("ask.py", ask)];
    let bundle = made(temporary.path(), commands, &files);
    let (values, end, notes) = run(&bundle, &["say"], None).await;
    end.unwrap();
    assert_eq!(values, [Value::text("done")]);
    assert_eq!(notes[0], Note::Progress { part: Some(0.5), text: "half".into() });
    assert!(matches!(&notes[1], Note::Log { level: Level::Warn, text } if text.contains("no template")), "{notes:?}");
    assert_eq!(notes[2], Note::Log { level: Level::Info, text: "x".into() });
    let started = Instant::now();
    assert_eq!(fault(&bundle, &["give-up"]).await, "no more");
    assert!(started.elapsed() < Duration::from_secs(3));
    assert_eq!(texts(&bundle, &["ask"], None).await, [r#"{"error":"nobody knows which?"}"#]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_escapes_is_found() {
    let temporary = tempfile::tempdir().unwrap();
    let commands = "
  fork: {about: x, run: [./fork.sh], output: lines, rules: [allow]}
  bare: {about: x, run: [./bare.sh], output: lines, rules: [allow]}
";
    let fork = "#!/bin/sh\nsetsid sh -c 'trap \"\" TERM HUP; (setsid sleep 63 &) ; sleep 64' >/dev/null 2>&1 &\necho done\nsleep 0.2\n";
    // takes off its mark and keeps the output open
    let own = std::process::id();
    let bare = format!("#!/bin/sh\nsetsid env -i /bin/sh -c 'sleep 65.{own}' &\necho done\nsleep 0.2\n");
    let bundle = made(temporary.path(), commands, &[("fork.sh", fork), ("bare.sh", &bare)]);
    for command in ["fork", "bare"] {
        let started = Instant::now();
        assert_eq!(texts(&bundle, &[command], None).await, ["done"]);
        assert!(started.elapsed() < Duration::from_secs(3), "{command} {:?}", started.elapsed());
        assert_eq!(left(temporary.path()), Vec::<String>::new(), "{command}");
    }
    assert!(!running(&format!("sleep\x0065.{own}")));
}

fn running(line: &str) -> bool {
    let lines = std::fs::read_dir("/proc").unwrap().flatten();
    lines
        .into_iter()
        .any(|entry| std::fs::read(entry.path().join("cmdline")).unwrap_or_default().starts_with(line.as_bytes()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_held() {
    let temporary = tempfile::tempdir().unwrap();
    let commands = "  look: {about: x, run: [./look.py], output: json, rules: [allow]}
  gone: {about: x, run: [./gone.sh], output: lines, rules: [allow]}
  bad: {about: x, run: [./bad.sh], output: lines, rules: [allow]}
";
    let look = "#!/usr/bin/env python3
import json, os, resource
status = dict(line.split(':', 1) for line in open('/proc/self/status') if ':' in line)
print(json.dumps({
    'open': len([fd for fd in range(3, 512) if os.path.lexists(f'/proc/self/fd/{fd}')]),
    'privileges': status['NoNewPrivs'].strip(),
    'umask': status['Umask'].strip(),
    'core': resource.getrlimit(resource.RLIMIT_CORE)[1],
    'folder': os.getcwd(),
    'home': os.getcwd() == os.environ['HOME'] == os.environ['TMPDIR'],
    'mode': oct(os.stat('.').st_mode & 0o777),
    'session': os.getsid(0) == os.getpid(),
    'user': os.environ['PIPIT_USER'],
}))
";
    let bundle = made(temporary.path(), commands, &[("look.py", look), ("bad.sh", "no interpreter here\n")]);
    let (mut values, end, _) = run(&bundle, &["look"], None).await;
    end.unwrap();
    let Some(Value::Record(said)) = values.first_mut() else { panic!("{values:?}") };
    let folder = said.get("folder").unwrap().to_text();
    assert!(!Path::new(folder.as_str()).exists(), "{folder} is left");
    said.remove("folder");
    let want = r#"{"open":1,"privileges":"1","umask":"0077","core":0,"home":true,"mode":"0o700","session":true,"user":"alice"}"#;
    assert_eq!(values, [json(want)], "{}", values[0]);
    let message = fault(&bundle, &["gone"]).await;
    assert!(message.starts_with("gone.sh cannot be started: it, or the interpreter"), "{message}");
    let message = fault(&bundle, &["bad"]).await;
    assert!(message.starts_with("bad.sh cannot be started: it is no program"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_of_all_kinds() {
    let temporary = tempfile::tempdir().unwrap();
    let commands = "
  half: {about: x, run: [./half.sh], output: json, rules: [allow]}
  sink: {about: x, input: stream, run: [./sink.sh], output: lines, timeout: 5s, rules: [allow]}
  killed: {about: x, run: [./killed.sh], output: lines, rules: [allow]}
  quiet: {about: x, run: [./quiet.sh], output: lines, rules: [allow]}
  big: {about: x, usage: \"big TEXT\", run: [./quiet.sh, \"{TEXT}\"], output: lines, rules: [allow]}
";
    let files = [
        ("half.sh", "#!/bin/sh\nprintf '{\"a\":'\necho 'the server is away' >&2\nexit 4\n"),
        ("sink.sh", "#!/bin/sh\nexec >&-\ncat >taken\n[ $(wc -l <taken) = 20000 ]\n"),
        ("killed.sh", "#!/bin/sh\nkill -9 $$\n"),
        ("quiet.sh", "#!/bin/sh\nexit 7\n"),
    ];
    let bundle = made(temporary.path(), commands, &files);
    assert_eq!(fault(&bundle, &["half"]).await, "the server is away (exit code 4)");
    let many: Vec<Value> = (0..20_000_i64).map(Value::from).collect();
    assert_eq!(texts(&bundle, &["sink"], Some(many)).await, Vec::<String>::new());
    assert_eq!(fault(&bundle, &["killed"]).await, "the program was killed");
    assert_eq!(fault(&bundle, &["quiet"]).await, "the program ended with exit code 7 and said nothing");
    let message = fault(&bundle, &["big", &"x".repeat(200_000)]).await;
    assert_eq!(message, "the call is too large to be handed to a program");
    let message = fault(&bundle, &["big", "a\0b"]).await;
    assert!(message.contains("NUL"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_input_ends_the_program() {
    let temporary = tempfile::tempdir().unwrap();
    let commands = "  pass: {about: x, input: stream, run: [./pass.sh], output: json-lines, rules: [allow]}\n";
    let bundle = made(temporary.path(), commands, &[("pass.sh", "#!/bin/sh\ncat\nsleep 60\n")]);
    let host = std::sync::Arc::default();
    let input = futures_util::stream::iter([Ok(vec![Value::from(1_i64)]), Err(Error::failed("upstream broke"))]);
    let mut stream = super::stage::start_with(&bundle, &["pass"], Some(Stream::new(input)), &host).await.unwrap();
    let mut end = None;
    while let Some(batch) = stream.next().await {
        end = batch.err();
    }
    assert_eq!(end.unwrap().message(), "upstream broke");
    drop(stream);
    super::stage::runner().rest().await;
    assert_eq!(left(temporary.path()), Vec::<String>::new());
}
