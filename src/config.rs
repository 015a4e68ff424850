//! The configuration: one file, one struct. Everything is optional; a wrong setting stops the start and says where.
//!
//! Deliberately absent: what may change while the shell runs (people, rules, bundles), which is kept in the store.

use std::ops::Range;
use std::path::{Path, PathBuf};

use pipit_commands::bind::nearest;
use pipit_grammar::{Span, SyntaxError};
use serde::Deserialize;
use toml::de::{DeTable, DeValue};

use crate::bundle::Sources;
use crate::chat;
use crate::engine::Notices;
use crate::net::Reach;

/// `pipit.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Config {
    /// The chat services to be on.
    #[serde(default)]
    pub(crate) chat: Vec<chat::Entry>,
    /// What lines may reach on the network.
    #[serde(default)]
    pub(crate) net: Reach,
    /// The audit log.
    #[serde(default)]
    pub(crate) audit: Audit,
    /// Where bundles come from, and who must have made them.
    #[serde(default)]
    pub(crate) bundles: Sources,
    /// The key that seals secrets.
    #[serde(default)]
    pub(crate) secrets: Secrets,
    /// Where what everybody in charge has to hear is said.
    #[serde(default)]
    pub(crate) notices: Notices,
    /// What is told on standard error: `error`, `warn`, `info`, `debug` or `trace`, as a whole or by part.
    #[serde(default = "warn")]
    pub(crate) log: String,
}

/// `[audit]` of the configuration.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Audit {
    /// A file outside the home that anchors are added to.
    pub(crate) anchor_file: Option<PathBuf>,
    /// A program that is handed each anchor on its standard input, and its arguments.
    #[serde(default)]
    pub(crate) anchor_command: Vec<String>,
    /// How long the log keeps what lines say: `400d`. For ever when it is not said.
    pub(crate) keep: Option<Days>,
}

/// A time in days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Days(pub(crate) u32);

impl TryFrom<String> for Days {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let days = text.strip_suffix('d').and_then(|days| days.parse().ok()).filter(|days| *days > 0);
        days.map(Self).ok_or_else(|| format!("{text:?} is no number of days; write 400d"))
    }
}

impl Audit {
    fn beside(&mut self, folder: &Path) {
        if let Some(file) = &mut self.anchor_file {
            *file = folder.join(&*file);
        }
        beside(&mut self.anchor_command, folder);
    }
}

/// `[secrets]` of the configuration.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Secrets {
    /// A file with the key, instead of the one in the home.
    pub(crate) key_file: Option<PathBuf>,
    /// A program that gives the key on its standard output, and its arguments.
    #[serde(default)]
    pub(crate) key_command: Vec<String>,
    /// A file with the key that was used before.
    pub(crate) old_key_file: Option<PathBuf>,
}

impl Secrets {
    fn beside(&mut self, folder: &Path) -> Result<(), &'static str> {
        for file in [&mut self.key_file, &mut self.old_key_file].into_iter().flatten() {
            *file = folder.join(&*file);
        }
        beside(&mut self.key_command, folder);
        if self.key_file.is_some() && !self.key_command.is_empty() {
            return Err("secrets: key-file and key-command are both named; the key comes from one of them");
        }
        Ok(())
    }
}

/// A program that is named by a path is found from the folder; one that is named by its name alone, in `PATH`.
fn beside(command: &mut [String], folder: &Path) {
    if let Some(program) = command.first_mut()
        && program.contains('/')
    {
        *program = folder.join(&*program).display().to_string();
    }
}

fn warn() -> String {
    "warn".into()
}

impl Config {
    /// Reads a file. Paths in it are relative to the folder it lies in.
    pub(crate) fn read(file: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let mut config = Self::parse(&text).map_err(|error| format!("{}:{error}", file.display()))?;
        let folder = file.parent().unwrap_or(Path::new("."));
        for entry in &mut config.chat {
            entry.beside(folder);
            entry.check().map_err(|error| format!("{}: chat {}: {error}", file.display(), entry.name()))?;
        }
        config.audit.beside(folder);
        if let Some(index) = config.bundles.index.as_mut().filter(|index| !index.contains("://")) {
            *index = folder.join(&*index).display().to_string();
        }
        config.secrets.beside(folder).map_err(|error| format!("{}: {error}", file.display()))?;
        config.notices.check().map_err(|error| format!("{}: notices: {error}", file.display()))?;
        let mut names: Vec<&str> = config.chat.iter().map(chat::Entry::name).collect();
        names.sort_unstable();
        let twice = names.iter().zip(names.iter().skip(1)).find(|(one, next)| one == next);
        if let Some((name, _)) = twice {
            return Err(format!("{}: two chat entries are named {name}", file.display()));
        }
        Ok(config)
    }

    /// Reads a text; the error begins with the line.
    fn parse(text: &str) -> Result<Self, String> {
        let document = DeTable::parse(text).map_err(|error| show(text, error.span(), error.message(), None))?;
        toml::from_str(text).map_err(|error| {
            let message = error.message();
            match unknown(message) {
                Some((key, known)) => {
                    let within = error.span().unwrap_or(0..text.len());
                    let mut places = Vec::new();
                    find(document.get_ref(), key, &mut places);
                    let place = places.iter().find(|place| within.contains(&place.start)).or(places.first()).cloned();
                    let help = match nearest(key, known.iter().copied()) {
                        Some(near) => format!("did you mean {near}?"),
                        None => format!("there is {}", known.join(", ")),
                    };
                    show(text, place.or(error.span()), &format!("there is no key {key} here"), Some(help))
                }
                None => show(text, error.span(), message, None),
            }
        })
    }
}

/// The key of an error about an unknown one, and those that are known.
fn unknown(message: &str) -> Option<(&str, Vec<&str>)> {
    let rest = message.strip_prefix("unknown field `")?;
    let (key, rest) = rest.split_once('`')?;
    Some((key, rest.split('`').skip(1).step_by(2).collect()))
}

/// Where keys of a name stand.
fn find(table: &DeTable<'_>, wanted: &str, places: &mut Vec<Range<usize>>) {
    for (key, value) in table {
        if key.get_ref() == wanted {
            places.push(key.span());
        }
        within(value.get_ref(), wanted, places);
    }
}

fn within(value: &DeValue<'_>, wanted: &str, places: &mut Vec<Range<usize>>) {
    match value {
        DeValue::Table(table) => find(table, wanted, places),
        DeValue::Array(items) => {
            for item in items {
                within(item.get_ref(), wanted, places);
            }
        }
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {}
    }
}

/// `LINE: what`, the line and a caret.
fn show(text: &str, place: Option<Range<usize>>, message: &str, help: Option<String>) -> String {
    let Some(place) = place else { return format!(" {message}") };
    let start = text.get(..place.start).map_or(0, |before| before.rfind('\n').map_or(0, |at| at + 1));
    let end = text.get(place.start..).and_then(|rest| rest.find('\n')).map_or(text.len(), |at| place.start + at);
    let number = text.get(..start).map_or(1, |before| before.matches('\n').count() + 1);
    let line = text.get(start..end).unwrap_or_default();
    let span = Span::new(place.start - start, place.end.clamp(place.start, end).max(place.start) - start);
    let mut error = SyntaxError::new(message, span);
    error.help = help;
    format!("{number}: {}", error.show(line))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]
    use super::Config;

    #[test]
    fn a_wrong_key_is_told_with_its_line_and_the_right_one() {
        let text = "log = \"info\"\n[[chat]]\nservice = \"irc\"\nname = \"a\"\nserver = \"h:1\"\nchanels = [\"#x\"]\n";
        let error = Config::parse(text).unwrap_err();
        assert!(error.starts_with("6: error: there is no key chanels here"), "{error}");
        assert!(error.contains("did you mean channels?"), "{error}");
        let error = Config::parse("lod = \"info\"\n").unwrap_err();
        assert!(error.starts_with("1: ") && error.contains("did you mean log?"), "{error}");
    }

    #[test]
    fn broken_text_is_told_with_its_line() {
        let error = Config::parse("log = \"info\"\nx = [1,\n").unwrap_err();
        assert!(error.starts_with('2') || error.starts_with('3'), "{error}");
    }

    #[test]
    fn nothing_at_all_is_a_configuration() {
        assert!(Config::parse("").unwrap().chat.is_empty());
    }
}
