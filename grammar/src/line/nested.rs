//! Lines inside lines: blocks and substitutions.

use std::cell::Cell;

use super::refusal::{Parsed, refuse};
use super::scope::{Scope, Within};
use super::{line, repair::after_blanks};
use crate::Span;
use crate::ast::{Block, Line};

/// `block = "{" line "}"`, behind the opening brace, which stands at `opener`.
pub(super) fn block<'t>(scope: Scope<'_, 't>, opener: &'t str, input: &'t str) -> Parsed<'t, Block> {
    let inner = scope.block(opener)?;
    let (rest, line) = line(inner, input)?;
    match after_blanks(rest).strip_prefix('}') {
        Some(rest) => Ok((rest, Block { line, span: scope.span(opener, rest) })),
        None => refuse(inner.unclosed()),
    }
}

/// ``substitution = "$(" line ")" | "`" line "`"``
pub(super) fn substitution<'t>(scope: Scope<'_, 't>, opener: &'t str) -> Parsed<'t, (Box<Line>, Span)> {
    let waiting = Cell::new(0);
    let (within, opening, closing) =
        if opener.starts_with('`') { (Within::Backticks, 1, '`') } else { (Within::Parentheses(&waiting), 2, ')') };
    let inner = scope.substitution(opener, opening, within)?;
    let (rest, line) = line(inner, &opener[opening..])?;
    match rest.strip_prefix(closing) {
        Some(rest) => Ok((rest, (Box::new(line), scope.span(opener, rest)))),
        None => refuse(inner.unclosed()),
    }
}
