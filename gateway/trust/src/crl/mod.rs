//! Certificate revocation lists (RFC 5280 §5), parsed once.
//!
//! Stands between bytes and `revocation`: what a list says and what it covers is read here; whether it is signed by
//! the right key and fresh enough is asked there.
//!
//! **Invariant**: a list whose scope or entries are not wholly understood settles no certificate.

mod entries;
mod reasons;
mod scope;

use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

use entries::Entries;
pub(crate) use entries::{read_invalidity_date, read_reason};
pub(crate) use reasons::Reasons;
pub(crate) use scope::Point;
use scope::Scope;

use crate::algorithm::{PublicKey, SignatureAlgorithm, SignatureFault};
use crate::asn1::{Asn1Fault, Reader, oid, read_time, tag};
use crate::digest::Digest;
use crate::name::Name;
use crate::time::Time;
use crate::x509::{Certificate, CertificateFault, ExtensionsReader, read_authority_key_identifier};

/// Octets of a list that are read at most: more than five million entries.
const LIST_BYTES_MAX: usize = 256 << 20;

/// A revocation list, read and owned. Reading proves nothing about it.
pub struct RevocationList {
    der: Box<[u8]>,
    fingerprint: Digest,
    to_be_signed: Range<usize>,
    signature: Range<usize>,
    signature_algorithm: Option<SignatureAlgorithm>,
    issuer: Name,
    this_update: Time,
    next_update: Option<Time>,
    number: Option<Box<[u8]>>,
    /// Which of its keys the issuer says it signed with (authorityKeyIdentifier).
    key_identifier: Option<Box<[u8]>>,
    scope: Scope,
    entries: Entries,
    /// Of what is signed, by the digest of the signature's algorithm, once it was asked for.
    digest: OnceLock<aws_lc_rs::digest::Digest>,
}

/// Why a certificate was revoked (RFC 5280 §5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RevocationReason {
    /// Nothing was said.
    Unspecified,
    /// The key is in other hands.
    KeyCompromise,
    /// The issuer's key is in other hands.
    CaCompromise,
    /// The subject's name or affiliation changed.
    AffiliationChanged,
    /// Replaced by another certificate.
    Superseded,
    /// No longer needed.
    CessationOfOperation,
    /// A privilege was withdrawn.
    PrivilegeWithdrawn,
    /// The attribute authority's key is in other hands.
    AaCompromise,
    /// A reason of another number; revoked all the same.
    Other,
    /// On hold: may come back.
    CertificateHold,
    /// No longer on hold: in a delta list only (removeFromCRL).
    RemovedFromList,
}

/// What a list says about one serial number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Since when.
    pub at: Time,
    /// Why.
    pub reason: RevocationReason,
}

/// Why bytes are not a revocation list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RevocationListFault {
    /// Not a CertificateList in DER.
    #[error("not a certificate revocation list in DER")]
    Structure(#[source] Asn1Fault),
    /// An extension occurs twice.
    #[error("an extension of the revocation list occurs twice")]
    DuplicateExtension,
    /// The algorithm inside and outside the signed part differ.
    #[error("the revocation list names two signature algorithms")]
    AlgorithmMismatch,
    /// A version other than v2, or extensions in a v1 list.
    #[error("the version of the revocation list does not fit its content")]
    Version,
    /// Larger than is read.
    #[error("the revocation list is too large")]
    Size,
    /// No X509 CRL block in the text.
    #[error("not a revocation list in PEM")]
    Pem,
}

impl From<Asn1Fault> for RevocationListFault {
    fn from(fault: Asn1Fault) -> Self {
        Self::Structure(fault)
    }
}

impl From<CertificateFault> for RevocationListFault {
    fn from(fault: CertificateFault) -> Self {
        match fault {
            CertificateFault::Structure(fault) => Self::Structure(fault),
            CertificateFault::DuplicateExtension => Self::DuplicateExtension,
            CertificateFault::AlgorithmMismatch => Self::AlgorithmMismatch,
            CertificateFault::Version => Self::Version,
            CertificateFault::Size => Self::Size,
            CertificateFault::Pem => Self::Pem,
        }
    }
}

impl RevocationList {
    /// Reads one list in DER; nothing may follow it.
    ///
    /// # Errors
    /// See [`RevocationListFault`].
    pub fn from_der(der: Vec<u8>) -> Result<Self, RevocationListFault> {
        if der.len() > LIST_BYTES_MAX {
            return Err(RevocationListFault::Size);
        }
        let parts = read_parts(&der)?;
        let range = |slice: &[u8]| {
            let start = slice.as_ptr() as usize - der.as_ptr() as usize;
            start..start + slice.len()
        };
        let (to_be_signed, signature) = (range(parts.to_be_signed), range(parts.signature));
        Ok(Self {
            fingerprint: Digest::of(&der),
            to_be_signed,
            signature,
            signature_algorithm: parts.signature_algorithm,
            issuer: parts.issuer,
            this_update: parts.this_update,
            next_update: parts.next_update,
            number: parts.number,
            key_identifier: parts.key_identifier,
            scope: parts.scope,
            entries: parts.entries,
            digest: OnceLock::new(),
            der: der.into(),
        })
    }

    /// Reads the first X509 CRL block of a PEM text (RFC 7468), or plain DER.
    ///
    /// # Errors
    /// `Pem` where there is no block; otherwise as [`RevocationList::from_der`].
    pub fn from_pem_or_der(bytes: &[u8]) -> Result<Self, RevocationListFault> {
        if bytes.first() == Some(&tag::SEQUENCE) {
            return Self::from_der(bytes.to_vec());
        }
        let block = crate::pem::blocks(bytes, "X509 CRL").into_iter().next();
        Self::from_der(block.ok_or(RevocationListFault::Pem)?)
    }

    /// Reads every X509 CRL block of a PEM text; none is no error.
    ///
    /// # Errors
    /// The first block that is no list.
    pub fn all_from_pem(bytes: &[u8]) -> Result<Vec<Self>, RevocationListFault> {
        let blocks = crate::pem::blocks(bytes, "X509 CRL");
        blocks.into_iter().map(Self::from_der).collect()
    }

    /// The list in DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 of the DER.
    pub fn fingerprint(&self) -> Digest {
        self.fingerprint
    }

    /// Who issued the list.
    pub fn issuer(&self) -> &Name {
        &self.issuer
    }

    /// When the list was made.
    pub fn this_update(&self) -> Time {
        self.this_update
    }

    /// By when the next one is there; a list without it is never fresh.
    pub fn next_update(&self) -> Option<Time> {
        self.next_update
    }

    /// cRLNumber, big-endian, where present.
    pub fn number(&self) -> Option<&[u8]> {
        self.number.as_deref()
    }

    /// What lists of one series have in common: issuer, its key as far as the list names it, and scope
    /// (issuingDistributionPoint; whether it is a delta). A newer list of a series takes the place of an older one; after
    /// the issuer has another key, each of both has its own.
    pub fn series(&self) -> Digest {
        let mut input = self.issuer.canonical().to_vec();
        self.scope.write(&mut input);
        if let Some(key) = &self.key_identifier {
            input.extend_from_slice(key);
        }
        Digest::of(&input)
    }

    /// Whether both lists say the very same: one may be signed anew each time that somebody asks for it.
    pub fn says_the_same(&self, other: &RevocationList) -> bool {
        self.der[self.to_be_signed.clone()] == other.der[other.to_be_signed.clone()]
    }

    /// Which of its keys the issuer says it signed with (authorityKeyIdentifier).
    pub(crate) fn key_identifier(&self) -> Option<&[u8]> {
        self.key_identifier.as_deref()
    }

    /// Whether the list is the difference to another one.
    pub fn is_delta(&self) -> bool {
        self.scope.base().is_some()
    }

    /// Where deltas to this list are; `None` when it names none.
    pub fn freshest_urls(&self) -> Option<&[String]> {
        self.scope.freshest()
    }

    /// Whether this delta brings what `base` says up to date (RFC 5280 §5.2.4: conditions a to c).
    pub(crate) fn is_delta_to(&self, base: &RevocationList) -> bool {
        let (Some(from), Some(of_base), Some(own)) = (self.scope.base(), base.number(), self.number()) else {
            return false;
        };
        self.issuer == base.issuer
            && self.scope.is_as_wide_as(&base.scope)
            && is_at_most(from, of_base)
            && is_at_most(of_base, own)
    }

    /// Whether this delta is about the same certificates as `base` and newer, by its time or its number, whether or not
    /// it builds on it.
    pub(crate) fn is_newer_delta_beside(&self, base: &RevocationList) -> bool {
        let has_higher_number = match (base.number(), self.number()) {
            (Some(of_base), Some(own)) => !is_at_most(own, of_base),
            (None, _) | (_, None) => false,
        };
        self.is_delta()
            && self.issuer == base.issuer
            && self.scope.is_as_wide_as(&base.scope)
            && (base.this_update < self.this_update || has_higher_number)
    }

    /// How many certificates it revokes.
    pub fn entry_count(&self) -> usize {
        self.entries.len()
    }

    /// What the list says about the certificate of its issuer with this serial number (content octets of the INTEGER);
    /// `None`: nothing.
    pub fn revocation_of(&self, serial: &[u8]) -> Option<Revocation> {
        self.entries.find(&self.der, &self.issuer, serial)
    }

    /// What the list says about a certificate, whoever issued it; `None`: nothing.
    pub fn revocation_of_certificate(&self, certificate: &Certificate) -> Option<Revocation> {
        self.entries
            .find(&self.der, certificate.issuer(), certificate.serial())
    }

    /// For which reasons the list, if it is good, speaks about this certificate through this point of it.
    pub(crate) fn reasons_through(&self, point: &Point<'_>, certificate: &Certificate) -> Option<Reasons> {
        self.scope.reasons_through(point, &self.issuer, certificate)
    }

    /// Whether the list is neither from the future nor overdue.
    pub(crate) fn is_fresh_at(&self, at: Time, clock_skew_seconds: i64) -> bool {
        self.this_update <= at.plus_seconds(clock_skew_seconds)
            && self.next_update.is_some_and(|next| at <= next)
    }

    pub(crate) fn signature_algorithm(&self) -> Option<SignatureAlgorithm> {
        self.signature_algorithm
    }

    /// Whether its digest is computed once for all keys that it is tried under.
    pub(crate) fn is_digested_once(&self) -> bool {
        self.signature_algorithm != Some(SignatureAlgorithm::Ed25519)
    }

    /// Whether the key signed this list. Linear in its size the first time, with Ed25519 each time.
    ///
    /// # Errors
    /// [`SignatureFault`]: it did not, or the algorithm is unknown.
    pub fn verify_signed_by(&self, key: &PublicKey) -> Result<(), SignatureFault> {
        let algorithm = self.signature_algorithm.ok_or(SignatureFault::Unsupported)?;
        let signed = &self.der[self.to_be_signed.clone()];
        let value = &self.der[self.signature.clone()];
        if !self.is_digested_once() {
            return key.verify(algorithm, signed, value);
        }
        let digest = self.digest.get_or_init(|| algorithm.digest().digest(&[signed]));
        key.verify_digest(algorithm, digest, value)
    }
}

impl fmt::Debug for RevocationList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevocationList")
            .field("issuer", &self.issuer)
            .field("this_update", &self.this_update)
            .field("next_update", &self.next_update)
            .field("entries", &self.entries.len())
            .finish_non_exhaustive()
    }
}

/// Whether one non-negative INTEGER, big-endian, is at most another.
fn is_at_most(one: &[u8], other: &[u8]) -> bool {
    let significant = |number: &[u8]| {
        number
            .iter()
            .position(|octet| *octet != 0)
            .unwrap_or(number.len())
    };
    let (one, other) = (&one[significant(one)..], &other[significant(other)..]);
    (one.len(), one) <= (other.len(), other)
}

struct Parts<'a> {
    to_be_signed: &'a [u8],
    signature: &'a [u8],
    signature_algorithm: Option<SignatureAlgorithm>,
    issuer: Name,
    this_update: Time,
    next_update: Option<Time>,
    number: Option<Box<[u8]>>,
    key_identifier: Option<Box<[u8]>>,
    scope: Scope,
    entries: Entries,
}

fn read_parts(der: &[u8]) -> Result<Parts<'_>, RevocationListFault> {
    let mut outer = Reader::sole(der, tag::SEQUENCE)?.reader();
    let signed = outer.expect(tag::SEQUENCE)?;
    let algorithm = outer.expect(tag::SEQUENCE)?;
    let signature = outer.bit_string_octets()?;
    outer.finish()?;

    let mut body = signed.reader();
    let is_v2 = match body.optional(tag::INTEGER)? {
        Some(version) if version.content == [1] => true,
        Some(_) => return Err(RevocationListFault::Version),
        None => false,
    };
    if body.expect(tag::SEQUENCE)?.whole != algorithm.whole {
        return Err(RevocationListFault::AlgorithmMismatch);
    }
    let issuer = Name::read(&body.expect(tag::SEQUENCE)?)?;
    let this_update = read_time(&body.next()?)?;
    let next_update = match body.peek() {
        Some(tag::UTC_TIME | tag::GENERALIZED_TIME) => Some(read_time(&body.next()?)?),
        Some(_) | None => None,
    };
    let mut scope = Scope::default();
    let entries = match body.optional(tag::SEQUENCE)? {
        Some(list) => Entries::read(der, &issuer, list.reader(), is_v2, &mut scope)?,
        None => Entries::none(&issuer),
    };
    let (mut number, mut key_identifier) = (None, None);
    if let Some(extensions) = body.optional(tag::context_constructed(0))? {
        if !is_v2 {
            return Err(RevocationListFault::Version);
        }
        let mut reader = ExtensionsReader::new(&extensions)?;
        while let Some(extension) = reader.next()? {
            if extension.oid == oid::CRL_NUMBER.as_bytes() {
                number = Some(Reader::sole(extension.value, tag::INTEGER)?.content.into());
            }
            if extension.oid == oid::AUTHORITY_KEY_IDENTIFIER.as_bytes() {
                key_identifier = read_authority_key_identifier(extension.value)?;
            }
            scope.take(&extension)?;
        }
    }
    body.finish()?;
    if entries.are_of_others() && !scope.is_indirect() {
        scope.forbid();
    }
    Ok(Parts {
        to_be_signed: signed.whole,
        signature,
        signature_algorithm: SignatureAlgorithm::read(&algorithm)?,
        issuer,
        this_update,
        next_update,
        number,
        key_identifier,
        scope,
        entries,
    })
}

#[cfg(test)]
mod tests;
