//! What a person sees when a line is refused: the whole text, for poor messages are failures too.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use pipit_grammar::parse;

/// Blocks between empty lines: a line as a JSON text, and below it what is shown for it.
const SHOWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/messages.txt");

fn cases() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(SHOWN).unwrap();
    let halves = |block: &str| block.split_once('\n').map(|(line, shown)| (line.to_owned(), shown.to_owned()));
    text.trim_end().split("\n\n").map(|block| halves(block).unwrap_or((block.to_owned(), String::new()))).collect()
}

fn show(json: &str) -> String {
    let line: String = serde_json::from_str(json).unwrap();
    parse(&line).map_or_else(|error| error.show(&line), |tree| format!("read as {tree}"))
}

/// `BLESS=1` writes what is shown into the file, to be read before it is kept.
#[test]
fn a_refused_line_shows_what_where_and_what_now() {
    if std::env::var_os("BLESS").is_some() {
        let blocks: Vec<String> = cases().iter().map(|(line, _)| format!("{line}\n{}\n", show(line))).collect();
        std::fs::write(SHOWN, blocks.join("\n")).unwrap();
    }
    let wrong: Vec<String> = cases()
        .iter()
        .filter(|(line, expected)| show(line) != *expected)
        .map(|(line, expected)| format!("{line} shows\n{}\nexpected\n{expected}\n", show(line)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_short_and_helpful();
}

#[test]
fn of_a_long_line_the_part_around_the_place_is_shown() {
    let long = format!("echo {} $(x {}", "a".repeat(100), "b".repeat(100));
    let expected = format!(
        "error: $( is never closed\n  …{} $(x {}…\n  {}^^\n  close it with )",
        "a".repeat(35),
        "b".repeat(32),
        " ".repeat(37)
    );
    assert_eq!(parse(&long).unwrap_err().show(&long), expected);
}

#[test]
fn carets_stand_under_wide_characters() {
    let line = "echo 日本語 '👩\u{200d}👧' $x[é]";
    let shown = parse(line).unwrap_err().show(line);
    assert!(shown.contains(&format!("\n{}^^^\n", " ".repeat(21))), "{shown}");
}

#[test]
fn limits_say_their_number() {
    let cases = [
        (format!("a {}", "é".repeat(9_000)), "a line holds at most 16384 bytes; this one has 18002"),
        (format!("a {}", "$(b)".repeat(65)), "a line holds at most 64 substitutions"),
        ("a { ".repeat(17), "blocks and substitutions stand in each other at most 16 deep"),
        (vec!["a"; 65].join(" && "), "a line holds at most 64 stages"),
    ];
    for (line, message) in cases {
        assert_eq!(parse(&line).unwrap_err().message, message);
    }
}

/// House style: no full stop, no more than a chat line, and every error knows a next step.
fn assert_short_and_helpful() {
    for (line, _) in cases() {
        let line: String = serde_json::from_str(&line).unwrap();
        let error = parse(&line).unwrap_err();
        let help = error.help.as_deref().unwrap_or_default();
        assert!(!help.is_empty() || error.message == "no list is so long", "{line:?}: {error}");
        for text in [error.message.as_str(), help] {
            assert!(!text.ends_with('.') && text.len() <= 200, "{line:?}: {text}");
        }
    }
}
