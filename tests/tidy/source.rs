//! A Rust file taken apart far enough to ask it things: its code without comments, its code without texts too, and
//! without what only tests have.

/// A file.
pub(crate) struct Source {
    /// Relative to the root of the project.
    pub(crate) path: String,
    /// As it is.
    pub(crate) text: String,
    /// Line by line without comments, and without what follows `#[cfg(test)]`.
    pub(crate) code: String,
    /// The same without what stands in texts.
    pub(crate) bare: String,
}

impl Source {
    /// Takes a file apart.
    pub(crate) fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let (path, text) = (path.into(), text.into());
        let (code, bare) = strip(&text);
        let shipped = bare.find("#[cfg(test)]\nmod ").unwrap_or(bare.len());
        let lines = bare.get(..shipped).unwrap_or(&bare).lines().count();
        let first = |text: &str| text.lines().take(lines).collect::<Vec<_>>().join("\n");
        let (code, bare) = (first(&code), first(&bare));
        Self { path, text, code, bare }
    }

    /// Whether it is no part of the product.
    pub(crate) fn is_test(&self) -> bool {
        let path = &self.path;
        let outside = ["tests/", "benches/", "fuzz/"].iter().any(|folder| path.starts_with(folder));
        outside || path.contains("/tests/") || path.ends_with("/tests.rs")
    }

    /// The modules it declares.
    pub(crate) fn modules(&self) -> Vec<String> {
        let lines = self.bare.lines().filter_map(|line| {
            let line = line.trim().trim_start_matches("pub(crate) ").trim_start_matches("pub ");
            let rest = line.strip_prefix("mod ")?;
            Some(rest.split([';', ' ', '{']).next().unwrap_or_default().to_owned())
        });
        lines.collect()
    }

    /// Where a word stands by itself in a text of this file, letters alike in either case: `path:line: the line`.
    pub(crate) fn lines_with_word(&self, text: &str, word: &str) -> Vec<String> {
        self.lines(text, |line| has_word(&line.to_lowercase(), word))
    }

    /// The lines of a text of this file for which a test holds: `path:line: the line`.
    pub(crate) fn lines(&self, text: &str, holds: impl Fn(&str) -> bool) -> Vec<String> {
        let lines = text.lines().enumerate().filter(|(_, line)| holds(line));
        lines.map(|(at, line)| format!("{}:{}: {}", self.path, at + 1, line.trim())).collect()
    }
}

/// Whether a word stands in a line with no letter, digit or `_` beside it.
pub(crate) fn has_word(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].chars().next_back().is_some_and(part) && !line[at + word.len()..].chars().next().is_some_and(part)
    })
}

/// The text without comments, and without comments and the insides of texts. Lines keep their numbers.
fn strip(text: &str) -> (String, String) {
    let (mut code, mut bare) = (String::new(), String::new());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let (length, kind) = token(rest, next);
        let (taken, left) = rest.split_at(length);
        let lines = "\n".repeat(taken.matches('\n').count());
        match kind {
            Kind::Code => {
                code.push_str(taken);
                bare.push_str(taken);
            }
            Kind::Comment => {
                code.push_str(&lines);
                bare.push_str(&lines);
            }
            Kind::Text => {
                code.push_str(taken);
                bare.push_str(&lines);
                bare.push_str("\"\"");
            }
        }
        rest = left;
    }
    (code, bare)
}

enum Kind {
    Code,
    Comment,
    Text,
}

/// How long the next piece is, and what.
fn token(rest: &str, next: char) -> (usize, Kind) {
    if rest.starts_with("//") {
        return (rest.find('\n').unwrap_or(rest.len()), Kind::Comment);
    }
    if rest.starts_with("/*") {
        return (rest.find("*/").map_or(rest.len(), |at| at + 2), Kind::Comment);
    }
    if next == '"' {
        return (closed(rest, 1), Kind::Text);
    }
    for prefix in ["r", "br"] {
        if let Some(after) = rest.strip_prefix(prefix) {
            let hashes = after.len() - after.trim_start_matches('#').len();
            if after[hashes..].starts_with('"') {
                let end = format!("\"{}", "#".repeat(hashes));
                let inside = prefix.len() + hashes + 1;
                return (rest[inside..].find(&end).map_or(rest.len(), |at| inside + at + end.len()), Kind::Text);
            }
        }
    }
    if next == '\'' {
        // a letter in quotes, or a lifetime
        let mut letters = rest.chars().skip(1);
        let (first, second) = (letters.next(), letters.next());
        if first == Some('\\') || second == Some('\'') {
            let from = 1 + first.map_or(0, char::len_utf8) + usize::from(first == Some('\\'));
            return (rest.get(from..).and_then(|rest| rest.find('\'')).map_or(1, |at| from + at + 1), Kind::Text);
        }
    }
    if next.is_alphanumeric() || next == '_' {
        let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        return (word, Kind::Code);
    }
    (next.len_utf8(), Kind::Code)
}

/// The length of a text in double quotes, from its opening on.
fn closed(rest: &str, from: usize) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(from) {
        match c {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    rest.len()
}

#[test]
fn comments_texts_and_tests_are_told_apart() {
    let text = "//! a.unwrap()\nlet a = \"b // \\\" c\"; // d\nlet e = 'f'; let g: &'h str = r#\"i \"j\"#;\n/* k\n*/ l\n\
        let q = ['\"', '\\'', '\\n'];\n#[cfg(test)]\nmod tests { m.unwrap() }\n";
    let source = Source::new("src/x.rs", text);
    assert_eq!(
        source.code.lines().map(str::trim_end).collect::<Vec<_>>(),
        [
            "",
            "let a = \"b // \\\" c\";",
            "let e = 'f'; let g: &'h str = r#\"i \"j\"#;",
            "",
            " l",
            "let q = ['\"', '\\'', '\\n'];"
        ]
    );
    assert_eq!(source.bare.lines().nth(1).map(str::trim_end), Some("let a = \"\";"));
    assert_eq!(source.bare.lines().nth(2), Some("let e = \"\"; let g: &'h str = \"\";"));
    assert_eq!(source.bare.lines().nth(5), Some("let q = [\"\", \"\", \"\"];"));
    assert!(
        !source.is_test() && Source::new("src/a/tests.rs", "").is_test() && Source::new("a/tests/b.rs", "").is_test()
    );
    assert!(has_word("an irc://x", "irc") && !has_word("circle", "irc") && !has_word("irc_x", "irc"));
    assert_eq!(Source::new("x.rs", "mod a;\npub(crate) mod b { }\n").modules(), ["a", "b"]);
}
