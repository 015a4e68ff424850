//! Checking a manifest: a text in, a [`Manifest`] or every fault of it out. Nothing is looked up: programs need not be
//! there, and permissions need no holder.
//!
//! Deliberately absent: reading YAML (`yaml.rs`), the disk.

mod cog;
mod command;
mod needs;
mod rules;

use std::collections::{BTreeMap, BTreeSet};

use ecow::EcoString;
use pipit_commands::{Effect, RIGHTS, is_own_namespace};

pub(super) use needs::is_endpoint;

use super::fault::Fault;
use super::field::{Field, Fields, Notes};
use super::manifest::{Format, Manifest, Setting};
use super::yaml;
use crate::render::Template;

const TOP: [&str; 9] =
    ["bundle", "name", "version", "description", "permissions", "config", "needs", "commands", "templates"];

/// Names that would read as the shell's own, beside those of its commands.
const RESERVED: [&str; 5] = ["operable", "site", "access", "cog", "pipit"];

/// A manifest that may be installed, and what is odd about it.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    /// The manifest.
    pub manifest: Manifest,
    /// What is allowed and hardly meant.
    pub warnings: Vec<Fault>,
}

/// Checks a manifest. All faults come back at once, in the order of the checks; the list is never empty.
pub(crate) fn check(text: &str) -> Result<Checked, Vec<Fault>> {
    let (root, twice) = yaml::read(text).map_err(|fault| vec![fault])?;
    let mut notes = Notes { faults: twice, warnings: Vec::new() };
    let root = Field::root(&root);
    let Some(top) = root.open_fields(&mut notes) else { return Err(notes.faults) };
    let manifest = match top.get("cog_bundle_version").filter(|_| top.get("bundle").is_none()) {
        Some(version) => cog::read(&version, &top, &mut notes),
        None => native(&root, &mut notes),
    };
    match manifest {
        Some(manifest) if notes.faults.is_empty() => Ok(Checked { manifest, warnings: notes.warnings }),
        _ => Err(notes.faults),
    }
}

/// Reads a manifest of our own format. None only beside a fault.
fn native(root: &Field<'_>, notes: &mut Notes) -> Option<Manifest> {
    let top = root.fields(&TOP, notes)?;
    match top.get("bundle") {
        Some(version) if matches!(version.node.content, yaml::Content::Int(1)) => {}
        Some(version) => notes.wrong(&version, "the only format is 1: write `bundle: 1`"),
        None => {
            let why = "the field is missing: write `bundle: 1`; a bundle of Cog has cog_bundle_version instead";
            notes.faults.push(Fault::new("bundle", why).at(root.node.at));
        }
    }
    let name = top.need("name", notes).and_then(|field| bundle_name(&field, is_name, NAME_RULE, notes));
    let version = top.need("version", notes).and_then(|field| version(&field, notes));
    let description = top.need("description", notes).and_then(|field| field.text(notes));
    let permissions = top.get("permissions").map(|field| permissions(&field, name.as_deref(), notes));
    let permissions = permissions.unwrap_or_default();
    let config = top.get("config").map(|field| config(&field, notes)).unwrap_or_default();
    let needs = top.get("needs").and_then(|field| needs::read(&field, notes)).unwrap_or_default();
    let templates = top.get("templates").map(|field| templates(&field, notes)).unwrap_or_default();
    let around = command::Around {
        // rules are checked even when the name is wrong, against the name as it stands there
        bundle: name.clone().unwrap_or_default(),
        permissions: &permissions,
        programs: &needs.programs,
        templates: &templates,
    };
    let commands = commands(&top, &around, notes);
    Some(Manifest {
        name: name?,
        version: version?,
        description: description?.into(),
        commands: commands?,
        permissions,
        config,
        needs,
        templates: templates.into_iter().filter_map(|(name, text)| Some((name, Template::Jinja(text?)))).collect(),
        format: Format::Own,
    })
}

fn commands(top: &Fields<'_>, around: &command::Around<'_>, notes: &mut Notes) -> Option<Vec<super::manifest::Entry>> {
    let field = top.need("commands", notes)?;
    let entries = field.entries(notes)?;
    if entries.is_empty() {
        notes.wrong(&field, "a bundle has at least one command");
    }
    let read = entries.into_iter().map(|(name, field)| {
        if !is_name(name) {
            notes.wrong(&field, NAME_RULE);
        }
        command::read(name, &field, around, notes)
    });
    let read: Vec<_> = read.collect();
    warn_of_no_rules(read.iter().flatten(), notes);
    read.into_iter().collect()
}

fn warn_of_no_rules<'a>(entries: impl Iterator<Item = &'a super::manifest::Entry>, notes: &mut Notes) {
    for entry in entries.filter(|entry| entry.rules.is_empty()) {
        let path = format!("commands.{}.rules", entry.name);
        let why = "without a rule nobody may run the command; write `rules: [allow]` or name a permission";
        notes.warnings.push(Fault::new(path, why));
    }
}

const NAME_RULE: &str = "a name has 1 to 32 small letters, digits and -, and begins with a letter";

/// `[a-z][a-z0-9-]{0,31}`
pub(super) fn is_name(name: &str) -> bool {
    name.len() <= 32
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// The name of a bundle, by what its format calls a name.
fn bundle_name(field: &Field<'_>, good: fn(&str) -> bool, rule: &'static str, notes: &mut Notes) -> Option<EcoString> {
    let name = field.text(notes)?;
    if !good(name) {
        notes.wrong(field, rule);
    } else if RESERVED.contains(&name) || is_own_namespace(name) {
        notes.wrong(field, format!("the name {name} is reserved; choose another"));
    }
    Some(name.into())
}

/// What is wrong with a permission that the shell brings itself: whoever has it for the one would have it for the other.
fn own_right(bundle: &str, short: &str) -> Option<String> {
    let whole = format!("{bundle}:{short}");
    RIGHTS.contains(&&*whole).then(|| format!("the permission {whole} is the shell's own; choose another name"))
}

fn version(field: &Field<'_>, notes: &mut Notes) -> Option<EcoString> {
    let text = field.text(notes)?;
    if !is_semver(text) {
        notes.wrong(field, "a version is three numbers, as in 1.2.0 or 1.2.0-rc.1");
    }
    Some(text.into())
}

/// As semver.org says: numbers without leading zeros, then optionally `-` and `+` parts.
fn is_semver(text: &str) -> bool {
    let number = |part: &str| {
        !part.is_empty()
            && part.len() <= 18
            && part.chars().all(|c| c.is_ascii_digit())
            && (part == "0" || !part.starts_with('0'))
    };
    let word = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let (rest, build) = text.split_once('+').map_or((text, None), |(rest, build)| (rest, Some(build)));
    let (core, pre) = rest.split_once('-').map_or((rest, None), |(core, pre)| (core, Some(pre)));
    let digits = |part: &str| part.chars().all(|c| c.is_ascii_digit());
    core.split('.').count() == 3
        && core.split('.').all(number)
        && pre.is_none_or(|pre| pre.split('.').all(|part| word(part) && (!digits(part) || number(part))))
        && build.is_none_or(|build| build.split('.').all(word))
        && text.len() <= 64
}

fn permissions(field: &Field<'_>, bundle: Option<&str>, notes: &mut Notes) -> Vec<EcoString> {
    let mut seen = BTreeSet::new();
    let mut names = Vec::new();
    for (item, name) in field.texts(notes).unwrap_or_default() {
        let fine = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_'));
        if !fine {
            notes.wrong(&item, "a permission is written short, as in read: small letters, digits, - and _");
        } else if !seen.insert(name) {
            notes.wrong(&item, format!("the permission {name} is declared twice"));
        } else if let Some(own) = bundle.and_then(|bundle| own_right(bundle, name)) {
            notes.wrong(&item, own);
        }
        names.push(name.into());
    }
    names
}

fn config(field: &Field<'_>, notes: &mut Notes) -> Vec<Setting> {
    let mut seen = BTreeSet::new();
    let mut settings = Vec::new();
    for item in field.items(notes).unwrap_or_default() {
        let Some(fields) = item.fields(&["name", "secret", "required", "default", "about"], notes) else { continue };
        let secret = fields.get("secret").and_then(|field| field.bool(notes));
        let required = fields.get("required").and_then(|field| field.bool(notes));
        let default = fields.get("default").and_then(|field| field.scalar(notes));
        let about = fields.get("about").and_then(|field| field.text(notes));
        let Some(named) = fields.need("name", notes) else { continue };
        let Some(name) = named.text(notes) else { continue };
        let fine = name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        if !fine {
            notes.wrong(&named, "a setting is named as a variable: capitals, digits and _");
        } else if name.starts_with("PIPIT_") || FIXED.contains(&name) {
            notes.wrong(&named, format!("{name} is set by the shell itself; choose another name"));
        } else if steers_loader(name) {
            notes.wrong(&named, format!("{name} would steer how programs are loaded; choose another name"));
        } else if !seen.insert(name) {
            notes.wrong(&named, format!("the setting {name} is declared twice"));
        }
        settings.push(Setting {
            name: name.into(),
            secret: secret.unwrap_or(false),
            required: required.unwrap_or(false),
            default: default.map(EcoString::from),
            about: about.unwrap_or_default().into(),
        });
    }
    settings
}

/// Variables that every program gets, beside `PIPIT_…`.
pub(super) const FIXED: [&str; 4] = ["PATH", "LANG", "HOME", "TMPDIR"];

/// Whether a variable makes a program load other code than its own.
pub(super) fn steers_loader(name: &str) -> bool {
    name.starts_with("LD_") || name.starts_with("GLIBC_")
}

/// The templates by name; one that does not parse is there without its text, so that commands may still name it.
fn templates(field: &Field<'_>, notes: &mut Notes) -> BTreeMap<EcoString, Option<String>> {
    let mut templates = BTreeMap::new();
    for (name, field) in field.entries(notes).unwrap_or_default() {
        let fine = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        if !fine {
            notes.wrong(&field, "a template is named by letters, digits, - and _");
        }
        let text = field.text(notes).and_then(|text| match template_error(text) {
            None => Some(text.to_owned()),
            Some(why) => {
                notes.wrong(&field, why);
                None
            }
        });
        templates.insert(name.into(), text);
    }
    templates
}

fn template_error(text: &str) -> Option<String> {
    let environment = minijinja::Environment::new();
    let error = environment.template_from_str(text).err()?;
    let line = error.line().map(|line| format!("line {line} of ")).unwrap_or_default();
    let detail = error.detail().map_or_else(|| error.kind().to_string(), ToOwned::to_owned);
    Some(format!("{line}the template does not parse: {detail}"))
}

/// As manifests write it.
fn effect(name: &str) -> Option<Effect> {
    [Effect::Pure, Effect::Idempotent, Effect::Unsafe].into_iter().find(|effect| effect.name() == name)
}
