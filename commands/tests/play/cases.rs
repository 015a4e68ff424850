//! Lines and what they come to, a line of the test each.

use pipit_commands::Value;

#[path = "line.rs"]
mod line;

use line::World;

/// A line, and the values in JSON with blanks between, or `exit N`.
pub(crate) async fn play(cases: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (line, wanted) in cases {
        let (values, error) = World::new().play(line).await;
        let why = error.as_ref().map(ToString::to_string).unwrap_or_default();
        let fine = match (wanted.strip_prefix("exit "), &error) {
            (Some(exit), Some(error)) => error.kind().exit().to_string() == exit,
            (None, None) => Value::from_json(&format!("[{wanted}]")).unwrap() == Value::from(values.clone()),
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !fine {
            let shown: Vec<String> = values.iter().map(Value::to_json).collect();
            wrong.push(format!("{line}\n  gives {} {why}\n  not {wanted}", shown.join(",")));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
