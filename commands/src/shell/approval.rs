//! Rows for what takes more than a permission: the approval of others, a second factor, an emergency.

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
                .outside("others")
                .shell(Verb::Approvals, Flow::Each),
        ],
    )
}

pub(super) fn second_factor() -> Vec<Command> {
    let own = |usage: &str, about: &str, verb| {
        row(usage).about(about).effect(Effect::Idempotent).hand(Hand::Alone).shell(verb, Flow::Each)
    };
    let codes = family(
        "totp",
        [
            own(
                "enrol",
                "Gives you a secret for an authenticator, once, in a direct message or at the console",
                Verb::TotpEnrol,
            ),
            own("confirm CODE", "Makes the new secret count, with the first code it gives", Verb::TotpConfirm)
                .shows("totp confirm 287082", ""),
            own("remove CODE", "Takes your secret away, with a code of it", Verb::TotpRemove)
                .shows("totp remove 287082", ""),
            own(
                "reset USER",
                "Takes away the secret of somebody who has lost it; another administrator approves",
                Verb::TotpReset,
            )
            .rule("must have user:manage")
            .rule("require approval 1 from admin")
            .shows("totp reset alice", ""),
        ],
    );
    let proof = family(
        "step-up",
        [own("step-up [CODE]", "Proves once more that it is you; without a code until when that counts", Verb::StepUp)
            .shows(
                "step-up 287082",
                "what requires a second factor may run, for ten minutes or as long as its rule says",
            )],
    );
    [codes, proof].concat()
}

pub(super) fn emergency() -> Vec<Command> {
    let right = "must have shell:break-glass";
    family(
        "break-glass",
        [
            row("break-glass REASON")
                .about("Gives you the rights of the role break-glass for half an hour, in an emergency; everybody is told")
                .shows("break-glass 'INC-77 the database of web is down'", "after step-up; somebody else reviews it later")
                .rule(right)
                .effect(Effect::Idempotent)
                .hand(Hand::Alone)
                .shell(Verb::BreakGlass, Flow::Each),
            row("end")
                .about("Gives those rights back before their time")
                .rule(right)
                .effect(Effect::Idempotent)
                .hand(Hand::Alone)
                .shell(Verb::BreakGlassEnd, Flow::Each),
            row("list")
                .about("The emergencies there were, by whom and why, and who reviewed them")
                .rule("must have any in [shell:break-glass, audit:read]")
                .outside("others").shell(Verb::BreakGlassList, Flow::Each),
            row("review ID [NOTE…]")
                .about("Says that you have looked at what somebody else did in an emergency; before that there is no next one")
                .shows("break-glass review 7QK2M9RX restarted web, nothing else", "")
                .rule("must have any in [shell:break-glass, audit:read]")
                .effect(Effect::Idempotent)
                .hand(Hand::Alone)
                .shell(Verb::BreakGlassReview, Flow::Each),
        ],
    )
}
