//! Lines of the caller's own, said once more: `!!`, `history run ID`, `history run 2`. Each is read, judged and written
//! down anew.

use std::collections::HashMap;

use ecow::EcoString;
use pipit_commands::Error;
use pipit_grammar::ast::{Item, Line, Part, Stage};

use super::names::each_name;
use super::withheld::is_gone_from;
use super::{Engine, unavailable};
use crate::access::Identity;
use crate::audit::{Filter, Whose};

/// How many of the caller's lines are looked through.
const SEARCHED: usize = 10_000;

/// The name of the caller's last line.
pub(super) const LAST: &str = "!!";

/// Lines of the caller's own, by what they are asked for with.
pub(crate) type Recalled = HashMap<EcoString, Line>;

/// Which line of the caller's own a stage asks for: `!!`, `history run ID`, `history run 2`.
pub(super) fn recall(stage: &Stage) -> Option<EcoString> {
    if stage.name.text == LAST {
        return Some(LAST.into());
    }
    let [Item::Word(verb), Item::Word(which)] = stage.items.as_slice() else { return None };
    let asks = matches!(stage.name.text.as_str(), "history" | "shell:history") && verb.bare() == Some("run");
    let which = which.bare().filter(|which| asks && which.bytes().all(|byte| byte.is_ascii_alphanumeric()))?;
    let is_count = which.len() <= 3 && which.bytes().all(|byte| byte.is_ascii_digit());
    // the id of a line; anything else is searched for
    (is_count || which.len() == 8).then(|| which.to_ascii_uppercase().into())
}

/// The lines of the caller's own that a line asks for, in blocks and substitutions too.
pub(super) fn recalls(line: &Line) -> Vec<EcoString> {
    let mut found = Vec::new();
    each_stage(line, &mut |stage| found.extend(recall(stage)));
    // the word after `xargs` is a name as well
    each_name(line, &mut |name| found.extend((name == LAST).then(|| EcoString::from(LAST))));
    found.sort();
    found.dedup();
    found
}

/// Every stage of a line, in blocks and substitutions too.
fn each_stage(line: &Line, f: &mut dyn FnMut(&Stage)) {
    for stage in line.pipelines().flat_map(|pipeline| &pipeline.stages) {
        f(stage);
        for item in &stage.items {
            match item {
                Item::Word(word) => {
                    for part in &word.parts {
                        if let Part::Substitution { line, .. } = part {
                            each_stage(line, f);
                        }
                    }
                }
                Item::Block(block) => each_stage(&block.line, f),
            }
        }
    }
}

impl Engine {
    /// The caller's own lines that a line asks for: `!!` and `history run ID`. What a stranger calls themselves may be
    /// another's tomorrow, so strangers have no lines of their own.
    pub(super) async fn recalled(
        &self,
        line: &Line,
        identity: &Identity,
        who: &str,
        this: &str,
    ) -> Result<Recalled, Error> {
        let wanted = recalls(line);
        if wanted.is_empty() || matches!(identity, Identity::Stranger(_)) {
            return Ok(Recalled::default());
        }
        let most = if wanted.iter().all(|name| name == LAST) { 20 } else { SEARCHED };
        let filter = Filter { who: Some(Whose::Person(who.to_owned())), limit: most, ..Filter::default() };
        let lines = self.0.audit.list(filter).await.map_err(unavailable)?;
        let before: Vec<_> = lines.into_iter().filter(|line| line.ticket != this).collect();
        let mut found = Recalled::default();
        for name in wanted {
            let asked = if name == LAST {
                before.iter().find(|line| is_gone_from(&line.text) || readable(&line.text).is_some())
            } else if let Ok(back) = name.parse::<usize>() {
                back.checked_sub(1).and_then(|back| before.get(back))
            } else {
                before.iter().find(|line| line.ticket.eq_ignore_ascii_case(&name))
            };
            let Some(asked) = asked else { continue };
            if is_gone_from(&asked.text) {
                return Err(Error::refused("a secret stood in that line and was not kept, so it cannot run again")
                    .help("say it anew, without the secret if you can"));
            }
            found.extend(readable(&asked.text).map(|line| (name, line)));
        }
        Ok(found)
    }
}

/// A line of before as a tree. One that asks for others would be another one now.
fn readable(text: &str) -> Option<Line> {
    pipit_grammar::parse(text).ok().filter(|line| recalls(line).is_empty())
}
