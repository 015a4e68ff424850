//! Rows for what takes more than a permission: the approval of others.

use super::Verb;
use crate::command::Command;
use crate::family::{family, row};
use crate::spec::{Effect, Flow, Hand};

pub(super) fn approval() -> Vec<Command> {
    family(
        "approval",
        [
            row("approve ID CODE")
                .about("Approves of a line that waits for it; the code stands at the end of the request")
                .shows("approve 7QK2M9RX4T J5TN", "the last approval that is missing runs the line, as its requester's")
                .effect(Effect::Idempotent)
                .hand(Hand::Alone)
                .shell(Verb::Approve, Flow::Each),
            row("deny ID [REASON…]")
                .about("Says no to a line that waits for approval, or takes back one of your own")
                .shows("deny 7QK2M9RX4T not on a friday", "nobody can approve of it any more")
                .effect(Effect::Idempotent)
                .hand(Hand::Alone)
                .shell(Verb::Deny, Flow::Each),
            row("approvals [ID]")
                .about(
                    "The lines that wait for approval: your own, and those that you may vote on; or one of them, whole",
                )
                .shows("approvals", "what waits")
                .shows("approvals 7QK2M9RX4T", "the whole request, with its code")
                .shell(Verb::Approvals, Flow::Each),
        ],
    )
}
