//! Certificates (RFC 5280 §4), parsed once.
//!
//! Stands between bytes and `path`: what a certificate says is read here, whether it is to be believed is said there.
//!
//! **Invariant**: a `Certificate` owns its DER; what was read is what the signature covers.
//! **Invariant**: an extension occurs once; one that is critical and not processed here is remembered, and fails every
//! path.

mod distribution_point;
mod extension;
mod general_name;
mod policies;

use std::fmt;

pub(crate) use distribution_point::{DistributionPoint, PointName};
pub use extension::Constraint;
pub(crate) use extension::{
    Extensions, ExtensionsReader, KeyUsage, NameConstraints, RawExtension, read_authority_key_identifier,
};
pub(crate) use general_name::{GeneralName, Place};
pub(crate) use policies::{Policies, PolicyId};

use crate::algorithm::{KeyKind, PublicKey, SignatureAlgorithm, SignatureFault};
use crate::asn1::{Asn1Fault, Reader, read_time, tag};
use crate::digest::Digest;
use crate::name::Name;
use crate::time::Time;

/// Octets of a certificate that are read at most; the largest met in the field is below 8 KB.
const CERTIFICATE_BYTES_MAX: usize = 256 * 1024;

/// A certificate, read and owned. Reading proves nothing about it.
pub struct Certificate {
    der: Box<[u8]>,
    fingerprint: Digest,
    key_digest: Digest,
    key_identity: Digest,
    to_be_signed: std::ops::Range<usize>,
    signature: Box<[u8]>,
    signature_algorithm: Option<SignatureAlgorithm>,
    serial: Box<[u8]>,
    issuer: Name,
    subject: Name,
    not_before: Time,
    not_after: Time,
    key: PublicKey,
    extensions: Extensions,
}

/// Why bytes are not a certificate that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateFault {
    /// Not a Certificate in DER.
    #[error("not an X.509 certificate in DER")]
    Structure(#[source] Asn1Fault),
    /// An extension occurs twice (RFC 5280 §4.2).
    #[error("an extension of the certificate occurs twice")]
    DuplicateExtension,
    /// The algorithm inside and outside the signed part differ (RFC 5280 §4.1.1.2).
    #[error("the certificate names two signature algorithms")]
    AlgorithmMismatch,
    /// A version that is not v1 or v3, or extensions in a certificate that is not v3.
    #[error("the version of the certificate does not fit its content")]
    Version,
    /// Larger than is read.
    #[error("the certificate is too large")]
    Size,
    /// Neither DER nor PEM with a CERTIFICATE block.
    #[error("not a certificate in PEM")]
    Pem,
}

impl From<Asn1Fault> for CertificateFault {
    fn from(fault: Asn1Fault) -> Self {
        Self::Structure(fault)
    }
}

impl Certificate {
    /// Reads one certificate in DER; nothing may follow it.
    ///
    /// # Errors
    /// See [`CertificateFault`].
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateFault> {
        if der.len() > CERTIFICATE_BYTES_MAX {
            return Err(CertificateFault::Size);
        }
        let mut outer = Reader::sole(der, tag::SEQUENCE)?.reader();
        let signed = outer.expect(tag::SEQUENCE)?;
        let algorithm = outer.expect(tag::SEQUENCE)?;
        let signature = outer.bit_string_octets()?;
        outer.finish()?;

        let mut body = signed.reader();
        let version = read_version(&mut body)?;
        let serial = body.integer()?;
        if body.expect(tag::SEQUENCE)?.whole != algorithm.whole {
            return Err(CertificateFault::AlgorithmMismatch);
        }
        let issuer = Name::read(&body.expect(tag::SEQUENCE)?)?;
        let mut validity = body.sequence()?;
        let not_before = read_time(&validity.next()?)?;
        let not_after = read_time(&validity.next()?)?;
        validity.finish()?;
        let subject = Name::read(&body.expect(tag::SEQUENCE)?)?;
        let key = PublicKey::read(&body.expect(tag::SEQUENCE)?)?;
        let has_unique_identifiers =
            body.optional(tag::context(1))?.is_some() | body.optional(tag::context(2))?.is_some();
        let extensions = body.optional(tag::context_constructed(3))?;
        body.finish()?;
        if (extensions.is_some() && version != 2) || (has_unique_identifiers && version == 0) {
            return Err(CertificateFault::Version);
        }
        let extensions = match extensions {
            Some(extensions) => Extensions::read(&extensions)?,
            None => Extensions::default(),
        };
        let start = signed.whole.as_ptr() as usize - der.as_ptr() as usize;
        Ok(Self {
            fingerprint: Digest::of(der),
            key_digest: Digest::of(key.info_der()),
            key_identity: Digest::of(key.octets()),
            to_be_signed: start..start + signed.whole.len(),
            signature: signature.into(),
            signature_algorithm: SignatureAlgorithm::read(&algorithm)?,
            serial: serial.into(),
            issuer,
            subject,
            not_before,
            not_after,
            key,
            extensions,
            der: der.into(),
        })
    }

    /// Reads the first CERTIFICATE block of a PEM text (RFC 7468), or plain DER.
    ///
    /// # Errors
    /// `Pem` where there is no block; otherwise as [`Certificate::from_der`].
    pub fn from_pem_or_der(bytes: &[u8]) -> Result<Self, CertificateFault> {
        if bytes.first() == Some(&tag::SEQUENCE) {
            return Self::from_der(bytes);
        }
        let block = crate::pem::blocks(bytes, "CERTIFICATE").into_iter().next();
        Self::from_der(&block.ok_or(CertificateFault::Pem)?)
    }

    /// Reads every CERTIFICATE block of a PEM text; none is no error.
    ///
    /// # Errors
    /// The first block that is no certificate.
    pub fn all_from_pem(bytes: &[u8]) -> Result<Vec<Self>, CertificateFault> {
        crate::pem::blocks(bytes, "CERTIFICATE")
            .iter()
            .map(|block| Self::from_der(block))
            .collect()
    }

    /// The certificate in DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 of the DER.
    pub fn fingerprint(&self) -> Digest {
        self.fingerprint
    }

    /// SHA-256 of the key itself: the same however its algorithm is named. By it a key is told that would vouch for itself.
    pub(crate) fn key_identity(&self) -> Digest {
        self.key_identity
    }

    /// SHA-256 of the SubjectPublicKeyInfo: the same for every certificate of one key that is used alike.
    pub fn key_digest(&self) -> Digest {
        self.key_digest
    }

    /// Who the certificate speaks of.
    pub fn subject(&self) -> &Name {
        &self.subject
    }

    /// Who says so.
    pub fn issuer(&self) -> &Name {
        &self.issuer
    }

    /// Content octets of the serial number: two's complement, big-endian.
    pub fn serial(&self) -> &[u8] {
        &self.serial
    }

    /// The serial number in hexadecimal, as certificates are named in print.
    pub fn serial_hex(&self) -> String {
        self.serial.iter().map(|octet| format!("{octet:02x}")).collect()
    }

    /// First moment of validity.
    pub fn not_before(&self) -> Time {
        self.not_before
    }

    /// Last second of validity, included (RFC 5280 §4.1.2.5).
    pub fn not_after(&self) -> Time {
        self.not_after
    }

    /// The key of the subject.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// SubjectPublicKeyInfo in DER.
    pub fn spki(&self) -> &[u8] {
        self.key.info_der()
    }

    /// Kind and size of the subject's key.
    pub fn key_kind(&self) -> KeyKind {
        self.key.kind()
    }

    /// The algorithm the issuer signed with; `None`: one that is not known here.
    pub fn signature_algorithm(&self) -> Option<SignatureAlgorithm> {
        self.signature_algorithm
    }

    /// Whether basicConstraints call the subject a CA.
    pub fn is_ca(&self) -> bool {
        self.extensions
            .basic_constraints
            .is_some_and(|constraints| constraints.is_ca)
    }

    /// Whether the subject may issue certificates: basicConstraints call it a CA, and keyUsage, where present, has
    /// keyCertSign (RFC 5280 §6.1.4 k, n).
    pub fn may_issue(&self) -> bool {
        let usage = self.extensions.key_usage;
        self.is_ca() && usage.is_none_or(|usage| usage.allows(KeyUsage::KEY_CERT_SIGN))
    }

    /// HTTP locations of the CRL that covers this certificate, as it says itself.
    pub fn crl_urls(&self) -> Vec<String> {
        let points = self.extensions.crl_distribution_points.iter();
        points.flat_map(DistributionPoint::uris).collect()
    }

    /// Locations of delta lists (freshestCRL, RFC 5280 §4.2.1.15); `None` when it names none.
    pub fn freshest_crl_urls(&self) -> Option<&[String]> {
        self.extensions.freshest_uris.as_deref()
    }

    /// Locations of the issuer's certificate (authorityInfoAccess, caIssuers).
    pub fn issuer_urls(&self) -> &[String] {
        &self.extensions.issuer_uris
    }

    /// Locations of OCSP responders (authorityInfoAccess, ocsp).
    pub fn responder_urls(&self) -> &[String] {
        &self.extensions.responder_uris
    }

    /// subjectKeyIdentifier, where present.
    pub fn subject_key_identifier(&self) -> Option<&[u8]> {
        self.extensions.subject_key_identifier.as_deref()
    }

    /// keyIdentifier of authorityKeyIdentifier, where present.
    pub fn authority_key_identifier(&self) -> Option<&[u8]> {
        self.extensions.authority_key_identifier.as_deref()
    }

    pub(crate) fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// Whether issuer and subject are one name (RFC 5280 §3.2: self-issued).
    pub(crate) fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }

    /// Whether the key signed this certificate.
    ///
    /// # Errors
    /// [`SignatureFault`]: it did not, or the algorithm is unknown.
    pub fn verify_signed_by(&self, key: &PublicKey) -> Result<(), SignatureFault> {
        let algorithm = self.signature_algorithm.ok_or(SignatureFault::Unsupported)?;
        key.verify(algorithm, &self.der[self.to_be_signed.clone()], &self.signature)
    }
}

/// Version ::= INTEGER { v1(0), v2(1), v3(2) } under `[0]`, absent for v1.
fn read_version(body: &mut Reader<'_>) -> Result<u8, CertificateFault> {
    let Some(explicit) = body.optional(tag::context_constructed(0))? else {
        return Ok(0);
    };
    match Reader::sole(explicit.content, tag::INTEGER)?.content {
        [version @ 1..=2] => Ok(*version),
        _ => Err(CertificateFault::Version),
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("subject", &self.subject)
            .field("issuer", &self.issuer)
            .field("serial", &self.serial_hex())
            .finish_non_exhaustive()
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl Eq for Certificate {}

#[cfg(test)]
mod tests;
