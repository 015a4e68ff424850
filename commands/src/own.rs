//! What is the shell's own by its name: the namespaces of built-in commands, and the rights that the shell brings. Nothing
//! that is brought in may stand in their place.
//!
//! Deliberately absent: who has a right.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use ecow::EcoString;

use crate::built_ins;

/// The rights that the shell itself brings. The local operator holds them all; a role may be granted each.
pub const RIGHTS: &[&str] = &[
    "access:escalate",
    "access:read",
    "alias:room",
    "alias:site",
    "audit:erase",
    "audit:read",
    "bundle:manage",
    "group:manage",
    "net:dns",
    "net:http",
    "permission:manage",
    "role:manage",
    "room:manage",
    "room:post",
    "rule:manage",
    "secret:manage",
    "shell:break-glass",
    "shell:kill",
    "shell:ps",
    "user:manage",
];

/// The namespaces of all built-in commands.
static NAMESPACES: LazyLock<BTreeSet<EcoString>> =
    LazyLock::new(|| built_ins().iter().map(|command| command.spec().bundle.clone()).collect());

/// Whether built-in commands have this namespace (`secret` of `secret:set`), so that no bundle may have it for its name.
#[must_use]
pub fn is_own_namespace(name: &str) -> bool {
    NAMESPACES.contains(name)
}
