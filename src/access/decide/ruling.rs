//! A rule made ready to decide: patterns compiled, the condition spread into alternatives, each a sorted set of tests
//! that can be compared with another's at once.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use ecow::{EcoString, eco_format};
use pipit_commands::Value;
use pipit_grammar::rule::{
    Atom, Effect, Kind, Literal, Patterns, Requirement, Rule, Subject, Target, Test, compile_pattern, parse_rule,
};

use super::call::{Ask, Constant, Facts, Open, Probe, Truth};

/// Who made a rule. It does not change the decision; a guard and a forbid are the site's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Layer {
    /// The command's own manifest or the shell's table.
    Bundle,
    /// The site.
    Site,
}

/// A rule with its name, ready to decide.
#[derive(Clone, Debug)]
pub(crate) struct Ruling {
    /// How it is called, each once.
    pub(crate) id: EcoString,
    /// Who made it.
    pub(crate) layer: Layer,
    /// As it is kept.
    pub(crate) source: EcoString,
    /// What it says, or why that is not known.
    body: Result<Compiled, EcoString>,
}

/// What a rule says.
#[derive(Clone, Debug)]
pub(super) struct Compiled {
    pub(super) rule: Rule,
    /// From its target on, as a rule that replaces it names it.
    pub(super) short: EcoString,
    /// Every test once.
    tests: Vec<Keyed>,
    pub(super) alternatives: Vec<Alternative>,
}

/// A test and what tells it from others: its canonical text, with a hash for a quick no.
#[derive(Clone, Debug)]
struct Keyed {
    key: Key,
    probe: Probe,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    hash: u64,
    text: EcoString,
}

/// Tests that must all hold.
#[derive(Clone, Debug)]
pub(super) struct Alternative {
    /// Sorted, each once.
    keys: Vec<Key>,
    /// One of 64 bits for each of the keys, for a quick no.
    mask: u64,
    /// The same by place in [`Compiled::tests`].
    tests: Vec<usize>,
    /// How much the target says.
    rank: Rank,
    /// Whether any looks at arguments or options.
    pub(super) asks_call: bool,
}

/// How much a target says, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    All,
    Bundle,
    Command,
}

impl Ruling {
    /// The role that it takes approvals from.
    pub(crate) fn approver(&self) -> Option<&EcoString> {
        let (Kind::When(effect) | Kind::Guard(effect)) = &self.body.as_ref().ok()?.rule.kind else { return None };
        match effect {
            Effect::Require(Requirement::Approval { role, .. }) => Some(role),
            Effect::Require(Requirement::StepUp { .. } | Requirement::Reason) | Effect::Allow | Effect::MustHave(_) => {
                None
            }
        }
    }

    /// Makes a rule ready. One that cannot be read is kept all the same: it denies whatever is decided with it.
    pub(crate) fn read(id: impl Into<EcoString>, layer: Layer, source: impl Into<EcoString>) -> Self {
        let source = source.into();
        let body = parse_rule(&source).map_err(|error| eco_format!("{error}")).and_then(Compiled::new);
        Self { id: id.into(), layer, source, body }
    }

    /// Makes a rule ready that has been read; its source is its canonical text.
    pub(crate) fn new(id: impl Into<EcoString>, layer: Layer, rule: Rule) -> Self {
        Self { id: id.into(), layer, source: eco_format!("{rule}"), body: Compiled::new(rule) }
    }

    /// The rule, or why it cannot be read.
    pub(crate) fn rule(&self) -> Result<&Rule, &EcoString> {
        self.body.as_ref().map(|compiled| &compiled.rule)
    }

    /// Whether another rule of the same command, which asks for something, gives way to this one where both hold.
    pub(crate) fn goes_before(&self, other: &Self) -> bool {
        let (Ok(more), Ok(less)) = (&self.body, &other.body) else { return false };
        let Kind::When(Effect::MustHave(_) | Effect::Require(_)) = less.rule.kind else { return false };
        matches!(more.rule.kind, Kind::When(_))
            && less.alternatives.iter().any(|less| more.alternatives.iter().any(|more| less.is_less_than(more)))
    }

    /// Whether it has a say about a command, given as `bundle:command`; one that cannot be read always has.
    pub(crate) fn covers(&self, command: &str) -> bool {
        self.body.as_ref().map_or(true, |compiled| compiled.rule.target.covers(command))
    }

    pub(super) fn compiled(&self) -> Result<&Compiled, &EcoString> {
        self.body.as_ref()
    }
}

impl Compiled {
    fn new(rule: Rule) -> Result<Self, EcoString> {
        let spread = rule.alternatives().ok_or("the condition has too many alternatives")?;
        let rank = match rule.target {
            Target::Command { .. } => Rank::Command,
            Target::Bundle(_) => Rank::Bundle,
            Target::All => Rank::All,
        };
        let mut tests: Vec<Keyed> = Vec::new();
        let mut alternatives = Vec::with_capacity(spread.len());
        let clauses = clauses(&rule)?;
        for atoms in spread {
            let mut own: Vec<(Key, usize)> = Vec::new();
            for atom in atoms {
                own.push(intern(&mut tests, eco_format!("{atom}"), || probe(atom))?);
            }
            for (text, probe) in &clauses {
                own.push(intern(&mut tests, text.clone(), || Ok(probe.clone()))?);
            }
            own.sort();
            own.dedup();
            let asks_call = own.iter().any(|(_, at)| tests.get(*at).is_some_and(|test| test.probe.asks_call()));
            let (keys, own): (Vec<Key>, Vec<usize>) = own.into_iter().unzip();
            let mask = keys.iter().fold(0, |mask, key| mask | 1 << (key.hash % 64));
            alternatives.push(Alternative { keys, mask, tests: own, rank, asks_call });
        }
        Ok(Self { short: rule.from_target(), rule, tests, alternatives })
    }

    pub(super) fn is_unconditional(&self) -> bool {
        self.tests.is_empty()
    }

    /// Whether all tests of an alternative hold.
    pub(super) fn truth(&self, alternative: &Alternative, facts: &Facts<'_>) -> Truth {
        self.least(alternative, |test| test.probe.truth(facts))
    }

    /// Whether the tests hold that look only at where and how the call came.
    pub(super) fn truth_of_context(&self, alternative: &Alternative, facts: &Facts<'_>) -> Truth {
        self.least(alternative, |test| if test.probe.asks_call() { Truth::True } else { test.probe.truth(facts) })
    }

    /// Whether all tests of an alternative hold, where it is said of each by its text.
    pub(super) fn truth_by(&self, alternative: &Alternative, truth: &dyn Fn(&EcoString) -> Truth) -> Truth {
        self.least(alternative, |test| truth(&test.key.text))
    }

    /// Every test once: as it is written, and what it asks.
    pub(super) fn tests(&self) -> impl Iterator<Item = (&EcoString, &Probe)> {
        self.tests.iter().map(|test| (&test.key.text, &test.probe))
    }

    fn least(&self, alternative: &Alternative, truth: impl Fn(&Keyed) -> Truth) -> Truth {
        let mut least = Truth::True;
        for test in alternative.tests.iter().filter_map(|at| self.tests.get(*at)) {
            least = least.min(truth(test));
            if least == Truth::False {
                break;
            }
        }
        least
    }
}

impl Alternative {
    /// Whether the other asks for all of this and for something more.
    pub(super) fn is_less_than(&self, other: &Self) -> bool {
        let more = self.rank < other.rank || self.keys.len() < other.keys.len();
        if !more || self.rank > other.rank || self.keys.len() > other.keys.len() || self.mask & !other.mask != 0 {
            return false;
        }
        let mut theirs = other.keys.iter();
        self.keys.iter().all(|key| theirs.by_ref().find(|their| *their >= key) == Some(key))
    }
}

fn intern(
    tests: &mut Vec<Keyed>,
    text: EcoString,
    probe: impl FnOnce() -> Result<Probe, EcoString>,
) -> Result<(Key, usize), EcoString> {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let key = Key { hash: hasher.finish(), text };
    if let Some(at) = tests.iter().position(|test| test.key == key) {
        return Ok((key, at));
    }
    tests.push(Keyed { key: key.clone(), probe: probe()? });
    Ok((key, tests.len() - 1))
}

/// The clauses are tests too, by their own text.
fn clauses(rule: &Rule) -> Result<Vec<(EcoString, Probe)>, EcoString> {
    let places = rule.clause_of_places().map(|text| (text.into(), Probe::In(rule.places.clone())));
    let during = rule.during.as_ref().map(|window| {
        let zone = jiff::tz::TimeZone::get(window.zone())
            .map_err(|_| eco_format!("there is no time zone {}", window.zone()))?;
        let open = Open { window: window.clone(), zone };
        Ok::<_, EcoString>((eco_format!("during '{window}'"), Probe::During(Arc::new(open))))
    });
    let via = rule.via.map(|via| (eco_format!("{via}"), Probe::Via(via)));
    Ok(places.into_iter().chain(during.transpose()?).chain(via).collect())
}

fn probe(atom: &Atom) -> Result<Probe, EcoString> {
    let ask = match (&atom.test, &atom.subject) {
        (Test::Compare(order, literal), _) => Ask::Compare(*order, constant(literal)?),
        (Test::In(literals), _) => Ask::OneOf(literals.iter().map(constant).collect::<Result<_, _>>()?),
        (Test::Matches(patterns), _) => Ask::Found(regexes(patterns, true)?),
        (Test::Contains(patterns), _) => Ask::Found(regexes(patterns, false)?),
        (Test::Missing, Subject::One(single)) => return Ok(Probe::Missing(single.clone())),
        (Test::Present, Subject::One(single)) => return Ok(Probe::Present(single.clone())),
        (Test::Tainted, Subject::One(single)) => return Ok(Probe::Tainted(single.clone())),
        (Test::Missing | Test::Present | Test::Tainted, Subject::Any(_) | Subject::All(_)) => {
            return Err("is asks of one thing".into());
        }
    };
    Ok(Probe::Value(atom.subject.clone(), ask))
}

fn constant(literal: &Literal) -> Result<Constant, EcoString> {
    Ok(match literal {
        Literal::Bool(value) => Constant::Value(Value::Bool(*value)),
        Literal::Text(text) => Constant::Value(Value::Text(text.clone())),
        Literal::Number(typed) => {
            Constant::Value(Value::number_of(typed).ok_or_else(|| eco_format!("{typed} is no number"))?)
        }
        Literal::Pattern(typed) => {
            Constant::Pattern(compile_pattern(typed, false).map_err(|error| eco_format!("{error}"))?)
        }
    })
}

fn regexes(patterns: &Patterns, whole: bool) -> Result<Vec<regex::Regex>, EcoString> {
    let typed = match patterns {
        Patterns::One(pattern) => std::slice::from_ref(pattern),
        Patterns::List(patterns) => patterns,
    };
    typed.iter().map(|typed| compile_pattern(typed, whole).map_err(|error| eco_format!("{error}"))).collect()
}
