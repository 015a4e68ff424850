//! Taking away a folder in which a program of a bundle wrote what it liked: folders nested deeper than there are descriptors,
//! folders that nobody may look into, links to anywhere.
//!
//! Nothing is called by a path that a program made: each folder is opened from the one above and links are never followed.
//! A folder within one of those in the outermost is moved out into it first, so that the depth never grows. Deliberately
//! absent: ending whoever still writes there (`sweep.rs`).

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags, chmod, openat, renameat, unlinkat};
use rustix::io::Errno;

/// How long it goes on at most. What is left is taken away when a shell starts a day later.
const LONGEST: Duration = Duration::from_mins(1);

/// Takes a folder away with all that is in it. Blocks, at most [`LONGEST`].
pub(super) fn remove(folder: &Path) -> io::Result<()> {
    // nearly always it is empty
    match rustix::fs::rmdir(folder) {
        Ok(()) => return Ok(()),
        Err(Errno::NOTEMPTY | Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    let top = enter(CWD, folder)?;
    let mut away = Away { top: &top, number: 0, end: Instant::now() + LONGEST };
    // what was moved out comes in another round
    while away.empty(&top, Depth::Outermost)? {}
    Ok(rustix::fs::rmdir(folder)?)
}

/// Whether it is empty already, and taken away then; the look of a moment.
pub(super) fn remove_empty(folder: &Path) -> bool {
    rustix::fs::rmdir(folder).is_ok()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    Outermost,
    Below,
}

struct Away<'a> {
    top: &'a OwnedFd,
    /// The name of the next that is moved out.
    number: u64,
    end: Instant,
}

impl Away<'_> {
    /// Takes away what is in a folder, and moves out what has to wait; whether there was anything.
    fn empty(&mut self, folder: &OwnedFd, depth: Depth) -> io::Result<bool> {
        let mut found = false;
        for entry in Dir::read_from(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            found = true;
            if Instant::now() > self.end {
                return Err(io::ErrorKind::TimedOut.into());
            }
            match unlinkat(folder, name, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => continue,
                // what a folder says, and a file where nothing may be written
                Err(Errno::ISDIR | Errno::PERM) => {}
                Err(error) => return Err(error.into()),
            }
            let inner = enter(folder.as_fd(), name)?;
            match depth {
                Depth::Outermost => {
                    self.empty(&inner, Depth::Below)?;
                    match unlinkat(folder, name, AtFlags::REMOVEDIR) {
                        // what a look missed while things went is seen in the next round
                        Ok(()) | Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOENT) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                Depth::Below => self.move_out(folder, name)?,
            }
        }
        Ok(found)
    }

    /// Moves a folder into the outermost one, under a name that nothing else has there.
    fn move_out(&mut self, folder: &OwnedFd, name: &CStr) -> io::Result<()> {
        loop {
            let new = CString::new(format!("{:x}", self.number)).map_err(io::Error::other)?;
            self.number += 1;
            match renameat(folder, name, self.top, &new) {
                Ok(()) => return Ok(()),
                // a program chose that name before
                Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR) if Instant::now() < self.end => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Opens a folder, whatever it was closed to; never what a link leads to.
fn enter(within: BorrowedFd<'_>, name: impl rustix::path::Arg) -> io::Result<OwnedFd> {
    let held =
        openat(within, name, OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    chmod(format!("/proc/self/fd/{}", held.as_raw_fd()), Mode::RWXU)?;
    Ok(openat(&held, c".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test")]

    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn whatever_a_program_made_goes() {
        let temporary = tempfile::tempdir().unwrap();
        let (folder, beside) = (temporary.path().join("run"), temporary.path().join("beside"));
        fs::create_dir_all(folder.join("a/b/0")).unwrap();
        fs::create_dir_all(folder.join("c/0/0")).unwrap();
        // names that things moved out would have
        fs::write(folder.join("0"), "x").unwrap();
        fs::create_dir_all(folder.join("1/1")).unwrap();
        fs::create_dir(&beside).unwrap();
        fs::write(beside.join("kept"), "x").unwrap();
        symlink(&beside, folder.join("a/b/link")).unwrap();
        let mut at = rustix::fs::open(&folder, OFlags::PATH, Mode::empty()).unwrap();
        for _ in 0..5000 {
            rustix::fs::mkdirat(&at, c"2", Mode::RWXU).unwrap();
            at = openat(&at, c"2", OFlags::PATH, Mode::empty()).unwrap();
        }
        for shut in ["a/b", "a", "."] {
            fs::set_permissions(folder.join(shut), fs::Permissions::from_mode(0o0)).unwrap();
        }
        fs::set_permissions(&beside, fs::Permissions::from_mode(0o751)).unwrap();
        remove(&folder).unwrap();
        assert!(!folder.exists() && beside.join("kept").exists());
        assert_eq!(fs::metadata(&beside).unwrap().permissions().mode() & 0o777, 0o751);
        // what is no folder is not touched
        symlink(&beside, &folder).unwrap();
        remove(&folder).unwrap_err();
        assert!(beside.join("kept").exists());
    }
}
