//! In which ways a call can make tests true, false or unknown.
//!
//! Tests that look at one thing hang together: `arg[0] == 'a'` and `arg[0] == 'b'` are never both true. They are put into
//! groups, and each group has its rows: one for each way in which its tests can come out together. What lies in no row no
//! call can be. Deliberately absent: what a pattern finds; a text that no rule names is taken to be found by any of them.

use std::collections::BTreeSet;

use ecow::EcoString;
use pipit_commands::Value;
use pipit_grammar::rule::{Order, Place, Single, Spot, Subject, Values, Via};
use regex::Regex;

use super::super::call::{Ask, Constant, Facts, Probe, Truth, equal};
use super::Asked;

/// How tests come out together: each by its place among all tests.
pub(super) type Row = Vec<(usize, Truth)>;

/// The most rows of a group.
const ROWS: usize = 20_000;

/// The most patterns that one value is held against.
const PATTERNS: usize = 10;

/// What a group of tests looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
enum About {
    Args,
    /// One option, or all where a test looks at all of them.
    Option(Option<EcoString>),
    Stdin,
    Place,
    /// The clocks of one time zone.
    Clock(EcoString),
    Via,
}

/// A value that a call could have.
#[derive(Clone, Debug)]
struct Item {
    value: Value,
    /// Which patterns find something in it, where it is a text that no rule names: one bit each.
    found: Option<usize>,
}

/// How one value makes the tests come out that look at it, and those that look at it among others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Choice {
    own: Row,
    /// By place among the tests of several values.
    among: Vec<Truth>,
}

/// A place for a value: how the tests of it come out when there is none, and what it may be.
struct Slot {
    missing: Row,
    choices: Vec<Choice>,
}

/// The rows of every group; none when there are too many.
pub(super) fn of(asked: &[Asked<'_>]) -> Option<Vec<Vec<Row>>> {
    let whole = asked
        .iter()
        .any(|one| matches!(one.probe, Probe::Value(Subject::Any(Values::Options) | Subject::All(Values::Options), _)));
    let mut groups: Vec<(About, Vec<usize>)> = Vec::new();
    for (at, one) in asked.iter().enumerate() {
        let about = match about(one.probe) {
            About::Option(_) if whole => About::Option(None),
            about => about,
        };
        match groups.iter_mut().find(|(other, _)| *other == about) {
            Some((_, tests)) => tests.push(at),
            None => groups.push((about, vec![at])),
        }
    }
    groups.iter().map(|(about, tests)| rows(about, tests, asked)).collect()
}

fn about(probe: &Probe) -> About {
    match probe {
        Probe::Value(Subject::One(single), _)
        | Probe::Missing(single)
        | Probe::Present(single)
        | Probe::Tainted(single) => match single {
            Single::Arg(_) => About::Args,
            Single::Option(name) => About::Option(Some(name.clone())),
        },
        Probe::Value(Subject::Any(values) | Subject::All(values), _) => match values {
            Values::Args => About::Args,
            Values::Options => About::Option(None),
            Values::Option(name) => About::Option(Some(name.clone())),
            Values::Stdin => About::Stdin,
        },
        Probe::In(_) => About::Place,
        Probe::During(open) => About::Clock(open.window.zone().into()),
        Probe::Via(_) => About::Via,
    }
}

fn rows(about: &About, tests: &[usize], asked: &[Asked<'_>]) -> Option<Vec<Row>> {
    let probes: Vec<(usize, &Probe)> = tests.iter().filter_map(|at| Some((*at, asked.get(*at)?.probe))).collect();
    match about {
        About::Args => of_args(&probes),
        About::Option(_) => of_options(&probes),
        About::Stdin => {
            let among = among(&probes, |values| *values == Values::Stdin);
            let labels = items(&probes)?.into_iter().filter(|item| matches!(item.value, Value::Text(_)));
            let choices = labels.map(|label| Choice { own: Row::new(), among: passed(&among, &label, &probes) });
            spread(&[], &distinct(choices), &among, false)
        }
        About::Place => {
            let mut all = BTreeSet::from([(Place::Dm, "")]);
            let (mut names, mut services) = (BTreeSet::from([""]), BTreeSet::from([""]));
            for (_, probe) in &probes {
                let Probe::In(spots) = probe else { continue };
                for spot in spots {
                    let Spot::Room { service, name } = spot else { continue };
                    names.insert(name);
                    services.extend(service.as_deref());
                }
            }
            // on each service, and on one that no rule names; no room has the empty name
            let rooms = names.iter().flat_map(|name| services.iter().map(|service| (Place::room(name), *service)));
            all.extend(rooms);
            let fact = |(place, service)| Facts { room: Some(place), service: Some(service), ..Facts::of("") };
            Some(facts(&probes, all.iter().map(|(place, service)| fact((place, service)))))
        }
        About::Via => Some(facts(&probes, Via::ALL.into_iter().map(|via| Facts { via: Some(via), ..Facts::of("") }))),
        About::Clock(_) => Some(of_clock(&probes)),
    }
}

/// The rows of tests of where and how.
fn facts<'a>(probes: &[(usize, &Probe)], all: impl Iterator<Item = Facts<'a>>) -> Vec<Row> {
    let row = |facts: Facts<'_>| -> Row { probes.iter().map(|(at, probe)| (*at, probe.truth(&facts))).collect() };
    all.map(row).collect::<BTreeSet<Row>>().into_iter().collect()
}

/// Every minute of a week on the clocks of one zone.
fn of_clock(probes: &[(usize, &Probe)]) -> Vec<Row> {
    let open = |probe: &Probe, day: u8, minute: u16| match probe {
        Probe::During(open) => open.window.is_open(day, minute),
        _ => false,
    };
    let minutes = (0..7_u8).flat_map(|day| (0..24 * 60_u16).map(move |minute| (day, minute)));
    let row = |(day, minute): (u8, u16)| -> Row {
        probes.iter().map(|(at, probe)| (*at, open(probe, day, minute).into())).collect()
    };
    minutes.map(row).collect::<BTreeSet<Row>>().into_iter().collect()
}

fn of_args(probes: &[(usize, &Probe)]) -> Option<Vec<Row>> {
    let place = |probe: &Probe| match single(probe) {
        Some(Single::Arg(at)) => Some(usize::from(*at)),
        Some(Single::Option(_)) | None => None,
    };
    let items = items(probes)?;
    let among = among(probes, |values| *values == Values::Args);
    let most = probes.iter().filter_map(|(_, probe)| place(probe)).map(|at| at + 1).max().unwrap_or(0);
    let slots: Vec<Slot> = (0..most)
        .map(|at| {
            let own: Vec<(usize, &Probe)> =
                probes.iter().filter(|(_, probe)| place(probe) == Some(at)).copied().collect();
            slot(&own, &items, &among, probes)
        })
        .collect();
    let further = items.iter().map(|item| Choice { own: Row::new(), among: passed(&among, item, probes) });
    spread(&slots, &distinct(further), &among, true)
}

fn of_options(probes: &[(usize, &Probe)]) -> Option<Vec<Row>> {
    let name = |probe: &Probe| match (single(probe), probe) {
        (Some(Single::Option(name)), _)
        | (None, Probe::Value(Subject::Any(Values::Option(name)) | Subject::All(Values::Option(name)), _)) => {
            Some(name.clone())
        }
        _ => None,
    };
    let among = among(probes, |values| *values == Values::Options);
    let names: BTreeSet<EcoString> = probes.iter().filter_map(|(_, probe)| name(probe)).collect();
    let every = items(probes)?;
    let mut slots = Vec::new();
    for option in &names {
        let own: Vec<(usize, &Probe)> =
            probes.iter().filter(|(_, probe)| name(probe).as_ref() == Some(option)).copied().collect();
        let mut slot = slot(&own, &every, &among, probes);
        slot.choices.extend(lists(&own, &every, &among, probes)?);
        slot.choices = distinct(slot.choices.into_iter());
        slots.push(slot);
    }
    let further = every.iter().map(|item| Choice { own: Row::new(), among: passed(&among, item, probes) });
    spread(&slots, &distinct(further), &among, false)
}

/// A place for one value of a call.
fn slot(own: &[(usize, &Probe)], items: &[Item], among: &[(usize, bool)], probes: &[(usize, &Probe)]) -> Slot {
    let nothing = |probe: &Probe| match probe {
        Probe::Value(Subject::One(_), ask) => ask.truth_of_nothing(),
        Probe::Missing(_) => Truth::True,
        _ => Truth::False,
    };
    let missing = own.iter().map(|(at, probe)| (*at, nothing(probe))).collect();
    let choices = items.iter().flat_map(|item| {
        let patterns = patterns(probes);
        [false, true].map(|tainted| {
            let own =
                own.iter().map(|(at, probe)| (*at, of_present(probe, tainted, |ask| holds(ask, item, &patterns))));
            Choice { own: own.collect(), among: passed(among, item, probes) }
        })
    });
    Slot { missing, choices: distinct(choices) }
}

/// The lists that an option which comes several times may be.
fn lists(
    own: &[(usize, &Probe)],
    items: &[Item],
    among: &[(usize, bool)],
    probes: &[(usize, &Probe)],
) -> Option<Vec<Choice>> {
    let whole = Item { value: Value::List(Vec::new().into_iter().collect()), found: None };
    let inside = self::among(own, |values| matches!(values, Values::Option(_)));
    let each = items.iter().map(|item| Choice { own: Row::new(), among: passed(&inside, item, probes) });
    let all = spread(&[], &distinct(each), &inside, false)?;
    let choices = all.into_iter().flat_map(|row| {
        [false, true].map(|tainted| {
            let of = |(at, probe): &(usize, &Probe)| {
                let among = row.iter().find(|(other, _)| other == at).map(|(_, truth)| *truth);
                (*at, among.unwrap_or_else(|| of_present(probe, tainted, |ask| ask.truth(&whole.value))))
            };
            Choice { own: own.iter().map(of).collect(), among: passed(among, &whole, probes) }
        })
    });
    Some(choices.collect())
}

/// How a test of a value that is there comes out.
fn of_present(probe: &Probe, tainted: bool, holds: impl Fn(&Ask) -> Truth) -> Truth {
    match probe {
        Probe::Value(_, ask) => holds(ask),
        Probe::Present(_) => Truth::True,
        Probe::Tainted(_) => tainted.into(),
        Probe::Missing(_) | Probe::In(_) | Probe::During(_) | Probe::Via(_) => Truth::False,
    }
}

/// The tests of several values: which, and whether all have to pass.
fn among(probes: &[(usize, &Probe)], of: impl Fn(&Values) -> bool) -> Vec<(usize, bool)> {
    let several = |(at, probe): &(usize, &Probe)| match probe {
        Probe::Value(Subject::Any(values), _) if of(values) => Some((*at, false)),
        Probe::Value(Subject::All(values), _) if of(values) => Some((*at, true)),
        _ => None,
    };
    probes.iter().filter_map(several).collect()
}

/// How one value does in the tests of several.
fn passed(among: &[(usize, bool)], item: &Item, probes: &[(usize, &Probe)]) -> Vec<Truth> {
    let patterns = patterns(probes);
    let ask = |at: usize| probes.iter().find(|(other, _)| *other == at).and_then(|(_, probe)| ask(probe));
    among.iter().map(|(at, _)| ask(*at).map_or(Truth::Unknown, |ask| holds(ask, item, &patterns))).collect()
}

/// Values so far, and how the tests came out by them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Reached {
    row: Row,
    among: Vec<Truth>,
    /// There is a value.
    some: bool,
    /// None comes any more, where values stand in order.
    ended: bool,
}

/// All ways to fill the slots, and to add as many further values as one likes; none when there are too many.
fn spread(slots: &[Slot], further: &[Choice], among: &[(usize, bool)], in_order: bool) -> Option<Vec<Row>> {
    let start = among.iter().map(|(_, all)| (*all).into()).collect();
    let start = Reached { row: Row::new(), among: start, some: false, ended: false };
    let with = |reached: &Reached, choice: &Choice| {
        let mut next = Reached { some: true, ..reached.clone() };
        next.row.extend(choice.own.iter().copied());
        for ((sum, passed), (_, all)) in next.among.iter_mut().zip(&choice.among).zip(among) {
            *sum = if *all { *passed.min(&*sum) } else { *passed.max(&*sum) };
        }
        next
    };
    let mut reached = BTreeSet::from([start]);
    for slot in slots {
        let mut next = BTreeSet::new();
        for one in &reached {
            let mut without = Reached { ended: in_order, ..one.clone() };
            without.row.extend(slot.missing.iter().copied());
            next.insert(without);
            if !one.ended {
                next.extend(slot.choices.iter().map(|choice| with(one, choice)));
            }
            if next.len() > ROWS {
                return None;
            }
        }
        reached = next;
    }
    let mut new: Vec<Reached> = reached.iter().filter(|one| !one.ended && !among.is_empty()).cloned().collect();
    while let Some(one) = new.pop() {
        for choice in further {
            let next = with(&one, choice);
            if reached.insert(next.clone()) {
                new.push(next);
            }
        }
        if reached.len() > ROWS {
            return None;
        }
    }
    let finished = reached.into_iter().map(|one| {
        // all of nothing is false
        let sums = one
            .among
            .iter()
            .zip(among)
            .map(|(sum, (at, all))| (*at, if *all && !one.some { Truth::False } else { *sum }));
        let mut row: Row = one.row.iter().copied().chain(sums).collect();
        row.sort_unstable();
        row
    });
    Some(finished.collect::<BTreeSet<Row>>().into_iter().collect())
}

fn distinct(choices: impl Iterator<Item = Choice>) -> Vec<Choice> {
    choices.collect::<BTreeSet<Choice>>().into_iter().collect()
}

fn single(probe: &Probe) -> Option<&Single> {
    match probe {
        Probe::Value(Subject::One(single), _)
        | Probe::Missing(single)
        | Probe::Present(single)
        | Probe::Tainted(single) => Some(single),
        Probe::Value(Subject::Any(_) | Subject::All(_), _) | Probe::In(_) | Probe::During(_) | Probe::Via(_) => None,
    }
}

fn ask(probe: &Probe) -> Option<&Ask> {
    match probe {
        Probe::Value(_, ask) => Some(ask),
        Probe::Missing(_) | Probe::Present(_) | Probe::Tainted(_) | Probe::In(_) | Probe::During(_) | Probe::Via(_) => {
            None
        }
    }
}

/// The patterns of some tests, each once.
fn patterns<'a>(probes: &[(usize, &'a Probe)]) -> Vec<&'a Regex> {
    let mut all: Vec<&Regex> = Vec::new();
    for ask in probes.iter().filter_map(|(_, probe)| ask(probe)) {
        let found: Vec<&Regex> = match ask {
            Ask::Found(patterns) => patterns.iter().collect(),
            Ask::OneOf(constants) => constants.iter().filter_map(pattern).collect(),
            Ask::Compare(_, constant) => pattern(constant).into_iter().collect(),
        };
        for one in found {
            if !all.iter().any(|other| other.as_str() == one.as_str()) {
                all.push(one);
            }
        }
    }
    all
}

fn pattern(constant: &Constant) -> Option<&Regex> {
    match constant {
        Constant::Pattern(pattern) => Some(pattern),
        Constant::Value(_) => None,
    }
}

/// One value of every kind that the tests tell apart; none when patterns tell too many apart.
fn items(probes: &[(usize, &Probe)]) -> Option<Vec<Item>> {
    let (mut numbers, mut texts, mut in_order): (Vec<Value>, Vec<EcoString>, bool) = Default::default();
    for ask in probes.iter().filter_map(|(_, probe)| ask(probe)) {
        let constants = match ask {
            Ask::Compare(order, constant) => {
                in_order |= !matches!(order, Order::Eq | Order::Ne);
                std::slice::from_ref(constant)
            }
            Ask::OneOf(constants) => constants,
            Ask::Found(_) => &[],
        };
        for constant in constants {
            match constant {
                Constant::Value(value @ (Value::Int(_) | Value::Float(_))) => numbers.push(value.clone()),
                Constant::Value(Value::Text(text)) => texts.push(text.clone()),
                Constant::Value(Value::Null | Value::Bool(_) | Value::List(_) | Value::Record(_))
                | Constant::Pattern(_) => {}
            }
        }
    }
    texts.sort();
    texts.dedup();
    let patterns = patterns(probes);
    if patterns.len() > PATTERNS {
        return None;
    }
    let known = |value: Value| Item { value, found: None };
    let mut all: Vec<Item> = [Value::Null, Value::Bool(true), Value::Bool(false)].map(known).into();
    all.extend(between(numbers).into_iter().map(known));
    all.extend(texts.iter().map(|text| known(Value::Text(text.clone()))));
    // texts that no rule names: before and behind each of those where there is an order, else any
    let next = |text: &EcoString| ecow::eco_format!("{text}\u{0}");
    let mut others: Vec<EcoString> = std::iter::once(EcoString::new()).chain(texts.iter().map(next)).collect();
    others.retain(|text| !texts.contains(text));
    others.truncate(if in_order { usize::MAX } else { 1 });
    for found in 0..1_usize << patterns.len() {
        if agrees(found, &patterns) {
            all.extend(others.iter().map(|text| Item { value: Value::Text(text.clone()), found: Some(found) }));
        }
    }
    Some(all)
}

/// Whether a text can be found by these patterns and no others, as far as that shows by how they are written: what is
/// all of a text is in it too.
fn agrees(found: usize, patterns: &[&Regex]) -> bool {
    let finds = |at: usize| found & (1 << at) != 0;
    patterns.iter().enumerate().all(|(at, part)| {
        let whole = format!(r"\A(?:{})\z", part.as_str());
        let of_all = patterns.iter().position(|other| other.as_str() == whole);
        !of_all.is_some_and(finds) || finds(at)
    })
}

/// Numbers, and one below, between and above them.
fn between(mut numbers: Vec<Value>) -> Vec<Value> {
    numbers.sort_by(Value::order);
    numbers.dedup();
    let float = |value: &Value| match value {
        Value::Int(number) => {
            #[expect(clippy::cast_precision_loss, reason = "any number between two others will do")]
            let float = *number as f64;
            Some(float)
        }
        Value::Float(number) => Some(*number),
        Value::Null | Value::Bool(_) | Value::Text(_) | Value::List(_) | Value::Record(_) => None,
    };
    let next = |value: &Value| match value {
        Value::Int(number) => [number.checked_sub(1), number.checked_add(1)],
        _ => [None, None],
    };
    let beside: Vec<Value> = numbers.iter().flat_map(next).flatten().map(Value::Int).collect();
    let floats: Vec<f64> = numbers.iter().filter_map(float).collect();
    let middle = floats.windows(2).filter_map(|pair| Some(f64::midpoint(*pair.first()?, *pair.get(1)?)));
    let ends =
        [floats.first().map(|least| least - least.abs() - 1.0), floats.last().map(|most| most + most.abs() + 1.0)];
    let new: Vec<Value> = middle.chain(ends.into_iter().flatten()).map(Value::Float).collect();
    numbers.extend(beside.into_iter().chain(new));
    // a number that is equal to none, where none is named: all are alike
    if numbers.is_empty() {
        numbers.push(Value::Int(0));
    }
    numbers
}

/// Whether a value passes.
fn holds(ask: &Ask, item: &Item, patterns: &[&Regex]) -> Truth {
    let Some(found) = item.found else { return ask.truth(&item.value) };
    let finds = |regex: &Regex| -> Truth {
        let at = patterns.iter().position(|other| other.as_str() == regex.as_str());
        at.is_some_and(|at| found & (1 << at) != 0).into()
    };
    let same = |constant: &Constant| match constant {
        Constant::Pattern(pattern) => finds(pattern),
        Constant::Value(_) => equal(&item.value, constant),
    };
    match ask {
        Ask::Found(all) => all.iter().map(finds).max().unwrap_or(Truth::False),
        Ask::OneOf(all) => all.iter().map(same).max().unwrap_or(Truth::False),
        Ask::Compare(Order::Eq, constant) => same(constant),
        Ask::Compare(Order::Ne, constant) => same(constant).not(),
        Ask::Compare(Order::Gt | Order::Lt | Order::Ge | Order::Le, _) => ask.truth(&item.value),
    }
}
