//! Signatures in PDF files (ISO 32000-2 §12.8, ETSI EN 319 142-1).
//!
//! Stands between an attachment's bytes and `cms`. The structure is read strictly and every octet accounted for: a
//! file that two readers could understand in two ways is refused, and so is every change after a signature but one
//! more signature.
//!
//! **Invariant**: a report is given only for a signature that covers its whole revision but its own /Contents, in a
//! file where nothing but further signatures follows.

mod budget;
mod difference;
mod file;
mod object;
mod parse;
mod signature;
mod stream;
mod xref;

use std::sync::Arc;

use file::File;
use signature::Signature;

use crate::cms;
use crate::policy::Policy;
use crate::report::{Failure, Remark, SealReport};
use crate::snapshot::Snapshot;
use crate::time::Time;
use crate::x509::Certificate;

/// What the signatures of a file are worth.
#[derive(Clone, Debug)]
pub enum PdfReport {
    /// No signature at all.
    Unsigned,
    /// One report for each signature, oldest first; the file is worth as much as the worst of them.
    Signed(Vec<SealReport>),
    /// A structure that cannot be trusted to say what is signed: a refusal.
    Refused(PdfFault),
}

/// The same without paths, revocation or any claim of trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PdfIntegrity {
    /// No signature at all.
    Unsigned,
    /// The signer's certificate, or what failed; oldest first.
    Signed(Vec<Result<Arc<Certificate>, Failure>>),
    /// As [`PdfReport::Refused`].
    Refused(PdfFault),
}

/// Why a PDF file is refused before its signatures are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PdfFault {
    /// The file does not begin with `%PDF-`.
    #[error("the file does not begin as PDF")]
    Header,
    /// No `startxref` at the end.
    #[error("the end of the file names no cross-reference section")]
    StartXref,
    /// A cross-reference section that is malformed or does not fit the file.
    #[error("the cross-reference section at {offset} is malformed")]
    Xref {
        /// Where.
        offset: usize,
    },
    /// Two cross-reference sections for two kinds of readers (§7.5.8.4).
    #[error("the file has a hybrid cross-reference section")]
    HybridXref,
    /// Encrypted.
    #[error("the file is encrypted")]
    Encrypted,
    /// Octets behind the last revision.
    #[error("octets follow the end of the file at {offset}")]
    TrailingOctets {
        /// Where.
        offset: usize,
    },
    /// An object that is malformed.
    #[error("malformed at offset {offset}")]
    Syntax {
        /// Where.
        offset: usize,
    },
    /// A key that occurs twice in a dictionary.
    #[error("a key occurs twice in the dictionary that ends at {offset}")]
    DuplicateKey {
        /// Where.
        offset: usize,
    },
    /// An object that is not where, or not what, it should be.
    #[error("object {number} is not what the file says")]
    Object {
        /// Its number.
        number: u32,
    },
    /// A filter of a structural stream that is not read here, or octets that do not decode.
    #[error("a stream of the structure cannot be decoded")]
    Filter,
    /// Deeper than is read.
    #[error("the structure is nested too deep")]
    TooDeep,
    /// Larger than is read.
    #[error("the structure is too large")]
    TooLarge,
    /// No catalog.
    #[error("the file has no catalog")]
    Catalog,
    /// An interactive form that is malformed.
    #[error("the form is malformed")]
    Form,
    /// A signature field whose value is no signature dictionary.
    #[error("a signature dictionary is malformed")]
    SignatureDictionary,
    /// A kind of signature other than `adbe.pkcs7.detached` and `ETSI.CAdES.detached`.
    #[error("the kind of signature is not supported")]
    SubFilter,
    /// /Contents that is no plain hexadecimal string in the file itself.
    #[error("the place of the signature value is malformed")]
    Contents,
    /// /ByteRange that does not cover the whole revision but /Contents.
    #[error("the signature does not cover its whole revision")]
    ByteRange,
    /// One signature dictionary in two fields, or two signatures that end together.
    #[error("a signature occurs twice")]
    SignatureRepeated,
    /// A signature dictionary that belongs to no field.
    #[error("the file holds a signature that no field shows")]
    StraySignature,
    /// A revision after a signature that adds no signature.
    #[error("the file was changed after it was signed, without a further signature")]
    UnsignedRevision,
    /// A change after a signature that is not on the white list.
    #[error("object {number} was changed after the file was signed")]
    Changed {
        /// The number of the object; 0 for the trailer.
        number: u32,
    },
    /// A later signature shows more than a seal over pages that were signed.
    #[error("object {number} covers what was signed before")]
    Overlaid {
        /// The number of its largest widget.
        number: u32,
    },
    /// Octets in a later revision that belong to none of its objects.
    #[error("octets at {offset} belong to no object of their revision")]
    Unaccounted {
        /// Where.
        offset: usize,
    },
    /// An earlier signature restricts later changes, which is not processed.
    #[error("an earlier signature restricts later changes")]
    Restricted,
}

/// Judges every signature of the file at the time `now`.
pub fn validate(file: &[u8], snapshot: &Snapshot, now: Time) -> PdfReport {
    match signatures(file, snapshot.policy().pdf_objects_max) {
        Err(fault) => PdfReport::Refused(fault),
        Ok(signatures) if signatures.is_empty() => PdfReport::Unsigned,
        Ok(signatures) => {
            let judge = |signature: &Signature| {
                let parts = parts(file, signature);
                let mut reports =
                    cms::validate_parts(&signature.contents, &parts, signature.profile, snapshot, now);
                let mut report = reports.pop().expect("a signature has at least one report");
                assert!(
                    reports.is_empty(),
                    "a PDF signature with several signers is a failure of its own"
                );
                report.covered = Some(signature.covered.clone());
                if signature.shows_over_signed {
                    report.remarks.push(Remark::ShownOverSigned);
                }
                report
            };
            PdfReport::Signed(signatures.iter().map(judge).collect())
        }
    }
}

/// Whether structure, coverage, digests and signature values are intact; nothing is said about trust.
pub fn integrity(file: &[u8], policy: &Policy, now: Time) -> PdfIntegrity {
    match signatures(file, policy.pdf_objects_max) {
        Err(fault) => PdfIntegrity::Refused(fault),
        Ok(signatures) if signatures.is_empty() => PdfIntegrity::Unsigned,
        Ok(signatures) => {
            let results = signatures.iter().flat_map(|signature| {
                let parts = parts(file, signature);
                cms::integrity_parts(&signature.contents, &parts, signature.profile, policy, now)
            });
            PdfIntegrity::Signed(results.collect())
        }
    }
}

fn parts<'a>(file: &'a [u8], signature: &Signature) -> [&'a [u8]; 2] {
    signature.covered.clone().map(|range| &file[range])
}

/// The signatures of a file whose structure and history stand.
fn signatures(file: &[u8], objects_max: usize) -> Result<Vec<Signature>, PdfFault> {
    let file = File::open(file, objects_max)?;
    let mut signatures = signature::find(&file)?;
    let Some(first) = signatures.first() else {
        return Ok(signatures);
    };
    for revision in first.revision + 1..=file.latest() {
        let added = signatures
            .iter()
            .position(|signature| signature.revision == revision)
            .ok_or(PdfFault::UnsignedRevision)?;
        if signatures
            .iter()
            .any(|signature| signature.revision < revision && signature.has_restrictions)
        {
            return Err(PdfFault::Restricted);
        }
        signatures[added].shows_over_signed = difference::check(&file, revision, &signatures[added])?;
    }
    Ok(signatures)
}

#[cfg(test)]
mod tests;
