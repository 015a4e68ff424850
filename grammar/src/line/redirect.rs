//! Redirects: where the values of a pipeline go. A place is a bare word, never computed.

use ecow::EcoString;

use super::refusal::{Parsed, refuse};
use super::repair::after_blanks;
use super::scope::Scope;
use super::{Operator, operator, word};
use crate::ast::{Item, Part, Redirect, RedirectKind, Target, Word};
use crate::error::repeated;
use crate::{Span, SyntaxError};

const PLACES: &str = "a place is here, me, thread, #room, @user or adapter://place";

/// `redirect = ">" target | "*>" target { target }`, behind its operator, which stands at `head`. `words` are those of
/// the stage before, for the advice to someone who meant to compare.
pub(super) fn redirect<'t>(
    scope: Scope<'_, 't>,
    kind: Operator,
    words: &[Item],
    head: &'t str,
    input: &'t str,
) -> Parsed<'t, Redirect> {
    let text = kind.text();
    let kind = if kind == Operator::ToMany { RedirectKind::Many } else { RedirectKind::One };
    let mut targets = Vec::new();
    let mut rest = input;
    loop {
        let start = after_blanks(rest);
        if scope.line_ends(start) {
            break;
        }
        match operator(scope, start) {
            Some((_, Operator::And | Operator::Or | Operator::Close)) => break,
            Some((_, Operator::Pipe | Operator::To | Operator::ToMany | Operator::Open)) if targets.is_empty() => break,
            Some((_, found @ (Operator::Pipe | Operator::To | Operator::ToMany | Operator::Open))) => {
                let span = scope.head(start, found.text().len());
                let help = match found {
                    Operator::To | Operator::ToMany => "for several places write *> here #ops",
                    Operator::Open => "write the block before the redirect",
                    Operator::Pipe | Operator::And | Operator::Or | Operator::Close => "write the redirect at the end",
                };
                return refuse(SyntaxError::new("a redirect ends its pipeline", span).help(help));
            }
            None => {}
        }
        let (after, word) = word::word(scope, false, start)?;
        let typed = &start[..start.len() - after.len()];
        if kind == RedirectKind::One && !targets.is_empty() {
            let help = "for several write *> here #ops; words and options stand before the redirect";
            return refuse(SyntaxError::new("> takes one place", word.span).help(help));
        }
        let Some(target) = target(&word, typed) else {
            return refuse(no_place(words, &word, typed));
        };
        targets.push(target);
        rest = after;
    }
    if targets.is_empty() {
        let error = SyntaxError::new(format!("a place is missing after {text}"), scope.head(head, text.len()));
        return refuse(error.help(format!("{PLACES}; for the mark itself write '{text}'")));
    }
    Ok((rest, Redirect { kind, targets, span: scope.span(head, rest) }))
}

/// `target = "here" | "me" | "thread" | "#room" | "@user" | adapter "://" place`
fn target(word: &Word, typed: &str) -> Option<Target> {
    // what a backslash or a parenthesis quoted is no bare word, and a repaired dash begins no place
    if word.bare() == Some(typed) { parse_place(typed) } else { None }
}

/// Reads a place as it stands behind `>`: `here`, `me`, `thread`, `#ops`, `@ann`, `irc://#ops`.
#[must_use]
pub fn parse_place(typed: &str) -> Option<Target> {
    let in_place =
        |letter: char| !matches!(letter, '\'' | '"' | '`' | '$' | '\\' | '(' | ')' | '{' | '}' | '|' | '<' | '>');
    let named = |text: &str| !text.is_empty() && text.chars().all(in_place);
    match typed {
        "here" => return Some(Target::Here),
        "me" => return Some(Target::Me),
        "thread" => return Some(Target::Thread),
        _ => {}
    }
    if let Some(room) = typed.strip_prefix('#') {
        return named(room).then(|| Target::Room(EcoString::from(room)));
    }
    if let Some(user) = typed.strip_prefix('@') {
        return named(user).then(|| Target::User(EcoString::from(user)));
    }
    let (adapter, place) = typed.split_once("://")?;
    let in_adapter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let well = adapter.bytes().all(in_adapter) && adapter.as_bytes().first().is_some_and(u8::is_ascii_lowercase);
    (well && named(place)).then(|| Target::Place { adapter: EcoString::from(adapter), place: EcoString::from(place) })
}

/// The error for a word that is no place.
fn no_place(words: &[Item], word: &Word, typed: &str) -> SyntaxError {
    let span: Span = word.span;
    let shown = repeated(typed);
    let computed = word.parts.iter().any(|part| !matches!(part, Part::Text { .. }));
    if computed {
        return SyntaxError::new(format!("\"{shown}\" is not a place; a place is never computed"), span).help(PLACES);
    }
    let error = |advice: String| SyntaxError::new(format!("\"{shown}\" is not a place; {advice}"), span).help(PLACES);
    let Some(bare) = word.bare().filter(|bare| *bare == typed) else {
        let unquoted = typed.trim_matches(['\'', '"', '“', '”', '„', '‘', '’', '‚']);
        let meant = if is_place(unquoted) { repeated(unquoted) } else { "#ops".to_owned() };
        return error(format!("a place is a bare word, such as {meant}"));
    };
    let compared = words.last().and_then(|item| match item {
        Item::Word(word) => word.bare(),
        Item::Block(_) => None,
    });
    let compare = format!("to compare, write {}>{shown}", repeated(compared.unwrap_or("_")));
    if bare.starts_with(|letter: char| letter.is_ascii_digit()) || bare.parse::<f64>().is_ok() {
        return error(compare);
    }
    if bare.starts_with('-') {
        return error("options stand before the redirect".to_owned());
    }
    if is_place(&bare.to_ascii_lowercase()) {
        return error(format!("write {}", repeated(&bare.to_ascii_lowercase())));
    }
    if bare.starts_with(['/', '.', '~']) {
        return error("values are not written to files".to_owned());
    }
    if bare.starts_with(['#', '@']) || bare.contains("://") {
        let error = SyntaxError::new(format!("\"{shown}\" is not a place"), span);
        return error.help(format!("{PLACES}, and has no quotes, brackets or marks of the language"));
    }
    error(format!("for a room, write #{shown}; {compare}"))
}

fn is_place(typed: &str) -> bool {
    parse_place(typed).is_some()
}
