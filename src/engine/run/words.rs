//! The words of a stage, looked up at one value: references, substitutions, an alias' parameters, and the arguments they
//! come to.

use std::sync::Arc;

use pipit_commands::bind::{self, Slot, Use};
use pipit_commands::limits;
use pipit_commands::{Args, Error, ErrorKind, Given, How, Stream, Value};
use pipit_grammar::ast::Parameter;

use super::super::plan::{Part, Plan, Stage, Stated, Word};
use super::{Begin, Cx, Scope, sequence};

pub(super) async fn bind_words(cx: &Cx, stage: &Stage, stated: &Stated, scope: &Scope) -> Result<Args, Error> {
    let mut positional = Vec::with_capacity(stage.words.len());
    let mut options = Vec::new();
    for (word, used) in stage.words.iter().zip(&stated.uses) {
        let mut found = Vec::with_capacity(1);
        // the caller's words bring their own
        let own = matches!(word.parts.as_slice(), [Part::Parameter(Parameter::All, false)]);
        let known = |given: Given| Slot::Known(if own { given } else { given.labelled(word.labels.clone()) });
        match used {
            Use::Word => {
                look_up(cx, word, scope, &mut found).await?;
                positional.extend(found.into_iter().map(known));
            }
            Use::Flags(flags) | Use::OptionNext(flags, _) => {
                options.extend(flags.iter().map(|at| (*at, super::super::planner::flag())));
            }
            Use::OptionWith(at, byte) => {
                let value = glued(cx, &word.behind(*byte), scope).await?;
                options.push((*at, known(value)));
            }
            Use::ValueOf(at) => {
                look_up(cx, word, scope, &mut found).await?;
                if found.is_empty() {
                    let option = stated.command.spec().usage.options.get(*at).map(bind::typed).unwrap_or_default();
                    return Err(Error::failed(format!("{option} has no value: the substitution gave none")));
                }
                options.extend(found.into_iter().map(|given| (*at, known(given))));
            }
            Use::End => {}
        }
    }
    let given = positional.iter().chain(options.iter().map(|(_, slot)| slot));
    limits::text(given.map(slot_size).sum())?;
    let spec = stated.command.spec();
    let bound =
        bind::bind(spec, positional, options, stated.fills).map_err(|error| error.as_kind(ErrorKind::Failed))?;
    let bound = bound.ok_or_else(|| Error::failed("not everything is known"))?;
    Ok(Args { input: stage.labels.into.clone(), output: stage.labels.out.clone(), ..bound })
}

/// How long an argument is, as far as texts go.
fn slot_size(slot: &Slot) -> usize {
    match slot {
        Slot::Known(given) => given.pieces.iter().map(|(value, _)| size(value)).sum(),
        Slot::One | Slot::Many => 0,
    }
}

/// The arguments that a word comes to: one, or several for a substitution or `$*` alone in its word.
pub(super) async fn look_up(cx: &Cx, word: &Word, scope: &Scope, out: &mut Vec<Given>) -> Result<(), Error> {
    match word.parts.as_slice() {
        [Part::Substitution(plan, false)] => {
            let values = substitution(cx, plan, scope).collect().await?;
            out.extend(values.into_iter().map(|value| Given::one(value, How::Computed)));
        }
        [Part::Parameter(Parameter::All, false)] => out.extend(scope.words.iter().cloned()),
        [Part::Parameter(Parameter::Nth(n), false)] => out.push(parameter(scope, *n)?.clone()),
        _ => out.push(glued(cx, word, scope).await?),
    }
    Ok(())
}

/// One word of several parts.
async fn glued(cx: &Cx, word: &Word, scope: &Scope) -> Result<Given, Error> {
    let mut pieces = Vec::with_capacity(word.parts.len());
    for part in &word.parts {
        pieces.push(match part {
            Part::Text(text, how) => (Value::Text(text.clone()), *how),
            Part::Reference(path, quoted) => {
                let found = reference(scope, path)?;
                (if *quoted { Value::Text(found.to_text()) } else { found.clone() }, How::Computed)
            }
            Part::Percent => (Value::Text(incoming(scope)?.to_text()), How::Computed),
            Part::Substitution(plan, _) => {
                let values = substitution(cx, plan, scope).collect().await?;
                let texts: Vec<_> = values.iter().map(Value::to_text).collect();
                (Value::Text(texts.join(" ").into()), How::Computed)
            }
            Part::Parameter(Parameter::All, _) => {
                let texts: Vec<_> = scope.words.iter().map(Given::text).collect();
                (Value::Text(texts.join(" ").into()), How::Computed)
            }
            Part::Parameter(Parameter::Nth(n), quoted) => {
                let given = parameter(scope, *n)?;
                (if *quoted { Value::Text(given.text()) } else { given.value() }, How::Computed)
            }
        });
    }
    limits::text(pieces.iter().map(|(value, _)| size(value)).sum())?;
    Ok(Given::of(pieces))
}

/// How long a value is as text, as far as texts go.
fn size(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::List(_) | Value::Record(_) => 0,
    }
}

/// What the first stage of a substitution sees is what its own stage sees; nothing flows in.
fn substitution(cx: &Cx, plan: &Arc<Plan>, scope: &Scope) -> Stream {
    sequence(cx, plan, scope, Begin::Nothing)
}

fn incoming(scope: &Scope) -> Result<&Value, Error> {
    scope.value.as_ref().ok_or_else(|| Error::failed("there is no value to refer to"))
}

fn reference<'s>(scope: &'s Scope, path: &pipit_grammar::ast::Path) -> Result<&'s Value, Error> {
    let value = incoming(scope)?;
    value.at(path).ok_or_else(|| match value {
        Value::Record(record) => {
            let fields: Vec<&str> = record.iter().map(|(name, _)| name.as_str()).take(12).collect();
            let error = Error::failed(format!("${path} is not in the incoming record"));
            if fields.is_empty() { error } else { error.help(format!("it has {}", fields.join(", "))) }
        }
        other => Error::failed(format!("${path} leads nowhere in {}", other.kind())),
    })
}

fn parameter(scope: &Scope, n: u8) -> Result<&Given, Error> {
    let at = usize::from(n).saturating_sub(1);
    scope
        .words
        .get(at)
        .ok_or_else(|| Error::failed(format!("${n} is missing: the alias was given {} words", scope.words.len())))
}
