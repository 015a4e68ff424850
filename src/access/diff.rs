//! What a change of rules comes to: the calls that are decided otherwise after it, and for whom.
//!
//! A call is told from others only by what some rule asks, so it is enough to decide one call of each kind: every value
//! that a rule names, one that no rule names, and none at all, in every argument and option that a rule looks at; in
//! every place and by every way. Of a pattern a text is tried that looks like it. Deliberately absent: whether a change
//! is good.

use std::sync::Arc;

use ecow::{EcoString, eco_format};
use pipit_commands::{Command, Kind as Type, Labels, Value};
use pipit_grammar::rule::{
    Atom, Cond, Literal, Patterns, Place, Rule, Single, Spot, Subject as Looks, Test, Values, Via, compile_pattern,
};

use super::Subject;
use super::decide::{Decision, Facts, Ruling, Tainted, decide};

/// How many kinds of calls are decided at most for one command.
const KINDS: usize = 20_000;

/// An hour, in milliseconds; windows of time are looked for in steps of half of one.
const HOUR: i64 = 3_600_000;

/// How a call is decided, without the names of rules.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    Denied,
    Waits,
    Allowed,
}

/// A kind of calls that is decided otherwise.
#[derive(Debug)]
pub(crate) struct Difference {
    /// What they have in common: words and options, the place, the way.
    pub(crate) call: String,
    pub(crate) was: Fate,
    pub(crate) becomes: Fate,
    /// For whom.
    pub(crate) who: Vec<EcoString>,
}

/// What differs, and whether kinds of calls were left out because there are too many.
#[derive(Debug, Default)]
pub(crate) struct Differences {
    pub(crate) found: Vec<Difference>,
    pub(crate) cut: bool,
}

/// What rules look at, and what they name there.
#[derive(Default)]
struct Axes {
    args: Vec<Vec<Value>>,
    options: Vec<(EcoString, Vec<Value>)>,
    /// Each with the service that a rule names.
    places: Vec<(Place, Option<EcoString>)>,
    vias: Vec<Via>,
    times: Vec<i64>,
    taint: bool,
    labels: Vec<EcoString>,
}

/// One kind of calls.
#[derive(Clone)]
struct Kind {
    args: Vec<Value>,
    options: Vec<(EcoString, Value)>,
    place: (Place, Option<EcoString>),
    via: Via,
    at: i64,
    tainted: bool,
    stdin: Labels,
}

/// The calls of a command that are decided otherwise by other rules, for these people. `at` is now.
pub(crate) fn differences(
    command: &Command,
    [before, after]: [&[Arc<Ruling>]; 2],
    people: &[Subject],
    at: i64,
) -> Differences {
    let rules: Vec<&Rule> = before.iter().chain(after).filter_map(|ruling| ruling.rule().ok()).collect();
    let axes = Axes::of(command, &rules, at);
    let command = command.exact();
    let (kinds, cut) = axes.kinds();
    let mut found: Vec<Difference> = Vec::new();
    for kind in kinds {
        let (args, options): (Vec<usize>, Vec<EcoString>) = if kind.tainted {
            ((0..kind.args.len()).collect(), kind.options.iter().map(|(name, _)| name.clone()).collect())
        } else {
            Default::default()
        };
        let facts = Facts {
            args: &kind.args,
            options: &kind.options,
            room: Some(&kind.place.0),
            // one that no rule names
            service: Some(kind.place.1.as_deref().unwrap_or_default()),
            via: Some(kind.via),
            at: Some(kind.at),
            tainted: Some(Tainted { args: &args, options: &options }),
            stdin: Some(&kind.stdin),
            ..Facts::of(command)
        };
        for subject in people {
            let has = |permission: &str| subject.has(permission);
            let (was, becomes) = (fate(&decide(before, &has, &facts)), fate(&decide(after, &has, &facts)));
            if was == becomes {
                continue;
            }
            let call = kind.describe(command, &axes);
            let same = |one: &&mut Difference| one.call == call && one.was == was && one.becomes == becomes;
            match found.iter_mut().rev().find(same) {
                Some(same) => same.who.push(subject.name().clone()),
                None => found.push(Difference { call, was, becomes, who: vec![subject.name().clone()] }),
            }
        }
    }
    Differences { found, cut }
}

fn fate(decision: &Decision) -> Fate {
    match decision {
        Decision::Allow { .. } => Fate::Allowed,
        Decision::Park { .. } => Fate::Waits,
        Decision::Deny(_) => Fate::Denied,
    }
}

impl Axes {
    fn of(command: &Command, rules: &[&Rule], at: i64) -> Self {
        let mut axes = Self { vias: vec![Via::Chat], times: vec![at], ..Self::default() };
        let atoms: Vec<&Atom> = rules.iter().flat_map(|rule| &rule.with).flat_map(Cond::atoms).collect();
        let most = atoms.iter().map(|atom| match &atom.subject {
            Looks::One(Single::Arg(at)) => usize::from(*at) + 1,
            Looks::Any(Values::Args) | Looks::All(Values::Args) => 2,
            Looks::One(Single::Option(_)) | Looks::Any(_) | Looks::All(_) => 0,
        });
        axes.args = vec![Vec::new(); most.max().unwrap_or(0).min(4)];
        axes.options = rules.iter().flat_map(|rule| rule.options()).map(|name| (name.clone(), Vec::new())).collect();
        axes.options.sort_by(|one, two| one.0.cmp(&two.0));
        axes.options.dedup_by(|one, two| one.0 == two.0);
        if axes.options.is_empty()
            && atoms
                .iter()
                .any(|atom| matches!(atom.subject, Looks::Any(Values::Options) | Looks::All(Values::Options)))
        {
            axes.options.push(("any".into(), Vec::new()));
        }
        for atom in atoms {
            let named = values_of(&atom.test);
            match &atom.subject {
                Looks::One(Single::Arg(at)) => {
                    axes.args.get_mut(usize::from(*at)).into_iter().for_each(|all| all.extend(named.clone()));
                }
                Looks::Any(Values::Args) | Looks::All(Values::Args) => {
                    axes.args.iter_mut().for_each(|all| all.extend(named.clone()));
                }
                Looks::Any(Values::Options) | Looks::All(Values::Options) => {
                    axes.options.iter_mut().for_each(|(_, all)| all.extend(named.clone()));
                }
                Looks::One(Single::Option(name))
                | Looks::Any(Values::Option(name))
                | Looks::All(Values::Option(name)) => {
                    axes.options
                        .iter_mut()
                        .filter(|(other, _)| other == name)
                        .for_each(|(_, all)| all.extend(named.clone()));
                }
                Looks::Any(Values::Stdin) | Looks::All(Values::Stdin) => {
                    axes.labels.extend(named.iter().map(Value::to_text));
                }
            }
            axes.taint |= matches!(atom.test, Test::Tainted);
        }
        for all in &mut axes.args {
            all.push(other());
            once(all);
        }
        for (name, all) in &mut axes.options {
            let option = command.spec().usage.options.iter().find(|option| option.key() == *name);
            match option.map(|option| option.value.as_ref().map(|value| command.spec().kind(value))) {
                Some(None) => *all = vec![Value::Bool(true)],
                Some(Some(Type::OneOf(choices))) => *all = choices.iter().cloned().map(Value::Text).collect(),
                Some(Some(_)) | None => all.push(other()),
            }
            once(all);
        }
        axes.places = rules.iter().flat_map(|rule| &rule.places).flat_map(places).collect();
        axes.places.sort();
        axes.places.dedup();
        let elsewhere = [Place::Dm, Place::room("elsewhere")].map(|place| (place, None));
        let elsewhere = elsewhere.into_iter().find(|place| !axes.places.contains(place));
        axes.places.extend(elsewhere);
        axes.vias.extend(rules.iter().filter_map(|rule| rule.via));
        axes.vias.sort();
        axes.vias.dedup();
        for ruling in rules.iter().filter(|rule| rule.during.is_some()) {
            axes.times.extend(turns(ruling, at));
        }
        axes.times.sort_unstable();
        axes.times.dedup();
        axes.labels.sort();
        axes.labels.dedup();
        axes
    }

    /// Every kind of calls, and whether some were left out.
    fn kinds(&self) -> (Vec<Kind>, bool) {
        let first = Kind {
            args: Vec::new(),
            options: Vec::new(),
            place: (Place::Dm, None),
            via: Via::Chat,
            at: self.times.first().copied().unwrap_or_default(),
            tainted: false,
            stdin: Labels::default(),
        };
        let (mut kinds, mut longest, mut cut) = (vec![first.clone()], vec![first], false);
        for values in &self.args {
            longest = spread(&longest, values, &mut cut, |kind, value| kind.args.push(value.clone()));
            kinds.extend(longest.iter().cloned());
        }
        for (name, values) in &self.options {
            let given =
                spread(&kinds, values, &mut cut, |kind, value| kind.options.push((name.clone(), value.clone())));
            kinds.extend(given);
        }
        kinds = spread(&kinds, &self.places, &mut cut, |kind, place| kind.place = place.clone());
        kinds = spread(&kinds, &self.vias, &mut cut, |kind, via| kind.via = *via);
        kinds = spread(&kinds, &self.times, &mut cut, |kind, at| kind.at = *at);
        if self.taint {
            kinds = spread(&kinds, &[false, true], &mut cut, |kind, tainted| kind.tainted = *tainted);
        }
        if !self.labels.is_empty() {
            let labels: Vec<Labels> =
                std::iter::once(Labels::default()).chain(self.labels.iter().cloned().map(Labels::one)).collect();
            kinds = spread(&kinds, &labels, &mut cut, |kind, labels| kind.stdin = labels.clone());
        }
        cut |= kinds.len() > KINDS;
        kinds.truncate(KINDS);
        (kinds, cut)
    }
}

/// Each kind with each of some values.
fn spread<T>(kinds: &[Kind], values: &[T], cut: &mut bool, set: impl Fn(&mut Kind, &T)) -> Vec<Kind> {
    *cut |= kinds.len().saturating_mul(values.len()) > KINDS;
    let all = kinds.iter().flat_map(|kind| {
        let set = &set;
        values.iter().map(move |value| {
            let mut kind = kind.clone();
            set(&mut kind, value);
            kind
        })
    });
    all.take(KINDS).collect()
}

/// The places that a rule means by one, and those that it takes care not to mean: rooms of the name elsewhere.
fn places(spot: &Spot) -> Vec<(Place, Option<EcoString>)> {
    match spot {
        Spot::Dm => vec![(Place::Dm, None)],
        Spot::Room { service: None, name } => vec![(Place::room(name), None)],
        Spot::Room { service, name } => vec![(Place::room(name), service.clone()), (Place::room(name), None)],
    }
}

/// Leaves out what was there before.
fn once(values: &mut Vec<Value>) {
    let mut kept: Vec<Value> = Vec::new();
    values.retain(|value| {
        let new = !kept.contains(value);
        kept.extend(new.then(|| value.clone()));
        new
    });
}

/// A value that no rule names.
fn other() -> Value {
    Value::text("…")
}

/// The values that a test names, and those on either side of a bound.
fn values_of(asks: &Test) -> Vec<Value> {
    let values = |literal: &Literal| match literal {
        Literal::Bool(value) => vec![Value::Bool(*value)],
        Literal::Text(text) => vec![Value::Text(text.clone())],
        Literal::Pattern(typed) => like(typed, false),
        Literal::Number(typed) => match Value::number_of(typed) {
            Some(Value::Int(number)) => [number.checked_sub(1), Some(number), number.checked_add(1)]
                .into_iter()
                .flatten()
                .map(Value::Int)
                .collect(),
            number => number.into_iter().collect(),
        },
    };
    let patterns = |patterns: &Patterns, whole: bool| match patterns {
        Patterns::One(typed) => like(typed, whole),
        Patterns::List(all) => all.iter().flat_map(|typed| like(typed, whole)).collect(),
    };
    match asks {
        Test::Compare(_, literal) => values(literal),
        Test::In(literals) => literals.iter().flat_map(values).collect(),
        Test::Matches(all) => patterns(all, true),
        Test::Contains(all) => patterns(all, false),
        Test::Missing | Test::Present | Test::Tainted => Vec::new(),
    }
}

/// Texts that look like a pattern, and in which it is found.
fn like(typed: &str, whole: bool) -> Vec<Value> {
    let Ok(pattern) = compile_pattern(typed, whole) else { return Vec::new() };
    let plain = typed.replace(".*", "").replace(['^', '$', '\\', '(', ')', '+', '?', '*'], "");
    let tries =
        plain.split('|').map(EcoString::from).chain([eco_format!("a"), eco_format!("1"), eco_format!("{plain}x")]);
    tries.filter(|text| pattern.is_match(text)).take(2).map(Value::Text).collect()
}

/// A time in the week from now when a rule's window is open, and one when it is not.
fn turns(rule: &Rule, at: i64) -> Vec<i64> {
    let Some(window) = &rule.during else { return Vec::new() };
    let Ok(zone) = jiff::tz::TimeZone::get(window.zone()) else { return Vec::new() };
    let open = |at: i64| {
        let shown = jiff::Timestamp::from_millisecond(at).ok()?.to_zoned(zone.clone());
        let day = u8::try_from(shown.weekday().to_monday_zero_offset()).ok()?;
        let minute = u16::try_from(i32::from(shown.hour()) * 60 + i32::from(shown.minute())).ok()?;
        Some(window.is_open(day, minute))
    };
    let week: Vec<i64> = (0..7 * 48).map(|half| at + half * HOUR / 2).collect();
    [true, false].into_iter().filter_map(|wanted| week.iter().copied().find(|at| open(*at) == Some(wanted))).collect()
}

impl Kind {
    /// As a line would be typed, with what else tells it from others.
    fn describe(&self, command: &str, axes: &Axes) -> String {
        let mut text = command.to_owned();
        for value in &self.args {
            text.push_str(&format!(" {}", value.to_text()));
        }
        for (name, value) in &self.options {
            let dashes = if name.chars().count() == 1 { "-" } else { "--" };
            match value {
                Value::Bool(true) => text.push_str(&format!(" {dashes}{name}")),
                value => text.push_str(&format!(" {dashes}{name}={}", value.to_text())),
            }
        }
        if axes.places.len() > 1 {
            match &self.place {
                (Place::Dm, _) => text.push_str(" in a direct message"),
                (Place::Room(name), None) => text.push_str(&format!(" in #{name}")),
                (Place::Room(name), Some(service)) => text.push_str(&format!(" in {service}://#{name}")),
            }
        }
        if axes.vias.len() > 1 {
            text.push_str(&format!(" via {}", self.via.as_str()));
        }
        if axes.times.len() > 1
            && let Ok(at) = jiff::Timestamp::from_millisecond(self.at)
        {
            text.push_str(&format!(" on {}", at.strftime("%a %H:%M UTC")));
        }
        if self.tainted {
            text.push_str(" with values from outside");
        }
        if !self.stdin.is_empty() {
            let labels: Vec<&str> = self.stdin.iter().map(EcoString::as_str).collect();
            text.push_str(&format!(" fed by {}", labels.join(", ")));
        }
        text
    }
}
