//! Commands in the midst of talk: `` lunch? `weather seattle` ``, in rooms where that is on.
//!
//! Deliberately absent: everything that is not the speaker's own words now. What is quoted, what is shown as code (a fenced
//! block, two backticks, an indented line) and what was forwarded runs nothing; an adapter whose service says that a message
//! was forwarded does not hand it on.

use ecow::EcoString;

use super::{Message, Stands};
use crate::limits;

/// What a message asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked<'a> {
    /// The message is a line.
    Line(&'a str),
    /// Lines stand in talk.
    Embedded { first: &'a str, then: Vec<&'a str> },
    /// More lines stand in talk than run; how many.
    TooMany(usize),
    /// It answers a question about a line, which is whole now.
    Completed(EcoString),
    /// It takes a question back.
    Cancelled,
    /// It answers a program that runs.
    Answered(&'a str),
}

impl Asked<'_> {
    /// Whether the message says more than the lines that it asks for.
    pub(super) fn is_in_talk(&self) -> bool {
        match self {
            Self::Embedded { .. } | Self::TooMany(_) => true,
            Self::Line(_) | Self::Completed(_) | Self::Cancelled | Self::Answered(_) => false,
        }
    }
}

/// The lines that stand in a text between single backticks; `None` when there are none.
pub(super) fn lines(text: &str) -> Option<Asked<'_>> {
    if text.contains("```") {
        return None;
    }
    let mut found = text.split(['\n', '\r']).filter(|line| !is_foreign(line)).flat_map(spans);
    let first = found.next()?;
    let then: Vec<&str> = found.collect();
    if then.len() >= limits::EMBEDDED {
        return Some(Asked::TooMany(then.len() + 1));
    }
    Some(Asked::Embedded { first, then })
}

/// Whether a line is code or somebody else's words: `> so`, `<bob> so`, `[12:30] <bob> so`.
fn is_foreign(line: &str) -> bool {
    let said = line.trim_start();
    let behind_time = match said.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((time, rest)) if time.starts_with(|c: char| c.is_ascii_digit()) => rest.trim_start(),
        Some(_) | None => said,
    };
    let speaker = behind_time.strip_prefix('<').and_then(|rest| rest.split_once('>'));
    said.starts_with('>')
        || speaker.is_some_and(|(name, _)| !name.is_empty() && !name.contains(char::is_whitespace))
        || line.starts_with("    ")
        || line.starts_with('\t')
}

/// What stands between single backticks. Two and more open something that only as many close, and that is code.
fn spans(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        loop {
            let open = rest.find('`')?;
            let ticks = rest[open..].len() - rest[open..].trim_start_matches('`').len();
            let inside = &rest[open + ticks..];
            let Some(close) = closing(inside, ticks) else {
                rest = inside;
                continue;
            };
            rest = &inside[close + ticks..];
            let said = inside[..close].trim();
            if ticks == 1 && said.chars().any(char::is_alphanumeric) {
                return Some(said);
            }
        }
    })
}

/// Where a run of exactly so many backticks begins.
fn closing(text: &str, ticks: usize) -> Option<usize> {
    let mut at = 0;
    loop {
        let start = at + text[at..].find('`')?;
        let run = text[start..].len() - text[start..].trim_start_matches('`').len();
        if run == ticks {
            return Some(start);
        }
        at = start + run;
    }
}

impl Message {
    /// The message as one for each of its lines.
    pub(super) fn apart(mut self) -> (Self, Vec<Self>) {
        let then: Vec<EcoString> = match &mut self.stands {
            Stands::Alone => Vec::new(),
            Stands::InTalk { then } => std::mem::take(then),
        };
        let then = then.into_iter().map(|text| Self { text, ..self.clone() }).collect();
        (self, then)
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, lines};

    fn found(text: &str) -> Vec<&str> {
        match lines(text) {
            Some(Asked::Embedded { first, then }) => std::iter::once(first).chain(then).collect(),
            Some(Asked::Line(_) | Asked::TooMany(_) | Asked::Completed(_) | Asked::Cancelled | Asked::Answered(_))
            | None => Vec::new(),
        }
    }

    #[test]
    fn single_backticks_run() {
        for (text, runs) in [
            ("lunch? `weather seattle`", &["weather seattle"][..]),
            ("`echo a` and ` echo b `", &["echo a", "echo b"]),
            ("first `echo a`\nthen `echo b`", &["echo a", "echo b"]),
            ("it's `5 o'clock`", &["5 o'clock"]),
            ("`echo $(list a | count)`", &["echo $(list a | count)"]),
            ("``not this`` but `echo c`", &["echo c"]),
            ("3 > 2, `echo d`", &["echo d"]),
        ] {
            assert_eq!(found(text), runs, "{text:?}");
        }
    }

    #[test]
    fn what_is_quoted_or_code_runs_nothing() {
        for text in [
            "no ticks at all",
            "a lone ` tick",
            "`` ` ``",
            "`` echo `a` ``",
            "``echo a``",
            "```echo a```",
            "```\necho a\n```\n`echo b`",
            "> `echo a`",
            "  > `echo a`",
            "<bob> `echo a`",
            "[12:30] <bob> `echo a`",
            "    `echo a`",
            "\t`echo a`",
            "`...`",
            "` `",
            "`echo a\necho b`",
        ] {
            assert_eq!(lines(text), None, "{text:?}");
        }
    }

    #[test]
    fn more_than_run_are_none() {
        assert_eq!(lines("`a` `b` `c` `d` `e` `f`"), Some(Asked::TooMany(6)));
        assert_eq!(found("`a` `b` `c` `d` `e`").len(), 5);
    }
}
