//! The answer of a line that ran later than it was asked for, on its way to the one who asked. Where he cannot be reached
//! any more it is kept for his `more`.

use pipit_commands::Value;
use pipit_grammar::rule::Place;

use super::Engine;
use crate::access::approval::Parked;
use crate::engine::room::SHELL;
use crate::engine::{Address, Reply};
use crate::limits;
use crate::render::{self, Look, Roll};

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
            if let Place::Room(room) = &place {
                engine.post_kept(room, &text).await;
            }
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
