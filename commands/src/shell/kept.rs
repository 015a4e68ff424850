//! Rows for what is kept under a name: streams and notes, a person's own or a room's.

use super::Verb;
use crate::Kind;
use crate::command::Command;
use crate::family::{family, row};
use crate::spec::{Effect, Flow};

pub(super) fn kept() -> Vec<Command> {
    [
        family(
            "kept",
            [
                row("tee [NAME] [--room]")
                    .about("Keeps the stream under a name and passes it on; without a name it is posted here as well")
                    .effect(Effect::Idempotent)
                    .shows("aws ec2 | tee instances | count", "keep what came and go on with it")
                    .shows("aws ec2 | tee instances --room", "the room keeps it; `cat instances --room`")
                    .shows("aws ec2 | where env=prod | tee | count", "show what is counted")
                    .shell(Verb::Tee, Flow::Stream),
                row("cat NAME [--room]")
                    .about("Gives a kept stream back, your own or the room's")
                    .fills("NAME")
                    .shows("cat instances | count", "the stream that tee kept, once more")
                    .shell(Verb::Cat, Flow::Each),
            ],
        ),
        family(
            "keep",
            [
                row("list [--room]")
                    .about("The streams you keep, or those of the room: whose, how old, how large")
                    .shows("keep list --room", "what the room keeps")
                    .outside("others")
                    .shell(Verb::KeepList, Flow::Each),
                row("drop NAME [--room]")
                    .about("Forgets a kept stream; one of the room takes who kept it, or room:manage")
                    .fills("NAME")
                    .effect(Effect::Idempotent)
                    .shows("keep drop instances", "it is kept no longer")
                    .shell(Verb::KeepDrop, Flow::Each),
            ],
        ),
    ]
    .concat()
}

pub(super) fn notes() -> Vec<Command> {
    [
        family(
            "my",
            [
                row("my KEY [= VALUE]")
                    .about("A note of your own: with a value it is kept, without one it is given back")
                    .kind("VALUE", Kind::Value)
                    .effect(Effect::Idempotent)
                    .shows("my editor = vim", "then `my editor` gives vim")
                    .shows("my zone = Europe/Zurich", "your times are read and shown in that zone")
                    .shell(Verb::My, Flow::Each),
                row("list").about("Your notes").shell(Verb::MyList, Flow::Each),
                row("delete KEY")
                    .about("Forgets a note of your own")
                    .effect(Effect::Idempotent)
                    .shows("my delete editor", "it is kept no longer")
                    .shell(Verb::MyDelete, Flow::Each),
            ],
        ),
        family(
            "our",
            [
                row("our KEY [= VALUE]")
                    .about("A note of the room: whoever is known here reads and changes it")
                    .kind("VALUE", Kind::Value)
                    .effect(Effect::Idempotent)
                    .shows("our oncall = ada", "then `our oncall` gives ada, in this room")
                    .shell(Verb::Our, Flow::Each),
                row("list").about("The notes of the room, with who wrote them").shell(Verb::OurList, Flow::Each),
                row("delete KEY")
                    .about("Forgets a note of the room")
                    .effect(Effect::Idempotent)
                    .shows("our delete oncall", "it is kept no longer")
                    .shell(Verb::OurDelete, Flow::Each),
            ],
        ),
    ]
    .concat()
}
