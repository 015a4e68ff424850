//! What stands behind the condition of a rule: places, origin, and what is asked for.

use ecow::EcoString;

use super::read::{Joint, Read, Reader, is_name, parse_rule_for};
use super::words::Kind as Piece;
use super::{Effect, Perms, Requirement, Spot, StepUp, Unit, Via, Window, Within};
use crate::SyntaxError;

/// Where, when and by what way a rule counts.
#[derive(Default)]
pub(super) struct Clauses {
    pub(super) places: Vec<Spot>,
    pub(super) during: Option<Window>,
    pub(super) via: Option<Via>,
}

impl Reader<'_> {
    pub(super) fn clauses(&mut self) -> Read<Clauses> {
        let Clauses { mut places, mut during, mut via } = Clauses::default();
        loop {
            let span = self.span();
            if self.word("in") {
                if !places.is_empty() {
                    return Err(SyntaxError::new("in comes twice", span).help("write in [#one, #two]"));
                }
                places = match self.peek() {
                    Some(Piece::Mark("[")) => self.list(Self::place)?,
                    Some(_) | None => vec![self.place()?],
                };
            } else if self.word("during") {
                if during.is_some() {
                    return Err(SyntaxError::new("during comes twice", span));
                }
                during = Some(self.window()?);
            } else if self.word("via") {
                if via.is_some() {
                    return Err(SyntaxError::new("via comes twice", span));
                }
                let origin = match self.peek() {
                    Some(Piece::Word(word)) => Via::from_name(word),
                    Some(_) | None => None,
                };
                via = Some(origin.ok_or_else(|| {
                    let names = Via::ALL.map(Via::as_str).join(", ");
                    self.wants("an origin").help(format!("one of {names}"))
                })?);
                self.at += 1;
            } else {
                return Ok(Clauses { places, during, via });
            }
        }
    }

    fn window(&mut self) -> Read<Window> {
        let Some(Piece::Text(text)) = self.peek() else {
            let error = self.wants("a window of time in quotes");
            return Err(error.help("write 'mon-fri 09:00-17:00 Europe/Zurich'"));
        };
        let window = Window::parse(text)
            .map_err(|expected| SyntaxError::new("the window of time cannot be read", self.span()).help(expected))?;
        self.at += 1;
        Ok(window)
    }

    /// Behind `replaces`: the rule of the bundle, in quotes, whole or from its target on.
    pub(super) fn replaced(&mut self, bundle: &str, command: &str) -> Read<EcoString> {
        self.expect_word("bundle")?;
        self.expect_word("rule")?;
        let Some(Piece::Text(text)) = self.peek() else {
            let error = self.wants("a rule of the bundle in quotes");
            return Err(error.help(format!("rule list {bundle}:{command} shows them")));
        };
        let replaced = parse_rule_for(text, bundle, command).map_err(|error| {
            SyntaxError::new(format!("the rule in quotes cannot be read: {}", error.message), self.span())
        })?;
        self.at += 1;
        Ok(replaced.from_target())
    }

    fn place(&mut self) -> Read<Spot> {
        let place = match self.peek() {
            Some(Piece::Room { service, name }) => {
                Spot::Room { service: service.map(EcoString::from), name: (*name).into() }
            }
            Some(Piece::Word("dm")) => Spot::Dm,
            Some(_) | None => return Err(self.wants("a room as #name or service://#name, or dm")),
        };
        self.at += 1;
        Ok(place)
    }

    pub(super) fn effect(&mut self) -> Read<Effect> {
        if self.word("allow") {
            Ok(Effect::Allow)
        } else if self.word("must") {
            self.expect_word("have")?;
            Ok(Effect::MustHave(self.joined(0, Self::perms, perms_join)?))
        } else if self.word("require") {
            Ok(Effect::Require(self.requirement()?))
        } else {
            Err(self.wants("allow, must have or require"))
        }
    }

    pub(super) fn perms(&mut self, depth: usize) -> Read<Perms> {
        if let Some(inside) = self.nested(depth, Self::perms, perms_join)? {
            return Ok(inside);
        }
        let listed = self.sees(1, &Piece::Word("in"));
        if listed && self.word("any") {
            self.at += 1;
            return Ok(Perms::Any(self.list(Self::permission)?));
        }
        if listed && self.word("all") {
            self.at += 1;
            return Ok(Perms::All(self.list(Self::permission)?));
        }
        Ok(Perms::One(self.permission()?))
    }

    fn permission(&mut self) -> Read<EcoString> {
        match self.full_name() {
            Some((bundle, name)) if is_name(bundle) && is_name(name) => {
                self.at += 1;
                let mut permission = EcoString::from(bundle);
                permission.push(':');
                permission.push_str(name);
                Ok(permission)
            }
            Some(_) | None => Err(self.wants("a permission").help("write bundle:name, or any or all in [a:x, a:y]")),
        }
    }

    fn requirement(&mut self) -> Read<Requirement> {
        if self.word("reason") {
            return Ok(Requirement::Reason);
        }
        if self.word("approval") {
            let count = self.name("how many approvals, 1 to 255,", |word| {
                word.bytes().all(|byte| byte.is_ascii_digit()) && word.parse::<u8>().is_ok_and(|count| count > 0)
            })?;
            self.expect_word("from")?;
            let role = self.name("the name of a role", is_name)?;
            let distinct = self.word("distinct");
            // only digits that fit came through
            return Ok(Requirement::Approval { count: count.parse().unwrap_or(u8::MAX), role, distinct });
        }
        if !self.word("step-up") {
            return Err(self.wants("approval, step-up or reason"));
        }
        let method = if self.word("totp") {
            StepUp::Totp
        } else if self.word("webauthn") {
            StepUp::WebAuthn
        } else {
            return Err(self.wants("totp or webauthn"));
        };
        let within = if self.word("within") { Some(self.within()?) } else { None };
        Ok(Requirement::StepUp { method, within })
    }

    fn within(&mut self) -> Read<Within> {
        let written = match self.peek() {
            Some(Piece::Word(word)) => duration(word),
            Some(_) | None => None,
        };
        let within = written.ok_or_else(|| self.wants("a time").help("write 30s, 10m or 1h"))?;
        self.at += 1;
        Ok(within)
    }
}

pub(super) fn perms_join(joint: Joint, parts: Vec<Perms>) -> Perms {
    let flat = parts.into_iter().flat_map(|part| match (joint, part) {
        (Joint::And, Perms::And(inside)) | (Joint::Or, Perms::Or(inside)) => inside,
        (_, part) => vec![part],
    });
    match joint {
        Joint::And => Perms::And(flat.collect()),
        Joint::Or => Perms::Or(flat.collect()),
    }
}

/// `30s`, `10m`, `1h`; never nothing.
fn duration(text: &str) -> Option<Within> {
    let unit = match text.chars().next_back()? {
        's' => Unit::Seconds,
        'm' => Unit::Minutes,
        'h' => Unit::Hours,
        _ => return None,
    };
    let digits = text.get(..text.len() - 1).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let count = digits.parse().ok().filter(|count| *count > 0)?;
    Some(Within { count, unit })
}
