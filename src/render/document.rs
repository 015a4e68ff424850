//! What a line answers, apart from commands and services: blocks, and how the line is. Made once from its values, it is
//! drawn by each service in its own way.
//!
//! A service that can change its messages draws one document again and again while its state goes on from
//! [`State::Running`] to [`State::Ended`]; the others say the blocks as they come. Deliberately absent: any markup.

use std::borrow::Cow;
use std::collections::HashSet;

use ecow::EcoString;
use pipit_commands::{Attached, Attachment, Error, ErrorKind, Record, Table, Template as Jinja, Value};

use super::rich::Piece;
use super::{Template, plain};

/// An answer, whole or so far.
#[derive(Clone)]
pub(crate) struct Document {
    /// How the line is.
    pub(crate) state: State,
    /// What it has come to, in order.
    pub(crate) blocks: Vec<Block>,
}

/// How a line is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum State {
    /// It runs.
    Running(Running),
    /// It has ended.
    Ended(End),
}

/// A line that runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Running {
    /// Its id for `kill`; none before there is one.
    pub(crate) id: Option<EcoString>,
    /// For how long it has run, in seconds.
    pub(crate) seconds: u64,
    /// How far it is, when its command tells.
    pub(crate) progress: Option<Progress>,
}

/// How far a command is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Progress {
    /// From 0 to 1, when it knows.
    pub(crate) part: Option<f64>,
    /// What it is at; one line, safe to show.
    pub(crate) text: EcoString,
}

/// How a line ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Well.
    Well,
    /// Well, and on purpose before its end (`abort-when`).
    Stopped,
    /// It waits for somebody.
    Parked,
    /// Badly: refused, denied, failed or broken off. A [`Block::Failure`] says how.
    Badly,
}

/// A piece of an answer. Its texts act on no terminal.
#[derive(Clone)]
pub(crate) enum Block {
    /// Values of one line each.
    Lines(Vec<EcoString>),
    /// A text of several lines that runs on.
    Text(String),
    /// A text of several lines whose letters stand under each other.
    Code(String),
    /// A value that is an address of the web and nothing else.
    Link(EcoString),
    /// Records, with a cell for every field: columns have a label and know whether they hold numbers.
    Table(Table),
    /// Text with a form, as a template made it.
    Rich(Vec<Piece>),
    /// One record: its fields and their texts, which may have several lines.
    Sheet(Vec<(EcoString, String)>),
    /// A picture: its bytes are PNG, and its [`Attached::Picture`] has a text that says the same.
    Picture(Attachment),
    /// A file beside the values.
    File(Attachment),
    /// Why the line did not go well, and the line itself, for the place in it.
    Failure(Error, EcoString),
    /// A remark of the shell's or of a command's: not a value.
    Note(String),
}

/// The most cells of a table. Records that have few fields in common would make one with far more cells than values.
const CELLS: usize = 200_000;

impl Document {
    /// Of a line that runs, without anything yet.
    pub(crate) fn running(running: Running) -> Self {
        Self { state: State::Running(running), blocks: Vec::new() }
    }

    /// Of a line that has ended, without anything yet.
    pub(crate) fn ended(error: Option<&Error>) -> Self {
        Self { state: State::Ended(End::of(error)), blocks: Vec::new() }
    }

    /// Adds values. A lone record of a line that runs begins a table: others may follow.
    pub(crate) fn values(mut self, values: &[Value]) -> Self {
        let alike = |a: &Value, b: &Value| Shape::of(a) == Shape::of(b);
        for run in values.chunk_by(alike) {
            match run {
                [first, ..] if Shape::of(first) == Shape::Body => {
                    self.texts(&run.iter().filter_map(body).collect::<Vec<_>>());
                }
                [Value::Record(only)] if matches!(self.state, State::Ended(_)) => self.blocks.push(sheet(only)),
                [Value::Record(_), ..] => self.blocks.push(table(run)),
                run => self.texts(run),
            }
        }
        self
    }

    /// Adds values as a bundle's template shows them. One that fails hides nothing.
    pub(crate) fn through(mut self, template: &Template, values: &[Value]) -> Self {
        if values.is_empty() {
            return self;
        }
        let template = match template {
            Template::Jinja(template) => template,
            Template::Greenbar(template) => {
                self.blocks.push(Block::Rich(template.fill(values)));
                return self;
            }
        };
        let given: Record = [("values", Value::List(values.iter().cloned().collect()))].into_iter().collect();
        match Jinja::read(template).and_then(|template| template.render(given.into())) {
            Ok(rendered) => {
                self.blocks.push(Block::Code(plain(rendered.trim_end())));
                self
            }
            Err(error) => {
                let mut shown = self.values(values);
                shown
                    .blocks
                    .push(Block::Note(format!("(the bundle's template failed: {})", plain(&error.to_string()))));
                shown
            }
        }
    }

    /// Adds what belongs to the values. A picture takes the place of the text that says the same.
    pub(crate) fn attached(mut self, attachments: Vec<Attachment>) -> Self {
        for attachment in attachments {
            let Attached::Picture { alt } = &attachment.kind else {
                self.blocks.push(Block::File(attachment));
                continue;
            };
            let alt = plain(alt);
            let said = |block: &Block| match block {
                Block::Text(text) | Block::Code(text) => *text == alt,
                Block::Lines(lines) => matches!(lines.as_slice(), [only] if *only == alt),
                Block::Link(_)
                | Block::Table(_)
                | Block::Rich(_)
                | Block::Sheet(_)
                | Block::Picture(_)
                | Block::File(_)
                | Block::Failure(..)
                | Block::Note(_) => false,
            };
            // where the text was changed on its way or swallowed, the picture is no part of the answer
            if let Some(at) = self.blocks.iter().position(said) {
                self.blocks[at] = Block::Picture(attachment);
            }
        }
        self
    }

    /// Adds why the line did not go well, when there is something to say, and what commands remarked.
    pub(crate) fn closed(mut self, error: Option<Error>, notes: &[String], line: &str) -> Self {
        self.blocks.extend(error.filter(Error::exits_loudly).map(|error| Block::Failure(error, line.into())));
        self.blocks.extend(notes.iter().map(|note| Block::Note(format!("note: {note}"))));
        self
    }

    fn texts(&mut self, run: &[Value]) {
        for value in run {
            let text = value.to_text();
            let text = match pipit_commands::plain(&text) {
                Cow::Borrowed(_) => text,
                Cow::Owned(text) => text.into(),
            };
            if text.contains('\n') {
                let text = text.to_string();
                self.blocks.push(if laid_out(&text) { Block::Code(text) } else { Block::Text(text) });
            } else if is_link(&text) {
                self.blocks.push(Block::Link(text));
            } else if let Some(Block::Lines(lines)) = self.blocks.last_mut() {
                lines.push(text);
            } else {
                self.blocks.push(Block::Lines(vec![text]));
            }
        }
    }
}

impl End {
    fn of(error: Option<&Error>) -> Self {
        match error.map(Error::kind) {
            None => Self::Well,
            Some(ErrorKind::Stopped) => Self::Stopped,
            Some(ErrorKind::Parked) => Self::Parked,
            Some(
                ErrorKind::Refused
                | ErrorKind::Failed
                | ErrorKind::Unknown
                | ErrorKind::Denied
                | ErrorKind::Unavailable,
            ) => Self::Badly,
        }
    }
}

/// What kind of block a value is of.
#[derive(PartialEq, Eq)]
enum Shape {
    Record,
    /// A record that is the lines of a text and nothing else.
    Body,
    Text,
}

impl Shape {
    fn of(value: &Value) -> Self {
        match value {
            Value::Record(_) if body(value).is_some() => Self::Body,
            Value::Record(_) => Self::Record,
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_) | Value::List(_) => {
                Self::Text
            }
        }
    }
}

/// The text of a record `{"body": […]}` that holds lines and nothing else: so programs of Cog's bundles give texts.
fn body(value: &Value) -> Option<Value> {
    let Value::Record(record) = value else { return None };
    let Some(Value::List(lines)) = record.get("body").filter(|_| record.len() == 1) else { return None };
    if lines.is_empty() || lines.iter().any(|line| matches!(line, Value::List(_) | Value::Record(_))) {
        return None;
    }
    Some(lines.iter().map(Value::to_text).collect::<Vec<_>>().join("\n").into())
}

/// Whether the letters of a text stand under each other: it is indented, or blanks keep things apart.
fn laid_out(text: &str) -> bool {
    text.lines().any(|line| line.starts_with([' ', '\t']) || line.trim_end().contains("  ") || line.contains('─'))
}

fn is_link(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
}

/// A single record.
fn sheet(record: &Record) -> Block {
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        value => plain(&value.to_text()),
    };
    Block::Sheet(record.iter().map(|(name, value)| (plain(name).into(), text(value))).collect())
}

/// Several records, or a record a line as JSON where they have too little in common.
fn table(records: &[Value]) -> Block {
    let mut names: HashSet<&str> = HashSet::new();
    for record in records {
        if let Value::Record(record) = record {
            names.extend(record.iter().map(|(name, _)| name.as_str()));
        }
    }
    if names.len().saturating_mul(records.len()) <= CELLS
        && !names.is_empty()
        && let Some(table) = Table::of(records, &[])
    {
        return Block::Table(table);
    }
    Block::Lines(records.iter().map(|record| plain(&record.to_text()).into()).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use std::sync::Arc;

    use pipit_commands::{Attached, Attachment, Error, Record, Value};

    use super::{Block, Document, End, Progress, Running, State};
    use crate::render::{Look, Roll, Template};

    fn record(name: &str, cpu: i64) -> Value {
        [("name", Value::from(name)), ("cpu", Value::Int(cpu))].into_iter().collect::<Record>().into()
    }

    fn drawn(document: &Document) -> String {
        Roll::new(Look::Plain).document(document)
    }

    /// The kinds of the blocks, in a word each.
    fn kinds(document: &Document) -> Vec<&'static str> {
        let kind = |block: &Block| match block {
            Block::Lines(_) => "lines",
            Block::Text(_) => "text",
            Block::Code(_) => "code",
            Block::Link(_) => "link",
            Block::Table(_) => "table",
            Block::Rich(_) => "rich",
            Block::Sheet(_) => "sheet",
            Block::Picture(_) => "picture",
            Block::File(_) => "file",
            Block::Failure(..) => "failure",
            Block::Note(_) => "note",
        };
        document.blocks.iter().map(kind).collect()
    }

    #[test]
    fn values_become_blocks() {
        let values = [
            record("web", 9),
            record("db", 40),
            Value::from("a"),
            Value::Int(5),
            Value::from("https://example.org/a?b=c"),
            Value::from("one\ntwo"),
            Value::from("a:\n  b"),
            record("web", 9),
        ];
        let document = Document::ended(None).values(&values);
        assert_eq!(kinds(&document), ["table", "lines", "link", "text", "code", "sheet"]);
        for (body, shown) in [
            (r#"{"body":["a","b"]}"#, "a\nb"),
            (r#"{"body":[1]}"#, "1"),
            (r#"{"body":[["a"]]}"#, "body  [[\"a\"]]"),
            (r#"{"body":["a"],"x":1}"#, "body  [\"a\"]\nx     1"),
        ] {
            assert_eq!(drawn(&Document::ended(None).values(&[Value::from_json(body).unwrap()])), shown);
        }
    }

    /// What a service with one live message would show, step by step.
    #[test]
    fn a_document_lives_from_running_to_its_end() {
        let running = |seconds, progress| Running { id: Some("7M34SEPE".into()), seconds, progress };
        let mut values = Vec::new();
        let first = Document::running(running(2, None)).values(&values);
        assert_eq!(drawn(&first), "7M34SEPE is running; kill 7M34SEPE stops it");
        let half = Progress { part: Some(0.5), text: "copying".into() };
        let second = Document::running(running(4, Some(half.clone()))).values(&values);
        assert_eq!(second.state, State::Running(running(4, Some(half))));
        assert_eq!(drawn(&second), "7M34SEPE is running: 50 %, copying; kill 7M34SEPE stops it");
        values.push(record("web", 9));
        let third = Document::running(running(6, None)).values(&values);
        assert_eq!(kinds(&third), ["table"]);
        let shown = "name  cpu\n────  ───\nweb     9";
        assert_eq!(drawn(&third), shown);
        assert_eq!(third.state, State::Running(running(6, None)));
        values.push(record("db", 40));
        let error = Error::failed("no such host");
        let last = Document::ended(Some(&error)).values(&values).closed(Some(error), &["slow".into()], "x");
        assert_eq!(last.state, State::Ended(End::Badly));
        assert_eq!(drawn(&last), format!("{shown}\ndb     40\nerror: no such host\nnote: slow"));
        assert_eq!(Document::ended(None).values(&values[..1]).state, State::Ended(End::Well));
    }

    #[test]
    fn a_picture_takes_the_place_of_its_text() {
        let alt = "a ▇▇▇\nb ▇";
        let picture = Attachment {
            name: "chart.png".into(),
            kind: Attached::Picture { alt: alt.into() },
            bytes: Arc::new(|| b"png".to_vec()),
        };
        let shown = Document::ended(None).values(&[alt.into()]).attached(vec![picture.clone()]);
        assert_eq!(kinds(&shown), ["picture"]);
        assert_eq!(drawn(&shown), alt);
        let changed = Document::ended(None).values(&["A ▇".into()]).attached(vec![picture]);
        assert_eq!(kinds(&changed), ["lines"]);
        let file = Attachment { name: "a.csv".into(), kind: Attached::File, bytes: Arc::new(Vec::new) };
        assert_eq!(drawn(&Document::ended(None).attached(vec![file])), "(file a.csv)");
    }

    #[test]
    fn a_template_that_fails_hides_nothing() {
        let values = [record("web", 9)];
        let well = Document::ended(None)
            .through(&Template::Jinja("{% for v in values %}{{ v.name }}!{% endfor %}".into()), &values);
        assert_eq!(drawn(&well), "web!");
        let shown = drawn(&Document::ended(None).through(&Template::Jinja("{{ nowhere }}".into()), &values));
        assert!(shown.starts_with("name  web\ncpu   9\n(the bundle's template failed: "), "{shown}");
    }

    #[test]
    fn records_with_nothing_in_common_are_no_table() {
        let record = |n: i64| -> Value { [(format!("k{n}"), Value::Int(n))].into_iter().collect::<Record>().into() };
        let records: Vec<Value> = (0..10_000).map(record).collect();
        let shown = drawn(&Document::ended(None).values(&records));
        assert_eq!(shown.lines().count(), 10_000);
        assert_eq!(shown.lines().next(), Some(r#"{"k0":0}"#));
        assert!(drawn(&Document::ended(None).values(&records[..3])).starts_with("k0"));
    }
}
