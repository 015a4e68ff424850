//! Values to the text that a room sees: records as a table, values one a line, texts as they are.
//!
//! Deliberately absent: any chat service's markup.

use std::collections::HashSet;

use ecow::EcoString;
use pipit_commands::{Error, ErrorKind, Record, Table, Template, Value};
use pipit_grammar::SyntaxError;
use unicode_width::UnicodeWidthStr as _;

use crate::limits::{SHOWN_BYTES, SHOWN_LINES};

/// The text of a line's values; empty when there are none. What a program wrote cannot act on the terminal or the room.
pub(crate) fn text(values: &[Value]) -> String {
    let alike = |a: &Value, b: &Value| matches!((a, b), (Value::Record(_), Value::Record(_)));
    let parts = values.chunk_by(alike).map(|run| match run {
        [Value::Record(only)] => sheet(only),
        [value] => value.to_text().to_string(),
        records if cells(records) > CELLS => listed(records),
        records => Table::of(records, &[]).map(|table| table.draw()).unwrap_or_default(),
    });
    plain(&parts.collect::<Vec<_>>().join("\n"))
}

/// The most cells of a table. Records that have few fields in common would make one with far more cells than values.
const CELLS: usize = 200_000;

/// How many cells a table of the records would have.
fn cells(records: &[Value]) -> usize {
    let mut names: HashSet<&str> = HashSet::new();
    for record in records {
        if let Value::Record(record) = record {
            names.extend(record.iter().map(|(name, _)| name.as_str()));
        }
    }
    names.len().saturating_mul(records.len())
}

/// A record a line, as JSON.
fn listed(records: &[Value]) -> String {
    records.iter().map(|record| record.to_text().to_string()).collect::<Vec<_>>().join("\n")
}

/// The same through a bundle's template, if there is one; what a template cannot show is shown as ever.
pub(crate) fn shown(values: &[Value], template: Option<&str>) -> String {
    let Some(template) = template.filter(|_| !values.is_empty()) else { return text(values) };
    let given: Record = [("values", Value::List(values.iter().cloned().collect()))].into_iter().collect();
    match Template::read(template).and_then(|template| template.render(given.into())) {
        Ok(rendered) => plain(rendered.trim_end()),
        Err(error) => format!("{}\n(the bundle's template failed: {error})", text(values)),
    }
}

/// A text without what acts on a terminal or turns the line's direction: only newlines and tabs stay.
pub(crate) fn plain(text: &str) -> String {
    let bad = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if text.contains(bad) {
        text.chars().map(|c| if bad(c) { '\u{fffd}' } else { c }).collect()
    } else {
        text.to_owned()
    }
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
pub(crate) fn error(error: &Error, line: &str) -> String {
    if error.kind() == ErrorKind::Stopped {
        return plain(error.message());
    }
    let message = plain(&error.to_string());
    match error.span() {
        // the mark under the line says which stage
        Some(span) => {
            let mut shown = SyntaxError::new(plain(error.message()), span);
            shown.help = error.help_text().map(plain);
            shown.show(line)
        }
        None => match error.help_text() {
            Some(help) => format!("error: {message}\n  {}", plain(help)),
            None => format!("error: {message}"),
        },
    }
}

/// An error in one line, as a busy room wants it: what, where, and what now.
pub(crate) fn brief(error: &Error, line: &str) -> String {
    const SHOWN: usize = 24;
    if error.kind() == ErrorKind::Stopped {
        return plain(error.message());
    }
    let mut text = format!("error: {}", plain(&error.to_string()));
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
        text.push_str(&format!(" - {}", plain(help)));
    }
    text
}

#[cfg(test)]
mod tests {
    use pipit_commands::{Record, Value};

    use super::{plain, shorten, text};

    #[test]
    fn records_with_nothing_in_common_are_no_table() {
        let record = |n: i64| -> Value { [(format!("k{n}"), Value::Int(n))].into_iter().collect::<Record>().into() };
        let records: Vec<Value> = (0..10_000).map(record).collect();
        let shown = text(&records);
        assert_eq!(shown.lines().count(), 10_000);
        assert_eq!(shown.lines().next(), Some(r#"{"k0":0}"#));
        assert!(text(&records[..3]).starts_with("k0"));
    }

    #[test]
    fn what_acts_on_a_terminal_is_taken_away() {
        assert_eq!(plain("a\u{1b}[2Jb\u{7}\tc\nd\u{202e}"), "a\u{fffd}[2Jb\u{fffd}\tc\nd\u{fffd}");
    }

    #[test]
    fn a_long_text_is_cut_at_a_line() {
        let text = (0..40).map(|n| n.to_string()).collect::<Vec<_>>().join("\n");
        let (head, rest) = shorten(&text);
        assert_eq!(head.lines().count(), 15);
        assert_eq!(rest.map(|rest| rest.lines().count()), Some(25));
        let one = "é".repeat(4000);
        let (head, rest) = shorten(&one);
        assert_eq!(head.len(), 3000);
        assert_eq!(rest.map(str::len), Some(5000));
    }
}
