//! Who may run a line: the decision for everybody, one set of rights at a time.
//!
//! Deliberately absent: whether the one who asks may know.

use std::collections::{BTreeSet, HashMap};

use ecow::EcoString;
use pipit_commands::{Args, Command};

use super::decide::Decision;
use super::{Context, Identity, Policy, Subject};

/// A call of a line; without arguments those that are not known before it runs.
pub(crate) struct Part<'a> {
    pub(crate) command: &'a Command,
    pub(crate) args: Option<&'a Args>,
    pub(crate) context: Context,
}

/// What somebody may of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum May {
    /// All of it.
    Yes,
    /// All of it, once this is fulfilled.
    Waits(BTreeSet<String>),
    /// Perhaps: it depends on values that come out of the run.
    Depends,
    /// Not all of it, and why.
    No(String),
}

impl Policy {
    /// What somebody may of a line, judged call by call as it is when it runs.
    pub(crate) fn may(&self, subject: &Subject, parts: &[Part<'_>]) -> May {
        let (mut due, mut open) = (BTreeSet::new(), false);
        for part in parts {
            let decision = if let Some(args) = part.args {
                self.judge(subject, part.command, args, &part.context).decision
            } else if let Some(verdict) = self.foresee(subject, part.command, &part.context) {
                verdict.decision
            } else {
                open |= !super::decide::unconditional(self.rules_of(part.command.exact()));
                continue;
            };
            match &decision {
                Decision::Allow { .. } => {}
                Decision::Park { obligations, .. } => {
                    due.extend(obligations.iter().map(|due| due.requirement.to_string()));
                }
                Decision::Deny(denial) => {
                    return May::No(format!("{}: {}", part.command.exact(), super::explain::grounds(denial)));
                }
            }
        }
        match (due.is_empty(), open) {
            (true, false) => May::Yes,
            (false, _) => May::Waits(due),
            (true, true) => May::Depends,
        }
    }

    /// What every user may of a line, by name. People with the same rights are judged once.
    pub(crate) fn who_can(&self, parts: &[Part<'_>]) -> Vec<(EcoString, May)> {
        let mut judged: HashMap<Vec<EcoString>, May> = HashMap::new();
        let users = self.people().users.keys().filter_map(|name| {
            let subject = self.subject(&Identity::Named(name.clone())).ok()?;
            let may = judged.entry(subject.permissions()).or_insert_with(|| self.may(&subject, parts)).clone();
            Some((name.clone(), may))
        });
        users.collect()
    }
}
