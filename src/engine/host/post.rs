//! Posts that leave the room of their line: who may make them, how many, and that they are written down.

use std::sync::atomic::Ordering;

use ecow::EcoString;
use pipit_commands::{Error, ErrorKind, Labels, Record, Value};
use pipit_grammar::ast::Target;

use super::LineHost;
use crate::access::Subject;
use crate::engine::{now, serve};
use crate::{audit, limits};

impl LineHost {
    /// Takes a post from those that the line may make.
    pub(in super::super) fn spend_post(&self) -> Result<(), Error> {
        if self.posts.fetch_add(1, Ordering::Relaxed) < limits::POSTS {
            return Ok(());
        }
        Err(Error::failed(format!("a line makes {} posts at most", limits::POSTS))
            .help("gather what is to be said, and post it once"))
    }

    /// How many posts the line has made.
    pub(in super::super) fn posts(&self) -> usize {
        self.posts.load(Ordering::Relaxed)
    }

    /// Whether the caller may post there, there is such a place, and it is one for values with these labels.
    pub(super) fn may_post(&self, target: &Target, labels: &Labels) -> Result<(), Error> {
        if takes_no_right(target) {
            return Ok(());
        }
        self.judge_post(&self.subject, target, None)?;
        self.suits(target, labels, None)
    }

    /// Decides about a post by the rights as they are now: a line may have waited long since it began. Written down
    /// each time, for a redirect may stand in an alias that is gone when the log is read.
    pub(in super::super) fn may_post_now(&self, target: &Target) -> Result<(), Error> {
        let subject = self.engine.world()?.policy.subject(&self.identity)?;
        self.judge_post(&subject, target, None)?;
        self.write_post(target, None, true);
        Ok(())
    }

    /// The same for a program of a command, which is written down too.
    pub(super) fn may_post_by(&self, target: &Target, command: &str) -> Result<(), Error> {
        let subject = self.engine.world()?.policy.subject(&self.identity)?;
        self.judge_post(&subject, target, Some(command))?;
        let bundle = command.split(':').next().unwrap_or_default();
        self.suits(target, &Labels::one(format!("bundle:{bundle}")), Some(command))?;
        self.write_post(target, Some(command), true);
        Ok(())
    }

    fn judge_post(&self, subject: &Subject, target: &Target, by: Option<&str>) -> Result<(), Error> {
        if takes_no_right(target) || subject.has("room:post") {
            return Ok(());
        }
        self.write_post(target, by, false);
        let name = subject.name();
        Err(Error::new(ErrorKind::Denied, format!("{name} may not post to {target}: it takes room:post")))
    }

    /// Refuses a place that is not there, or that values with these labels are not for.
    pub(in super::super) fn suits(&self, target: &Target, labels: &Labels, by: Option<&str>) -> Result<(), Error> {
        if serve::rooms::audience(self, target)?.takes(labels) {
            return Ok(());
        }
        self.write_post(target, by, false);
        let labels: Vec<&str> = labels.iter().map(EcoString::as_str).collect();
        let message =
            format!("{target} is shared with others, who are not shown what comes from {}", labels.join(", "));
        Err(Error::new(ErrorKind::Denied, message).help("say there what they are to know"))
    }

    fn write_post(&self, target: &Target, by: Option<&str>, allowed: bool) {
        let args = match by {
            None => Value::from(target.to_string()),
            Some(by) => [("to", target.to_string()), ("by", by.to_owned())].into_iter().collect::<Record>().into(),
        };
        self.trail.verdict(&audit::Verdict {
            at: now(),
            command: "room:post",
            args: &args.to_json(),
            allowed,
            rule: if takes_no_right(target) { "" } else { "must have room:post" },
        });
    }
}

/// Whether a post goes to nobody but those who see the line, or the caller.
fn takes_no_right(target: &Target) -> bool {
    match target {
        Target::Here | Target::Me | Target::Thread => true,
        Target::Room(_) | Target::User(_) | Target::Place { .. } => false,
    }
}
