//! Rows that read the log, and the one that erases in it.

use ecow::EcoString;

use super::Verb;
use super::admin::{admin, look};
use crate::Kind;
use crate::command::Command;
use crate::family::{Row, family};
use crate::time::{point, zone};

/// How lines end, as the log says it.
const ENDS: &[&str] = &["ok", "failed", "refused", "denied", "parked", "stopped", "unknown", "running"];

/// Which lines are wanted, for the rows that give lines.
const WHICH: &str =
    "[--user=USER] [--room=ROOM] [--command=COMMAND] [--ended=HOW] [--since=TIME] [--until=TIME] [--count=N]";

pub(super) fn audit() -> Vec<Command> {
    let right = "audit:read";
    family(
        "audit",
        [
            look(&format!("list {WHICH}"), "Lines, newest last, with how they ended", Verb::AuditList, right)
                .shows("audit list --user=alice --since=1h", "")
                .shows("audit list --since='2030-01-31 09:00 Europe/Zurich' --until=2030-02-01", "")
                .lines(),
            look(
                &format!("search TEXT… {WHICH}"),
                "Lines with a text in what was asked, decided, done or answered, newest last",
                Verb::AuditSearch,
                right,
            )
            .shows("audit search i-0abc --ended=failed --since=7d", "")
            .lines(),
            look("show ID", "Everything that is written of one line", Verb::AuditShow, right)
                .shows("audit show 7M34SEPE", "")
                .outside("others")
                .fills_from("ID", "id"),
            look(
                "export [--since=TIME] [--until=TIME] [--format=FORMAT]",
                "All records of a time as they lie in the log: as values, as JSON lines, or as CEF for other programs",
                Verb::AuditExport,
                right,
            )
            .shows("audit export --since=1d --format=cef", "in the terminal: pipit audit export --format=cef > FILE")
            .kind("FORMAT", one_of(&["json-lines", "cef"]))
            .outside("others")
            .times(),
            look(
                "timeline [--since=TIME] [--until=TIME] [--room=ROOM] [--user=USER] [--zone=ZONE] [--format=FORMAT]",
                "What happened, for a review: lines, decisions, effects, outcomes, gaps; as Markdown or HTML. \
                 The last hour when no time is said",
                Verb::AuditTimeline,
                right,
            )
            .shows("audit timeline --since=2h --room=#ops --zone=Europe/Zurich", "")
            .kind("FORMAT", one_of(&["markdown", "html"]))
            .kind("ZONE", Kind::Check(|text| zone(text).map(drop)))
            .outside("others")
            .times(),
            look(
                "verify",
                "Checks that nothing in the log was altered, removed or reordered",
                Verb::AuditVerify,
                right,
            ),
            admin(
                "erase USER REASON…",
                "Erases what the lines of somebody say; that there were lines, when and how they ended stays, and so does this",
                Verb::AuditErase,
                "audit:erase",
            )
            .shows("audit erase alice she asked for it", ""),
        ],
    )
}

fn one_of(choices: &[&str]) -> Kind {
    Kind::OneOf(choices.iter().map(|choice| EcoString::from(*choice)).collect())
}

impl Row {
    fn times(self) -> Self {
        self.kind("TIME", Kind::Check(|text| point(text, 1_900_000_000_000).map(drop)))
    }

    fn lines(self) -> Self {
        self.times()
            .outside("others")
            .kind("N", Kind::Int(1, 10_000))
            .kind("HOW", one_of(ENDS))
            .fields(&["id", "at", "who", "via", "room", "line", "ended", "message"])
    }
}
