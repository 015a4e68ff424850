//! What holds for every text that the commands are given: a line comes to what its canonical line comes to, in bounded
//! time; JSON is read as others read it, or refused for a reason of ours.

use pipit_commands::Value;
use pipit_grammar::{limits, parse};

use super::line::World;

/// A line over the built-in commands, and its canonical form: neither panics, both come to the same.
pub(crate) async fn evaluation(text: &str) {
    let Ok(line) = parse(text) else { return };
    let printed = line.to_string();
    if printed.len() > limits::LINE_BYTES {
        return;
    }
    let (values, error) = World::hurried().play(text).await;
    let (again, failure) = World::hurried().play(&printed).await;
    assert!(values == again, "{printed:?} comes to other values");
    assert_eq!(error.map(|error| error.kind()), failure.map(|error| error.kind()), "{printed:?} ends otherwise");
    assert!(values.iter().all(|value| Value::from_json(&value.to_json()).is_ok_and(|read| read == *value)));
}

/// A text that may be JSON.
pub(crate) fn json(text: &str) {
    let theirs = serde_json::from_str::<serde_json::Value>(text);
    match (Value::from_json(text), theirs) {
        (Ok(ours), Ok(theirs)) => {
            let printed = ours.to_json();
            assert_eq!(Value::from_json(&printed).ok(), Some(ours), "printed as {printed}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&printed).ok(), Some(theirs), "printed as {printed}");
        }
        (Err(_), Err(_)) => {}
        (Ok(_), Err(error)) => panic!("others refuse it: {error}"),
        (Err(error), Ok(_)) => {
            let why = error.to_string();
            let ours = ["occurs twice", "nested deeper", "does not fit 64 bits"];
            assert!(ours.iter().any(|reason| why.contains(reason)), "refused: {why}");
        }
    }
}
