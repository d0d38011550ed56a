//! Signatures in PDF files (ISO 32000-2 §7.5, §12.8; PAdES, ETSI EN 319 142-1).
//!
//! Stands between an attachment's bytes and `cms`. The structure is read strictly and every octet accounted for (`file`,
//! `revision`); what is signed is found (`signature`) with what it allows (`restriction`); every later revision is held
//! against a white list (`difference`). A file that two readers could understand in two ways is refused, and so is every
//! change that the white list does not know.
//!
//! **Invariant**: a report is given only for a signature that covers its whole revision but its own /Contents, in a
//! file where nothing follows but what is on the white list and allowed by every earlier signature.
//! **Invariant**: the file is never copied; it is hashed at most twice by each algorithm (`prefix`), and whatever else is
//! read of it again is paid from a budget that is linear in its size.

mod beside;
mod budget;
mod container;
mod coverage;
mod difference;
mod fault;
mod field;
mod file;
mod material;
mod object;
mod parse;
mod prefix;
mod restriction;
mod revision;
mod signature;
mod stream;
mod time_stamp;
mod xref;

use std::sync::Arc;

use beside::Beside;
pub use coverage::{Coverage, LaterChange};
pub use fault::PdfFault;
use file::File;
pub use material::{DocumentTimeStamp, ValidationMaterial, validation_material};
use prefix::Prefixes;
use signature::{Kind, Signature};

use crate::cms::{self, Circumstances};
use crate::existence::Existence;
use crate::policy::Policy;
use crate::report::{Failure, Remark, SealReport};
use crate::snapshot::Snapshot;
use crate::time::Time;
use crate::x509::Certificate;

/// What the signatures of a file are worth.
#[derive(Clone, Debug)]
pub enum PdfReport {
    /// No signature at all, or document time-stamps alone: nobody signed.
    Unsigned,
    /// One report for each signature, oldest first; the file is worth as much as the worst of them. Document time-stamps
    /// are no signatures: they are handed out by [`validation_material`].
    Signed(Vec<SealReport>),
    /// A structure that cannot be trusted to say what is signed: a refusal.
    Refused(PdfFault),
}

/// The same without paths, revocation or any claim of trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PdfIntegrity {
    /// No signature and no document time-stamp at all.
    Unsigned,
    /// The signer's certificate, or what failed; oldest first, document time-stamps among them.
    Signed(Vec<Result<Arc<Certificate>, Failure>>),
    /// As [`PdfReport::Refused`].
    Refused(PdfFault),
}

/// Judges every signature of the file at the time `now`.
pub fn validate(file: &[u8], snapshot: &Snapshot, now: Time) -> PdfReport {
    let (opened, signatures) = match signatures(file, snapshot.policy()) {
        Ok(found) => found,
        Err(fault) => return PdfReport::Refused(fault),
    };
    let prefixes = Prefixes::of(file);
    let mut beside = match Beside::of(&opened, &signatures) {
        Ok(beside) => beside,
        Err(fault) => return PdfReport::Refused(fault),
    };
    let stamped = beside.time_stamps(&prefixes, snapshot, now);
    let mut seals = Vec::new();
    for signature in &signatures {
        let profile = match signature.kind {
            Kind::Seal(profile) => profile,
            Kind::TimeStamp => continue,
        };
        let digest = |algorithm| prefixes.digest(&signature.covered, algorithm);
        let pending = stamped.pending_for(signature);
        let circumstances = Circumstances {
            beside: &beside.gathered,
            existence: Existence {
                proven: stamped.proof_of(signature),
                pending: &pending,
            },
            ..Circumstances::new(snapshot, now)
        };
        let mut reports = cms::validate_digests(&signature.contents, &digest, profile, circumstances);
        let mut report = reports.pop().expect("a signature has at least one report");
        assert!(
            reports.is_empty(),
            "a PDF signature with several signers is a failure of its own"
        );
        report.coverage = Some(signature.coverage(opened.revisions.len()));
        report.time_stamps.extend(stamped.over(signature));
        if signature.is_shown_over_signed {
            report.remarks.push(Remark::ShownOverSigned);
        }
        seals.push(report);
    }
    if seals.is_empty() {
        return PdfReport::Unsigned;
    }
    PdfReport::Signed(seals)
}

/// Whether structure, coverage, digests and signature values are intact; nothing is said about trust.
pub fn integrity(file: &[u8], policy: &Policy, now: Time) -> PdfIntegrity {
    match signatures(file, policy) {
        Err(fault) => PdfIntegrity::Refused(fault),
        Ok((_, signatures)) if signatures.is_empty() => PdfIntegrity::Unsigned,
        Ok((_, signatures)) => {
            let prefixes = Prefixes::of(file);
            let results = signatures.iter().flat_map(|signature| {
                let contents = &signature.contents;
                let digest = |algorithm| prefixes.digest(&signature.covered, algorithm);
                match signature.kind {
                    Kind::Seal(profile) => cms::integrity_digests(contents, &digest, profile, policy, now),
                    Kind::TimeStamp => vec![time_stamp::integrity(contents, &digest, policy, now)],
                }
            });
            PdfIntegrity::Signed(results.collect())
        }
    }
}

/// A file whose structure and history stand, and its signatures, oldest first.
fn signatures<'a>(file: &'a [u8], policy: &Policy) -> Result<(File<'a>, Vec<Signature>), PdfFault> {
    let file = File::open(file, policy.pdf_objects_max)?;
    let mut signatures = signature::find(&file)?;
    difference::check(&file, &mut signatures)?;
    Ok((file, signatures))
}

#[cfg(test)]
mod tests;
