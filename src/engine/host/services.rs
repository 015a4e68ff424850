//! What a line lends to the programs of Cog's bundles beside its calls: a memory and posts, by a token that dies with it.

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use pipit_commands::{Command, Error, Pass};
use pipit_grammar::ast::Target;

use super::LineHost;
use crate::engine::serve;
use crate::limits;
use crate::services::{Line, Session};
use crate::{render, scrub};

/// With what the programs of a command reach the services; none where no socket can be had.
pub(super) fn pass(host: &Arc<LineHost>, command: &Command) -> Option<Pass> {
    let line: Weak<dyn Line> = Arc::downgrade(host) as Weak<dyn Line>;
    let open = || host.engine.0.services.session(line).inspect_err(|error| tracing::warn!(%error, "no services"));
    let mut session = host.session();
    if session.is_none() {
        *session = open().ok();
    }
    session.as_ref()?.pass(command.exact()).inspect_err(|error| tracing::warn!(%error, "no services")).ok()
}

impl LineHost {
    /// The services as the line has them, once a program of it has asked.
    fn session(&self) -> std::sync::MutexGuard<'_, Option<Session>> {
        self.session.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The line has ended: what its programs were given opens nothing any more.
    pub(in super::super) fn close_services(&self) {
        *self.session() = None;
    }
}

#[async_trait]
impl Line for LineHost {
    async fn send(&self, command: &str, to: &str, text: &str) -> Result<(), Error> {
        if text.len() > limits::POST {
            return Err(Error::failed(format!("a post has {} KiB at most", limits::POST / 1024)));
        }
        let place = pipit_grammar::parse_place(to);
        let Some(target) = place else { return Err(Error::refused(format!("there is no place {to:?}"))) };
        let target = match target {
            Target::User(name) if name == *self.subject.name() && !self.subject.is_stranger() => Target::Me,
            other => other,
        };
        self.may_post_by(&target, command)?;
        self.posting()?;
        let text = render::plain(&scrub::text(text));
        match target {
            Target::Here | Target::Thread => serve::rooms::post_here(self, &text).await,
            Target::Me | Target::Room(_) | Target::User(_) | Target::Place { .. } => {
                serve::rooms::post(self, &target, &text).await
            }
        }
    }
}
