//! YAML to a tree in which every node knows its line. The only place that knows the parser's crate.
//!
//! Read is the part of YAML that says one thing in one way: one document, no anchors, no aliases, no tags, each key
//! once; `true` and `false` are the only booleans and numbers are spelled as in JSON, so `yes`, `on` and `0x10` are
//! texts. JSON is YAML.

use std::collections::BTreeSet;

use granit_parser::{Event, Marker, Parser, ScalarStyle, Span};
use pipit_commands::Value;

use super::fault::Fault;

/// The longest manifest, in bytes.
const LONGEST: usize = 256 * 1024;
/// The most nodes, keys included.
const NODES: usize = 20_000;
/// How deep maps and lists may be nested.
const DEPTH: usize = 32;

/// A node and where it begins, both counted from 1.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) at: (usize, usize),
    pub(super) content: Content,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key and what it stands for. A key that came twice is there once; the fault is told apart.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) at: (usize, usize),
    pub(super) value: Node,
}

impl Content {
    /// As an error names it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

/// Reads a text. What is no YAML at all ends the reading; keys that come twice are told with the tree.
pub(super) fn read(text: &str) -> Result<(Node, Vec<Fault>), Fault> {
    if text.len() > LONGEST {
        return Err(Fault::new("", format!("a manifest has at most {LONGEST} bytes, this one has {}", text.len())));
    }
    let mut reader = Reader { events: Parser::new_from_str(text), left: NODES, path: Vec::new(), faults: Vec::new() };
    let root = reader.document()?;
    Ok((root, reader.faults))
}

struct Reader<'a> {
    events: Parser<'a, granit_parser::StrInput<'a>>,
    left: usize,
    path: Vec<String>,
    faults: Vec<Fault>,
}

type Step<'a> = (Event<'a>, Span);

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Step<'a>, Fault> {
        loop {
            let step = self.events.next_event().ok_or_else(|| Fault::new("", "the manifest breaks off"))?;
            match step {
                Ok((Event::Comment(..), _)) => {}
                Ok(step) => return Ok(step),
                Err(error) => {
                    let fault = Fault::new(self.here(), format!("no YAML: {}", error.info()));
                    return Err(fault.at(place(error.marker())));
                }
            }
        }
    }

    fn here(&self) -> String {
        join(&self.path)
    }

    fn document(&mut self) -> Result<Node, Fault> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentEnd => {}
                Event::DocumentStart(..) if root.is_none() => {
                    let first = self.next()?;
                    root = Some(self.node(first, 0)?);
                }
                Event::StreamEnd => return root.ok_or_else(|| Fault::new("", "the manifest is empty")),
                _ => {
                    let fault = Fault::new("", "a manifest is one document; take away what follows the first");
                    return Err(fault.at(place(&span.start)));
                }
            }
        }
    }

    fn node(&mut self, (event, span): Step<'a>, depth: usize) -> Result<Node, Fault> {
        let at = place(&span.start);
        let refuse = |reader: &Self, why: &str| Err(Fault::new(reader.here(), why).at(at));
        self.left = match self.left.checked_sub(1) {
            Some(left) => left,
            None => return refuse(self, &format!("a manifest has at most {NODES} values")),
        };
        if depth > DEPTH {
            return refuse(self, &format!("nested deeper than {DEPTH}"));
        }
        if event.anchor_id().is_some() || event.is_alias() {
            return refuse(self, "anchors and aliases are not read; write the value out");
        }
        if event.tag().is_some() {
            return refuse(self, "tags are not read; write the value alone");
        }
        let content = match event {
            Event::Scalar(text, ScalarStyle::Plain, ..) => plain(&text),
            Event::Scalar(text, ..) => Content::Text(text.into_owned()),
            Event::SequenceStart(..) => self.list(depth)?,
            Event::MappingStart(..) => self.map(depth)?,
            _ => return refuse(self, "a value is expected here"),
        };
        Ok(Node { at, content })
    }

    fn list(&mut self, depth: usize) -> Result<Content, Fault> {
        let mut items = Vec::new();
        loop {
            let step = self.next()?;
            if matches!(step.0, Event::SequenceEnd) {
                return Ok(Content::List(items));
            }
            self.path.push(format!("[{}]", items.len()));
            items.push(self.node(step, depth + 1)?);
            self.path.pop();
        }
    }

    fn map(&mut self, depth: usize) -> Result<Content, Fault> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen = BTreeSet::new();
        loop {
            let step = self.next()?;
            if matches!(step.0, Event::MappingEnd) {
                return Ok(Content::Map(entries));
            }
            let at = place(&step.1.start);
            let key = match (self.node(step.clone(), depth + 1)?.content, step.0) {
                (Content::List(_) | Content::Map(_), _) => {
                    return Err(Fault::new(self.here(), "a key is a text").at(at));
                }
                // as written: a key `1` or `true` is a name like any other
                (_, Event::Scalar(text, ..)) => text.into_owned(),
                (_, _) => return Err(Fault::new(self.here(), "a key is a text").at(at)),
            };
            self.path.push(key.clone());
            let step = self.next()?;
            let value = self.node(step, depth + 1)?;
            if seen.insert(key.clone()) {
                entries.push(Entry { key, at, value });
            } else {
                let why = "the key comes twice; keep the one that is meant";
                self.faults.push(Fault::new(self.here(), why).at(at));
            }
            self.path.pop();
        }
    }
}

fn place(marker: &Marker) -> (usize, usize) {
    (marker.line(), marker.col() + 1)
}

/// `commands.date.rules[0]` from its parts.
fn join(parts: &[String]) -> String {
    let mut path = String::new();
    for part in parts {
        if !path.is_empty() && !part.starts_with('[') {
            path.push('.');
        }
        path.push_str(part);
    }
    path
}

fn plain(text: &str) -> Content {
    match text {
        "" | "~" | "null" => Content::Null,
        "true" => Content::Bool(true),
        "false" => Content::Bool(false),
        _ => match Value::number_of(text) {
            Some(Value::Int(number)) => Content::Int(number),
            Some(Value::Float(number)) => Content::Float(number),
            _ => Content::Text(text.to_owned()),
        },
    }
}
