//! The DER writer: enough to build our own signatures and to re-write signed attributes.
//!
//! **Invariant**: what it writes, the reader of this crate reads.

use super::tag;
use crate::time::Time;

/// One element of this tag around this content.
pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(content.len() + 6);
    header(&mut bytes, tag, content.len());
    bytes.extend_from_slice(content);
    bytes
}

/// Tag and minimal length.
pub(crate) fn header(out: &mut Vec<u8>, tag: u8, length: usize) {
    out.push(tag);
    length_octets(out, length);
}

/// The minimal length octets of DER.
pub(crate) fn length_octets(out: &mut Vec<u8>, length: usize) {
    if length < 0x80 {
        out.push(u8::try_from(length).expect("below 128"));
        return;
    }
    let octets = length.to_be_bytes();
    let significant = &octets[octets.iter().take_while(|octet| **octet == 0).count()..];
    out.push(0x80 | u8::try_from(significant.len()).expect("at most eight octets"));
    out.extend_from_slice(significant);
}

/// One element of this tag around these elements in this order.
pub(crate) fn constructed(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    element(tag, &parts.concat())
}

/// The content octets of an INTEGER with this magnitude.
pub(crate) fn integer(magnitude: &[u8]) -> Vec<u8> {
    let zeros = magnitude.iter().take_while(|octet| **octet == 0).count();
    let significant = &magnitude[zeros..];
    let needs_zero = significant.first().is_none_or(|first| first & 0x80 != 0);
    let mut octets = Vec::with_capacity(significant.len() + 1);
    octets.extend(needs_zero.then_some(0));
    octets.extend_from_slice(significant);
    octets
}

/// SET OF in the order that DER asks for (X.690 §11.6).
pub(crate) fn set_of(tag: u8, mut parts: Vec<Vec<u8>>) -> Vec<u8> {
    parts.sort();
    element(tag, &parts.concat())
}

pub(crate) fn object_identifier(oid: &const_oid::ObjectIdentifier) -> Vec<u8> {
    element(tag::OBJECT_IDENTIFIER, oid.as_bytes())
}

/// A time as RFC 5652 §11.3 asks for it: UTCTime from 1950 to 2049, GeneralizedTime otherwise.
pub(crate) fn time(time: Time) -> Vec<u8> {
    let text = Time::from_seconds(time.as_seconds()).to_string();
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).chain([b'Z']).collect();
    if ("1950".."2050").contains(&&text[..4]) {
        element(tag::UTC_TIME, &digits[2..])
    } else {
        element(tag::GENERALIZED_TIME, &digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::{Reader, read_time};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_again(length in 0_usize..70_000) {
            let content = vec![7; length];
            let bytes = element(tag::OCTET_STRING, &content);
            prop_assert_eq!(Reader::sole(&bytes, tag::OCTET_STRING).map(|e| e.content.len()), Ok(length));
        }

        #[test]
        fn times_are_read_again(seconds in -60_000_000_000_i64..250_000_000_000) {
            let written = time(Time::from_seconds(seconds));
            let element = Reader::new(&written).next().expect("one element");
            prop_assert_eq!(read_time(&element), Ok(Time::from_seconds(seconds)));
        }
    }
}
