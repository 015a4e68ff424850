//! Jinja templates over a value. They hold no code and come to an end: steps, depth and the size of what they make are
//! bounded. Deliberately absent: includes, macros and variables of their own, and filters that could make a small
//! text a huge one.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread;

use ecow::EcoString;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Enumerator, Object, ObjectRepr, ValueKind};
use minijinja::{AutoEscape, Environment, ErrorKind, Output, State, UndefinedBehavior};

use crate::error::shown;
use crate::scan::bounded;
use crate::{Error, Record, Value};

/// The longest template, in bytes.
const LONGEST: usize = 16 * 1024;
/// A template of so many bytes cannot be nested too deep for any stack.
const SHALLOW: usize = 256;
/// The stack for reading a longer one, in bytes; only what is used of it is ever there.
const STACK: usize = 256 << 20;
/// How many steps a template may take for one value.
const FUEL: u64 = 50_000;
/// How many numbers a range may have.
const RANGE: usize = 1000;
/// The largest text that it may make, and that a filter may make on the way, in bytes.
const LARGEST: usize = 1 << 20;

const NAME: &str = "template";

/// A template that is ready.
pub struct Template(Environment<'static>);

impl Template {
    /// Reads a template of at most 16 KiB.
    pub fn read(text: &str) -> Result<Self, Error> {
        if text.len() > LONGEST {
            return Err(Error::failed(format!("a template has at most {LONGEST} bytes, this one has {}", text.len())));
        }
        let filters = bounded(text)?;
        if text.len() <= SHALLOW {
            return Self::prepared(text, &filters);
        }
        // the reader goes down a level for some operators (`- - - 1`), and a long text has room for thousands
        thread::scope(|scope| {
            let reader =
                thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || Self::prepared(text, &filters));
            let read = reader.ok().and_then(|reader| reader.join().ok());
            read.unwrap_or_else(|| Err(Error::failed("the template could not be read")))
        })
    }

    fn prepared(text: &str, filters: &[&str]) -> Result<Self, Error> {
        let mut jinja = Environment::new();
        jinja.set_undefined_behavior(UndefinedBehavior::Strict);
        jinja.set_auto_escape_callback(|_| AutoEscape::None);
        jinja.set_syntax(
            SyntaxConfig::builder().keep_trailing_newline(true).build().map_err(|error| unreadable(text, &error))?,
        );
        jinja.set_fuel(Some(FUEL));
        jinja.set_formatter(format);
        for unbounded in ["format", "indent", "pprint", "batch", "slice"] {
            jinja.remove_filter(unbounded);
        }
        for function in ["debug", "namespace"] {
            jinja.remove_global(function);
        }
        jinja.add_function("range", range);
        jinja.add_filter("replace", replace);
        jinja.add_filter("join", join);
        jinja.add_filter("tojson", |value: minijinja::Value| json(&value));
        jinja.add_template_owned(NAME, text.to_owned()).map_err(|error| unreadable(text, &error))?;
        // the engine looks a filter up when it comes to it, which may be never
        let unknown = |name: &&&str| {
            let tried = jinja.compile_expression_owned(format!("1|{name}")).and_then(|made| made.eval(()).map(drop));
            tried.is_err_and(|error| error.kind() == ErrorKind::UnknownFilter)
        };
        match filters.iter().find(unknown) {
            Some(name) => Err(Error::failed(format!("templates have no filter {name:?}"))),
            None => Ok(Self(jinja)),
        }
    }

    /// The text that it makes of a value.
    pub fn render(&self, value: Value) -> Result<String, Error> {
        let failed = |error: minijinja::Error| {
            let failed = Error::failed(format!("the template cannot be filled in: {}", reason(&error)));
            match error.kind() {
                ErrorKind::UndefinedError => {
                    failed.help("keys shows the fields of a record; {{ x | default('') }} does without")
                }
                _ => failed,
            }
        };
        let template = self.0.get_template(NAME).map_err(failed)?;
        let mut text = Bounded(Vec::new());
        let rendered = template.render_captured_to(minijinja::Value::from_object(Root(value)), &mut text);
        rendered.map(drop).map_err(failed)?;
        String::from_utf8(text.0).map_err(|_| Error::failed("the template made no text"))
    }
}

fn unreadable(text: &str, error: &minijinja::Error) -> Error {
    Error::failed(format!("{} is no template: {}", shown(text), reason(error)))
}

fn reason(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("{} ({detail})", error.kind()),
        None => error.kind().to_string(),
    }
}

/// Values become text as everywhere.
fn format(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &minijinja::Value) -> Result<(), minijinja::Error> {
    if value.is_undefined() {
        return Err(minijinja::Error::from(ErrorKind::UndefinedError));
    }
    out.write_str(&text(value)?).map_err(minijinja::Error::from)
}

fn text(value: &minijinja::Value) -> Result<EcoString, minijinja::Error> {
    match value.as_str() {
        Some(text) => Ok(text.into()),
        None => of_template(value, crate::DEPTH).map(|value| value.to_text()),
    }
}

/// Compact JSON of what a template came to.
fn json(value: &minijinja::Value) -> Result<String, minijinja::Error> {
    Ok(of_template(value, crate::DEPTH)?.to_json())
}

fn of_template(value: &minijinja::Value, depth: usize) -> Result<Value, minijinja::Error> {
    let error = || minijinja::Error::new(ErrorKind::BadSerialization, format!("{} is no JSON", value.kind()));
    let inside = |value: &minijinja::Value| of_template(value, depth.checked_sub(1).ok_or_else(error)?);
    if let Some(node) = value.downcast_object_ref::<Node>() {
        return Ok(node.0.clone());
    }
    if let Some(root) = value.downcast_object_ref::<Root>() {
        return Ok(root.0.clone());
    }
    match value.kind() {
        ValueKind::None => Ok(Value::Null),
        ValueKind::Bool => Ok(Value::Bool(value.is_true())),
        ValueKind::Number => match value.as_i64().filter(|_| value.is_integer()) {
            Some(number) => Ok(Value::Int(number)),
            None => f64::try_from(value.clone()).map(Value::from),
        },
        ValueKind::String => Ok(Value::from(value.as_str().unwrap_or_default())),
        ValueKind::Seq if value.len().is_some_and(|length| length > LARGEST) => Err(too_large()),
        ValueKind::Seq | ValueKind::Iterable => {
            value.try_iter()?.map(|item| inside(&item)).collect::<Result<_, _>>().map(Value::List)
        }
        ValueKind::Map => {
            let mut record = Record::new();
            for key in value.try_iter()? {
                record.put(key.to_string(), inside(&value.get_item(&key)?)?);
            }
            Ok(Value::Record(record))
        }
        _ => Err(error()),
    }
}

fn too_large() -> minijinja::Error {
    minijinja::Error::new(ErrorKind::InvalidOperation, format!("the text would be larger than {LARGEST} bytes"))
}

fn range(start: i64, end: Option<i64>, step: Option<i64>) -> Result<Vec<i64>, minijinja::Error> {
    let (mut next, end) = end.map_or((0, start), |end| (start, end));
    let step = step.unwrap_or(1);
    let wrong = |why: &str| Err(minijinja::Error::new(ErrorKind::InvalidOperation, why.to_owned()));
    if step == 0 {
        return wrong("the step of range is 0");
    }
    let mut numbers = Vec::new();
    while (step > 0 && next < end) || (step < 0 && next > end) {
        if numbers.len() == RANGE {
            return wrong("a range is too long");
        }
        numbers.push(next);
        next = next.saturating_add(step);
    }
    Ok(numbers)
}

fn replace(text: &str, from: &str, to: &str) -> Result<String, minijinja::Error> {
    let places = text.matches(from).count();
    if text.len().saturating_add(places.saturating_mul(to.len())) > LARGEST {
        return Err(too_large());
    }
    Ok(text.replace(from, to))
}

fn join(values: minijinja::Value, between: Option<String>) -> Result<String, minijinja::Error> {
    let between = between.unwrap_or_default();
    let mut whole = String::new();
    for (at, value) in values.try_iter()?.enumerate() {
        if at > 0 {
            whole.push_str(&between);
        }
        whole.push_str(&text(&value)?);
        if whole.len() > LARGEST {
            return Err(too_large());
        }
    }
    Ok(whole)
}

/// A text that grows to [`LARGEST`] and no further.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > LARGEST {
            return Err(io::Error::other(format!("the text is larger than {LARGEST} bytes")));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What names mean in a template: the fields of the value, and `_` for the value itself.
#[derive(Debug)]
struct Root(Value);

impl Object for Root {
    fn get_value(self: &Arc<Self>, key: &minijinja::Value) -> Option<minijinja::Value> {
        match key.as_str()? {
            "_" => Some(seen(&self.0)),
            name => self.0.field(name).map(seen),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        fields(&self.0)
    }
}

/// A list or a record as a template sees it.
#[derive(Debug)]
struct Node(Value);

fn seen(value: &Value) -> minijinja::Value {
    match value {
        Value::Null => minijinja::Value::from(()),
        Value::Bool(value) => minijinja::Value::from(*value),
        Value::Int(number) => minijinja::Value::from(*number),
        Value::Float(number) => minijinja::Value::from(*number),
        Value::Text(text) => minijinja::Value::from(text.as_str()),
        Value::List(_) | Value::Record(_) => minijinja::Value::from_object(Node(value.clone())),
    }
}

fn fields(value: &Value) -> Enumerator {
    match value {
        Value::Record(record) => {
            Enumerator::Values(record.iter().map(|(name, _)| minijinja::Value::from(name.as_str())).collect())
        }
        Value::List(items) => Enumerator::Seq(items.len()),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_) => Enumerator::NonEnumerable,
    }
}

impl Object for Node {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        if matches!(self.0, Value::List(_)) { ObjectRepr::Seq } else { ObjectRepr::Map }
    }

    fn get_value(self: &Arc<Self>, key: &minijinja::Value) -> Option<minijinja::Value> {
        match key.as_str() {
            Some(name) => self.0.field(name).map(seen),
            None => self.0.item(key.as_i64()?).map(seen),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        fields(&self.0)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_text())
    }
}
