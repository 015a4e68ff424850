//! The parameters of an alias: what its line asks for, and what its caller's words bring.

use ecow::EcoString;
use pipit_commands::{Error, Labels, Wanted as Asked};
use pipit_grammar::ast::{self, Line, Parameter};

use super::super::plan::Word;

/// What had a part in the caller's words that a parameter of an alias stands for.
pub(super) fn labels(which: Parameter, words: &[Word]) -> Labels {
    let spread = words.iter().any(Word::spreads);
    let meant = match which {
        // a word that comes to several arguments moves those behind it
        Parameter::Nth(n) if !spread => words.get(usize::from(n).saturating_sub(1)).map(std::slice::from_ref),
        Parameter::Nth(_) | Parameter::All => Some(words),
    };
    meant.unwrap_or_default().iter().fold(Labels::default(), |labels, word| labels.and(&word.labels))
}

/// The words that an alias' line asks for.
pub(super) struct Wanted {
    /// The highest of `$1`…`$9`.
    highest: usize,
    /// Whether `$*` takes the rest.
    all: bool,
}

/// What an alias' line asks for; none when it has no parameters.
pub(super) fn parameters(line: &Line) -> Option<Wanted> {
    let mut wanted: Option<Wanted> = None;
    super::super::names::each_part(line, &mut |part| {
        if let ast::Part::Parameter { which, .. } = part {
            let wanted = wanted.get_or_insert(Wanted { highest: 0, all: false });
            match which {
                Parameter::Nth(n) => wanted.highest = wanted.highest.max(usize::from(*n)),
                Parameter::All => wanted.all = true,
            }
        }
    });
    wanted
}

pub(super) fn enough(name: &EcoString, words: &[Word], wanted: &Wanted) -> Result<(), Error> {
    if words.iter().any(Word::spreads) {
        return Ok(());
    }
    if words.len() < wanted.highest {
        let missing = format!("${}", words.len() + 1);
        let error = Error::refused(format!("{missing} of the alias {name} is missing"))
            .help(format!("it takes {}", words_of(wanted.highest)));
        let (command, name) = (name.clone(), missing.into());
        let asked = Asked { command, name, option: None, many: false, secret: false, one_of: Vec::new() };
        return Err(error.wants(asked));
    }
    if words.len() > wanted.highest && !wanted.all {
        return Err(Error::refused(format!(
            "the alias {name} takes {}, not {}",
            words_of(wanted.highest),
            words.len()
        )));
    }
    Ok(())
}

/// `1 word`, `2 words`.
fn words_of(count: usize) -> String {
    if count == 1 { "1 word".into() } else { format!("{count} words") }
}
