//! Bundles of Cog through the binary: every part of the protocol that their programs speak, in shell, Python and Ruby.
//!
//! Deliberately absent: reading their manifests and their output, which the room's own tests look at.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

#[path = "support/home.rs"]
mod home;

use home::{Home, Said, field, sources};

/// A home with bundles of `tests/cog` enabled, and a user `ada` who may do all that they bring.
fn with(bundles: &[&str]) -> Home {
    let home = Home::new();
    home.setup(&[
        "user create ada",
        "group create crew",
        "group add crew ada",
        "role create crew",
        "role give crew crew",
    ]);
    for bundle in bundles {
        home.setup(&[&format!("bundle install tests/cog/{bundle}"), &format!("bundle enable {bundle}")]);
    }
    home
}

/// Plays lines of a user's: each with what is shown of it.
#[track_caller]
fn shows(home: &Home, lines: &[(&str, &str)]) {
    for (line, shown) in lines {
        assert_eq!(home.run_as("ada", line).well(), *shown, "{line}");
    }
}

#[test]
fn what_a_program_is_told() {
    let home = with(&["tell"]);
    home.setup(&["role grant crew tell:loud"]);
    let always = |argc: &str, between: &str| {
        let (room, who) = ("COG_ROOM=direct", "COG_USERNAME=ada");
        format!(
            "{argc}COG_BUNDLE=tell\nCOG_CHAT_HANDLE=ada\nCOG_COMMAND=env\nCOG_EMAIL=\n{between}{room}\n{who}\nCOLOUR=red\nDEBUG=true\nPORT=8080"
        )
    };
    shows(&home, &[("tell:env", &always("COG_ARGC=0\n", ""))]);
    let line = "seed '{\"a\":[1,{\"b\":2}]}' | tell:env 'b c' $a --name=x -u bob --count=3 --share=2.5 -l -vvv --tag=a,b --tag=c";
    let args = "COG_ARGC=2\nCOG_ARGV_0=b c\nCOG_ARGV_1=[1,{\"b\":2}]\n";
    let options = "COG_OPTS=name,as-user,count,share,loud,verbose,tag\nCOG_OPT_AS-USER=bob\nCOG_OPT_AS_USER=bob\nCOG_OPT_COUNT=3\n\
                   COG_OPT_LOUD=true\nCOG_OPT_NAME=x\nCOG_OPT_SHARE=2.5\nCOG_OPT_TAG_0=a\nCOG_OPT_TAG_1=b\nCOG_OPT_TAG_2=c\n\
                   COG_OPT_TAG_COUNT=3\nCOG_OPT_VERBOSE=3\n";
    let mut given: Vec<&str> = home.run_as("ada", line).well().leak().lines().collect();
    let whole = always(args, options);
    let mut wanted: Vec<&str> = whole.lines().collect();
    given.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(given, wanted);
    // a rule on an option holds here as everywhere
    home.setup(&["user create bob"]);
    home.run_as("bob", "tell:env --loud").fails(3, "it takes tell:loud");
    shows(
        &home,
        &[
            ("tell:input", "last: {}"),
            ("seed '{\"a\":1}' | tell:input", "last: {\"a\":1}"),
            ("list 1 two 3 | tell:input", "first: {\"body\":[1]}\nbetween: {\"body\":[\"two\"]}\nlast: {\"body\":[3]}"),
            ("list 1 2 | tell:input $_", "first: {\"body\":[1]}\nlast: {\"body\":[2]}"),
            ("list 1 2 | each { tell:input }", "last: {\"body\":[1]}\nlast: {\"body\":[2]}"),
            ("seed '[[1,[2]]]' | tell:input", "last: [1,[2]]"),
            ("nil | tell:input", ""),
            ("range 1 200 | tell:input | head 1", "first: {\"body\":[1]}"),
        ],
    );
    // one line, and one stage of it, have one id each
    let ids = home.run_as("ada", "list a b | say id").well();
    let lines: Vec<&str> = ids.lines().collect();
    assert!(lines.len() == 2 && lines[0] == lines[1], "{ids}");
    let ids = home.run_as("ada", "list a b | each { say id }").well();
    let split: Vec<Vec<&str>> = ids.lines().map(|line| line.split(' ').collect()).collect();
    assert!(split[0][0] == split[1][0] && split[0][1] != split[1][1], "{ids}");
}

#[test]
fn what_a_program_may_say() {
    let home = with(&["tell"]);
    shows(
        &home,
        &[
            ("say lines", "one\n  two"),
            ("say nothing", ""),
            ("say json", "name   age\n─────  ───\nada     36\ngrace"),
            ("say json | get name", "ada\ngrace"),
            ("say lines | grep two | count", "1"),
            ("say grumble", "done"),
            ("list a b | say template", "hello ada\nhello ada"),
            ("say template | get name", "ada"),
            ("list a b | say json | count", "4"),
            ("try { say abort web1 } { echo caught: $message }", "caught: no such host: web1"),
        ],
    );
    assert_eq!(home.values("say lines"), [serde_json::json!({"body": ["one", "  two", ""]})]);
    let said = home.run_as("ada", "say stray");
    assert!(said.err.contains("note: say: lines before its JSON are left out: starting"), "{said:?}");
    assert!(said.err.contains("note: say: what stands behind its JSON is left out: done"), "{said:?}");
    assert_eq!(said.well(), "name  ada");
    home.run_as("ada", "say broken").fails(1, "it announced JSON, and then: ");
    home.run_as("ada", "say abort web1").fails(1, "error: no such host: web1\n");
    // what it had written by then is nobody's
    let failed = home.run_as("ada", "say fail").fails(1, "error: the server is away (exit code 3)\n");
    assert_eq!(failed.out, "");
    let said = home.run_as("ada", "say no-template");
    assert!(said.err.contains("its bundle has no template \"nowhere\""), "{said:?}");
}

#[test]
fn one_can_see_that_it_is_a_bundle_of_cog() {
    let home = with(&["tell"]);
    let shown = home.run("bundle show tell").well();
    assert!(
        shown.contains("a bundle of Cog, version 4 of its format, published in the image example/tell:0.1\n"),
        "{shown}"
    );
    assert!(shown.contains("\n  TELL_TOKEN may be anything.\n"), "{shown}");
    let help = home.run("help tell:env").well();
    let details = "\nEvery variable that the call has made, one a line.\narguments: [<word>...]\n--name: Any name\nexamples:\ntell:env a b";
    assert!(help.contains(details), "{help}");
    let which = home.values("which tell:env");
    assert_eq!(which[0]["protocol"], "Cog's: what its program writes on standard output also steers it");
}

#[test]
fn what_is_missing_is_said_when_a_bundle_is_enabled() {
    let home = Home::new();
    let folder = sources().join("../shared/conformance/cog-manifests");
    let rows = fs::read_to_string(folder.join("expected.jsonl")).expect("../shared/conformance is needed");
    for row in rows.lines() {
        let row: serde_json::Value = serde_json::from_str(row).unwrap();
        let file = row["file"].as_str().unwrap();
        let bundle = home.beside(&format!("published-{file}"));
        fs::create_dir(&bundle).unwrap();
        fs::copy(folder.join(file), bundle.join("config.yaml")).unwrap();
        let install = home.run(&format!("bundle install '{}'", bundle.display()));
        if row["ok"] == false {
            install.fails(1, row["paths"][0].as_str().unwrap());
            continue;
        }
        assert!(install.well().contains("is installed; bundle enable"), "{file}");
        let name = row["bundle"].as_str().unwrap();
        let enable = home.run(&format!("bundle enable {name}"));
        let enable = enable.fails(1, &format!("error: {name} needs programs that are not there: "));
        let (first, help) = enable.err.split_once('\n').unwrap();
        assert!(first.contains(" (not there)") && first.contains("published in the image cogcmd/"), "{first}");
        assert!(help.contains(&format!("bundle remove {name}, then install it again")), "{help}");
    }
}

#[test]
fn programs_remember_for_as_long_as_their_line() {
    let home = with(&["tally", "crier"]);
    let many = "range 1 40 | each { render '{\"n\": {{ _ }}}' } | parse json | tally:sum --field=n";
    assert_eq!(home.values(many), [serde_json::json!({"status": 200, "count": 39, "sum": 780})]);
    shows(
        &home,
        &[
            ("list a b c | crier:gather", "all  [{\"body\":[\"a\"]},{\"body\":[\"b\"]},{\"body\":[\"c\"]}]"),
            ("crier:gather", "all  [{}]"),
            // the stages of a line have one memory, and each round of a block is a stage of its own
            ("tally:ask PUT memory/1.0.0/k 5 && tally:ask GET memory/1.0.0/k", "200 5\n200 5"),
            ("list 1 2 | each { crier:gather }", "all\n──────────────\n[{\"body\":[1]}]\n[{\"body\":[2]}]"),
            ("tally:ask GET memory/1.0.0/k", "404 {\"error\":\"key not found\"}"),
            (
                "tally:ask POST memory/1.0.0/k '{\"op\":\"join\",\"value\":1}'",
                "422 {\"error\":\"a list can be joined to a list only\"}",
            ),
        ],
    );
    home.run_as("ada", "tally:ask GET meta '' wrong").well().strip_prefix("401 ").expect("refused");
}

#[test]
fn a_token_that_a_program_gave_away_opens_nothing_once_its_line_has_ended() {
    let home = with(&["tally"]);
    let mut shell = home.command(&["shell"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    shell.stdin.as_mut().unwrap().write_all(b"tally:token\necho next\n").unwrap();
    let mut lines = BufReader::new(shell.stdout.take().unwrap()).lines().map_while(Result::ok);
    let given = lines.find(|line| line.contains("127.0.0.1:")).expect("the token is given away");
    let words: Vec<&str> = given.split_whitespace().rev().collect();
    let [status, token, address] = [0, 1, 2].map(|at| words[at]);
    assert_eq!(status, "200", "while the line ran it was good");
    assert!(lines.any(|line| line.ends_with("next")), "the shell goes on");
    let mut stream = TcpStream::connect(address.rsplit(' ').next().unwrap()).unwrap();
    let head = format!(
        "GET /v1/services/meta HTTP/1.1\r\nHost: a\r\nAuthorization: pipeline {token}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    drop(shell.stdin.take());
    assert!(shell.wait().unwrap().success());
}

#[test]
fn programs_post_with_the_rights_of_who_asks() {
    let home = with(&["crier"]);
    home.setup(&["room create '#ops' --audience private", "user create bob"]);
    home.run_as("bob", "crier:cry '#ops' hi").fails(1, "403: bob may not post to #ops: it takes room:post");
    home.run_as("bob", "crier:cry '@ada' hi").fails(1, "403: bob may not post to @ada: it takes room:post");
    home.setup(&["role grant crew room:post"]);
    shows(&home, &[("crier:cry '#ops' 'over here'", ""), ("crier:cry @bob psst", ""), ("crier:cry @ada note", "")]);
    home.run_as("ada", "crier:cry '#nowhere' hi").fails(1, "404: there is no place #nowhere");
    home.run_as("ada", "crier:cry ops hi").fails(1, "404: there is no place \"ops\"");
    assert_eq!(home.values("room read '#ops' | get text"), ["over here"]);
    let read =
        |user: &str| Said::of(&mut home.command(&["run", "--json", "--as", user, "--", "inbox | get text"])).values();
    assert_eq!(read("bob"), ["psst"]);
    assert_eq!(read("ada"), ["note"]);
    // the log says by which command it was, and that bob was refused
    let posts: Vec<String> = home
        .log()
        .iter()
        .filter(|line| field(line, "line").starts_with("crier:cry '#ops'"))
        .flat_map(|line| home.values(&format!("audit show {}", field(line, "id"))))
        .filter(|record| record["command"] == "room:post")
        .map(|record| format!("{} {}", field(&record, "outcome"), record["body"]["args"]))
        .collect();
    let args = r##"{"by":"crier:cry","to":"#ops"}"##;
    assert_eq!(posts, [format!("denied {args}"), format!("allowed {args}")]);
}

#[test]
fn the_sandbox_opens_the_services_and_no_other_port() {
    let home = with(&["tally"]);
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let line = format!("tally:reach {}", other.local_addr().unwrap().port());
    shows(&home, &[(line.as_str(), "Permission denied\nno UDP")]);
    home.run("bundle enable tally --network=nowhere").fails(1, "\"nowhere\" is no address");
    let port = other.local_addr().unwrap().port();
    let said = home.run("bundle disable tally && bundle enable tally").well();
    assert!(
        said.contains("its programs reach no network; where they have to: bundle enable tally --network="),
        "{said}"
    );
    home.setup(&[&format!("bundle enable tally --network=localhost:{port}")]);
    shows(
        &home,
        &[(line.as_str(), "reached\nUDP"), ("tally:ask GET memory/1.0.0/k", "404 {\"error\":\"key not found\"}")],
    );
    // it holds until somebody says something else
    home.setup(&["bundle enable tally"]);
    shows(&home, &[(line.as_str(), "reached\nUDP")]);
    let shown = home.run("bundle show tally").well();
    assert!(shown.contains(&format!("network: localhost:{port}\n")), "{shown}");
    home.setup(&["bundle install bundles/hello-sh"]);
    home.run("bundle enable hello-sh --sandbox=basic").fails(1, "the manifest of hello-sh says itself what it needs");
}

#[test]
fn settings_that_no_manifest_names() {
    let home = with(&["tell"]);
    home.run("bundle set tell TELL_TOKEN s3same-open").fails(1, "a secret never stands in a line");
    home.run("bundle set tell OTHER_PASSWORD s3same-open").fails(1, "a secret never stands in a line");
    home.run("bundle set tell COG_USERNAME eve").fails(1, "tell has no setting COG_USERNAME");
    home.run_with("secret set tell TELL_TOKEN", "s3same-open\n").well();
    home.run_with("secret set tell REGION", "eu-hidden-1\n").well();
    home.setup(&["bundle set tell COLOUR blue", "bundle set tell PORT 9090 --user=ada"]);
    shows(&home, &[("say secret", "it is [secret tell TELL_TOKEN] in [secret tell REGION]")]);
    let said = home.run_as("ada", "tell:env").well();
    assert!(said.contains("COLOUR=blue\n") && said.contains("PORT=9090"), "{said}");
    assert!(home.run_as("ada", "tell:env").well().contains("COG_USERNAME=ada\n"));
}
