//! TSTInfo (RFC 3161 §2.4.2): what a time-stamp authority says, read strictly.
//!
//! **Invariant**: an imprint has a digest algorithm that is known and exactly its length; a critical extension refuses
//! the whole, for none is known.

use super::TokenFault;
use crate::algorithm::DigestAlgorithm;
use crate::asn1::{Asn1Fault, Element, Reader, read_boolean, read_time, tag};
use crate::name::Name;
use crate::time::{Time, decimal};
use crate::x509::ExtensionsReader;

/// Digits of the fraction of a second that are read: nanoseconds are met.
const FRACTION_DIGITS_MAX: usize = 9;

/// Octets of the number of whole seconds of an accuracy: more than a century.
const ACCURACY_OCTETS_MAX: usize = 4;

/// What the authority signed.
#[derive(Clone, Debug)]
pub(super) struct TstInfo {
    /// Content octets of the policy's object identifier.
    pub(super) policy: Box<[u8]>,
    pub(super) imprint_algorithm: DigestAlgorithm,
    pub(super) imprint: Box<[u8]>,
    /// Content octets of the INTEGER.
    pub(super) serial: Box<[u8]>,
    /// genTime.
    pub(super) time: Time,
    pub(super) accuracy_micros: Option<i64>,
    pub(super) is_ordered: bool,
    pub(super) nonce: Option<Box<[u8]>>,
    /// The name of the authority, where it is given as a directory name. A name of another form is a hint without use:
    /// the certificate is bound by the signing-certificate attribute.
    pub(super) authority: Option<Name>,
}

impl TstInfo {
    /// Reads the content of a token, which is in DER (RFC 3161 §2.4.2).
    pub(super) fn read(content: &[u8]) -> Result<Self, TokenFault> {
        let mut body = Reader::sole(content, tag::SEQUENCE)?.reader();
        if body.integer()? != [1] {
            return Err(TokenFault::Version);
        }
        let policy = body.object_identifier()?.into();
        let (imprint_algorithm, imprint) = read_imprint(body.sequence()?)?;
        let serial = body.integer()?.into();
        let time = read_generalized_time(&body.next()?)?;
        let accuracy = body.optional(tag::SEQUENCE)?;
        let accuracy_micros = accuracy.map(|accuracy| read_accuracy(&accuracy)).transpose()?;
        // FALSE is the default, which DER leaves out; authorities that write it mean nothing else by it.
        let ordering = body.optional(tag::BOOLEAN)?;
        let is_ordered = ordering.map_or(Ok(false), |ordering| read_boolean(ordering.content))?;
        let nonce = match body.peek() {
            Some(tag::INTEGER) => Some(body.integer()?.into()),
            Some(_) | None => None,
        };
        let authority = match body.optional(tag::context_constructed(0))? {
            Some(explicit) => read_authority(&explicit)?,
            None => None,
        };
        if let Some(extensions) = body.optional(tag::context_constructed(1))? {
            check_extensions(&extensions)?;
        }
        body.finish()?;
        Ok(Self {
            policy,
            imprint_algorithm,
            imprint,
            serial,
            time,
            accuracy_micros,
            is_ordered,
            nonce,
            authority,
        })
    }
}

fn read_imprint(mut imprint: Reader<'_>) -> Result<(DigestAlgorithm, Box<[u8]>), TokenFault> {
    let algorithm = DigestAlgorithm::read(&imprint.expect(tag::SEQUENCE)?)?;
    let digest = imprint.expect(tag::OCTET_STRING)?.content;
    imprint.finish()?;
    let algorithm = algorithm.ok_or(TokenFault::ImprintAlgorithm)?;
    // A digest of nothing is as long as any other of its algorithm.
    if algorithm.digest(&[]).as_ref().len() != digest.len() {
        return Err(TokenFault::ImprintLength);
    }
    Ok((algorithm, digest.into()))
}

/// A GeneralizedTime in the form of RFC 3161 §2.4.2: UTC, seconds, and perhaps a fraction that does not end in zero.
/// Parts of a microsecond count as a whole one: what is proven to have existed existed no later than that.
fn read_generalized_time(element: &Element<'_>) -> Result<Time, TokenFault> {
    if element.tag != tag::GENERALIZED_TIME {
        return Err(TokenFault::Time);
    }
    let (digits, fraction) = match element.content.split_at_checked(14) {
        Some((digits, b"Z")) => (digits, &[][..]),
        Some((digits, [b'.', fraction @ .., b'Z'])) if !fraction.is_empty() => (digits, fraction),
        Some(_) | None => return Err(TokenFault::Time),
    };
    if fraction.len() > FRACTION_DIGITS_MAX || fraction.ends_with(b"0") {
        return Err(TokenFault::Time);
    }
    let whole = [digits, b"Z"].concat();
    let seconds = read_time(&Element {
        tag: tag::GENERALIZED_TIME,
        content: &whole,
        whole: &whole,
    });
    let seconds = seconds.map_err(|_| TokenFault::Time)?;
    let mut nanos = [b'0'; FRACTION_DIGITS_MAX];
    nanos[..fraction.len()].copy_from_slice(fraction);
    let nanos = decimal(&nanos).ok_or(TokenFault::Time)?;
    Ok(Time::from_micros(seconds.as_micros() + (nanos + 999) / 1000))
}

/// `Accuracy ::= SEQUENCE { seconds INTEGER OPTIONAL, millis [0] (1..999) OPTIONAL, micros [1] (1..999) OPTIONAL }`,
/// in microseconds.
fn read_accuracy(accuracy: &Element<'_>) -> Result<i64, TokenFault> {
    let mut reader = accuracy.reader();
    let seconds = reader.optional(tag::INTEGER)?;
    let millis = reader.optional(tag::context(0))?;
    let micros = reader.optional(tag::context(1))?;
    reader.finish()?;
    let number = |element: Option<Element<'_>>, octets_max: usize| match element {
        None => Ok(0),
        Some(element) => read_number(element.content, octets_max),
    };
    let (seconds, millis, micros) = (
        number(seconds, ACCURACY_OCTETS_MAX)?,
        number(millis, 2)?,
        number(micros, 2)?,
    );
    if millis > 999 || micros > 999 {
        return Err(TokenFault::Accuracy);
    }
    Ok(seconds * 1_000_000 + millis * 1000 + micros)
}

/// A number that is not negative, of so many octets at most.
fn read_number(content: &[u8], octets_max: usize) -> Result<i64, TokenFault> {
    let is_fit = content.len() <= octets_max && content.first().is_some_and(|first| first & 0x80 == 0);
    if !is_fit {
        return Err(TokenFault::Accuracy);
    }
    Ok(content
        .iter()
        .fold(0, |number, octet| (number << 8) | i64::from(*octet)))
}

/// The GeneralName under `[0]`: a directoryName is `[4]` around a Name.
fn read_authority(explicit: &Element<'_>) -> Result<Option<Name>, Asn1Fault> {
    let mut reader = explicit.reader();
    let name = reader.next()?;
    reader.finish()?;
    if name.tag != tag::context_constructed(4) {
        return Ok(None);
    }
    Name::read(&Reader::sole(name.content, tag::SEQUENCE)?).map(Some)
}

fn check_extensions(extensions: &Element<'_>) -> Result<(), TokenFault> {
    let malformed = |_| TokenFault::Extensions;
    let mut reader = ExtensionsReader::of_sequence(extensions)?;
    while let Some(extension) = reader.next().map_err(malformed)? {
        if extension.is_critical {
            return Err(TokenFault::CriticalExtension);
        }
    }
    Ok(())
}

/// The content octets of an object identifier in dots (X.690 §8.19); `None` where a number has more than 64 bits.
pub(super) fn dotted(octets: &[u8]) -> Option<String> {
    let mut numbers: Vec<u64> = Vec::new();
    let mut number = 0_u64;
    for octet in octets {
        number = number.checked_mul(128)? + u64::from(octet & 0x7F);
        if octet & 0x80 == 0 {
            numbers.push(number);
            number = 0;
        }
    }
    // The first two are written as one.
    let (first, rest) = numbers.split_first()?;
    let root = (first / 40).min(2);
    let mut text = format!("{root}.{}", first - root * 40);
    for number in rest {
        text.push_str(&format!(".{number}"));
    }
    Some(text)
}
