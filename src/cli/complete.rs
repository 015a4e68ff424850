//! `pipit complete`: what could stand in a line where somebody is typing, for editors and other shells.

use std::process::ExitCode;

use pipit_commands::{Record, Value};
use pipit_grammar::rule::Place;

use super::{Home, fail, show};
use crate::access::Identity;
use crate::engine::{Completion, SHELL};
use crate::render;

/// Shows the choices; at the end of the line without a cursor.
pub(super) fn complete(
    home: &Home,
    line: &str,
    cursor: Option<usize>,
    user: Option<&str>,
    room: Option<&str>,
    json: bool,
) -> ExitCode {
    let at = cursor.unwrap_or(line.len());
    if !line.is_char_boundary(at) {
        return fail(
            2,
            &format!("the cursor {at} stands beyond the line or inside a character; it counts bytes of UTF-8"),
        );
    }
    let engine = match home.open() {
        Ok(engine) => engine,
        Err(error) => return fail(5, &error),
    };
    let identity = user.map_or(Identity::Operator, |user| engine.named(user));
    let (service, place) = match room.map(super::line::seat) {
        None => (SHELL.into(), Place::Dm),
        Some(Ok(there)) => there,
        Some(Err(error)) => return fail(2, &error),
    };
    match engine.complete(&identity, (&service, &place), line, at) {
        Ok(completion) if json => show(&value(completion).to_json()),
        Ok(completion) => {
            for choice in completion.choices {
                let about = choice.about.replace(['\n', '\t'], " ");
                show(&format_args!("{}\t{}", render::plain(&choice.text), render::plain(&about)));
            }
        }
        Err(error) => return fail(error.kind().exit(), &error),
    }
    ExitCode::SUCCESS
}

fn value(completion: Completion) -> Value {
    let offset = |at: usize| Value::Int(i64::try_from(at).unwrap_or(i64::MAX));
    let choices = completion.choices.into_iter().map(|choice| {
        let row: Record =
            [("text", choice.text), ("about", choice.about), ("kind", choice.kind.to_owned())].into_iter().collect();
        Value::from(row)
    });
    let choices = Value::List(choices.collect());
    let whole: Record = [("start", offset(completion.start)), ("end", offset(completion.end)), ("choices", choices)]
        .into_iter()
        .collect();
    whole.into()
}
