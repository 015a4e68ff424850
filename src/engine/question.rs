//! A word that a line lacks, asked of whoever typed the line. What is said in answer completes the line, which then is a
//! request like any other: judged, run and written down in full.
//!
//! Deliberately absent: who is asked where, and for how long; that is the place's.

use ecow::EcoString;
use pipit_commands::{Error, ErrorKind, Wanted};

/// A line that lacks a word.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    line: EcoString,
    /// Where the word goes, in bytes of the line.
    at: usize,
    wanted: Wanted,
}

impl Question {
    /// The question that would help, if the line went wrong for the lack of a word and it is clear where that goes.
    /// `others` says that others read along: then nobody is asked for what is secret.
    pub(crate) fn of(error: &Error, line: &str, others: bool) -> Option<Self> {
        // what is missing once the line runs came out of the run
        let refused = error.kind() == ErrorKind::Refused;
        let wanted = error.wanted().filter(|wanted| refused && !(others && wanted.secret))?;
        let at = error.span()?.end as usize;
        let (before, after) = line.split_at_checked(at)?;
        let ends = ["|", "&&", "||", ">", "*>", "}", ")", "`"];
        let next = after.split_whitespace().next();
        // behind the words of `xargs` are more words, and the missing one may not be the last
        let clear = next.is_none_or(|next| ends.iter().any(|end| next.starts_with(end)));
        (clear && !before.ends_with('\\')).then(|| Self { line: line.into(), at, wanted: wanted.clone() })
    }

    /// What is asked.
    pub(crate) fn text(&self) -> String {
        let Wanted { command, name, one_of, many, .. } = &self.wanted;
        let several = if *many { " (one or several)" } else { "" };
        match one_of.as_slice() {
            [] => format!("which {name}{several} for {command}?"),
            texts => format!("which {name}{several} for {command}: {}?", texts.join(", ")),
        }
    }

    /// What is asked, in a word.
    pub(crate) fn name(&self) -> &EcoString {
        &self.wanted.name
    }

    /// The line with what was said. It is one word, or several where several are taken, and never more than words: what
    /// would be an operator, an option or a reference is quoted.
    pub(crate) fn completed(&self, said: &str) -> EcoString {
        let words: Vec<String> =
            if self.wanted.many { said.split_whitespace().map(word).collect() } else { vec![word(said.trim())] };
        let (before, after) = self.line.split_at_checked(self.at).unwrap_or((&self.line, ""));
        let option = self.wanted.option.as_ref().map(|option| format!("{option} ")).unwrap_or_default();
        format!("{before} {option}{}{after}", words.join(" ")).into()
    }
}

/// A text as a word of a line: bare where that says the same, so that a number stays one, else in quotes.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_./:@+,-".contains(c);
    let bare = text.starts_with(|c: char| c.is_alphanumeric()) || text.parse::<f64>().is_ok_and(f64::is_finite);
    if bare && text.chars().all(plain) {
        return text.to_owned();
    }
    if text.contains('\'') {
        let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$").replace("%s", "\\u{25}s");
        return format!("\"{escaped}\"");
    }
    format!("'{text}'")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test")]

    use pipit_commands::{Error, Wanted};
    use pipit_grammar::Span;

    use super::Question;

    fn question(line: &str, end: usize, many: bool, option: Option<&str>) -> Option<Question> {
        let wanted = Wanted {
            command: "sleep".into(),
            name: "TIME".into(),
            option: option.map(Into::into),
            many,
            secret: false,
            one_of: Vec::new(),
        };
        let span = Span::new(0, end);
        Question::of(&Error::refused("x").at(span).wants(wanted), line, true)
    }

    #[test]
    fn what_is_said_is_a_word_and_nothing_else() {
        for (said, line) in [
            ("5s", "sleep 5s | count"),
            ("-5", "sleep -5 | count"),
            ("two words", "sleep 'two words' | count"),
            ("--help", "sleep '--help' | count"),
            ("| echo x", "sleep '| echo x' | count"),
            ("$(echo x)", "sleep '$(echo x)' | count"),
            ("it's `x`", "sleep \"it's `x`\" | count"),
            ("it's $x \\ \"y\" %s", "sleep \"it's \\$x \\\\ \\\"y\\\" \\u{25}s\" | count"),
            ("%s", "sleep '%s' | count"),
            ("a%s", "sleep 'a%s' | count"),
        ] {
            let completed = question("sleep | count", 5, false, None).unwrap().completed(said);
            assert_eq!(completed, line);
            let parsed = pipit_grammar::parse(&completed).unwrap();
            assert_eq!(parsed.first.stages.len(), 2, "{completed}");
            let items = &parsed.first.stages[0].items;
            let pipit_grammar::ast::Item::Word(word) = &items[0] else { panic!("{completed}") };
            assert_eq!((items.len(), word.literal().as_deref()), (1, Some(said)), "{completed}");
        }
        let several = question("list", 4, true, None).unwrap();
        assert_eq!(several.completed(" a  b|c 'd "), "list a 'b|c' \"'d\"");
        let option = question("deploy x", 8, false, Some("--env")).unwrap();
        assert_eq!(option.completed("prod"), "deploy x --env prod");
    }

    #[test]
    fn nobody_is_asked_where_it_is_not_clear() {
        assert!(question("xargs replace a", 13, false, None).is_none());
        assert!(question("each { sleep }", 12, false, None).is_some());
        let secret = Wanted {
            command: "claim".into(),
            name: "CODE".into(),
            option: None,
            many: false,
            secret: true,
            one_of: Vec::new(),
        };
        let error = Error::refused("x").at(Span::new(0, 5)).wants(secret);
        assert!(Question::of(&error, "claim", true).is_none());
        assert!(Question::of(&error, "claim", false).is_some());
    }
}
