//! Lines that give a secret away. Where somebody typed the value of a bundle's secret the line is neither run nor kept; what is
//! written down is that there was one. Where a token stands in any other line, known by its shape, the line runs, the token is
//! kept nowhere and shown nowhere, and whoever typed it is told.
//!
//! Deliberately absent: what a token looks like, and secrets that the shell knows; both are `scrub`'s.

use pipit_commands::Error;
use pipit_grammar::ast::{Item, Line, Part, Stage, Word};

use super::Engine;
use crate::bundle::install;
use crate::scrub::{self, shapes};

/// What is written down in place of such a line.
pub(super) const TEXT: &str = "(a line that gave a secret away; it was not kept)";

/// What whoever typed it is told.
pub(super) fn refusal() -> Error {
    Error::failed("a secret never stands in a line: nothing of this one was kept here, but whoever was there has seen it, so change it")
        .help("on the shell's own machine: pipit secret set BUNDLE KEY")
}

/// Looks for tokens in what somebody typed: from now on they leave the shell no more. What there is to say of it, if there
/// was one.
pub(super) fn tokens(text: &str) -> Option<String> {
    let found = shapes::found(text);
    let mut kinds: Vec<&str> = found.iter().map(|(kind, _)| *kind).filter(|kind| *kind != shapes::LINK).collect();
    kinds.dedup();
    scrub::keep_typed(found.into_iter().map(|(kind, value)| (kind.to_owned(), value)));
    let said = match kinds.as_slice() {
        [] => return None,
        [one] => format!("what looks like a secret ({one}) stood in the line: it is kept nowhere here"),
        several => {
            format!("what looks like secrets ({}) stood in the line: they are kept nowhere here", several.join(", "))
        }
    };
    Some(format!("{said}, but whoever could read the line has seen it, so change it"))
}

/// Refuses to keep what is no use without a secret that stands in it.
pub(super) fn keeps_none(what: &str, text: &str) -> Result<(), Error> {
    if scrub::is_in(text) {
        return Err(Error::failed(format!("{what} keeps no secret, and one stands in it"))
            .help("a bundle's program gets its secrets by: pipit secret set BUNDLE KEY"));
    }
    Ok(())
}

/// Whether a secret stood in a text before it was written down.
pub(super) fn is_gone_from(text: &str) -> bool {
    text.contains("[secret ") || text == TEXT
}

/// Whether a line gives a secret away, and so is neither run nor kept.
pub(super) async fn is(engine: &Engine, text: &str) -> bool {
    let mut set = Vec::new();
    let away = gives_away(text, &mut |bundle, key| {
        set.push((bundle.to_owned(), key.to_owned()));
        false
    });
    for (bundle, key) in set {
        if let Ok((_, manifest)) = install::show(&engine.0.store, &engine.0.home, &bundle, None).await
            && manifest.setting(&key).is_some_and(|setting| setting.secret)
        {
            return true;
        }
    }
    away
}

/// The same, where `is_secret` says whether a bundle's setting is one; it is asked only for lines that set one.
fn gives_away(text: &str, is_secret: &mut dyn FnMut(&str, &str) -> bool) -> bool {
    // nearly every line says neither word
    if !text.contains("set") && !text.contains("rotate") {
        return false;
    }
    let Ok(line) = pipit_grammar::parse(text) else { return looks_so(text) };
    in_line(&line, is_secret)
}

/// A line that cannot be read still gives away what stands in it.
fn looks_so(text: &str) -> bool {
    let words: Vec<&str> = text.split([' ', '\t', '\n', ':', '|', '{', '(']).filter(|word| !word.is_empty()).collect();
    words.windows(2).any(|pair| matches!(pair, ["secret", "set" | "rotate"] | ["bundle", "set"]))
}

fn in_line(line: &Line, is_secret: &mut dyn FnMut(&str, &str) -> bool) -> bool {
    let rest = line.rest.iter().map(|(_, pipeline)| pipeline);
    std::iter::once(&line.first)
        .chain(rest)
        .any(|pipeline| pipeline.stages.iter().enumerate().any(|(at, stage)| in_stage(stage, at > 0, is_secret)))
}

/// `piped`: something flows into the stage that stands in the line.
fn in_stage(stage: &Stage, piped: bool, is_secret: &mut dyn FnMut(&str, &str) -> bool) -> bool {
    let within = stage.items.iter().any(|item| match item {
        Item::Block(block) => in_line(&block.line, is_secret),
        Item::Word(word) => word.parts.iter().any(|part| match part {
            Part::Substitution { line, .. } => in_line(line, is_secret),
            Part::Text { .. } | Part::Reference { .. } | Part::Percent { .. } | Part::Parameter { .. } => false,
        }),
    });
    within || sets(stage, piped, is_secret)
}

/// Whether the stage sets a secret by a word, or by what flows into it from another stage.
fn sets(stage: &Stage, piped: bool, is_secret: &mut dyn FnMut(&str, &str) -> bool) -> bool {
    let mut words = stage.items.iter().filter_map(|item| match item {
        Item::Word(word) => Some(word),
        Item::Block(_) => None,
    });
    let verb = match stage.name.text.as_str() {
        "secret:set" | "secret:rotate" | "bundle:set" => stage.name.text.to_string(),
        noun @ ("secret" | "bundle") => {
            format!("{noun}:{}", words.next().and_then(Word::bare).unwrap_or_default())
        }
        _ => return false,
    };
    let options = ["--room", "--user"];
    let mut given: Vec<Option<String>> = Vec::new();
    let mut skip = false;
    for word in words {
        let bare = word.bare();
        if std::mem::take(&mut skip)
            || bare.is_some_and(|bare| options.iter().any(|o| bare.starts_with(&format!("{o}="))))
        {
            continue;
        }
        if bare.is_some_and(|bare| options.contains(&bare)) {
            skip = true;
            continue;
        }
        given.push(word.literal().map(|text| text.to_string()));
    }
    let more = given.len() > 2 || piped;
    match verb.as_str() {
        "secret:set" | "secret:rotate" => more,
        "bundle:set" => match given.as_slice() {
            [Some(bundle), Some(key), ..] => more && is_secret(bundle, key),
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn lines_that_give_a_secret_away() {
        let gives = |text: &str| super::gives_away(text, &mut |bundle, key| (bundle, key) == ("aws", "TOKEN"));
        for line in [
            "secret set aws TOKEN hunter2",
            "secret:set aws TOKEN hunter2",
            "secret rotate aws TOKEN --room=#ops hunter2",
            "secret rotate aws TOKEN --room #ops hunter2",
            "echo hunter2 | secret set aws TOKEN",
            "echo hi && echo hunter2 | secret set aws TOKEN",
            "echo a | each { secret set aws TOKEN hunter2 }",
            "echo $(secret set aws TOKEN hunter2)",
            "secret set aws TOKEN 'hunter2",
            "secret set aws TOKEN hunter2 |",
            "bundle set aws TOKEN hunter2",
            "bundle:set aws TOKEN --user bob hunter2",
            "echo hunter2 | bundle set aws TOKEN",
            "bundle set aws TOKEN 'hunter2",
        ] {
            assert!(gives(line), "{line}");
        }
        for line in [
            "secret set aws TOKEN",
            "secret set aws TOKEN --room=#ops",
            "secret list",
            "bundle set aws REGION eu",
            "bundle set aws TOKEN",
            "echo secret set of tools",
            "list set secret | sort",
        ] {
            assert!(!gives(line), "{line}");
        }
    }
}
