//! What one version of a bundle may do that another may not, for whoever has to say yes to it.
//!
//! Deliberately absent: the programs themselves, which nobody can compare by what they mean.

use std::collections::BTreeSet;

use super::manifest::{Entry, Format, Manifest};

/// The differences between two versions.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// What the newer one may do, or asks for, and the older one not.
    pub(crate) more: Vec<String>,
    /// The reverse.
    pub(crate) less: Vec<String>,
    /// What it may do now that somebody has to agree to: more of the machine, or a command with other rules.
    pub(crate) wider: bool,
}

impl Changes {
    /// From one version to another.
    pub(crate) fn between(from: &Manifest, to: &Manifest) -> Self {
        let mut changes = Self::default();
        for (what, of) in REACH {
            changes.set(what, &of(from), &of(to), true);
        }
        let (held, holds) = (from.needs.sandbox, to.needs.sandbox);
        if held != holds {
            changes.more.push(format!("sandbox {}", holds.name()));
            changes.less.push(format!("sandbox {}", held.name()));
            changes.wider |= holds < held;
        }
        if (from.format == Format::Own) != (to.format == Format::Own) {
            let protocol = |manifest: &Manifest| if manifest.format == Format::Own { "1" } else { "Cog's" };
            changes.more.push(format!("protocol {}", protocol(to)));
            changes.less.push(format!("protocol {}", protocol(from)));
            changes.wider = true;
        }
        changes.set("permission", &permissions(from), &permissions(to), false);
        changes.set("setting", &settings(from), &settings(to), false);
        for old in &from.commands {
            if !to.commands.iter().any(|new| new.name == old.name) {
                changes.less.push(format!("command {}", old.usage));
            }
        }
        for new in &to.commands {
            if let Some(old) = from.commands.iter().find(|old| old.name == new.name) {
                changes.command(old, new);
                continue;
            }
            changes.more.push(format!("command {} ({}): {}", new.usage, new.effect.name(), rules(new)));
            // one that everybody may run at once
            changes.wider |= new.rules.iter().any(|rule| rule.ends_with(" allow"));
        }
        changes
    }

    /// Whether nothing that matters is another.
    pub(crate) fn is_empty(&self) -> bool {
        self.more.is_empty() && self.less.is_empty()
    }

    /// A line each: `+` for more, `-` for less.
    pub(crate) fn lines(&self) -> Vec<String> {
        let less = self.less.iter().map(|less| format!("- {less}"));
        less.chain(self.more.iter().map(|more| format!("+ {more}"))).collect()
    }

    fn command(&mut self, old: &Entry, new: &Entry) {
        let name = &new.name;
        let (before, after) = (old.usage.to_string(), new.usage.to_string());
        let mut pair = |what: &str, before: String, after: String, wider: bool| {
            if before != after {
                self.less.push(format!("{name} {what} {before}"));
                self.more.push(format!("{name} {what} {after}"));
                self.wider |= wider;
            }
        };
        pair("is used", before, after, false);
        pair("may do", old.effect.name().into(), new.effect.name().into(), new.effect > old.effect);
        let rules = |entry: &Entry| entry.rules.iter().cloned().collect::<BTreeSet<_>>();
        let (old, new) = (rules(old), rules(new));
        // a rule less may let somebody in, and so may a rule more that is an exception from another
        self.wider |= old != new;
        self.less.extend(old.difference(&new).map(|rule| format!("rule {rule}")));
        self.more.extend(new.difference(&old).map(|rule| format!("rule {rule}")));
    }

    fn set(&mut self, what: &str, from: &BTreeSet<String>, to: &BTreeSet<String>, widens: bool) {
        let more: Vec<String> = to.difference(from).map(|one| format!("{what} {one}")).collect();
        self.wider |= widens && !more.is_empty();
        self.more.extend(more);
        self.less.extend(from.difference(to).map(|one| format!("{what} {one}")));
    }
}

type Of = fn(&Manifest) -> BTreeSet<String>;

/// What a bundle takes of the machine.
const REACH: [(&str, Of); 3] = [
    ("program", |manifest| manifest.needs.programs.iter().map(ToString::to_string).collect()),
    ("network", |manifest| manifest.needs.network.iter().map(ToString::to_string).collect()),
    ("writes", |manifest| manifest.needs.write.iter().map(ToString::to_string).collect()),
];

fn permissions(manifest: &Manifest) -> BTreeSet<String> {
    manifest.permissions.iter().map(|short| format!("{}:{short}", manifest.name)).collect()
}

fn settings(manifest: &Manifest) -> BTreeSet<String> {
    let must = |required: bool| if required { ", required" } else { "" };
    manifest.config.iter().map(|setting| format!("{}{}", setting.name, must(setting.required))).collect()
}

fn rules(entry: &Entry) -> String {
    if entry.rules.is_empty() { "nobody may run it".into() } else { entry.rules.join("; ") }
}
