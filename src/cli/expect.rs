//! `pipit rule test`: who may run what, held against a file of expectations.
//!
//! Deliberately absent: deciding. Each expectation is a value for `rule test`, which the shell judges.

use std::path::Path;
use std::process::ExitCode;

use pipit_commands::Value;

use super::test::ask;
use super::{Home, fail, show, with_engine};
use crate::access::Identity;

/// Tries the expectations of a file. Ends with 0 when all hold, 1 when one does not, 2 when the file cannot be read.
pub(super) fn test(home: &Home, file: &Path) -> ExitCode {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => return fail(2, &format!("{} cannot be read: {error}", file.display())),
    };
    with_engine(home, async |engine| {
        let lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
        let (rows, reply, _) = ask(&engine, Identity::Operator, None, "rule test", Some(&lines)).await;
        let field =
            |row: &Value, name: &str| row.field(name).map(|value| value.to_text().to_string()).unwrap_or_default();
        let wrong: Vec<&Value> = rows.iter().filter(|row| row.field("holds") != Some(&Value::Bool(true))).collect();
        for row in &wrong {
            show(&format_args!(
                "{}\n    found: {}, {}",
                field(row, "expected"),
                field(row, "found"),
                field(row, "because")
            ));
        }
        if let Some(error) = reply.error {
            return fail(error.kind().exit(), &error);
        }
        if rows.is_empty() {
            return fail(2, &format!("{} expects nothing; a line is WHO may: LINE", file.display()));
        }
        if wrong.is_empty() {
            show(&format_args!("all {} expectations hold", rows.len()));
            return ExitCode::SUCCESS;
        }
        show(&format_args!("{} of {} expectations do not hold", wrong.len(), rows.len()));
        ExitCode::from(1)
    })
}
