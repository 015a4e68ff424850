//! A word: bare text, quotes, references and substitutions, glued.

use super::glue::Glue;
use super::refusal::{Parsed, Refusal, Rest, refuse};
use super::scope::{Scope, Within};
use super::{nested, quote, reference, repair};
use crate::SyntaxError;
use crate::ast::{Part, Word};

/// Bytes that are letters wherever they stand in bare text.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = b'!';
    while byte <= b'~' {
        plain[byte as usize] = !matches!(byte, b'"' | b'$' | b'%' | b'\'' | b'(' | b')' | b'=' | b'\\' | b'`');
        byte += 1;
    }
    plain
};

/// A word at its head. `options` says whether it may be an option, that is no lone `--` stands before it.
pub(super) fn word<'t>(scope: Scope<'_, 't>, options: bool, input: &'t str) -> Parsed<'t, Word> {
    let mut glue = Glue::default();
    let mut rest = input;
    if let Some(after) = repair::after_dash(input) {
        glue.text("--", false);
        rest = after;
    }
    // whether a quote opens here: at the head, right after a bare `=`, right after another quoted part
    let mut opens = rest.len() == input.len();
    loop {
        let (after, plain) = plain(rest);
        if !plain.is_empty() {
            glue.text(plain, false);
            opens = false;
        }
        rest = after;
        let Some(letter) = rest.chars().next() else { break };
        let tail = &rest[letter.len_utf8()..];
        let (after, opens_next) = match letter {
            '"' | '\'' if opens => (quote::straight(scope, &mut glue, rest)?, true),
            '$' => (dollar(scope, &mut glue, rest)?, false),
            '%' if tail.starts_with('s') => {
                glue.computed(Part::Percent { quoted: false }, scope.at(rest));
                (&tail[1..], false)
            }
            '`' if matches!(scope.within, Within::Backticks) => break,
            '`' => (substitution(scope, &mut glue, false, rest)?, false),
            '\\' => (backslash(scope, &mut glue, rest)?, false),
            '(' | ')' if scope.in_substitution() => {
                if scope.line_ends(rest) {
                    break;
                }
                parenthesis(scope, letter);
                glue.letter(letter, false);
                glue.quote_here();
                (tail, false)
            }
            '=' => {
                glue.text("=", false);
                glue.equals();
                (tail, true)
            }
            letter if repair::is_blank(letter) => break,
            letter if letter.is_ascii() => {
                glue.letter(letter, false);
                (tail, false)
            }
            letter => typographic(scope, &mut glue, letter, opens, rest)?,
        };
        rest = after;
        opens = opens_next;
    }
    glue.settle();
    if options && let Some(at) = glue.computed_option() {
        let error =
            SyntaxError::new("the name of an option is never computed", scope.head(&input[at - scope.at(input)..], 1));
        return refuse(error.help("write the name in full, as in --name=$x, or put -- before the word"));
    }
    Ok((rest, Word { parts: glue.into_parts(), span: scope.span(input, rest) }))
}

/// The letters up to the next byte that may be more than a letter.
fn plain(input: &str) -> (&str, &str) {
    let end = input.bytes().position(|byte| !PLAIN[usize::from(byte)]).unwrap_or(input.len());
    let (plain, rest) = input.split_at(end);
    (rest, plain)
}

/// Adds what begins with `$`, in bare text.
fn dollar<'t>(scope: Scope<'_, 't>, glue: &mut Glue, input: &'t str) -> Rest<'t> {
    if input.starts_with("$(") {
        return substitution(scope, glue, false, input);
    }
    let (rest, part) = reference::reference(scope, false, input)?;
    match part {
        Some(part) => glue.computed(part, scope.at(input)),
        None => glue.text("$", false),
    }
    Ok(rest)
}

/// Adds a substitution.
pub(super) fn substitution<'t>(scope: Scope<'_, 't>, glue: &mut Glue, quoted: bool, input: &'t str) -> Rest<'t> {
    let (rest, (line, span)) = nested::substitution(scope, input)?;
    glue.computed(Part::Substitution { line, quoted, span }, scope.at(input));
    Ok(rest)
}

/// A backslash takes the next character literally.
fn backslash<'t>(scope: Scope<'_, 't>, glue: &mut Glue, input: &'t str) -> Rest<'t> {
    let mut rest = input[1..].chars();
    let Some(letter) = rest.next() else {
        let error = SyntaxError::new("a backslash with nothing after it", scope.head(input, 1));
        return refuse(error.help("write \\\\ for the mark itself"));
    };
    if repair::is_invisible(letter) {
        return refuse(repair::refused_outside_quotes(scope.at(input) + 1, letter));
    }
    glue.quote_here();
    glue.letter(letter, true);
    Ok(rest.as_str())
}

/// Counts a bare parenthesis that does not close the substitution.
fn parenthesis(scope: Scope<'_, '_>, letter: char) {
    match scope.within {
        Within::Parentheses(waiting) if letter == '(' => waiting.set(waiting.get() + 1),
        Within::Parentheses(waiting) => waiting.set(waiting.get() - 1),
        Within::Text | Within::Backticks => {}
    }
}

/// A character beyond ASCII: a pair of typographic quotes, or a letter; and whether a quote opens behind it.
fn typographic<'t>(
    scope: Scope<'_, 't>,
    glue: &mut Glue,
    letter: char,
    opens: bool,
    input: &'t str,
) -> Result<(&'t str, bool), nom::Err<Refusal>> {
    if repair::is_invisible(letter) {
        return refuse(repair::refused_outside_quotes(scope.at(input), letter));
    }
    if opens && let Some(mark) = repair::mark(letter) {
        if let Some(rest) = quote::typographic(scope, mark, glue, input)? {
            return Ok((rest, true));
        }
        glue.quote_here();
    }
    glue.letter(letter, false);
    Ok((&input[letter.len_utf8()..], false))
}
