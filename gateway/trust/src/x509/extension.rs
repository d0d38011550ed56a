//! Extensions of certificates (RFC 5280 §4.2), as far as `path` and `crl` use them.
//!
//! **Invariant**: an extension is either read wholly or remembered as a [`Constraint`] that nobody satisfies; nothing
//! that could forbid a path is skipped.

use std::collections::BTreeSet;

use super::CertificateFault;
use crate::asn1::{Asn1Fault, Element, Reader, oid, read_boolean, tag};

/// What the extensions of one certificate say.
#[derive(Debug, Default)]
pub(crate) struct Extensions {
    pub(crate) basic_constraints: Option<BasicConstraints>,
    pub(crate) key_usage: Option<KeyUsage>,
    pub(crate) extended_key_usage: Option<ExtendedKeyUsage>,
    pub(crate) subject_key_identifier: Option<Box<[u8]>>,
    pub(crate) authority_key_identifier: Option<Box<[u8]>>,
    pub(crate) crl_distribution_points: Vec<DistributionPoint>,
    /// Locations of delta lists, where any are named.
    pub(crate) freshest_uris: Option<Vec<String>>,
    pub(crate) issuer_uris: Vec<String>,
    /// Locations of OCSP responders.
    pub(crate) responder_uris: Vec<String>,
    /// Whether its revocation need not be asked: that of an OCSP responder (id-pkix-ocsp-nocheck, RFC 6960 §4.2.2.2.1).
    pub(crate) has_no_check: bool,
    /// What forbids every path through this certificate, because it is not processed here.
    pub(crate) unprocessed: Option<Constraint>,
}

/// An extension that restricts paths and is not processed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Constraint {
    /// nameConstraints (RFC 5280 §4.2.1.10).
    NameConstraints,
    /// policyConstraints (§4.2.1.11).
    PolicyConstraints,
    /// policyMappings (§4.2.1.5).
    PolicyMappings,
    /// Any other critical extension.
    UnknownCritical,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BasicConstraints {
    pub(crate) is_ca: bool,
    pub(crate) path_length_max: Option<usize>,
}

/// extKeyUsage (RFC 5280 §4.2.1.12).
#[derive(Debug)]
pub(crate) struct ExtendedKeyUsage {
    /// Content octets of each purpose.
    pub(crate) purposes: Vec<Box<[u8]>>,
    pub(crate) is_critical: bool,
}

impl ExtendedKeyUsage {
    /// Whether any of these purposes is among its own.
    pub(crate) fn names_any(&self, purposes: &[const_oid::ObjectIdentifier]) -> bool {
        self.purposes
            .iter()
            .any(|own| purposes.iter().any(|one| one.as_bytes() == &**own))
    }
}

/// The bits of keyUsage (RFC 5280 §4.2.1.3), bit 0 first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyUsage(u16);

impl KeyUsage {
    pub(crate) const DIGITAL_SIGNATURE: Self = Self(1 << 15);
    pub(crate) const NON_REPUDIATION: Self = Self(1 << 14);
    pub(crate) const KEY_CERT_SIGN: Self = Self(1 << 10);
    pub(crate) const CRL_SIGN: Self = Self(1 << 9);

    /// Whether any of the bits of `other` is set.
    pub(crate) fn allows(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    fn read(value: &[u8]) -> Result<Self, Asn1Fault> {
        let content = Reader::sole(value, tag::BIT_STRING)?.content;
        match *content {
            [0..=7] => Ok(Self(0)),
            [unused @ 0..=7, one] if one & ((1 << unused) - 1) == 0 => Ok(Self(u16::from(one) << 8)),
            [unused @ 0..=7, one, two] if two & ((1 << unused) - 1) == 0 => {
                Ok(Self(u16::from_be_bytes([one, two])))
            }
            _ => Err(Asn1Fault::Value),
        }
    }
}

/// One entry of cRLDistributionPoints (RFC 5280 §4.2.1.13).
#[derive(Debug, Default)]
pub(crate) struct DistributionPoint {
    /// The names of fullName in DER, as they stand.
    pub(crate) names: Vec<Box<[u8]>>,
    /// Those of them that are `http` locations.
    pub(crate) uris: Vec<String>,
    /// Whether the point covers only some reasons, or belongs to another issuer: then nothing here uses it.
    pub(crate) is_partial: bool,
}

/// Extensions of one certificate, list or entry at most; real ones have a dozen.
const EXTENSIONS_MAX: usize = 64;

/// Reads Extensions one by one: identifier, criticality, value.
pub(crate) struct ExtensionsReader<'a> {
    reader: Reader<'a>,
    seen: BTreeSet<&'a [u8]>,
}

/// One extension as it stands.
pub(crate) struct RawExtension<'a> {
    pub(crate) oid: &'a [u8],
    pub(crate) is_critical: bool,
    pub(crate) value: &'a [u8],
}

impl<'a> ExtensionsReader<'a> {
    /// `extensions` is the explicit tag around the SEQUENCE.
    pub(crate) fn new(extensions: &Element<'a>) -> Result<Self, Asn1Fault> {
        Self::of_sequence(&Reader::sole(extensions.content, tag::SEQUENCE)?)
    }

    pub(crate) fn of_sequence(sequence: &Element<'a>) -> Result<Self, Asn1Fault> {
        let reader = sequence.reader();
        if reader.is_empty() {
            Err(Asn1Fault::Unexpected)
        } else {
            Ok(Self {
                reader,
                seen: BTreeSet::new(),
            })
        }
    }

    /// The next extension, `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<RawExtension<'a>>, CertificateFault> {
        if self.reader.is_empty() {
            return Ok(None);
        }
        let mut extension = self.reader.sequence()?;
        let oid = extension.object_identifier()?;
        let is_critical = match extension.optional(tag::BOOLEAN)? {
            Some(boolean) => read_boolean(boolean.content)?,
            None => false,
        };
        let value = extension.expect(tag::OCTET_STRING)?.content;
        extension.finish()?;
        if EXTENSIONS_MAX <= self.seen.len() {
            return Err(CertificateFault::Size);
        }
        if !self.seen.insert(oid) {
            return Err(CertificateFault::DuplicateExtension);
        }
        Ok(Some(RawExtension {
            oid,
            is_critical,
            value,
        }))
    }
}

impl Extensions {
    pub(super) fn read(extensions: &Element<'_>) -> Result<Self, CertificateFault> {
        let mut reader = ExtensionsReader::new(extensions)?;
        let mut all = Self::default();
        while let Some(extension) = reader.next()? {
            all.take(&extension)?;
        }
        Ok(all)
    }

    fn take(&mut self, extension: &RawExtension<'_>) -> Result<(), Asn1Fault> {
        let value = extension.value;
        let is = |known: const_oid::ObjectIdentifier| known.as_bytes() == extension.oid;
        if is(oid::BASIC_CONSTRAINTS) {
            self.basic_constraints = Some(read_basic_constraints(value)?);
        } else if is(oid::KEY_USAGE) {
            self.key_usage = Some(KeyUsage::read(value)?);
        } else if is(oid::EXTENDED_KEY_USAGE) {
            self.extended_key_usage = Some(ExtendedKeyUsage {
                purposes: read_purposes(value)?,
                is_critical: extension.is_critical,
            });
        } else if is(oid::SUBJECT_KEY_IDENTIFIER) {
            self.subject_key_identifier = Some(Reader::sole(value, tag::OCTET_STRING)?.content.into());
        } else if is(oid::AUTHORITY_KEY_IDENTIFIER) {
            self.authority_key_identifier = read_authority_key_identifier(value)?;
        } else if is(oid::CRL_DISTRIBUTION_POINTS) {
            self.crl_distribution_points = read_distribution_points(value)?;
        } else if is(oid::FRESHEST_CRL) {
            let points = read_distribution_points(value)?;
            self.freshest_uris = Some(points.into_iter().flat_map(|point| point.uris).collect());
        } else if is(oid::NAME_CONSTRAINTS) {
            self.unprocessed = Some(Constraint::NameConstraints);
        } else if is(oid::POLICY_CONSTRAINTS) {
            self.unprocessed = Some(Constraint::PolicyConstraints);
        } else if is(oid::POLICY_MAPPINGS) {
            self.unprocessed = Some(Constraint::PolicyMappings);
        } else if is(oid::AUTHORITY_INFORMATION_ACCESS) && !extension.is_critical {
            // Only a hint where to fetch: what cannot be read is as good as absent.
            self.issuer_uris = read_access_uris(value, &oid::ACCESS_CA_ISSUERS).unwrap_or_default();
            self.responder_uris = read_access_uris(value, &oid::ACCESS_OCSP).unwrap_or_default();
        } else if is(oid::OCSP_NO_CHECK) && value == [tag::NULL, 0] {
            self.has_no_check = true;
        } else if is(oid::SUBJECT_ALTERNATIVE_NAME) || is(oid::ISSUER_ALTERNATIVE_NAME) {
            // Names beside the subject constrain nothing while name constraints are refused as a whole.
        } else if extension.is_critical {
            self.unprocessed = Some(Constraint::UnknownCritical);
        }
        Ok(())
    }
}

fn read_basic_constraints(value: &[u8]) -> Result<BasicConstraints, Asn1Fault> {
    let mut reader = Reader::sole(value, tag::SEQUENCE)?.reader();
    let is_ca = match reader.optional(tag::BOOLEAN)? {
        Some(boolean) => read_boolean(boolean.content)?,
        None => false,
    };
    let path_length_max = match reader.peek() {
        Some(tag::INTEGER) => {
            let octets = reader.integer()?;
            if octets[0] & 0x80 != 0 {
                return Err(Asn1Fault::Value);
            }
            Some(octets.iter().fold(0_usize, |n, octet| {
                n.saturating_mul(256).saturating_add(usize::from(*octet))
            }))
        }
        Some(_) | None => None,
    };
    reader.finish()?;
    Ok(BasicConstraints {
        is_ca,
        path_length_max,
    })
}

fn read_purposes(value: &[u8]) -> Result<Vec<Box<[u8]>>, Asn1Fault> {
    let mut reader = Reader::sole(value, tag::SEQUENCE)?.reader();
    let mut purposes = Vec::new();
    while !reader.is_empty() {
        purposes.push(reader.object_identifier()?.into());
    }
    Ok(purposes)
}

pub(crate) fn read_authority_key_identifier(value: &[u8]) -> Result<Option<Box<[u8]>>, Asn1Fault> {
    let mut reader = Reader::sole(value, tag::SEQUENCE)?.reader();
    let identifier = reader.optional(tag::context(0))?;
    reader.optional(tag::context_constructed(1))?;
    reader.optional(tag::context(2))?;
    reader.finish()?;
    Ok(identifier.map(|identifier| identifier.content.into()))
}

pub(crate) fn read_distribution_points(value: &[u8]) -> Result<Vec<DistributionPoint>, Asn1Fault> {
    let mut reader = Reader::sole(value, tag::SEQUENCE)?.reader();
    let mut points = Vec::new();
    while !reader.is_empty() {
        let mut body = reader.sequence()?;
        let mut point = DistributionPoint::default();
        if let Some(name) = body.optional(tag::context_constructed(0))? {
            let mut name = name.reader();
            let choice = name.next()?;
            name.finish()?;
            if choice.tag == tag::context_constructed(0) {
                point.names = read_general_names(choice.content)?;
                point.uris = read_uris(&point.names);
            } else {
                point.is_partial = true;
            }
        }
        let reasons = body.optional(tag::context(1))?;
        let issuer = body.optional(tag::context_constructed(2))?;
        body.finish()?;
        point.is_partial |= reasons.is_some() || issuer.is_some();
        points.push(point);
    }
    Ok(points)
}

/// The GeneralNames in these octets, each as it stands.
pub(crate) fn read_general_names(content: &[u8]) -> Result<Vec<Box<[u8]>>, Asn1Fault> {
    let mut reader = Reader::new(content);
    let mut names = Vec::new();
    while !reader.is_empty() {
        names.push(reader.next()?.whole.into());
    }
    Ok(names)
}

/// Those of the names that are `http` or `https` locations.
pub(crate) fn read_uris(names: &[Box<[u8]>]) -> Vec<String> {
    let uris = names.iter().filter_map(|name| {
        let element = Reader::new(name)
            .next()
            .ok()
            .filter(|element| element.tag == tag::context(6))?;
        let text = std::str::from_utf8(element.content).ok()?;
        let scheme_end = text.find("://")?;
        matches!(text[..scheme_end].to_ascii_lowercase().as_str(), "http" | "https").then(|| text.to_owned())
    });
    uris.collect()
}

/// The locations of one method of authorityInfoAccess (RFC 5280 §4.2.2.1).
fn read_access_uris(value: &[u8], wanted: &const_oid::ObjectIdentifier) -> Result<Vec<String>, Asn1Fault> {
    let mut reader = Reader::sole(value, tag::SEQUENCE)?.reader();
    let mut names: Vec<Box<[u8]>> = Vec::new();
    while !reader.is_empty() {
        let mut access = reader.sequence()?;
        let method = access.object_identifier()?;
        let location = access.next()?;
        if method == wanted.as_bytes() {
            names.push(location.whole.into());
        }
    }
    Ok(read_uris(&names))
}
