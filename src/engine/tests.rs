//! A shell in a folder of its own, for the tests of the rooms below: asked through the engine, as every way in asks.
#![allow(clippy::unwrap_used, reason = "a test")]

mod bundles;
mod policy;
mod shared;

use std::ops::ControlFlow;

use pipit_commands::ErrorKind;
use pipit_grammar::rule::{Place, Via};

use super::uptime::Uptime;
use super::{Engine, Request};
use crate::access::Identity;
use crate::audit::Audit;
use crate::net::{Net, Reach};
use crate::store::Store;

/// A shell in a folder of its own.
pub(super) struct Site {
    pub(super) engine: Engine,
    dir: tempfile::TempDir,
}

/// What was said and how the line ended.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) end: Option<ErrorKind>,
    pub(super) text: String,
}

impl Site {
    /// With these lines of the operator's.
    pub(super) async fn new(lines: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let site = Self { engine: open(dir.path(), Uptime::default()), dir };
        for line in lines {
            site.operator(line).await;
        }
        site
    }

    /// The same home in another process.
    pub(super) fn again(self) -> Self {
        self.by(Uptime::default())
    }

    /// The same, by a clock of one's own.
    fn by(self, uptime: Uptime) -> Self {
        let Self { engine, dir } = self;
        drop(engine);
        Self { engine: open(dir.path(), uptime), dir }
    }

    pub(super) async fn hears(&self, identity: Identity, line: &str) -> Heard {
        self.hears_in(Place::Room("ops".into()), identity, line).await
    }

    /// In a direct message.
    pub(super) async fn alone(&self, identity: Identity, line: &str) -> Heard {
        self.hears_in(Place::Dm, identity, line).await
    }

    async fn hears_in(&self, place: Place, identity: Identity, line: &str) -> Heard {
        let service = match &identity {
            Identity::Account(_) => "net",
            Identity::Operator | Identity::Named(_) | Identity::Stranger(_) => "shell",
        };
        self.hears_on(service, place, identity, line).await
    }

    /// On a chat service.
    pub(super) async fn hears_on(&self, service: &str, place: Place, identity: Identity, line: &str) -> Heard {
        let request = Request {
            text: line.to_owned(),
            identity,
            service: service.into(),
            place,
            address: None,
            via: Via::Chat,
            cause: None,
            input: None,
            life: None,
            asks: None,
        };
        let mut values = Vec::new();
        let mut show = |batch: Vec<_>| {
            values.extend(batch);
            ControlFlow::Continue(())
        };
        let reply = self.engine.handle(request, &mut show).await;
        let mut text = crate::render::text(&values);
        if let Some(error) = &reply.error {
            text.push_str(&crate::render::error(error, line));
        }
        Heard { end: reply.error.as_ref().map(pipit_commands::Error::kind), text }
    }

    pub(super) async fn says(&self, who: &str, line: &str) -> Heard {
        self.hears(Identity::Named(who.into()), line).await
    }

    pub(super) async fn operator(&self, line: &str) -> String {
        let heard = self.hears(Identity::Operator, line).await;
        assert_eq!(heard.end, None, "{line}: {}", heard.text);
        heard.text
    }
}

fn open(home: &std::path::Path, uptime: Uptime) -> Engine {
    let store = Store::open(home.join("pipit.db")).unwrap();
    let audit = Audit::start(&store, home, &crate::audit::Outside::default()).unwrap();
    let seals = crate::seal::Seals::of(home);
    let net = Net::new(Reach::default());
    Engine::open_by(uptime, home, (store, audit, seals), net, crate::bundle::Sources::default()).unwrap()
}

#[track_caller]
pub(super) fn denied(heard: &Heard, part: &str) {
    assert!(heard.end == Some(ErrorKind::Denied) && heard.text.contains(part), "wanted {part:?}: {heard:?}");
}
