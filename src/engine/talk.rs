//! The talk of rooms that keep it, for reviews: kept from when the room was told so, without secrets, and for as long as the
//! room says. Commands are in the log already, and are not kept twice.
//!
//! Deliberately absent: which message is talk (the chat knows that), and how a review shows it.

use std::collections::BTreeSet;

use ecow::EcoString;
use pipit_commands::Error;
use pipit_grammar::rule::Place;

use super::room::{Conversation, Room, RoomId};
use super::world::kind;
use super::{Engine, now, unavailable};
use crate::access::Identity;
use crate::limits;
use crate::scrub::{self, shapes};
use crate::store::{Change, Expect, Over, Spoken};

/// Milliseconds of a day.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// Who says something in a room.
#[derive(Clone, Debug)]
pub(crate) enum Speaker {
    /// The bot itself.
    Bot,
    /// Somebody, as far as it is proved who.
    Other(Identity),
}

impl Engine {
    /// Something was said in a room that is no command. Kept if the room keeps its talk and was told so; otherwise the room is
    /// told now.
    pub(crate) fn overheard(&self, service: &str, place: &Place, speaker: &Speaker, text: &str, at: i64) {
        let Some(conversation) = self.room(service, place).conversation else { return };
        let Some(id) = RoomId::of(service, place) else { return };
        if !conversation.told {
            // what is said before everybody could know is not kept
            let engine = self.clone();
            tokio::spawn(async move { engine.tell_that_talk_is_kept(&id).await });
            return;
        }
        // another process may have switched it off a moment ago
        let Ok(world) = self.world() else { return };
        if !world.rooms.get(&id).and_then(|room| room.conversation.as_ref()).is_some_and(|kept| kept.told) {
            return;
        }
        let who = match speaker {
            Speaker::Bot => "pipit".into(),
            Speaker::Other(identity) => world.policy.people().written(identity),
        };
        scrub::keep_typed(shapes::found(text).into_iter().map(|(kind, value)| (kind.to_owned(), value)));
        let text = scrub::text(text.get(..text.floor_char_boundary(limits::TALK_TEXT)).unwrap_or(text)).into_owned();
        if let Err(error) = self.store().spoken(Spoken { room: id.key(), at, who: who.into(), text }) {
            tracing::warn!(%error, room = %id, "something that was said is not kept");
        }
    }

    /// Tells a room that its talk is kept from now on, once each time that it was switched on, if it can be reached.
    pub(super) async fn tell_that_talk_is_kept(&self, id: &RoomId) {
        let Some(outlet) = self.0.outlet.get().filter(|outlet| outlet.knows(&id.service, &id.place())) else { return };
        match self.now_told(id).await {
            Ok(Some(days)) => {
                let text = format!(
                    "from now on what is said here is kept for {days} days, for reviews of what happened \
                     (audit timeline); room set {id} conversation=off ends that and deletes it"
                );
                if let Err(error) = outlet.post(&id.service, &id.name, &text).await {
                    tracing::warn!(%error, room = %id, "the room was not told that its talk is kept");
                }
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, room = %id, "the room was not told that its talk is kept"),
        }
    }

    /// Writes down that the room is told; for how many days, unless somebody else tells it, or nothing is kept any more.
    async fn now_told(&self, id: &RoomId) -> Result<Option<u32>, Error> {
        let Some(found) = self.store().get(kind::ROOM, &id.key()).map_err(unavailable)? else { return Ok(None) };
        let mut room: Room = serde_json::from_str(&found.body).map_err(unavailable)?;
        let Some(conversation) = room.conversation.as_mut().filter(|conversation| !conversation.told) else {
            return Ok(None);
        };
        conversation.told = true;
        let days = conversation.days;
        let body = serde_json::to_string(&room).map_err(unavailable)?;
        let change = Change::Put { kind: kind::ROOM, key: id.key(), body, expect: Expect::Revision(found.revision) };
        // whoever changed it meanwhile tells the room
        Ok(self.store().apply(vec![change]).await.is_ok().then_some(days))
    }

    /// Deletes the talk whose time is over, of a room or of all: what its room keeps no longer, what is older than the room
    /// or the log keeps it, and the oldest beyond the bound.
    pub(crate) async fn end_old_talk(&self, log_keeps: Option<u32>) -> Result<u64, Error> {
        let world = self.world()?;
        let mut deleted = 0;
        let rooms: BTreeSet<String> = self.store().talked_in().map_err(unavailable)?.into_iter().collect();
        for room in rooms {
            let kept = RoomId::from_key(&room).and_then(|id| world.rooms.get(&id)?.conversation.clone());
            let days = kept.map(|Conversation { days, .. }| days.min(log_keeps.unwrap_or(u32::MAX)));
            let before = days.map_or(i64::MAX, |days| now().saturating_sub(i64::from(days).saturating_mul(DAY)));
            let over = Over::Room { room, before, most: limits::TALK_ROWS };
            deleted += self.store().end_talk(over).await.map_err(unavailable)?;
        }
        Ok(deleted)
    }

    /// Deletes all talk of a room.
    pub(super) async fn forget_talk_of(&self, id: &RoomId) -> Result<u64, Error> {
        let over = Over::Room { room: id.key(), before: i64::MAX, most: 0 };
        self.store().end_talk(over).await.map_err(unavailable)
    }

    /// Deletes what somebody said in any room.
    pub(super) async fn forget_talk_by(&self, who: &EcoString) -> Result<u64, Error> {
        self.store().end_talk(Over::Person(who.to_string())).await.map_err(unavailable)
    }
}
