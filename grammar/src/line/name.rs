//! The name of a command: literal, so that a line can be judged before anything runs.

use ecow::EcoString;
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while};

use super::refusal::{Parsed, refuse};
use super::repair;
use super::scope::Scope;
use crate::SyntaxError;
use crate::ast::{Name, is_name};
use crate::error::repeated;

/// `name = [ bundle ":" ] command`, or `!!`.
pub(super) fn name<'t>(scope: Scope<'_, 't>, input: &'t str) -> Parsed<'t, Name> {
    let in_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | ':');
    let (rest, text) = alt((tag("!!"), take_while(in_name))).parse(input)?;
    if !scope.word_ends(rest) || !(text == "!!" || is_name(text)) {
        return refuse(no_name(scope, input));
    }
    Ok((rest, Name { text: EcoString::from(text), span: scope.span(input, rest) }))
}

/// What is wrong with a word that stands where a name should.
fn no_name(scope: Scope<'_, '_>, input: &str) -> SyntaxError {
    let end = input.find(repair::is_blank).unwrap_or(input.len());
    let word = &input[..end];
    if let Some((at, letter)) = word.char_indices().find(|(_, letter)| repair::is_invisible(*letter)) {
        return repair::refused_outside_quotes(scope.at(input) + at, letter);
    }
    // what closes the substitution is glued to the word
    let open = if scope.in_substitution() { word.trim_end_matches([')', '`']) } else { word };
    let word = if open.is_empty() { word } else { open };
    let shown = repeated(word);
    SyntaxError::new(format!("{shown} is not a command's name"), scope.head(input, word.len())).help(advice(word))
}

fn advice(word: &str) -> String {
    let apart = |operator: &str| {
        let (before, after) = word.split_once(operator).unwrap_or((word, ""));
        let both = [before, operator, after].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
        format!("write blanks around it: {}", repeated(&both.join(" ")))
    };
    let unquoted = word.trim_matches(['\'', '"', '“', '”', '„', '‘', '’', '‚']);
    if word.contains("$(") || word.contains('`') || word.starts_with('$') || word.contains(":$") {
        return "a name is never computed, so that the line can be judged before it runs; write it out".to_owned();
    }
    if unquoted.len() < word.len() && is_name(unquoted) {
        return format!("a name is never quoted; write {unquoted}");
    }
    for (operator, what) in [("||", "||"), ("|", "a pipe"), ("&&", "&&")] {
        if word.contains(operator) {
            return format!("{what} stands alone; {}", apart(operator));
        }
    }
    if let Some((name, place)) = word.split_once('>') {
        let (name, place) = (repeated(name), repeated(place));
        return format!("to compare, write where {name}>{place}; to post to a place, write blanks around >");
    }
    if word.contains('\\') {
        return "a name has no escapes; write it out".to_owned();
    }
    if let Some(bare) = word.strip_prefix('!').filter(|bare| is_name(bare)) {
        return format!("leave out the !, write {bare}");
    }
    if let Some(letter) = word.chars().find(|letter| !letter.is_ascii() && letter.is_alphanumeric()) {
        let code = u32::from(letter);
        return format!("names are of ASCII letters and digits; {letter} is U+{code:04X}");
    }
    if word.starts_with('-') {
        return "an option follows the name of its command".to_owned();
    }
    if word.starts_with('(') {
        return "every line begins with a command, inside $( ) too".to_owned();
    }
    if word.contains(':') {
        return "a name has one colon at most, with a name on both sides: bundle:command".to_owned();
    }
    "a name is of letters, digits, _ and -, and begins with a letter".to_owned()
}
