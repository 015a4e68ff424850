//! A second judge, written from the definition of the decision and in another way, as slow as it likes: it shares neither
//! the tree, the parser nor the evaluator with the first. Rules are made here, told to the first judge as text, and
//! decided here by sets: of tests by their texts, of sets of permissions.
//!
//! Deliberately absent: regular expressions. The few patterns here have a function each.

use std::collections::BTreeSet;

/// A value of a call.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Val {
    Text(&'static str),
    Int(i64),
    Half,
    Bool(bool),
    Null,
    List(Vec<Val>),
}

/// A call, and how it came; what is `None` is unknown.
#[derive(Clone, Debug, Default)]
pub(super) struct Called {
    pub(super) args: Vec<Val>,
    pub(super) env: Option<Val>,
    pub(super) count: Option<Val>,
    /// `#ops`, `#dev` or `dm`
    pub(super) place: Option<&'static str>,
    /// `chat` or `alias`
    pub(super) via: Option<&'static str>,
    /// The hour of a Monday in UTC.
    pub(super) hour: Option<u8>,
    /// Whether the first argument and the option came from outside.
    pub(super) tainted: Option<(bool, bool)>,
    pub(super) stdin: Option<Vec<&'static str>>,
}

/// True, false or neither.
type Truth = Option<bool>;

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Arg0,
    Arg1,
    Env,
    Count,
    AnyArg,
    AllArgs,
    AnyOption,
    AllOptions,
    AnyEnv,
    AllEnv,
    AnyStdin,
}

/// What is asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// An order by its sign, and one of [`LITERALS`].
    Compare(&'static str, usize),
    /// `== /pattern/`, or `!=`.
    Like(bool, usize),
    /// Two of [`LITERALS`].
    In(usize, usize),
    /// `matches` and `contains`, by a place in [`PATTERNS`].
    Matches(usize),
    Contains(usize),
    Is(&'static str),
}

/// What values are compared with: as written, and which value that is.
pub(super) const LITERALS: [(&str, Val); 6] = [
    ("'a'", Val::Text("a")),
    ("prod", Val::Text("prod")),
    ("2", Val::Int(2)),
    ("2.5", Val::Half),
    ("true", Val::Bool(true)),
    ("'b'", Val::Text("b")),
];

/// Patterns, whether they are found in a text, and whether they take all of it.
#[expect(clippy::type_complexity, reason = "a table")]
pub(super) const PATTERNS: [(&str, fn(&str) -> bool, fn(&str) -> bool); 4] = [
    ("/a/", |text| text.contains('a'), |text| text == "a"),
    ("/^p/", |text| text.starts_with('p'), |text| text == "p"),
    ("/[ab]+/", |text| text.contains(['a', 'b']), |text| !text.is_empty() && text.chars().all(|c| "ab".contains(c))),
    ("/a|prod/", |text| text.contains('a') || text.contains("prod"), |text| text == "a" || text == "prod"),
];

/// What must hold.
#[derive(Clone, Debug)]
pub(super) enum Must {
    Test(Look, Asked),
    All(Vec<Must>),
    One(Vec<Must>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    When,
    Guard,
    Forbid,
}

/// Permissions by their bits, of [`PERMISSIONS`].
pub(super) const PERMISSIONS: [&str; 4] = ["a:p", "a:q", "a:r", "a:s"];

/// What is asked of permissions: as written, and which sets of them pass.
#[expect(clippy::type_complexity, reason = "a table")]
pub(super) const PERMS: [(&str, fn(u8) -> bool); 8] = [
    ("a:p", |set| set & 0b1 != 0),
    ("a:q", |set| set & 0b10 != 0),
    ("a:p or a:q", |set| set & 0b11 != 0),
    ("a:p and a:r", |set| set & 0b101 == 0b101),
    ("any in [a:r, a:s]", |set| set & 0b1100 != 0),
    ("all in [a:q, a:s]", |set| set & 0b1010 == 0b1010),
    ("a:p and (a:q or a:s)", |set| set & 0b1 != 0 && set & 0b1010 != 0),
    ("(a:p and a:q) or a:r", |set| set & 0b11 == 0b11 || set & 0b100 != 0),
];

/// What may be required.
pub(super) const REQUIRED: [&str; 3] = ["reason", "approval 2 from captains distinct", "step-up totp within 10m"];

#[derive(Clone, Copy, Debug)]
pub(super) enum Outcome {
    Allow,
    Have(usize),
    Require(usize),
}

#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) sort: Sort,
    /// `a:b`, `a:*`, `*:*`, or one that is another's.
    pub(super) target: &'static str,
    pub(super) must: Option<Must>,
    pub(super) places: Vec<&'static str>,
    /// Whether it counts from nine to five only.
    pub(super) office: bool,
    pub(super) via: Option<&'static str>,
    /// For a forbid, `Have` says who is let through, and everything else nobody.
    pub(super) outcome: Outcome,
}

/// The window of those that have one.
const OFFICE: &str = "during 'mon-fri 09:00-17:00 UTC'";

impl Look {
    fn written(self) -> &'static str {
        match self {
            Self::Arg0 => "arg[0]",
            Self::Arg1 => "arg[1]",
            Self::Env => "option[env]",
            Self::Count => "option[count]",
            Self::AnyArg => "any args",
            Self::AllArgs => "all args",
            Self::AnyOption => "any options",
            Self::AllOptions => "all options",
            Self::AnyEnv => "any option[env]",
            Self::AllEnv => "all option[env]",
            Self::AnyStdin => "any stdin.label",
        }
    }

    pub(super) fn is_one(self) -> bool {
        matches!(self, Self::Arg0 | Self::Arg1 | Self::Env | Self::Count)
    }
}

fn test_written(look: Look, asked: Asked) -> String {
    let look = look.written();
    match asked {
        Asked::Compare(sign, literal) => {
            let (text, value) = &LITERALS[literal];
            // the one text for it
            let text =
                if matches!(value, Val::Text(_)) { format!("'{}'", text.trim_matches('\'')) } else { (*text).into() };
            format!("{look} {sign} {text}")
        }
        Asked::Like(like, pattern) => format!("{look} {} {}", if like { "==" } else { "!=" }, PATTERNS[pattern].0),
        Asked::In(one, two) => format!("{look} in [{}, {}]", LITERALS[one].0, LITERALS[two].0),
        Asked::Matches(pattern) => format!("{look} matches {}", PATTERNS[pattern].0),
        Asked::Contains(pattern) => format!("{look} contains {}", PATTERNS[pattern].0),
        Asked::Is(what) => format!("{look} is {what}"),
    }
}

impl Must {
    fn written(&self) -> String {
        match self {
            Self::Test(look, asked) => test_written(*look, *asked),
            Self::All(parts) | Self::One(parts) => {
                let joint = if matches!(self, Self::All(_)) { " and " } else { " or " };
                let parts: Vec<String> = parts.iter().map(Self::written).collect();
                format!("({})", parts.join(joint))
            }
        }
    }

    /// How many there are to choose from at each `or` that is met, for one way to choose.
    fn choose(&self, ways: &mut dyn FnMut(usize) -> usize, chosen: &mut Vec<(Look, Asked)>) {
        match self {
            Self::Test(look, asked) => chosen.push((*look, *asked)),
            Self::All(parts) => parts.iter().for_each(|part| part.choose(ways, chosen)),
            Self::One(parts) => parts[ways(parts.len())].choose(ways, chosen),
        }
    }
}

impl Made {
    pub(super) fn written(&self) -> String {
        let head = match self.sort {
            Sort::When => "when command is",
            Sort::Guard => "guard when command is",
            Sort::Forbid => "forbid command is",
        };
        let mut text = format!("{head} {}", self.target);
        if let Some(must) = &self.must {
            text.push_str(&format!(" with {}", must.written()));
        }
        if !self.places.is_empty() {
            text.push_str(&format!(" in [{}]", self.places.join(", ")));
        }
        if self.office {
            text.push_str(&format!(" {OFFICE}"));
        }
        if let Some(via) = self.via {
            text.push_str(&format!(" via {via}"));
        }
        let outcome = match (self.sort, self.outcome) {
            (Sort::Forbid, Outcome::Have(perms)) => format!(" unless {}", PERMS[perms].0),
            (Sort::Forbid, _) => String::new(),
            (_, Outcome::Allow) => " allow".into(),
            (_, Outcome::Have(perms)) => format!(" must have {}", PERMS[perms].0),
            (_, Outcome::Require(what)) => format!(" require {}", REQUIRED[what]),
        };
        text + &outcome
    }

    /// Every way to choose one part at each `or`.
    fn ways(&self) -> Vec<Vec<(Look, Asked)>> {
        let Some(must) = &self.must else { return vec![Vec::new()] };
        let mut ways = Vec::new();
        // the choices as the digits of a number that is counted up; each digit has as many values as it is told
        let mut digits: Vec<usize> = Vec::new();
        loop {
            let (mut at, mut sizes, mut chosen) = (0, Vec::new(), Vec::new());
            must.choose(
                &mut |size| {
                    sizes.push(size);
                    at += 1;
                    digits.get(at - 1).copied().unwrap_or(0)
                },
                &mut chosen,
            );
            ways.push(chosen);
            digits.resize(sizes.len(), 0);
            digits.truncate(sizes.len());
            loop {
                let (Some(digit), Some(size)) = (digits.pop(), sizes.pop()) else { return ways };
                if digit + 1 < size {
                    digits.push(digit + 1);
                    break;
                }
            }
        }
    }
}

fn same(value: &Val, wanted: &Val) -> Truth {
    match (value, wanted) {
        (Val::Text(value), Val::Text(wanted)) => Some(value == wanted),
        (Val::Bool(value), Val::Bool(wanted)) => Some(value == wanted),
        (Val::Int(_) | Val::Half, Val::Int(_) | Val::Half) => Some(value == wanted),
        _ => None,
    }
}

/// Below, at or above.
fn order(value: &Val, wanted: &Val) -> Option<std::cmp::Ordering> {
    let number = |value: &Val| match value {
        Val::Int(number) => Some(number * 2),
        Val::Half => Some(5),
        _ => None,
    };
    match (value, wanted) {
        (Val::Text(value), Val::Text(wanted)) => Some(value.cmp(wanted)),
        _ => Some(number(value)?.cmp(&number(wanted)?)),
    }
}

fn not(truth: Truth) -> Truth {
    truth.map(|truth| !truth)
}

fn some(truths: impl Iterator<Item = Truth>) -> Truth {
    let all: Vec<Truth> = truths.collect();
    if all.contains(&Some(true)) {
        Some(true)
    } else if all.contains(&None) {
        None
    } else {
        Some(false)
    }
}

/// Of nothing it is false.
fn every(truths: impl Iterator<Item = Truth>) -> Truth {
    let all: Vec<Truth> = truths.collect();
    if all.is_empty() { Some(false) } else { not(some(all.into_iter().map(not))) }
}

fn of_value(value: &Val, asked: Asked) -> Truth {
    match asked {
        Asked::Compare("==", literal) => same(value, &LITERALS[literal].1),
        Asked::Compare("!=", literal) => not(same(value, &LITERALS[literal].1)),
        Asked::Compare(sign, literal) => order(value, &LITERALS[literal].1).map(|order| match sign {
            ">" => order.is_gt(),
            "<" => order.is_lt(),
            ">=" => !order.is_lt(),
            "<=" => !order.is_gt(),
            sign => panic!("{sign}"),
        }),
        Asked::In(one, two) => some([one, two].into_iter().map(|literal| same(value, &LITERALS[literal].1))),
        Asked::Matches(pattern) | Asked::Contains(pattern) => match value {
            Val::Text(text) => {
                let (_, found, whole) = PATTERNS[pattern];
                Some(if matches!(asked, Asked::Matches(_)) { whole(text) } else { found(text) })
            }
            _ => None,
        },
        Asked::Like(like, pattern) => match value {
            Val::Text(text) => Some(PATTERNS[pattern].1(text) == like),
            _ => None,
        },
        Asked::Is(_) => panic!("is asks of one thing"),
    }
}

impl Called {
    fn one(&self, look: Look) -> Option<&Val> {
        match look {
            Look::Arg0 => self.args.first(),
            Look::Arg1 => self.args.get(1),
            Look::Env => self.env.as_ref(),
            Look::Count => self.count.as_ref(),
            _ => None,
        }
    }

    fn truth(&self, look: Look, asked: Asked) -> Truth {
        if look.is_one() {
            return match (self.one(look), asked) {
                (there, Asked::Is("missing")) => Some(there.is_none()),
                (there, Asked::Is("present")) => Some(there.is_some()),
                (Some(_), Asked::Is("tainted")) => self.tainted.map(|(first, env)| match look {
                    Look::Arg0 => first,
                    Look::Env => env,
                    _ => false,
                }),
                (None, Asked::Compare("!=", _) | Asked::Like(false, _)) => None,
                (None, _) => Some(false),
                (Some(value), asked) => of_value(value, asked),
            };
        }
        let options: Vec<Val> = self.env.iter().chain(&self.count).cloned().collect();
        let inside = match &self.env {
            Some(Val::List(items)) => items.clone(),
            Some(one) => vec![one.clone()],
            None => Vec::new(),
        };
        let each = |values: &[Val], any: bool| {
            let truths = values.iter().map(|value| of_value(value, asked));
            if any { some(truths) } else { every(truths) }
        };
        match look {
            Look::AnyArg => each(&self.args, true),
            Look::AllArgs => each(&self.args, false),
            Look::AnyOption => each(&options, true),
            Look::AllOptions => each(&options, false),
            Look::AnyEnv => each(&inside, true),
            Look::AllEnv => each(&inside, false),
            Look::AnyStdin => {
                let labels: Vec<Val> = self.stdin.as_ref()?.iter().map(|label| Val::Text(label)).collect();
                each(&labels, true)
            }
            Look::Arg0 | Look::Arg1 | Look::Env | Look::Count => panic!("one thing"),
        }
    }
}

/// What is decided, for one set of permissions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Allowed,
    Denied,
    /// Until these are fulfilled.
    Waits(BTreeSet<&'static str>),
}

/// One way of one rule, whose condition is true or may be.
struct Way<'m> {
    made: &'m Made,
    conditions: BTreeSet<String>,
    sure: bool,
}

/// The decision about a call of `a:b`, by a set of permissions in bits.
pub(super) fn judge(rules: &[Made], called: &Called, permissions: u8) -> Fate {
    let mut open: Vec<Way> = Vec::new();
    for made in rules {
        let target: &[&str] = match made.target {
            "*:*" => &[],
            "a:*" => &["bundle a"],
            "a:b" => &["bundle a", "command b"],
            _ => continue,
        };
        for way in made.ways() {
            let mut conditions: BTreeSet<String> = target.iter().map(|text| (*text).to_owned()).collect();
            let mut truths = Vec::new();
            for (look, asked) in way {
                conditions.insert(test_written(look, asked));
                truths.push(called.truth(look, asked));
            }
            if !made.places.is_empty() {
                conditions.insert(format!("in {:?}", made.places));
                truths.push(called.place.map(|place| made.places.contains(&place)));
            }
            if made.office {
                conditions.insert(OFFICE.into());
                truths.push(called.hour.map(|hour| (9..17).contains(&hour)));
            }
            if let Some(via) = made.via {
                conditions.insert(format!("via {via}"));
                truths.push(called.via.map(|came| came == via));
            }
            if !truths.contains(&Some(false)) {
                open.push(Way { made, conditions, sure: !truths.contains(&None) });
            }
        }
    }
    let holds = |outcome: Outcome| match outcome {
        Outcome::Have(perms) => PERMS[perms].1(permissions),
        Outcome::Allow | Outcome::Require(_) => true,
    };
    let let_through = |made: &Made| matches!(made.outcome, Outcome::Have(perms) if PERMS[perms].1(permissions));
    if open.iter().any(|way| way.made.sort == Sort::Forbid && !let_through(way.made)) {
        return Fate::Denied;
    }
    let sure: Vec<&Way> = open.iter().filter(|way| way.made.sort == Sort::When && way.sure).collect();
    if sure.is_empty() {
        return Fate::Denied;
    }
    let asked: Vec<&Made> = open
        .iter()
        .filter(|way| match (way.made.sort, way.sure) {
            (Sort::Forbid, _) => false,
            (Sort::Guard, _) => true,
            (Sort::When, false) => !matches!(way.made.outcome, Outcome::Allow),
            (Sort::When, true) => !sure
                .iter()
                .any(|more| more.conditions != way.conditions && more.conditions.is_superset(&way.conditions)),
        })
        .map(|way| way.made)
        .collect();
    if !asked.iter().all(|made| holds(made.outcome)) {
        return Fate::Denied;
    }
    let due: BTreeSet<&'static str> = asked
        .iter()
        .filter_map(|made| match made.outcome {
            Outcome::Require(what) => Some(REQUIRED[what]),
            Outcome::Allow | Outcome::Have(_) => None,
        })
        .collect();
    if due.is_empty() { Fate::Allowed } else { Fate::Waits(due) }
}
