//! What was typed behind `pipit VERB` as words of a line: it means there what it meant to the caller's own shell, and nothing in
//! it is a reference, a substitution or an operator.

/// A word of a line that is this text, and is an option only where the text is one.
pub(super) fn quoted(text: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "-_=./:@+,".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    // an option keeps its name outside the quotes, so that it stays one
    if let Some((name, value)) = text.split_once('=').filter(|(name, _)| name.starts_with("--")) {
        return format!("{name}={}", quoted(value));
    }
    let inside: String = text
        .chars()
        .map(|letter| match letter {
            '"' | '\\' | '$' => format!("\\{letter}"),
            '%' => "\\u{25}".to_owned(),
            '`' => "\\u{60}".to_owned(),
            letter if letter.is_control() => format!("\\u{{{:x}}}", u32::from(letter)),
            letter => letter.to_string(),
        })
        .collect();
    format!("\"{inside}\"")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test")]

    use super::quoted;

    #[test]
    fn a_word_stays_one() {
        for (text, wanted) in [
            ("./bundles/aws", "./bundles/aws"),
            ("--ref=v1.2.0", "--ref=v1.2.0"),
            ("--unsigned=it is ours", "--unsigned=\"it is ours\""),
            ("a $b `c` %s \"d\"", "\"a \\$b \\u{60}c\\u{60} \\u{25}s \\\"d\\\"\""),
            ("", "\"\""),
            ("|", "\"|\""),
        ] {
            assert_eq!(quoted(text), wanted);
            let line = format!("echo {}", quoted(text));
            assert_eq!(pipit_grammar::parse(&line).unwrap().to_string().matches(" | ").count(), 0, "{line}");
        }
    }
}
