//! What is known of a command without running it: help, completion, the binder and access rules read it.

use ecow::EcoString;
use pipit_grammar::usage::Usage;

use crate::{Kind, Labels};

/// What is known of a command without running it.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The family of a built-in, the bundle of the others.
    pub bundle: EcoString,
    /// The name within the bundle.
    pub name: EcoString,
    /// Other names it answers to, within the same bundle.
    pub also: Vec<EcoString>,
    /// What it takes.
    pub usage: Usage,
    /// A sentence of help.
    pub about: EcoString,
    /// What there is to say beside it, for whoever asks about the command alone; often nothing.
    pub details: EcoString,
    /// Lines that show it at work.
    pub examples: Vec<Example>,
    /// The types of parameters and options' values by name; those not listed take text.
    pub kinds: Vec<(EcoString, Kind)>,
    /// The parameter that an incoming value fills.
    pub fills: Option<Fill>,
    /// Options that exclude each other, by their long names without dashes: one of them at most may be given.
    pub either: Vec<EcoString>,
    /// The fields of the records that it gives, where they are always the same.
    pub fields: Vec<EcoString>,
    /// How it meets its input.
    pub flow: Flow,
    /// What running it may do to the world.
    pub effect: Effect,
    /// The access rules it comes with, whole.
    pub rules: Vec<EcoString>,
    /// The words that follow are a command and its words, or a block (`xargs`, `explain`).
    pub takes_command: bool,
    /// How a line has to say it.
    pub hand: Hand,
    /// Whether it ships with Pipit.
    pub built_in: bool,
    /// Whether its program speaks Cog's protocol: what it writes on standard output also steers it, and it is told the
    /// [`Turn`](crate::Turn) of each of its calls.
    pub cog: bool,
    /// The source that a built-in's values come from, where that is neither its words, its input nor the shell itself.
    pub outside: Option<&'static str>,
}

/// How a line has to say a command: what gives rights must not come out of an alias, a value or a line of before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hand {
    /// In any way.
    Any,
    /// In a line that somebody types: not by an alias, not by a line that is run again, not by a job or a program.
    Typed,
    /// The same, and alone in its line, every word as it is: nothing before it, behind it or around it.
    Alone,
}

/// A line that shows a command at work.
#[derive(Clone, Debug)]
pub struct Example {
    /// The line, without the prefix.
    pub line: EcoString,
    /// The values that come out, as JSON, one a line, where a test can tell; a bundle's example has none.
    pub gives: Option<EcoString>,
    /// What it shows.
    pub about: EcoString,
}

/// The parameter that takes the incoming value when the caller left it out.
#[derive(Clone, Debug)]
pub struct Fill {
    /// Its place among the usage's parameters.
    pub param: usize,
    /// The field that a record gives; without one a record gives itself, as every other value does.
    pub field: Option<EcoString>,
    /// Whether the command cannot do without it, whatever the usage's brackets say.
    pub must: bool,
}

/// How a command meets its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Once, over the whole input; without an input stage over nothing.
    Stream,
    /// Once for each value; without an input stage once.
    Each,
    /// Once for each value, which it works on; without an input stage it is refused.
    Value,
}

/// What running a command may do to the world, from the least on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Nothing: it may be repeated freely.
    Pure,
    /// The same when it is repeated with the same invocation id.
    Idempotent,
    /// Anything: it is started once at most.
    Unsafe,
}

impl Effect {
    /// As manifests write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pure => "pure",
            Self::Idempotent => "idempotent",
            Self::Unsafe => "unsafe",
        }
    }
}

impl Spec {
    /// `bundle:name`.
    #[must_use]
    pub fn exact(&self) -> String {
        format!("{}:{}", self.bundle, self.name)
    }

    /// What had a part in its values beside its words and its input: a bundle, the network, other people.
    #[must_use]
    pub fn labels(&self) -> Labels {
        if !self.built_in {
            return Labels::one(format!("bundle:{}", self.bundle));
        }
        self.outside.map(Labels::one).unwrap_or_default()
    }

    /// Whether it is one verb of a noun (`user create`), which is never run by the verb alone.
    #[must_use]
    pub fn needs_noun(&self) -> bool {
        const NOUNS: &[&str] = &[
            "alias",
            "keep",
            "remind",
            "inbox",
            "karma",
            "standup",
            "poll",
            "my",
            "our",
            "user",
            "group",
            "role",
            "permission",
            "rule",
            "room",
            "bundle",
            "secret",
            "audit",
            "http",
            "totp",
            "break-glass",
        ];
        self.built_in && self.bundle != self.name && NOUNS.contains(&self.bundle.as_str())
    }

    /// The name as one types it, as far as the command alone tells.
    #[must_use]
    pub fn shown(&self) -> EcoString {
        if self.needs_noun() { format!("{} {}", self.bundle, self.name).into() } else { self.name.clone() }
    }

    /// The usage line with that name.
    #[must_use]
    pub fn usage_line(&self) -> String {
        let usage = self.usage.to_string();
        let rest = usage.strip_prefix(self.name.as_str()).unwrap_or_default();
        format!("{}{rest}", self.shown())
    }

    /// The type of a parameter or of an option's value.
    #[must_use]
    pub fn kind(&self, name: &str) -> &Kind {
        static TEXT: Kind = Kind::Text;
        self.kinds.iter().find(|(other, _)| other == name).map_or(&TEXT, |(_, kind)| kind)
    }
}
