//! Records: looking inside, and making others of them. Deliberately absent: running programs in the jq language, which
//! the shell does in a confined process.

use ecow::EcoString;

use crate::command::{Call, Command, Worker};
use crate::family::{family, row};
use crate::jq;
use crate::jsonpath::JsonPath;
use crate::key::Key;
use crate::shell::Verb;
use crate::spec::Flow;
use crate::stream::Stream;
use crate::value::Fields;
use crate::{Error, Kind, Record, Value};

pub(crate) fn families() -> Vec<Command> {
    family(
        "record",
        [
            row("get PATH")
                .also(&["pluck", "data"])
                .about("What is at a path of each value: a.b[0], or a JSONPath with $; where nothing is, nothing comes")
                .example(r#"seed '{"a":{"b":[1,2]}}' | get a.b[1]"#, "2")
                .example(r#"seed '{"a":[{"n":1},{"n":2}]}' | get '$.a[*].n'"#, "1\n2")
                .values(get),
            row("select FIELD…")
                .about("Records of these fields only, in this order; n=a.b names what is at a path")
                .example(r#"seed '{"a":1,"b":{"c":2}}' | select n=b.c a"#, r#"{"n":2,"a":1}"#)
                .values(select),
            row("drop FIELD…")
                .about("Records without these fields")
                .example(r#"seed '{"a":1,"b":2}' | drop a"#, r#"{"b":2}"#)
                .values(drop_fields),
            row("rename NAMES…")
                .about("Records with other names for fields, each as NEW=OLD")
                .example(r#"seed '{"a":1,"b":2}' | rename x=a"#, r#"{"x":1,"b":2}"#)
                .values(rename),
            row("put FIELD VALUE")
                .about("Records with a field set, in its place or at the end")
                .example(r#"seed '{"a":1}' | put b 2"#, r#"{"a":1,"b":2}"#)
                .kind("VALUE", Kind::Value)
                .values(put),
            row("keys")
                .also(&["fields"])
                .about("The names of a record's fields")
                .example(r#"seed '{"b":1,"a":2}' | keys"#, "\"b\"\n\"a\"")
                .values(|_| {
                    Ok(Box::new(|value, out| {
                        out.extend(record("keys", &value)?.iter().map(|(name, _)| Value::Text(name.clone())));
                        Ok(())
                    }))
                }),
            row("vals")
                .about("The values of a record's fields")
                .example(r#"seed '{"b":1,"a":2}' | vals"#, "1\n2")
                .values(|_| {
                    Ok(Box::new(|value, out| {
                        out.extend(record("vals", &value)?.iter().map(|(_, value)| value.clone()));
                        Ok(())
                    }))
                }),
            row("merge")
                .about("One record with the fields of all; a later one wins")
                .example(r#"seed '[{"a":1,"b":1},{"b":2}]' | merge"#, r#"{"a":1,"b":2}"#)
                .stream(merge),
            row("jq PROGRAM")
                .about("What a program in the jq language makes of each value; it runs in a confined process of its own, without access to files, settings, time")
                .shows("aws ec2 | jq 'select(.cpu > 80) | {id, cpu}'", "rows with much to do, and two of their fields")
                .shows("list 1 2 | jq '. * 10'", "10, then 20")
                .kind("PROGRAM", Kind::Check(jq::check))
                .shell(Verb::Jq, Flow::Value),
        ],
    )
}

/// The record that a value is.
fn record<'a>(command: &str, value: &'a Value) -> Result<&'a Record, Error> {
    match value {
        Value::Record(record) => Ok(record),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_) | Value::List(_) => {
            Err(Error::failed(format!("{command} wants records, and this is {}", value.kind()))
                .help("parse makes records of texts"))
        }
    }
}

fn get(call: &Call) -> Result<Worker, Error> {
    let path = call.text("PATH").unwrap_or_default();
    if path.starts_with('$') {
        let path = JsonPath::read(&path)?;
        return Ok(Box::new(move |value, out| path.find(&value, out)));
    }
    let key = Key::read(&path)?;
    Ok(Box::new(move |value, out| {
        out.extend(key.of(&value).cloned());
        Ok(())
    }))
}

fn select(call: &Call) -> Result<Worker, Error> {
    let fields = call.all("FIELD").iter().map(|arg| {
        let text = arg.value.to_text();
        Ok(match text.split_once('=') {
            Some((name, path)) => (EcoString::from(name), Key::read(path)?),
            None => (text.clone(), Key::read(&text)?),
        })
    });
    let fields = fields.collect::<Result<Vec<_>, Error>>()?;
    Ok(Box::new(move |value, out| {
        record("select", &value)?;
        let found = fields.iter().filter_map(|(name, key)| Some((name.clone(), key.of(&value)?.clone())));
        out.push(Value::Record(found.collect()));
        Ok(())
    }))
}

fn drop_fields(call: &Call) -> Result<Worker, Error> {
    let names: Vec<EcoString> = call.all("FIELD").iter().map(|arg| arg.value.to_text()).collect();
    Ok(Box::new(move |value, out| {
        let all = record("drop", &value)?;
        let left = all.iter().filter(|(name, _)| !names.contains(name));
        out.push(Value::Record(left.map(|(name, value)| (name.clone(), value.clone())).collect()));
        Ok(())
    }))
}

fn rename(call: &Call) -> Result<Worker, Error> {
    let names = call.all("NAMES").iter().map(|arg| {
        let text = arg.value.to_text();
        match text.split_once('=') {
            Some((new, old)) if !new.is_empty() && !old.is_empty() => Ok((EcoString::from(old), EcoString::from(new))),
            Some(_) | None => Err(Error::failed(format!("{text:?} names no field anew")).help("write NEW=OLD")),
        }
    });
    let names = names.collect::<Result<Vec<_>, Error>>()?;
    Ok(Box::new(move |value, out| {
        let renamed = record("rename", &value)?.iter().map(|(name, value)| {
            let new = names.iter().find(|(old, _)| old == name).map_or(name, |(_, new)| new);
            (new.clone(), value.clone())
        });
        out.push(Value::Record(renamed.collect()));
        Ok(())
    }))
}

fn put(call: &Call) -> Result<Worker, Error> {
    let field = call.text("FIELD").unwrap_or_default();
    let put = call.value("VALUE").cloned().unwrap_or_default();
    Ok(Box::new(move |value, out| {
        record("put", &value)?;
        // the record itself is changed, and copied only where somebody else has it too
        if let Value::Record(mut with) = value {
            with.put(field.clone(), put.clone());
            out.push(Value::Record(with));
        }
        Ok(())
    }))
}

fn merge(_: Call, input: Stream) -> Result<Stream, Error> {
    Ok(input.fold(
        None::<Fields>,
        |merged, value, _| {
            let next = record("merge", &value)?;
            let merged = merged.get_or_insert_with(Fields::default);
            for (name, value) in next.iter() {
                merged.put(name.clone(), value.clone());
            }
            Ok(())
        },
        |merged| Ok(merged.map(|merged| Value::Record(merged.record))),
    ))
}
