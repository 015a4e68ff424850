//! Rows for what belongs to somebody: aliases, kept streams, notes.

use super::Verb;
use crate::Kind;
use crate::command::Command;
use crate::family::{family, row};
use crate::spec::Flow;

pub(super) fn alias() -> Vec<Command> {
    let line = || Kind::Check(alias_line);
    family(
        "alias",
        [
            row("alias NAME = LINE")
                .about("Keeps a line under a name of your own; $1…$9 and $* stand for the words that follow it")
                .kind("NAME", Kind::Check(alias_name))
                .kind("LINE", line())
                .shows("alias prod = 'aws ec2 | where env=prod'", "then `prod | count`")
                .shell(Verb::AliasMake, Flow::Each),
            row("create NAME LINE")
                .about("The same as alias NAME = LINE")
                .kind("NAME", Kind::Check(alias_name))
                .kind("LINE", line())
                .shows("alias create shout 'echo $* | upper'", "then `shout hello`")
                .shell(Verb::AliasCreate, Flow::Each),
            row("delete NAME")
                .about("Forgets an alias of your own")
                .shows("alias delete shout", "it is no name any more")
                .shell(Verb::AliasDelete, Flow::Each),
            row("move NAME SCOPE")
                .about("Makes an alias of your own everybody's")
                .kind("SCOPE", Kind::OneOf(vec!["site".into()]))
                .rule("must have alias:site")
                .shows("alias move shout site", "everybody has it")
                .shell(Verb::AliasMove, Flow::Each),
            row("list").about("Your aliases and those of everybody").shell(Verb::AliasList, Flow::Each),
        ],
    )
}

/// `[a-z][a-z0-9-]{0,31}`.
fn alias_name(name: &str) -> Result<(), String> {
    const LONGEST: usize = 32;
    let fits = name.len() <= LONGEST
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if fits {
        return Ok(());
    }
    Err(format!("{name:?} is no name for an alias: up to {LONGEST} of a-z, 0-9 and -, a letter first"))
}

fn alias_line(line: &str) -> Result<(), String> {
    pipit_grammar::parse_alias(line).map(drop).map_err(|error| error.to_string())
}

pub(super) fn kept() -> Vec<Command> {
    family(
        "kept",
        [
            row("tee NAME")
                .about("Keeps the stream under a name of your own and passes it on")
                .shows("aws ec2 | tee instances | count", "keep what came and go on with it")
                .shell(Verb::Tee, Flow::Stream),
            row("cat NAME")
                .about("Gives a kept stream back")
                .fills("NAME")
                .shows("cat instances | count", "the stream that tee kept, once more")
                .shell(Verb::Cat, Flow::Each),
            row("my KEY [= VALUE]")
                .about("A note of your own: with a value it is kept, without one it is given back")
                .kind("VALUE", Kind::Value)
                .shows("my editor = vim", "then `my editor` gives vim")
                .shell(Verb::My, Flow::Each),
        ],
    )
    .into_iter()
    .chain(family(
        "keep",
        [
            row("list").about("The streams you keep").shell(Verb::KeepList, Flow::Each),
            row("drop NAME")
                .about("Forgets a kept stream")
                .fills("NAME")
                .shows("keep drop instances", "it is kept no longer")
                .shell(Verb::KeepDrop, Flow::Each),
        ],
    ))
    .collect()
}
