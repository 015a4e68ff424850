//! What was heard already: a bounded memory of message ids.

use std::collections::{HashSet, VecDeque};

use ecow::EcoString;

/// Ids remembered. A service repeats a message within seconds or not at all.
const KEPT: usize = 4096;

/// The last ids heard.
#[derive(Debug, Default)]
pub(super) struct Seen {
    ids: HashSet<EcoString>,
    order: VecDeque<EcoString>,
}

impl Seen {
    /// Remembers an id; false when it was heard before.
    pub(super) fn first(&mut self, id: &EcoString) -> bool {
        if !self.ids.insert(id.clone()) {
            return false;
        }
        self.order.push_back(id.clone());
        if self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_counts_once_and_the_memory_is_bounded() {
        let mut seen = Seen::default();
        assert!(seen.first(&"a".into()));
        assert!(!seen.first(&"a".into()));
        for n in 0..KEPT {
            assert!(seen.first(&ecow::eco_format!("{n}")));
        }
        assert_eq!((seen.ids.len(), seen.order.len()), (KEPT, KEPT));
        assert!(seen.first(&"a".into()));
    }
}
