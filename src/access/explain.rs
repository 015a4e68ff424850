//! Decisions in words: what is said to somebody whose call is denied, and, on request, all that led to it and the
//! nearest change with which it would be allowed.
//!
//! Deliberately absent: deciding. What is said here is read off the decision itself.

use std::fmt::Write as _;

use ecow::EcoString;
use pipit_commands::{Args, Command, Error, ErrorKind};
use pipit_grammar::rule::{Effect, Kind, Perms, Place, Requirement, Spot};

use super::decide::{self, Decision, Denial, Standing, Unmet};
use super::{Asked, Audience, Context, Policy, Subject, bounded};

/// How many people are named of those to ask.
const NAMED: usize = 3;

impl Policy {
    /// Why the subject may run a command or may not: the decision, how each rule stands, what it was asked with, and
    /// what would have to change. Without arguments only what holds for all of them.
    pub(crate) fn reasons(
        &self,
        subject: &Subject,
        command: &Command,
        args: Option<&Args>,
        context: &Context,
    ) -> Vec<String> {
        let rules = self.rules_of(command.exact());
        let (name, exact) = (subject.name(), command.exact());
        let Some(args) = args else {
            let foreseen = self.foresee(subject, command, context);
            let said = foreseen.as_ref().and_then(|verdict| self::foreseen(subject, command, &verdict.decision));
            let said = said.map(|error| error.to_string());
            let said =
                said.unwrap_or_else(|| format!("{name} may run {exact}, if its arguments are right by these rules"));
            let mut lines = vec![said];
            lines.extend(rules.iter().map(|rule| format!("  {}: {}", rule.id, rule.source)));
            let needs = foreseen.as_ref().map(|verdict| &verdict.decision).and_then(missing);
            lines.extend(needs.map(|needs| format!("  it would take {}", self.whence(subject, &needs))));
            return lines;
        };
        let asked = Asked::new(command, args);
        let explained = decide::explain(rules, &|permission| subject.has(permission), &asked.facts(command, context));
        let decision = bounded(subject, command, context, rules, explained.decision);
        let said = objection(subject, command, &decision);
        let mut lines = vec![said.map_or_else(|| format!("{name} may run {exact}"), |error| error.to_string())];
        for rule in rules {
            let stands = explained.stands.iter().filter(|stand| stand.rule == rule.id);
            let asks = rule.rule().is_ok_and(|rule| {
                matches!(rule.kind, Kind::When(Effect::Require(_)) | Kind::Guard(Effect::Require(_)))
            });
            let mut how: Vec<String> = stands.map(|stand| standing(&stand.standing, asks)).collect();
            how.dedup();
            lines.push(format!("  {}: {} ({})", rule.id, rule.source, how.join("; ")));
        }
        if rules.is_empty() {
            lines.push("  there is no rule, and no rule means no".into());
        }
        lines.push(format!("  asked {}", self.circumstances(command, args, context)));
        lines.extend(self.nearest(subject, command, args, context, &decision).map(|nearest| format!("  {nearest}")));
        lines
    }

    /// What a call is judged with beside its words: where, how, when, and what came from outside.
    fn circumstances(&self, command: &Command, args: &Args, context: &Context) -> String {
        let mut said = format!("{}, via {}", place(&context.place), context.via.as_str());
        let rules = self.rules_of(command.exact());
        if rules.iter().filter_map(|ruling| ruling.rule().ok()).any(|rule| rule.during.is_some())
            && let Ok(at) = jiff::Timestamp::from_millisecond(context.at)
        {
            let _ = write!(said, ", on {}", at.strftime("%a %F %H:%M UTC"));
        }
        let all = args.params.iter().chain(&args.options).flatten();
        let labels = all.fold(args.input.clone(), |labels, arg| labels.and(&arg.labels));
        if !labels.is_empty() {
            let labels: Vec<&str> = labels.iter().map(EcoString::as_str).collect();
            let _ = write!(said, ", with values from {}", labels.join(", "));
        }
        said
    }

    /// The nearest change with which a denied call would be allowed, or would wait for what is required; none when it
    /// is allowed, and when no single one would do.
    fn nearest(
        &self,
        subject: &Subject,
        command: &Command,
        args: &Args,
        context: &Context,
        decision: &Decision,
    ) -> Option<String> {
        let Decision::Deny(_) = decision else { return None };
        let asked = Asked::new(command, args);
        let rules = self.rules_of(command.exact());
        let decided = |needs: &[EcoString], context: &Context| {
            let has = |permission: &str| subject.has(permission) || needs.iter().any(|needed| needed == permission);
            let decision = decide::decide(rules, &has, &asked.facts(command, context));
            bounded(subject, command, context, rules, decision)
        };
        let places = rules.iter().filter_map(|ruling| ruling.rule().ok()).flat_map(|rule| &rule.places);
        let mut contexts = vec![context.clone()];
        contexts.extend(places.filter(|spot| spot.is(&context.place, Some(&context.service)) != Some(true)).map(
            |spot| {
                let (place, service) = match spot {
                    Spot::Dm => (Place::Dm, None),
                    Spot::Room { service, name } => (Place::room(name), service.clone()),
                };
                let service = service.unwrap_or_else(|| context.service.clone());
                // what is set for another room is not known here
                Context { place, service, audience: Audience::Private, ..context.clone() }
            },
        ));
        let given =
            |permission: &EcoString| self.people().roles.values().any(|role| role.permissions.contains(permission));
        // elsewhere before a permission that somebody has to give, and that before one that no role gives
        let mut nearest: Option<((bool, usize, usize), String)> = None;
        for (at, there) in contexts.iter().enumerate() {
            let decision = decided(&[], there);
            let needs =
                still_lacking(subject, missing(&decision).unwrap_or_else(|| self.exempt(subject, command, &decision)));
            if matches!(decision, Decision::Deny(_))
                && (needs.is_empty() || matches!(decided(&needs, there), Decision::Deny(_)))
            {
                continue;
            }
            let weight = (!needs.iter().all(given), needs.len(), at);
            if nearest.as_ref().is_some_and(|(other, _)| *other <= weight) {
                continue;
            }
            let place = if at == 0 { String::new() } else { format!("{} ", place(&there.place)) };
            let said = match (needs.is_empty(), &decision) {
                (true, Decision::Park { .. }) => format!("{place}it would wait for what is required"),
                (true, _) => format!("{place}it would be allowed"),
                (false, _) => format!("{place}it would take {}", self.whence(subject, &needs)),
            };
            nearest = Some((weight, said));
        }
        nearest.map(|(_, said)| said)
    }

    /// The permissions that let somebody through what forbids a call, as few as are enough.
    fn exempt(&self, subject: &Subject, command: &Command, decision: &Decision) -> Vec<EcoString> {
        let Decision::Deny(Denial::Forbidden { by }) = decision else { return Vec::new() };
        let forbids = self.rules_of(command.exact()).iter().filter(|ruling| by.contains(&ruling.id));
        let unless = forbids.filter_map(|ruling| match &ruling.rule().ok()?.kind {
            Kind::Forbid { unless } => unless.as_ref(),
            Kind::When(_) | Kind::Guard(_) => None,
        });
        unless.filter_map(|perms| lacking(subject, perms)).flatten().collect()
    }

    /// Permissions in words: which roles give each, to whom, and who could be asked.
    fn whence(&self, subject: &Subject, needs: &[EcoString]) -> String {
        let people = self.people();
        let told = needs.iter().map(|permission| {
            let mut roles = people.roles.iter().filter(|(_, role)| role.permissions.contains(permission)).peekable();
            if roles.peek().is_none() {
                return format!("{permission}, which no role gives yet");
            }
            let roles = roles.map(|(name, role)| {
                let groups: Vec<&str> = role.groups.iter().map(EcoString::as_str).collect();
                if groups.is_empty() { name.to_string() } else { format!("{name} (group {})", groups.join(", ")) }
            });
            format!("{permission}, which the role {} gives", roles.collect::<Vec<_>>().join(" or "))
        });
        let told: Vec<String> = told.collect();
        let mut givers: Vec<&str> = people
            .users
            .keys()
            .filter(|user| *user != subject.name() && people.permissions_of(user).contains("group:manage"))
            .map(EcoString::as_str)
            .take(NAMED)
            .collect();
        if givers.is_empty() {
            givers.push("the operator");
        }
        format!("{}; ask {}", told.join(", and "), givers.join(" or "))
    }
}

/// The permissions that a denial says are missing, as few as are enough.
fn missing(decision: &Decision) -> Option<Vec<EcoString>> {
    match decision {
        Decision::Deny(Denial::Missing(unmet)) => {
            let mut needs: Vec<EcoString> = unmet.iter().flat_map(|unmet| least(&unmet.needs)).collect();
            needs.sort();
            needs.dedup();
            Some(needs)
        }
        Decision::Allow { .. }
        | Decision::Park { .. }
        | Decision::Deny(
            Denial::NoRule | Denial::Unreadable { .. } | Denial::Forbidden { .. } | Denial::Shared { .. },
        ) => None,
    }
}

/// What somebody lacks of permissions that would be enough; none when nothing is lacking.
fn lacking(subject: &Subject, perms: &Perms) -> Option<Vec<EcoString>> {
    (!perms.satisfied(&|name| subject.has(name))).then(|| least(perms))
}

fn still_lacking(subject: &Subject, needs: Vec<EcoString>) -> Vec<EcoString> {
    needs.into_iter().filter(|name| !subject.has(name)).collect()
}

/// The fewest permissions that are enough, the first named of several as few.
fn least(perms: &Perms) -> Vec<EcoString> {
    match perms {
        Perms::One(name) => vec![name.clone()],
        Perms::Any(names) => names.first().cloned().into_iter().collect(),
        Perms::All(names) => names.clone(),
        Perms::And(parts) => parts.iter().flat_map(least).collect(),
        Perms::Or(parts) => parts.iter().map(least).min_by_key(Vec::len).unwrap_or_default(),
    }
}

fn place(place: &Place) -> String {
    match place {
        Place::Dm => "in a direct message".into(),
        Place::Room(name) => format!("in #{name}"),
    }
}

/// How a rule stands; `asks` says that it asks for something that has to happen first.
fn standing(standing: &Standing, asks: bool) -> String {
    match standing {
        Standing::Elsewhere => "about another command".into(),
        Standing::Idle => "does not apply".into(),
        Standing::Doubtful => "unclear whether it applies".into(),
        Standing::Overridden { by } => format!("overridden by {by}, which says more"),
        Standing::Replaced { by } => format!("replaced by {by}"),
        Standing::Satisfied if asks => "applies, and has to be met first".into(),
        Standing::Satisfied => "applies, and is met".into(),
        Standing::Unsatisfied => "applies, and is not met".into(),
    }
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
        Decision::Deny(denial @ Denial::Missing(_)) if subject.is_operator() => denied(grounds(denial)).help(
            "the operator has the shell's own rights only: run it as a user whose role has this one, with --as USER",
        ),
        Decision::Deny(denial) => denied(grounds(denial)),
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

/// The same of a denial that was foreseen: of rules that may hold, it depends on the arguments which do.
pub(crate) fn foreseen(subject: &Subject, command: &Command, decision: &Decision) -> Option<Error> {
    let error = objection(subject, command, decision)?;
    match decision {
        Decision::Deny(Denial::Missing(unmet)) if needs(unmet).len() > 1 => {
            let (name, exact, needs) = (subject.name(), command.exact(), needs(unmet).join(", or "));
            let said = format!("{name} may not run {exact}: by what it is given it takes {needs}");
            let clearer = Error::new(ErrorKind::Denied, said);
            Some(match error.help_text() {
                Some(help) => clearer.help(help),
                None => clearer,
            })
        }
        Decision::Deny(_) | Decision::Allow { .. } | Decision::Park { .. } => Some(error),
    }
}

/// What is asked for, each once: two rules may ask for one thing.
fn needs(unmet: &[Unmet]) -> Vec<String> {
    let mut needs: Vec<String> = unmet.iter().map(|unmet| unmet.needs.to_string()).collect();
    needs.sort();
    needs.dedup();
    needs
}

/// Why a call is denied, whoever makes it.
pub(super) fn grounds(denial: &Denial) -> String {
    match denial {
        Denial::NoRule => "no rule allows it here".into(),
        Denial::Forbidden { .. } => "a rule of the site forbids it".into(),
        Denial::Shared { .. } => {
            "this room is shared with others, and no rule that holds names it with its service".into()
        }
        Denial::Unreadable { rule, reason } => format!("the rule {rule} cannot be read: {reason}"),
        Denial::Missing(unmet) => format!("it takes {}", needs(unmet).join(", and ")),
    }
}
