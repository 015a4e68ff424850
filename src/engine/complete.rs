//! What could stand where somebody is typing: names, options, values, fields, places. Only what the caller may run and
//! see, so that completion tells nobody more than `help` would.
//!
//! Deliberately absent: running anything. What cannot be known from the line and from what is kept is not offered.

use ecow::EcoString;
use pipit_commands::{Command, Error};
use pipit_grammar::ast::{self, Item, Line};
use pipit_grammar::cursor::{Cursor, Within, cursor};
use pipit_grammar::rule::{Place, Via};

use super::Engine;
use super::names::{Found, Names};
use super::room::RoomId;
use super::serve::typed;
use super::world::World;
use crate::access::{Identity, Subject};
use crate::limits;

mod fields;
mod nouns;
mod words;

/// What could stand at a place of a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Completion {
    /// What a choice takes the place of, in bytes of the line.
    pub(crate) start: usize,
    /// The byte behind it.
    pub(crate) end: usize,
    /// The choices, the likeliest kind first.
    pub(crate) choices: Vec<Choice>,
}

/// A text that could stand there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// The text as it is written in the line.
    pub(crate) text: String,
    /// What it is; may be empty.
    pub(crate) about: String,
    /// `command`, `alias`, `option`, `value`, `field`, `place`, or the noun that it is.
    pub(crate) kind: &'static str,
}

impl Choice {
    fn new(kind: &'static str, text: impl Into<String>, about: impl Into<String>) -> Self {
        Self { text: text.into(), about: about.into(), kind }
    }

    /// Whether the word goes on behind it: an option that wants its value.
    pub(crate) fn goes_on(&self) -> bool {
        self.text.ends_with('=')
    }
}

impl Engine {
    /// What could stand in a line at this byte, for somebody in a place.
    pub(crate) fn complete(
        &self,
        identity: &Identity,
        (service, place): (&str, &Place),
        line: &str,
        at: usize,
    ) -> Result<Completion, Error> {
        let world = self.world()?;
        let subject = world.policy.subject(identity)?;
        let context = world.context(service, place, Via::Chat, super::now());
        let room = RoomId::of(service, place);
        let names = Self::names(&world, &subject, &context);
        let asker = Asker { engine: self, world: &world, subject: &subject, names: &names, room };
        let mut completion = asker.complete(line, at);
        completion.choices.truncate(limits::CHOICES);
        Ok(completion)
    }
}

/// Whoever is typing.
struct Asker<'w> {
    engine: &'w Engine,
    world: &'w World,
    subject: &'w Subject,
    names: &'w Names,
    /// Where they type; a direct message is no room.
    room: Option<RoomId>,
}

impl Asker<'_> {
    fn complete(&self, line: &str, at: usize) -> Completion {
        let place = cursor(line, at);
        let (start, end) = place.quote.map_or((place.start, place.end), |open| (open.start, place.end));
        let at = line.floor_char_boundary(at);
        let completion = |start, choices| Completion { start, end, choices };
        let word = &line[start..at];
        if place.quote.is_none_or(|open| open.mark == '"')
            && let Some(field) = reference(word)
        {
            let choices = self.incoming(&place.around).unwrap_or_default();
            let choices = fitting(choices, &word[field..]);
            return Completion { start: start + field, end: at, choices };
        }
        let Some(around) = place.around.last() else { return completion(start, Vec::new()) };
        if around.redirect {
            return completion(start, fitting(self.places(), word));
        }
        if around.stage.is_empty() {
            let names = if place.quote.is_none() { self.all_names(word) } else { Vec::new() };
            return completion(start, names);
        }
        match pipit_grammar::parse(around.stage) {
            Ok(Line { first, rest }) if rest.is_empty() && first.stages.len() == 1 => {
                self.stage(line, &place, &first.stages[0], around.start, at)
            }
            Ok(_) | Err(_) => completion(start, Vec::new()),
        }
    }

    /// What could go on with a stage of which some words are there. `from` is where it begins.
    fn stage(&self, line: &str, place: &Cursor<'_>, stage: &ast::Stage, from: usize, at: usize) -> Completion {
        let several = self.several_words(place, stage);
        if !several.is_empty() {
            return Completion { start: from, end: place.end, choices: several };
        }
        let nothing = Completion { start: place.start, end: place.end, choices: Vec::new() };
        let Ok(Found::Command(command, taken)) = self.names.find(stage) else { return nothing };
        if !(self.names.may)(&command) {
            return nothing;
        }
        let items = &stage.items[taken..];
        if !command.spec().takes_command {
            return self.word(line, place, &command, items, at);
        }
        match items {
            [] => Completion { choices: self.all_names(place.typed), ..nothing },
            [Item::Word(first), rest @ ..] => {
                let Some(name) = first.bare().filter(|name| ast::is_name(name)) else { return nothing };
                let inner = ast::Stage {
                    name: ast::Name { text: name.into(), span: first.span },
                    items: rest.to_vec(),
                    span: first.span,
                };
                let from = from + usize::try_from(first.span.start).unwrap_or_default();
                self.stage(line, place, &inner, from, at)
            }
            [Item::Block(_), ..] => nothing,
        }
    }

    /// Names of which the first words are there.
    fn several_words(&self, place: &Cursor<'_>, stage: &ast::Stage) -> Vec<Choice> {
        if place.quote.is_some() {
            return Vec::new();
        }
        let words = stage.items.iter().map(|item| match item {
            Item::Word(word) => word.bare(),
            Item::Block(_) => None,
        });
        let Some(words) = words.collect::<Option<Vec<&str>>>() else { return Vec::new() };
        let words = [&[stage.name.text.as_str()], words.as_slice(), &[place.typed]].concat();
        self.all_names(&words.join(" "))
    }

    /// Every name that can begin a stage and begins like this.
    fn all_names(&self, begun: &str) -> Vec<Choice> {
        let mut choices = Vec::new();
        for command in self.runnable() {
            let spec = command.spec();
            let about = spec.about.as_str();
            let short = typed(self.world, command);
            let mut names = vec![short.clone()];
            if !begun.is_empty() && short == spec.name {
                names.extend(spec.also.iter().map(ToString::to_string));
            }
            if begun.contains(':') {
                names.push(command.exact().to_string());
            }
            if begun.contains(' ') && !spec.built_in {
                names.push(format!("{} {}", spec.bundle, spec.name.replace("-", " ")));
            }
            let fits = names.into_iter().filter(|name| name.starts_with(begun));
            choices.extend(fits.map(|name| Choice::new("command", name, about)));
        }
        let aliases = self.names.aliases.all();
        let aliases = aliases.filter(|(_, name, _)| name.starts_with(begun) && !self.names.commands.takes(name));
        choices.extend(aliases.map(|(_, name, alias)| Choice::new("alias", name.as_str(), alias.line.to_string())));
        choices.sort_by(|a, b| a.text.cmp(&b.text));
        choices.dedup_by(|a, b| a.text == b.text);
        choices
    }

    /// The commands that the caller may run in some way.
    fn runnable(&self) -> impl Iterator<Item = &Command> {
        self.world.catalogue.all().iter().filter(|command| (self.names.may)(command))
    }

    /// Whether the caller may run a built-in in some way.
    fn may(&self, exact: &str) -> bool {
        self.world.catalogue.exact(exact).is_some_and(|command| (self.names.may)(command))
    }

    fn owner(&self) -> Option<&EcoString> {
        self.subject.owner()
    }
}

/// Those that begin like this.
fn fitting(choices: Vec<Choice>, begun: &str) -> Vec<Choice> {
    choices.into_iter().filter(|choice| choice.text.starts_with(begun)).collect()
}

/// Where the field begins of a reference that ends the text: behind `$` or `${`.
fn reference(word: &str) -> Option<usize> {
    let dollar = word.rfind('$')?;
    let before = word[..dollar].bytes().rev().take_while(|byte| *byte == b'\\').count();
    let field = if word[dollar + 1..].starts_with('{') { dollar + 2 } else { dollar + 1 };
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    let rest = &word[field..];
    (before % 2 == 0 && rest.chars().all(plain) && !rest.starts_with(|c: char| c.is_ascii_digit())).then_some(field)
}

/// Whether the block that is being typed is the one that `try` runs when the other failed.
fn catches(stage: &str, within: Within) -> bool {
    let caught = |line: Line| {
        let stage = line.first.stages.first()?;
        let blocks = stage.items.iter().filter(|item| matches!(item, Item::Block(_))).count();
        (matches!(stage.name.text.as_str(), "try" | "control:try") && blocks == 1).then_some(())
    };
    within == Within::Block && pipit_grammar::parse(stage).ok().and_then(caught).is_some()
}
