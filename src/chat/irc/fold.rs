//! Which names are the same: servers differ in what they take for a small letter.

use std::borrow::Cow;

/// A server's idea of small and capital letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Fold {
    /// A to Z.
    Ascii,
    /// A to Z, and `[]\^` are the capitals of `{}|~`; what a server means that does not say.
    #[default]
    Rfc1459,
    /// The same without `^` and `~`.
    StrictRfc1459,
}

impl Fold {
    /// From the server's `CASEMAPPING`. A mapping unknown here is taken as ASCII, which all of them contain.
    pub(super) fn named(name: &[u8]) -> Self {
        match name {
            b"rfc1459" => Self::Rfc1459,
            b"strict-rfc1459" | b"rfc1459-strict" => Self::StrictRfc1459,
            _ => Self::Ascii,
        }
    }

    fn byte(self, byte: u8) -> u8 {
        match (self, byte) {
            (Self::Rfc1459 | Self::StrictRfc1459, b'[' | b']' | b'\\') => byte + 32,
            (Self::Rfc1459, b'^') => b'~',
            (Self::Ascii | Self::Rfc1459 | Self::StrictRfc1459, _) => byte.to_ascii_lowercase(),
        }
    }

    /// Whether two names are one.
    pub(super) fn same(self, one: &[u8], other: &[u8]) -> bool {
        one.len() == other.len() && one.iter().zip(other).all(|(a, b)| self.byte(*a) == self.byte(*b))
    }

    /// The name in small letters.
    pub(super) fn lower(self, name: &str) -> Cow<'_, str> {
        if name.bytes().all(|byte| self.byte(byte) == byte) {
            return Cow::Borrowed(name);
        }
        let lower = |c: char| u8::try_from(c).ok().filter(u8::is_ascii).map_or(c, |byte| char::from(self.byte(byte)));
        Cow::Owned(name.chars().map(lower).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::Fold;

    #[test]
    fn names_are_compared_as_the_server_does() {
        let same = |fold: Fold, one: &str, other: &str| {
            assert_eq!(fold.same(one.as_bytes(), other.as_bytes()), fold.lower(one) == fold.lower(other));
            fold.same(one.as_bytes(), other.as_bytes())
        };
        assert!(same(Fold::Ascii, "#OpsÉ", "#opsÉ"));
        assert!(!same(Fold::Ascii, "a[", "a{"));
        assert!(same(Fold::Rfc1459, "A[]\\^", "a{}|~"));
        assert!(!same(Fold::StrictRfc1459, "^", "~"));
        assert!(same(Fold::StrictRfc1459, "[", "{"));
        assert_eq!(Fold::named(b"ascii"), Fold::Ascii);
    }
}
