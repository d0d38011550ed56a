//! Extensions of certificates (RFC 5280 §4.2), as far as `path` and `crl` use them.
//!
//! **Invariant**: an extension is either read wholly or, where it is critical, remembered as one that forbids every path;
//! nothing that could forbid a path is skipped.

use std::collections::BTreeSet;

use super::CertificateFault;
use super::distribution_point::DistributionPoint;
use super::general_name::GeneralName;
use super::policies::{self, Policies, PolicyConstraints, PolicyId};
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
    /// subjectAltName.
    pub(crate) alternative_names: Vec<GeneralName>,
    pub(crate) name_constraints: Option<NameConstraints>,
    pub(crate) policies: Option<Policies>,
    pub(crate) policy_mappings: Vec<(PolicyId, PolicyId)>,
    pub(crate) policy_constraints: PolicyConstraints,
    /// inhibitAnyPolicy.
    pub(crate) inhibit_any: Option<u32>,
    /// A critical extension that is not known here forbids every path.
    pub(crate) has_unknown_critical: bool,
}

/// An extension that restricts paths and is not satisfied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Constraint {
    /// nameConstraints (RFC 5280 §4.2.1.10).
    NameConstraints,
    /// Certificate policies, as policyConstraints, policyMappings or the question ask for them (§6.1).
    Policies,
    /// A critical extension that is not known here.
    UnknownCritical,
}

/// nameConstraints: subtrees in which all names below must lie, and in which none may.
#[derive(Debug, Default)]
pub(crate) struct NameConstraints {
    pub(crate) permitted: Vec<GeneralName>,
    pub(crate) excluded: Vec<GeneralName>,
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

    /// Whether this purpose is its only one.
    pub(crate) fn is_only(&self, purpose: &const_oid::ObjectIdentifier) -> bool {
        self.purposes.len() == 1 && self.names_any(&[*purpose])
    }

    /// Whether all these purposes (content octets) are among its own.
    pub(crate) fn names_all(&self, purposes: &[Box<[u8]>]) -> bool {
        purposes.iter().all(|purpose| self.purposes.contains(purpose))
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
            self.crl_distribution_points = DistributionPoint::read_all(value)?;
        } else if is(oid::FRESHEST_CRL) {
            let points = DistributionPoint::read_all(value)?;
            self.freshest_uris = Some(points.iter().flat_map(DistributionPoint::uris).collect());
        } else if is(oid::NAME_CONSTRAINTS) {
            self.name_constraints = Some(read_name_constraints(value)?);
        } else if is(oid::SUBJECT_ALTERNATIVE_NAME) {
            let names = Reader::sole(value, tag::SEQUENCE)?;
            self.alternative_names = GeneralName::read_all(names.content)?;
        } else if is(oid::CERTIFICATE_POLICIES) {
            self.policies = Some(policies::read_policies(value)?);
        } else if is(oid::POLICY_MAPPINGS) {
            self.policy_mappings = policies::read_mappings(value)?;
        } else if is(oid::POLICY_CONSTRAINTS) {
            self.policy_constraints = policies::read_constraints(value)?;
        } else if is(oid::INHIBIT_ANY_POLICY) {
            self.inhibit_any = Some(policies::read_inhibit_any(value)?);
        } else if is(oid::AUTHORITY_INFORMATION_ACCESS) && !extension.is_critical {
            // Only a hint where to fetch: what cannot be read is as good as absent.
            self.issuer_uris = read_access_uris(value, &oid::ACCESS_CA_ISSUERS).unwrap_or_default();
            self.responder_uris = read_access_uris(value, &oid::ACCESS_OCSP).unwrap_or_default();
        } else if is(oid::OCSP_NO_CHECK) && value == [tag::NULL, 0] {
            self.has_no_check = true;
        } else if is(oid::ISSUER_ALTERNATIVE_NAME) {
            // Further names of the issuer restrict nothing.
        } else if extension.is_critical {
            self.has_unknown_critical = true;
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

/// GeneralSubtrees. Distances are not used by this profile (§4.2.1.10): minimum is 0, maximum absent.
fn read_name_constraints(value: &[u8]) -> Result<NameConstraints, Asn1Fault> {
    let mut reader = Reader::sole(value, tag::SEQUENCE)?.reader();
    let mut subtrees = |number: u8| -> Result<Vec<GeneralName>, Asn1Fault> {
        let mut bases = Vec::new();
        let Some(list) = reader.optional(tag::context_constructed(number))? else {
            return Ok(bases);
        };
        let mut list = list.reader();
        if list.is_empty() {
            return Err(Asn1Fault::Unexpected);
        }
        while !list.is_empty() {
            let mut subtree = list.sequence()?;
            bases.push(GeneralName::read(&mut subtree)?);
            subtree.finish()?;
        }
        Ok(bases)
    };
    let constraints = NameConstraints {
        permitted: subtrees(0)?,
        excluded: subtrees(1)?,
    };
    reader.finish()?;
    if constraints.permitted.is_empty() && constraints.excluded.is_empty() {
        return Err(Asn1Fault::Unexpected);
    }
    Ok(constraints)
}

/// The locations of one method of authorityInfoAccess (RFC 5280 §4.2.2.1).
fn read_access_uris(value: &[u8], wanted: &const_oid::ObjectIdentifier) -> Result<Vec<String>, Asn1Fault> {
    let mut reader = Reader::sole(value, tag::SEQUENCE)?.reader();
    let mut uris = Vec::new();
    while !reader.is_empty() {
        let mut access = reader.sequence()?;
        let method = access.object_identifier()?;
        let location = GeneralName::read(&mut access)?;
        if method == wanted.as_bytes() {
            uris.extend(location.web_location().map(str::to_owned));
        }
    }
    Ok(uris)
}
