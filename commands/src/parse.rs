//! Values from texts in the formats of other programs. Deliberately absent: guessing which format a text is in.

use std::collections::{HashSet, VecDeque};

use ecow::EcoString;
use futures_util::stream;
use memchr::memchr;

use crate::command::Call;
use crate::stream::{BATCH, Batch, Stream};
use crate::text::text_of;
use crate::value::Fields;
use crate::{Error, Record, Value};

/// Reads the incoming texts.
pub(crate) fn parse(call: Call, input: Stream) -> Result<Stream, Error> {
    let format = call.args().words().next().map(Value::to_text).unwrap_or_default();
    let read = match format.as_str() {
        "json-lines" => return Ok(json_lines(input)),
        "json" => json,
        "yaml" => yaml,
        "toml" => toml,
        "csv" => csv,
        "kv" => kv,
        "lines" => |text: &str, out: &mut Batch| {
            out.extend(text.lines().map(Value::from));
            Ok(())
        },
        other => return Err(Error::failed(format!("parse knows no format {other:?}"))),
    };
    Ok(input.lift(move |value, out| read(&text_of("parse", &value)?, out)))
}

fn spread(value: Value, out: &mut Batch) {
    match value {
        Value::List(items) => out.extend(items),
        other => out.push(other),
    }
}

fn json(text: &str, out: &mut Batch) -> Result<(), Error> {
    let value = Value::from_json(text).map_err(|error| Error::failed(format!("this is no JSON: {error}")))?;
    spread(value, out);
    Ok(())
}

/// A value a line, a batch at a time, so that the first is handed on before the last is read.
fn json_lines(input: Stream) -> Stream {
    let lines = Lines { input: Some(input), texts: VecDeque::new(), at: 0, line: 0 };
    Stream::new(stream::unfold(lines, |mut lines| async move {
        let batch = lines.next().await?;
        if batch.is_err() {
            lines.input = None;
            lines.texts.clear();
        }
        Some((batch, lines))
    }))
}

/// Where the reading of lines is: texts that wait, the place in the first of them, and the lines read so far.
struct Lines {
    input: Option<Stream>,
    texts: VecDeque<EcoString>,
    at: usize,
    line: usize,
}

impl Lines {
    async fn next(&mut self) -> Option<Result<Batch, Error>> {
        loop {
            if !self.texts.is_empty() {
                match self.batch() {
                    Ok(batch) if batch.is_empty() => {}
                    ready => return Some(ready),
                }
            }
            let batch = match self.input.as_mut()?.next().await? {
                Ok(batch) => batch,
                Err(error) => return Some(Err(error)),
            };
            for value in batch {
                match value {
                    Value::Text(text) => self.texts.push_back(text),
                    other => match text_of("parse", &other) {
                        Ok(text) => self.texts.push_back(text),
                        Err(error) => return Some(Err(error)),
                    },
                }
            }
        }
    }

    /// The values of the next lines; what came before a line that cannot be read is handed on first.
    fn batch(&mut self) -> Result<Batch, Error> {
        let mut batch = Batch::with_capacity(BATCH);
        while let Some(text) = self.texts.front() {
            let rest = text.get(self.at..).unwrap_or_default();
            let (line, next) = match memchr(b'\n', rest.as_bytes()) {
                Some(end) => (rest.get(..end).unwrap_or_default(), Some(self.at + end + 1)),
                None => (rest, None),
            };
            if !line.trim_ascii().is_empty() {
                match Value::from_json(line) {
                    Ok(value) => batch.push(value),
                    Err(_) if !batch.is_empty() => return Ok(batch),
                    Err(error) => {
                        // the reader counts lines too, and sees one
                        let why = error.to_string().replace(" at line 1 column ", " at column ");
                        return Err(Error::failed(format!("line {} is no JSON: {why}", self.line + 1)));
                    }
                }
            }
            self.line += 1;
            self.at = next.unwrap_or(0);
            if next.is_none() {
                self.texts.pop_front();
            }
            if batch.len() == BATCH {
                break;
            }
        }
        Ok(batch)
    }
}

fn yaml(text: &str, out: &mut Batch) -> Result<(), Error> {
    // as YAML 1.2 has it: `no` and `on` are texts
    let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
    let documents: Vec<Value> = serde_saphyr::from_multiple_with_options(text, options).map_err(|error| {
        let why = error.to_string();
        Error::failed(format!("this is no YAML: {}", without_advice(why.lines().next().unwrap_or_default())))
    })?;
    // the reader passes over documents that are null
    if documents.is_empty() && !text.trim().is_empty() {
        out.push(Value::Null);
    }
    for document in documents {
        spread(document, out);
    }
    Ok(())
}

/// What a reader says without what it would tell a programmer to do.
fn without_advice(why: &str) -> String {
    let (what, place) = match why.rsplit_once(" at line ") {
        Some((what, place)) => (what, format!(" at line {place}")),
        None => (why, String::new()),
    };
    let what = what.split(", set ").next().unwrap_or_default();
    let what = what.split("; use ").next().unwrap_or_default();
    format!("{}{place}", what.trim_end_matches(" rejected by the configured policy"))
}

fn toml(text: &str, out: &mut Batch) -> Result<(), Error> {
    // reading takes as long as the square of the number of keys, and nothing stops a line meanwhile
    const LONGEST: usize = 256 << 10;
    if text.len() > LONGEST {
        return Err(Error::failed(format!("a TOML text has {} KiB at most", LONGEST >> 10)));
    }
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| text.get(..span.start).unwrap_or_default().lines().count().max(1));
        Error::failed(format!("line {line} is no TOML: {}", error.message()))
    })?;
    out.push(of_toml(toml::Value::Table(table))?);
    Ok(())
}

fn of_toml(value: toml::Value) -> Result<Value, Error> {
    Ok(match value {
        toml::Value::String(text) => Value::from(text),
        toml::Value::Integer(number) => Value::Int(number),
        toml::Value::Float(number) if number.is_finite() => Value::Float(number),
        toml::Value::Float(_) => {
            return Err(Error::failed("there are no infinite numbers, and none that is no number"));
        }
        toml::Value::Boolean(value) => Value::Bool(value),
        toml::Value::Datetime(time) => Value::from(time.to_string()),
        toml::Value::Array(items) => Value::List(items.into_iter().map(of_toml).collect::<Result<_, _>>()?),
        toml::Value::Table(table) => {
            let mut record = Record::new();
            for (key, value) in table {
                record.put(key, of_toml(value)?);
            }
            Value::Record(record)
        }
    })
}

fn csv(text: &str, out: &mut Batch) -> Result<(), Error> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let unreadable = |error: &csv::Error| match error.kind() {
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.as_ref().map_or(0, csv::Position::line);
            Error::failed(format!("line {line} of the csv has {len} cells, and the header {expected_len}"))
        }
        _ => Error::failed(format!("this is no csv: {error}")),
    };
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let names: Vec<EcoString> = reader.headers().map_err(|error| unreadable(&error))?.iter().map(Into::into).collect();
    let mut seen = HashSet::new();
    if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
        return Err(Error::failed(format!("the csv has two columns {twice:?}")));
    }
    for row in reader.records() {
        let row = row.map_err(|error| unreadable(&error))?;
        out.push(Value::Record(names.iter().cloned().zip(row.iter()).collect()));
    }
    Ok(())
}

/// `key=value` pairs with blanks between; a value with blanks is in quotes.
fn kv(text: &str, out: &mut Batch) -> Result<(), Error> {
    let mut fields = Fields::default();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let word = rest.split_whitespace().next().unwrap_or_default();
        let Some((key, behind)) =
            rest.split_once('=').filter(|(key, _)| !key.is_empty() && !key.contains(char::is_whitespace))
        else {
            return Err(Error::failed(format!("{word:?} is no key=value pair")));
        };
        let quote = behind.chars().next().filter(|letter| matches!(letter, '"' | '\''));
        let (value, after) = match quote {
            Some(quote) => behind
                .get(1..)
                .and_then(|inside| inside.split_once(quote))
                .ok_or_else(|| Error::failed(format!("the value of {key} has no closing quote")))?,
            None => behind.split_at(behind.find(char::is_whitespace).unwrap_or(behind.len())),
        };
        if !fields.put(key, value) {
            return Err(Error::failed(format!("the key {key} occurs twice")));
        }
        rest = after.trim_start();
    }
    out.push(Value::Record(fields.record));
    Ok(())
}
