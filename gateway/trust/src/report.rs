//! The answer: what a signature is worth, and why (ETSI EN 319 102-1 §5.1.3).
//!
//! Stands at the end of the road through this crate; `domain` and the reports for people read it.
//!
//! **Invariant**: the indication follows from the failure by one table, [`Failure::indication`]; nobody chooses it.
//! **Invariant**: `TotalPassed` is given only where there is no failure, and every certificate of the chain but the
//! anchor has its proof of revocation status.

use std::sync::Arc;

use crate::algorithm::{DigestAlgorithm, KeyKind, SignatureAlgorithm};
use crate::asn1::Asn1Fault;
use crate::crl::{RevocationList, RevocationReason};
use crate::pdf::Coverage;
use crate::time::Time;
use crate::x509::{Certificate, Constraint};

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
    /// NOT_YET_VALID.
    NotYetValid,
    /// SIG_CONSTRAINTS_FAILURE.
    SigConstraintsFailure,
    /// CHAIN_CONSTRAINTS_FAILURE.
    ChainConstraintsFailure,
    /// CERTIFICATE_CHAIN_GENERAL_FAILURE.
    CertificateChainGeneralFailure,
    /// CRYPTO_CONSTRAINTS_FAILURE_NO_POE.
    CryptoConstraintsFailureNoPoe,
    /// OUT_OF_BOUNDS_NO_POE.
    OutOfBoundsNoPoe,
    /// REVOKED_CA_NO_POE.
    RevokedCaNoPoe,
    /// NO_SIGNING_CERTIFICATE_FOUND.
    NoSigningCertificateFound,
    /// NO_CERTIFICATE_CHAIN_FOUND.
    NoCertificateChainFound,
    /// SIGNATURE_POLICY_NOT_AVAILABLE.
    SignaturePolicyNotAvailable,
    /// SIGNED_DATA_NOT_FOUND.
    SignedDataNotFound,
    /// TRY_LATER.
    TryLater,
}

impl SubIndication {
    /// The name as the standard writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::FormatFailure => "FORMAT_FAILURE",
            Self::HashFailure => "HASH_FAILURE",
            Self::SigCryptoFailure => "SIG_CRYPTO_FAILURE",
            Self::Revoked => "REVOKED",
            Self::NotYetValid => "NOT_YET_VALID",
            Self::SigConstraintsFailure => "SIG_CONSTRAINTS_FAILURE",
            Self::ChainConstraintsFailure => "CHAIN_CONSTRAINTS_FAILURE",
            Self::CertificateChainGeneralFailure => "CERTIFICATE_CHAIN_GENERAL_FAILURE",
            Self::CryptoConstraintsFailureNoPoe => "CRYPTO_CONSTRAINTS_FAILURE_NO_POE",
            Self::OutOfBoundsNoPoe => "OUT_OF_BOUNDS_NO_POE",
            Self::RevokedCaNoPoe => "REVOKED_CA_NO_POE",
            Self::NoSigningCertificateFound => "NO_SIGNING_CERTIFICATE_FOUND",
            Self::NoCertificateChainFound => "NO_CERTIFICATE_CHAIN_FOUND",
            Self::SignaturePolicyNotAvailable => "SIGNATURE_POLICY_NOT_AVAILABLE",
            Self::SignedDataNotFound => "SIGNED_DATA_NOT_FOUND",
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
    /// The certificate of an issuer; locations as the certificate in question gives them, at least one.
    Issuer {
        /// Whose issuer is wanted: it says the issuer's name, and only the issuer's key can have signed it.
        of: Arc<Certificate>,
        /// authorityInfoAccess, caIssuers, over HTTP.
        urls: Vec<String>,
    },
}

impl Need {
    /// The name of the issuer whose list or certificate is wanted, for people.
    pub fn issuer(&self) -> String {
        match self {
            Self::Crl { issuers, .. } => issuers
                .first()
                .map_or_else(String::new, |issuer| issuer.subject().to_string()),
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
}

/// Worth noting, not fatal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remark {
    /// A time-stamp token is attached and was not used: best-signature-time is the time of validation.
    TimeStampIgnored,
    /// A counter-signature is attached and was not checked.
    CounterSignatureIgnored,
    /// No signing-certificate attribute binds the certificate (RFC 5035).
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

/// Why a signature did not pass: the first thing that failed, with its object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Not a CMS SignedData.
    #[error("the signature is not a CMS SignedData")]
    Structure(Asn1Fault),
    /// Other octets than zeros follow the signature.
    #[error("octets follow the signature")]
    TrailingOctets,
    /// The SignedData has no SignerInfo.
    #[error("nobody signed")]
    SignerAbsent,
    /// A PDF signature with more than one SignerInfo (ISO 32000-2 §12.8.3.3).
    #[error("more than one signer where one is allowed")]
    SignerRepeated,
    /// More signers or certificates than are read.
    #[error("the signature has too many signers or certificates")]
    TooLarge,
    /// A detached signature was given a content of its own, or an attached one no content.
    #[error("the signed content is not where it belongs")]
    ContentMisplaced,
    /// The content is of another type than data (RFC 5652 §4).
    #[error("the signature is over another type of content")]
    ContentType,
    /// There are no signed attributes.
    #[error("the signature has no signed attributes")]
    SignedAttributesAbsent,
    /// A signed attribute that must occur once is absent.
    #[error("a signed attribute is absent")]
    AttributeAbsent(SignedAttribute),
    /// A signed attribute occurs twice or has several values.
    #[error("a signed attribute is repeated")]
    AttributeRepeated(SignedAttribute),
    /// A signed attribute cannot be read.
    #[error("a signed attribute is malformed")]
    AttributeMalformed(SignedAttribute),
    /// The digest algorithm is not known here.
    #[error("the digest algorithm is not known")]
    DigestAlgorithmUnknown,
    /// The signature algorithm is not known here, or does not belong to the key.
    #[error("the signature algorithm is not known")]
    SignatureAlgorithmUnknown,
    /// Digest and signature algorithm contradict each other.
    #[error("digest algorithm and signature algorithm disagree")]
    AlgorithmsDisagree,
    /// The algorithms are not those that the signer protected (RFC 6211).
    #[error("the algorithms are not those that were protected")]
    AlgorithmsReplaced,
    /// The signature is to be judged by a policy of its signer, which is not at hand.
    #[error("the signature names a signature policy that is not known")]
    SignaturePolicyUnknown,
    /// The content is not what was signed.
    #[error("the content was changed after it was signed")]
    DigestMismatch,
    /// The signature value is wrong.
    #[error("the signature value is wrong")]
    SignatureWrong,
    /// The signer's certificate is not at hand.
    #[error("the certificate of the signer is not at hand")]
    SignerCertificateAbsent,
    /// Several certificates answer to the signer's identifier.
    #[error("several certificates answer to the signer's identifier")]
    SignerCertificateAmbiguous,
    /// The signing-certificate attribute names another certificate.
    #[error("the signature names another signing certificate")]
    SigningCertificateMismatch,
    /// The attribute that binds the certificate is absent where the profile asks for it (ETSI EN 319 142-1).
    #[error("the signature does not bind its certificate")]
    SigningCertificateAbsent,
    /// An algorithm or key size that policy does not allow; no certificate: the signature of the document itself.
    #[error("{algorithm} is not allowed with this key at this time")]
    AlgorithmRefused {
        /// The algorithm.
        algorithm: SignatureAlgorithm,
        /// The key.
        key: KeyKind,
        /// The certificate that was signed so.
        certificate: Option<Arc<Certificate>>,
    },
    /// A digest of the content that policy does not allow.
    #[error("{0} is not allowed at this time")]
    DigestRefused(DigestAlgorithm),
    /// No issuer of this certificate is at hand nor to be fetched, so that no path reaches an anchor.
    #[error("no path leads from {} to an anchor", .certificate.subject())]
    NoPath {
        /// Where the search ended.
        certificate: Arc<Certificate>,
    },
    /// No issuer of this certificate is at hand, but it says where its issuer's certificate is.
    #[error("the issuer of {} is not at hand yet", .certificate.subject())]
    IssuerUnknown {
        /// Where the search ended.
        certificate: Arc<Certificate>,
    },
    /// The search for a path spent its budget.
    #[error("the search for a path was given up")]
    BudgetSpent,
    /// Expired at the control time.
    #[error("{} has expired", .certificate.subject())]
    Expired {
        /// The certificate.
        certificate: Arc<Certificate>,
    },
    /// Not yet valid at the control time.
    #[error("{} is not yet valid", .certificate.subject())]
    NotYetValid {
        /// The certificate.
        certificate: Arc<Certificate>,
    },
    /// An issuer that is no CA (RFC 5280 §6.1.4 k).
    #[error("{} is no certification authority", .certificate.subject())]
    NotAuthority {
        /// The certificate.
        certificate: Arc<Certificate>,
    },
    /// More certificates below this one than it allows (§6.1.4 l, m).
    #[error("the path below {} is too long", .certificate.subject())]
    PathTooLong {
        /// The certificate.
        certificate: Arc<Certificate>,
    },
    /// keyUsage does not allow what the key was used for.
    #[error("the key of {} is not for this use", .certificate.subject())]
    KeyUsage {
        /// The certificate.
        certificate: Arc<Certificate>,
    },
    /// extKeyUsage does not allow documents to be signed.
    #[error("the key of {} is not for this purpose", .certificate.subject())]
    KeyPurpose {
        /// The certificate.
        certificate: Arc<Certificate>,
    },
    /// A restricting extension that is not processed.
    #[error("{} has a constraint that is not processed", .certificate.subject())]
    ConstraintUnprocessed {
        /// The certificate.
        certificate: Arc<Certificate>,
        /// Which one.
        constraint: Constraint,
    },
    /// Revoked.
    #[error("{} was revoked", .certificate.subject())]
    Revoked {
        /// The certificate.
        certificate: Arc<Certificate>,
        /// Since when.
        at: Time,
        /// Why.
        reason: RevocationReason,
    },
    /// On hold: it may come back.
    #[error("{} is on hold", .certificate.subject())]
    OnHold {
        /// The certificate.
        certificate: Arc<Certificate>,
        /// Since when.
        at: Time,
    },
    /// No fresh answer about revocation is at hand.
    #[error("whether {} is revoked is not known", .certificate.subject())]
    RevocationUnknown {
        /// The certificate.
        certificate: Arc<Certificate>,
    },
}

impl Failure {
    /// The one table from failures to indications. `signer` is the certificate the signature was made with: some
    /// sub-indications differ between it and its issuers.
    pub fn indication(&self, signer: Option<&Certificate>) -> Indication {
        use Indication::{Indeterminate, TotalFailed};
        use SubIndication as Sub;
        match self {
            Self::Structure(_)
            | Self::TrailingOctets
            | Self::SignerAbsent
            | Self::SignerRepeated
            | Self::TooLarge => TotalFailed(Sub::FormatFailure),
            Self::ContentMisplaced => Indeterminate(Sub::SignedDataNotFound),
            Self::ContentType
            | Self::SignedAttributesAbsent
            | Self::AttributeAbsent(_)
            | Self::AttributeRepeated(_)
            | Self::AttributeMalformed(_)
            | Self::AlgorithmsDisagree
            | Self::SigningCertificateAbsent => Indeterminate(Sub::SigConstraintsFailure),
            Self::DigestMismatch => TotalFailed(Sub::HashFailure),
            Self::SignatureWrong | Self::AlgorithmsReplaced => TotalFailed(Sub::SigCryptoFailure),
            Self::SignaturePolicyUnknown => Indeterminate(Sub::SignaturePolicyNotAvailable),
            Self::SignerCertificateAbsent
            | Self::SignerCertificateAmbiguous
            | Self::SigningCertificateMismatch => Indeterminate(Sub::NoSigningCertificateFound),
            Self::DigestAlgorithmUnknown
            | Self::SignatureAlgorithmUnknown
            | Self::AlgorithmRefused { .. }
            | Self::DigestRefused(_) => Indeterminate(Sub::CryptoConstraintsFailureNoPoe),
            Self::NoPath { .. } => Indeterminate(Sub::NoCertificateChainFound),
            Self::BudgetSpent => Indeterminate(Sub::CertificateChainGeneralFailure),
            Self::Expired { .. } => Indeterminate(Sub::OutOfBoundsNoPoe),
            Self::NotYetValid { certificate } if is_signer(certificate, signer) => {
                TotalFailed(Sub::NotYetValid)
            }
            Self::NotYetValid { .. } => Indeterminate(Sub::OutOfBoundsNoPoe),
            Self::NotAuthority { .. }
            | Self::PathTooLong { .. }
            | Self::KeyUsage { .. }
            | Self::KeyPurpose { .. }
            | Self::ConstraintUnprocessed { .. } => Indeterminate(Sub::ChainConstraintsFailure),
            Self::Revoked { certificate, .. } if is_signer(certificate, signer) => TotalFailed(Sub::Revoked),
            Self::Revoked { .. } => Indeterminate(Sub::RevokedCaNoPoe),
            // The standard knows TRY_LATER for revocation only; a certificate that is still to be fetched is as much ours.
            Self::OnHold { .. } | Self::RevocationUnknown { .. } | Self::IssuerUnknown { .. } => {
                Indeterminate(Sub::TryLater)
            }
        }
    }
}

fn is_signer(certificate: &Certificate, signer: Option<&Certificate>) -> bool {
    signer.is_some_and(|signer| signer == certificate)
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
            needs: Vec::new(),
            remarks: Vec::new(),
            coverage: None,
        }
    }
}
