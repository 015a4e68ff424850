//! What holds for every line: no panic, a canonical line that parses to the same tree, spans inside the text, time in
//! proportion to the length.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

#[path = "trees/fixed_point.rs"]
mod trees;

use std::time::{Duration, Instant};

use pipit_grammar::{Span, limits, parse, parse_alias, parse_path};
use proptest::prelude::*;

/// What a line is made of, so that random lines meet every rule and every border between two.
const PIECES: &[&str] = &[
    " ",
    " ",
    " ",
    " ",
    " ",
    "a",
    "b",
    "echo",
    "each",
    "x=",
    "=",
    "'",
    "'",
    "\"",
    "\"",
    "`",
    "`",
    "$(",
    "$(",
    ")",
    ")",
    "(",
    "{",
    "}",
    " { ",
    " } ",
    " | ",
    " && ",
    " || ",
    " > ",
    " *> ",
    "|",
    ">",
    "&",
    "*",
    "$",
    "$x",
    "$x.y",
    "$_",
    "${x}",
    "${",
    "}",
    "$x['k v']",
    "$x[0]",
    "[",
    "]",
    ".",
    "-",
    "--",
    "-x",
    "--m=",
    " -- ",
    "%s",
    "%",
    "\\",
    "\\ ",
    "\\n",
    "\\u{e9}",
    "\\u{25}s",
    "\\\"",
    "\\$",
    "$1",
    "$*",
    "5",
    "_",
    ":",
    "é",
    "日本",
    "👩\u{200d}👧",
    "“",
    "”",
    "„",
    "‘",
    "’",
    "‚",
    "—",
    "–",
    "\u{a0}",
    "\u{200b}",
    "\n",
    "\t",
    "#ops",
    "here",
    "me",
    "irc://x",
    "it's",
];

fn soup() -> impl Strategy<Value = String> {
    let pieces = proptest::collection::vec(proptest::sample::select(PIECES), 0..40);
    (prop::bool::weighted(0.9), pieces)
        .prop_map(|(named, pieces)| format!("{}{}", if named { "echo " } else { "" }, pieces.concat()))
}

/// A line that is likely to be read: whole words and whole nests.
fn word() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[a-z(){}|&<>*#@:,.!?\\[\\]-]{1,6}",
        "[a-z]{0,2}=?'[^'\\p{Cc}]{0,6}'",
        "[a-z]{0,2}=?\"([a-z '`()%|>“”]|\\\\[\"\\\\$nt]|\\$[a-z][a-z0-9-]{0,3}|%s){0,6}\"",
        "\\$(_|[a-z_][a-z0-9_-]{0,3})(\\.[a-z]{1,2}|\\[-?[0-9]\\]|\\['[^'\\p{Cc}]{0,4}'\\]){0,3}[a-z.,-]{0,2}",
        "(a|x=|\\$x|\\\\.|“[a-z ]{0,3}”|„|é|%s|''|\"\"|\"b\"){1,5}",
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let stage = proptest::collection::vec(inner, 0..4).prop_map(|words| format!("cmd {}", words.join(" ")));
        let line = proptest::collection::vec(stage, 1..3).prop_flat_map(|stages| {
            prop::sample::select(vec![" | ", " && ", " || "]).prop_map(move |by| stages.join(by))
        });
        (line, 0..4_usize, "[a-z=]{0,2}").prop_map(|(line, kind, glued)| match kind {
            0 => format!("{glued}$({line})"),
            1 => format!("\"{glued}$({line})\""),
            2 => format!("{{ {line} }}"),
            _ => format!("{{ {line} > #ops }}"),
        })
    })
}

fn holds(line: &str) {
    for read in [parse, parse_alias] {
        match read(line) {
            Ok(mut tree) => {
                // a canonical line may be longer than the limit, for it writes some letters as escapes
                if tree.to_string().len() <= limits::LINE_BYTES {
                    trees::assert_fixed_point(read, &tree);
                }
                trees::each_span(&mut tree, &mut |span| inside(line, *span));
            }
            Err(error) => {
                inside(line, error.span);
                let shown = error.show(line);
                // where nothing was said there is nothing to point at
                let points = shown.contains('^') || error.message == "nothing was said";
                assert!(shown.starts_with("error: ") && points, "{shown}");
                assert!(!shown.contains(|letter: char| letter.is_control() && letter != '\n'), "{shown:?}");
            }
        }
    }
}

fn inside(line: &str, span: Span) {
    let (start, end) = (span.start as usize, span.end as usize);
    assert!(start <= end && line.get(start..end).is_some(), "{span:?} of {line:?}");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(debug_assertions) { 4_000 } else { 200_000 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_text(text in any::<String>()) {
        holds(&text);
        holds(&format!("echo {text}"));
    }

    #[test]
    fn any_soup(line in soup()) {
        holds(&line);
    }

    #[test]
    fn any_words(words in proptest::collection::vec(word(), 0..5)) {
        holds(&format!("cmd {}", words.join(" ")));
    }

    #[test]
    fn any_path(text in "[a-z_.\\[\\]'\"\\\\0-9é -]{0,12}") {
        if let Ok(path) = parse_path(&text) {
            prop_assert_eq!(parse_path(&path.to_string()).unwrap(), path);
        }
    }

    #[test]
    fn every_quoted_text_comes_back(text in "\\PC{0,12}[\n\t]{0,2}") {
        let escape = |letter: char| format!("\\u{{{:x}}}", u32::from(letter));
        let escaped = text.chars().map(escape).collect::<Vec<_>>().concat();
        let tree = parse(&format!("echo \"{escaped}\"")).unwrap();
        let again = parse(&tree.to_string()).unwrap();
        let pipit_grammar::ast::Item::Word(word) = &again.first.stages[0].items[0] else { panic!("a word") };
        prop_assert_eq!(word.literal().unwrap(), text);
    }
}

/// Lines that look for their partner, or nest, as often as they can. A reader that looks twice takes, at the full
/// length, far more than its share of what it takes at a quarter.
#[test]
fn time_is_in_proportion_to_length() {
    let lonely = format!("{}$(b “c” )", "$(b “c” “ “ ) ".repeat(60));
    let nested = format!("{}{}", "“$(b ".repeat(16), "”x )".repeat(16));
    let pieces = [
        "'",
        "\"",
        "\"\"",
        "\\ ",
        "“",
        "“a ",
        "‘",
        "„a” ",
        "„ “ ” ‘ ",
        "$",
        "$x",
        "$x.y",
        "%s",
        "%",
        "(",
        ")",
        "{ ",
        "} ",
        "=",
        "='",
        "x='a'",
        "$x['a'] ",
        "é",
        "a",
        " ",
        "| ",
        "a | ",
        "$x[a]",
        "`b`",
        "-",
        "—a ",
        "“'",
        "\\u{e9}",
        "a\\ b=",
        "\"$x\"",
        lonely.as_str(),
        nested.as_str(),
    ];
    for prefix in ["echo ", "echo \"", "echo “", "echo $(b ", "echo { a ", "each { a “$(b “ “", ""] {
        for piece in pieces {
            let line = |bytes: usize| -> String {
                let mut line = format!("{prefix}{}", piece.repeat(bytes / piece.len()));
                line.truncate(line.floor_char_boundary(bytes));
                line
            };
            let (short, long) = (line(limits::LINE_BYTES / 4), line(limits::LINE_BYTES));
            let (short, long) = (fastest(&short), fastest(&long));
            let allowed = short * 12 + Duration::from_millis(2);
            assert!(long < allowed, "{prefix:?} and {piece:?}: {short:?} for a quarter, {long:?} for the whole");
        }
    }
}

fn fastest(line: &str) -> Duration {
    let once = || {
        let start = Instant::now();
        let read = parse(line);
        let took = start.elapsed();
        drop(read);
        took
    };
    (0..5).map(|_| once()).min().unwrap()
}
