//! Who may do what. A [`Subject`] is made here and nowhere else, from an identity that somebody has verified, and the
//! [`Policy`] judges its calls by rules.
//!
//! Deliberately absent: chat services (they only say which account they verified), and where people and rules are kept.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use ecow::EcoString;
use pipit_commands::{Args, Command, Effect, Error, ErrorKind, Labels, RIGHTS, Value};
use pipit_grammar::rule::{Place, Via};

pub(crate) mod approval;
mod audience;
pub(crate) mod decide;
mod diff;
mod explain;
mod lint;
mod people;
#[cfg(test)]
mod tests;
pub(crate) mod totp;
mod who;

pub(crate) use audience::Audience;
pub(crate) use people::{Group, People, Role, User, asked_for, numbered, valid_name};
pub(crate) use who::{May, Part};

pub(crate) use diff::{Fate, differences};
pub(crate) use lint::lint;

use decide::{Decision, Denial, Facts, Layer, Ruling, Tainted};
pub(crate) use explain::{foreseen, objection};

/// The role of those who were made administrators with a code, and who are asked where nobody else is named.
pub(crate) const ADMINISTRATORS: &str = "admin";

/// Who asks, as far as somebody has proved it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// Whoever can start the binary on this machine with this home.
    Operator,
    /// A user by their exact name, because the operator said so (`--as`).
    Named(EcoString),
    /// An account that a chat service verified: `irc://network/account`.
    Account(EcoString),
    /// Nobody that could be verified; what they call themselves proves nothing.
    Stranger(EcoString),
}

/// Who asks, with roles resolved.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    name: EcoString,
    rank: Rank,
    rights: Arc<HashSet<EcoString>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rank {
    Operator,
    User,
    /// Verified by a chat service, and nobody's account here yet; otherwise a stranger like any other.
    Unlinked,
    Stranger,
}

impl Subject {
    /// The user's name; for a stranger what they call themselves.
    pub(crate) fn name(&self) -> &EcoString {
        &self.name
    }

    /// Who it is, as a program is told: what a stranger calls themselves stands behind a `?`, so that no nick is taken
    /// for a user's name or the operator's.
    pub(crate) fn told(&self) -> EcoString {
        match self.rank {
            Rank::Operator | Rank::User | Rank::Unlinked => self.name.clone(),
            Rank::Stranger => ecow::eco_format!("?{}", self.name),
        }
    }

    /// Under which name what belongs to the subject is kept; none for strangers, who own nothing here.
    pub(crate) fn owner(&self) -> Option<&EcoString> {
        match self.rank {
            Rank::Operator | Rank::User => Some(&self.name),
            Rank::Unlinked | Rank::Stranger => None,
        }
    }

    /// Whether this is no user: nobody verified who it is, or the account is not linked.
    pub(crate) fn is_stranger(&self) -> bool {
        matches!(self.rank, Rank::Unlinked | Rank::Stranger)
    }

    /// Whether a chat service verified an account that is no user's.
    pub(crate) fn is_unlinked(&self) -> bool {
        self.rank == Rank::Unlinked
    }

    /// Whether this is the local operator.
    pub(crate) fn is_operator(&self) -> bool {
        self.rank == Rank::Operator
    }

    /// Whether the subject has a permission.
    pub(crate) fn has(&self, permission: &str) -> bool {
        match self.rank {
            Rank::Operator => RIGHTS.contains(&permission),
            Rank::User | Rank::Unlinked | Rank::Stranger => self.rights.contains(permission),
        }
    }

    /// Its permissions in order.
    pub(crate) fn permissions(&self) -> Vec<EcoString> {
        let mut all: Vec<EcoString> = match self.rank {
            Rank::Operator => RIGHTS.iter().map(|right| EcoString::from(*right)).collect(),
            Rank::User | Rank::Unlinked | Rank::Stranger => self.rights.iter().cloned().collect(),
        };
        all.sort();
        all
    }
}

/// Where and how a line came.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    /// The room, or a direct message.
    pub(crate) place: Place,
    /// The chat service's name, or that of the shell's own.
    pub(crate) service: EcoString,
    /// Who can read along there.
    pub(crate) audience: Audience,
    /// The way in.
    pub(crate) via: Via,
    /// When, in milliseconds since 1970.
    pub(crate) at: i64,
}

/// People and rules as they stand at one moment.
#[derive(Debug, Default)]
pub(crate) struct Policy {
    people: People,
    /// By exact command name. Rules that cover several commands stand at each of them.
    rules: HashMap<EcoString, Vec<Arc<Ruling>>>,
    /// Those of the site, by id, in order.
    site: Vec<Arc<Ruling>>,
}

/// What was decided about a call, and by which rule.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    pub(crate) decision: Decision,
    /// The rules that decided, as they are written, for the log.
    pub(crate) rule: String,
    /// Whether another call of the same command by the same subject is decided alike, whatever its arguments.
    pub(crate) for_all: bool,
}

impl Policy {
    /// The policy for these commands: each brings its own rules; the site's come on top.
    pub(crate) fn new<'c>(people: People, commands: impl Iterator<Item = &'c Command>, site: Vec<Ruling>) -> Self {
        let site: Vec<Arc<Ruling>> = site.into_iter().map(Arc::new).collect();
        let mut rules: HashMap<EcoString, Vec<Arc<Ruling>>> = HashMap::new();
        for command in commands {
            let exact = command.exact();
            let own = command.spec().rules.iter().enumerate();
            let own = own
                .map(|(at, rule)| Arc::new(Ruling::read(format!("{exact}#{}", at + 1), Layer::Bundle, rule.clone())));
            let all = own.chain(site.iter().filter(|ruling| ruling.covers(exact)).cloned()).collect();
            rules.insert(exact.clone(), all);
        }
        Self { people, rules, site }
    }

    /// The people.
    pub(crate) fn people(&self) -> &People {
        &self.people
    }

    /// The rules of the site.
    pub(crate) fn site_rules(&self) -> &[Arc<Ruling>] {
        &self.site
    }

    /// The rules that have a say about a command.
    pub(crate) fn rules_of(&self, exact: &str) -> &[Arc<Ruling>] {
        self.rules.get(exact).map_or(&[], Vec::as_slice)
    }

    /// Whether approvals come from those who have this role: by a rule, or because it is that of administrators.
    pub(crate) fn approves(&self, role: &str) -> bool {
        let named = |ruling: &Arc<Ruling>| ruling.approver().is_some_and(|approver| approver == role);
        // those of the site also where their commands are not here now
        role == ADMINISTRATORS || self.rules.values().flatten().chain(&self.site).any(named)
    }

    /// Who an identity is. An account that belongs to nobody and everything unverified is a stranger; a name that the
    /// operator gave must be a user.
    pub(crate) fn subject(&self, identity: &Identity) -> Result<Subject, Error> {
        let user = |name: &EcoString| Subject {
            name: name.clone(),
            rank: Rank::User,
            rights: self.people.permissions_of(name),
        };
        let nobody = |name: &EcoString, rank| Subject { name: name.clone(), rank, rights: Arc::default() };
        match identity {
            Identity::Operator => Ok(Subject { name: "operator".into(), rank: Rank::Operator, rights: Arc::default() }),
            Identity::Named(name) if self.people.has_user(name) => Ok(user(name)),
            Identity::Named(name) => Err(Error::new(ErrorKind::Denied, format!("there is no user {name}"))
                .help(format!("the operator makes one: user create {name}"))),
            Identity::Account(account) => {
                Ok(self.people.user_of(account).map_or_else(|| nobody(account, Rank::Unlinked), user))
            }
            Identity::Stranger(shown) => Ok(nobody(shown, Rank::Stranger)),
        }
    }

    /// Decides about a call with bound arguments.
    pub(crate) fn judge(&self, subject: &Subject, command: &Command, args: &Args, context: &Context) -> Verdict {
        let rules = self.rules_of(command.exact());
        let asked = Asked::new(command, args);
        let decision = decide::decide(rules, &|permission| subject.has(permission), &asked.facts(command, context));
        let decision = bounded(subject, command, context, rules, decision);
        Verdict { rule: cited(rules, &decision), for_all: decide::unconditional(rules), decision }
    }

    /// What is certain of a command before its arguments are known: a denial that none would change, or nothing.
    pub(crate) fn foresee(&self, subject: &Subject, command: &Command, context: &Context) -> Option<Verdict> {
        let rules = self.rules_of(command.exact());
        let denial = if subject.is_stranger() && !is_public(command) {
            Denial::NoRule
        } else {
            decide::foresee(rules, &|permission| subject.has(permission), &facts(command, context))?
        };
        let decision = Decision::Deny(denial);
        Some(Verdict { rule: cited(rules, &decision), for_all: true, decision })
    }

    /// Whether the subject may run the command in some way, somewhere.
    pub(crate) fn may_some_way(&self, subject: &Subject, command: &Command, context: &Context) -> bool {
        self.foresee(subject, command, context).is_none()
    }
}

/// A decision by the rules within what no rule opens: strangers run public commands only, those that everybody may run
/// and that change and keep nothing; and a room that is shared with others keeps out what takes a right.
fn bounded(
    subject: &Subject,
    command: &Command,
    context: &Context,
    rules: &[Arc<Ruling>],
    decision: Decision,
) -> Decision {
    if subject.is_stranger() && !is_public(command) {
        return Decision::Deny(Denial::NoRule);
    }
    audience::within(rules, context, decision)
}

/// Whether a command may be run by somebody whom nobody verified. The rules still have to allow it.
fn is_public(command: &Command) -> bool {
    use pipit_commands::Verb;
    if command.spec().effect != Effect::Pure {
        return false;
    }
    match command.verb() {
        None => true,
        Some(verb) => matches!(verb, Verb::Help | Verb::Which | Verb::Whoami | Verb::More | Verb::Claim | Verb::Link),
    }
}

/// What is known of a call before its arguments are.
fn facts<'a>(command: &'a Command, context: &'a Context) -> Facts<'a> {
    Facts {
        room: Some(&context.place),
        service: Some(&context.service),
        via: Some(context.via),
        at: Some(context.at),
        ..Facts::of(command.exact())
    }
}

/// The options as rules see them: a flag is `true`, one that may come several times a list.
fn options(command: &Command, args: &Args) -> Vec<(EcoString, Value)> {
    let usage = &command.spec().usage;
    usage
        .options
        .iter()
        .zip(&args.options)
        .filter(|(_, given)| !given.is_empty())
        .map(|(option, given)| {
            let mut values = given.iter().map(|arg| arg.value.clone());
            let value = match (option.many && option.value.is_some(), values.next()) {
                (false, Some(first)) => first,
                (_, first) => Value::List(first.into_iter().chain(values).collect()),
            };
            (option.key(), value)
        })
        .collect()
}

/// A call as rules see it.
struct Asked<'a> {
    words: Vec<Value>,
    options: Vec<(EcoString, Value)>,
    /// The arguments in which something from outside had a part.
    tainted: (Vec<usize>, Vec<EcoString>),
    input: &'a Labels,
}

impl<'a> Asked<'a> {
    fn new(command: &Command, args: &'a Args) -> Self {
        let words = args.params.iter().flatten().enumerate();
        let given = command.spec().usage.options.iter().zip(&args.options);
        let tainted = (
            words.filter(|(_, arg)| !arg.labels.is_empty()).map(|(at, _)| at).collect(),
            given
                .filter(|(_, given)| given.iter().any(|arg| !arg.labels.is_empty()))
                .map(|(option, _)| option.key())
                .collect(),
        );
        Self { words: args.words().cloned().collect(), options: options(command, args), tainted, input: &args.input }
    }

    fn facts(&'a self, command: &'a Command, context: &'a Context) -> Facts<'a> {
        Facts {
            args: &self.words,
            options: &self.options,
            tainted: Some(Tainted { args: &self.tainted.0, options: &self.tainted.1 }),
            stdin: Some(self.input),
            ..facts(command, context)
        }
    }
}

/// The rules that a decision rests on, as they are written.
fn cited(rules: &[Arc<Ruling>], decision: &Decision) -> String {
    let ids: Vec<&EcoString> = match decision {
        Decision::Allow { by }
        | Decision::Park { by, .. }
        | Decision::Deny(Denial::Forbidden { by } | Denial::Shared { by }) => by.iter().collect(),
        Decision::Deny(Denial::NoRule) => Vec::new(),
        Decision::Deny(Denial::Unreadable { rule, .. }) => vec![rule],
        Decision::Deny(Denial::Missing(unmet)) => unmet.iter().map(|unmet| &unmet.rule).collect(),
    };
    let sources = ids.iter().filter_map(|id| rules.iter().find(|ruling| ruling.id == **id));
    sources.map(|ruling| ruling.source.as_str()).collect::<Vec<_>>().join("; ")
}
