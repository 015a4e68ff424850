//! Counting and reckoning, exact on whole numbers. Deliberately absent: reading numbers out of texts that JSON would
//! not read as one; `sed` and `match` get at those.

use std::cmp::Ordering;

use crate::command::{Call, Command};
use crate::error::shown;
use crate::family::{family, row};
use crate::key::Key;
use crate::stream::Stream;
use crate::{Error, Kind, Value};

pub(crate) fn families() -> Vec<Command> {
    family(
        "number",
        [
            row("count [KEY] [--chars] [--words] [--lines]")
                .about("How many values there are, or how many have a key that is not null; or the characters, words or lines of all texts")
                .example("list a b c | count", "3")
                .example(r#"seed '[{"a":1},{"a":null},{}]' | count a"#, "1")
                .example("list 'a b' c | count --words", "3")
                .either(&["chars", "words", "lines"])
                .stream(count),
            row("sum [KEY]")
                .about("The sum of the values, or of their keys; of nothing 0")
                .example("list 1 2 3 | sum", "6")
                .example(r#"seed '[{"n":1.5},{"n":2},{}]' | sum n"#, "3.5")
                .stream(sum),
            row("avg [KEY]").about("The mean").example("list 1 2 3 4 | avg", "2.5").stream(avg),
            row("median [KEY]")
                .about("The value in the middle, or the mean of the two there")
                .example("list 5 1 3 | median", "3")
                .stream(median),
            row("percentile P [KEY]")
                .about("The value below which P percent lie, between two values in proportion")
                .example("list 5 1 3 | percentile 100", "5")
                .example("list 1 2 | percentile 50", "1.5")
                .kind("P", Kind::Float)
                .stream(percentile),
        ],
    )
}

/// What of a text is counted.
#[derive(Clone, Copy)]
enum Of {
    Values,
    Chars,
    Words,
    Lines,
}

fn count(call: Call, input: Stream) -> Result<Stream, Error> {
    let parts = [("chars", Of::Chars), ("words", Of::Words), ("lines", Of::Lines)];
    let of = parts.into_iter().find(|(name, _)| call.flag(name)).map_or(Of::Values, |(_, of)| of);
    let key = call.text("KEY").map(|key| Key::read(&key)).transpose()?;
    Ok(input.fold(
        0_usize,
        move |count, value, _| {
            let there = match &key {
                None => Some(&value),
                Some(key) => key.of(&value).filter(|there| !matches!(there, Value::Null)),
            };
            *count += there.map_or(0, |there| of.size(there));
            Ok(())
        },
        |count| Ok(Some(Value::from(count))),
    ))
}

impl Of {
    fn size(self, value: &Value) -> usize {
        match self {
            Self::Values => 1,
            Self::Chars => value.to_text().chars().count(),
            Self::Words => value.to_text().split_whitespace().count(),
            Self::Lines => value.to_text().lines().count(),
        }
    }
}

/// A number while it is reckoned with: whole as long as everything so far was.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Whole(i128),
    Part(f64),
}

impl Number {
    /// The number that a value is, or that its text spells.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Int(number) => Some(Self::Whole(i128::from(*number))),
            Value::Float(number) => Some(Self::Part(*number)),
            Value::Text(text) => Self::of(&Value::number_of(text)?),
            Value::Null | Value::Bool(_) | Value::List(_) | Value::Record(_) => None,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a part is not exact anyway")]
    pub(crate) fn part(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::Part(number) => number,
        }
    }

    fn plus(self, other: Self) -> Self {
        match (self, other) {
            // both are sums of at most 2⁶³ numbers of 64 bits, which 128 bits hold
            (Self::Whole(a), Self::Whole(b)) => Self::Whole(a.saturating_add(b)),
            (a, b) => Self::Part(a.part() + b.part()),
        }
    }

    /// Divided by a count, whole if it comes out even.
    #[expect(clippy::cast_precision_loss, reason = "a count beyond 2⁵³ is out of reach")]
    fn over(self, count: usize) -> Self {
        match (self, i128::try_from(count)) {
            (Self::Whole(number), Ok(count)) if number % count == 0 => Self::Whole(number / count),
            _ => Self::Part(self.part() / count as f64),
        }
    }

    fn order(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => a.cmp(&b),
            (a, b) => a.value().ok().zip(b.value().ok()).map_or(Ordering::Equal, |(a, b)| a.order(&b)),
        }
    }

    fn value(self) -> Result<Value, Error> {
        match self {
            Self::Whole(number) => i64::try_from(number)
                .map(Value::Int)
                .map_err(|_| Error::failed("the result is out of range: whole numbers have 64 bits")),
            Self::Part(number) if number.is_finite() => Ok(Value::Float(number)),
            Self::Part(_) => Err(Error::failed("the result is out of range: it is larger than a number can be")),
        }
    }
}

/// What a value brings to a reckoning: a number, or nothing where the key is missing or null.
fn number(command: &str, key: Option<&Key>, value: &Value) -> Result<Option<Number>, Error> {
    let there = match key {
        None => value,
        Some(key) => match key.of(value) {
            None | Some(Value::Null) => return Ok(None),
            Some(there) => there,
        },
    };
    match Number::of(there) {
        Some(number) => Ok(Some(number)),
        None => Err(no_number(command, there)),
    }
}

/// What to say of a value that is no number.
pub(crate) fn no_number(command: &str, value: &Value) -> Error {
    let error = Error::failed(format!("{command} wants numbers, and {} is none", shown(&value.to_text())));
    match value {
        Value::Record(_) => error.help(format!("name the field: {command} KEY")),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_) | Value::List(_) => error,
    }
}

fn key_of(call: &Call) -> Result<Option<Key>, Error> {
    call.text("KEY").map(|key| Key::read(&key)).transpose()
}

fn sum(call: Call, input: Stream) -> Result<Stream, Error> {
    let key = key_of(&call)?;
    Ok(input.fold(
        Number::Whole(0),
        move |total, value, _| {
            if let Some(number) = number("sum", key.as_ref(), &value)? {
                *total = total.plus(number);
            }
            Ok(())
        },
        |total| total.value().map(Some),
    ))
}

fn avg(call: Call, input: Stream) -> Result<Stream, Error> {
    let key = key_of(&call)?;
    Ok(input.fold(
        (Number::Whole(0), 0_usize),
        move |(total, count), value, _| {
            if let Some(number) = number("avg", key.as_ref(), &value)? {
                *total = total.plus(number);
                *count += 1;
            }
            Ok(())
        },
        |(total, count)| if count == 0 { Ok(None) } else { total.over(count).value().map(Some) },
    ))
}

/// The numbers of a stream, the least first.
fn sorted(command: &str, key: Option<&Key>, all: &[Value]) -> Result<Vec<Number>, Error> {
    let mut numbers = Vec::with_capacity(all.len());
    for value in all {
        numbers.extend(number(command, key, value)?);
    }
    numbers.sort_by(|a: &Number, b| a.order(*b));
    Ok(numbers)
}

fn median(call: Call, input: Stream) -> Result<Stream, Error> {
    let key = key_of(&call)?;
    Ok(input.gather(move |all| {
        let numbers = sorted("median", key.as_ref(), &all)?;
        let middle = match (numbers.get(numbers.len().saturating_sub(1) / 2), numbers.get(numbers.len() / 2)) {
            (Some(low), Some(high)) if numbers.len() % 2 == 0 => low.plus(*high).over(2),
            (_, Some(middle)) => *middle,
            (_, None) => return Ok(Vec::new()),
        };
        Ok(vec![middle.value()?])
    }))
}

fn percentile(call: Call, input: Stream) -> Result<Stream, Error> {
    let Some(percent) = call.value("P").and_then(Number::of).map(Number::part) else { return Ok(Stream::empty()) };
    if !(0.0..=100.0).contains(&percent) {
        return Err(Error::failed(format!("P of percentile is between 0 and 100, not {percent}")));
    }
    let key = key_of(&call)?;
    Ok(input.gather(move |all| {
        let numbers = sorted("percentile", key.as_ref(), &all)?;
        Ok(at_rank(&numbers, percent).map(Number::value).transpose()?.into_iter().collect())
    }))
}

/// Between the two numbers around the rank in proportion; a number itself where the rank is whole.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place in a list in memory, not below 0"
)]
fn at_rank(numbers: &[Number], percent: f64) -> Option<Number> {
    // multiplied first, so that a whole rank comes out whole
    let rank = percent * numbers.len().checked_sub(1)? as f64 / 100.0;
    let low = numbers.get(rank.floor() as usize)?;
    let between = rank.fract();
    match numbers.get(rank.ceil() as usize) {
        Some(high) if between > 0.0 && low.order(*high).is_ne() => {
            Some(Number::Part(low.part() + (high.part() - low.part()) * between))
        }
        Some(_) | None => Some(*low),
    }
}
