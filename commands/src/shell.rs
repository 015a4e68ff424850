//! What only the shell can do, as rows like every other command: their code is the shell's ([`crate::Host::serve`]).

use ecow::EcoString;

use crate::Kind;
use crate::command::Command;
use crate::family::{Row, family, row};
use crate::spec::{Effect, Flow};

/// What the shell is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is a row of a table below, which says what it does")]
pub enum Verb {
    Help,
    Which,
    Explain,
    Why,
    Whoami,
    History,
    Ps,
    Kill,
    More,
    Status,
    Claim,
    Jq,
    HttpGet,
    HttpPost,
    HttpPut,
    HttpDelete,
    AliasMake,
    AliasCreate,
    AliasDelete,
    AliasMove,
    AliasList,
    Tee,
    Cat,
    KeepList,
    KeepDrop,
    My,
    UserCreate,
    UserDelete,
    UserList,
    UserShow,
    UserLink,
    UserUnlink,
    GroupCreate,
    GroupDelete,
    GroupList,
    GroupAdd,
    GroupRemove,
    RoleCreate,
    RoleDelete,
    RoleList,
    RoleGrant,
    RoleRevoke,
    RoleGive,
    RoleTake,
    PermissionCreate,
    PermissionDelete,
    PermissionList,
    RuleCreate,
    RuleDelete,
    RuleList,
    RoomCreate,
    RoomDelete,
    RoomList,
    RoomRead,
    BundleInstall,
    BundleEnable,
    BundleDisable,
    BundleRemove,
    BundleList,
    BundleShow,
    BundleSet,
    BundleUnset,
    BundleSettings,
    AuditList,
    AuditShow,
    AuditVerify,
}

/// Everything the shell does, family by family.
pub(crate) fn families() -> Vec<Command> {
    [shell(), alias(), kept(), people(), access(), rooms(), bundles(), audit()].concat()
}

fn shell() -> Vec<Command> {
    family(
        "shell",
        [
            row("help [NAME…]")
                .about("What there is to run, or how to run one of it; a word that is no name is searched for")
                .shows("help", "every command that you may run")
                .shows("help sort", "the usage and examples of one")
                .shell(Verb::Help, Flow::Each),
            row("which NAME…")
                .about("What a name stands for: a command, and of which bundle, or an alias")
                .shows("which ec2", "where a name leads")
                .shell(Verb::Which, Flow::Each),
            row("explain LINE…")
                .about("How a line is understood: each stage, what it is, what it needs; nothing runs")
                .shows("explain { list b a | sort }", "a whole line stands in a block")
                .takes_command()
                .shell(Verb::Explain, Flow::Each),
            row("why LINE…")
                .about("Whether you may run a line, and by which rules; nothing runs")
                .shows("why aws stop i-1", "what it takes")
                .takes_command()
                .shell(Verb::Why, Flow::Each),
            row("whoami").about("Who you are here, and what you may").shell(Verb::Whoami, Flow::Each),
            row("history [WORD…] [--count=N]")
                .about("Your lines, the newest last; with words only those that contain them; `!!` runs the last again")
                .kind("N", Kind::Int(1, 1000))
                .shows("history deploy --count=5", "your last five lines with deploy in them")
                .shell(Verb::History, Flow::Each),
            row("ps").about("The lines that run now: your own, or all with shell:ps").shell(Verb::Ps, Flow::Each),
            row("kill ID")
                .about("Stops a running line of your own; those of others with shell:kill")
                .fills_from("ID", "id")
                .shows("kill 7M34SEPE", "the id is in ps")
                .shell(Verb::Kill, Flow::Each),
            row("more")
                .about("The next part of the last output that was too long to show")
                .shell(Verb::More, Flow::Each),
            row("status").about("How the shell is: version, audit log, chat services").shell(Verb::Status, Flow::Each),
            row("claim CODE")
                .about("Makes you the administrator with the code that the first start printed")
                .shows("claim 4F7K-2M9Q", "you are the administrator")
                .shell(Verb::Claim, Flow::Each),
        ],
    )
}

fn alias() -> Vec<Command> {
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

fn kept() -> Vec<Command> {
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

/// A row that changes who may do what, and so takes a right.
fn admin(usage: &str, about: &str, verb: Verb, right: &str) -> Row {
    row(usage).about(about).effect(Effect::Idempotent).rule(&format!("must have {right}")).shell(verb, Flow::Each)
}

/// A row that shows who may do what.
fn look(usage: &str, about: &str, verb: Verb, right: &str) -> Row {
    row(usage).about(about).rule(&format!("must have {right}")).shell(verb, Flow::Each)
}

fn people() -> Vec<Command> {
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
                look("list", "The users", Verb::UserList, user),
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
                look("list", "The groups and who is in them", Verb::GroupList, group),
            ],
        ),
    ]
    .concat()
}

fn access() -> Vec<Command> {
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
                look("list", "The roles, their permissions and groups", Verb::RoleList, by_role),
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
                    .shows("rule list text:upper", ""),
            ],
        ),
    ]
    .concat()
}

fn rooms() -> Vec<Command> {
    let right = "room:manage";
    family(
        "room",
        [
            admin("create NAME [--audience=AUDIENCE]", "Makes a room of the shell's own", Verb::RoomCreate, right)
                .shows("room create '#ops' --audience=private", "")
                .kind("AUDIENCE", Kind::OneOf(vec!["public".into(), "private".into()])),
            admin("delete NAME", "Removes a room of the shell's own", Verb::RoomDelete, right)
                .shows("room delete '#ops'", ""),
            look("list", "The rooms of the shell's own", Verb::RoomList, right),
            look(
                "read PLACE",
                "What was posted to a room of the shell's own, or to @USER there",
                Verb::RoomRead,
                right,
            )
            .shows("room read '#ops'", ""),
        ],
    )
}

fn bundles() -> Vec<Command> {
    let right = "bundle:manage";
    family(
        "bundle",
        [
            admin(
                "install FOLDER",
                "Copies a bundle in from a folder; nothing changes until it is enabled",
                Verb::BundleInstall,
                right,
            )
            .shows("bundle install ./bundles/aws", ""),
            admin("enable NAME [VERSION]", "Makes the commands of a bundle available", Verb::BundleEnable, right)
                .shows("bundle enable aws", ""),
            admin("disable NAME", "Takes the commands of a bundle away", Verb::BundleDisable, right)
                .shows("bundle disable aws", ""),
            admin("remove NAME [VERSION]", "Removes a bundle that is not enabled", Verb::BundleRemove, right)
                .shows("bundle remove aws 1.0.0", ""),
            look("list", "The bundles that are installed", Verb::BundleList, right),
            admin(
                "set NAME KEY [VALUE] [--room=ROOM] [--user=USER]",
                "Sets what a bundle's programs get in their environment, for all, a room or a user",
                Verb::BundleSet,
                right,
            )
            .flow(Flow::Stream)
            .shows("bundle set aws AWS_REGION eu-west-1", "where a secret is wanted, it comes by standard input"),
            admin(
                "unset NAME KEY [--room=ROOM] [--user=USER]",
                "Takes a setting of a bundle back",
                Verb::BundleUnset,
                right,
            )
            .shows("bundle unset aws AWS_REGION --room=#ops", ""),
            look("settings NAME", "What is set for a bundle; secrets are not shown", Verb::BundleSettings, right)
                .shows("bundle settings aws", ""),
            look("show NAME", "What a bundle brings: commands, rules, permissions, needs", Verb::BundleShow, right)
                .shows("bundle show aws", ""),
        ],
    )
}

/// How lines end, as the log says it.
const ENDS: &[&str] = &["ok", "failed", "refused", "denied", "parked", "stopped", "unknown", "running"];

fn audit() -> Vec<Command> {
    let right = "audit:read";
    family(
        "audit",
        [
            look(
                "list [--user=USER] [--room=ROOM] [--command=COMMAND] [--ended=HOW] [--since=TIME] [--count=N]",
                "Lines, newest last, with how they ended",
                Verb::AuditList,
                right,
            )
            .shows("audit list --user=alice --since=1h", "")
            .kind("N", Kind::Int(1, 10_000))
            .kind("TIME", Kind::Time)
            .kind("HOW", Kind::OneOf(ENDS.iter().map(|how| EcoString::from(*how)).collect())),
            look("show ID", "Everything that is written of one line", Verb::AuditShow, right)
                .shows("audit show 7M34SEPE", "")
                .fills_from("ID", "id"),
            look(
                "verify",
                "Checks that nothing in the log was altered, removed or reordered",
                Verb::AuditVerify,
                right,
            ),
        ],
    )
}
