//! Who may do what. A [`Subject`] is made here and nowhere else, from an identity that somebody has verified, and the
//! [`Policy`] judges its calls by rules.
//!
//! Deliberately absent: chat services (they only say which account they verified), and where people and rules are kept.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use ecow::EcoString;
use pipit_commands::{Args, Command, Effect, Error, ErrorKind, Value};
use pipit_grammar::rule::{Place, Requirement, Via};

pub(crate) mod approval;
pub(crate) mod decide;
mod people;
#[cfg(test)]
mod tests;

pub(crate) use people::{Group, People, Role, User, valid_name};

use decide::{Decision, Denial, Facts, Layer, Ruling, Standing, Tainted};

/// The rights that the shell itself brings. The local operator holds them all; a role may be granted each.
pub(crate) const RIGHTS: &[&str] = &[
    "alias:room",
    "alias:site",
    "audit:read",
    "bundle:manage",
    "group:manage",
    "net:dns",
    "net:http",
    "permission:manage",
    "role:manage",
    "room:manage",
    "room:post",
    "rule:manage",
    "shell:kill",
    "shell:ps",
    "user:manage",
];

/// Who asks, as far as somebody has proved it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// Whoever can start the binary on this machine with this home.
    Operator,
    /// A user by name, because the operator said so (`--as`).
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
    /// The way in.
    pub(crate) via: Via,
}

/// People and rules as they stand at one moment.
#[derive(Debug, Default)]
pub(crate) struct Policy {
    people: People,
    /// By exact command name. Rules that cover several commands stand at each of them.
    rules: HashMap<EcoString, Vec<Ruling>>,
    /// Those of the site, by id, in order.
    site: Vec<Ruling>,
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
        let mut rules: HashMap<EcoString, Vec<Ruling>> = HashMap::new();
        for command in commands {
            let exact = command.exact();
            let own = command.spec().rules.iter().enumerate();
            let own = own.map(|(at, rule)| Ruling::read(format!("{exact}#{}", at + 1), Layer::Bundle, rule.clone()));
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
    pub(crate) fn site_rules(&self) -> &[Ruling] {
        &self.site
    }

    /// The rules that have a say about a command.
    pub(crate) fn rules_of(&self, exact: &str) -> &[Ruling] {
        self.rules.get(exact).map_or(&[], Vec::as_slice)
    }

    /// Who an identity is. An account that belongs to nobody and everything unverified is a stranger; a name that the
    /// operator gave must be a user.
    pub(crate) fn subject(&self, identity: &Identity) -> Result<Subject, Error> {
        let user = |name: &EcoString| Subject {
            name: name.clone(),
            rank: Rank::User,
            rights: Arc::new(self.people.permissions_of(name)),
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
        let rules: Vec<&Ruling> = self.rules_of(command.exact()).iter().collect();
        let words: Vec<Value> = args.words().cloned().collect();
        let options = options(command, args);
        let came = came(command, args);
        let facts = Facts { tainted: Some(came.tainted()), ..facts(command, &words, &options, context) };
        let decision = decide::decide(&rules, &|permission| subject.has(permission), &facts);
        let decision = public_only(subject, command, decision);
        Verdict { rule: cited(&rules, &decision), for_all: decide::unconditional(&rules), decision }
    }

    /// What is certain of a command before its arguments are known: a denial that none would change, or nothing.
    pub(crate) fn foresee(&self, subject: &Subject, command: &Command, context: &Context) -> Option<Verdict> {
        let rules: Vec<&Ruling> = self.rules_of(command.exact()).iter().collect();
        let denial = if subject.is_stranger() && !is_public(command) {
            Denial::NoRule
        } else {
            decide::foresee(&rules, &|permission| subject.has(permission), &facts(command, &[], &[], context))?
        };
        let decision = Decision::Deny(denial);
        Some(Verdict { rule: cited(&rules, &decision), for_all: true, decision })
    }

    /// Whether the subject may run the command in some way, somewhere.
    pub(crate) fn may_some_way(&self, subject: &Subject, command: &Command, context: &Context) -> bool {
        self.foresee(subject, command, context).is_none()
    }

    /// Why the subject may run a command or may not: the decision, and how each rule stands. Without arguments only
    /// what holds for all of them.
    pub(crate) fn reasons(
        &self,
        subject: &Subject,
        command: &Command,
        args: Option<&Args>,
        context: &Context,
    ) -> Vec<String> {
        let rules: Vec<&Ruling> = self.rules_of(command.exact()).iter().collect();
        let (name, exact) = (subject.name(), command.exact());
        let Some(args) = args else {
            let said = self
                .foresee(subject, command, context)
                .and_then(|verdict| objection(subject, command, &verdict.decision).map(|error| error.to_string()));
            let said =
                said.unwrap_or_else(|| format!("{name} may run {exact}, if its arguments are right by these rules"));
            return std::iter::once(said)
                .chain(rules.iter().map(|rule| format!("  {}: {}", rule.id, rule.source)))
                .collect();
        };
        let words: Vec<Value> = args.words().cloned().collect();
        let options = options(command, args);
        let came = came(command, args);
        let facts = Facts { tainted: Some(came.tainted()), ..facts(command, &words, &options, context) };
        let explained = decide::explain(&rules, &|permission| subject.has(permission), &facts);
        let decision = public_only(subject, command, explained.decision);
        let said = objection(subject, command, &decision);
        let mut lines = vec![said.map_or_else(|| format!("{name} may run {exact}"), |error| error.to_string())];
        for rule in &rules {
            let stands = explained.stands.iter().filter(|stand| stand.rule == rule.id);
            let mut how: Vec<String> = stands.map(|stand| standing(&stand.standing)).collect();
            how.dedup();
            lines.push(format!("  {}: {} ({})", rule.id, rule.source, how.join("; ")));
        }
        if rules.is_empty() {
            lines.push("  there is no rule, and no rule means no".into());
        }
        lines
    }
}

/// Strangers run public commands only: those that everybody may run and that change and keep nothing.
fn public_only(subject: &Subject, command: &Command, decision: Decision) -> Decision {
    if subject.is_stranger() && !is_public(command) { Decision::Deny(Denial::NoRule) } else { decision }
}

/// Whether a command may be run by somebody whom nobody verified. The rules still have to allow it.
fn is_public(command: &Command) -> bool {
    use pipit_commands::Verb;
    if command.spec().effect != Effect::Pure {
        return false;
    }
    match command.verb() {
        None => true,
        Some(verb) => matches!(verb, Verb::Help | Verb::Which | Verb::Whoami | Verb::More | Verb::Claim),
    }
}

fn facts<'a>(
    command: &'a Command,
    args: &'a [Value],
    options: &'a [(EcoString, Value)],
    context: &'a Context,
) -> Facts<'a> {
    Facts { command: command.exact(), args, options, room: Some(&context.place), via: Some(context.via), tainted: None }
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

/// The arguments in which something from outside had a part.
#[derive(Default)]
struct Came {
    args: Vec<usize>,
    options: Vec<EcoString>,
}

impl Came {
    fn tainted(&self) -> Tainted<'_> {
        Tainted { args: &self.args, options: &self.options }
    }
}

fn came(command: &Command, args: &Args) -> Came {
    let words = args.params.iter().flatten().enumerate();
    let options = command.spec().usage.options.iter().zip(&args.options);
    Came {
        args: words.filter(|(_, arg)| !arg.labels.is_empty()).map(|(at, _)| at).collect(),
        options: options
            .filter(|(_, given)| given.iter().any(|arg| !arg.labels.is_empty()))
            .map(|(option, _)| option.key())
            .collect(),
    }
}

fn standing(standing: &Standing) -> String {
    match standing {
        Standing::Elsewhere => "about another command".into(),
        Standing::Idle => "does not apply".into(),
        Standing::Doubtful => "unclear whether it applies".into(),
        Standing::Overridden { by } => format!("overridden by {by}, which says more"),
        Standing::Satisfied => "applies, and is met".into(),
        Standing::Unsatisfied => "applies, and is not met".into(),
    }
}

/// The rules that a decision rests on, as they are written.
fn cited(rules: &[&Ruling], decision: &Decision) -> String {
    let ids: Vec<&EcoString> = match decision {
        Decision::Allow { by } | Decision::Park { by, .. } | Decision::Deny(Denial::Forbidden { by }) => {
            by.iter().collect()
        }
        Decision::Deny(Denial::NoRule) => Vec::new(),
        Decision::Deny(Denial::Unreadable { rule, .. }) => vec![rule],
        Decision::Deny(Denial::Missing(unmet)) => unmet.iter().map(|unmet| &unmet.rule).collect(),
    };
    let sources = ids.iter().filter_map(|id| rules.iter().find(|ruling| ruling.id == **id));
    sources.map(|ruling| ruling.source.as_str()).collect::<Vec<_>>().join("; ")
}

/// What is said to somebody whose call is denied or has to wait; none when it is allowed.
pub(crate) fn objection(subject: &Subject, command: &Command, decision: &Decision) -> Option<Error> {
    let name = subject.name();
    let exact = command.exact();
    let denied = |why: String| Error::new(ErrorKind::Denied, format!("{name} may not run {exact}: {why}"));
    Some(match decision {
        Decision::Allow { .. } => return None,
        Decision::Deny(Denial::NoRule) if subject.is_unlinked() => {
            denied("the account is linked to no user, and it is not for everybody".into())
                .help(format!("whoever may, links it: user link NAME {name}"))
        }
        Decision::Deny(Denial::NoRule) if subject.is_stranger() => {
            denied("nobody has verified who you are, and it is not for everybody".into())
                .help("log in to the chat service, and have your account linked: user link NAME ACCOUNT")
        }
        Decision::Deny(Denial::NoRule) => denied("no rule allows it here".into()),
        Decision::Deny(Denial::Forbidden { .. }) => denied("a rule of the site forbids it".into()),
        Decision::Deny(Denial::Unreadable { rule, reason }) => {
            denied(format!("the rule {rule} cannot be read: {reason}"))
        }
        Decision::Deny(Denial::Missing(unmet)) => {
            let needs: Vec<String> = unmet.iter().map(|unmet| unmet.needs.to_string()).collect();
            denied(format!("it takes {}", needs.join(", and ")))
        }
        Decision::Park { obligations, .. } => {
            let needs: Vec<String> = obligations.iter().map(|due| due.requirement.to_string()).collect();
            let error = Error::new(ErrorKind::Parked, format!("{exact} waits: it requires {}", needs.join(", and ")));
            match obligations.first().map(|due| &due.requirement) {
                Some(Requirement::Reason) => error.help("because 'WHY' { LINE }"),
                Some(Requirement::StepUp { .. }) => {
                    error.help("say step-up CODE in a direct message, then say the line again")
                }
                Some(Requirement::Approval { .. }) | None => error,
            }
        }
    })
}
