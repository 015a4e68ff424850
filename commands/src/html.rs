//! HTML: the elements of a page that a CSS selector finds, as text. Reads as browsers do, whatever the page is like.
//!
//! Neither reading nor searching has a bound of its own, so it is for a process that has: the shell starts one. Deliberately
//! absent: scripts, styles, forms; a page is what its text says.

use std::ops::Range;

use html5ever::tendril::TendrilSink as _;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use serde::{Deserialize, Serialize};
use simplecss::{AttributeOperator, Element, PseudoClass, Selector};

use crate::Value;

/// The longest selector, in bytes.
const LONGEST: usize = 1024;
/// How deep elements may be nested.
const DEPTH: usize = 2048;

/// What is looked for, as the process that looks is told.
#[derive(Debug, Serialize, Deserialize)]
pub struct Wanted {
    /// Which elements: CSS selectors with commas between.
    pub selector: String,
    /// Which attribute of them; without one their text.
    pub attribute: Option<String>,
}

/// Whether a text is a selector, or what is wrong with it.
pub fn check(text: &str) -> Result<(), String> {
    if text.len() > LONGEST {
        return Err(format!("a selector has {LONGEST} bytes at most"));
    }
    read(text).map(drop)
}

/// The selectors between the commas of a text.
fn read(text: &str) -> Result<Vec<Selector<'_>>, String> {
    let mut from = 0;
    let (mut quote, mut depth) = (None, 0_usize);
    let mut parts = Vec::new();
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (None, '"' | '\'') => quote = Some(letter),
            (None, '[' | '(') => depth += 1,
            (None, ']' | ')') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                parts.push(text.get(from..at).unwrap_or_default());
                from = at + 1;
            }
            (Some(_) | None, _) => {}
        }
    }
    parts.push(text.get(from..).unwrap_or_default());
    let wrong = |part: &str| {
        let marks = "names, .class, #id, [attribute=value] and :first-child, with blanks, > or + between";
        format!("{part:?} is no selector; write {marks}")
    };
    let mut read = Vec::with_capacity(parts.len());
    for part in parts {
        let part = part.trim();
        read.push(Selector::parse(part).filter(|_| !part.is_empty()).ok_or_else(|| wrong(part))?);
    }
    Ok(read)
}

/// The texts, or the attribute, of the elements of a page that are wanted, in order.
pub fn find(page: &str, wanted: &Wanted, found: &mut dyn FnMut(Value) -> bool) -> Result<(), String> {
    let selectors = read(&wanted.selector)?;
    let document = parse_document(RcDom::default(), ParseOpts::default()).one(page);
    let page = Page::of(&document.document)?;
    for at in 0..page.elements.len() {
        let element = Place { page: &page, at };
        if !selectors.iter().any(|selector| selector.matches(&element)) {
            continue;
        }
        let value = match &wanted.attribute {
            Some(name) => element.attribute(name).map(Value::from),
            None => Some(Value::from(page.text(at))),
        };
        if let Some(value) = value
            && !found(value)
        {
            break;
        }
    }
    Ok(())
}

/// A page as a list of its elements in order, each behind the one that holds it.
#[derive(Default)]
struct Page {
    elements: Vec<Tag>,
    /// The texts, each with the element that holds it.
    texts: Vec<(usize, String)>,
}

struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
    parent: Option<usize>,
    before: Option<usize>,
    /// The texts inside it.
    texts: Range<usize>,
}

impl Tag {
    fn has(&self, names: &[&str]) -> bool {
        names.contains(&self.name.as_str())
    }
}

/// Elements whose text nobody reads.
const SILENT: &[&str] = &["script", "style", "template", "noscript", "head"];
/// Elements that stand within a line: around all others there is a blank.
const INLINE: &[&str] = &[
    "a", "abbr", "b", "bdi", "bdo", "cite", "code", "em", "font", "i", "ins", "kbd", "mark", "q", "s", "small", "span",
    "strong", "sub", "sup", "time", "u", "var",
];

impl Page {
    fn of(document: &Handle) -> Result<Self, String> {
        let mut page = Self::default();
        page.add(document, None, 0)?;
        Ok(page)
    }

    fn add(&mut self, node: &Handle, parent: Option<usize>, depth: usize) -> Result<(), String> {
        if depth > DEPTH {
            return Err(format!("the page is nested deeper than {DEPTH}"));
        }
        let mut before = None;
        for child in node.children.borrow().iter() {
            match &child.data {
                NodeData::Element { name, attrs, .. } => {
                    let at = self.elements.len();
                    let attributes = attrs.borrow();
                    let attributes = attributes.iter();
                    let attributes =
                        attributes.map(|one| (one.name.local.to_string(), one.value.to_string())).collect();
                    let (name, from) = (name.local.to_string(), self.texts.len());
                    let apart = !INLINE.contains(&name.as_str());
                    self.elements.push(Tag { name, attributes, parent, before, texts: from..from });
                    before = Some(at);
                    self.gap(apart, at);
                    self.add(child, Some(at), depth + 1)?;
                    self.gap(apart, at);
                    let end = self.texts.len();
                    if let Some(tag) = self.elements.get_mut(at) {
                        tag.texts.end = end;
                    }
                }
                NodeData::Text { contents } => {
                    if let Some(parent) = parent {
                        self.texts.push((parent, contents.borrow().to_string()));
                    }
                }
                NodeData::Document
                | NodeData::Doctype { .. }
                | NodeData::Comment { .. }
                | NodeData::ProcessingInstruction { .. } => {}
            }
        }
        Ok(())
    }

    /// A blank, where a browser begins a new line or cell.
    fn gap(&mut self, apart: bool, at: usize) {
        if apart {
            self.texts.push((at, " ".into()));
        }
    }

    /// The text inside an element, with one blank for every run of blanks.
    fn text(&self, at: usize) -> String {
        let Some(tag) = self.elements.get(at) else { return String::new() };
        let inside = self.texts.get(tag.texts.clone()).unwrap_or_default();
        let silent = |holder: usize| holder != at && self.elements.get(holder).is_some_and(|tag| tag.has(SILENT));
        let text: String =
            inside.iter().filter(|(holder, _)| !silent(*holder)).map(|(_, text)| text.as_str()).collect();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// An element of a page, as the selectors want to see it.
#[derive(Clone, Copy)]
struct Place<'a> {
    page: &'a Page,
    at: usize,
}

impl<'a> Place<'a> {
    fn tag(&self) -> Option<&'a Tag> {
        self.page.elements.get(self.at)
    }

    fn attribute(&self, name: &str) -> Option<&'a str> {
        let attributes = &self.tag()?.attributes;
        attributes.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

impl Element for Place<'_> {
    fn parent_element(&self) -> Option<Self> {
        let at = self.tag()?.parent?;
        Some(Self { at, ..*self })
    }

    fn prev_sibling_element(&self) -> Option<Self> {
        let at = self.tag()?.before?;
        Some(Self { at, ..*self })
    }

    fn has_local_name(&self, name: &str) -> bool {
        self.tag().is_some_and(|tag| tag.name.eq_ignore_ascii_case(name))
    }

    fn attribute_matches(&self, name: &str, operator: AttributeOperator<'_>) -> bool {
        self.attribute(name).is_some_and(|value| operator.matches(value))
    }

    fn pseudo_class_matches(&self, class: PseudoClass<'_>) -> bool {
        match class {
            PseudoClass::FirstChild => self.prev_sibling_element().is_none(),
            PseudoClass::Link => self.has_local_name("a") && self.attribute("href").is_some(),
            PseudoClass::Visited
            | PseudoClass::Hover
            | PseudoClass::Active
            | PseudoClass::Focus
            | PseudoClass::Lang(_) => false,
        }
    }
}
