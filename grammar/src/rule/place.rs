//! Places: where a line was typed, and how rules name that.

use ecow::EcoString;

/// Where a line was typed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// A direct message.
    Dm,
    /// A room, without the `#` and in small letters; [`Place::room`] makes it so.
    Room(EcoString),
}

/// A place as a rule names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Spot {
    /// `dm`: a direct message, on whichever service.
    Dm,
    /// `#ops`: a room of that name on whichever service; `libera://#ops`: the one on a service.
    Room {
        /// The service's name, where the rule names it.
        service: Option<EcoString>,
        /// Without the `#`, as written.
        name: EcoString,
    },
}

impl Place {
    /// The room of a name, with or without its `#`. Chat services tell no rooms apart by capital letters.
    pub fn room(name: &str) -> Self {
        Self::Room(name.strip_prefix('#').unwrap_or(name).to_lowercase().into())
    }

    /// The place itself, where it is that of some of the people in it: what is said to those of a rank (`@#ops` on IRC) is
    /// said in the room.
    #[must_use]
    pub fn whole(&self) -> Self {
        match self {
            Self::Dm => Self::Dm,
            Self::Room(name) => {
                let whole = name.strip_prefix(['@', '%', '+', '~']).and_then(|rest| rest.strip_prefix('#'));
                Self::Room(whole.map_or_else(|| name.clone(), EcoString::from))
            }
        }
    }
}

impl Spot {
    /// Whether a place on a service is meant; none when that cannot be said because the service is not known.
    pub fn is(&self, place: &Place, service: Option<&str>) -> Option<bool> {
        match (self, place) {
            (Self::Dm, Place::Dm) => Some(true),
            (Self::Dm, Place::Room(_)) | (Self::Room { .. }, Place::Dm) => Some(false),
            (Self::Room { service: wanted, name }, Place::Room(_)) => {
                if place.whole() != Place::room(name) {
                    return Some(false);
                }
                wanted.as_ref().map_or(Some(true), |wanted| service.map(|service| service == wanted))
            }
        }
    }

    /// The same place, as all rules write it that mean it.
    #[must_use]
    pub fn canonical(&self) -> Self {
        match self {
            Self::Dm => Self::Dm,
            Self::Room { service, name } => Self::Room { service: service.clone(), name: name.to_lowercase() },
        }
    }
}
