//! Asking before running: why one may or may not, who may, and whether that is as expected. Nothing runs.

use ecow::EcoString;
use pipit_commands::{Call, Error, Labels, Record, Value};
use pipit_grammar::ast::{Line, Redirect, Target};
use pipit_grammar::rule::{Place, Via};

use super::super::names::Names;
use super::super::plan::Plan;
use super::super::planner::Planner;
use super::super::recall::Recalled;
use super::super::room::room_of;
use super::super::{Engine, labels, now};
use super::{Host, text};
use crate::access::{Context, Identity, May, Part, Subject};

/// The right to see the rights of everybody on every command.
const RULES: &str = "rule:manage";

/// The right to post to another place.
const POST: &str = "room:post";

/// Whether the caller may run a line, by which rules, stage by stage.
pub(super) fn why(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let Some(block) = call.blocks().first() else { return Ok(Vec::new()) };
    let names = Engine::names(&host.world, &host.subject, host.context());
    let kept = labels::kept(host);
    let plan =
        Planner::new(&names, call.host(), &Recalled::default(), &|_, _| Ok(()), &kept).plan(&block.written, None)?;
    let mut lines = Vec::new();
    plan.each_command(&mut |_, stated| {
        let args = stated.known.as_ref().filter(|_| !stated.fills);
        let context = Context { via: stated.via.unwrap_or(host.context().via), at: now(), ..host.context().clone() };
        lines.extend(host.world.policy.reasons(&host.subject, &stated.command, args, &context));
    });
    let name = host.subject.name();
    plan.each_redirect(&mut |redirect, _| {
        for target in redirect.targets.iter().filter(|target| takes_a_right(target)) {
            let may = if host.subject.has(POST) { "may" } else { "may not" };
            lines.push(format!("{name} {may} post to {target}: it takes {POST}"));
        }
    });
    Ok(vec![lines.join("\n").into()])
}

fn takes_a_right(target: &Target) -> bool {
    match target {
        Target::Here | Target::Me | Target::Thread => false,
        Target::Room(_) | Target::User(_) | Target::Place { .. } => true,
    }
}

/// What somebody may of a plan, where and how it would be typed.
fn may(host: &Host, plan: &Plan, there: &Context, subject: Option<&Subject>) -> Vec<(EcoString, May)> {
    let mut parts = Vec::new();
    plan.each_command(&mut |_, stated| {
        parts.push(Part {
            command: &stated.command,
            args: stated.known.as_ref().filter(|_| !stated.fills),
            context: Context { via: stated.via.unwrap_or(Via::Chat), at: now(), ..there.clone() },
        });
    });
    let mut posts = false;
    plan.each_redirect(&mut |redirect: &Redirect, _| posts |= redirect.targets.iter().any(takes_a_right));
    let policy = &host.world.policy;
    let everybody = match subject {
        Some(one) => vec![(one.name().clone(), policy.may(one, &parts))],
        None => policy.who_can(&parts),
    };
    let posting = |(name, may): (EcoString, May)| {
        let subject = match subject {
            Some(one) => Ok(one.clone()),
            None => policy.subject(&Identity::Named(name.clone())),
        };
        let refused = posts && !matches!(may, May::No(_)) && !subject.is_ok_and(|subject| subject.has(POST));
        (name, if refused { May::No(format!("a post takes {POST}")) } else { may })
    };
    everybody.into_iter().map(posting).collect()
}

/// The names that somebody can use in a place.
fn names(host: &Host, subject: &Subject, there: &Context, hides: bool) -> Names {
    let context = Context { via: Via::Chat, at: now(), ..there.clone() };
    Names { hides, ..Engine::names(&host.world, subject, &context) }
}

fn plan(call: &Call, names: &Names, line: &Line) -> Result<Plan, Error> {
    Planner::new(names, call.host(), &Recalled::default(), &|_, _| Ok(()), &|_, _| Labels::default()).plan(line, None)
}

/// Everybody who may run a line here, or may under a condition.
pub(super) fn who_can(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let Some(block) = call.blocks().first() else { return Ok(Vec::new()) };
    let here = host.context();
    let hides = !host.subject.has(RULES);
    let plan = plan(call, &names(host, &host.subject, here, hides), &block.written)?;
    let rows: Vec<Value> = may(host, &plan, here, None)
        .into_iter()
        .filter(|(_, may)| !matches!(may, May::No(_)))
        .map(|(name, may)| {
            let (may, until) = said(&may);
            let row: Record =
                [("who", Value::from(name)), ("may", may.into()), ("until", until.into())].into_iter().collect();
            row.into()
        })
        .collect();
    if rows.is_empty() {
        host.tell(vec!["no user may; why shows what it takes".into()]);
    }
    Ok(rows)
}

/// In a word, and what it waits for or why not.
fn said(may: &May) -> (&'static str, String) {
    match may {
        May::Yes => ("yes", String::new()),
        May::Waits(due) => ("waits", due.iter().map(String::as_str).collect::<Vec<_>>().join(", ")),
        May::Depends => ("depends", "on values that are known when it runs".into()),
        May::No(why) => ("no", why.clone()),
    }
}

/// What is expected of somebody's line.
struct Expected {
    who: String,
    /// The service where it is named, and the place.
    place: (Option<EcoString>, Place),
    may: &'static str,
    line: String,
}

/// `WHO [in ROOM] may|may not|waits: LINE`; none for a remark or nothing at all.
fn expected(text: &str) -> Result<Option<Expected>, Error> {
    let text = text.trim();
    if text.is_empty() || text.starts_with('#') {
        return Ok(None);
    }
    let wrong = || {
        Error::failed(format!("{text:?} says nothing that can be tried"))
            .help("write WHO may: LINE, WHO in #ROOM may not: LINE, or WHO waits: LINE")
    };
    // behind the colon of `libera://#ops` no line begins
    let colon =
        text.match_indices(':').map(|(at, _)| at).find(|at| !text.get(*at..).unwrap_or_default().starts_with("://"));
    let (head, line) = colon.and_then(|at| Some((text.get(..at)?, text.get(at + 1..)?))).ok_or_else(wrong)?;
    let words: Vec<&str> = head.split_whitespace().collect();
    let (who, rest) = words.split_first().ok_or_else(wrong)?;
    let (place, rest) = match rest {
        ["in", "dm", rest @ ..] => ((None, Place::Dm), rest),
        ["in", room, rest @ ..] if room.contains('#') => (room_of(room).ok_or_else(wrong)?, rest),
        rest => ((None, Place::Dm), rest),
    };
    let may = match rest {
        ["may"] => "yes",
        ["may", "not"] => "no",
        ["waits"] => "waits",
        _ => return Err(wrong()),
    };
    Ok(Some(Expected { who: (*who).to_owned(), place, may, line: line.trim().to_owned() }))
}

/// Whether somebody is judged as expected.
pub(super) fn test(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let typed = text(call, "EXPECTATION")?;
    let Some(expected) = expected(&typed)? else { return Ok(Vec::new()) };
    let identity = match expected.who.as_str() {
        "operator" => Identity::Operator,
        "stranger" => Identity::Stranger("stranger".into()),
        name => host.engine.named(name),
    };
    let subject =
        host.world.policy.subject(&identity).map_err(|error| error.as_kind(pipit_commands::ErrorKind::Failed))?;
    let line = pipit_grammar::parse(&expected.line).map_err(Error::from);
    let (service, place) = expected.place;
    let there = host.world.context(service.as_ref().unwrap_or(&host.service), &place, Via::Chat, now());
    let plan = line.and_then(|line| plan(call, &names(host, &subject, &there, false), &line));
    let found = match &plan {
        Ok(plan) => may(host, plan, &there, Some(&subject)).pop(),
        Err(_) => None,
    };
    let (found, why) = match (&plan, &found) {
        (Err(error), _) => ("refused", error.message().to_owned()),
        (Ok(_), Some((_, may))) => said(may),
        (Ok(_), None) => ("no", String::new()),
    };
    let row: Record = [
        ("holds", Value::from(found == expected.may)),
        ("expected", typed.trim().into()),
        ("found", found.into()),
        ("because", why.into()),
    ]
    .into_iter()
    .collect();
    Ok(vec![row.into()])
}
