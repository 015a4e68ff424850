//! A real `pipit` with a home of its own, asked from outside as anybody would.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const PIPIT: &str = env!("CARGO_BIN_EXE_pipit");

/// A home that is gone with its test.
pub(crate) struct Home(TempDir);

/// What came of a line.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A judgement in the audit log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Judged {
    pub(crate) command: String,
    pub(crate) allowed: bool,
    /// The rules, as written; without `when command is …` where that says the command again.
    pub(crate) rule: String,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// A line of somebody's; without a user the local operator's, without a room a direct message.
    pub(crate) fn says(&self, user: Option<&str>, room: Option<&str>, line: &str) -> Answer {
        let mut args = Vec::new();
        args.extend(user.iter().flat_map(|user| ["--as", user]));
        args.extend(room.iter().flat_map(|room| ["--room", room]));
        self.run(&[&args[..], &["--", line]].concat())
    }

    /// `pipit run` in this home, from the root of the project.
    pub(crate) fn run(&self, args: &[&str]) -> Answer {
        let output = self.command(args).stdin(Stdio::null()).output().unwrap();
        Answer::new(&output)
    }

    /// `pipit run` in this home, not started yet.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PIPIT);
        command.current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("RUST_BACKTRACE");
        command.args(["run", "--home"]).arg(self.path()).args(args);
        command
    }

    /// The operator's line, which has to go well; its values.
    pub(crate) fn operator(&self, line: &str) -> Vec<Value> {
        let answer = self.run(&["--json", "--", line]);
        assert_eq!(answer.code, Some(0), "the operator's line fails: {line}\n{}", answer.err);
        answer.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// What was judged of the last line.
    pub(crate) fn judged(&self) -> Vec<Judged> {
        let lines = self.operator("audit list --count=2");
        let id = lines[0]["id"].as_str().unwrap();
        let records = self.operator(&format!("audit show {id}"));
        let verdicts = records.iter().filter(|record| record["kind"] == "verdict");
        verdicts
            .map(|record| {
                let command = record["command"].as_str().unwrap().to_owned();
                let rule = record["body"]["rule"].as_str().unwrap();
                let prefix = format!("when command is {command} ");
                Judged {
                    allowed: record["outcome"] == "allowed",
                    rule: rule.strip_prefix(&prefix).unwrap_or(rule).to_owned(),
                    command,
                }
            })
            .collect()
    }
}

impl Answer {
    pub(crate) fn new(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("what pipit says is UTF-8");
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }
}
