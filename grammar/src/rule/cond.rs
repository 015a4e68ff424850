//! The condition of a rule, test by test.

use ecow::EcoString;

use super::read::{Joint, Read, Reader, in_name};
use super::words::Kind as Piece;
use super::{Atom, Cond, Literal, Order, Patterns, Single, Subject, Test, Values, compile_pattern};
use crate::SyntaxError;
use crate::expr::is_number;

/// The most patterns in a rule: each may take a while to compile, and some memory.
const PATTERNS: usize = 64;

/// Words that mean something where a value stands, so that a value spelled so is quoted.
const RESERVED: [&str; 21] = [
    "when", "command", "is", "with", "and", "or", "not", "in", "via", "must", "have", "allow", "require", "unless",
    "guard", "forbid", "any", "all", "matches", "contains", "null",
];

impl Reader<'_> {
    pub(super) fn atom(&mut self, depth: usize) -> Read<Cond> {
        if let Some(inside) = self.nested(depth, Self::atom, cond_join)? {
            return Ok(inside);
        }
        let subject = self.subject()?;
        let test = self.test(&subject)?;
        Ok(Cond::Atom(Atom { subject, test }))
    }

    fn subject(&mut self) -> Read<Subject> {
        let quantifier: Option<fn(Values) -> Subject> = if self.word("any") {
            Some(Subject::Any)
        } else if self.word("all") {
            Some(Subject::All)
        } else {
            None
        };
        let indexed = self.sees(1, &Piece::Mark("["));
        match (self.peek(), quantifier) {
            (Some(Piece::Word("arg")), None) if indexed => Ok(Subject::One(Single::Arg(self.index()?))),
            (Some(Piece::Word("option")), None) if indexed => Ok(Subject::One(Single::Option(self.option()?))),
            (Some(Piece::Word("option")), Some(values)) if indexed => Ok(values(Values::Option(self.option()?))),
            (Some(Piece::Word("arg" | "args")), Some(_)) if indexed => {
                Err(self.wants("args").help("an index names one argument, so it takes neither any nor all"))
            }
            (Some(Piece::Word("arg" | "args")), Some(values)) => {
                self.at += 1;
                Ok(values(Values::Args))
            }
            (Some(Piece::Word("option" | "options")), Some(values)) if !indexed => {
                self.at += 1;
                Ok(values(Values::Options))
            }
            (Some(Piece::Word("stdin.label")), Some(values)) => {
                self.at += 1;
                Ok(values(Values::Stdin))
            }
            (Some(_) | None, _) => {
                let error = self.wants("an argument or an option");
                Err(error.help("write arg[0], option[name], or any or all before args or options"))
            }
        }
    }

    /// `arg[n]`
    fn index(&mut self) -> Read<u8> {
        self.at += 2;
        let digits = self.name("a number from 0 to 255", |word| {
            word.bytes().all(|byte| byte.is_ascii_digit()) && word.parse::<u8>().is_ok()
        })?;
        self.expect_mark("]")?;
        // only digits that fit came through
        Ok(digits.parse().unwrap_or(u8::MAX))
    }

    /// `option[name]`
    fn option(&mut self) -> Read<EcoString> {
        self.at += 2;
        let name = self.name("the name of an option", is_option)?;
        self.expect_mark("]")?;
        Ok(name)
    }

    fn test(&mut self, subject: &Subject) -> Read<Test> {
        if let Some(Piece::Mark(mark)) = self.peek()
            && let Some(order) = order_of(mark)
        {
            self.at += 1;
            let ordered = !matches!(order, Order::Eq | Order::Ne);
            if ordered && matches!(self.peek(), Some(Piece::Pattern(_))) {
                return Err(self.wants("a number or a text").help("a pattern has no order"));
            }
            return Ok(Test::Compare(order, self.literal()?));
        }
        if self.word("in") {
            return Ok(Test::In(self.list(Self::literal)?));
        }
        if self.word("matches") {
            return Ok(Test::Matches(self.patterns(true)?));
        }
        if self.word("contains") {
            return Ok(Test::Contains(self.patterns(false)?));
        }
        let span = self.span();
        if !self.word("is") {
            return Err(self.wants("a comparison").help("== != > < >= <=, in, matches, contains or is"));
        }
        if !matches!(subject, Subject::One(_)) {
            return Err(SyntaxError::new("is asks of one thing", span).help("write arg[0] or option[name] before it"));
        }
        if self.word("missing") {
            Ok(Test::Missing)
        } else if self.word("present") {
            Ok(Test::Present)
        } else if self.word("tainted") {
            Ok(Test::Tainted)
        } else {
            Err(self.wants("missing, present or tainted"))
        }
    }

    /// `[ item, item ]`, never empty.
    pub(super) fn list<T>(&mut self, item: fn(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let span = self.span();
        if !self.mark("[") {
            return Err(self.wants("a list").help("write it in brackets: ['a', 'b']"));
        }
        if self.mark("]") {
            return Err(SyntaxError::new("the list is empty", span).help("an empty list could never match"));
        }
        let mut items = vec![item(self)?];
        while self.mark(",") {
            items.push(item(self)?);
        }
        self.expect_mark("]")?;
        Ok(items)
    }

    fn literal(&mut self) -> Read<Literal> {
        let literal = match self.peek() {
            Some(Piece::Text(text)) => Literal::Text(text.clone()),
            Some(Piece::Pattern(pattern)) => return Ok(Literal::Pattern(self.pattern(pattern, false)?)),
            Some(Piece::Word("true")) => Literal::Bool(true),
            Some(Piece::Word("false")) => Literal::Bool(false),
            Some(Piece::Word(word)) if is_number(word) => Literal::Number((*word).into()),
            Some(Piece::Word(word)) if is_option(word) && !RESERVED.contains(word) => Literal::Text((*word).into()),
            Some(Piece::Word(_) | Piece::Room { .. } | Piece::Mark(_)) | None => {
                return Err(self.wants("a value").help("a text that is not one plain word goes in quotes"));
            }
        };
        self.at += 1;
        Ok(literal)
    }

    fn patterns(&mut self, whole: bool) -> Read<Patterns> {
        match self.peek() {
            Some(Piece::Pattern(pattern)) => Ok(Patterns::One(self.pattern(pattern, whole)?)),
            Some(Piece::Mark("[")) => {
                let one: fn(&mut Self) -> Read<EcoString> =
                    if whole { |reader| reader.listed_pattern(true) } else { |reader| reader.listed_pattern(false) };
                Ok(Patterns::List(self.list(one)?))
            }
            Some(_) | None => Err(self.wants("a pattern").help("write it between slashes: /^web-[0-9]+$/")),
        }
    }

    fn listed_pattern(&mut self, whole: bool) -> Read<EcoString> {
        match self.peek() {
            Some(Piece::Pattern(pattern)) => self.pattern(pattern, whole),
            Some(_) | None => Err(self.wants("a pattern").help("write it between slashes: /^web-[0-9]+$/")),
        }
    }

    fn pattern(&mut self, pattern: &str, whole: bool) -> Read<EcoString> {
        self.patterns += 1;
        if self.patterns > PATTERNS {
            let error = SyntaxError::new(format!("a rule has at most {PATTERNS} patterns"), self.span());
            return Err(error.help("join them: /one|two/"));
        }
        if let Err(reason) = compile_pattern(pattern, whole) {
            let reason = reason.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            return Err(SyntaxError::new(format!("/{pattern}/ is no pattern"), self.span()).help(reason));
        }
        self.at += 1;
        Ok(pattern.into())
    }
}

pub(super) fn cond_join(joint: Joint, parts: Vec<Cond>) -> Cond {
    let flat = parts.into_iter().flat_map(|part| match (joint, part) {
        (Joint::And, Cond::And(inside)) | (Joint::Or, Cond::Or(inside)) => inside,
        (_, part) => vec![part],
    });
    match joint {
        Joint::And => Cond::And(flat.collect()),
        Joint::Or => Cond::Or(flat.collect()),
    }
}

fn order_of(mark: &str) -> Option<Order> {
    match mark {
        "==" => Some(Order::Eq),
        "!=" => Some(Order::Ne),
        ">" => Some(Order::Gt),
        "<" => Some(Order::Lt),
        ">=" => Some(Order::Ge),
        "<=" | "=<" => Some(Order::Le),
        _ => None,
    }
}

/// Of options; a word that stands for a text is spelled so too.
fn is_option(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_ascii_alphanumeric() || letter == '_') && text.chars().all(in_name)
}
