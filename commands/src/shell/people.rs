//! Rows for what people do with each other: reminders, messages, karma, stand-up notes, polls.

use super::Verb;
use crate::Kind;
use crate::command::Command;
use crate::family::{family, row};
use crate::spec::{Effect, Flow};

pub(super) fn remind() -> Vec<Command> {
    family(
        "remind",
        [
            row("remind WHO WHEN TEXT…")
                .about("Says a text at a time: to me, here, #room or @user; kept over a restart, said once")
                .effect(Effect::Unsafe)
                .shows("remind me in 10m tea is ready", "said to you where you are now")
                .shows("remind here tomorrow 9:00 release day", "said to the room; times are in `my zone`")
                .shows(
                    "remind @bob monday 9am review the plan",
                    "to another it takes room:post, and lands in the inbox",
                )
                .shell(Verb::Remind, Flow::Each),
            row("list").about("The reminders that you have set").outside("kept").shell(Verb::RemindList, Flow::Each),
            row("cancel ID")
                .about("Takes a reminder of yours back")
                .fills_from("ID", "id")
                .effect(Effect::Idempotent)
                .shows("remind cancel k3x9ab", "the id is in remind list")
                .shell(Verb::RemindCancel, Flow::Each),
        ],
    )
}

pub(super) fn inbox() -> Vec<Command> {
    family(
        "inbox",
        [
            row("inbox")
                .about("What was sent to you while nobody could say where you are; in a direct message only")
                .effect(Effect::Idempotent)
                .outside("others")
                .shell(Verb::Inbox, Flow::Each),
            row("clear")
                .about("Throws away the messages that you have read")
                .effect(Effect::Idempotent)
                .shell(Verb::InboxClear, Flow::Each),
        ],
    )
}

pub(super) fn karma() -> Vec<Command> {
    let change = Kind::OneOf(["++", "--", "+1", "-1", "up", "down"].map(Into::into).to_vec());
    family(
        "karma",
        [
            row("karma NAME [CHANGE]")
                .about(
                    "Raises or lowers what is thought of somebody or something, or shows it; nobody raises their own",
                )
                .kind("CHANGE", change)
                .effect(Effect::Unsafe)
                .shows("karma bob++", "one more for bob; `karma bob--` is one less")
                .shows("karma 'good coffee' up", "names of several words go in quotes; up, down, +1 and -1 do the same")
                .shows("karma bob", "how much it is")
                .outside("others")
                .shell(Verb::Karma, Flow::Each),
            row("list [--count=N]")
                .about("Who and what has the most karma")
                .kind("N", Kind::Int(1, 1000))
                .shows("karma list --count=3", "the first three")
                .outside("others")
                .shell(Verb::KarmaList, Flow::Each),
        ],
    )
}

pub(super) fn standup() -> Vec<Command> {
    family(
        "standup",
        [
            row("standup TEXT…")
                .about("A note of what you are at, for the room")
                .effect(Effect::Idempotent)
                .shows("standup fixing the deploy of api", "everybody in the room finds it in standup list")
                .shell(Verb::Standup, Flow::Each),
            row("list [--since=TIME] [--user=USER]")
                .about("What the people of the room are at: the notes of the last day")
                .kind("TIME", Kind::Time)
                .shows("standup list --since=1h", "those of the last hour")
                .outside("others")
                .shell(Verb::StandupList, Flow::Each),
            row("delete")
                .about("Takes your newest note back")
                .effect(Effect::Idempotent)
                .shell(Verb::StandupDelete, Flow::Each),
        ],
    )
}

pub(super) fn poll() -> Vec<Command> {
    let number = || Kind::Int(1, 99_999_999);
    family(
        "poll",
        [
            row("poll QUESTION OPTION… [--for=TIME]")
                .about("Asks the room; everybody has one vote, and may change it until the poll closes")
                .kind("TIME", Kind::Time)
                .effect(Effect::Unsafe)
                .shows("poll 'Lunch?' soup salad 'nothing today'", "then `poll vote 1` or `poll vote soup`")
                .shows("poll 'Release today?' yes no --for=30m", "it closes after half an hour, and says how it ended")
                .shell(Verb::Poll, Flow::Each),
            row("vote CHOICE… [--poll=NUMBER]")
                .about("Your vote in the newest poll that is open, by the option's number or text")
                .kind("NUMBER", number())
                .effect(Effect::Idempotent)
                .shows("poll vote 2", "the second option; another vote replaces it")
                .outside("others")
                .shell(Verb::PollVote, Flow::Each),
            row("show [NUMBER]")
                .about("How a poll stands, or ended; without a number the newest")
                .kind("NUMBER", number())
                .shows("poll show 3 | get votes", "votes, share and a bar for every option")
                .outside("others")
                .shell(Verb::PollShow, Flow::Each),
            row("list").about("The polls of the room").outside("others").shell(Verb::PollList, Flow::Each),
            row("close [NUMBER]")
                .about("Ends a poll of your own, and shows how it ended; those of others with room:manage")
                .kind("NUMBER", number())
                .effect(Effect::Idempotent)
                .shows("poll close 3", "no more votes")
                .outside("others")
                .shell(Verb::PollClose, Flow::Each),
        ],
    )
}
