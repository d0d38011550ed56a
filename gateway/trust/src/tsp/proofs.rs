//! What time-stamps prove of one signature, and what that is worth to its signer.
//!
//! Stands between whoever finds the tokens of a signature (`cms`, `xml`) and its report.
//!
//! **Invariant**: only a token that passed proves anything; all others are told in the report and change nothing.
//! **Invariant**: a signature existed only with the certificate it was made with. Over the value alone a token proves nothing
//! where that certificate is not bound (RFC 5035): another one may be issued later for the same key, with other names or
//! another validity, or for a key that is made so that the value fits (duplicate-signature key selection). Then only what
//! covers the certificate counts (ETSI EN 319 102-1 §5.6.2: a certificate counts in the past once its existence is proven).

use std::sync::Arc;

use super::TimeStampReport;
use crate::existence::{self, Existence, PendingProof, Signer};
use crate::path::{Budget, Question};
use crate::policy::Policy;
use crate::report::{Failure, Remark, SealReport};
use crate::time::Time;
use crate::x509::Certificate;

/// What a token is over, as far as it is of the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// Something that was there before the signature.
    Content,
    /// Its value.
    Value,
    /// Its value, and the certificate it was made with or what names that.
    Signature,
}

/// What is proven of one signature.
#[derive(Default)]
pub(crate) struct Proofs {
    /// One for each token.
    reports: Vec<TimeStampReport>,
    /// Best-signature-time: the earliest time of the tokens that passed and are over the signature.
    best: Option<Time>,
    /// By when the signature existed, the accuracy of that token counted against it.
    latest: Option<Time>,
    /// The same of its value alone, whatever the certificate.
    value_latest: Option<Time>,
    /// What may yet be proven: tokens over the signature that wait, and would contradict nothing.
    pending: Vec<PendingProof>,
    /// Whether time-stamps that passed contradict one another.
    pub(crate) is_disordered: bool,
    /// Whether there are proofs that are not read.
    pub(crate) has_ignored: bool,
}

impl Proofs {
    /// What something around the signature proves, if it is over all of it.
    pub(crate) fn of(proven: Option<Time>, over: Over) -> Self {
        let of_signature = proven.filter(|_| over == Over::Signature);
        Self {
            best: of_signature,
            latest: of_signature,
            value_latest: proven.filter(|_| over != Over::Content),
            ..Self::default()
        }
    }

    /// Notes what a token is worth.
    pub(crate) fn take(&mut self, report: TimeStampReport, over: Over) {
        if let (Some(time), Some(latest)) = (report.time, report.proven_by()) {
            if over != Over::Content {
                self.value_latest = earlier(self.value_latest, latest);
            }
            if over == Over::Signature {
                self.best = earlier(self.best, time);
                self.latest = earlier(self.latest, latest);
            }
        }
        self.reports.push(report);
    }

    /// How many tokens were noted.
    pub(crate) fn len(&self) -> usize {
        self.reports.len()
    }

    /// By when the signature is proven to have existed.
    pub(crate) fn latest(&self) -> Option<Time> {
        self.latest
    }

    /// Notes what may yet be proven of a signature of this signer, where it could be.
    pub(crate) fn await_all<'p>(
        &mut self,
        pending: impl Iterator<Item = &'p PendingProof>,
        signer: &Arc<Certificate>,
        skew_seconds: i64,
    ) {
        if self.contradiction(signer, skew_seconds).is_none() {
            let is_possible =
                |proof: &&PendingProof| signer.not_before() <= proof.at.plus_seconds(skew_seconds);
            self.pending.extend(pending.filter(is_possible).cloned());
        }
    }

    /// Judges the signer, and puts what was found into the report. What fails, if anything.
    pub(crate) fn judge(
        self,
        signer: Signer<'_>,
        question: Question<'_>,
        report: &mut SealReport,
        budget: &mut Budget,
    ) -> Option<Failure> {
        let policy = question.snapshot.policy();
        let existence = Existence {
            proven: self.latest,
            pending: &self.pending,
        };
        let judgement = existence::judge(signer, question, existence, budget);
        let mut outcome = judgement.awaited.unwrap_or(judgement.outcome);
        if outcome.failure.is_none() {
            outcome.failure = self.contradiction(signer.certificate, policy.clock_skew_seconds);
        }
        if let Some(best) = self.best {
            report.best_signature_time = best.min(question.now);
        }
        let remarks = self.remarks(report.claimed_signing_time, policy);
        report.remarks.extend(remarks);
        report.time_stamps = self.reports;
        report.chain = outcome.chain;
        report.revocation = outcome.proofs;
        report.needs = outcome.needs;
        outcome.failure
    }

    /// What is proven and cannot be: time-stamps out of order, or a signature older than the certificate it was made with
    /// (ETSI EN 319 102-1 §5.5.4).
    fn contradiction(&self, signer: &Arc<Certificate>, skew_seconds: i64) -> Option<Failure> {
        if self.is_disordered {
            return Some(Failure::TimeStampOrder);
        }
        let latest = self.value_latest?.plus_seconds(skew_seconds);
        (latest < signer.not_before()).then(|| Failure::NotYetValid {
            certificate: Arc::clone(signer),
        })
    }

    /// What is worth noting.
    fn remarks(&self, claimed: Option<Time>, policy: &Policy) -> Vec<Remark> {
        let is_contradicted = claimed
            .zip(self.value_latest)
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

/// The earlier of a time that may be known and another one.
pub(crate) fn earlier(one: Option<Time>, other: Time) -> Option<Time> {
    Some(one.map_or(other, |one| one.min(other)))
}
