//! People, rules, commands, aliases and rooms as they stand at one moment: made from the store when something in it has
//! changed, and shared by all lines that begin before the next change.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use ecow::EcoString;
use pipit_commands::{Error, ErrorKind};
use pipit_grammar::rule::{Place, Via};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::alias::{Alias, Aliases, Layers};
use super::bundles::Bundles;
use super::develop::Developed;
use super::room::{Room, RoomId};
use super::serve::{self, Unread};
use super::{Catalogue, Engine, unavailable};
use crate::access::decide::{Layer, Ruling};
use crate::access::{Audience, Context, Identity, People, Policy};
use crate::limits;
use crate::render::Template;
use crate::seal::Seals;
use crate::store::Store;

/// The kinds of documents that the engine keeps.
pub(crate) mod kind {
    pub(crate) const USER: &str = "user";
    pub(crate) const NAME: &str = "name";
    pub(crate) const GROUP: &str = "group";
    pub(crate) const ROLE: &str = "role";
    pub(crate) const PERMISSION: &str = "permission";
    pub(crate) const RULE: &str = "rule";
    pub(crate) const RULES: &str = "rules";
    pub(crate) const ROOM: &str = "room";
    pub(crate) const ALIAS: &str = "alias";
    pub(crate) const NOTE: &str = "note";
    pub(crate) const KEPT: &str = "kept";
    pub(crate) const OUTPUT: &str = "output";
    pub(crate) const OUTPUT_TEXT: &str = "output-text";
    pub(crate) const POST: &str = "post";
    pub(crate) const SEEN: &str = "seen";
    pub(crate) const KARMA: &str = "karma";
    pub(crate) const PACE: &str = "pace";
    pub(crate) const STANDUP: &str = "standup";
    pub(crate) const POLL: &str = "poll";
    pub(crate) const BALLOT: &str = "ballot";
    pub(crate) const CLAIM: &str = "claim";
    pub(crate) const APPROVAL: &str = "approval";
    pub(crate) const VOTE: &str = "vote";
    pub(crate) const ELEVATION: &str = "elevation";
    pub(crate) const TOTP: &str = "totp";
    pub(crate) const EMERGENCY: &str = "emergency";
    pub(crate) const EMERGENCY_OF: &str = "emergency-of";
    pub(crate) const LINK: &str = "link";
    pub(crate) const NOTICE: &str = "notice";
}

/// What a line sees of the store.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) version: u64,
    pub(crate) policy: Policy,
    pub(crate) catalogue: Arc<Catalogue>,
    /// By whom they belong to: a user, a room ([`RoomId::owner`]), or [`SITE`].
    pub(crate) aliases: HashMap<EcoString, Aliases>,
    /// The rooms of the shell's own, and those of chat services for which something is set.
    pub(crate) rooms: BTreeMap<RoomId, Room>,
    /// What waits in the inboxes, by user.
    pub(super) unread: HashMap<EcoString, Unread>,
    /// The permissions that the site has made, and those that enabled bundles bring.
    pub(crate) permissions: Vec<EcoString>,
    /// Templates by `bundle:name`.
    pub(crate) templates: HashMap<EcoString, Template>,
    /// The template of a command, by its exact name.
    pub(crate) shown_by: HashMap<EcoString, EcoString>,
    /// Bundles that are enabled and cannot run, and why.
    pub(crate) broken: Vec<(String, Error)>,
    /// Bundles that are being worked on in this process.
    pub(crate) developed: Vec<Developed>,
    /// Who has the rights of an emergency now, and until when: then the world is another one.
    pub(crate) emergencies: BTreeMap<EcoString, i64>,
}

/// A rule of the site as kept.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeptRule {
    pub(crate) text: String,
}

/// An alias as kept.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeptAlias {
    pub(crate) line: String,
    /// Who made it, or changed it last.
    #[serde(default)]
    pub(crate) by: EcoString,
}

/// The key of what belongs to somebody: names hold no slash.
pub(crate) fn own(owner: &str, name: &str) -> String {
    format!("{owner}/{name}")
}

/// The owner in the keys of what is everybody's; no user can have this name.
pub(crate) const SITE: &str = "";

impl World {
    /// Whether it is the world of this version of the store, and nobody's rights of an emergency have ended since.
    fn stands(&self, version: u64) -> bool {
        self.version == version && self.emergencies.values().all(|until| super::now() < *until)
    }

    /// Reads the store.
    pub(super) fn load(home: &Path, store: &Store, seals: &Seals, bundles: &Bundles) -> Result<Self, Error> {
        let version = store.version().map_err(unavailable)?;
        let emergencies = super::emergency::running(store, super::now())?;
        let people = People::new(all(store, kind::USER)?, all(store, kind::GROUP)?, all(store, kind::ROLE)?)
            .in_emergency(emergencies.keys().cloned());
        let rules: BTreeMap<EcoString, KeptRule> = all(store, kind::RULE)?;
        let site = rules.into_iter().map(|(id, rule)| Ruling::read(id, Layer::Site, rule.text)).collect();
        let loaded = bundles.load(home, store, seals)?;
        let catalogue = Catalogue::new(loaded.commands);
        let policy = Policy::new(people, catalogue.all().iter(), site);
        let mut aliases: HashMap<EcoString, HashMap<EcoString, Alias>> = HashMap::new();
        for (key, alias) in all::<KeptAlias>(store, kind::ALIAS)? {
            let (owner, name) = key.split_once('/').unwrap_or((SITE, &key));
            // one that a newly enabled bundle collides with is set aside by the look-up: a command always wins
            if let Ok(line) = pipit_grammar::parse_alias(&alias.line) {
                let alias = Alias { line: Arc::new(line), by: alias.by };
                aliases.entry(owner.into()).or_default().insert(name.into(), alias);
            }
        }
        Ok(Self {
            version,
            policy,
            catalogue: Arc::new(catalogue),
            aliases: aliases.into_iter().map(|(owner, all)| (owner, Arc::new(all))).collect(),
            rooms: all(store, kind::ROOM)?
                .into_iter()
                .filter_map(|(key, room)| Some((RoomId::from_key(&key)?, room)))
                .collect(),
            unread: serve::unread(store)?,
            permissions: all::<serde_json::Value>(store, kind::PERMISSION)?
                .into_keys()
                .chain(loaded.permissions)
                .collect(),
            templates: loaded.templates,
            shown_by: loaded.shown_by,
            broken: loaded.broken,
            developed: loaded.developed,
            emergencies,
        })
    }
}

impl World {
    /// Where and how a line comes, with what is set for the room.
    pub(super) fn context(&self, service: &str, place: &Place, via: Via, at: i64) -> Context {
        Context { place: place.clone(), service: service.into(), audience: self.audience(service, place), via, at }
    }

    /// Who can read along in a place.
    pub(super) fn audience(&self, service: &str, place: &Place) -> Audience {
        let Some(id) = RoomId::of(service, &place.whole()) else { return Audience::Private };
        self.rooms.get(&id).map_or_else(|| Room::default().audience(&id), |room| room.audience(&id))
    }

    /// The aliases of a caller in a place; strangers have none of their own.
    pub(crate) fn layers(&self, owner: Option<&EcoString>, room: Option<&RoomId>) -> Layers {
        let of = |owner: &str| self.aliases.get(owner).cloned().unwrap_or_default();
        let (own, room) = (owner.map(|owner| of(owner)), room.map(|room| of(&room.owner())));
        Layers::new(own.unwrap_or_default(), room.unwrap_or_default(), of(SITE))
    }
}

impl Engine {
    /// People, rules, commands and aliases as they are now. What another process changed is seen too.
    ///
    /// What cannot be read never takes the place of what could: that decides on for a minute, so that a slip can be mended,
    /// and then nobody may anything.
    pub(super) fn world(&self) -> Result<Arc<World>, Error> {
        let known = self.known();
        let version = self.0.store.version().map_err(unavailable);
        let fresh = version.and_then(|version| {
            if known.stands(version) {
                return Ok(Arc::clone(&known));
            }
            World::load(&self.0.home, &self.0.store, &self.0.seals, &self.0.bundles).map(Arc::new)
        });
        match fresh {
            Ok(fresh) => {
                if !Arc::ptr_eq(&fresh, &known) {
                    *self.0.world.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&fresh);
                }
                self.0.looked.store(self.since_began(), Ordering::Relaxed);
                Ok(fresh)
            }
            Err(error)
                if known.stands(known.version) && u128::from(self.since_looked()) < limits::POLICY_AGE.as_millis() =>
            {
                tracing::error!("people and rules cannot be read, so those of before decide for a moment: {error}");
                Ok(known)
            }
            Err(error) => Err(error),
        }
    }

    /// The same for a line that was opened at this version of the store: whoever changed something before has changed it
    /// for the line, and nobody has to look again.
    pub(super) fn world_of(&self, version: u64) -> Result<Arc<World>, Error> {
        let known = self.known();
        if !known.stands(version) {
            return self.world();
        }
        self.0.looked.store(self.since_began(), Ordering::Relaxed);
        Ok(known)
    }

    /// The same as it was a moment ago, for what is asked of every message and gives no right. What this process has changed
    /// is seen at once.
    pub(super) fn world_lately(&self) -> Result<Arc<World>, Error> {
        let known = self.known();
        let since = self.since_looked();
        let is_of_now = known.version >= self.0.store.written();
        if is_of_now && u128::from(since) < limits::LATELY.as_millis() { Ok(known) } else { self.world() }
    }

    /// The user that the operator means by a name.
    pub(crate) fn named(&self, typed: &str) -> Identity {
        // without a store nothing runs anyway
        let meant = self.world().ok().and_then(|world| world.policy.people().meant(typed).cloned());
        Identity::Named(meant.unwrap_or_else(|| typed.into()))
    }

    /// Refuses an identity that a line could not come from: a name that is no user's.
    pub(crate) fn knows(&self, identity: &Identity) -> Result<(), Error> {
        self.world()?.policy.subject(identity).map(drop)
    }

    /// Under which name an identity is written down, as people are now.
    pub(super) fn who(&self, identity: &Identity) -> EcoString {
        self.world().unwrap_or_else(|_| self.known()).policy.people().written(identity)
    }

    fn known(&self) -> Arc<World> {
        Arc::clone(&self.0.world.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Milliseconds since people and rules were last known to be as they are.
    fn since_looked(&self) -> u64 {
        self.since_began().saturating_sub(self.0.looked.load(Ordering::Relaxed))
    }

    /// Milliseconds since the engine was opened.
    fn since_began(&self) -> u64 {
        u64::try_from(self.0.uptime.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// All documents of a kind.
fn all<T: DeserializeOwned>(store: &Store, kind: &str) -> Result<BTreeMap<EcoString, T>, Error> {
    let documents = store.list(kind).map_err(unavailable)?;
    documents
        .into_iter()
        .map(|document| {
            let body = serde_json::from_str(&document.body).map_err(|error| {
                Error::new(
                    ErrorKind::Unavailable,
                    format!("the {kind} {} in the store cannot be read: {error}", document.key),
                )
            })?;
            Ok((document.key.into(), body))
        })
        .collect()
}
