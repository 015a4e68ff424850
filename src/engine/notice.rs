//! What everybody in charge has to hear: said in the room that the configuration names, by whichever process reaches it.
//! One that does not leaves it in the store for the one that does.
//!
//! Deliberately absent: anything that waits for an answer.

use ecow::EcoString;
use pipit_commands::{Record, Value};
use pipit_grammar::rule::Place;
use serde::{Deserialize, Serialize};

use super::room::{RoomId, SHELL};
use super::world::kind;
use super::{Engine, chance, now};
use crate::limits;
use crate::store::{Change, Expect};

/// Where notices go.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Notices {
    /// `SERVICE://#ROOM`, or `#ROOM` of the shell's own; nowhere but to the log when it is left out.
    #[serde(default)]
    pub(crate) room: Option<String>,
}

/// A notice that has not been said.
#[derive(Serialize, Deserialize)]
struct Waiting {
    room: String,
    text: String,
}

impl Notices {
    /// Whether the room can be one.
    pub(crate) fn check(&self) -> Result<(), String> {
        match self.room.as_deref().map(place) {
            Some(None) => Err("room is written SERVICE://#ROOM, or #ROOM for one of the shell's own".into()),
            Some(Some(_)) | None => Ok(()),
        }
    }
}

/// The room that is meant.
fn place(room: &str) -> Option<RoomId> {
    let (service, name) = room.split_once("://").unwrap_or((SHELL, room));
    let name = name.strip_prefix('#')?;
    (!service.is_empty() && !name.is_empty()).then(|| RoomId::new(service, name))
}

impl Engine {
    /// Says a notice, now or as soon as somebody can. One that cannot even be kept is in the log of the process.
    pub(super) async fn notice(&self, text: &str) {
        let text = &crate::scrub::text(text);
        tracing::warn!("{text}");
        let Some(room) = self.0.notices.get().and_then(|notices| notices.room.clone()) else { return };
        if self.say_notice(&room, text).await {
            return;
        }
        let waiting = Waiting { room, text: text.to_string() };
        let key = format!("{:016x}/{}", now(), chance().unwrap_or_default());
        let body = serde_json::to_string(&waiting).unwrap_or_default();
        if let Err(error) = self.0.store.apply(vec![Change::Insert { kind: kind::NOTICE, key, body }]).await {
            tracing::warn!(%error, "a notice was not kept");
        }
    }

    /// Says the notices that another process could not.
    pub(super) async fn say_waiting(&self) {
        let waiting = self.0.store.list(kind::NOTICE).unwrap_or_default();
        // when nobody reaches the room for long, the newest are what matters
        let many = waiting.len().saturating_sub(limits::NOTICES);
        for (at, document) in waiting.into_iter().enumerate() {
            let said = match serde_json::from_str::<Waiting>(&document.body) {
                Ok(notice) if at >= many => self.say_notice(&notice.room, &notice.text).await,
                Ok(_) | Err(_) => true,
            };
            if said {
                let gone = Change::Delete { kind: kind::NOTICE, key: document.key, expect: Expect::Anything };
                let _kept = self.0.store.apply(vec![gone]).await;
            }
        }
    }

    async fn say_notice(&self, room: &str, text: &str) -> bool {
        let Some(room) = place(room) else { return true };
        if room.service == SHELL {
            return self.post_kept(&room.name, text).await;
        }
        let Some(outlet) = self.0.outlet.get() else { return false };
        outlet.knows(&room.service, &Place::Room(room.name.clone()))
            && outlet.post(&room.service, &room.name, text).await.is_ok()
    }

    /// Posts to a room of the shell's own in its own name; false when there is no such room.
    pub(super) async fn post_kept(&self, room: &EcoString, text: &str) -> bool {
        if !self.world().is_ok_and(|world| world.rooms.contains_key(&RoomId::new(SHELL, room))) {
            return false;
        }
        let at = now();
        let time = jiff::Timestamp::from_millisecond(at).map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        let post: Record =
            [("at", Value::from(time.unwrap_or_default())), ("by", "pipit".into()), ("text", text.into())]
                .into_iter()
                .collect();
        let key = format!("#{room}/{at:016x}/{}", chance().unwrap_or_default());
        let body = Value::from(post).to_json();
        let change = Change::Put { kind: kind::POST, key, body, expect: Expect::Anything };
        self.0.store.apply(vec![change]).await.is_ok()
    }
}
