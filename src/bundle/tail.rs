//! The last of what a program says on standard error, for whoever's call fails.
//!
//! What it says stands in chat: without the folders of the home that it runs in, and with every line but the first set in, so
//! that none reads as the shell's own. A program that is kept says it to one after the other, so what it said before a call is cut off before that begins.
//! Deliberately absent: when (`warm.rs`).

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::io::Errno;
use tokio::net::unix::pipe;
use tokio::process::ChildStderr;

use crate::scrub;

/// What is read of it at once, in bytes.
const CHUNK: usize = 4096;
/// The most that is read of what waits when it is cut off, in chunks: more than any pipe holds.
const WAITS: usize = 512;

/// Standard error, and the last that was read of it.
pub(super) struct Tail {
    /// None when it cannot be read.
    pipe: Option<pipe::Receiver>,
    said: Mutex<Vec<u8>>,
    home: PathBuf,
}

impl Tail {
    /// The most that is kept, in bytes.
    const KEPT: usize = 4096;
    /// The most lines that are shown.
    const LINES: usize = 10;

    /// Nothing was said yet. `home` is the shell's, where programs are and run.
    pub(super) fn new(errors: Option<ChildStderr>, home: &Path) -> Self {
        let open = |errors: ChildStderr| pipe::Receiver::from_owned_fd(errors.into_owned_fd()?);
        let pipe = errors.and_then(|errors| {
            open(errors).inspect_err(|error| tracing::warn!(%error, "standard error of a program is not heard")).ok()
        });
        Self { pipe, said: Mutex::default(), home: home.to_owned() }
    }

    /// Reads to the end.
    pub(super) async fn drain(&self) {
        let Some(pipe) = &self.pipe else { return };
        let mut bytes = [0; CHUNK];
        while pipe.readable().await.is_ok() {
            // read and kept in one step, so that nobody cuts between the two
            let mut said = self.lock();
            match pipe.try_read(&mut bytes) {
                Ok(count @ 1..) => {
                    said.extend_from_slice(bytes.get(..count).unwrap_or_default());
                    // beyond what is shown, as much as may be the end of a secret that was cut
                    let over = said.len().saturating_sub(Self::KEPT + scrub::longest());
                    said.drain(..over);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Ok(0) | Err(_) => return,
            }
        }
    }

    /// Forgets what was said until now, also what nobody has read yet; false when the program does not stop saying it.
    pub(super) fn cut(&self) -> bool {
        let mut said = self.lock();
        said.clear();
        let Some(pipe) = &self.pipe else { return true };
        let mut bytes = [0; CHUNK];
        for _ in 0..WAITS {
            match rustix::io::read(pipe, &mut bytes) {
                Ok(1..) | Err(Errno::INTR) => {}
                Ok(0) | Err(_) => return true,
            }
        }
        false
    }

    /// The last lines, without what could steer a terminal.
    pub(super) fn shown(&self) -> String {
        let text = scrub::owned(String::from_utf8_lossy(&self.lock()).into_owned());
        let text = text.get(text.ceil_char_boundary(text.len().saturating_sub(Self::KEPT))..).unwrap_or_default();
        let text: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
        let text = inside(&text, &self.home.to_string_lossy());
        let lines: Vec<&str> = text.trim().lines().collect();
        lines.get(lines.len().saturating_sub(Self::LINES)..).unwrap_or_default().join("\n  ")
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The text with paths in folders of bundles and of runs from there on: where the home is concerns nobody in the room.
fn inside(text: &str, home: &str) -> String {
    let mut text = text.to_owned();
    for (folder, below) in [("runs/dev-", 2), ("bundles/", 1), ("runs/", 1)] {
        let prefix = format!("{home}/{folder}");
        let mut from = 0;
        while let Some(at) = text.get(from..).and_then(|rest| rest.find(&prefix)).map(|at| from + at) {
            let rest = text.get(at + prefix.len()..).unwrap_or_default();
            let path = rest.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'')).unwrap_or(rest.len());
            let slash = rest.get(..path).and_then(|path| path.match_indices('/').nth(below - 1));
            let end = slash.map_or(0, |(slash, _)| at + prefix.len() + slash + 1);
            if end > 0 {
                text.replace_range(at..end, "");
            }
            from = if end > 0 { at } else { at + prefix.len() };
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::inside;

    #[test]
    fn paths_begin_in_the_bundle() {
        for (said, shown) in [
            ("/h/bundles/0a1/p.sh: 3: no", "p.sh: 3: no"),
            ("File \"/h/bundles/0a1/lib/p.py\", /h/bundles/0a1/q.py", "File \"lib/p.py\", q.py"),
            ("/h/runs/7f/out /h/runs/dev-x/0a1/p.sh", "out p.sh"),
            ("/h/bundles/0a1 /other/bundles/0a1/p", "/h/bundles/0a1 /other/bundles/0a1/p"),
            ("/h/bundles/ and /h/bundles//p", "/h/bundles/ and p"),
        ] {
            assert_eq!(inside(said, "/h"), shown);
        }
    }
}
