//! What a file brings along, put to use: the validation material of its DSS, and what its document time-stamps prove
//! (ETSI EN 319 142-1 §5.4, EN 319 102-1 §5.6).
//!
//! **Invariant**: material is candidates only; a document time-stamp proves something only once it passed, and only of the
//! signatures before it.

use std::ops::Range;

use aws_lc_rs::digest::Digest;

use super::PdfFault;
use super::file::File;
use super::material::{self, DocumentTimeStamp};
use super::prefix::Prefixes;
use super::signature::Signature;
use crate::cms::{Circumstances, Gathered};
use crate::existence::{Existence, PendingProof};
use crate::path::Budget;
use crate::report::Failure;
use crate::snapshot::Snapshot;
use crate::time::Time;
use crate::tsp::{self, Judged, Stamped, TimeStampKind, TimeStampReport, Token, TokenFault, earlier};

/// Document time-stamps of one file that are judged at most: one a year for decades.
const TIME_STAMPS_MAX: usize = 64;

/// What a file brings along.
pub(super) struct Beside {
    pub(super) gathered: Gathered,
    /// Where each of the responses gathered stands in the file.
    response_places: Vec<Range<usize>>,
    /// Oldest first.
    stamps: Vec<DocumentTimeStamp>,
}

impl Beside {
    /// Reads it.
    pub(super) fn of(file: &File<'_>, signatures: &[Signature]) -> Result<Beside, PdfFault> {
        let material = material::of(file, signatures)?;
        let mut gathered = Gathered::default();
        gathered.add_octets(&material.certificates, &material.revocation_lists, &[]);
        let mut response_places = Vec::new();
        for (response, place) in material.ocsp_responses.into_iter().zip(material.response_places) {
            gathered.add_octets(&[], &[], &[response]);
            // What cannot be read is left out.
            response_places.resize(gathered.responses.len(), place);
        }
        Ok(Beside {
            gathered,
            response_places,
            stamps: material.time_stamps,
        })
    }

    /// Judges the document time-stamps, the newest first: each proves by when those before it existed, and the answers of
    /// responders that it is over.
    pub(super) fn time_stamps(
        &mut self,
        prefixes: &Prefixes<'_>,
        snapshot: &Snapshot,
        now: Time,
    ) -> TimeStamps {
        let Self {
            gathered,
            response_places,
            stamps,
        } = self;
        // Digested in the order of the file, each octet once, and judged in the other.
        let kept = stamps.len().saturating_sub(TIME_STAMPS_MAX);
        let mut digested = Vec::new();
        for stamp in &stamps[kept..] {
            let token = Token::from_der(&stamp.token).map(|token| {
                let digest = prefixes.digest(&stamp.covered, token.imprint().0);
                (token, digest)
            });
            digested.push((stamp, token));
        }
        let mut judged: Vec<Stamp> = Vec::new();
        let (mut proven, mut pending) = (None, Vec::new());
        for (stamped, token) in digested.into_iter().rev() {
            let circumstances = Circumstances {
                beside: gathered,
                existence: Existence {
                    proven,
                    pending: &pending,
                },
                ..Circumstances::new(snapshot, now)
            };
            let stamp = Stamp {
                revision: stamped.revision,
                judged: judge(token, &circumstances),
            };
            if let Some(time) = stamp.judged.report.proven_by() {
                proven = earlier(proven, time);
                prove((gathered, response_places), &stamped.covered, time);
            }
            pending.extend(stamp.judged.pending.clone());
            judged.push(stamp);
        }
        TimeStamps { judged }
    }
}

/// These octets of the file are proven to have existed by this time.
fn prove((gathered, places): (&mut Gathered, &[Range<usize>]), covered: &[Range<usize>; 2], time: Time) {
    for (response, place) in gathered.responses.iter_mut().zip(places) {
        let is_within = |part: &Range<usize>| part.start <= place.start && place.end <= part.end;
        if covered.iter().any(is_within) {
            response.proven = earlier(response.proven, time);
        }
    }
}

fn judge(token: Result<(Token, Digest), TokenFault>, circumstances: &Circumstances<'_>) -> Judged {
    let (token, digest) = match token {
        Ok(token) => token,
        Err(fault) => {
            let failure = Failure::TimeStampMalformed(fault);
            return Judged::failed(TimeStampKind::Data, None, failure);
        }
    };
    let mut budget = Budget::new(circumstances.snapshot.policy().signature_checks_max);
    let stamped = (TimeStampKind::Data, Stamped::Digest(digest.as_ref()));
    tsp::judge(&token, stamped, circumstances, &mut budget)
}

/// A document time-stamp, judged.
struct Stamp {
    /// The revision that it closes, the first being 1.
    revision: usize,
    judged: Judged,
}

/// The document time-stamps of a file, judged.
pub(super) struct TimeStamps {
    /// Newest first.
    judged: Vec<Stamp>,
}

impl TimeStamps {
    /// By when the signature is proven to have existed.
    pub(super) fn proof_of(&self, signature: &Signature) -> Option<Time> {
        let over = self.those_over(signature);
        let proven = over.filter_map(|stamp| stamp.judged.report.proven_by());
        proven.fold(None, earlier)
    }

    /// What may yet be proven of the signature.
    pub(super) fn pending_for(&self, signature: &Signature) -> Vec<PendingProof> {
        let over = self.those_over(signature);
        over.filter_map(|stamp| stamp.judged.pending.clone()).collect()
    }

    /// The reports of those over the signature.
    pub(super) fn over(&self, signature: &Signature) -> impl Iterator<Item = TimeStampReport> {
        self.those_over(signature)
            .map(|stamp| stamp.judged.report.clone())
    }

    /// Those of revisions after the signature.
    fn those_over(&self, signature: &Signature) -> impl Iterator<Item = &Stamp> {
        let revision = signature.revision + 1;
        self.judged.iter().filter(move |stamp| revision < stamp.revision)
    }
}
