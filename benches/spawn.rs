//! What it costs to hold a program: one call of a trivial shell script, and many at once, in each sandbox, against the same
//! script started by the standard library and read to its end.
//!
//! A call is what a line of many calls takes beyond one of none, so the shell's start and the audit of the line are not in
//! it, and what comes with each call (binding, judging, the pipes) is. Beside neighbours the time of processors is the
//! figure to look at.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench ends where something does not work")]

mod measure;

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use wait4::Wait4 as _;

use measure::{Run, Table, median, micros, time};

const LEVELS: [&str; 3] = ["basic", "restrict", "isolate"];
const ROUNDS: usize = 7;
/// Calls of a line.
const CALLS: usize = 200;
/// How many of them go on at once where they do: as many as a line may.
const AT_ONCE: usize = 64;

fn main() {
    measure::machine("spawn: a trivial script, held and not");
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let (rounds, calls) = if measure::quick() { (2, CALLS / 10) } else { (ROUNDS, CALLS) };
    for level in LEVELS {
        install(folder.path(), &home, level);
    }
    let script = folder.path().join("basic/hi.sh");
    let mut table = Table::new("spawn", &["one call", "to plain", "its cpu", "to plain", "one of 64", "to plain"]);
    let mut plain = Vec::new();
    let mut held = vec![Vec::new(); LEVELS.len()];
    for round in 0..=rounds {
        let none = line(&home, &format!("range {calls} | each {{ echo hi }} | count"));
        let together = line(&home, &format!("range {calls} | each --parallel={AT_ONCE} {{ echo hi }} | count"));
        let figures = LEVELS.map(|level| {
            let one = line(&home, &format!("range {calls} | each {{ {level}:hi }} | count"));
            let all = line(&home, &format!("range {calls} | each --parallel={AT_ONCE} {{ {level}:hi }} | count"));
            [one.wall - none.wall, one.cpu - none.cpu, all.wall - together.wall]
        });
        let own = unheld(&script, calls);
        // the first one warms up
        if round > 0 {
            plain.push(own);
            figures.into_iter().zip(&mut held).for_each(|(figures, held)| held.push(figures));
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "some hundred")]
    let each = |figures: &[[f64; 3]]| [0, 1, 2].map(|at| median(figures.iter().map(|one| one[at])) / calls as f64);
    let own = each(&plain);
    let named = LEVELS.iter().copied().zip(held.iter().map(|held| each(held)));
    for (name, figures) in std::iter::once(("std::process::Command", own)).chain(named) {
        let columns = figures.iter().zip(own);
        let row: Vec<String> =
            columns.flat_map(|(figure, own)| [micros(*figure), format!("{:.1}", figure / own)]).collect();
        table.row(name, &row);
    }
}

/// The same without anything that holds it: one after the other on the clock and on the processors, and many at once.
fn unheld(script: &Path, calls: usize) -> [f64; 3] {
    let mut cpu = 0.0;
    let one_by_one = time(|| (0..calls).for_each(|_| cpu += start(script)));
    let at_once = time(|| {
        let left = AtomicUsize::new(calls);
        let work = || {
            while left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok() {
                start(script);
            }
        };
        std::thread::scope(|scope| (0..AT_ONCE).for_each(|_| drop(scope.spawn(work))));
    });
    [one_by_one, cpu, at_once]
}

/// Starts the script as any program would, and reads what it writes; the time it took of processors, in seconds.
fn start(script: &Path) -> f64 {
    let mut child = Command::new(script).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said, "hi\n");
    let used = child.wait4().unwrap().rusage;
    (used.utime + used.stime).as_secs_f64()
}

/// Runs a line to its end.
fn line(home: &Path, line: &str) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pipit"));
    command.arg("--home").arg(home).args(["run", "--", line]);
    measure::run(&mut command, None).0
}

fn install(folder: &Path, home: &Path, level: &str) {
    let bundle = folder.join(level);
    fs::create_dir(&bundle).unwrap();
    let head =
        format!("bundle: 1\nname: {level}\nversion: 1.0.0\ndescription: A script\nneeds: {{sandbox: {level}}}\n");
    let command = "{about: Says hi, run: [./hi.sh], rules: [allow], effect: pure}";
    fs::write(bundle.join("bundle.yaml"), format!("{head}commands:\n  hi: {command}\n")).unwrap();
    fs::write(bundle.join("hi.sh"), "#!/bin/sh\necho hi\n").unwrap();
    fs::set_permissions(bundle.join("hi.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    line(home, &format!("bundle install '{}'", bundle.display()));
    line(home, &format!("bundle enable {level}"));
}
