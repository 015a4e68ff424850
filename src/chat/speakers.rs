//! Who speaks in which room: an answer names its asker when somebody else has spoken since the line was typed.

use std::collections::HashMap;

use ecow::EcoString;

use super::Place;

/// Rooms that are remembered; when there are more, all are forgotten, and the next answers name their askers.
const ROOMS: usize = 4096;

/// The last speaker of every room.
#[derive(Debug, Default)]
pub(super) struct Speakers {
    rooms: HashMap<EcoString, Floor>,
    /// Counts on over what was forgotten.
    changes: u64,
}

/// Who has the floor in a room.
#[derive(Debug)]
struct Floor {
    nick: EcoString,
    /// The count of changes when they took it.
    since: u64,
}

impl Speakers {
    /// Somebody spoke.
    pub(super) fn spoke(&mut self, place: &Place, nick: &str) {
        let Place::Room(room) = place else { return };
        match self.rooms.get_mut(room) {
            Some(floor) if floor.nick == nick => {}
            Some(floor) => {
                self.changes += 1;
                *floor = Floor { nick: nick.into(), since: self.changes };
            }
            None => {
                if self.rooms.len() >= ROOMS {
                    self.rooms.clear();
                }
                self.changes += 1;
                self.rooms.insert(room.clone(), Floor { nick: nick.into(), since: self.changes });
            }
        }
    }

    /// Says the same as before as long as nobody else has spoken in the place.
    pub(super) fn since(&self, place: &Place) -> u64 {
        match place {
            Place::Room(room) => self.rooms.get(room).map_or(0, |floor| floor.since),
            Place::Direct(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, Speakers};

    #[test]
    fn others_are_noticed_and_oneself_is_not() {
        let (ops, dev, mut all) = (Place::Room("#ops".into()), Place::Room("#dev".into()), Speakers::default());
        all.spoke(&ops, "alice");
        let since = all.since(&ops);
        all.spoke(&ops, "alice");
        all.spoke(&dev, "bob");
        all.spoke(&Place::Direct("bob".into()), "bob");
        assert_eq!(all.since(&ops), since);
        all.spoke(&ops, "bob");
        assert_ne!(all.since(&ops), since);
        all.spoke(&ops, "alice");
        assert_ne!(all.since(&ops), since);
    }
}
