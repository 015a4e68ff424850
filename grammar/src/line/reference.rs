//! References to the incoming value, `$name.key[0]['any key']` and `${…}`, the parameters of an alias, and paths as
//! commands take them.

use ecow::EcoString;

use super::quote;
use super::refusal::{Parsed, refuse};
use super::scope::Scope;
use crate::SyntaxError;
use crate::ast::{Parameter, Part, Path, Step};

/// How a path is written: it decides what may follow a dot, and which quotes a key takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    /// In bare text.
    Bare,
    /// Inside double quotes.
    Quoted,
    /// Alone, for a command.
    Alone,
}

/// A reference or parameter at its `$`, which is not before a parenthesis; none when the `$` is text.
pub(super) fn reference<'t>(scope: Scope<'_, 't>, quoted: bool, input: &'t str) -> Parsed<'t, Option<Part>> {
    let inside = &input[1..];
    let written = if quoted { Written::Quoted } else { Written::Bare };
    match inside.as_bytes().first() {
        Some(b'{') => {
            let (rest, path) = braced(scope, written, input)?;
            Ok((rest, Some(Part::Reference { path, quoted })))
        }
        Some(digit @ b'1'..=b'9') if scope.reading.parameters => {
            Ok((&inside[1..], Some(Part::Parameter { which: Parameter::Nth(digit - b'0'), quoted })))
        }
        Some(b'*') if scope.reading.parameters => {
            Ok((&inside[1..], Some(Part::Parameter { which: Parameter::All, quoted })))
        }
        Some(_) | None => match plain(inside) {
            Some((rest, field)) => {
                let (rest, steps) = steps(scope, written, false, input, rest)?;
                Ok((rest, Some(Part::Reference { path: Path { field: named(field), steps }, quoted })))
            }
            None => Ok((inside, None)),
        },
    }
}

/// `${path}`
fn braced<'t>(scope: Scope<'_, 't>, written: Written, input: &'t str) -> Parsed<'t, Path> {
    let help = "write ${name}, ${name.key} or ${name[0]}, without blanks";
    let Some((rest, field)) = plain(&input[2..]) else {
        let error = SyntaxError::new("${ wants the name of a field", scope.head(input, 2));
        return refuse(error.help(if written == Written::Bare { help } else { "for the marks themselves write \\${" }));
    };
    let (rest, steps) = steps(scope, written, true, input, rest)?;
    match rest.strip_prefix('}') {
        Some(rest) => Ok((rest, Path { field: named(field), steps })),
        None if rest.is_empty() => {
            refuse(SyntaxError::new("${ is never closed", scope.head(input, 2)).help("close it with }"))
        }
        None => refuse(SyntaxError::new("${ } holds nothing but a path", scope.head(rest, 1)).help(help)),
    }
}

/// The steps behind a field.
fn steps<'t>(
    scope: Scope<'_, 't>,
    written: Written,
    braces: bool,
    head: &'t str,
    input: &'t str,
) -> Parsed<'t, Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = input;
    loop {
        let (after, step) = match rest.as_bytes().first() {
            Some(b'.') => match plain(&rest[1..]) {
                Some((after, key)) => (after, Step::Key(EcoString::from(key))),
                None => {
                    return match dot(scope, written, braces, head, rest) {
                        Some(error) => refuse(error),
                        None => Ok((rest, steps)),
                    };
                }
            },
            Some(b'[') => bracket(scope, written, rest)?,
            Some(_) | None => return Ok((rest, steps)),
        };
        steps.push(step);
        rest = after;
    }
}

/// The error for a dot that no key follows, unless the dot is text.
fn dot(scope: Scope<'_, '_>, written: Written, braces: bool, head: &str, rest: &str) -> Option<SyntaxError> {
    let tail = &rest[1..];
    let so_far = &head[..head.len() - rest.len()];
    let path = so_far.trim_start_matches(['$', '{']);
    match tail.bytes().next() {
        Some(b'0'..=b'9') => {
            let digits = tail.bytes().take_while(u8::is_ascii_digit).count();
            let number = &tail[..digits];
            let error = SyntaxError::new("a key begins with a letter", scope.head(rest, 1 + digits));
            Some(
                error.help(format!("for a place in a list write ${path}[{number}]; to end the reference, ${{{path}}}")),
            )
        }
        Some(b'\'' | b'"') if written != Written::Quoted => {
            let error = SyntaxError::new("a quoted key stands in brackets", scope.head(rest, 2));
            Some(error.help(format!("write ${path}['a key']; to end the reference, ${{{path}}}")))
        }
        Some(_) | None if braces => Some(SyntaxError::new("a key is missing after the dot", scope.head(rest, 1))),
        Some(_) | None => None,
    }
}

/// `"[" index | key | 'any key' "]"`
fn bracket<'t>(scope: Scope<'_, 't>, written: Written, input: &'t str) -> Parsed<'t, Step> {
    let inside = &input[1..];
    let (rest, step) = match inside.as_bytes().first() {
        Some(b'\'') => quoted_key(scope, '\'', written == Written::Quoted, inside)?,
        Some(b'"') if written != Written::Quoted => quoted_key(scope, '"', true, inside)?,
        Some(b'-' | b'0'..=b'9') => index(scope, input)?,
        Some(_) | None => match plain(inside) {
            Some((rest, key)) => (rest, Step::Key(EcoString::from(key))),
            None => return malformed(scope, written, input),
        },
    };
    match rest.strip_prefix(']') {
        Some(rest) => Ok((rest, step)),
        None => malformed(scope, written, input),
    }
}

/// An integer, at the bracket before it; negative counts from the end.
fn index<'t>(scope: Scope<'_, 't>, input: &'t str) -> Parsed<'t, Step> {
    let inside = &input[1..];
    let sign = usize::from(inside.starts_with('-'));
    let end = sign + inside[sign..].bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = inside.split_at(end);
    if end == sign {
        return malformed(scope, Written::Bare, input);
    }
    match number.parse() {
        Ok(index) => Ok((rest, Step::Index(index))),
        Err(_) => refuse(SyntaxError::new("no list is so long", scope.head(inside, end))),
    }
}

/// A key in quotes. In double quotes, its own or those around it, it has their escapes.
fn quoted_key<'t>(scope: Scope<'_, 't>, mark: char, escapes: bool, input: &'t str) -> Parsed<'t, Step> {
    let mut key = EcoString::new();
    let mut rest = &input[1..];
    loop {
        let Some(end) = rest.find([mark, '\\']) else {
            return refuse(
                SyntaxError::new(format!("{mark} is never closed"), scope.head(input, 1))
                    .help(format!("close the key with {mark}]")),
            );
        };
        key.push_str(&rest[..end]);
        let special = &rest[end..];
        if let Some(rest) = special.strip_prefix(mark) {
            return Ok((rest, Step::Key(key)));
        }
        if escapes {
            let (after, letter) = quote::escape(scope, special)?;
            key.push(letter);
            rest = after;
        } else {
            key.push('\\');
            rest = &special[1..];
        }
    }
}

fn malformed<'t, T>(scope: Scope<'_, 't>, written: Written, input: &'t str) -> Parsed<'t, T> {
    let shown = input.find(']').map_or(1, |end| end + 1);
    let error = SyntaxError::new("[ ] after a reference holds an index or a key", scope.head(input, shown));
    refuse(error.help(match written {
        Written::Bare => "write [0], [key] or ['any key']; to end the reference before the bracket, ${name}",
        Written::Quoted => "inside double quotes write [0], [key] or ['any key']; to end the reference, ${name}",
        Written::Alone => "write [0], [key] or ['any key']",
    }))
}

/// A path alone: `a.b[0]`, `a."x.y"`, `_`, `[0]`.
pub(super) fn whole_path<'t>(scope: Scope<'_, 't>, input: &'t str) -> Parsed<'t, Path> {
    let (mut rest, field) = match plain(input) {
        Some((rest, field)) => (rest, named(field)),
        None => (input, None),
    };
    let mut steps = Vec::new();
    if rest.len() == input.len() && !input.starts_with(['[', '.']) {
        let (after, step) = key(scope, input)?;
        steps.push(step);
        rest = after;
    }
    while !rest.is_empty() {
        let (after, step) = match rest.as_bytes() {
            [b'[', ..] => bracket(scope, Written::Alone, rest)?,
            [b'.', ..] if rest.len() < input.len() => key(scope, &rest[1..])?,
            _ => {
                let error = SyntaxError::new("this is no path", scope.head(rest, 1));
                return refuse(error.help("write a path as name.key, name[0] or name['any key']"));
            }
        };
        steps.push(step);
        rest = after;
    }
    Ok((rest, Path { field, steps }))
}

/// A key behind a dot, or at the head of a path that stands alone: as typed, or in either quotes.
fn key<'t>(scope: Scope<'_, 't>, input: &'t str) -> Parsed<'t, Step> {
    match input.as_bytes().first() {
        Some(b'\'') => quoted_key(scope, '\'', false, input),
        Some(b'"') => quoted_key(scope, '"', true, input),
        Some(_) | None => {
            let end = input.find(['.', '[', ']', '\'', '"', ' ']).unwrap_or(input.len());
            let (key, rest) = input.split_at(end);
            let wrong = if key.is_empty() {
                SyntaxError::new("a key is missing here", scope.head(input, 1))
                    .help("write a path as name.key or name[0]")
            } else if key.bytes().all(|byte| byte.is_ascii_digit()) {
                let error = SyntaxError::new("a number is no key", scope.head(input, end));
                error.help(format!("for a place in a list write [{key}], for a key ['{key}']"))
            } else {
                return Ok((rest, Step::Key(EcoString::from(key))));
            };
            refuse(wrong)
        }
    }
}

/// The field of a reference; `_` alone is the value itself.
fn named(field: &str) -> Option<EcoString> {
    (field != "_").then(|| EcoString::from(field))
}

/// A field or key as it can be typed: parts of letters, digits and `_`, joined by single hyphens.
fn plain(input: &str) -> Option<(&str, &str)> {
    let bytes = input.as_bytes();
    let in_part = |at: usize| bytes.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    if !in_part(0) || bytes.first().is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let mut end = 1;
    while in_part(end) || (bytes.get(end) == Some(&b'-') && in_part(end + 1)) {
        end += 1;
    }
    let (plain, rest) = input.split_at(end);
    Some((rest, plain))
}

/// Whether a key can be typed behind a dot.
pub(crate) fn is_plain(key: &str) -> bool {
    plain(key).is_some_and(|(rest, _)| rest.is_empty())
}
