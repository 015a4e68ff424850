//! The connected services as the shell reaches them: where posts go, and how the services are.
//!
//! Deliberately absent: answers, which go back the way that their lines came.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use async_trait::async_trait;
use ecow::EcoString;
use pipit_commands::Error;
use pipit_grammar::rule;
use tokio::sync::oneshot;

use super::{Handle, Link, Place, Post};
use crate::engine::{Address, Outlet};

/// How long a post to one person may wait for those before it.
const OUT: Duration = Duration::from_secs(30);

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
        self.hand_on(service, Post { place, text, heard, said: None })
    }

    /// The room of a service that the shell is in by this name, as the service writes it.
    fn room(&self, service: &str, name: &str) -> Option<EcoString> {
        let handles = self.all();
        let state = handles.get(service)?.state();
        let wanted = rule::Place::room(name);
        state.rooms.iter().find(|room| rule::Place::room(room) == wanted).cloned()
    }

    fn hand_on(&self, service: &str, post: Post) -> Result<(), String> {
        let handles = self.all();
        let handle = handles.get(service).ok_or_else(|| format!("there is no chat service {service}"))?;
        handle.post(post)
    }
}

#[async_trait]
impl Outlet for Services {
    fn knows(&self, service: &str, place: &rule::Place) -> bool {
        let rule::Place::Room(name) = place else { return false };
        self.room(service, name).is_some()
    }

    async fn post(&self, service: &str, room: &str, text: &str) -> Result<(), Error> {
        let name = self.room(service, room).unwrap_or_else(|| format!("#{room}").into());
        self.say(service, Place::Room(name), None, text.to_owned()).map_err(Error::failed)
    }

    async fn whisper(&self, service: &str, address: &Address, text: &str) -> Result<(), Error> {
        let (said, goes_out) = oneshot::channel();
        let place = Place::Direct(address.name.clone());
        let post = Post { place, text: text.to_owned(), heard: Some(address.heard), said: Some(said) };
        self.hand_on(service, post).map_err(Error::failed)?;
        let left = || Error::failed(format!("{} has left {service}", address.name));
        tokio::time::timeout(OUT, goes_out).await.ok().and_then(Result::ok).ok_or_else(left)
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
