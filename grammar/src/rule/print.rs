//! The canonical text of a rule: one blank everywhere, `<=`, texts in single quotes, parentheses only where they tell
//! something. Read again it is the same rule.

use std::fmt::{self, Display, Formatter, Write};

use super::{
    Atom, Cond, Effect, Kind, Literal, Order, Patterns, Perms, Requirement, Rule, Single, Spot, StepUp, Subject,
    Target, Test, Unit, Values, Via, Within,
};

impl Display for Rule {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.kind {
            Kind::When(_) => "when command is ",
            Kind::Guard(_) => "guard when command is ",
            Kind::Forbid { .. } => "forbid command is ",
        })?;
        write!(f, "{}", self.target)?;
        if let Some(cond) = &self.with {
            write!(f, " with {cond}")?;
        }
        if !self.places.is_empty() {
            write!(f, " {}", Places(&self.places))?;
        }
        if let Some(window) = &self.during {
            write!(f, " during '{window}'")?;
        }
        if let Some(via) = self.via {
            write!(f, " {via}")?;
        }
        match &self.kind {
            Kind::When(effect) | Kind::Guard(effect) => write!(f, " {effect}")?,
            Kind::Forbid { unless: Some(perms) } => write!(f, " unless {perms}")?,
            Kind::Forbid { unless: None } => {}
        }
        match &self.replaces {
            Some(replaced) => write!(f, " replaces bundle rule {}", Literal::Text(replaced.clone())),
            None => Ok(()),
        }
    }
}

impl Display for Target {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command { bundle, command } => write!(f, "{bundle}:{command}"),
            Self::Bundle(bundle) => write!(f, "{bundle}:*"),
            Self::All => f.write_str("*:*"),
        }
    }
}

/// The clause of places: `in #ops`, `in [#ops, dm]`.
pub(super) struct Places<'a>(pub(super) &'a [Spot]);

impl Display for Places<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            [only] => write!(f, "in {only}"),
            places => {
                f.write_str("in ")?;
                list(f, places)
            }
        }
    }
}

impl Display for Spot {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dm => f.write_str("dm"),
            Self::Room { service: None, name } => write!(f, "#{name}"),
            Self::Room { service: Some(service), name } => write!(f, "{service}://#{name}"),
        }
    }
}

/// The clause: `via chat`.
impl Display for Via {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "via {}", self.as_str())
    }
}

impl Display for Effect {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allow => f.write_str("allow"),
            Self::MustHave(perms) => write!(f, "must have {perms}"),
            Self::Require(requirement) => write!(f, "require {requirement}"),
        }
    }
}

impl Display for Requirement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Approval { count, role, distinct } => {
                write!(f, "approval {count} from {role}{}", if *distinct { " distinct" } else { "" })
            }
            Self::StepUp { method, within } => {
                let method = match method {
                    StepUp::Totp => "totp",
                    StepUp::WebAuthn => "webauthn",
                };
                write!(f, "step-up {method}")?;
                match within {
                    Some(within) => write!(f, " within {within}"),
                    None => Ok(()),
                }
            }
            Self::Reason => f.write_str("reason"),
        }
    }
}

impl Display for Within {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Seconds => 's',
            Unit::Minutes => 'm',
            Unit::Hours => 'h',
        };
        write!(f, "{}{unit}", self.count)
    }
}

impl Display for Perms {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let nested = |part: &Self| matches!(part, Self::And(_) | Self::Or(_));
        match self {
            Self::One(name) => f.write_str(name),
            Self::Any(names) => {
                f.write_str("any in ")?;
                list(f, names)
            }
            Self::All(names) => {
                f.write_str("all in ")?;
                list(f, names)
            }
            Self::And(parts) => joined(f, parts, " and ", nested),
            Self::Or(parts) => joined(f, parts, " or ", nested),
        }
    }
}

impl Display for Cond {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let nested = |part: &Self| matches!(part, Self::And(_) | Self::Or(_));
        match self {
            Self::Atom(atom) => write!(f, "{atom}"),
            Self::And(parts) => joined(f, parts, " and ", nested),
            Self::Or(parts) => joined(f, parts, " or ", nested),
        }
    }
}

impl Display for Atom {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.subject, self.test)
    }
}

impl Display for Subject {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(single) => write!(f, "{single}"),
            Self::Any(values) => write!(f, "any {values}"),
            Self::All(values) => write!(f, "all {values}"),
        }
    }
}

impl Display for Single {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arg(index) => write!(f, "arg[{index}]"),
            Self::Option(name) => write!(f, "option[{name}]"),
        }
    }
}

impl Display for Values {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Args => f.write_str("args"),
            Self::Options => f.write_str("options"),
            Self::Option(name) => write!(f, "option[{name}]"),
            Self::Stdin => f.write_str("stdin.label"),
        }
    }
}

impl Display for Test {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare(order, value) => write!(f, "{order} {value}"),
            Self::In(values) => {
                f.write_str("in ")?;
                list(f, values)
            }
            Self::Matches(patterns) => write!(f, "matches {patterns}"),
            Self::Contains(patterns) => write!(f, "contains {patterns}"),
            Self::Missing => f.write_str("is missing"),
            Self::Present => f.write_str("is present"),
            Self::Tainted => f.write_str("is tainted"),
        }
    }
}

impl Display for Order {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Gt => ">",
            Self::Lt => "<",
            Self::Ge => ">=",
            Self::Le => "<=",
        })
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => f.write_str(number),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Pattern(pattern) => write!(f, "/{pattern}/"),
            Self::Text(text) => {
                let quote = if text.contains('\'') { '"' } else { '\'' };
                f.write_char(quote)?;
                for letter in text.chars() {
                    if letter == quote || letter == '\\' {
                        f.write_char('\\')?;
                    }
                    f.write_char(letter)?;
                }
                f.write_char(quote)
            }
        }
    }
}

impl Display for Patterns {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(pattern) => write!(f, "/{pattern}/"),
            Self::List(patterns) => {
                f.write_char('[')?;
                for (at, pattern) in patterns.iter().enumerate() {
                    write!(f, "{}/{pattern}/", if at == 0 { "" } else { ", " })?;
                }
                f.write_char(']')
            }
        }
    }
}

fn list(f: &mut Formatter<'_>, items: &[impl Display]) -> fmt::Result {
    f.write_char('[')?;
    for (at, item) in items.iter().enumerate() {
        write!(f, "{}{item}", if at == 0 { "" } else { ", " })?;
    }
    f.write_char(']')
}

fn joined<T: Display>(f: &mut Formatter<'_>, parts: &[T], joint: &str, nested: fn(&T) -> bool) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        f.write_str(if at == 0 { "" } else { joint })?;
        if nested(part) { write!(f, "({part})")? } else { write!(f, "{part}")? }
    }
    Ok(())
}
