//! PDF objects (ISO 32000-2 §7.3).
//!
//! **Invariant**: two objects are equal if they say the same, wherever and in whatever order they say it.

use std::ops::Range;

/// Octets of a real that is measured with at most.
const REAL_OCTETS_MAX: usize = 32;

/// A reference to an indirect object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Reference {
    pub(super) number: u32,
    pub(super) generation: u16,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Object {
    Null,
    Boolean(bool),
    Integer(i64),
    /// The digits as they stand.
    Real(Box<[u8]>),
    Name(Box<[u8]>),
    Text(Text),
    Array(Vec<Object>),
    Dictionary(Dictionary),
    Reference(Reference),
}

impl Object {
    pub(super) fn as_integer(&self) -> Option<i64> {
        if let Self::Integer(value) = self {
            Some(*value)
        } else {
            None
        }
    }

    /// An integer or a real (§7.3.3).
    pub(super) fn as_number(&self) -> Option<f64> {
        match self {
            Self::Integer(value) => Some(*value as f64),
            // Of longer ones readers that count in few bits make something else.
            Self::Real(digits) if digits.len() <= REAL_OCTETS_MAX => {
                std::str::from_utf8(digits).ok()?.parse().ok()
            }
            Self::Null
            | Self::Boolean(_)
            | Self::Real(_)
            | Self::Name(_)
            | Self::Text(_)
            | Self::Array(_)
            | Self::Dictionary(_)
            | Self::Reference(_) => None,
        }
    }

    pub(super) fn as_name(&self) -> Option<&[u8]> {
        if let Self::Name(name) = self {
            Some(name)
        } else {
            None
        }
    }

    pub(super) fn as_array(&self) -> Option<&[Object]> {
        if let Self::Array(items) = self {
            Some(items)
        } else {
            None
        }
    }

    pub(super) fn as_dictionary(&self) -> Option<&Dictionary> {
        if let Self::Dictionary(dictionary) = self {
            Some(dictionary)
        } else {
            None
        }
    }

    pub(super) fn as_reference(&self) -> Option<Reference> {
        if let Self::Reference(reference) = self {
            Some(*reference)
        } else {
            None
        }
    }

    /// A length, an offset or a count: an integer that is not negative.
    pub(super) fn as_size(&self) -> Option<usize> {
        usize::try_from(self.as_integer()?).ok()
    }
}

/// A string, and where its token stands with its delimiters.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) bytes: Box<[u8]>,
    /// The token itself, where readers do not agree about its octets.
    pub(super) ambiguous: Option<Box<[u8]>>,
    pub(super) token: Range<usize>,
    pub(super) is_plain_hex: bool,
}

impl PartialEq for Text {
    /// Two strings are the same wherever they stand.
    fn eq(&self, other: &Self) -> bool {
        (&self.bytes, &self.ambiguous) == (&other.bytes, &other.ambiguous)
    }
}

/// A dictionary; no key occurs twice.
#[derive(Clone, Debug, Default)]
pub(super) struct Dictionary {
    /// Sorted by key.
    entries: Vec<(Box<[u8]>, Object)>,
}

impl Dictionary {
    /// `None` where a key occurs twice.
    pub(super) fn new(mut entries: Vec<(Box<[u8]>, Object)>) -> Option<Self> {
        entries.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let is_repeated = |pair: &[(Box<[u8]>, Object)]| pair[0].0 == pair[1].0;
        (!entries.windows(2).any(is_repeated)).then_some(Self { entries })
    }

    /// The value of a key; null counts as absent (§7.3.7).
    pub(super) fn get(&self, key: &[u8]) -> Option<&Object> {
        let found = self.entries.binary_search_by(|(known, _)| (**known).cmp(key));
        let (_, value) = &self.entries[found.ok()?];
        Some(value).filter(|value| **value != Object::Null)
    }

    /// Whether the key is there, be it null: readers look for it in ways of their own.
    pub(super) fn names(&self, key: &[u8]) -> bool {
        self.entries
            .binary_search_by(|(known, _)| (**known).cmp(key))
            .is_ok()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &Object)> {
        self.entries.iter().map(|(key, value)| (&**key, value))
    }

    pub(super) fn integer(&self, key: &[u8]) -> Option<i64> {
        self.get(key)?.as_integer()
    }

    pub(super) fn name(&self, key: &[u8]) -> Option<&[u8]> {
        self.get(key)?.as_name()
    }

    pub(super) fn reference(&self, key: &[u8]) -> Option<Reference> {
        self.get(key)?.as_reference()
    }

    /// Whether both say the same about every key but these. A key that is null is not one that is absent: it keeps some
    /// readers from what is inherited.
    pub(super) fn equals_except(&self, other: &Self, keys: &[&[u8]]) -> bool {
        fn counted<'d>(
            dictionary: &'d Dictionary,
            keys: &'d [&[u8]],
        ) -> impl Iterator<Item = (&'d [u8], &'d Object)> {
            dictionary.iter().filter(|(key, _)| !keys.contains(key))
        }
        counted(self, keys).eq(counted(other, keys))
    }
}

impl PartialEq for Dictionary {
    fn eq(&self, other: &Self) -> bool {
        self.equals_except(other, &[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dictionary(entries: &[(&str, Object)]) -> Dictionary {
        let entries = entries
            .iter()
            .map(|(key, value)| (key.as_bytes().into(), value.clone()));
        Dictionary::new(entries.collect()).expect("no key twice")
    }

    #[test]
    fn dictionaries_are_the_same_if_they_say_the_same() {
        let (one, two) = (Object::Integer(1), Object::Integer(2));
        let whole = dictionary(&[("A", one.clone()), ("B", two.clone())]);
        assert_eq!(whole, dictionary(&[("B", two.clone()), ("A", one.clone())]));
        for other in [
            dictionary(&[("B", two.clone()), ("A", one.clone()), ("C", Object::Null)]),
            dictionary(&[("A", one.clone())]),
            dictionary(&[("A", one.clone()), ("B", one.clone())]),
            dictionary(&[("A", one.clone()), ("B", two), ("C", one.clone())]),
        ] {
            assert_ne!(whole, other);
            assert_ne!(other, whole);
        }
        assert!(whole.equals_except(&dictionary(&[("A", one.clone())]), &[b"B"]));
        assert!(dictionary(&[("A", one)]).equals_except(&whole, &[b"B"]));
    }

    #[test]
    fn nested_dictionaries_are_compared_once() {
        let nest = |innermost: Object| {
            (0..60).fold(innermost, |inner, _| {
                Object::Dictionary(dictionary(&[("A", inner)]))
            })
        };
        assert_eq!(nest(Object::Integer(1)), nest(Object::Integer(1)));
        assert_ne!(nest(Object::Integer(1)), nest(Object::Integer(2)));
    }
}
