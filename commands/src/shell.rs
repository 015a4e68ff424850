//! What only the shell can do, as rows like every other command: their code is the shell's ([`crate::Host::serve`]).

use crate::command::Command;

mod admin;
mod approval;
mod audit;
mod bundles;
mod kept;
mod look;
mod own;

/// What the shell is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is a row of a table below, which says what it does")]
pub enum Verb {
    Help,
    Which,
    Explain,
    Why,
    WhoCan,
    Whoami,
    History,
    Ps,
    Kill,
    More,
    Status,
    Claim,
    Approve,
    Deny,
    Approvals,
    Jq,
    HttpGet,
    HttpPost,
    HttpPut,
    HttpDelete,
    Scrape,
    Dns,
    AliasMake,
    AliasCreate,
    AliasDelete,
    AliasMove,
    AliasList,
    AliasRename,
    Tee,
    Cat,
    KeepList,
    KeepDrop,
    My,
    MyList,
    MyDelete,
    Our,
    OurList,
    OurDelete,
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
    RuleDiff,
    RuleTest,
    RoomCreate,
    RoomDelete,
    RoomList,
    RoomRead,
    RoomSet,
    RoomShow,
    BundleInstall,
    BundleFind,
    BundleDiff,
    BundleUpgrade,
    BundleRollback,
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
    [
        look::shell(),
        own::alias(),
        kept::kept(),
        kept::notes(),
        admin::people(),
        admin::access(),
        admin::rooms(),
        bundles::bundles(),
        audit::audit(),
        approval::approval(),
    ]
    .concat()
}
