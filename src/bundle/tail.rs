//! The last of what a program says on standard error, for whoever's call fails.
//!
//! A program that is kept says it to one after the other, so what it said before a call is cut off before that begins.
//! Deliberately absent: when (`warm.rs`).

use std::io;
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
}

impl Tail {
    /// The most that is kept, in bytes.
    const KEPT: usize = 4096;
    /// The most lines that are shown.
    const LINES: usize = 10;

    /// Nothing was said yet.
    pub(super) fn new(errors: Option<ChildStderr>) -> Self {
        let open = |errors: ChildStderr| pipe::Receiver::from_owned_fd(errors.into_owned_fd()?);
        let pipe = errors.and_then(|errors| {
            open(errors).inspect_err(|error| tracing::warn!(%error, "standard error of a program is not heard")).ok()
        });
        Self { pipe, said: Mutex::default() }
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
        let lines: Vec<&str> = text.trim().lines().collect();
        lines.get(lines.len().saturating_sub(Self::LINES)..).unwrap_or_default().join("\n")
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
