//! Rows for aliases.

use super::Verb;
use crate::Kind;
use crate::command::Command;
use crate::family::{family, row};
use crate::spec::{Effect, Flow};

pub(super) fn alias() -> Vec<Command> {
    let line = || Kind::Check(alias_line);
    let scope = || Kind::OneOf(["own", "room", "site"].map(Into::into).to_vec());
    family(
        "alias",
        [
            row("alias NAME = LINE")
                .about("Keeps a line under a name of your own; $1…$9 and $* stand for the words that follow it")
                .kind("NAME", Kind::Check(alias_name))
                .kind("LINE", line())
                .shows("alias prod = 'aws ec2 | where env=prod'", "then `prod | count`")
                .effect(Effect::Idempotent)
                .shell(Verb::AliasMake, Flow::Each),
            row("create NAME LINE [--scope=SCOPE]")
                .about("The same as alias NAME = LINE; --scope makes it the room's or the site's at once")
                .kind("NAME", Kind::Check(alias_name))
                .kind("LINE", line())
                .kind("SCOPE", scope())
                .rule("allow")
                .rule("with option[scope] == room must have alias:room")
                .rule("with option[scope] == site must have alias:site")
                .shows("alias create shout 'echo $* | upper'", "then `shout hello`")
                .effect(Effect::Idempotent)
                .shell(Verb::AliasCreate, Flow::Each),
            row("delete NAME [--scope=SCOPE]")
                .about("Forgets an alias: your own, or one that you made for the room or the site")
                .kind("SCOPE", scope())
                .shows("alias delete shout", "it is no name any more")
                .effect(Effect::Idempotent)
                .shell(Verb::AliasDelete, Flow::Each),
            row("rename NAME NEW [--scope=SCOPE]")
                .about("Gives an alias another name")
                .kind("NEW", Kind::Check(alias_name))
                .kind("SCOPE", scope())
                .shows("alias rename shout loud", "then `loud hello`")
                .effect(Effect::Idempotent)
                .shell(Verb::AliasRename, Flow::Each),
            row("move NAME SCOPE")
                .about("Makes an alias everybody's in this room, everybody's on the site, or your own again")
                .kind("SCOPE", scope())
                .rule("allow")
                .rule("with arg[1] == room must have alias:room")
                .rule("with arg[1] == site must have alias:site")
                .shows("alias move shout room", "everybody in this room has it")
                .shows("alias move shout own", "you alone have it")
                .effect(Effect::Idempotent)
                .shell(Verb::AliasMove, Flow::Each),
            row("list")
                .about("Your aliases, those of this room and those of the site, with who made them")
                .outside("others")
                .shell(Verb::AliasList, Flow::Each),
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
