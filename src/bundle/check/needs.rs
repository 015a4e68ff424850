//! The manifest's `needs`: programs, network, paths, sandbox.

use std::path::Path;

use ecow::EcoString;

use super::super::field::{Field, Notes};
use super::super::manifest::{Needs, Sandbox};

pub(super) fn read(field: &Field<'_>, notes: &mut Notes) -> Option<Needs> {
    let fields = field.fields(&["programs", "network", "write", "sandbox"], notes)?;
    let mut list = |key: &str, fine: fn(&str) -> bool, rule: &str| -> Vec<EcoString> {
        let texts = fields.get(key).and_then(|field| field.texts(notes)).unwrap_or_default();
        for (item, text) in &texts {
            if !fine(text) {
                notes.wrong(item, rule);
            }
        }
        texts.into_iter().map(|(_, text)| text.into()).collect()
    };
    let programs = list("programs", is_program, "a program is named without its path, as in aws");
    let network = list("network", is_endpoint, "an address is host:port or *.host:port, as in *.amazonaws.com:443");
    let write = written(fields.get("write").and_then(|field| field.texts(notes)).unwrap_or_default(), notes);
    let sandbox = fields.get("sandbox").and_then(|field| sandbox(&field, notes)).unwrap_or_default();
    Some(Needs { programs, network, write, sandbox })
}

fn written(texts: Vec<(Field<'_>, &str)>, notes: &mut Notes) -> Vec<EcoString> {
    for (at, (item, text)) in texts.iter().enumerate() {
        let within = |(other, (_, above)): (usize, &(Field<'_>, &str))| {
            other != at && Path::new(text).starts_with(above) && (other < at || !Path::new(above).starts_with(text))
        };
        if text.is_empty() || text.contains('\0') {
            notes.wrong(item, "a path is expected");
        } else if texts.iter().enumerate().any(within) {
            notes.wrong(item, "this lies within another path of the list, which is enough");
        }
    }
    texts.into_iter().map(|(_, text)| text.into()).collect()
}

fn is_program(name: &str) -> bool {
    !name.is_empty()
        && !matches!(name, "." | "..")
        && !name.starts_with('-')
        && name.chars().all(|c| c != '/' && !c.is_whitespace() && !c.is_control())
}

/// `host:port`, or `*.` in front for all below.
pub(in super::super) fn is_endpoint(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let host = host.strip_prefix("*.").unwrap_or(host);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    };
    host.len() <= 253
        && host.split('.').all(label)
        && port.chars().all(|c| c.is_ascii_digit())
        && port.parse::<u16>().is_ok_and(|port| port > 0)
}

fn sandbox(field: &Field<'_>, notes: &mut Notes) -> Option<Sandbox> {
    let name = field.text(notes)?;
    let found = Sandbox::named(name);
    if found.is_none() {
        notes.wrong(field, "a sandbox is one of basic, restrict, isolate, quota");
    }
    found
}
