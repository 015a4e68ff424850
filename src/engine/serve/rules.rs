//! The rules of the site: made, deleted, shown, tried before they are kept, and held against what is expected of them.

use std::sync::Arc;

use ecow::EcoString;
use pipit_commands::{Call, Command, Error, Record, Value};
use pipit_grammar::rule::{Rule, Target};

use super::super::world::{KeptRule, World, kind};
use super::super::{Engine, now};
use super::guards::Edit;
use super::policy::permissions;
use super::{Host, ahead, apply, delete as remove, done, guards, insert, put, stored, text};
use crate::access::decide::{Layer, Ruling};
use crate::access::{ADMINISTRATORS, Fate, Identity, Subject, differences, lint};
use crate::limits;
use crate::store::{Change, Expect};

pub(super) async fn create(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let mark = mark(&host.engine, host.line())?;
    let world = host.engine.world()?;
    let rule = sound(host, &world, &text(call, "RULE")?)?;
    let ids = world.policy.site_rules().iter().filter_map(|ruling| ruling.id.strip_prefix('r')?.parse::<u64>().ok());
    let id = format!("r{}", ids.max().unwrap_or(0) + 1);
    let after = with(&world, Some(&rule), None);
    ahead::is_no_trap(host, &rule)?;
    guards::opens_nothing(host, &world, Edit::Made(&rule), &after, &covered(&world, &rule.target))?;
    let text = rule.to_string();
    apply(host, vec![mark, insert(kind::RULE, id.clone(), &KeptRule { text: text.clone() })]).await?;
    Ok(done(format!("{id}: {text}")))
}

pub(super) async fn delete(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let id = text(call, "ID")?;
    if id.contains('#') {
        return Err(Error::failed(format!("{id} comes with its command and cannot be deleted"))
            .help("a rule of the site that says more overrides it, and a guard always holds"));
    }
    let mark = mark(&host.engine, host.line())?;
    let world = host.engine.world()?;
    if let Some(ruling) = world.policy.site_rules().iter().find(|ruling| ruling.id == id) {
        let after = with(&world, None, Some(&id));
        guards::opens_nothing(host, &world, Edit::Deleted(ruling), &after, &about(&world, ruling))?;
    }
    apply(host, vec![remove(kind::RULE, id.clone(), Expect::Present), mark]).await?;
    Ok(done(format!("the rule {id} is gone")))
}

/// The mark that a change of rules leaves, taken before anything is looked at: of two changes that open nothing each, and
/// something together, the later one comes too late and is judged anew when it is said again.
pub(in crate::engine) fn mark(engine: &Engine, line: &str) -> Result<Change, Error> {
    const LAST: &str = "last";
    let left = engine.store().get(kind::RULES, LAST).map_err(stored)?;
    Ok(match left {
        Some(left) => put(kind::RULES, LAST, &line, Expect::Revision(left.revision)),
        None => insert(kind::RULES, LAST, &line),
    })
}

pub(super) fn list(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let policy = &host.world.policy;
    if let Some(command) = call.text("COMMAND")
        && !host.world.catalogue.all().iter().any(|one| *one.exact() == command)
    {
        let all = host.world.catalogue.all().iter().map(|one| one.exact().as_str());
        let error = Error::failed(format!("there is no command {command}"));
        return Err(match pipit_commands::bind::nearest(&command, all) {
            Some(near) => error.help(format!("did you mean {near}?")),
            None => error.help("write it in full, as in rule list text:upper"),
        });
    }
    let rulings = match call.text("COMMAND") {
        Some(command) => policy.rules_of(&command),
        None => policy.site_rules(),
    };
    let rows = rulings
        .iter()
        .map(|ruling| {
            let layer = match ruling.layer {
                Layer::Bundle => "bundle",
                Layer::Site => "site",
            };
            let row: Record =
                [("id", ruling.id.as_str()), ("of", layer), ("rule", ruling.source.as_str())].into_iter().collect();
            row.into()
        })
        .collect();
    Ok(rows)
}

/// Who gains and who loses by a rule that is not kept yet, by the end of one, or by both at once.
pub(super) fn diff(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let world = host.engine.world()?;
    let rule = call.text("RULE").map(|typed| sound(host, &world, &typed)).transpose()?;
    let without = call.text("without");
    if rule.is_none() && without.is_none() {
        return Err(Error::failed("there is nothing to compare").help("give a rule, or --without=ID, or both"));
    }
    let gone =
        match &without {
            Some(id) => Some(world.policy.site_rules().iter().find(|ruling| ruling.id == *id).ok_or_else(|| {
                Error::failed(format!("there is no rule {id} of the site")).help("rule list shows them")
            })?),
            None => None,
        };
    let after = with(&world, rule.as_ref(), without.as_deref());
    let mut commands: Vec<&Command> = rule.iter().flat_map(|rule| covered(&world, &rule.target)).collect();
    for command in gone.iter().flat_map(|ruling| about(&world, ruling)) {
        if !commands.iter().any(|other| other.is(command)) {
            commands.push(command);
        }
    }
    let people = everybody(&world)?;
    let mut rows = Vec::new();
    for command in commands {
        let found = differences(command, [world.policy.rules_of(command.exact()), &after(command)], &people, now());
        if found.cut {
            host.tell(vec![format!(
                "{} can be called in too many ways; not all of them were looked at",
                command.exact()
            )]);
        }
        rows.extend(found.found.into_iter().map(|one| {
            let row: Record = [
                ("call", Value::from(one.call)),
                ("who", one.who.into()),
                ("was", said(&one.was).into()),
                ("becomes", said(&one.becomes).into()),
            ]
            .into_iter()
            .collect();
            Value::from(row)
        }));
        if rows.len() > limits::DIFFERENCES {
            rows.truncate(limits::DIFFERENCES);
            host.tell(vec![format!("only the first {} differences are shown", limits::DIFFERENCES)]);
            break;
        }
    }
    if rows.is_empty() {
        host.tell(vec!["nothing is decided otherwise for anybody who is here now".into()]);
    }
    Ok(rows)
}

fn said(fate: &Fate) -> &'static str {
    match fate {
        Fate::Denied => "denied",
        Fate::Waits => "waits",
        Fate::Allowed => "allowed",
    }
}

/// Every user, and with the operator whoever asks.
pub(super) fn everybody(world: &World) -> Result<Vec<Subject>, Error> {
    let users = world.policy.people().users.keys().cloned().map(Identity::Named);
    users.chain([Identity::Operator]).map(|identity| world.policy.subject(&identity)).collect()
}

/// The rules of a command after a change.
pub(super) fn with<'w>(
    world: &'w World,
    rule: Option<&Rule>,
    without: Option<&str>,
) -> impl Fn(&Command) -> Vec<Arc<Ruling>> + use<'w> {
    let added = rule.map(|rule| Arc::new(Ruling::new("new", Layer::Site, rule.clone())));
    let without: Option<EcoString> = without.map(EcoString::from);
    move |command| {
        let rules = world.policy.rules_of(command.exact()).iter();
        let rules = rules.filter(|ruling| ruling.layer == Layer::Bundle || Some(&ruling.id) != without.as_ref());
        rules.cloned().chain(added.iter().filter(|rule| rule.covers(command.exact())).cloned()).collect()
    }
}

/// The commands that a target means.
fn covered<'w>(world: &'w World, target: &Target) -> Vec<&'w Command> {
    world.catalogue.all().iter().filter(|command| target.covers(command.exact())).collect()
}

/// The commands that a rule has a say about.
fn about<'w>(world: &'w World, ruling: &Ruling) -> Vec<&'w Command> {
    world.catalogue.all().iter().filter(|command| ruling.covers(command.exact())).collect()
}

/// A rule that can be read, about what is there; advice about it is told.
fn sound(host: &Host, world: &World, typed: &str) -> Result<Rule, Error> {
    let rule = pipit_grammar::rule::parse_rule(typed).map_err(|error| unread(&error, typed))?;
    if let Err(reason) = Ruling::new("new", Layer::Site, rule.clone()).rule() {
        return Err(Error::failed(format!("the rule cannot be kept: {reason}")));
    }
    names_what_is_there(world, &rule)?;
    let commands = covered(world, &rule.target);
    host.tell(lint(&rule, &commands)?);
    let new = Ruling::new("new", Layer::Site, rule.clone());
    host.tell(ahead::overridden(&new, &commands, |command| world.policy.rules_of(command.exact())));
    host.tell(ahead::replaced(&new, &commands, |command| world.policy.rules_of(command.exact())));
    Ok(rule)
}

/// Refuses a rule about a command or with a permission that is not there: a slip of the pen would guard nothing, or lock
/// everybody out.
fn names_what_is_there(world: &World, rule: &Rule) -> Result<(), Error> {
    let commands = world.catalogue.all();
    let about = match &rule.target {
        Target::All => None,
        Target::Bundle(bundle) if commands.iter().any(|command| command.spec().bundle == *bundle) => None,
        Target::Bundle(bundle) => Some(Error::failed(format!("there is no bundle {bundle} with commands"))),
        Target::Command { bundle, command } => {
            let exact = format!("{bundle}:{command}");
            let there = commands.iter().any(|command| *command.exact() == exact);
            (!there).then(|| missing("command", &exact, commands.iter().map(|command| command.exact().as_str())))
        }
    };
    if let Some(error) = about {
        return Err(error);
    }
    let known = permissions(world);
    if let Some(permission) = rule.permissions().into_iter().find(|permission| !known.contains(permission)) {
        return Err(missing("permission", permission, known.iter().map(EcoString::as_str)));
    }
    let roles = &world.policy.people().roles;
    let ruling = Ruling::new("new", Layer::Site, rule.clone());
    match ruling.approver().filter(|role| *role != ADMINISTRATORS && !roles.contains_key(*role)) {
        Some(unknown) => Err(missing("role", unknown, roles.keys().map(EcoString::as_str))),
        None => Ok(()),
    }
}

fn missing<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Error {
    let error = Error::failed(format!("there is no {what} {name}, so the rule is not made"));
    match pipit_commands::bind::nearest(name, known) {
        Some(near) => error.help(format!("did you mean {near}?")),
        None => error.help(format!("make the {what} first, or enable the bundle that brings it")),
    }
}

/// What is wrong with a rule, and near which of its words.
fn unread(error: &pipit_grammar::SyntaxError, rule: &str) -> Error {
    let near = rule.get(error.span.start as usize..).unwrap_or_default();
    let near: String = near.chars().take(24).collect();
    let place = if near.trim().is_empty() { String::new() } else { format!(" (at `{near}`)") };
    let failed = Error::failed(format!("the rule cannot be read: {}{place}", error.message));
    match &error.help {
        Some(help) => failed.help(help.clone()),
        None => failed,
    }
}
