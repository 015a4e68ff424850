//! Which values of a stream stay. Deliberately absent: changing a value; a row keeps its type.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use crate::command::{Call, Command, Test};
use crate::condition::Condition;
use crate::family::{family, row};
use crate::jsonpath::JsonPath;
use crate::key::{ByMeaning, Key};
use crate::limits::Held;
use crate::pattern::{between_slashes, finds, matches, regex};
use crate::stream::Stream;
use crate::values::below_dice;
use crate::{Error, Kind, Level, Note, Value};

pub(crate) fn families() -> Vec<Command> {
    [searching(), counting()].concat()
}

fn searching() -> Vec<Command> {
    family(
        "list",
        [
            row("grep PATTERN [-v] [-o] [--case] [-C N] [-A N] [-B N] [--field=KEY]")
                .about(
                    "Values in whose text, or in a text or number inside them, a pattern is found, in capitals or not; \
                     -v those where it is not, -o only what was found, --case minds capitals, -C, -A and -B also bring \
                     N values around, after or before",
                )
                .example("list apple Banana cherry | grep an", r#""Banana""#)
                .example("list a b c d e | grep c -A 1", "\"c\"\n\"d\"")
                .example("list a1 b22 c | grep -o '[0-9]+'", "\"1\"\n\"22\"")
                .kind("N", Kind::COUNT)
                .stream(grep),
            row("where CONDITION…")
                .about("Values for which every condition holds: field=value with = == != < <= > >= ~ !~, or an expression in quotes")
                .example(
                    r#"seed '[{"name":"web","cpu":91},{"name":"db","cpu":40}]' | where cpu>80 name~^w"#,
                    r#"{"name":"web","cpu":91}"#,
                )
                .example("list 1 5 9 | where '_ > 4 and not _ == 9'", "5")
                .kind("CONDITION", Kind::Word)
                .keep(where_),
            row("filter -p|--path=PATH [-m|--matches=RE]")
                .about("Values with something at a path, in whose text a pattern is found; a path with $ is a JSONPath, /re/i is blind to capitals")
                .example(r#"seed '[{"a":{"b":"x"}},{"a":1}]' | filter --path=a.b"#, r#"{"a":{"b":"x"}}"#)
                .example(r#"seed '[{"a":"Test"},{"a":"x"}]' | filter -p a -m /test/i"#, r#"{"a":"Test"}"#)
                .keep(filter),
            row("unique [KEY…]")
                .also(&["uniq", "set"])
                .about("Each value once, or one for each value of the keys: the first that comes")
                .example("list b a b 1 1.0 | unique", "\"b\"\n\"a\"\n1")
                .example(r#"seed '[{"k":1,"n":1},{"k":1,"n":2}]' | unique k"#, r#"{"k":1,"n":1}"#)
                .stream(unique),
        ],
    )
}

fn counting() -> Vec<Command> {
    let count = || Kind::COUNT;
    family(
        "list",
        [
            row("head [N]")
                .also(&["take", "first"])
                .about("The first N values (1); what comes before stops")
                .example("range 10 | head 3", "0\n1\n2")
                .kind("N", count())
                .stream(|call, input| Ok(input.first(number(&call, 1)))),
            row("tail [N]")
                .also(&["last"])
                .about("The last N values (1)")
                .example("range 10 | tail 2", "8\n9")
                .kind("N", count())
                .stream(tail),
            row("skip N")
                .about("All but the first N values")
                .example("list a b c | skip 2", r#""c""#)
                .kind("N", count())
                .keep(skip),
            row("rest [N]")
                .about("All but the first N values (1)")
                .example("list a b c | rest", "\"b\"\n\"c\"")
                .kind("N", count())
                .keep(skip),
            row("droplast [N]")
                .about("All but the last N values (1)")
                .example("list a b c | droplast", "\"a\"\n\"b\"")
                .kind("N", count())
                .stream(droplast),
            row("nth N")
                .about("The value at a place, counted from 0")
                .example("list a b c | nth 1", r#""b""#)
                .kind("N", count())
                .stream(nth),
            row("sample [N]")
                .about("N values (1) by lot, in the order in which they came")
                .example("list x | sample 3", r#""x""#)
                .kind("N", count())
                .stream(sample),
        ],
    )
}

/// The count that was asked for.
fn number(call: &Call, otherwise: usize) -> usize {
    call.int("N").map_or(otherwise, |number| usize::try_from(number).unwrap_or(usize::MAX))
}

fn grep(call: Call, input: Stream) -> Result<Stream, Error> {
    let Some(text) = call.text("PATTERN") else { return Ok(Stream::empty()) };
    let pattern = regex(&text, !call.flag("case"))?;
    let field = call.text("field").map(|key| Key::read(&key)).transpose()?;
    let inverted = call.flag("v");
    let count = |name: &str| call.int(name).map(|number| usize::try_from(number).unwrap_or(usize::MAX));
    let before = count("B").or(count("C")).unwrap_or(0);
    let after = count("A").or(count("C")).unwrap_or(0);

    if call.flag("o") {
        return Ok(input.lift(move |value, out| {
            let place = field.as_ref().map_or(Some(&value), |key| key.of(&value));
            if let Some(place) = place.filter(|_| !inverted) {
                matches(&pattern, place, out);
            }
            Ok(())
        }));
    }
    let selected = move |value: &Value| {
        let place = field.as_ref().map_or(Some(value), |key| key.of(value));
        place.is_some_and(|place| finds(&pattern, place)) != inverted
    };
    if before == 0 && after == 0 {
        return Ok(input.keep(selected));
    }
    let mut waiting: VecDeque<Value> = VecDeque::new();
    let mut held = Held::default();
    let mut following = 0;
    Ok(input.lift(move |value, out| {
        if selected(&value) {
            held = Held::default();
            out.extend(waiting.drain(..));
            out.push(value);
            following = after;
        } else if following > 0 {
            following -= 1;
            out.push(value);
        } else if before > 0 {
            if waiting.len() == before
                && let Some(value) = waiting.pop_front()
            {
                held.give(&value);
            }
            held.take(&value)?;
            waiting.push_back(value);
        }
        Ok(())
    }))
}

fn where_(call: &Call) -> Result<Test, Error> {
    let condition = Condition::read(call.all("CONDITION"))?;
    let (host, command) = (Arc::clone(call.host()), call.command().clone());
    let mut remarked = false;
    Ok(Box::new(move |value| {
        let holds = condition.holds(value);
        // one remark is enough, and it is not looked for where the condition holds
        if !holds
            && !remarked
            && let Some(remark) = condition.remark(value)
        {
            remarked = true;
            host.note(&command, Note::Log { level: Level::Warn, text: remark.into() });
        }
        holds
    }))
}

fn filter(call: &Call) -> Result<Test, Error> {
    let path = call.text("path").unwrap_or_default();
    let pattern = match call.text("matches") {
        Some(text) => {
            let (inside, blind) = between_slashes(&text).unwrap_or((&text, false));
            Some(regex(inside, blind)?)
        }
        None => None,
    };
    let passes = move |found: &Value| {
        !matches!(found, Value::Null) && pattern.as_ref().is_none_or(|pattern| pattern.is_match(&found.to_text()))
    };
    if path.starts_with('$') {
        let path = JsonPath::read(&path)?;
        // a path that looks at too many places has found nothing in that value
        return Ok(Box::new(move |value| {
            let mut found = Vec::new();
            path.find(value, &mut found).is_ok() && found.iter().any(&passes)
        }));
    }
    let path = Key::read(&path)?;
    Ok(Box::new(move |value| path.of(value).is_some_and(&passes)))
}

fn unique(call: Call, input: Stream) -> Result<Stream, Error> {
    let keys = Key::read_all(call.all("KEY"))?;
    let mut held = Held::default();
    if keys.is_empty() {
        let mut seen: HashSet<ByMeaning> = HashSet::new();
        return Ok(input.lift(move |value, out| {
            if seen.insert(ByMeaning(value.clone())) {
                held.take(&value)?;
                out.push(value);
            }
            Ok(())
        }));
    }
    let mut seen: HashSet<Vec<Option<ByMeaning>>> = HashSet::new();
    Ok(input.lift(move |value, out| {
        if seen.insert(keys.iter().map(|key| key.of(&value).cloned().map(ByMeaning)).collect()) {
            held.take(&value)?;
            out.push(value);
        }
        Ok(())
    }))
}

fn tail(call: Call, mut input: Stream) -> Result<Stream, Error> {
    let count = number(&call, 1);
    Ok(Stream::later(async move {
        let mut last: VecDeque<Value> = VecDeque::new();
        let mut held = Held::default();
        while let Some(batch) = input.next().await {
            for value in batch? {
                held.take(&value)?;
                last.push_back(value);
            }
            for value in last.drain(..last.len().saturating_sub(count)) {
                held.give(&value);
            }
        }
        Ok(Stream::from_values(last))
    }))
}

fn skip(call: &Call) -> Result<Test, Error> {
    let mut left = number(call, 1);
    Ok(Box::new(move |_| {
        let over = left == 0;
        left = left.saturating_sub(1);
        over
    }))
}

fn droplast(call: Call, input: Stream) -> Result<Stream, Error> {
    let count = number(&call, 1);
    let mut last: VecDeque<Value> = VecDeque::new();
    let mut held = Held::default();
    Ok(input.lift(move |value, out| {
        held.take(&value)?;
        last.push_back(value);
        if last.len() > count
            && let Some(value) = last.pop_front()
        {
            held.give(&value);
            out.push(value);
        }
        Ok(())
    }))
}

fn nth(call: Call, input: Stream) -> Result<Stream, Error> {
    let mut left = number(&call, 0);
    let from = input.keep(move |_| {
        let over = left == 0;
        left = left.saturating_sub(1);
        over
    });
    Ok(from.first(1))
}

/// A reservoir: each value takes a place by lot so that in the end all were as likely.
fn sample(call: Call, mut input: Stream) -> Result<Stream, Error> {
    let count = number(&call, 1);
    Ok(Stream::later(async move {
        let mut kept: Vec<(u64, Value)> = Vec::new();
        let mut held = Held::default();
        let mut seen = 0_u64;
        while let Some(batch) = input.next().await {
            for value in batch? {
                seen += 1;
                if kept.len() < count {
                    held.take(&value)?;
                    kept.push((seen, value));
                    continue;
                }
                let place = usize::try_from(below_dice(call.host().as_ref(), seen)).unwrap_or(usize::MAX);
                if let Some(place) = kept.get_mut(place) {
                    held.give(&place.1);
                    held.take(&value)?;
                    *place = (seen, value);
                }
            }
        }
        kept.sort_unstable_by_key(|(at, _)| *at);
        Ok(Stream::from_values(kept.into_iter().map(|(_, value)| value)))
    }))
}
