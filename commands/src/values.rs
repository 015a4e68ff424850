//! Where values come from: typed, made, drawn by lot. Deliberately absent: a clock and chance of its own (both are the
//! host's), and anything that reads a file or the network.

use crate::args::{Given, How};
use crate::command::{Call, Command};
use crate::family::{family, row};
use crate::spec::Flow;
use crate::stream::{Batch, Stream};
use crate::{Error, Host, Kind, Value};

pub(crate) fn families() -> Vec<Command> {
    [values(), lists()].concat()
}

fn values() -> Vec<Command> {
    family(
        "value",
        [
            row("echo [TEXT…]")
                .about("The words joined by blanks, and behind them an incoming text, number or boolean")
                .example("echo hello world", r#""hello world""#)
                .example("echo bar | echo foo", r#""foo bar""#)
                .example("list 1 2 | echo n=%s", "\"n=1\"\n\"n=2\"")
                .each(echo),
            row("seed JSON")
                .about("The value that a JSON text says; a list comes value by value")
                .example(r#"seed '[{"a":1},{"a":2}]'"#, "{\"a\":1}\n{\"a\":2}")
                .kind("JSON", Kind::Json)
                .each(seed),
            row("random [N]")
                .about("One of the incoming values by lot; when nothing comes in, a number from 0 below N (100)")
                .example("list a a | random", r#""a""#)
                .example("random 1", "0")
                .kind("N", Kind::Int(1, i64::MAX))
                .stream(random),
            row("uuid").about("A new random identifier").shows("uuid", "a version 4 UUID").each(uuid),
            row("error TEXT…")
                .about("Fails with a message")
                .shows("error no such host", "ends the pipeline")
                .example("try { error boom } { echo caught $message }", r#""caught boom""#)
                .fills("TEXT")
                .each(error),
            row("nil")
                .about("Swallows everything")
                .example("list a b | nil", "")
                .stream(|_, input| Ok(input.lift(|_, _| Ok(())))),
            row("or VALUE…")
                .about("Passes everything on; when nothing at all came, its own values")
                .example("nil | or none", r#""none""#)
                .example("list a | or none", r#""a""#)
                .kind("VALUE", Kind::Value)
                .stream(or),
        ],
    )
}

fn lists() -> Vec<Command> {
    family(
        "list",
        [
            row("list ITEM…")
                .about("Its items as values; a comma anywhere makes commas what separates them")
                .example("list 3 a true", "3\n\"a\"\ntrue")
                .example("list red wine, white wine", "\"red wine\"\n\"white wine\"")
                .example("list 'a, b' c", "\"a, b\"\n\"c\"")
                .kind("ITEM", Kind::Word)
                .fills("ITEM")
                .each(list),
            row("range [START] END [STEP]")
                .about("Whole numbers from START (0) up to END, which is not included, STEP (1) apart")
                .example("range 3", "0\n1\n2")
                .example("range 10 0 -4", "10\n6\n2")
                .kind("START", Kind::INT)
                .kind("END", Kind::INT)
                .kind("STEP", Kind::INT)
                .fills("END")
                .stream(range)
                .flow(Flow::Each),
        ],
    )
}

fn echo(call: &Call, incoming: Option<&Value>, out: &mut Batch) -> Result<(), Error> {
    let words = call.joined("TEXT");
    let appended = match incoming {
        Some(value @ (Value::Text(_) | Value::Int(_) | Value::Float(_) | Value::Bool(_))) if !call.refers() => {
            Some(value.to_text()).filter(|text| !text.is_empty())
        }
        Some(
            Value::Null
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Float(_)
            | Value::Text(_)
            | Value::List(_)
            | Value::Record(_),
        )
        | None => None,
    };
    out.push(Value::Text(match (words, appended) {
        (Some(mut words), Some(appended)) => {
            words.push(' ');
            words.push_str(&appended);
            words
        }
        (Some(text), None) | (None, Some(text)) => text,
        (None, None) => "".into(),
    }));
    Ok(())
}

fn seed(call: &Call, _: Option<&Value>, out: &mut Batch) -> Result<(), Error> {
    match call.value("JSON") {
        Some(Value::List(items)) => out.extend(items.iter().cloned()),
        Some(value) => out.push(value.clone()),
        None => {}
    }
    Ok(())
}

fn random(call: Call, input: Stream) -> Result<Stream, Error> {
    let below = call.int("N").unwrap_or(100);
    let host = call.host().clone();
    let end_host = call.host().clone();
    // a reservoir of one: each value takes the place of the one before with the chance of one in all so far
    Ok(input.fold(
        (None, 0_u64),
        move |(kept, seen), value, _| {
            *seen += 1;
            if below_dice(host.as_ref(), *seen) == 0 {
                *kept = Some(value);
            }
            Ok(())
        },
        move |(kept, seen)| {
            if seen > 0 {
                return Ok(kept);
            }
            let drawn = below_dice(end_host.as_ref(), u64::try_from(below).unwrap_or(1));
            Ok(Some(Value::Int(i64::try_from(drawn).unwrap_or(0))))
        },
    ))
}

/// A number from 0 below `bound`, each as likely as any other but for one part in 2⁶⁴/`bound`.
pub(crate) fn below_dice(host: &dyn Host, bound: u64) -> u64 {
    let wide = u128::from(host.dice()) * u128::from(bound.max(1));
    u64::try_from(wide >> 64).unwrap_or(0)
}

fn uuid(call: &Call, _: Option<&Value>, out: &mut Batch) -> Result<(), Error> {
    let bits = (u128::from(call.host().dice()) << 64) | u128::from(call.host().dice());
    // version 4 and the variant of RFC 9562
    let bits = (bits & !(0xF << 76) & !(0b11 << 62)) | (4 << 76) | (0b10 << 62);
    let hex = format!("{bits:032x}");
    let parts = [hex.get(..8), hex.get(8..12), hex.get(12..16), hex.get(16..20), hex.get(20..)];
    out.push(Value::from(parts.map(Option::unwrap_or_default).join("-")));
    Ok(())
}

fn error(call: &Call, _: Option<&Value>, _: &mut Batch) -> Result<(), Error> {
    Err(Error::failed(call.joined("TEXT").unwrap_or_default()))
}

fn or(call: Call, input: Stream) -> Result<Stream, Error> {
    let instead: Vec<Value> = call.all("VALUE").iter().map(|arg| arg.value.clone()).collect();
    let mut input = input;
    Ok(Stream::later(async move {
        Ok(match input.next().await {
            None => Stream::of(instead),
            Some(first) => input.behind(first?),
        })
    }))
}

fn list(call: &Call, _: Option<&Value>, out: &mut Batch) -> Result<(), Error> {
    let words = call.all("ITEM").iter().filter_map(|arg| arg.given.as_ref());
    if words.clone().any(has_comma) {
        comma_items(words, out);
    } else {
        out.extend(words.map(Given::value));
    }
    Ok(())
}

fn bare_text(piece: &(Value, How)) -> Option<&str> {
    match piece {
        (Value::Text(text), How::Bare) => Some(text),
        _ => None,
    }
}

fn has_comma(word: &Given) -> bool {
    word.pieces.iter().filter_map(bare_text).any(|text| text.contains(','))
}

/// Items between the commas that were typed bare: an item of one word is what the word is, one of several is their
/// text, one of none is an empty text, and a last one of none is left out.
fn comma_items<'a>(words: impl Iterator<Item = &'a Given>, out: &mut Batch) {
    let mut item: Vec<Given> = Vec::new();
    let mut close = |item: &mut Vec<Given>| {
        let words = std::mem::take(item);
        out.push(match words.as_slice() {
            [one] => one.value(),
            several => {
                let text = several.iter().map(Given::text).collect::<Vec<_>>().join(" ");
                Value::from(text.trim())
            }
        });
    };
    for word in words {
        let mut pieces: Vec<(Value, How)> = Vec::new();
        for piece in &word.pieces {
            let Some(text) = bare_text(piece) else {
                pieces.push(piece.clone());
                continue;
            };
            for (at, part) in text.split(',').enumerate() {
                if at > 0 {
                    if !pieces.is_empty() {
                        item.push(Given::of(std::mem::take(&mut pieces)));
                    }
                    close(&mut item);
                }
                if !part.is_empty() {
                    pieces.push((Value::from(part), How::Bare));
                }
            }
        }
        if !pieces.is_empty() {
            item.push(Given::of(pieces));
        }
    }
    if !item.is_empty() {
        close(&mut item);
    }
}

fn range(call: Call, _: Stream) -> Result<Stream, Error> {
    let step = call.int("STEP").unwrap_or(1);
    if step == 0 {
        return Err(Error::failed("STEP of range is 0, so it would never end").help("leave it out, or give another"));
    }
    // without an END yet there is only STEP to judge
    let Some(end) = call.int("END") else { return Ok(Stream::empty()) };
    let mut next = Some(call.int("START").unwrap_or(0));
    Ok(Stream::from_values(std::iter::from_fn(move || {
        let here = next.filter(|here| if step > 0 { *here < end } else { *here > end })?;
        next = here.checked_add(step);
        Some(Value::Int(here))
    })))
}
