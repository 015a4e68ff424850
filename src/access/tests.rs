//! Who may run what, over every command that ships: strangers, users, the operator.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use pipit_commands::{Args, Command, Effect, ErrorKind, Flow, Verb, built_ins};
use pipit_grammar::rule::{Place, Via};

use super::decide::{Decision, Denial, Layer, Ruling};
use super::{Context, Identity, Policy, RIGHTS, objection};
use crate::access::People;

/// What a stranger may run of what the shell does.
const PUBLIC: [Verb; 5] = [Verb::Help, Verb::Which, Verb::Whoami, Verb::More, Verb::Claim];

fn policy(site: &[&str]) -> Policy {
    let mut people = People::default();
    people.users.insert("alice".into(), super::User::default());
    let rules = site.iter().enumerate().map(|(at, rule)| Ruling::read(format!("r{at}"), Layer::Site, *rule));
    Policy::new(people, built_ins().iter(), rules.collect())
}

fn context() -> Context {
    Context { place: Place::Dm, via: Via::Chat, at: 0 }
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
        assert!(operator.contains(&exact), "{exact}");
        for rule in &command.spec().rules {
            let right = rule.split("must have ").nth(1);
            assert!(
                right.is_none_or(|right| RIGHTS.contains(&right)),
                "{exact} takes a right that there is not: {rule}"
            );
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
