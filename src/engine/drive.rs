//! A line while it runs: in the list of those that run, pulled to its end, stopped when somebody or the clock says so.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ecow::EcoString;
use pipit_commands::{Batch, Error, ErrorKind, Stream, Value, Verb};
use pipit_grammar::ast::Stage;
use tokio::sync::oneshot;

use super::plan::Plan;
use super::{Beside, Engine};
use crate::access::Identity;
use crate::audit::Status;
use crate::limits;

/// A line that runs.
pub(super) struct Running {
    pub(super) who: EcoString,
    /// The chat service it came by.
    pub(super) service: EcoString,
    pub(super) room: EcoString,
    pub(super) text: String,
    pub(super) since: i64,
    /// How many values it has given.
    pub(super) shown: Arc<AtomicU64>,
    pub(super) kill: oneshot::Sender<EcoString>,
}

/// Whether a line, as it is typed, does nothing but look at the lines that run (`ps`) or stop one (`kill`).
pub(crate) fn looks(line: &str) -> bool {
    let looks = |stage: &Stage| matches!(stage.name.text.as_str(), "ps" | "kill");
    pipit_grammar::parse(line).is_ok_and(|line| line.rest.is_empty() && line.first.stages.iter().all(looks))
}

/// Pulls a line's stream to its end. `clean` takes out of its values what may not be shown.
pub(super) async fn drive(
    clean: fn(&mut [Value]),
    mut stream: Stream,
    mut killed: oneshot::Receiver<EcoString>,
    show: &mut (dyn FnMut(Batch) -> ControlFlow<()> + Send),
    beside: &mut Beside,
) -> Result<(), Error> {
    let timeout = tokio::time::sleep(limits::LINE_TIME);
    tokio::pin!(timeout);
    loop {
        let batch = tokio::select! {
            biased;
            // what stops a line comes first, or a stream that always has something would never be stopped
            by = &mut killed => {
                let by = by.unwrap_or_default();
                return Err(Error::failed(format!("stopped by {by}")));
            }
            () = &mut timeout => {
                let minutes = limits::LINE_TIME.as_secs() / 60;
                return Err(Error::failed(format!("stopped after {minutes} minutes, which is as long as a line may run")));
            }
            batch = stream.next() => batch,
        };
        let Some(batch) = batch else { return Ok(()) };
        let mut batch = batch?;
        clean(&mut batch);
        beside.values.fetch_add(batch.len() as u64, Ordering::Relaxed);
        if show(batch).is_break() {
            return Ok(());
        }
    }
}

/// What a line is held to by what runs already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bounds {
    /// Nothing: it looks at what runs or stops it, which is how the other bounds are got out of.
    Nothing,
    /// What all lines may be: the operator's lines, and those whose turn others have approved of.
    Node,
    /// The same, and what one person and one room may have.
    All,
}

impl Bounds {
    /// The bounds of a line of somebody's.
    pub(super) fn of(identity: &Identity, approved: bool, plan: &Plan) -> Self {
        let mut looks = true;
        plan.each_command(&mut |_, stated| looks &= matches!(stated.command.verb(), Some(Verb::Ps | Verb::Kill)));
        if looks {
            Self::Nothing
        } else if approved || *identity == Identity::Operator {
            Self::Node
        } else {
            Self::All
        }
    }

    /// Refuses one more line beside those that run.
    fn check(self, lines: &BTreeMap<String, Running>, new: &Running) -> Result<(), Error> {
        let (node, shares) = match self {
            Self::Nothing => (false, false),
            Self::Node => (true, false),
            Self::All => (true, true),
        };
        if node && lines.len() >= limits::RUNNING {
            return Err(Error::refused(format!("{} lines run already, and that is all there can be", limits::RUNNING))
                .help("ps shows yours, and kill ID stops one; else try again when others have ended"));
        }
        if !shares {
            return Ok(());
        }
        if lines.values().filter(|line| line.who == new.who).count() >= limits::RUNNING_USER {
            return Err(Error::refused(format!("{} of your lines run already", limits::RUNNING_USER))
                .help("ps shows them, and kill ID stops one"));
        }
        let here = |line: &&Running| line.room == new.room && line.service == new.service;
        if !new.room.is_empty() && lines.values().filter(here).count() >= limits::RUNNING_ROOM {
            return Err(Error::refused(format!("{} lines of this room run already", limits::RUNNING_ROOM))
                .help("ps shows yours, and kill ID stops one; else try again when others have ended"));
        }
        Ok(())
    }
}

/// A line in the list of those that run; it leaves the list when this is dropped.
pub(super) struct Listed<'e>(&'e Engine, String);

impl<'e> Listed<'e> {
    /// Lists a line; an error when it is one too many.
    pub(super) fn new(engine: &'e Engine, id: String, running: Running, bounds: Bounds) -> Result<Self, Error> {
        let mut lines = engine.running();
        bounds.check(&lines, &running)?;
        lines.insert(id.clone(), running);
        Ok(Self(engine, id))
    }
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        self.0.running().remove(&self.1);
    }
}

/// How a line that ended so is written down.
pub(super) fn status(kind: ErrorKind) -> Status {
    match kind {
        ErrorKind::Refused => Status::Refused,
        ErrorKind::Failed => Status::Failed,
        ErrorKind::Denied => Status::Denied,
        ErrorKind::Parked => Status::Parked,
        ErrorKind::Unavailable | ErrorKind::Unknown => Status::Unknown,
        ErrorKind::Stopped => Status::Stopped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(who: &str, service: &str, room: &str) -> Running {
        let (kill, _) = oneshot::channel();
        let text = "sleep 60".to_owned();
        Running {
            who: who.into(),
            service: service.into(),
            room: room.into(),
            text,
            since: 0,
            shown: Arc::default(),
            kill,
        }
    }

    /// Lines that run, each by who, in which service and room, and how often.
    fn those(all: &[(&str, &str, &str, usize)]) -> BTreeMap<String, Running> {
        let lines = all.iter().flat_map(|(who, service, room, times)| (0..*times).map(|_| line(who, service, room)));
        lines.enumerate().map(|(at, line)| (at.to_string(), line)).collect()
    }

    /// What is said to one more line of somebody's in a room of a net.
    fn said(lines: &BTreeMap<String, Running>, bounds: Bounds, who: &str, room: &str) -> String {
        match bounds.check(lines, &line(who, "net", room)) {
            Ok(()) => String::new(),
            Err(error) => format!("{error}; {}", error.help_text().unwrap_or_default()),
        }
    }

    #[test]
    fn one_person_has_so_many_lines_wherever_they_are() {
        let user = limits::RUNNING_USER;
        let lines = those(&[("alice", "net", "#a", user - 1), ("bob", "net", "#a", 3)]);
        assert_eq!(said(&lines, Bounds::All, "alice", "#a"), "");
        let lines = those(&[("alice", "net", "#a", user - 1), ("alice", "other", "", 1)]);
        let over = format!("{user} of your lines run already; ps shows them, and kill ID stops one");
        assert_eq!(said(&lines, Bounds::All, "alice", "#b"), over);
        assert_eq!(said(&lines, Bounds::All, "bob", "#a"), "");
        assert_eq!(said(&lines, Bounds::Node, "alice", "#b"), "");
        assert_eq!(said(&lines, Bounds::Nothing, "alice", "#b"), "");
    }

    #[test]
    fn one_room_has_so_many_and_direct_messages_are_no_room() {
        let room = limits::RUNNING_ROOM;
        let names: Vec<String> = (0..room).map(|at| format!("user{at}")).collect();
        let of = |service, room| those(&names.iter().map(|name| (name.as_str(), service, room, 1)).collect::<Vec<_>>());
        let lines = of("net", "#a");
        let over =
            format!("{room} lines of this room run already; ps shows yours, and kill ID stops one; else try again");
        assert!(said(&lines, Bounds::All, "alice", "#a").starts_with(&over));
        assert_eq!(said(&lines, Bounds::Node, "operator", "#a"), "");
        assert_eq!(said(&lines, Bounds::All, "alice", "#b"), "");
        // a room of the same name elsewhere is another one
        assert_eq!(said(&of("other", "#a"), Bounds::All, "alice", "#a"), "");
        assert_eq!(said(&of("net", ""), Bounds::All, "alice", ""), "");
    }

    #[test]
    fn all_lines_together_leave_room_for_looking_and_stopping() {
        let lines = those(&[("bob", "net", "", limits::RUNNING)]);
        for bounds in [Bounds::All, Bounds::Node] {
            assert!(said(&lines, bounds, "alice", "").starts_with("4096 lines run already"));
        }
        assert_eq!(said(&lines, Bounds::Nothing, "alice", ""), "");
    }
}
