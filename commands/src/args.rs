//! What a call was given: words as they came out of the line, and arguments as the command's usage names them.

use ecow::EcoString;
use pipit_grammar::usage::Usage;

use crate::{Labels, Value};

/// How a piece of a word came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Typed without quotes.
    Bare,
    /// Typed in quotes or behind a backslash.
    Quoted,
    /// From a reference, a substitution, an incoming value.
    Computed,
}

/// A word after its references and substitutions were looked up: still in pieces, since a bare piece may be syntax for
/// a command (`cpu>80`, `a, b`) and a computed one never is.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// The pieces, glued together in the word.
    pub pieces: Vec<(Value, How)>,
    /// What from outside had a part in it.
    pub labels: Labels,
}

impl Given {
    /// A word of one piece.
    #[must_use]
    pub fn one(value: Value, how: How) -> Self {
        Self::of(vec![(value, how)])
    }

    /// A word of several pieces.
    #[must_use]
    pub fn of(pieces: Vec<(Value, How)>) -> Self {
        Self { pieces, labels: Labels::default() }
    }

    /// The word, with what had a part in it.
    #[must_use]
    pub fn labelled(self, labels: Labels) -> Self {
        Self { labels, ..self }
    }

    /// The text, if the whole word was typed without quotes.
    #[must_use]
    pub fn bare(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [(Value::Text(text), How::Bare)] => Some(text),
            _ => None,
        }
    }

    /// The word as text.
    #[must_use]
    pub fn text(&self) -> EcoString {
        match self.pieces.as_slice() {
            [(value, _)] => value.to_text(),
            pieces => pieces.iter().map(|(value, _)| value.to_text()).collect::<Vec<_>>().concat().into(),
        }
    }

    /// The word as a value: a bare one by its spelling, a quoted one as text, a computed one as it is, several pieces
    /// as text.
    #[must_use]
    pub fn value(&self) -> Value {
        match self.pieces.as_slice() {
            [(Value::Text(text), How::Bare)] => Value::of_bare(text),
            [(value, _)] => value.clone(),
            _ => Value::Text(self.text()),
        }
    }
}

/// An argument: its value in the parameter's type, and the word it came from where the command asked for that.
#[derive(Clone, Debug, PartialEq)]
pub struct Arg {
    /// In the parameter's type.
    pub value: Value,
    /// The word, for parameters of [`crate::Kind::Word`].
    pub given: Option<Given>,
    /// What from outside had a part in it.
    pub labels: Labels,
}

/// Arguments by the parameters and options of a usage.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Args {
    /// By parameter, in the order of the usage; empty where nothing was given.
    pub params: Vec<Vec<Arg>>,
    /// By option, in the order of the usage; a flag that was given has `true`.
    pub options: Vec<Vec<Arg>>,
    /// What from outside had a part in the values that flow in.
    pub input: Labels,
    /// What may have had a part in the values that come out, as far as it is known before they do.
    pub output: Labels,
}

impl Args {
    fn index(usage: &Usage, name: &str) -> Option<usize> {
        usage.params.iter().position(|param| param.name == name)
    }

    /// The arguments of a parameter, or of an option by its long (else short) name without dashes.
    #[must_use]
    pub fn all<'a>(&'a self, usage: &Usage, name: &str) -> &'a [Arg] {
        if let Some(at) = Self::index(usage, name) {
            return self.params.get(at).map_or(&[], Vec::as_slice);
        }
        let at = usage.options.iter().position(|option| option.key() == name);
        at.and_then(|at| self.options.get(at)).map_or(&[], Vec::as_slice)
    }

    /// The positional values in order, as access rules see them (`arg[0]`).
    pub fn words(&self) -> impl Iterator<Item = &Value> {
        self.params.iter().flatten().map(|arg| &arg.value)
    }
}
