//! A parsed line with every name resolved, every option found and every literal checked, before anything runs.
//!
//! Deliberately absent: running, judging and anything asynchronous. What a plan holds is decided from the line, the
//! catalogue and the aliases alone.

use std::sync::Arc;

use ecow::EcoString;
use pipit_commands::bind::Use;
use pipit_commands::{Args, Command, Given, How, Labels};
use pipit_grammar::Span;
use pipit_grammar::ast::{self, Joint, Parameter, Path, Redirect};
use pipit_grammar::rule::Via;

mod spread;

/// A line, ready to be judged and run.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The pipelines, each with what joins it to the one before; the first with none.
    pub(crate) pipelines: Vec<(Option<Joint>, Pipeline)>,
    /// Whether a first stage refers to the value that the stage around it sees.
    pub(crate) refers: bool,
    /// What from outside may have had a part in its values, and in the message of its failure.
    pub(crate) labels: Labels,
}

/// Stages and where their values go.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) stages: Vec<Arc<Stage>>,
    pub(crate) redirect: Option<Redirect>,
}

/// A stage.
#[derive(Debug)]
pub(crate) struct Stage {
    /// The name as it was written.
    pub(crate) shown: EcoString,
    pub(crate) span: Span,
    pub(crate) words: Vec<Word>,
    /// Whether the words refer to the value of the stage before, so that the stage runs once for each.
    pub(crate) refers: bool,
    /// Whether a stream comes in.
    pub(crate) input: bool,
    /// What from outside may have had a part in the values that come in, and in those that come out.
    pub(crate) labels: Flowing,
    pub(crate) run: What,
}

/// What from outside may have had a part in the values around a stage.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flowing {
    pub(crate) into: Labels,
    pub(crate) out: Labels,
}

/// What a stage runs.
#[derive(Debug)]
pub(crate) enum What {
    Command(Stated),
    /// An alias: its line, planned for this call, with the stage's words as its parameters.
    /// The way in is what calls of it come by.
    Alias(Arc<Plan>, Via),
}

/// A block as written, and its plan; one that is only looked at (`explain`) has none.
pub(crate) type Planned = (Arc<ast::Line>, Option<Arc<Plan>>);

/// A command as the line states it.
#[derive(Debug)]
pub(crate) struct Stated {
    pub(crate) command: Command,
    /// By what way its calls come, where it is not that of the line.
    pub(crate) via: Option<Via>,
    /// Why it is run, as the line says it (`because`).
    pub(crate) reason: Option<EcoString>,
    /// What each word is.
    pub(crate) uses: Vec<Use>,
    /// The blocks in order.
    pub(crate) blocks: Vec<Planned>,
    /// The arguments, when the line alone gives all of them.
    pub(crate) known: Option<Args>,
    /// Whether the incoming value fills a parameter that the words leave out.
    pub(crate) fills: bool,
}

/// A word with its substitutions planned.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    pub(crate) parts: Vec<Part>,
    /// Whether it may be an option: typed in the line itself, and not a caller's word in an alias.
    pub(crate) typed: bool,
    /// What from outside may have had a part in it.
    pub(crate) labels: Labels,
}

/// A piece of a word.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Text(EcoString, How),
    Reference(Path, bool),
    /// `%s`.
    Percent,
    Substitution(Arc<Plan>, bool),
    Parameter(Parameter, bool),
}

impl Word {
    /// The word, if nothing in it has to be looked up.
    pub(crate) fn literal(&self) -> Option<Given> {
        let pieces = self.parts.iter().map(|part| match part {
            Part::Text(text, how) => Some((text.clone().into(), *how)),
            Part::Reference(..) | Part::Percent | Part::Substitution(..) | Part::Parameter(..) => None,
        });
        Some(Given::of(pieces.collect::<Option<_>>()?))
    }

    /// Whether it refers to the value of the stage before, itself or through the first stage of a substitution.
    pub(crate) fn refers(&self) -> bool {
        self.parts.iter().any(|part| match part {
            Part::Reference(..) | Part::Percent => true,
            Part::Substitution(plan, _) => plan.refers,
            Part::Text(..) | Part::Parameter(..) => false,
        })
    }

    /// Whether it may come to any number of arguments.
    pub(crate) fn spreads(&self) -> bool {
        matches!(self.parts.as_slice(), [Part::Substitution(_, false) | Part::Parameter(Parameter::All, false)])
    }

    /// The word from a byte of its first text on: the value of `--name=value`.
    pub(crate) fn behind(&self, byte: usize) -> Word {
        let mut parts = self.parts.clone();
        if let Some(Part::Text(text, _)) = parts.first_mut() {
            *text = text.get(byte..).unwrap_or_default().into();
            if text.is_empty() && parts.len() > 1 {
                parts.remove(0);
            }
        }
        Word { parts, typed: false, labels: self.labels.clone() }
    }
}

impl Plan {
    /// The command whose values are shown last, if one stage gives them all.
    pub(crate) fn last_command(&self) -> Option<Command> {
        let [(_, only)] = self.pipelines.as_slice() else { return None };
        match &only.stages.last()?.run {
            What::Command(stated) => Some(stated.command.clone()),
            What::Alias(plan, _) => plan.last_command(),
        }
    }

    /// Every command of the plan, in blocks, substitutions and aliases too.
    pub(crate) fn each_command<'p>(&'p self, f: &mut dyn FnMut(&'p Stage, &'p Stated)) {
        for stage in self.pipelines.iter().flat_map(|(_, pipeline)| &pipeline.stages) {
            for word in &stage.words {
                for part in &word.parts {
                    if let Part::Substitution(plan, _) = part {
                        plan.each_command(f);
                    }
                }
            }
            match &stage.run {
                What::Command(stated) => {
                    f(stage, stated);
                    for (_, block) in &stated.blocks {
                        if let Some(block) = block {
                            block.each_command(f);
                        }
                    }
                }
                What::Alias(plan, _) => plan.each_command(f),
            }
        }
    }

    /// Every redirect of the plan, in blocks, substitutions and aliases too, with what from outside may have had a part in the
    /// values that it takes away.
    pub(crate) fn each_redirect(&self, f: &mut dyn FnMut(&Redirect, &Labels)) {
        for (_, pipeline) in &self.pipelines {
            if let Some(redirect) = &pipeline.redirect {
                let labels = pipeline.stages.last().map(|stage| stage.labels.out.clone()).unwrap_or_default();
                f(redirect, &labels);
            }
            for stage in &pipeline.stages {
                for word in &stage.words {
                    for part in &word.parts {
                        if let Part::Substitution(plan, _) = part {
                            plan.each_redirect(f);
                        }
                    }
                }
                match &stage.run {
                    What::Command(stated) => {
                        for block in stated.blocks.iter().filter_map(|(_, block)| block.as_ref()) {
                            block.each_redirect(f);
                        }
                    }
                    What::Alias(plan, _) => plan.each_redirect(f),
                }
            }
        }
    }
}
