//! A million records through three stages: the whole process against a plain Rust loop over `serde_json::Value`, and
//! against other programs that do the same work on the same file.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench ends where something does not work")]

mod measure;

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::Command;

use measure::{Run, median};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RECORDS: u64 = 1_000_000;
const ROUNDS: usize = 5;
const LINE: &str = "parse json-lines | where env=prod | get name | count";
const JQ: &str = r#"reduce (inputs | select(.env == "prod") | .name) as $name (0; . + 1)"#;
const NODE: &str = "let n = 0; require('readline').createInterface({ input: process.stdin })
    .on('line', line => { const row = JSON.parse(line); if (row.env === 'prod' && row.name !== undefined) n++ })
    .on('close', () => console.log(n))";
const NU: &str = "open --raw /dev/stdin | lines | each { from json } | where env == prod | get name | length";

struct Contender {
    name: &'static str,
    command: Command,
    /// A slow one is run less often.
    rounds: usize,
    runs: Vec<Run>,
}

fn main() {
    if let [_, plain] = std::env::args().collect::<Vec<_>>().as_slice()
        && plain == "--plain"
    {
        return plain_loop();
    }
    measure::machine("records: a million records through three stages");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("records.jsonl");
    let expected = write(&file);
    let mut contenders = contenders(folder.path());
    for round in 0..=ROUNDS {
        for contender in &mut contenders {
            // the first round warms up: it fills the page cache and makes the home
            if round > contender.rounds {
                continue;
            }
            let (run, said) = measure::run(&mut contender.command, Some(&file));
            assert_eq!(said.trim(), expected.to_string(), "{} counts wrong", contender.name);
            if round > 0 {
                contender.runs.push(run);
            }
        }
    }
    let wall = |contender: &Contender| median(contender.runs.iter().map(|run| run.wall));
    let plain = contenders.first().map_or(f64::NAN, wall);
    println!("{:<28} {:>9} {:>9} {:>9} {:>8}", "", "wall s", "cpu s", "peak MiB", "to plain");
    for contender in &contenders {
        let of = |figure: fn(&Run) -> f64| median(contender.runs.iter().map(figure));
        println!(
            "{:<28} {:>9.3} {:>9.3} {:>9.1} {:>7.2}x",
            contender.name,
            wall(contender),
            of(|run| run.cpu),
            of(|run| run.peak),
            wall(contender) / plain
        );
    }
}

fn contenders(folder: &Path) -> Vec<Contender> {
    let made = |name, rounds, program: &Path, args: &[&str]| {
        let mut command = Command::new(program);
        command.args(args).env("PIPIT_HOME", folder.join("home"));
        Contender { name, command, rounds, runs: Vec::new() }
    };
    let itself = std::env::current_exe().unwrap();
    let pipit = Path::new(env!("CARGO_BIN_EXE_pipit"));
    let mut all = vec![
        made("plain loop (serde_json)", ROUNDS, &itself, &["--plain"]),
        made("pipit run --stdin", ROUNDS, pipit, &["run", "--stdin", LINE]),
    ];
    let peers: [(&str, &str, usize, &[&str]); 4] = [
        ("jaq", "jaq", 3, &["-n", JQ]),
        ("jq", "jq", 1, &["-n", JQ]),
        ("node (readline, JSON.parse)", "node", 3, &["-e", NODE]),
        ("nu", "nu", 1, &["--no-config-file", "-c", NU]),
    ];
    for (name, program, rounds, args) in peers {
        if let Some(program) = measure::program(program) {
            all.push(made(name, rounds, &program, args));
        }
    }
    all
}

/// Writes the records and tells how many are of production.
fn write(file: &Path) -> u64 {
    let mut out = BufWriter::new(File::create(file).unwrap());
    let mut dice = 0x9e37_79b9_7f4a_7c15_u64;
    let mut line = String::new();
    let mut count = 0;
    for id in 0..RECORDS {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let env = ["prod", "staging", "dev", "test"][(dice >> 62) as usize];
        count += u64::from(env == "prod");
        line.clear();
        let cpu = (dice >> 40) % 1000;
        writeln!(line, r#"{{"id":{id},"name":"web-{:06}","env":"{env}","cpu":0.{cpu:03}}}"#, id % 5000).unwrap();
        out.write_all(line.as_bytes()).unwrap();
    }
    out.flush().unwrap();
    count
}

/// What one would write by hand for this one question.
fn plain_loop() {
    let mut input = BufReader::with_capacity(64 * 1024, std::io::stdin().lock());
    let mut line = Vec::new();
    let mut names = 0_u64;
    while input.read_until(b'\n', &mut line).unwrap() > 0 {
        let record: serde_json::Value = serde_json::from_slice(&line).unwrap();
        if record["env"] == "prod" && !record["name"].is_null() {
            names += 1;
        }
        line.clear();
    }
    println!("{names}");
}
