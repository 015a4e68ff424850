//! `pipit test`: plays session files in homes that are thrown away, and says where an answer is another.
//!
//! The local operator is `operator`. Everybody else is made a user before they first speak, but for `nobody`. A line
//! under which nothing stands has to go well, and its answer is not looked at.
//!
//! Deliberately absent: chat services. Everybody speaks as through `pipit run --as`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pipit_commands::{Error, Stream, Value};
use pipit_grammar::rule::{Place, Via};
use tokio::sync::watch;

use super::session::{self, Piece, Turn};
use super::{Home, fail, show, tell};
use crate::access::Identity;
use crate::engine::{Engine, Life, Request};
use crate::net::Reach;
use crate::render::{self, Look, Roll};

/// What became of a file.
#[derive(Default)]
struct Played {
    lines: usize,
    /// Each answer that is another, as it is told.
    wrong: Vec<String>,
    /// The file as it would be right.
    right: String,
}

/// What came of a line.
struct Answer {
    ticket: String,
    well: bool,
    /// What was shown, line by line.
    shown: Vec<String>,
}

/// Plays files, each after what the operator says first. Ends with 0 when all answers are as written, 1 when one is not,
/// 2 when a file is no session.
pub(super) fn files(files: &[PathBuf], prelude: &[String], bless: bool, reach: &Reach) -> ExitCode {
    let mut all = Played::default();
    for file in files {
        let played = match play(file, prelude, reach) {
            Ok(played) => played,
            Err(why) => return fail(2, &why),
        };
        if bless && !played.wrong.is_empty() {
            if let Err(error) = std::fs::write(file, &played.right) {
                return fail(2, &format!("{} cannot be written: {error}", file.display()));
            }
            show(&format_args!("{}: {} written as it came", file.display(), many(played.wrong.len(), "answer")));
        } else {
            played.tell(&file.display());
        }
        all.lines += played.lines;
        all.wrong.extend(played.wrong);
    }
    if all.lines == 0 {
        return fail(2, &"there is no session in these files; a line of one is NAME: !LINE");
    }
    all.end(&format_args!("of {}", many(files.len(), "file")), bless)
}

/// Plays a session that stands in no file.
pub(super) fn written(name: &str, text: &str, prelude: &[String], reach: &Reach) -> ExitCode {
    match session::read(text, false).map_err(|wrong| wrong.why).and_then(|pieces| at_home(pieces, prelude, reach)) {
        Ok(played) => {
            played.tell(&name);
            played.end(&format_args!("of {name}"), false)
        }
        Err(why) => fail(2, &why),
    }
}

impl Played {
    /// Says where an answer is another.
    fn tell(&self, name: &dyn std::fmt::Display) {
        for wrong in &self.wrong {
            show(&format_args!("{name}:{wrong}\n"));
        }
    }

    /// Says how it went.
    fn end(&self, of: &dyn std::fmt::Display, bless: bool) -> ExitCode {
        let lines = many(self.lines, "line");
        if self.wrong.is_empty() || bless {
            show(&format_args!("{lines} {of}: answered as written"));
            return ExitCode::SUCCESS;
        }
        let wrong = many(self.wrong.len(), "answer");
        show(&format_args!("{lines} {of}: {wrong} otherwise; --bless writes into the files what came"));
        ExitCode::from(1)
    }
}

/// `1 line`, `2 lines`.
fn many(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// Plays a file.
fn play(file: &Path, prelude: &[String], reach: &Reach) -> Result<Played, String> {
    let name = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| format!("{name} cannot be read: {error}"))?;
    let page = file.extension().is_some_and(|ending| ending == "md");
    let pieces = session::read(&text, page)
        .map_err(|wrong| format!("{name}:{}: this is no session: {}", wrong.number, wrong.why))?;
    if pieces.iter().all(|piece| matches!(piece, Piece::Text(_))) {
        return Ok(Played::default());
    }
    at_home(pieces, prelude, reach)
}

/// Plays a session in a home of its own.
fn at_home(pieces: Vec<Piece>, prelude: &[String], reach: &Reach) -> Result<Played, String> {
    let folder = tempfile::tempdir().map_err(|error| format!("a home to throw away cannot be made: {error}"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("the runtime does not start: {error}"))?;
    runtime.block_on(async {
        let home = Home::find(Some(&folder.path().join("home")))?.reaching(reach.clone());
        let engine = home.open()?;
        let mut known = Vec::new();
        let mut played = Played::default();
        for line in prelude {
            let answer = say(&engine, Identity::Operator, None, line, None).await;
            if !answer.well {
                return Err(answer.shown.join("\n"));
            }
        }
        for piece in pieces {
            match piece {
                Piece::Text(text) => played.right.push_str(&text),
                Piece::Session(turns, rest) => {
                    for turn in turns {
                        take(&engine, &mut known, &turn, &mut played).await;
                    }
                    played.right.push_str(&rest);
                }
            }
        }
        engine.settle().await;
        Ok(played)
    })
}

/// Plays a turn.
async fn take(engine: &Engine, known: &mut Vec<String>, turn: &Turn, played: &mut Played) {
    let identity = match turn.who.as_str() {
        "operator" => Identity::Operator,
        name => engine.named(name),
    };
    let speaks_first = !["operator", "nobody"].contains(&turn.who.as_str()) && !known.contains(&turn.who);
    if speaks_first {
        // a session may have made them itself
        say(engine, Identity::Operator, None, &format!("user create {}", turn.who), None).await;
        known.push(turn.who.clone());
    }
    let answer = say(engine, identity, turn.room.as_deref(), &turn.line, turn.input.as_deref()).await;
    let mut differs = |what: &str, wanted: &[String], got: &[String]| {
        played.wrong.push(format!("{}: {}\n    {what}{}", turn.number, turn.said, difference(wanted, got)));
    };
    let mut right = format!("{}{}\n", turn.before, turn.said);
    if let Some(input) = &turn.input {
        right.push_str(&session::block("input:", input));
    }
    match &turn.answer {
        Some(wanted) if session::alike(wanted, &answer.shown) => right.push_str(&session::block("pipit:", wanted)),
        Some(wanted) => {
            differs("the answer is another", wanted, &answer.shown);
            right.push_str(&session::block("pipit:", &answer.shown));
        }
        // set-up: it goes well, and nobody wants to read it
        None if answer.well => {}
        None => {
            differs("nothing is written under it, so it should go well", &[], &answer.shown);
            right.push_str(&session::block("pipit:", &answer.shown));
        }
    }
    if let Some(wanted) = &turn.audit {
        let judged = judged(engine, &turn.who, &answer.ticket).await;
        // stages that run side by side are judged in any order
        let sorted = |lines: &[String]| {
            let mut lines = lines.to_vec();
            lines.sort();
            lines
        };
        if session::alike(&sorted(wanted), &sorted(&judged)) {
            right.push_str(&session::block("audit:", wanted));
        } else {
            differs("it is judged otherwise", wanted, &judged);
            right.push_str(&session::block("audit:", &judged));
        }
    }
    played.lines += 1;
    played.right.push_str(&right);
}

/// A line of somebody's and what is shown of it, as `pipit run` shows it.
async fn say(engine: &Engine, identity: Identity, room: Option<&str>, line: &str, input: Option<&[String]>) -> Answer {
    let (values, reply, ticket) = ask(engine, identity, room, line, input).await;
    let mut parts = Vec::new();
    if !values.is_empty() {
        parts.push(Roll::new(Look::Plain).document(&reply.document(&values)));
    }
    parts.extend(reply.notes.iter().map(|note| format!("note: {note}")));
    let well = reply.error.as_ref().is_none_or(|error| error.kind().exit() == 0);
    parts.extend(reply.error.filter(Error::exits_loudly).map(|error| render::error(&error, line)));
    let shown = parts.join("\n");
    let shown: Vec<String> = shown.lines().map(|line| line.trim_end().to_owned()).collect();
    // one empty line is shown like none
    let shown = if shown.concat().is_empty() { Vec::new() } else { shown };
    Answer { ticket, well, shown }
}

pub(super) async fn ask(
    engine: &Engine,
    identity: Identity,
    room: Option<&str>,
    typed: &str,
    input: Option<&[String]>,
) -> (Vec<Value>, crate::engine::Reply, String) {
    let (told, life) = watch::channel(Life::default());
    let cause = matches!(identity, Identity::Named(_)).then_some("operator");
    let request = Request {
        text: typed.to_owned(),
        identity,
        service: "shell".into(),
        place: room.map_or(Place::Dm, |room| Place::Room(room.strip_prefix('#').unwrap_or(room).into())),
        address: None,
        via: Via::Chat,
        cause,
        input: input.map(|lines| Stream::of(lines.iter().map(Value::text).collect::<Vec<_>>())),
        life: Some(told),
        asks: None,
    };
    let mut values = Vec::new();
    let mut reply = engine
        .handle(request, &mut |batch| {
            values.extend(batch);
            std::ops::ControlFlow::Continue(())
        })
        .await;
    if let Some(receipt) = reply.receipt.take()
        && let Err(error) = receipt.durable().await
    {
        tell(&format_args!("pipit: {error}"));
    }
    let id = life.borrow().id.clone();
    (values, reply, id.unwrap_or_default().into())
}

/// What was judged of a line.
async fn judged(engine: &Engine, who: &str, ticket: &str) -> Vec<String> {
    let (rows, _, _) = ask(engine, Identity::Operator, None, &format!("audit show {ticket}"), None).await;
    let verdicts = rows.iter().filter(|row| text(row, "kind") == "verdict");
    let judged: Vec<String> = verdicts
        .map(|row| {
            let command = text(row, "command");
            let rule = field(row, "body").map(|body| text(body, "rule")).unwrap_or_default();
            // the command is named already
            let rule = rule.strip_prefix(&format!("when command is {command} ")).unwrap_or(&rule);
            let rule = if rule.is_empty() { "no rule".into() } else { format!("`{rule}`") };
            format!("{who} {} {command} by {rule}", text(row, "outcome"))
        })
        .collect();
    if judged.is_empty() { vec!["nothing was judged".to_owned()] } else { judged }
}

fn field<'v>(row: &'v Value, name: &str) -> Option<&'v Value> {
    let Value::Record(row) = row else { return None };
    row.get(name)
}

fn text(row: &Value, name: &str) -> String {
    field(row, name).map(|value| value.to_text().to_string()).unwrap_or_default()
}

/// What is there and what should be, line by line: `-` should be there, `+` came.
fn difference(wanted: &[String], got: &[String]) -> String {
    let alike = wanted.iter().zip(got).take_while(|(wanted, got)| session::fits(wanted, got)).count();
    let (wanted_left, got_left) = (&wanted[alike..], &got[alike..]);
    let end = wanted_left.iter().rev().zip(got_left.iter().rev());
    let end = end.take_while(|(wanted, got)| session::fits(wanted, got)).count();
    let mark = |mark: &'static str, lines: &[String]| -> String {
        lines.iter().map(|line| format!("\n    {mark} {line}").trim_end().to_owned()).collect()
    };
    [
        mark(" ", &got[..alike]),
        mark("-", &wanted_left[..wanted_left.len() - end]),
        mark("+", &got_left[..got_left.len() - end]),
        mark(" ", &got[got.len() - end..]),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn a_difference_shows_both() {
        let lines = |text: &str| text.split_whitespace().map(ToOwned::to_owned).collect::<Vec<_>>();
        assert_eq!(difference(&lines("a b c"), &lines("a x y c")), "\n      a\n    - b\n    + x\n    + y\n      c");
        assert_eq!(difference(&lines(""), &lines("a")), "\n    + a");
        assert_eq!(difference(&lines("a"), &lines("")), "\n    - a");
        assert_eq!(difference(&lines("a a"), &lines("a")), "\n      a\n    - a");
    }
}
