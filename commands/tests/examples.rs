//! Every row of every family: its usage, its help, its examples. And the cases of the shared data that need no shell.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

#[path = "play/line.rs"]
mod line;

use line::World;
use pipit_commands::{Value, built_ins};
use pipit_grammar::usage::parse_usage;

#[test]
fn every_row_is_whole() {
    for command in built_ins() {
        let spec = command.spec();
        let exact = command.exact();
        let usage = spec.usage.to_string();
        assert_eq!(parse_usage(&usage).as_ref(), Ok(&spec.usage), "{exact}: {usage}");
        assert!(!spec.about.is_empty(), "{exact} says nothing about itself");
        assert!(!spec.about.ends_with('.'), "{exact}: no full stop");
        for (name, _) in &spec.kinds {
            assert!(spec.usage.names().any(|other| other == name), "{exact} has no {name}");
        }
        if let Some(fill) = &spec.fills {
            assert!(spec.usage.params.get(fill.param).is_some(), "{exact} fills what it does not have");
        }
        assert!(!spec.rules.is_empty(), "{exact} has no rule");
        assert!(spec.examples.iter().all(|example| pipit_grammar::parse(&example.line).is_ok()), "{exact}");
        assert!(command.verb().is_some() || !spec.examples.is_empty(), "{exact} has no example");
    }
}

#[test]
fn no_two_rows_have_one_exact_name() {
    let mut names: Vec<_> = built_ins().iter().map(|command| command.exact().clone()).collect();
    names.sort();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[tokio::test]
async fn examples_give_what_they_say() {
    for command in built_ins().iter().filter(|command| command.verb().is_none()) {
        for example in &command.spec().examples {
            let Some(gives) = &example.gives else { continue };
            let expected: Vec<Value> = gives.lines().map(|line| Value::from_json(line).unwrap()).collect();
            let (values, error) = World::new().play(&example.line).await;
            assert!(error.is_none(), "{}: {}", example.line, error.unwrap());
            assert_eq!(values, expected, "{}", example.line);
        }
    }
}
