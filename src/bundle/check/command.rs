//! One command of a manifest.

use std::collections::BTreeMap;
use std::time::Duration;

use ecow::EcoString;
use pipit_commands::{Effect, Example, Fill, JsonPath, Kind, seconds};
use pipit_grammar::usage::{Usage, parse_usage};

use super::super::argv::Template;
use super::super::field::{Field, Fields, Notes};
use super::super::manifest::{Entry, Input, Output, Program, Run};
use super::super::yaml::Content;
use super::{effect, rules};
use crate::limits;

const KEYS: [&str; 12] = [
    "about", "usage", "params", "run", "input", "output", "effect", "timeout", "warm", "rules", "template", "examples",
];

/// How long a program may run when the manifest does not say.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The longest that it can say.
const LONGEST: Duration = Duration::from_hours(12);

/// What the rest of the manifest says.
pub(super) struct Around<'a> {
    pub(super) bundle: EcoString,
    pub(super) permissions: &'a [EcoString],
    pub(super) programs: &'a [EcoString],
    pub(super) templates: &'a BTreeMap<EcoString, Option<String>>,
}

/// Reads a command. None only beside a fault.
pub(super) fn read(name: &str, field: &Field<'_>, around: &Around<'_>, notes: &mut Notes) -> Option<Entry> {
    let fields = field.fields(&KEYS, notes)?;
    let about = fields.need("about", notes).and_then(|field| field.text(notes));
    // without a readable usage what depends on it is not judged
    let usage = match fields.get("usage") {
        Some(field) => usage(name, &field, notes),
        None => Some(bare(name)),
    };
    let (kinds, fills) = match (fields.get("params"), &usage) {
        (Some(field), Some(usage)) => params(&field, usage, notes),
        (Some(_) | None, _) => (Vec::new(), None),
    };
    let run = fields.need("run", notes).and_then(|field| run(&field, usage.as_ref(), around, notes));
    let rules = match (fields.get("rules"), &usage) {
        (Some(field), Some(usage)) => rules::read(&field, usage, around, notes),
        (Some(_) | None, _) => Vec::new(),
    };
    let entry = Entry {
        name: name.into(),
        input: choice(&fields, "input", &[("each", Input::Each), ("stream", Input::Stream)], notes).unwrap_or_default(),
        output: fields.get("output").and_then(|field| output(&field, notes)).unwrap_or_default(),
        effect: fields.get("effect").map_or(Some(Effect::Unsafe), |field| effect_of(&field, notes))?,
        warm: fields.get("warm").and_then(|field| field.count(notes)).map_or(0, |count| count as usize),
        timeout: fields.get("timeout").map_or(Some(TIMEOUT), |field| timeout(&field, notes)).unwrap_or(TIMEOUT),
        template: fields.get("template").and_then(|field| template(&field, around, notes)),
        details: EcoString::new(),
        examples: fields.get("examples").map(|field| examples(&field, notes)).unwrap_or_default(),
        about: about.unwrap_or_default().into(),
        usage: usage.unwrap_or_else(|| bare(name)),
        run: run.unwrap_or_else(|| Run { program: Program::Own(EcoString::new()), args: Vec::new() }),
        environment: Vec::new(),
        kinds,
        fills,
        rules,
    };
    if let Some(field) = fields.get("warm").filter(|_| entry.warm > 0) {
        warm(&field, &entry, notes);
    }
    Some(entry)
}

/// A program that is kept is told its calls by frames and answers by frames, one call after the other.
fn warm(field: &Field<'_>, entry: &Entry, notes: &mut Notes) {
    if entry.input == Input::Stream {
        notes.wrong(field, "a program that is kept warm takes a value at a time; leave warm out, or input: stream");
    }
    if entry.run.args.iter().any(|arg| arg.fixed().is_none()) {
        notes.wrong(field, "a program that is kept warm reads its call from a frame; leave {NAME} out of run");
    }
    match entry.output {
        Output::Sniff | Output::JsonLines => {}
        Output::Json | Output::JsonPath(_) | Output::Lines | Output::Text | Output::Csv => {
            notes.wrong(field, "a program that is kept warm writes values in frames; its output is json-lines");
        }
    }
    if entry.warm > limits::WARM {
        notes.warn(field, format!("{} processes are kept at most", limits::WARM));
    }
}

fn bare(name: &str) -> Usage {
    Usage { name: name.into(), params: Vec::new(), options: Vec::new(), blocks: Vec::new() }
}

fn usage(name: &str, field: &Field<'_>, notes: &mut Notes) -> Option<Usage> {
    let usage = match parse_usage(field.text(notes)?) {
        Ok(usage) => usage,
        Err(error) => {
            let help = error.help.map(|help| format!("; {help}")).unwrap_or_default();
            notes.wrong(field, format!("{}{help}", error.message));
            return None;
        }
    };
    if usage.name != name {
        notes.wrong(field, format!("the usage begins with {}, the command is {name}", usage.name));
    }
    if !usage.blocks.is_empty() {
        notes.wrong(field, "a program cannot be given a block");
    }
    Some(usage)
}

fn params(field: &Field<'_>, usage: &Usage, notes: &mut Notes) -> (Vec<(EcoString, Kind)>, Option<Fill>) {
    let mut kinds = Vec::new();
    let mut fills: Option<Fill> = None;
    for (name, field) in field.entries(notes).unwrap_or_default() {
        if !usage.names().any(|known| known == name) {
            let known: Vec<&str> = usage.names().map(EcoString::as_str).collect();
            let known = if known.is_empty() { "it has none".into() } else { format!("it has {}", known.join(", ")) };
            notes.wrong(&field, format!("the usage names no parameter {name}; {known}"));
            continue;
        }
        let Some(fields) = field.fields(&["type", "one-of", "matches", "from-input"], notes) else { continue };
        if let Some(kind) = kind(&fields, notes) {
            kinds.push((name.into(), kind));
        }
        let Some(from) = fields.get("from-input") else { continue };
        let Some(text) = from.text(notes) else { continue };
        let Some(param) = usage.params.iter().position(|param| param.name == name) else {
            notes.wrong(&from, format!("{name} is the value of an option; only a parameter takes an incoming value"));
            continue;
        };
        if text.is_empty() {
            notes.wrong(&from, "the name of the incoming record's field is expected");
        } else if fills.is_some() {
            notes.wrong(&from, "another parameter takes the incoming value already");
        } else {
            let must = usage.params.get(param).is_some_and(|param| param.required);
            fills = Some(Fill { param, field: Some(text.into()), must });
        }
    }
    (kinds, fills)
}

fn kind(fields: &Fields<'_>, notes: &mut Notes) -> Option<Kind> {
    let types =
        [("text", Kind::Text), ("int", Kind::INT), ("float", Kind::Float), ("bool", Kind::Bool), ("json", Kind::Json)];
    let declared = choice(fields, "type", &types, notes);
    let only_text = declared.as_ref().is_none_or(|kind| matches!(kind, Kind::Text));
    let one_of = fields.get("one-of").and_then(|field| one_of(&field, notes));
    let matches = fields.get("matches").and_then(|field| matching(&field, notes));
    for narrowed in ["one-of", "matches"].into_iter().filter_map(|key| fields.get(key)).skip(usize::from(only_text)) {
        notes.wrong(&narrowed, "a parameter has one of: a type other than text, one-of, matches");
    }
    one_of.or(matches).or(declared)
}

fn one_of(field: &Field<'_>, notes: &mut Notes) -> Option<Kind> {
    let items = field.items(notes)?;
    if items.is_empty() {
        notes.wrong(field, "an empty choice can never be made");
    }
    let choices = items.iter().filter_map(|item| item.scalar(notes)).map(EcoString::from).collect();
    Some(Kind::OneOf(choices))
}

/// `/pattern/`, which takes the whole text as `matches` of an access rule does.
fn matching(field: &Field<'_>, notes: &mut Notes) -> Option<Kind> {
    let text = field.text(notes)?;
    let Some(pattern) = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).filter(|_| text.len() > 2)
    else {
        notes.wrong(field, "a pattern stands between slashes, as in /[a-z]+/");
        return None;
    };
    match pipit_grammar::rule::compile_pattern(pattern, true) {
        Ok(pattern) => Some(Kind::Matching(pattern)),
        Err(error) => {
            let reason = error.to_string();
            notes.wrong(field, format!("no pattern: {}", reason.lines().last().unwrap_or("it does not parse").trim()));
            None
        }
    }
}

fn run(field: &Field<'_>, usage: Option<&Usage>, around: &Around<'_>, notes: &mut Notes) -> Option<Run> {
    let items = field.items(notes)?;
    let Some((first, rest)) = items.split_first() else {
        notes.wrong(field, "a program is expected: [./hello.sh] or one of needs.programs");
        return None;
    };
    let program = first.text(notes).and_then(|name| match program(name, around) {
        Ok(program) => Some(program),
        Err(why) => {
            notes.wrong(first, why);
            None
        }
    });
    let mut args = Vec::new();
    for item in rest {
        let (Some(text), Some(usage)) = (item.text(notes), usage) else { continue };
        match Template::read(text, usage) {
            Ok(template) => args.push(template),
            Err(why) => notes.wrong(item, why),
        }
    }
    Some(Run { program: program?, args })
}

/// A file inside the folder, whatever `..` its path holds on the way, or a program that the bundle says it needs.
fn program(name: &str, around: &Around<'_>) -> Result<Program, String> {
    let Some(path) = name.strip_prefix("./") else {
        if around.programs.iter().any(|known| known == name) {
            return Ok(Program::Needed(name.into()));
        }
        return Err(if name.contains('/') {
            format!("{name} is no file of the bundle; write ./file, or name the program in needs.programs")
        } else {
            format!("{name} is not among needs.programs; a file of the bundle is written ./{name}")
        });
    };
    let mut inside: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                inside.pop().ok_or("the path leads out of the bundle's folder")?;
            }
            part => inside.push(part),
        }
    }
    if inside.is_empty() || path.ends_with('/') || path.contains('\0') {
        return Err("a file of the bundle is expected, as in ./hello.sh".into());
    }
    Ok(Program::Own(inside.join("/").into()))
}

fn choice<T: Clone>(fields: &Fields<'_>, key: &str, choices: &[(&str, T)], notes: &mut Notes) -> Option<T> {
    let field = fields.get(key)?;
    let text = field.text(notes)?;
    let found = choices.iter().find(|(name, _)| *name == text).map(|(_, value)| value.clone());
    if found.is_none() {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        notes.wrong(&field, format!("{text:?} is not one of {}", names.join(", ")));
    }
    found
}

fn output(field: &Field<'_>, notes: &mut Notes) -> Option<Output> {
    if matches!(field.node.content, Content::Map(_)) {
        let path = field.fields(&["json"], notes)?.need("json", notes)?;
        let text = path.text(notes)?;
        if !text.starts_with('$') {
            notes.wrong(&path, "a JSON path begins with $");
        } else if let Err(error) = JsonPath::read(text) {
            notes.wrong(&path, error.message().to_owned());
        }
        return Some(Output::JsonPath(text.into()));
    }
    match field.text(notes)? {
        "json" => Some(Output::Json),
        "json-lines" => Some(Output::JsonLines),
        "lines" => Some(Output::Lines),
        "text" => Some(Output::Text),
        "csv" => Some(Output::Csv),
        other => {
            let known = "json, json-lines, lines, text, csv, or {json: \"$…\"}";
            notes.wrong(field, format!("{other:?} is not one of {known}"));
            None
        }
    }
}

fn effect_of(field: &Field<'_>, notes: &mut Notes) -> Option<Effect> {
    let text = field.text(notes)?;
    let known = effect(text);
    if known.is_none() {
        notes.wrong(field, format!("{text:?} is not one of pure, idempotent, unsafe"));
    }
    known
}

fn timeout(field: &Field<'_>, notes: &mut Notes) -> Option<Duration> {
    let text = field.text(notes)?;
    let unit = text.ends_with(|c: char| c.is_ascii_lowercase());
    let time = seconds(text).filter(|_| unit).map(Duration::from_secs_f64);
    let time = time.filter(|time| !time.is_zero() && *time <= LONGEST);
    if time.is_none() {
        notes.wrong(field, "a time is written 30s, 5m or 1h, and is at most 12h");
    }
    time
}

fn template(field: &Field<'_>, around: &Around<'_>, notes: &mut Notes) -> Option<EcoString> {
    let name = field.text(notes)?;
    if !around.templates.contains_key(name) {
        notes.wrong(field, format!("there is no template {name} under templates"));
    }
    Some(name.into())
}

fn examples(field: &Field<'_>, notes: &mut Notes) -> Vec<Example> {
    let mut examples = Vec::new();
    for item in field.items(notes).unwrap_or_default() {
        let Some(fields) = item.fields(&["line", "about"], notes) else { continue };
        let about = fields.get("about").and_then(|field| field.text(notes)).unwrap_or_default();
        let Some(line) = fields.need("line", notes) else { continue };
        let Some(text) = line.text(notes) else { continue };
        if let Err(error) = pipit_grammar::parse(text) {
            notes.wrong(&line, format!("the line does not parse: {}", error.message));
        }
        examples.push(Example { line: text.into(), gives: None, about: about.into() });
    }
    examples
}
