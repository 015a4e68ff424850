//! Who may run what, over every command that ships: strangers, users, the operator.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use pipit_commands::{Args, Command, Effect, ErrorKind, Flow, RIGHTS, Verb, built_ins};
use pipit_grammar::rule::{Place, Via};

use super::decide::{Decision, Denial, Layer, Ruling};
use super::{Context, Identity, Policy, objection};
use crate::access::People;

/// What a stranger may run of what the shell does.
const PUBLIC: [Verb; 6] = [Verb::Help, Verb::Which, Verb::Whoami, Verb::More, Verb::Claim, Verb::Link];

fn policy(site: &[&str]) -> Policy {
    let mut people = People::default();
    people.users.insert("alice".into(), super::User::default());
    let rules = site.iter().enumerate().map(|(at, rule)| Ruling::read(format!("r{at}"), Layer::Site, *rule));
    Policy::new(people, built_ins().iter(), rules.collect())
}

fn context() -> Context {
    Context { place: Place::Dm, service: "shell".into(), audience: super::Audience::Private, via: Via::Chat, at: 0 }
}

fn empty(command: &Command) -> Args {
    let usage = &command.spec().usage;
    Args {
        params: vec![Vec::new(); usage.params.len()],
        options: vec![Vec::new(); usage.options.len()],
        ..Args::default()
    }
}

/// The exact names of what an identity may run.
fn allowed(policy: &Policy, identity: &Identity) -> Vec<String> {
    let subject = policy.subject(identity).unwrap();
    let all = built_ins();
    let allowed = all.iter().filter(|command| {
        let verdict = policy.judge(&subject, command, &empty(command), &context());
        let foreseen = policy.foresee(&subject, command, &context());
        let allowed = matches!(verdict.decision, Decision::Allow { .. });
        // what is foreseen is what is judged
        assert!(foreseen.is_none() || !allowed, "{}", command.exact());
        assert_eq!(objection(&subject, command, &verdict.decision).is_none(), allowed);
        allowed
    });
    allowed.map(|command| command.exact().to_string()).collect()
}

#[test]
fn a_stranger_runs_public_commands_only() {
    let policy = policy(&[]);
    let nobody = [Identity::Stranger("alice".into()), Identity::Account("chat://net/alice".into())];
    for identity in nobody {
        let may = allowed(&policy, &identity);
        for command in built_ins() {
            let public =
                command.spec().effect == Effect::Pure && command.verb().is_none_or(|verb| PUBLIC.contains(&verb));
            let exact = command.exact().to_string();
            assert_eq!(
                may.contains(&exact),
                public && command.spec().rules.iter().all(|rule| rule.ends_with(" allow")),
                "{exact}"
            );
        }
        let subject = policy.subject(&identity).unwrap();
        assert!(subject.owner().is_none() && subject.permissions().is_empty() && !subject.is_operator());
    }
}

#[test]
fn no_rule_of_the_site_makes_a_stranger_more() {
    let open = policy(&["when command is my:my allow", "when command is user:create allow"]);
    let stranger = Identity::Stranger("alice".into());
    let may = allowed(&open, &stranger);
    assert!(!may.contains(&"my:my".to_owned()) && !may.contains(&"user:create".to_owned()));
    // a rule that closes holds for strangers too
    let closed = policy(&["forbid command is value:echo"]);
    assert!(!allowed(&closed, &stranger).contains(&"value:echo".to_owned()));
}

#[test]
fn a_user_runs_what_takes_no_right_and_the_operator_everything_that_ships() {
    let policy = policy(&[]);
    let alice = allowed(&policy, &Identity::Named("alice".into()));
    let operator = allowed(&policy, &Identity::Operator);
    for command in built_ins() {
        let exact = command.exact().to_string();
        // what is asked under a condition does not hold of a call without words
        let open = command.spec().rules.iter().any(|rule| *rule == format!("when command is {exact} allow"));
        assert_eq!(alice.contains(&exact), open, "{exact}");
        // what takes the approval of another is nobody's alone
        let waits = command.spec().rules.iter().any(|rule| rule.contains(" require "));
        assert_eq!(operator.contains(&exact), !waits, "{exact}");
        for rule in &command.spec().rules {
            let rule = pipit_grammar::rule::parse_rule(rule).unwrap();
            let known = rule.permissions().iter().all(|right| RIGHTS.contains(&right.as_str()));
            assert!(known, "{exact} takes a right that there is not: {rule}");
        }
    }
}

#[test]
fn a_name_that_is_no_user_is_nobody() {
    let policy = policy(&[]);
    for name in ["", "bob", "Alice", "alice ", "operator"] {
        let error = policy.subject(&Identity::Named(name.into())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied, "{name:?}");
    }
}

#[test]
fn without_a_rule_nobody_may() {
    let command = built_ins().into_iter().find(|command| command.spec().flow == Flow::Each).unwrap();
    let policy = Policy::new(People::default(), std::iter::empty(), Vec::new());
    let operator = policy.subject(&Identity::Operator).unwrap();
    let verdict = policy.judge(&operator, &command, &empty(&command), &context());
    assert!(matches!(verdict.decision, Decision::Deny(Denial::NoRule)), "{verdict:?}");
    assert!(policy.foresee(&operator, &command, &context()).is_some());
}

#[test]
fn a_rule_that_cannot_be_read_denies() {
    let policy = policy(&["when command is value:echo must"]);
    let verdict = |identity: &Identity| {
        let subject = policy.subject(identity).unwrap();
        let all = built_ins();
        let echo = all.iter().find(|command| command.exact() == "value:echo").unwrap().clone();
        policy.judge(&subject, &echo, &empty(&echo), &context()).decision
    };
    for identity in [Identity::Operator, Identity::Named("alice".into())] {
        assert!(matches!(verdict(&identity), Decision::Deny(_)), "{identity:?}");
    }
}

#[test]
fn a_nick_is_nobodys_name_to_a_program() {
    let policy = policy(&[]);
    let told = |identity: Identity| policy.subject(&identity).unwrap().told();
    assert_eq!(told(Identity::Named("alice".into())), "alice");
    assert_eq!(told(Identity::Operator), "operator");
    assert_eq!(told(Identity::Stranger("alice".into())), "?alice");
    assert_eq!(told(Identity::Stranger("operator".into())), "?operator");
    assert_eq!(told(Identity::Account("irc://net/alice".into())), "irc://net/alice");
}

/// Users with every set of two permissions.
fn staffed(site: &[&str]) -> Policy {
    use std::collections::{BTreeMap, BTreeSet};
    let held = [("none", vec![]), ("p", vec!["site:p"]), ("q", vec!["site:q"]), ("both", vec!["site:p", "site:q"])];
    let users: BTreeMap<_, _> = held.iter().map(|(name, _)| ((*name).into(), super::User::default())).collect();
    let group = |name: &str| super::Group { users: BTreeSet::from([name.into()]) };
    let groups = held.iter().map(|(name, _)| ((*name).into(), group(name))).collect();
    let role = |name: &str, held: &[&str]| super::Role {
        permissions: held.iter().map(|permission| (*permission).into()).collect(),
        groups: BTreeSet::from([name.into()]),
    };
    let roles = held.iter().map(|(name, held)| ((*name).into(), role(name, held))).collect();
    let made = site.iter().enumerate().map(|(at, rule)| Ruling::read(format!("r{at}"), Layer::Site, *rule));
    Policy::new(People::new(users, groups, roles), built_ins().iter(), made.collect())
}

/// The one answer to who may is the decision about each, and why says the same.
#[test]
fn p11_who_can_and_why_are_the_decision() {
    let sets: [&[&str]; 5] = [
        &[],
        &["when command is value:nil must have site:p"],
        &["when command is value:nil must have site:p", "guard when command is *:* must have site:q"],
        &["forbid command is value:* unless site:p", "when command is value:nil require reason"],
        &["when command is value:nil must have site:p or site:q", "forbid command is value:nil in #ops"],
    ];
    let command = built_ins().into_iter().find(|command| command.exact() == "value:nil").unwrap();
    let args = empty(&command);
    let mut seen = std::collections::BTreeSet::new();
    for rules in sets {
        let policy = staffed(rules);
        for place in [Place::Dm, Place::Room("ops".into())] {
            let context = Context { place, ..context() };
            let part = super::Part { command: &command, args: Some(&args), context: context.clone() };
            let all = policy.who_can(&[part]);
            assert_eq!(all.len(), 4, "everybody is asked about");
            for (name, may) in all {
                let subject = policy.subject(&Identity::Named(name.clone())).unwrap();
                let decision = policy.judge(&subject, &command, &args, &context).decision;
                let alike = match (&may, &decision) {
                    (super::May::Yes, Decision::Allow { .. }) | (super::May::No(_), Decision::Deny(_)) => true,
                    (super::May::Waits(due), Decision::Park { obligations, .. }) => due.len() == obligations.len(),
                    (_, _) => false,
                };
                assert!(alike, "{rules:?} {name}: {may:?} {decision:?}");
                let said = policy.reasons(&subject, &command, Some(&args), &context).join("\n");
                let first = objection(&subject, &command, &decision);
                let first = first.map_or_else(|| format!("{name} may run value:nil"), |error| error.to_string());
                assert!(said.starts_with(&first), "{said}");
                seen.insert(may == super::May::Yes);
            }
        }
    }
    assert_eq!(seen.len(), 2, "somebody may and somebody may not");
}

/// A number is a number to rules, however it came into the line: bare, in quotes, or out of a value as number or text.
#[test]
fn p8_what_is_bound_alike_is_decided_alike() {
    use pipit_commands::bind::{Slot, bind};
    use pipit_commands::{Given, How, Value};
    let head = built_ins().into_iter().find(|command| command.exact() == "list:head").unwrap();
    let forms = [
        (Value::Int(10), How::Bare),
        (Value::text("10"), How::Bare),
        (Value::text("10"), How::Quoted),
        (Value::Int(10), How::Computed),
        (Value::text("10"), How::Computed),
    ];
    let mut denied = 0;
    for test in ["== 10", "!= 10", "> 9", "> 10", "== '10'", "!= '10'", "in [1, 10]", "in ['10']", "matches /10/"] {
        let policy = policy(&[&format!("guard when command is list:head with arg[0] {test} must have site:p")]);
        let subject = policy.subject(&Identity::Named("alice".into())).unwrap();
        let decisions = forms.clone().map(|(value, how)| {
            let words = vec![Slot::Known(Given::one(value, how))];
            let args = bind(head.spec(), words, Vec::new(), false).unwrap().unwrap();
            policy.judge(&subject, &head, &args, &context()).decision
        });
        assert!(decisions.iter().all(|decision| *decision == decisions[0]), "{test}: {decisions:?}");
        denied += usize::from(matches!(decisions[0], Decision::Deny(_)));
    }
    // a text is never equal to a number, and unlike types leave a guard in doubt, which counts
    assert_eq!(denied, 7, "== 10, > 9, in [1, 10], and all four that ask for texts");
}
