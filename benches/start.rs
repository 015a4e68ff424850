//! From nothing to an answer: `pipit run 'echo hi'` as a whole process, the audit's two durable commits included, in a
//! home that is there and in one that is not.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench ends where something does not work")]

mod measure;

use std::path::Path;
use std::process::Command;

use measure::{Commits, Run, at, median, millis};

const RUNS: usize = 100;
const FRESH: usize = 20;

fn main() {
    measure::machine("start: one line as a whole process");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    println!("{:<34} {:>9} {:>9} {:>9} {:>9}", "", "p50", "p90", "cpu", "peak MiB");

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
    for round in 0..=RUNS {
        for (_, command, runs) in &mut all {
            let (run, _) = measure::run(command, None);
            // the first one makes the home and warms up
            if round > 0 {
                runs.push(run);
            }
        }
    }
    for (name, _, runs) in &all {
        row(name, runs);
    }
    let fresh = |at: usize| measure::run(&mut echo(&path.join(format!("fresh-{at}"))), None).0;
    row("pipit run 'echo hi', fresh home", &(0..FRESH).map(fresh).collect::<Vec<_>>());
    let commits = Commits::open(path).several(300);
    println!(
        "one durable commit of SQLite here: p50 {}, p90 {}",
        millis(at(commits.clone(), 0.5)),
        millis(at(commits, 0.9))
    );
}

fn row(name: &str, runs: &[Run]) {
    let wall = |share| at(runs.iter().map(|run| run.wall), share);
    println!(
        "{name:<34} {:>9} {:>9} {:>9} {:>9.1}",
        millis(wall(0.5)),
        millis(wall(0.9)),
        millis(median(runs.iter().map(|run| run.cpu))),
        median(runs.iter().map(|run| run.peak))
    );
}
