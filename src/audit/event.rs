//! What happens to a line beside its calls: it waits for others, they have their say, somebody proves who they are.
//! Deliberately absent: what any of it leads to, which is decided elsewhere and written down here.

/// Something that happened, for [`super::Trail::event`]. Each is a record of the line in which it happened: a vote stands
/// in the line of who votes, and names in its body the line that it is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event<'a> {
    /// When, Unix milliseconds.
    pub(crate) at: i64,
    /// What.
    pub(crate) kind: Happened,
    /// The full name of the command that it is about; empty when it is about none.
    pub(crate) command: &'a str,
    /// How it came out, in a word; empty when there is nothing to say.
    pub(crate) outcome: &'a str,
    /// The rest, as JSON. What goes beyond 4 KiB is kept as length and digest, and a text that is no JSON as a string.
    pub(crate) body: &'a str,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happened {
    /// A call was parked, and others were asked for their consent.
    Requested,
    /// Somebody consented or refused.
    Voted,
    /// A parked call may go on.
    Released,
    /// A parked call was given up: its time was up, or what it was about has changed.
    Voided,
    /// Somebody proved once more who they are, or failed to.
    SteppedUp,
    /// A program asked whoever typed the line, and was answered or not.
    Asked,
    /// Somebody took rights for an emergency.
    Elevated,
    /// A second person looked at what was done with such rights.
    Reviewed,
}

impl Happened {
    /// The word in the log.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Voted => "voted",
            Self::Released => "released",
            Self::Voided => "voided",
            Self::SteppedUp => "stepped up",
            Self::Asked => "question",
            Self::Elevated => "elevated",
            Self::Reviewed => "reviewed",
        }
    }
}
