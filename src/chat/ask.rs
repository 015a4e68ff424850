//! A message to a request and a reply to an answer: the way from every chat service to the engine and back.
//!
//! Deliberately absent: rights, and what any service is like.

use std::collections::HashMap;
use std::convert::Infallible;
use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use async_trait::async_trait;
use ecow::EcoString;
use pipit_commands::limits::weight;
use pipit_commands::{Error, Value};
use pipit_grammar::rule::{self, Via};
use tokio::sync::watch;

use super::{Answer, Ask, Habits, Handle, Link, Message, Place, Post, Stands, Ways};
use crate::access::Identity;
use crate::engine::{Address, EMBEDDED, Engine, Life, Outlet, Request};
use crate::limits;
use crate::render::{self, Document, Look, Roll};

/// How long a line runs before the room is told that it does.
const LIFE: Duration = Duration::from_secs(2);

/// The services that are connected, by name.
#[derive(Clone, Default)]
pub(crate) struct Services(Arc<RwLock<HashMap<EcoString, Handle>>>);

impl Services {
    /// Says which there are, when all are started.
    pub(crate) fn set(&self, handles: HashMap<EcoString, Handle>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = handles;
    }

    /// Lets every service finish what it runs and take leave.
    pub(crate) async fn stop(&self) {
        let handles = std::mem::take(&mut *self.0.write().unwrap_or_else(PoisonError::into_inner));
        for handle in handles.into_values() {
            handle.stop().await;
        }
    }

    fn all(&self) -> RwLockReadGuard<'_, HashMap<EcoString, Handle>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, service: &str, place: Place, heard: Option<u64>, text: String) -> Result<(), String> {
        let handles = self.all();
        let handle = handles.get(service).ok_or_else(|| format!("there is no chat service {service}"))?;
        handle.post(Post { place, text, heard })
    }
}

#[async_trait]
impl Outlet for Services {
    fn knows(&self, service: &str, place: &rule::Place) -> bool {
        let rule::Place::Room(name) = place else { return false };
        let name = format!("#{name}");
        self.all().get(service).is_some_and(|handle| handle.state().rooms.iter().any(|room| *room == name))
    }

    async fn post(&self, service: &str, room: &str, text: &str) -> Result<(), Error> {
        self.say(service, Place::Room(format!("#{room}").into()), None, text.to_owned()).map_err(Error::failed)
    }

    async fn whisper(&self, service: &str, address: &Address, text: &str) -> Result<(), Error> {
        self.say(service, Place::Direct(address.name.clone()), Some(address.heard), text.to_owned())
            .map_err(Error::failed)
    }

    fn services(&self) -> Vec<(EcoString, EcoString)> {
        let handles = self.all();
        let mut all: Vec<(EcoString, EcoString)> = handles
            .iter()
            .map(|(name, handle)| {
                let state = handle.state();
                let link = match state.link {
                    Link::Connecting => "connecting".to_owned(),
                    Link::Connected { nick, .. } => format!("connected as {nick}, in {} rooms", state.rooms.len()),
                    Link::Waiting { .. } => "waiting to connect again".to_owned(),
                    Link::Stopped => "stopped".to_owned(),
                };
                let state = match state.last_error {
                    Some(error) => format!("{link} (last trouble: {error})"),
                    None => link,
                };
                (name.clone(), state.into())
            })
            .collect();
        all.sort();
        all
    }
}

/// What runs the lines of a service of a kind.
pub(crate) fn ask(engine: Engine, services: Services, kind: &'static str) -> Ask {
    Arc::new(move |message| {
        let (engine, services) = (engine.clone(), services.clone());
        Box::pin(async move {
            let (first, then) = message.apart();
            let mut answers = answer(&engine, &services, kind, first).await;
            for line in then {
                answers = join(answers, answer(&engine, &services, kind, line).await);
            }
            answers
        })
    })
}

/// Two answers as one, in order.
fn join(first: Option<Answer>, second: Option<Answer>) -> Option<Answer> {
    let (Some(one), Some(two)) = (&first, &second) else { return first.or(second) };
    Some(Answer { text: format!("{}\n{}", one.text, two.text), notice: one.notice || two.notice })
}

/// The habits of the rooms of a service, as the shell has them set.
pub(crate) fn ways(engine: Engine, service: EcoString) -> Ways {
    Arc::new(move |place| {
        let room = engine.room(&service, &place_of(place));
        Habits { prefix: room.prefix, embedded: room.embedded }
    })
}

/// The place as rules know it.
fn place_of(place: &Place) -> rule::Place {
    match place {
        Place::Room(name) => rule::Place::Room(name.strip_prefix('#').unwrap_or(name).into()),
        Place::Direct(_) => rule::Place::Dm,
    }
}

async fn answer(engine: &Engine, services: &Services, kind: &str, message: Message) -> Option<Answer> {
    let identity = match &message.sender.account {
        Some(account) => Identity::Account(format!("{kind}://{}/{account}", message.service).into()),
        None => Identity::Stranger(message.sender.shown.clone()),
    };
    let place = place_of(&message.place);
    tracing::debug!(service = %message.service, key = ?message.key, at = message.at, "heard");
    let (told, mut life) = watch::channel(Life::default());
    let request = Request {
        text: message.text.to_string(),
        identity: identity.clone(),
        service: message.service.clone(),
        place: place.clone(),
        address: Some(Address { name: message.sender.shown.clone(), heard: message.heard }),
        via: Via::Chat,
        cause: matches!(message.stands, Stands::InTalk { .. }).then_some(EMBEDDED),
        input: None,
        life: Some(told),
    };
    let mut taken = Taken::default();
    let mut show = |batch| taken.take(batch);
    let reply = {
        // the line goes on while its id is awaited: it may take long to get one
        let shows_life = async {
            tokio::time::sleep(LIFE).await;
            if let Ok(Some(id)) = life.wait_for(|life| life.id.is_some()).await.map(|life| life.id.clone()) {
                // a room that cannot be told now is told the outcome
                let _ = services.say(
                    &message.service,
                    message.place.clone(),
                    Some(message.heard),
                    format!("{id} is running; kill {id} stops it"),
                );
            }
            std::future::pending::<Infallible>().await
        };
        tokio::select! {
            biased;
            reply = engine.handle(request, &mut show) => reply,
            never = shows_life => match never {},
        }
    };
    let values = taken.values();
    let look = Look::Room { width: 100 };
    let whole = Roll::new(look).document(&reply.document(&values));
    let (shown, rest) = render::shorten(&whole);
    let mut text = shown.to_owned();
    if let Some(rest) = rest {
        let left = rest.lines().count();
        let kept = engine.keep_rest(&identity, &place, rest).await.unwrap_or(false);
        let lines = if left == 1 { "line" } else { "lines" };
        text.push_str(&format!("\n… {left} more {lines}{}", if kept { ": more" } else { "" }));
    }
    let closed = Roll::new(look).document(&Document::ended(None).closed(reply.error, &reply.notes, &message.text));
    if !text.is_empty() && !closed.is_empty() {
        text.push('\n');
    }
    text.push_str(&closed);
    if text.is_empty() {
        text.push_str("(nothing came out)");
    }
    Some(Answer { text, notice: false })
}

/// The values of an answer as far as they are shown or kept: bounded in number and in bytes, for a long text that comes
/// ten thousand times takes no memory before it is written out.
#[derive(Default)]
struct Taken {
    values: Vec<Value>,
    bytes: usize,
    over: bool,
}

impl Taken {
    /// Takes values in; says when there is no more room.
    fn take(&mut self, batch: Vec<Value>) -> ControlFlow<()> {
        for value in batch {
            self.bytes += weight(&value);
            // the first is shown however long it is
            let long = self.bytes > limits::ANSWER && !self.values.is_empty();
            if long || self.values.len() == limits::KEPT_VALUES {
                self.over = true;
                return ControlFlow::Break(());
            }
            self.values.push(value);
        }
        ControlFlow::Continue(())
    }

    /// What was taken, and a word about what was not.
    fn values(mut self) -> Vec<Value> {
        if self.over {
            let count = self.values.len();
            self.values.push(format!("… cut off after {count} values").into());
        }
        self.values
    }
}

#[cfg(test)]
mod tests {
    use super::{Taken, Value, limits};

    #[test]
    fn an_answer_is_bounded_in_number_and_in_bytes() {
        let mut many = Taken::default();
        assert!(many.take(vec![Value::Int(1); limits::KEPT_VALUES]).is_continue());
        assert!(many.take(vec![Value::Int(1)]).is_break());
        let values = many.values();
        assert_eq!(values.len(), limits::KEPT_VALUES + 1);
        assert_eq!(values.last(), Some(&Value::from("… cut off after 10000 values")));

        let mut long = Taken::default();
        let mebibyte = Value::text("x".repeat(1 << 20));
        assert!(long.take(vec![mebibyte; 1000]).is_break());
        assert!(long.values().len() < 10);
        let mut one = Taken::default();
        assert!(one.take(vec![Value::text("x".repeat(limits::ANSWER + 1))]).is_continue());
    }
}
