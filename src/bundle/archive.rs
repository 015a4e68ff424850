//! Reading a bundle out of an archive: tar, packed with gzip or not. Nothing is unpacked to disk; what comes out is what a
//! folder would have given, and is checked and kept in the same way.
//!
//! Only what every reader of the format reads alike is taken. Two readers that disagree about one archive are how a file
//! passes a check under one name and lands under another, so an archive with anything unusual is refused whole: links,
//! devices, sizes that are said twice, names in two ways, bytes behind the end. Deliberately absent: other formats, writing.

use std::collections::HashSet;
use std::io::Read as _;

use flate2::bufread::GzDecoder;
use pipit_commands::Error;
use unicode_normalization::is_nfc;

use super::folder::{ALL, DEPTH, FILE, FILES, MANIFEST, NAME, Read, Taken};

/// The largest archive, in bytes, as it is fetched or read.
pub(crate) const ARCHIVE: usize = 64 << 20;
const BLOCK: usize = 512;
/// The longest name that is written in an entry of its own, in bytes.
const LONG: usize = 4096;

/// The files of an archive. One folder around everything is left away.
pub(super) fn read(bytes: &[u8]) -> Result<Read, Error> {
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return tar(&unpacked(bytes)?);
    }
    tar(bytes)
}

/// Whether this is an archive at all, by its first bytes.
pub(crate) fn looks_like_one(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b]) || bytes.get(257..262) == Some(b"ustar")
}

fn unpacked(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    // every file takes a block for its head and at most one that is not full
    let most = usize::try_from(ALL).unwrap_or(usize::MAX) + (FILES + 2) * 4 * BLOCK;
    let mut decoder = GzDecoder::new(bytes);
    let mut whole = Vec::new();
    let read = decoder.by_ref().take(most as u64 + 1).read_to_end(&mut whole);
    read.map_err(|error| refused(&format!("it cannot be unpacked: {error}")))?;
    if whole.len() > most {
        return Err(refused(&format!("it unpacks to more than {} MiB", ALL >> 20)));
    }
    // a second packed part, or anything else, that some readers would go on with
    if !decoder.into_inner().is_empty() {
        return Err(refused("bytes stand behind the end of the packed part"));
    }
    Ok(whole)
}

fn tar(bytes: &[u8]) -> Result<Read, Error> {
    let mut taking = Taking::default();
    let mut rest = bytes;
    loop {
        let Some((head, after)) = rest.split_at_checked(BLOCK) else {
            return Err(refused("it breaks off before its end"));
        };
        if head.iter().all(|byte| *byte == 0) {
            return if after.iter().all(|byte| *byte == 0) {
                taking.done()
            } else {
                Err(refused("bytes stand behind its end"))
            };
        }
        let head = Head::read(head)?;
        let Some((content, after)) = after.split_at_checked(head.size) else {
            return Err(refused(&format!("{} breaks off", head.name)));
        };
        let padding = head.size.next_multiple_of(BLOCK) - head.size;
        let (filling, behind) =
            after.split_at_checked(padding).ok_or_else(|| refused(&format!("{} breaks off", head.name)))?;
        if filling.iter().any(|byte| *byte != 0) {
            return Err(refused(&format!("bytes stand behind {}", head.name)));
        }
        rest = behind;
        taking.entry(&head, content)?;
    }
}

/// What stands before the content of an entry.
struct Head {
    name: String,
    size: usize,
    executable: bool,
    kind: u8,
}

impl Head {
    fn read(block: &[u8]) -> Result<Self, Error> {
        let field = |from: usize, len: usize| block.get(from..from + len).unwrap_or_default();
        let magic = field(257, 8);
        let gnu = magic == b"ustar  \0";
        if magic != b"ustar\x0000" && !gnu {
            return Err(refused("it is no tar archive of the formats ustar, pax or gnu"));
        }
        let told = octal(field(148, 8)).ok_or_else(|| refused("an entry has no check sum"))?;
        let blank = |at: usize, byte: u8| if (148..156).contains(&at) { b' ' } else { byte };
        let sum: u64 = block.iter().enumerate().map(|(at, byte)| u64::from(blank(at, *byte))).sum();
        if sum != told {
            return Err(refused("the check sum of an entry is another"));
        }
        let name = text(field(0, 100))?;
        let prefix = field(345, 155);
        let name = match (gnu, text(prefix)?.as_str()) {
            (_, "") if !gnu || prefix.iter().all(|byte| *byte == 0) => name,
            (false, prefix) => format!("{prefix}/{name}"),
            (true, _) => return Err(refused("an entry has more to say than its name and its size")),
        };
        let size = octal(field(124, 12)).and_then(|size| usize::try_from(size).ok());
        let size = size.ok_or_else(|| refused(&format!("{name} has no size that can be read")))?;
        let mode = octal(field(100, 8)).ok_or_else(|| refused(&format!("{name} has no mode that can be read")))?;
        let executable = mode & 0o111 != 0;
        Ok(Self { name, size, executable, kind: block.get(156).copied().unwrap_or_default() })
    }
}

/// What was taken so far.
#[derive(Default)]
struct Taking {
    files: Vec<Taken>,
    folders: Vec<String>,
    seen: HashSet<String>,
    bytes: u64,
    /// The name that an entry before this one gave it.
    renamed: Option<String>,
}

impl Taking {
    fn entry(&mut self, head: &Head, content: &[u8]) -> Result<(), Error> {
        match head.kind {
            b'x' => return self.named(extended(content)?),
            // of the whole archive; a comment, such as the commit that it was made of
            b'g' => {
                return if extended(content)?.is_none() { Ok(()) } else { Err(refused("all its files have one name")) };
            }
            b'L' if content.len() <= LONG => return self.named(Some(text(content)?)),
            b'0' | 0 | b'5' => {}
            b'1' | b'2' => {
                return Err(refused(&format!("{} is a link; a bundle holds files and folders only", head.name)));
            }
            _ => return Err(refused(&format!("{} is neither a file nor a folder", head.name))),
        }
        let name = self.renamed.take().unwrap_or_else(|| head.name.clone());
        let folder = head.kind == b'5';
        let path = name.strip_prefix("./").unwrap_or(&name);
        let path = if folder { path.strip_suffix('/').unwrap_or(path) } else { path };
        if folder && (path.is_empty() || path == ".") {
            return Ok(());
        }
        fits(path)?;
        // two names that one file system takes for one
        if !self.seen.insert(path.to_lowercase()) {
            return Err(refused(&format!("{path} is there twice")));
        }
        if self.seen.len() > FILES {
            return Err(refused(&format!("a bundle has at most {FILES} files")));
        }
        if folder {
            self.folders.push(path.to_owned());
            return if content.is_empty() { Ok(()) } else { Err(refused(&format!("{path} is a folder with content"))) };
        }
        self.bytes += content.len() as u64;
        if content.len() as u64 > FILE || self.bytes > ALL {
            return Err(refused(&format!(
                "{path} is too large: a file has {} MiB at most, a bundle {} MiB",
                FILE >> 20,
                ALL >> 20
            )));
        }
        self.files.push(Taken { path: path.to_owned(), executable: head.executable, content: content.to_owned() });
        Ok(())
    }

    fn named(&mut self, name: Option<String>) -> Result<(), Error> {
        if self.renamed.is_some() && name.is_some() {
            return Err(refused("an entry is named twice"));
        }
        self.renamed = self.renamed.take().or(name);
        Ok(())
    }

    fn done(mut self) -> Result<Read, Error> {
        if self.renamed.is_some() {
            return Err(refused("it ends with a name for nothing"));
        }
        // a file that another one lies in
        let files: HashSet<String> = self.files.iter().map(|file| file.path.to_lowercase()).collect();
        let inside = self.files.iter().map(|file| &file.path).chain(&self.folders);
        for path in inside {
            let path = path.to_lowercase();
            if path.match_indices('/').any(|(at, _)| files.contains(path.get(..at).unwrap_or_default())) {
                return Err(refused(&format!("{path} lies in a file")));
            }
        }
        if !self.files.iter().any(|file| file.path == MANIFEST) {
            let outer =
                self.files.first().and_then(|file| file.path.split_once('/')).map(|(outer, _)| format!("{outer}/"));
            let outer = outer.filter(|outer| self.files.iter().all(|file| file.path.starts_with(outer.as_str())));
            if let Some(outer) = outer {
                for file in &mut self.files {
                    file.path.drain(..outer.len());
                }
            }
        }
        // as of a folder: the same bundle has the same digest wherever it comes from
        self.files.retain(|file| file.path != ".git" && !file.path.starts_with(".git/"));
        Ok(Read::of(self.files))
    }
}

/// Whether a path stays inside, and means the same to everybody.
fn fits(path: &str) -> Result<(), Error> {
    let odd = |part: &str| matches!(part, "" | "." | "..") || part.len() > NAME;
    let unsafe_letter = |letter: char| letter.is_control() || letter == '\\';
    if path.split('/').any(odd) || path.contains(unsafe_letter) || !is_nfc(path) {
        return Err(refused(&format!("{path:?} is no path inside a bundle")));
    }
    if path.matches('/').count() > DEPTH {
        return Err(refused(&format!("{path}: folders are nested deeper than {DEPTH}")));
    }
    Ok(())
}

/// The name in the records of an extended head: `LENGTH key=value` and a newline, each.
fn extended(content: &[u8]) -> Result<Option<String>, Error> {
    let odd = || refused("an extended head cannot be read");
    let mut rest = std::str::from_utf8(content).map_err(|_| odd())?;
    let mut name = None;
    while !rest.is_empty() {
        let (length, _) = rest.split_once(' ').ok_or_else(odd)?;
        let whole: usize = length.parse().map_err(|_| odd())?;
        let record = rest.get(length.len() + 1..whole).and_then(|record| record.strip_suffix('\n')).ok_or_else(odd)?;
        let (key, value) = record.split_once('=').ok_or_else(odd)?;
        match key {
            "path" if name.is_none() => name = Some(value.to_owned()),
            "mtime" | "atime" | "ctime" | "uid" | "gid" | "uname" | "gname" | "comment" => {}
            // a size above all, which only some readers heed
            key => return Err(refused(&format!("an extended head says {key}"))),
        }
        rest = rest.get(whole..).ok_or_else(odd)?;
    }
    Ok(name)
}

/// A text up to the first zero byte; behind it there is nothing else.
fn text(field: &[u8]) -> Result<String, Error> {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    let (text, behind) = field.split_at(end);
    let text = std::str::from_utf8(text).map_err(|_| refused("a name is no UTF-8"))?;
    if behind.iter().any(|byte| *byte != 0) {
        return Err(refused(&format!("bytes stand behind the name {text:?}")));
    }
    Ok(text.to_owned())
}

/// Octal digits, with blanks before and blanks or zero bytes behind.
fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?.trim_matches([' ', '\0']);
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    u64::from_str_radix(text, 8).ok().filter(|_| digits)
}

fn refused(why: &str) -> Error {
    Error::failed(format!("the archive is refused: {why}"))
}
