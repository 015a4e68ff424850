//! Filling a template: its text becomes Markdown in which each value is a mark of two letters and a number, so that no
//! value is ever read as Markdown, and the marks become the values' texts when the Markdown has been read.

use std::collections::HashMap;

use pipit_commands::Value;

use super::condition::{compares, is};
use super::{Condition, Given, LARGEST, Node, Reference, STEPS, Step, Term};
use crate::render::markdown::{self, Marked};
use crate::render::plain;
use crate::render::rich::{Attachment, Piece, Span};

/// The pieces that a template makes of results.
pub(super) fn pieces(nodes: &[Node], results: &[Value]) -> Vec<Piece> {
    let results = Value::List(results.iter().cloned().collect());
    let mut filling = Filling { names: HashMap::from([("results", vec![results])]), steps: 0, size: 0, full: false };
    let mut made = Made::default();
    filling.body(nodes, &mut made);
    let mut pieces = made.done();
    if filling.full {
        pieces.push(Piece::Paragraph(vec![Span::Text("(the rest is left out: it is too long to be shown)".into())]));
    }
    pieces
}

/// What was made so far.
#[derive(Default)]
struct Made {
    pieces: Vec<Piece>,
    /// Markdown that was not read yet, and what its marks stand for.
    markdown: Marked,
}

impl Made {
    fn read(&mut self) {
        let markdown = std::mem::take(&mut self.markdown);
        self.pieces.extend(markdown::read(&markdown));
    }

    fn put(&mut self, piece: Piece) {
        self.read();
        self.pieces.push(piece);
    }

    fn done(mut self) -> Vec<Piece> {
        self.read();
        self.pieces
    }
}

struct Filling<'a> {
    /// What names stand for, the innermost last.
    names: HashMap<&'a str, Vec<Value>>,
    steps: usize,
    size: usize,
    /// A bound was reached; nothing more is made.
    full: bool,
}

impl<'a> Filling<'a> {
    fn body(&mut self, nodes: &'a [Node], made: &mut Made) {
        for node in nodes {
            self.steps += 1;
            self.full = self.full || self.steps > STEPS || self.size > LARGEST;
            if self.full {
                return;
            }
            self.node(node, made);
        }
    }

    fn node(&mut self, node: &'a Node, made: &mut Made) {
        match node {
            Node::Text(text) => {
                self.size += text.len();
                made.markdown.markdown(text);
            }
            Node::Show(term) => {
                let text = self.text(term);
                self.size += text.len();
                made.markdown.data(text);
            }
            Node::Count(of) => {
                let (Term::Value(reference) | Term::Length(reference)) = of;
                let count = length(self.value(reference)).unwrap_or(0);
                made.markdown.data(count.to_string());
            }
            Node::Json(of) => {
                let value = self.of(of).unwrap_or(Value::Null);
                let json = serde_json::to_string_pretty(&value).unwrap_or_default();
                self.size += json.len();
                made.put(Piece::Code(plain(&json)));
            }
            Node::Break => made.markdown.markdown("\\\n"),
            Node::If(condition, body) => {
                if self.holds(condition) {
                    self.body(body, made);
                }
            }
            Node::Each { of, name, body } => {
                for item in self.items(of) {
                    self.with(name, item, body, made);
                }
            }
            Node::Join { of, with, name, body } => {
                for (at, item) in self.items(of).into_iter().enumerate() {
                    if at > 0 {
                        made.markdown.data(plain(with));
                    }
                    self.with(name, item, body, made);
                }
            }
            Node::Attachment { with, body } => {
                let mut inner = Made::default();
                self.body(body, &mut inner);
                let mut attachment = Attachment { body: inner.done(), ..Attachment::default() };
                for (name, given) in with {
                    let text = match given {
                        Given::Term(term) => self.text(term),
                        Given::Literal(value) => plain(&value.to_text()),
                    };
                    self.size += text.len();
                    attachment.put(name, text);
                }
                made.put(Piece::Attachment(attachment));
            }
        }
    }

    /// The body once, with a name for an item.
    fn with(&mut self, name: &'a str, item: Value, body: &'a [Node], made: &mut Made) {
        self.names.entry(name).or_default().push(item);
        self.body(body, made);
        self.names.entry(name).or_default().pop();
    }

    /// What is gone through: the items of a list; anything else that is there is the only one.
    fn items(&self, of: &Term) -> Vec<Value> {
        match self.of(of) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::List(items)) => items.iter().cloned().collect(),
            Some(only) => vec![only],
        }
    }

    fn holds(&self, condition: &Condition) -> bool {
        match condition {
            Condition::Compares(term, how, literal) => compares(self.of(term).as_ref(), *how, literal),
            Condition::Is(term, state) => is(self.of(term).as_ref(), *state),
        }
    }

    fn of(&self, term: &Term) -> Option<Value> {
        match term {
            Term::Value(reference) => self.value(reference).cloned(),
            Term::Length(reference) => length(self.value(reference)).map(Value::Int),
        }
    }

    /// The text of a value, without what acts on a terminal; nothing for one that is not there.
    fn text(&self, term: &Term) -> String {
        match self.of(term) {
            None | Some(Value::Null) => String::new(),
            Some(value) => plain(&value.to_text()),
        }
    }

    fn value(&self, reference: &Reference) -> Option<&Value> {
        let start = self.names.get(reference.name.as_str())?.last()?;
        reference.path.iter().try_fold(start, |value, step| match step {
            Step::Field(name) => value.field(name),
            Step::Item(at) => value.item(*at),
        })
    }
}

fn length(value: Option<&Value>) -> Option<i64> {
    let count = match value? {
        Value::Text(text) => text.chars().count(),
        Value::List(items) => items.len(),
        Value::Record(record) => record.len(),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => return None,
    };
    i64::try_from(count).ok()
}
