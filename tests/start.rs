//! What the binary does around a line: its home, its exit codes, its streams, and what `doctor` finds.
//!
//! Deliberately absent: what lines mean, which the conformance data and the sessions play.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[path = "support/home.rs"]
mod home;

use home::{Beside, Home, Said, field, pipit};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn pictures_are_written_where_one_asks_for_them() {
    let home = Home::new();
    let folder = home.beside("pictures");
    let draw = || {
        let line = "list 1 5 3 | chart bar";
        let drawn = Said::of(&mut home.command(&["run", "--files", folder.to_str().unwrap(), "--", line]));
        assert!(drawn.err.contains("chart.png is written"), "{drawn:?}");
        drawn.well()
    };
    assert_eq!(draw(), home.run("list 1 5 3 | chart bar").well(), "the text is shown as well");
    draw();
    let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["2-chart.png", "chart.png"]);
    let picture = fs::read(folder.join("chart.png")).unwrap();
    assert!(picture.starts_with(b"\x89PNG\r\n\x1a\n") && picture.len() > 500);
    Said::of(&mut home.command(&["run", "--files", "/dev/null/x", "--", "list 1 2 | chart line"]))
        .fails(1, "cannot be written");
}

#[test]
fn a_home_is_made_for_its_owner_alone() {
    let home = Home::new();
    assert_eq!(home.run("echo hi").well(), "hi");
    assert_eq!(mode(&home.path()), 0o700);
    for name in ["pipit.db", "audit.key"] {
        assert_eq!(mode(&home.path().join(name)), 0o600, "{name}");
    }
    // one that is not in use yet is closed, one that is in use was open to others for who knows how long
    let open = Home::new();
    fs::create_dir(open.path()).unwrap();
    fs::set_permissions(open.path(), Permissions::from_mode(0o755)).unwrap();
    open.run("echo hi").well();
    assert_eq!(mode(&open.path()), 0o700);
    fs::set_permissions(open.path(), Permissions::from_mode(0o750)).unwrap();
    open.run("echo hi").fails(5, "is open to others (mode 750); close it: chmod 700 ");
}

#[test]
fn the_home_is_named_or_found() {
    let home = Home::new();
    let (named, data) = (home.beside("named"), home.beside("data"));
    Said::of(pipit().args(["run", "user create named"]).env("PIPIT_HOME", &named)).well();
    Said::of(pipit().args(["run", "user create usual"]).env("XDG_DATA_HOME", &data)).well();
    assert!(named.join("pipit.db").exists() && data.join("pipit/pipit.db").exists());
    let users = Said::of(pipit().args(["run", "user list | get name", "--home"]).arg(&named).env("PIPIT_HOME", &data));
    assert_ne!(users.code, Some(0), "what follows the line belongs to it: {users:?}");
    let users =
        Said::of(pipit().arg("--home").arg(&named).args(["run", "user list | get name"]).env("PIPIT_HOME", &data));
    assert_eq!(users.well(), "named");
    Said::of(pipit().args(["run", "echo hi"]).env_remove("HOME")).fails(5, "name a folder: --home DIR");
}

#[test]
fn a_home_that_cannot_be_used_stops_everything() {
    let home = Home::new();
    let file = home.file("file", "");
    for bad in [file.clone(), file.join("below"), "/proc/pipit".into()] {
        let said = Said::of(pipit().arg("--home").arg(&bad).args(["run", "echo hi"]));
        assert!(said.out.is_empty());
        said.fails(5, &bad.display().to_string());
        let said = Said::of(pipit().arg("--home").arg(&bad).arg("doctor"));
        assert!(said.code == Some(1) && said.out.contains("missing  home: "), "{said:?}");
    }
}

#[test]
fn the_doctor_tells_what_is_missing() {
    let home = Home::new();
    let doctor = || Said::of(&mut home.command(&["doctor"]));
    let said = doctor().well();
    // a machine may lack a sandbox that nothing asks for
    let fine = |line: &str| line.starts_with("well ") || line.starts_with("without  sandbox ");
    assert!(said.lines().all(fine) && said.contains("no chat service is named"), "{said}");
    let sick = |part: &str| {
        let said = doctor();
        let told = said.out.lines().any(|line| line.starts_with("missing ") && line.contains(part));
        assert!(said.code == Some(1) && told, "wanted {part:?}: {said:?}");
    };
    let entry = "[[chat]]\nservice = 'irc'\nname = 'net'\nserver = 'irc.test.invalid'\n";
    home.configure(&format!("{entry}sasl = {{ account = 'a', password-file = 'not-there' }}\n"));
    sick("not-there");
    home.file("not-there", "secret\n");
    assert!(doctor().well().contains("chat net: its files can be read"));
    home.configure(&format!("{entry}nik = 'a'\n"));
    sick("pipit.toml:5: error: there is no key nik here");
    home.configure("");

    home.run("echo a line is in the log").well();
    let key = home.path().join("audit.key");
    let kept = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    sick("audit.key is missing, but there is a log sealed with it; put the key back");
    home.run("echo hi").fails(5, "put the key back");
    fs::write(&key, kept).unwrap();
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    doctor().well();
    fs::remove_file(home.path().join("pipit.db-wal")).unwrap();
    fs::write(home.path().join("pipit.db"), "this is no database, but long enough to look at".repeat(100)).unwrap();
    sick("database and audit log");
    assert_eq!(home.run("echo hi").code, Some(5));
}

#[test]
fn the_exit_code_says_how_a_line_ended() {
    let home = Home::new();
    home.setup(&[
        "user create bob",
        "group create approvers",
        "role create approver",
        "role give approver approvers",
        "rule create \"when command is text:upper require approval 1 from approver\"",
    ]);
    let code = |line: &str| {
        let said = home.run(line);
        assert_eq!(said.code == Some(0), said.err.is_empty(), "{line}: {said:?}");
        said.code.unwrap()
    };
    for (line, wanted) in [
        ("list b a | sort", 0),
        ("echo {broken | parse json", 1),
        ("echo a | each { nosuch }", 2),
        ("list a | sort --nosuch", 2),
        ("echo 'open", 2),
        ("echo a | upper", 4),
    ] {
        assert_eq!(code(line), wanted, "{line}");
    }
    home.run_as("bob", "user list").fails(3, "bob may not run user:list: it takes user:manage");
    home.run_as("nobody", "echo hi").fails(3, "there is no user nobody");
    // nothing of a line runs when any of it may not
    let said = home.run_as("bob", "echo seen || user list");
    assert!(said.out.is_empty(), "{said:?}");
    said.fails(3, "user:list");
    // an error goes to standard error, with its place
    let said = home.run("list b a | nosuch");
    assert!(said.out.is_empty() && said.err.contains("           ^^^^^^\n"), "{said:?}");
    Said::of(&mut home.command(&["run"])).fails(2, "Usage: ");
    let ends: Vec<String> = home.log().iter().map(|row| field(row, "ended").to_owned()).collect();
    for end in ["ok", "failed", "refused", "denied", "parked"] {
        assert!(ends.iter().any(|one| one == end), "{end} is not in the log: {ends:?}");
    }
}

#[test]
fn values_come_in_and_go_out_as_they_are_there() {
    let home = Home::new();
    for (json, shown) in [(true, ["\"A\"", "\"B\""]), (false, ["A", "B"])] {
        let mut args = vec!["run", "--stdin"];
        args.extend(json.then_some("--json"));
        args.push("upper");
        let mut line = Beside::start(home.command(&args).stdin(Stdio::piped()).stdout(Stdio::piped()));
        let mut out = BufReader::new(line.child().stdout.take().unwrap()).lines();
        for (said, shown) in ["a", "b"].iter().zip(shown) {
            // the answer to one is there before the next is asked
            line.types(&format!("{said}\n"));
            assert_eq!(out.next().unwrap().unwrap(), shown);
        }
        drop(line.child().stdin.take());
        assert!(out.next().is_none());
        assert_eq!(line.ends().code(), Some(0));
    }
    let rows = home.values("list '{\"a\":1}' x | each { parse json | or ~ } | head 1");
    assert_eq!(rows, [serde_json::json!({"a": 1})]);
    let numbers = home.values("range 5000 | tail 3");
    assert_eq!(numbers, [4997, 4998, 4999].map(serde_json::Value::from));
}

#[test]
fn a_source_without_end_is_left_when_enough_has_come() {
    let home = Home::new();
    for stages in ["", "jq . | ", "where a=1 | select a | grep 1 --field=a | "] {
        let mut source = Command::new("yes").arg("{\"a\":1}").stdout(Stdio::piped()).spawn().unwrap();
        let line = format!("parse json-lines | {stages}head 3");
        let args = ["run", "--stdin", "--json", "--", &line];
        let said = Said::of(home.command(&args).stdin(source.stdout.take().unwrap()));
        assert_eq!(said.well(), "{\"a\":1}\n{\"a\":1}\n{\"a\":1}", "{line}");
        // it ends by itself only when nobody reads what it writes
        assert!(!source.wait().unwrap().success(), "{line}");
    }
}

#[test]
fn input_that_is_no_text_is_an_error_of_its_line() {
    let home = Home::new();
    let file = home.beside("input");
    fs::write(&file, b"good\r\n\xff\xfe\nmore\n").unwrap();
    let said = Said::of(home.command(&["run", "--stdin", "--", "upper"]).stdin(fs::File::open(&file).unwrap()));
    assert_eq!(said.out, "GOOD\n");
    said.fails(1, "line 2 of standard input is no UTF-8");
    // what nobody reads is not read
    let said = Said::of(home.command(&["run", "--stdin", "--", "head 1"]).stdin(fs::File::open(&file).unwrap()));
    assert_eq!(said.well(), "good");
}

#[test]
fn a_reader_who_leaves_ends_the_line_well() {
    let home = Home::new();
    for json in [&["--json"][..], &[]] {
        let args = [&["run"], json, &["--", "range 1000000000"]].concat();
        let mut line = Beside::start(home.command(&args).stdout(Stdio::piped()));
        let mut out = line.child().stdout.take().unwrap();
        out.read_exact(&mut [0; 2]).unwrap();
        drop(out);
        let begun = Instant::now();
        assert_eq!(line.ends().code(), Some(0), "{}", line.written());
        assert!(begun.elapsed() < Duration::from_secs(20) && line.written().is_empty());
    }
    // records, which wait a while to be a table
    let mut line =
        Beside::start(home.command(&["run", "--", "range 3000000 | each { seed '{\"a\":1}' }"]).stdout(Stdio::piped()));
    drop(line.child().stdout.take());
    let code = line.ends().code();
    assert!(matches!(code, Some(0 | 1)), "{code:?} {}", line.written());
    assert!(home.log().iter().all(|row| field(row, "ended") != "running"));
}

#[test]
fn many_processes_share_a_home() {
    let home = Home::new();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let home = &home;
            scope.spawn(move || {
                for number in 0..5 {
                    home.setup(&[&format!("user create u{writer}-{number}")]);
                }
            });
        }
    });
    assert_eq!(home.values("user list | count"), [20]);
    assert_eq!(home.log().len(), 21);
    let report = home.values("audit verify");
    assert_eq!(report.len(), 1);
}

#[test]
fn a_shell_reads_lines_from_a_pipe() {
    let home = Home::new();
    home.setup(&["user create bob"]);
    let shell = |args: &[&str], home: &Path, text: &str| {
        let input = tempfile::NamedTempFile::new().unwrap();
        fs::write(input.path(), text).unwrap();
        let mut command = pipit();
        command.arg("--home").arg(home).arg("shell").args(args).stdin(fs::File::open(input.path()).unwrap());
        Said::of(&mut command)
    };
    let said = shell(&[], &home.path(), "list b a | sort\n\nnosuch\n/as bob\nwhoami | get name\n/quit\necho not me\n");
    assert_eq!(said.out, "a\nb\noperator\n");
    assert!(said.err.contains("there is no command nosuch") && said.err.contains("/as works in a home made for"));
    shell(&["--dev"], &home.path(), "").fails(2, "is in use and cannot become one for development");
    let play = home.beside("play");
    let said = shell(&["--dev"], &play, "user create bob\n/as bob\n/in #ops\nwhoami | get name\nuser list\n");
    assert_eq!((said.code, said.out.lines().last()), (Some(0), Some("bob")), "{said:?}");
    assert!(said.err.contains("bob may not run user:list"), "{said:?}");
}

#[test]
fn a_closed_standard_error_changes_nothing() {
    let home = Home::new();
    for (line, code) in [("nosuch", 2), ("echo {broken | parse json", 1), ("echo hi", 0)] {
        let (read, write) = std::io::pipe().unwrap();
        drop(read);
        let status = home.command(&["run", "--", line]).stdout(Stdio::null()).stderr(write).status().unwrap();
        assert_eq!(status.code(), Some(code), "{line}");
    }
}
