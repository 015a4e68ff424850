//! The order of values, and how they stand together. Deliberately absent: an order of one's own making; there is one,
//! [`Value::order`], and null and what is missing come last either way.

use std::cmp::Ordering;

use ecow::EcoVec;

use crate::command::{Call, Command};
use crate::error::shown;
use crate::family::{family, row};
use crate::group::group;
use crate::key::Key;
use crate::sort::{sort, sortnum};
use crate::stream::{Batch, Stream};
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
            row("group KEY… [--count]")
                .about(
                    "One record for each value of the keys: the keys, count, and rows with the values themselves; with \
                     --count without the rows, which are not held then",
                )
                .example(
                    r#"seed '[{"e":"p"},{"e":"s"},{"e":"p"}]' | group e | select e count"#,
                    "{\"e\":\"p\",\"count\":2}\n{\"e\":\"s\",\"count\":1}",
                )
                .example(
                    r#"seed '[{"e":"p"},{"e":"s"},{"e":"p"}]' | group e --count"#,
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
