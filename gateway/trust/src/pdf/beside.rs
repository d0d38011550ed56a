//! What a file brings along, put to use: the validation material of its DSS, and what its document time-stamps prove
//! (ETSI EN 319 142-1 §5.4, EN 319 102-1 §5.6).
//!
//! **Invariant**: material is candidates only; a document time-stamp proves something only once it passed, and only of the
//! signatures before it.

use aws_lc_rs::digest::Digest;

use super::PdfFault;
use super::file::File;
use super::material::{self, DocumentTimeStamp};
use super::prefix::Prefixes;
use super::signature::Signature;
use crate::cms::{Circumstances, Gathered};
use crate::path::Budget;
use crate::report::Failure;
use crate::snapshot::Snapshot;
use crate::time::Time;
use crate::tsp::{self, Stamped, TimeStampKind, TimeStampReport, Token, TokenFault};

/// Document time-stamps of one file that are judged at most: one a year for decades.
const TIME_STAMPS_MAX: usize = 64;

/// What a file brings along.
pub(super) struct Beside {
    pub(super) gathered: Gathered,
    /// Oldest first.
    stamps: Vec<DocumentTimeStamp>,
}

impl Beside {
    /// Reads it.
    pub(super) fn of(file: &File<'_>, signatures: &[Signature]) -> Result<Beside, PdfFault> {
        let material = material::of(file, signatures)?;
        let mut gathered = Gathered::default();
        gathered.add_octets(
            &material.certificates,
            &material.revocation_lists,
            &material.ocsp_responses,
        );
        Ok(Beside {
            gathered,
            stamps: material.time_stamps,
        })
    }

    /// Judges the document time-stamps, the newest first: each proves by when those before it existed.
    pub(super) fn time_stamps(&self, prefixes: &Prefixes<'_>, snapshot: &Snapshot, now: Time) -> TimeStamps {
        // Digested in the order of the file, each octet once, and judged in the other.
        let kept = self.stamps.len().saturating_sub(TIME_STAMPS_MAX);
        let mut digested = Vec::new();
        for stamp in &self.stamps[kept..] {
            let token = Token::from_der(&stamp.token).map(|token| {
                let digest = prefixes.digest(&stamp.covered, token.imprint().0);
                (token, digest)
            });
            digested.push((stamp.revision, token));
        }
        let mut judged = Vec::new();
        let mut existed_at = None;
        for (revision, token) in digested.into_iter().rev() {
            let circumstances = Circumstances {
                beside: &self.gathered,
                existed_at,
                ..Circumstances::new(snapshot, now)
            };
            let report = judge(token, &circumstances);
            let proven = latest(&report);
            existed_at = earlier(existed_at, proven);
            judged.push((revision, proven, report));
        }
        TimeStamps { judged }
    }
}

/// The latest time at which a token that passed was made.
fn latest(report: &TimeStampReport) -> Option<Time> {
    let time = report.time.filter(|_| report.is_passed())?;
    let accuracy = report.accuracy_micros.unwrap_or(0);
    Some(Time::from_micros(time.as_micros().saturating_add(accuracy)))
}

fn judge(token: Result<(Token, Digest), TokenFault>, circumstances: &Circumstances<'_>) -> TimeStampReport {
    let (token, digest) = match token {
        Ok(token) => token,
        Err(fault) => {
            let failure = Failure::TimeStampMalformed(fault);
            return TimeStampReport::failed(TimeStampKind::Data, None, failure);
        }
    };
    let mut budget = Budget::new(circumstances.snapshot.policy().signature_checks_max);
    let stamped = (TimeStampKind::Data, Stamped::Digest(digest.as_ref()));
    tsp::judge(&token, stamped, circumstances, &mut budget)
}

fn earlier(one: Option<Time>, other: Option<Time>) -> Option<Time> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// The document time-stamps of a file, judged.
pub(super) struct TimeStamps {
    /// Revision (the first is 1), what is proven to have existed by then, and the report.
    judged: Vec<(usize, Option<Time>, TimeStampReport)>,
}

impl TimeStamps {
    /// By when the signature is proven to have existed.
    pub(super) fn proof_of(&self, signature: &Signature) -> Option<Time> {
        let over = self
            .judged
            .iter()
            .filter(|(revision, ..)| is_over(*revision, signature));
        over.fold(None, |earliest, (_, proven, _)| earlier(earliest, *proven))
    }

    /// The reports of those over the signature.
    pub(super) fn over(&self, signature: &Signature) -> impl Iterator<Item = TimeStampReport> {
        let over = self
            .judged
            .iter()
            .filter(|(revision, ..)| is_over(*revision, signature));
        over.map(|(.., report)| report.clone())
    }
}

/// Whether the revision that a time-stamp closes came after the signature.
fn is_over(revision: usize, signature: &Signature) -> bool {
    signature.revision + 1 < revision
}
