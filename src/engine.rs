//! Request to reply: a ticket is opened, the line is understood, judged whole and by every call, run, and the ticket is
//! closed. Every way in ends here, and nothing runs anywhere else.
//!
//! Deliberately absent: chat services, terminals, and how an answer is shown.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use ecow::EcoString;
use pipit_commands::{Attachment, Batch, Error, ErrorKind, Labels, Stream, Verb};
use pipit_grammar::rule::{Place, Via};
use tokio::sync::{mpsc, oneshot, watch};

use crate::access::{Context, Identity, Subject};
use crate::audit::{Asked, Audit, Outcome, Status, Trail};
use crate::bundle::Sources;
use crate::limits;
use crate::net::Net;
use crate::render::Template;
use crate::scrub;
use crate::seal::Seals;
use crate::services::Services;
use crate::store::Store;

mod alias;
mod approval;
mod asking;
mod bundles;
mod complete;
mod develop;
mod drive;
mod elevation;
mod emergency;
mod host;
mod labels;
mod life;
mod names;
mod notice;
mod plan;
mod planner;
mod question;
mod recall;
mod reply;
mod room;
mod run;
mod serve;
mod talk;
#[cfg(test)]
mod tests;
mod timers;
mod uptime;
mod way_back;
mod withheld;
mod world;

use approval::Release;
pub(crate) use asking::Asking;
use bundles::Bundles;
pub(crate) use complete::Completion;
pub(crate) use drive::looks;
use drive::{Bounds, Listed, Running, drive, status};
pub(crate) use host::Paging;
use host::{Judged, Lent, LineHost};
pub(crate) use life::Life;
pub(crate) use names::Catalogue;
use names::Names;
pub(crate) use notice::Notices;
use planner::Planner;
pub(crate) use question::Question;
pub(crate) use reply::Reply;
use room::{Room, RoomId};
pub(crate) use room::{SHELL, room_of};
pub(crate) use talk::Speaker;
use uptime::Uptime;
use world::World;

/// The shell's inside. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Engine(Arc<Inner>);

struct Inner {
    home: PathBuf,
    store: Store,
    audit: Audit,
    seals: Seals,
    world: RwLock<Arc<World>>,
    running: Mutex<BTreeMap<String, Running>>,
    outlet: OnceLock<Arc<dyn Outlet>>,
    bundles: Bundles,
    /// Where bundles come from.
    sources: Sources,
    net: Net,
    uptime: Uptime,
    /// Which process this is, by chance.
    process: EcoString,
    /// When the version of the store was last asked for, in milliseconds since it all began.
    looked: AtomicU64,
    /// The newest message in an inbox that its owner has been told of.
    told: Mutex<HashMap<EcoString, String>>,
    notices: OnceLock<Notices>,
    /// What programs of Cog's bundles ask for.
    services: Services,
}

/// A line that somebody asked for.
pub(crate) struct Request {
    /// The line, without prefix.
    pub(crate) text: String,
    /// Who, as far as it is proved.
    pub(crate) identity: Identity,
    /// The chat service it came by, or `shell`.
    pub(crate) service: EcoString,
    /// The room, or a direct message.
    pub(crate) place: Place,
    /// Where whoever asks is reached with a direct message; none where nobody can be written to.
    pub(crate) address: Option<Address>,
    /// The way in.
    pub(crate) via: Via,
    /// What made the line come in, when it was not typed as a line by the one who is named: the operator's `--as`, or
    /// [`EMBEDDED`].
    pub(crate) cause: Option<&'static str>,
    /// What flows into the first stage.
    pub(crate) input: Option<Stream>,
    /// Told the line's id as soon as there is one, and how far the line is.
    pub(crate) life: Option<watch::Sender<Life>>,
    /// Where questions of its programs go; none where nobody can be asked.
    pub(crate) asks: Option<mpsc::Sender<Asking>>,
}

/// The cause of a line that stood in the midst of talk.
pub(crate) const EMBEDDED: &str = "embedded";

/// Where a service reaches somebody: a name alone may be another's by the time that something is said.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    /// The name, as it was shown.
    pub(crate) name: EcoString,
    /// When it was theirs, as the service counts.
    pub(crate) heard: u64,
}

/// Where posts go that leave the room of their line. The chat adapters are above; this is how they are reached.
#[async_trait]
pub(crate) trait Outlet: Send + Sync {
    /// Whether the service has the room.
    fn knows(&self, service: &str, place: &Place) -> bool;
    /// Posts a text to a room.
    async fn post(&self, service: &str, room: &str, text: &str) -> Result<(), Error>;
    /// Says a text to the person of this address alone, or to nobody when they have left.
    async fn whisper(&self, service: &str, address: &Address, text: &str) -> Result<(), Error>;
    /// The services and how they are, for `status`.
    fn services(&self) -> Vec<(EcoString, EcoString)>;
}

impl Engine {
    /// Opens the shell of a home. `net` is its way out to the network.
    pub(crate) fn open(
        home: &Path,
        store: Store,
        audit: Audit,
        seals: Seals,
        net: Net,
        sources: Sources,
    ) -> Result<Self, Error> {
        Self::open_by(Uptime::default(), home, (store, audit, seals), net, sources)
    }

    /// The same by a given clock.
    fn open_by(
        uptime: Uptime,
        home: &Path,
        (store, audit, seals): (Store, Audit, Seals),
        net: Net,
        sources: Sources,
    ) -> Result<Self, Error> {
        let bundles = Bundles::new(net.reach(), sources.clone());
        let world = World::load(home, &store, &seals, &bundles)?;
        serve::keep_in(&store, &seals);
        Ok(Self(Arc::new(Inner {
            home: home.to_owned(),
            store,
            audit,
            seals,
            world: RwLock::new(Arc::new(world)),
            running: Mutex::default(),
            outlet: OnceLock::new(),
            bundles,
            sources,
            net,
            uptime,
            process: chance()?,
            looked: AtomicU64::new(0),
            told: Mutex::default(),
            notices: OnceLock::new(),
            services: Services::default(),
        })))
    }

    /// The enabled bundles that cannot run, and why.
    pub(crate) fn broken_bundles(&self) -> Result<Vec<(String, Error)>, Error> {
        Ok(self.world()?.broken.clone())
    }

    /// Closes the lines of processes that died without closing them; now and then, while the shell serves. What they
    /// did is unknown, and the log says so.
    pub(crate) async fn close_orphans(&self) -> Result<usize, Error> {
        const BACK: i64 = 7 * 24 * 60 * 60 * 1000;
        let at = now();
        self.0.audit.close_orphans(at - BACK, at).await.map(|closed| closed.len()).map_err(unavailable)
    }

    /// Erases what records of the log say that are older than so many days; how many.
    pub(crate) async fn erase_old(&self, days: u32) -> Result<u64, Error> {
        let (at, reason) = (now(), format!("older than {days} days"));
        let until = at.saturating_sub(i64::from(days) * 24 * 60 * 60 * 1000);
        self.0.audit.erase_before(until, at, &reason).await.map_err(unavailable)
    }

    /// Reads the whole database and says whether it is sound.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.0.store.check().map_err(unavailable)
    }

    /// Says in the log that lines of an earlier run broke off, when their process is gone; gives their ids.
    pub(crate) async fn close_broken_lines(&self) -> Result<Vec<String>, Error> {
        let since = now() - i64::try_from(limits::LOOK_BACK.as_millis()).unwrap_or(i64::MAX);
        self.0.audit.close_orphans(since, now()).await.map_err(unavailable)
    }

    /// Waits until the programs of lines that have ended have ended too. To be called before the process ends.
    pub(crate) async fn settle(&self) {
        self.0.bundles.settle().await;
    }

    /// What is kept.
    fn store(&self) -> &Store {
        &self.0.store
    }

    /// Says where notices go; once.
    pub(crate) fn tell_in(&self, notices: Notices) {
        // a second call changes nothing, as with the outlet
        let _ = self.0.notices.set(notices);
    }

    /// Says where posts go; once.
    pub(crate) fn connect(&self, outlet: Arc<dyn Outlet>) {
        // a second call changes nothing: whoever connected first is who posts
        let _ = self.0.outlet.set(outlet);
    }

    /// A new one-time code that makes whoever says it the administrator; none when there is one already.
    pub(crate) async fn claim_code(&self) -> Result<Option<String>, Error> {
        let world = self.world()?;
        let Some((code, change)) = serve::new_code(&world) else { return Ok(None) };
        self.0.store.apply(vec![change]).await.map_err(unavailable)?;
        Ok(Some(code))
    }

    /// What is set for a room of a service.
    pub(crate) fn room(&self, service: &str, place: &Place) -> Room {
        let Some(id) = RoomId::of(service, place) else { return Room::default() };
        // without a store nothing runs anyway
        self.world_lately().ok().and_then(|world| world.rooms.get(&id).cloned()).unwrap_or_default()
    }

    /// What somebody is told who has unread messages, once for every newest one.
    pub(crate) fn waiting(&self, identity: &Identity) -> Option<String> {
        let world = self.world().ok()?;
        let subject = world.policy.subject(identity).ok()?;
        let owner = subject.owner()?;
        let newest = &world.unread.get(owner)?.newest;
        let mut told = self.0.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.get(owner) == Some(newest) {
            return None;
        }
        told.insert(owner.clone(), newest.clone());
        serve::waiting(&world, owner)
    }

    /// Stops a running line on behalf of somebody; true when it was running.
    pub(crate) fn stop(&self, id: &str, by: &str) -> bool {
        let line = self.running().remove(id);
        line.is_some_and(|line| line.kill.send(by.into()).is_ok())
    }

    /// Answers a request. Values are handed to `show` as they come, in order; it may say that it wants no more.
    pub(crate) async fn handle(
        &self,
        request: Request,
        show: &mut (dyn FnMut(Batch) -> ControlFlow<()> + Send),
    ) -> Reply {
        self.handle_released(request, None, show).await
    }

    /// The same for a line that others have approved of.
    async fn handle_released(
        &self,
        request: Request,
        release: Option<Arc<Release>>,
        show: &mut (dyn FnMut(Batch) -> ControlFlow<()> + Send),
    ) -> Reply {
        let began = Instant::now();
        let at = now();
        let who = self.who(&request.identity);
        let room = room_name(&request.place);
        let cause = release.as_ref().map(|release| release.cause());
        let cause = cause.as_deref().or(request.cause);
        let typed = withheld::tokens(&request.text);
        let withheld = withheld::is(self, &request.text).await;
        let text = if withheld { withheld::TEXT } else { &request.text };
        let asked = Asked { at, who: &who, via: &request.service, room: &room, text, cause };
        let ticket = match self.0.audit.open(asked).await {
            Ok(ticket) => ticket,
            Err(error) => {
                let error = Error::new(ErrorKind::Unavailable, error.to_string());
                return Reply { error: Some(error), ..Reply::default() };
            }
        };
        if let Some(life) = &request.life {
            life.send_modify(|life| life.id = Some(ticket.id().into()));
        }
        let mut beside = Beside::default();
        let opened = Opened { who, at, version: ticket.version(), trail: ticket.trail().clone(), release };
        let ended =
            if withheld { Err(withheld::refusal()) } else { self.answer(request, opened, show, &mut beside).await };
        let error = ended.err();
        let receipt = ticket.close(&Outcome {
            at: now(),
            status: error.as_ref().map_or(Status::Ok, |error| status(error.kind())),
            message: &error.as_ref().map(ToString::to_string).unwrap_or_default(),
            took: began.elapsed(),
            values: beside.values.load(Ordering::Relaxed),
        });
        tracing::debug!(id = receipt.id(), "answered");
        let Beside { template, attached, paging, mut notes, .. } = beside;
        notes.splice(0..0, typed);
        Reply { error, template, attached, paging, notes, receipt: Some(receipt) }
    }

    async fn answer(
        &self,
        request: Request,
        opened: Opened,
        show: &mut (dyn FnMut(Batch) -> ControlFlow<()> + Send),
        beside: &mut Beside,
    ) -> Result<(), Error> {
        let Opened { who, at, version, trail, release } = opened;
        let approved = release.is_some();
        let world = self.world_of(version)?;
        let subject = world.policy.subject(&request.identity)?;
        let same = world.policy.people().written(&request.identity) == who;
        // whoever asked, the log names them, and approvals were given to them
        if !same || release.as_ref().is_some_and(|release| Some(&release.plan.who.name) != subject.owner()) {
            return Err(Error::new(ErrorKind::Denied, "who you are was changed at this moment").help("say it again"));
        }
        if world.emergencies.contains_key(subject.name()) && !subject.is_stranger() {
            self.notice(&format!("{} in an emergency: {}", subject.name(), request.text)).await;
        }
        let line = pipit_grammar::parse(&request.text)?;
        let context = world.context(&request.service, &request.place, request.via, at);
        let recalled = self.recalled(&line, &request.identity, &who, trail.id()).await?;
        let id = trail.id().to_owned();
        let names = Self::names(&world, &subject, &context);
        let host =
            Arc::new(LineHost::new(self.clone(), Arc::clone(&world), subject, context, &request, trail, release));
        let lent: Arc<dyn pipit_commands::Host> = Arc::new(Lent::new(&host));
        let input = request.input.as_ref().map(|_| Labels::one(labels::INPUT));
        let kept = labels::kept(&host);
        let plan = Planner::new(&names, &lent, &recalled, &|command, via| host.judge_name(command, via), &kept)
            .plan(&line, input)?;
        if host.judge_whole(&plan)? == Judged::Waits {
            return Err(approval::park(&host, &line, &plan).await);
        }
        host.tell(serve::set_aside(&host, &line));
        host.tell(host.world.faults(&plan));
        let bounds = Bounds::of(&request.identity, approved, &plan);
        let (kill, killed) = oneshot::channel();
        let running = Running {
            who,
            service: request.service.clone(),
            room: room_name(&request.place),
            text: scrub::owned(request.text),
            since: at,
            shown: Arc::clone(&beside.values),
            kill,
        };
        let _listed = Listed::new(self, id, running, bounds)?;
        let around: Arc<dyn run::Around> = Arc::new(Lent::new(&host));
        let last_command = plan.last_command();
        if let Some(life) = host.life() {
            life.send_modify(|life| {
                life.last = last_command.as_ref().map(|command| command.exact().clone());
                life.held = last_command.as_ref().is_some_and(|command| host.has_template(command));
            });
        }
        let plan = Arc::new(plan);
        let stream = run::line(&around, &plan, request.input);
        // what comes while the line is only looked through is not what it comes to
        let mut show = |batch| if host.waits() { ControlFlow::Continue(()) } else { show(batch) };
        // what somebody typed is shown to nobody else
        let clean = if host.context().place == Place::Dm { scrub::told } else { scrub::values };
        let ended = drive(clean, stream, killed, &mut show, beside).await;
        host.close_services();
        if host.waits() {
            return Err(approval::park(&host, &line, &plan).await);
        }
        // what more shows goes on with what is kept only where it is shown as it is
        let pages = last_command.as_ref().is_some_and(|command| command.verb() == Some(Verb::More));
        beside.paging = host.paging().filter(|_| pages);
        if host.address.is_some() {
            host.tell(self.waiting(&request.identity).into_iter().collect());
        }
        beside.template = last_command.and_then(|command| host.template(&command));
        beside.attached = host.attached();
        beside.notes = host.notes();
        ended.map_err(|error| host.doubted(error))
    }

    /// The names that a subject can use.
    fn names(world: &Arc<World>, subject: &Subject, context: &Context) -> Names {
        let room = RoomId::of(&context.service, &context.place);
        let aliases = world.layers(subject.owner(), room.as_ref());
        let (policy, subject, context) = (Arc::clone(world), subject.clone(), context.clone());
        Names {
            commands: Arc::clone(&world.catalogue),
            aliases,
            may: Arc::new(move |command| policy.policy.may_some_way(&subject, command, &context)),
            hides: false,
        }
    }

    fn running(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Running>> {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A line that is written down and may be answered.
struct Opened {
    who: EcoString,
    at: i64,
    /// The version of the store in the commit that opened it.
    version: u64,
    trail: Trail,
    release: Option<Arc<Release>>,
}

/// What there is to say of a reply beside its values.
#[derive(Default)]
struct Beside {
    /// How many there were; `ps` reads it meanwhile.
    values: Arc<AtomicU64>,
    template: Option<Template>,
    attached: Vec<Attachment>,
    paging: Option<Paging>,
    notes: Vec<String>,
}

/// The name of a room as it is shown and written down; a direct message has none.
fn room_name(place: &Place) -> EcoString {
    match place {
        Place::Dm => EcoString::new(),
        Place::Room(name) => name.clone(),
    }
}

fn unavailable(error: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Unavailable, error.to_string())
}

/// A name by chance, for what must not be taken for another.
fn chance() -> Result<EcoString, Error> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(unavailable)?;
    Ok(data_encoding::HEXLOWER.encode(&bytes).into())
}

/// Milliseconds since 1970.
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
