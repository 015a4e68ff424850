//! Where a rule reads: in which text, inside which block or substitution, how deep.

use std::cell::{Cell, RefCell};

use super::refusal::{Refusal, refuse};
use super::repair::{self, Mark};
use crate::{Span, SyntaxError, limits};

/// What the rules share over one text.
pub(super) struct Reading<'t> {
    text: &'t str,
    /// Whether `$1` and `$*` are parameters, as in the line of an alias.
    pub(super) parameters: bool,
    substitutions: Cell<usize>,
    unpaired: RefCell<Vec<Unpaired>>,
}

/// From `from` on, no mark of this kind has its partner in the substitution that opens at `scope`. Remembered so that
/// a line full of lonely marks is still read in linear time.
struct Unpaired {
    scope: usize,
    opening: char,
    from: usize,
}

/// The innermost substitution.
#[derive(Clone, Copy)]
pub(super) enum Within<'p> {
    /// None: the text itself.
    Text,
    /// `$( )`, with the count of bare parentheses that wait for their partner.
    Parentheses(&'p Cell<usize>),
    /// `` ` ` ``.
    Backticks,
}

/// The place of a rule.
#[derive(Clone, Copy)]
pub(super) struct Scope<'p, 't> {
    /// The text.
    pub(super) reading: &'p Reading<'t>,
    /// The innermost substitution.
    pub(super) within: Within<'p>,
    /// Where that substitution opens.
    opener: usize,
    /// Where the innermost block opens, when there is one inside that substitution.
    pub(super) block: Option<usize>,
    depth: usize,
}

impl<'t> Reading<'t> {
    pub(super) fn new(text: &'t str, parameters: bool) -> Self {
        Self { text, parameters, substitutions: Cell::new(0), unpaired: RefCell::new(Vec::new()) }
    }
}

impl<'p, 't> Scope<'p, 't> {
    /// The text itself.
    pub(super) fn text(reading: &'p Reading<'t>) -> Self {
        Self { reading, within: Within::Text, opener: 0, block: None, depth: 0 }
    }

    /// The offset of a rest. Every rest is an end of the text.
    pub(super) fn at(&self, rest: &str) -> usize {
        self.reading.text.len() - rest.len()
    }

    /// From the head of one rest to the head of a later one.
    pub(super) fn span(&self, from: &str, to: &str) -> Span {
        Span::new(self.at(from), self.at(to))
    }

    /// The span of the first bytes of a rest.
    pub(super) fn head(&self, rest: &str, bytes: usize) -> Span {
        let at = self.at(rest);
        Span::new(at, at + bytes.min(rest.len()))
    }

    /// Whether a word ends here: at a blank, or where the line does.
    pub(super) fn word_ends(&self, rest: &str) -> bool {
        self.line_ends(rest) || rest.starts_with(repair::is_blank)
    }

    /// Whether the line ends here: at the end of the text, or at what closes the innermost substitution.
    pub(super) fn line_ends(&self, rest: &str) -> bool {
        match rest.as_bytes().first() {
            None => true,
            Some(b')') => matches!(self.within, Within::Parentheses(waiting) if waiting.get() == 0),
            Some(b'`') => matches!(self.within, Within::Backticks),
            Some(_) => false,
        }
    }

    /// The scope of a block that opens here.
    pub(super) fn block(&self, opener: &str) -> Result<Self, nom::Err<Refusal>> {
        let depth = self.deeper(opener, 1)?;
        Ok(Self { block: Some(self.at(opener)), depth, ..*self })
    }

    /// The scope of a substitution that opens here with so many bytes.
    pub(super) fn substitution<'q>(
        &self,
        opener: &str,
        bytes: usize,
        within: Within<'q>,
    ) -> Result<Scope<'q, 't>, nom::Err<Refusal>>
    where
        'p: 'q,
    {
        let depth = self.deeper(opener, bytes)?;
        let count = self.reading.substitutions.get() + 1;
        if count > limits::SUBSTITUTIONS {
            let message = format!("a line holds at most {} substitutions", limits::SUBSTITUTIONS);
            return refuse(SyntaxError::new(message, self.head(opener, bytes)).help("split the line in two"));
        }
        self.reading.substitutions.set(count);
        Ok(Scope { reading: self.reading, within, opener: self.at(opener), block: None, depth })
    }

    fn deeper(&self, opener: &str, bytes: usize) -> Result<usize, nom::Err<Refusal>> {
        if self.depth == limits::DEPTH {
            let message = format!("blocks and substitutions stand in each other at most {} deep", limits::DEPTH);
            return refuse(SyntaxError::new(message, self.head(opener, bytes)).help("make an alias of the inner part"));
        }
        Ok(self.depth + 1)
    }

    /// The error for an end of the line while something is still open.
    pub(super) fn unclosed(&self) -> SyntaxError {
        let (opener, at, close) = match (self.block, self.within) {
            (Some(at), _) => ("{", at, "close it with }, with a blank before it"),
            (None, Within::Backticks) => ("`", self.opener, "close it with `"),
            (None, Within::Text | Within::Parentheses(_)) => ("$(", self.opener, "close it with )"),
        };
        SyntaxError::new(format!("{opener} is never closed"), Span::new(at, at + opener.len())).help(close)
    }

    /// From the opener of the innermost block or substitution to here.
    pub(super) fn opened(&self, rest: &str) -> Span {
        Span::new(self.block.unwrap_or(self.opener), self.at(rest))
    }

    /// Whether the line here is inside a block or a substitution.
    pub(super) fn is_nested(&self) -> bool {
        self.depth > 0
    }

    /// Whether bare parentheses have to be quoted in print, since they would close something there.
    pub(super) fn in_substitution(&self) -> bool {
        !matches!(self.within, Within::Text)
    }

    /// Whether a mark here is known to have no partner.
    pub(super) fn is_unpaired(&self, mark: Mark, rest: &str) -> bool {
        let at = self.at(rest);
        let known = self.reading.unpaired.borrow();
        known.iter().any(|one| one.scope == self.opener && one.opening == mark.opening && one.from <= at)
    }

    /// Remembers that a mark here has no partner.
    pub(super) fn remember_unpaired(&self, mark: Mark, rest: &str) {
        let one = Unpaired { scope: self.opener, opening: mark.opening, from: self.at(rest) };
        self.reading.unpaired.borrow_mut().push(one);
    }

    /// Tries a rule; what it counted does not count when it fails softly.
    pub(super) fn attempt<T>(
        &self,
        rule: impl FnOnce() -> Result<T, nom::Err<Refusal>>,
    ) -> Result<Option<T>, nom::Err<Refusal>> {
        let before = self.reading.substitutions.get();
        match rule() {
            Ok(read) => Ok(Some(read)),
            Err(nom::Err::Error(_)) => {
                self.reading.substitutions.set(before);
                Ok(None)
            }
            Err(refusal) => Err(refusal),
        }
    }
}
