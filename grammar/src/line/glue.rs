//! The parts of a word as they are read, glued into the parts it has in the tree.

use ecow::EcoString;

use crate::ast::Part;

/// Parts so far. Neighbouring texts of one kind are one part, and an empty quoted text is kept only when it is the
/// whole run.
#[derive(Debug, Default)]
pub(super) struct Glue {
    parts: Vec<Part>,
    /// Behind the last bare `=`.
    equals: Option<Seam>,
    /// From where on a letter that cannot stand bare makes quoted text of the word.
    quoted_from: Option<Seam>,
    /// The first part that is looked up: the offset where it stands.
    computed: Option<usize>,
}

/// A place between two letters of a word.
#[derive(Clone, Copy, Debug, Default)]
struct Seam {
    /// The part.
    part: usize,
    /// The bytes of its text before the seam.
    text: usize,
}

impl Glue {
    /// Adds literal text.
    pub(super) fn text(&mut self, more: &str, quoted: bool) {
        match self.parts.last_mut() {
            Some(Part::Text { text, quoted: last }) if *last == quoted => text.push_str(more),
            Some(last) if more.is_empty() && (!quoted || last.is_quoted()) => {}
            None if more.is_empty() && !quoted => {}
            Some(_) | None => self.parts.push(Part::Text { text: EcoString::from(more), quoted }),
        }
    }

    /// Adds one literal character.
    pub(super) fn letter(&mut self, letter: char, quoted: bool) {
        self.text(letter.encode_utf8(&mut [0; 4]), quoted);
    }

    /// Adds what is looked up at this offset of the text.
    pub(super) fn computed(&mut self, part: Part, at: usize) {
        if part.is_quoted()
            && let Some(Part::Text { text, quoted: true }) = self.parts.last()
            && text.is_empty()
        {
            self.parts.pop();
        }
        self.computed.get_or_insert(at);
        self.parts.push(part);
    }

    /// Adds the parts of a quoted run that was read apart.
    pub(super) fn run(&mut self, run: Self) {
        let at = run.computed;
        for part in run.parts {
            self.part(part, at);
        }
    }

    /// A bare `=` was just added.
    pub(super) fn equals(&mut self) {
        let text = match self.parts.last() {
            Some(Part::Text { text, .. }) => text.len(),
            Some(_) | None => 0,
        };
        self.equals = Some(Seam { part: self.parts.len().saturating_sub(1), text });
    }

    /// The word holds, here, what cannot stand bare in the canonical line: it is quoted from behind the last bare `=`,
    /// else from its head.
    pub(super) fn quote_here(&mut self) {
        self.quoted_from.get_or_insert(self.equals.unwrap_or_default());
    }

    /// The offset of what is looked up inside the name of an option, if there is such a thing.
    pub(super) fn computed_option(&self) -> Option<usize> {
        let at = self.computed?;
        match self.parts.first() {
            Some(Part::Text { text, quoted: false }) if text.starts_with('-') => {}
            Some(_) | None => return None,
        }
        for part in &self.parts {
            match part {
                Part::Text { text, .. } if text.contains('=') => return None,
                Part::Text { .. } => {}
                Part::Reference { .. } | Part::Percent { .. } | Part::Substitution { .. } | Part::Parameter { .. } => {
                    return Some(at);
                }
            }
        }
        None
    }

    /// Quotes what has to be quoted.
    pub(super) fn settle(&mut self) {
        let Some(seam) = self.quoted_from.take() else { return };
        let mut quoted = Self { computed: self.computed, ..Self::default() };
        for (index, part) in std::mem::take(&mut self.parts).into_iter().enumerate() {
            if index < seam.part {
                quoted.parts.push(part);
                continue;
            }
            match part {
                Part::Text { text, .. } => {
                    let (bare, rest) = if index == seam.part { text.split_at(seam.text) } else { ("", text.as_str()) };
                    quoted.text(bare, false);
                    quoted.text(rest, true);
                }
                Part::Reference { path, .. } => quoted.part(Part::Reference { path, quoted: true }, None),
                Part::Percent { .. } => quoted.part(Part::Percent { quoted: true }, None),
                Part::Substitution { line, span, .. } => {
                    quoted.part(Part::Substitution { line, quoted: true, span }, None);
                }
                Part::Parameter { which, .. } => quoted.part(Part::Parameter { which, quoted: true }, None),
            }
        }
        *self = quoted;
    }

    /// The parts of the finished word.
    pub(super) fn into_parts(self) -> Vec<Part> {
        self.parts
    }

    fn part(&mut self, part: Part, at: Option<usize>) {
        match part {
            Part::Text { text, quoted } => self.text(&text, quoted),
            Part::Reference { .. } | Part::Percent { .. } | Part::Substitution { .. } | Part::Parameter { .. } => {
                let known = self.computed.or(at);
                self.computed(part, known.unwrap_or_default());
                self.computed = known;
            }
        }
    }
}
