//! Who may: a site with 1,000 rules and 500 users, decided call by call, with the rights of whoever asks looked up each
//! time. The room is taken in as source, since it is inside the binary.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench ends where something does not work")]

mod measure;

#[path = "../src"]
#[allow(dead_code, unused_imports, unreachable_pub, reason = "a part of the room is used, and its tests are not")]
mod shell {
    pub(crate) mod access;
    pub(crate) mod limits;
}
use shell::{access, limits};

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;

use access::decide::{Decision, Layer, Ruling};
use access::{Audience, Context, Group, Identity, People, Policy, Role, User};
use ecow::{EcoString, eco_format};
use measure::{at, time};
use pipit_commands::bind::{self, Slot};
use pipit_commands::{Args, Command, Given, How, Value, built_ins};
use pipit_grammar::rule::{Place, Via};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RULES: usize = 1000;
const USERS: usize = 500;
const GROUPS: usize = 50;
const ROLES: usize = 100;
const CALLS: usize = 200_000;

/// Numbers that look like chance and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

fn people(dice: &mut Dice) -> People {
    let users: BTreeMap<EcoString, User> = (0..USERS).map(|n| (eco_format!("user{n}"), User::default())).collect();
    let mut groups: BTreeMap<EcoString, Group> = BTreeMap::new();
    for n in 0..GROUPS {
        let users = (0..30).map(|_| eco_format!("user{}", dice.below(USERS))).collect();
        groups.insert(eco_format!("group{n}"), Group { users });
    }
    let mut roles: BTreeMap<EcoString, Role> = BTreeMap::new();
    for n in 0..ROLES {
        let permissions: BTreeSet<EcoString> = (0..10).map(|_| eco_format!("site:p{}", dice.below(200))).collect();
        let groups = (0..5).map(|_| eco_format!("group{}", dice.below(GROUPS))).collect();
        roles.insert(eco_format!("role{n}"), Role { permissions, groups });
    }
    People::new(users, groups, roles)
}

/// Rules as sites write them: some for everybody, most with a condition or two, some by place, time or way.
fn rule(dice: &mut Dice, command: &str) -> String {
    let tests = [
        "arg[0] == 'prod'",
        "arg[0] in ['prod', 'stage', 'test']",
        "any args == 'w7'",
        "any args matches /w[0-9]+/",
        "arg[1] is present",
        "all args contains /w/",
        "arg[0] is tainted",
    ];
    let test = |dice: &mut Dice| match dice.below(3) {
        0 => tests[dice.below(tests.len())].to_owned(),
        _ => format!("arg[0] == 'w{}'", dice.below(40)),
    };
    let with = match dice.below(4) {
        0 => String::new(),
        1 => format!(" with {} and {}", test(dice), test(dice)),
        2 => format!(" with {} or {}", test(dice), test(dice)),
        _ => format!(" with {}", test(dice)),
    };
    let clause =
        ["", "", "", " in #ops", " in [#ops, #dev, dm]", " during 'mon-fri 09:00-17:00 Europe/Zurich'", " via chat"];
    let clause = clause[dice.below(clause.len())];
    match dice.below(12) {
        0 => format!("guard when command is {command}{with}{clause} must have site:p{}", dice.below(200)),
        1 => format!("forbid command is {command}{with}{clause} unless site:p{}", dice.below(200)),
        _ => format!(
            "when command is {command}{with}{clause} must have any in [site:p{}, site:p{}]",
            dice.below(200),
            dice.below(200)
        ),
    }
}

/// Commands that take words, and a call of each with two of them.
fn calls(dice: &mut Dice) -> Vec<(Command, Vec<Args>)> {
    let commands = built_ins().into_iter().filter_map(|command| {
        let given = |dice: &mut Dice| Slot::Known(Given::one(Value::text(format!("w{}", dice.below(40))), How::Bare));
        let mut made = Vec::new();
        for _ in 0..20 {
            let words = vec![given(dice), given(dice)];
            made.push(bind::bind(command.spec(), words, Vec::new(), false).ok()??);
        }
        Some((command, made))
    });
    commands.collect()
}

fn main() {
    measure::machine("decide: may this call be made");
    let mut dice = Dice(7);
    let people = people(&mut dice);
    let calls = calls(&mut dice);
    println!("{RULES} rules, {USERS} users in {GROUPS} groups with {ROLES} roles, {} commands", calls.len());
    spread("spread over all commands, one in ten about every command", &mut dice, &people, &calls, |dice| {
        if dice.below(10) > 0 {
            let command = calls[dice.below(calls.len())].0.exact();
            return rule(dice, command);
        }
        let rule = rule(dice, "*:*");
        if rule.starts_with("when") { format!("guard {rule}") } else { rule }
    });
    spread("all about one command", &mut dice, &people, &calls[..1], |dice| rule(dice, calls[0].0.exact()));
}

fn spread(
    what: &str,
    dice: &mut Dice,
    people: &People,
    calls: &[(Command, Vec<Args>)],
    mut make: impl FnMut(&mut Dice) -> String,
) {
    let rules: Vec<Ruling> = (0..RULES).map(|n| Ruling::read(eco_format!("r{n}"), Layer::Site, make(dice))).collect();
    assert!(rules.iter().all(|rule| rule.rule().is_ok()), "{:?}", rules.iter().find(|rule| rule.rule().is_err()));
    let mut policy = None;
    let took =
        time(|| policy = Some(Policy::new(people.clone(), calls.iter().map(|(command, _)| command), rules.clone())));
    let policy = policy.unwrap();
    let context = Context {
        place: Place::Room("ops".into()),
        service: "shell".into(),
        audience: Audience::Private,
        via: Via::Chat,
        at: 1_772_442_000_000,
    };
    let (mut nanos, mut allowed) = (Vec::with_capacity(CALLS), 0);
    let count = if calls.len() == 1 { CALLS / 20 } else { CALLS };
    for _ in 0..count {
        let (command, args) = &calls[dice.below(calls.len())];
        let args = &args[dice.below(args.len())];
        let identity = Identity::Named(eco_format!("user{}", dice.below(USERS)));
        nanos.push(time(|| {
            let subject = policy.subject(&identity).unwrap();
            let verdict = black_box(policy.judge(&subject, command, args, &context));
            allowed += usize::from(matches!(verdict.decision, Decision::Allow { .. }));
        }));
    }
    let micros = |share: f64| at(nanos.iter().copied(), share) * 1e6;
    println!("{what}: policy made in {:.1} ms", took * 1e3);
    println!(
        "  a decision with the rights looked up: p50 {:.2} us, p99 {:.2} us, p99.9 {:.2} us; {allowed} of {count} allowed",
        micros(0.5),
        micros(0.99),
        micros(0.999),
    );
}
