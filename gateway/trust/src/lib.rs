//! Is this signature good, and why?
//!
//! Given bytes, trust material (`Snapshot`: anchors, certificates, CRLs) and a time, this crate says what each
//! signature is worth, in the vocabulary of ETSI EN 319 102-1, with the object that failed and the proof that settled
//! each certificate. It stands below `domain`, knows signatures and nothing of documents or agencies.
//!
//! **Invariant**: no I/O, no clock, no randomness, no global state; whatever is needed is an argument. (Making a
//! signature draws the randomness of ECDSA from `aws-lc-rs`.)
//! **Invariant**: no input makes it panic, and none makes it work longer than its limits allow.
//! **Invariant**: unknown is never good: what is not understood fails, what is not known is `Indeterminate`.

pub mod algorithm;
mod asn1;
pub mod cms;
pub mod crl;
mod digest;
mod existence;
mod name;
pub mod ocsp;
mod path;
pub mod pdf;
mod pem;
pub mod policy;
pub mod report;
mod revocation;
mod snapshot;
#[cfg(test)]
mod testing;
mod time;
pub mod tsp;
pub mod x509;
pub mod xml;

use std::sync::Arc;

pub use algorithm::{DigestAlgorithm, SignatureAlgorithm};
pub use asn1::Asn1Fault;
pub use cms::{SignFault, Signer, SoftwareKey};
pub use crl::RevocationList;
pub use digest::{Digest, DigestFault};
pub use name::Name;
pub use ocsp::{OcspAnswer, OcspFault, OcspRequest};
pub use path::{Demands, PolicyDemands, RevocationDemand};
pub use pdf::{PdfFault, PdfIntegrity, PdfReport};
pub use policy::Policy;
pub use report::{Failure, Indication, Need, RevocationProof, SealReport, SubIndication};
pub use snapshot::Snapshot;
pub use time::{Time, TimeFault};
pub use tsp::{TimeStampKind, TimeStampReport};
pub use x509::Certificate;

/// Judges a certificate by itself as that of a signer, at the time `at`; `candidates` are untrusted issuers beside those
/// of the snapshot. The path that passed, leaf first, anchor last.
///
/// # Errors
/// What failed first ([`Failure`]).
pub fn validate_certificate(
    certificate: &Arc<Certificate>,
    candidates: &[Arc<Certificate>],
    snapshot: &Snapshot,
    at: Time,
) -> Result<Vec<Arc<Certificate>>, Failure> {
    let question = path::Question::new(path::Usage::Document, snapshot, candidates, at);
    let mut budget = path::Budget::new(snapshot.policy().signature_checks_max);
    let outcome = path::validate(certificate, question, &mut budget);
    outcome.failure.map_or(Ok(outcome.chain), Err)
}

/// What a certificate is held to when it is judged by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// That of somebody who signs documents.
    Signer,
    /// That of an authority of time-stamps (RFC 3161 §2.3).
    TimeStamper,
    /// That of an authority: its path alone, whatever its key is used for.
    Authority,
}

impl Role {
    /// What a certificate says of itself.
    pub fn of(certificate: &Certificate) -> Role {
        let purposes = certificate.extensions().extended_key_usage.as_ref();
        if certificate.is_ca() {
            Role::Authority
        } else if purposes.is_some_and(|purposes| purposes.is_only(&asn1::oid::PURPOSE_TIME_STAMPING)) {
            Role::TimeStamper
        } else {
            Role::Signer
        }
    }
}

/// The same as [`validate_certificate`], with all that settled it: a report in which nothing is said of a signature. The
/// signer is the certificate.
pub fn report_certificate(
    certificate: &Arc<Certificate>,
    role: Role,
    candidates: &[Arc<Certificate>],
    snapshot: &Snapshot,
    at: Time,
) -> SealReport {
    let usage = match role {
        Role::Signer => path::Usage::Document,
        Role::TimeStamper => path::Usage::TimeStamp,
        Role::Authority => path::Usage::Nothing,
    };
    let question = path::Question::new(usage, snapshot, candidates, at);
    let mut budget = path::Budget::new(snapshot.policy().signature_checks_max);
    SealReport::of_path(
        certificate,
        path::validate(certificate, question, &mut budget),
        at,
    )
}

/// Judges the path of a certificate at the time `at`, whatever its key is used for, under these demands (RFC 5280 §6). The
/// path that passed, leaf first, anchor last.
///
/// # Errors
/// What failed first ([`Failure`]).
pub fn validate_path(
    certificate: &Arc<Certificate>,
    demands: &Demands,
    snapshot: &Snapshot,
    at: Time,
) -> Result<Vec<Arc<Certificate>>, Failure> {
    let question = path::Question {
        demands,
        ..path::Question::new(path::Usage::Nothing, snapshot, &[], at)
    };
    let mut budget = path::Budget::new(snapshot.policy().signature_checks_max);
    let outcome = path::validate(certificate, question, &mut budget);
    outcome.failure.map_or(Ok(outcome.chain), Err)
}
