//! Words that must not be there, or only in one place.

use super::source::{Source, has_word};

/// Something that happens in one place only.
pub(crate) struct Single {
    pub(crate) what: &'static str,
    /// Where it may happen: a file, or everything that begins so.
    pub(crate) within: &'static [&'static str],
    /// How often, when that is certain.
    pub(crate) count: Option<usize>,
    finds: fn(&Source) -> Vec<String>,
}

impl Single {
    pub(crate) fn places(&self, source: &Source) -> Vec<String> {
        (self.finds)(source)
    }
}

/// What types cannot count.
pub(crate) const SINGLE: &[Single] = &[
    Single {
        what: "one host: calls are judged in one place",
        within: &["src/engine/host.rs"],
        count: Some(1),
        finds: hosts,
    },
    Single { what: "one place makes a Subject", within: &["src/access.rs"], count: None, finds: subjects },
    Single {
        what: "a process is started only below src/bundle",
        within: &["src/bundle"],
        count: None,
        finds: processes,
    },
    Single { what: "SQL and its driver only below src/store", within: &["src/store"], count: None, finds: sql },
    Single {
        what: "Call::judged is asked for by the evaluator alone",
        within: &["src/engine/run.rs"],
        count: None,
        finds: judged,
    },
];

fn judged(source: &Source) -> Vec<String> {
    source.lines(&source.bare, |line| line.contains("Call::judged("))
}

fn hosts(source: &Source) -> Vec<String> {
    source.lines(&source.bare, |line| {
        let Some((before, _)) = line.split_once(" for ") else { return false };
        before.trim_start().starts_with("impl") && before.rsplit([' ', ':']).next() == Some("Host")
    })
}

/// `Subject { … }` as a value: not the type, not an implementation. The grammar has a `Subject` of its own, an enum.
fn subjects(source: &Source) -> Vec<String> {
    source.lines(&source.bare, |line| {
        line.match_indices("Subject {").any(|(at, _)| {
            let before = &line[..at];
            !before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
                && !["struct ", "enum ", "impl ", " for ", "-> ", "-> &"].iter().any(|word| before.ends_with(word))
        })
    })
}

fn processes(source: &Source) -> Vec<String> {
    const STARTS: [&str; 6] = ["process::Command", "Command::new(", "fork(", "execve", "posix_spawn", "clone3("];
    source.lines(&source.bare, |line| {
        let imported = line.contains("process::{") && has_word(line, "Command");
        imported || STARTS.iter().any(|start| line.contains(start))
    })
}

fn sql(source: &Source) -> Vec<String> {
    const WORDS: [&str; 7] =
        ["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ", "CREATE TABLE ", "PRAGMA ", "INSERT OR "];
    let driver = source.lines(&source.bare, |line| has_word(line, "rusqlite") || has_word(line, "tokio_postgres"));
    let text = source.lines(&source.code, |line| line.contains('"') && WORDS.iter().any(|word| line.contains(word)));
    driver.into_iter().chain(text).collect()
}

/// Whether a file of the chat room is a service's: it has the entry that the configuration reads, and runs it.
pub(crate) fn is_a_chat_service(text: &str) -> bool {
    text.contains("struct Entry") && text.contains("async fn live(")
}

/// What is left to be done.
pub(crate) fn unfinished(source: &Source) -> Vec<String> {
    const NOTES: [&str; 4] = ["TODO", "FIXME", "XXX", "HACK"];
    const MACROS: [&str; 3] = ["todo!", "unimplemented!", "dbg!"];
    if source.path.starts_with("tests/tidy") {
        return Vec::new();
    }
    let notes = source.lines(&source.text, |line| NOTES.iter().any(|note| has_word(line, note)));
    let macros = source.lines(&source.bare, |line| MACROS.iter().any(|word| line.contains(word)));
    let skipped = source.lines(&source.bare, |line| line.trim_start().starts_with("#[ignore"));
    notes.into_iter().chain(macros).chain(skipped).collect()
}

/// What could bring the shell down.
pub(crate) fn panics(source: &Source) -> Vec<String> {
    const CALLS: [&str; 4] = [".unwrap()", ".expect(", "panic!(", "unreachable!("];
    // a parser may expect something itself
    source.lines(&source.bare, |line| CALLS.iter().any(|call| line.replace("self.expect(", "").contains(call)))
}

/// Words of a workplace: where it was made, by whom and in which order is nobody's business.
pub(crate) fn foreign(path: &str, text: &str) -> Vec<String> {
    let said = |line: &str| {
        let lower = line.to_lowercase();
        let numbered = |word: &str| {
            lower.match_indices(word).any(|(at, _)| lower[at + word.len()..].starts_with(|c: char| c.is_ascii_digit()))
        };
        line.contains("/work/")
            || lower.contains("/root/")
            || numbered("session ")
            || numbered("issue #")
            || numbered("ticket #")
            || numbered("closes #")
            || numbered("fixes #")
            || ["as an ai", "sub-agent", "subagent", "my brief"].iter().any(|word| lower.contains(word))
    };
    let lines = text.lines().enumerate().filter(|(_, line)| said(line));
    lines.map(|(at, line)| format!("{path}:{}: {}", at + 1, line.trim())).collect()
}

/// The relative links of a page, outside its fenced blocks.
pub(crate) fn links(page: &str) -> Vec<String> {
    let mut links = Vec::new();
    for line in unfenced(page) {
        // what stands in backticks is no link
        let line: String = line.split('`').step_by(2).collect::<Vec<_>>().join(" ");
        for (at, _) in line.match_indices("](") {
            let Some(end) = line[at..].find(')') else { continue };
            let target = line[at + 2..at + end].split_whitespace().next().unwrap_or_default();
            if !target.contains("://") && !target.starts_with("mailto:") && !target.is_empty() {
                links.push(target.to_owned());
            }
        }
    }
    links
}

/// The anchors of a page's headings.
pub(crate) fn headings(page: &str) -> Vec<String> {
    let heading = |line: &str| {
        let said = line.trim_start_matches('#').trim().to_lowercase();
        said.chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .collect::<String>()
            .replace(' ', "-")
    };
    unfenced(page).filter(|line| line.starts_with('#')).map(heading).collect()
}

fn unfenced(page: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    page.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// The variants of an enum, as they are written in a file.
pub(crate) fn variants(text: &str, name: &str) -> Vec<String> {
    let Some((_, body)) = text.split_once(&format!("enum {name} {{")) else { return Vec::new() };
    let body = body.split('}').next().unwrap_or_default();
    body.split(',').map(str::trim).filter(|variant| !variant.is_empty()).map(str::to_owned).collect()
}

#[test]
fn every_detector_sees() {
    let of = |text: &str| Source::new("src/x.rs", text);
    let single = |at: usize, text: &str| SINGLE[at].places(&of(text)).len();
    assert_eq!(single(0, "impl Host for Mine {"), 1);
    assert_eq!(single(0, "impl<T: Send> pipit_commands::Host for Mine<T> {"), 1);
    assert_eq!(single(0, "impl Around for Lent {\nimpl LineHost {\nfn host(a: impl Host) {"), 0);
    assert_eq!(single(1, "let a = Subject { name };\nf(Subject { name })"), 2);
    assert_eq!(single(1, "pub(crate) struct Subject {\nimpl Subject {\nfn f() -> Subject {"), 0);
    assert_eq!(single(2, "std::process::Command::new(x)"), 1);
    assert_eq!(single(2, "use std::process::{Command, Stdio};\nlet c = Command::new(x);"), 2);
    assert_eq!(single(2, "use std::process::ExitCode; // Command::new("), 0);
    assert_eq!(single(3, "let q = \"SELECT a FROM b\";\nuse rusqlite::Connection;"), 2);
    assert_eq!(single(3, "// SELECT a\nlet a = \"select one\";"), 0);
    assert_eq!(single(4, "Call::judged(command, args)"), 1);
    assert_eq!(unfinished(&of("// TODO later\ntodo!();\n#[ignore]\nlet x = dbg!(1);")).len(), 4);
    assert_eq!(unfinished(&of("// mastodon\nlet todos = 1;")).len(), 0);
    assert_eq!(panics(&of("a.unwrap();\nb.expect(\"c\");\npanic!(\"d\")")).len(), 3);
    assert_eq!(panics(&of("a.unwrap_or(1); // b.unwrap()\n#[cfg(test)]\nmod tests {\nc.unwrap()\n}")).len(), 0);
    assert_eq!(foreign("a", "see /work/x\nas session 12 said\nissue #3\na session is a test\n").len(), 3);
    assert_eq!(links("[a](b.md) [c](https://d) `[e](f)`\n```\n[g](h)\n```\n[i](#j)"), ["b.md", "#j"]);
    assert_eq!(headings("# The `one` door, shut\n```\n# no\n```\n"), ["the-one-door-shut"]);
    assert_eq!(variants("pub enum Verb {\n    A,\n    B,\n}", "Verb"), ["A", "B"]);
    assert!(is_a_chat_service("pub(crate) struct Entry {}\npub(super) async fn live() {}"));
}
