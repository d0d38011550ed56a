//! What can fail, and the one table from failures to indications.
//!
//! **Invariant**: the indication of a failure is said here and nowhere else.

use std::sync::Arc;

use super::{Indication, SignedAttribute, SubIndication};
use crate::algorithm::{DigestAlgorithm, KeyKind, SignatureAlgorithm};
use crate::asn1::Asn1Fault;
use crate::crl::RevocationReason;
use crate::time::Time;
use crate::tsp::TokenFault;
use crate::x509::{Certificate, Constraint};
use crate::xml::signature::{Fault, Unsupported};

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
    SignatureAlgorithmUnknown {
        /// The certificate that bears the signature; `None` where the signer's own does.
        certificate: Option<Arc<Certificate>>,
    },
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
    /// An XML signature that is malformed.
    #[error(transparent)]
    XmlSignature(#[from] Fault),
    /// An XML signature that asks for what is left out here.
    #[error(transparent)]
    XmlUnsupported(#[from] Unsupported),
    /// Properties of an XML signature that it does not cover (ETSI EN 319 132-1 §4.4.2).
    #[error("the signature does not cover its properties")]
    PropertiesUnsigned,
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
    /// A constraint on the path is not met.
    #[error("{} does not meet a constraint of its path", .certificate.subject())]
    ConstraintUnmet {
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
    /// A time-stamp token that cannot be read.
    #[error("a time-stamp cannot be read: {0}")]
    TimeStampMalformed(TokenFault),
    /// A time-stamp over something else; or an archive time-stamp over something that is no longer there.
    #[error("the time-stamp is over something else")]
    TimeStampImprint,
    /// A time-stamp of a time that has not come.
    #[error("the time-stamp is from the future")]
    TimeStampFuture,
    /// A time-stamp that says it is from another authority than the one that signed it (RFC 3161 §2.4.2: tsa).
    #[error("the time-stamp names another authority than the one that signed it")]
    TimeStampAuthority,
    /// Time-stamps that passed contradict one another.
    #[error("the time-stamps are out of order")]
    TimeStampOrder,
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
            | Self::TimeStampMalformed(_)
            | Self::TooLarge => TotalFailed(Sub::FormatFailure),
            Self::XmlSignature(fault) => of_xml_fault(fault),
            Self::XmlUnsupported(unsupported) => of_xml_beyond(unsupported),
            Self::ContentMisplaced => Indeterminate(Sub::SignedDataNotFound),
            Self::ContentType
            | Self::SignedAttributesAbsent
            | Self::AttributeAbsent(_)
            | Self::AttributeRepeated(_)
            | Self::AttributeMalformed(_)
            | Self::AlgorithmsDisagree
            | Self::TimeStampFuture
            | Self::TimeStampAuthority
            | Self::PropertiesUnsigned
            | Self::SigningCertificateAbsent => Indeterminate(Sub::SigConstraintsFailure),
            Self::DigestMismatch | Self::TimeStampImprint => TotalFailed(Sub::HashFailure),
            Self::TimeStampOrder => Indeterminate(Sub::TimestampOrderFailure),
            Self::SignatureWrong | Self::AlgorithmsReplaced => TotalFailed(Sub::SigCryptoFailure),
            Self::SignaturePolicyUnknown => Indeterminate(Sub::SignaturePolicyNotAvailable),
            Self::SignerCertificateAbsent
            | Self::SignerCertificateAmbiguous
            | Self::SigningCertificateMismatch => Indeterminate(Sub::NoSigningCertificateFound),
            Self::DigestAlgorithmUnknown | Self::SignatureAlgorithmUnknown { .. } => {
                Indeterminate(Sub::CryptoConstraintsFailure)
            }
            Self::AlgorithmRefused { .. } | Self::DigestRefused(_) => {
                Indeterminate(Sub::CryptoConstraintsFailureNoPoe)
            }
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
            | Self::ConstraintUnmet { .. } => Indeterminate(Sub::ChainConstraintsFailure),
            Self::Revoked { certificate, .. } if is_signer(certificate, signer) => {
                Indeterminate(Sub::RevokedNoPoe)
            }
            Self::Revoked { .. } => Indeterminate(Sub::RevokedCaNoPoe),
            // The standard knows TRY_LATER for revocation only; a certificate that is still to be fetched is as much ours.
            Self::OnHold { .. } | Self::RevocationUnknown { .. } | Self::IssuerUnknown { .. } => {
                Indeterminate(Sub::TryLater)
            }
        }
    }
}

/// The part of the table that is about XML signatures.
fn of_xml_fault(fault: &Fault) -> Indication {
    match fault {
        Fault::TargetAbsent(_) => Indication::Indeterminate(SubIndication::SignedDataNotFound),
        Fault::ElementAbsent(_)
        | Fault::ElementUnexpected(_)
        | Fault::AttributeAbsent(_)
        | Fault::Content(_)
        | Fault::Base64(_)
        | Fault::IdRepeated(_)
        | Fault::NothingSigned
        | Fault::TooMany(_)
        | Fault::TooLarge => Indication::TotalFailed(SubIndication::FormatFailure),
    }
}

/// The part of the table that is about XML signatures beyond the profile.
fn of_xml_beyond(unsupported: &Unsupported) -> Indication {
    Indication::Indeterminate(match unsupported {
        Unsupported::UriAbsent | Unsupported::Outside(_) | Unsupported::XPointer(_) => {
            SubIndication::SignedDataNotFound
        }
        Unsupported::SignatureMethod(_) | Unsupported::DigestMethod(_) | Unsupported::Parameters(_) => {
            SubIndication::CryptoConstraintsFailureNoPoe
        }
        Unsupported::CanonicalizationMethod(_)
        | Unsupported::Transform(_)
        | Unsupported::TransformOrder
        | Unsupported::BaseOutside
        | Unsupported::PropertiesElsewhere => SubIndication::SigConstraintsFailure,
    })
}

fn is_signer(certificate: &Certificate, signer: Option<&Certificate>) -> bool {
    signer.is_some_and(|signer| signer == certificate)
}
