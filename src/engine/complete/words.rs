//! The words of a command: its options, their values, and what its parameters take.

use pipit_commands::bind::typed;
use pipit_commands::{Command, Kind, Noun, Spec};
use pipit_grammar::ast::{Item, Part, Word};
use pipit_grammar::cursor::{Cursor, Open};

use super::{Asker, Choice, Completion, fitting};

/// What the words before say of the one that is being typed.
#[derive(Default)]
struct Before {
    /// The option whose value it is, by its place in the usage.
    value_of: Option<usize>,
    /// The options that are given.
    given: Vec<usize>,
    /// Whether `--` has ended the options.
    ended: bool,
    /// How many words are no options.
    words: usize,
    /// How many blocks there are.
    blocks: usize,
}

impl Before {
    fn of(spec: &Spec, items: &[Item]) -> Self {
        let mut before = Self::default();
        for item in items {
            match item {
                Item::Block(_) => before.blocks += 1,
                Item::Word(_) if before.value_of.take().is_some() => {}
                Item::Word(word) => before.word(spec, word),
            }
        }
        before
    }

    /// Whether a flag is given.
    fn has(&self, spec: &Spec, name: &str) -> bool {
        let options = self.given.iter().map(|at| &spec.usage.options[*at]);
        { options }.any(|option| option.long.as_deref() == Some(name) && option.value.is_none())
    }

    fn word(&mut self, spec: &Spec, word: &Word) {
        let Some(Part::Text { text, quoted: false }) = word.parts.first() else { return self.words += 1 };
        let number = text.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        if self.ended || !text.starts_with('-') || text == "-" || number {
            return self.words += 1;
        }
        if text == "--" {
            self.ended = true;
            return;
        }
        let options = &spec.usage.options;
        let wants = |at: usize| options[at].value.is_some();
        if let Some(long) = text.strip_prefix("--") {
            let (name, value) = long.split_once('=').map_or((long, false), |(name, _)| (name, true));
            let at = options.iter().position(|option| option.long.as_deref() == Some(name));
            self.given.extend(at);
            self.value_of = at.filter(|at| !value && wants(*at));
            return;
        }
        let letters: Vec<char> = text.chars().skip(1).collect();
        for (place, letter) in letters.iter().enumerate() {
            let Some(at) = options.iter().position(|option| option.short == Some(*letter)) else { return };
            self.given.push(at);
            if wants(at) {
                self.value_of = (place + 1 == letters.len()).then_some(at);
                return;
            }
        }
    }
}

impl Asker<'_> {
    /// What could stand behind these words and blocks of a command.
    pub(super) fn word(
        &self,
        line: &str,
        place: &Cursor<'_>,
        command: &Command,
        items: &[Item],
        at: usize,
    ) -> Completion {
        let spec = command.spec();
        let before = Before::of(spec, items);
        let (start, quote) = place.quote.map_or((place.start, None), |open| (open.start, Some(open)));
        let found = |start: usize, choices: Vec<Choice>| Completion { start, end: place.end, choices };
        // a room's own things
        let shared = spec.bundle == "our" || before.has(spec, "room");
        if let Some(option) = before.value_of {
            let name = spec.usage.options[option].value.as_deref().unwrap_or_default();
            return found(start, self.values(spec, name, place, &line[start..at], quote, shared));
        }
        let dash = place.typed.starts_with('-') && !before.ended;
        if dash && let Some((name, _)) = place.typed.split_once('=') {
            let option = spec.usage.options.iter().find(|option| typed(option) == name);
            let Some(value) = option.and_then(|option| option.value.as_deref()) else {
                return found(start, Vec::new());
            };
            let start = quote.map_or(place.start + name.len() + 1, |open| open.start);
            return found(start, self.values(spec, value, place, &line[start..at], quote, shared));
        }
        let options = if quote.is_none() && !before.ended { options(spec, &before) } else { Vec::new() };
        if dash {
            return found(start, fitting(options, place.typed));
        }
        let params = &spec.usage.params;
        let last = params.last().filter(|last| last.many);
        let mut choices = Vec::new();
        if let Some(param) = params.get(before.words).or(last) {
            if param.name == "LINE"
                && let Some(open) = quote
            {
                return self.line_in_quotes(line, open, at);
            }
            if spec.noun(&param.name) == Some(Noun::Command) && param.many && quote.is_none() {
                return self.whole_name(place, items);
            }
            let word = &line[start..at];
            choices = if param.literals.is_empty() {
                self.values(spec, &param.name, place, word, quote, shared)
            } else {
                let literals = param.literals.iter().map(|text| Choice::new("value", text.as_str(), ""));
                fitting(literals.collect(), word)
            };
        }
        if place.typed.is_empty() {
            if spec.usage.blocks.len() > before.blocks {
                choices.push(Choice::new("block", "{", "a block: a line that it runs"));
            }
            choices.extend(options);
        }
        found(start, choices)
    }

    /// What a parameter or an option's value could be.
    fn values(
        &self,
        spec: &Spec,
        name: &str,
        place: &Cursor<'_>,
        begun: &str,
        quote: Option<Open>,
        shared: bool,
    ) -> Vec<Choice> {
        let kind = spec.kind(name);
        let choices: Vec<Choice> = if let Kind::OneOf(choices) = kind {
            choices.iter().map(|text| Choice::new("value", text.as_str(), "")).collect()
        } else if matches!(kind, Kind::Bool) {
            ["true", "false"].map(|text| Choice::new("value", text, "")).into()
        } else {
            match spec.noun(name) {
                Some(Noun::Field) => self.incoming(&place.around).unwrap_or_default(),
                Some(noun) => self.named(noun, shared),
                None => Vec::new(),
            }
        };
        let written = choices.into_iter().filter(|choice| choice.text.starts_with(begun)).filter_map(|choice| {
            let text = written(&choice.text, quote)?;
            Some(Choice { text, ..choice })
        });
        written.collect()
    }

    /// The line of an alias, which stands in quotes.
    fn line_in_quotes(&self, line: &str, open: Open, at: usize) -> Completion {
        let inside = &line[open.start..];
        let inside = &inside[..inside.find(open.mark).unwrap_or(inside.len())];
        let mut inner = self.complete(inside, at - open.start);
        inner.start += open.start;
        inner.end += open.start;
        inner.choices.retain(|choice| !choice.text.contains(open.mark));
        inner
    }

    /// The name of a command whose first words may be there.
    fn whole_name(&self, place: &Cursor<'_>, items: &[Item]) -> Completion {
        let words = items.iter().map(|item| match item {
            Item::Word(word) => word.bare().unwrap_or_default(),
            Item::Block(_) => "",
        });
        let before: String = words.flat_map(|word| [word, " "]).collect();
        let choices = self.all_names(&format!("{before}{}", place.typed)).into_iter();
        let rest = choices.filter_map(|choice| {
            let text = choice.text.strip_prefix(&before)?.to_owned();
            Some(Choice { text, ..choice })
        });
        Completion { start: place.start, end: place.end, choices: rest.collect() }
    }
}

/// The options that can still be given.
fn options(spec: &Spec, before: &Before) -> Vec<Choice> {
    let open = spec.usage.options.iter().enumerate().filter(|(at, option)| option.many || !before.given.contains(at));
    open.map(|(_, option)| match &option.value {
        None => Choice::new("option", typed(option), ""),
        Some(value) => {
            let name = typed(option);
            let about = match spec.kind(value) {
                Kind::OneOf(choices) => format!("{value}: {}", choices.join(", ")),
                _ => value.to_string(),
            };
            let equals = if name.starts_with("--") { "=" } else { "" };
            Choice::new("option", format!("{name}{equals}"), about)
        }
    })
    .collect()
}

/// A text as it is written in a line, inside the quote that is open there; none when it cannot stand in it.
fn written(text: &str, quote: Option<Open>) -> Option<String> {
    let escaped = || text.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$");
    let plain = |c: char| c.is_alphanumeric() || "._-:/#@+%,".contains(c);
    match quote.map(|open| open.mark) {
        Some('"') => Some(escaped()),
        Some(_) => (!text.contains('\'')).then(|| text.to_owned()),
        None if !text.is_empty() && !text.starts_with('-') && text.chars().all(plain) => Some(text.to_owned()),
        None if text.contains('\'') => Some(format!("\"{}\"", escaped())),
        None => Some(format!("'{text}'")),
    }
}
