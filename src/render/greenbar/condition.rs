//! Whether a condition of a template holds. What cannot be compared does not hold; nothing fails.

use std::cmp::Ordering;

use pipit_commands::Value;

use super::{Comparison, State};

/// Whether a value and a literal compare so. Numbers are compared as numbers, all else can only be equal or not.
pub(super) fn compares(value: Option<&Value>, how: Comparison, literal: &Value) -> bool {
    let order = value.and_then(|value| order(value, literal));
    match how {
        Comparison::Equal => order == Some(Ordering::Equal),
        Comparison::Unequal => order != Some(Ordering::Equal),
        Comparison::Less => order == Some(Ordering::Less),
        Comparison::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Comparison::Greater => order == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}

fn order(value: &Value, literal: &Value) -> Option<Ordering> {
    let number = |value: &Value| matches!(value, Value::Int(_) | Value::Float(_));
    if number(value) && number(literal) {
        return Some(value.order(literal));
    }
    (matches!(value, Value::Text(_) | Value::Bool(_)) && value == literal).then_some(Ordering::Equal)
}

/// Whether a value is in this state.
pub(super) fn is(value: Option<&Value>, state: State) -> bool {
    let bound = !matches!(value, None | Some(Value::Null));
    let empty = match value {
        None | Some(Value::Null) => true,
        Some(Value::Text(text)) => text.is_empty(),
        Some(Value::List(items)) => items.is_empty(),
        Some(Value::Record(record)) => record.is_empty(),
        Some(Value::Bool(_) | Value::Int(_) | Value::Float(_)) => false,
    };
    match state {
        State::Empty => empty,
        State::NotEmpty => !empty,
        State::Bound => bound,
        State::NotBound => !bound,
    }
}
