//! What the words of built-in commands name: a user, a room, a field of the values that come in. Completion reads it.
//!
//! Deliberately absent: which ones there are, and who may see them.

use crate::Spec;

/// What a word names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noun {
    /// A field of the values that come in.
    Field,
    /// A command, by any of its names, or an alias.
    Command,
    /// A user.
    User,
    /// A group of users.
    Group,
    /// A role.
    Role,
    /// A permission, as `bundle:name`.
    Permission,
    /// A rule of the site, by its id.
    Rule,
    /// A room, with its `#`.
    Room,
    /// A place of the shell's own: a room with its `#`, or a user with an `@`.
    Place,
    /// An installed bundle.
    Bundle,
    /// An alias.
    Alias,
    /// A kept stream.
    Kept,
    /// A note.
    Note,
    /// A running line, by its id.
    Line,
}

impl Spec {
    /// What a parameter or an option's value names. The same name means the same in all tables: `USER` is a user, `KEY` a
    /// field, and a noun's `NAME` is one that is there, but for the verb that makes it.
    #[must_use]
    pub fn noun(&self, name: &str) -> Option<Noun> {
        if !self.built_in {
            return None;
        }
        match name {
            "NAME" | "ID" => self.own_noun(),
            "USER" | "WHO" => Some(Noun::User),
            "GROUP" => Some(Noun::Group),
            "ROLE" => Some(Noun::Role),
            "PERMISSION" => Some(Noun::Permission),
            "ROOM" => Some(Noun::Room),
            "PLACE" => Some(Noun::Place),
            "COMMAND" => Some(Noun::Command),
            "FIELD" | "COLUMN" | "CONDITION" => Some(Noun::Field),
            "PATH" if self.bundle == "record" => Some(Noun::Field),
            "KEY" => match self.bundle.as_str() {
                "my" | "our" => Some(Noun::Note),
                "bundle" => None,
                _ => Some(Noun::Field),
            },
            _ => None,
        }
    }

    /// What the verbs of the family are about, but for the one that makes it.
    fn own_noun(&self) -> Option<Noun> {
        if matches!(self.name.as_str(), "create" | "install") || self.name == self.bundle {
            return None;
        }
        Some(match self.bundle.as_str() {
            "shell" if self.name == "kill" => Noun::Line,
            "shell" => Noun::Command,
            "kept" | "keep" => Noun::Kept,
            "user" => Noun::User,
            "group" => Noun::Group,
            "role" => Noun::Role,
            "permission" => Noun::Permission,
            "rule" => Noun::Rule,
            "room" => Noun::Room,
            "bundle" => Noun::Bundle,
            "alias" => Noun::Alias,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test")]

    use super::Noun;
    use crate::built_ins;

    #[test]
    fn words_name_what_their_rows_say() {
        let all = built_ins();
        for (exact, name, noun) in [
            ("user:create", "NAME", None),
            ("user:delete", "NAME", Some(Noun::User)),
            ("group:add", "NAME", Some(Noun::Group)),
            ("group:add", "USER", Some(Noun::User)),
            ("role:give", "GROUP", Some(Noun::Group)),
            ("alias:alias", "NAME", None),
            ("alias:delete", "NAME", Some(Noun::Alias)),
            ("kept:cat", "NAME", Some(Noun::Kept)),
            ("my:delete", "KEY", Some(Noun::Note)),
            ("list:sort", "KEY", Some(Noun::Field)),
            ("list:grep", "KEY", Some(Noun::Field)),
            ("bundle:set", "KEY", None),
            ("shell:kill", "ID", Some(Noun::Line)),
            ("list:range", "END", None),
        ] {
            let command = all.iter().find(|command| *command.exact() == exact).unwrap();
            assert!(command.spec().usage.names().any(|other| other == name), "{exact} takes no {name}");
            assert_eq!(command.spec().noun(name), noun, "{exact} {name}");
        }
    }
}
