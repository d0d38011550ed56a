//! From BER to DER, keeping where everything came from.
//!
//! Signatures of the field are written in BER with indefinite lengths; everything behind this module reads DER only.
//! What is already DER is borrowed and costs one pass.
//!
//! **Invariant**: the result holds the same tags and values as the source; only lengths are rewritten, and segments of
//! an OCTET STRING joined. Sets keep their order.
//! **Invariant**: depth, octets and elements are limited; work is linear in the input.

use std::borrow::Cow;
use std::ops::Range;

use super::{Asn1Fault, tag, write};

/// How much is read before it is refused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) octets_max: usize,
    pub(crate) depth_max: usize,
    pub(crate) elements_max: usize,
}

impl Limits {
    /// Signatures: the largest met in the field, with embedded CRLs, are some megabytes; none nests deeper than 25.
    pub(crate) const SIGNATURE: Limits = Limits {
        octets_max: 64 << 20,
        depth_max: 40,
        elements_max: 2_000_000,
    };
}

/// One element in DER, and where its parts stood in the source.
#[derive(Debug)]
pub(crate) struct Normal<'a> {
    der: Cow<'a, [u8]>,
    /// Start in `der` and range in the source of every element, in order; empty where `der` is the source itself.
    origins: Vec<(usize, Range<usize>)>,
    source: &'a [u8],
    source_length: usize,
}

impl<'a> Normal<'a> {
    /// Reads the first element of `source`; [`Normal::rest`] is what follows it.
    pub(crate) fn read(source: &'a [u8], limits: &Limits) -> Result<Self, Asn1Fault> {
        if source.len() > limits.octets_max {
            return Err(Asn1Fault::Size);
        }
        let mut pass = Pass {
            source,
            elements: 0,
            limits,
            is_der: true,
        };
        let source_length = pass.measure(0, source.len(), 0)?.end;
        if pass.is_der {
            let der = Cow::Borrowed(&source[..source_length]);
            return Ok(Self {
                der,
                origins: Vec::new(),
                source,
                source_length,
            });
        }
        let mut out = Rewrite {
            source,
            der: Vec::with_capacity(source_length),
            origins: Vec::new(),
        };
        out.element(0, source_length)?;
        Ok(Self {
            der: Cow::Owned(out.der),
            origins: out.origins,
            source,
            source_length,
        })
    }

    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }

    /// What follows the element in the source.
    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.source[self.source_length..]
    }

    /// The source octets of an element that was read out of [`Normal::der`].
    pub(crate) fn source_of(&self, element: &[u8]) -> Option<&[u8]> {
        let start = (element.as_ptr() as usize).checked_sub(self.der.as_ptr() as usize)?;
        if self.origins.is_empty() {
            return self.source.get(start..start + element.len());
        }
        let index = self
            .origins
            .binary_search_by_key(&start, |(start, _)| *start)
            .ok()?;
        self.source.get(self.origins[index].1.clone())
    }
}

/// Tag, length and extent of one BER element.
#[derive(Clone, Copy)]
struct Header {
    content_start: usize,
    /// `None`: indefinite.
    content_length: Option<usize>,
    tag_octets: usize,
    is_minimal: bool,
}

fn read_header(source: &[u8], start: usize, end: usize) -> Result<Header, Asn1Fault> {
    let bytes = source.get(start..end).ok_or(Asn1Fault::Truncated)?;
    let &first = bytes.first().ok_or(Asn1Fault::Truncated)?;
    let mut tag_octets = 1;
    if first & 0x1F == 0x1F {
        // Numbers above 30 occur in foreign attributes only; they are carried, never read.
        loop {
            let octet = bytes.get(tag_octets).ok_or(Asn1Fault::Truncated)?;
            tag_octets += 1;
            if octet & 0x80 == 0 {
                break;
            }
            if tag_octets > 4 {
                return Err(Asn1Fault::Tag);
            }
        }
    }
    let &length_first = bytes.get(tag_octets).ok_or(Asn1Fault::Truncated)?;
    let count = usize::from(length_first & 0x7F);
    let (length, length_octets, is_minimal) = match length_first {
        0x80 => (None, 1, false),
        0..0x80 => (Some(count), 1, true),
        _ if count > 8 => return Err(Asn1Fault::Length),
        _ => {
            let octets = bytes
                .get(tag_octets + 1..=tag_octets + count)
                .ok_or(Asn1Fault::Truncated)?;
            let length = octets
                .iter()
                .fold(0_u64, |length, octet| (length << 8) | u64::from(*octet));
            let length = usize::try_from(length).map_err(|_| Asn1Fault::Length)?;
            (Some(length), 1 + count, octets[0] != 0 && length >= 0x80)
        }
    };
    let content_start = start + tag_octets + length_octets;
    if length.is_some_and(|length| length > end - content_start) {
        return Err(Asn1Fault::Truncated);
    }
    if length.is_none() && first & 0x20 == 0 {
        return Err(Asn1Fault::Length);
    }
    Ok(Header {
        content_start,
        content_length: length,
        tag_octets,
        is_minimal,
    })
}

fn is_end_of_contents(source: &[u8], at: usize, end: usize) -> bool {
    source.get(at..end).is_some_and(|rest| rest.starts_with(&[0, 0]))
}

/// The first pass: checks the structure and finds out whether it is DER already.
struct Pass<'s> {
    source: &'s [u8],
    elements: usize,
    limits: &'s Limits,
    is_der: bool,
}

impl Pass<'_> {
    /// Measures the element at `start`, which may reach to `end`.
    fn measure(&mut self, start: usize, end: usize, depth: usize) -> Result<Range<usize>, Asn1Fault> {
        self.elements += 1;
        if self.elements > self.limits.elements_max {
            return Err(Asn1Fault::Size);
        }
        if depth > self.limits.depth_max {
            return Err(Asn1Fault::Depth);
        }
        let header = read_header(self.source, start, end)?;
        let first = self.source[start];
        if first == 0 {
            return Err(Asn1Fault::Tag);
        }
        self.is_der &= header.is_minimal;
        let is_constructed = first & 0x20 != 0;
        if is_constructed && first & 0xC0 == 0 && !matches!(first, tag::SEQUENCE | tag::SET) {
            // Only OCTET STRINGs are met in segments; other universal types in segments are refused.
            if first != tag::OCTET_STRING | 0x20 {
                return Err(Asn1Fault::Tag);
            }
            self.is_der = false;
        }
        let mut at = header.content_start;
        let content_end = header.content_length.map(|length| at + length);
        if !is_constructed {
            return Ok(start..content_end.expect("a primitive element has a definite length"));
        }
        loop {
            match content_end {
                Some(content_end) if at == content_end => return Ok(start..at),
                None if is_end_of_contents(self.source, at, end) => return Ok(start..at + 2),
                Some(_) | None => at = self.measure(at, content_end.unwrap_or(end), depth + 1)?.end,
            }
        }
    }
}

/// The second pass: writes DER. The structure was checked, and so was its depth.
struct Rewrite<'s> {
    source: &'s [u8],
    der: Vec<u8>,
    origins: Vec<(usize, Range<usize>)>,
}

impl Rewrite<'_> {
    /// Writes the element at `start` and returns where it ends in the source.
    fn element(&mut self, start: usize, end: usize) -> Result<usize, Asn1Fault> {
        let header = read_header(self.source, start, end)?;
        let first = self.source[start];
        let der_start = self.der.len();
        let origin = self.origins.len();
        self.origins.push((der_start, start..start));
        if first == tag::OCTET_STRING | 0x20 {
            self.der.push(tag::OCTET_STRING);
        } else {
            self.der
                .extend_from_slice(&self.source[start..start + header.tag_octets]);
        }
        let body_start = self.der.len();
        let source_end = if first & 0x20 == 0 {
            let content_end = header.content_start + header.content_length.ok_or(Asn1Fault::Length)?;
            self.der
                .extend_from_slice(&self.source[header.content_start..content_end]);
            content_end
        } else {
            self.children(&header, end, first == tag::OCTET_STRING | 0x20)?
        };
        self.insert_length(body_start, origin);
        self.origins[origin].1.end = source_end;
        Ok(source_end)
    }

    fn children(&mut self, header: &Header, end: usize, is_segmented: bool) -> Result<usize, Asn1Fault> {
        let content_end = header.content_length.map(|length| header.content_start + length);
        let mut at = header.content_start;
        loop {
            match content_end {
                Some(content_end) if at == content_end => return Ok(at),
                None if is_end_of_contents(self.source, at, end) => return Ok(at + 2),
                Some(_) | None => {
                    let limit = content_end.unwrap_or(end);
                    at = if is_segmented {
                        self.segment(at, limit)?
                    } else {
                        self.element(at, limit)?
                    };
                }
            }
        }
    }

    /// Appends the content of one segment of an OCTET STRING; segments may be segmented again (X.690 §8.7.3).
    fn segment(&mut self, start: usize, end: usize) -> Result<usize, Asn1Fault> {
        let header = read_header(self.source, start, end)?;
        match self.source[start] {
            tag::OCTET_STRING => {
                let content_end = header.content_start + header.content_length.ok_or(Asn1Fault::Length)?;
                self.der
                    .extend_from_slice(&self.source[header.content_start..content_end]);
                Ok(content_end)
            }
            first if first == tag::OCTET_STRING | 0x20 => self.children(&header, end, true),
            _ => Err(Asn1Fault::Unexpected),
        }
    }

    /// Puts the length before the body that was just written, and moves what was noted inside it.
    fn insert_length(&mut self, body_start: usize, origin: usize) {
        let mut octets = Vec::with_capacity(6);
        write::length_octets(&mut octets, self.der.len() - body_start);
        let shift = octets.len();
        self.der.splice(body_start..body_start, octets);
        for (start, _) in &mut self.origins[origin + 1..] {
            *start += shift;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::Reader;
    use proptest::prelude::*;

    #[test]
    fn indefinite_lengths_and_segments_become_der() {
        let ber = b"\x30\x80\x24\x80\x04\x01a\x24\x05\x04\x01b\x04\x00\x00\x00\x02\x81\x01\x05\x00\x00tail";
        let normal = Normal::read(ber, &Limits::SIGNATURE).expect("BER");
        assert_eq!(normal.der(), b"\x30\x07\x04\x02ab\x02\x01\x05");
        assert_eq!(normal.rest(), b"tail");
        let integer = &normal.der()[6..];
        assert_eq!(normal.source_of(integer), Some(&b"\x02\x81\x01\x05"[..]));
    }

    #[test]
    fn der_is_borrowed() {
        let der = b"\x30\x03\x02\x01\x05\x00\x00";
        let normal = Normal::read(der, &Limits::SIGNATURE).expect("DER");
        assert!(matches!(normal.der, Cow::Borrowed(_)));
        assert_eq!(normal.source_of(&normal.der()[2..]), Some(&b"\x02\x01\x05"[..]));
    }

    #[test]
    fn depth_is_limited() {
        let deep = [0x30, 0x80].repeat(100);
        assert_eq!(
            Normal::read(&deep, &Limits::SIGNATURE).err(),
            Some(Asn1Fault::Depth)
        );
    }

    fn ber_tree() -> impl Strategy<Value = Vec<u8>> {
        let leaf =
            proptest::collection::vec(any::<u8>(), 0..5).prop_map(|content| write::element(0x04, &content));
        leaf.prop_recursive(5, 40, 5, |inner| {
            (proptest::collection::vec(inner, 0..5), any::<bool>()).prop_map(|(parts, is_indefinite)| {
                let body = parts.concat();
                if is_indefinite {
                    [&[0x30, 0x80], &body[..], &[0, 0]].concat()
                } else {
                    write::element(0x30, &body)
                }
            })
        })
    }

    /// Reads DER wholly, down to the leaves.
    fn walk(bytes: &[u8]) -> bool {
        let mut reader = Reader::new(bytes);
        while !reader.is_empty() {
            match reader.next() {
                Ok(element) if element.tag & 0x20 != 0 => {
                    if !walk(element.content) {
                        return false;
                    }
                }
                Ok(_) => {}
                Err(_) => return false,
            }
        }
        true
    }

    proptest! {
        #[test]
        fn what_is_normal_reads_as_der_and_stays_as_it_is(ber in ber_tree()) {
            let normal = Normal::read(&ber, &Limits::SIGNATURE).expect("well-formed BER");
            prop_assert!(walk(normal.der()));
            let again = Normal::read(normal.der(), &Limits::SIGNATURE).expect("DER");
            prop_assert_eq!(again.der(), normal.der());
            prop_assert!(again.origins.is_empty());
        }

        #[test]
        fn no_input_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Normal::read(&bytes, &Limits::SIGNATURE);
        }

        #[test]
        fn no_damaged_input_panics(mut ber in ber_tree(), at in any::<prop::sample::Index>(), octet: u8) {
            let at = at.index(ber.len());
            ber[at] = octet;
            let _ = Normal::read(&ber, &Limits::SIGNATURE);
        }
    }
}
