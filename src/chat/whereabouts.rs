//! Where the person who asked is by now: an answer in private follows them, and never a name that is another's by then.
//!
//! Deliberately absent: those whom the service does not tell us of. Of them the name is all there is.

use std::collections::HashMap;

use ecow::EcoString;

/// Departures remembered; when there are more, everybody who asked before now counts as gone.
const KEPT: usize = 4096;
/// Renames followed one after the other.
const STEPS: usize = 16;

/// Who left which name when, in counted departures.
#[derive(Debug, Default)]
pub(super) struct Whereabouts {
    now: u64,
    /// Who asked before this is gone.
    since: u64,
    left: HashMap<EcoString, Departure>,
}

/// The last time that a name was left.
#[derive(Debug)]
struct Departure {
    at: u64,
    /// The time before that, by whoever had the name then; 0 for never.
    before: u64,
    /// The name they have now; `None` when they are gone.
    to: Option<EcoString>,
}

impl Whereabouts {
    /// The time, for `follow` later.
    pub(super) fn now(&self) -> u64 {
        self.now
    }

    /// A name was left, for another one or for good.
    pub(super) fn left(&mut self, name: &str, to: Option<&str>) {
        if self.left.len() >= KEPT {
            self.all_left();
        }
        self.now += 1;
        let before = self.left.get(name).map_or(0, |departure| departure.at);
        self.left.insert(name.into(), Departure { at: self.now, before, to: to.map(EcoString::from) });
    }

    /// Nobody can be followed from before: the connection is a new one.
    pub(super) fn all_left(&mut self) {
        self.now += 1;
        self.since = self.now;
        self.left.clear();
    }

    /// The name now of who had this one then; `None` when they are gone.
    pub(super) fn follow(&self, mut name: EcoString, mut asked: u64) -> Option<EcoString> {
        if asked < self.since {
            return None;
        }
        for _ in 0..STEPS {
            match self.left.get(&name) {
                // two have left it since; where the first went is forgotten
                Some(departure) if departure.before > asked => return None,
                Some(departure) if departure.at > asked => (name, asked) = (departure.to.clone()?, departure.at),
                Some(_) | None => return Some(name),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_followed_and_names_are_not() {
        let mut all = Whereabouts::default();
        let asked = all.now();
        let follow = |all: &Whereabouts, name: &str, asked| all.follow(name.into(), asked).map(String::from);
        assert_eq!(follow(&all, "a", asked).as_deref(), Some("a"));
        all.left("a", Some("b"));
        assert_eq!(follow(&all, "a", asked).as_deref(), Some("b"));
        let later = all.now();
        assert_eq!(follow(&all, "a", later).as_deref(), Some("a"));
        all.left("b", None);
        assert_eq!(follow(&all, "a", asked), None);
        // back under the first name, in a circle
        all.left("c", Some("d"));
        all.left("d", Some("c"));
        assert_eq!(follow(&all, "c", later).as_deref(), Some("c"));
        // left twice since: the first owner is lost, and nobody else gets the answer
        all.left("e", Some("f"));
        all.left("e", Some("g"));
        assert_eq!(follow(&all, "e", later), None);
        all.all_left();
        assert_eq!(follow(&all, "x", later), None);
    }
}
