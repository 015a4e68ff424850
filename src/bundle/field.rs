//! Walking through a tree of YAML field by field: every wrong field is noted with its path, and the walk goes on, so
//! that one check tells everything.

use super::fault::Fault;
use super::yaml::{Content, Entry, Node};

/// What was found so far.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) faults: Vec<Fault>,
    pub(super) warnings: Vec<Fault>,
}

/// A node with its path.
#[derive(Clone)]
pub(super) struct Field<'a> {
    pub(super) path: String,
    pub(super) node: &'a Node,
}

/// A map whose keys are known.
pub(super) struct Fields<'a> {
    path: String,
    at: (usize, usize),
    entries: &'a [Entry],
}

impl Notes {
    pub(super) fn wrong(&mut self, field: &Field<'_>, message: impl Into<String>) {
        self.faults.push(Fault::new(field.path.as_str(), message).at(field.node.at));
    }

    pub(super) fn warn(&mut self, field: &Field<'_>, message: impl Into<String>) {
        self.warnings.push(Fault::new(field.path.as_str(), message).at(field.node.at));
    }
}

impl<'a> Field<'a> {
    pub(super) fn root(node: &'a Node) -> Self {
        Self { path: String::new(), node }
    }

    fn wanted(&self, notes: &mut Notes, what: &str) {
        notes.wrong(self, format!("{what} is expected, not {}", self.node.content.kind()));
    }

    pub(super) fn text(&self, notes: &mut Notes) -> Option<&'a str> {
        match &self.node.content {
            Content::Text(text) => Some(text),
            Content::Int(_) | Content::Float(_) | Content::Bool(_) => {
                notes.wrong(self, format!("a text is expected, not {}; put it in quotes", self.node.content.kind()));
                None
            }
            Content::Null | Content::List(_) | Content::Map(_) => {
                self.wanted(notes, "a text");
                None
            }
        }
    }

    /// A text, or a number or boolean as it is written.
    pub(super) fn scalar(&self, notes: &mut Notes) -> Option<String> {
        match &self.node.content {
            Content::Text(text) => Some(text.clone()),
            Content::Int(number) => Some(number.to_string()),
            Content::Float(number) => Some(number.to_string()),
            Content::Bool(value) => Some(value.to_string()),
            Content::Null | Content::List(_) | Content::Map(_) => {
                self.wanted(notes, "a text");
                None
            }
        }
    }

    pub(super) fn bool(&self, notes: &mut Notes) -> Option<bool> {
        if let Content::Bool(value) = &self.node.content {
            return Some(*value);
        }
        self.wanted(notes, "true or false");
        None
    }

    pub(super) fn count(&self, notes: &mut Notes) -> Option<u32> {
        let Content::Int(number) = &self.node.content else {
            self.wanted(notes, "a whole number");
            return None;
        };
        let count = u32::try_from(*number).ok();
        if count.is_none() {
            notes.wrong(self, format!("{number} is out of range; a count is not below 0"));
        }
        count
    }

    pub(super) fn items(&self, notes: &mut Notes) -> Option<Vec<Field<'a>>> {
        let Content::List(items) = &self.node.content else {
            self.wanted(notes, "a list");
            return None;
        };
        let item = |(at, node)| Field { path: format!("{}[{at}]", self.path), node };
        Some(items.iter().enumerate().map(item).collect())
    }

    /// The texts of a list; wrong ones are noted and left out.
    pub(super) fn texts(&self, notes: &mut Notes) -> Option<Vec<(Field<'a>, &'a str)>> {
        let items = self.items(notes)?;
        Some(items.into_iter().filter_map(|item| item.text(notes).map(|text| (item, text))).collect())
    }

    /// The entries of a map with any keys.
    pub(super) fn entries(&self, notes: &mut Notes) -> Option<Vec<(&'a str, Field<'a>)>> {
        let Content::Map(entries) = &self.node.content else {
            self.wanted(notes, "a map");
            return None;
        };
        Some(entries.iter().map(|entry| (entry.key.as_str(), child(&self.path, entry))).collect())
    }

    /// A map that has these keys and no others.
    pub(super) fn fields(&self, known: &[&str], notes: &mut Notes) -> Option<Fields<'a>> {
        let fields = self.open_fields(notes)?;
        for entry in fields.entries {
            if known.contains(&entry.key.as_str()) {
                continue;
            }
            let near = pipit_commands::bind::nearest(&entry.key, known.iter().copied());
            let help =
                near.map_or_else(|| format!("known are {}", known.join(", ")), |near| format!("did you mean {near}?"));
            let path = child(&self.path, entry).path;
            notes.faults.push(Fault::new(path, format!("the key is unknown; {help}")).at(entry.at));
        }
        Some(fields)
    }

    /// A map that may have other keys as well.
    pub(super) fn open_fields(&self, notes: &mut Notes) -> Option<Fields<'a>> {
        let Content::Map(entries) = &self.node.content else {
            self.wanted(notes, "a map");
            return None;
        };
        Some(Fields { path: self.path.clone(), at: self.node.at, entries })
    }
}

impl<'a> Fields<'a> {
    pub(super) fn get(&self, key: &str) -> Option<Field<'a>> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| child(&self.path, entry))
    }

    /// A field that must be there.
    pub(super) fn need(&self, key: &str, notes: &mut Notes) -> Option<Field<'a>> {
        let field = self.get(key);
        if field.is_none() {
            let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
            notes.faults.push(Fault::new(path, "the field is missing").at(self.at));
        }
        field
    }
}

fn child<'a>(path: &str, entry: &'a Entry) -> Field<'a> {
    let path = if path.is_empty() { entry.key.clone() } else { format!("{path}.{}", entry.key) };
    Field { path, node: &entry.value }
}
