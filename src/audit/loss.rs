//! Going on after a loss: the end of the log is gone, or nothing proves any more that it is not. That is the operator's to
//! say, and is itself a record; anchors of before the loss need not hold beyond what was left. Deliberately absent: a way to
//! go on with a log whose rows were altered.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::anchors::{Outside, Places};
use super::chain::Key;
use super::verify::walk;
use super::{Asked, Audit, Outcome, StartError, Status};
use crate::store::Store;

/// A loss that was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Loss {
    /// Which one it is, from 1 on.
    pub(crate) number: i64,
    /// The last record that was there.
    pub(crate) found: i64,
    /// How many there had been, as far as an anchor still says so.
    pub(crate) anchored: Option<i64>,
    /// What was wrong.
    pub(crate) fault: String,
    /// What the operator said had happened.
    pub(crate) reason: String,
}

/// Accepts that the log does not hold what its anchors say, writes that down and anchors the log as it is. Refused when
/// nothing is lost, and when records that are there were altered.
pub(crate) async fn accept_loss(
    store: &Store,
    home: &Path,
    outside: &Outside,
    at: i64,
    reason: &str,
) -> Result<Loss, StartError> {
    let key = Key::load_or_renew(store, home, outside)?;
    let mut places = Places::new(home, &key.anchors, outside);
    let checked = places.check(store, &key.origin).and_then(|()| super::whole_from_the_first(store));
    let fault = match checked {
        Ok(()) => return Err(StartError::NothingLost),
        Err(
            error @ (StartError::RolledBack { .. }
            | StartError::Anchor { .. }
            | StartError::AnchorMissing { .. }
            | StartError::Emptied),
        ) => error.to_string(),
        Err(
            error @ (StartError::Store(_)
            | StartError::File { .. }
            | StartError::Key { .. }
            | StartError::KeyMissing { .. }
            | StartError::NothingLost
            | StartError::Altered(_)
            | StartError::Unavailable(_)),
        ) => return Err(error),
    };
    let there = walk(store, &key, None);
    if let Some(fault) = there.fault {
        return Err(StartError::Altered(fault));
    }
    let most = places.most();
    let counted = there.losses.last().map_or(0, |loss| loss.number);
    let loss = Loss {
        number: counted.max(most.map_or(0, |anchor| anchor.losses)) + 1,
        found: there.head.seq,
        anchored: most.map(|anchor| anchor.head.seq),
        fault,
        reason: reason.to_owned(),
    };
    places.accept(loss.number);
    let audit = Audit::with(store, home, &key, places)?;
    let text = format!("pipit audit accept-loss '{reason}'");
    let ticket = audit.open(Asked { at, who: "operator", via: "shell", room: "", text: &text, cause: None }).await?;
    ticket.trail().lost(at, &loss);
    let outcome = Outcome { at, status: Status::Ok, message: "", took: Duration::ZERO, values: 0 };
    ticket.close(&outcome).durable().await?;
    Ok(loss)
}
