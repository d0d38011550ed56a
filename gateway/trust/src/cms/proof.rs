//! What proves when a signature existed: the time-stamps that it bears (ETSI EN 319 122-1 §5.2.8, §5.3, §5.5).
//!
//! Stands between the attributes of a signer and `tsp`. Archive time-stamps come first, the newest before the older: each
//! that passes proves that what it covers existed at its time, so that an authority that has ended since may still be
//! believed (ETSI EN 319 102-1 §5.6.2.4: proofs of existence).
//!
//! **Invariant**: only a token that passed proves anything; all others are told in the report and change nothing.
//! **Invariant**: a token is judged as of an earlier time only where another one that passed covers it.

use std::sync::Arc;

use super::archive::Archive;
use super::attribute::values;
use super::gather::Gathered;
use super::structure::{SignedData, SignerInfo};
use super::verify::Opened;
use super::{Circumstances, Digests};
use crate::asn1::oid;
use crate::path::Budget;
use crate::policy::Policy;
use crate::report::{Failure, Indication, Remark, SubIndication};
use crate::time::Time;
use crate::tsp::{self, Stamped, TimeStampKind, TimeStampReport, Token, TokenFault};
use crate::x509::Certificate;

/// Tokens of one signer that are judged at most: long-term signatures of the field bear a handful.
const TOKENS_MAX: usize = 16;

/// Proofs of other kinds, which are not read.
const IGNORED: [const_oid::ObjectIdentifier; 6] = [
    oid::ATTRIBUTE_ESC_TIME_STAMP,
    oid::ATTRIBUTE_CERT_CRL_TIME_STAMP,
    oid::ATTRIBUTE_ARCHIVE_TIME_STAMP,
    oid::ATTRIBUTE_ARCHIVE_TIME_STAMP_V2,
    oid::ATTRIBUTE_EVIDENCE_RECORD_INTERNAL,
    oid::ATTRIBUTE_EVIDENCE_RECORD_EXTERNAL,
];

/// Where the proofs of one signer come from.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    pub(super) opened: &'a Opened<'a>,
    pub(super) signed: &'a SignedData<'a>,
    pub(super) signer: &'a SignerInfo<'a>,
    pub(super) gathered: &'a Gathered,
    pub(super) circumstances: Circumstances<'a>,
}

/// What is proven of one signer.
#[derive(Default)]
pub(super) struct Proofs {
    /// One for each token, those of the archive first, newest first.
    pub(super) reports: Vec<TimeStampReport>,
    /// Best-signature-time: the earliest time of the tokens that passed.
    pub(super) best: Option<Time>,
    /// By when the signature existed, the accuracy of that token counted against it.
    pub(super) latest: Option<Time>,
    /// Whether time-stamps that passed contradict one another.
    is_disordered: bool,
    /// Whether there are proofs that are not read.
    has_ignored: bool,
}

/// One token, and where it stands among the values of the unsigned attributes.
struct Found {
    kind: TimeStampKind,
    place: Option<usize>,
    token: Token,
}

impl Proofs {
    pub(super) fn find(sources: &Sources<'_>, digests: &mut Digests<'_>, budget: &mut Budget) -> Self {
        let mut proofs = Self {
            best: sources.circumstances.existed_at,
            latest: sources.circumstances.existed_at,
            ..Self::default()
        };
        let found = proofs.tokens(sources);
        if found.is_empty() {
            return proofs;
        }
        let count = values(sources.signer.unsigned_attributes).len();
        let mut judging = Judging {
            sources: *sources,
            archive: Archive::new(sources.opened, sources.signed, sources.signer),
            proven: vec![sources.circumstances.existed_at; count],
            covers: Vec::new(),
            digests,
            budget,
        };
        for one in &found {
            let report = judging.judge(one, proofs.latest);
            proofs.take(one, report);
        }
        let skew = sources.circumstances.snapshot.policy().clock_skew_seconds;
        proofs.is_disordered = is_disordered(&proofs.reports, &found, &judging.covers, skew);
        proofs
    }

    /// The tokens that can be read, in the order in which they are judged: archive time-stamps, newest first; those of
    /// the signature; those of the content.
    fn tokens(&mut self, sources: &Sources<'_>) -> Vec<Found> {
        let mut found = Vec::new();
        let of_content = values(sources.signer.signed_attributes)
            .into_iter()
            .filter(|(oid, _)| *oid == oid::ATTRIBUTE_CONTENT_TIME_STAMP.as_bytes())
            .map(|(_, value)| (TimeStampKind::Content, None, value));
        let unsigned = values(sources.signer.unsigned_attributes);
        self.has_ignored = unsigned
            .iter()
            .any(|(oid, _)| IGNORED.iter().any(|ignored| ignored.as_bytes() == *oid));
        let of_signature = unsigned
            .into_iter()
            .enumerate()
            .filter_map(|(place, (oid, value))| {
                let kind = if oid == oid::ATTRIBUTE_TIME_STAMP_TOKEN.as_bytes() {
                    TimeStampKind::Signature
                } else if oid == oid::ATTRIBUTE_ARCHIVE_TIME_STAMP_V3.as_bytes() {
                    TimeStampKind::Archive
                } else {
                    return None;
                };
                Some((kind, Some(place), value))
            });
        for (kind, place, value) in of_signature.chain(of_content) {
            if TOKENS_MAX <= found.len() + self.reports.len() {
                self.has_ignored = true;
                break;
            }
            match Token::from_der(sources.opened.sent(value.whole)) {
                Ok(token) => found.push(Found { kind, place, token }),
                Err(fault) => self.reports.push(malformed(kind, fault)),
            }
        }
        found.sort_by_key(|one| {
            let rank = match one.kind {
                TimeStampKind::Archive => 0,
                TimeStampKind::Signature => 1,
                TimeStampKind::Content | TimeStampKind::Data => 2,
            };
            (rank, std::cmp::Reverse(one.token.time()))
        });
        found
    }

    /// Notes what a token is worth.
    fn take(&mut self, found: &Found, report: TimeStampReport) {
        let proves_signature = match found.kind {
            TimeStampKind::Signature | TimeStampKind::Archive => report.is_passed(),
            TimeStampKind::Content | TimeStampKind::Data => false,
        };
        if proves_signature {
            self.best = earlier(self.best, found.token.time());
            self.latest = earlier(self.latest, found.token.latest());
        }
        self.reports.push(report);
    }

    /// Tokens over the signature that fail only because something about their authority is still to be fetched, and by
    /// when they would prove it to have existed.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (Time, &TimeStampReport)> {
        self.reports.iter().filter_map(|report| {
            let is_over_signature = match report.kind {
                TimeStampKind::Signature | TimeStampKind::Archive => true,
                TimeStampKind::Content | TimeStampKind::Data => false,
            };
            let is_waiting = report.indication == Indication::Indeterminate(SubIndication::TryLater);
            let accuracy = report.accuracy_micros.unwrap_or_default();
            let latest = Time::from_micros(report.time?.as_micros().saturating_add(accuracy));
            (is_over_signature && is_waiting).then_some((latest, report))
        })
    }

    /// What is proven and cannot be: time-stamps out of order, or a signature older than the certificate it was made with
    /// (ETSI EN 319 102-1 §5.5.4).
    pub(super) fn contradiction(&self, signer: &Arc<Certificate>, skew_seconds: i64) -> Option<Failure> {
        if self.is_disordered {
            return Some(Failure::TimeStampOrder);
        }
        let latest = self.latest?.plus_seconds(skew_seconds);
        (latest < signer.not_before()).then(|| Failure::NotYetValid {
            certificate: Arc::clone(signer),
        })
    }

    /// What is worth noting.
    pub(super) fn remarks(&self, claimed: Option<Time>, policy: &Policy) -> Vec<Remark> {
        let is_contradicted = claimed
            .zip(self.latest)
            .is_some_and(|(claimed, latest)| latest.plus_seconds(policy.clock_skew_seconds) < claimed);
        let remarks = [
            (self.has_ignored, Remark::TimeStampIgnored),
            (
                self.reports.iter().any(|report| !report.is_passed()),
                Remark::TimeStampInvalid,
            ),
            (is_contradicted, Remark::SigningTimeContradicted),
        ];
        let noted = remarks.into_iter().filter(|(is_noted, _)| *is_noted);
        noted.map(|(_, remark)| remark).collect()
    }
}

fn malformed(kind: TimeStampKind, fault: TokenFault) -> TimeStampReport {
    TimeStampReport::failed(kind, None, Failure::TimeStampMalformed(fault))
}

fn earlier(one: Option<Time>, other: Time) -> Option<Time> {
    Some(one.map_or(other, |one| one.min(other)))
}

/// The tokens of one signer, judged one after another.
struct Judging<'a, 'd> {
    sources: Sources<'a>,
    archive: Archive<'a>,
    /// By when each value of the unsigned attributes is proven to have existed.
    proven: Vec<Option<Time>>,
    /// For each archive time-stamp, in order, which of those values it covers; empty where it does not pass.
    covers: Vec<Vec<bool>>,
    digests: &'a mut Digests<'d>,
    budget: &'a mut Budget,
}

impl Judging<'_, '_> {
    /// Judges one token; `signed_by` is the time by which the signature is proven to have existed so far.
    fn judge(&mut self, found: &Found, signed_by: Option<Time>) -> TimeStampReport {
        let existed_at = found.place.map_or(signed_by, |place| self.proven[place]);
        let circumstances = Circumstances {
            beside: self.sources.gathered,
            existed_at,
            ..self.sources.circumstances
        };
        let (token, kind) = (&found.token, found.kind);
        match kind {
            TimeStampKind::Archive => self.judge_archive(token, &circumstances),
            TimeStampKind::Signature => {
                let value = [self.sources.signer.value];
                tsp::judge(token, (kind, Stamped::Parts(&value)), &circumstances, self.budget)
            }
            TimeStampKind::Content | TimeStampKind::Data => {
                let digest = self.digests.of(token.imprint().0);
                let stamped = Stamped::Digest(digest.as_ref());
                tsp::judge(token, (kind, stamped), &circumstances, self.budget)
            }
        }
    }

    fn judge_archive(&mut self, token: &Token, circumstances: &Circumstances<'_>) -> TimeStampReport {
        let kind = TimeStampKind::Archive;
        let (coverage, report) = match self.archive.coverage(token, self.digests) {
            Err(failure) => (Vec::new(), TimeStampReport::failed(kind, Some(token), failure)),
            Ok(coverage) => {
                let stamped = Stamped::Digest(&coverage.imprint);
                let report = tsp::judge(token, (kind, stamped), circumstances, self.budget);
                (coverage.is_covered, report)
            }
        };
        if report.is_passed() {
            for (proven, is_covered) in self.proven.iter_mut().zip(&coverage) {
                if *is_covered {
                    *proven = earlier(*proven, token.latest());
                }
            }
            self.covers.push(coverage);
        } else {
            self.covers.push(Vec::new());
        }
        report
    }
}

/// Whether time-stamps that passed are out of order (ETSI EN 319 102-1 §5.5.4): those of the content before those of the
/// signature, those that are covered before those that cover them. Clocks may differ by the skew.
fn is_disordered(
    reports: &[TimeStampReport],
    found: &[Found],
    covers: &[Vec<bool>],
    skew_seconds: i64,
) -> bool {
    // Reports of what could not be read stand before those of the tokens.
    let of_tokens = &reports[reports.len() - found.len()..];
    let passed: Vec<&Found> = found
        .iter()
        .zip(of_tokens)
        .filter(|(_, report)| report.is_passed())
        .map(|(one, _)| one)
        .collect();
    let is_after =
        |one: &Found, other: &Found| other.token.time().plus_seconds(skew_seconds) < one.token.time();
    let is_content_late = passed.iter().any(|content| {
        content.place.is_none()
            && passed
                .iter()
                .any(|other| other.place.is_some() && is_after(content, other))
    });
    let archives = found.iter().filter(|one| one.kind == TimeStampKind::Archive);
    let is_covered_late = archives.zip(covers).any(|(archive, covered)| {
        passed.iter().any(|one| {
            let is_covered = one.place.is_some_and(|place| covered.get(place) == Some(&true));
            is_covered && is_after(one, archive)
        })
    });
    is_content_late || is_covered_late
}
