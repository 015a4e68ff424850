//! A message to a request and a reply to an answer: the way from every chat service to the engine and back.
//!
//! Deliberately absent: rights, and what any service is like.

use std::sync::{Arc, Mutex};

use ecow::EcoString;
use pipit_grammar::rule::{self, Via};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, interval_at};

use super::follow::{Following, Taken, lock};
use super::{Answer, Ask, Habits, Listen, Message, Place, Sender, Stands, Teller, Ways};
use crate::access::Identity;
use crate::engine::{Address, EMBEDDED, Engine, Life, Question, Request, Speaker};
use crate::limits;
use crate::render::{Document, Roll};

/// What runs the lines of a service of a kind.
pub(crate) fn ask(engine: Engine, kind: &'static str) -> Ask {
    Arc::new(move |message, teller| {
        let engine = engine.clone();
        Box::pin(async move {
            let (first, then) = message.apart();
            let mut answers = answer(&engine, kind, first, &teller).await;
            for line in then {
                answers = join(answers, answer(&engine, kind, line, &teller).await);
            }
            answers
        })
    })
}

/// Two answers as one, in order.
fn join(first: Option<Answer>, second: Option<Answer>) -> Option<Answer> {
    let (Some(one), Some(two)) = (&first, &second) else { return first.or(second) };
    Some(Answer { text: format!("{}\n{}", one.text, two.text), notice: one.notice || two.notice, question: None })
}

/// The habits of the rooms of a service, as the shell has them set.
pub(crate) fn ways(engine: Engine, service: EcoString) -> Ways {
    Arc::new(move |place| {
        let room = engine.room(&service, &place_of(place));
        Habits { prefix: room.prefix, embedded: room.embedded }
    })
}

/// What hears the talk of the rooms of a service of a kind.
pub(crate) fn listen(engine: Engine, kind: &'static str, service: EcoString) -> Listen {
    Arc::new(move |place, sender, text, at| {
        let speaker = sender.map_or(Speaker::Bot, |sender| Speaker::Other(identity(kind, &service, sender)));
        engine.overheard(&service, &place_of(place), &speaker, text, at);
    })
}

/// Who somebody is, as far as the service verified it.
fn identity(kind: &str, service: &str, sender: &Sender) -> Identity {
    match &sender.account {
        Some(account) => Identity::Account(format!("{kind}://{service}/{account}").into()),
        None => Identity::Stranger(sender.shown.clone()),
    }
}

/// The place as rules know it.
fn place_of(place: &Place) -> rule::Place {
    match place {
        Place::Room(name) => rule::Place::room(name),
        Place::Direct(_) => rule::Place::Dm,
    }
}

async fn answer(engine: &Engine, kind: &str, message: Message, teller: &Teller) -> Option<Answer> {
    let identity = identity(kind, &message.service, &message.sender);
    let place = place_of(&message.place);
    tracing::debug!(service = %message.service, key = ?message.key, at = message.at, "heard");
    let (told, life) = watch::channel(Life::default());
    let (asks, mut asked) = mpsc::channel(1);
    let alone = message.stands == Stands::Alone;
    let request = Request {
        text: message.text.to_string(),
        identity: identity.clone(),
        service: message.service.clone(),
        place: place.clone(),
        address: Some(Address { name: message.sender.shown.clone(), heard: message.heard }),
        via: Via::Chat,
        cause: (!alone).then_some(EMBEDDED),
        input: None,
        life: Some(told),
        asks: alone.then_some(asks),
    };
    let taken = Mutex::new(Taken::default());
    let mut following = Following::new(teller, &taken);
    let mut show = |batch| lock(&taken).take(batch);
    let mut reply = {
        let mut beats = interval_at(Instant::now() + limits::LIFE, limits::LIFE);
        let running = engine.handle(request, &mut show);
        tokio::pin!(running);
        loop {
            tokio::select! {
                biased;
                reply = &mut running => break reply,
                Some(asking) = asked.recv() => following.ask(asking).await,
                _ = beats.tick() => {
                    let life = life.borrow().clone();
                    following.beat(&life).await;
                }
            }
        }
    };
    let last = following.end(&reply);
    let mut text = last.text;
    let mut add = |part: &str| {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(part);
    };
    if let Some((whole, said)) = last.left {
        let left = whole.get(said..).unwrap_or_default().trim_start_matches('\n').lines().count();
        let of = (message.service.as_str(), &place);
        let kept = engine.keep_answer(&identity, of, (&whole, said), reply.paging.is_some()).await.unwrap_or(false);
        let lines = if left == 1 { "line" } else { "lines" };
        let cut = if whole.len() > limits::OUTPUT_BYTES { " (1 MiB is kept)" } else { "" };
        add(&format!("… {left} more {lines}{}", if kept { format!("{cut}: more") } else { String::new() }));
    } else if reply.paging.is_some() {
        // all is shown now
        let of = (message.service.as_str(), &place);
        let _kept = engine.keep_answer(&identity, of, ("", 0), true).await;
    }
    let others = matches!(message.place, Place::Room(_));
    let question = reply.error.as_ref().filter(|_| alone).and_then(|error| Question::of(error, &message.text, others));
    if let Some(question) = &question {
        // it is the asker's alone, and says so
        let asked = if others { format!("{}: {}", message.sender.shown, question.text()) } else { question.text() };
        add(&format!("{asked} Say it here, or cancel"));
    } else {
        let closed = Document::ended(None).closed(reply.error.take(), &reply.notes, &message.text);
        if !closed.blocks.is_empty() {
            add(&Roll::new(teller.look()).document(&closed));
        }
    }
    if text.is_empty() {
        text.push_str(if last.follows { "(that was all)" } else { "(nothing came out)" });
    }
    Some(Answer { text, notice: false, question })
}
