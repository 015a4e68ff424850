//! Whether somebody said a command with his own hand. What gives rights to others or speaks for a person must not be put in
//! his mouth: by an alias that another made, by a value, by a line of before, by backticks in the midst of talk.

use pipit_commands::{Error, ErrorKind, Hand};
use pipit_grammar::rule::Via;

use super::LineHost;
use crate::access::Verdict;
use crate::access::decide::{Decision, Denial};
use crate::engine::plan::{Plan, Stage, Stated, What};

impl LineHost {
    /// Refuses a command that has to be said by hand and is not.
    pub(super) fn by_hand(&self, plan: &Plan, stage: &Stage, stated: &Stated) -> Result<(), Error> {
        let hand = stated.command.spec().hand;
        let typed = stated.via.is_none() && self.context.via == Via::Chat && !self.in_talk;
        let fits = match hand {
            Hand::Any => true,
            Hand::Typed => typed,
            Hand::Alone => typed && !self.standard_input && is_alone(plan, stage),
        };
        if fits {
            return Ok(());
        }
        let command = &stated.command;
        let decision = Decision::Deny(Denial::NoRule);
        let rule = "it is said by hand only".to_owned();
        self.write(command, stated.known.as_ref(), &Verdict { decision, rule, for_all: false });
        let name = command.spec().shown();
        Err(match hand {
            Hand::Any | Hand::Typed => Error::new(
                ErrorKind::Denied,
                format!("{name} is typed by hand: it comes by no alias, and not out of a line that is run again"),
            ),
            Hand::Alone => Error::new(
                ErrorKind::Denied,
                format!(
                    "{name} is typed by hand, alone in its line: no alias, pipe, block, value or line that is run again"
                ),
            ),
        })
    }
}

/// Whether a line is this stage and nothing else, with every word as it is.
fn is_alone(plan: &Plan, stage: &Stage) -> bool {
    let [(None, only)] = plan.pipelines.as_slice() else { return false };
    let [first] = only.stages.as_slice() else { return false };
    let literal = match &first.run {
        What::Command(stated) => stated.known.is_some() && !stated.fills,
        What::Alias(..) => false,
    };
    std::ptr::eq(first.as_ref(), stage) && only.redirect.is_none() && literal
}
