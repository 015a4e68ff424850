//! A program's standard output, byte by byte, to values.
//!
//! Bounded: a line has at most [`LINE`] bytes and a run [`RUN`] bytes. Bytes that are no UTF-8 become U+FFFD where
//! lines, texts and cells are read; in JSON they are an error. Deliberately absent: waiting, pipes, processes.

use std::collections::VecDeque;

use pipit_commands::{Error, JsonPath, Record, Value};

use super::manifest::Output;

/// The longest line, JSON value a line or row, in bytes.
pub(super) const LINE: usize = 1 << 20;
/// The most bytes of a run that are read.
pub(super) const RUN: usize = 8 << 20;

/// What has been read so far.
pub(super) struct Decoder {
    mode: Mode,
    /// What is not yet a whole line; the whole output where one value is read of it.
    kept: Vec<u8>,
    read: usize,
    /// The most bytes that are read.
    most: usize,
    /// Whether more than that is an error also where values can be told apart.
    whole: bool,
    line: usize,
    values: VecDeque<Value>,
    /// Whether a byte was replaced since it was no UTF-8.
    pub(super) replaced: bool,
    /// Whether the run wrote more than is read.
    pub(super) full: bool,
}

enum Mode {
    /// Nothing has been read that tells.
    Unknown,
    Lines,
    JsonLines,
    /// The names of the columns, once they are known.
    Csv(Option<Vec<String>>),
    Text,
    Json,
    JsonPath(String),
}

impl Decoder {
    pub(super) fn new(output: &Output) -> Self {
        let mode = match output {
            Output::Sniff => Mode::Unknown,
            Output::Json => Mode::Json,
            Output::JsonPath(path) => Mode::JsonPath(path.to_string()),
            Output::JsonLines => Mode::JsonLines,
            Output::Lines => Mode::Lines,
            Output::Text => Mode::Text,
            Output::Csv => Mode::Csv(None),
        };
        Self::of(mode, RUN, false)
    }

    /// Of JSON values, each in a line, of which none may be left out: more bytes than `most` are an error.
    pub(super) fn whole_values(most: usize) -> Self {
        Self::of(Mode::JsonLines, most, true)
    }

    fn of(mode: Mode, most: usize, whole: bool) -> Self {
        let (kept, values) = (Vec::new(), VecDeque::new());
        Self { mode, kept, read: 0, most, whole, line: 0, values, replaced: false, full: false }
    }

    /// Up to so many values that are ready.
    pub(super) fn take(&mut self, most: usize) -> Vec<Value> {
        self.values.drain(..most.min(self.values.len())).collect()
    }

    /// Reads more bytes. What is beyond [`RUN`] is left out where values can be told apart, else it is an error.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.full {
            return Ok(());
        }
        let left = self.most - self.read;
        self.full = bytes.len() > left;
        let bytes = bytes.get(..left).unwrap_or(bytes);
        self.read += bytes.len();
        if let (Mode::Unknown, Some(first)) = (&self.mode, bytes.first()) {
            self.mode = if matches!(first, b'{' | b'[') { Mode::JsonLines } else { Mode::Lines };
        }
        match self.mode {
            Mode::Unknown => Ok(()),
            Mode::Text | Mode::Json | Mode::JsonPath(_) if self.full => {
                let most = self.most >> 20;
                Err(Error::failed(format!("its output is larger than {most} MiB, so it cannot be read whole")))
            }
            Mode::Text | Mode::Json | Mode::JsonPath(_) => {
                self.kept.extend_from_slice(bytes);
                Ok(())
            }
            Mode::Lines | Mode::JsonLines | Mode::Csv(_) => {
                self.split(bytes)?;
                if self.full && self.whole {
                    let most = self.most >> 20;
                    return Err(Error::failed(format!("its output is larger than {most} MiB")));
                }
                Ok(())
            }
        }
    }

    /// The output has ended.
    pub(super) fn end(&mut self) -> Result<(), Error> {
        let kept = std::mem::take(&mut self.kept);
        match &self.mode {
            Mode::Unknown => Ok(()),
            Mode::Lines | Mode::JsonLines | Mode::Csv(_) => {
                // what the bound cut through is no line
                if kept.is_empty() || self.full { Ok(()) } else { self.whole(&kept) }
            }
            Mode::Text => {
                if !kept.is_empty() {
                    let text = self.text(kept.strip_suffix(b"\n").unwrap_or(&kept));
                    self.values.push_back(text);
                }
                Ok(())
            }
            Mode::Json => {
                let value = json(&kept, None)?;
                self.values.extend(value);
                Ok(())
            }
            Mode::JsonPath(path) => {
                let Some(value) = json(&kept, None)? else { return Ok(()) };
                self.values.extend(find(path, &value)?);
                Ok(())
            }
        }
    }

    fn split(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let mut rest = bytes;
        while let Some(at) = memchr::memchr(b'\n', rest) {
            let (line, after) = (&rest[..at], &rest[at + 1..]);
            rest = after;
            if self.kept.is_empty() && !matches!(self.mode, Mode::Csv(_)) {
                self.fits(line.len())?;
                self.whole(line)?;
                continue;
            }
            self.fits(self.kept.len() + line.len())?;
            self.kept.extend_from_slice(line);
            // a quoted cell may go on over the end of a line
            if matches!(self.mode, Mode::Csv(_)) && memchr::memchr_iter(b'"', &self.kept).count() % 2 == 1 {
                self.kept.push(b'\n');
                continue;
            }
            let whole = std::mem::take(&mut self.kept);
            self.whole(&whole)?;
            self.kept = whole;
            self.kept.clear();
        }
        self.fits(self.kept.len() + rest.len())?;
        self.kept.extend_from_slice(rest);
        Ok(())
    }

    fn fits(&self, length: usize) -> Result<(), Error> {
        if length <= LINE {
            return Ok(());
        }
        Err(Error::failed(format!("line {} of its output is longer than {} MiB", self.line + 1, LINE >> 20)))
    }

    /// A whole line without its end.
    fn whole(&mut self, line: &[u8]) -> Result<(), Error> {
        self.line += 1;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match &mut self.mode {
            Mode::JsonLines => {
                let value = json(line, Some(self.line))?;
                self.values.extend(value);
            }
            Mode::Csv(columns) => {
                if let Some(row) = row(line, columns, self.line, &mut self.replaced)? {
                    self.values.push_back(row);
                }
            }
            Mode::Unknown | Mode::Lines | Mode::Text | Mode::Json | Mode::JsonPath(_) => {
                let text = self.text(line);
                self.values.push_back(text);
            }
        }
        Ok(())
    }

    fn text(&mut self, bytes: &[u8]) -> Value {
        let text = String::from_utf8_lossy(bytes);
        self.replaced |= matches!(text, std::borrow::Cow::Owned(_));
        Value::text(text.as_ref())
    }
}

/// A JSON value; none for blanks. The line is told where there are several.
fn json(bytes: &[u8], line: Option<usize>) -> Result<Option<Value>, Error> {
    if bytes.trim_ascii().is_empty() {
        return Ok(None);
    }
    let place = line.map_or_else(|| "its output".to_owned(), |line| format!("line {line} of its output"));
    let text = std::str::from_utf8(bytes)
        .map_err(|error| Error::failed(format!("{place} is no UTF-8 at byte {}", error.valid_up_to() + 1)))?;
    match Value::from_json(text) {
        Ok(value) => Ok(Some(value)),
        Err(error) => Err(Error::failed(format!("{place} is no JSON: {error}"))),
    }
}

fn row(
    line: &[u8],
    columns: &mut Option<Vec<String>>,
    number: usize,
    replaced: &mut bool,
) -> Result<Option<Value>, Error> {
    if line.is_empty() {
        return Ok(None);
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(line);
    let mut record = csv::ByteRecord::new();
    reader
        .read_byte_record(&mut record)
        .map_err(|error| Error::failed(format!("row {number} of its output is no CSV: {error}")))?;
    let mut cells: Vec<String> = Vec::with_capacity(record.len());
    for cell in &record {
        let cell = String::from_utf8_lossy(cell);
        *replaced |= matches!(cell, std::borrow::Cow::Owned(_));
        cells.push(cell.into_owned());
    }
    let Some(names) = columns else {
        if let Some(twice) = cells.iter().enumerate().find(|(at, name)| cells[..*at].contains(name)) {
            return Err(Error::failed(format!("the first row of its output names the column {:?} twice", twice.1)));
        }
        *columns = Some(cells);
        return Ok(None);
    };
    if cells.len() != names.len() {
        let (has, want) = (cells.len(), names.len());
        return Err(Error::failed(format!("row {number} of its output has {has} cells, the first has {want}")));
    }
    let fields = names.iter().map(String::as_str).zip(cells);
    Ok(Some(fields.collect::<Record>().into()))
}

fn find(path: &str, value: &Value) -> Result<Vec<Value>, Error> {
    let odd = |error: Error| Error::failed(format!("{path} cannot be looked up in its output: {error}"));
    let mut found = Vec::new();
    let looked = JsonPath::read(path).and_then(|path| path.find(value, &mut found));
    looked.map(|()| found).map_err(odd)
}
