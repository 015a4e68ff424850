//! The order of values, and how they stand together. Deliberately absent: an order of one's own making; there is one,
//! [`Value::order`], and null and what is missing come last either way.

use std::cmp::Ordering;
use std::collections::HashMap;

use ecow::EcoVec;

use crate::command::{Call, Command};
use crate::error::shown;
use crate::family::{family, row};
use crate::key::{ByMeaning, Key};
use crate::stream::{Batch, Stream};
use crate::value::Record;
use crate::values::below_dice;
use crate::{Error, Kind, Value};

pub(crate) fn families() -> Vec<Command> {
    family(
        "list",
        [
            row("sort [KEY…] [--desc]")
                .about("By value or by keys: booleans, numbers, texts, lists, records; null and missing last; equal ones stay in order")
                .example("list 10 b 9 a | sort", "9\n10\n\"a\"\n\"b\"")
                .example(r#"seed '[{"n":1},{"n":3}]' | sort n --desc"#, "{\"n\":3}\n{\"n\":1}")
                .stream(sort),
            row("sortnum")
                .about("By the number at the front of a text; what has none comes last")
                .example("list '10 apples' none '9 pears' | sortnum", "\"9 pears\"\n\"10 apples\"\n\"none\"")
                .stream(sortnum),
            row("reverse")
                .about("The last first")
                .example("list 1 2 3 | reverse", "3\n2\n1")
                .stream(|_, input| {
                    Ok(input.gather(|mut all| {
                        all.reverse();
                        Ok(all)
                    }))
                }),
            row("shuffle").about("In an order by lot").example("list 2 1 | shuffle | sort", "1\n2").stream(shuffle),
            row("min [KEY]")
                .about("The least value, or the value whose key is the least; the first of several")
                .example("list 3 1 2 | min", "1")
                .example(r#"seed '[{"n":2},{"n":1},{}]' | min n"#, r#"{"n":1}"#)
                .stream(|call, input| extreme(&call, input, Ordering::Less)),
            row("max [KEY]")
                .about("The greatest value, or the value whose key is the greatest; the first of several")
                .example("list 3 1 2 | max", "3")
                .stream(|call, input| extreme(&call, input, Ordering::Greater)),
            row("group KEY…")
                .about("One record for each value of the keys: the keys, count, and rows with the values themselves")
                .example(
                    r#"seed '[{"e":"p"},{"e":"s"},{"e":"p"}]' | group e | select e count"#,
                    "{\"e\":\"p\",\"count\":2}\n{\"e\":\"s\",\"count\":1}",
                )
                .stream(group),
            row("zip")
                .about("Incoming lists side by side, as long as the shortest")
                .example("seed '[[1,2,3],[\"a\",\"b\"]]' | zip", "[1,\"a\"]\n[2,\"b\"]")
                .stream(zip),
            row("chunk N")
                .about("Lists of N values, the last of what is left")
                .example("range 3 | chunk 2", "[0,1]\n[2]")
                .kind("N", Kind::Int(1, i64::MAX))
                .stream(chunk),
            row("flatten")
                .about("The values inside lists, to any depth")
                .example("seed '[[1,[2]],3]' | flatten", "1\n2\n3")
                .stream(|_, input| {
                    Ok(input.lift(|value, out| {
                        flatten(value, out);
                        Ok(())
                    }))
                }),
        ],
    )
}

fn sort(call: Call, input: Stream) -> Result<Stream, Error> {
    let keys = Key::read_all(call.all("KEY"))?;
    let descending = call.flag("desc");
    Ok(input.gather(move |mut all| {
        match keys.as_slice() {
            [] => all.sort_by(|a, b| placed(Some(a), Some(b), descending)),
            [key] => all.sort_by(|a, b| placed(key.of(a), key.of(b), descending)),
            keys => all.sort_by(|a, b| {
                let mut orders = keys.iter().map(|key| placed(key.of(a), key.of(b), descending));
                orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
            }),
        }
        Ok(all)
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

fn sortnum(_: Call, input: Stream) -> Result<Stream, Error> {
    Ok(input.gather(|all| {
        let mut numbered: Vec<(Option<Value>, Value)> =
            all.into_iter().map(|value| (number_in_front(&value), value)).collect();
        numbered.sort_by(|(a, _), (b, _)| placed(a.as_ref(), b.as_ref(), false));
        Ok(numbered.into_iter().map(|(_, value)| value).collect())
    }))
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

fn shuffle(call: Call, input: Stream) -> Result<Stream, Error> {
    Ok(input.gather(move |mut all| {
        for left in (2..=all.len()).rev() {
            let drawn = below_dice(call.host().as_ref(), u64::try_from(left).unwrap_or(u64::MAX));
            all.swap(left - 1, usize::try_from(drawn).unwrap_or(0));
        }
        Ok(all)
    }))
}

/// The value that comes first in the order, or the other way; null only when there is nothing else.
fn extreme(call: &Call, input: Stream, wanted: Ordering) -> Result<Stream, Error> {
    let key = call.text("KEY").map(|key| Key::read(&key)).transpose()?;
    let name = key.as_ref().map(|key| key.name.clone()).unwrap_or_default();
    Ok(input.fold(
        (None::<(Value, Value)>, false),
        move |(best, came), value, _| {
            *came = true;
            let Some(here) = key.as_ref().map_or(Some(&value), |key| key.of(&value)) else { return Ok(()) };
            let better = match best {
                None => true,
                Some((_, Value::Null)) => !matches!(here, Value::Null),
                Some((_, there)) => !matches!(here, Value::Null) && here.order(there) == wanted,
            };
            if better {
                let here = here.clone();
                *best = Some((value, here));
            }
            Ok(())
        },
        move |(best, came)| match best {
            Some((value, _)) => Ok(Some(value)),
            None if came => {
                Err(Error::failed(format!("none of the values has {name}"))
                    .help("keys shows the fields that a record has"))
            }
            None => Ok(None),
        },
    ))
}

fn group(call: Call, input: Stream) -> Result<Stream, Error> {
    let keys = Key::read_all(call.all("KEY"))?;
    Ok(input.gather(move |all| {
        let mut places: HashMap<Vec<ByMeaning>, usize> = HashMap::new();
        let mut groups: Vec<(Vec<Value>, EcoVec<Value>)> = Vec::new();
        for value in all {
            let by: Vec<Value> = keys.iter().map(|key| key.of(&value).cloned().unwrap_or_default()).collect();
            let meaning = by.iter().cloned().map(ByMeaning).collect();
            let place = *places.entry(meaning).or_insert_with(|| {
                groups.push((by, EcoVec::new()));
                groups.len() - 1
            });
            if let Some((_, rows)) = groups.get_mut(place) {
                rows.push(value);
            }
        }
        let record = |(by, rows): (Vec<Value>, EcoVec<Value>)| {
            let mut record: Record = keys.iter().map(|key| key.name.clone()).zip(by).collect();
            record.put("count", rows.len());
            record.put("rows", Value::List(rows));
            Value::Record(record)
        };
        Ok(groups.into_iter().map(record).collect())
    }))
}

fn zip(_: Call, input: Stream) -> Result<Stream, Error> {
    Ok(input.gather(|all| {
        let mut lists: Vec<EcoVec<Value>> = Vec::with_capacity(all.len());
        for value in all {
            match value {
                Value::List(items) => lists.push(items),
                other => {
                    return Err(Error::failed(format!(
                        "zip wants lists, and {} is {}",
                        shown(&other.to_text()),
                        other.kind()
                    ))
                    .help("chunk N makes lists of a stream"));
                }
            }
        }
        let shortest = lists.iter().map(EcoVec::len).min().unwrap_or(0);
        let side_by_side = |at: usize| Value::List(lists.iter().filter_map(|list| list.get(at)).cloned().collect());
        Ok((0..shortest).map(side_by_side).collect())
    }))
}

fn chunk(call: Call, input: Stream) -> Result<Stream, Error> {
    let size = call.int("N").map_or(1, |number| usize::try_from(number).unwrap_or(usize::MAX));
    Ok(input.fold(
        EcoVec::new(),
        move |held: &mut EcoVec<Value>, value, out| {
            held.push(value);
            if held.len() == size {
                out.push(Value::List(std::mem::take(held)));
            }
            Ok(())
        },
        |held| Ok(Some(Value::List(held)).filter(|list| list.item(0).is_some())),
    ))
}

/// Lists are at most [`crate::DEPTH`] deep when they are read, so this ends.
fn flatten(value: Value, out: &mut Batch) {
    match value {
        Value::List(items) => items.into_iter().for_each(|item| flatten(item, out)),
        other => out.push(other),
    }
}
