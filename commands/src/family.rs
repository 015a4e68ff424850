//! A row of a family's table: all that there is to say of a built-in command, in one place. Help, completion, argument
//! checks, the default rule and the tests read it.

use ecow::EcoString;
use pipit_grammar::usage::{Usage, parse_usage};

use crate::command::{Call, Code, Command, Test, Worker};
use crate::shell::Verb;
use crate::spec::{Effect, Example, Fill, Flow, Hand, Spec};
use crate::stream::{Batch, Stream};
use crate::{Error, Kind, Value};

/// A row without its family's name.
pub(crate) struct Row {
    spec: Spec,
    code: Option<Code>,
}

/// Begins a row with its usage line, whose first word is the command's name.
pub(crate) fn row(usage: &str) -> Row {
    // a test reads every row, so that a usage line that does not parse never ships
    let usage = parse_usage(usage).unwrap_or_else(|_| Usage {
        name: usage.into(),
        params: Vec::new(),
        options: Vec::new(),
        blocks: Vec::new(),
    });
    Row {
        spec: Spec {
            bundle: EcoString::new(),
            name: usage.name.clone(),
            also: Vec::new(),
            usage,
            about: EcoString::new(),
            details: EcoString::new(),
            examples: Vec::new(),
            kinds: Vec::new(),
            fills: None,
            either: Vec::new(),
            flow: Flow::Each,
            effect: Effect::Pure,
            rules: Vec::new(),
            fields: Vec::new(),
            takes_command: false,
            hand: Hand::Any,
            built_in: true,
            cog: false,
            outside: None,
        },
        code: None,
    }
}

impl Row {
    /// Other names.
    pub(crate) fn also(mut self, names: &[&str]) -> Self {
        self.spec.also = names.iter().map(|name| EcoString::from(*name)).collect();
        self
    }

    /// The sentence of help.
    pub(crate) fn about(mut self, about: &str) -> Self {
        self.spec.about = about.into();
        self
    }

    /// A line and what comes out, a JSON value a line; the tests run it.
    pub(crate) fn example(mut self, line: &str, gives: &str) -> Self {
        self.spec.examples.push(Example { line: line.into(), gives: Some(gives.into()), about: EcoString::new() });
        self
    }

    /// A line whose values a test cannot know (chance, the time, the state of the shell); the tests parse it.
    pub(crate) fn shows(mut self, line: &str, about: &str) -> Self {
        self.spec.examples.push(Example { line: line.into(), gives: None, about: about.into() });
        self
    }

    /// The type of a parameter or of an option's value.
    pub(crate) fn kind(mut self, name: &str, kind: Kind) -> Self {
        self.spec.kinds.push((name.into(), kind));
        self
    }

    /// The parameter that an incoming value fills; without either the line is refused.
    pub(crate) fn fills(mut self, name: &str) -> Self {
        let param = self.spec.usage.params.iter().position(|param| param.name == name).unwrap_or(usize::MAX);
        self.spec.fills = Some(Fill { param, field: None, must: true });
        self
    }

    /// The same, where a record that comes in gives one of its fields.
    pub(crate) fn fills_from(self, name: &str, field: &str) -> Self {
        let mut row = self.fills(name);
        if let Some(fill) = &mut row.spec.fills {
            fill.field = Some(field.into());
        }
        row
    }

    /// Options of which one at most may be given.
    pub(crate) fn either(mut self, names: &[&str]) -> Self {
        self.spec.either = names.iter().map(|name| EcoString::from(*name)).collect();
        self
    }

    /// The fields of the records that it gives.
    pub(crate) fn fields(mut self, names: &[&str]) -> Self {
        self.spec.fields = names.iter().map(|name| EcoString::from(*name)).collect();
        self
    }

    /// The access rule it comes with, short (`must have room:post`); without one everybody may run it.
    pub(crate) fn rule(mut self, rule: &str) -> Self {
        self.spec.rules.push(rule.into());
        self
    }

    /// What running it may do to the world; without a word nothing.
    pub(crate) fn effect(mut self, effect: Effect) -> Self {
        self.spec.effect = effect;
        self
    }

    /// Where its values come from, when that is neither its words, its input nor the shell: `http`, `others` for what
    /// other people said.
    pub(crate) fn outside(mut self, source: &'static str) -> Self {
        self.spec.outside = Some(source);
        self
    }

    /// How a line has to say it; without a word in any way.
    pub(crate) fn hand(mut self, hand: Hand) -> Self {
        self.spec.hand = hand;
        self
    }

    /// The words that follow are a command and its words, or a block.
    pub(crate) fn takes_command(mut self) -> Self {
        self.spec.takes_command = true;
        self
    }

    /// For each value, or once without an input stage.
    pub(crate) fn each(self, f: fn(&Call, Option<&Value>, &mut Batch) -> Result<(), Error>) -> Self {
        self.code(Flow::Each, Code::Each(f))
    }

    /// Works on each value; made ready once from its arguments.
    pub(crate) fn values(self, f: fn(&Call) -> Result<Worker, Error>) -> Self {
        self.code(Flow::Value, Code::Values(f))
    }

    /// Says of each value of the stream whether it stays; made ready once.
    pub(crate) fn keep(self, f: fn(&Call) -> Result<Test, Error>) -> Self {
        self.code(Flow::Stream, Code::Keep(f))
    }

    /// Works on the whole stream.
    pub(crate) fn stream(self, f: fn(Call, Stream) -> Result<Stream, Error>) -> Self {
        self.code(Flow::Stream, Code::Stream(f))
    }

    /// For each value of the input, or once without one, and takes its time.
    pub(crate) fn runs(self, f: fn(Call, Option<Stream>) -> Result<Stream, Error>) -> Self {
        self.code(Flow::Each, Code::Runs(f))
    }

    /// Done by the shell.
    pub(crate) fn shell(self, verb: Verb, flow: Flow) -> Self {
        self.code(flow, Code::Shell(verb))
    }

    /// Another way to meet the input than the code's form says.
    pub(crate) fn flow(mut self, flow: Flow) -> Self {
        self.spec.flow = flow;
        self
    }

    fn code(mut self, flow: Flow, code: Code) -> Self {
        self.spec.flow = flow;
        self.code = Some(code);
        self
    }
}

/// The commands of a family.
pub(crate) fn family(name: &str, rows: impl IntoIterator<Item = Row>) -> Vec<Command> {
    rows.into_iter()
        .filter_map(|row| {
            let mut spec = row.spec;
            spec.bundle = name.into();
            let rules = if spec.rules.is_empty() { vec![EcoString::from("allow")] } else { spec.rules };
            spec.rules =
                rules.iter().map(|rule| format!("when command is {name}:{} {rule}", spec.name).into()).collect();
            row.code.map(|code| Command::built_in(spec, code))
        })
        .collect()
}
