//! Rows that say who may do what, and where: people, roles, rules, rooms.

use super::Verb;
use crate::Kind;
use crate::command::Command;
use crate::family::{Row, family, row};
use crate::spec::{Effect, Flow, Hand};

/// A row that changes who may do what, and so takes a right.
pub(super) fn admin(usage: &str, about: &str, verb: Verb, right: &str) -> Row {
    let rule = format!("must have {right}");
    row(usage).about(about).effect(Effect::Idempotent).rule(&rule).hand(Hand::Typed).shell(verb, Flow::Each)
}

/// A row that shows who may do what.
pub(super) fn look(usage: &str, about: &str, verb: Verb, right: &str) -> Row {
    row(usage).about(about).rule(&format!("must have {right}")).shell(verb, Flow::Each)
}

pub(super) fn people() -> Vec<Command> {
    let user = "user:manage";
    let group = "group:manage";
    [
        family(
            "user",
            [
                admin("create NAME", "Makes a user", Verb::UserCreate, user).shows("user create alice", ""),
                admin("delete NAME", "Removes a user", Verb::UserDelete, user).shows("user delete alice", ""),
                admin(
                    "link NAME IDENTITY",
                    "Says that a verified account of a chat service is this user",
                    Verb::UserLink,
                    user,
                )
                .shows("user link alice chat://network/alice", ""),
                admin("unlink IDENTITY", "Takes an account from its user", Verb::UserUnlink, user)
                    .shows("user unlink chat://network/alice", ""),
                look("list", "The users", Verb::UserList, user).fields(&["name", "accounts", "groups"]),
                look("show NAME", "A user, with groups, roles and permissions", Verb::UserShow, user)
                    .shows("user show alice", ""),
            ],
        ),
        family(
            "group",
            [
                admin("create NAME", "Makes a group of users", Verb::GroupCreate, group).shows("group create ops", ""),
                admin("delete NAME", "Removes a group", Verb::GroupDelete, group).shows("group delete ops", ""),
                admin("add NAME USER", "Puts a user in a group", Verb::GroupAdd, group)
                    .shows("group add ops alice", ""),
                admin("remove NAME USER", "Takes a user out of a group", Verb::GroupRemove, group)
                    .shows("group remove ops alice", ""),
                look("list", "The groups and who is in them", Verb::GroupList, group).fields(&["name", "users"]),
            ],
        ),
    ]
    .concat()
}

pub(super) fn access() -> Vec<Command> {
    let (by_role, granted, of_site) = ("role:manage", "permission:manage", "rule:manage");
    [
        family(
            "role",
            [
                admin("create NAME", "Makes a role, a set of permissions", Verb::RoleCreate, by_role)
                    .shows("role create releaser", ""),
                admin("delete NAME", "Removes a role", Verb::RoleDelete, by_role).shows("role delete releaser", ""),
                admin("grant NAME PERMISSION", "Puts a permission in a role", Verb::RoleGrant, by_role)
                    .shows("role grant releaser site:release", ""),
                admin("revoke NAME PERMISSION", "Takes a permission out of a role", Verb::RoleRevoke, by_role)
                    .shows("role revoke releaser site:release", ""),
                admin("give NAME GROUP", "Gives a role to a group", Verb::RoleGive, by_role)
                    .shows("role give releaser ops", ""),
                admin("take NAME GROUP", "Takes a role from a group", Verb::RoleTake, by_role)
                    .shows("role take releaser ops", ""),
                look("list", "The roles, their permissions and groups", Verb::RoleList, by_role).fields(&[
                    "name",
                    "permissions",
                    "groups",
                ]),
            ],
        ),
        family(
            "permission",
            [
                admin("create NAME", "Makes a permission of the site (site:NAME)", Verb::PermissionCreate, granted)
                    .shows("permission create site:release", ""),
                admin("delete NAME", "Removes a permission of the site", Verb::PermissionDelete, granted)
                    .shows("permission delete site:release", ""),
                look("list", "The permissions there are", Verb::PermissionList, granted),
            ],
        ),
        family(
            "rule",
            [
                admin("create RULE", "Adds an access rule of the site", Verb::RuleCreate, of_site)
                    .shows("rule create \"when command is text:upper must have site:shout\"", "only some may shout"),
                admin("delete ID", "Removes an access rule of the site", Verb::RuleDelete, of_site)
                    .shows("rule delete r1", ""),
                look("list [COMMAND]", "The access rules, of one command or all", Verb::RuleList, of_site)
                    .shows("rule list text:upper", "")
                    .fields(&["id", "of", "rule"]),
                look(
                    "diff [RULE] [--without=ID]",
                    "Who gains and who loses by a rule before it is made, or by the end of one: the calls that are decided otherwise",
                    Verb::RuleDiff,
                    of_site,
                )
                .shows("rule diff \"when command is text:upper must have site:shout\"", "who could shout no more")
                .shows("rule diff --without=r1", "what deleting it comes to"),
                look(
                    "test EXPECTATION",
                    "Whether somebody is judged as expected: `WHO [in ROOM] may|may not|waits: LINE`; nothing runs",
                    Verb::RuleTest,
                    of_site,
                )
                .fills("EXPECTATION")
                .shows("rule test 'bob in #ops may not: aws stop i-1'", "holds, or what is decided instead"),
            ],
        ),
    ]
    .concat()
}

pub(super) fn rooms() -> Vec<Command> {
    let right = "room:manage";
    family(
        "room",
        [
            admin("create NAME [--audience=AUDIENCE]", "Makes a room of the shell's own", Verb::RoomCreate, right)
                .shows("room create '#ops' --audience=private", "")
                .kind("AUDIENCE", Kind::OneOf(vec!["public".into(), "private".into()])),
            admin("delete NAME", "Removes a room of the shell's own", Verb::RoomDelete, right)
                .shows("room delete '#ops'", ""),
            look("list", "The rooms of the shell's own, and those for which something is set", Verb::RoomList, right),
            admin(
                "set NAME SETTING…",
                "Sets what holds in a room: audience, prefix, embedded; #NAME is a room of the service you are on",
                Verb::RoomSet,
                right,
            )
            .shows("room set '#ops' embedded=on", "commands in backticks run in the midst of talk")
            .shows("room set libera://#ops prefix=..", "a command begins with .. there"),
            row("show [NAME]")
                .about("What is set for this room, or for another")
                .rule("allow")
                .rule("with arg[0] is present must have room:manage")
                .shows("room show", "audience, prefix, embedded")
                .shell(Verb::RoomShow, Flow::Each),
            look(
                "read PLACE",
                "What was posted to a room of the shell's own, or to @USER there",
                Verb::RoomRead,
                right,
            )
            .outside("others")
            .shows("room read '#ops'", ""),
        ],
    )
}
