//! The table of limits in `docs/language.md` is true: every number is the one of the sources, every message is in the
//! sources too, and what a line can meet is met.
//!
//! Deliberately absent: bounds that take many people, long waits or much memory to meet; tests beside their code do.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

#[path = "support/home.rs"]
mod home;

use home::{Home, sources};

const GRAMMAR: &str = "grammar/src/limits.rs";
const COMMANDS: &str = "commands/src/limits.rs";
const SHELL: &str = "src/limits.rs";
const TURNS: &str = "src/chat/turns.rs";

/// Where the numbers of a row stand, in the order in which the row has them.
const ROWS: &[(&str, &[(&str, &str)])] = &[
    ("its length", &[(GRAMMAR, "LINE_BYTES")]),
    ("stages, in all its pipelines; a line in quotes or in a block has as many of its own", &[(GRAMMAR, "STAGES")]),
    ("substitutions, at any depth", &[(GRAMMAR, "SUBSTITUTIONS")]),
    ("blocks and substitutions in each other", &[(GRAMMAR, "DEPTH")]),
    ("nesting of a condition", &[("grammar/src/expr.rs", "DEPTH")]),
    ("aliases in aliases", &[("src/engine/planner.rs", "ALIAS_DEPTH")]),
    ("stages with its aliases spread out", &[("src/engine/planner.rs", "STAGES")]),
    ("how long it runs", &[(SHELL, "LINE_TIME")]),
    ("rounds of all its loops", &[(SHELL, "ROUNDS")]),
    ("rounds of one `repeat`", &[("commands/src/control.rs", "ROUNDS")]),
    ("posts", &[(SHELL, "POSTS")]),
    ("calls that take an approval", &[(SHELL, "GUARDED")]),
    (
        "what programs of Cog's bundles keep in its memory, under how many keys, how long",
        &[(SHELL, "MEMORY_BYTES"), (SHELL, "MEMORY_KEYS"), (SHELL, "MEMORY_KEY")],
    ),
    ("requests of theirs to the services", &[(SHELL, "SERVICE_REQUESTS")]),
    ("such a request, and how long it may take", &[(SHELL, "SERVICE_BODY"), (SHELL, "SERVICE_TIME")]),
    ("pictures and files beside its answer", &[(SHELL, "ATTACHED")]),
    ("a reason (`because`), at least", &[(SHELL, "REASON")]),
    ("a reason to break the glass, at least", &[(SHELL, "EMERGENCY_REASON")]),
    ("its answer in chat", &[(SHELL, "SHOWN_LINES"), (SHELL, "SHOWN_BYTES")]),
    ("values of its answer in chat", &[(SHELL, "KEPT_VALUES"), (SHELL, "ANSWER")]),
    ("what is kept of its answer for `more`", &[(SHELL, "OUTPUT_BYTES"), (SHELL, "OUTPUT_TIME")]),
    ("what a table in the terminal waits for", &[(SHELL, "TABLE_ROWS"), (SHELL, "TABLE_WAIT")]),
    ("a question for a word that it lacks, or of its program", &[(SHELL, "QUESTION")]),
    ("questions of one program, and one asked again", &[(SHELL, "INQUIRIES"), (SHELL, "ASKED_AGAIN")]),
    ("choices of such a question, and its text", &[(SHELL, "INQUIRY_CHOICES"), (SHELL, "INQUIRY_TEXT")]),
    ("silence before it says that it runs", &[(SHELL, "LIFE")]),
    ("time between two reports of progress in chat", &[(SHELL, "PROGRESS")]),
    ("a text", &[(COMMANDS, "TEXT")]),
    ("what a command holds of its stream (`sort`, `group`, `unique` …)", &[(COMMANDS, "HELD")]),
    ("nesting of JSON", &[("commands/src/value.rs", "DEPTH")]),
    ("places that a JSONPath looks at", &[("commands/src/jsonpath/search.rs", "PLACES")]),
    ("the bars of a chart", &[("commands/src/chart.rs", "BARS")]),
    ("a post by a redirect", &[(SHELL, "POST")]),
    ("a kept stream (`tee`)", &[(SHELL, "KEPT_VALUES"), (SHELL, "KEPT_BYTES")]),
    ("a note (`my`, `our`)", &[(SHELL, "NOTE_BYTES")]),
    ("a name that something is kept under", &[(SHELL, "NAME")]),
    ("what a program of the site's own writes, and how long it takes", &[(SHELL, "SITE_OUTPUT"), (SHELL, "SITE_TIME")]),
    ("fetching a bundle", &[(SHELL, "FETCH_TIME")]),
    ("processes of one command that are kept warm", &[(SHELL, "WARM")]),
    (
        "one of them: its calls, its age, how long it waits",
        &[(SHELL, "WARM_CALLS"), (SHELL, "WARM_AGE"), (SHELL, "WARM_IDLE")],
    ),
    ("lines that run at once; the operator may have any number", &[(SHELL, "RUNNING_USER")]),
    ("lines that run at once in one chat service", &[(TURNS, "SLOW")]),
    ("lines that wait in one chat service", &[(TURNS, "WAITING")]),
    ("commands in the midst of one message", &[(SHELL, "EMBEDDED")]),
    ("notes, kept streams, aliases, reminders", &[(SHELL, "OWN_THINGS")]),
    ("messages in the inbox", &[(SHELL, "OWN_THINGS")]),
    ("the text of a reminder", &[(SHELL, "REMINDER")]),
    ("a reminder for a room that cannot be reached", &[(SHELL, "REMINDER_WAITS")]),
    ("changes of karma", &[(SHELL, "KARMA_CHANGES")]),
    ("requests for approval that wait", &[(SHELL, "WAITING")]),
    ("how long a request for approval stands, and is kept for comparison", &[(SHELL, "APPROVAL"), (SHELL, "ENDED")]),
    ("a request that is approved of in a chat", &[(SHELL, "REQUEST")]),
    ("a second factor, where a rule does not say how long", &[(SHELL, "STEP_UP")]),
    (
        "wrong codes of a second factor, in how long, and then",
        &[(SHELL, "WRONG_CODES"), (SHELL, "CODE_WINDOW"), (SHELL, "CODE_LOCK")],
    ),
    ("the rights of an emergency (`break-glass`)", &[(SHELL, "EMERGENCY")]),
    ("a code that links an account", &[(SHELL, "LINK")]),
    ("lines that run at once, said in it", &[(SHELL, "RUNNING_ROOM")]),
    ("notes, kept streams, aliases", &[(SHELL, "SHARED_THINGS")]),
    ("stand-up notes", &[(SHELL, "SHARED_THINGS"), (SHELL, "REMINDER")]),
    ("open polls", &[(SHELL, "POLLS")]),
    ("options of a poll", &[(SHELL, "OPTIONS")]),
    ("until a chat sees what another process sets for it", &[(SHELL, "LATELY")]),
    ("lines that run at once", &[(SHELL, "RUNNING")]),
    (
        "lines that run at once in one chat service, those of unverified people",
        &[(TURNS, "RUNNING"), (TURNS, "STRANGERS")],
    ),
    ("memory of what all lines hold", &[]),
    ("open questions in one chat service", &[("src/chat/questions.rs", "OPEN")]),
    ("connections to the services of programs", &[(SHELL, "SERVICE_CONNECTIONS")]),
    ("aliases of the site", &[(SHELL, "SHARED_THINGS")]),
    ("notices that wait for whoever reaches their room", &[(SHELL, "NOTICES")]),
    ("people and rules that cannot be read anew", &[(SHELL, "POLICY_AGE")]),
    ("names that have karma", &[(SHELL, "KARMA_NAMES")]),
    ("texts that completion offers", &[(SHELL, "CHOICES")]),
    ("kinds of calls and people that a change of rules is held against, for each command", &[(SHELL, "COMPARED")]),
    ("kinds of calls that `rule diff` shows", &[(SHELL, "DIFFERENCES")]),
    (
        "lines that a timeline of the log shows, and of how long by itself",
        &[(SHELL, "TIMELINE_LINES"), (SHELL, "TIMELINE_TIME")],
    ),
    (
        "messages kept, where it keeps its conversation, and how much of each",
        &[(SHELL, "TALK_ROWS"), (SHELL, "TALK_TEXT")],
    ),
    ("messages that a timeline of the log shows", &[(SHELL, "TIMELINE_TALK")]),
    ("tokens in lines that are looked for in what leaves the shell", &[(SHELL, "TYPED_SECRETS")]),
    (
        "secrets that are looked for in what leaves the shell, and the shortest",
        &[(SHELL, "SECRETS"), (SHELL, "SHORTEST_SECRET")],
    ),
];

/// Numbers of the shell's own housekeeping, which nobody meets with a line.
const UNMET: [&str; 10] = [
    "LOOK_AGAIN",
    "LOOK_BACK",
    "ANCHOR_ROWS",
    "ANCHOR_TIME",
    "ERASED_ROWS",
    "EXPORTED_ROWS",
    "ERASE_EVERY",
    "LOOK_AFTER",
    "FORGET_EVERY",
    "LOOK",
];

/// A row of the table.
struct Row {
    what: String,
    much: String,
    /// What is said, without its quotes; none where something is done in silence.
    message: Option<String>,
}

fn rows() -> Vec<Row> {
    let page = std::fs::read_to_string(sources().join("docs/language.md")).unwrap();
    let section = page.split("\n## Limits\n").nth(1).expect("no section Limits");
    let section = section.split("\n## ").next().unwrap();
    let rows: Vec<Row> = section
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| of |"))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let [of, what, much, said] = cells.as_slice() else { panic!("{line} has not four cells") };
            assert!(["line", "value", "user", "room", "node"].contains(of), "{line}");
            let message = said.strip_prefix('`').and_then(|said| said.strip_suffix('`'));
            Row { what: (*what).into(), much: (*much).into(), message: message.map(Into::into) }
        })
        .collect();
    assert!(rows.len() > 50, "only {} rows were found", rows.len());
    rows
}

/// A constant's number as its source states it: of bytes, of milliseconds, or a count.
fn number(of: &str) -> u64 {
    let of = of.trim();
    if let Some((first, second)) = of.split_once("<<") {
        return number(first) << number(second);
    }
    if let Some((first, second)) = of.split_once('*').filter(|_| !of.starts_with("Duration")) {
        return number(first) * number(second);
    }
    let units = [("millis", 1), ("secs", 1000), ("mins", 60_000), ("hours", 3_600_000)];
    for (unit, factor) in units {
        if let Some(count) = of.strip_prefix(&format!("Duration::from_{unit}(")) {
            return number(count.strip_suffix(')').unwrap()) * factor;
        }
    }
    of.replace('_', "").parse().unwrap_or_else(|_| panic!("{of} is not understood"))
}

/// The constants at the margin of a source: those that hold for more than a function.
fn constants(path: &str) -> BTreeMap<String, u64> {
    let text = std::fs::read_to_string(sources().join(path)).unwrap();
    let lines = text.lines().filter_map(|line| {
        let line = line.trim_start_matches("pub(super) ").trim_start_matches("pub(crate) ").trim_start_matches("pub ");
        let (name, rest) = line.strip_prefix("const ")?.split_once(": ")?;
        let (kind, value) = rest.strip_suffix(';')?.split_once(" = ")?;
        ["usize", "u64", "u32", "i64", "Duration"].contains(&kind).then(|| (name.to_owned(), number(value)))
    });
    lines.collect()
}

/// The numbers of a cell, in bytes or milliseconds where it names such a unit.
fn numbers(cell: &str) -> Vec<u64> {
    let words: Vec<&str> = cell.split([' ']).map(|word| word.trim_end_matches(',')).collect();
    let each = words.iter().enumerate().filter_map(|(at, word)| {
        let count: u64 = word.replace(',', "").parse().ok()?;
        let factor = match words.get(at + 1).copied().unwrap_or_default() {
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "second" | "seconds" => 1000,
            "minute" | "minutes" => 60_000,
            "hour" | "hours" => 3_600_000,
            "day" | "days" => 24 * 3_600_000,
            _ => 1,
        };
        Some(count * factor)
    });
    each.collect()
}

/// Every source of the product, in one text.
fn product() -> String {
    let mut open: Vec<PathBuf> = ["src", "commands/src", "grammar/src"].map(|folder| sources().join(folder)).into();
    let mut all = String::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension() == Some("rs".as_ref()) && path.file_name() != Some("tests.rs".as_ref()) {
            let text = std::fs::read_to_string(&path).unwrap();
            all.push_str(text.split("#[cfg(test)]\nmod tests {").next().unwrap());
        }
    }
    all
}

/// What of a message is the same each time and whatever the number.
fn fixed(message: &str) -> Vec<&str> {
    let changing = |c: char| c == '…' || c == '"' || c.is_ascii_digit();
    message.split(changing).map(str::trim).filter(|part| part.len() > 3).collect()
}

#[test]
fn a_number_is_read_as_it_is_written() {
    for (text, wanted) in [("16_384", 16384), ("4 << 20", 4 << 20), ("64 * 1024", 65536), ("24 * 60 * 60", 86400)] {
        assert_eq!(number(text), wanted, "{text}");
    }
    assert_eq!(number("Duration::from_hours(30 * 24)"), 30 * 24 * 3_600_000);
    assert_eq!(numbers("1,000 rows, 200 ms"), [1000, 200]);
    assert_eq!(numbers("15 minutes, 30 days"), [900_000, 30 * 24 * 3_600_000]);
    assert_eq!(fixed("a text has 4 MiB at most; …"), ["a text has", "MiB at most;"]);
}

#[test]
fn every_number_of_the_table_is_that_of_the_sources() {
    let rows = rows();
    let there: BTreeSet<&str> = rows.iter().map(|row| row.what.as_str()).collect();
    let known: BTreeSet<&str> = ROWS.iter().map(|(what, _)| *what).collect();
    assert_eq!(there, known, "the rows of docs/language.md are those of this test");
    for (row, (what, places)) in rows.iter().zip(ROWS) {
        assert_eq!(row.what, *what, "the rows stand in this order");
        let of = |(path, name): &(&str, &str)| {
            *constants(path).get(*name).unwrap_or_else(|| panic!("{name} is not in {path}"))
        };
        let wanted: Vec<u64> = places.iter().map(of).collect();
        assert_eq!(numbers(&row.much), wanted, "{what}: {} says docs/language.md", row.much);
    }
}

#[test]
fn every_limit_has_its_row() {
    for path in [GRAMMAR, COMMANDS, SHELL] {
        for name in constants(path).keys() {
            let told = ROWS.iter().any(|(_, places)| places.contains(&(path, name.as_str())));
            let unmet = UNMET.contains(&name.as_str());
            assert!(told != unmet, "{name} of {path} takes a row in docs/language.md and in ROWS, or a place in UNMET");
        }
    }
}

#[test]
fn every_message_of_the_table_is_one_of_the_sources() {
    let product = product();
    let mut seen = 0;
    let plays = plays();
    for Row { what, message, .. } in rows() {
        // one that is played is seen as a whole
        if plays.iter().any(|(played, _)| *played == what) {
            continue;
        }
        for part in message.iter().flat_map(|message| fixed(message)) {
            assert!(product.contains(part), "{what}: nothing in the sources says {part:?}");
            seen += 1;
        }
    }
    assert!(seen > 20, "only {seen} parts of messages were looked for");
}

/// Asserts that the operator's line is answered with the message of a row.
#[track_caller]
fn met(home: &Home, rows: &[Row], what: &str, line: &str) {
    let said = home.run(line);
    let row = rows.iter().find(|row| row.what == what).unwrap_or_else(|| panic!("no row {what}"));
    let message = row.message.as_ref().unwrap_or_else(|| panic!("{what} says nothing"));
    assert_ne!(said.code, Some(0), "{what}: {said:?}");
    let mut rest = said.err.as_str();
    for part in message.split('…').map(str::trim) {
        let (_, after) = rest.split_once(part).unwrap_or_else(|| panic!("{what}: wanted {message:?}: {}", said.err));
        rest = after;
    }
}

/// Lines of the operator's that meet the limit of a row.
fn plays() -> Vec<(&'static str, String)> {
    let long = "y".repeat(1001);
    let inside = |open: &str, close: &str, times: usize| format!("{}echo a{}", open.repeat(times), close.repeat(times));
    vec![
        ("its length", format!("echo {}", "x".repeat(16_384))),
        (
            "stages, in all its pipelines; a line in quotes or in a block has as many of its own",
            format!("echo a{}", " | echo b".repeat(64)),
        ),
        ("substitutions, at any depth", format!("echo {}", "$(echo a)".repeat(65))),
        ("blocks and substitutions in each other", inside("try { ", " }", 17)),
        ("nesting of a condition", format!("range 1 | where '{}cpu>1{}'", "(".repeat(33), ")".repeat(33))),
        ("rounds of all its loops", "range 101 | each { repeat 1000 { echo a } } | count".into()),
        ("rounds of one `repeat`", "repeat 1001 { echo a }".into()),
        ("a reason (`because`), at least", "because 'why' { echo a }".into()),
        ("a text", format!("echo a{}", " | repeat 1000 { echo $_ } | join ''".repeat(3))),
        ("nesting of JSON", format!("echo '{}{}' | parse json", "[".repeat(65), "]".repeat(65))),
        ("the bars of a chart", "range 501 | chart bar".into()),
        ("a kept stream (`tee`)", "range 10001 | tee lots | count".into()),
        ("a name that something is kept under", format!("echo a | tee {}", "y".repeat(65))),
        ("the text of a reminder", format!("remind me 10m {long}")),
    ]
}

#[test]
fn who_meets_a_limit_is_told_what_the_table_says() {
    let (home, rows) = (Home::new(), rows());
    for (what, line) in plays() {
        met(&home, &rows, what, &line);
    }
}

#[test]
fn aliases_in_each_other_have_an_end() {
    let (home, rows) = (Home::new(), rows());
    home.setup(&["alias a0 = 'echo a'"]);
    for at in 1..10 {
        home.setup(&[&format!("alias a{at} = 'a{} | a{}'", at - 1, at - 1)]);
    }
    met(&home, &rows, "aliases in aliases", "a9");
    met(&home, &rows, "stages with its aliases spread out", "a7 | a7 | a7 | a7 | a7 | a7 | a7 | a7");
}
