//! Secrets stay in: one is set, everything that could let it out is run, and no form of it is found in any answer, log, file
//! of the home or message. Also how secrets are set, and what happens to those that somebody types where all can see.
//!
//! Deliberately absent: how texts are scrubbed and sealed, which has tests of its own beside it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;

#[path = "support/home.rs"]
mod home;

use home::{Home, Said, field};

/// With what JSON, URLs and HTML write otherwise, and long enough to be cut.
const CANARY: &str = "c4n4ry&\"K3y/+with=more than forty letters in it, <é>";
const ROTATED: &str = "r0tated-canary-5f1c";

const MANIFEST: &str = "bundle: 1
name: leaky
version: 1.0.0
description: tells its secret in every way
config:
  - {name: TOKEN, secret: true, required: true, about: the token}
  - {name: REGION, about: no secret}
commands:
  tell: {about: x, usage: 'tell [HOW]', run: [./tell.sh, '{HOW}'], rules: [allow], timeout: 10s}
";

/// Ways for a program to tell what it was given.
const PROGRAM: &str = r#"#!/bin/sh
case "$1" in
json) printf '{"t":"%s","%s":1}\n' x y | python3 -c 'import os,json; t=os.environ["TOKEN"]; print(json.dumps({"t":t,t:1,"deep":[{"a":[t]}],"ascii":json.dumps(t)}))' ;;
base64) printf 'user:%s!' "$TOKEN" | base64 -w0 ;;
base64-json) python3 -c 'import os,base64,json; print(json.dumps([base64.b64encode(("a"*n+os.environ["TOKEN"]).encode()).decode() for n in range(5)]))' ;;
hex) printf '%s' "$TOKEN" | od -An -tx1 -v | tr -d ' \n' ;;
url) python3 -c 'import os,urllib.parse as u; print(u.quote(os.environ["TOKEN"])); print(u.quote_plus(os.environ["TOKEN"])); print(u.quote(os.environ["TOKEN"], safe="").lower())' ;;
html) python3 -c 'import os,html; print(html.escape(os.environ["TOKEN"]))' ;;
slow) python3 -c 'import os,time
for c in os.environ["TOKEN"]: print(c, end="", flush=True); time.sleep(0.01)' ;;
error) echo "no: $TOKEN" >&2; exit 3 ;;
long-error) python3 -c 'import os,sys; sys.stderr.write(("x"*70+"\n")*100 + os.environ["TOKEN"] + "y"*4090)'; exit 3 ;;
control) printf '{"log":"%s","level":"error"}\n' "$(printf '%s' "$TOKEN" | sed 's/"/\\"/g')" >&3; echo done ;;
abort) printf '{"abort":"%s"}\n' "$(printf '%s' "$TOKEN" | sed 's/"/\\"/g')" >&3; sleep 5 ;;
*) printf '%s\n' "$TOKEN" ;;
esac
"#;

fn with_bundle() -> Home {
    let home = Home::new();
    let folder = home.beside("leaky");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("bundle.yaml"), MANIFEST).unwrap();
    fs::write(folder.join("tell.sh"), PROGRAM).unwrap();
    fs::set_permissions(folder.join("tell.sh"), Permissions::from_mode(0o755)).unwrap();
    home.setup(&[&format!("bundle install {}", folder.display()), "bundle enable leaky"]);
    home
}

/// `pipit secret …` with this on standard input.
fn secret(home: &Home, args: &[&str], input: &str) -> Said {
    let file = home.file("value", input);
    let words = [&["secret"], args].concat();
    let said = Said::of(home.command(&words).stdin(Stdio::from(fs::File::open(&file).unwrap())));
    fs::remove_file(file).unwrap();
    said
}

/// Forms of a text that must be nowhere: also a part of it, as it stands when it was cut.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let head = &secret.as_bytes()[..14];
    let mut forms = vec![head.to_vec(), hex(head).into_bytes()];
    for before in 0..3 {
        use base64::Engine as _;
        let text = ["x".repeat(before).as_bytes(), secret.as_bytes()].concat();
        let code = base64::engine::general_purpose::STANDARD.encode(text);
        forms.push(code.as_bytes()[4..18].to_vec());
    }
    forms
}

#[track_caller]
fn is_clean(what: &str, bytes: &[u8]) {
    for secret in [CANARY, ROTATED] {
        for form in forms(secret) {
            let found = bytes.windows(form.len()).position(|window| window == form);
            assert!(
                found.is_none(),
                "{what} holds {:?}: {}",
                String::from_utf8_lossy(&form),
                String::from_utf8_lossy(&bytes[found.unwrap().saturating_sub(80)..])
                    .chars()
                    .take(300)
                    .collect::<String>()
            );
        }
    }
}

/// Every file of the home, but for the bundle's own.
fn all_files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() {
            all_files(&entry.path(), found);
        } else {
            found.push(entry.path());
        }
    }
}

#[test]
fn a_secret_is_found_nowhere() {
    let home = with_bundle();
    secret(&home, &["set", "leaky", "TOKEN"], &format!("{CANARY}\n")).well();
    let quoted = CANARY.replace('\'', "");
    let mut lines: Vec<String> =
        ["", "json", "base64", "base64-json", "hex", "url", "html", "slow", "error", "long-error", "control", "abort"]
            .iter()
            .map(|how| format!("leaky:tell {how}"))
            .collect();
    lines.extend(
        [
            "leaky:tell | tee kept",
            "leaky:tell json | tee kept",
            "cat kept",
            "leaky:tell | base64 encode",
            "leaky:tell | hex encode",
            "leaky:tell | url encode",
            "leaky:tell json | to csv",
            "leaky:tell json | table",
            "leaky:tell | parse json",
            "leaky:tell | each { error it said $_ }",
            "my note = $(leaky:tell)",
            "my note",
            "leaky:tell > @ada",
            "room read @ada",
            "alias say = 'leaky:tell $*'",
            "say json",
            "bundle settings leaky",
            "bundle show leaky",
            "secret list",
            "history",
            "audit list",
        ]
        .map(str::to_owned),
    );
    // typed by somebody who has it from elsewhere
    for line in [
        "echo 'KEY'",
        "echo 'KEY' | base64 encode",
        "my own = 'KEY'",
        "upper 'KEY' | nosuch",
        "range 'KEY'",
        "echo 'KEY",
    ] {
        lines.push(line.replace("KEY", &quoted));
    }
    home.setup(&["user create ada"]);
    let mut marked = 0;
    for (at, line) in lines.iter().enumerate() {
        for words in [&["run", "--json", "--as", "ada", "--", line][..], &["run", "--", line]] {
            let said = Said::of(home.command(words).env("PIPIT_LOG", "trace"));
            is_clean(&format!("the answer to {line}"), said.out.as_bytes());
            is_clean(&format!("the error of {line}"), said.err.as_bytes());
            marked += usize::from(said.out.contains("[secret ") || said.err.contains("[secret "));
        }
        if at == 14 {
            secret(&home, &["rotate", "leaky", "TOKEN"], ROTATED).well();
            secret(&home, &["rotate", "leaky", "TOKEN"], CANARY).well();
            secret(&home, &["rotate-key"], "").well();
        }
    }
    assert!(marked > 40, "what is scrubbed is marked: {marked}");
    let ids: Vec<String> = home.log().iter().map(|row| field(row, "id").to_owned()).collect();
    assert!(ids.len() > 75, "{}", ids.len());
    for id in ids.iter().step_by(5) {
        is_clean("audit show", home.run(&format!("audit show {id}")).out.as_bytes());
    }
    let mut files = Vec::new();
    all_files(&home.path(), &mut files);
    assert!(files.iter().any(|file| file.ends_with("pipit.db")), "{files:?}");
    for file in files.iter().filter(|file| !file.starts_with(home.path().join("bundles"))) {
        is_clean(&file.display().to_string(), &fs::read(file).unwrap());
    }
}

#[test]
fn secrets_are_set_and_told_of_without_their_values() {
    let home = with_bundle();
    home.run("leaky:tell").fails(1, "leaky needs TOKEN, which is not set");
    secret(&home, &["rotate", "leaky", "TOKEN"], "x").fails(1, "TOKEN of leaky is not set there");
    secret(&home, &["set", "leaky", "NOSUCH"], "long enough").fails(1, "leaky has no setting NOSUCH");
    secret(&home, &["set", "leaky", "REGION"], "eu").fails(1, "REGION of leaky is no secret");
    secret(&home, &["set", "leaky", "TOKEN"], "\n").fails(1, "the value is empty");
    secret(&home, &["set", "leaky", "TOK'EN"], "x").fails(2, "is no name");
    let said = secret(&home, &["set", "leaky", "TOKEN"], "1234\n").well();
    assert!(said.contains("so short"), "{said}");
    assert_eq!(home.run("leaky:tell").well(), "1234");
    assert_eq!(
        secret(&home, &["set", "leaky", "TOKEN", "--user=ada"], "of ada alone\n").well(),
        "TOKEN of leaky is set"
    );
    home.setup(&["user create ada"]);
    assert_eq!(home.run_as("ada", "leaky:tell").well(), "[secret leaky TOKEN]");
    assert_eq!(home.run_as("ada", "leaky:tell | length").well(), "20", "what a line works with is clean already");
    let rows = home.values("secret list leaky");
    let keys: Vec<&str> = rows.iter().map(|row| field(row, "for")).collect();
    assert_eq!(keys, ["all", "@ada"]);
    let key = fs::read(home.path().join("config.key")).unwrap();
    assert_eq!(secret(&home, &["rotate-key"], "").well(), "2 secrets are sealed with another key");
    assert_ne!(fs::read(home.path().join("config.key")).unwrap(), key);
    assert_eq!(home.run("leaky:tell").well(), "1234");
    secret(&home, &["remove", "leaky", "TOKEN"], "").well();
    home.run("leaky:tell").fails(1, "which is not set");
    home.run_as("ada", "secret list").fails(3, "it takes secret:manage");
}

#[test]
fn a_secret_that_is_typed_where_all_can_see_is_not_kept() {
    let home = with_bundle();
    home.setup(&["user create ada"]);
    for line in [
        "secret set leaky TOKEN hunter2-typed",
        "secret rotate leaky TOKEN hunter2-typed",
        "bundle set leaky TOKEN hunter2-typed",
        "echo hunter2-typed | secret set leaky TOKEN",
        "echo hunter2-typed | bundle set leaky TOKEN",
        "secret set leaky TOKEN 'hunter2-typed",
        "echo a && secret set leaky TOKEN hunter2-typed",
    ] {
        let said = Said::of(&mut home.command(&["run", "--room", "#ops", "--", line]));
        assert!(!said.err.contains("hunter2"), "{said:?}");
        said.fails(1, "a secret never stands in a line: nothing of this one was kept here");
        home.run_as("ada", line).fails(1, "nothing of this one was kept");
    }
    let said = home.run("secret set leaky TOKEN");
    said.fails(1, "pipit secret set leaky TOKEN");
    home.setup(&["bundle set leaky REGION eu-west-1"]);
    let mut files = Vec::new();
    all_files(&home.path(), &mut files);
    for file in files {
        let bytes = fs::read(&file).unwrap();
        assert!(!bytes.windows(7).any(|window| window == b"hunter2"), "{}", file.display());
    }
    let kept = home.log().iter().filter(|row| field(row, "line").contains("it was not kept")).count();
    assert_eq!(kept, 14);
}

#[test]
fn a_token_that_is_typed_into_any_line_is_kept_nowhere() {
    // letters by chance in the shape of a service's tokens
    const TOKEN: &str = "ghp_0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1wX";
    let home = with_bundle();
    home.setup(&[
        "user create ada && room create '#ops'",
        "role create poster && role grant poster room:post && group create posters && group add posters ada",
        "role give poster posters && role create checker && role give checker posters",
        "rule create 'when command is list:shuffle require approval 1 from checker'",
    ]);
    let gone =
        "what looks like a secret (GitHub token) stood in the line: it is kept nowhere here, but whoever could read";
    for line in [
        "echo TOKEN",
        "echo a TOKEN b | upper | base64 encode",
        "my token = TOKEN",
        "my token",
        "seed '{\"deep\":[\"TOKEN\"]}' | tee kept --room",
        "cat kept --room",
        "remind me in 3h TOKEN is the token",
        "standup trying TOKEN",
        "poll 'is it TOKEN?' yes no",
        "my TOKEN = 1",
        "karma TOKEN++",
        "echo TOKEN > @ada",
        "echo TOKEN > #ops",
        "error TOKEN",
        "nosuch TOKEN",
        "echo 'TOKEN",
        "range TOKEN",
        "because 'the token TOKEN is new' { echo a }",
        "http get http://127.0.0.1:1/TOKEN --header 'Authorization: Bearer TOKEN'",
        "history",
        "ps",
    ] {
        let line = line.replace("TOKEN", TOKEN);
        let said = Said::of(&mut home.command(&["run", "--as", "ada", "--room", "#ops", "--", &line]));
        assert!(!said.out.contains("ghp_0") && !said.err.contains("ghp_0"), "{line}: {said:?}");
        assert_eq!(said.err.contains(gone), line.contains("ghp_"), "{line}: {said:?}");
    }
    // what would be no use without it is not made
    home.run_as("ada", &format!("alias get-it = 'http get https://x.example --header {TOKEN}'"))
        .fails(1, "an alias keeps no secret, and one stands in it");
    home.run(&format!("bundle set leaky REGION {TOKEN}")).fails(1, "a setting that is no secret keeps no secret");
    home.run_as("ada", &format!("list {TOKEN} | shuffle"))
        .fails(3, "a secret that stands in it is not kept until then");
    // in private it is answered as it was typed
    assert_eq!(home.run_as("ada", &format!("echo {TOKEN}")).well(), TOKEN);
    // and what a line was is not run again without it
    home.run_as("ada", "!!").fails(2, "a secret stood in that line and was not kept");
    assert_eq!(home.run_as("ada", "my token").well(), "[secret GitHub token]");
    // the command itself was given it
    assert_eq!(home.run_as("ada", &format!("length {TOKEN}")).well().lines().next(), Some("40"));
    let mut files = Vec::new();
    all_files(&home.path(), &mut files);
    for file in files {
        let bytes = fs::read(&file).unwrap();
        assert!(!bytes.windows(8).any(|window| window == b"ghp_0aB1"), "{}", file.display());
    }
}

#[test]
fn the_secret_of_a_second_factor_is_shown_once() {
    let home = Home::new();
    home.setup(&["user create ada"]);
    let said = home.run_as("ada", "totp enrol").well();
    let seed = said.split("secret=").nth(1).and_then(|rest| rest.split('&').next()).unwrap().to_owned();
    for line in
        [format!("echo {seed}"), format!("my seed = {seed}"), "my seed".to_owned(), "history | get line".to_owned()]
    {
        let said = home.run_as("ada", &line).well();
        assert!(!said.contains(&seed) && said.contains("[secret totp ada]"), "{line}: {said}");
    }
}

#[test]
fn the_key_comes_from_where_the_site_says() {
    let home = with_bundle();
    secret(&home, &["set", "leaky", "TOKEN"], "sealed-by-the-home").well();
    let key = home.file("key", &("5a".repeat(32) + "\n"));
    fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    home.configure("[secrets]\nkey-file = 'key'\n");
    home.run("leaky:tell").fails(1, "others may read it; chmod 600");
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    home.run("leaky:tell").fails(1, "a secret cannot be opened with the key that is there");
    // the old key opens until all is sealed anew
    home.configure(&format!(
        "[secrets]\nkey-command = ['cat', '{}']\nold-key-file = '{}'\n",
        key.display(),
        home.path().join("config.key").display()
    ));
    home.run("leaky:tell").well();
    assert_eq!(secret(&home, &["rotate-key"], "").well(), "1 secrets are sealed with another key");
    home.configure(&format!("[secrets]\nkey-command = ['cat', '{}']\n", key.display()));
    assert_eq!(home.run("leaky:tell").well(), "[secret leaky TOKEN]");
    secret(&home, &["rotate-key"], "").fails(1, "the key comes from a program");
    home.configure("[secrets]\nkey-command = ['false']\n");
    home.run("leaky:tell").fails(1, "false: it ended with exit status: 1");
    home.configure("[secrets]\nkey-command = ['false']\nkey-file = 'key'\n");
    home.run("echo hi").fails(2, "the key comes from one of them");
}

#[test]
fn its_memory_is_read_by_no_other_and_written_to_no_core_file() {
    let home = Home::new();
    let line = home::Beside::start(home.command(&["run", "sleep 30"]).stdout(Stdio::null()));
    let proc = format!("/proc/{}", line.id());
    home::until("limits that allow no core file", || {
        let limits = fs::read_to_string(format!("{proc}/limits")).ok()?;
        let core = limits.lines().find(|line| line.starts_with("Max core file size"))?;
        (core.split_whitespace().filter(|word| *word == "0").count() == 2).then_some(())
    });
    // what is not dumpable is root's in /proc, whoever it runs as
    let owner = std::os::unix::fs::MetadataExt::uid(&fs::metadata(format!("{proc}/environ")).unwrap());
    assert_eq!(owner, 0);
    line.signal(rustix::process::Signal::TERM);
    drop(line);
}
