//! The DER reader: a cursor over elements.
//!
//! **Invariant**: strict DER lengths; an element never reaches past its parent.

use super::{Asn1Fault, tag};
use crate::time::{Civil, Time, decimal};

/// One element: its tag octet, its content, and the whole of it with tag and length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
    pub(crate) whole: &'a [u8],
}

/// A cursor over the elements of one structure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The only element of these bytes: nothing may follow it.
    pub(crate) fn sole(bytes: &'a [u8], tag: u8) -> Result<Element<'a>, Asn1Fault> {
        let mut reader = Self::new(bytes);
        let element = reader.expect(tag)?;
        reader.finish()?;
        Ok(element)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The tag of the next element, if there is one.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Everything must have been read.
    pub(crate) fn finish(self) -> Result<(), Asn1Fault> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Asn1Fault::Trailing)
        }
    }

    /// The next element, whatever it is.
    pub(crate) fn next(&mut self) -> Result<Element<'a>, Asn1Fault> {
        let (&first, after_tag) = self.rest.split_first().ok_or(Asn1Fault::Truncated)?;
        if first & 0x1F == 0x1F || first == 0 {
            // No structure read here has a tag number above 30; end-of-contents belongs to BER.
            return Err(Asn1Fault::Tag);
        }
        let (length, length_octets) = definite_length(after_tag)?;
        let header = 1 + length_octets;
        let end = header.checked_add(length).ok_or(Asn1Fault::Length)?;
        let (whole, rest) = self.rest.split_at_checked(end).ok_or(Asn1Fault::Truncated)?;
        self.rest = rest;
        Ok(Element {
            tag: first,
            content: &whole[header..],
            whole,
        })
    }

    /// The next element, which must bear this tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Result<Element<'a>, Asn1Fault> {
        let element = self.next()?;
        if element.tag == tag {
            Ok(element)
        } else {
            Err(Asn1Fault::Unexpected)
        }
    }

    /// The next element if it bears this tag.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, Asn1Fault> {
        if self.peek() == Some(tag) {
            self.next().map(Some)
        } else {
            Ok(None)
        }
    }

    /// A reader over the content of the next element, which must bear this tag.
    pub(crate) fn enter(&mut self, tag: u8) -> Result<Reader<'a>, Asn1Fault> {
        Ok(Reader::new(self.expect(tag)?.content))
    }

    pub(crate) fn sequence(&mut self) -> Result<Reader<'a>, Asn1Fault> {
        self.enter(tag::SEQUENCE)
    }

    pub(crate) fn object_identifier(&mut self) -> Result<&'a [u8], Asn1Fault> {
        let element = self.expect(tag::OBJECT_IDENTIFIER)?;
        element.object_identifier()
    }

    /// The content octets of an INTEGER: minimal, two's complement.
    pub(crate) fn integer(&mut self) -> Result<&'a [u8], Asn1Fault> {
        check_integer(self.expect(tag::INTEGER)?.content)
    }

    /// An octet-aligned BIT STRING, as keys and signatures are.
    pub(crate) fn bit_string_octets(&mut self) -> Result<&'a [u8], Asn1Fault> {
        match self.expect(tag::BIT_STRING)?.content.split_first() {
            Some((0, octets)) => Ok(octets),
            _ => Err(Asn1Fault::Value),
        }
    }
}

impl<'a> Element<'a> {
    pub(crate) fn reader(&self) -> Reader<'a> {
        Reader::new(self.content)
    }

    fn object_identifier(&self) -> Result<&'a [u8], Asn1Fault> {
        let well_formed = self.content.last().is_some_and(|last| last & 0x80 == 0);
        if well_formed {
            Ok(self.content)
        } else {
            Err(Asn1Fault::Value)
        }
    }
}

/// The length octets of DER: definite, minimal, at most four octets of number.
fn definite_length(after_tag: &[u8]) -> Result<(usize, usize), Asn1Fault> {
    let &first = after_tag.first().ok_or(Asn1Fault::Truncated)?;
    if first < 0x80 {
        return Ok((usize::from(first), 1));
    }
    let count = usize::from(first & 0x7F);
    if count == 0 || count > 4 {
        return Err(Asn1Fault::Length);
    }
    let octets = after_tag.get(1..=count).ok_or(Asn1Fault::Truncated)?;
    let length = octets
        .iter()
        .fold(0_usize, |length, octet| (length << 8) | usize::from(*octet));
    if octets[0] == 0 || length < 0x80 {
        return Err(Asn1Fault::Length);
    }
    Ok((length, 1 + count))
}

/// Checks the content octets of an INTEGER (X.690 §8.3.2: the first nine bits are not all the same).
pub(crate) fn check_integer(content: &[u8]) -> Result<&[u8], Asn1Fault> {
    match content {
        [] => Err(Asn1Fault::Value),
        [0x00, second, ..] if second & 0x80 == 0 => Err(Asn1Fault::Value),
        [0xFF, second, ..] if second & 0x80 != 0 => Err(Asn1Fault::Value),
        _ => Ok(content),
    }
}

/// The value of a BOOLEAN's content in DER.
pub(crate) fn read_boolean(content: &[u8]) -> Result<bool, Asn1Fault> {
    match content {
        [0x00] => Ok(false),
        [0xFF] => Ok(true),
        _ => Err(Asn1Fault::Value),
    }
}

/// A UTCTime or GeneralizedTime in the form of RFC 5280 §4.1.2.5: UTC, with seconds, without a fraction.
pub(crate) fn read_time(element: &Element<'_>) -> Result<Time, Asn1Fault> {
    let digits = element.content.strip_suffix(b"Z").ok_or(Asn1Fault::Value)?;
    let (year, rest) = match (element.tag, digits.len()) {
        (tag::UTC_TIME, 12) => {
            let year = decimal(&digits[..2]).ok_or(Asn1Fault::Value)?;
            (if year >= 50 { 1900 + year } else { 2000 + year }, &digits[2..])
        }
        (tag::GENERALIZED_TIME, 14) => (decimal(&digits[..4]).ok_or(Asn1Fault::Value)?, &digits[4..]),
        _ => return Err(Asn1Fault::Value),
    };
    let field = |at: usize| decimal(&rest[at..at + 2]).ok_or(Asn1Fault::Value);
    let civil = Civil {
        year,
        month: field(0)?,
        day: field(2)?,
        hour: field(4)?,
        minute: field(6)?,
        second: field(8)?,
    };
    Time::from_civil(civil).ok_or(Asn1Fault::Value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_that_are_not_minimal_are_refused() {
        for bytes in [
            &b"\x04\x81\x01a"[..],
            b"\x04\x80\x00\x00",
            b"\x04\x82\x00\x80",
            b"\x04\x85\x00\x00\x00\x00\x01",
        ] {
            assert_eq!(Reader::new(bytes).next(), Err(Asn1Fault::Length), "{bytes:x?}");
        }
        assert_eq!(Reader::new(b"\x04\x02a").next(), Err(Asn1Fault::Truncated));
    }

    #[test]
    fn times_are_read_in_both_forms() {
        let read = |tag, content: &[u8]| {
            read_time(&Element {
                tag,
                content,
                whole: content,
            })
        };
        assert_eq!(
            read(tag::UTC_TIME, b"500101000000Z").map(|t| t.to_string()),
            Ok("1950-01-01T00:00:00Z".into())
        );
        assert_eq!(
            read(tag::UTC_TIME, b"491231235959Z").map(|t| t.to_string()),
            Ok("2049-12-31T23:59:59Z".into())
        );
        let last = read(tag::GENERALIZED_TIME, b"99991231235959Z");
        assert_eq!(last.map(|t| t.to_string()), Ok("9999-12-31T23:59:59Z".into()));
        for bad in [&b"5001010000Z"[..], b"500101000000+0700", b"501301000000Z"] {
            assert_eq!(read(tag::UTC_TIME, bad), Err(Asn1Fault::Value));
        }
    }

    proptest! {
        #[test]
        fn no_input_panics(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut reader = Reader::new(&bytes);
            while let Ok(element) = reader.next() {
                let _ = read_time(&element);
                let _ = check_integer(element.content);
            }
        }
    }
}
