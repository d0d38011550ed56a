//! As of when a signer is judged: now, or a time by which what it signed is proven to have existed (ETSI EN 319 102-1 §5.5,
//! §5.6.2).
//!
//! Stands between whoever finds that a signature is right (`cms`, `tsp`, `xml`) and `path`.
//!
//! **Invariant**: everything is judged as of now; as of an earlier time only where that fails for what time alone did, and
//! something proves that the signature existed by then.
//! **Invariant**: a proof that waits for something to be fetched proves nothing; it makes a signature wait only where it
//! would let it pass.

use std::sync::Arc;

use crate::path::{self, Budget, Outcome, Question};
use crate::report::{Failure, Indication, Need, SubIndication};
use crate::time::Time;
use crate::x509::Certificate;

/// Proofs that wait, of one signature, that are tried at most.
const PENDING_MAX: usize = 16;

/// A proof of existence whose authority waits for something to be fetched.
#[derive(Clone, Debug)]
pub(crate) struct PendingProof {
    /// By when it would prove something to have existed.
    pub(crate) at: Time,
    /// What it waits for.
    pub(crate) failure: Failure,
    pub(crate) needs: Arc<[Need]>,
}

/// By when something existed; of a signature: with the certificate it was made with.
#[derive(Clone, Copy, Default)]
pub(crate) struct Existence<'a> {
    /// What is proven.
    pub(crate) proven: Option<Time>,
    /// What may yet be.
    pub(crate) pending: &'a [PendingProof],
}

impl<'a> Existence<'a> {
    /// The proofs that would change something, the earliest first: of a time before any that was tried already.
    fn pending_before(self, now: Time) -> Vec<&'a PendingProof> {
        let tried = self.proven.map_or(now, |proven| proven.min(now));
        let mut pending: Vec<_> = self.pending.iter().filter(|proof| proof.at < tried).collect();
        pending.sort_by_key(|proof| proof.at);
        pending.truncate(PENDING_MAX);
        pending
    }
}

/// Whoever made a signature that is right.
#[derive(Clone, Copy)]
pub(crate) struct Signer<'a> {
    pub(crate) certificate: &'a Arc<Certificate>,
    /// Whether policy allows the algorithms of the signature itself at a time; those of the path are the matter of `path`.
    pub(crate) check_policy: &'a dyn Fn(Time) -> Result<(), Failure>,
}

/// What a signer is worth.
pub(crate) struct Judgement {
    pub(crate) outcome: Outcome,
    /// What is said in its place where a proof that waits would let the signer pass: that it waits too, and for what.
    pub(crate) awaited: Option<Outcome>,
}

/// Judges a signer as of now; where that fails for what time alone did, as of the time by which its signature existed.
pub(crate) fn judge(
    signer: Signer<'_>,
    question: Question<'_>,
    existence: Existence<'_>,
    budget: &mut Budget,
) -> Judgement {
    let mut judgement = Judgement {
        outcome: attempt(signer, question, budget),
        awaited: None,
    };
    if !judgement.outcome.failure.as_ref().is_some_and(is_of_time) {
        return judgement;
    }
    if let Some(at) = existence.proven.filter(|at| *at < question.now) {
        judgement.outcome = attempt(signer, question.as_of(at), budget);
        if judgement.outcome.failure.as_ref().is_none_or(is_of_fetching) {
            return judgement;
        }
    }
    let mut pending = existence.pending_before(question.now).into_iter();
    judgement.awaited = pending.find_map(|proof| {
        let at = proof.at;
        let mut outcome = attempt(signer, question.as_of(at), budget);
        let may_pass = outcome.failure.as_ref().is_none_or(is_of_fetching);
        may_pass.then(|| {
            outcome.failure = Some(proof.failure.clone());
            let needs = proof.needs.iter().filter(|need| !outcome.needs.contains(need));
            let needs: Vec<Need> = needs.cloned().collect();
            outcome.needs.extend(needs);
            outcome
        })
    });
    judgement
}

/// Algorithms and path as of the control time of the question.
fn attempt(signer: Signer<'_>, question: Question<'_>, budget: &mut Budget) -> Outcome {
    match (signer.check_policy)(question.at) {
        Err(failure) => Outcome {
            failure: Some(failure),
            ..Outcome::default()
        },
        Ok(()) => path::validate(signer.certificate, question, budget),
    }
}

/// Whether whatever failed so waits for something to be fetched.
pub(crate) fn is_of_fetching(failure: &Failure) -> bool {
    failure.indication(None) == Indication::Indeterminate(SubIndication::TryLater)
}

/// Whether a signature that failed so may have been good at an earlier time (ETSI EN 319 102-1 §5.5.4). A path is not
/// sought for a certificate that has expired, so that none is found.
fn is_of_time(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::Expired { .. }
            | Failure::Revoked { .. }
            | Failure::AlgorithmRefused { .. }
            | Failure::DigestRefused(_)
            | Failure::NoPath { .. }
    )
}
