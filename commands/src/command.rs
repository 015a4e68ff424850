//! A command, a call of it, and what the shell lends to the call.
//!
//! The code of a command is private to this crate, and a [`Call`] comes only from [`Call::judged`]: whoever wants to
//! run something has to be a [`Host`] that judged it.

use std::sync::Arc;

use async_trait::async_trait;
use ecow::EcoString;
use pipit_grammar::ast;

use crate::absent::watched;
use crate::args::{Arg, Args};
use crate::origin::{Inquiry, Note, Origin, Pass, Turn};
use crate::shell::Verb;
use crate::spec::{Effect, Spec};
use crate::stream::{Batch, Stream};
use crate::{Error, Value};

/// A command. Cheap to clone.
#[derive(Clone)]
pub struct Command(Arc<Parts>);

struct Parts {
    spec: Spec,
    exact: EcoString,
    code: Code,
}

/// The code of a command, in the form that says most about it.
#[derive(Clone)]
pub(crate) enum Code {
    /// For each value, or once without one; appends what comes out.
    Each(fn(&Call, Option<&Value>, &mut Batch) -> Result<(), Error>),
    /// Made ready once from its arguments, then for each value.
    Values(fn(&Call) -> Result<Worker, Error>),
    /// For each value whether it stays, made ready once.
    Keep(fn(&Call) -> Result<Test, Error>),
    /// Over the whole input.
    Stream(fn(Call, Stream) -> Result<Stream, Error>),
    /// For each value of the input, or once without one, and takes its time (blocks, waits).
    Runs(fn(Call, Option<Stream>) -> Result<Stream, Error>),
    /// Done by the shell.
    Shell(Verb),
    /// Done by a program.
    Program(Arc<dyn Program>),
}

/// What a command of [`Code::Values`] does with a value.
pub(crate) type Worker = Box<dyn FnMut(Value, &mut Batch) -> Result<(), Error> + Send>;

/// What a command of [`Code::Keep`] asks of a value.
pub(crate) type Test = Box<dyn FnMut(&Value) -> bool + Send>;

/// A command whose code is outside this crate: a bundle's program. It is only ever reached through a judged [`Call`].
pub trait Program: Send + Sync {
    /// Starts the program for a call. The input is none when no stage comes before; for a command that runs for each
    /// value it holds that one value.
    fn run(&self, call: Call, input: Option<Stream>) -> Stream;
}

impl Command {
    pub(crate) fn built_in(spec: Spec, code: Code) -> Self {
        let exact = spec.exact().into();
        Self(Arc::new(Parts { spec, exact, code }))
    }

    /// A command that a program does.
    pub fn external(spec: Spec, program: Arc<dyn Program>) -> Self {
        let exact = spec.exact().into();
        Self(Arc::new(Parts { spec, exact, code: Code::Program(program) }))
    }

    /// What is known of it.
    #[must_use]
    pub fn spec(&self) -> &Spec {
        &self.0.spec
    }

    /// `bundle:name`.
    #[must_use]
    pub fn exact(&self) -> &EcoString {
        &self.0.exact
    }

    /// Whether the shell does it, and what.
    #[must_use]
    pub fn verb(&self) -> Option<Verb> {
        match &self.0.code {
            Code::Shell(verb) => Some(*verb),
            Code::Each(_) | Code::Values(_) | Code::Keep(_) | Code::Stream(_) | Code::Runs(_) | Code::Program(_) => {
                None
            }
        }
    }

    /// Whether it goes through the values of its input itself, in order, though it is of [`Flow::Each`]: a call whose
    /// words refer to nothing may be given its whole input, and only so can several rounds run side by side.
    #[must_use]
    pub fn takes_all(&self) -> bool {
        matches!(self.0.code, Code::Runs(_))
    }

    /// Whether two commands are one.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Command({})", self.0.exact)
    }
}

/// A block of a call: a line that the evaluator runs as often as the command asks.
#[derive(Clone)]
pub struct Block {
    /// As it was written.
    pub written: Arc<ast::Line>,
    run: Arc<dyn Fn(Option<Value>) -> Stream + Send + Sync>,
}

impl Block {
    /// A block that runs so. Only the evaluator has something to put here: what runs inside is judged there.
    pub fn new(written: Arc<ast::Line>, run: Arc<dyn Fn(Option<Value>) -> Stream + Send + Sync>) -> Self {
        Self { written, run }
    }

    /// Runs the block. Each of its pipelines begins with the value, if there is one.
    #[must_use]
    pub fn run(&self, value: Option<Value>) -> Stream {
        (self.run)(value)
    }
}

/// What was written down before an unsafe call began. Dropped without a word, its effect is unknown.
pub trait Intent: Send + Sync {
    /// The id of the call: the key by which a repeated call can be told from a new one.
    fn id(&self) -> EcoString;

    /// The call ended: well, or with an error.
    fn ended(&self, error: Option<&Error>);
}

/// What the shell lends to a call.
#[async_trait]
pub trait Host: Send + Sync {
    /// Whether the call may be made. An unsafe call's intent is durable when this returns, and comes back to be told
    /// how the call ended.
    async fn judge(&self, command: &Command, args: &Args) -> Result<Option<Arc<dyn Intent>>, Error>;

    /// The same without waiting, for commands whose effect is [`Effect::Pure`].
    fn judge_now(&self, command: &Command, args: &Args) -> Result<(), Error>;

    /// Milliseconds since 1970 in UTC.
    fn now(&self) -> i64;

    /// 64 bits of chance.
    fn dice(&self) -> u64;

    /// Takes rounds of loops from the line's budget; an error when it is spent.
    fn spend(&self, rounds: u64) -> Result<(), Error>;

    /// Waits, and no longer than the line may live.
    async fn sleep(&self, seconds: f64);

    /// Where the line comes from, for programs that are told.
    fn origin(&self) -> Origin;

    /// Hears what a command says beside its values. A host that shows nothing but values drops it.
    fn note(&self, command: &Command, note: Note);

    /// Asks whoever typed the line, and waits for what they say; an error when nobody can be asked or nobody answers.
    async fn ask(&self, _command: &Command, _inquiry: Inquiry) -> Result<EcoString, Error> {
        Err(Error::failed("nobody can be asked here"))
    }

    /// With what the programs of a command reach the shell's services; none where there are none.
    fn services(&self, _command: &Command) -> Option<Pass> {
        None
    }

    /// Does what only the shell can.
    fn serve(&self, verb: Verb, call: &Call, input: Option<Stream>) -> Stream;
}

/// A command with bound arguments, already judged. There is no other way to make one:
///
/// ```compile_fail
/// # use pipit_commands::{Args, Call, Command, Host};
/// # fn around(command: Command, args: Args, host: std::sync::Arc<dyn Host>) -> Call {
/// Call { command, args, blocks: Vec::new(), refers: false, host, intent: None, turn: None }
/// # }
/// ```
#[derive(Clone)]
pub struct Call {
    command: Command,
    args: Args,
    blocks: Vec<Block>,
    refers: bool,
    host: Arc<dyn Host>,
    intent: Option<Arc<dyn Intent>>,
    turn: Option<Turn>,
}

impl Call {
    /// Judges a call. `refers` says that its words refer to the incoming value, so that it fills nothing from it.
    pub async fn judged(
        command: Command,
        args: Args,
        blocks: Vec<Block>,
        refers: bool,
        host: Arc<dyn Host>,
    ) -> Result<Self, Error> {
        let intent = match command.spec().effect {
            Effect::Pure => {
                host.judge_now(&command, &args)?;
                None
            }
            Effect::Idempotent | Effect::Unsafe => host.judge(&command, &args).await?,
        };
        Ok(Self { command, args, blocks, refers, host, intent, turn: None })
    }

    /// The same call for other arguments of the same command, judged again without waiting; none when it has to wait.
    pub fn again(&self, args: Args) -> Option<Result<Self, Error>> {
        match self.command.spec().effect {
            Effect::Pure => Some(self.host.judge_now(&self.command, &args).map(|()| Self {
                command: self.command.clone(),
                args,
                blocks: self.blocks.clone(),
                refers: self.refers,
                host: Arc::clone(&self.host),
                intent: None,
                turn: None,
            })),
            Effect::Idempotent | Effect::Unsafe => None,
        }
    }

    /// The id that was written down for the call, if its effect asked for one.
    #[must_use]
    pub fn id(&self) -> Option<EcoString> {
        self.intent.as_ref().map(|intent| intent.id())
    }

    /// The same call with its place among those of its stage, for commands that are told.
    #[must_use]
    pub fn in_turn(self, turn: Option<Turn>) -> Self {
        Self { turn, ..self }
    }

    /// Its place among the calls of its stage; none when it is the only one.
    #[must_use]
    pub fn turn(&self) -> Option<&Turn> {
        self.turn.as_ref()
    }

    /// Which command.
    #[must_use]
    pub fn command(&self) -> &Command {
        &self.command
    }

    /// Its arguments.
    #[must_use]
    pub fn args(&self) -> &Args {
        &self.args
    }

    /// Its blocks, in the order of the usage.
    #[must_use]
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Whether its words refer to the incoming value.
    #[must_use]
    pub fn refers(&self) -> bool {
        self.refers
    }

    /// What the shell lends.
    #[must_use]
    pub fn host(&self) -> &Arc<dyn Host> {
        &self.host
    }

    /// All arguments of a parameter or option, by name.
    #[must_use]
    pub fn all(&self, name: &str) -> &[Arg] {
        self.args.all(&self.command.spec().usage, name)
    }

    /// The value of a parameter or option.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.all(name).first().map(|arg| &arg.value)
    }

    /// The text of a parameter or option.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<EcoString> {
        self.value(name).map(Value::to_text)
    }

    /// A whole number.
    #[must_use]
    pub fn int(&self, name: &str) -> Option<i64> {
        match self.value(name) {
            Some(Value::Int(number)) => Some(*number),
            _ => None,
        }
    }

    /// Whether a flag was given.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        !self.all(name).is_empty()
    }

    /// The texts of a parameter, joined by blanks; none when nothing was given.
    #[must_use]
    pub fn joined(&self, name: &str) -> Option<EcoString> {
        match self.all(name) {
            [] => None,
            [one] => Some(one.value.to_text()),
            several => Some(several.iter().map(|arg| arg.value.to_text()).collect::<Vec<_>>().join(" ").into()),
        }
    }

    /// Whether the call comes to its values at once, without waiting for anything.
    #[must_use]
    pub fn at_once(&self) -> bool {
        matches!(self.command.0.code, Code::Each(_))
    }

    /// Runs a call that comes to its values [at once](Self::at_once), for one incoming value or none.
    pub fn run_now(&self, incoming: Option<&Value>, out: &mut Batch) -> Result<(), Error> {
        match &self.command.0.code {
            Code::Each(each) => each(self, incoming, out),
            Code::Values(_) | Code::Keep(_) | Code::Stream(_) | Code::Runs(_) | Code::Shell(_) | Code::Program(_) => {
                Err(Error::failed(format!("{} takes its time", self.command.exact())))
            }
        }
    }

    /// Runs the call. A command of [`Flow::Each`] is given one value or none; the others their whole input.
    #[must_use]
    pub fn run(self, input: Option<Stream>) -> Stream {
        match self.intent.clone() {
            Some(intent) => self.start(input).tell(move |error| intent.ended(error)),
            None => self.start(input),
        }
    }

    fn start(self, input: Option<Stream>) -> Stream {
        let code = self.command.0.code.clone();
        let input = match code {
            Code::Stream(_) | Code::Values(_) | Code::Keep(_) => input.map(|input| watched(&self, input)),
            Code::Each(_) | Code::Runs(_) | Code::Shell(_) | Code::Program(_) => input,
        };
        match code {
            Code::Stream(stream) => stream(self, input.unwrap_or_else(Stream::empty)).unwrap_or_else(Stream::fail),
            Code::Values(ready) => match ready(&self) {
                Ok(worker) => input.unwrap_or_else(Stream::empty).lift(worker),
                Err(error) => Stream::fail(error),
            },
            Code::Keep(ready) => match ready(&self) {
                Ok(test) => input.unwrap_or_else(Stream::empty).keep(test),
                Err(error) => Stream::fail(error),
            },
            Code::Each(each) => {
                if let Some(input) = input {
                    return input.lift(move |value, out| each(&self, Some(&value), out));
                }
                let mut out = Batch::new();
                match each(&self, None, &mut out) {
                    Ok(()) => Stream::of(out),
                    Err(error) => Stream::fail(error),
                }
            }
            Code::Runs(runs) => runs(self, input).unwrap_or_else(Stream::fail),
            Code::Shell(verb) => {
                let host = Arc::clone(&self.host);
                host.serve(verb, &self, input)
            }
            Code::Program(program) => program.run(self, input),
        }
    }

    /// Whether the arguments are usable: what can be found wrong without running (a pattern that is none, a template
    /// that does not parse). Called with literal arguments before the line runs, so that it is refused whole.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match &self.command.0.code {
            Code::Values(ready) => ready(self).map(drop),
            Code::Keep(ready) => ready(self).map(drop),
            // a stream is pulled by nobody here, so it does nothing
            Code::Stream(stream) => stream(self.clone(), Stream::empty()).map(drop),
            Code::Runs(runs) => runs(self.clone(), Some(Stream::empty())).map(drop),
            Code::Each(_) | Code::Shell(_) | Code::Program(_) => Ok(()),
        }
    }
}

/// What is wrong with literal arguments of a command, if anything, before a line runs: nothing is judged and nothing
/// runs for it.
pub fn check(command: &Command, args: &Args, host: &Arc<dyn Host>) -> Result<(), Error> {
    let call = Call {
        command: command.clone(),
        args: args.clone(),
        blocks: Vec::new(),
        refers: false,
        host: Arc::clone(host),
        intent: None,
        turn: None,
    };
    call.check().map_err(|error| error.as_kind(crate::ErrorKind::Refused))
}
