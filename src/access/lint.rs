//! What is probably wrong with a rule that can be read: it names what is not there, or guards less, or gives more, than
//! whoever wrote it thinks.

use ecow::EcoString;
use pipit_commands::bind::nearest;
use pipit_commands::{Command, Error, Kind, Spec};
use pipit_grammar::rule::{
    Atom, Cond, Effect, Kind as Says, Literal, Rule, Single, Subject, Target, Test, Values, compile_pattern,
};

/// Looks at a rule about these commands: an error says what is not there, so that the rule would never hold; the rest is
/// advice.
pub(crate) fn lint(rule: &Rule, commands: &[&Command]) -> Result<Vec<String>, Error> {
    let atoms: Vec<&Atom> = rule.with.iter().flat_map(Cond::atoms).collect();
    if let Target::Command { .. } | Target::Bundle(_) = rule.target {
        for atom in &atoms {
            is_there(atom, commands)?;
        }
    }
    if let Some(replaced) = &rule.replaces
        && !commands.iter().any(|command| own_rules(command).contains(replaced))
    {
        let known: Vec<EcoString> = commands.iter().flat_map(|command| own_rules(command)).collect();
        let known: Vec<&str> = known.iter().map(EcoString::as_str).collect();
        return Err(Error::failed(format!("{} has no rule '{replaced}', so the rule is not made", rule.target))
            .help(format!("it has {}", known.join("; "))));
    }
    let mut advice: Vec<String> = Vec::new();
    for atom in atoms {
        advice.extend(strength(rule, atom, commands));
        advice.extend(never(atom, commands));
    }
    advice.dedup();
    Ok(advice)
}

/// The rules that a command brings, from their target on.
fn own_rules(command: &Command) -> Vec<EcoString> {
    let rules = command.spec().rules.iter();
    rules.filter_map(|rule| pipit_grammar::rule::parse_rule(rule).ok()).map(|rule| rule.from_target()).collect()
}

/// An option or an argument that none of the commands has.
fn is_there(atom: &Atom, commands: &[&Command]) -> Result<(), Error> {
    let all = || commands.iter().map(|command| command.exact().as_str()).collect::<Vec<_>>().join(", ");
    match &atom.subject {
        Subject::One(Single::Option(name))
        | Subject::Any(Values::Option(name))
        | Subject::All(Values::Option(name)) => {
            let named = |command: &Command| command.spec().usage.options.iter().any(|option| option.key() == *name);
            if commands.iter().any(|command| named(command)) {
                return Ok(());
            }
            let options = || commands.iter().flat_map(|command| &command.spec().usage.options);
            // a rule sees an option by one name alone
            let short = options().find(|option| option.short.is_some_and(|short| *name == short.to_string().as_str()));
            let keys: Vec<EcoString> = options().map(pipit_grammar::usage::Flag::key).collect();
            let near = short.map(pipit_grammar::usage::Flag::key);
            let near = near.or_else(|| nearest(name, keys.iter().map(EcoString::as_str)).map(EcoString::from));
            let error = Error::failed(format!("{} has no option {name}, so the rule is not made", all()));
            Err(match near {
                Some(near) => error.help(format!("did you mean option[{near}]?")),
                None if keys.is_empty() => error.help("it has no options at all"),
                None => error.help(format!("it has {}", keys.join(", "))),
            })
        }
        Subject::One(Single::Arg(at)) => {
            let many = |spec: &Spec| spec.usage.params.iter().any(|param| param.many);
            let most = |spec: &Spec| if many(spec) { usize::MAX } else { spec.usage.params.len() };
            let most = commands.iter().map(|command| most(command.spec())).max().unwrap_or(0);
            if usize::from(*at) < most {
                return Ok(());
            }
            Err(Error::failed(format!("{} never has an arg[{at}], so the rule is not made", all()))
                .help(format!("the first word is arg[0], and {most} is how many there are at most")))
        }
        Subject::Any(Values::Args | Values::Options | Values::Stdin)
        | Subject::All(Values::Args | Values::Options | Values::Stdin) => Ok(()),
    }
}

/// Patterns that grant too much or guard too little.
fn strength(rule: &Rule, atom: &Atom, commands: &[&Command]) -> Option<String> {
    let restricts = match &rule.kind {
        Says::When(Effect::Allow) => false,
        Says::When(Effect::MustHave(_) | Effect::Require(_)) | Says::Guard(_) | Says::Forbid { .. } => true,
    };
    let kinds = kinds(atom, commands);
    let choices = || !kinds.is_empty() && kinds.iter().all(|kind| matches!(kind, Kind::OneOf(_) | Kind::Bool));
    let searches = match &atom.test {
        Test::Contains(_) => true,
        Test::Compare(_, Literal::Pattern(typed)) => compile_pattern(typed, false).is_ok(),
        Test::In(literals) => literals.iter().any(|literal| matches!(literal, Literal::Pattern(_))),
        Test::Compare(..) | Test::Matches(_) | Test::Missing | Test::Present | Test::Tainted => false,
    };
    if searches && !restricts {
        return Some(format!(
            "{atom} finds its pattern anywhere in the text, so it allows more than it seems to; matches takes the whole text"
        ));
    }
    if matches!(atom.test, Test::Matches(_)) && restricts && !choices() {
        return Some(format!(
            "{atom} guards only what has exactly that form; who writes it otherwise is not asked. contains guards more, and \
             a list of choices most"
        ));
    }
    None
}

/// A comparison with a value of a type that is never there.
fn never(atom: &Atom, commands: &[&Command]) -> Option<String> {
    let literals = match &atom.test {
        Test::Compare(_, literal) => std::slice::from_ref(literal),
        Test::In(literals) => literals,
        Test::Matches(_) | Test::Contains(_) | Test::Missing | Test::Present | Test::Tainted => return None,
    };
    let kinds = kinds(atom, commands);
    let text = |kind: &Kind| matches!(kind, Kind::Text | Kind::OneOf(_) | Kind::Matching(_) | Kind::Check(_));
    let number = |kind: &Kind| matches!(kind, Kind::Int(..) | Kind::Float | Kind::Time);
    let bool = |kind: &Kind| matches!(kind, Kind::Bool);
    let fits = |literal: &Literal, kind: &Kind| match (literal, kind) {
        (Literal::Text(text), Kind::OneOf(choices)) => choices.contains(text),
        (Literal::Pattern(_) | Literal::Text(_), kind) => !number(kind) && !bool(kind),
        (Literal::Number(_), kind) => !text(kind) && !bool(kind),
        (Literal::Bool(_), kind) => !text(kind) && !number(kind),
    };
    let wrong = literals.iter().find(|literal| !kinds.is_empty() && !kinds.iter().any(|kind| fits(literal, kind)))?;
    Some(format!("{atom}: the value is never {wrong}, which is of another type or no choice, so this never holds"))
}

/// The types of what a test looks at, one for each command that has it; none where that is not known.
fn kinds(atom: &Atom, commands: &[&Command]) -> Vec<Kind> {
    let of = |command: &&Command| {
        let spec = command.spec();
        match &atom.subject {
            Subject::One(Single::Option(name))
            | Subject::Any(Values::Option(name))
            | Subject::All(Values::Option(name)) => {
                let option = spec.usage.options.iter().find(|option| option.key() == *name)?;
                Some(option.value.as_ref().map_or(Kind::Bool, |value| spec.kind(value).clone()))
            }
            Subject::One(Single::Arg(at)) => {
                // where a word before another may be left out, a word's place does not tell its parameter
                let params = &spec.usage.params;
                let in_order = !params.iter().skip_while(|param| param.required).any(|param| param.required);
                let alone = !params.iter().take(usize::from(*at)).any(|param| param.many);
                let param =
                    params.get(usize::from(*at)).filter(|param| in_order && alone && param.literals.is_empty())?;
                Some(spec.kind(&param.name).clone())
            }
            Subject::Any(_) | Subject::All(_) => None,
        }
    };
    commands.iter().filter_map(of).collect()
}
