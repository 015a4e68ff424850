//! The usage line: what a command takes, written as its help shows it.
//!
//! ```text
//! usage  = name { param | option | block }
//! param  = NAME | NAME… | word | word "|" word … | "[" param { param } "]" | "=" (a literal word)
//! option = "[" forms [ ( "=" | " " ) VALUE ] [ "…" ] "]"   in brackets it may be left out; without, it has a VALUE
//! forms  = "-s" | "--long" | "-s|--long"
//! block  = "{ … }" | "[{ … }]"
//! ```
//!
//! Names in capitals stand for what the caller writes, words in small letters for themselves. `...` is read as `…`,
//! and `[NAME]…` as `[NAME…]`. Deliberately absent: types, defaults and what fills a parameter. Those belong to whoever
//! owns the command; binding words to parameters is the shell's.

use std::collections::BTreeSet;
use std::fmt;

use ecow::EcoString;

use crate::{Span, SyntaxError};

/// The longest usage line, in bytes.
const LONGEST: usize = 4096;

/// What a command takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The command's name, without its bundle.
    pub name: EcoString,
    /// The words, in order. Only the last may be `many`.
    pub params: Vec<Param>,
    /// The options, in the order of the help.
    pub options: Vec<Flag>,
    /// The blocks, in order, the required ones first.
    pub blocks: Vec<BlockSlot>,
}

/// A word that the caller writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// `KEY`; for literal words as they stand there: `encode|decode`, `=`.
    pub name: EcoString,
    /// The words that it may be; empty when it may be any.
    pub literals: Vec<EcoString>,
    /// Whether it must be given.
    pub required: bool,
    /// Whether it takes all the words that are left.
    pub many: bool,
    /// Whether it stands in the brackets of the one before, as `VALUE` in `[= VALUE]`: given with it or not at all.
    pub joined: bool,
}

/// An option. It has a long form, a short form, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// `desc` for `--desc`.
    pub long: Option<EcoString>,
    /// `v` for `-v`.
    pub short: Option<char>,
    /// The name of its value; none for a flag that is only there or not.
    pub value: Option<EcoString>,
    /// Whether it must be given.
    pub required: bool,
    /// Whether it may be given several times.
    pub many: bool,
}

/// A block that the command runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockSlot {
    /// Whether it must be given.
    pub required: bool,
}

impl Usage {
    /// The option that is written `--name`.
    pub fn long(&self, name: &str) -> Option<&Flag> {
        self.options.iter().find(|flag| flag.long.as_deref() == Some(name))
    }

    /// The option that is written `-c`.
    pub fn short(&self, letter: char) -> Option<&Flag> {
        self.options.iter().find(|flag| flag.short == Some(letter))
    }

    /// The names that stand for what the caller writes, of parameters and of options' values. A value's name may come
    /// several times (`[-A N] [-B N]`).
    pub fn names(&self) -> impl Iterator<Item = &EcoString> {
        let params = self.params.iter().filter(|param| param.literals.is_empty()).map(|param| &param.name);
        params.chain(self.options.iter().filter_map(|flag| flag.value.as_ref()))
    }
}

impl Flag {
    /// What the option is known by: its long form, or the short one when it has no other.
    pub fn key(&self) -> EcoString {
        match (&self.long, self.short) {
            (Some(long), _) => long.clone(),
            (None, short) => short.into_iter().collect(),
        }
    }
}

/// Reads a usage line.
pub fn parse_usage(text: &str) -> Result<Usage, SyntaxError> {
    if text.len() > LONGEST {
        return Err(SyntaxError::new(
            format!("a usage line has at most {LONGEST} bytes"),
            Span::new(LONGEST, text.len()),
        ));
    }
    let tokens = tokens(text);
    let mut reader = Reader { text, tokens: &tokens, at: 0, names: BTreeSet::new() };
    let usage = reader.usage()?;
    Ok(usage)
}

/// A bracket, a brace, or a run of anything else without blanks.
#[derive(Clone, Copy)]
struct Token<'a> {
    text: &'a str,
    start: usize,
    /// Whether it touches the token before.
    glued: bool,
}

impl Token<'_> {
    fn span(self) -> Span {
        Span::new(self.start, self.start + self.text.len())
    }
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut start = None;
    let mut end = 0;
    let mut push = |start: usize, stop: usize| {
        if let Some(piece) = text.get(start..stop) {
            tokens.push(Token { text: piece, start, glued: start == end && start > 0 });
            end = stop;
        }
    };
    for (at, letter) in text.char_indices() {
        let mark = matches!(letter, '[' | ']' | '{' | '}');
        if mark || letter.is_whitespace() {
            if let Some(start) = start.take() {
                push(start, at);
            }
            if mark {
                push(at, at + 1);
            }
        } else if start.is_none() {
            start = Some(at);
        }
    }
    if let Some(start) = start {
        push(start, text.len());
    }
    tokens
}

struct Reader<'a> {
    text: &'a str,
    tokens: &'a [Token<'a>],
    at: usize,
    /// Parameters, and options with their dashes; each once.
    names: BTreeSet<EcoString>,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.at).copied()
    }

    fn sees(&self, text: &str) -> bool {
        self.peek().is_some_and(|token| token.text == text)
    }

    fn take(&mut self, text: &str) -> bool {
        let there = self.sees(text);
        self.at += usize::from(there);
        there
    }

    fn next(&mut self, wanted: &str) -> Result<Token<'a>, SyntaxError> {
        let token = self.peek().ok_or_else(|| self.missing(wanted))?;
        self.at += 1;
        Ok(token)
    }

    fn missing(&self, wanted: &str) -> SyntaxError {
        let (span, found) = match self.peek() {
            Some(token) => (token.span(), format!("'{}'", token.text)),
            None => (Span::new(self.text.len(), self.text.len()), "the end".to_owned()),
        };
        SyntaxError::new(format!("{wanted} is expected, not {found}"), span)
    }

    fn expect(&mut self, text: &str) -> Result<(), SyntaxError> {
        if self.take(text) { Ok(()) } else { Err(self.missing(&format!("'{text}'"))) }
    }

    fn usage(&mut self) -> Result<Usage, SyntaxError> {
        let first = self.next("the command's name")?;
        if !is_command(first.text) {
            let error = SyntaxError::new(format!("'{}' is no name of a command", first.text), first.span());
            return Err(error.help("a usage line begins with the command's name: letters, digits, - and _"));
        }
        let mut usage = Usage { name: first.text.into(), params: Vec::new(), options: Vec::new(), blocks: Vec::new() };
        while let Some(token) = self.peek() {
            match token.text {
                "[" => {
                    self.at += 1;
                    self.optional(&mut usage)?;
                    self.expect("]")?;
                    self.many_behind(&mut usage)?;
                }
                "{" => self.block(&mut usage, true)?,
                _ if is_option(token.text) => self.option(&mut usage, true)?,
                _ => self.param(&mut usage, true, false)?,
            }
        }
        self.check_values(&usage)?;
        Ok(usage)
    }

    /// What stands in brackets.
    fn optional(&mut self, usage: &mut Usage) -> Result<(), SyntaxError> {
        let first = self.peek().ok_or_else(|| self.missing("a parameter, an option or a block"))?;
        match first.text {
            "{" => self.block(usage, false),
            _ if is_option(first.text) => self.option(usage, false),
            _ => {
                self.param(usage, false, false)?;
                while !self.sees("]") && self.peek().is_some() {
                    self.param(usage, false, true)?;
                }
                Ok(())
            }
        }
    }

    /// `…` after the bracket of one parameter or option.
    fn many_behind(&mut self, usage: &mut Usage) -> Result<(), SyntaxError> {
        let Some(dots) = self.peek().filter(|token| token.glued && matches!(token.text, "…" | "...")) else {
            return Ok(());
        };
        // `[`, one token, `]` and the dots: only then is it clear what comes several times
        let alone = self.at.checked_sub(3).and_then(|at| self.tokens.get(at)).is_some_and(|token| token.text == "[");
        let inside = self.at.checked_sub(2).and_then(|at| self.tokens.get(at));
        match inside.filter(|_| alone) {
            Some(token) if is_option(token.text) => {
                if let Some(flag) = usage.options.last_mut() {
                    flag.many = true;
                }
            }
            Some(_) => {
                if let Some(param) = usage.params.last_mut() {
                    if !param.literals.is_empty() {
                        return Err(literal_many(dots));
                    }
                    param.many = true;
                }
            }
            None => return Err(SyntaxError::new("'…' follows one name", dots.span()).help("write it inside: [NAME…]")),
        }
        self.at += 1;
        Ok(())
    }

    fn block(&mut self, usage: &mut Usage, required: bool) -> Result<(), SyntaxError> {
        let start = self.next("'{'")?;
        let _ = self.take("…") || self.take("...");
        self.expect("}")?;
        if required && usage.blocks.last().is_some_and(|block| !block.required) {
            return Err(SyntaxError::new("a block that must be given follows one that may be left out", start.span()));
        }
        usage.blocks.push(BlockSlot { required });
        Ok(())
    }

    fn param(&mut self, usage: &mut Usage, required: bool, joined: bool) -> Result<(), SyntaxError> {
        let token = self.next("a parameter")?;
        if let Some(last) = usage.params.last().filter(|param| param.many) {
            let message = format!("'{}' takes all the words that are left, so nothing can follow it", last.name);
            return Err(SyntaxError::new(message, token.span()));
        }
        let (name, many) = without_dots(token.text);
        let literals = literals(name);
        if literals.is_empty() && !is_placeholder(name) {
            let error = SyntaxError::new(format!("'{}' is neither a parameter nor a word", token.text), token.span());
            return Err(error.help("a parameter is in capitals (NAME), a word that stands for itself in small letters"));
        }
        if many && !literals.is_empty() {
            return Err(literal_many(token));
        }
        self.once(name.into(), token)?;
        usage.params.push(Param { name: name.into(), literals, required, many, joined });
        Ok(())
    }

    fn option(&mut self, usage: &mut Usage, required: bool) -> Result<(), SyntaxError> {
        let token = self.next("an option")?;
        let (whole, mut many) = without_dots(token.text);
        let (forms, value) = match whole.split_once('=') {
            Some((forms, value)) => (forms, Some(value)),
            None => (whole, None),
        };
        let (short, long) = forms_of(forms).ok_or_else(|| {
            let error = SyntaxError::new(format!("'{forms}' is no option"), token.span());
            error.help("write -s, --long or -s|--long, and a value as --long=VALUE")
        })?;
        let mut value = value.map(|value| (value, token));
        if value.is_none()
            && !many
            && let Some(next) = self.peek().filter(|next| is_placeholder(without_dots(next.text).0))
        {
            self.at += 1;
            let (name, dots) = without_dots(next.text);
            value = Some((name, next));
            many = dots;
        }
        if let Some((name, place)) = value.filter(|(name, _)| !is_placeholder(name)) {
            let error = SyntaxError::new(format!("'{name}' is no name of a value"), place.span());
            return Err(error.help("a value's name is in capitals: --long=VALUE"));
        }
        if required && value.is_none() {
            let error = SyntaxError::new(format!("'{}' would always have to be given", token.text), token.span());
            return Err(error.help("put an option without a value in brackets"));
        }
        for form in forms.split('|') {
            self.once(form.into(), token)?;
        }
        let value = value.map(|(name, _)| name.into());
        usage.options.push(Flag { long, short, value, required, many });
        Ok(())
    }

    fn once(&mut self, name: EcoString, token: Token<'_>) -> Result<(), SyntaxError> {
        if self.names.contains(&name) {
            return Err(SyntaxError::new(format!("'{name}' comes twice"), token.span()));
        }
        self.names.insert(name);
        Ok(())
    }

    /// A parameter and an option's value of one name could not be told apart where names are used.
    fn check_values(&self, usage: &Usage) -> Result<(), SyntaxError> {
        let clash = usage.options.iter().filter_map(|flag| flag.value.as_ref()).find(|name| self.names.contains(*name));
        match clash {
            Some(name) => {
                let message = format!("'{name}' is a parameter and the value of an option");
                Err(SyntaxError::new(message, Span::new(0, self.text.len())))
            }
            None => Ok(()),
        }
    }
}

fn literal_many(token: Token<'_>) -> SyntaxError {
    SyntaxError::new("a word that stands for itself comes once", token.span())
}

fn without_dots(text: &str) -> (&str, bool) {
    match text.strip_suffix('…').or_else(|| text.strip_suffix("...")) {
        Some(name) => (name, true),
        None => (text, false),
    }
}

fn is_option(text: &str) -> bool {
    text.len() > 1 && text.starts_with('-')
}

fn is_command(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_ascii_alphabetic()) && text.chars().all(in_name)
}

fn in_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-')
}

fn is_placeholder(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_ascii_uppercase())
        && text
            .chars()
            .all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit() || matches!(letter, '_' | '-'))
}

/// `encode|decode` as its words, `=` as itself; nothing for anything else.
fn literals(text: &str) -> Vec<EcoString> {
    let word = |word: &str| {
        word.starts_with(|letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit())
            && word
                .chars()
                .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, '_' | '-'))
    };
    if text == "=" || text.split('|').all(word) { text.split('|').map(EcoString::from).collect() } else { Vec::new() }
}

fn forms_of(text: &str) -> Option<(Option<char>, Option<EcoString>)> {
    let short = |form: &str| {
        let mut letters = form.strip_prefix('-')?.chars();
        let letter = letters.next().filter(char::is_ascii_alphanumeric)?;
        letters.next().is_none().then_some(letter)
    };
    let long = |form: &str| {
        let name = form.strip_prefix("--")?;
        let fine = name.starts_with(|letter: char| letter.is_ascii_alphanumeric()) && name.chars().all(in_name);
        fine.then(|| EcoString::from(name))
    };
    match text.split_once('|') {
        Some((first, second)) => Some((Some(short(first)?), Some(long(second)?))),
        None if text.starts_with("--") => Some((None, Some(long(text)?))),
        None => Some((Some(short(text)?), None)),
    }
}

/// Name, words, blocks, options; values of long forms behind `=`, of short ones behind a blank.
impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        let mut params = self.params.iter().peekable();
        while let Some(param) = params.next() {
            write!(f, " {}{param}", if param.required || param.joined { "" } else { "[" })?;
            if !param.required && params.peek().is_none_or(|next| !next.joined) {
                f.write_str("]")?;
            }
        }
        for block in &self.blocks {
            f.write_str(if block.required { " { … }" } else { " [{ … }]" })?;
        }
        for flag in &self.options {
            if flag.required { write!(f, " {flag}")? } else { write!(f, " [{flag}]")? }
        }
        Ok(())
    }
}

/// Without brackets.
impl fmt::Display for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.name, if self.many { "…" } else { "" })
    }
}

/// Without brackets.
impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(short) = self.short {
            write!(f, "-{short}")?;
        }
        if let Some(long) = &self.long {
            write!(f, "{}--{long}", if self.short.is_some() { "|" } else { "" })?;
        }
        if let Some(value) = &self.value {
            write!(f, "{}{value}", if self.long.is_some() { "=" } else { " " })?;
        }
        f.write_str(if self.many { "…" } else { "" })
    }
}
