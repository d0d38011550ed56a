//! Answers of OCSP responders (RFC 6960; nonces as in RFC 9654), parsed once.
//!
//! Stands between bytes and `revocation`, as `crl` does: what an answer says is read in `read`, whether it may be believed
//! about a certificate is said in `judge`, and what a responder is asked with is written in `request`.
//!
//! **Invariant**: an [`OcspAnswer`] owns its DER; what was read is what the signature covers.
//! **Invariant**: an answer counts only for the certificate that its CertID names, and only if the issuer of that
//! certificate signed it, or somebody whom the issuer or the operator named for that.
//! **Invariant**: an answer that is not wholly understood, not signed or not fresh says nothing: neither good nor revoked.

mod judge;
mod read;
mod request;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

pub use judge::{CertificateStatus, Question, Responder, Unusable, Verdict};
pub(crate) use judge::{judge, judge_of_any_age};
pub use request::OcspRequest;

use crate::algorithm::{DigestAlgorithm, PublicKey, SignatureAlgorithm, SignatureFault};
use crate::asn1::Asn1Fault;
use crate::digest::Digest;
use crate::name::Name;
use crate::time::Time;
use crate::x509::{Certificate, CertificateFault};

/// Octets of an answer that are read at most; real ones have some thousand, most of them embedded certificates.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// What an OCSP responder said, read and owned. Reading proves nothing about it.
pub struct OcspAnswer {
    der: Box<[u8]>,
    fingerprint: Digest,
    to_be_signed: Range<usize>,
    signature: Range<usize>,
    signature_algorithm: Option<SignatureAlgorithm>,
    responder: ResponderId,
    produced_at: Time,
    singles: Box<[Single]>,
    nonce: Option<OcspNonce>,
    /// Whether a critical extension of the whole answer is not processed here.
    has_unprocessed: bool,
    certificates: Box<[Arc<Certificate>]>,
}

/// How a responder names itself (RFC 6960 §4.2.1).
enum ResponderId {
    Name(Name),
    /// SHA-1 of the octets of its key.
    Key([u8; 20]),
}

/// What is said of one certificate (SingleResponse).
struct Single {
    id: CertificateId,
    status: CertificateStatus,
    this_update: Time,
    next_update: Option<Time>,
    /// Whether a critical extension of it is not processed here.
    has_unprocessed: bool,
}

/// What an answer says of a certificate, as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// The status.
    pub status: CertificateStatus,
    /// When it was known to be so.
    pub this_update: Time,
    /// By when there is a newer answer, where it says so.
    pub next_update: Option<Time>,
}

impl Said {
    /// Whether it was revoked, and not only put on hold.
    pub fn is_final(&self) -> bool {
        judge::hardness(self.status) == judge::REVOKED_FOR_GOOD
    }
}

/// CertID (RFC 6960 §4.1.1).
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct CertificateId {
    digest: DigestAlgorithm,
    issuer_name: Box<[u8]>,
    issuer_key: Box<[u8]>,
    serial: Box<[u8]>,
}

/// A value that ties an answer to its request (RFC 9654 §2.1): 1 to 128 octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OcspNonce(Box<[u8]>);

/// How a responder declines to answer (RFC 6960 §4.2.1, OCSPResponseStatus).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Declined {
    /// malformedRequest: our request was not understood.
    #[error("malformedRequest")]
    MalformedRequest,
    /// internalError.
    #[error("internalError")]
    InternalError,
    /// tryLater.
    #[error("tryLater")]
    TryLater,
    /// sigRequired: it answers signed requests only.
    #[error("sigRequired")]
    SignatureRequired,
    /// unauthorized: it has no answer to give about this certificate, or none to us (RFC 5019 §2.2.3).
    #[error("unauthorized")]
    Unauthorized,
}

/// Why bytes are not an answer that says anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OcspFault {
    /// Not an OCSPResponse in DER.
    #[error("not an OCSP answer in DER")]
    Structure(#[source] Asn1Fault),
    /// The responder declined to answer. It is not signed: anybody on the way can say so.
    #[error("the OCSP responder declined to answer")]
    Declined(Declined),
    /// Another type of answer than id-pkix-ocsp-basic.
    #[error("not a basic OCSP answer")]
    ResponseType,
    /// An extension occurs twice.
    #[error("an extension of the OCSP answer occurs twice")]
    DuplicateExtension,
    /// Another version than v1.
    #[error("the version of the OCSP answer is not known")]
    Version,
    /// More octets, certificates or extensions than are read.
    #[error("the OCSP answer is too large")]
    Size,
    /// A nonce that is not an OCTET STRING of 1 to 128 octets.
    #[error("the nonce is malformed")]
    Nonce,
}

impl From<Asn1Fault> for OcspFault {
    fn from(fault: Asn1Fault) -> Self {
        Self::Structure(fault)
    }
}

impl From<CertificateFault> for OcspFault {
    fn from(fault: CertificateFault) -> Self {
        match fault {
            CertificateFault::Structure(fault) => Self::Structure(fault),
            CertificateFault::DuplicateExtension => Self::DuplicateExtension,
            CertificateFault::Version => Self::Version,
            CertificateFault::Size => Self::Size,
            CertificateFault::AlgorithmMismatch | CertificateFault::Pem => {
                Self::Structure(Asn1Fault::Unexpected)
            }
        }
    }
}

impl OcspAnswer {
    /// Reads an OCSPResponse in DER, as responders send it; nothing may follow it.
    ///
    /// # Errors
    /// See [`OcspFault`]; `Declined` where it holds no answer but a reason.
    pub fn from_der(der: Vec<u8>) -> Result<Self, OcspFault> {
        if ANSWER_BYTES_MAX < der.len() {
            return Err(OcspFault::Size);
        }
        let parts = read::response(&der)?;
        Ok(Self::of(der, parts))
    }

    /// Reads a BasicOCSPResponse in DER, as signatures embed it (revocation-values, ETSI EN 319 122-1 §A.1.5.2).
    ///
    /// # Errors
    /// See [`OcspFault`].
    pub fn from_basic_der(der: Vec<u8>) -> Result<Self, OcspFault> {
        if ANSWER_BYTES_MAX < der.len() {
            return Err(OcspFault::Size);
        }
        let parts = read::basic(&der)?;
        Ok(Self::of(der, parts))
    }

    /// `parts` were read out of `der`.
    fn of(der: Vec<u8>, parts: read::Parts) -> Self {
        Self {
            fingerprint: Digest::of(&der),
            to_be_signed: parts.to_be_signed,
            signature: parts.signature,
            signature_algorithm: parts.signature_algorithm,
            responder: parts.data.responder,
            produced_at: parts.data.produced_at,
            singles: parts.data.singles.into(),
            nonce: parts.data.nonce,
            has_unprocessed: parts.data.has_unprocessed,
            certificates: parts.certificates.into(),
            der: der.into(),
        }
    }

    /// The answer in DER, as it was given.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 of the DER.
    pub fn fingerprint(&self) -> Digest {
        self.fingerprint
    }

    /// When it was signed.
    pub fn produced_at(&self) -> Time {
        self.produced_at
    }

    /// The nonce it repeats, where present.
    pub fn nonce(&self) -> Option<&OcspNonce> {
        self.nonce.as_ref()
    }

    /// The certificates that came with it; they are not signed by it.
    pub fn certificates(&self) -> &[Arc<Certificate>] {
        &self.certificates
    }

    /// The serial numbers (content octets of the INTEGER) that it speaks of, to index it by.
    pub fn serials(&self) -> impl Iterator<Item = &[u8]> {
        self.singles.iter().map(|single| &*single.id.serial)
    }

    /// Whether it says anything of this certificate of this issuer; proven by nothing.
    pub(crate) fn is_about(&self, certificate: &Certificate, issuer: &Certificate) -> bool {
        self.singles
            .iter()
            .any(|single| single.id.names(certificate, issuer))
    }

    /// What it says of this certificate of this issuer, as it was read: proven by nothing. The hardest word where it says
    /// several things, `None` where it says nothing.
    pub fn said_of(&self, certificate: &Certificate, issuer: &Certificate) -> Option<Said> {
        let about = self
            .singles
            .iter()
            .filter(|one| one.id.names(certificate, issuer));
        let hardest = about.max_by_key(|one| judge::hardness(one.status))?;
        Some(Said {
            status: hardest.status,
            this_update: hardest.this_update,
            next_update: hardest.next_update,
        })
    }

    /// How the responder names itself: its name, or the SHA-1 of its key in hexadecimal (RFC 6960 §4.2.1).
    pub fn responder_name(&self) -> String {
        match &self.responder {
            ResponderId::Name(name) => name.to_string(),
            ResponderId::Key(digest) => digest.iter().map(|octet| format!("{octet:02x}")).collect(),
        }
    }

    /// Until when it may be of use: the latest nextUpdate, or, where none is said, `age_seconds_max` after thisUpdate.
    /// `None`: it says that something was revoked for good, and that never ends.
    pub fn ends_at(&self, age_seconds_max: i64) -> Option<Time> {
        let is_final = |single: &Single| judge::hardness(single.status) == judge::REVOKED_FOR_GOOD;
        if self.singles.iter().any(is_final) {
            return None;
        }
        let end = |single: &Single| {
            single
                .next_update
                .unwrap_or_else(|| single.this_update.plus_seconds(age_seconds_max))
        };
        self.singles.iter().map(end).max().or(Some(self.produced_at))
    }

    /// Whether the key signed this answer.
    fn verify_signed_by(&self, key: &PublicKey) -> Result<(), SignatureFault> {
        let algorithm = self.signature_algorithm.ok_or(SignatureFault::Unsupported)?;
        key.verify(
            algorithm,
            &self.der[self.to_be_signed.clone()],
            &self.der[self.signature.clone()],
        )
    }
}

impl fmt::Debug for OcspAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OcspAnswer")
            .field("produced_at", &self.produced_at)
            .field("singles", &self.singles.len())
            .finish_non_exhaustive()
    }
}

impl ResponderId {
    /// Whether this is how the holder of the certificate names itself.
    fn names(&self, certificate: &Certificate) -> bool {
        match self {
            Self::Name(name) => name == certificate.subject(),
            // SHA-1 is prescribed, and finds the key only: the signature is what proves it.
            Self::Key(digest) => {
                let own = DigestAlgorithm::Sha1.digest(&[certificate.key().octets()]);
                own.as_ref() == digest
            }
        }
    }
}

impl CertificateId {
    /// The CertID of a certificate under its issuer, computed with this digest. Any digest will do, SHA-1 included: it
    /// only says which certificate is meant, and the issuer's own key vouches for the answer.
    pub(crate) fn of(certificate: &Certificate, issuer: &Certificate, digest: DigestAlgorithm) -> Self {
        let digest_of = |octets: &[u8]| digest.digest(&[octets]).as_ref().into();
        Self {
            digest,
            issuer_name: digest_of(certificate.issuer().der()),
            issuer_key: digest_of(issuer.key().octets()),
            serial: certificate.serial().into(),
        }
    }

    /// Whether it names this certificate of this issuer. The name may be hashed as the certificate or as the issuer's own
    /// certificate writes it: the same name (RFC 5280 §7.1), perhaps in another string type.
    fn names(&self, certificate: &Certificate, issuer: &Certificate) -> bool {
        if &*self.serial != certificate.serial() {
            return false;
        }
        let of_certificate = Self::of(certificate, issuer, self.digest);
        let issuer_name = self.digest.digest(&[issuer.subject().der()]);
        let of_issuer = Self {
            issuer_name: issuer_name.as_ref().into(),
            ..of_certificate.clone()
        };
        certificate.issuer() == issuer.subject() && (*self == of_certificate || *self == of_issuer)
    }
}

impl OcspNonce {
    /// Octets of a nonce at most (RFC 9654 §2.1).
    const OCTETS_MAX: usize = 128;

    /// A nonce of these octets, which whoever asks drew at random; RFC 9654 recommends 32.
    ///
    /// # Errors
    /// `Nonce` where there are none, or more than 128.
    pub fn new(octets: &[u8]) -> Result<Self, OcspFault> {
        if (1..=Self::OCTETS_MAX).contains(&octets.len()) {
            Ok(Self(octets.into()))
        } else {
            Err(OcspFault::Nonce)
        }
    }

    /// The octets.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }
}
