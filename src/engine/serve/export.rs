//! Records of the log for other programs: as values, as JSON lines, or in the Common Event Format. Read page by page, as
//! they are pulled.

use jiff::Timestamp;
use pipit_commands::{Batch, Call, Error, Record, Stream, Value};

use super::super::unavailable;
use super::Host;
use super::log::when;
use crate::audit::{Audit, Exported, Page};
use crate::render::plain;

/// In which form.
#[derive(Clone, Copy)]
enum Form {
    Values,
    JsonLines,
    Cef,
}

pub(super) fn export(host: &Host, call: &Call) -> Result<Stream, Error> {
    let form = match call.text("format").as_deref() {
        Some("cef") => Form::Cef,
        Some(_) => Form::JsonLines,
        None => Form::Values,
    };
    let (since, until) = (when(call, "since")?.unwrap_or(i64::MIN), when(call, "until")?.unwrap_or(i64::MAX));
    let first = Some(Page { after: 0, since, until });
    let audit = host.engine.0.audit.clone();
    Ok(Stream::new(futures_util::stream::unfold((audit, first), move |(audit, page)| async move {
        let page = page?;
        match next(&audit, page, form).await {
            Ok(Some((batch, page))) => Some((Ok(batch), (audit, Some(page)))),
            Ok(None) => None,
            Err(error) => Some((Err(error), (audit, None))),
        }
    })))
}

async fn next(audit: &Audit, page: Page, form: Form) -> Result<Option<(Batch, Page)>, Error> {
    let entries = audit.page(page).await.map_err(unavailable)?;
    let Some(last) = entries.last() else { return Ok(None) };
    let after = last.row.seq;
    let batch = entries.iter().map(|entry| match form {
        Form::Values => value(entry),
        Form::JsonLines => value(entry).to_json().into(),
        Form::Cef => cef(entry).into(),
    });
    Ok(Some((batch.collect(), Page { after, ..page })))
}

fn body(entry: &Exported) -> Value {
    Value::from_json(entry.row.body.get()).unwrap_or_else(|_| entry.row.body.get().into())
}

fn value(entry: &Exported) -> Value {
    let row = &entry.row;
    let at = Timestamp::from_millisecond(row.at).map_or_else(|_| row.at.to_string(), |at| format!("{at:.3}"));
    let whole: Record = [
        ("seq", Value::Int(row.seq)),
        ("line", entry.line.as_str().into()),
        ("at", at.into()),
        ("kind", row.kind.as_str().into()),
        ("who", entry.who.clone().into()),
        ("room", entry.room.clone().into()),
        ("command", row.command.clone().into()),
        ("outcome", row.outcome.clone().into()),
        ("body", body(entry)),
    ]
    .into_iter()
    .collect();
    whole.into()
}

/// One event, one line: `CEF:0|Pipit|pipit|VERSION|KIND|NAME|SEVERITY|key=value …`.
fn cef(entry: &Exported) -> String {
    let row = &entry.row;
    let outcome = row.outcome.as_deref().unwrap_or_default();
    let name = match row.kind.as_str() {
        "asked" => "line asked".to_owned(),
        "closed" => format!("line ended {outcome}"),
        "verdict" => format!("call {outcome}"),
        "intent" => "call about to take effect".to_owned(),
        "effect" => format!("call ended {outcome}"),
        "erased" => "records erased".to_owned(),
        "lost" => "loss of records accepted".to_owned(),
        kind => format!("{kind} {outcome}").trim_end().to_owned(),
    };
    let severity = match (row.kind.as_str(), outcome) {
        ("lost" | "damaged", _) => 9,
        (_, "unknown") => 7,
        ("erased", _) => 6,
        (_, "denied") => 5,
        (_, "failed") => 4,
        ("intent" | "effect", _) => 3,
        _ => 1,
    };
    let body = body(entry);
    let said = |name: &str| match &body {
        Value::Record(record) => record.get(name).map(|value| value.to_text().to_string()),
        _ => None,
    };
    let mut fields: Vec<(&str, String)> = vec![("rt", row.at.to_string()), ("externalId", row.seq.to_string())];
    let mut put =
        |key, value: Option<String>| fields.extend(value.filter(|value| !value.is_empty()).map(|value| (key, value)));
    put("suser", entry.who.clone());
    put("app", said("via"));
    put("act", row.command.clone());
    put("outcome", Some(outcome.to_owned()));
    put("msg", said("text").or_else(|| said("message")).or_else(|| said("rule")));
    let labelled = [
        ("cs1", "line", Some(entry.line.clone())),
        ("cs2", "room", entry.room.clone()),
        ("cs3", "body", Some(body.to_json())),
    ];
    let mut line = header(&name, &row.kind, severity);
    for (key, value) in fields {
        line.push_str(&format!("{key}={} ", extension(&value)));
    }
    for (key, label, value) in labelled {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            line.push_str(&format!("{key}Label={label} {key}={} ", extension(&value)));
        }
    }
    line.truncate(line.trim_end().len());
    line
}

fn header(name: &str, kind: &str, severity: u8) -> String {
    let field = |text: &str| plain(text).replace('\\', "\\\\").replace('|', "\\|").replace(['\n', '\r'], " ");
    format!("CEF:0|Pipit|pipit|{}|{}|{}|{severity}|", env!("CARGO_PKG_VERSION"), field(kind), field(name))
}

/// A value of an extension: at most what the format takes, on one line.
fn extension(text: &str) -> String {
    const LONGEST: usize = 1023;
    let text = plain(&text.replace('\r', "\n"));
    let short = &text[..text.floor_char_boundary(LONGEST)];
    short.replace('\\', "\\\\").replace('=', "\\=").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::{extension, header};

    #[test]
    fn nothing_in_a_text_makes_another_field_or_event() {
        assert_eq!(
            header("a|b\\c\nd", "asked", 3),
            format!("CEF:0|Pipit|pipit|{}|asked|a\\|b\\\\c d|3|", env!("CARGO_PKG_VERSION"))
        );
        assert_eq!(extension("x suser=root\nCEF:0|a\\|b\u{1b}[2J"), "x suser\\=root\\nCEF:0|a\\\\|b\u{fffd}[2J");
        assert_eq!(extension(&"é".repeat(3000)).len(), 1022);
    }
}
