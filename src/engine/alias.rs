//! Aliases as they are looked up: a caller's own, those of the room, those of the site.
//!
//! Deliberately absent: making and publishing them, which are verbs, and commands, which go before every alias.

use std::collections::HashMap;
use std::sync::Arc;

use ecow::EcoString;
use pipit_grammar::ast::Line;

/// Whose an alias is. In the order in which a name is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    /// One person's.
    Own,
    /// Everybody's who speaks in one room.
    Room,
    /// Everybody's.
    Site,
}

impl Scope {
    /// All of them, in the order of the look-up.
    pub(crate) const ALL: [Self; 3] = [Self::Own, Self::Room, Self::Site];

    /// As it is typed and shown.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Room => "room",
            Self::Site => "site",
        }
    }

    /// From how it is typed.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    /// The right to publish there, and to change there what is another's; one's own takes none.
    pub(crate) fn right(self) -> Option<&'static str> {
        match self {
            Self::Own => None,
            Self::Room => Some("alias:room"),
            Self::Site => Some("alias:site"),
        }
    }
}

/// A line under a name.
#[derive(Clone, Debug)]
pub(crate) struct Alias {
    pub(crate) line: Arc<Line>,
    /// Who made it, or who changed it last.
    pub(crate) by: EcoString,
}

/// The aliases of one scope, by name.
pub(crate) type Aliases = Arc<HashMap<EcoString, Alias>>;

/// The aliases that one caller has in one place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layers {
    own: Aliases,
    room: Aliases,
    site: Aliases,
}

impl Layers {
    /// These scopes'.
    pub(super) fn new(own: Aliases, room: Aliases, site: Aliases) -> Self {
        Self { own, room, site }
    }

    /// The aliases of one scope.
    pub(crate) fn of(&self, scope: Scope) -> &Aliases {
        match scope {
            Scope::Own => &self.own,
            Scope::Room => &self.room,
            Scope::Site => &self.site,
        }
    }

    /// What a name stands for.
    pub(crate) fn find(&self, name: &str) -> Option<(Scope, &Alias)> {
        Scope::ALL.into_iter().find_map(|scope| Some((scope, self.of(scope).get(name)?)))
    }

    /// Every alias, also those behind one of the same name.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Scope, &EcoString, &Alias)> {
        Scope::ALL.into_iter().flat_map(|scope| self.of(scope).iter().map(move |(name, alias)| (scope, name, alias)))
    }

    /// The same with one more, to see what would become of them; that of the scope and name is replaced.
    pub(super) fn with(&self, scope: Scope, name: &str, alias: Alias) -> Self {
        let mut layers = self.clone();
        let aliases = match scope {
            Scope::Own => &mut layers.own,
            Scope::Room => &mut layers.room,
            Scope::Site => &mut layers.site,
        };
        Arc::make_mut(aliases).insert(name.into(), alias);
        layers
    }

    /// The same for somebody who has none of their own.
    pub(super) fn shared(&self) -> Self {
        Self { own: Aliases::default(), ..self.clone() }
    }
}
