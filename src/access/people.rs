//! Users, the accounts that are theirs, the groups they are in, and what the roles of those groups let them do.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use ecow::EcoString;
use serde::{Deserialize, Serialize};
use unicode_security::confusable_detection::skeleton;

use super::Identity;

/// Names that nobody can have, because they mean something else.
const RESERVED: &[&str] = &["operator", "here", "me", "thread", "all", "everyone", "channel", "pipit"];

/// The role that says what somebody may in an emergency.
const EMERGENCY: &str = "break-glass";

/// What no emergency gives rights over.
const NEVER: &[&str] =
    &["user", "group", "role", "permission", "rule", "access", "audit", "secret", "bundle", "alias", "room", "shell"];

/// The most letters of a name.
const LONGEST: usize = 32;

/// What stands behind the name of a user whose name somebody else had before, in front of a number. No name that can be
/// asked for holds it, so no two people ever have the same name.
const AGAIN: char = '~';

/// A user as kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct User {
    /// The verified accounts that are this person.
    #[serde(default)]
    pub(crate) accounts: BTreeSet<EcoString>,
}

/// A group as kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Group {
    #[serde(default)]
    pub(crate) users: BTreeSet<EcoString>,
}

/// A role as kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Role {
    #[serde(default)]
    pub(crate) permissions: BTreeSet<EcoString>,
    #[serde(default)]
    pub(crate) groups: BTreeSet<EcoString>,
}

/// Everybody and what they may.
#[derive(Clone, Debug, Default)]
pub(crate) struct People {
    pub(crate) users: BTreeMap<EcoString, User>,
    pub(crate) groups: BTreeMap<EcoString, Group>,
    pub(crate) roles: BTreeMap<EcoString, Role>,
    accounts: HashMap<EcoString, EcoString>,
    /// The permissions of every user who has any.
    rights: HashMap<EcoString, Arc<HashSet<EcoString>>>,
}

impl People {
    /// Everybody. An account that two users claim is nobody's.
    pub(crate) fn new(
        users: BTreeMap<EcoString, User>,
        groups: BTreeMap<EcoString, Group>,
        roles: BTreeMap<EcoString, Role>,
    ) -> Self {
        let mut accounts = HashMap::new();
        let mut twice = HashSet::new();
        for (name, user) in &users {
            for account in &user.accounts {
                if accounts.insert(account.clone(), name.clone()).is_some() {
                    twice.insert(account.clone());
                }
            }
        }
        accounts.retain(|account, _| !twice.contains(account));
        let mut rights: HashMap<EcoString, HashSet<EcoString>> = HashMap::new();
        for role in roles.values() {
            let groups = role.groups.iter().filter_map(|group| groups.get(group));
            for user in groups.flat_map(|group| &group.users).filter(|user| users.contains_key(*user)) {
                rights.entry(user.clone()).or_default().extend(role.permissions.iter().cloned());
            }
        }
        let rights = rights.into_iter().map(|(user, rights)| (user, Arc::new(rights))).collect();
        Self { users, groups, roles, accounts, rights }
    }

    /// The same, where these have the rights of an emergency too: what the role for it holds, but nothing over people,
    /// rules, the log, secrets and what commands there are.
    pub(crate) fn in_emergency(mut self, who: impl Iterator<Item = EcoString>) -> Self {
        let Some(role) = self.roles.get(EMERGENCY) else { return self };
        let lent = |permission: &&EcoString| !NEVER.contains(&permission.split(':').next().unwrap_or_default());
        let lent: HashSet<EcoString> = role.permissions.iter().filter(lent).cloned().collect();
        for user in who {
            let own = self.permissions_of(&user);
            self.rights.insert(user, Arc::new(own.union(&lent).cloned().collect()));
        }
        self
    }

    /// Whether there is a user of that name.
    pub(crate) fn has_user(&self, name: &str) -> bool {
        self.users.contains_key(name)
    }

    /// The user that somebody means who types a name: the one who has it, or the one who asked for it and has it with a
    /// number, because it was another's before. What is kept names people exactly, and never asks here.
    pub(crate) fn meant(&self, typed: &str) -> Option<&EcoString> {
        let exact = self.users.get_key_value(typed).map(|(name, _)| name);
        exact.or_else(|| self.users.keys().find(|name| asked_for(name) == typed))
    }

    /// Under which name a line of somebody is written down. What no user is called stands behind a `?`.
    pub(crate) fn written(&self, identity: &Identity) -> EcoString {
        match identity {
            Identity::Operator => "operator".into(),
            Identity::Named(name) if self.has_user(name) => name.clone(),
            Identity::Account(account) => self.user_of(account).unwrap_or(account).clone(),
            Identity::Named(shown) | Identity::Stranger(shown) => ecow::eco_format!("?{shown}"),
        }
    }

    /// The other user whose name looks the same (`alice1` and `alicel`), by the confusables of Unicode.
    pub(crate) fn looks_like(&self, name: &str) -> Option<&EcoString> {
        let looks = |name: &str| skeleton(name).collect::<String>().to_lowercase();
        let new = looks(name);
        self.users.keys().find(|user| user.as_str() != name && looks(asked_for(user)) == new)
    }

    /// Whose account it is.
    pub(crate) fn user_of(&self, account: &str) -> Option<&EcoString> {
        self.accounts.get(account)
    }

    /// The groups of a user.
    pub(crate) fn groups_of<'a>(&'a self, user: &'a str) -> impl Iterator<Item = &'a EcoString> {
        self.groups.iter().filter(move |(_, group)| group.users.contains(user)).map(|(name, _)| name)
    }

    /// The roles that a user's groups give.
    pub(crate) fn roles_of<'a>(&'a self, user: &'a str) -> impl Iterator<Item = (&'a EcoString, &'a Role)> {
        self.roles.iter().filter(move |(_, role)| self.groups_of(user).any(|group| role.groups.contains(group)))
    }

    /// Whether a user has a role.
    pub(crate) fn holds(&self, user: &str, role: &str) -> bool {
        self.roles_of(user).any(|(name, _)| name == role)
    }

    /// Everybody who has a role.
    pub(crate) fn holders<'a>(&'a self, role: &'a str) -> impl Iterator<Item = &'a EcoString> {
        self.users.keys().filter(move |user| self.holds(user, role))
    }

    /// Whether a user has a permission by a role, and not for an emergency.
    pub(crate) fn owns(&self, user: &str, permission: &str) -> bool {
        self.roles_of(user).any(|(_, role)| role.permissions.contains(permission))
    }

    /// The permissions of a user.
    pub(crate) fn permissions_of(&self, user: &str) -> Arc<HashSet<EcoString>> {
        self.rights.get(user).cloned().unwrap_or_default()
    }
}

/// The name of the person who is the so-manieth to ask for one: `alice`, then `alice~2`.
pub(crate) fn numbered(name: &str, person: u32) -> EcoString {
    if person <= 1 { name.into() } else { ecow::eco_format!("{name}{AGAIN}{person}") }
}

/// The name that a user asked for.
pub(crate) fn asked_for(user: &str) -> &str {
    user.split_once(AGAIN).map_or(user, |(name, _)| name)
}

/// Whether a user, group or role can have the name: `[a-z][a-z0-9._-]{0,31}`, and not one that means something else.
pub(crate) fn valid_name(name: &str) -> bool {
    name.len() <= LONGEST
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-'))
        && !RESERVED.contains(&name)
}
