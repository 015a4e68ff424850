//! What every figure here is made with: a child run from start to end, medians, and what machine this is.
//!
//! Deliberately absent: thresholds. A figure is printed; whether it is good is for whoever reads it.

#![allow(dead_code, reason = "each bench uses a part of it")]

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use wait4::Wait4;

/// One run of a process, from before its start until it was reaped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// On the clock, in seconds.
    pub(crate) wall: f64,
    /// Of processors, user and system together, in seconds.
    pub(crate) cpu: f64,
    /// The most memory it held, in MiB.
    pub(crate) peak: f64,
}

/// Runs a command to its end and gives what it wrote on standard output. A command that fails ends the bench.
pub(crate) fn run(command: &mut Command, input: Option<&Path>) -> (Run, String) {
    let stdin = input.map_or_else(Stdio::null, |path| Stdio::from(File::open(path).expect("the input is there")));
    let mut out = tempfile::tempfile().expect("a file for the output");
    command.stdin(stdin).stdout(out.try_clone().expect("a second handle")).stderr(Stdio::inherit());
    let began = Instant::now();
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let used = child.wait4().expect("it ends");
    let wall = began.elapsed().as_secs_f64();
    assert!(used.status.success(), "{command:?}: {}", used.status);
    let cpu = (used.rusage.utime + used.rusage.stime).as_secs_f64();
    let mut text = String::new();
    std::io::Seek::rewind(&mut out).expect("a file rewinds");
    std::io::Read::read_to_string(&mut out, &mut text).expect("it writes text");
    #[expect(clippy::cast_precision_loss, reason = "a size in bytes")]
    let peak = used.rusage.maxrss as f64 / 1_048_576.0;
    (Run { wall, cpu, peak }, text)
}

/// The middle of some figures.
pub(crate) fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    at(figures, 0.5)
}

/// The figure below which a share of them lies.
pub(crate) fn at(figures: impl IntoIterator<Item = f64>, share: f64) -> f64 {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank")]
    let rank = ((figures.len().saturating_sub(1)) as f64 * share).round() as usize;
    figures.get(rank).copied().unwrap_or(f64::NAN)
}

/// How long something takes, in seconds.
pub(crate) fn time(mut work: impl FnMut()) -> f64 {
    let began = Instant::now();
    work();
    began.elapsed().as_secs_f64()
}

/// Where a program lies: where `benches/setup` puts what it installs, on the `PATH`, or in cargo's folder of programs.
/// What is nowhere is left out, and that is said once.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    static MISSED: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench-tools/bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let cargo = std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo/bin"));
    let folders = std::iter::once(own).chain(std::env::split_paths(&path)).chain(cargo);
    let found = folders.map(|folder| folder.join(name)).find(|file| file.is_file());
    let mut missed = MISSED.lock().expect("nobody else");
    if found.is_none() && !missed.iter().any(|missed| missed == name) {
        println!("({name} is not installed and left out; benches/setup installs it)");
        missed.push(name.to_owned());
    }
    found
}

/// Whether `--quick` was asked for: fewer rounds over less, to see that everything runs.
pub(crate) fn quick() -> bool {
    std::env::args().any(|argument| argument == "--quick")
}

/// Whether a part of a bench was asked for: all are, unless a word behind `--` names some.
pub(crate) fn wanted(part: &str) -> bool {
    let words: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    words.is_empty() || words.iter().any(|word| word == part)
}

/// Writes so many records of four fields, a JSON text a line: 62 bytes each.
pub(crate) fn records(file: &Path, count: u64) {
    let mut out = BufWriter::new(File::create(file).expect("a file"));
    let mut dice = 0x9e37_79b9_7f4a_7c15_u64;
    for id in 0..count {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let env = ["prod", "staging", "dev", "test"][(dice >> 62) as usize];
        let (name, cpu) = (id % 5000, (dice >> 40) % 1000);
        writeln!(out, r#"{{"id":{id},"name":"web-{name:06}","env":"{env}","cpu":0.{cpu:03}}}"#).expect("room for it");
    }
    out.flush().expect("room for it");
}

/// Figures in columns: shown as they come, and kept for the table of all benches.
pub(crate) struct Table {
    file: PathBuf,
}

impl Table {
    /// A table of this name, and what its columns are.
    pub(crate) fn new(name: &str, columns: &[&str]) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/figures");
        std::fs::create_dir_all(&folder).expect("a folder for the figures");
        let file = folder.join(format!("{name}.md"));
        let quick = if quick() { "(a quick run)\n\n" } else { "" };
        std::fs::write(&file, quick).expect("a file for the figures");
        let mut table = Self { file };
        table.row(&format!("**{name}**"), &columns.iter().map(|column| (*column).to_owned()).collect::<Vec<_>>());
        table.keep(&format!("|{}", "---|".repeat(columns.len() + 1)));
        table
    }

    /// A row, by its name.
    pub(crate) fn row(&mut self, name: &str, figures: &[String]) {
        let columns = figures.iter().map(|figure| format!(" {figure:>10}")).collect::<Vec<_>>().concat();
        println!("{name:<40}{columns}");
        let columns = figures.iter().map(|figure| format!(" {figure} |")).collect::<Vec<_>>().concat();
        self.keep(&format!("| {name} |{columns}"));
    }

    fn keep(&mut self, line: &str) {
        let mut file = std::fs::OpenOptions::new().append(true).open(&self.file).expect("the file of the figures");
        writeln!(file, "{line}").expect("room for it");
    }
}

/// A database of one table, for what a durable commit of one row costs here: a write-ahead log, fully synchronised.
pub(crate) struct Commits(rusqlite::Connection);

impl Commits {
    /// A database in a folder.
    pub(crate) fn open(folder: &Path) -> Self {
        let database = rusqlite::Connection::open(folder.join("commits.db")).expect("a database");
        let set = "PRAGMA journal_mode = wal; PRAGMA synchronous = full; CREATE TABLE row (text TEXT)";
        database.execute_batch(set).expect("a table");
        Self(database)
    }

    /// One commit, in seconds.
    pub(crate) fn one(&self) -> f64 {
        let mut insert = self.0.prepare_cached("INSERT INTO row VALUES (?1)").expect("a statement");
        let line = "x".repeat(200);
        time(|| assert_eq!(insert.execute([&line]).expect("a row"), 1))
    }

    /// Some commits, in seconds.
    pub(crate) fn several(&self, count: usize) -> Vec<f64> {
        (0..count).map(|_| self.one()).collect()
    }
}

/// Says what this is measured on.
pub(crate) fn machine(title: &str) {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("{title}");
    println!(
        "machine: {}, {cores} cores, {} of memory, Linux {}, load {}",
        field(&read("/proc/cpuinfo"), "model name"),
        field(&read("/proc/meminfo"), "MemTotal"),
        read("/proc/sys/kernel/osrelease").trim(),
        read("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" "),
    );
}

/// Milliseconds, for a table.
pub(crate) fn millis(seconds: f64) -> String {
    format!("{:.2} ms", seconds * 1e3)
}

/// Microseconds, for a table.
pub(crate) fn micros(seconds: f64) -> String {
    format!("{:.0} us", seconds * 1e6)
}

/// Waits for something to become true, up to a limit.
pub(crate) fn wait(limit: Duration, mut there: impl FnMut() -> bool) -> bool {
    let began = Instant::now();
    while began.elapsed() < limit {
        if there() {
            return true;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    false
}
