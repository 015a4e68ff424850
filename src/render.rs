//! Values to the text that a room sees: records as a table, values one a line, texts as they are.
//!
//! Deliberately absent: any chat service's markup, and how much of it is shown.

use ecow::EcoString;
use pipit_commands::{ErrorKind, Record, Table, Value};
use unicode_width::UnicodeWidthStr as _;

/// The text of a line's values; empty when there are none.
pub(crate) fn text(values: &[Value]) -> String {
    let alike = |a: &Value, b: &Value| matches!((a, b), (Value::Record(_), Value::Record(_)));
    let parts = values.chunk_by(alike).map(|run| match run {
        [Value::Record(only)] => sheet(only),
        [value] => value.to_text().to_string(),
        records => Table::of(records, &[]).map(|table| table.draw()).unwrap_or_default(),
    });
    parts.collect::<Vec<_>>().join("\n")
}

/// A single record: a field a line.
fn sheet(record: &Record) -> String {
    let width = record.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
    let field = |(name, value): (&EcoString, &Value)| {
        let value = match value {
            Value::Null => EcoString::new(),
            value => value.to_text(),
        };
        // what goes on in the next line stays in its column
        let value = value.as_str().replace('\n', &format!("\n{:1$}", "", width + 2));
        format!("{name}{:1$}{value}", "", width + 2 - name.width()).trim_end().to_owned()
    };
    let fields: Vec<String> = record.iter().map(field).collect();
    if fields.is_empty() { "{}".into() } else { fields.join("\n") }
}

/// As much of a text as a reply shows, on whole lines where there are any, and the rest.
pub(crate) fn shorten(text: &str) -> (&str, Option<&str>) {
    use crate::limits::{SHOWN_BYTES, SHOWN_LINES};
    let lines = text.match_indices('\n').nth(SHOWN_LINES - 1).map_or(text.len(), |(at, _)| at);
    let mut end = lines;
    if end > SHOWN_BYTES {
        let fits = (0..=SHOWN_BYTES).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        end = text.get(..fits).and_then(|head| head.rfind('\n')).filter(|at| *at > 0).unwrap_or(fits);
    }
    let rest = text.get(end..).unwrap_or_default();
    let rest = rest.strip_prefix('\n').unwrap_or(rest);
    (text.get(..end).unwrap_or(text), (!rest.is_empty()).then_some(rest))
}

/// An error as it is shown: what, where in the line, and what now.
pub(crate) fn error(error: &pipit_commands::Error, line: &str) -> String {
    if error.kind() == ErrorKind::Stopped {
        return error.message().to_owned();
    }
    match error.span() {
        // the mark under the line says which stage
        Some(span) => {
            let mut shown = pipit_grammar::SyntaxError::new(error.message(), span);
            shown.help = error.help_text().map(str::to_owned);
            shown.show(line)
        }
        None => match error.help_text() {
            Some(help) => format!("error: {error}\n  {help}"),
            None => format!("error: {error}"),
        },
    }
}

/// An error in one line, as a busy room wants it: what, where, and what now.
pub(crate) fn brief(error: &pipit_commands::Error, line: &str) -> String {
    const SHOWN: usize = 24;
    if error.kind() == ErrorKind::Stopped {
        return error.message().to_owned();
    }
    let mut text = format!("error: {error}");
    if error.stage().is_none()
        && let Some(place) = error.span().and_then(|span| line.get(span.start as usize..))
        && !place.is_empty()
    {
        let mut near: String = place.chars().take(SHOWN).map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
        if near.len() < place.len() {
            near.push('…');
        }
        text.push_str(&format!(" (at `{near}`)"));
    }
    if let Some(help) = error.help_text() {
        text.push_str(&format!(" - {help}"));
    }
    text
}
