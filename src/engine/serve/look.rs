//! Looking: who one is, how the shell is.

use pipit_commands::{Call, Error, Record, Value};
use pipit_grammar::rule::Place;

use super::{Host, owner};
use crate::bundle::Level;

pub(super) fn whoami(host: &Host, call: &Call) -> Vec<Value> {
    let name = host.subject.name();
    let is = if host.subject.is_operator() {
        "the local operator"
    } else if host.subject.is_unlinked() {
        "an account that is linked to no user: you may run public commands only"
    } else if host.subject.is_stranger() {
        "somebody whom nobody has verified: you may run public commands only"
    } else {
        "a user"
    };
    let place = match &host.context().place {
        Place::Dm => "a direct message".to_owned(),
        Place::Room(name) => format!("#{name}"),
    };
    let mut row: Record =
        [("name", Value::from(name.clone())), ("is", is.into()), ("in", format!("{place} on {}", host.service).into())]
            .into_iter()
            .collect();
    let known = owner(host).is_ok();
    let people = host.world.policy.people();
    let groups: Vec<_> = people.groups_of(name).filter(|_| known).cloned().collect();
    let roles: Vec<_> = people.roles_of(name).filter(|_| known).map(|(role, _)| role.clone()).collect();
    let permissions = host.subject.permissions();
    let whole = call.flag("all");
    for (field, all) in [("groups", groups), ("roles", roles), ("permissions", permissions)] {
        // what somebody does not have they need not read
        if whole {
            row.put(field, Value::from(all));
        } else if !all.is_empty() && field != "permissions" {
            row.put(field, all.join(", "));
        } else if !all.is_empty() {
            row.put(field, format!("{}; whoami --all names them", all.len()));
        }
    }
    vec![row.into()]
}

/// The tightest one.
fn tightest(levels: &[Level]) -> String {
    let reached = levels.iter().rev().find(|level| level.state.is_ok()).map_or("none", |level| level.name);
    format!("up to {reached}; status sandbox says what each has and lacks")
}

pub(super) async fn status(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let levels = host.engine.levels().await?;
    if call.value("WHAT").is_some() {
        let rows = levels.into_iter().map(|level| {
            let (reached, state) = match level.state {
                Ok(state) => ("yes", state),
                Err(missing) => ("no", missing),
            };
            let row: Record = [("sandbox", level.name.to_owned()), ("reached", reached.into()), ("state", state)]
                .into_iter()
                .collect();
            row.into()
        });
        return Ok(rows.collect());
    }
    let running = host.engine.running().len();
    let services = host.engine.0.outlet.get().map(|outlet| outlet.services()).unwrap_or_default();
    let mut rows: Vec<(String, String)> = vec![
        ("version".into(), env!("CARGO_PKG_VERSION").into()),
        ("up".into(), format!("{} s", host.engine.0.uptime.elapsed().as_secs())),
        ("lines running".into(), running.to_string()),
        ("audit log".into(), "takes records".into()),
        ("commands".into(), host.world.catalogue.all().len().to_string()),
        ("sandbox".into(), tightest(&levels)),
    ];
    rows.extend(services.into_iter().map(|(name, state)| (format!("chat {name}"), state.to_string())));
    let rows = rows.into_iter().map(|(what, state)| {
        let row: Record = [("what", what), ("state", state)].into_iter().collect();
        row.into()
    });
    Ok(rows.collect())
}
