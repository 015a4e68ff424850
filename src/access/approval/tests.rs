//! Who counts for what, and that a plan's id is the whole plan's.
#![allow(clippy::unwrap_used, reason = "a test")]

use proptest::prelude::*;

use super::*;

fn need(count: u8, role: &str, distinct: bool) -> Need {
    Need { role: role.into(), count, distinct }
}

/// `carol:a,b dave:b` are two voters and their roles.
fn lacks(needs: &[Need], voters: &str) -> String {
    let roles: Vec<(EcoString, Vec<&str>)> = voters
        .split_whitespace()
        .map(|voter| voter.split_once(':').map(|(name, roles)| (name.into(), roles.split(',').collect())).unwrap())
        .collect();
    let names: Vec<EcoString> = roles.iter().map(|(name, _)| name.clone()).collect();
    let holds = |who: &str, role: &str| roles.iter().any(|(name, has)| name == who && has.contains(&role));
    let left: Vec<String> = missing(needs, &names, &holds).iter().map(ToString::to_string).collect();
    left.join(", ")
}

#[test]
fn persons_are_counted_by_role() {
    let two = [need(2, "a", false), need(1, "b", false)];
    assert_eq!(lacks(&two, ""), "2 of a, 1 of b");
    assert_eq!(lacks(&two, "carol:a"), "1 of a, 1 of b");
    // one person may count for two roles
    assert_eq!(lacks(&two, "carol:a,b"), "1 of a");
    assert_eq!(lacks(&two, "carol:a,b dave:a"), "");
    assert_eq!(lacks(&two, "carol:c dave:d"), "2 of a, 1 of b");
    // but not where one of them asks for a person of its own
    let own = [need(1, "a", true), need(1, "b", false)];
    assert_eq!(lacks(&own, "carol:a,b"), "1 of b");
    assert_eq!(lacks(&own, "carol:a,b dave:b"), "");
    assert_eq!(lacks(&own, "dave:b carol:a,b"), "");
    // whoever is less needed elsewhere moves
    assert_eq!(lacks(&own, "carol:a,b dave:a"), "");
}

#[test]
fn needs_of_several_calls_are_put_together() {
    let requirement = |text: &str| {
        let rule = pipit_grammar::rule::parse_rule(&format!("when command is a:b require {text}")).unwrap();
        match rule.kind {
            pipit_grammar::rule::Kind::When(pipit_grammar::rule::Effect::Require(requirement)) => requirement,
            other => panic!("{other:?}"),
        }
    };
    let all = ["approval 1 from x", "approval 2 from x", "approval 1 from w", "reason"].map(requirement);
    assert_eq!(needs(all.iter()), [need(1, "w", false), need(2, "x", false)]);
}

fn plan() -> Plan {
    let arg = Arg { value: "api".into(), given: None, labels: Labels::default() };
    let args = Args { params: vec![vec![arg]], ..Args::default() };
    Plan {
        line: "deploy:run api".into(),
        spread: "deploy:run api".into(),
        calls: vec![Frozen::new(&"deploy:run".into(), Some("d1".into()), &args, None, None)],
        needs: vec![need(1, "captain", false)],
        who: Who { name: "alice".into(), by: By::Account("chat://net/alice".into()) },
        service: "net".into(),
        room: Some("ops".into()),
        ticket: "7M34SEPE".into(),
        stepped_up: None,
        at: 1,
        until: 2,
    }
}

#[test]
fn everything_of_a_plan_is_in_its_id() {
    let plan = plan();
    let changes: &[fn(&mut Plan)] = &[
        |plan| plan.line.push(' '),
        |plan| plan.spread.push('x'),
        |plan| plan.calls.clear(),
        |plan| plan.calls[0].command = "deploy:undo".into(),
        |plan| plan.calls[0].digest = Some("d2".into()),
        |plan| plan.calls[0].via = Some("alias".into()),
        |plan| plan.calls[0].reason = Some("because".into()),
        |plan| plan.calls[0].params[0][0].0 = "api ".into(),
        |plan| plan.calls[0].params[0][0].1 = vec!["http".into()],
        |plan| plan.calls[0].options.push(Vec::new()),
        |plan| plan.calls[0].input.push("http".into()),
        |plan| plan.calls[0].output.push("http".into()),
        |plan| plan.needs[0].count = 2,
        |plan| plan.who.name = "bob".into(),
        |plan| plan.who.by = By::Named,
        |plan| plan.service = "shell".into(),
        |plan| plan.room = None,
        |plan| plan.ticket.clear(),
        |plan| plan.stepped_up = Some(1),
        |plan| plan.at = 0,
        |plan| plan.until = 3,
    ];
    let mut ids = vec![(plan.id(), plan.code())];
    for change in changes {
        let mut other = plan.clone();
        change(&mut other);
        ids.push((other.id(), other.code()));
    }
    assert!(ids.iter().all(|(id, code)| id.len() == ID && code.len() == CODE));
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "two plans have one id");
}

#[test]
fn a_plan_is_kept_to_the_letter() {
    let plan = plan();
    let again: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    assert_eq!(again, plan);
    assert_eq!(again.id(), plan.id());
    assert_eq!(again.calls[0].args(), plan.calls[0].args());
}

/// How few places stay empty when every voter takes the best.
fn best(voter: usize, left: &mut Vec<u8>, holds: &[Vec<bool>]) -> usize {
    if voter == holds.len() {
        return left.iter().map(|left| usize::from(*left)).sum();
    }
    let mut least = best(voter + 1, left, holds);
    for need in 0..left.len() {
        if holds[voter][need] && left[need] > 0 {
            left[need] -= 1;
            least = least.min(best(voter + 1, left, holds));
            left[need] += 1;
        }
    }
    least
}

proptest! {
    /// Against the slow way: every way to give places to voters.
    #[test]
    fn as_few_are_missing_as_can_be(
        counts in prop::collection::vec(1_u8..3, 1..4),
        holds in prop::collection::vec(prop::collection::vec(any::<bool>(), 4), 0..5),
    ) {
        let roles = ["a", "b", "c", "d"];
        let needs: Vec<Need> = counts.iter().zip(roles).map(|(count, role)| need(*count, role, true)).collect();
        let voters: Vec<EcoString> = (0..holds.len()).map(|at| at.to_string().into()).collect();
        let has = |who: &str, role: &str| {
            let who: usize = who.parse().unwrap();
            holds[who][roles.iter().position(|other| *other == role).unwrap()]
        };
        let lack: usize = missing(&needs, &voters, &has).iter().map(|need| usize::from(need.count)).sum();
        prop_assert_eq!(lack, best(0, &mut counts.clone(), &holds));
    }
}
