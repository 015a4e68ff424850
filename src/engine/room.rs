//! Rooms: which one is meant, and what is set for it.
//!
//! A room is known by its service and its name: `#ops` on one network and `#ops` on another are two rooms, whose people are
//! not the same. Deliberately absent: who may set what, which the rules of `room set` say.

use std::fmt;

use ecow::EcoString;
use pipit_commands::{Record, Value};
use pipit_grammar::rule::Place;
use serde::{Deserialize, Serialize};

use crate::access::Audience;

/// The service of the rooms that the shell itself keeps.
pub(crate) const SHELL: &str = "shell";

/// A room of one service.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct RoomId {
    /// The service's name, as its entry in the configuration says; [`SHELL`] for a room of the shell's own.
    pub(crate) service: EcoString,
    /// The room's name there, without the `#`.
    pub(crate) name: EcoString,
}

impl RoomId {
    /// A room by service and name; the name's `#` may be there. Capital letters tell no rooms apart.
    pub(crate) fn new(service: &str, name: &str) -> Self {
        Self { service: service.into(), name: name.strip_prefix('#').unwrap_or(name).to_lowercase().into() }
    }

    /// The room of a line; a direct message has none.
    pub(crate) fn of(service: &str, place: &Place) -> Option<Self> {
        match place {
            Place::Dm => None,
            Place::Room(name) => Some(Self::new(service, name)),
        }
    }

    /// The place that it is on its service.
    pub(super) fn place(&self) -> Place {
        Place::Room(self.name.clone())
    }

    /// Under which key its settings are kept. A service's name holds no slash.
    pub(crate) fn key(&self) -> String {
        format!("{}/{}", self.service, self.name)
    }

    /// Whose key that is.
    pub(super) fn from_key(key: &str) -> Option<Self> {
        key.split_once('/').map(|(service, name)| Self::new(service, name))
    }

    /// The name under which what belongs to the room is kept, beside what belongs to persons. It holds no slash, and no
    /// user's name begins so.
    pub(crate) fn owner(&self) -> EcoString {
        let name = self.name.replace("%", "%25").replace("/", "%2f");
        ecow::eco_format!("#{}:{name}", self.service)
    }
}

impl fmt::Display for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.service == SHELL { write!(f, "#{}", self.name) } else { write!(f, "{}://#{}", self.service, self.name) }
    }
}

/// The room that somebody names: `#ops` or `ops`, of no service in particular, or `libera://#ops`; nothing when it is none.
pub(crate) fn room_of(typed: &str) -> Option<(Option<EcoString>, Place)> {
    const LONGEST: usize = 200;
    let (service, name) = match typed.split_once("://") {
        Some((service, name)) => (Some(service), name),
        None => (None, typed),
    };
    let bare = name.strip_prefix('#').unwrap_or(name);
    let good = |text: &str| !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    let fits =
        good(bare) && bare.len() <= LONGEST && service.is_none_or(|service| good(service) && !service.contains('/'));
    fits.then(|| (service.map(EcoString::from), Place::room(bare)))
}

/// What is set for a room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Room {
    /// Who can read along, where somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) audience: Option<Audience>,
    /// What a command begins with here, instead of what its service says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) prefix: Option<EcoString>,
    /// Whether commands that stand in backticks in the midst of talk run.
    #[serde(default)]
    pub(crate) embedded: bool,
    /// Whether what is said here is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) conversation: Option<Conversation>,
}

/// How long the talk of a room is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Conversation {
    /// So many days.
    pub(crate) days: u32,
    /// Whether the room was told; before that nothing is kept.
    #[serde(default)]
    pub(crate) told: bool,
}

impl Room {
    /// Who can read along: what nobody said of a room of a chat service is taken for public.
    pub(crate) fn audience(&self, id: &RoomId) -> Audience {
        let unsaid = if id.service == SHELL { Audience::Private } else { Audience::Public };
        self.audience.unwrap_or(unsaid)
    }

    /// The settings as a record.
    pub(crate) fn record(&self, id: &RoomId) -> Record {
        let mut record: Record = [("room", Value::from(id.to_string()))].into_iter().collect();
        for setting in SETTINGS {
            record.put(setting.name, (setting.shown)(self, id));
        }
        record
    }

    /// Takes `name=value` in; the error says what the setting takes, or which there are.
    pub(crate) fn set(&mut self, said: &str) -> Result<(), String> {
        let Some((name, value)) = said.split_once('=') else {
            return Err(format!("{said:?} sets nothing: write NAME=VALUE, such as embedded=on"));
        };
        let Some(setting) = SETTINGS.iter().find(|setting| setting.name == name) else {
            let names: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
            return Err(format!("a room has no setting {name}: it has {}", names.join(", ")));
        };
        (setting.set)(self, value).ok_or_else(|| format!("{value:?} is nothing that {name} takes: {}", setting.takes))
    }
}

/// One thing that can be set for a room.
struct Setting {
    name: &'static str,
    /// What it takes, for errors.
    takes: &'static str,
    set: fn(&mut Room, &str) -> Option<()>,
    shown: fn(&Room, &RoomId) -> String,
}

const SETTINGS: &[Setting] = &[
    Setting {
        name: "audience",
        takes: "public, private or external-shared",
        set: |room, value| {
            room.audience = Some(Audience::from_name(value)?);
            Some(())
        },
        shown: |room, id| room.audience(id).name().into(),
    },
    Setting {
        name: "prefix",
        takes: "one to four signs such as ! or .. (no letter, digit, blank, quote or backtick), or default",
        set: |room, value| {
            room.prefix = match value {
                "default" => None,
                value if is_prefix(value) => Some(value.into()),
                _ => return None,
            };
            Some(())
        },
        shown: |room, _| room.prefix.as_ref().map_or_else(|| "default".into(), ToString::to_string),
    },
    Setting {
        name: "embedded",
        takes: "on or off",
        set: |room, value| {
            room.embedded = match value {
                "on" => true,
                "off" => false,
                _ => return None,
            };
            Some(())
        },
        shown: |room, _| if room.embedded { "on".into() } else { "off".into() },
    },
    Setting {
        name: "conversation",
        takes: "off, or for how many days what is said is kept: 1d to 400d",
        set: |room, value| {
            const MOST: u32 = 400;
            room.conversation = match value.strip_suffix('d').map(str::parse) {
                None if value == "off" => None,
                Some(Ok(days @ 1..=MOST)) => Some(Conversation { days, told: false }),
                Some(_) | None => return None,
            };
            Some(())
        },
        shown: |room, _| match &room.conversation {
            None => "off".into(),
            Some(kept) => format!("{}d{}", kept.days, if kept.told { "" } else { ", once the room was told" }),
        },
    },
];

/// Whether a command can begin so: signs that no talk begins with by chance.
fn is_prefix(text: &str) -> bool {
    const LONGEST: usize = 4;
    let sign = |c: char| c.is_ascii_punctuation() && !"`'\"".contains(c);
    (1..=LONGEST).contains(&text.len()) && text.chars().all(sign)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]
    use super::{Room, RoomId};

    #[test]
    fn two_services_have_two_rooms_of_one_name() {
        let ids = [("a", "ops"), ("b", "ops"), ("shell", "ops"), ("a", "ops/x"), ("a", "ops%2fx"), ("a:ops", "x")];
        let ids = ids.map(|(service, name)| RoomId::new(service, name));
        for (at, id) in ids.iter().enumerate() {
            assert_eq!(RoomId::from_key(&id.key()).as_ref(), Some(id));
            assert!(!id.owner().contains('/'), "{id}");
            for other in &ids[..at] {
                assert!(other.key() != id.key() && other.owner() != id.owner(), "{id} {other}");
            }
        }
        assert_eq!(RoomId::new("net", "#ops"), RoomId::new("net", "ops"));
    }

    #[test]
    fn a_setting_is_taken_or_told() {
        let mut room = Room::default();
        for said in ["embedded=on", "prefix=..", "audience=private"] {
            room.set(said).expect(said);
        }
        assert!(room.embedded && room.prefix.as_deref() == Some(".."));
        room.set("prefix=default").unwrap();
        assert_eq!(room.prefix, None);
        for (said, tells) in [
            ("embedded", "NAME=VALUE"),
            ("embedded=yes", "on or off"),
            ("prefix=x", "signs"),
            ("prefix=", "signs"),
            ("prefix=!!!!!", "signs"),
            ("prefix=`", "signs"),
            ("colour=red", "audience, prefix, embedded"),
            ("audience=all", "public, private or external-shared"),
        ] {
            let error = room.set(said).expect_err(said);
            assert!(error.contains(tells), "{said}: {error}");
        }
    }
}
