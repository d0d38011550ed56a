//! ReasonFlags (RFC 5280 §4.2.1.13): for which reasons a list speaks.

use crate::asn1::Asn1Fault;

/// A set of reasons. Bit 0 of the standard is unused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reasons(u16);

impl Reasons {
    /// Every reason.
    pub(crate) const ALL: Self = Self(0x7F80);
    /// None.
    pub(crate) const NONE: Self = Self(0);

    /// Reads the content of the BIT STRING.
    pub(crate) fn read(content: &[u8]) -> Result<Self, Asn1Fault> {
        let bits = match *content {
            [0..=7] => 0,
            [unused @ 0..=7, one] if one & ((1 << unused) - 1) == 0 => u16::from(one) << 8,
            [unused @ 0..=7, one, two] if two & ((1 << unused) - 1) == 0 => u16::from_be_bytes([one, two]),
            _ => return Err(Asn1Fault::Value),
        };
        Ok(Self(bits & Self::ALL.0))
    }

    /// Those in both.
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those in either.
    pub(crate) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of them are among the others.
    pub(crate) fn are_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }
}
