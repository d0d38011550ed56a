//! The answer: what a signature is worth, and why (ETSI EN 319 102-1 §5.1.3).
//!
//! Stands at the end of the road through this crate; `domain` and the reports for people read it.
//!
//! **Invariant**: the indication follows from the failure by one table, [`Failure::indication`]; nobody chooses it.
//! **Invariant**: `TotalPassed` is given only where there is no failure, and every certificate of the chain but the
//! anchor has its proof of revocation status.

mod failure;

use std::sync::Arc;

use crate::algorithm::SignatureAlgorithm;
use crate::crl::RevocationList;
use crate::ocsp::OcspAnswer;
use crate::path::Outcome;
use crate::pdf::Coverage;
use crate::time::Time;
use crate::tsp::TimeStampReport;
use crate::x509::Certificate;

pub use failure::Failure;

/// Main status of ETSI EN 319 102-1 table 5, with the sub-indication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Indication {
    /// TOTAL-PASSED.
    TotalPassed,
    /// TOTAL-FAILED: will never pass.
    TotalFailed(SubIndication),
    /// INDETERMINATE: not proven. Only [`SubIndication::TryLater`] means "not now"; all others are refusals.
    Indeterminate(SubIndication),
}

/// Sub-indications of ETSI EN 319 102-1 table 6, as far as this crate gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SubIndication {
    /// FORMAT_FAILURE.
    FormatFailure,
    /// HASH_FAILURE.
    HashFailure,
    /// SIG_CRYPTO_FAILURE.
    SigCryptoFailure,
    /// REVOKED.
    Revoked,
    /// EXPIRED.
    Expired,
    /// NOT_YET_VALID.
    NotYetValid,
    /// SIG_CONSTRAINTS_FAILURE.
    SigConstraintsFailure,
    /// CHAIN_CONSTRAINTS_FAILURE.
    ChainConstraintsFailure,
    /// CERTIFICATE_CHAIN_GENERAL_FAILURE.
    CertificateChainGeneralFailure,
    /// CRYPTO_CONSTRAINTS_FAILURE.
    CryptoConstraintsFailure,
    /// CRYPTO_CONSTRAINTS_FAILURE_NO_POE.
    CryptoConstraintsFailureNoPoe,
    /// POLICY_PROCESSING_ERROR.
    PolicyProcessingError,
    /// OUT_OF_BOUNDS_NO_POE.
    OutOfBoundsNoPoe,
    /// OUT_OF_BOUNDS_NOT_REVOKED.
    OutOfBoundsNotRevoked,
    /// REVOKED_NO_POE.
    RevokedNoPoe,
    /// REVOKED_CA_NO_POE.
    RevokedCaNoPoe,
    /// NO_POE.
    NoPoe,
    /// NO_SIGNING_CERTIFICATE_FOUND.
    NoSigningCertificateFound,
    /// NO_CERTIFICATE_CHAIN_FOUND.
    NoCertificateChainFound,
    /// SIGNATURE_POLICY_NOT_AVAILABLE.
    SignaturePolicyNotAvailable,
    /// SIGNED_DATA_NOT_FOUND.
    SignedDataNotFound,
    /// TIMESTAMP_ORDER_FAILURE.
    TimestampOrderFailure,
    /// TRY_LATER.
    TryLater,
}

impl SubIndication {
    /// All of them, in the order of the standard.
    pub const ALL: [SubIndication; 23] = [
        Self::FormatFailure,
        Self::HashFailure,
        Self::SigCryptoFailure,
        Self::Revoked,
        Self::Expired,
        Self::NotYetValid,
        Self::SigConstraintsFailure,
        Self::ChainConstraintsFailure,
        Self::CertificateChainGeneralFailure,
        Self::CryptoConstraintsFailure,
        Self::CryptoConstraintsFailureNoPoe,
        Self::PolicyProcessingError,
        Self::OutOfBoundsNoPoe,
        Self::OutOfBoundsNotRevoked,
        Self::RevokedNoPoe,
        Self::RevokedCaNoPoe,
        Self::NoPoe,
        Self::NoSigningCertificateFound,
        Self::NoCertificateChainFound,
        Self::SignaturePolicyNotAvailable,
        Self::SignedDataNotFound,
        Self::TimestampOrderFailure,
        Self::TryLater,
    ];

    /// The name as the standard writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::FormatFailure => "FORMAT_FAILURE",
            Self::HashFailure => "HASH_FAILURE",
            Self::SigCryptoFailure => "SIG_CRYPTO_FAILURE",
            Self::Revoked => "REVOKED",
            Self::Expired => "EXPIRED",
            Self::NotYetValid => "NOT_YET_VALID",
            Self::SigConstraintsFailure => "SIG_CONSTRAINTS_FAILURE",
            Self::ChainConstraintsFailure => "CHAIN_CONSTRAINTS_FAILURE",
            Self::CertificateChainGeneralFailure => "CERTIFICATE_CHAIN_GENERAL_FAILURE",
            Self::CryptoConstraintsFailure => "CRYPTO_CONSTRAINTS_FAILURE",
            Self::CryptoConstraintsFailureNoPoe => "CRYPTO_CONSTRAINTS_FAILURE_NO_POE",
            Self::PolicyProcessingError => "POLICY_PROCESSING_ERROR",
            Self::OutOfBoundsNoPoe => "OUT_OF_BOUNDS_NO_POE",
            Self::OutOfBoundsNotRevoked => "OUT_OF_BOUNDS_NOT_REVOKED",
            Self::RevokedNoPoe => "REVOKED_NO_POE",
            Self::RevokedCaNoPoe => "REVOKED_CA_NO_POE",
            Self::NoPoe => "NO_POE",
            Self::NoSigningCertificateFound => "NO_SIGNING_CERTIFICATE_FOUND",
            Self::NoCertificateChainFound => "NO_CERTIFICATE_CHAIN_FOUND",
            Self::SignaturePolicyNotAvailable => "SIGNATURE_POLICY_NOT_AVAILABLE",
            Self::SignedDataNotFound => "SIGNED_DATA_NOT_FOUND",
            Self::TimestampOrderFailure => "TIMESTAMP_ORDER_FAILURE",
            Self::TryLater => "TRY_LATER",
        }
    }
}

/// What, once fetched, would settle an open question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// A fresh revocation list of an issuer; locations as the certificate in question gives them, perhaps none.
    Crl {
        /// The issuer and all above it, the anchor last: the path that was judged. They may have come with the signature
        /// only, so that whoever fetches the list could not tell otherwise whether it is the issuer's.
        issuers: Vec<Arc<Certificate>>,
        /// cRLDistributionPoints, and where the deltas are.
        urls: Vec<String>,
    },
    /// An OCSP answer about a certificate; locations as the certificate itself gives them, at least one.
    Ocsp {
        /// The certificate and all above it, the anchor last: the path that was judged.
        path: Vec<Arc<Certificate>>,
        /// authorityInfoAccess, ocsp, over HTTP.
        urls: Vec<String>,
    },
    /// The certificate of an issuer; locations as the certificate in question gives them, at least one.
    Issuer {
        /// Whose issuer is wanted: it says the issuer's name, and only the issuer's key can have signed it.
        of: Arc<Certificate>,
        /// authorityInfoAccess, caIssuers, over HTTP.
        urls: Vec<String>,
    },
}

impl Need {
    /// The name of the issuer whose list, answer or certificate is wanted, for people.
    pub fn issuer(&self) -> String {
        match self {
            Self::Crl { issuers, .. } => issuers
                .first()
                .map_or_else(String::new, |issuer| issuer.subject().to_string()),
            Self::Ocsp { path, .. } => path
                .first()
                .map_or_else(String::new, |one| one.issuer().to_string()),
            Self::Issuer { of, .. } => of.issuer().to_string(),
        }
    }
}

/// What settled the revocation status of one certificate.
#[derive(Clone, Debug)]
pub struct RevocationProof {
    /// The certificate.
    pub certificate: Arc<Certificate>,
    /// The object that spoke about it.
    pub source: RevocationSource,
}

/// An object that speaks about revocation.
#[derive(Clone, Debug)]
pub enum RevocationSource {
    /// A revocation list.
    List(Arc<RevocationList>),
    /// An OCSP answer.
    Answer(Arc<OcspAnswer>),
}

/// Worth noting, not fatal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remark {
    /// A proof of existence of a kind that is not read is attached: archive time-stamps of old, evidence records.
    TimeStampIgnored,
    /// A time-stamp token is attached that did not pass, and changed nothing ([`SealReport::time_stamps`] says why).
    TimeStampInvalid,
    /// The signer claims to have signed later than is proven (ETSI EN 319 102-1 §5.5: signing-time is a claim).
    SigningTimeContradicted,
    /// A counter-signature is attached that did not pass, and changed nothing ([`SealReport::counter_signatures`]).
    CounterSignatureInvalid,
    /// No signing-certificate attribute binds the certificate (RFC 5035): what is over the value alone proves nothing of the
    /// past.
    SigningCertificateAbsent,
    /// Zero octets follow the signature.
    PaddingIgnored,
    /// A PDF signature shows something on pages that earlier signatures cover: a seal, or something that looks like
    /// what was signed.
    ShownOverSigned,
    /// The signature verified only after the signed attributes were brought into the order of DER.
    AttributesReordered,
}

/// An attribute of a signature that this crate reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedAttribute {
    /// content-type (RFC 5652 §11.1).
    ContentType,
    /// message-digest (§11.2).
    MessageDigest,
    /// signing-time (§11.3).
    SigningTime,
    /// signing-certificate (RFC 2634 §5.4).
    SigningCertificate,
    /// signing-certificate-v2 (RFC 5035 §3).
    SigningCertificateV2,
    /// CMSAlgorithmProtection (RFC 6211 §2).
    AlgorithmProtection,
    /// signature-policy-identifier (RFC 5126 §5.8.1).
    SignaturePolicy,
}

/// What one signature is worth.
#[derive(Clone, Debug)]
pub struct SealReport {
    /// The verdict; follows from `failure`.
    pub indication: Indication,
    /// What failed first; `None` where the signature passed.
    pub failure: Option<Failure>,
    /// The certificate the signature was made with, once found.
    pub signer: Option<Arc<Certificate>>,
    /// The path that was judged, signer first, anchor last; empty where none was found.
    pub chain: Vec<Arc<Certificate>>,
    /// What settled each certificate of the chain but the anchor.
    pub revocation: Vec<RevocationProof>,
    /// The algorithm of the signature, once known.
    pub algorithm: Option<SignatureAlgorithm>,
    /// signing-time: a claim of the signer, proven by nobody.
    pub claimed_signing_time: Option<Time>,
    /// The earliest time at which the signature is proven to have existed.
    pub best_signature_time: Time,
    /// What each time-stamp that the signature bears is worth.
    pub time_stamps: Vec<TimeStampReport>,
    /// What each signature over this signature is worth (RFC 5652 §11.4).
    pub counter_signatures: Vec<SealReport>,
    /// What would settle the question, where something is missing.
    pub needs: Vec<Need>,
    /// Worth noting.
    pub remarks: Vec<Remark>,
    /// What of its file the signature covers and what came after, where it stands in a PDF.
    pub coverage: Option<Coverage>,
}

impl SealReport {
    /// Whether the signature passed.
    pub fn is_passed(&self) -> bool {
        self.indication == Indication::TotalPassed
    }

    /// Whether the question is open only because something has to be fetched: "not now".
    pub fn is_try_later(&self) -> bool {
        self.indication == Indication::Indeterminate(SubIndication::TryLater)
    }

    /// A report of the path of a certificate alone.
    pub(crate) fn of_path(certificate: &Arc<Certificate>, outcome: Outcome, at: Time) -> Self {
        let indication = match &outcome.failure {
            None => Indication::TotalPassed,
            Some(failure) => failure.indication(Some(certificate)),
        };
        Self {
            indication,
            failure: outcome.failure,
            signer: Some(Arc::clone(certificate)),
            chain: outcome.chain,
            revocation: outcome.proofs,
            algorithm: None,
            claimed_signing_time: None,
            best_signature_time: at,
            time_stamps: Vec::new(),
            counter_signatures: Vec::new(),
            needs: outcome.needs,
            remarks: Vec::new(),
            coverage: None,
        }
    }

    /// A report of nothing but a failure.
    pub(crate) fn failed(failure: Failure, at: Time) -> Self {
        Self {
            indication: failure.indication(None),
            failure: Some(failure),
            signer: None,
            chain: Vec::new(),
            revocation: Vec::new(),
            algorithm: None,
            claimed_signing_time: None,
            best_signature_time: at,
            time_stamps: Vec::new(),
            counter_signatures: Vec::new(),
            needs: Vec::new(),
            remarks: Vec::new(),
            coverage: None,
        }
    }
}
