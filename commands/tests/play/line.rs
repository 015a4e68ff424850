//! Plays lines over the built-in commands: enough of an evaluator to test what commands do. Deliberately absent:
//! rights, rooms, aliases, bundles, and everything that the shell does.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use pipit_commands::bind::{Head, Slot, Use, bind, fill, uses};
use pipit_commands::{
    Args, Block, Call, Command, Error, Flow, Given, Host, How, Intent, Note, Origin, Stream, Value, Verb, built_ins,
    check,
};
use pipit_grammar::ast::{Item, Joint, Line, Part, Path, Pipeline, Stage, Word};
use pipit_grammar::parse;

/// A host that allows everything; its chance is a counter through a hash.
struct Open {
    drawn: AtomicU64,
    rounds: AtomicU64,
    /// How long a second of waiting lasts.
    second: f64,
}

#[async_trait]
impl Host for Open {
    async fn judge(&self, _: &Command, _: &Args) -> Result<Option<Arc<dyn Intent>>, Error> {
        Ok(None)
    }

    fn judge_now(&self, _: &Command, _: &Args) -> Result<(), Error> {
        Ok(())
    }

    fn origin(&self) -> Origin {
        Origin::default()
    }

    fn note(&self, _: &Command, _: Note) {}

    fn now(&self) -> i64 {
        1_900_000_000_000
    }

    fn dice(&self) -> u64 {
        let mut bits = self.drawn.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    fn spend(&self, rounds: u64) -> Result<(), Error> {
        const MOST: u64 = 100_000;
        if self.rounds.fetch_add(rounds, Ordering::Relaxed) + rounds > MOST {
            return Err(Error::failed("too many rounds"));
        }
        Ok(())
    }

    async fn sleep(&self, seconds: f64) {
        tokio::time::sleep(std::time::Duration::from_secs_f64(seconds * self.second)).await;
    }

    fn serve(&self, _: Verb, call: &Call, _: Option<Stream>) -> Stream {
        Stream::fail(Error::failed(format!("{} is the shell's", call.command().exact())))
    }
}

/// The built-in commands and a host.
#[derive(Clone)]
pub(crate) struct World {
    commands: Arc<Vec<Command>>,
    host: Arc<dyn Host>,
}

impl World {
    #[allow(dead_code, reason = "not every test wants it")]
    pub(crate) fn new() -> Self {
        Self::where_a_second_lasts(1.0)
    }

    /// The same, where nobody waits.
    #[allow(dead_code, reason = "not every test wants it")]
    pub(crate) fn hurried() -> Self {
        Self::where_a_second_lasts(0.0)
    }

    fn where_a_second_lasts(second: f64) -> Self {
        let host = Open { drawn: AtomicU64::new(1), rounds: AtomicU64::new(0), second };
        Self { commands: Arc::new(built_ins()), host: Arc::new(host) }
    }

    /// What comes out of a line, and the error that ended it.
    pub(crate) async fn play(&self, text: &str) -> (Vec<Value>, Option<Error>) {
        let line = match parse(text) {
            Ok(line) => line,
            Err(error) => return (Vec::new(), Some(error.into())),
        };
        if let Err(error) = self.check(&line, false, false) {
            return (Vec::new(), Some(error));
        }
        let (values, error) = ended(self.line(Arc::new(line), None, false)).await;
        (values, error.filter(|error| error.kind() != pipit_commands::ErrorKind::Stopped))
    }

    /// The stages of a line over values that are there.
    #[allow(dead_code, reason = "for the benches")]
    pub(crate) fn over(&self, text: &str, values: Vec<Value>) -> Stream {
        let stages = parse(text).unwrap().first.stages;
        stages.into_iter().fold(Stream::of(values), |stream, stage| self.stage(stage, Some(stream)))
    }

    fn command(&self, name: &str) -> Result<Command, Error> {
        let named = |command: &&Command| {
            let spec = command.spec();
            name == command.exact().as_str() || name == spec.name || spec.also.iter().any(|also| also == name)
        };
        self.commands.iter().find(named).cloned().ok_or_else(|| Error::refused(format!("there is no command {name}")))
    }

    /// Refuses what is wrong in the line alone. `sees`: references have something to refer to; `flows`: it also
    /// flows in.
    fn check(&self, line: &Line, sees: bool, flows: bool) -> Result<(), Error> {
        for pipeline in line.pipelines() {
            for (at, stage) in pipeline.stages.iter().enumerate() {
                self.check_stage(stage, sees || at > 0, flows || at > 0)?;
            }
        }
        Ok(())
    }

    fn check_stage(&self, stage: &Stage, sees: bool, flows: bool) -> Result<(), Error> {
        let (command, words, blocks) = self.stage_parts(stage)?;
        let spec = command.spec();
        if spec.flow == Flow::Value && !flows {
            return Err(Error::refused(format!("nothing comes in for {}", spec.name)));
        }
        let needed = spec.usage.blocks.iter().filter(|block| block.required).count();
        if !spec.takes_command && (blocks.len() < needed || blocks.len() > spec.usage.blocks.len()) {
            return Err(Error::refused(format!("{} takes other blocks", spec.name)));
        }
        for (at, block) in blocks.iter().enumerate() {
            let caught = spec.name == "try" && at == 1;
            self.check(block, sees || caught, flows || caught)?;
        }
        for part in words.iter().flat_map(|word| &word.parts) {
            match part {
                Part::Substitution { line, .. } => self.check(line, sees, false)?,
                Part::Reference { .. } if !sees => return Err(Error::refused("nothing to refer to")),
                Part::Reference { .. } | Part::Text { .. } | Part::Percent { .. } | Part::Parameter { .. } => {}
            }
        }
        if spec.takes_command {
            return Ok(());
        }
        let slots = words.iter().map(|word| slot(word, sees)).collect();
        let refers = sees && words.iter().any(refers);
        let placed = place(&command, &words, slots)?;
        match bind(spec, placed.0, placed.1, flows && !refers && spec.fills.is_some())? {
            Some(args) => check(&command, &args, &self.host),
            None => Ok(()),
        }
    }

    /// The command, words and blocks of a stage; the words that are a command become a block.
    fn stage_parts(&self, stage: &Stage) -> Result<(Command, Vec<Word>, Vec<Line>), Error> {
        let command = self.command(&stage.name.text)?;
        let mut words = Vec::new();
        let mut blocks = Vec::new();
        for item in &stage.items {
            match item {
                Item::Word(word) => words.push(word.clone()),
                Item::Block(block) => blocks.push(block.line.clone()),
            }
        }
        if command.spec().takes_command && !words.is_empty() {
            let Some(name) = words[0].bare() else { return Err(Error::refused("a name is literal")) };
            let name = pipit_grammar::ast::Name { text: name.into(), span: words[0].span };
            let stage = Stage { name, items: stage.items[1..].to_vec(), span: stage.span };
            let pipeline = Pipeline { stages: vec![stage], redirect: None };
            return Ok((command, Vec::new(), vec![Line { first: pipeline, rest: Vec::new() }]));
        }
        if command.spec().takes_command && blocks.is_empty() {
            return Err(Error::refused("a command is missing"));
        }
        Ok((command, words, blocks))
    }

    fn line(&self, line: Arc<Line>, value: Option<Value>, flows: bool) -> Stream {
        let world = self.clone();
        Stream::later(async move {
            let (mut all, mut error) = ended(world.pipeline(&line.first, value.clone(), flows)).await;
            for (joint, pipeline) in &line.rest {
                let failed = error.is_some();
                if failed == (*joint == Joint::Or) {
                    let (mut more, other) = ended(world.pipeline(pipeline, value.clone(), flows)).await;
                    all.append(&mut more);
                    error = other;
                }
            }
            Ok(match error {
                None => Stream::of(all),
                Some(error) => after(all, error),
            })
        })
    }

    fn pipeline(&self, pipeline: &Pipeline, value: Option<Value>, flows: bool) -> Stream {
        let mut stages = pipeline.stages.iter();
        let first = stages.next().unwrap().clone();
        let mut stream = match (value, flows) {
            (Some(value), true) => self.stage(first, Some(Stream::once(value))),
            (seen, _) => self.one(first, seen, None),
        };
        for stage in stages {
            stream = self.stage(stage.clone(), Some(stream));
        }
        stream
    }

    fn stage(&self, stage: Stage, input: Option<Stream>) -> Stream {
        bounded(self.unbounded(stage, input))
    }

    fn unbounded(&self, stage: Stage, input: Option<Stream>) -> Stream {
        let (command, words, _) = self.stage_parts(&stage).unwrap();
        let fills = command.spec().fills.is_some();
        let Some(input) = input else { return self.one(stage, None, None) };
        let substitutes =
            words.iter().flat_map(|word| &word.parts).any(|part| matches!(part, Part::Substitution { .. }));
        if words.iter().any(refers) || substitutes || (command.spec().flow == Flow::Each && fills) {
            let world = self.clone();
            return per_value(input, move |value| {
                world.one(stage.clone(), Some(value.clone()), Some(Stream::once(value)))
            });
        }
        let world = self.clone();
        Stream::later(async move {
            let call = world.call(&stage, None, true).await?;
            if call.command().spec().flow == Flow::Each && !call.command().takes_all() {
                return Ok(per_value(input, move |value| call.clone().run(Some(Stream::once(value)))));
            }
            Ok(call.run(Some(input)))
        })
    }

    /// A stage for one value that its words see.
    fn one(&self, stage: Stage, seen: Option<Value>, input: Option<Stream>) -> Stream {
        let world = self.clone();
        Stream::later(async move {
            let call = world.call(&stage, seen, input.is_some()).await?;
            Ok(call.run(input))
        })
    }

    async fn call(&self, stage: &Stage, seen: Option<Value>, flows: bool) -> Result<Call, Error> {
        let (command, words, blocks) = self.stage_parts(stage)?;
        let spec = command.spec();
        let mut slots = Vec::new();
        let mut kept = Vec::new();
        for word in &words {
            let given = self.given(word, seen.as_ref()).await?;
            let single = matches!(given.as_slice(), [_]);
            for given in given {
                let plain = Word { parts: vec![Part::Percent { quoted: true }], span: word.span };
                kept.push(if single { word.clone() } else { plain });
                slots.push(Slot::Known(given));
            }
        }
        let refers = seen.is_some() && words.iter().any(refers);
        let (words, options) = place(&command, &kept, slots)?;
        let filled = flows && !refers && spec.fills.is_some();
        let failed = |error: Error| error.as_kind(pipit_commands::ErrorKind::Failed);
        let mut args = if spec.takes_command {
            Args { params: vec![Vec::new(); spec.usage.params.len()], ..Args::default() }
        } else {
            bind(spec, words, options, filled).map_err(failed)?.unwrap()
        };
        if let (true, Some(value)) = (filled, &seen) {
            fill(spec, &mut args, value)?;
        }
        let blocks = blocks.into_iter().map(|line| {
            let (world, line) = (self.clone(), Arc::new(line));
            let written = Arc::clone(&line);
            Block::new(
                written,
                Arc::new(move |value: Option<Value>| {
                    let flows = value.is_some();
                    world.line(Arc::clone(&line), value, flows)
                }),
            )
        });
        Call::judged(command.clone(), args, blocks.collect(), refers, Arc::clone(&self.host)).await
    }

    fn given<'a>(
        &'a self,
        word: &'a Word,
        seen: Option<&'a Value>,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<Given>, Error>> + Send + 'a>> {
        Box::pin(async move {
            let mut pieces = Vec::new();
            let alone = word.parts.len() == 1;
            for part in &word.parts {
                match part {
                    Part::Text { text, quoted } => {
                        pieces.push((Value::Text(text.clone()), if *quoted { How::Quoted } else { How::Bare }));
                    }
                    Part::Reference { path, quoted } => {
                        let value = found(seen.unwrap(), path)?;
                        // a piece keeps its type for the small languages of words; alone in quotes it is a text
                        let value = if alone && *quoted { Value::Text(value.to_text()) } else { value };
                        pieces.push((value, How::Computed));
                    }
                    Part::Percent { quoted } => match seen {
                        Some(value) => pieces.push((Value::Text(value.to_text()), How::Computed)),
                        None => {
                            pieces.push((Value::from("%s"), if *quoted { How::Quoted } else { How::Bare }));
                        }
                    },
                    Part::Substitution { line, quoted, .. } => {
                        let stream = self.line(Arc::new((**line).clone()), seen.cloned(), false);
                        let values = stream.collect().await?;
                        if alone && !quoted {
                            return Ok(values.into_iter().map(|value| Given::one(value, How::Computed)).collect());
                        }
                        let texts: Vec<_> = values.iter().map(Value::to_text).collect();
                        pieces.push((Value::from(texts.join(" ")), How::Computed));
                    }
                    Part::Parameter { .. } => unreachable!("only in aliases"),
                }
            }
            Ok(vec![Given::of(pieces)])
        })
    }
}

fn found(value: &Value, path: &Path) -> Result<Value, Error> {
    value.at(path).cloned().ok_or_else(|| Error::failed("nothing is there"))
}

/// Whether a word refers to the incoming value, itself or in the first stage of a substitution.
fn refers(word: &Word) -> bool {
    word.parts.iter().any(|part| match part {
        Part::Reference { .. } | Part::Percent { .. } => true,
        Part::Substitution { line, .. } => line.pipelines().any(|pipeline| {
            pipeline.stages.first().is_some_and(|stage| {
                stage.items.iter().any(|item| match item {
                    Item::Word(word) => refers(word),
                    Item::Block(_) => false,
                })
            })
        }),
        Part::Text { .. } | Part::Parameter { .. } => false,
    })
}

/// What is known of a word before the line runs.
fn slot(word: &Word, sees: bool) -> Slot {
    let mut pieces = Vec::new();
    for part in &word.parts {
        match part {
            Part::Text { text, quoted } => {
                pieces.push((Value::Text(text.clone()), if *quoted { How::Quoted } else { How::Bare }));
            }
            Part::Percent { .. } if !sees => pieces.push((Value::from("%s"), How::Quoted)),
            Part::Substitution { quoted: false, .. } if word.parts.len() == 1 => return Slot::Many,
            Part::Substitution { .. } | Part::Reference { .. } | Part::Percent { .. } | Part::Parameter { .. } => {
                return Slot::One;
            }
        }
    }
    Slot::Known(Given::of(pieces))
}

/// Words and options in their places.
#[expect(clippy::type_complexity, reason = "two lists, as bind wants them")]
fn place(command: &Command, words: &[Word], slots: Vec<Slot>) -> Result<(Vec<Slot>, Vec<(usize, Slot)>), Error> {
    let spec = command.spec();
    let heads: Vec<Head<'_>> = words
        .iter()
        .map(|word| match word.parts.first() {
            Some(Part::Text { text, quoted: false }) if text.starts_with('-') => {
                Head::Dash(text, word.parts.len() == 1)
            }
            _ => Head::Plain,
        })
        .collect();
    let (mut positional, mut options) = (Vec::new(), Vec::new());
    let flag = || Slot::Known(Given::one(true.into(), How::Bare));
    for (using, slot) in uses(&spec.usage, &spec.name, &heads)?.into_iter().zip(slots) {
        match using {
            Use::Word => positional.push(slot),
            Use::Flags(flags) | Use::OptionNext(flags, _) => {
                options.extend(flags.into_iter().map(|at| (at, flag())));
            }
            Use::OptionWith(at, from) => options.push((
                at,
                match slot {
                    Slot::Known(mut given) => {
                        let rest = Value::from(&given.pieces[0].0.to_text()[from..]);
                        given.pieces[0].0 = rest;
                        if given.pieces.len() > 1 && given.pieces[0].0 == Value::from("") {
                            given.pieces.remove(0);
                        }
                        Slot::Known(given)
                    }
                    other => other,
                },
            )),
            Use::ValueOf(at) => options.push((at, slot)),
            Use::End => {}
        }
    }
    Ok((positional, options))
}

/// A stream that fails when it has given more batches than a line of a test could want.
fn bounded(stream: Stream) -> Stream {
    use futures_util::StreamExt as _;
    const MOST: usize = 20_000;
    Stream::new(
        stream.enumerate().map(|(at, batch)| {
            if at < MOST { batch } else { Err(Error::failed("a line gives more than any test wants")) }
        }),
    )
}

/// All values and the error that ended the stream.
pub(crate) async fn ended(mut stream: Stream) -> (Vec<Value>, Option<Error>) {
    let mut all = Vec::new();
    while let Some(batch) = stream.next().await {
        match batch {
            Ok(mut batch) => all.append(&mut batch),
            Err(error) => return (all, Some(error)),
        }
    }
    (all, None)
}

fn after(values: Vec<Value>, error: Error) -> Stream {
    Stream::new(futures_util::stream::iter([Ok(values), Err(error)]))
}

/// A stream for each value, one after the other.
fn per_value(input: Stream, round: impl Fn(Value) -> Stream + Send + Sync + 'static) -> Stream {
    use futures_util::StreamExt as _;
    Stream::new(input.flat_map(move |batch| match batch {
        Ok(batch) => {
            let rounds: Vec<Stream> = batch.into_iter().map(&round).collect();
            futures_util::stream::iter(rounds).flatten().boxed()
        }
        Err(error) => futures_util::stream::iter([Err(error)]).boxed(),
    }))
}
