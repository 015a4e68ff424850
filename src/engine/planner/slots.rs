//! The words of a command as far as they are known from the line alone.

use pipit_commands::bind::{Slot, Use};
use pipit_commands::{Command, How};
use pipit_grammar::ast::Parameter;

use super::super::plan::{Part, Word};

/// The words as far as they are known from the line, apart as positional ones and options.
pub(super) fn slots(words: &[Word], uses: &[Use], caller: Option<&[Word]>) -> (Vec<Slot>, Vec<(usize, Slot)>) {
    let mut positional = Vec::new();
    let mut options = Vec::new();
    for (word, used) in words.iter().zip(uses) {
        match used {
            Use::Word => positional.extend(slot(word, caller)),
            Use::Flags(flags) => options.extend(flags.iter().map(|at| (*at, flag()))),
            Use::OptionWith(at, byte) => options.push((*at, single(slot(&word.behind(*byte), caller)))),
            Use::OptionNext(flags, _) => options.extend(flags.iter().map(|at| (*at, flag()))),
            Use::ValueOf(at) => options.push((*at, single(slot(word, caller)))),
            Use::End => {}
        }
    }
    (positional, options)
}

/// What a flag that is given stands for.
pub(in super::super) fn flag() -> Slot {
    Slot::Known(pipit_commands::Given::one(true.into(), How::Bare))
}

fn single(slots: Vec<Slot>) -> Slot {
    match <[Slot; 1]>::try_from(slots) {
        Ok([slot]) => slot,
        Err(_) => Slot::Many,
    }
}

/// A word is known when it is literal, or an alias' parameter for which the caller gave a literal.
fn slot(word: &Word, caller: Option<&[Word]>) -> Vec<Slot> {
    if let Some(given) = word.literal() {
        return vec![Slot::Known(given.labelled(word.labels.clone()))];
    }
    match (word.parts.as_slice(), caller) {
        ([Part::Parameter(Parameter::Nth(n), false)], Some(words)) if !words.iter().any(Word::spreads) => {
            let at = usize::from(*n).saturating_sub(1);
            words.get(at).map_or_else(|| vec![Slot::One], |word| slot(word, None))
        }
        ([Part::Parameter(Parameter::All, false)], Some(words)) => {
            words.iter().flat_map(|word| slot(word, None)).collect()
        }
        _ if word.spreads() => vec![Slot::Many],
        _ => vec![Slot::One],
    }
}

/// Whether the parameter that input fills is still open.
pub(super) fn known_lacks_fill(command: &Command, known: Option<&pipit_commands::Args>) -> bool {
    match (&command.spec().fills, known) {
        (Some(fill), Some(args)) => args.params.get(fill.param).is_some_and(Vec::is_empty),
        (Some(_), None) => true,
        (None, _) => false,
    }
}
