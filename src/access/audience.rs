//! Who can read along in a room, and what that keeps out of it.
//!
//! A room that people of other organisations share is no place for what asks for rights: whoever leads it may be
//! nobody's colleague, and who is let in tomorrow nobody knows. Deliberately absent: which room is which; that is set.

use std::sync::Arc;

use ecow::EcoString;
use pipit_grammar::rule::{Effect, Kind, Spot};
use serde::{Deserialize, Serialize};

use super::Context;
use super::decide::{Decision, Denial, Ruling};

/// Who can read along in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Audience {
    /// Anybody.
    Public,
    /// Those whom somebody let in; whoever is written to in a direct message.
    Private,
    /// People of other organisations too.
    ExternalShared,
}

impl Audience {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Public, Self::Private, Self::ExternalShared];

    /// As it is written.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
            Self::ExternalShared => "external-shared",
        }
    }

    /// From how it is written.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|audience| audience.name() == name)
    }

    /// Whether values may be posted here from another place. What comes from outside the line may be anything, and others
    /// than the site's people read it in a room that is shared with them.
    pub(crate) fn takes(self, labels: &pipit_commands::Labels) -> bool {
        match self {
            Self::Public | Self::Private => true,
            Self::ExternalShared => labels.is_empty(),
        }
    }
}

/// A decision by the rules, with what the room keeps out of it: in a room that is shared with other organisations a call
/// that takes anything is denied, unless a rule that counts names the room with its service.
pub(super) fn within(rules: &[Arc<Ruling>], context: &Context, decision: Decision) -> Decision {
    let (Decision::Allow { by } | Decision::Park { by, .. }) = &decision else { return decision };
    match context.audience {
        Audience::Public | Audience::Private => return decision,
        Audience::ExternalShared => {}
    }
    let counts = || {
        rules.iter().filter(|ruling| by.contains(&ruling.id)).filter_map(|ruling| Some((ruling, ruling.rule().ok()?)))
    };
    let asks = |kind: &Kind| match kind {
        Kind::When(effect) | Kind::Guard(effect) => *effect != Effect::Allow,
        Kind::Forbid { .. } => false,
    };
    let meant = |spot: &Spot| match spot {
        Spot::Room { service: Some(_), .. } => spot.is(&context.place, Some(&context.service)) == Some(true),
        Spot::Room { service: None, .. } | Spot::Dm => false,
    };
    let asking: Vec<EcoString> =
        counts().filter(|(_, rule)| asks(&rule.kind)).map(|(ruling, _)| ruling.id.clone()).collect();
    let named = counts().any(|(_, rule)| matches!(rule.kind, Kind::When(_)) && rule.places.iter().any(meant));
    if asking.is_empty() || named { decision } else { Decision::Deny(Denial::Shared { by: asking }) }
}
