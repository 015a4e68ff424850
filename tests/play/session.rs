//! A session: who said what, and what was answered.
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
//! A line of somebody's has `!` before it; where the room is left out it is a direct message. The local operator is
//! `operator`. Everybody else is made a user before they first speak, but for `nobody`. An answer begins in the tenth
//! column, and has to be there to the letter; `…` stands for any text. `audit:` says all that was judged of the line
//! before, in any order. Without either, the line has to go well and its answer is not looked at.

use std::fmt::Write as _;

use super::pipit::Home;

/// Where an answer begins.
const COLUMN: usize = 9;

/// One line of somebody's, and what is said to come of it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Turn {
    /// What stands before it: remarks and blank lines.
    before: String,
    /// The line as it is written, with its speaker.
    said: String,
    who: String,
    room: Option<String>,
    line: String,
    answer: Option<Vec<String>>,
    audit: Option<Vec<String>>,
}

/// What is wrong with a session, and how it would be right.
pub(crate) struct Played {
    pub(crate) wrong: Vec<String>,
    pub(crate) right: String,
    pub(crate) lines: usize,
}

/// Plays a session in a home.
pub(crate) fn play(home: &Home, known: &mut Vec<String>, text: &str) -> Result<Played, String> {
    let (turns, rest) = read(text)?;
    let mut played = Played { wrong: Vec::new(), right: String::new(), lines: turns.len() };
    for turn in turns {
        let user = (turn.who != "operator").then_some(turn.who.as_str());
        if let Some(user) = user
            && user != "nobody"
            && !known.iter().any(|known| known == user)
        {
            // a session may make somebody itself
            home.says(None, None, &format!("user create {user}"));
            known.push(user.to_owned());
        }
        let answer = home.says(user, turn.room.as_deref(), &turn.line);
        let shown: Vec<String> =
            answer.out.lines().chain(answer.err.lines()).map(|line| line.trim_end().to_owned()).collect();
        // one empty line is shown like none
        let shown = if shown.concat().is_empty() { Vec::new() } else { shown };
        let mut wrong = |what: &str, wanted: &[String], got: &[String]| {
            let tell = |lines: &[String]| lines.iter().fold(String::new(), |told, line| told + "\n      " + line);
            played.wrong.push(format!("{}\n    {what}{}\n    but{}", turn.said, tell(wanted), tell(got)));
        };
        if answer.err.contains("panicked") {
            wrong("panics", &[], &shown);
        }
        let _ = writeln!(played.right, "{}{}", turn.before, turn.said);
        match &turn.answer {
            Some(wanted) => {
                let fits = alike(wanted, &shown);
                if !fits {
                    wrong("should be answered", wanted, &shown);
                }
                played.right.push_str(&block("pipit:", if fits { wanted } else { &shown }));
            }
            // set-up: it goes well, and nobody wants to read it
            None if answer.code == Some(0) => {}
            None => {
                wrong("should go well", &[], &shown);
                played.right.push_str(&block("pipit:", &shown));
            }
        }
        if let Some(wanted) = &turn.audit {
            let judged: Vec<String> = home
                .judged()
                .iter()
                .map(|judged| {
                    let done = if judged.allowed { "allowed" } else { "denied" };
                    let rule = if judged.rule.is_empty() { "no rule".into() } else { format!("`{}`", judged.rule) };
                    format!("{} {done} {} by {rule}", turn.who, judged.command)
                })
                .collect();
            let judged = if judged.is_empty() { vec!["nothing was judged".to_owned()] } else { judged };
            // stages that run side by side are judged in any order
            let sorted = |lines: &[String]| {
                let mut lines = lines.to_vec();
                lines.sort();
                lines
            };
            let fits = alike(&sorted(wanted), &sorted(&judged));
            if !fits {
                wrong("should be judged", wanted, &judged);
            }
            played.right.push_str(&block("audit:", if fits { wanted } else { &judged }));
        }
    }
    played.right.push_str(&rest);
    Ok(played)
}

/// Lines under a label, in the column where answers stand. An answer without text is a lone label.
fn block(label: &str, lines: &[String]) -> String {
    let labels = std::iter::once(label).chain(std::iter::repeat(""));
    let text: Vec<String> =
        labels.zip(lines).map(|(label, line)| format!("{label:COLUMN$}{line}").trim_end().to_owned() + "\n").collect();
    if text.is_empty() { format!("{label}\n") } else { text.concat() }
}

fn alike(wanted: &[String], got: &[String]) -> bool {
    wanted.len() == got.len() && wanted.iter().zip(got).all(|(wanted, got)| fits(wanted, got))
}

/// Whether a text is as it is wanted; `…` stands for any text, so that what differs each time need not be there.
fn fits(wanted: &str, got: &str) -> bool {
    let Some((first, rest)) = wanted.split_once('…') else { return wanted == got };
    let Some(after) = got.strip_prefix(first) else { return false };
    (0..=after.len()).filter(|at| after.is_char_boundary(*at)).any(|at| fits(rest, &after[at..]))
}

/// The turns of a session, and what stands behind the last.
fn read(text: &str) -> Result<(Vec<Turn>, String), String> {
    let mut turns: Vec<Turn> = Vec::new();
    let mut before = String::new();
    // blank lines of an answer are only known to be its own when it goes on
    let mut into: Option<&str> = None;
    for (number, line) in text.lines().enumerate() {
        let wrong = |why: &str| Err(format!("line {}: {why}: {line}", number + 1));
        if line.trim().is_empty() || (line.starts_with('#') && !line.starts_with("#!")) {
            before.push_str(line);
            before.push('\n');
            continue;
        }
        if line.starts_with(' ') {
            let Some(turn) = turns.last_mut() else { return wrong("nobody has spoken yet") };
            let lines = match into {
                Some("pipit") => turn.answer.as_mut(),
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
            "pipit" | "audit" => {
                let Some(turn) = turns.last_mut() else { return wrong("nobody has spoken yet") };
                if !before.is_empty() {
                    return wrong("an answer stands right under its line");
                }
                let lines = match line.get(COLUMN..) {
                    Some(said) if line[label.len() + 1..COLUMN].trim().is_empty() => vec![said.to_owned()],
                    _ if rest.trim().is_empty() => Vec::new(),
                    _ => return wrong("an answer begins in the tenth column"),
                };
                *if label == "pipit" { &mut turn.answer } else { &mut turn.audit } = Some(lines);
                into = Some(if label == "pipit" { "pipit" } else { "audit" });
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
                    said: line.to_owned(),
                    who: who.to_owned(),
                    room,
                    line: typed.to_owned(),
                    answer: None,
                    audit: None,
                });
                into = None;
            }
        }
    }
    Ok((turns, before))
}

#[test]
fn sessions_are_read_as_they_are_written() {
    let text = "# a remark\n\nalice in #ops:   !list 3 1 | sort\npipit:   1\n         3\n\n           ^\naudit:   x\n\nbob: !!\npipit:\n\n# end\n";
    let (turns, rest) = read(text).unwrap();
    assert_eq!(rest, "\n# end\n");
    assert_eq!(turns[0].before, "# a remark\n\n");
    assert_eq!((turns[0].who.as_str(), turns[0].room.as_deref()), ("alice", Some("#ops")));
    assert_eq!(turns[0].line, "list 3 1 | sort");
    assert_eq!(turns[0].answer.as_deref(), Some(&["1".to_owned(), "3".into(), String::new(), "  ^".into()][..]));
    assert_eq!(turns[0].audit.as_deref(), Some(&["x".to_owned()][..]));
    assert_eq!((turns[1].line.as_str(), turns[1].answer.as_deref()), ("!", Some(&[][..])));
    assert_eq!(block("pipit:", turns[0].answer.as_ref().unwrap()), "pipit:   1\n         3\n\n           ^\n");
    assert_eq!(block("pipit:", &[]), "pipit:\n");
    for wrong in ["pipit:   1\n", "alice:   list 1\n", "alice: !x\npipit: 1\n", "Alice!: !x\n", "a: !x\n    1\n"] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
    assert!(fits("at … by …", "at 9 by alice") && !fits("at … by bob", "at 9 by alice") && fits("…", ""));
}
