//! A session as it is written: who said what, and what was answered.
//!
//! ```text
//! # a remark
//! operator:        !permission create site:shout
//! pipit:   the permission site:shout is there
//! alice in #ops:   !list 3 1 2 | sort | head 2
//! pipit:   1
//!          2
//! audit:   alice allowed list:list by `allow`
//! ```
//!
//! A line of somebody's has `!` before it; where the room is left out it is a direct message. An answer begins in the
//! tenth column, and has to be there to the letter; `…` stands for any text. `audit:` says all that was judged of the
//! line before, in any order, and `input:`, right under it, what flows into it, as by `pipit run --stdin`. In a page of Markdown the sessions are the blocks that are marked `pipit-session`.
//!
//! Deliberately absent: playing it.

/// Where an answer begins.
const COLUMN: usize = 9;
/// What opens a session in a page.
const FENCE: &str = "```pipit-session\n";

/// One line of somebody's, and what is said to come of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Turn {
    /// What stands before it: remarks and blank lines.
    pub(super) before: String,
    /// The line of the file that it stands in, from 1.
    pub(super) number: usize,
    /// The line as it is written, with its speaker.
    pub(super) said: String,
    /// The speaker.
    pub(super) who: String,
    /// The room with its `#`; none for a direct message.
    pub(super) room: Option<String>,
    /// What is said, without `!`.
    pub(super) line: String,
    /// What flows into the line, as by `pipit run --stdin`, if that is written.
    pub(super) input: Option<Vec<String>>,
    /// What is answered, if that is written.
    pub(super) answer: Option<Vec<String>>,
    /// What is judged, if that is written.
    pub(super) audit: Option<Vec<String>>,
}

/// A piece of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Text around sessions, as it is.
    Text(String),
    /// Turns, and what stands behind the last.
    Session(Vec<Turn>, String),
}

/// What is wrong with how a session is written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// The line of the file, from 1.
    pub(super) number: usize,
    /// Why, and the line.
    pub(super) why: String,
}

/// The pieces of a file. A page is one session that goes on from block to block.
pub(super) fn read(text: &str, page: bool) -> Result<Vec<Piece>, Wrong> {
    if !page {
        let (turns, rest) = turns(text, 0)?;
        return Ok(vec![Piece::Session(turns, rest)]);
    }
    let mut pieces = Vec::new();
    let mut above = 0;
    let mut left = text;
    while let Some((before, after)) = left.split_once(FENCE) {
        above += before.matches('\n').count() + 1;
        pieces.push(Piece::Text(format!("{before}{FENCE}")));
        let inside = after.find("```").map_or(after, |end| &after[..end]);
        let (turns, rest) = turns(inside, above)?;
        pieces.push(Piece::Session(turns, rest));
        above += inside.matches('\n').count();
        left = &after[inside.len()..];
    }
    pieces.push(Piece::Text(left.to_owned()));
    Ok(pieces)
}

/// The turns of a session, and what stands behind the last. `above` lines of the file stand before it.
fn turns(text: &str, above: usize) -> Result<(Vec<Turn>, String), Wrong> {
    let mut turns: Vec<Turn> = Vec::new();
    let mut before = String::new();
    // blank lines of an answer are only known to be its own when it goes on
    let mut into: Option<&str> = None;
    for (number, line) in text.lines().enumerate() {
        let number = above + number + 1;
        let wrong = |why: &str| Err(Wrong { number, why: format!("{why}: {line}") });
        if line.trim().is_empty() || (line.starts_with('#') && !line.starts_with("#!")) {
            before.push_str(line);
            before.push('\n');
            continue;
        }
        if line.starts_with(' ') {
            let Some(turn) = turns.last_mut() else { return wrong("nobody has spoken yet") };
            let lines = match into {
                Some("pipit") => turn.answer.as_mut(),
                Some("input") => turn.input.as_mut(),
                Some("audit") => turn.audit.as_mut(),
                _ => None,
            };
            let Some(lines) = lines else { return wrong("an answer begins with pipit:") };
            if before.contains('#') {
                return wrong("a remark stands inside an answer");
            }
            lines.extend(before.lines().map(|_| String::new()));
            before.clear();
            match line.get(COLUMN..) {
                Some(rest) if line[..COLUMN].trim().is_empty() => lines.push(rest.to_owned()),
                _ => return wrong("an answer begins in the tenth column"),
            }
            continue;
        }
        let Some((label, rest)) = line.split_once(':') else { return wrong("who says this?") };
        match label {
            "pipit" | "audit" | "input" => {
                let Some(turn) = turns.last_mut() else { return wrong("nobody has spoken yet") };
                if !before.is_empty() {
                    return wrong("an answer stands right under its line");
                }
                let lines = match line.get(COLUMN..) {
                    Some(said) if line[label.len() + 1..COLUMN].trim().is_empty() => vec![said.to_owned()],
                    _ if rest.trim().is_empty() => Vec::new(),
                    _ => return wrong("an answer begins in the tenth column"),
                };
                let (place, label) = match label {
                    "pipit" => (&mut turn.answer, "pipit"),
                    "audit" => (&mut turn.audit, "audit"),
                    _ if turn.answer.is_some() || turn.audit.is_some() => {
                        return wrong("the input stands before the answer");
                    }
                    _ => (&mut turn.input, "input"),
                };
                *place = Some(lines);
                into = Some(label);
            }
            _ => {
                let (who, room) = match label.split_once(" in ") {
                    Some((who, room)) if room.starts_with('#') => (who, Some(room.trim().to_owned())),
                    Some(_) => return wrong("a room begins with #"),
                    None => (label, None),
                };
                let named = who.starts_with(|c: char| c.is_ascii_lowercase()) && !who.contains(char::is_whitespace);
                let Some(typed) = rest.trim_start().strip_prefix('!').filter(|_| named) else {
                    return wrong("a line is written NAME: !LINE");
                };
                turns.push(Turn {
                    before: std::mem::take(&mut before),
                    number,
                    said: line.to_owned(),
                    who: who.to_owned(),
                    room,
                    line: typed.to_owned(),
                    input: None,
                    answer: None,
                    audit: None,
                });
                into = None;
            }
        }
    }
    Ok((turns, before))
}

/// Lines under a label, in the column where answers stand. An answer without text is a lone label.
pub(super) fn block(label: &str, lines: &[String]) -> String {
    let labels = std::iter::once(label).chain(std::iter::repeat(""));
    let text: Vec<String> =
        labels.zip(lines).map(|(label, line)| format!("{label:COLUMN$}{line}").trim_end().to_owned() + "\n").collect();
    if text.is_empty() { format!("{label}\n") } else { text.concat() }
}

/// Whether lines are as they are wanted.
pub(super) fn alike(wanted: &[String], got: &[String]) -> bool {
    wanted.len() == got.len() && wanted.iter().zip(got).all(|(wanted, got)| fits(wanted, got))
}

/// Whether a text is as it is wanted; `…` stands for any text, so that what differs each time need not be there.
pub(super) fn fits(wanted: &str, got: &str) -> bool {
    let mut pieces = wanted.split('…');
    let Some(mut left) = pieces.next().and_then(|head| got.strip_prefix(head)) else { return false };
    let Some(tail) = wanted.contains('…').then(|| pieces.next_back()).flatten() else { return left.is_empty() };
    // between two of them the first place that fits is as good as any
    for piece in pieces {
        let Some(at) = left.find(piece) else { return false };
        left = &left[at + piece.len()..];
    }
    left.ends_with(tail)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test")]

    use super::{Piece, block, fits, read, turns};

    #[test]
    fn sessions_are_read_as_they_are_written() {
        let text = "# a remark\n\nalice in #ops:   !list 3 1 | sort\npipit:   1\n         3\n\n           ^\naudit:   x\n\nbob: !!\ninput:   a\n         b\npipit:\n\n# end\n";
        let (turns, rest) = turns(text, 0).unwrap();
        assert_eq!(rest, "\n# end\n");
        assert_eq!(turns[0].before, "# a remark\n\n");
        assert_eq!((turns[0].number, turns[1].number), (3, 10));
        assert_eq!((turns[0].who.as_str(), turns[0].room.as_deref()), ("alice", Some("#ops")));
        assert_eq!(turns[0].line, "list 3 1 | sort");
        assert_eq!(turns[0].answer.as_deref(), Some(&["1".to_owned(), "3".into(), String::new(), "  ^".into()][..]));
        assert_eq!(turns[0].audit.as_deref(), Some(&["x".to_owned()][..]));
        assert_eq!((turns[1].line.as_str(), turns[1].answer.as_deref()), ("!", Some(&[][..])));
        assert_eq!((turns[0].input.is_none(), turns[1].input.as_ref().unwrap().len()), (true, 2));
        assert_eq!(block("pipit:", turns[0].answer.as_ref().unwrap()), "pipit:   1\n         3\n\n           ^\n");
        assert_eq!(block("pipit:", &[]), "pipit:\n");
    }

    #[test]
    fn what_is_no_session_is_said_with_its_line() {
        let wrong = ["pipit:   1\n", "alice:   list 1\n", "alice: !x\npipit: 1\n", "Alice!: !x\n", "a: !x\n    1\n"];
        for (text, line) in wrong.into_iter().zip([1, 1, 2, 1, 2]) {
            assert_eq!(read(text, false).unwrap_err().number, line, "{text}");
        }
        let page = "# page\n\n```pipit-session\na:       !x\n```\ntext\n```pipit-session\nwhat\n```\n";
        assert_eq!(read(page, true).unwrap_err().number, 8);
    }

    #[test]
    fn a_page_is_its_text_and_its_sessions() {
        let pieces = read("above\n```pipit-session\na:       !x\n```\nbelow\n", true).unwrap();
        let [Piece::Text(above), Piece::Session(turns, _), Piece::Text(below)] = pieces.as_slice() else {
            panic!("{pieces:?}");
        };
        assert_eq!((above.as_str(), below.as_str()), ("above\n```pipit-session\n", "```\nbelow\n"));
        assert_eq!(turns[0].number, 3);
    }

    #[test]
    fn an_ellipsis_stands_for_any_text() {
        for (wanted, got) in [("at … by …", "at 9 by alice"), ("…", ""), ("a…b…c", "abbc"), ("a…a", "aa"), ("x", "x")]
        {
            assert!(fits(wanted, got), "{wanted} {got}");
        }
        for (wanted, got) in [("at … by bob", "at 9 by alice"), ("a…a", "a"), ("a…b…c", "acb"), ("x", "xy"), ("", "x")]
        {
            assert!(!fits(wanted, got), "{wanted} {got}");
        }
    }
}
