//! Makes the plan of a line: names to commands and aliases, words to options and arguments, blocks and substitutions
//! to plans of their own. Everything that can be seen from the line alone is refused here.

use std::sync::Arc;

use ecow::EcoString;
use pipit_commands::bind::{self, Head};
use pipit_commands::{Args, Command, Error, Flow, Host, How, Labels};
use pipit_grammar::Span;
use pipit_grammar::ast::{self, Item, Joint, Line};
use pipit_grammar::rule::Via;

use super::labels::{Kept, keeps};
use super::names::{Found, Names};
use super::plan::{Flowing, Part, Pipeline, Plan, Planned, Stage, Stated, What, Word};
use super::recall::{LAST, Recalled};

mod parameters;
mod slots;

pub(super) use slots::flag;
use slots::{known_lacks_fill, slots};

/// How deep aliases may stand in aliases.
const ALIAS_DEPTH: usize = 8;
/// How many stages a line may have when all its aliases are spread out.
const STAGES: usize = 1000;

/// What a stage can see.
#[derive(Clone)]
struct Scope {
    /// A stream comes in.
    input: bool,
    /// There is a value to refer to.
    value: bool,
    /// The caller's words, inside an alias.
    words: Option<Arc<Vec<Word>>>,
    /// What from outside may have had a part in what comes in, and in the value to refer to.
    labels: Labels,
}

/// Whether the caller may run a command by a way with any arguments at all.
type Judge<'a> = dyn Fn(&Command, Option<Via>) -> Result<(), Error> + 'a;

/// Plans lines for one caller.
pub(crate) struct Planner<'a> {
    names: &'a Names,
    /// Only checks literals here; nothing is judged and nothing runs.
    host: &'a Arc<dyn Host>,
    /// The caller's own lines, which `!!` and `history run ID` stand for.
    recalled: &'a Recalled,
    /// Refuses a command that the caller may not run with any arguments whatever, before it is told what it takes.
    judge: &'a Judge<'a>,
    /// What had a part in what is kept.
    kept: &'a Kept<'a>,
    /// What may have a part in what the line itself keeps.
    keeping: Labels,
    depth: usize,
    /// The lines of the aliases that are being planned, from the outermost.
    open: Vec<Arc<Line>>,
    stages: usize,
    /// Inside an alias the place in the line that was typed: where the alias stands.
    inside: Option<Span>,
    /// By what way the calls of the alias that is planned now come.
    via: Option<Via>,
    /// Why the calls of the block that is planned now are made.
    reason: Option<EcoString>,
}

impl<'a> Planner<'a> {
    /// Plans with these names.
    pub(crate) fn new(
        names: &'a Names,
        host: &'a Arc<dyn Host>,
        recalled: &'a Recalled,
        judge: &'a Judge,
        kept: &'a Kept,
    ) -> Self {
        let keeping = Labels::default();
        Self {
            names,
            host,
            recalled,
            judge,
            kept,
            keeping,
            depth: 0,
            open: Vec::new(),
            stages: 0,
            inside: None,
            via: None,
            reason: None,
        }
    }

    /// The plan of a line that somebody typed. `input` says that a stream comes into its first stage, and from where.
    pub(crate) fn plan(&mut self, line: &Line, input: Option<Labels>) -> Result<Plan, Error> {
        let there = input.is_some();
        let labels = input.unwrap_or_default();
        self.line(line, &Scope { input: there, value: there, words: None, labels }, &mut Vec::new())
    }

    /// `extra` are words to put at the end of the first stage: those of a caller whose alias has no parameters.
    fn line(&mut self, line: &Line, scope: &Scope, extra: &mut Vec<Item>) -> Result<Plan, Error> {
        let mut pipelines = Vec::with_capacity(1 + line.rest.len());
        pipelines.push((None, self.pipeline(&line.first, scope, extra)?));
        for (joint, pipeline) in &line.rest {
            pipelines.push((Some(*joint), self.pipeline(pipeline, scope, &mut Vec::new())?));
        }
        let refers = !scope.input
            && pipelines.iter().any(|(_, pipeline): &(Option<Joint>, Pipeline)| {
                pipeline.stages.first().is_some_and(|stage| stage_refers(stage))
            });
        let stages = pipelines.iter().flat_map(|(_, pipeline)| &pipeline.stages);
        let labels = stages.fold(Labels::default(), |labels, stage| labels.and(&stage.labels.out));
        Ok(Plan { pipelines, refers, labels })
    }

    fn pipeline(&mut self, pipeline: &ast::Pipeline, scope: &Scope, extra: &mut Vec<Item>) -> Result<Pipeline, Error> {
        let mut stages: Vec<Arc<Stage>> = Vec::with_capacity(pipeline.stages.len());
        for stage in &pipeline.stages {
            let inner;
            let scope = match stages.last() {
                None => scope,
                Some(before) => {
                    let labels = before.labels.out.clone();
                    inner = Scope { input: true, value: true, words: scope.words.clone(), labels };
                    &inner
                }
            };
            stages.push(Arc::new(self.stage(stage, scope, &std::mem::take(extra))?));
        }
        Ok(Pipeline { stages, redirect: pipeline.redirect.clone() })
    }

    fn stage(&mut self, stage: &ast::Stage, scope: &Scope, extra: &[Item]) -> Result<Stage, Error> {
        // a word that an alias' own line lacks cannot be added to the line that was typed
        let typed = self.inside.is_none();
        let planned = self.found(stage, scope, extra);
        planned.map_err(|error| if typed { error } else { error.wants_nothing() })
    }

    fn found(&mut self, stage: &ast::Stage, scope: &Scope, extra: &[Item]) -> Result<Stage, Error> {
        self.stages += 1;
        if self.stages > STAGES {
            return Err(Error::refused(format!("the line has over {STAGES} stages with its aliases spread out")));
        }
        let found = self.names.find(stage).map_err(|error| error.at(self.place(stage.name.span)))?;
        let span = self.place(stage.span);
        match found {
            Found::Command(command, taken) => {
                let items = stage.items.iter().skip(taken).chain(extra);
                self.command(stage, command, items, scope).map_err(|error| error.at(span))
            }
            Found::Alias(_, alias) => {
                let name = &stage.name.text;
                // each was refused when it was made, but for one through the aliases of another
                if self.open.iter().any(|line| Arc::ptr_eq(line, &alias.line)) {
                    return Err(Error::refused(format!("the alias {name} runs itself in a loop"))
                        .help("alias list shows the aliases that it goes through")
                        .at(span));
                }
                self.open.push(Arc::clone(&alias.line));
                let planned = self.alias(stage, &alias.line, extra, scope, Via::Alias);
                self.open.pop();
                planned.map_err(|error| error.at(span))
            }
            Found::Again(which) => match self.recalled.get(&which) {
                Some(line) => {
                    // the words behind `history run ID` are the ID
                    let asked = ast::Stage {
                        items: if which == LAST { stage.items.clone() } else { Vec::new() },
                        ..stage.clone()
                    };
                    self.alias(&asked, &line.clone(), extra, scope, Via::History).map_err(|error| error.at(span))
                }
                None if which == LAST => Err(Error::refused("there is no line before this one").at(span)),
                None => Err(Error::refused(format!("you have no line {which}"))
                    .help("history shows your lines with their ids; one that asks for another cannot be asked for")
                    .at(span)),
            },
        }
    }

    fn command<'i>(
        &mut self,
        stage: &ast::Stage,
        command: Command,
        items: impl Iterator<Item = &'i Item>,
        scope: &Scope,
    ) -> Result<Stage, Error> {
        (self.judge)(&command, self.via)?;
        let spec = command.spec();
        let items: Vec<&Item> = items.collect();
        let (words, blocks) =
            if spec.takes_command { (Vec::new(), vec![following(&items, &spec.name)?]) } else { split(&items) };
        if spec.flow == Flow::Value && !scope.input {
            return Err(Error::refused(format!("{} works on what comes in, and nothing comes in", spec.shown()))
                .help(format!("put a stage before it: … | {}", spec.usage_line())));
        }
        enough_blocks(spec, blocks.len())?;
        let spans: Vec<Span> = words.iter().map(|word| self.place(word.span)).collect();
        let words: Vec<Word> = words.into_iter().map(|word| self.word(word, scope)).collect::<Result<_, _>>()?;
        let refers = words.iter().any(Word::refers);
        let fills = scope.input && !refers && spec.flow == Flow::Each;
        let heads: Vec<Head<'_>> = words.iter().map(head).collect();
        let uses = bind::uses(&spec.usage, &spec.shown(), &heads).map_err(|error| {
            // the first word with which it goes wrong in this way is the one that is meant
            let upto = |end: usize| bind::uses(&spec.usage, &spec.name, heads.get(..end).unwrap_or(&heads));
            let wrong = (1..=heads.len()).find(|end| upto(*end).is_err_and(|other| other.message() == error.message()));
            match wrong.and_then(|end| spans.get(end - 1)) {
                Some(span) => error.at(*span),
                None => error,
            }
        })?;
        let said = words.iter().fold(spec.labels(), |labels, word| labels.and(&word.labels));
        let (outside, given) = (self.reason.clone(), reason(&command, &words)?);
        self.reason = given.or(outside.clone());
        let blocks = self.blocks(&command, blocks, scope, &said)?;
        let inside = std::mem::replace(&mut self.reason, outside);
        let (positional, options) = slots(&words, &uses, scope.words.as_deref().map(Vec::as_slice));
        let mut known = bind::bind(spec, positional, options, fills)?;
        let fills = fills && known_lacks_fill(&command, known.as_ref());
        let labels = self.flowing(&command, known.as_ref().filter(|_| !fills), &said, &blocks, scope);
        if let Some(args) = &mut known {
            (args.input, args.output) = (labels.into.clone(), labels.out.clone());
        }
        if let Some(args) = &known
            && !fills
        {
            pipit_commands::check(&command, args, self.host)?;
        }
        Ok(Stage {
            shown: stage.name.text.clone(),
            span: self.place(stage.span),
            words,
            refers,
            input: scope.input,
            labels,
            run: What::Command(Stated { command, via: self.via, reason: inside, uses, blocks, known, fills }),
        })
    }

    /// What may have a part in the values around a command: in those that come out everything that it is told.
    fn flowing(
        &mut self,
        command: &Command,
        known: Option<&Args>,
        said: &Labels,
        blocks: &[Planned],
        scope: &Scope,
    ) -> Flowing {
        let into = if scope.input { scope.labels.clone() } else { Labels::default() };
        let blocks = blocks.iter().filter_map(|(_, block)| block.as_ref());
        let mut out = blocks.fold(said.and(&into), |labels, block| labels.and(&block.labels));
        match command.verb() {
            Some(verb) if keeps(verb) => {
                out = out.and(&self.keeping).and(&(self.kept)(command, known));
                self.keeping = self.keeping.and(&out);
            }
            Some(_) | None => {}
        }
        Flowing { into, out }
    }

    fn blocks(
        &mut self,
        command: &Command,
        blocks: Vec<Line>,
        scope: &Scope,
        said: &Labels,
    ) -> Result<Vec<Planned>, Error> {
        let spec = command.spec();
        // the words that follow `explain` are looked at, not run
        if spec.takes_command && command.verb().is_some() {
            return Ok(blocks.into_iter().map(|line| (Arc::new(line), None)).collect());
        }
        let mut planned = Vec::with_capacity(blocks.len());
        // a block may be given what its command was told, and what the block before it came to
        let mut labels = scope.labels.and(said);
        for (at, line) in blocks.into_iter().enumerate() {
            // what `try` caught is a value, whatever came in
            let caught = at == 1 && spec.name == "try" && spec.built_in;
            let inside = Scope {
                input: scope.input || caught,
                value: scope.value || caught,
                words: scope.words.clone(),
                labels: labels.clone(),
            };
            let plan = self.line(&line, &inside, &mut Vec::new())?;
            labels = labels.and(&plan.labels);
            planned.push((Arc::new(line), Some(Arc::new(plan))));
        }
        Ok(planned)
    }

    fn alias(
        &mut self,
        stage: &ast::Stage,
        line: &Line,
        extra: &[Item],
        scope: &Scope,
        via: Via,
    ) -> Result<Stage, Error> {
        if self.depth == ALIAS_DEPTH {
            return Err(Error::refused(format!("aliases stand in aliases more than {ALIAS_DEPTH} deep")));
        }
        let items = stage.items.iter().chain(extra);
        let span = self.place(stage.span);
        let (outside, came) = (self.inside, self.via);
        self.depth += 1;
        let (words, plan) = if let Some(wanted) = parameters::parameters(line) {
            let mut words = Vec::new();
            for item in items {
                match item {
                    Item::Word(word) => words.push(Word { typed: false, ..self.word(word, scope)? }),
                    Item::Block(_) => {
                        return Err(Error::refused(format!("{} takes words, not a block", stage.name.text)));
                    }
                }
            }
            parameters::enough(&stage.name.text, &words, &wanted)?;
            let inside = Scope { words: Some(Arc::new(words.clone())), ..scope.clone() };
            (self.inside, self.via) = (Some(span), Some(via));
            (words, self.line(line, &inside, &mut Vec::new())?)
        } else {
            let inside = scope.clone();
            (self.inside, self.via) = (Some(span), Some(via));
            (Vec::new(), self.line(line, &inside, &mut items.cloned().collect())?)
        };
        self.depth -= 1;
        (self.inside, self.via) = (outside, came);
        Ok(Stage {
            shown: stage.name.text.clone(),
            span,
            refers: words.iter().any(Word::refers),
            words,
            input: scope.input,
            labels: Flowing { into: scope.labels.clone(), out: plan.labels.clone() },
            run: What::Alias(Arc::new(plan), via),
        })
    }

    /// A place in the line that was typed: what stands in an alias' line stands where the alias does.
    fn place(&self, span: Span) -> Span {
        self.inside.unwrap_or(span)
    }

    fn word(&mut self, word: &ast::Word, scope: &Scope) -> Result<Word, Error> {
        let mut parts = Vec::with_capacity(word.parts.len());
        let mut labels = Labels::default();
        for part in &word.parts {
            parts.push(match part {
                ast::Part::Text { text, quoted } => Part::Text(text.clone(), how(*quoted)),
                ast::Part::Reference { path, quoted } if scope.value => {
                    labels = labels.and(&scope.labels);
                    Part::Reference(path.clone(), *quoted)
                }
                ast::Part::Reference { path, .. } => {
                    return Err(Error::refused(format!(
                        "${path} refers to the value of the stage before, and there is none"
                    ))
                    .help("put a stage before this one; a text is written in single quotes")
                    .at(self.place(word.span)));
                }
                ast::Part::Percent { quoted } if scope.value => {
                    let _ = quoted;
                    labels = labels.and(&scope.labels);
                    Part::Percent
                }
                ast::Part::Percent { quoted } => Part::Text("%s".into(), how(*quoted)),
                ast::Part::Substitution { line, quoted, .. } => {
                    let inside = Scope { input: false, ..scope.clone() };
                    let plan = self.line(line, &inside, &mut Vec::new())?;
                    labels = labels.and(&plan.labels);
                    Part::Substitution(Arc::new(plan), *quoted)
                }
                ast::Part::Parameter { which, quoted } => {
                    labels = labels.and(&parameters::labels(*which, scope.words.as_deref().map_or(&[], Vec::as_slice)));
                    Part::Parameter(*which, *quoted)
                }
            });
        }
        Ok(Word { parts: merge(parts), typed: true, labels })
    }
}

/// The reason that a command gives for what its block runs: a person's word, so it is typed and not computed.
fn reason(command: &Command, words: &[Word]) -> Result<Option<EcoString>, Error> {
    let spec = command.spec();
    if !spec.built_in || spec.name != "because" {
        return Ok(None);
    }
    let given = words.first().and_then(Word::literal).map(|given| given.text());
    match given {
        Some(reason) if reason.trim().chars().count() >= crate::limits::REASON => Ok(Some(reason)),
        Some(_) => Err(Error::refused(format!("a reason has {} letters at least", crate::limits::REASON))
            .help("because 'the disk of web-1 is full' { LINE }")),
        None => Err(Error::refused("a reason is typed, not computed").help("because 'the disk is full' { LINE }")),
    }
}

/// Texts side by side that came to be in the same way are one (`a%s` where `%s` is text).
fn merge(parts: Vec<Part>) -> Vec<Part> {
    let mut merged: Vec<Part> = Vec::with_capacity(parts.len());
    for part in parts {
        match (merged.last_mut(), part) {
            (Some(Part::Text(before, how)), Part::Text(text, same)) if *how == same => before.push_str(&text),
            (_, part) => merged.push(part),
        }
    }
    merged
}

fn how(quoted: bool) -> How {
    if quoted { How::Quoted } else { How::Bare }
}

/// Whether a first stage needs the value that the stage around it sees.
fn stage_refers(stage: &Stage) -> bool {
    stage.refers
        || match &stage.run {
            What::Command(stated) => {
                stated.blocks.iter().any(|(_, block)| block.as_ref().is_some_and(|plan| plan.refers))
            }
            What::Alias(plan, _) => plan.refers,
        }
}

fn head(word: &Word) -> Head<'_> {
    match word.parts.as_slice() {
        [Part::Text(text, How::Bare), rest @ ..] if word.typed && text.starts_with('-') => {
            Head::Dash(text, rest.is_empty())
        }
        _ => Head::Plain,
    }
}

fn split<'i>(items: &[&'i Item]) -> (Vec<&'i ast::Word>, Vec<Line>) {
    let mut words = Vec::new();
    let mut blocks = Vec::new();
    for item in items {
        match item {
            Item::Word(word) => words.push(word),
            Item::Block(block) => blocks.push(block.line.clone()),
        }
    }
    (words, blocks)
}

/// The command that the words after `xargs` or `explain` are, or the block that stands there.
fn following(items: &[&Item], command: &str) -> Result<Line, Error> {
    match items {
        [Item::Block(block)] => Ok(block.line.clone()),
        [Item::Word(first), rest @ ..] => {
            let name = first.bare().filter(|text| ast::is_name(text)).ok_or_else(|| {
                Error::refused(format!("{command} wants the name of a command"))
                    .at(first.span)
                    .help(format!("write its words as they are typed, or a whole line in a block: {command} {{ … }}"))
            })?;
            let stage = ast::Stage {
                name: ast::Name { text: name.into(), span: first.span },
                items: rest.iter().map(|item| (*item).clone()).collect(),
                span: first.span,
            };
            let first = ast::Pipeline { stages: vec![stage], redirect: None };
            Ok(Line { first, rest: Vec::new() })
        }
        [Item::Block(_), ..] => Err(Error::refused(format!("{command} takes one block"))),
        [] => Err(Error::refused(format!("{command} wants a command and its words, or a block"))),
    }
}

/// Refuses too few and too many blocks.
fn enough_blocks(spec: &pipit_commands::Spec, given: usize) -> Result<(), Error> {
    if spec.takes_command {
        return Ok(());
    }
    let most = spec.usage.blocks.len();
    let least = spec.usage.blocks.iter().filter(|slot| slot.required).count();
    let wrong = if given > most {
        match most {
            0 => format!("{} takes no block", spec.shown()),
            1 => format!("{} takes one block", spec.shown()),
            _ => format!("{} takes {most} blocks at most", spec.shown()),
        }
    } else if given < least {
        format!("a block of {} is missing", spec.name)
    } else {
        return Ok(());
    };
    Err(Error::refused(wrong).help(format!("usage: {}", spec.usage_line())))
}
