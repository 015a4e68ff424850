//! What the shell lends to the calls of one line. The only host there is: calls are judged here and nowhere else.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use ecow::EcoString;
use pipit_commands::{
    Args, Attachment, Call, Command, Effect, Error, ErrorKind, Host, Inquiry, Intent, Level, Note, Origin, Stream,
};
use pipit_commands::{Pass, Value, Verb};
use pipit_grammar::rule::{Place, Via};
use tokio::sync::{mpsc, watch};

use super::alias::Layers;
use super::approval::Release;
use super::plan::Plan;
use super::room::RoomId;
use super::world::World;
use super::{Address, Asking, EMBEDDED, Engine, Life, Request, now, serve};
use crate::access::decide::Decision;
use crate::access::{Context, Identity, Subject, Verdict, foreseen, objection};
use crate::audit::{self, Trail};
use crate::limits;
use crate::render::{self, Progress};
use crate::services::Session;

mod around;
mod ask;
mod due;
mod hand;
mod post;
mod services;
mod written;

use due::Due;
use written::Written;

/// The host of one line.
pub(crate) struct LineHost {
    pub(super) engine: Engine,
    pub(super) world: Arc<World>,
    pub(super) subject: Subject,
    context: Context,
    pub(super) service: EcoString,
    trail: Trail,
    identity: Identity,
    /// Where the service reaches the caller.
    pub(super) address: Option<Address>,
    /// Whether the line's input is the operator's standard input, which stands in no log.
    pub(super) standard_input: bool,
    /// Whether the line stood in the midst of talk.
    in_talk: bool,
    began: Instant,
    rounds: AtomicU64,
    posts: AtomicUsize,
    allowed: RwLock<Allowed>,
    said: Mutex<Said>,
    /// Who is told how far the line is.
    life: Option<watch::Sender<Life>>,
    /// Where questions of its programs go.
    asks: Option<mpsc::Sender<Asking>>,
    /// What the line has come to owe to others before it may go on.
    due: Mutex<Due>,
    /// What was approved, when the line is run for that.
    release: Option<Arc<Release>>,
    /// What programs of Cog's bundles reach the shell by, once there is one.
    session: Mutex<Option<Session>>,
}

/// Commands of which every call is allowed, as it was decided not long ago.
struct Allowed {
    since: Instant,
    commands: Vec<Command>,
}

/// For how long a decision about every call of a command counts: a right that was taken away is not used for longer.
const FRESH: Duration = Duration::from_secs(2);

/// What commands said beside their values.
#[derive(Default)]
struct Said {
    notes: Vec<String>,
    /// The template that a command chose for its values, by the command's exact name.
    templates: Vec<(EcoString, EcoString)>,
    /// Pictures and files, the last ones.
    attached: Vec<Attachment>,
    paging: Option<Paging>,
    /// Whether a call was cut short whose effect nobody knows.
    in_doubt: bool,
}

/// How much of a kept answer is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paging {
    /// How many lines, instead of as many as an answer shows.
    pub(crate) lines: usize,
}

/// How many notes a line keeps.
const NOTES: usize = 20;

/// The host as it is lent to a line's calls.
#[derive(Clone)]
pub(super) struct Lent {
    host: Arc<LineHost>,
    /// By what way the calls come, where it is not that of the line.
    via: Option<Via>,
    /// Why they are made, as the line says it.
    reason: Option<EcoString>,
}

impl Lent {
    /// The host as the line itself has it.
    pub(super) fn new(host: &Arc<LineHost>) -> Self {
        Self { host: Arc::clone(host), via: None, reason: None }
    }
}

impl LineHost {
    pub(super) fn new(
        engine: Engine,
        world: Arc<World>,
        subject: Subject,
        context: Context,
        request: &Request,
        trail: Trail,
        release: Option<Arc<Release>>,
    ) -> Self {
        Self {
            engine,
            world,
            subject,
            context,
            service: request.service.clone(),
            trail,
            identity: request.identity.clone(),
            address: request.address.clone(),
            standard_input: request.input.is_some(),
            in_talk: request.cause == Some(EMBEDDED),
            began: Instant::now(),
            rounds: AtomicU64::new(0),
            posts: AtomicUsize::new(0),
            allowed: RwLock::new(Allowed { since: Instant::now(), commands: Vec::new() }),
            said: Mutex::default(),
            life: request.life.clone(),
            asks: request.asks.clone(),
            due: Mutex::default(),
            release,
            session: Mutex::default(),
        }
    }

    /// The same, for calls that come by another way.
    fn context_by(&self, via: Option<Via>) -> Context {
        Context { via: via.unwrap_or(self.context.via), at: now(), ..self.context.clone() }
    }

    /// Where and how the line came.
    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    /// The aliases that the caller has here.
    pub(super) fn layers(&self, world: &World) -> Layers {
        world.layers(self.subject.owner(), RoomId::of(&self.service, &self.context.place).as_ref())
    }

    /// Notes for whoever typed the line.
    pub(super) fn tell(&self, notes: Vec<String>) {
        let mut said = self.said();
        let room = NOTES.saturating_sub(said.notes.len());
        said.notes.extend(notes.into_iter().take(room));
    }

    /// Who asks, as far as it was proved.
    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What is written of the line.
    pub(super) fn trail(&self) -> &Trail {
        &self.trail
    }

    /// Who asks, with the roles they have now.
    pub(super) fn subject_now(&self) -> Result<Subject, Error> {
        self.engine.world()?.policy.subject(&self.identity)
    }

    /// The verified account that asks, in the way of `claim`.
    pub(super) fn claimant(&self) -> Option<EcoString> {
        match &self.identity {
            Identity::Account(account) => Some(account.clone()),
            Identity::Operator | Identity::Named(_) | Identity::Stranger(_) => None,
        }
    }

    /// The line's id.
    pub(super) fn line(&self) -> &str {
        self.trail.id()
    }

    /// Refuses a command that the caller may not run with any arguments whatever.
    pub(super) fn judge_name(&self, command: &Command, via: Option<Via>) -> Result<(), Error> {
        let context = self.context_by(via);
        let Some(verdict) = self.world.policy.foresee(&self.subject, command, &context) else { return Ok(()) };
        match foreseen(&self.subject, command, &verdict.decision) {
            Some(error) => {
                self.write(command, None, &verdict);
                Err(error)
            }
            None => Ok(()),
        }
    }

    /// Judges a plan before anything of it runs, by the arguments where the line alone gives them: every command has
    /// been judged by name already.
    pub(super) fn judge_whole(&self, plan: &Plan) -> Result<Judged, Error> {
        let mut objections = Vec::new();
        plan.each_command(&mut |stage, stated| {
            if let Err(error) = self.by_hand(plan, stage, stated) {
                objections.push(error.at(stage.span));
            }
            let command = &stated.command;
            let policy = &self.world.policy;
            let Some(args) = stated.known.as_ref().filter(|_| !stated.fills) else { return };
            let verdict = policy.judge(&self.subject, command, args, &self.context_by(stated.via));
            let asks = due::Asks { command, args, via: stated.via, reason: stated.reason.as_ref() };
            let verdict = self.settle(&self.world, &self.subject, &asks, verdict);
            if due::waits_for_others(&verdict.decision) {
                self.write(command, stated.known.as_ref(), &verdict);
                return;
            }
            if let Some(error) = objection(&self.subject, command, &verdict.decision) {
                self.write(command, stated.known.as_ref(), &verdict);
                objections.push(error.at(stage.span));
            }
        });
        plan.each_redirect(&mut |redirect, labels| {
            objections.extend(redirect.targets.iter().filter_map(|target| self.may_post(target, labels).err()));
        });
        // a denial says more than a wait
        let first = objections.iter().position(|error| error.kind() == ErrorKind::Denied);
        match objections.into_iter().nth(first.unwrap_or(0)) {
            Some(error) => Err(error),
            None if self.waits() => Ok(Judged::Waits),
            None => Ok(Judged::Runs),
        }
    }

    /// What commands said that whoever typed the line should know.
    pub(super) fn notes(&self) -> Vec<String> {
        std::mem::take(&mut self.said().notes)
    }

    /// Pictures and files that commands attached.
    pub(super) fn attached(&self) -> Vec<Attachment> {
        std::mem::take(&mut self.said().attached)
    }

    /// The line shows a page of a kept answer.
    pub(super) fn turns_pages(&self, paging: Paging) {
        self.said().paging = Some(paging);
    }

    /// How a kept answer is shown, when the line shows one.
    pub(super) fn paging(&self) -> Option<Paging> {
        self.said().paging
    }

    /// Who is told how far the line is.
    pub(super) fn life(&self) -> Option<&watch::Sender<Life>> {
        self.life.as_ref()
    }

    /// Whether a template shows the values of a command, unless it chooses another while it runs.
    pub(super) fn has_template(&self, command: &Command) -> bool {
        self.world.shown_by.contains_key(command.exact())
    }

    /// The template that shows the values of a command.
    pub(super) fn template(&self, command: &Command) -> Option<render::Template> {
        let chosen = self.said().templates.iter().find(|(of, _)| of == command.exact()).map(|(_, name)| name.clone());
        let name = match chosen {
            Some(name) => format!("{}:{name}", command.spec().bundle).into(),
            None => self.world.shown_by.get(command.exact())?.clone(),
        };
        self.world.templates.get(&name).cloned()
    }

    fn said(&self) -> std::sync::MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn decide(&self, asks: &due::Asks<'_>) -> Result<Verdict, Error> {
        self.decide_by(&self.world, &self.subject, asks)
    }

    /// Decides by the rules and roles as they are now: a line may have waited long since it began.
    fn decide_now(&self, asks: &due::Asks<'_>) -> Result<Verdict, Error> {
        let world = self.engine.world()?;
        let subject = world.policy.subject(&self.identity)?;
        self.decide_by(&world, &subject, asks)
    }

    fn decide_by(&self, world: &World, subject: &Subject, asks: &due::Asks<'_>) -> Result<Verdict, Error> {
        let verdict = world.policy.judge(subject, asks.command, asks.args, &self.context_by(asks.via));
        let verdict = self.settle(world, subject, asks, verdict);
        self.write(asks.command, Some(asks.args), &verdict);
        match objection(subject, asks.command, &verdict.decision) {
            Some(_) if due::waits_for_others(&verdict.decision) => Err(self.gather(asks.command)),
            Some(error) => Err(error),
            None => Ok(verdict),
        }
    }

    fn write(&self, command: &Command, args: Option<&Args>, verdict: &Verdict) {
        let args = args.map_or_else(|| "{}".to_owned(), |args| bound(command, args));
        self.trail.verdict(&audit::Verdict {
            at: now(),
            command: command.exact(),
            args: &args,
            allowed: matches!(verdict.decision, Decision::Allow { .. }),
            rule: &verdict.rule,
        });
    }

    fn is_allowed(&self, command: &Command) -> bool {
        let allowed = self.allowed.read().unwrap_or_else(PoisonError::into_inner);
        allowed.since.elapsed() < FRESH && allowed.commands.iter().any(|other| other.is(command))
    }

    /// Remembers that every call of a command is allowed; what was remembered too long ago is forgotten.
    fn allow(&self, command: &Command) {
        let mut allowed = self.allowed.write().unwrap_or_else(PoisonError::into_inner);
        if allowed.since.elapsed() >= FRESH {
            *allowed = Allowed { since: Instant::now(), commands: Vec::new() };
        }
        allowed.commands.push(command.clone());
    }
}

/// What becomes of a plan that was judged whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// It may run.
    Runs,
    /// It waits for others to approve of it.
    Waits,
}

/// The arguments by name, as JSON.
pub(super) fn bound(command: &Command, args: &Args) -> String {
    let usage = &command.spec().usage;
    let of = |given: &[pipit_commands::Arg], many: bool| match given {
        [one] if !many => one.value.clone(),
        several => Value::List(several.iter().map(|arg| arg.value.clone()).collect()),
    };
    let params = usage.params.iter().zip(&args.params).filter(|(_, given)| !given.is_empty());
    let params: pipit_commands::Record =
        params.map(|(param, given)| (param.name.clone(), of(given, param.many))).collect();
    let options = usage.options.iter().zip(&args.options).filter(|(_, given)| !given.is_empty());
    let options: pipit_commands::Record =
        options.map(|(option, given)| (option.key(), of(given, option.many))).collect();
    let whole: pipit_commands::Record = [("args", params), ("options", options)].into_iter().collect();
    Value::from(whole).to_json()
}

impl Lent {
    fn asks<'a>(&'a self, command: &'a Command, args: &'a Args) -> due::Asks<'a> {
        due::Asks { command, args, via: self.via, reason: self.reason.as_ref() }
    }
}

#[async_trait]
impl Host for Lent {
    async fn judge(&self, command: &Command, args: &Args) -> Result<Option<Arc<dyn Intent>>, Error> {
        self.host.decide_now(&self.asks(command, args))?;
        if command.spec().effect == Effect::Pure {
            return Ok(None);
        }
        self.host.begins(command)?;
        let intent = self.host.trail.intent(now(), command.exact(), &bound(command, args)).await;
        let intent = intent.map_err(|error| Error::new(ErrorKind::Unavailable, error.to_string()))?;
        Ok(Some(Arc::new(Written::new(intent, command, &self.host))))
    }

    fn judge_now(&self, command: &Command, args: &Args) -> Result<(), Error> {
        if self.host.is_allowed(command) {
            return Ok(());
        }
        let begun = self.host.began.elapsed() < FRESH;
        let asks = self.asks(command, args);
        let verdict = if begun { self.host.decide(&asks)? } else { self.host.decide_now(&asks)? };
        if verdict.for_all {
            self.host.allow(command);
        }
        Ok(())
    }

    fn now(&self) -> i64 {
        now()
    }

    fn dice(&self) -> u64 {
        let mut bytes = [0; 8];
        // without chance of the system's there is none at all
        let _ = getrandom::fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn spend(&self, rounds: u64) -> Result<(), Error> {
        let spent = self.host.rounds.fetch_add(rounds, Ordering::Relaxed).saturating_add(rounds);
        if spent > limits::ROUNDS {
            return Err(Error::failed(format!(
                "the line has run {} rounds of its loops, and that is all",
                limits::ROUNDS
            )));
        }
        Ok(())
    }

    async fn sleep(&self, seconds: f64) {
        tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
    }

    fn origin(&self) -> Origin {
        Origin {
            user: self.host.subject.told(),
            room: match &self.host.context.place {
                Place::Dm => "dm".into(),
                Place::Room(name) => format!("#{name}").into(),
            },
            adapter: self.host.service.clone(),
            line: self.host.trail.id().into(),
            handle: self.host.address.as_ref().map_or_else(|| self.host.subject.told(), |address| address.name.clone()),
        }
    }

    fn note(&self, command: &Command, note: Note) {
        let mut said = self.host.said();
        match note {
            Note::Log { level: Level::Warn | Level::Error, text } if said.notes.len() < NOTES => {
                said.notes.push(format!("{}: {}", command.spec().name, render::plain(&text)));
            }
            Note::Template(name) => {
                said.templates.retain(|(of, _)| of != command.exact());
                said.templates.push((command.exact().clone(), name));
                if let Some(life) = &self.host.life {
                    // what has been shown by now stays as it is
                    life.send_modify(|life| life.held |= life.last.as_ref() == Some(command.exact()));
                }
            }
            Note::Log { level, text } => tracing::info!(command = %command.exact(), ?level, "{text}"),
            Note::Progress { part, text } => {
                if let Some(life) = &self.host.life {
                    let text = render::plain(&text).replace(['\n', '\t'], " ").into();
                    life.send_modify(|life| life.progress = Some(Progress { part, text }));
                }
            }
            Note::Attach(attachment) if said.attached.len() < limits::ATTACHED => said.attached.push(attachment),
            Note::Attach(_) => {}
        }
    }

    async fn ask(&self, command: &Command, inquiry: Inquiry) -> Result<EcoString, Error> {
        self.host.inquire(command, &inquiry).await
    }

    fn services(&self, command: &Command) -> Option<Pass> {
        services::pass(&self.host, command)
    }

    fn serve(&self, verb: Verb, call: &Call, input: Option<Stream>) -> Stream {
        serve::serve(Arc::clone(&self.host), verb, call.clone(), input)
    }
}
