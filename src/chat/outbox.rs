//! What waits to be said, fairly: the places take turns, so that a long answer in one room holds up no other.
//!
//! Deliberately absent: how fast (`flood.rs`), and what the bytes are.

use std::collections::VecDeque;

use ecow::EcoString;

/// Something ready to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ready {
    /// As the service takes it.
    pub(super) bytes: Vec<u8>,
    /// Messages it counts for.
    pub(super) cost: u32,
}

/// The queues of all places that have one, the next to speak first.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// What goes before all else, with what it is about.
    urgent: VecDeque<(u64, Ready)>,
    places: VecDeque<(EcoString, VecDeque<Ready>)>,
    waiting: usize,
}

impl Outbox {
    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting
    }

    /// Whether none waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    /// Puts one behind the others of its place.
    pub(super) fn push(&mut self, place: &EcoString, ready: Ready) {
        self.waiting += 1;
        match self.places.iter_mut().find(|(name, _)| name == place) {
            Some((_, queue)) => queue.push_back(ready),
            None => self.places.push_back((place.clone(), VecDeque::from([ready]))),
        }
    }

    /// Puts one before all that is not urgent.
    pub(super) fn hurry(&mut self, about: u64, ready: Ready) {
        self.waiting += 1;
        self.urgent.push_back((about, ready));
    }

    /// Takes back what is urgent about something and has not been sent.
    pub(super) fn withdraw(&mut self, about: u64) {
        let before = self.urgent.len();
        self.urgent.retain(|(other, _)| *other != about);
        self.waiting -= before - self.urgent.len();
    }

    /// Whether the next is urgent.
    pub(super) fn is_urgent(&self) -> bool {
        !self.urgent.is_empty()
    }

    /// Takes the next, and sends its place behind the other places.
    pub(super) fn pop(&mut self) -> Option<Ready> {
        if let Some((_, ready)) = self.urgent.pop_front() {
            self.waiting -= 1;
            return Some(ready);
        }
        let (place, mut queue) = self.places.pop_front()?;
        let ready = queue.pop_front();
        if !queue.is_empty() {
            self.places.push_back((place, queue));
        }
        self.waiting -= usize::from(ready.is_some());
        ready
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]
    use super::*;

    #[test]
    fn places_take_turns_and_keep_their_order() {
        let mut outbox = Outbox::default();
        for (place, text) in [("#a", "a1"), ("#a", "a2"), ("#a", "a3"), ("bob", "b1"), ("#c", "c1"), ("#c", "c2")] {
            outbox.push(&place.into(), Ready { bytes: text.into(), cost: 1 });
        }
        assert_eq!(outbox.len(), 6);
        let order: Vec<_> =
            std::iter::from_fn(|| outbox.pop()).map(|ready| String::from_utf8(ready.bytes).unwrap()).collect();
        assert_eq!(order, ["a1", "b1", "c1", "a2", "c2", "a3"]);
        assert!(outbox.is_empty() && outbox.places.is_empty());
    }

    #[test]
    fn what_is_urgent_goes_first_or_not_at_all() {
        let ready = |text: &str| Ready { bytes: text.into(), cost: 1 };
        let mut outbox = Outbox::default();
        outbox.push(&"#a".into(), ready("a1"));
        outbox.hurry(7, ready("seven"));
        outbox.hurry(8, ready("eight"));
        outbox.withdraw(7);
        assert_eq!((outbox.len(), outbox.is_urgent()), (2, true));
        let order: Vec<_> =
            std::iter::from_fn(|| outbox.pop()).map(|ready| String::from_utf8(ready.bytes).unwrap()).collect();
        assert_eq!(order, ["eight", "a1"]);
    }
}
