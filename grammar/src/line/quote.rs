//! Quotes: `'…'` is literal, `"…"` binds references and substitutions and has escapes, and each has its typographic
//! pairs.

use super::glue::Glue;
use super::refusal::{Refusal, Rest, elsewhere, refuse};
use super::repair::Mark;
use super::scope::Scope;
use super::{reference, word};
use crate::SyntaxError;
use crate::ast::Part;

/// A quoted part at its straight mark.
pub(super) fn straight<'t>(scope: Scope<'_, 't>, glue: &mut Glue, opener: &'t str) -> Rest<'t> {
    if opener.starts_with('"') {
        return double(scope, None, glue, opener);
    }
    let inside = &opener[1..];
    match inside.split_once('\'') {
        Some((text, rest)) => {
            glue.text(text, true);
            Ok(rest)
        }
        None => refuse(never_closed(scope, opener, '\'')),
    }
}

/// A pair of typographic marks, when the one that stands here is paired: when a closing one ends the word.
pub(super) fn typographic<'t>(
    scope: Scope<'_, 't>,
    mark: Mark,
    glue: &mut Glue,
    opener: &'t str,
) -> Result<Option<&'t str>, nom::Err<Refusal>> {
    if scope.is_unpaired(mark, opener) {
        return Ok(None);
    }
    let inside = &opener[mark.opening.len_utf8()..];
    let Some((text, rest)) = closing(scope, mark, inside) else {
        scope.remember_unpaired(mark, opener);
        return Ok(None);
    };
    if !mark.double {
        glue.text(text, true);
        return Ok(Some(rest));
    }
    // a substitution inside may hold marks of its own, so the partner is known only when all is read
    let mut run = Glue::default();
    let read = scope.attempt(|| double(scope, Some(mark), &mut run, opener))?;
    match read {
        Some(_) => glue.run(run),
        None => scope.remember_unpaired(mark, opener),
    }
    Ok(read)
}

/// The text up to the first closing mark that ends the word, and the rest behind the mark.
fn closing<'t>(scope: Scope<'_, '_>, mark: Mark, inside: &'t str) -> Option<(&'t str, &'t str)> {
    inside.match_indices(mark.closing).find_map(|(at, closing)| {
        let rest = &inside[at + closing.len()..];
        scope.word_ends(rest).then_some((&inside[..at], rest))
    })
}

/// `"…"` from its opening mark, or a typographic pair of that meaning, which fails softly when it has no end.
fn double<'t>(scope: Scope<'_, 't>, mark: Option<Mark>, glue: &mut Glue, opener: &'t str) -> Rest<'t> {
    let opening = mark.map_or('"', |mark| mark.opening);
    let mut rest = &opener[opening.len_utf8()..];
    glue.text("", true);
    loop {
        let end = rest.find(['"', '\\', '$', '%', '“', '”']).unwrap_or(rest.len());
        let (text, special) = rest.split_at(end);
        glue.text(text, true);
        let Some(letter) = special.chars().next() else {
            return if mark.is_some() { elsewhere() } else { refuse(never_closed(scope, opener, '"')) };
        };
        let tail = &special[letter.len_utf8()..];
        rest = match letter {
            '"' if mark.is_none() => return Ok(tail),
            '“' | '”' if mark.is_some_and(|mark| mark.closing.contains(&letter)) && scope.word_ends(tail) => {
                return Ok(tail);
            }
            '$' if tail.starts_with('(') => word::substitution(scope, glue, true, special)?,
            '$' => {
                let (rest, part) = reference::reference(scope, true, special)?;
                match part {
                    Some(part) => glue.computed(part, scope.at(special)),
                    None => glue.text("$", true),
                }
                rest
            }
            '%' if tail.starts_with('s') => {
                glue.computed(Part::Percent { quoted: true }, scope.at(special));
                &tail[1..]
            }
            '\\' => {
                let (rest, letter) = escape(scope, special)?;
                glue.letter(letter, true);
                rest
            }
            letter => {
                glue.letter(letter, true);
                tail
            }
        };
    }
}

/// What a backslash and its follower stand for inside double quotes: itself, before anything that is no escape.
pub(super) fn escape<'t>(scope: Scope<'_, 't>, input: &'t str) -> Result<(&'t str, char), nom::Err<Refusal>> {
    let letter = match input.as_bytes() {
        [_, mark @ (b'"' | b'\\' | b'$'), ..] => char::from(*mark),
        [_, b'n', ..] => '\n',
        [_, b't', ..] => '\t',
        [_, b'u', b'{', ..] => return code_point(scope, input),
        _ => return Ok((&input[1..], '\\')),
    };
    Ok((&input[2..], letter))
}

/// `\u{1 to 6 hex}`
fn code_point<'t>(scope: Scope<'_, 't>, input: &'t str) -> Result<(&'t str, char), nom::Err<Refusal>> {
    let digits = &input[3..];
    let count = digits.bytes().take(7).take_while(u8::is_ascii_hexdigit).count();
    let rest = &digits[count..];
    let help = "write 1 to 6 hexadecimal digits, as in \\u{e9}; for the mark itself write \\\\u{";
    let Some(rest) = rest.strip_prefix('}').filter(|_| (1..=6).contains(&count)) else {
        let error = SyntaxError::new("\\u{ } holds no code point", scope.head(input, 3 + count));
        return refuse(error.help(help));
    };
    let code = u32::from_str_radix(&digits[..count], 16).unwrap_or_default();
    match char::from_u32(code) {
        Some(letter) if letter != '\0' => Ok((rest, letter)),
        Some(_) | None => {
            let what =
                if code == 0 { "the null character stands in no text" } else { "no character has this code point" };
            refuse(SyntaxError::new(what, scope.span(input, rest)).help(help))
        }
    }
}

fn never_closed(scope: Scope<'_, '_>, opener: &str, mark: char) -> SyntaxError {
    SyntaxError::new(format!("{mark} is never closed"), scope.head(opener, 1))
        .help(format!("close it with {mark}, or write \\{mark} for the mark itself"))
}
