//! Approvals: a line that waits, frozen to the last word, and the votes of others on it.
//!
//! What is approved is a plan, never a text: the line, every guarded call with its bound arguments, the bundle that each
//! comes from, who asked, where, by which way, and until when. Any of these changed, it is another plan. Deliberately
//! absent: where plans are kept, the clock, and how a request is shown.

use ecow::EcoString;
use pipit_commands::{Arg, Args, Labels, Value};
use pipit_grammar::rule::{Place, Requirement, Via};
use serde::{Deserialize, Serialize};

use super::Identity;

#[cfg(test)]
mod tests;

/// Letters of the id that people see.
const ID: usize = 10;
/// Letters of the code that stands in the request and nowhere else.
const CODE: usize = 4;

/// A line that waits, as kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Parked {
    /// What was asked for.
    pub(crate) plan: Plan,
    /// How it stands.
    pub(crate) state: State,
    /// Where the requester was reached with a direct message.
    pub(crate) asker: Option<Asker>,
}

/// A person's place on a chat service. The name alone may be another's by the time that something is said.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Asker {
    /// The name that was shown.
    pub(crate) name: EcoString,
    /// When it was theirs, as the service counts, and only within one process.
    pub(crate) heard: u64,
    /// Which process counted.
    pub(crate) process: EcoString,
}

/// What is asked for, to the last word.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// The line, canonical.
    pub(crate) line: String,
    /// The same with its aliases spread out.
    pub(crate) spread: String,
    /// Every call that takes an approval.
    pub(crate) calls: Vec<Frozen>,
    /// How many of which roles it takes.
    pub(crate) needs: Vec<Need>,
    /// Who asked.
    pub(crate) who: Who,
    /// The chat service it came by, or `shell`.
    pub(crate) service: EcoString,
    /// The room; none for a direct message.
    pub(crate) room: Option<EcoString>,
    /// The id of the line in the log.
    pub(crate) ticket: String,
    /// When the requester last proved who he is by a second factor, if one of the rules asked for that.
    pub(crate) stepped_up: Option<i64>,
    /// When it was asked, Unix milliseconds.
    pub(crate) at: i64,
    /// When it is void, Unix milliseconds.
    pub(crate) until: i64,
}

/// A call, bound and frozen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Frozen {
    /// The command's exact name.
    pub(crate) command: EcoString,
    /// The content of the bundle that it comes from; a built-in has none.
    pub(crate) digest: Option<String>,
    /// By what way the call comes, where it is not that of the line, as rules write it.
    pub(crate) via: Option<EcoString>,
    /// The reason that was given for it.
    pub(crate) reason: Option<EcoString>,
    /// The arguments by parameter.
    params: Vec<Vec<Word>>,
    /// The arguments by option.
    options: Vec<Vec<Word>>,
    /// What from outside had a part in the values that flow in.
    input: Vec<EcoString>,
    /// And in those that come out.
    output: Vec<EcoString>,
}

/// An argument: its value, and what from outside had a part in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Word(Value, Vec<EcoString>);

/// So many persons of a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Need {
    /// The role.
    pub(crate) role: EcoString,
    /// How many, each another person.
    pub(crate) count: u8,
    /// Whether who counts here counts for no other need of the same plan.
    pub(crate) distinct: bool,
}

/// Who asked, as it was proved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Who {
    /// The user, or `operator`.
    pub(crate) name: EcoString,
    /// By what he is known.
    pub(crate) by: By,
}

/// By what somebody was known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum By {
    /// The console.
    Operator,
    /// The console said who it is.
    Named,
    /// The account that a chat service verified.
    Account(EcoString),
}

/// How a plan stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    /// Votes are missing.
    Waiting,
    /// All votes are there; whoever reaches the requester's room runs it, once.
    Approved,
    /// It was run, or its run was begun: never again.
    Released,
    /// Somebody said no.
    Denied {
        /// Who.
        by: EcoString,
        /// Why, if that was said.
        why: Option<EcoString>,
    },
    /// Something of it is not what it was.
    Void {
        /// What.
        why: String,
    },
}

impl Plan {
    /// The digest of everything in it.
    fn digest(&self) -> blake3::Hash {
        // a plain struct: there is nothing in it that JSON cannot say
        blake3::hash(serde_json::to_string(self).unwrap_or_default().as_bytes())
    }

    fn letters(&self) -> String {
        data_encoding::BASE32_NOPAD.encode(self.digest().as_bytes())
    }

    /// What people call it: the beginning of its digest.
    pub(crate) fn id(&self) -> String {
        self.letters().chars().take(ID).collect()
    }

    /// What whoever approves has to read in the request: the next letters of the digest.
    pub(crate) fn code(&self) -> String {
        self.letters().chars().skip(ID).take(CODE).collect()
    }

    /// Whether another asks for the same, apart from the time.
    pub(crate) fn asks_the_same(&self, other: &Self) -> bool {
        let timeless = |plan: &Self| Self { ticket: String::new(), stepped_up: None, at: 0, until: 0, ..plan.clone() };
        timeless(self) == timeless(other)
    }

    /// Where it was asked.
    pub(crate) fn place(&self) -> Place {
        self.room.clone().map_or(Place::Dm, Place::Room)
    }

    /// Whether a call is one of those that wait here.
    pub(crate) fn covers(&self, call: &Frozen) -> bool {
        self.calls.contains(call)
    }
}

impl Frozen {
    /// Freezes a call.
    pub(crate) fn new(
        command: &EcoString,
        digest: Option<String>,
        args: &Args,
        via: Option<Via>,
        reason: Option<EcoString>,
    ) -> Self {
        let names = |labels: &Labels| labels.iter().cloned().collect::<Vec<_>>();
        let words = |all: &[Vec<Arg>]| {
            all.iter().map(|of| of.iter().map(|arg| Word(arg.value.clone(), names(&arg.labels))).collect()).collect()
        };
        Self {
            command: command.clone(),
            digest,
            via: via.map(|via| via.as_str().into()),
            reason,
            params: words(&args.params),
            options: words(&args.options),
            input: names(&args.input),
            output: names(&args.output),
        }
    }

    /// The arguments as they were, to be judged again.
    pub(crate) fn args(&self) -> Args {
        let labels = |names: &[EcoString]| names.iter().cloned().collect::<Labels>();
        let args = |all: &[Vec<Word>]| {
            let arg = |Word(value, names): &Word| Arg { value: value.clone(), given: None, labels: labels(names) };
            all.iter().map(|of| of.iter().map(arg).collect()).collect()
        };
        Args {
            params: args(&self.params),
            options: args(&self.options),
            input: labels(&self.input),
            output: labels(&self.output),
        }
    }

    /// What from outside had a part in its arguments or what flows into it, each source once.
    pub(crate) fn outside(&self) -> Vec<&str> {
        let words = self.params.iter().chain(&self.options).flatten().flat_map(|Word(_, labels)| labels);
        let mut all: Vec<&str> = words.chain(&self.input).map(EcoString::as_str).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// By what way it comes.
    pub(crate) fn via(&self) -> Option<Via> {
        self.via.as_deref().and_then(Via::from_name)
    }
}

impl Who {
    /// Who asks; none for somebody whom nobody verified.
    pub(crate) fn of(identity: &Identity, name: &EcoString) -> Option<Self> {
        let by = match identity {
            Identity::Operator => By::Operator,
            Identity::Named(_) => By::Named,
            Identity::Account(account) => By::Account(account.clone()),
            Identity::Stranger(_) => return None,
        };
        Some(Self { name: name.clone(), by })
    }

    /// The identity to look up again.
    pub(crate) fn identity(&self) -> Identity {
        match &self.by {
            By::Operator => Identity::Operator,
            By::Named => Identity::Named(self.name.clone()),
            By::Account(account) => Identity::Account(account.clone()),
        }
    }
}

/// What several requirements come to: of each role the most that one of them asks for.
pub(crate) fn needs<'r>(requirements: impl Iterator<Item = &'r Requirement>) -> Vec<Need> {
    let mut needs: Vec<Need> = Vec::new();
    for requirement in requirements {
        let Requirement::Approval { count, role, distinct } = requirement else { continue };
        match needs.iter_mut().find(|need| need.role == *role) {
            Some(need) => {
                need.count = need.count.max(*count);
                need.distinct |= distinct;
            }
            None => needs.push(Need { role: role.clone(), count: *count, distinct: *distinct }),
        }
    }
    needs.sort();
    needs
}

/// What is still missing when these persons have voted: of each role how many. `holds` says whether a person has a role
/// now. A person counts once for a need; where a need is `distinct` a person counts for that one or for others.
pub(crate) fn missing(needs: &[Need], voters: &[EcoString], holds: &dyn Fn(&str, &str) -> bool) -> Vec<Need> {
    let able = |need: &Need| -> Vec<usize> {
        voters.iter().enumerate().filter(|(_, voter)| holds(voter, &need.role)).map(|(at, _)| at).collect()
    };
    if !needs.iter().any(|need| need.distinct) {
        let lacking = needs.iter().map(|need| (need, usize::from(need.count).saturating_sub(able(need).len())));
        return lacking.filter(|(_, lack)| *lack > 0).map(|(need, lack)| need.lacking(lack)).collect();
    }
    // every place of every need is given to a voter of its own, as many as can be
    let places: Vec<usize> =
        needs.iter().enumerate().flat_map(|(at, need)| std::iter::repeat_n(at, usize::from(need.count))).collect();
    let wants: Vec<Vec<usize>> = needs.iter().map(able).collect();
    let mut taken: Vec<Option<usize>> = vec![None; voters.len()];
    let mut lack = vec![0_usize; needs.len()];
    for place in 0..places.len() {
        if !seat(place, &places, &wants, &mut taken, &mut vec![false; voters.len()])
            && let Some(need) = places.get(place)
            && let Some(lack) = lack.get_mut(*need)
        {
            *lack += 1;
        }
    }
    needs.iter().zip(lack).filter(|(_, lack)| *lack > 0).map(|(need, lack)| need.lacking(lack)).collect()
}

/// Gives a place to a voter, moving others to other places where that helps.
fn seat(place: usize, places: &[usize], wants: &[Vec<usize>], taken: &mut [Option<usize>], tried: &mut [bool]) -> bool {
    let Some(wanted) = places.get(place).and_then(|need| wants.get(*need)) else { return false };
    for &voter in wanted {
        if tried.get(voter).copied().unwrap_or(true) {
            continue;
        }
        tried[voter] = true;
        let moved = match taken[voter] {
            None => true,
            Some(other) => seat(other, places, wants, taken, tried),
        };
        if moved {
            taken[voter] = Some(place);
            return true;
        }
    }
    false
}

impl Need {
    fn lacking(&self, lack: usize) -> Self {
        Self { count: u8::try_from(lack).unwrap_or(u8::MAX), ..self.clone() }
    }
}

impl std::fmt::Display for Need {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", self.count, self.role)
    }
}
