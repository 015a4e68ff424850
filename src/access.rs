//! Who may do what: the rules, and the decision about a call.

pub(crate) mod decide;
