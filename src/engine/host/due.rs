//! What a call owes before it may run, beside permissions: a reason, a second factor, the approval of others. The rules
//! say what; here it is seen what of it has been fulfilled.
//!
//! A line that comes to a call which others have to approve of goes on for a while without doing anything: calls that
//! change something are passed over, so that one request can name all that have to wait. Deliberately absent: asking for
//! an approval and giving it.

use std::sync::{MutexGuard, PoisonError};

use ecow::EcoString;
use pipit_commands::{Args, Command, Effect, Error, ErrorKind};
use pipit_grammar::rule::{Requirement, Via};

use super::{LineHost, Verdict, World};
use crate::access::Subject;
use crate::access::approval::{self, Frozen};
use crate::access::decide::Decision;
use crate::engine::{elevation, now};
use crate::limits;

/// A call as it is judged.
#[derive(Clone, Copy)]
pub(in super::super) struct Asks<'a> {
    pub(in super::super) command: &'a Command,
    pub(in super::super) args: &'a Args,
    pub(in super::super) via: Option<Via>,
    pub(in super::super) reason: Option<&'a EcoString>,
}

/// What a line has come to owe.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Due {
    /// Every call that takes an approval, given or not.
    pub(in super::super) calls: Vec<Frozen>,
    /// What those approvals are.
    pub(in super::super) requirements: Vec<Requirement>,
    /// When the requester proved who he is, where a rule asked for it.
    pub(in super::super) stepped_up: Option<i64>,
    /// There are more calls than one request may name.
    pub(in super::super) over: bool,
    /// An approval is missing: the line is only looked through any more.
    waits: bool,
    /// Something has been changed that running the line again would change again.
    acted: bool,
}

/// Whether nothing is missing but the approval of others.
pub(super) fn waits_for_others(decision: &Decision) -> bool {
    match decision {
        Decision::Park { obligations, .. } => {
            obligations.iter().all(|due| matches!(due.requirement, Requirement::Approval { .. }))
        }
        Decision::Allow { .. } | Decision::Deny(_) => false,
    }
}

impl LineHost {
    /// The decision with what has been fulfilled taken out of it.
    pub(super) fn settle(&self, world: &World, subject: &Subject, asks: &Asks<'_>, verdict: Verdict) -> Verdict {
        let Decision::Park { by, obligations } = verdict.decision else { return verdict };
        let asked: Vec<Requirement> = obligations.iter().map(|due| due.requirement.clone()).collect();
        let frozen = approval::needs(asked.iter()).first().map(|_| self.freeze(asks));
        let owed: Vec<_> = obligations
            .into_iter()
            .filter(|due| match &due.requirement {
                Requirement::Reason => asks.reason.is_none(),
                Requirement::StepUp { method, within } => !self.stepped_up(subject, *method, *within),
                Requirement::Approval { .. } => {
                    !frozen.as_ref().is_some_and(|frozen| self.is_approved(world, frozen, &due.requirement))
                }
            })
            .collect();
        let decision = if owed.is_empty() { Decision::Allow { by } } else { Decision::Park { by, obligations: owed } };
        if let Some(frozen) = frozen
            && (matches!(decision, Decision::Allow { .. }) || waits_for_others(&decision))
        {
            let mut due = self.due();
            due.waits |= !matches!(decision, Decision::Allow { .. });
            due.requirements.extend(asked);
            if !due.calls.contains(&frozen) {
                due.over |= due.calls.len() == limits::GUARDED;
                due.calls.push(frozen);
                due.calls.truncate(limits::GUARDED);
            }
        }
        // a request is about these arguments
        Verdict { decision, for_all: false, ..verdict }
    }

    fn freeze(&self, asks: &Asks<'_>) -> Frozen {
        let digest = self.engine.digest_of(&asks.command.spec().bundle);
        Frozen::new(asks.command.exact(), digest, asks.args, asks.via, asks.reason.cloned())
    }

    /// Whether the line is run for an approval of this very call by enough persons who still have the role.
    fn is_approved(&self, world: &World, call: &Frozen, requirement: &Requirement) -> bool {
        let Some(release) = self.release.as_ref().filter(|release| release.plan.covers(call)) else { return false };
        let needs = approval::needs(std::iter::once(requirement));
        approval::missing(&needs, &release.voters, &|who, role| world.policy.people().holds(who, role)).is_empty()
    }

    fn stepped_up(
        &self,
        subject: &Subject,
        method: pipit_grammar::rule::StepUp,
        within: Option<pipit_grammar::rule::Within>,
    ) -> bool {
        let proved = match &self.release {
            // it was fresh when the approval was asked for, and that is what was approved
            Some(release) => release.plan.stepped_up,
            None => elevation::proved(self.engine.store(), subject.name(), method, within, now()),
        };
        if proved.is_some() {
            self.due().stepped_up = proved;
        }
        proved.is_some()
    }

    /// Whether the line is only looked through any more, for calls that have to wait.
    pub(in super::super) fn waits(&self) -> bool {
        self.due().waits
    }

    /// What the line has come to owe to others.
    pub(in super::super) fn owes(&self) -> Due {
        self.due().clone()
    }

    /// A call has to wait for others. The line is looked through for more of them, unless it has acted already: it
    /// could not be run again.
    pub(super) fn gather(&self, command: &Command) -> Error {
        let mut due = self.due();
        let exact = command.exact();
        if due.acted {
            due.waits = false;
            return Error::new(
                ErrorKind::Denied,
                format!("{exact} takes an approval, and the line has changed something already, so it cannot wait and run again"),
            )
            .help("ask for it in a line of its own");
        }
        Error::new(ErrorKind::Parked, format!("{exact} waits for an approval"))
    }

    /// A call that is no pure one is about to begin; not when the line is only looked through any more.
    pub(super) fn begins(&self, command: &Command) -> Result<(), Error> {
        self.acts(command.exact(), command.spec().effect == Effect::Unsafe)
    }

    /// Something is about to be posted.
    pub(super) fn posting(&self) -> Result<(), Error> {
        self.acts("the post", true)
    }

    fn acts(&self, what: &str, counts: bool) -> Result<(), Error> {
        let mut due = self.due();
        if due.waits {
            return Err(Error::new(ErrorKind::Parked, format!("{what} waits for what comes before it")));
        }
        due.acted |= counts;
        Ok(())
    }

    fn due(&self) -> MutexGuard<'_, Due> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
