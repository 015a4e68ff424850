//! Where values come from: the names of the sources outside the line that had a part in them.
//!
//! Labels are kept by stream and by argument, never by value: a stream bears those of every source that may have had a
//! part in any of its values. So what is labelled too much is possible, and what is labelled too little is not.
//! Deliberately absent: what follows from a label, which the rules of access say.

use std::collections::BTreeSet;
use std::sync::Arc;

use ecow::EcoString;

/// The sources outside the line that had a part in a value: `bundle:aws`, `http`, `input`, `others`. None for what was
/// typed, and for what the shell itself says. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(Option<Arc<BTreeSet<EcoString>>>);

impl Labels {
    /// One source.
    #[must_use]
    pub fn one(label: impl Into<EcoString>) -> Self {
        Self(Some(Arc::new(BTreeSet::from([label.into()]))))
    }

    /// The sources of both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        match (&self.0, &other.0) {
            (None, _) => other.clone(),
            (_, None) => self.clone(),
            (Some(one), Some(two)) if one.is_superset(two) => self.clone(),
            (Some(one), Some(two)) => Self(Some(Arc::new(one.union(two).cloned().collect()))),
        }
    }

    /// Whether nothing from outside had a part in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Whether the other has all of these.
    #[must_use]
    pub fn within(&self, other: &Self) -> bool {
        self.iter().all(|label| other.iter().any(|theirs| theirs == label))
    }

    /// The names of the sources, in order.
    pub fn iter(&self) -> impl Iterator<Item = &EcoString> {
        self.0.iter().flat_map(|labels| labels.iter())
    }
}

impl FromIterator<EcoString> for Labels {
    fn from_iter<I: IntoIterator<Item = EcoString>>(labels: I) -> Self {
        let labels: BTreeSet<EcoString> = labels.into_iter().collect();
        Self((!labels.is_empty()).then(|| Arc::new(labels)))
    }
}

#[cfg(test)]
mod tests {
    use super::Labels;

    #[test]
    fn labels_only_grow() {
        let (none, one, two) = (Labels::default(), Labels::one("http"), Labels::one("bundle:aws"));
        assert!(none.is_empty() && !one.is_empty());
        assert_eq!(none.and(&one), one);
        assert_eq!(one.and(&none), one);
        let both = one.and(&two);
        assert_eq!(both, two.and(&one));
        assert_eq!(both.iter().map(ecow::EcoString::as_str).collect::<Vec<_>>(), ["bundle:aws", "http"]);
        assert!(none.within(&one) && one.within(&both) && !both.within(&one) && !one.within(&none));
        assert_eq!(both.iter().cloned().collect::<Labels>(), both);
        assert_eq!(std::iter::empty().collect::<Labels>(), none);
    }
}
