//! From nothing to an answer: `pipit run 'echo hi'` as a whole process, the audit's two durable commits included, in a
//! home that is there and in one that is not.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench ends where something does not work")]

mod measure;

use std::path::Path;
use std::process::Command;

use measure::{Commits, Run, Table, at, median, millis};

const RUNS: usize = 100;
const FRESH: usize = 20;

fn main() {
    measure::machine("start: one line as a whole process");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let (rounds, fresh_rounds) = if measure::quick() { (RUNS / 10, FRESH / 10) } else { (RUNS, FRESH) };
    let mut table = Table::new("start", &["p50", "p90", "cpu", "peak MiB"]);

    let echo = |home: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pipit"));
        command.arg("--home").arg(home).args(["run", "echo", "hi"]);
        command
    };
    let home = path.join("home");
    let peers = [("true", vec![]), ("jq", vec!["-n", "1"]), ("python3", vec!["-c", "0"]), ("node", vec!["-e", "0"])];
    let mut all: Vec<(String, Command, Vec<Run>)> = vec![("pipit run 'echo hi'".into(), echo(&home), Vec::new())];
    for (name, args) in peers {
        if let Some(program) = measure::program(name) {
            let mut command = Command::new(program);
            command.args(&args);
            all.push((format!("{name} {}", args.join(" ")), command, Vec::new()));
        }
    }
    for round in 0..=rounds {
        for (_, command, runs) in &mut all {
            let (run, _) = measure::run(command, None);
            // the first one makes the home and warms up
            if round > 0 {
                runs.push(run);
            }
        }
    }
    for (name, _, runs) in &all {
        row(&mut table, name, runs);
    }
    let fresh = |at: usize| measure::run(&mut echo(&path.join(format!("fresh-{at}"))), None).0;
    row(&mut table, "pipit run 'echo hi', fresh home", &(0..fresh_rounds).map(fresh).collect::<Vec<_>>());
    let commits = Commits::open(path).several(300);
    let commit = |share| millis(at(commits.clone(), share));
    table.row("one durable commit of SQLite here", &[commit(0.5), commit(0.9), "-".into(), "-".into()]);
}

fn row(table: &mut Table, name: &str, runs: &[Run]) {
    let wall = |share| at(runs.iter().map(|run| run.wall), share);
    let cpu = millis(median(runs.iter().map(|run| run.cpu)));
    let peak = format!("{:.1}", median(runs.iter().map(|run| run.peak)));
    table.row(name, &[millis(wall(0.5)), millis(wall(0.9)), cpu, peak]);
}
