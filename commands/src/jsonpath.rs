//! Paths of RFC 9535 (`$..name`) over values. Deliberately absent: dotted paths, which lead to one place and are read by
//! [`crate::key`].

use jsonpath_rust::parser::model::{
    Comparable, Comparison, Filter, FilterAtom, FnArg, JpQuery, Segment, Selector, Test, TestFunction,
};
use jsonpath_rust::parser::parse_json_path;
use pipit_grammar::ast::{Path, Step};

use crate::error::shown;
use crate::key::At;
use crate::{Error, Value};

mod search;

use search::{Patterns, Search};

/// The longest path, in bytes.
const LONGEST: usize = 1024;
/// How deep brackets and parentheses of a path may be nested.
const DEPTH: usize = 16;

/// A path of RFC 9535 that is ready.
pub struct JsonPath(Way);

enum Way {
    /// Names and indexes only: one place.
    One(At),
    /// Anything else.
    Many(JpQuery, Patterns),
}

impl JsonPath {
    /// Reads a path that begins with `$`.
    pub fn read(text: &str) -> Result<Self, Error> {
        bounded(text)?;
        let wrong = |why: &str| Error::failed(format!("{} is no JSONPath: {why}", shown(text)));
        if text.trim_end() != text {
            return Err(wrong("there is a blank behind it"));
        }
        let query = parse_json_path(text).map_err(|error| {
            let why = error.to_string();
            // a syntax error comes as a drawing of several lines with the reason at the end
            wrong(why.lines().last().unwrap_or_default().trim_start_matches([' ', '=']))
        })?;
        fit(&query.segments).map_err(wrong)?;
        let steps: Option<_> = query.segments.iter().map(step).collect();
        Ok(Self(match steps {
            Some(steps) => Way::One(At::of(Path { field: None, steps })),
            None => Way::Many(query, Patterns::default()),
        }))
    }

    /// Appends every value that it leads to, in order.
    pub fn find(&self, value: &Value, out: &mut Vec<Value>) -> Result<(), Error> {
        match &self.0 {
            Way::One(at) => out.extend(at.of_value(value).cloned()),
            Way::Many(query, patterns) => {
                out.extend(Search::new(value, patterns).follow(&query.segments, value)?.into_iter().cloned());
            }
        }
        Ok(())
    }
}

/// Refuses what would take the reader beyond bounds, and blanks that it does not mind where they are wrong: within a name
/// and behind a dot.
fn bounded(text: &str) -> Result<(), Error> {
    let refuse = |why: &str| Err(Error::failed(format!("the JSONPath is {why}")).help("take it in several steps"));
    if text.len() > LONGEST {
        return refuse(&format!("longer than {LONGEST} bytes"));
    }
    let (mut depth, mut quote, mut escaped) = (0_usize, None, false);
    // the last letter that is no blank, and whether blanks stand behind it
    let (mut before, mut apart) = ('$', false);
    for letter in text.chars() {
        if let Some(open) = quote {
            if !escaped && letter == open {
                quote = None;
            }
            escaped = !escaped && letter == '\\';
            continue;
        }
        let named = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || !letter.is_ascii();
        if letter.is_ascii_whitespace() {
            apart = true;
        } else if apart && (before == '.' || (named(before) && named(letter))) {
            return Err(Error::failed(format!("{} is no JSONPath: a name has no blanks", shown(text)))
                .help("write $['a name']"));
        } else {
            (before, apart) = (letter, false);
        }
        match letter {
            '\'' | '"' => quote = Some(letter),
            '[' | '(' => depth += 1,
            ']' | ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH {
            return refuse(&format!("nested deeper than {DEPTH}"));
        }
    }
    Ok(())
}

fn step(segment: &Segment) -> Option<Step> {
    match segment {
        Segment::Selector(Selector::Name(name)) => Some(Step::Key(name.as_str().into())),
        Segment::Selector(Selector::Index(index)) => Some(Step::Index(*index)),
        Segment::Selector(Selector::Wildcard | Selector::Slice(..) | Selector::Filter(_))
        | Segment::Descendant(_)
        | Segment::Selectors(_) => None,
    }
}

type Fit = Result<(), &'static str>;

/// Whether functions are used for what they come to, and given what they take.
fn fit(segments: &[Segment]) -> Fit {
    let selector = |selector: &Selector| match selector {
        Selector::Filter(filter) => fit_filter(filter),
        Selector::Name(_) | Selector::Wildcard | Selector::Index(_) | Selector::Slice(..) => Ok(()),
    };
    segments.iter().try_for_each(|segment| match segment {
        Segment::Selector(one) => selector(one),
        Segment::Selectors(several) => several.iter().try_for_each(selector),
        Segment::Descendant(inner) => fit(std::slice::from_ref(inner)),
    })
}

fn fit_filter(filter: &Filter) -> Fit {
    match filter {
        Filter::Or(parts) | Filter::And(parts) => parts.iter().try_for_each(fit_filter),
        Filter::Atom(FilterAtom::Filter { expr, .. }) => fit_filter(expr),
        Filter::Atom(FilterAtom::Test { expr, .. }) => match &**expr {
            Test::RelQuery(segments) => fit(segments),
            Test::AbsQuery(query) => fit(&query.segments),
            Test::Function(function) => match &**function {
                TestFunction::Length(_) | TestFunction::Count(_) | TestFunction::Value(_) => {
                    Err("length, count and value come to a value, which is to be compared")
                }
                TestFunction::Match(..) | TestFunction::Search(..) | TestFunction::Custom(..) => fit_function(function),
            },
        },
        Filter::Atom(FilterAtom::Comparison(comparison)) => fit_comparison(comparison),
    }
}

fn fit_comparison(comparison: &Comparison) -> Fit {
    let (left, right) = comparison.vals();
    [left, right].into_iter().try_for_each(|side| match side {
        Comparable::Function(function) => fit_function(function),
        Comparable::Literal(_) | Comparable::SingularQuery(_) => Ok(()),
    })
}

fn fit_function(function: &TestFunction) -> Fit {
    match function {
        TestFunction::Length(of) => fit_value(of),
        TestFunction::Count(of) | TestFunction::Value(of) => match of {
            FnArg::Test(test) => match &**test {
                Test::RelQuery(segments) => fit(segments),
                Test::AbsQuery(query) => fit(&query.segments),
                Test::Function(_) => Err("count and value take a path"),
            },
            FnArg::Literal(_) | FnArg::Filter(_) => Err("count and value take a path"),
        },
        TestFunction::Match(text, pattern) | TestFunction::Search(text, pattern) => {
            fit_value(text)?;
            fit_value(pattern)
        }
        TestFunction::Custom(..) => Err("there are the functions length, count, value, match and search"),
    }
}

/// Whether an argument is one value at most.
fn fit_value(argument: &FnArg) -> Fit {
    let single = |segments: &[Segment]| {
        let one = segments.iter().all(|segment| step(segment).is_some());
        if one { Ok(()) } else { Err("length, match and search take values, and such a path may lead to many") }
    };
    match argument {
        FnArg::Literal(_) => Ok(()),
        FnArg::Test(test) => match &**test {
            Test::RelQuery(segments) => single(segments),
            Test::AbsQuery(query) => single(&query.segments),
            Test::Function(function) => match &**function {
                TestFunction::Length(_) | TestFunction::Count(_) | TestFunction::Value(_) => fit_function(function),
                TestFunction::Match(..) | TestFunction::Search(..) | TestFunction::Custom(..) => {
                    Err("length, match and search take values, and match and search come to none")
                }
            },
        },
        FnArg::Filter(_) => Err("functions take values and paths"),
    }
}
