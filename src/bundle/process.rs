//! A program as a command, protocol 1: the call in arguments and environment, the incoming values on standard input,
//! the outgoing ones on standard output, both as they come.
//!
//! Deliberately absent: starting (`runner.rs`), ending (`watch.rs`), and pulling for values (`stage.rs`).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use ecow::EcoString;
use pipit_commands::{Arg, Call, Command, Effect, Error, Flow, Origin};
use pipit_commands::{Pass, Program, Record, Spec, Stream, Value};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::oneshot;
use tokio::time::Duration;

use super::argv::Template;
use super::check::steers_loader;
use super::cog;
use super::contain;
use super::control::Ears;
use super::fence::reached;
use super::hold::Hold;
use super::loopback;
use super::manifest::{Entry, Input, Manifest, Program as Started};
use super::output::Decoder;
use super::reach;
use super::runner::{Launch, Runner};
use super::stage::Stage;
use super::tail::Tail;
use super::warm::{self, Warm};
use super::watch::{Ended, Watched};
use crate::limits;

/// The protocol between the shell and a program.
const PROTOCOL: &str = "1";
/// Where programs find others, before the folders of those that the bundle needs.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Where programs look for the way out of their network; they do not agree on case.
const PROXIES: [&str; 6] = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
/// The most that a program may keep in memory of its own, in bytes.
const MEMORY: u64 = 4 << 30;

/// The values of a bundle's settings for a line, by the names of variables; an error when one that is required is not
/// set.
pub(crate) type Settings = Arc<dyn Fn(&Origin) -> Result<Vec<(EcoString, EcoString)>, Error> + Send + Sync>;

/// A bundle that can run: its manifest, and where things are on this machine.
pub(crate) struct Ready {
    /// What it says of itself.
    pub manifest: Manifest,
    /// Its folder.
    pub folder: PathBuf,
    /// The programs that it needs, where they are.
    pub programs: BTreeMap<EcoString, PathBuf>,
    /// Its settings.
    pub settings: Settings,
    /// Its programs that are kept for the next calls. They go with it.
    pub warm: Arc<Warm>,
}

/// The commands of a bundle.
pub(crate) fn commands(bundle: &Arc<Ready>, runner: &Arc<Runner>) -> Vec<Command> {
    let command = |(at, entry): (usize, &Entry)| {
        let program = Process { bundle: Arc::clone(bundle), at, runner: Arc::clone(runner) };
        Command::external(spec(&bundle.manifest, entry), Arc::new(program))
    };
    bundle.manifest.commands.iter().enumerate().map(command).collect()
}

/// What the rest of the shell knows of a bundle's command.
fn spec(manifest: &Manifest, entry: &Entry) -> Spec {
    Spec {
        bundle: manifest.name.clone(),
        name: entry.name.clone(),
        also: Vec::new(),
        usage: entry.usage.clone(),
        about: entry.about.clone(),
        details: entry.details.clone(),
        examples: entry.examples.clone(),
        kinds: entry.kinds.clone(),
        fills: entry.fills.clone(),
        either: Vec::new(),
        flow: match entry.input {
            Input::Each => Flow::Each,
            Input::Stream => Flow::Stream,
        },
        effect: entry.effect,
        rules: entry.rules.clone(),
        fields: Vec::new(),
        takes_command: false,
        hand: pipit_commands::Hand::Any,
        outside: None,
        built_in: false,
        cog: matches!(entry.run.program, Started::Cog(_)),
    }
}

struct Process {
    bundle: Arc<Ready>,
    at: usize,
    runner: Arc<Runner>,
}

impl Program for Process {
    fn run(&self, call: Call, input: Option<Stream>) -> Stream {
        let Some(entry) = self.bundle.manifest.commands.get(self.at).cloned() else { return Stream::empty() };
        let (bundle, runner) = (Arc::clone(&self.bundle), Arc::clone(&self.runner));
        if matches!(entry.run.program, Started::Cog(_)) {
            return Stream::later(cog::run(bundle, entry, runner, call, input));
        }
        if entry.warm > 0 {
            return Stream::later(warm::run(bundle, self.at, entry, runner, call, input));
        }
        Stream::later(async move {
            let prepared = Prepared::new(&bundle, &entry, &call, &runner, input.is_some())?;
            prepared.stage(&call, Decoder::new(&entry.output), input).await
        })
    }
}

/// Nobody knows how a program ended.
pub(super) fn gone() -> Error {
    Error::failed("the program's watcher has ended; see the log")
}

async fn verdict(ended: oneshot::Receiver<Result<(), Error>>) -> Result<(), Error> {
    ended.await.unwrap_or_else(|_| Err(gone()))
}

type Pipes = (Option<ChildStdin>, ChildStdout, Arc<Tail>);

/// A program that runs.
pub(super) struct Begun {
    pub(super) stdin: Option<ChildStdin>,
    pub(super) stdout: ChildStdout,
    /// Its standard error, which is read all the while.
    pub(super) tail: Arc<Tail>,
    /// How it ended, once nothing of it is left.
    pub(super) ended: oneshot::Receiver<Result<(), Error>>,
    /// Dropped, it ends the program.
    pub(super) stop: oneshot::Sender<()>,
}

/// A call made ready to be started.
pub(super) struct Prepared {
    pub(super) runner: Arc<Runner>,
    pub(super) launch: Launch,
    /// The invocation id.
    pub(super) mark: String,
    pub(super) longest: Duration,
    /// Who hears what it says beside its values.
    pub(super) ears: Ears,
    /// What its end means.
    pub(super) verdict: fn(Ended) -> Result<(), Error>,
}

impl Prepared {
    /// A program that runs for one call.
    pub(super) fn new(
        bundle: &Ready,
        entry: &Entry,
        call: &Call,
        runner: &Arc<Runner>,
        input: bool,
    ) -> Result<Self, Error> {
        let start = Start {
            mark: mark(call),
            args: entry.run.args.iter().flat_map(|template| template.fill(call)).collect(),
            settings: (bundle.settings)(&call.host().origin())?,
            ears: Ears::of(call, bundle.manifest.templates.keys().cloned().collect()),
            input,
        };
        let told = |mut around: Around<'_>, hold: &mut Hold| match entry.run.program {
            Started::Own(_) | Started::Needed(_) => [told(bundle, entry, &around), told_of(call)].concat(),
            Started::Cog(_) => {
                around.pass = cog::pass(entry, call, hold);
                cog::environment(bundle, entry, call, &around)
            }
        };
        Self::assembled(bundle, entry, runner, start, told)
    }

    /// A program that is kept for several calls, of which it is told later.
    pub(super) fn kept(
        bundle: &Ready,
        entry: &Entry,
        runner: &Arc<Runner>,
        mark: String,
        settings: Vec<(EcoString, EcoString)>,
    ) -> Result<Self, Error> {
        let args = entry.run.args.iter().filter_map(Template::fixed).collect();
        let start = Start { mark, args, settings, ears: Ears::deaf(), input: true };
        let told = |around: Around<'_>, _: &mut Hold| {
            let mut environment = told(bundle, entry, &around);
            environment.push(("PIPIT_WARM".to_owned(), "1".to_owned()));
            environment
        };
        let mut prepared = Self::assembled(bundle, entry, runner, start, told)?;
        prepared.launch.seconds = prepared.launch.seconds.saturating_mul(limits::WARM_CALLS);
        // each call has its own time, which stands still while somebody is asked
        prepared.longest = limits::WARM_AGE + entry.timeout + limits::LINE_TIME;
        prepared.verdict = Ended::verdict_of_kept;
        Ok(prepared)
    }

    fn assembled(
        bundle: &Ready,
        entry: &Entry,
        runner: &Arc<Runner>,
        start: Start,
        told: impl FnOnce(Around<'_>, &mut Hold) -> Vec<(String, String)>,
    ) -> Result<Self, Error> {
        let Start { mark, args, settings, ears, input } = start;
        let manifest = &bundle.manifest;
        reach::had(&manifest.name, manifest.needs.sandbox, reached())?;
        let program = located(bundle, entry)?;
        if let Some(bad) = args.iter().find(|arg| arg.contains('\0')) {
            return Err(Error::failed(format!("{bad:?} holds a NUL character, which no program can be given")));
        }
        let (folder, path) = (runner.folder(&mark), search_path(bundle));
        let mut held = reach::hold(bundle, &program, &path, &settings, (runner, &mark))?;
        let around = Around { path, settings, mark: &mark, folder: &folder, pass: None };
        let environment = environment(told(around, &mut held.hold), held.hold.has_way_out())?;
        Ok(Self {
            runner: Arc::clone(runner),
            launch: Launch {
                program,
                args,
                environment,
                folder,
                seconds: processor_time(entry.timeout),
                memory: MEMORY,
                hold: held.hold,
                endpoints: held.endpoints,
                hear: Arc::clone(&ears.hear),
                input,
            },
            mark,
            longest: entry.timeout,
            ears,
            verdict: match entry.effect {
                Effect::Unsafe => Ended::verdict_of_unsafe,
                Effect::Pure | Effect::Idempotent => Ended::verdict,
            },
        })
    }

    /// The call as a stage that pulls the program's values.
    pub(super) async fn stage(self, call: &Call, decoder: Decoder, input: Option<Stream>) -> Result<Stream, Error> {
        let begun = self.begin().await?;
        Ok(Stage::of(begun, call, decoder, input))
    }

    /// Starts the program and has it watched over.
    pub(super) async fn begin(self) -> Result<Begun, Error> {
        let (stop, stopped) = oneshot::channel();
        let (pipes, given) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        // a task of its own: it has to end the program also when the stage is dropped half-way
        tokio::spawn(async move {
            let verdict = self.run(stopped, pipes).await;
            let _ = end.send(verdict);
        });
        let Ok((stdin, stdout, tail)) = given.await else {
            return Err(verdict(ended).await.err().unwrap_or_else(gone));
        };
        Ok(Begun { stdin, stdout, tail, ended, stop })
    }

    /// Starts the program, hands its pipes out and watches over it until nothing of it is left.
    pub(super) async fn run(self, stop: oneshot::Receiver<()>, pipes: oneshot::Sender<Pipes>) -> Result<(), Error> {
        let unstarted = |error: &std::io::Error| Error::failed(format!("the program cannot be started: {error}"));
        let live = self.runner.live().map_err(|error| unstarted(&error))?;
        let folder = self.launch.folder.clone();
        let mut running = match self.runner.start(self.launch, &live).await {
            Ok(running) => running,
            Err(error) => {
                let _ = std::fs::remove_dir(&folder);
                return Err(match error.kind() {
                    std::io::ErrorKind::ArgumentListTooLong => {
                        Error::failed("the call is too large to be handed to a program")
                            .help("give large values as input: `… | command`")
                    }
                    _ => unstarted(&error),
                });
            }
        };
        let stdin = running.stdin.take();
        let tail = Arc::new(Tail::new(running.child.stderr.take(), self.runner.home()));
        if let Some(stdout) = running.child.stdout.take() {
            // nobody there means that `stop` has come
            let _ = pipes.send((stdin, stdout, Arc::clone(&tail)));
        }
        let Self { runner, mark, longest, ears, verdict, .. } = self;
        verdict(Watched { runner, live, mark, folder, longest, stop, ears, tail }.watch(running).await)
    }
}

/// Where a command's program is.
fn located(bundle: &Ready, entry: &Entry) -> Result<PathBuf, Error> {
    let manifest = &bundle.manifest;
    let program = match &entry.run.program {
        Started::Own(path) => bundle.folder.join(path.as_str()),
        Started::Needed(name) => bundle.programs.get(name).cloned().ok_or_else(|| {
            let why = format!("the program {name} was not found when the bundle was enabled");
            Error::failed(why).help("install it, then enable the bundle again")
        })?,
        Started::Cog(executable) => cog::program(&bundle.folder, executable).map_err(|why| {
            Error::failed(format!("the program {executable} cannot be started: {why}"))
                .help(format!("bundle enable {} says what it needs", manifest.name))
        })?,
    };
    Ok(program)
}

/// As much as all processors give in the time, and a little more for the way there and back.
fn processor_time(longest: Duration) -> u64 {
    let processors = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    longest.as_secs().saturating_add(10).saturating_mul(processors)
}

/// Where the programs of a bundle find others.
fn search_path(bundle: &Ready) -> String {
    let mut path = PATH.to_owned();
    for program in bundle.programs.values() {
        if let Some(folder) = program.parent().and_then(std::path::Path::to_str)
            && !path.split(':').any(|known| known == folder)
        {
            path = format!("{path}:{folder}");
        }
    }
    path
}

/// What differs between the starts of a program.
struct Start {
    mark: String,
    args: Vec<String>,
    settings: Vec<(EcoString, EcoString)>,
    ears: Ears,
    input: bool,
}

/// The id of a call: that under which an unsafe one is written down, by which its repetition can be told, else one by
/// chance.
pub(super) fn mark(call: &Call) -> String {
    let host = call.host();
    let chance = || format!("{:016x}{:016x}", host.dice(), host.dice());
    call.id().map_or_else(chance, |id| id.to_string())
}

/// What is known of a run before its environment is made.
pub(super) struct Around<'a> {
    pub(super) path: String,
    pub(super) settings: Vec<(EcoString, EcoString)>,
    pub(super) mark: &'a str,
    pub(super) folder: &'a std::path::Path,
    /// With what the program reaches the shell's services.
    pub(super) pass: Option<Pass>,
}

/// All that a program finds in its environment. `proxied` says that the only way to the network is a proxy.
fn environment(mut environment: Vec<(String, String)>, proxied: bool) -> Result<Vec<(String, String)>, Error> {
    if proxied {
        let proxy = format!("http://127.0.0.1:{}", loopback::PORT);
        environment.extend(PROXIES.map(|name| (name.to_owned(), proxy.clone())));
    }
    // the loader would obey these before the program is contained
    environment.retain(|(name, _)| !steers_loader(name));
    if let Some((name, _)) = environment.iter().find(|(_, value)| value.contains('\0')) {
        return Err(Error::failed(format!("{name} would hold a NUL character, which no program can be given")));
    }
    Ok(environment)
}

/// What a program of protocol 1 is told there, whichever call it is for.
fn told(bundle: &Ready, entry: &Entry, around: &Around<'_>) -> Vec<(String, String)> {
    let Around { path, settings, mark, folder, pass: _ } = around;
    let (folder, root) = (folder.to_string_lossy(), bundle.folder.to_string_lossy());
    let mut environment = vec![
        ("PATH", path.as_str()),
        ("LANG", "C.UTF-8"),
        ("HOME", &*folder),
        ("TMPDIR", &*folder),
        // the folder of the bundle is not written to, also where nothing fences it off
        ("PYTHONDONTWRITEBYTECODE", "1"),
        ("PIPIT_PROTOCOL", PROTOCOL),
        ("PIPIT_BUNDLE", &*bundle.manifest.name),
        ("PIPIT_COMMAND", &*entry.name),
        ("PIPIT_INVOCATION", mark),
        ("PIPIT_ROOT", &*root),
    ];
    environment.extend(settings.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    environment.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// What it is told there of its call.
fn told_of(call: &Call) -> Vec<(String, String)> {
    let origin = call.host().origin();
    let told = [
        ("PIPIT_USER", origin.user),
        ("PIPIT_ROOM", origin.room),
        ("PIPIT_ADAPTER", origin.adapter),
        ("PIPIT_LINE", origin.line),
        ("PIPIT_CALL", Value::from(described(call)).to_json().into()),
    ];
    let control = std::iter::once(("PIPIT_CONTROL", contain::CONTROL.to_string().into()));
    told.into_iter().chain(control).map(|(name, value)| (name.to_owned(), value.to_string())).collect()
}

/// The bound call as `PIPIT_CALL` shows it: what was not given is not there; what may come several times is a list.
pub(super) fn described(call: &Call) -> Record {
    let usage = &call.command().spec().usage;
    let values = |args: &[Arg], many: bool| -> Option<Value> {
        match (args, many) {
            ([], _) => None,
            (args, true) => Some(args.iter().map(|arg| arg.value.clone()).collect::<Vec<_>>().into()),
            ([first, ..], false) => Some(first.value.clone()),
        }
    };
    let params = usage.params.iter().zip(&call.args().params);
    let args = params.filter_map(|(param, args)| Some((param.name.clone(), values(args, param.many)?)));
    let flags = usage.options.iter().zip(&call.args().options);
    let options = flags.filter_map(|(flag, args)| Some((flag.key(), values(args, flag.many)?)));
    let mut record = Record::new();
    record.put("args", args.collect::<Record>());
    record.put("options", options.collect::<Record>());
    record
}
