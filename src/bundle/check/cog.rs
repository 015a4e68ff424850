//! Manifests of Cog, `cog_bundle_version` 4 and 5; 2 and 3 are read as 4 with a warning. Their fields are Cog's, their
//! rules are read by our grammar.
//!
//! Where Cog let something pass that loses a rule (a key twice) or never counts (an option that nobody declared), it is
//! an error or a warning here. Deliberately absent: running them, which is `super::super::cog`'s.

mod details;

use std::collections::BTreeMap;
use std::time::Duration;

use ecow::EcoString;
use pipit_commands::{Effect, Kind};
use pipit_grammar::rule::parse_rule_for;
use pipit_grammar::usage::{Flag, Param, Usage};

use super::super::field::{Field, Fields, Notes};
use super::super::manifest::{Entry, Format, Input, Manifest, Needs, Output, Program, Run, Setting};
use super::super::yaml::Content;
use super::{bundle_name, own_right, warn_of_no_rules};
use crate::render::Template;
use crate::render::greenbar::Greenbar;
use details::details;

/// Cog gave up on a command after this.
const TIMEOUT: Duration = Duration::from_mins(1);

/// What the rest of the manifest says.
struct Around {
    format: i64,
    bundle: EcoString,
    permissions: Vec<EcoString>,
}

/// Reads a manifest of Cog. None only beside a fault.
pub(super) fn read(version: &Field<'_>, top: &Fields<'_>, notes: &mut Notes) -> Option<Manifest> {
    let format = format(version, notes)?;
    let name = top.need("name", notes).and_then(|field| bundle_name(&field, is_name, NAME_RULE, notes));
    let number = top.need("version", notes).and_then(|field| number(&field, notes));
    let description = if format >= 4 { top.need("description", notes) } else { top.get("description") };
    let description = description.and_then(|field| field.text(notes));
    texts(top, &["long_description", "author", "homepage"], notes);
    let bundle = name.clone().unwrap_or_default();
    let permissions = top.get("permissions").map(|field| permissions(&field, &bundle, notes)).unwrap_or_default();
    let image = top.get("docker").and_then(|docker| self::docker(&docker, notes));
    let advice = top.get("config").and_then(|field| advice(&field, notes));
    let config = top.get("config").map(|field| config(&field, notes)).unwrap_or_default();
    let templates = top.get("templates").map(|field| templates(&field, format, notes)).unwrap_or_default();
    let around = Around { format, bundle, permissions };
    let commands = top.need("commands", notes).and_then(|field| field.entries(notes)).map(|entries| {
        let read = entries.into_iter().filter_map(|(name, field)| command(name, &field, &around, notes));
        read.collect::<Vec<_>>()
    });
    warn_of_no_rules(commands.iter().flatten(), notes);
    let own = |permission: &EcoString| permission.strip_prefix(&*format!("{}:", around.bundle)).map(EcoString::from);
    Some(Manifest {
        name: name?,
        version: number?,
        description: description.unwrap_or_default().into(),
        permissions: around.permissions.iter().filter_map(own).collect(),
        config,
        needs: Needs::default(),
        commands: commands?,
        templates,
        format: Format::Cog { version: format, image, notes: advice },
    })
}

fn format(field: &Field<'_>, notes: &mut Notes) -> Option<i64> {
    match field.node.content {
        Content::Int(format @ (4 | 5)) => Some(format),
        Content::Int(format @ (2 | 3)) => {
            notes
                .warn(field, format!("version {format} is read as version 4; look at what it does before enabling it"));
            Some(format)
        }
        _ => {
            notes.wrong(field, "the versions of Cog's format that are read are 2, 3, 4 and 5");
            None
        }
    }
}

/// As the command language reads names.
fn is_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

const NAME_RULE: &str = "a name has letters, digits, - and _, and begins with a letter";

fn number(field: &Field<'_>, notes: &mut Notes) -> Option<EcoString> {
    let text = field.text(notes)?;
    let digits = |part: &str| (1..=9).contains(&part.len()) && part.chars().all(|c| c.is_ascii_digit());
    if !(2..=3).contains(&text.split('.').count()) || !text.split('.').all(digits) {
        notes.wrong(field, "a version is two or three numbers, as in 1.2 or 1.2.0");
    }
    Some(text.into())
}

/// Fields that are texts and mean nothing here.
fn texts(fields: &Fields<'_>, keys: &[&str], notes: &mut Notes) {
    for field in keys.iter().filter_map(|key| fields.get(key)) {
        field.text(notes);
    }
}

fn permissions(field: &Field<'_>, bundle: &str, notes: &mut Notes) -> Vec<EcoString> {
    let texts = field.texts(notes).unwrap_or_default();
    for (item, text) in &texts {
        let fine =
            text.split_once(':').is_some_and(|(space, name)| (space == bundle || space == "site") && is_name(name));
        if !fine {
            notes.wrong(item, format!("a permission is {bundle}:name or site:name"));
        } else if let Some(own) = text.split_once(':').and_then(|(space, name)| own_right(space, name)) {
            notes.wrong(item, own);
        }
    }
    texts.into_iter().map(|(_, text)| text.into()).collect()
}

/// The image with its tag.
fn docker(field: &Field<'_>, notes: &mut Notes) -> Option<EcoString> {
    let fields = field.open_fields(notes)?;
    let [image, tag] = ["image", "tag"].map(|key| fields.need(key, notes).and_then(|field| field.text(notes)));
    if let Some(binds) = fields.get("binds") {
        binds.texts(notes);
    }
    notes.warn(field, "the image is not used: put its programs into the bundle's folder, or on this machine");
    Some(format!("{}:{}", image?, tag?).into())
}

/// What whoever sets the settings should know.
fn advice(field: &Field<'_>, notes: &mut Notes) -> Option<EcoString> {
    let text = field.open_fields(notes)?.get("notes")?.text(notes)?.trim();
    (!text.is_empty()).then(|| text.into())
}

fn config(field: &Field<'_>, notes: &mut Notes) -> Vec<Setting> {
    let Some(fields) = field.open_fields(notes) else { return Vec::new() };
    let mut settings = Vec::new();
    for item in fields.get("env").and_then(|field| field.items(notes)).unwrap_or_default() {
        let Some(fields) = item.open_fields(notes) else { continue };
        let about = fields.get("description").and_then(|field| field.text(notes)).unwrap_or_default();
        let Some(name) = fields.need("var", notes).and_then(|field| field.text(notes)) else { continue };
        settings.push(Setting::unsaid(name, about));
    }
    settings
}

fn templates(field: &Field<'_>, format: i64, notes: &mut Notes) -> BTreeMap<EcoString, Template> {
    let mut templates = BTreeMap::new();
    for (name, field) in field.entries(notes).unwrap_or_default() {
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            notes.wrong(&field, "a template is named by letters, digits and _");
        }
        if format < 4 && field.open_fields(notes).is_some_and(|fields| fields.get("body").is_none()) {
            notes.warn(&field, "templates for single chat services are left out");
            continue;
        }
        let Some(fields) = field.fields(&["body"], notes) else { continue };
        let Some(field) = fields.need("body", notes) else { continue };
        let Some(body) = field.text(notes) else { continue };
        match Greenbar::read(body) {
            Ok(template) => drop(templates.insert(name.into(), Template::Greenbar(template))),
            Err(error) => notes.wrong(&field, error.to_string(body)),
        }
    }
    templates
}

fn command(name: &str, field: &Field<'_>, around: &Around, notes: &mut Notes) -> Option<Entry> {
    if !is_name(name) {
        notes.wrong(field, NAME_RULE);
    }
    let fields = field.open_fields(notes)?;
    let executable = fields.need("executable", notes).and_then(|field| field.text(notes));
    texts(&fields, &["description", "long_description", "examples", "arguments", "notes", "documentation"], notes);
    if let Some(output) = fields.get("output").and_then(|field| field.open_fields(notes)) {
        texts(&output, &["description", "example"], notes);
    }
    if around.format == 4
        && let Some(subcommands) = fields.get("subcommands")
    {
        for (_, field) in subcommands.entries(notes).unwrap_or_default() {
            field.text(notes);
        }
    }
    let (options, kinds) = fields.get("options").map(|field| options(&field, notes)).unwrap_or_default();
    let param = Param { name: "ARGUMENT".into(), literals: Vec::new(), required: false, many: true, joined: false };
    let usage = Usage { name: name.into(), params: vec![param], options, blocks: Vec::new() };
    let rules = self::rules(&fields, &usage, around, notes);
    let about = fields.get("description").or_else(|| fields.get("documentation"));
    let about = about.and_then(|field| match &field.node.content {
        Content::Text(text) => text.lines().next().map(EcoString::from),
        _ => None,
    });
    Some(Entry {
        warm: 0,
        name: name.into(),
        about: about.unwrap_or_default(),
        details: details(&fields),
        usage,
        kinds,
        fills: None,
        run: Run { program: Program::Cog(executable.unwrap_or_default().into()), args: Vec::new() },
        input: Input::Each,
        output: Output::Text,
        effect: Effect::Unsafe,
        timeout: TIMEOUT,
        template: None,
        environment: fields.get("env_vars").map(|field| variables(&field, notes)).unwrap_or_default(),
        rules,
        examples: Vec::new(),
    })
}

fn variables(field: &Field<'_>, notes: &mut Notes) -> Vec<(EcoString, EcoString)> {
    let entries = field.entries(notes).unwrap_or_default();
    entries.into_iter().filter_map(|(name, field)| Some((name.into(), field.scalar(notes)?.into()))).collect()
}

type Options = (Vec<Flag>, Vec<(EcoString, Kind)>);

fn options(field: &Field<'_>, notes: &mut Notes) -> Options {
    let (mut flags, mut kinds): Options = (Vec::new(), Vec::new());
    for (name, field) in field.entries(notes).unwrap_or_default() {
        if !is_name(name) {
            notes.wrong(&field, NAME_RULE);
        }
        let Some(fields) = field.fields(&["type", "description", "required", "short_flag"], notes) else { continue };
        texts(&fields, &["description"], notes);
        let required = fields.get("required").and_then(|field| field.bool(notes)).unwrap_or(false);
        let short = fields.get("short_flag").and_then(|field| short(&field, &flags, notes));
        let Some(kind) = fields.need("type", notes) else { continue };
        let (kind, takes, many) = match kind.text(notes) {
            None => continue,
            Some("string") => (Kind::Text, true, false),
            Some("int") => (Kind::INT, true, false),
            Some("float") => (Kind::Float, true, false),
            Some("list") => (Kind::Text, true, true),
            Some("bool") => (Kind::Bool, false, false),
            Some("incr") => (Kind::Bool, false, true),
            Some(_) => {
                notes.wrong(&kind, "a type is one of int, float, bool, string, incr, list");
                continue;
            }
        };
        // a name of its own for the value, which the types of values go by
        let value = takes.then(|| EcoString::from(name.to_ascii_uppercase()));
        if let Some(value) = &value {
            kinds.push((value.clone(), kind));
        }
        let spelled = |name: &str| name.replace('-', "_").to_ascii_uppercase();
        if let Some(other) =
            flags.iter().filter_map(|flag| flag.long.as_ref()).find(|other| spelled(other) == spelled(name))
        {
            notes.warn(&field, format!("programs find it under the variable of the option {other}"));
        }
        flags.push(Flag { long: Some(name.into()), short, value, required: required && takes, many });
    }
    (flags, kinds)
}

fn short(field: &Field<'_>, others: &[Flag], notes: &mut Notes) -> Option<char> {
    let text = field.text(notes)?;
    let mut letters = text.chars();
    let letter = letters.next().filter(|letter| letter.is_ascii_alphanumeric() && letters.next().is_none());
    if letter.is_none() || others.iter().any(|other| other.short == letter) {
        notes.warn(field, format!("{text:?} is no letter of its own, so the option has only its long form"));
        return None;
    }
    letter
}

fn rules(fields: &Fields<'_>, usage: &Usage, around: &Around, notes: &mut Notes) -> Vec<EcoString> {
    // up to version 2 a command said whether it has rules and how often it is run
    let mut open = false;
    if around.format < 4 {
        if let Some(execution) = fields.get("execution") {
            match execution.text(notes) {
                Some("multiple") => notes.warn(&execution, "the field means nothing any more"),
                _ => notes.wrong(&execution, "only commands that run for each value can be read"),
            }
        }
        if let Some(enforcing) = fields.get("enforcing") {
            open = enforcing.bool(notes) == Some(false);
            notes.warn(&enforcing, "the field is read as the rule `allow` when it is false");
        }
    }
    let field = if open { fields.get("rules") } else { fields.need("rules", notes) };
    let texts = field.and_then(|field| field.texts(notes)).unwrap_or_default();
    let mut rules = Vec::new();
    for (item, text) in texts {
        match rule(text, usage, around) {
            Ok((rule, unknown)) => {
                for option in unknown {
                    notes.warn(&item, format!("the rule names the option {option}, which nobody declared"));
                }
                rules.push(rule.into());
            }
            Err(why) => notes.wrong(&item, why),
        }
    }
    if open && rules.is_empty() {
        rules.push(format!("when command is {}:{} allow", around.bundle, usage.name).into());
    }
    rules
}

/// The rule, and the options that it names and nobody declared.
fn rule(text: &str, usage: &Usage, around: &Around) -> Result<(String, Vec<EcoString>), String> {
    let rule = parse_rule_for(text, &around.bundle, &usage.name).map_err(|error| match error.help {
        Some(help) => format!("{}; {help}", error.message),
        None => error.message,
    })?;
    if let Some(permission) = rule.permissions().into_iter().find(|name| !around.permissions.contains(name)) {
        return Err(format!("the permission {permission} is not among the bundle's permissions"));
    }
    let unknown = rule.options().into_iter().filter(|name| !usage.options.iter().any(|known| known.key() == **name));
    let unknown = unknown.cloned().collect();
    Ok((rule.to_string(), unknown))
}
