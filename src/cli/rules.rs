//! `pipit rule list` and `pipit rule delete`: the way back from a rule that shuts everybody out, for whoever has the home.
//!
//! Deliberately absent: making rules, which is a line like any other.

use std::process::ExitCode;

use super::{Home, fail, show, with_engine};

/// Shows the rules of the site, a line each.
pub(super) fn list(home: &Home) -> ExitCode {
    match home.open().and_then(|engine| engine.site_rules().map_err(|error| error.to_string())) {
        Ok(rules) => {
            for (id, rule) in rules {
                show(&format_args!("{id}: {}", crate::render::plain(&rule)));
            }
            ExitCode::SUCCESS
        }
        Err(error) => fail(5, &error),
    }
}

/// Deletes a rule of the site. Ends with 1 when there is none.
pub(super) fn delete(home: &Home, id: &str) -> ExitCode {
    with_engine(home, async |engine| match engine.delete_site_rule(id).await {
        Ok(rule) => {
            show(&format_args!("the rule {id} is gone: {}", crate::render::plain(&rule)));
            ExitCode::SUCCESS
        }
        Err(error) => fail(error.kind().exit(), &error),
    })
}
