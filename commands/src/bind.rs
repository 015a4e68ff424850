//! Words to arguments, in two steps: which words are options is settled from the line alone, before anything runs; the
//! values are put in their places when they are known. So a value can never become an option.

use ecow::EcoString;
use pipit_grammar::usage::{Flag, Param, Usage};

use crate::args::{Arg, Args, Given};
use crate::spec::Spec;
use crate::{Error, Kind, Wanted};

/// What the line shows of a word's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head<'a> {
    /// The word begins with a bare dash: the bare text, and whether that is the whole word.
    Dash(&'a str, bool),
    /// Anything else, and every word that is only a value.
    Plain,
}

/// What a word turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Use {
    /// A positional word.
    Word,
    /// One or several flags, by their place in the usage.
    Flags(Vec<usize>),
    /// An option with its value in the same word, from this byte of its head.
    OptionWith(usize, usize),
    /// An option (behind flags in the same word) whose value is the next word.
    OptionNext(Vec<usize>, usize),
    /// The value of the option before.
    ValueOf(usize),
    /// `--`.
    End,
}

/// Which words are options of a usage.
pub fn uses(usage: &Usage, command: &str, heads: &[Head<'_>]) -> Result<Vec<Use>, Error> {
    let mut uses: Vec<Use> = Vec::with_capacity(heads.len());
    let mut ended = false;
    for head in heads {
        if let Some(Use::OptionNext(_, option)) = uses.last() {
            if let Head::Dash(text, _) = head
                && is_option(text)
            {
                return Err(no_value(usage, command, *option).help(format!(
                    "{text} looks like another option; a value that begins with a dash is quoted or written after ="
                )));
            }
            uses.push(Use::ValueOf(*option));
            continue;
        }
        uses.push(match head {
            Head::Dash("--", true) if !ended => {
                ended = true;
                Use::End
            }
            Head::Dash(text, whole) if !ended && is_option(text) => option(usage, command, text, *whole)?,
            Head::Dash(..) | Head::Plain => Use::Word,
        });
    }
    match uses.last() {
        Some(Use::OptionNext(_, option)) => Err(no_value(usage, command, *option)),
        _ => Ok(uses),
    }
}

/// A lone dash and a dash before a digit begin no option.
fn is_option(text: &str) -> bool {
    text.strip_prefix('-').and_then(|rest| rest.chars().next()).is_some_and(|c| !c.is_ascii_digit())
}

fn option(usage: &Usage, command: &str, text: &str, whole: bool) -> Result<Use, Error> {
    if let Some(long) = text.strip_prefix("--") {
        let (name, value) = match long.split_once('=') {
            Some((name, _)) => (name, true),
            None => (long, false),
        };
        let Some(at) = usage.options.iter().position(|option| option.long.as_deref() == Some(name)) else {
            return Err(unknown(usage, command, &format!("--{name}")));
        };
        return match (value, &usage.options[at].value) {
            (true, Some(_)) if whole && text.ends_with('=') && text.len() == name.len() + 3 => {
                Err(no_value(usage, command, at))
            }
            (true, Some(_)) => Ok(Use::OptionWith(at, name.len() + 3)),
            (true, None) => Err(Error::refused(format!("--{name} of {command} takes no value"))),
            (false, Some(_)) => Ok(Use::OptionNext(Vec::new(), at)),
            (false, None) => Ok(Use::Flags(vec![at])),
        };
    }
    let mut flags = Vec::new();
    let letters = text.get(1..).unwrap_or_default();
    for (byte, letter) in letters.char_indices() {
        let Some(at) = usage.options.iter().position(|option| option.short == Some(letter)) else {
            return Err(unknown(usage, command, &format!("-{letter}")));
        };
        if usage.options[at].value.is_none() {
            flags.push(at);
            continue;
        }
        let rest = &letters[byte + letter.len_utf8()..];
        return match rest.strip_prefix('=') {
            Some("") if whole => Err(no_value(usage, command, at)),
            Some(_) if flags.is_empty() => Ok(Use::OptionWith(at, byte + letter.len_utf8() + 2)),
            None if rest.is_empty() && whole => Ok(Use::OptionNext(flags, at)),
            Some(_) | None => Err(Error::refused(format!("-{letter} of {command} takes a value"))
                .help(format!("write -{letter} VALUE or -{letter}=VALUE"))),
        };
    }
    Ok(Use::Flags(flags))
}

/// The name of an option as it is typed.
#[must_use]
pub fn typed(option: &Flag) -> String {
    match (&option.long, option.short) {
        (Some(long), _) => format!("--{long}"),
        (None, Some(short)) => format!("-{short}"),
        (None, None) => String::from("--"),
    }
}

fn no_value(usage: &Usage, command: &str, at: usize) -> Error {
    let name = usage.options.get(at).map(typed).unwrap_or_default();
    Error::refused(format!("{name} of {command} has no value")).help(format!("usage: {usage}"))
}

fn unknown(usage: &Usage, command: &str, name: &str) -> Error {
    let error = Error::refused(format!("{command} has no option {name}"));
    if let Some((_, _, now)) = HABITS.iter().find(|(of, option, _)| *of == command && *option == name) {
        return error.help(*now);
    }
    let names: Vec<String> = usage.options.iter().map(typed).collect();
    match nearest(name, names.iter().map(String::as_str)) {
        Some(near) => error.help(format!("did you mean {near}?")),
        None if names.is_empty() => error.help("quote it, or put -- before it, to give it as a word"),
        None => error.help(format!("it has {}", names.join(", "))),
    }
}

/// Options of other shells, and what to write here.
const HABITS: &[(&str, &str, &str)] = &[
    ("head", "-n", "the count is a word: head 5"),
    ("tail", "-n", "the count is a word: tail 5"),
    ("grep", "-i", "grep is blind to case already; --case makes it look"),
    ("grep", "-E", "every pattern is an extended one already"),
    ("grep", "-c", "put | count behind it"),
    ("sort", "-r", "write sort --desc"),
    ("sort", "-n", "numbers are sorted as numbers already; sortnum reads the number at the front of a text"),
    ("sort", "-u", "put | unique behind it"),
    ("sort", "-k", "the keys are words: sort name age"),
    ("unique", "-c", "write group KEY --count"),
    ("count", "-l", "write count --lines"),
    ("count", "-w", "write count --words"),
    ("count", "-c", "write count --chars"),
    ("echo", "-n", "an answer has no newline to leave away"),
];

/// The name that was probably meant.
pub fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const ALIKE: f64 = 0.7;
    // in a short name one slip is a large part
    let slip = |other: &str| name.len() >= 3 && strsim::damerau_levenshtein(name, other) == 1;
    names
        .map(|other| (strsim::normalized_damerau_levenshtein(name, other), other))
        .filter(|(alike, other)| *alike >= ALIKE || slip(other))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, other)| other)
}

/// A word as far as it is known.
#[derive(Clone, Debug)]
pub enum Slot {
    /// Known.
    Known(Given),
    /// One word whose value comes out of the run.
    One,
    /// A substitution alone in its word: any number of arguments.
    Many,
}

/// Puts words and options in their places and checks what is known. `filled` says that the incoming value will fill the
/// parameter that takes it, if the words leave it out. With everything known the arguments come back; else none, and
/// nothing was wrong so far.
pub fn bind(spec: &Spec, words: Vec<Slot>, options: Vec<(usize, Slot)>, filled: bool) -> Result<Option<Args>, Error> {
    let mut args = Args { params: vec![Vec::new(); spec.usage.params.len()], ..Args::default() };
    let mut whole = bind_options(spec, options, &mut args)?;
    if words.iter().any(|word| matches!(word, Slot::Many)) {
        return Ok(None);
    }
    let places = places(spec, words.len(), filled)?;
    for (at, word) in places.into_iter().zip(words) {
        match word {
            Slot::Known(given) => args.params[at].push(cast(spec, at, given)?),
            Slot::One | Slot::Many => whole = false,
        }
    }
    Ok(whole.then_some(args))
}

fn bind_options(spec: &Spec, options: Vec<(usize, Slot)>, args: &mut Args) -> Result<bool, Error> {
    let mut whole = true;
    let mut given = vec![false; spec.usage.options.len()];
    args.options = vec![Vec::new(); spec.usage.options.len()];
    for (at, slot) in options {
        let option = &spec.usage.options[at];
        if given[at] && !option.many {
            return Err(Error::refused(format!("{} of {} is given twice", typed(option), spec.shown())));
        }
        given[at] = true;
        match slot {
            Slot::Known(word) => {
                let kind = spec.kind(option.value.as_deref().unwrap_or_default());
                let arg = if option.value.is_none() {
                    Arg { value: true.into(), given: None, labels: word.labels }
                } else {
                    kind.cast(word).map_err(|error| name_it(error, &spec.shown(), &typed(option)))?
                };
                args.options[at].push(arg);
            }
            Slot::One | Slot::Many => whole = false,
        }
    }
    let options = || spec.usage.options.iter().zip(&given);
    let excluded = |option: &Flag| spec.either.iter().any(|name| option.long.as_ref() == Some(name));
    if options().filter(|(option, given)| **given && excluded(option)).count() > 1 {
        let names: Vec<String> = spec.either.iter().map(|name| format!("--{name}")).collect();
        return Err(Error::refused(format!("{} takes one of {}", spec.shown(), names.join(", "))));
    }
    for (option, given) in options() {
        if option.required && !given {
            let kind = spec.kind(option.value.as_deref().unwrap_or_default());
            let wanted = wanted(spec, typed(option).into(), kind, Vec::new());
            let error = Error::refused(format!("{} of {} is missing", typed(option), spec.shown()))
                .help(format!("usage: {}", spec.usage_line()));
            return Err(error.wants(Wanted { option: Some(typed(option).into()), ..wanted }));
        }
    }
    Ok(whole)
}

fn cast(spec: &Spec, at: usize, given: Given) -> Result<Arg, Error> {
    let param = &spec.usage.params[at];
    if param.literals.is_empty() {
        return spec.kind(&param.name).cast(given).map_err(|error| name_it(error, &spec.shown(), &param.name));
    }
    Kind::OneOf(param.literals.clone()).cast(given).map_err(|error| name_it(error, &spec.shown(), &param.name))
}

fn name_it(error: Error, command: &str, param: &str) -> Error {
    let named = Error::refused(format!("{param} of {command}: {}", error.message()));
    match error.help_text() {
        Some(help) => named.help(help),
        None => named,
    }
}

/// What a line lacks, as it could be asked for.
fn wanted(spec: &Spec, name: EcoString, kind: &Kind, literals: Vec<EcoString>) -> Wanted {
    let one_of = if let Kind::OneOf(texts) = kind { texts.clone() } else { literals };
    let secret = matches!(kind, Kind::Secret);
    Wanted { command: spec.shown(), name, option: None, many: false, secret, one_of }
}

/// The parameter of each word. Required parameters come first; what is over goes to the optional ones from the left.
fn places(spec: &Spec, count: usize, filled: bool) -> Result<Vec<usize>, Error> {
    // the words after `xargs` are a command's, and became a block
    let params: &[Param] = if spec.takes_command { &[] } else { &spec.usage.params };
    let fills = spec.fills.as_ref().filter(|fill| fill.must).map(|fill| fill.param);
    let must = |at: usize, param: &Param| param.required || fills == Some(at);
    let needed = params.iter().enumerate().filter(|(at, param)| must(*at, param)).count();
    let absent = spec.fills.as_ref().map(|fill| fill.param).filter(|_| filled && count < needed);
    let takes = |at: usize, param: &Param| must(at, param) && Some(at) != absent;
    let needed = needed - usize::from(absent.is_some_and(|at| must(at, &params[at])));
    if count < needed {
        let missing = params.iter().enumerate().filter(|(at, param)| takes(*at, param)).nth(count);
        let name = missing.map_or("a word", |(_, param)| param.name.as_str());
        let error = Error::refused(format!("{name} of {} is missing", spec.shown()))
            .help(format!("usage: {}", spec.usage_line()));
        let Some((_, param)) = missing else { return Err(error) };
        let wanted = wanted(spec, param.name.clone(), spec.kind(&param.name), param.literals.clone());
        return Err(error.wants(Wanted { many: param.many, ..wanted }));
    }
    let mut over = count - needed;
    let mut places = Vec::with_capacity(count);
    for (at, param) in params.iter().enumerate() {
        if Some(at) == absent {
            continue;
        }
        let mut takes = usize::from(takes(at, param));
        if param.many {
            takes += over;
            over = 0;
        } else if takes == 0 && over > 0 {
            takes = 1;
            over -= 1;
        }
        places.extend(std::iter::repeat_n(at, takes));
    }
    if over > 0 {
        let bound = match count - over {
            0 => "no words".to_owned(),
            1 => "1 word at most".to_owned(),
            several => format!("{several} words at most"),
        };
        return Err(
            Error::refused(format!("{} takes {bound}", spec.shown())).help(format!("usage: {}", spec.usage_line()))
        );
    }
    Ok(places)
}

/// The arguments with the incoming value put where its parameter was left out.
pub fn fill(spec: &Spec, args: &mut Args, incoming: &crate::Value) -> Result<(), Error> {
    use crate::Value;
    use crate::args::How;

    let Some(fill) = &spec.fills else { return Ok(()) };
    if args.params.get(fill.param).is_none_or(|given| !given.is_empty()) {
        return Ok(());
    }
    let name: EcoString = spec.usage.params[fill.param].name.clone();
    let value = match (&fill.field, incoming) {
        (Some(field), Value::Record(record)) => match record.get(field) {
            Some(value) => value.clone(),
            None if !fill.must => return Ok(()),
            None => {
                return Err(Error::failed(format!(
                    "{name} of {} is missing: the incoming record has no {field}",
                    spec.shown()
                )));
            }
        },
        (Some(_) | None, value) => value.clone(),
    };
    let arg = cast(spec, fill.param, Given::one(value, How::Computed).labelled(args.input.clone()))
        .map_err(|error| error.as_kind(crate::ErrorKind::Failed))?;
    args.params[fill.param].push(arg);
    Ok(())
}
