//! A request as people read it: every token of every call in a span of its own, and nothing in it that shows as something
//! else. What cannot be shown whole and plain in a chat is not approved of in one.

use ecow::EcoString;
use pipit_commands::{Call, Command, Error, Record, Value};
use unicode_security::MixedScript as _;

use super::{Kept, is_asker, now, vote};
use crate::access::approval::{Frozen, Parked, State};
use crate::engine::host::LineHost;
use crate::engine::world::World;
use crate::limits;

/// The requests that wait and concern the caller: his own, and those that he may vote on.
pub(in super::super) fn list(host: &LineHost) -> Result<Vec<Value>, Error> {
    let at = now();
    let mut rows = Vec::new();
    for kept in host.engine.requests()?.iter().filter(|kept| kept.waits(at) && concerns(host, kept)) {
        let plan = &kept.parked.plan;
        let voters = host.engine.voters(&kept.id)?;
        let missing = vote::missing(&host.world, plan, &voters);
        let texts = |all: Vec<String>| Value::from(all);
        let row: Record = [
            ("id", Value::from(kept.id.as_str())),
            ("who", plan.who.name.clone().into()),
            ("line", plan.line.as_str().into()),
            ("missing", texts(missing.iter().map(ToString::to_string).collect())),
            ("approved by", voters.into()),
            ("until", time(plan.until).into()),
        ]
        .into_iter()
        .collect();
        rows.push(row.into());
    }
    Ok(rows)
}

/// One request, whole, with its code.
pub(in super::super) fn request(host: &LineHost, call: &Call) -> Result<Vec<Value>, Error> {
    let kept = vote::find(host, call)?;
    let state = match &kept.parked.state {
        State::Waiting if kept.waits(now()) => String::new(),
        State::Waiting => "\nit has expired".into(),
        State::Approved => "\nit is approved of, and will run".into(),
        State::Released => "\nit was approved of, and has run".into(),
        State::Denied { by, why } => {
            format!("\n{by} said no{}", why.as_ref().map_or(String::new(), |why| format!(": {why}")))
        }
        State::Void { why } => format!("\nit is void: {why}"),
    };
    Ok(vec![format!("{}{state}", text(host, &kept.id, &kept.parked)).into()])
}

/// Whether the caller asked for it, may vote on it, or reads the log anyway.
pub(super) fn concerns(host: &LineHost, kept: &Kept) -> bool {
    let plan = &kept.parked.plan;
    is_asker(&plan.who, &host.subject)
        || vote::may_vote(&host.world, plan, &host.subject)
        || host.subject.has("audit:read")
}

/// The request as everybody reads it.
pub(super) fn text(host: &LineHost, id: &str, parked: &Parked) -> String {
    let (world, plan) = (&host.world, &parked.plan);
    let room = plan.room.as_ref().map_or_else(|| "a direct message".to_owned(), |room| format!("#{room}"));
    let mut text = format!("{} asks in {room} to run {}", plan.who.name, span(&plan.line));
    if plan.calls.iter().any(|call| call.via.as_deref() == Some("alias")) {
        text.push_str(&format!("\nwhich stands for {}", span(&plan.spread)));
    }
    let before = before(host, parked);
    for call in &plan.calls {
        let last = before.iter().find(|last| last.command == call.command);
        text.push_str(&format!("\nit calls {}", spans(world, call, last).join(" ")));
        let outside = call.outside();
        if !outside.is_empty() {
            text.push_str(&format!("\nand its values come from outside the line: {}", outside.join(", ")));
        }
    }
    let mut reasons: Vec<&EcoString> = plan.calls.iter().filter_map(|call| call.reason.as_ref()).collect();
    reasons.dedup();
    for reason in reasons {
        text.push_str(&format!("\nbecause {}", span(reason)));
    }
    let people = world.policy.people();
    for need in &plan.needs {
        let able: Vec<&str> =
            people.holders(&need.role).filter(|name| **name != plan.who.name).map(EcoString::as_str).collect();
        let able = if able.is_empty() { "which nobody else has".into() } else { able.join(", ") };
        text.push_str(&format!("\nit takes {need}: {able}"));
    }
    text.push_str(&format!("\nuntil {}: approve {id} {}, or deny {id} REASON", time(plan.until), plan.code()));
    if !fits_chat(world, parked) {
        text.push_str(
            "\nit cannot be shown well enough in a room to be approved of there: use the console or a terminal",
        );
    }
    text
}

/// Whether the request can be read in a chat for what it is: short enough, and without letters that show as nothing, as
/// something else, or only at the edge of a word.
pub(super) fn fits_chat(world: &World, parked: &Parked) -> bool {
    let plan = &parked.plan;
    let tokens: Vec<String> = plan.calls.iter().flat_map(|call| tokens(world, call)).collect();
    let reasons = plan.calls.iter().filter_map(|call| call.reason.as_deref());
    let all = || tokens.iter().map(String::as_str).chain(reasons.clone());
    let length: usize = all().chain([plan.line.as_str()]).map(|token| span(token).chars().count()).sum();
    length <= limits::REQUEST && all().all(is_plain) && !plan.line.chars().any(is_odd)
}

/// The tokens of a call in their spans; one that was another the last time says so.
fn spans(world: &World, call: &Frozen, last: Option<&Frozen>) -> Vec<String> {
    let last = last.map(|last| tokens(world, last));
    let token = |(at, token): (usize, String)| match last.as_ref().map(|last| last.get(at)) {
        Some(Some(was)) if *was != token => format!("{} (last time {})", span(&token), span(was)),
        Some(None) => format!("{} (not last time)", span(&token)),
        Some(Some(_)) | None => span(&token),
    };
    tokens(world, call).into_iter().enumerate().map(token).collect()
}

/// The calls of the last request that ran and had the same commands.
fn before(host: &LineHost, parked: &Parked) -> Vec<Frozen> {
    let of = |calls: &[Frozen]| calls.iter().map(|call| call.command.clone()).collect::<Vec<_>>();
    let wanted = of(&parked.plan.calls);
    let ran = host.engine.requests().unwrap_or_default().into_iter().filter(|kept| {
        let plan = &kept.parked.plan;
        kept.parked.state == State::Released && plan.at < parked.plan.at && of(&plan.calls) == wanted
    });
    ran.max_by_key(|kept| kept.parked.plan.at).map(|kept| kept.parked.plan.calls).unwrap_or_default()
}

/// The command's exact name, and its arguments as one would type them.
fn tokens(world: &World, call: &Frozen) -> Vec<String> {
    let mut tokens = vec![call.command.to_string()];
    let args = call.args();
    tokens.extend(args.words().map(|value| value.to_text().to_string()));
    let command: Option<&Command> = world.catalogue.all().iter().find(|command| *command.exact() == call.command);
    for (at, given) in args.options.iter().enumerate() {
        let flag = command.and_then(|command| command.spec().usage.options.get(at));
        let name = flag.map_or_else(|| format!("--{at}"), pipit_commands::bind::typed);
        for arg in given {
            tokens.push(match flag {
                Some(flag) if flag.value.is_none() => name.clone(),
                Some(_) | None => format!("{name}={}", arg.value.to_text()),
            });
        }
    }
    tokens
}

/// A token in a span of its own: what would not show is written as an escape, blanks at its ends are seen.
fn span(token: &str) -> String {
    let plain = token.is_single_script();
    let inside = token.trim_matches(' ');
    let lead = token.len() - token.trim_start_matches(' ').len();
    let mut text = String::from("`");
    let end = if inside.is_empty() { 0 } else { token.len() - lead - inside.len() };
    text.push_str(&"␠".repeat(lead));
    for c in inside.chars() {
        if is_odd(c) || matches!(c, '`' | '␠') || (!plain && !c.is_ascii()) {
            text.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
        } else if c == '\\' {
            text.push_str("\\\\");
        } else {
            text.push(c);
        }
    }
    text.push_str(&"␠".repeat(end));
    text.push('`');
    text
}

/// Whether a token shows as what it is.
fn is_plain(token: &str) -> bool {
    !token.chars().any(is_odd) && token.trim() == token && token.is_single_script()
}

fn is_odd(c: char) -> bool {
    pipit_grammar::is_escaped(c)
}

/// A time of day, in UTC.
fn time(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |at| at.strftime("%H:%M UTC").to_string())
}

#[cfg(test)]
mod tests {
    use super::{is_plain, span};

    #[test]
    fn a_token_shows_as_what_it_is() {
        for (token, shown, plain) in [
            ("api", "`api`", true),
            ("", "``", true),
            ("a b", "`a b`", true),
            ("deploy ", "`deploy␠`", false),
            (" a", "`␠a`", false),
            ("  ", "`␠␠`", false),
            ("rm\u{202e}txt.exe", "`rm\\u{202e}txt.exe`", false),
            ("a\u{200b}b", "`a\\u{200b}b`", false),
            ("a\tb\n", "`a\\u{9}b\\u{a}`", false),
            ("a`b", "`a\\u{60}b`", true),
            ("\\u{202e}", "`\\\\u{202e}`", true),
            ("\u{2420}", "`\\u{2420}`", true),
            // a letter of another alphabet between ours
            ("p\u{430}yments", "`p\\u{430}yments`", false),
            ("café", "`café`", true),
            ("привет", "`привет`", true),
        ] {
            assert_eq!((span(token).as_str(), is_plain(token)), (shown, plain), "{token:?}");
        }
    }
}
