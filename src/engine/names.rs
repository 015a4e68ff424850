//! What a name stands for: a command of a family or of an enabled bundle, or an alias of the caller or of the site.

use std::collections::HashMap;
use std::sync::Arc;

use ecow::EcoString;
use pipit_commands::bind::nearest;
use pipit_commands::{Command, Error, built_ins};
use pipit_grammar::ast::{Item, Line, Part, Stage};

use super::recall::recall;

use super::alias::{Alias, Layers, Scope};

/// How many words a command's name may have.
const WORDS: usize = 6;

/// Every command that is there. Made anew when a bundle is enabled or disabled; cheap to share.
#[derive(Debug, Default)]
pub(crate) struct Catalogue {
    exact: HashMap<EcoString, Command>,
    bare: HashMap<EcoString, Vec<Command>>,
    all: Vec<Command>,
}

impl Catalogue {
    /// The built-ins and the commands of the enabled bundles.
    pub(crate) fn new(bundles: impl IntoIterator<Item = Command>) -> Self {
        let mut catalogue = Self::default();
        for command in built_ins().into_iter().chain(bundles) {
            let spec = command.spec();
            for name in std::iter::once(&spec.name).chain(&spec.also) {
                catalogue.exact.insert(format!("{}:{name}", spec.bundle).into(), command.clone());
                catalogue.bare.entry(name.clone()).or_default().push(command.clone());
            }
            catalogue.all.push(command);
        }
        catalogue
    }

    /// Every command, built-ins first.
    pub(crate) fn all(&self) -> &[Command] {
        &self.all
    }

    /// The command of an exact name.
    pub(crate) fn exact(&self, name: &str) -> Option<&Command> {
        self.exact.get(name)
    }

    /// What a bare name may be: the built-in alone if there is one, else every bundle's.
    pub(crate) fn bare(&self, name: &str) -> &[Command] {
        let all = self.bare.get(name).map_or(&[][..], Vec::as_slice);
        // a built-in that does something to values always has its bare name; `list` of `bundle list` gives way
        let value = all.iter().position(|command| command.spec().built_in && !needs_noun(command));
        match value {
            Some(at) => &all[at..=at],
            None if all.iter().all(needs_noun) => &[],
            None => all,
        }
    }

    /// Whether a command answers to the bare name, so that no alias may take it.
    pub(crate) fn takes(&self, name: &str) -> bool {
        !self.bare(name).is_empty()
    }
}

/// Whether a built-in is one verb of a noun (`user create`), which is never run by the verb alone.
fn needs_noun(command: &Command) -> bool {
    command.spec().needs_noun()
}

/// Names of other shells, and what to write here.
const HABITS: &[(&str, &str)] = &[
    ("ls", "there are no files here; help shows the commands, alias list and keep list what you have"),
    ("dir", "there are no files here; help shows the commands"),
    ("cd", "there are no folders here; whoami says where you are"),
    ("pwd", "there are no folders here; whoami says where you are"),
    ("man", "write help NAME"),
    ("exit", "in a room there is nothing to end"),
    ("quit", "in a room there is nothing to end"),
    ("logout", "in a room there is nothing to end"),
    ("wc", "write count, with --lines, --words or --chars"),
    ("awk", "select takes fields, words and split take texts apart, render puts them together"),
    ("cut", "select takes fields, split takes texts apart"),
    ("tr", "write replace, upper or lower"),
    ("seq", "write range: range 1 4 gives 1 2 3"),
    ("date", "write now"),
    ("find", "write where or grep"),
    ("less", "write more"),
    ("sudo", "rules say who may what: why LINE tells"),
    ("su", "rules say who may what: why LINE tells"),
    ("env", "whoami says who and where you are"),
    ("curl", "write http get URL"),
    ("wget", "write http get URL"),
];

/// The names that one caller can use.
pub(crate) struct Names {
    pub(crate) commands: Arc<Catalogue>,
    /// The caller's aliases, the room's, the site's.
    pub(crate) aliases: Layers,
    /// The commands that the caller may run in any way, for suggestions.
    pub(crate) may: Arc<dyn Fn(&Command) -> bool + Send + Sync>,
    /// Whether a command that the caller may not run in any way is answered like one that is not there.
    pub(crate) hides: bool,
}

/// What a stage's name stands for.
pub(crate) enum Found {
    /// A command, and how many of the stage's items belong to its name.
    Command(Command, usize),
    Alias(Scope, Alias),
    /// A line of the caller's own, by what it is asked for with: `!!`, or what stands behind `history run`.
    Again(EcoString),
}

impl Names {
    /// What the name of a stage stands for.
    pub(crate) fn find(&self, stage: &Stage) -> Result<Found, Error> {
        let name = &stage.name;
        if let Some(which) = recall(stage) {
            return Ok(Found::Again(which));
        }
        let words: Vec<&str> = stage
            .items
            .iter()
            .map_while(|item| match item {
                Item::Word(word) => word.bare().filter(|word| pipit_grammar::ast::is_name(word)),
                Item::Block(_) => None,
            })
            .take(WORDS - 1)
            .collect();
        let command = self.command(&name.text, name.bundle(), &words);
        if let Some(Ok(Found::Command(command, _))) = &command
            && self.hides
            && !(self.may)(command)
        {
            return Err(self.missing(name.command(), name.bundle()));
        }
        command.unwrap_or_else(|| self.alias(name.command(), name.bundle()))
    }

    fn command(&self, name: &str, bundle: Option<&str>, words: &[&str]) -> Option<Result<Found, Error>> {
        let found = |command: &Command, taken| Some(Ok(Found::Command(command.clone(), taken)));
        if bundle.is_some() {
            for taken in (0..=words.len()).rev() {
                let exact = std::iter::once(name).chain(words[..taken].iter().copied()).collect::<Vec<_>>().join("-");
                if let Some(command) = self.commands.exact(&exact) {
                    return found(command, taken);
                }
            }
            return None;
        }
        let bare = self.commands.bare(name);
        let built_in = bare.first().filter(|command| command.spec().built_in);
        for taken in (1..=words.len()).rev() {
            let exact = format!("{name}:{}", words[..taken].join("-"));
            // `list sort` is the command list with a word, not list:sort
            if let Some(command) = self.commands.exact(&exact)
                && (built_in.is_none() || needs_noun(command))
            {
                return found(command, taken);
            }
        }
        match bare {
            [] => None,
            [command] => found(command, 0),
            several => {
                let names: Vec<&str> = several.iter().map(|command| command.exact().as_str()).collect();
                Some(Err(Error::refused(format!("{name} may be one of several commands"))
                    .help(format!("write one of {}", names.join(", ")))))
            }
        }
    }

    fn alias(&self, name: &str, bundle: Option<&str>) -> Result<Found, Error> {
        if bundle.is_none()
            && let Some((scope, alias)) = self.aliases.find(name)
        {
            return Ok(Found::Alias(scope, alias.clone()));
        }
        Err(self.missing(name, bundle))
    }

    /// An error that names only what the caller may run.
    pub(super) fn missing(&self, name: &str, bundle: Option<&str>) -> Error {
        let whole = bundle.map_or_else(|| name.to_owned(), |bundle| format!("{bundle}:{name}"));
        let error = Error::refused(format!("there is no command {whole}"));
        let known = self.commands.all().iter().filter(|command| (self.may)(command));
        let mut names: Vec<String> = known
            .flat_map(|command| {
                let spec = command.spec();
                let exact = command.exact().to_string();
                if bundle.is_some() {
                    return vec![exact];
                }
                if needs_noun(command) {
                    return vec![format!("{} {}", spec.bundle, spec.name)];
                }
                std::iter::once(&spec.name).chain(&spec.also).map(ToString::to_string).collect()
            })
            .collect();
        names.extend(self.aliases.all().map(|(_, name, _)| name.to_string()));
        // a noun alone, or with a verb that it does not have
        let verbs: Vec<&str> = names.iter().filter_map(|name| name.strip_prefix(&whole)?.strip_prefix(' ')).collect();
        if !verbs.is_empty() {
            return Error::refused(format!("{whole} takes one of its verbs"))
                .help(format!("{whole} {}", verbs.join("|")));
        }
        if let Some((_, now)) = HABITS.iter().find(|(habit, _)| *habit == whole) {
            return error.help(*now);
        }
        match nearest(&whole, names.iter().map(String::as_str)) {
            Some(near) => error.help(format!("did you mean {near}?")),
            None => error.help("help shows the commands that you may run"),
        }
    }
}

/// Every part of every word of a line, in blocks and substitutions too.
pub(super) fn each_part(line: &Line, f: &mut dyn FnMut(&Part)) {
    for stage in line.pipelines().flat_map(|pipeline| &pipeline.stages) {
        for item in &stage.items {
            match item {
                Item::Word(word) => {
                    for part in &word.parts {
                        f(part);
                        if let Part::Substitution { line, .. } = part {
                            each_part(line, f);
                        }
                    }
                }
                Item::Block(block) => each_part(&block.line, f),
            }
        }
    }
}

/// The name of every stage of a line, in blocks and substitutions too; the word after `xargs` is a name as well.
pub(super) fn each_name(line: &Line, f: &mut dyn FnMut(&str)) {
    for stage in line.pipelines().flat_map(|pipeline| &pipeline.stages) {
        f(&stage.name.text);
        if stage.name.command() == "xargs"
            && let Some(Item::Word(word)) = stage.items.first()
            && let Some(name) = word.bare()
        {
            f(name);
        }
        for item in &stage.items {
            match item {
                Item::Word(word) => {
                    for part in &word.parts {
                        if let Part::Substitution { line, .. } = part {
                            each_name(line, f);
                        }
                    }
                }
                Item::Block(block) => each_name(&block.line, f),
            }
        }
    }
}
