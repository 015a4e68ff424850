//! Copying a bundle's folder into the home, where it lies under the digest of its content and is never changed.
//!
//! Taken are regular files and folders and nothing else: no links, no devices, no names that are no text; bounded in
//! number, size and depth. Modes become 0755 where somebody may execute, else 0644. A `.git` is left behind. What comes
//! out of an archive is held to the same bounds.

use std::fs::{self, File, Permissions};
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use pipit_commands::Error;
use rustix::fs::{Dir, FileType, Mode, OFlags, fstat, openat};

/// The name of the manifest in the folder.
pub(super) const MANIFEST: &str = "bundle.yaml";
/// Its name in Cog's bundles, where there is no other.
const OF_COG: &str = "config.yaml";

/// The most files and folders.
pub(super) const FILES: usize = 2000;
/// The largest file, in bytes.
pub(super) const FILE: u64 = 16 << 20;
/// The most bytes of all files.
pub(super) const ALL: u64 = 64 << 20;
/// How deep folders may be nested.
pub(super) const DEPTH: usize = 16;
/// The longest name, in bytes.
pub(super) const NAME: usize = 200;

/// A file that was read.
pub(super) struct Taken {
    /// With `/` between the parts, none of which leads elsewhere.
    pub(super) path: String,
    /// Whether somebody may execute it.
    pub(super) executable: bool,
    /// All of it.
    pub(super) content: Vec<u8>,
}

/// A folder as it was read, whole, so that what is checked is what is kept.
pub(super) struct Read {
    files: Vec<Taken>,
}

/// Where the manifest of a folder lies.
pub(crate) fn manifest(folder: &Path) -> PathBuf {
    let [own, of_cog] = [MANIFEST, OF_COG].map(|name| folder.join(name));
    if !own.exists() && of_cog.exists() { of_cog } else { own }
}

/// Reads a folder.
pub(super) fn read(folder: &Path) -> Result<Read, Error> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::open(folder, flags, Mode::empty())
        .map_err(|error| Error::failed(format!("{} cannot be read: {error}", folder.display())))?;
    let mut walk = Walk { files: Vec::new(), seen: 0, bytes: 0 };
    walk.folder(&root, "", 0)?;
    Ok(Read::of(walk.files))
}

struct Walk {
    files: Vec<Taken>,
    seen: usize,
    bytes: u64,
}

impl Walk {
    fn folder(&mut self, folder: &OwnedFd, path: &str, depth: usize) -> Result<(), Error> {
        if depth > DEPTH {
            return Err(Error::failed(format!("{path}: folders are nested deeper than {DEPTH}")));
        }
        let odd = |error: rustix::io::Errno| Error::failed(format!("{path:?} cannot be read: {error}"));
        for entry in Dir::read_from(folder).map_err(odd)? {
            let entry = entry.map_err(odd)?;
            let name = entry.file_name().to_str().map_err(|_| {
                Error::failed(format!("{path:?} holds a name that is no UTF-8: {:?}", entry.file_name()))
            })?;
            if matches!(name, "." | "..") || (depth == 0 && name == ".git") {
                continue;
            }
            let inner = if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
            if name.len() > NAME || name.chars().any(char::is_control) {
                return Err(Error::failed(format!("the name {inner:?} is too long or holds control characters")));
            }
            self.seen += 1;
            if self.seen > FILES {
                return Err(Error::failed(format!("a bundle has at most {FILES} files")));
            }
            self.entry(folder, name, inner, depth)?;
        }
        Ok(())
    }

    fn entry(&mut self, folder: &OwnedFd, name: &str, path: String, depth: usize) -> Result<(), Error> {
        // never through a link, and never waiting for somebody at the other end of a pipe
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = openat(folder, name, flags, Mode::empty()).map_err(|error| match error {
            rustix::io::Errno::LOOP => {
                Error::failed(format!("{path} is a link; a bundle holds files and folders only"))
            }
            error => Error::failed(format!("{path} cannot be read: {error}")),
        })?;
        let about = fstat(&opened).map_err(|error| Error::failed(format!("{path} cannot be read: {error}")))?;
        match FileType::from_raw_mode(about.st_mode) {
            FileType::Directory => self.folder(&opened, &path, depth + 1),
            FileType::RegularFile => self.file(opened, path, about.st_mode & 0o111 != 0),
            _ => Err(Error::failed(format!("{path} is neither a file nor a folder"))),
        }
    }

    fn file(&mut self, opened: OwnedFd, path: String, executable: bool) -> Result<(), Error> {
        let mut content = Vec::new();
        let read = File::from(opened).take(FILE + 1).read_to_end(&mut content);
        let read = read.map_err(|error| Error::failed(format!("{path} cannot be read: {error}")))?;
        if read as u64 > FILE {
            return Err(Error::failed(format!("{path} is larger than {} MiB", FILE >> 20)));
        }
        self.bytes += read as u64;
        if self.bytes > ALL {
            return Err(Error::failed(format!("the files of a bundle are {} MiB at most", ALL >> 20)));
        }
        self.files.push(Taken { path, executable, content });
        Ok(())
    }
}

impl Read {
    /// Files that were read somewhere.
    pub(super) fn of(mut files: Vec<Taken>) -> Self {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Self { files }
    }

    /// The manifest: its name and content.
    pub(super) fn manifest(&self) -> Option<(&'static str, &[u8])> {
        [MANIFEST, OF_COG].into_iter().find_map(|name| Some((name, self.content(name)?)))
    }

    /// The content of a file.
    pub(super) fn content(&self, path: &str) -> Option<&[u8]> {
        self.files.iter().find(|file| file.path == path).map(|file| file.content.as_slice())
    }

    /// Whether a file is there, and may be executed.
    pub(super) fn executable(&self, path: &str) -> Option<bool> {
        self.files.iter().find(|file| file.path == path).map(|file| file.executable)
    }

    /// The digest over all paths, modes and contents, in hexadecimal.
    pub(super) fn digest(&self) -> String {
        let mut hash = blake3::Hasher::new_derive_key("pipit bundle folder 1");
        for file in &self.files {
            // lengths first, so that no two folders make the same bytes
            hash.update(&(file.path.len() as u64).to_le_bytes());
            hash.update(file.path.as_bytes());
            hash.update(&[u8::from(file.executable)]);
            hash.update(&(file.content.len() as u64).to_le_bytes());
            hash.update(&file.content);
        }
        hash.finalize().to_hex().to_string()
    }

    /// Writes the folder under its digest, if it is not there yet.
    pub(super) fn keep(&self, bundles: &Path, digest: &str) -> Result<(), Error> {
        let place = bundles.join(digest);
        if place.is_dir() {
            return Ok(());
        }
        let odd = |error: std::io::Error| {
            Error::failed(format!("the bundle cannot be kept in {}: {error}", bundles.display()))
        };
        fs::create_dir_all(bundles).map_err(odd)?;
        let new = bundles.join(format!(".new-{}-{digest}", std::process::id()));
        let written = self.write(&new).and_then(|()| fs::rename(&new, &place));
        if let Err(error) = written {
            let _ = fs::remove_dir_all(&new);
            // somebody else was faster with the same content
            return if place.is_dir() { Ok(()) } else { Err(odd(error)) };
        }
        let _ = File::open(bundles).and_then(|folder| folder.sync_all());
        Ok(())
    }

    fn write(&self, new: &Path) -> std::io::Result<()> {
        let _ = fs::remove_dir_all(new);
        fs::create_dir(new)?;
        for file in &self.files {
            let path = new.join(&file.path);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            let mut written = File::create_new(&path)?;
            written.write_all(&file.content)?;
            written.set_permissions(Permissions::from_mode(if file.executable { 0o755 } else { 0o644 }))?;
            written.sync_all()?;
        }
        // folders last: they have to be writable until then
        for folder in self.files.iter().flat_map(|file| Path::new(&file.path).ancestors().skip(1)) {
            fs::set_permissions(new.join(folder), Permissions::from_mode(0o755))?;
        }
        Ok(())
    }
}
