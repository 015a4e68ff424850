//! Conditions of `where`, `if` and `abort-when`, made ready once and then held against values. Deliberately absent:
//! how a condition is written, which is the grammar's.
//!
//! A condition is two-valued: a comparison with a missing field is false, `!=` too; unlike types are unequal and have
//! no order. A computed value is never read as a condition: in an expression it stands for itself.

use std::cmp::Ordering;

use ecow::EcoString;
use pipit_grammar::SyntaxError;
use pipit_grammar::ast::{Path, Step};
use pipit_grammar::expr::{Expr, Op, Operand, WordCondition, parse_expr, parse_word_condition};
use regex::Regex;

use crate::args::{Arg, Given, How};
use crate::error::shown;
use crate::key::At;
use crate::pattern::{finds, regex};
use crate::{Error, Value};

/// Tests that must all hold.
pub(crate) struct Condition(Vec<Test>);

enum Test {
    Or(Vec<Test>),
    And(Vec<Test>),
    Not(Box<Test>),
    Truth(Side),
    Compare(Side, Op, Side),
    Find { side: Side, pattern: Pattern, wanted: bool },
    In(Side, Vec<Side>),
}

/// What is compared.
enum Side {
    At(At),
    Value(Value),
}

/// A pattern that was typed, or one that each value brings along.
enum Pattern {
    Ready(Regex),
    At(At),
}

impl Condition {
    /// Reads the words of a condition.
    pub(crate) fn read(words: &[Arg]) -> Result<Self, Error> {
        words.iter().filter_map(|arg| arg.given.as_ref()).map(word).collect::<Result<_, _>>().map(Self)
    }

    /// A remark about a value that it does not hold for, when a text that is spelled like a number is compared with a
    /// number there: unlike types are unequal and have no order.
    pub(crate) fn remark(&self, value: &Value) -> Option<String> {
        self.0.iter().find_map(|test| test.remark(value))
    }

    /// The places whose values it looks at; not those of which it only asks whether there is something.
    pub(crate) fn places(self) -> Vec<At> {
        let mut places = Vec::new();
        self.0.into_iter().for_each(|test| test.places(&mut places));
        places
    }

    /// Whether it holds for a value.
    pub(crate) fn holds(&self, value: &Value) -> bool {
        self.0.iter().all(|test| test.holds(value))
    }
}

fn word(given: &Given) -> Result<Test, Error> {
    match given.pieces.split_first() {
        Some(((Value::Text(head), How::Bare), rest)) => word_condition(head, rest),
        Some(((_, How::Quoted), _)) => expression(given),
        Some(((_, How::Bare | How::Computed), _)) | None => {
            Err(Error::failed("a condition is typed, it cannot come from a value").help("write field=$value"))
        }
    }
}

fn unreadable(text: &str, error: SyntaxError) -> Error {
    let failed = Error::failed(format!("the condition {} cannot be read: {}", shown(text), error.message));
    match error.help {
        Some(help) => failed.help(help),
        None => failed,
    }
}

/// `field`, or `field op value`.
fn word_condition(head: &str, rest: &[(Value, How)]) -> Result<Test, Error> {
    match parse_word_condition(head).map_err(|error| unreadable(head, error))? {
        WordCondition::Truth(path) if rest.is_empty() => Ok(Test::Truth(Side::At(At::of(path)))),
        WordCondition::Truth(_) => {
            Err(Error::failed(format!("no comparison can be read behind {}", shown(head))).help("write field=value"))
        }
        WordCondition::Compare { path, op, value } => {
            let typed = head.get(value..).unwrap_or_default();
            let left = Side::At(At::of(path));
            if typed.is_empty() && rest.is_empty() {
                return Err(Error::failed(format!("nothing to compare with in {}", shown(head)))
                    .help("write field=value, or field='' for an empty text"));
            }
            if matches!(op, Op::Matches | Op::NotMatches) {
                let mut text = String::from(typed);
                for (value, _) in rest {
                    text.push_str(&value.to_text());
                }
                return Ok(Test::Find {
                    side: left,
                    pattern: Pattern::Ready(regex(&text, false)?),
                    wanted: op == Op::Matches,
                });
            }
            let right = match rest {
                [] => Value::of_bare(typed),
                [(value, _)] if typed.is_empty() => value.clone(),
                pieces => {
                    let mut text = EcoString::from(typed);
                    for (value, _) in pieces {
                        text.push_str(&value.to_text());
                    }
                    Value::Text(text)
                }
            };
            Ok(Test::Compare(left, op, Side::Value(right)))
        }
    }
}

/// An expression in quotes. A computed piece is put in as a name that the text does not hold, and the name is
/// replaced by the value in the tree, so that a value is never read as part of the expression.
fn expression(given: &Given) -> Result<Test, Error> {
    let typed = given.pieces.iter().filter(|(_, how)| *how != How::Computed);
    let typed = typed.map(|(value, _)| value.to_text()).collect::<Vec<_>>().concat();
    let mut mark = String::from("v");
    // in no value either, or filling in one would fill in the next inside it
    let whole = given.text();
    while whole.contains(&mark) {
        mark.push('v');
    }
    let mut computed = Computed { mark, values: Vec::new() };
    let mut text = String::new();
    for (value, how) in &given.pieces {
        match how {
            How::Computed => {
                text.push_str(&computed.name(computed.values.len()));
                computed.values.push(value.clone());
            }
            How::Bare | How::Quoted => text.push_str(&value.to_text()),
        }
    }
    let expr = parse_expr(&text).map_err(|error| unreadable(&typed, error))?;
    computed.test(expr)
}

/// The computed pieces of an expression, and the mark of their names.
struct Computed {
    mark: String,
    values: Vec<Value>,
}

impl Computed {
    fn name(&self, at: usize) -> String {
        format!("{}{at}_", self.mark)
    }

    fn test(&self, expr: Expr) -> Result<Test, Error> {
        let all = |parts: Vec<Expr>| parts.into_iter().map(|part| self.test(part)).collect::<Result<Vec<_>, _>>();
        Ok(match expr {
            Expr::Or(parts) => Test::Or(all(parts)?),
            Expr::And(parts) => Test::And(all(parts)?),
            Expr::Not(inside) => Test::Not(Box::new(self.test(*inside)?)),
            Expr::Truth(operand) => Test::Truth(self.side(operand)?),
            Expr::In { left, list } => {
                let list = list.into_iter().map(|operand| self.side(operand)).collect::<Result<_, _>>()?;
                Test::In(self.side(left)?, list)
            }
            Expr::Compare { left, op: op @ (Op::Matches | Op::NotMatches), right } => {
                let pattern = match self.side(right)? {
                    Side::Value(value) => Pattern::Ready(regex(&value.to_text(), false)?),
                    Side::At(at) => Pattern::At(at),
                };
                Test::Find { side: self.side(left)?, pattern, wanted: op == Op::Matches }
            }
            Expr::Compare { left, op, right } => Test::Compare(self.side(left)?, op, self.side(right)?),
        })
    }

    fn side(&self, operand: Operand) -> Result<Side, Error> {
        Ok(match operand {
            Operand::Text(text) => Side::Value(Value::Text(self.filled(&text))),
            Operand::Number(text) => Side::Value(Value::of_bare(&text)),
            Operand::Bool(value) => Side::Value(Value::Bool(value)),
            Operand::Null => Side::Value(Value::Null),
            Operand::Field(path) => return self.field(path),
        })
    }

    fn field(&self, path: Path) -> Result<Side, Error> {
        let marked = path.field.as_deref().is_some_and(|field| field.contains(&self.mark));
        if !marked || self.values.is_empty() {
            let steps = path.steps.into_iter().map(|step| match step {
                Step::Key(key) => Step::Key(self.filled(&key)),
                Step::Index(index) => Step::Index(index),
            });
            return Ok(Side::At(At::of(Path { field: path.field, steps: steps.collect() })));
        }
        let at = (0..self.values.len()).find(|at| path.field.as_deref() == Some(self.name(*at).as_str()));
        match at.and_then(|at| self.values.get(at)) {
            Some(value) if path.steps.is_empty() => Ok(Side::Value(value.clone())),
            Some(_) | None => Err(Error::failed("a value cannot be part of a field's name in a condition")
                .help("put blanks around it; it stands for itself")),
        }
    }

    /// A text with the texts of the values where their names are.
    fn filled(&self, text: &EcoString) -> EcoString {
        if self.values.is_empty() || !text.contains(&self.mark) {
            return text.clone();
        }
        let mut filled = text.to_string();
        for (at, value) in self.values.iter().enumerate() {
            filled = filled.replace(&self.name(at), &value.to_text());
        }
        filled.into()
    }
}

impl Test {
    fn places(self, places: &mut Vec<At>) {
        let mut add = |side| match side {
            Side::At(at) => places.push(at),
            Side::Value(_) => {}
        };
        match self {
            Self::Compare(left, _, right) => [left, right].into_iter().for_each(add),
            Self::Find { side, pattern: Pattern::At(at), .. } => [side, Side::At(at)].into_iter().for_each(add),
            Self::Find { side, pattern: Pattern::Ready(_), .. } | Self::In(side, _) => add(side),
            Self::Or(tests) | Self::And(tests) => tests.into_iter().for_each(|test| test.places(places)),
            Self::Not(_) | Self::Truth(_) => {}
        }
    }

    fn remark(&self, value: &Value) -> Option<String> {
        match self {
            Self::Or(tests) | Self::And(tests) => tests.iter().find_map(|test| test.remark(value)),
            Self::Not(test) => test.remark(value),
            Self::Compare(Side::At(at), _, Side::Value(Value::Int(_) | Value::Float(_))) => {
                let Some(Value::Text(text)) = at.of_value(value) else { return None };
                Value::number_of(text)?;
                let name = at.name();
                let program = if name == "_" { "tonumber".to_owned() } else { format!("'.{name} |= tonumber'") };
                Some(format!(
                    "{name} is text here ({}), and a text is no number; jq {program} before it makes it one",
                    shown(text)
                ))
            }
            Self::Truth(_) | Self::Compare(..) | Self::Find { .. } | Self::In(..) => None,
        }
    }

    fn holds(&self, value: &Value) -> bool {
        match self {
            Self::Or(tests) => tests.iter().any(|test| test.holds(value)),
            Self::And(tests) => tests.iter().all(|test| test.holds(value)),
            Self::Not(test) => !test.holds(value),
            Self::Truth(side) => !matches!(side.of(value), None | Some(Value::Null | Value::Bool(false))),
            Self::Compare(left, op, right) => match (left.of(value), right.of(value)) {
                (Some(left), Some(right)) => compare(left, *op, right),
                (None, _) | (_, None) => false,
            },
            Self::Find { side, pattern, wanted } => side.of(value).is_some_and(|found| match pattern {
                Pattern::Ready(pattern) => finds(pattern, found) == *wanted,
                Pattern::At(at) => at
                    .of_value(value)
                    .and_then(|pattern| regex(&pattern.to_text(), false).ok())
                    .is_some_and(|pattern| finds(&pattern, found) == *wanted),
            }),
            Self::In(left, list) => match left.of(value) {
                Some(left) => list.iter().any(|side| side.of(value) == Some(left)),
                None => false,
            },
        }
    }
}

impl Side {
    fn of<'a>(&'a self, value: &'a Value) -> Option<&'a Value> {
        match self {
            Self::At(at) => at.of_value(value),
            Self::Value(value) => Some(value),
        }
    }
}

fn compare(left: &Value, op: Op, right: &Value) -> bool {
    let ordered = |holds: fn(Ordering) -> bool| alike(left, right) && holds(left.order(right));
    match op {
        Op::Eq => left == right,
        Op::Ne => left != right,
        Op::Lt => ordered(Ordering::is_lt),
        Op::Le => ordered(Ordering::is_le),
        Op::Gt => ordered(Ordering::is_gt),
        Op::Ge => ordered(Ordering::is_ge),
        Op::Matches => regex(&right.to_text(), false).is_ok_and(|pattern| finds(&pattern, left)),
        Op::NotMatches => regex(&right.to_text(), false).is_ok_and(|pattern| !finds(&pattern, left)),
    }
}

/// Whether two values are of one type, numbers being one.
fn alike(left: &Value, right: &Value) -> bool {
    left.kind() == right.kind()
}
