//! The files of an isolated program: a root of its own in memory, with what its fence lets it read and write in the usual
//! places and nothing else there at all; a new `/proc`, and folders in memory for what it writes.
//!
//! Deliberately absent: who may do what there (`fence.rs` holds it to that too).

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, symlink};
use std::path::{Component, Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use rustix::fs::StatVfsMountFlags;

use super::fence::{Fence, opened};

/// Where everybody writes what is not to last.
pub(super) const TEMPORARY: &str = "/tmp";
/// Other names of the same.
const ALSO_TEMPORARY: [&str; 2] = ["/var/tmp", "/dev/shm"];
/// What the folders in memory hold at most: the private one, `/tmp`, and the root, which holds none but places for others.
const SIZES: [&str; 3] =
    ["size=256m,nr_inodes=16k,mode=0700", "size=64m,nr_inodes=16k,mode=1777", "size=4m,nr_inodes=8k,mode=0755"];
/// How many links are followed to one place.
const LINKS: usize = 40;

/// Builds the root and moves into it. The current folder becomes the private one, empty and in memory. Says what it is
/// that this machine does not let a user do.
pub(super) fn furnish(fence: &Fence) -> Result<(), String> {
    let own = std::env::current_dir().map_err(|error| format!("the private folder: {error}"))?;
    let [private, temporary, root] = SIZES;
    // what happens to mounts in here stays in here
    step("mounts of its own", mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE))?;
    let mut layout = Layout { root: own.clone(), placed: Vec::new() };
    step("a root of its own", in_memory(&own, root))?;
    layout.folder_in_memory(Path::new(TEMPORARY), temporary)?;
    for place in fence.read.iter().chain(&fence.devices) {
        layout.place(place)?;
    }
    for place in &fence.write {
        let written = fence.written(place)?;
        if !layout.has(place, Access::Write) {
            let bound = layout.bind(place.clone(), &opened(&written.file), Access::Write);
            bound.map_err(|error| unplaced(place, &error))?;
        }
    }
    for name in ALSO_TEMPORARY {
        let at = layout.inside(Path::new(name));
        let made = at.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| symlink(TEMPORARY, &at));
        // a path of `needs.write` stays what it is
        if let Err(error) = made
            && error.kind() != io::ErrorKind::AlreadyExists
        {
            return Err(format!("{name}: {error}"));
        }
    }
    layout.folder_in_memory(&own, private)?;
    let processes = layout.inside(Path::new("/proc"));
    fs::create_dir_all(&processes).map_err(|error| format!("/proc: {error}"))?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    step("a /proc of its own", mount(Some("proc"), &processes, Some("proc"), flags, NONE))?;
    layout.enter(&own)
}

const NONE: Option<&str> = None;

fn unplaced(path: &Path, error: &io::Error) -> String {
    format!("{}, which cannot be put in its root: {error}", path.display())
}

fn step(what: &str, done: nix::Result<()>) -> Result<(), String> {
    done.map_err(|error| format!("{what}, which this machine does not let its user have: {error}"))
}

fn in_memory(at: &Path, size: &str) -> nix::Result<()> {
    mount(Some("tmpfs"), at, Some("tmpfs"), MsFlags::MS_NOSUID | MsFlags::MS_NODEV, Some(size))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

struct Layout {
    /// Where the new root is for now.
    root: PathBuf,
    /// The places of the machine that are in it.
    placed: Vec<(PathBuf, Access)>,
}

impl Layout {
    fn inside(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    fn folder_in_memory(&self, path: &Path, size: &str) -> Result<(), String> {
        let at = self.inside(path);
        fs::create_dir_all(&at).map_err(|error| format!("{}: {error}", path.display()))?;
        step("folders in memory", in_memory(&at, size))
    }

    /// Puts a file or folder of the machine where it is outside, and the links on the way there. What is not there is
    /// left out, as is what the new `/proc` brings.
    fn place(&mut self, path: &Path) -> Result<(), String> {
        if path.starts_with("/proc") {
            return Ok(());
        }
        match self.follow(path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(unplaced(path, &error)),
        }
    }

    fn follow(&mut self, path: &Path) -> io::Result<()> {
        let mut rest: Vec<PathBuf> = vec![path.to_owned()];
        let mut at = PathBuf::from("/");
        let mut links = 0;
        while let Some(next) = rest.pop() {
            let mut parts = next.components();
            let Some(part) = parts.next() else { continue };
            if !parts.as_path().as_os_str().is_empty() {
                rest.push(parts.as_path().to_owned());
            }
            match part {
                Component::RootDir => at = PathBuf::from("/"),
                Component::ParentDir => drop(at.pop()),
                Component::CurDir | Component::Prefix(_) => {}
                Component::Normal(name) => {
                    let link = at.join(name);
                    if fs::symlink_metadata(&link)?.is_symlink() {
                        links += 1;
                        if links > LINKS {
                            return Err(io::Error::other("there are too many links on the way"));
                        }
                        let target = fs::read_link(&link)?;
                        if !self.has(&link, Access::Read) {
                            self.link(&link, &target)?;
                        }
                        rest.push(target);
                    } else {
                        at = link;
                    }
                }
            }
        }
        if self.has(&at, Access::Read) { Ok(()) } else { self.bind(at.clone(), &at, Access::Read) }
    }

    /// Whether a place is there already, in another one.
    fn has(&self, path: &Path, access: Access) -> bool {
        self.placed
            .iter()
            .any(|(placed, as_what)| path.starts_with(placed) && (access == Access::Read || *as_what == Access::Write))
    }

    fn link(&self, at: &Path, target: &Path) -> io::Result<()> {
        let at = self.inside(at);
        if let Some(folder) = at.parent() {
            fs::create_dir_all(folder)?;
        }
        match symlink(target, at) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Puts what is at `from` where `path` says.
    fn bind(&mut self, path: PathBuf, from: &Path, access: Access) -> io::Result<()> {
        let at = self.inside(&path);
        let about = fs::metadata(from)?;
        if about.is_dir() {
            fs::create_dir_all(&at)?;
        } else if !at.exists() {
            at.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::File::create(&at)?;
        }
        mount(Some(from), &at, NONE, MsFlags::MS_BIND | MsFlags::MS_REC, NONE)?;
        let device = about.file_type().is_char_device();
        if access == Access::Read && !device {
            // a mount that came from outside keeps what it was made without
            let kept = rustix::fs::statvfs(&at)?.f_flag;
            let mut flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY | MsFlags::MS_NOSUID;
            for (has, flag) in
                [(StatVfsMountFlags::NODEV, MsFlags::MS_NODEV), (StatVfsMountFlags::NOEXEC, MsFlags::MS_NOEXEC)]
            {
                if kept.contains(has) {
                    flags |= flag;
                }
            }
            mount(NONE, &at, NONE, flags, NONE)?;
        }
        self.placed.push((path, access));
        Ok(())
    }

    /// Makes it the root, and lets go of what was.
    fn enter(self, own: &Path) -> Result<(), String> {
        let moved = || -> nix::Result<()> {
            nix::unistd::chdir(&self.root)?;
            nix::unistd::pivot_root(".", ".")?;
            umount2(".", MntFlags::MNT_DETACH)?;
            let flags =
                MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
            mount(NONE, "/", NONE, flags, NONE)?;
            nix::unistd::chdir(own)
        };
        step("the way into its own root", moved())
    }
}
