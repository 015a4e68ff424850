//! Tables drawn in text: columns as wide as their cells on a screen, where some letters take two columns and some
//! none. Deliberately absent: colours and the limits of a chat message, which are the renderer's.

use std::borrow::Cow;
use std::collections::HashSet;

use ecow::EcoString;

use crate::command::{Call, Command};
use crate::family::{family, row};
use crate::key::Key;
use crate::layout::{Heading, Layout, columns, plain};
use crate::stream::Stream;
use crate::{Error, Value};

pub(crate) fn families() -> Vec<Command> {
    family(
        "table",
        [row("table [COLUMN…]")
            .about("The values as a table; a column is a field, a path a.b, or Label=a.b; without columns all fields")
            .example(
                r#"seed '[{"name":"web","cpu":9},{"name":"db","cpu":40}]' | table name CPU=cpu"#,
                r#""name  CPU\n────  ───\nweb     9\ndb     40""#,
            )
            .example("list a 日本 | table", r#""value\n─────\na\n日本""#)
            .stream(table)],
    )
}

fn table(call: Call, input: Stream) -> Result<Stream, Error> {
    let columns = call.all("COLUMN").iter().map(|arg| Column::read(&arg.value.to_text()));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    Ok(input
        .gather(move |all| Ok(Table::of(&all, &columns).map(|table| Value::from(table.draw())).into_iter().collect())))
}

/// A column of a table.
pub struct Column {
    label: EcoString,
    key: Key,
}

impl Column {
    /// Reads `field`, `a.b` or `Label=a.b`.
    pub fn read(text: &str) -> Result<Self, Error> {
        let (label, path) = text.split_once('=').unwrap_or((text, text));
        Ok(Self { label: label.into(), key: Key::read(path)? })
    }
}

/// A table of cells, ready to be drawn.
#[derive(Clone)]
pub struct Table {
    labels: Vec<EcoString>,
    rows: Vec<Vec<Cell>>,
}

/// What stands in a row under a label: one line of text that acts on no terminal.
#[derive(Clone)]
pub struct Cell {
    text: EcoString,
    number: bool,
}

impl Cell {
    fn of(value: Option<&Value>) -> Self {
        let text = match value {
            None | Some(Value::Null) => EcoString::new(),
            Some(value) => value.to_text(),
        };
        // a row is one line, whatever is in its cells
        let text = if text.contains(['\n', '\r', '\t']) {
            text.as_str().replace(['\n', '\r', '\t'], " ").into()
        } else {
            text
        };
        // taken away before it is measured: a mark that turns the line has no width, and what stands for it has one
        let text = match plain(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(text) => text.into(),
        };
        Self { text, number: matches!(value, Some(Value::Int(_) | Value::Float(_))) }
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Table {
    /// The table of values with these columns; without columns one for each field, and a column `value` for what is no
    /// record. None for no values.
    #[must_use]
    pub fn of(values: &[Value], columns: &[Column]) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        if !columns.is_empty() {
            let row = |value| columns.iter().map(|column| Cell::of(column.key.of(value))).collect();
            let labels = columns.iter().map(|column| column.label.clone()).collect();
            return Some(Self { labels, rows: values.iter().map(row).collect() });
        }
        let names = names(values);
        let plain = values.iter().any(|value| !matches!(value, Value::Record(_)));
        let row = |value: &Value| {
            let whole = plain.then(|| Cell::of(Some(value).filter(|value| !matches!(value, Value::Record(_)))));
            whole.into_iter().chain(names.iter().map(|name| Cell::of(value.field(name)))).collect()
        };
        let rows = values.iter().map(row).collect();
        Some(Self { labels: plain.then(|| "value".into()).into_iter().chain(names.iter().cloned()).collect(), rows })
    }

    /// The rows drawn under the head of another table, drawn before; none when this one has a column that is not there.
    #[must_use]
    pub fn under(&self, layout: &Layout, cut: bool) -> Option<Vec<String>> {
        let places: Vec<Option<usize>> =
            layout.labels().map(|label| self.labels.iter().position(|own| own == label)).collect();
        if places.iter().flatten().count() < self.labels.len() {
            return None;
        }
        let row = |row: &Vec<Cell>| {
            layout.row(places.iter().map(|place| place.and_then(|at| row.get(at)).map_or("", Cell::text)), cut)
        };
        Some(self.rows.iter().map(row).collect())
    }

    /// The rows, each with a cell for every label.
    pub fn rows(&self) -> impl Iterator<Item = &[Cell]> {
        self.rows.iter().map(Vec::as_slice)
    }

    /// Columns as wide as their cells; those of numbers stand at the right.
    #[must_use]
    pub fn layout(&self) -> Layout {
        let heading = |(at, label): (usize, &EcoString)| Heading {
            label: plain(label).into(),
            width: self.width(at),
            number: self.numbers(at),
        };
        Layout::new(self.labels.iter().enumerate().map(heading).collect())
    }

    /// In text, without a newline at the end.
    #[must_use]
    pub fn draw(&self) -> String {
        let layout = self.layout();
        let mut text = format!("{}\n{}", layout.head(), layout.rule());
        for row in &self.rows {
            text.push('\n');
            text.push_str(&layout.row(row.iter().map(Cell::text), false));
        }
        text
    }

    /// As Markdown, without a newline at the end.
    #[must_use]
    pub fn markdown(&self) -> String {
        let escaped = |text: &str| text.replace('\\', "\\\\").replace('|', "\\|");
        let cells = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
        let mut lines = vec![cells(self.labels.iter().map(|label| escaped(label)).collect())];
        let rule = |at| if self.numbers(at) { String::from("---:") } else { String::from("---") };
        lines.push(cells((0..self.labels.len()).map(rule).collect()));
        lines.extend(self.rows.iter().map(|row| cells(row.iter().map(|cell| escaped(&cell.text)).collect())));
        lines.join("\n")
    }

    fn column(&self, at: usize) -> impl Iterator<Item = &Cell> {
        self.rows.iter().filter_map(move |row| row.get(at))
    }

    fn width(&self, at: usize) -> usize {
        // a longer cell sticks out: the others are not padded to its length
        const WIDEST: usize = 120;
        let label = self.labels.get(at).map_or(0, |label| columns(&plain(label)));
        self.column(at)
            .map(|cell| columns(&cell.text))
            .filter(|width| *width <= WIDEST)
            .fold(label.min(WIDEST), usize::max)
    }

    /// Whether a column holds numbers and nothing else.
    fn numbers(&self, at: usize) -> bool {
        let mut some = false;
        for cell in self.column(at).filter(|cell| !cell.text.is_empty()) {
            if !cell.number {
                return false;
            }
            some = true;
        }
        some
    }
}

/// Every field of the records, in the order in which they first come.
pub(crate) fn names(values: &[Value]) -> Vec<EcoString> {
    let mut names: Vec<EcoString> = Vec::new();
    let mut seen: HashSet<EcoString> = HashSet::new();
    for value in values {
        let Value::Record(record) = value else { continue };
        for (name, _) in record.iter().filter(|(name, _)| !seen.contains(*name)) {
            names.push(name.clone());
        }
        seen.extend(names.iter().skip(seen.len()).cloned());
    }
    names
}
