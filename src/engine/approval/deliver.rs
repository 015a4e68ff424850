//! The answer of a line that ran later than it was asked for, on its way to the one who asked. Where he cannot be reached
//! any more it is kept for his `more`.

use pipit_commands::{Record, Value};
use pipit_grammar::rule::Place;

use super::Engine;
use crate::access::approval::Parked;
use crate::engine::room::{RoomId, SHELL};
use crate::engine::world::kind;
use crate::engine::{Address, Reply, now};
use crate::limits;
use crate::render::{self, Look, Roll};
use crate::store::{Change, Expect};

/// What came of the line, as text.
pub(super) fn text(values: &[Value], reply: &Reply, line: &str) -> String {
    Roll::new(Look::Plain).document(&reply.document(values).closed(reply.error.clone(), &reply.notes, line))
}

/// Says it where the request was made: in the room, or to the requester alone.
pub(super) async fn answer(engine: &Engine, parked: &Parked, head: &str, said: &str) {
    let plan = &parked.plan;
    let place = plan.place();
    let (shown, rest) = render::shorten(said, limits::SHOWN_LINES, limits::SHOWN_BYTES);
    let whole = format!("{head}\n{said}");
    let mut text = format!("{head}\n{shown}").trim_end().to_owned();
    // of which so many bytes have been shown
    let keep = |text: String, shown: usize| {
        let identity = plan.who.identity();
        let (engine, place) = (engine.clone(), place.clone());
        let service = plan.service.clone();
        async move { engine.keep_answer(&identity, (&service, &place), (&text, shown), false).await.unwrap_or(false) }
    };
    let outlet = engine.0.outlet.get();
    let sent = match (&place, outlet) {
        // nobody can be written to at a terminal: the requester asks for it
        _ if plan.service == SHELL => {
            post(engine, &place, &text).await;
            false
        }
        (Place::Room(room), Some(outlet)) => {
            if let Some(rest) = rest
                && keep(said.to_owned(), said.len() - rest.len()).await
            {
                text.push_str(&format!("\n… {} more lines: more", rest.lines().count()));
            }
            outlet.post(&plan.service, room, &text).await.is_ok()
        }
        (Place::Dm, Some(outlet)) => match &parked.asker {
            // a name that another process heard may be anybody's by now
            Some(asker) if asker.process == engine.0.process => {
                let address = Address { name: asker.name.clone(), heard: asker.heard };
                outlet.whisper(&plan.service, &address, &text).await.is_ok()
            }
            Some(_) | None => false,
        },
        (Place::Room(_) | Place::Dm, None) => false,
    };
    if !sent && !keep(whole, 0).await {
        tracing::warn!(request = %parked.plan.id(), "the answer of an approved line reached nobody");
    }
}

/// Posts to a room of the shell's own, if it is one.
async fn post(engine: &Engine, place: &Place, text: &str) {
    let Place::Room(room) = place else { return };
    if !engine.world().is_ok_and(|world| world.rooms.contains_key(&RoomId::new(SHELL, room))) {
        return;
    }
    let at = now();
    let time = jiff::Timestamp::from_millisecond(at).map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    let post: Record = [("at", Value::from(time.unwrap_or_default())), ("by", "pipit".into()), ("text", text.into())]
        .into_iter()
        .collect();
    let key = format!("#{room}/{at:016x}/pipit");
    let change = Change::Put { kind: kind::POST, key, body: Value::from(post).to_json(), expect: Expect::Anything };
    if let Err(error) = engine.store().apply(vec![change]).await {
        tracing::warn!(%error, "a post was not kept");
    }
}
