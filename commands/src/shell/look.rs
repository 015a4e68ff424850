//! Rows that look at the shell: what there is, what runs, what ran.

use super::Verb;
use crate::Kind;
use crate::command::Command;
use crate::family::{family, row};
use crate::moment::is_moment;
use crate::spec::{Flow, Hand};

pub(super) fn shell() -> Vec<Command> {
    family(
        "shell",
        [
            row("help [NAME…]")
                .about("What there is to run, or how to run one of it; a word that is no name is searched for")
                .shows("help", "every command that you may run")
                .shows("help sort", "the usage and examples of one")
                .shows("help text", "the commands of a family, or of a bundle")
                .outside("others").shell(Verb::Help, Flow::Each),
            row("which NAME…")
                .about("What a name stands for: a command, and of which bundle, or an alias")
                .shows("which ec2", "where a name leads")
                .outside("others").shell(Verb::Which, Flow::Each),
            row("explain LINE…")
                .about("How a line is understood: each stage, what it is, what it needs; nothing runs")
                .shows("explain { list b a | sort }", "a whole line stands in a block")
                .takes_command()
                .outside("others").shell(Verb::Explain, Flow::Each),
            row("why LINE…")
                .about("Whether you may run a line, and by which rules; nothing runs")
                .shows("why aws stop i-1", "what it takes")
                .takes_command()
                .shell(Verb::Why, Flow::Each),
            row("who-can LINE…")
                .about("Who may run a line here: everybody is judged as if they had typed it; nothing runs")
                .rule("must have access:read")
                .shows("who-can aws stop i-1", "everybody who may, or may after an approval")
                .takes_command()
                .shell(Verb::WhoCan, Flow::Each),
            row("whoami [--all]")
                .about("Who you are here; --all names your permissions")
                .shows("whoami --all | get permissions", "what you may, for the next stage")
                .shell(Verb::Whoami, Flow::Each),
            row("history [WORD…] [--since=WHEN] [--until=WHEN] [--count=N]")
                .about("Your lines, the newest last; with words only those that contain them; `history run ID` runs one again")
                .kind("N", Kind::Int(1, 1000))
                .kind("WHEN", Kind::Check(is_moment))
                .fields(&["id", "at", "line", "ended"])
                .outside("kept")
                .shows("history deploy --count=5", "your last five lines with deploy in them")
                .shows("history --since=yesterday --until=09:00", "or 2h, or 2026-11-20T14:30")
                .shows("history run 7M34SEPE", "that line again, judged anew; `history run 2` is the one before the last")
                .shell(Verb::History, Flow::Each),
            row("ps")
                .about("The lines that run now: your own, or all with shell:ps")
                .outside("others")
                .outside("others").shell(Verb::Ps, Flow::Each),
            row("kill ID")
                .about("Stops a running line of your own; those of others with shell:kill")
                .fills_from("ID", "id")
                .shows("kill 7M34SEPE", "the id is in ps")
                .shell(Verb::Kill, Flow::Each),
            row("more [N] [--all]")
                .about("The next N lines of your last output here that was too long to show; all of it from the first line")
                .kind("N", Kind::Int(1, 100))
                .shows("more 40", "forty lines; without a number as many as an answer shows")
                .shows("more --all | lines | grep error", "looks through all of it")
                .outside("kept").shell(Verb::More, Flow::Each),
            row("status [WHAT]")
                .about("How the shell is: version, audit log, chat services; how tightly programs of bundles can be held")
                .kind("WHAT", Kind::OneOf(vec!["sandbox".into()]))
                .shows("status sandbox", "each sandbox of bundles, and what is missing for it on this machine")
                .shell(Verb::Status, Flow::Each),
            row("link [CODE]")
                .about("Makes a second account yours: begin where you are known, take the code to the other account, and its answer back")
                .shows("link", "a code for the other account")
                .shows("link GEZDGNBVGY3TQ", "the code, said there; then the one it gives, said here")
                .hand(Hand::Alone)
                .shell(Verb::Link, Flow::Each),
            row("claim CODE")
                .about("Makes you the administrator with the code that the first start printed")
                .kind("CODE", Kind::Secret)
                .shows("claim 4F7K-2M9Q", "you are the administrator")
                .hand(Hand::Alone)
                .shell(Verb::Claim, Flow::Each),
        ],
    )
}
