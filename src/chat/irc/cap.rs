//! What the server agreed to: the extensions of the protocol that are of use here.
//!
//! Deliberately absent: echo-message, which would double what a busy bot reads and tell it nothing that its own JOIN has
//! not; account-notify and extended-join, because each message carries its account itself.

/// An extension asked for wherever it is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cap {
    /// Messages carry tags, `msgid` and `bot` among them.
    MessageTags,
    /// Messages say when they were said.
    ServerTime,
    /// Messages say which account said them: the one proof of who somebody is.
    AccountTag,
    /// Messages come in groups that say what they are, history among them.
    Batch,
    /// A changed host is told.
    Chghost,
    /// Messages of several lines.
    Multiline,
    /// Logging in before the welcome.
    Sasl,
}

/// Every extension by its name.
const CAPS: [(&str, Cap); 7] = [
    ("message-tags", Cap::MessageTags),
    ("server-time", Cap::ServerTime),
    ("account-tag", Cap::AccountTag),
    ("batch", Cap::Batch),
    ("chghost", Cap::Chghost),
    ("draft/multiline", Cap::Multiline),
    ("sasl", Cap::Sasl),
];

impl Cap {
    /// Its name in the protocol.
    pub(super) fn name(self) -> &'static str {
        CAPS.iter().find(|(_, cap)| *cap == self).map_or("", |(name, _)| name)
    }

    /// By name; `None` for what is of no use here.
    pub(super) fn named(name: &str) -> Option<Self> {
        CAPS.iter().find(|(known, _)| *known == name).map(|(_, cap)| *cap)
    }
}

/// The extensions that were acknowledged.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Caps(u16);

impl Caps {
    pub(super) fn has(self, cap: Cap) -> bool {
        self.0 & (1 << cap as u16) != 0
    }

    pub(super) fn set(&mut self, cap: Cap, on: bool) {
        self.0 = if on { self.0 | (1 << cap as u16) } else { self.0 & !(1 << cap as u16) };
    }
}

/// The names in a list of extensions, each with the value it was offered with.
pub(super) fn list(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split_ascii_whitespace().map(|word| word.split_once('=').unwrap_or((word, "")))
}
