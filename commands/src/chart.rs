//! `chart`: numbers as a drawing in text, with a picture of the same beside it for services that show pictures.
//! Deliberately absent: colours; the text stands in a line of chat as well as in a terminal.

use std::sync::Arc;

use ecow::EcoString;
use unicode_width::UnicodeWidthStr as _;

use crate::command::{Call, Command};
use crate::family::{family, row};
use crate::key::Key;
use crate::number::Number;
use crate::origin::{Attached, Attachment, Note};
use crate::stream::Stream;
use crate::{Error, Kind, Value};

mod picture;

/// How many columns a drawing may have.
const WIDEST: i64 = 200;
/// How many lines a curve may have.
const HIGHEST: i64 = 50;
/// How many bars a chart has at most.
const BARS: usize = 500;
/// How many columns the name of a bar is given.
const NAME: usize = 30;

pub(crate) fn families() -> Vec<Command> {
    family(
        "table",
        [row("chart bar|line|spark [KEY] [--label=FIELD] [--width=COLUMNS] [--height=LINES]")
            .about(
                "The numbers as bars, as a curve, or as a line of blocks; of records the key, or the first field with a \
                 number, and bars are named by --label or the first text",
            )
            .example("list 1 5 22 13 53 | chart spark", r#""▁▂▄▃█""#)
            .example(
                r#"seed '[{"name":"web","cpu":9},{"name":"db","cpu":40}]' | chart bar cpu --width=8"#,
                r#""web  █▊         9\ndb   ████████  40""#,
            )
            .example("list 0 1 4 | chart line --height=3", r#""4 ┤  ╭\n2 ┤ ╭╯\n0 ┼─╯""#)
            .kind("COLUMNS", Kind::Int(1, WIDEST))
            .kind("LINES", Kind::Int(2, HIGHEST))
            .stream(chart)],
    )
}

/// How numbers are drawn.
#[derive(Clone, Copy)]
enum Form {
    Bar,
    Line,
    Spark,
}

/// A number of a chart.
struct Point {
    name: EcoString,
    number: f64,
    shown: EcoString,
}

fn chart(call: Call, input: Stream) -> Result<Stream, Error> {
    let key = call.text("KEY").map(|key| Key::read(&key)).transpose()?;
    let label = call.text("label").map(|label| Key::read(&label)).transpose()?;
    let form = match call.args().words().next().map(Value::to_text).as_deref() {
        Some("bar") => Form::Bar,
        Some("line") => Form::Line,
        Some(_) | None => Form::Spark,
    };
    let size =
        |name: &str, otherwise: usize| call.int(name).and_then(|size| usize::try_from(size).ok()).unwrap_or(otherwise);
    let (width, height) = (size("width", if matches!(form, Form::Bar) { 40 } else { 60 }), size("height", 8));
    Ok(input.gather(move |all| {
        let mut points = Vec::with_capacity(all.len());
        for (at, value) in all.iter().enumerate() {
            points.extend(point(value, at, key.as_ref(), label.as_ref())?);
        }
        if points.is_empty() {
            return Ok(Vec::new());
        }
        let drawn: EcoString = match form {
            Form::Bar => bars(&points, width)?,
            Form::Line => curve(&columns(&points, width), height),
            Form::Spark => spark(&columns(&points, width)),
        }
        .into();
        let picture = Attachment {
            name: "chart.png".into(),
            kind: Attached::Picture { alt: drawn.clone() },
            bytes: Arc::new(move || picture::png(form, &points)),
        };
        call.host().note(call.command(), Note::Attach(picture));
        Ok(vec![Value::Text(drawn)])
    }))
}

/// What a value brings to a chart; nothing where its key is missing or null.
fn point(value: &Value, at: usize, key: Option<&Key>, label: Option<&Key>) -> Result<Option<Point>, Error> {
    let record = match value {
        Value::Record(record) => Some(record),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_) | Value::List(_) => None,
    };
    let found = match (key, record) {
        (Some(key), _) => key.of(value),
        (None, Some(record)) => {
            Some(record.iter().map(|(_, value)| value).find(|value| matches!(value, Value::Int(_) | Value::Float(_))))
                .flatten()
                .or(Some(value))
        }
        (None, None) => Some(value),
    };
    let Some(found) = found.filter(|found| !matches!(found, Value::Null)) else { return Ok(None) };
    let number = Number::of(found).ok_or_else(|| crate::number::no_number("chart bar", found))?.part();
    let name = match (label, record) {
        (Some(label), _) => label.of(value).map(Value::to_text),
        (None, Some(record)) => {
            let texts = record.iter().map(|(_, value)| value).filter(|value| !std::ptr::eq(*value, found));
            texts.filter(|value| matches!(value, Value::Text(_))).map(Value::to_text).next()
        }
        (None, None) => Some(EcoString::new()),
    };
    let name = name.unwrap_or_else(|| at.to_string().into());
    let name =
        if name.contains(['\n', '\r', '\t']) { name.as_str().replace(['\n', '\r', '\t'], " ").into() } else { name };
    Ok(Some(Point { name: shortened(name), number, shown: found.to_text() }))
}

/// A name in as many columns as it is given.
fn shortened(name: EcoString) -> EcoString {
    if name.width() <= NAME {
        return name;
    }
    let mut short = EcoString::new();
    for letter in name.chars() {
        short.push(letter);
        if short.width() >= NAME {
            short.pop();
            break;
        }
    }
    short.push('…');
    short
}

/// The least and the greatest.
fn ends(numbers: impl Iterator<Item = f64>) -> (f64, f64) {
    numbers.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), number| (least.min(number), most.max(number)))
}

/// Where a number lies between two others, from 0 to 1; halved first, so that no difference is beyond the largest
/// number.
fn part(number: f64, least: f64, most: f64) -> f64 {
    let reach = most / 2.0 - least / 2.0;
    if reach > 0.0 { (number / 2.0 - least / 2.0) / reach } else { 0.0 }
}

/// So many eighths of a drawing as come nearest to a part of it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a part from 0 to 1 of a small number"
)]
fn steps(part: f64, all: usize) -> usize {
    (part.clamp(0.0, 1.0) * all as f64).round() as usize
}

/// A bar a line, in eighths of a column; what is below zero goes to the left from it.
fn bars(points: &[Point], width: usize) -> Result<String, Error> {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    if points.len() > BARS {
        return Err(Error::failed(format!("a chart has {BARS} bars at most, and these are {}", points.len()))
            .help("head and sort choose some; chart line and chart spark take any number"));
    }
    let (least, most) = ends(points.iter().map(|point| point.number));
    let (least, most) = (least.min(0.0), most.max(0.0));
    let names = points.iter().map(|point| point.name.width()).max().unwrap_or(0);
    let shown = points.iter().map(|point| point.shown.width()).max().unwrap_or(0);
    let left = steps(part(0.0, least, most), width);
    let right = width - left;
    let mut lines = Vec::with_capacity(points.len());
    for point in points {
        let mut line = String::from(point.name.as_str());
        line.push_str(&" ".repeat(names - point.name.width() + if names > 0 { 2 } else { 0 }));
        let mut bar = String::new();
        let used = if point.number < 0.0 {
            let (half, full) = (steps(part(-point.number, 0.0, -least), left * 2), left);
            let blocks = half.div_ceil(2);
            bar.push_str(&" ".repeat(full - blocks));
            bar.push_str(if half % 2 == 1 { "▐" } else { "" });
            bar.push_str(&"█".repeat(half / 2));
            full
        } else {
            let eighths = steps(part(point.number, 0.0, most), right * 8);
            // what is there at all is seen
            let eighths = if eighths == 0 && point.number > 0.0 { 1 } else { eighths };
            bar.push_str(&" ".repeat(left));
            bar.push_str(&"█".repeat(eighths / 8));
            bar.push_str(EIGHTHS.get(eighths % 8).copied().unwrap_or_default());
            left + eighths.div_ceil(8)
        };
        line.push_str(&bar);
        line.push_str(&" ".repeat(width.saturating_sub(used) + 2 + shown - point.shown.width()));
        line.push_str(&point.shown);
        lines.push(line);
    }
    Ok(lines.join("\n"))
}

/// As many numbers as there are columns at most: each the mean of those that fall into it.
fn columns(points: &[Point], width: usize) -> Vec<f64> {
    if points.len() <= width {
        return points.iter().map(|point| point.number).collect();
    }
    let column = |at: usize| {
        let of = points.get(at * points.len() / width..(at + 1) * points.len() / width).unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "a count beyond 2⁵³ is out of reach")]
        of.iter().map(|point| point.number / of.len() as f64).sum()
    };
    (0..width).map(column).collect()
}

/// A block for each number.
fn spark(numbers: &[f64]) -> String {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let (least, most) = ends(numbers.iter().copied());
    numbers.iter().filter_map(|number| BLOCKS.get(steps(part(*number, least, most), 7))).collect()
}

/// A curve with a scale at its left.
fn curve(numbers: &[f64], height: usize) -> String {
    let (least, most) = ends(numbers.iter().copied());
    let height = if least < most { height } else { 1 };
    let rows: Vec<usize> = numbers.iter().map(|number| steps(part(*number, least, most), height - 1)).collect();
    let mut cells = vec![vec![' '; numbers.len()]; height];
    let mut put = |row: usize, column: usize, letter: char| {
        if let Some(cell) = cells.get_mut(row).and_then(|row| row.get_mut(column)) {
            *cell = letter;
        }
    };
    for (column, row) in rows.iter().enumerate() {
        let before = column.checked_sub(1).and_then(|before| rows.get(before)).unwrap_or(row);
        if before == row {
            put(*row, column, '─');
            continue;
        }
        put(*before, column, if before < row { '╯' } else { '╮' });
        put(*row, column, if before < row { '╭' } else { '╰' });
        for between in before.min(row) + 1..*before.max(row) {
            put(between, column, '│');
        }
    }
    let scale = scale(least, most, height);
    let widest = scale.iter().map(|label| label.width()).max().unwrap_or(0);
    let lines = cells.iter().zip(&scale).enumerate().rev().map(|(at, (cells, label))| {
        let blanks = " ".repeat(widest - label.width());
        let axis = if rows.first() == Some(&at) { '┼' } else { '┤' };
        let line: String = cells.iter().collect();
        format!("{blanks}{label} {axis}{}", line.trim_end())
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What the rows of a curve stand for, the lowest first, with as many digits as say it nearly.
#[expect(clippy::cast_precision_loss, reason = "a few rows")]
fn scale(least: f64, most: f64, height: usize) -> Vec<String> {
    const DIGITS: usize = 6;
    let rows = height.saturating_sub(1).max(1) as f64;
    let number = |at: usize| least * (1.0 - at as f64 / rows) + most * (at as f64 / rows);
    let label = |at: usize, digits: usize| {
        let number = number(at);
        let large = number.abs() >= 1e15 || (number != 0.0 && number.abs() < 1e-6);
        let text = if large { format!("{number:.digits$e}") } else { format!("{number:.digits$}") };
        // what rounds to nothing is not below it
        if text.trim_start_matches(['-', '0', '.']).is_empty() { text.trim_start_matches('-').to_owned() } else { text }
    };
    let labels = |digits: usize| (0..height).map(|at| label(at, digits)).collect::<Vec<_>>();
    // a tenth of what lies between two rows
    let near = (most / 10.0 - least / 10.0) / rows;
    let said = |(at, label): (usize, &String)| label.parse::<f64>().is_ok_and(|said| (said - number(at)).abs() <= near);
    let fitting = (0..DIGITS).map(labels).find(|labels| labels.iter().enumerate().all(said));
    fitting.unwrap_or_else(|| labels(DIGITS))
}
