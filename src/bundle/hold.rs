//! How tightly a program is held beyond what all are: what the shell writes down for the process that becomes it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::fence::Fence;

/// One of the levels of `needs.sandbox`, with what it takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Hold {
    /// It reaches all that the shell's user does.
    Basic,
    /// It reaches what the fence leaves.
    Restrict(Fence),
    /// And it is in namespaces of its own. The one port of the fence, if there is one, is that of the way out.
    Isolate(Fence),
    /// And it is in a control group of its own, this folder.
    Quota(Fence, PathBuf),
}

impl Hold {
    /// Whether it has an empty network of its own with a way out of it.
    pub(super) fn has_way_out(&self) -> bool {
        match self {
            Self::Basic | Self::Restrict(_) => false,
            Self::Isolate(fence) | Self::Quota(fence, _) => !fence.ports.is_empty(),
        }
    }
}
