//! Words to a rule: its frame, and how conditions and permissions are joined. Every refusal says where, and what is
//! written there instead. The tests of a condition are in `cond.rs`, what follows them in `effect.rs`.

use ecow::EcoString;

use super::cond::cond_join;
use super::effect::{Clauses, perms_join};
use super::words::{Kind as Piece, Token, tokens};
use super::{ALTERNATIVES, Kind, Rule, Target};
use crate::{Span, SyntaxError};

/// The longest rule, in bytes.
const LONGEST: usize = 16 * 1024;

/// How deep parentheses may be nested.
const DEPTH: usize = 32;

pub(super) type Read<T> = Result<T, SyntaxError>;

/// Reads a rule.
pub fn parse_rule(text: &str) -> Read<Rule> {
    let tokens = cut(text)?;
    Reader::new(text, &tokens).rule()
}

/// Reads a rule of a command's manifest: whole, or from what follows the target on (`must have aws:read`). Guards,
/// forbids and rules of other commands are refused.
pub fn parse_rule_for(text: &str, bundle: &str, command: &str) -> Read<Rule> {
    let target = Target::Command { bundle: bundle.into(), command: command.into() };
    let tokens = cut(text)?;
    let mut reader = Reader::new(text, &tokens);
    let rule = match tokens.first() {
        Some(Token { kind: Piece::Word(word), .. })
            if ["when", "guard", "forbid"].iter().any(|head| word.eq_ignore_ascii_case(head)) =>
        {
            reader.rule()?
        }
        Some(_) | None => reader.rest(Head::When, target.clone())?,
    };
    let whole = Span::new(0, text.len());
    if rule.replaces.is_some() {
        let error = SyntaxError::new("a manifest replaces no rule", whole);
        return Err(error.help("it is the manifest's own rule: change it there"));
    }
    match rule.kind {
        Kind::Guard(_) | Kind::Forbid { .. } => {
            Err(SyntaxError::new("a manifest has no guard and no forbid", whole).help("those are the site's to make"))
        }
        Kind::When(_) if rule.target != target => {
            let error = SyntaxError::new(format!("the rule is about {}, not {target}", rule.target), whole);
            Err(error.help("a command's rules are about that command alone"))
        }
        Kind::When(_) => Ok(rule),
    }
}

fn cut(text: &str) -> Read<Vec<Token<'_>>> {
    if text.len() > LONGEST {
        return Err(SyntaxError::new(format!("a rule has at most {LONGEST} bytes"), Span::new(LONGEST, text.len())));
    }
    tokens(text)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Head {
    When,
    Guard,
    Forbid,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Joint {
    And,
    Or,
}

pub(super) struct Reader<'a> {
    text: &'a str,
    tokens: &'a [Token<'a>],
    pub(super) at: usize,
    /// How many patterns have been read.
    pub(super) patterns: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, tokens: &'a [Token<'a>]) -> Self {
        Self { text, tokens, at: 0, patterns: 0 }
    }

    pub(super) fn peek(&self) -> Option<&'a Piece<'a>> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    pub(super) fn sees(&self, ahead: usize, wanted: &Piece<'_>) -> bool {
        self.tokens.get(self.at + ahead).is_some_and(|token| token.kind == *wanted)
    }

    pub(super) fn span(&self) -> Span {
        self.tokens.get(self.at).map_or(Span::new(self.text.len(), self.text.len()), |token| token.span)
    }

    /// An error at what comes next.
    pub(super) fn wants(&self, wanted: &str) -> SyntaxError {
        let span = self.span();
        let found = self.text.get(span.start as usize..span.end as usize).filter(|found| !found.is_empty());
        let found = found.map_or("the end".to_owned(), |found| format!("'{found}'"));
        SyntaxError::new(format!("{wanted} is expected, not {found}"), span)
    }

    pub(super) fn word(&mut self, word: &str) -> bool {
        let there = self.sees(0, &Piece::Word(word));
        self.at += usize::from(there);
        there
    }

    pub(super) fn mark(&mut self, mark: &str) -> bool {
        let there = self.sees(0, &Piece::Mark(mark));
        self.at += usize::from(there);
        there
    }

    pub(super) fn expect_word(&mut self, word: &str) -> Read<()> {
        if self.word(word) { Ok(()) } else { Err(self.wants(word)) }
    }

    pub(super) fn expect_mark(&mut self, mark: &str) -> Read<()> {
        if self.mark(mark) { Ok(()) } else { Err(self.wants(&format!("'{mark}'"))) }
    }

    /// The next word, if it passes.
    pub(super) fn name(&mut self, wanted: &str, passes: fn(&str) -> bool) -> Read<EcoString> {
        match self.peek() {
            Some(Piece::Word(word)) if passes(word) => {
                self.at += 1;
                Ok((*word).into())
            }
            Some(_) | None => Err(self.wants(wanted)),
        }
    }

    /// `bundle:name` as a word or a text.
    pub(super) fn full_name(&mut self) -> Option<(&'a str, &'a str)> {
        let text = match self.peek()? {
            Piece::Word(word) => *word,
            Piece::Text(text) => text.as_str(),
            Piece::Pattern(_) | Piece::Room { .. } | Piece::Mark(_) => return None,
        };
        text.split_once(':')
    }

    fn rule(&mut self) -> Read<Rule> {
        let head = if self.word("guard") {
            self.expect_word("when")?;
            Head::Guard
        } else if self.word("forbid") {
            Head::Forbid
        } else {
            self.expect_word("when")?;
            Head::When
        };
        self.expect_word("command")?;
        self.expect_word("is")?;
        let target = self.target(head)?;
        self.rest(head, target)
    }

    fn target(&mut self, head: Head) -> Read<Target> {
        let target = match self.full_name() {
            Some(("*", "*")) if head == Head::When => {
                return Err(self.wants("one bundle").help("only a guard and a forbid are about *:*"));
            }
            Some(("*", "*")) => Target::All,
            Some((bundle, "*")) if is_name(bundle) => Target::Bundle(bundle.into()),
            Some((bundle, command)) if is_name(bundle) && is_name(command) => {
                Target::Command { bundle: bundle.into(), command: command.into() }
            }
            Some(_) | None => {
                return Err(self.wants("a command as bundle:command").help("or bundle:* for all of a bundle"));
            }
        };
        self.at += 1;
        Ok(target)
    }

    fn rest(&mut self, head: Head, target: Target) -> Read<Rule> {
        let start = self.span();
        let with = if self.word("with") { Some(self.joined(0, Self::atom, cond_join)?) } else { None };
        let rule = Rule {
            target,
            with,
            places: Vec::new(),
            during: None,
            via: None,
            kind: Kind::Forbid { unless: None },
            replaces: None,
        };
        if rule.alternatives().is_none() {
            let message = format!("the condition has more than {ALTERNATIVES} alternatives");
            return Err(SyntaxError::new(message, start).help("make several rules of it, or use a list"));
        }
        let Clauses { places, during, via } = self.clauses()?;
        let kind = match head {
            Head::When => Kind::When(self.effect()?),
            Head::Guard => Kind::Guard(self.effect()?),
            Head::Forbid if self.word("unless") => {
                Kind::Forbid { unless: Some(self.joined(0, Self::perms, perms_join)?) }
            }
            Head::Forbid => Kind::Forbid { unless: None },
        };
        let replaces = match (&kind, &rule.target) {
            (Kind::When(_), Target::Command { bundle, command }) if self.word("replaces") => {
                Some(self.replaced(bundle, command)?)
            }
            (Kind::When(_) | Kind::Guard(_) | Kind::Forbid { .. }, _) => None,
        };
        match self.peek() {
            None => Ok(Rule { places, during, via, kind, replaces, ..rule }),
            Some(_) => Err(self.wants("the end of the rule")),
        }
    }

    /// Items joined by `and` or by `or`, never both.
    pub(super) fn joined<T>(
        &mut self,
        depth: usize,
        item: fn(&mut Self, usize) -> Read<T>,
        join: fn(Joint, Vec<T>) -> T,
    ) -> Read<T> {
        let mut items = vec![item(self, depth)?];
        let mut before = None;
        loop {
            let span = self.span();
            let joint = if self.word("and") {
                Joint::And
            } else if self.word("or") {
                Joint::Or
            } else {
                break;
            };
            if before.is_some_and(|before| before != joint) {
                let error = SyntaxError::new("and with or wants parentheses", span);
                return Err(error.help("write (a and b) or c, or a and (b or c)"));
            }
            before = Some(joint);
            items.push(item(self, depth)?);
        }
        match (before, items.pop()) {
            (None, Some(only)) => Ok(only),
            (Some(joint), Some(last)) => {
                items.push(last);
                Ok(join(joint, items))
            }
            (_, None) => Err(self.wants("a condition")),
        }
    }

    /// What stands in parentheses, if they open here.
    pub(super) fn nested<T>(
        &mut self,
        depth: usize,
        item: fn(&mut Self, usize) -> Read<T>,
        join: fn(Joint, Vec<T>) -> T,
    ) -> Read<Option<T>> {
        let span = self.span();
        if !self.mark("(") {
            return Ok(None);
        }
        if depth >= DEPTH {
            return Err(SyntaxError::new(format!("parentheses are nested at most {DEPTH} deep"), span));
        }
        let inside = self.joined(depth + 1, item, join)?;
        self.expect_mark(")")?;
        Ok(Some(inside))
    }
}

/// Of bundles, commands, permissions and roles.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_ascii_alphabetic()) && text.chars().all(in_name)
}

pub(super) fn in_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-')
}
