//! Users, rooms and whatever else words name, as far as the caller may see them.

use ecow::EcoString;
use pipit_commands::{Noun, RIGHTS};

use super::{Asker, Choice};
use crate::bundle::install;
use crate::engine::world::{kind, own};

impl Asker<'_> {
    /// Everything of a noun that the caller may see: what its own list would show them. `shared` asks for the room's
    /// instead of the caller's own, where both have some.
    pub(super) fn named(&self, noun: Noun, shared: bool) -> Vec<Choice> {
        let people = self.world.policy.people();
        let listed = |exact: &str, choices: Vec<Choice>| if self.may(exact) { choices } else { Vec::new() };
        match noun {
            Noun::Field => Vec::new(),
            // whoever sees the rules sees what they are about
            Noun::Command => {
                let all = self.world.catalogue.all().iter();
                let seen = all.filter(|command| (self.names.may)(command) || self.may("rule:list"));
                seen.map(|command| Choice::new("command", command.exact().as_str(), command.spec().about.as_str()))
                    .collect()
            }
            Noun::User => {
                let users = people.users.keys().map(|name| {
                    let groups: Vec<&str> = people.groups_of(name).map(AsRef::as_ref).collect();
                    Choice::new("user", name.as_str(), groups.join(", "))
                });
                listed("user:list", users.collect())
            }
            Noun::Group => {
                let groups = people.groups.iter().map(|(name, group)| {
                    let users: Vec<&str> = group.users.iter().map(AsRef::as_ref).collect();
                    Choice::new("group", name.as_str(), users.join(", "))
                });
                listed("group:list", groups.collect())
            }
            Noun::Role => {
                let roles = people.roles.iter().map(|(name, role)| {
                    let permissions: Vec<&str> = role.permissions.iter().map(AsRef::as_ref).collect();
                    Choice::new("role", name.as_str(), permissions.join(", "))
                });
                listed("role:list", roles.collect())
            }
            Noun::Permission => {
                let of_shell = RIGHTS.iter().map(|right| Choice::new("permission", *right, "the shell's own"));
                let others = self.world.permissions.iter().map(|name| Choice::new("permission", name.as_str(), ""));
                listed("permission:list", of_shell.chain(others).collect())
            }
            Noun::Rule => {
                let rules = self.world.policy.site_rules().iter();
                let rules = rules.map(|rule| Choice::new("rule", rule.id.as_str(), rule.source.as_str()));
                listed("rule:list", rules.collect())
            }
            Noun::Room => listed("room:list", self.rooms()),
            Noun::Place => [listed("room:list", self.rooms()), listed("user:list", self.people())].concat(),
            Noun::Bundle => {
                let installed = install::list(self.engine.store()).unwrap_or_default().into_iter();
                let bundles = installed.map(|(one, enabled)| {
                    let state = if enabled { "enabled" } else { "installed" };
                    Choice::new("bundle", one.name, format!("{} {state}", one.version))
                });
                listed("bundle:list", bundles.collect())
            }
            Noun::Alias => {
                let all = self.names.aliases.all();
                all.map(|(scope, name, alias)| {
                    Choice::new("alias", name.as_str(), format!("{}: {}", scope.name(), alias.line))
                })
                .collect()
            }
            Noun::Kept => self.owned(kind::KEPT, "kept stream", shared),
            Noun::Note => self.owned(kind::NOTE, "note", shared),
            Noun::Line => {
                let all = self.subject.has("shell:ps");
                let running = self.engine.running();
                let seen = running.iter().filter(|(_, line)| all || Some(&line.who) == self.owner());
                seen.map(|(id, line)| Choice::new("line", id.as_str(), line.text.as_str())).collect()
            }
        }
    }

    /// The places that a line can post to.
    pub(super) fn places(&self) -> Vec<Choice> {
        let mut places = vec![
            Choice::new("place", "here", "where the line is typed"),
            Choice::new("place", "me", "to you alone"),
            Choice::new("place", "thread", "the thread of the line"),
        ];
        if self.subject.has("room:post") {
            places.extend(self.rooms());
            if self.may("user:list") {
                places.extend(self.people());
            }
        }
        places
    }

    /// The rooms of the shell's own, and those for which something is set.
    fn rooms(&self) -> Vec<Choice> {
        let rooms = self.world.rooms.iter();
        rooms.map(|(name, room)| Choice::new("room", name.to_string(), room.audience(name).name())).collect()
    }

    fn people(&self) -> Vec<Choice> {
        let users = self.world.policy.people().users.keys();
        users.map(|name| Choice::new("user", format!("@{name}"), "")).collect()
    }

    /// What the caller keeps, or the room, by name.
    fn owned(&self, kind: &'static str, noun: &'static str, shared: bool) -> Vec<Choice> {
        let Some(holder) = self.holder(shared) else { return Vec::new() };
        let prefix = own(&holder, "");
        let documents = self.engine.store().below(kind, &prefix).unwrap_or_default().into_iter();
        documents.filter_map(|document| Some(Choice::new(noun, document.key.strip_prefix(&prefix)?, ""))).collect()
    }

    /// Under which name the caller's things are kept, or those of the room; strangers see neither.
    pub(super) fn holder(&self, shared: bool) -> Option<EcoString> {
        let owner = self.subject.owner()?;
        if shared { Some(self.room.as_ref()?.owner()) } else { Some(owner.clone()) }
    }
}
