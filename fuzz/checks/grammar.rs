//! What holds for every text that the grammar is given: no panic; what is read prints a text that is read alike and prints
//! the same; what is refused can be shown.

use pipit_grammar::expr::{parse_expr, parse_word_condition};
use pipit_grammar::rule::parse_rule;
use pipit_grammar::usage::parse_usage;
use pipit_grammar::{SyntaxError, limits, parse, parse_alias, parse_path};

/// A typed line, the line of an alias, and a path.
pub(crate) fn line(text: &str) {
    for read in [parse, parse_alias] {
        // a canonical line may be longer than the limit, for it writes some letters as escapes
        alike(text, read, limits::LINE_BYTES);
    }
    alike(text, parse_path, limits::LINE_BYTES);
}

/// A rule.
pub(crate) fn rule(text: &str) {
    alike(text, parse_rule, usize::MAX);
}

/// A usage line.
pub(crate) fn usage(text: &str) {
    alike(text, parse_usage, usize::MAX);
}

/// The condition of `where`, quoted and as a word.
pub(crate) fn expression(text: &str) {
    if let Err(error) = parse_expr(text) {
        shown(&error, text);
    }
    if let Err(error) = parse_word_condition(text) {
        shown(&error, text);
    }
}

fn alike<T: ToString>(text: &str, read: fn(&str) -> Result<T, SyntaxError>, longest: usize) {
    match read(text) {
        Ok(tree) => {
            let printed = tree.to_string();
            if printed.len() <= longest {
                match read(&printed) {
                    Ok(again) => assert_eq!(again.to_string(), printed),
                    Err(error) => panic!("{}", error.show(&printed)),
                }
            }
        }
        Err(error) => shown(&error, text),
    }
}

fn shown(error: &SyntaxError, text: &str) {
    assert!(error.show(text).starts_with("error: "));
    assert!(
        error.span.start <= error.span.end && text.get(error.span.start as usize..error.span.end as usize).is_some()
    );
}
