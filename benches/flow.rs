//! How values flow: when the first row is shown while the source still runs, how soon a source without end is left, and
//! what a line holds of a stream that is four times as long.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench ends where something does not work")]

mod measure;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use measure::{Table, median, millis};

const ROUNDS: usize = 10;
const RECORDS: u64 = 1_000_000;
const ROW: &str = r#"{"id":1,"env":"prod"}"#;

/// Lines, and whether they hold all of their stream. What does is bounded, so it is given a quarter.
const LINES: [(&str, bool); 5] = [
    ("parse json-lines | where env=prod | get name | count", false),
    ("parse json-lines | grep web-00 | select id name | tail 3", false),
    ("parse json-lines | group name --count | count", false),
    ("parse json-lines | group env | count", true),
    ("parse json-lines | sort cpu | get id | count", true),
];

fn main() {
    measure::machine("flow: first rows, early ends, memory");
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    if measure::wanted("first") {
        first_rows(&home);
    }
    if measure::wanted("memory") {
        memory(folder.path(), &home);
    }
}

fn pipit(home: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pipit"));
    command.arg("--home").arg(home).args(["run", "--stdin", "--json", "--", line]);
    command
}

fn program(name: &str, args: &[&str]) -> Option<Command> {
    let mut command = Command::new(measure::program(name)?);
    command.args(args);
    Some(command)
}

fn first_rows(home: &Path) {
    let rounds = if measure::quick() { 1 } else { ROUNDS };
    let mut all: Vec<(String, Command)> = [
        "parse json-lines | where env=prod | head 1000000",
        "parse json-lines | jq . | head 1000000",
        "parse json-lines | head 3",
        "parse json-lines | jq . | head 3",
    ]
    .map(|line| (format!("pipit: {line}"), pipit(home, line)))
    .into();
    for (name, args) in [("jq", ["-c", "--unbuffered", "."]), ("jaq", ["-c", "limit(3; inputs)", "-n"])] {
        all.extend(program(name, &args).map(|command| (format!("{name} {}", args.join(" ")), command)));
    }
    let mut table = Table::new("flow-first", &["first row", "first 3 of no end"]);
    for (name, command) in &mut all {
        let ends = name.contains('3');
        let times = |of: fn(&mut Command) -> f64, command: &mut Command| {
            of(command);
            millis(median((0..rounds).map(|_| of(command))))
        };
        let first = if ends { "-".into() } else { times(first_row, command) };
        let end = if ends { times(early_end, command) } else { "-".into() };
        table.row(name, &[first, end]);
    }
}

/// From the start until a row that was given is shown, while the input stays open.
fn first_row(command: &mut Command) -> f64 {
    let began = Instant::now();
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "{ROW}").unwrap();
    let mut shown = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut shown).unwrap();
    let took = began.elapsed().as_secs_f64();
    assert_eq!(shown.trim(), ROW);
    drop(input);
    child.wait().unwrap();
    took
}

/// From the start until the end of a line that takes three rows of a source that never ends.
fn early_end(command: &mut Command) -> f64 {
    let mut source = Command::new("yes").arg(ROW).stdout(Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    let output = command.stdin(source.stdout.take().unwrap()).stdout(Stdio::piped()).output().unwrap();
    let took = began.elapsed().as_secs_f64();
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 3);
    // the command keeps its end of the pipe for the next time
    command.stdin(Stdio::null());
    // it hears that nobody reads any more
    source.wait().unwrap();
    took
}

fn memory(folder: &Path, home: &Path) {
    let least = if measure::quick() { RECORDS / 20 } else { RECORDS };
    let mut table = Table::new("flow-memory", &["records", "peak MiB", "times four"]);
    for (line, collects) in LINES {
        let least = if collects { least / 4 } else { least };
        let [few, many] = [least, least * 4].map(|count| {
            let file = folder.join(format!("{count}.jsonl"));
            if !file.exists() {
                measure::records(&file, count);
            }
            measure::run(&mut pipit(home, line), Some(&file)).0.peak
        });
        table.row(line, &[least.to_string(), format!("{few:.1}"), format!("{many:.1}")]);
    }
}
