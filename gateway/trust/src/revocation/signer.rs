//! Whose key signed a revocation list (RFC 5280 §6.3.3 f and g).
//!
//! Mostly the very key that issued the certificate. An authority may sign its lists with another key, and may leave them
//! to somebody else (indirect lists): then whoever signed needs a path of its own to the same anchor.
//!
//! **Invariant**: a key that is being judged cannot vouch for itself, however many lists stand between.

use std::sync::Arc;

use super::is_known_revoked;
use crate::crl::RevocationList;
use crate::path::{self, Budget, Question, RevocationDemand, Usage};
use crate::time::Time;
use crate::x509::{Certificate, KeyUsage};

/// As of when whoever signed a list is judged, and how.
#[derive(Clone, Copy)]
pub(super) struct AsOf {
    /// One that needs a path of its own.
    pub(super) at: Time,
    /// The algorithms of the list itself.
    pub(super) algorithms_at: Time,
    /// Whether whoever signed must have lasted until the list was made: what has ended says nothing good.
    pub(super) must_last: bool,
    /// Whether one with a path of its own must be proven not to be revoked; it must not be known to be in any case.
    pub(super) demand: RevocationDemand,
}

/// The certificate whose key signed the list, if it may speak for the first certificate of this path.
pub(super) fn of(
    list: &Arc<RevocationList>,
    path: &[Arc<Certificate>],
    as_of: AsOf,
    question: Question<'_>,
    budget: &mut Budget,
) -> Option<Arc<Certificate>> {
    let AsOf {
        at,
        algorithms_at,
        must_last,
        demand,
    } = as_of;
    let above = &path[1..];
    let is_fit = |one: &&Arc<Certificate>| {
        one.subject() == list.issuer() && (!must_last || list.this_update() <= one.not_after())
    };
    let named = above.iter().filter(is_fit);
    for one in named {
        if !budget.is_inside(&one.key_identity()) && has_signed(one, list, algorithms_at, question, budget) {
            return Some(Arc::clone(one));
        }
    }
    let anchor = above.last()?;
    let question = Question {
        usage: Usage::RevocationList,
        anchor: Some(anchor),
        demands: demand.usual(),
        at,
        is_leaf_proven: false,
        ..question
    };
    let is_hinted = |one: &&Arc<Certificate>| match (list.key_identifier(), one.subject_key_identifier()) {
        (Some(hint), Some(identifier)) => hint == identifier,
        (None, _) | (_, None) => true,
    };
    let candidates = question
        .snapshot
        .candidates_named(list.issuer())
        .iter()
        .chain(question.embedded)
        .filter(|one| is_fit(one) && !above.contains(one))
        .filter(is_hinted);
    for candidate in candidates {
        if !has_signed(candidate, list, algorithms_at, question, budget) {
            continue;
        }
        let is_good = budget.inside(candidate.key_identity(), |budget| {
            let outcome = path::validate(candidate, question, budget);
            let is_asked = demand == RevocationDemand::Required;
            let chain = &outcome.chain;
            let is_revoked = |place: usize, budget: &mut Budget| {
                place + 1 < chain.len() && is_known_revoked(&chain[place..], question, budget)
            };
            outcome.failure.is_none()
                && (is_asked || !(0..chain.len()).any(|place| is_revoked(place, budget)))
        });
        if is_good == Some(true) {
            return Some(Arc::clone(candidate));
        }
    }
    None
}

/// Whether the certificate's key signed the list, and may sign lists, with an algorithm that policy allows at this time.
pub(super) fn has_signed(
    signer: &Certificate,
    list: &Arc<RevocationList>,
    algorithms_at: Time,
    question: Question<'_>,
    budget: &mut Budget,
) -> bool {
    let snapshot = question.snapshot;
    let may_sign = signer
        .extensions()
        .key_usage
        .is_none_or(|usage| usage.allows(KeyUsage::CRL_SIGN));
    let is_allowed = list.signature_algorithm().is_some_and(|algorithm| {
        snapshot
            .policy()
            .algorithms
            .permits(algorithm, signer.key_kind(), algorithms_at)
    });
    if !may_sign || !is_allowed {
        return false;
    }
    let (key, object) = (signer.key_digest(), list.fingerprint());
    if snapshot.is_verified(&key, &object) {
        return true;
    }
    let is_signed =
        budget.spend_for(paid_octets(list, signer, question)) && list.verify_signed_by(signer.key()).is_ok();
    if is_signed {
        snapshot.remember_verified(&key, &object);
    }
    is_signed
}

/// How many octets of the list the sender pays for: all of what came along. A list of the snapshot is the operator's choice,
/// and digested once however many keys it is tried under; but where its algorithm digests it anew for each key (Ed25519), the
/// sender pays for keys of its own.
fn paid_octets(list: &Arc<RevocationList>, signer: &Certificate, question: Question<'_>) -> usize {
    let is_anew =
        || !list.is_digested_once() && question.snapshot.certificate(&signer.fingerprint()).is_none();
    if question.is_beside(list) || is_anew() {
        list.der().len()
    } else {
        0
    }
}
