//! Sorting: what is compared is looked up once for each value, and most comparisons are of one number. Deliberately absent:
//! the order itself, which is [`Value::order`]; what is here only says the same faster.

use std::cmp::Ordering;

use crate::command::Call;
use crate::key::Key;
use crate::stream::Stream;
use crate::{Error, Value};

/// `sort [KEY…] [--desc]`. Values that are equal stay in the order in which they came.
pub(crate) fn sort(call: Call, input: Stream) -> Result<Stream, Error> {
    let keys = Key::read_all(call.all("KEY"))?;
    let descending = call.flag("desc");
    Ok(Stream::later(async move {
        let mut all = input.collect().await?;
        let mut places = places(&all, &keys, descending);
        let at = |place: &Place| all.get(place.at as usize);
        let by = |a: &Place, b: &Place, key: Option<&Key>| {
            let (a, b) = (at(a), at(b));
            placed(a.and_then(|value| of(key, value)), b.and_then(|value| of(key, value)), descending)
        };
        places.sort_unstable_by(|a, b| {
            let order = a.mark.order(b.mark, || by(a, b, keys.first()));
            let mut orders = keys.iter().skip(1).map(|key| by(a, b, Some(key)));
            order.then_with(|| orders.find(|order| order.is_ne()).unwrap_or_else(|| a.at.cmp(&b.at)))
        });
        Ok(Stream::from_values(
            places.into_iter().map(move |place| all.get_mut(place.at as usize).map(std::mem::take).unwrap_or_default()),
        ))
    }))
}

/// `sortnum`: by the number at the front of a text; what has none comes last.
pub(crate) fn sortnum(_: Call, input: Stream) -> Result<Stream, Error> {
    Ok(input.gather(|all| {
        let mut numbered: Vec<(Option<Value>, Value)> =
            all.into_iter().map(|value| (number_in_front(&value), value)).collect();
        numbered.sort_by(|(a, _), (b, _)| placed(a.as_ref(), b.as_ref(), false));
        Ok(numbered.into_iter().map(|(_, value)| value).collect())
    }))
}

/// The order of two values, null and missing last whichever way it goes.
fn placed(a: Option<&Value>, b: Option<&Value>, descending: bool) -> Ordering {
    let a = a.filter(|value| !matches!(value, Value::Null));
    let b = b.filter(|value| !matches!(value, Value::Null));
    match (a, b) {
        (Some(a), Some(b)) if descending => b.order(a),
        (Some(a), Some(b)) => a.order(b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

/// A value of those that are sorted: where it stands, and what is known of its key without looking there.
struct Place {
    mark: Mark,
    at: u32,
}

/// A place for each value, marked by the first key. A line holds some ten million values at most.
fn places(all: &[Value], keys: &[Key], descending: bool) -> Vec<Place> {
    let mark = |value| Mark::of(of(keys.first(), value), descending);
    all.iter().zip(0_u32..).map(|(value, at)| Place { mark: mark(value), at }).collect()
}

/// What is at a key; without one the value itself.
fn of<'a>(key: Option<&Key>, value: &'a Value) -> Option<&'a Value> {
    key.map_or(Some(value), |key| key.of(value))
}

/// A number in the order of the key it is made of. Two keys with the same number are equal when it is exact for both.
#[derive(Clone, Copy)]
struct Mark {
    number: u64,
    rank: u8,
    exact: bool,
}

impl Mark {
    /// Behind all others.
    const MISSING: Self = Self { number: 0, rank: u8::MAX, exact: true };

    fn of(key: Option<&Value>, descending: bool) -> Self {
        let (rank, number, exact) = match key {
            None | Some(Value::Null) => return Self::MISSING,
            Some(Value::Bool(value)) => (0, u64::from(*value), true),
            Some(Value::Int(number)) => {
                const EXACT: u64 = 1 << 53;
                #[expect(clippy::cast_precision_loss, reason = "whether it loses any is said")]
                let float = *number as f64;
                (1, ordered(float), number.unsigned_abs() <= EXACT)
            }
            Some(Value::Float(number)) => (1, ordered(*number), true),
            Some(Value::Text(text)) => {
                let (number, exact) = prefix(text.as_bytes());
                (2, number, exact)
            }
            Some(Value::List(_)) => (3, 0, false),
            Some(Value::Record(_)) => (4, 0, false),
        };
        if descending { Self { number: !number, rank: 4 - rank, exact } } else { Self { number, rank, exact } }
    }

    /// The order of two keys; where the numbers do not tell, `look` does.
    fn order(self, other: Self, look: impl FnOnce() -> Ordering) -> Ordering {
        let order = (self.rank, self.number).cmp(&(other.rank, other.number));
        if order.is_ne() || (self.exact && other.exact) { order } else { look() }
    }
}

/// A float's bits in the order of floats; there is no not-a-number, and the two noughts are one.
fn ordered(float: f64) -> u64 {
    const SIGN: u64 = 1 << 63;
    let bits = (float + 0.0).to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

/// The first seven bytes and how many there are, eight standing for all that goes on; and whether that is all.
fn prefix(bytes: &[u8]) -> (u64, bool) {
    const MOST: usize = 7;
    let mut first = [0; 8];
    let kept = bytes.len().min(MOST);
    if let (Some(to), Some(from)) = (first.get_mut(..kept), bytes.get(..kept)) {
        to.copy_from_slice(from);
    }
    let exact = bytes.len() <= MOST;
    first[MOST] = if exact { u8::try_from(kept).unwrap_or(u8::MAX) } else { 8 };
    (u64::from_be_bytes(first), exact)
}

/// The number itself, or the one at the front of a text: a sign, digits, and digits behind a point.
fn number_in_front(value: &Value) -> Option<Value> {
    let text = match value {
        Value::Int(_) | Value::Float(_) => return Some(value.clone()),
        Value::Text(text) => text.trim_start(),
        Value::Null | Value::Bool(_) | Value::List(_) | Value::Record(_) => return None,
    };
    let digits = |from: usize| text.bytes().skip(from).take_while(u8::is_ascii_digit).count();
    let sign = usize::from(text.starts_with('-'));
    let whole = digits(sign);
    let mut end = sign + whole;
    if text.get(end..).is_some_and(|rest| rest.starts_with('.')) && digits(end + 1) > 0 {
        end += 1 + digits(end + 1);
    }
    let front = text.get(..end).filter(|_| whole > 0)?;
    front.parse::<i64>().map(Value::Int).ok().or_else(|| front.parse::<f64>().ok().map(Value::from))
}

#[cfg(test)]
mod tests {
    use super::{Mark, placed};
    use crate::Value;

    #[test]
    fn a_mark_says_what_the_order_says() {
        let texts = [
            "null",
            "true",
            "false",
            "0",
            "-0.0",
            "0.5",
            "1",
            "1.0",
            "-1",
            "-1.5",
            "9007199254740992",
            "9007199254740993",
            "9007199254740992.0",
            "9007199254740993.5",
            "-9007199254740993",
            "9223372036854775807",
            "-9223372036854775808",
            "9223372036854775807.0",
            "1e300",
            "-1e300",
            "5e-324",
            r#""""#,
            r#""a""#,
            r#""a\u0000""#,
            r#""ab""#,
            r#""abcdefg""#,
            r#""abcdefgh""#,
            r#""abcdefg\u0000""#,
            r#""abcdefgi""#,
            r#""abcdefghi""#,
            r#""ä""#,
            r#""\u00ff""#,
            "[]",
            "[1]",
            "[1.0,2]",
            "{}",
            r#"{"a":1}"#,
            r#"{"a":1.0}"#,
        ];
        let mut all: Vec<Option<Value>> = texts.iter().map(|text| Value::from_json(text).ok()).collect();
        assert!(all.iter().all(Option::is_some));
        all.push(None);
        for descending in [false, true] {
            for a in &all {
                for b in &all {
                    let (a, b) = (a.as_ref(), b.as_ref());
                    let wanted = placed(a, b, descending);
                    let order = Mark::of(a, descending).order(Mark::of(b, descending), || wanted);
                    assert_eq!(order, wanted, "{a:?} {b:?} {descending}");
                }
            }
        }
    }
}
