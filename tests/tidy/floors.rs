//! The floors: which room of the shell may name which.
//!
//! ```text
//! main → cli → chat, web, trigger, schedule, ops, relay, mcp → engine → access, audit, bundle, net → seal, services, store → commands → grammar
//! ```
//!
//! A room names only rooms to its right. `limits` and `render` are for everybody and name no room themselves. `config` is
//! read before there is a room: only `cli` reads it, and it names what the chat services want to be told. Beside each
//! other on a floor, rooms do not name each other.

use super::source::{Source, has_word};

/// The floors from the top; commands and grammar are crates, and the compiler keeps them below.
const FLOORS: &[&[&str]] = &[
    &["main"],
    &["cli"],
    &["config"],
    &["chat", "web", "trigger", "schedule", "ops", "relay", "mcp"],
    &["engine"],
    &["access", "audit", "bundle", "net"],
    &["seal", "services", "store"],
];

/// For everybody; they name nobody but `limits`.
const LEAVES: &[&str] = &["render", "limits", "scrub"];

/// `src/engine/run.rs` is of `engine`.
fn room(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("src/")?;
    Some(inside.split('/').next().unwrap_or(inside).trim_end_matches(".rs"))
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// Whether one room may name another.
fn may(from: &str, to: &str) -> bool {
    if from == to || to == "limits" {
        return true;
    }
    if LEAVES.contains(&to) {
        return !LEAVES.contains(&from);
    }
    match (floor(from), floor(to)) {
        (Some(from), Some(to)) => from < to,
        // a room that stands on no floor names nobody, and nobody names it, until it is given one
        _ => false,
    }
}

/// Every room that a file names: `crate::room`, `crate::{room, …}`, and `super::room` in a room's own root.
fn named(source: &Source) -> Vec<(usize, String)> {
    let at_root = source.path.matches('/').count() == 1;
    let mut found = Vec::new();
    for (at, _) in source.bare.match_indices("::") {
        let (before, after) = (&source.bare[..at], &source.bare[at + 2..]);
        let word = before.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
        if word != "crate" && !(at_root && word == "super") {
            continue;
        }
        let line = before.matches('\n').count() + 1;
        let name = |text: &str| {
            let text = text.trim_start();
            text[..text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())].to_owned()
        };
        if let Some(group) = after.strip_prefix('{') {
            let (mut depth, mut start) = (0, 0);
            for (place, c) in group.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => {
                        found.push((line, name(&group[start..place])));
                        break;
                    }
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        found.push((line, name(&group[start..place])));
                        start = place + 1;
                    }
                    _ => {}
                }
            }
        } else {
            found.push((line, name(after)));
        }
    }
    found.retain(|(_, name)| name.starts_with(|c: char| c.is_ascii_lowercase()));
    found
}

/// What a file names and must not.
pub(crate) fn wrong(source: &Source) -> Vec<String> {
    let Some(from) = room(&source.path) else { return Vec::new() };
    if floor(from).is_none() && !LEAVES.contains(&from) {
        return vec![format!(
            "{}: the room {from} stands on no floor: give it one in tests/tidy/floors.rs",
            source.path
        )];
    }
    let named = named(source).into_iter().filter(|(_, to)| !may(from, to));
    let mut wrong: Vec<String> = named.map(|(line, to)| format!("{}:{line}: {from} names {to}", source.path)).collect();
    // what is read with `include!` would be in a room without a name
    wrong.extend(source.lines(&source.bare, |line| has_word(line, "include!")));
    wrong
}

#[test]
fn a_wrong_name_is_found() {
    let found = |path: &str, text: &str| wrong(&Source::new(path, text)).len();
    assert_eq!(found("src/access.rs", "use crate::engine::Engine;"), 1);
    assert_eq!(found("src/access/decide.rs", "use crate::audit;"), 1, "beside each other");
    assert_eq!(found("src/store.rs", "use super::engine::X;"), 1);
    assert_eq!(found("src/engine/serve/x.rs", "use super::chat::X;"), 0, "a module of its own");
    assert_eq!(found("src/engine.rs", "fn f() { crate::chat::post() }"), 1);
    assert_eq!(found("src/engine.rs", "use crate::{access, store::{Store, Change}, cli};"), 1);
    assert_eq!(found("src/engine.rs", "// crate::chat\nlet a = \"crate::chat\";"), 0);
    assert_eq!(found("src/engine.rs", "use crate::access::Subject; use crate::limits; use crate::render;"), 0);
    assert_eq!(found("src/render.rs", "use crate::engine::Engine;"), 1);
    assert_eq!(found("src/chat/irc.rs", "use crate::config::Config;"), 1);
    assert_eq!(found("src/cellar.rs", ""), 1, "no floor");
}
