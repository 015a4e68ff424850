//! Running a line that others have approved of: as its requester's, in the requester's place, once.

use std::ops::ControlFlow;
use std::time::Duration;

use ecow::EcoString;
use pipit_commands::Error;
use tokio::sync::watch;

use super::{Engine, Kept, now, unavailable};
use crate::access::approval::{Parked, Plan, State};
use crate::engine::room::SHELL;
use crate::engine::{Address, Life, Request};
use crate::limits;

/// How often a serving process looks for what another one has left to it.
const LOOK: Duration = Duration::from_secs(1);

/// What a line is run for.
#[derive(Debug)]
pub(in super::super) struct Release {
    /// The request's id.
    id: String,
    /// What was approved.
    pub(in super::super) plan: Plan,
    /// By whom.
    pub(in super::super) voters: Vec<EcoString>,
}

impl Release {
    /// What made the line run, for the log.
    pub(in super::super) fn cause(&self) -> String {
        format!("request {} approved by {}", self.id, self.voters.join(", "))
    }
}

/// Whether this process can answer where the request was made.
pub(super) fn reaches(engine: &Engine, service: &str) -> bool {
    let outlet = engine.0.outlet.get();
    service == SHELL || outlet.is_some_and(|outlet| outlet.services().iter().any(|(name, _)| name == service))
}

/// Runs the line of a request that nobody else can run any more, and answers the requester. What comes back is for
/// whoever approved last: that it ran and how it ended, not what came out.
pub(super) async fn release(engine: Engine, kept: Kept, voters: Vec<EcoString>) -> Result<String, Error> {
    // in a task of its own: it goes on when whoever approved stops waiting
    tokio::spawn(async move { run(&engine, kept, voters).await }).await.map_err(unavailable)
}

async fn run(engine: &Engine, kept: Kept, voters: Vec<EcoString>) -> String {
    let Parked { plan, asker, .. } = kept.parked.clone();
    let (told, lives) = watch::channel(Life::default());
    let request = Request {
        text: plan.line.clone(),
        identity: plan.who.identity(),
        service: plan.service.clone(),
        place: plan.place(),
        address: asker
            .filter(|asker| asker.process == engine.0.process)
            .map(|asker| Address { name: asker.name, heard: asker.heard }),
        via: pipit_grammar::rule::Via::Chat,
        cause: None,
        input: None,
        life: Some(told),
        asks: None,
    };
    let by = voters.join(", ");
    let head = format!("{}'s {} was approved of by {by}", plan.who.name, plan.line);
    let release = std::sync::Arc::new(Release { id: kept.id.clone(), plan, voters });
    let mut values = Vec::new();
    let mut show = |batch: Vec<_>| {
        values.extend(batch);
        if values.len() < limits::KEPT_VALUES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let reply = engine.handle_released(request, Some(release), &mut show).await;
    let line = lives.borrow().id.clone().unwrap_or_default();
    let how = match &reply.error {
        Some(error) => format!("it ended with: {error}"),
        None => "it went well".to_owned(),
    };
    let said = super::deliver::text(&values, &reply, &kept.parked.plan.line);
    super::deliver::answer(engine, &kept.parked, &head, &said).await;
    if let Some(receipt) = reply.receipt
        && let Err(error) = receipt.durable().await
    {
        tracing::warn!(%error, "the end of a released line is not on the disk");
    }
    format!("{} is approved of and ran as {line}; {how}", kept.id)
}

/// Says something about a request where it was made, if that can be reached.
pub(super) async fn tell(engine: &Engine, parked: &Parked, text: &str) {
    super::deliver::answer(engine, parked, text, "").await;
}

impl Engine {
    /// Does what other processes have left to one that reaches the chat services: runs what was approved of, and says
    /// notices. Ends never.
    pub(crate) async fn take_over(&self) {
        let mut seen = None;
        loop {
            tokio::time::sleep(LOOK).await;
            let version = self.0.store.version().ok();
            if version == seen {
                continue;
            }
            seen = version;
            self.say_waiting().await;
            for kept in self.requests().unwrap_or_default() {
                let plan = &kept.parked.plan;
                if kept.parked.state != State::Approved || !reaches(self, &plan.service) {
                    continue;
                }
                let state = if now() < plan.until { State::Released } else { State::Void { why: "it expired".into() } };
                // whoever makes this change is the one who runs it
                if self.0.store.apply(vec![kept.becomes(state.clone())]).await.is_ok() && state == State::Released {
                    let voters = self.voters(&kept.id).unwrap_or_default();
                    if let Err(error) = release(self.clone(), kept, voters).await {
                        tracing::warn!(%error, "an approved line did not run");
                    }
                }
            }
        }
    }
}
