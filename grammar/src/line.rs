//! The command language: one function per rule of `docs/language.md`, from a typed text to a [`Line`].
//!
//! A rule takes its scope and the rest of the text and gives the new rest and what it read; the first byte decides which
//! rule reads next, so every line is read in one pass. Deliberately absent: which commands exist, what they take, who
//! may run them, and chat markup, which an adapter undoes.

mod glue;
mod name;
mod nested;
mod quote;
mod redirect;
mod reference;
mod refusal;
pub(crate) mod repair;
mod scope;
mod word;

pub use redirect::parse_place;
pub(crate) use reference::is_plain;
pub(crate) use repair::is_blank;

use crate::ast::{Item, Joint, Line, Path, Pipeline, Stage};
use crate::{Span, SyntaxError, limits};
use refusal::{Parsed, refuse};
use repair::after_blanks;
use scope::{Reading, Scope};

/// Reads a line as typed behind the prefix. Its canonical form is what the tree displays.
pub fn parse(text: &str) -> Result<Line, SyntaxError> {
    read(text, false)
}

/// Reads the line of an alias: as [`parse`], but `$1`…`$9` and `$*` outside single quotes are parameters.
pub fn parse_alias(text: &str) -> Result<Line, SyntaxError> {
    read(text, true)
}

/// Reads a path as commands take it: `a.b[0]['x.y']`, `a."x.y"`, `_` or `[0]` for the value itself and a place in it.
pub fn parse_path(text: &str) -> Result<Path, SyntaxError> {
    if let Some(error) = repair::refused_everywhere(text) {
        return Err(error);
    }
    let reading = Reading::new(text, false);
    let path = reference::whole_path(Scope::text(&reading), text);
    path.map(|(_, path)| path).map_err(|refusal| refusal::error(refusal, text))
}

fn read(text: &str, parameters: bool) -> Result<Line, SyntaxError> {
    if text.len() > limits::LINE_BYTES {
        let message = format!("a line holds at most {} bytes; this one has {}", limits::LINE_BYTES, text.len());
        let at = text.floor_char_boundary(limits::LINE_BYTES);
        let next = text[at..].chars().next().map_or(0, char::len_utf8);
        return Err(SyntaxError::new(message, Span::new(at, at + next)).help("keep long texts in a file or a note"));
    }
    if let Some(error) = repair::refused_everywhere(text) {
        return Err(error);
    }
    if after_blanks(text).is_empty() {
        return Err(SyntaxError::new("nothing was said", Span::new(0, 0)).help("type a command, such as help"));
    }
    let reading = Reading::new(text, parameters);
    line(Scope::text(&reading), text).map(|(_, line)| line).map_err(|refusal| refusal::error(refusal, text))
}

/// What stands alone between blanks and is no word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Pipe,
    And,
    Or,
    To,
    ToMany,
    Open,
    Close,
}

impl Operator {
    fn text(self) -> &'static str {
        match self {
            Self::Pipe => "|",
            Self::And => "&&",
            Self::Or => "||",
            Self::To => ">",
            Self::ToMany => "*>",
            Self::Open => "{",
            Self::Close => "}",
        }
    }
}

/// The operator at the head of a word, and the rest behind it.
fn operator<'t>(scope: Scope<'_, 't>, input: &'t str) -> Option<(&'t str, Operator)> {
    let operator = match input.as_bytes() {
        [b'|', b'|', ..] => Operator::Or,
        [b'|', ..] => Operator::Pipe,
        [b'&', b'&', ..] => Operator::And,
        [b'*', b'>', ..] => Operator::ToMany,
        [b'>', ..] => Operator::To,
        [b'{', ..] => Operator::Open,
        [b'}', ..] => Operator::Close,
        _ => return None,
    };
    let rest = &input[operator.text().len()..];
    scope.word_ends(rest).then_some((rest, operator))
}

/// `line = pipeline { ("&&" | "||") pipeline }`
fn line<'t>(scope: Scope<'_, 't>, input: &'t str) -> Parsed<'t, Line> {
    let mut stages = 0;
    let (mut rest, first) = pipeline(scope, &mut stages, None, input)?;
    let mut more = Vec::new();
    loop {
        let head = after_blanks(rest);
        let joint = match operator(scope, head) {
            Some((_, Operator::Close)) if scope.block.is_none() => return close_without_open(scope, head),
            Some((after, Operator::And)) => (after, Joint::And, Operator::And),
            Some((after, Operator::Or)) => (after, Joint::Or, Operator::Or),
            // the pipeline has read the others, and the brace that closes this line is its block's
            Some((_, Operator::Pipe | Operator::To | Operator::ToMany | Operator::Open | Operator::Close)) | None => {
                return Ok((head, Line { first, rest: more }));
            }
        };
        let (after, joint, operator) = joint;
        let (after, pipeline) = pipeline(scope, &mut stages, Some((operator, head)), after)?;
        more.push((joint, pipeline));
        rest = after;
    }
}

fn close_without_open<'t, T>(scope: Scope<'_, 't>, brace: &'t str) -> Parsed<'t, T> {
    if scope.is_nested() {
        return refuse(scope.unclosed());
    }
    refuse(SyntaxError::new("} closes nothing", scope.head(brace, 1)).help("for the mark itself write '}'"))
}

/// `pipeline = stage { "|" stage } [ redirect ]`. `before` is the operator that led here.
fn pipeline<'t>(
    scope: Scope<'_, 't>,
    stages: &mut usize,
    before: Option<(Operator, &'t str)>,
    input: &'t str,
) -> Parsed<'t, Pipeline> {
    let (mut rest, first) = stage(scope, stages, before, input)?;
    let mut all = vec![first];
    loop {
        let head = after_blanks(rest);
        match operator(scope, head) {
            Some((after, Operator::Pipe)) => {
                let (after, next) = stage(scope, stages, Some((Operator::Pipe, head)), after)?;
                all.push(next);
                rest = after;
            }
            Some((after, operator @ (Operator::To | Operator::ToMany))) => {
                let words = all.last().map_or(&[][..], |stage| stage.items.as_slice());
                let (rest, redirect) = redirect::redirect(scope, operator, words, head, after)?;
                return Ok((rest, Pipeline { stages: all, redirect: Some(redirect) }));
            }
            Some((_, Operator::And | Operator::Or | Operator::Open | Operator::Close)) | None => {
                return Ok((head, Pipeline { stages: all, redirect: None }));
            }
        }
    }
}

/// `stage = name { word | block }`
fn stage<'t>(
    scope: Scope<'_, 't>,
    stages: &mut usize,
    before: Option<(Operator, &'t str)>,
    input: &'t str,
) -> Parsed<'t, Stage> {
    let start = after_blanks(input);
    if scope.line_ends(start) {
        return missing(scope, before, None, start);
    }
    if let Some((_, operator)) = operator(scope, start) {
        return missing(scope, before, Some(operator), start);
    }
    *stages += 1;
    if *stages > limits::STAGES {
        let message = format!("a line holds at most {} stages", limits::STAGES);
        return refuse(SyntaxError::new(message, scope.head(start, 1)).help("split the line in two"));
    }
    let (mut rest, name) = name::name(scope, start)?;
    let mut items = Vec::new();
    let mut options = true;
    loop {
        let head = after_blanks(rest);
        if scope.line_ends(head) {
            break;
        }
        match operator(scope, head) {
            Some((after, Operator::Open)) => {
                let (after, block) = nested::block(scope, head, after)?;
                items.push(Item::Block(block));
                rest = after;
            }
            Some((
                _,
                Operator::Pipe | Operator::And | Operator::Or | Operator::To | Operator::ToMany | Operator::Close,
            )) => break,
            None => {
                let (after, word) = word::word(scope, options, head)?;
                // a lone `--` ends the options
                options = options && word.bare() != Some("--");
                items.push(Item::Word(word));
                rest = after;
            }
        }
    }
    let span = scope.span(start, rest);
    Ok((rest, Stage { name, items, span }))
}

/// The error for a place where a command should stand, and an end or an operator does.
fn missing<'t, T>(
    scope: Scope<'_, 't>,
    before: Option<(Operator, &'t str)>,
    found: Option<Operator>,
    at: &'t str,
) -> Parsed<'t, T> {
    let help = "every stage begins with a command's name";
    if let (Some((operator, head)), None | Some(Operator::Close)) = (before, found) {
        let text = operator.text();
        let error = SyntaxError::new(format!("a command is missing after {text}"), scope.head(head, text.len()));
        return refuse(error.help(help));
    }
    let error = match found {
        Some(Operator::Close) if scope.block.is_none() => return close_without_open(scope, at),
        None if at.is_empty() || scope.block.is_some() => scope.unclosed(),
        None => SyntaxError::new("nothing stands inside the substitution", scope.opened(at)).help(help),
        Some(Operator::Close) => SyntaxError::new("nothing stands inside the block", scope.opened(at)).help(help),
        Some(Operator::Open) => {
            SyntaxError::new("a command is missing before the block", scope.head(at, 1)).help("as in each { echo $_ }")
        }
        Some(operator @ (Operator::Pipe | Operator::And | Operator::Or | Operator::To | Operator::ToMany)) => {
            let text = operator.text();
            SyntaxError::new(format!("a command is missing before {text}"), scope.head(at, text.len())).help(help)
        }
    };
    refuse(error)
}
