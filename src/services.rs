//! What programs of Cog's bundles ask of the shell while their line runs: Cog's services, over HTTP on loopback.
//!
//! A token stands for one command of one line, and dies with the line. It opens what is here and nothing else: a memory that
//! goes with the line, and posts, with the rights that whoever typed the line has at that moment. The socket is bound when
//! the first program asks for it. Deliberately absent: running, approving, granting or scheduling anything.

mod asked;
mod listen;
mod memory;
#[cfg(test)]
#[path = "services/tests.rs"]
mod tests;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use async_trait::async_trait;
use ecow::EcoString;
use pipit_commands::{Error, Pass};
use tokio::task::AbortHandle;

use crate::limits;
use memory::Memory;

/// What the services ask of a line.
#[async_trait]
pub(crate) trait Line: Send + Sync {
    /// Posts a text for a command of the line, as far as whoever typed the line may.
    async fn send(&self, command: &str, to: &str, text: &str) -> Result<(), Error>;
}

/// The services of a shell. They listen for as long as this is there.
#[derive(Default)]
pub(crate) struct Services {
    doors: Arc<Doors>,
    listening: Mutex<Option<Listening>>,
}

struct Listening {
    port: u16,
    task: AbortHandle,
}

/// The tokens that open something.
#[derive(Default)]
struct Doors(Mutex<HashMap<String, Asker>>);

/// Who asks: a command of a line.
#[derive(Clone)]
struct Asker {
    command: EcoString,
    shared: Arc<Shared>,
}

/// What the commands of one line share.
struct Shared {
    line: Weak<dyn Line>,
    memory: Mutex<Memory>,
    requests: AtomicUsize,
}

/// The services as one line has them. When this is dropped, its tokens open nothing any more.
pub(crate) struct Session {
    doors: Arc<Doors>,
    port: u16,
    shared: Arc<Shared>,
    /// By the command's exact name.
    tokens: Mutex<HashMap<EcoString, String>>,
}

impl Services {
    /// The services for a line; an error when no socket of loopback can be bound. Within a runtime only.
    pub(crate) fn session(&self, line: Weak<dyn Line>) -> Result<Session, Error> {
        let port = self.listen().map_err(|error| Error::failed(format!("no port of this machine is free: {error}")))?;
        let shared = Arc::new(Shared { line, memory: Mutex::default(), requests: AtomicUsize::new(0) });
        Ok(Session { doors: Arc::clone(&self.doors), port, shared, tokens: Mutex::default() })
    }

    fn listen(&self) -> std::io::Result<u16> {
        let mut listening = locked(&self.listening);
        if let Some(listening) = &*listening {
            return Ok(listening.port);
        }
        let (port, task) = listen::start(Arc::clone(&self.doors))?;
        *listening = Some(Listening { port, task });
        Ok(port)
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        if let Some(listening) = locked(&self.listening).take() {
            listening.task.abort();
        }
    }
}

impl Session {
    /// With what the programs of a command ask, the same for all calls of it.
    pub(crate) fn pass(&self, command: &EcoString) -> Result<Pass, Error> {
        let mut tokens = locked(&self.tokens);
        let token = if let Some(token) = tokens.get(command) {
            token.clone()
        } else {
            let token = chance()?;
            tokens.insert(command.clone(), token.clone());
            let asker = Asker { command: command.clone(), shared: Arc::clone(&self.shared) };
            locked(&self.doors.0).insert(token.clone(), asker);
            token
        };
        Ok(Pass { root: format!("http://127.0.0.1:{}", self.port).into(), token: token.into(), port: self.port })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let mut doors = locked(&self.doors.0);
        for (_, token) in locked(&self.tokens).drain() {
            doors.remove(&token);
        }
    }
}

impl Doors {
    /// Who a token stands for, while its line runs.
    fn asker(&self, token: &str) -> Option<Asker> {
        locked(&self.0).get(token).cloned()
    }
}

impl Asker {
    /// Counts a request; false when the line has made all that it may.
    fn counts(&self) -> bool {
        self.shared.requests.fetch_add(1, Ordering::Relaxed) < limits::SERVICE_REQUESTS
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        locked(&self.shared.memory)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A token that nobody guesses.
fn chance() -> Result<String, Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| Error::failed(format!("there is no chance to be had: {error}")))?;
    Ok(data_encoding::HEXLOWER.encode(&bytes))
}
