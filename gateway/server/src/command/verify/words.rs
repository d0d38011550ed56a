//! What reports say, in words of the table.
//!
//! **Invariant:** every variant is matched by name, so that one without words does not compile.

mod failure;
mod pdf;

use trust::crl::RevocationReason;
use trust::pdf::LaterChange;
use trust::report::Remark;
use trust::{Failure, Indication, SubIndication, TimeStampKind};

pub(super) use failure::failure;
pub(super) use pdf::pdf_fault;

use super::view::Verdict;
use crate::command::text::{AdviceText, FailureText, RemarkText, Said, SubText, VerifyText};

/// The code of a text as programs are told it: its name, first letter small.
pub(super) fn code(text: impl std::fmt::Debug) -> String {
    let name = format!("{text:?}");
    let mut letters = name.chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

pub(super) fn verdict(verdict: Verdict) -> Said {
    let text = match verdict {
        Verdict::Passed => VerifyText::Passed,
        Verdict::Failed => VerifyText::Failed,
        Verdict::Indeterminate => VerifyText::Indeterminate,
        Verdict::Unsigned => VerifyText::Unsigned,
        Verdict::Unreadable => VerifyText::Unreadable,
    };
    text.said()
}

/// An indication with its sub-indication by the standard's name, and what that means.
pub(super) fn indication(indication: Indication) -> Said {
    let (text, why) = match indication {
        Indication::TotalPassed => return VerifyText::Passed.said(),
        Indication::TotalFailed(why) => (VerifyText::FailedBy, why),
        Indication::Indeterminate(why) => (VerifyText::IndeterminateBy, why),
    };
    text.said()
        .with("name", why.name())
        .about("words", &sub_indication(why).said())
}

fn sub_indication(why: SubIndication) -> SubText {
    match why {
        SubIndication::FormatFailure => SubText::FormatFailure,
        SubIndication::HashFailure => SubText::HashFailure,
        SubIndication::SigCryptoFailure => SubText::SigCryptoFailure,
        SubIndication::Revoked => SubText::Revoked,
        SubIndication::Expired => SubText::Expired,
        SubIndication::NotYetValid => SubText::NotYetValid,
        SubIndication::SigConstraintsFailure => SubText::SigConstraintsFailure,
        SubIndication::ChainConstraintsFailure => SubText::ChainConstraintsFailure,
        SubIndication::CertificateChainGeneralFailure => SubText::CertificateChainGeneralFailure,
        SubIndication::CryptoConstraintsFailure => SubText::CryptoConstraintsFailure,
        SubIndication::CryptoConstraintsFailureNoPoe => SubText::CryptoConstraintsFailureNoPoe,
        SubIndication::PolicyProcessingError => SubText::PolicyProcessingError,
        SubIndication::OutOfBoundsNoPoe => SubText::OutOfBoundsNoPoe,
        SubIndication::OutOfBoundsNotRevoked => SubText::OutOfBoundsNotRevoked,
        SubIndication::RevokedNoPoe => SubText::RevokedNoPoe,
        SubIndication::RevokedCaNoPoe => SubText::RevokedCaNoPoe,
        SubIndication::NoPoe => SubText::NoPoe,
        SubIndication::NoSigningCertificateFound => SubText::NoSigningCertificateFound,
        SubIndication::NoCertificateChainFound => SubText::NoCertificateChainFound,
        SubIndication::SignaturePolicyNotAvailable => SubText::SignaturePolicyNotAvailable,
        SubIndication::SignedDataNotFound => SubText::SignedDataNotFound,
        SubIndication::TimestampOrderFailure => SubText::TimestampOrderFailure,
        SubIndication::TryLater => SubText::TryLater,
    }
}

pub(super) fn remark(remark: Remark) -> RemarkText {
    match remark {
        Remark::TimeStampIgnored => RemarkText::TimeStampIgnored,
        Remark::TimeStampInvalid => RemarkText::TimeStampInvalid,
        Remark::SigningTimeContradicted => RemarkText::SigningTimeContradicted,
        Remark::CounterSignatureInvalid => RemarkText::CounterSignatureInvalid,
        Remark::SigningCertificateAbsent => RemarkText::SigningCertificateAbsent,
        Remark::PaddingIgnored => RemarkText::PaddingIgnored,
        Remark::ShownOverSigned => RemarkText::ShownOverSigned,
        Remark::AttributesReordered => RemarkText::AttributesReordered,
    }
}

pub(super) fn later(change: LaterChange) -> VerifyText {
    match change {
        LaterChange::Signature => VerifyText::LaterSignature,
        LaterChange::DocumentTimeStamp => VerifyText::LaterTimeStamp,
        LaterChange::SignatureField => VerifyText::LaterField,
        LaterChange::FormFilled => VerifyText::LaterForm,
        LaterChange::ValidationMaterial => VerifyText::LaterMaterial,
        LaterChange::Metadata => VerifyText::LaterMetadata,
        LaterChange::Extensions => VerifyText::LaterExtensions,
    }
}

pub(super) fn stamp_kind(kind: TimeStampKind) -> VerifyText {
    match kind {
        TimeStampKind::Data => VerifyText::StampOfData,
        TimeStampKind::Content => VerifyText::StampOfContent,
        TimeStampKind::Signature => VerifyText::StampOfSignature,
        TimeStampKind::Archive => VerifyText::StampOfArchive,
    }
}

fn reason(reason: RevocationReason) -> VerifyText {
    match reason {
        RevocationReason::Unspecified => VerifyText::ReasonUnspecified,
        RevocationReason::KeyCompromise => VerifyText::ReasonKeyCompromise,
        RevocationReason::CaCompromise => VerifyText::ReasonCaCompromise,
        RevocationReason::AffiliationChanged => VerifyText::ReasonAffiliationChanged,
        RevocationReason::Superseded => VerifyText::ReasonSuperseded,
        RevocationReason::CessationOfOperation => VerifyText::ReasonCessation,
        RevocationReason::CertificateHold => VerifyText::ReasonHold,
        RevocationReason::PrivilegeWithdrawn => VerifyText::ReasonPrivilege,
        RevocationReason::AaCompromise => VerifyText::ReasonAttribute,
        RevocationReason::RemovedFromList => VerifyText::ReasonRemoved,
        RevocationReason::Other => VerifyText::ReasonOther,
    }
}

/// What to do about a failure; what is missing is told beside, with its addresses.
pub(super) fn advice(failure: &Failure) -> Option<AdviceText> {
    Some(match failure {
        Failure::DigestMismatch => AdviceText::Altered,
        Failure::SignatureWrong | Failure::AlgorithmsReplaced => AdviceText::DoNotRely,
        Failure::ContentMisplaced => AdviceText::BringContent,
        Failure::SignerCertificateAbsent => AdviceText::BringCertificate,
        Failure::NoPath { .. } => AdviceText::BringAnchor,
        Failure::SignaturePolicyUnknown => AdviceText::BringPolicy,
        Failure::DigestAlgorithmUnknown
        | Failure::SignatureAlgorithmUnknown { .. }
        | Failure::AlgorithmRefused { .. }
        | Failure::DigestRefused(_) => AdviceText::WeakAlgorithm,
        Failure::Expired { .. } => AdviceText::JudgeEarlier,
        Failure::NotAuthority { .. }
        | Failure::PathTooLong { .. }
        | Failure::KeyUsage { .. }
        | Failure::KeyPurpose { .. }
        | Failure::ConstraintUnmet { .. } => AdviceText::AskIssuer,
        Failure::Revoked { .. } | Failure::NotYetValid { .. } | Failure::BudgetSpent => AdviceText::DoNotRely,
        Failure::OnHold { .. } => AdviceText::WaitForHold,
        Failure::TimeStampMalformed(_)
        | Failure::TimeStampImprint
        | Failure::TimeStampFuture
        | Failure::TimeStampAuthority
        | Failure::TimeStampOrder => AdviceText::TimeStamps,
        Failure::RevocationUnknown { .. } | Failure::IssuerUnknown { .. } => return None,
        Failure::Structure(_)
        | Failure::TrailingOctets
        | Failure::SignerAbsent
        | Failure::SignerRepeated
        | Failure::TooLarge
        | Failure::ContentType
        | Failure::SignedAttributesAbsent
        | Failure::AttributeAbsent(_)
        | Failure::AttributeRepeated(_)
        | Failure::AttributeMalformed(_)
        | Failure::AlgorithmsDisagree
        | Failure::SignerCertificateAmbiguous
        | Failure::SigningCertificateMismatch
        | Failure::SigningCertificateAbsent
        | Failure::XmlSignature(_)
        | Failure::XmlUnsupported(_)
        | Failure::PropertiesUnsigned => AdviceText::Malformed,
    })
}

/// A failure's text and what it says with its values.
pub(super) type Told = (FailureText, Said);

#[cfg(test)]
mod tests;
