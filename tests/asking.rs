//! A program asks whoever sits at the terminal: in `pipit run` and in `pipit shell`, and nobody where there is none.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

#[path = "support/home.rs"]
mod home;

use home::{Home, Said, field, sources, tool};

const MANIFEST: &str = "bundle: 1
name: asks
version: 1.0.0
description: asks
needs: {programs: [python3]}
commands:
  move: {about: x, run: [./move.py], rules: [allow], output: json-lines, timeout: 5s}
";

const PROGRAM: &str = r#"#!/usr/bin/env python3
import pipit

@pipit.serve
def move(call):
    yield "to " + call.ask("which region?", ["eu", "us"])
"#;

fn with_program() -> Home {
    let home = Home::new();
    let folder = home.beside("asks");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("bundle.yaml"), MANIFEST).unwrap();
    fs::write(folder.join("move.py"), PROGRAM).unwrap();
    fs::set_permissions(folder.join("move.py"), Permissions::from_mode(0o755)).unwrap();
    fs::copy(sources().join("bundles/helpers/pipit.py"), folder.join("pipit.py")).unwrap();
    home.setup(&[&format!("bundle install '{}'", folder.display()), "bundle enable asks"]);
    home
}

/// What a terminal shows on which a script is played.
fn at_terminal(home: &Home, args: &[&str], script: &[(&str, &str)]) -> Said {
    let command = home.command(args);
    let mut typist = Command::new(tool("python3"));
    typist.arg(sources().join("tests/support/typist.py")).arg(serde_json::to_string(script).unwrap());
    Said::of(typist.arg(command.get_program()).args(command.get_args()))
}

#[test]
fn a_program_asks_at_the_terminal() {
    let home = with_program();
    let question = "move asks: which region: eu, us? ";
    let said =
        at_terminal(&home, &["run", "asks:move"], &[(question, "mars\r"), ("is no choice;", "EU\r"), ("to eu", "")]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let said = at_terminal(&home, &["run", "asks:move"], &[(question, "cancel\r")]);
    assert!(said.code == Some(1) && said.out.contains("error: cancelled"), "{said:?}");
    // an interrupt stops the line, and what is typed next is the shell's
    let script = [
        ("operator>", "asks:move\r"),
        (question, "\u{3}"),
        ("stopped by the keyboard", ""),
        ("operator>", "echo next\r"),
        ("\nnext", ""),
        ("operator>", "asks:move\r"),
        (question, "us\r"),
        ("to us", ""),
        ("operator>", "/quit\r"),
    ];
    let said = at_terminal(&home, &["shell"], &script);
    assert_eq!(said.code, Some(0), "{said:?}");
    let log = home.log();
    let ended: Vec<&str> =
        log.iter().filter(|row| field(row, "line") == "asks:move").map(|row| field(row, "ended")).collect();
    assert_eq!(ended, ["ok", "failed", "unknown", "ok"], "one that was stopped may have taken effect");
}

#[test]
fn nobody_is_asked_where_nobody_sits() {
    let home = with_program();
    home.run("asks:move").fails(1, "nobody can be asked here");
    home.run_with("asks:move", "eu\n").fails(1, "nobody can be asked here");
}
