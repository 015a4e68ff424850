//! Programs of bundles: calls a second, each in a process of its own (cold) and in one that is kept (warm), beside the bare
//! interpreter; and a million values through a program that only copies, with the peak of memory of a tenth of them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench ends where something does not work")]

mod measure;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use measure::{Run, Table, median, millis};

const MANIFEST: &str = "bundle: 1
name: bench
version: 1.0.0
description: What calls cost
needs: {programs: [python3, cat, wc, node, ruby]}
commands:
";

/// The commands: what each runs, and what else is said of it.
const COMMANDS: [(&str, &str, &str); 8] = [
    ("python-cold", "./echo.py", "output: json-lines"),
    ("python-warm", "./echo.py", "output: json-lines, warm: 1"),
    ("node-cold", "./echo.js", "output: json-lines"),
    ("node-warm", "./echo.js", "output: json-lines, warm: 1"),
    ("ruby-warm", "./echo.rb", "output: json-lines, warm: 1"),
    ("sh-cold", "./echo.sh", "output: json-lines"),
    ("copy", "cat", "input: stream, output: json-lines"),
    ("take", "wc", "input: stream, output: lines"),
];

const PROGRAMS: [(&str, &str); 4] = [
    ("echo.py", "#!/usr/bin/env python3\nimport pipit\n@pipit.serve\ndef echo(call):\n    yield from call.input\n"),
    ("echo.js", "#!/usr/bin/env node\nrequire('./pipit.js').serve((call) => call.input);\n"),
    (
        "echo.rb",
        "#!/usr/bin/env ruby\nrequire_relative 'pipit'\nPipit.serve { |call| call.input.each { |value| call.emit(value) } }\n",
    ),
    ("echo.sh", "#!/bin/sh\ncat\n"),
];

fn main() {
    measure::machine("programs: calls of bundles, cold and warm, and values through a program");
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let bundle = folder.path().join("bundle");
    make(&bundle);
    let pipit = |line: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pipit"));
        command.arg("--home").arg(&home).args(["run", "--json", "--", line]);
        command
    };
    for line in [format!("bundle install '{}'", bundle.display()), "bundle enable bench".to_owned()] {
        measure::run(&mut pipit(&line), None);
    }
    let (many, few, rounds) = if measure::quick() { (500, 20, 1) } else { (5000, 100, 5) };

    let mut table = Table::new("programs", &["ms a call", "calls/s", "cpu ms a call", "peak MiB"]);
    for (name, _, more) in &COMMANDS[..6] {
        let calls = if more.contains("warm") { many } else { few };
        let none = middle(rounds, &mut || measure::run(&mut pipit(&format!("range 1 | bench:{name} | count")), None).0);
        let line = format!("range {} | bench:{name} | count", calls + 1);
        let all = middle(rounds, &mut || {
            let (run, said) = measure::run(&mut pipit(&line), None);
            assert_eq!(said.trim(), (calls + 1).to_string(), "{name}");
            run
        });
        let calls = f64::from(calls);
        let (wall, cpu) = ((all.wall - none.wall) / calls, (all.cpu - none.cpu) / calls);
        table.row(name, &[millis(wall), format!("{:.0}", 1.0 / wall), millis(cpu), format!("{:.1}", all.peak)]);
    }
    let bare = Path::new("/usr/bin/python3");
    let mut python = Command::new(if bare.exists() { bare } else { Path::new("python3") });
    python.args(["-c", "import json"]);
    let start = middle(rounds * 5, &mut || measure::run(&mut python, None).0);
    let each = 1.0 / start.wall;
    table.row("python3 -c 'import json'", &[millis(start.wall), format!("{each:.0}"), millis(start.cpu), "-".into()]);

    let mut table = Table::new("programs-stream", &["s", "values/s", "MB/s", "cpu s", "peak MiB"]);
    let most = if measure::quick() { 100_000 } else { 1_000_000 };
    for count in [most / 10, most] {
        let mut row = |name: &str, bytes: f64, run: Run| {
            let figures = [
                format!("{:.2}", run.wall),
                format!("{:.0}", f64::from(count) / run.wall),
                format!("{:.1}", bytes / 1e6 / run.wall),
                format!("{:.2}", run.cpu),
                format!("{:.1}", run.peak),
            ];
            table.row(&format!("{count} {name}"), &figures);
        };
        // through and back: as many bytes as a call may give
        let line = format!("range {count} | bench:copy | count");
        let run = middle(rounds, &mut || {
            let (run, said) = measure::run(&mut pipit(&line), None);
            assert_eq!(said.trim(), count.to_string());
            run
        });
        let digits = |number: u32| f64::from(number.checked_ilog10().unwrap_or(0) + 2);
        row("numbers copied", (0..count).map(digits).sum(), run);
        // records into a program
        let records = folder.path().join("records");
        measure::records(&records, u64::from(count));
        let run = middle(rounds, &mut || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_pipit"));
            command.arg("--home").arg(&home).args(["run", "--stdin", "--", "parse json-lines | bench:take"]);
            measure::run(&mut command, Some(&records)).0
        });
        #[expect(clippy::cast_precision_loss, reason = "a size in bytes")]
        row("records taken", fs::metadata(&records).unwrap().len() as f64, run);
    }
}

fn make(bundle: &Path) {
    fs::create_dir(bundle).unwrap();
    let commands = COMMANDS.map(|(name, program, more)| {
        format!("  {name}: {{about: x, run: [{program}], effect: pure, timeout: 120s, {more}, rules: [allow]}}\n")
    });
    fs::write(bundle.join("bundle.yaml"), MANIFEST.to_owned() + &commands.concat()).unwrap();
    for (name, text) in PROGRAMS {
        fs::write(bundle.join(name), text).unwrap();
        fs::set_permissions(bundle.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("bundles/helpers");
    for name in ["pipit.py", "pipit.js", "pipit.rb"] {
        fs::copy(from.join(name), bundle.join(name)).unwrap();
    }
}

/// The middle of some runs, figure by figure.
fn middle(rounds: u32, run: &mut dyn FnMut() -> Run) -> Run {
    let runs: Vec<Run> = (0..rounds).map(|_| run()).collect();
    let of = |figure: fn(&Run) -> f64| median(runs.iter().map(figure));
    Run { wall: of(|run| run.wall), cpu: of(|run| run.cpu), peak: of(|run| run.peak) }
}
