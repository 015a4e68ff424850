//! Texts: taken apart, put together, changed. Deliberately absent: any locale; case and letters are Unicode's.

use std::cell::RefCell;

use ecow::EcoString;
use regex::Regex;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use crate::command::{Call, Command, Worker};
use crate::family::{Row, family, row};
use crate::pattern::{between_slashes, regex};
use crate::sed::Script;
use crate::stream::{Batch, Stream};
use crate::template::Template;
use crate::{Error, Kind, Record, Value, limits};

pub(crate) fn families() -> Vec<Command> {
    [words(), streams(), patterns()].concat()
}

/// A row whose text is its words, or else the incoming value.
fn texts(usage: &str, about: &str, f: fn(&Call, Option<&Value>, &mut Batch) -> Result<(), Error>) -> Row {
    row(usage).about(about).kind("TEXT", Kind::Word).fills("TEXT").each(f)
}

fn words() -> Vec<Command> {
    family(
        "text",
        [
            texts("words [TEXT…]", "The words of a text, at runs of blanks", |call, _, out| {
                out.extend(subject(call)?.split_whitespace().map(Value::from));
                Ok(())
            })
            .example("echo 'a  b c' | words", "\"a\"\n\"b\"\n\"c\""),
            texts("letters [TEXT…]", "The letters of a text, as a reader counts them", |call, _, out| {
                out.extend(subject(call)?.graphemes(true).map(Value::from));
                Ok(())
            })
            .example("letters añ😀", "\"a\"\n\"ñ\"\n\"😀\""),
            texts("lines [TEXT…]", "The lines of a text", |call, _, out| {
                out.extend(subject(call)?.lines().map(Value::from));
                Ok(())
            })
            .example("echo \"a\\n\\nb\" | lines", "\"a\"\n\"\"\n\"b\""),
            texts("trim [TEXT…]", "A text without blanks around it", |call, _, out| {
                out.push(Value::from(subject(call)?.trim()));
                Ok(())
            })
            .example("echo ' a b ' | trim", r#""a b""#),
            texts("upper [TEXT…]", "A text in capitals", |call, _, out| {
                out.push(Value::from(subject(call)?.to_uppercase()));
                Ok(())
            })
            .example("echo Straße | upper", r#""STRASSE""#),
            texts("lower [TEXT…]", "A text in small letters", |call, _, out| {
                out.push(Value::from(subject(call)?.to_lowercase()));
                Ok(())
            })
            .example("lower ÀB", r#""àb""#),
            texts("capitalize [TEXT…]", "A text with its first letter large and the others small", |call, _, out| {
                out.push(Value::from(capitalized(&subject(call)?)));
                Ok(())
            })
            .example("capitalize hELLO there", r#""Hello there""#),
            texts("length [TEXT…]", "The characters of a text, the items of a list, the fields of a record", length)
                .example("length añ😀", "3")
                .example("seed '[[1,2]]' | length", "2"),
            texts(
                "split SEP [TEXT…]",
                "The parts of a text between separators; /re/ separates by pattern; empty parts stay",
                split,
            )
            .kind("SEP", Kind::Check(separator))
            .example("split , a,,b", "\"a\"\n\"\"\n\"b\"")
            .example("echo a1b22c | split '/[0-9]+/'", "\"a\"\n\"b\"\n\"c\""),
        ],
    )
}

fn streams() -> Vec<Command> {
    family(
        "text",
        [
            row("unwords")
                .about("All texts as one, with blanks between")
                .example("list 1 true x | unwords", r#""1 true x""#)
                .stream(|_, input| Ok(joined(input, " ".into()))),
            row("unletters")
                .about("All texts as one, with nothing between")
                .example("list a b | unletters", r#""ab""#)
                .stream(|_, input| Ok(joined(input, EcoString::new()))),
            row("join [SEP]")
                .about("All texts as one, with SEP (nothing) between")
                .example("list a b c | join ', '", r#""a, b, c""#)
                .stream(|call, input| Ok(joined(input, call.text("SEP").unwrap_or_default()))),
        ],
    )
}

fn patterns() -> Vec<Command> {
    family(
        "text",
        [
            row("replace A B")
                .about("Texts with one text in place of another, everywhere")
                .example("echo abcabc | replace bc x", r#""axax""#)
                .values(replace),
            row("sed SCRIPT")
                .about("Texts changed by s/re/new/: the first place, or with g all; i minds no capitals; \\1 and & stand for what was found")
                .example("list foo bar | sed s/o/0/", "\"f0o\"\n\"bar\"")
                .example(r"echo john smith | sed 's/(\w+) (\w+)/\2 \1/'", r#""smith john""#)
                .values(sed),
            row("match RE")
                .about("A record of the named groups of a pattern; a text without a match gives nothing")
                .example(
                    r"echo 'web-01 up' | match '(?<host>\S+) (?<state>\w+)'",
                    r#"{"host":"web-01","state":"up"}"#,
                )
                .values(match_),
            row("pad N [--left]")
                .about("Texts filled up with blanks to N columns, at the end or at the left")
                .example("echo ab | pad 4", r#""ab  ""#)
                .example("list 7 | pad 3 --left", r#""  7""#)
                .kind("N", Kind::Int(0, 1000))
                .values(pad),
            row("render TEMPLATE")
                .about("A text made of each value by a Jinja template: fields by name, the value itself as _")
                .example(r#"seed '{"a":"x","b":{"c":2}}' | render '{{ a }}-{{ b.c }}'"#, r#""x-2""#)
                .example("list 1 2 | render 'n={{ _ }}'", "\"n=1\"\n\"n=2\"")
                .values(render),
        ],
    )
}

/// The text that a call works on: its words joined by blanks, as typed, or the incoming value's.
pub(crate) fn subject(call: &Call) -> Result<EcoString, Error> {
    let words = call.all("TEXT");
    for word in words {
        text_of(&call.command().spec().name, &word.value)?;
    }
    let text = |arg: &crate::Arg| arg.given.as_ref().map_or_else(|| arg.value.to_text(), crate::Given::text);
    Ok(match words {
        [one] => text(one),
        several => several.iter().map(text).collect::<Vec<_>>().join(" ").into(),
    })
}

/// The text of a value that is no list and no record.
pub(crate) fn text_of(command: &str, value: &Value) -> Result<EcoString, Error> {
    match value {
        Value::Text(text) => Ok(text.clone()),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => Ok(value.to_text()),
        Value::List(_) | Value::Record(_) => {
            Err(Error::failed(format!("{command} wants texts, and this is {}", value.kind()))
                .help("get takes a field out, to json makes a text of the whole"))
        }
    }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters.as_str().to_lowercase().chars()).collect()
}

fn length(call: &Call, _: Option<&Value>, out: &mut Batch) -> Result<(), Error> {
    let size = match call.all("TEXT") {
        [one] => match &one.value {
            Value::List(items) => Some(items.len()),
            Value::Record(record) => Some(record.len()),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_) => None,
        },
        _ => None,
    };
    out.push(Value::from(match size {
        Some(size) => size,
        None => subject(call)?.chars().count(),
    }));
    Ok(())
}

fn separator(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err(String::from("an empty text separates nothing; letters takes a text apart"));
    }
    match between_slashes(text) {
        Some((inside, blind)) => regex(inside, blind).map(drop).map_err(|error| error.message().to_owned()),
        None => Ok(()),
    }
}

thread_local! {
    /// The separating pattern that was last made ready: a call is made for each value, mostly with the same words.
    static LAST: RefCell<Option<(EcoString, Regex)>> = const { RefCell::new(None) };
}

fn split(call: &Call, _: Option<&Value>, out: &mut Batch) -> Result<(), Error> {
    let separator = call.text("SEP").unwrap_or_default();
    let text = subject(call)?;
    let Some((inside, blind)) = between_slashes(&separator) else {
        out.extend(text.split(separator.as_str()).map(Value::from));
        return Ok(());
    };
    LAST.with_borrow_mut(|last| {
        let pattern = match last.take() {
            Some((made_of, pattern)) if made_of == separator => pattern,
            Some(_) | None => regex(inside, blind)?,
        };
        out.extend(pattern.split(&text).map(Value::from));
        *last = Some((separator.clone(), pattern));
        Ok(())
    })
}

fn joined(input: Stream, between: EcoString) -> Stream {
    input.fold(
        None::<String>,
        move |whole, value, _| {
            let text = value.to_text();
            match whole {
                None => *whole = Some(text.into()),
                Some(whole) => {
                    limits::text(whole.len() + between.len() + text.len())?;
                    whole.push_str(&between);
                    whole.push_str(&text);
                }
            }
            Ok(())
        },
        |whole| Ok(Some(Value::from(whole.unwrap_or_default()))),
    )
}

fn replace(call: &Call) -> Result<Worker, Error> {
    let from = call.text("A").unwrap_or_default();
    let to = call.text("B").unwrap_or_default();
    if from.is_empty() {
        return Err(Error::failed("an empty text is found everywhere, so there is nothing to replace"));
    }
    Ok(Box::new(move |value, out| {
        let text = text_of("replace", &value)?;
        if to.len() > from.len() {
            let found = text.matches(from.as_str()).count();
            limits::text(text.len().saturating_add(found.saturating_mul(to.len() - from.len())))?;
        }
        out.push(Value::from(text.replace(from.as_str(), &to)));
        Ok(())
    }))
}

fn sed(call: &Call) -> Result<Worker, Error> {
    let script = Script::read(&call.text("SCRIPT").unwrap_or_default())?;
    Ok(Box::new(move |value, out| {
        out.push(Value::Text(script.apply(text_of("sed", &value)?)?));
        Ok(())
    }))
}

fn match_(call: &Call) -> Result<Worker, Error> {
    let pattern = regex(&call.text("RE").unwrap_or_default(), false)?;
    let names: Vec<EcoString> = pattern.capture_names().flatten().map(EcoString::from).collect();
    Ok(Box::new(move |value, out| {
        let text = text_of("match", &value)?;
        if let Some(found) = pattern.captures(&text) {
            let group = |name: &EcoString| (name.clone(), Value::from(found.name(name).map(|group| group.as_str())));
            out.push(Value::Record(names.iter().map(group).collect::<Record>()));
        }
        Ok(())
    }))
}

fn pad(call: &Call) -> Result<Worker, Error> {
    let columns = usize::try_from(call.int("N").unwrap_or(0)).unwrap_or(0);
    let left = call.flag("left");
    Ok(Box::new(move |value, out| {
        let text = text_of("pad", &value)?;
        let blanks = " ".repeat(columns.saturating_sub(text.width()));
        out.push(Value::from(if left { blanks + &text } else { text.to_string() + &blanks }));
        Ok(())
    }))
}

fn render(call: &Call) -> Result<Worker, Error> {
    let template = Template::read(&call.text("TEMPLATE").unwrap_or_default())?;
    Ok(Box::new(move |value, out| {
        out.push(Value::from(template.render(value)?));
        Ok(())
    }))
}
