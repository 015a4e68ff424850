//! Runs a plan: one pipeline is one task that pulls a chain of streams. Words are looked up, arguments bound, every
//! call judged with them, and then pulled; dropping the stream stops everything behind it.

use std::sync::Arc;

use ecow::EcoString;
use pipit_commands::bind::{self};
use pipit_commands::{Args, Batch, Block, Call, Error, ErrorKind, Flow, Given, Host, Stream, Turn, Value};
use pipit_grammar::ast::Joint;
use pipit_grammar::rule::Via;

use super::plan::{Pipeline, Plan, Stage, Stated, What};

mod fair;
mod turns;
mod words;

use fair::fair;
use turns::Turns;
use words::{bind_words, look_up};

/// What a running line asks of the shell around it.
pub(crate) trait Around: Host {
    /// The same for calls that come by another way.
    fn by(&self, via: Via) -> Arc<dyn Around>;
    /// The same for calls that are made for this reason.
    fn because(&self, reason: EcoString) -> Arc<dyn Around>;
    /// Whether the line is only looked through any more, for calls that others have to approve of: a call that has to
    /// wait is then passed over, as if nothing came out of it.
    fn gathers(&self) -> bool;
    /// Posts what a pipeline came to; what comes back goes on as the pipeline's values.
    fn redirect(&self, redirect: &pipit_grammar::ast::Redirect, values: Stream) -> Stream;
}

/// What words refer to.
#[derive(Clone, Default)]
pub(crate) struct Scope {
    /// The value of the stage before, or of the block.
    value: Option<Value>,
    /// The caller's words, inside an alias.
    words: Arc<[Given]>,
}

/// What the first stage of a pipeline begins with.
enum Begin {
    Nothing,
    /// A block's value: every pipeline of the block begins with it.
    Value(Value),
    /// What flows into an alias: its first pipeline's.
    Stream(Stream),
}

type Cx = Arc<dyn Around>;

/// The values of a whole line. `input` flows into its first stage.
pub(crate) fn line(cx: &Cx, plan: &Arc<Plan>, input: Option<Stream>) -> Stream {
    sequence(cx, plan, &Scope::default(), input.map_or(Begin::Nothing, Begin::Stream))
}

fn sequence(cx: &Cx, plan: &Arc<Plan>, scope: &Scope, begin: Begin) -> Stream {
    if let [(_, only)] = plan.pipelines.as_slice() {
        return pipeline(cx, only, scope, begin);
    }
    let again = match &begin {
        Begin::Value(value) => Some(value.clone()),
        Begin::Nothing | Begin::Stream(_) => None,
    };
    let sequence = Sequence {
        cx: Arc::clone(cx),
        plan: Arc::clone(plan),
        scope: scope.clone(),
        begin: Some(begin),
        again,
        next: 0,
        current: None,
        failed: None,
    };
    Stream::new(futures_util::stream::unfold(sequence, |mut sequence| async move {
        let batch = sequence.step().await?;
        Some((batch, sequence))
    }))
}

/// Pipelines joined by `&&` and `||`, from the left.
struct Sequence {
    cx: Cx,
    plan: Arc<Plan>,
    scope: Scope,
    begin: Option<Begin>,
    again: Option<Value>,
    next: usize,
    current: Option<Stream>,
    failed: Option<Error>,
}

impl Sequence {
    async fn step(&mut self) -> Option<Result<Batch, Error>> {
        loop {
            if let Some(current) = &mut self.current {
                match current.next().await {
                    Some(Err(error)) if error.kind() == ErrorKind::Failed => {
                        self.failed = Some(error);
                        self.current = None;
                    }
                    Some(Err(error)) => {
                        self.current = None;
                        self.failed = None;
                        self.next = self.plan.pipelines.len();
                        return Some(Err(error));
                    }
                    None => self.current = None,
                    Some(batch) => return Some(batch),
                }
                continue;
            }
            let Some((joint, next)) = self.plan.pipelines.get(self.next) else {
                return self.failed.take().map(Err);
            };
            self.next += 1;
            let runs = match joint {
                None => true,
                Some(Joint::And) => self.failed.is_none(),
                Some(Joint::Or) => self.failed.is_some(),
            };
            if runs {
                self.failed = None;
                let begin = match (self.begin.take(), &self.again) {
                    (Some(first), _) => first,
                    (None, Some(value)) => Begin::Value(value.clone()),
                    (None, None) => Begin::Nothing,
                };
                self.current = Some(pipeline(&self.cx, next, &self.scope, begin));
            }
        }
    }
}

fn pipeline(cx: &Cx, pipeline: &Pipeline, scope: &Scope, begin: Begin) -> Stream {
    let mut first_scope = scope.clone();
    let source = matches!(begin, Begin::Nothing);
    let mut stream = match begin {
        Begin::Nothing => None,
        Begin::Stream(stream) => Some(stream),
        Begin::Value(value) => {
            first_scope.value = Some(value.clone());
            Some(Stream::once(value))
        }
    };
    for (at, planned) in pipeline.stages.iter().enumerate() {
        let scope = if at == 0 { &first_scope } else { scope };
        let values = stage(cx, planned, stream, scope);
        stream = Some(if at == 0 && source { fair(values) } else { values });
    }
    let values = stream.unwrap_or_else(Stream::empty);
    match &pipeline.redirect {
        Some(redirect) => cx.redirect(redirect, values),
        None => values,
    }
}

fn stage(cx: &Cx, stage: &Arc<Stage>, input: Option<Stream>, scope: &Scope) -> Stream {
    let once = Once { cx: Arc::clone(cx), stage: Arc::clone(stage), scope: scope.clone(), base: None, call: None };
    match (&stage.run, input) {
        // the words refer to each value in turn
        (What::Command(_) | What::Alias(..), Some(input)) if stage.refers => once.for_each(input),
        (What::Command(stated), Some(input))
            if stated.command.spec().flow == Flow::Each && !stated.command.takes_all() =>
        {
            Stream::later(async move { Ok(once.with_base().await?.for_each(input)) })
        }
        (What::Command(_), input) => Stream::later(async move {
            let args = once.bind().await?;
            let call = match once.judge(args).await {
                Err(error) if once.passes_over(&error) => return Ok(Stream::empty()),
                call => call?,
            };
            let stage = Arc::clone(&once.stage);
            Ok(named(call.run(input), stage))
        }),
        (What::Alias(..), input) => Stream::later(async move { once.alias(input).await }),
    }
}

/// The stream, with the stage's name on its error.
fn named(stream: Stream, stage: Arc<Stage>) -> Stream {
    use futures_util::StreamExt as _;
    Stream::new(stream.map(move |batch| batch.map_err(|error| name(error, &stage))))
}

fn name(error: Error, stage: &Stage) -> Error {
    if error.kind() == ErrorKind::Stopped { error } else { error.in_stage(&stage.shown).at(stage.span) }
}

/// A stage at one value, or at none.
struct Once {
    cx: Cx,
    stage: Arc<Stage>,
    scope: Scope,
    /// The arguments that are the same for every value.
    base: Option<Args>,
    /// A call of the same command that was judged before: for the next arguments it is only judged again.
    call: Option<Call>,
}

impl Once {
    fn stated(&self) -> Option<&Stated> {
        match &self.stage.run {
            What::Command(stated) => Some(stated),
            What::Alias(..) => None,
        }
    }

    async fn with_base(mut self) -> Result<Self, Error> {
        self.base = Some(self.bind().await?);
        Ok(self)
    }

    /// The arguments, their references and substitutions looked up.
    async fn bind(&self) -> Result<Args, Error> {
        let Some(stated) = self.stated() else { return Ok(Args::default()) };
        if let Some(known) = &stated.known {
            return Ok(known.clone());
        }
        let bound = bind_words(&self.cx, &self.stage, stated, &self.scope).await;
        bound.map_err(|error| name(error, &self.stage))
    }

    async fn judge(&self, args: Args) -> Result<Call, Error> {
        let Some(stated) = self.stated() else { return Err(Error::failed("an alias is no call")) };
        let blocks = blocks(&self.cx, stated, &self.scope);
        Call::judged(stated.command.clone(), args, blocks, self.stage.refers, Arc::clone(&self.cx) as Arc<dyn Host>)
            .await
            .map_err(|error| name(error, &self.stage))
    }

    /// Whether a call that has to wait is passed over, so that the others that have to wait are found too.
    fn passes_over(&self, error: &Error) -> bool {
        error.kind() == ErrorKind::Parked && self.cx.gathers()
    }

    /// An alias: its line, with the words as parameters.
    async fn alias(&self, input: Option<Stream>) -> Result<Stream, Error> {
        let What::Alias(plan, via) = &self.stage.run else { return Ok(Stream::empty()) };
        let mut words = Vec::new();
        for word in &self.stage.words {
            let mut found = Vec::with_capacity(1);
            look_up(&self.cx, word, &self.scope, &mut found).await?;
            words.extend(found.into_iter().map(|given| given.labelled(word.labels.clone())));
        }
        let scope = Scope { value: self.scope.value.clone(), words: words.into() };
        Ok(sequence(&self.cx.by(*via), plan, &scope, input.map_or(Begin::Nothing, Begin::Stream)))
    }

    /// The stage once for each value of its input.
    fn for_each(self, input: Stream) -> Stream {
        let turns = self.stated().filter(|stated| stated.command.spec().cog).map(|_| Turns::new(&self.cx));
        let waiting = Vec::new().into_iter();
        let run = ForEach { once: self, turns, input: Some(input), waiting, current: None, failed: None };
        Stream::new(futures_util::stream::unfold(run, |mut run| async move {
            let batch = run.step().await?;
            Some((batch, run))
        }))
    }

    /// The stage at one value: what comes at once is appended, the rest comes back as a stream.
    async fn at(&mut self, value: Value, turn: Option<Turn>, out: &mut Batch) -> Result<Option<Stream>, Error> {
        if self.stage.refers {
            self.scope.value = Some(value.clone());
        }
        let Some(stated) = self.stated() else {
            return self.alias(Some(Stream::once(value))).await.map(Some);
        };
        let mut args = match &self.base {
            Some(base) => base.clone(),
            None => self.bind().await?,
        };
        if stated.fills {
            let spec = stated.command.spec();
            bind::fill(spec, &mut args, &value).map_err(|error| name(error, &self.stage))?;
        }
        let fresh = self.call.as_ref().and_then(|call| call.again(args.clone()));
        let call = match fresh {
            Some(call) => call.map_err(|error| name(error, &self.stage)),
            None => self.judge(args).await,
        };
        let call = match call {
            Err(error) if self.passes_over(&error) => return Ok(None),
            call => call?,
        };
        if call.at_once() {
            let done = call.run_now(Some(&value), out);
            self.call = Some(call);
            return done.map(|()| None).map_err(|error| name(error, &self.stage));
        }
        Ok(Some(named(call.in_turn(turn).run(Some(Stream::once(value))), Arc::clone(&self.stage))))
    }
}

/// A stage that runs once for each value, in order.
struct ForEach {
    once: Once,
    /// Where its command wants to be told which value is the first and which the last.
    turns: Option<Turns>,
    input: Option<Stream>,
    waiting: std::vec::IntoIter<Value>,
    current: Option<Stream>,
    failed: Option<Error>,
}

impl ForEach {
    async fn step(&mut self) -> Option<Result<Batch, Error>> {
        loop {
            // one value may become many at each stage: what never waits gives others their turn
            tokio::task::coop::consume_budget().await;
            if let Some(current) = &mut self.current {
                match current.next().await {
                    Some(Err(error)) => {
                        self.end();
                        return Some(Err(error));
                    }
                    Some(batch) => return Some(batch),
                    None => self.current = None,
                }
                continue;
            }
            if let Some(error) = self.failed.take() {
                self.end();
                return Some(Err(error));
            }
            if let Some(turns) = &mut self.turns {
                turns.look_ahead(&mut self.waiting, &mut self.input).await;
            }
            let mut out = Batch::new();
            while let Some(value) = self.waiting.next() {
                let last = self.waiting.len() == 0 && self.input.is_none();
                let turn = self.turns.as_mut().map(|turns| turns.next(last));
                match self.once.at(value, turn, &mut out).await {
                    Ok(None) if out.len() < pipit_commands::BATCH => {}
                    Ok(None) => break,
                    Ok(Some(stream)) => {
                        self.current = Some(stream);
                        break;
                    }
                    Err(error) => {
                        self.failed = Some(error);
                        break;
                    }
                }
            }
            if !out.is_empty() {
                return Some(Ok(out));
            }
            if self.current.is_some() || self.failed.is_some() {
                continue;
            }
            if let Some(error) = self.turns.as_mut().and_then(Turns::failed) {
                self.end();
                return Some(Err(error));
            }
            match self.input.as_mut()?.next().await {
                Some(Ok(batch)) => self.waiting = batch.into_iter(),
                Some(Err(error)) => {
                    self.end();
                    return Some(Err(error));
                }
                None => {
                    self.end();
                    return None;
                }
            }
        }
    }

    /// Nothing comes after this: the source is stopped.
    fn end(&mut self) {
        self.input = None;
        self.current = None;
        self.waiting = Vec::new().into_iter();
    }
}

fn blocks(cx: &Cx, stated: &Stated, scope: &Scope) -> Vec<Block> {
    let cx = match &stated.reason {
        Some(reason) if !stated.blocks.is_empty() => &cx.because(reason.clone()),
        Some(_) | None => cx,
    };
    stated
        .blocks
        .iter()
        .map(|(written, plan)| {
            let cx = Arc::clone(cx);
            let scope = scope.clone();
            let plan = plan.clone();
            Block::new(
                Arc::clone(written),
                Arc::new(move |value| match &plan {
                    Some(plan) => sequence(&cx, plan, &scope, value.map_or(Begin::Nothing, Begin::Value)),
                    None => Stream::empty(),
                }),
            )
        })
        .collect()
}
