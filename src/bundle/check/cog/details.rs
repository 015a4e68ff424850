//! What a manifest of Cog's says of a command beside its one sentence, as one text of help: Cog had a field for each part of it.
//!
//! Deliberately absent: checking those fields, which the reader of the manifest does.

use ecow::EcoString;

use super::super::super::field::{Fields, Notes};
use super::super::super::yaml::Content;

/// The parts that are texts, with what stands before each.
const PARTS: [(&str, &str); 4] =
    [("long_description", ""), ("arguments", "arguments: "), ("examples", "examples:\n"), ("notes", "")];

/// All that there is, part by part.
pub(super) fn details(fields: &Fields<'_>) -> EcoString {
    let mut parts: Vec<String> = Vec::new();
    for (key, head) in PARTS {
        if let Some(text) = text(fields, key) {
            parts.push(format!("{head}{text}"));
        }
        // where Cog showed them too
        if key == "arguments" {
            parts.extend(options(fields));
        }
    }
    parts.join("\n").into()
}

/// A line for each option that is described.
fn options(fields: &Fields<'_>) -> Vec<String> {
    let entries = fields.get("options").and_then(|field| field.entries(&mut Notes::default()));
    let line = |(name, field): (&str, super::Field<'_>)| {
        let fields = field.open_fields(&mut Notes::default())?;
        Some(format!("--{name}: {}", text(&fields, "description")?))
    };
    entries.unwrap_or_default().into_iter().filter_map(line).collect()
}

fn text(fields: &Fields<'_>, key: &str) -> Option<String> {
    match fields.get(key)?.node.content {
        Content::Text(ref text) if !text.trim().is_empty() => Some(text.trim_end().to_owned()),
        Content::Text(_)
        | Content::Int(_)
        | Content::Float(_)
        | Content::Bool(_)
        | Content::Null
        | Content::List(_)
        | Content::Map(_) => None,
    }
}
