//! The checks of ETSI EN 319 102-1 §5 in their order, and what a report says of each.
//!
//! **Invariant:** a check is called passed only where the report bears it out: what came before a failure in the standard's
//! order may have come after it here.

use trust::report::SealReport;
use trust::{Failure, Indication};

/// A check, in the order of the standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// §5.2.2 format checking.
    Format,
    /// §5.2.3 identification of the signing certificate.
    SigningCertificate,
    /// §5.2.7 cryptographic verification.
    Cryptography,
    /// §5.2.6 X.509 certificate validation, but for revocation.
    Path,
    /// The same for revocation, of each certificate.
    Revocation,
    /// §5.2.8 signature acceptance: constraints on attributes and algorithms.
    Acceptance,
    /// §5.5 time-stamps.
    TimeStamps,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Passed,
    Failed,
    Indeterminate,
    /// The report does not say: something failed before.
    NotReached,
    /// There was nothing to check.
    NotApplicable,
}

impl Outcome {
    /// As programs are told it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Failed => "failed",
            Outcome::Indeterminate => "indeterminate",
            Outcome::NotReached => "notReached",
            Outcome::NotApplicable => "notApplicable",
        }
    }

    pub(super) fn of(indication: Indication) -> Outcome {
        match indication {
            Indication::TotalPassed => Outcome::Passed,
            Indication::TotalFailed(_) => Outcome::Failed,
            Indication::Indeterminate(_) => Outcome::Indeterminate,
        }
    }
}

impl Stage {
    /// As programs are told it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Stage::Format => "format",
            Stage::SigningCertificate => "signingCertificate",
            Stage::Cryptography => "cryptography",
            Stage::Path => "path",
            Stage::Revocation => "revocation",
            Stage::Acceptance => "acceptance",
            Stage::TimeStamps => "timeStamps",
        }
    }

    /// The check that a failure is of.
    pub(super) fn of(failure: &Failure) -> Stage {
        match failure {
            Failure::Structure(_)
            | Failure::TrailingOctets
            | Failure::SignerAbsent
            | Failure::SignerRepeated
            | Failure::TooLarge
            | Failure::AttributeMalformed(_)
            | Failure::XmlSignature(_) => Stage::Format,
            Failure::SignerCertificateAbsent
            | Failure::SignerCertificateAmbiguous
            | Failure::SigningCertificateMismatch
            | Failure::SigningCertificateAbsent => Stage::SigningCertificate,
            Failure::ContentMisplaced
            | Failure::DigestMismatch
            | Failure::SignatureWrong
            | Failure::AlgorithmsDisagree
            | Failure::AlgorithmsReplaced
            | Failure::DigestAlgorithmUnknown
            | Failure::SignatureAlgorithmUnknown { certificate: None } => Stage::Cryptography,
            Failure::NoPath { .. }
            | Failure::IssuerUnknown { .. }
            | Failure::BudgetSpent
            | Failure::Expired { .. }
            | Failure::NotYetValid { .. }
            | Failure::NotAuthority { .. }
            | Failure::PathTooLong { .. }
            | Failure::KeyUsage { .. }
            | Failure::KeyPurpose { .. }
            | Failure::ConstraintUnmet { .. }
            | Failure::SignatureAlgorithmUnknown { certificate: Some(_) }
            | Failure::AlgorithmRefused {
                certificate: Some(_), ..
            } => Stage::Path,
            Failure::Revoked { .. } | Failure::OnHold { .. } | Failure::RevocationUnknown { .. } => {
                Stage::Revocation
            }
            Failure::ContentType
            | Failure::SignedAttributesAbsent
            | Failure::AttributeAbsent(_)
            | Failure::AttributeRepeated(_)
            | Failure::SignaturePolicyUnknown
            | Failure::XmlUnsupported(_)
            | Failure::PropertiesUnsigned
            | Failure::AlgorithmRefused {
                certificate: None, ..
            }
            | Failure::DigestRefused(_) => Stage::Acceptance,
            Failure::TimeStampMalformed(_)
            | Failure::TimeStampImprint
            | Failure::TimeStampFuture
            | Failure::TimeStampAuthority
            | Failure::TimeStampOrder => Stage::TimeStamps,
        }
    }

    /// How this check ended, as far as the report says.
    pub(super) fn outcome(self, report: &SealReport) -> Outcome {
        let Some(failure) = &report.failure else {
            return Outcome::Passed;
        };
        let failed = Stage::of(failure);
        if failed == self {
            return Outcome::of(report.indication);
        }
        let has_signer = report.signer.is_some();
        let has_chain = !report.chain.is_empty();
        let is_borne_out = match self {
            Stage::Format => has_signer || failed == Stage::SigningCertificate,
            Stage::SigningCertificate => has_signer,
            // A path is sought only for who signed, and paths end here when they are spent.
            Stage::Cryptography => {
                has_chain
                    || failed == Stage::Revocation
                    || (failed == Stage::Path && *failure != Failure::BudgetSpent)
            }
            Stage::Path => has_chain && (failed == Stage::Revocation || *failure == Failure::TimeStampOrder),
            Stage::Revocation => *failure == Failure::TimeStampOrder,
            Stage::Acceptance | Stage::TimeStamps => false,
        };
        if is_borne_out {
            Outcome::Passed
        } else {
            Outcome::NotReached
        }
    }
}

#[cfg(test)]
mod tests {
    use trust::cms;
    use trust::{Policy, Snapshot, Time};

    use super::*;

    #[test]
    fn what_nobody_looked_at_is_not_called_passed() {
        let snapshot = Snapshot::new(vec![], vec![], vec![], Policy::default(), 0);
        let report = cms::validate(&[0x30, 0], b"", &snapshot, Time::from_seconds(0)).remove(0);
        assert_eq!(Stage::Format.outcome(&report), Outcome::Failed);
        for stage in [
            Stage::SigningCertificate,
            Stage::Cryptography,
            Stage::Path,
            Stage::Revocation,
            Stage::Acceptance,
            Stage::TimeStamps,
        ] {
            assert_eq!(stage.outcome(&report), Outcome::NotReached, "{stage:?}");
        }
    }
}
