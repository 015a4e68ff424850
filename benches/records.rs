//! A million records and six questions, each a whole process over the same file: Pipit, a loop written by hand, and other
//! programs that can do the same. All answers are compared, so nobody is fast by doing less.
//!
//! `-- --quick` takes a tenth of the records once; a word behind `--` asks that question alone.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench ends where something does not work")]

mod measure;

#[path = "records/plain.rs"]
mod plain;
#[path = "records/questions.rs"]
mod questions;

use std::path::Path;
use std::process::Command;

use measure::{Run, Table, median};
use questions::{QUESTIONS, Question};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RECORDS: u64 = 1_000_000;
const ROUNDS: usize = 5;

struct Contender {
    name: &'static str,
    command: Command,
    /// A slow one is run less often.
    rounds: usize,
    runs: Vec<Run>,
}

fn main() {
    if let [_, flag, question] = std::env::args().collect::<Vec<_>>().as_slice()
        && flag == "--plain"
    {
        return plain::answer(question);
    }
    let quick = measure::quick();
    let (records, rounds) = if quick { (RECORDS / 10, 1) } else { (RECORDS, ROUNDS) };
    measure::machine(&format!("records: {records} records, whole processes, wall-clock medians"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("records.jsonl");
    measure::records(&file, records);
    let mut table = Table::new("records", &["wall s", "cpu s", "peak MiB", "to plain", "to peer"]);
    for question in QUESTIONS.iter().filter(|question| measure::wanted(question.name)) {
        let mut contenders = contenders(question, folder.path());
        ask(&mut contenders, &file, rounds);
        tell(question, &contenders, &mut table);
    }
}

/// Asks all of them in turn, so that what drifts meets all.
fn ask(contenders: &mut [Contender], file: &Path, rounds: usize) {
    let mut expected: Option<String> = None;
    for round in 0..=rounds {
        for contender in &mut *contenders {
            // the first round warms up: it fills the page cache and makes the home. A slow one goes without.
            if round > contender.rounds || (round == 0 && contender.rounds == 1) {
                continue;
            }
            let (run, said) = measure::run(&mut contender.command, Some(file));
            let said = said.trim_end().to_owned();
            let expected = expected.get_or_insert_with(|| said.clone());
            assert!(said == *expected, "{} answers otherwise: {:.200}", contender.name, said);
            if round > 0 {
                contender.runs.push(run);
            }
        }
    }
}

fn tell(question: &Question, contenders: &[Contender], table: &mut Table) {
    let wall = |contender: &Contender| median(contender.runs.iter().map(|run| run.wall));
    let plain = contenders.first().map_or(f64::NAN, wall);
    let peers = contenders.iter().filter(|contender| !matches!(contender.name, "plain" | "typed" | "pipit"));
    let best = peers.map(wall).fold(f64::INFINITY, f64::min);
    for contender in contenders {
        let of = |figure: fn(&Run) -> f64| median(contender.runs.iter().map(figure));
        table.row(
            &format!("{}: {}", question.name, contender.name),
            &[
                format!("{:.3}", wall(contender)),
                format!("{:.3}", of(|run| run.cpu)),
                format!("{:.1}", of(|run| run.peak)),
                format!("{:.2}", wall(contender) / plain),
                format!("{:.2}", wall(contender) / best),
            ],
        );
    }
}

fn contenders(question: &Question, folder: &Path) -> Vec<Contender> {
    let made = |name, rounds, program: &Path, args: &[&str]| {
        let mut command = Command::new(program);
        command.args(args).env("PIPIT_HOME", folder.join("home")).current_dir(folder);
        Contender { name, command, rounds, runs: Vec::new() }
    };
    let itself = std::env::current_exe().unwrap();
    let pipit = Path::new(env!("CARGO_BIN_EXE_pipit"));
    let mut all = vec![
        made("plain", ROUNDS, &itself, &["--plain", question.name]),
        made("pipit", ROUNDS, pipit, &["run", "--stdin", "--json", question.pipit]),
    ];
    if question.name == "filter" {
        all.push(made("typed", ROUNDS, &itself, &["--plain", "typed"]));
    }
    let nu = format!("open --raw /dev/stdin | from json --objects | {}", question.nu);
    let peers: [(&str, usize, &[&str]); 3] = [
        ("jaq", 3, &["-nc", question.jq]),
        ("jq", 1, &["-nc", question.jq]),
        ("nu", 1, &["--no-config-file", "-c", &nu]),
    ];
    for (name, rounds, args) in peers {
        if let Some(program) = measure::program(name) {
            all.push(made(name, rounds, &program, args));
        }
    }
    all
}
