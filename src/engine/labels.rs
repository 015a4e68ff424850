//! Labels of what is kept: a stream or a note bears those that its values bore when it was kept, and gives them back.
//!
//! A line is judged by labels that are known before it runs. What it reads may be kept anew meanwhile, so whoever hands
//! out something kept compares: it is refused if the line did not reckon with what it bears now.

use ecow::EcoString;
use pipit_commands::{Args, Call, Command, Error, Labels, Value, Verb};
use serde::Deserialize;

use super::host::LineHost;
use super::room::RoomId;
use super::world::{kind, own};

/// The label of what flows into a line from outside the shell.
pub(super) const INPUT: &str = "input";

/// The label of something kept of which it is not known before the line runs what it is.
const KEPT: &str = "kept";

/// The label of what somebody else kept.
const OTHERS: &str = "others";

/// What had a part in what a command reads, by its arguments as far as they are known.
pub(super) type Kept<'a> = dyn Fn(&Command, Option<&Args>) -> Labels + 'a;

/// Whether a verb keeps values, or gives kept ones back.
pub(super) fn keeps(verb: Verb) -> bool {
    matches!(verb, Verb::Tee | Verb::Cat | Verb::My | Verb::MyList | Verb::Our | Verb::OurList)
}

/// What had a part in what this caller can read.
pub(super) fn kept(host: &LineHost) -> impl Fn(&Command, Option<&Args>) -> Labels + '_ {
    move |command, known| {
        let of = match command.verb() {
            Some(Verb::Cat) => kind::KEPT,
            Some(Verb::My | Verb::Our) => kind::NOTE,
            Some(Verb::MyList | Verb::OurList) => return Labels::one(KEPT),
            // everything else gives back nothing that was kept
            _ => return Labels::default(),
        };
        let Some(me) = host.subject.owner() else { return Labels::default() };
        let Some(known) = known else { return Labels::one(KEPT) };
        let room = command.verb() == Some(Verb::Our) || !known.all(&command.spec().usage, "room").is_empty();
        let holder = match (room, RoomId::of(&host.service, &host.context().place)) {
            (false, _) => me.clone(),
            (true, Some(room)) => room.owner(),
            (true, None) => return Labels::default(),
        };
        let name = known.words().next().map(Value::to_text).unwrap_or_default();
        read(host, of, &own(&holder, &name))
    }
}

/// What is said of something kept, beside what it is.
#[derive(Deserialize)]
struct Label {
    by: EcoString,
    #[serde(default)]
    labels: Vec<EcoString>,
}

/// The labels of something kept; what cannot be read may be anything.
fn read(host: &LineHost, of: &str, key: &str) -> Labels {
    match host.engine.store().get(of, key) {
        Ok(None) => Labels::default(),
        Ok(Some(document)) => serde_json::from_str::<Label>(&document.body)
            .map_or_else(|_| Labels::one(KEPT), |label| borne(host, &label.by, label.labels)),
        Err(_) => Labels::one(KEPT),
    }
}

/// What something kept by somebody bears for the caller.
fn borne(host: &LineHost, by: &str, labels: Vec<EcoString>) -> Labels {
    let others = host.subject.owner().is_none_or(|me| me != by);
    labels.into_iter().chain(others.then(|| OTHERS.into())).collect()
}

/// Refuses to hand out something kept that bears labels which the line was not judged with.
pub(super) fn reckoned(
    host: &LineHost,
    call: &Call,
    name: &str,
    by: &str,
    labels: Vec<EcoString>,
) -> Result<(), Error> {
    let expected = &call.args().output;
    // a name that was not known before the line ran was judged as if anything had a part in it
    if expected.iter().any(|label| label == KEPT) || borne(host, by, labels).within(expected) {
        return Ok(());
    }
    Err(Error::failed(format!("{name} was kept anew while the line was on its way")).help("run the line again"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use pipit_grammar::rule::Place;

    use crate::access::Identity;
    use crate::engine::tests::{Site, denied};

    #[tokio::test]
    async fn a_page_of_an_answer_may_be_anything() {
        let guard = "rule create 'guard when command is value:error with arg[0] is tainted must have site:free'";
        let site = Site::new(&["user create alice", "permission create site:free", guard]).await;
        let (alice, ops) = (Identity::Named("alice".into()), Place::Room("ops".into()));
        site.engine.keep_answer(&alice, ("shell", &ops), ("what a program said", 0), false).await.unwrap();
        assert_eq!(site.says("alice", "more").await.text, "what a program said");
        denied(&site.says("alice", "more | error $_").await, "it takes site:free");
    }
}
