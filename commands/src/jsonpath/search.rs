//! Following a path of RFC 9535 through a value. Deliberately absent: reading the path, and whether it is a good one, which
//! is settled before.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use jsonpath_rust::parser::model::{
    Comparable, Comparison, Filter, FilterAtom, FnArg, Literal, Segment, Selector, SingularQuery, SingularQuerySegment,
    Test, TestFunction,
};
use regex::Regex;

use crate::pattern::regex;
use crate::{Error, Value};

/// How many places a path may look at in one value.
const PLACES: usize = 1_000_000;
/// What the making of a regular expression counts for among them.
const MAKING: usize = 2000;
/// How many made ones are kept.
const KEPT: usize = 64;

/// Regular expressions that a path has met, made ready; those that are none find nothing.
#[derive(Default)]
pub(super) struct Patterns(RefCell<HashMap<String, Option<Regex>>>);

/// A search in one value.
pub(super) struct Search<'a> {
    root: &'a Value,
    patterns: &'a Patterns,
    left: Cell<usize>,
}

type Places<'a> = Vec<&'a Value>;

impl<'a> Search<'a> {
    pub(super) fn new(root: &'a Value, patterns: &'a Patterns) -> Self {
        Self { root, patterns, left: Cell::new(PLACES) }
    }

    /// Every place that the segments lead to from one, in order.
    pub(super) fn follow(&self, segments: &[Segment], from: &'a Value) -> Result<Places<'a>, Error> {
        let mut places = vec![from];
        for segment in segments {
            let mut next = Vec::new();
            for place in places {
                self.segment(segment, place, &mut next)?;
            }
            places = next;
        }
        Ok(places)
    }

    fn look(&self, places: usize) -> Result<(), Error> {
        let left = self.left.get().checked_sub(places).ok_or_else(|| {
            Error::failed(format!("the JSONPath looks at more than {PLACES} places of a value"))
                .help("take it in several steps")
        })?;
        self.left.set(left);
        Ok(())
    }

    fn segment(&self, segment: &Segment, value: &'a Value, found: &mut Places<'a>) -> Result<(), Error> {
        match segment {
            Segment::Selector(selector) => self.select(selector, value, found),
            Segment::Selectors(selectors) => {
                selectors.iter().try_for_each(|selector| self.select(selector, value, found))
            }
            Segment::Descendant(inner) => {
                self.segment(inner, value, found)?;
                inside(value).try_for_each(|value| self.segment(segment, value, found))
            }
        }
    }

    fn select(&self, selector: &Selector, value: &'a Value, found: &mut Places<'a>) -> Result<(), Error> {
        self.look(1)?;
        match selector {
            Selector::Name(name) => found.extend(value.field(name)),
            Selector::Index(index) => found.extend(value.item(*index)),
            Selector::Wildcard => {
                let before = found.len();
                found.extend(inside(value));
                self.look(found.len() - before)?;
            }
            Selector::Slice(start, end, step) => {
                if let Value::List(items) = value {
                    let before = found.len();
                    found.extend(places(items.len(), *start, *end, *step).filter_map(|at| items.get(at)));
                    self.look(found.len() - before)?;
                }
            }
            Selector::Filter(filter) => {
                for place in inside(value) {
                    if self.holds(filter, place)? {
                        found.push(place);
                    }
                }
            }
        }
        Ok(())
    }

    fn holds(&self, filter: &Filter, here: &'a Value) -> Result<bool, Error> {
        self.look(1)?;
        match filter {
            Filter::Or(parts) => self.any(parts, here, true),
            Filter::And(parts) => Ok(!self.any(parts, here, false)?),
            Filter::Atom(FilterAtom::Filter { expr, not }) => Ok(self.holds(expr, here)? != *not),
            Filter::Atom(FilterAtom::Test { expr, not }) => Ok(self.is(expr, here)? != *not),
            Filter::Atom(FilterAtom::Comparison(comparison)) => self.compares(comparison, here),
        }
    }

    /// Whether one of the parts comes to this.
    fn any(&self, parts: &[Filter], here: &'a Value, wanted: bool) -> Result<bool, Error> {
        for part in parts {
            if self.holds(part, here)? == wanted {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn is(&self, test: &Test, here: &'a Value) -> Result<bool, Error> {
        match test {
            Test::RelQuery(segments) => Ok(!self.follow(segments, here)?.is_empty()),
            Test::AbsQuery(query) => Ok(!self.follow(&query.segments, self.root)?.is_empty()),
            Test::Function(function) => match &**function {
                TestFunction::Match(of, pattern) => self.finds(of, pattern, true, here),
                TestFunction::Search(of, pattern) => self.finds(of, pattern, false, here),
                TestFunction::Length(_)
                | TestFunction::Value(_)
                | TestFunction::Count(_)
                | TestFunction::Custom(..) => Ok(false),
            },
        }
    }

    fn finds(&self, text: &FnArg, pattern: &FnArg, whole: bool, here: &'a Value) -> Result<bool, Error> {
        let (Some(Value::Text(text)), Some(Value::Text(pattern))) =
            (self.argument(text, here)?, self.argument(pattern, here)?)
        else {
            return Ok(false);
        };
        // a dot finds neither end of line
        let pattern = if whole { format!(r"(?R)\A(?:{pattern})\z") } else { format!("(?R){pattern}") };
        let mut kept = self.patterns.0.borrow_mut();
        if let Some(made) = kept.get(&pattern) {
            return Ok(made.as_ref().is_some_and(|made| made.is_match(&text)));
        }
        self.look(MAKING)?;
        let made = regex(&pattern, false).ok();
        let found = made.as_ref().is_some_and(|made| made.is_match(&text));
        if kept.len() < KEPT {
            kept.insert(pattern, made);
        }
        Ok(found)
    }

    fn compares(&self, comparison: &Comparison, here: &'a Value) -> Result<bool, Error> {
        let (left, right) = comparison.vals();
        let (left, right) = (self.value(left, here)?, self.value(right, here)?);
        let less = |a: &Option<Value>, b: &Option<Value>| match (a, b) {
            (Some(a @ (Value::Int(_) | Value::Float(_))), Some(b @ (Value::Int(_) | Value::Float(_))))
            | (Some(a @ Value::Text(_)), Some(b @ Value::Text(_))) => a.order(b).is_lt(),
            (_, _) => false,
        };
        Ok(match comparison {
            Comparison::Eq(..) => left == right,
            Comparison::Ne(..) => left != right,
            Comparison::Lt(..) => less(&left, &right),
            Comparison::Lte(..) => less(&left, &right) || left == right,
            Comparison::Gt(..) => less(&right, &left),
            Comparison::Gte(..) => less(&right, &left) || left == right,
        })
    }

    fn value(&self, comparable: &Comparable, here: &'a Value) -> Result<Option<Value>, Error> {
        Ok(match comparable {
            Comparable::Literal(literal) => Some(said(literal)),
            Comparable::Function(function) => self.worth(function, here)?,
            Comparable::SingularQuery(SingularQuery::Current(steps)) => single(steps, here).cloned(),
            Comparable::SingularQuery(SingularQuery::Root(steps)) => single(steps, self.root).cloned(),
        })
    }

    /// What a function comes to; none is the absence of a value.
    fn worth(&self, function: &TestFunction, here: &'a Value) -> Result<Option<Value>, Error> {
        Ok(match function {
            TestFunction::Length(of) => self.argument(of, here)?.and_then(|of| match of {
                Value::Text(text) => Some(text.chars().count().into()),
                Value::List(items) => Some(items.len().into()),
                Value::Record(record) => Some(record.len().into()),
                Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => None,
            }),
            TestFunction::Count(of) => Some(self.nodes(of, here)?.len().into()),
            TestFunction::Value(of) => match self.nodes(of, here)?.as_slice() {
                [one] => Some((*one).clone()),
                _ => None,
            },
            TestFunction::Match(..) | TestFunction::Search(..) | TestFunction::Custom(..) => None,
        })
    }

    fn nodes(&self, argument: &FnArg, here: &'a Value) -> Result<Places<'a>, Error> {
        match argument {
            FnArg::Test(test) => match &**test {
                Test::RelQuery(segments) => self.follow(segments, here),
                Test::AbsQuery(query) => self.follow(&query.segments, self.root),
                Test::Function(_) => Ok(Vec::new()),
            },
            FnArg::Literal(_) | FnArg::Filter(_) => Ok(Vec::new()),
        }
    }

    fn argument(&self, argument: &FnArg, here: &'a Value) -> Result<Option<Value>, Error> {
        match argument {
            FnArg::Literal(literal) => Ok(Some(said(literal))),
            FnArg::Test(test) => match &**test {
                Test::Function(function) => self.worth(function, here),
                Test::RelQuery(_) | Test::AbsQuery(_) => Ok(self.nodes(argument, here)?.first().copied().cloned()),
            },
            FnArg::Filter(_) => Ok(None),
        }
    }
}

/// The items of a list, the values of a record's fields.
fn inside(value: &Value) -> impl Iterator<Item = &Value> {
    let (items, record) = match value {
        Value::List(items) => (Some(items), None),
        Value::Record(record) => (None, Some(record)),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_) => (None, None),
    };
    let fields = record.into_iter().flat_map(|record| record.iter().map(|(_, value)| value));
    items.into_iter().flatten().chain(fields)
}

fn single<'a>(steps: &[SingularQuerySegment], from: &'a Value) -> Option<&'a Value> {
    steps.iter().try_fold(from, |value, step| match step {
        SingularQuerySegment::Name(name) => value.field(name),
        SingularQuerySegment::Index(index) => value.item(*index),
    })
}

fn said(literal: &Literal) -> Value {
    match literal {
        Literal::Int(number) => Value::Int(*number),
        Literal::Float(number) => Value::from(*number),
        Literal::String(text) => Value::from(text.as_str()),
        Literal::Bool(value) => Value::Bool(*value),
        Literal::Null => Value::Null,
    }
}

/// The places of a slice, in its direction.
fn places(length: usize, start: Option<i64>, end: Option<i64>, step: Option<i64>) -> impl Iterator<Item = usize> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let step = step.unwrap_or(1);
    let placed = |at: i64| if at < 0 { at.saturating_add(length) } else { at };
    let (mut at, end) = if step < 0 {
        let start = start.map_or(length - 1, placed).min(length - 1);
        (start, end.map_or(-1, placed).max(-1))
    } else {
        (start.map_or(0, placed).max(0), end.map_or(length, placed).min(length))
    };
    std::iter::from_fn(move || {
        let inside = if step > 0 { at < end } else { step < 0 && at > end };
        let here = inside.then(|| usize::try_from(at).ok()).flatten()?;
        at = at.saturating_add(step);
        Some(here)
    })
}
