//! Texts that say values in the formats of other programs. Deliberately absent: files; a text goes where the line says.

use crate::command::Call;
use crate::stream::Stream;
use crate::table::Table;
use crate::{Error, Value};

/// Writes the incoming values.
pub(crate) fn to(call: Call, input: Stream) -> Result<Stream, Error> {
    let format = call.args().words().next().map(Value::to_text).unwrap_or_default();
    Ok(match format.as_str() {
        "json" => input.lift(|value, out| {
            out.push(Value::from(value.to_json()));
            Ok(())
        }),
        "yaml" => input.lift(|value, out| {
            let yaml = serde_saphyr::to_string(&value)
                .map_err(|error| Error::failed(format!("this cannot be written as YAML: {error}")))?;
            out.push(Value::from(yaml.trim_end_matches('\n')));
            Ok(())
        }),
        "csv" => input.gather(|all| if all.is_empty() { Ok(Vec::new()) } else { csv(&all).map(|text| vec![text]) }),
        "table" => {
            input.gather(|all| Ok(Table::of(&all, &[]).map(|table| Value::from(table.draw())).into_iter().collect()))
        }
        "markdown" => input
            .gather(|all| Ok(Table::of(&all, &[]).map(|table| Value::from(table.markdown())).into_iter().collect())),
        other => return Err(Error::failed(format!("to knows no format {other:?}"))),
    })
}

/// A header with every field, in the order in which they first come, and a row for each record.
fn csv(all: &[Value]) -> Result<Value, Error> {
    if let Some(other) = all.iter().find(|value| !matches!(value, Value::Record(_))) {
        return Err(Error::failed(format!("to csv wants records, and this is {}", other.kind()))
            .help("select and put make records"));
    }
    let names = crate::table::names(all);
    // each cell is a comma or a line end at least
    crate::limits::text(names.len().saturating_mul(all.len()))?;
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |error: csv::Error| Error::failed(format!("this cannot be written as csv: {error}"));
    writer.write_record(names.iter().map(ecow::EcoString::as_str)).map_err(failed)?;
    for value in all {
        let cell = |name: &ecow::EcoString| match value.field(name) {
            None | Some(Value::Null) => ecow::EcoString::new(),
            Some(value) => value.to_text(),
        };
        let cells: Vec<ecow::EcoString> = names.iter().map(cell).collect();
        writer.write_record(cells.iter().map(ecow::EcoString::as_str)).map_err(failed)?;
    }
    let bytes =
        writer.into_inner().map_err(|error| Error::failed(format!("this cannot be written as csv: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|_| Error::failed("the csv came out as no text"))?;
    Ok(Value::from(text.strip_suffix('\n').unwrap_or(&text)))
}
