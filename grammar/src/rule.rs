//! The access language: one rule a line, such as `when command is net:ping with arg[0] == 'prod' must have net:admin`.
//!
//! Here is the tree of a rule; `rule/words.rs` cuts the text, `rule/read.rs` reads it
//! (with `cond.rs` and `effect.rs`), `rule/print.rs` prints the
//! canonical text, which reads as the same rule. Deliberately absent: who has which permission, and the decision.

mod cond;
mod effect;
mod place;
mod print;
mod read;
mod window;
mod words;

use ecow::EcoString;
use regex::{Regex, RegexBuilder};

pub use place::{Place, Spot};
pub use read::{parse_rule, parse_rule_for};
pub use window::Window;

/// The most alternatives a condition may have after `and` is spread over `or`.
pub const ALTERNATIVES: usize = 64;

/// The most memory a compiled pattern may take, in bytes.
const PATTERN_SIZE: usize = 1 << 20;

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Which commands it is about.
    pub target: Target,
    /// What must hold of the call for the rule to count.
    pub with: Option<Cond>,
    /// The places where it counts; empty for everywhere.
    pub places: Vec<Spot>,
    /// When it counts; none for always.
    pub during: Option<Window>,
    /// How the call must have come for the rule to count; none for any way.
    pub via: Option<Via>,
    /// What follows when it counts.
    pub kind: Kind,
    /// The rule of the command's own bundle in whose place it stands when it counts, in its canonical text from the
    /// target on (`must have aws:stop`); only of a `when` about one command.
    pub replaces: Option<EcoString>,
}

/// Which commands a rule is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// `bundle:command`
    Command {
        /// The bundle's name.
        bundle: EcoString,
        /// The command's name.
        command: EcoString,
    },
    /// `bundle:*`
    Bundle(EcoString),
    /// `*:*`, for guards and forbids only.
    All,
}

/// What follows when a rule counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `when`: may be overridden by a rule that says more.
    When(Effect),
    /// `guard when`: is asked as well, whatever else counts.
    Guard(Effect),
    /// `forbid`
    Forbid {
        /// Who is let through all the same.
        unless: Option<Perms>,
    },
}

/// What a rule asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// `allow`
    Allow,
    /// `must have`
    MustHave(Perms),
    /// `require`
    Require(Requirement),
}

/// What must be fulfilled before the call runs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Requirement {
    /// `approval 2 from captains distinct`
    Approval {
        /// How many, at least one.
        count: u8,
        /// Of which role.
        role: EcoString,
        /// Whether no two may be of one person's accounts.
        distinct: bool,
    },
    /// `step-up totp within 10m`
    StepUp {
        /// By what.
        method: StepUp,
        /// How long ago it may have been.
        within: Option<Within>,
    },
    /// `reason`
    Reason,
}

/// How a person proves again who he is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StepUp {
    /// A one-time code.
    Totp,
    /// A key.
    WebAuthn,
}

/// A time as written: `30s`, `10m`, `1h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Within {
    /// How many, at least one.
    pub count: u32,
    /// `s`, `m` or `h`.
    pub unit: Unit,
}

/// What a time is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// `s`
    Seconds,
    /// `m`
    Minutes,
    /// `h`
    Hours,
}

/// Permissions, and how they are joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Perms {
    /// `bundle:name`
    One(EcoString),
    /// `any in [..]`, never empty.
    Any(Vec<EcoString>),
    /// `all in [..]`, never empty.
    All(Vec<EcoString>),
    /// At least two, joined by `and`; none of them is itself joined so.
    And(Vec<Perms>),
    /// At least two, joined by `or`; none of them is itself joined so.
    Or(Vec<Perms>),
}

/// What must hold of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cond {
    /// A single test.
    Atom(Atom),
    /// At least two, joined by `and`; none of them is itself joined so.
    And(Vec<Cond>),
    /// At least two, joined by `or`; none of them is itself joined so.
    Or(Vec<Cond>),
}

/// A single test of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Atom {
    /// What is looked at.
    pub subject: Subject,
    /// What is asked of it.
    pub test: Test,
}

/// What a test looks at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// One value.
    One(Single),
    /// Several values, of which one must pass.
    Any(Values),
    /// Several values, at least one, of which all must pass.
    All(Values),
}

/// One value of a call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Single {
    /// `arg[n]`, from 0.
    Arg(u8),
    /// `option[name]`
    Option(EcoString),
}

/// Several values of a call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Values {
    /// `args`
    Args,
    /// `options`
    Options,
    /// `option[name]`, item by item.
    Option(EcoString),
    /// `stdin.label`: the names of the sources outside the line that had a part in what flows in.
    Stdin,
}

/// What is asked of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// `== != > < >= <=`; a pattern only with the first two.
    Compare(Order, Literal),
    /// `in [..]`, never empty; a pattern is searched.
    In(Vec<Literal>),
    /// `matches`: a pattern takes the whole text.
    Matches(Patterns),
    /// `contains`: a pattern is found in the text.
    Contains(Patterns),
    /// `is missing`, of one value only.
    Missing,
    /// `is present`, of one value only.
    Present,
    /// `is tainted`, of one value only: it came from outside.
    Tainted,
}

/// The comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `>`
    Gt,
    /// `<`
    Lt,
    /// `>=`
    Ge,
    /// `<=`
    Le,
}

/// A value in a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Literal {
    /// A number as typed, spelled as JSON does.
    Number(EcoString),
    /// `true` or `false`.
    Bool(bool),
    /// A word, or a text in quotes.
    Text(EcoString),
    /// A pattern, to be searched.
    Pattern(EcoString),
}

/// One pattern, or a list of them; as typed, without the slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Patterns {
    /// `/pattern/`
    One(EcoString),
    /// `[/pattern/, /pattern/]`, never empty.
    List(Vec<EcoString>),
}

/// How a call came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Via {
    /// A line typed in chat.
    Chat,
    /// A scheduled job.
    Job,
    /// A call from outside.
    Trigger,
    /// The line of an alias.
    Alias,
    /// A language model that acts for somebody.
    Agent,
    /// A bundle's program.
    Callback,
    /// A line that is run again.
    History,
}

impl Via {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Chat, Self::Job, Self::Trigger, Self::Alias, Self::Agent, Self::Callback, Self::History];

    /// As a rule writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Job => "job",
            Self::Trigger => "trigger",
            Self::Alias => "alias",
            Self::Agent => "agent",
            Self::Callback => "callback",
            Self::History => "history",
        }
    }

    /// From how a rule writes it.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|via| via.as_str() == name)
    }
}

impl Within {
    /// In seconds.
    pub fn seconds(self) -> u64 {
        let each = match self.unit {
            Unit::Seconds => 1,
            Unit::Minutes => 60,
            Unit::Hours => 3600,
        };
        u64::from(self.count) * each
    }
}

impl Target {
    /// Whether a command, as `bundle:command`, is meant.
    pub fn covers(&self, full_name: &str) -> bool {
        match self {
            Self::Command { bundle, command } => full_name.split_once(':') == Some((bundle.as_str(), command.as_str())),
            Self::Bundle(bundle) => full_name.split_once(':').is_some_and(|(name, _)| name == bundle),
            Self::All => true,
        }
    }
}

impl Perms {
    /// Whether somebody who has these permissions is let through.
    pub fn satisfied(&self, has: &dyn Fn(&str) -> bool) -> bool {
        match self {
            Self::One(name) => has(name),
            Self::Any(names) => names.iter().any(|name| has(name)),
            Self::All(names) => names.iter().all(|name| has(name)),
            Self::And(parts) => parts.iter().all(|part| part.satisfied(has)),
            Self::Or(parts) => parts.iter().any(|part| part.satisfied(has)),
        }
    }

    /// Every permission that is named, in order.
    pub fn names(&self) -> Vec<&EcoString> {
        match self {
            Self::One(name) => vec![name],
            Self::Any(names) | Self::All(names) => names.iter().collect(),
            Self::And(parts) | Self::Or(parts) => parts.iter().flat_map(Self::names).collect(),
        }
    }
}

impl Cond {
    /// Every test, in order.
    pub fn atoms(&self) -> Vec<&Atom> {
        match self {
            Self::Atom(atom) => vec![atom],
            Self::And(parts) | Self::Or(parts) => parts.iter().flat_map(Self::atoms).collect(),
        }
    }

    /// How many alternatives there are once `and` is spread over `or`.
    fn count(&self) -> usize {
        match self {
            Self::Atom(_) => 1,
            Self::And(parts) => parts.iter().map(Self::count).fold(1, usize::saturating_mul),
            Self::Or(parts) => parts.iter().map(Self::count).fold(0, usize::saturating_add),
        }
    }

    fn spread(&self) -> Vec<Vec<&Atom>> {
        match self {
            Self::Atom(atom) => vec![vec![atom]],
            Self::Or(parts) => parts.iter().flat_map(Self::spread).collect(),
            Self::And(parts) => parts.iter().fold(vec![Vec::new()], |before, part| {
                let part = part.spread();
                before.iter().flat_map(|left| part.iter().map(|right| [left.as_slice(), right].concat())).collect()
            }),
        }
    }
}

impl Rule {
    /// The condition as alternatives, each a list of tests that must all hold; one empty list without a condition.
    /// None beyond [`ALTERNATIVES`], which no rule that was read has.
    pub fn alternatives(&self) -> Option<Vec<Vec<&Atom>>> {
        match &self.with {
            None => Some(vec![Vec::new()]),
            Some(cond) => (cond.count() <= ALTERNATIVES).then(|| cond.spread()),
        }
    }

    /// The text of the clause of places, if there is one: `in #ops`. Two that mean the same rooms are the same.
    pub fn clause_of_places(&self) -> Option<String> {
        let places: Vec<Spot> = self.places.iter().map(Spot::canonical).collect();
        (!places.is_empty()).then(|| print::Places(&places).to_string())
    }

    /// The rule's text from behind its target on, as a manifest may write it.
    pub fn from_target(&self) -> EcoString {
        let (whole, target) = (self.to_string(), format!("command is {} ", self.target));
        whole.split_once(&target).map_or_else(EcoString::new, |(_, rest)| rest.into())
    }

    /// The permissions that the rule names, in order.
    pub fn permissions(&self) -> Vec<&EcoString> {
        match &self.kind {
            Kind::When(effect) | Kind::Guard(effect) => match effect {
                Effect::MustHave(perms) => perms.names(),
                Effect::Allow | Effect::Require(_) => Vec::new(),
            },
            Kind::Forbid { unless } => unless.as_ref().map(Perms::names).unwrap_or_default(),
        }
    }

    /// The options that the rule names, in order.
    pub fn options(&self) -> Vec<&EcoString> {
        let atoms = self.with.as_ref().map(Cond::atoms).unwrap_or_default();
        let named = atoms.into_iter().filter_map(|atom| match &atom.subject {
            Subject::One(Single::Option(name))
            | Subject::Any(Values::Option(name))
            | Subject::All(Values::Option(name)) => Some(name),
            Subject::One(Single::Arg(_))
            | Subject::Any(Values::Args | Values::Options | Values::Stdin)
            | Subject::All(Values::Args | Values::Options | Values::Stdin) => None,
        });
        named.collect()
    }
}

/// Compiles a pattern as typed, to be searched, or to take the whole text. Refused beyond 1 MiB of program.
pub fn compile_pattern(typed: &str, whole: bool) -> Result<Regex, regex::Error> {
    // first as it stands, since `a)|(b` would become whole only by the group around it
    let searched = RegexBuilder::new(typed).size_limit(PATTERN_SIZE).build()?;
    if whole { RegexBuilder::new(&format!(r"\A(?:{typed})\z")).size_limit(PATTERN_SIZE).build() } else { Ok(searched) }
}
