//! Rows that read the log.

use ecow::EcoString;

use super::Verb;
use super::admin::look;
use crate::Kind;
use crate::command::Command;
use crate::family::family;

/// How lines end, as the log says it.
const ENDS: &[&str] = &["ok", "failed", "refused", "denied", "parked", "stopped", "unknown", "running"];

pub(super) fn audit() -> Vec<Command> {
    let right = "audit:read";
    family(
        "audit",
        [
            look(
                "list [--user=USER] [--room=ROOM] [--command=COMMAND] [--ended=HOW] [--since=TIME] [--count=N]",
                "Lines, newest last, with how they ended",
                Verb::AuditList,
                right,
            )
            .shows("audit list --user=alice --since=1h", "")
            .kind("N", Kind::Int(1, 10_000))
            .fields(&["id", "at", "who", "via", "room", "line", "ended", "message"])
            .kind("TIME", Kind::Time)
            .kind("HOW", Kind::OneOf(ENDS.iter().map(|how| EcoString::from(*how)).collect())),
            look("show ID", "Everything that is written of one line", Verb::AuditShow, right)
                .shows("audit show 7M34SEPE", "")
                .fills_from("ID", "id"),
            look(
                "verify",
                "Checks that nothing in the log was altered, removed or reordered",
                Verb::AuditVerify,
                right,
            ),
        ]
        // the texts of lines, whoever typed them
        .map(|row| row.outside("others")),
    )
}
