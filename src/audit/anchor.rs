//! An anchor: how far the log had come at a moment, sealed with the key, so that an end cut off is seen. One line of text:
//! the number of the last row, its time, the losses accepted until then, its seal, and the proof. Deliberately absent:
//! when anchors are dropped and where, see `anchors`.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use crate::store::log::{Hash, Head};

/// The longest text of an anchor, in bytes.
const LONGEST: u64 = 256;

/// How far the log had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Anchor {
    /// The last row; nought before the first.
    pub(super) head: Head,
    /// The latest time in the rows until then, Unix milliseconds.
    pub(super) at: i64,
    /// How often a loss had been accepted until then; what was anchored before a loss need not hold after it.
    pub(super) losses: i64,
}

impl Anchor {
    /// The line of text, with its end.
    pub(super) fn text(&self, key: &Hash) -> String {
        let Self { head: Head { seq, hash }, at, losses } = self;
        let said = format!("{seq} {at} {losses} {}", blake3::Hash::from_bytes(*hash).to_hex());
        let proof = blake3::keyed_hash(key, said.as_bytes()).to_hex();
        format!("{said} {proof}\n")
    }

    /// What a line says, with or without its end; `None` when it is no anchor made with this key.
    pub(super) fn parse(line: &str, key: &Hash) -> Option<Self> {
        let line = line.strip_suffix('\n').unwrap_or(line);
        let mut parts = line.split(' ');
        let mut number = || parts.next()?.parse().ok();
        let (seq, at, losses) = (number()?, number()?, number()?);
        let hash = *blake3::Hash::from_hex(parts.next()?).ok()?.as_bytes();
        let anchor = Self { head: Head { seq, hash }, at, losses };
        anchor.text(key).strip_suffix('\n').filter(|text| *text == line).map(|_| anchor)
    }

    /// Whether this one says more than another.
    pub(super) fn is_ahead_of(&self, other: &Self) -> bool {
        (self.losses, self.head.seq) > (other.losses, other.head.seq)
    }

    /// Writes the file anew with this anchor alone; it is the old one or the new one at every moment.
    pub(super) fn write(&self, path: &Path, key: &Hash) -> io::Result<()> {
        write_whole(path, &self.text(key))
    }
}

/// Writes a file so that it is the old one or the new one at every moment, and on the disk when this returns.
pub(super) fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", std::process::id()));
    let written = File::create(&draft).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, path)
    });
    if written.is_err() {
        let _none = fs::remove_file(&draft);
    }
    written
}

/// What a file of anchors holds at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last {
    /// There is no file.
    Missing,
    /// This one.
    Anchor(Anchor),
    /// Something that is no anchor of this key, or nothing.
    Unreadable,
}

/// The last anchor of a file to which anchors are added. A last line that a crash cut short does not count.
pub(super) fn last(path: &Path, key: &Hash) -> io::Result<Last> {
    match File::open(path) {
        Ok(mut file) => Ok(last_whole(&mut file, key)?.0),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Last::Missing),
        Err(error) => Err(error),
    }
}

/// The last anchor of a file, and where its last whole line ends.
fn last_whole(file: &mut File, key: &Hash) -> io::Result<(Last, u64)> {
    let length = file.metadata()?.len();
    let from = length.saturating_sub(LONGEST * 2);
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    file.take(LONGEST * 2).read_to_end(&mut tail)?;
    let end = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let whole = String::from_utf8_lossy(&tail[..end]);
    let anchor = whole.lines().next_back().and_then(|line| Anchor::parse(line, key));
    Ok((anchor.map_or(Last::Unreadable, Last::Anchor), from + end as u64))
}

/// The anchor in the first line of a file; `None` when there is none.
pub(super) fn first(path: &Path, key: &Hash) -> Option<Anchor> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().next().and_then(|line| Anchor::parse(line, key))
}

/// Adds an anchor to the end of a file, unless what is there says as much already. What a crash left of a line is cut off.
pub(super) fn add(path: &Path, anchor: &Anchor, key: &Hash) -> io::Result<()> {
    let mut file = File::options().read(true).append(true).create(true).open(path)?;
    file.lock()?;
    let (last, end) = last_whole(&mut file, key)?;
    if let Last::Anchor(there) = last
        && !anchor.is_ahead_of(&there)
    {
        return Ok(());
    }
    if file.metadata()?.len() > end {
        file.set_len(end)?;
    }
    file.write_all(anchor.text(key).as_bytes())?;
    file.sync_all()
}

/// Hands every line of a file of anchors to `visit`, with its number: an anchor, or `None` for what is none. Blank lines, and
/// a last one that a crash cut short, are left out.
pub(super) fn each(
    path: &Path,
    key: &Hash,
    visit: &mut dyn FnMut(usize, Option<Anchor>) -> io::Result<()>,
) -> io::Result<()> {
    let mut lines = BufReader::new(File::open(path)?);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        if (&mut lines).take(LONGEST).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if line == b"\n" || (line.last() != Some(&b'\n') && (line.len() as u64) < LONGEST) {
            continue;
        }
        let anchor = std::str::from_utf8(&line).ok().and_then(|line| Anchor::parse(line, key));
        visit(number, anchor)?;
    }
    Ok(())
}
