//! A call held against one test: true, false, or unknown.

use std::sync::Arc;

use ecow::EcoString;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use pipit_commands::{Labels, Value};
use pipit_grammar::rule::{Order, Place, Single, Spot, Subject, Values, Via, Window};
use regex::Regex;

/// What is known of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts<'a> {
    /// `bundle:command`
    pub(crate) command: &'a str,
    /// The arguments as bound.
    pub(crate) args: &'a [Value],
    /// The options that were given, as bound, each once: a flag is `true`, one that may come several times a list.
    pub(crate) options: &'a [(EcoString, Value)],
    /// Where; none when it is unknown.
    pub(crate) room: Option<&'a Place>,
    /// On which service; none when it is unknown.
    pub(crate) service: Option<&'a str>,
    /// How; none when it is unknown.
    pub(crate) via: Option<Via>,
    /// When, in milliseconds since 1970; none when it is unknown.
    pub(crate) at: Option<i64>,
    /// What came from outside; none when it is unknown.
    pub(crate) tainted: Option<Tainted<'a>>,
    /// What from outside had a part in what flows in; none when it is unknown.
    pub(crate) stdin: Option<&'a Labels>,
}

impl<'a> Facts<'a> {
    /// A call of a command, without arguments, of which nothing else is known.
    pub(crate) fn of(command: &'a str) -> Self {
        Self {
            command,
            args: &[],
            options: &[],
            room: None,
            service: None,
            via: None,
            at: None,
            tainted: None,
            stdin: None,
        }
    }
}

/// Which values of a call came from outside: from a bundle, a web call, a trigger or an agent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tainted<'a> {
    /// By index.
    pub(crate) args: &'a [usize],
    /// By name.
    pub(crate) options: &'a [EcoString],
}

/// Whether something holds. In order, so that `and` is the least and `or` the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Truth {
    False,
    Unknown,
    True,
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

impl Truth {
    /// The other way round; what is unknown stays so.
    pub(super) fn not(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
            Self::True => Self::False,
        }
    }
}

/// A test, its patterns compiled.
#[derive(Clone, Debug)]
pub(super) enum Probe {
    /// Asked of a value.
    Value(Subject, Ask),
    /// `is missing`
    Missing(Single),
    /// `is present`
    Present(Single),
    /// `is tainted`
    Tainted(Single),
    /// `in #room`
    In(Vec<Spot>),
    /// `during 'mon-fri 09:00-17:00 Europe/Zurich'`
    During(Arc<Open>),
    /// `via chat`
    Via(Via),
}

/// A window of time with the clocks that count.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) window: Window,
    pub(super) zone: TimeZone,
}

impl Open {
    /// Whether it is open at a time; unknown when no clock shows that time.
    fn truth(&self, at: i64) -> Truth {
        let Ok(at) = Timestamp::from_millisecond(at) else { return Truth::Unknown };
        let shown = at.to_zoned(self.zone.clone());
        let day = u8::try_from(shown.weekday().to_monday_zero_offset());
        let minute = u16::try_from(i32::from(shown.hour()) * 60 + i32::from(shown.minute()));
        match (day, minute) {
            (Ok(day), Ok(minute)) => self.window.is_open(day, minute).into(),
            (Err(_), _) | (_, Err(_)) => Truth::Unknown,
        }
    }
}

/// What is asked of a value.
#[derive(Clone, Debug)]
pub(super) enum Ask {
    Compare(Order, Constant),
    /// One of them is equal.
    OneOf(Vec<Constant>),
    /// One of them is found; what is to take the whole text is anchored.
    Found(Vec<Regex>),
}

/// What a value is compared with.
#[derive(Clone, Debug)]
pub(super) enum Constant {
    Value(Value),
    Pattern(Regex),
}

impl Probe {
    /// Whether it looks at arguments or options, not only at where and how the call came.
    pub(super) fn asks_call(&self) -> bool {
        match self {
            Self::Value(..) | Self::Missing(_) | Self::Present(_) | Self::Tainted(_) => true,
            Self::In(_) | Self::During(_) | Self::Via(_) => false,
        }
    }

    pub(super) fn truth(&self, facts: &Facts<'_>) -> Truth {
        match self {
            Self::Missing(single) => facts.get(single).is_none().into(),
            Self::Present(single) => facts.get(single).is_some().into(),
            Self::Tainted(single) => facts.taint(single),
            Self::In(spots) => facts.room.map_or(Truth::Unknown, |room| {
                let is = |spot: &Spot| spot.is(room, facts.service).map_or(Truth::Unknown, Truth::from);
                spots.iter().map(is).max().unwrap_or(Truth::False)
            }),
            Self::During(open) => facts.at.map_or(Truth::Unknown, |at| open.truth(at)),
            Self::Via(via) => facts.via.map_or(Truth::Unknown, |came| (came == *via).into()),
            Self::Value(Subject::One(single), ask) => match facts.get(single) {
                Some(value) => ask.truth(value),
                None => ask.truth_of_nothing(),
            },
            Self::Value(Subject::Any(Values::Stdin) | Subject::All(Values::Stdin), _) if facts.stdin.is_none() => {
                Truth::Unknown
            }
            Self::Value(Subject::Any(values), ask) => {
                facts.each(values, |value| ask.truth(value)).max().unwrap_or(Truth::False)
            }
            Self::Value(Subject::All(values), ask) => {
                facts.each(values, |value| ask.truth(value)).min().unwrap_or(Truth::False)
            }
        }
    }
}

impl<'a> Facts<'a> {
    fn get(&self, single: &Single) -> Option<&'a Value> {
        match single {
            Single::Arg(index) => self.args.get(usize::from(*index)),
            Single::Option(name) => self.option(name),
        }
    }

    fn option(&self, name: &str) -> Option<&'a Value> {
        self.options.iter().find(|(given, _)| given == name).map(|(_, value)| value)
    }

    /// What is not there did not come from outside.
    fn taint(&self, single: &Single) -> Truth {
        if self.get(single).is_none() {
            return Truth::False;
        }
        self.tainted.map_or(Truth::Unknown, |tainted| {
            let came = match single {
                Single::Arg(index) => tainted.args.contains(&usize::from(*index)),
                Single::Option(name) => tainted.options.contains(name),
            };
            came.into()
        })
    }

    fn each<T>(&self, values: &Values, ask: impl Fn(&Value) -> T) -> impl Iterator<Item = T> {
        let named = match values {
            Values::Option(name) => self.option(name),
            Values::Args | Values::Options | Values::Stdin => None,
        };
        let labels = self.stdin.filter(|_| matches!(values, Values::Stdin));
        let labels = labels.into_iter().flat_map(Labels::iter).map(|label| Value::Text(label.clone()));
        let args = if matches!(values, Values::Args) { self.args } else { &[] };
        let options = if matches!(values, Values::Options) { self.options } else { &[] };
        let items = match named {
            Some(Value::List(items)) => items.as_slice(),
            Some(other) => std::slice::from_ref(other),
            None => &[],
        };
        let ask = move |value: &Value| ask(value);
        let labels: Vec<T> = labels.map(|label| ask(&label)).collect();
        args.iter().chain(options.iter().map(|(_, value)| value)).chain(items).map(ask).chain(labels)
    }
}

impl Ask {
    /// Whether a value passes.
    pub(super) fn truth(&self, value: &Value) -> Truth {
        match self {
            Self::Compare(Order::Eq, constant) => equal(value, constant),
            Self::Compare(Order::Ne, constant) => equal(value, constant).not(),
            Self::Compare(order, constant) => ordered(value, *order, constant),
            Self::OneOf(constants) => {
                constants.iter().map(|constant| equal(value, constant)).max().unwrap_or(Truth::False)
            }
            Self::Found(patterns) => match value {
                Value::Text(text) => patterns.iter().any(|pattern| pattern.is_match(text)).into(),
                Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::List(_) | Value::Record(_) => {
                    Truth::Unknown
                }
            },
        }
    }

    /// Nothing is equal to nothing and comes before nothing; whether it differs cannot be said.
    pub(super) fn truth_of_nothing(&self) -> Truth {
        match self {
            Self::Compare(Order::Ne, _) => Truth::Unknown,
            Self::Compare(Order::Eq | Order::Gt | Order::Lt | Order::Ge | Order::Le, _)
            | Self::OneOf(_)
            | Self::Found(_) => Truth::False,
        }
    }
}

/// Of one type, else unknown; a pattern is searched in a text.
pub(super) fn equal(value: &Value, constant: &Constant) -> Truth {
    match (value, constant) {
        (Value::Text(text), Constant::Pattern(pattern)) => pattern.is_match(text).into(),
        (Value::Text(text), Constant::Value(Value::Text(wanted))) => (text == wanted).into(),
        (Value::Bool(value), Constant::Value(Value::Bool(wanted))) => (value == wanted).into(),
        (Value::Int(_) | Value::Float(_), Constant::Value(wanted @ (Value::Int(_) | Value::Float(_)))) => {
            (value == wanted).into()
        }
        (_, Constant::Pattern(_) | Constant::Value(_)) => Truth::Unknown,
    }
}

/// Numbers and texts have an order, texts by code point; the rest is unknown.
fn ordered(value: &Value, order: Order, constant: &Constant) -> Truth {
    let wanted = match (value, constant) {
        (Value::Text(_), Constant::Value(wanted @ Value::Text(_)))
        | (Value::Int(_) | Value::Float(_), Constant::Value(wanted @ (Value::Int(_) | Value::Float(_)))) => wanted,
        (_, Constant::Pattern(_) | Constant::Value(_)) => return Truth::Unknown,
    };
    let found = value.order(wanted);
    let holds = match order {
        Order::Eq => found.is_eq(),
        Order::Ne => found.is_ne(),
        Order::Gt => found.is_gt(),
        Order::Lt => found.is_lt(),
        Order::Ge => found.is_ge(),
        Order::Le => found.is_le(),
    };
    holds.into()
}
