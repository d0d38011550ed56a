//! The revocation status of one certificate (RFC 5280 §6.3).
//!
//! Stands between `path`, which found out who issued the certificate, and the lists of the snapshot.
//!
//! **Invariant**: a list counts only if the very key that issued the certificate signed it, that key may sign lists,
//! its scope covers the certificate and it is fresh; without such a list the status is unknown, never good.
//! **Invariant**: where deltas exist a base list alone settles nothing: a fresh delta that builds on it must be there too.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::crl::{Revocation, RevocationList, RevocationReason};
use crate::path::Budget;
use crate::report::{Failure, RevocationProof, RevocationSource};
use crate::snapshot::Snapshot;
use crate::time::Time;
use crate::x509::{Certificate, KeyUsage};

/// Why a certificate is not proven to be good, and what would settle it.
pub(crate) struct NotGood {
    pub(crate) failure: Failure,
    /// Where a list that would settle it may be.
    pub(crate) need: Option<Vec<String>>,
    /// What spoke against the certificate.
    pub(crate) proof: Option<RevocationProof>,
}

/// Asks the lists of the snapshot about a certificate of this issuer.
pub(crate) fn check(
    certificate: &Arc<Certificate>,
    issuer: &Certificate,
    snapshot: &Snapshot,
    at: Time,
    budget: &mut Budget,
) -> Result<RevocationProof, NotGood> {
    let all = snapshot.lists_of(certificate.issuer());
    let skew = snapshot.policy().clock_skew_seconds;
    let unknown = |urls: &[String]| NotGood {
        failure: Failure::RevocationUnknown {
            certificate: Arc::clone(certificate),
        },
        need: Some(need(certificate, urls)),
        proof: None,
    };
    let mut usable = all
        .iter()
        .filter(|list| !list.is_delta() && list.covers(certificate) && list.is_fresh_at(at, skew));
    let Some(base) = usable.find(|list| is_signed_by(list, issuer, snapshot, at, budget)) else {
        return Err(unknown(&[]));
    };
    let freshest = certificate.freshest_crl_urls().or(base.freshest_urls());
    let mut deltas = all
        .iter()
        .filter(|list| list.is_newer_delta_beside(base) || (freshest.is_some() && list.is_delta_to(base)));
    let newest = deltas.find(|list| is_signed_by(list, issuer, snapshot, at, budget));
    let delta = newest.filter(|delta| delta.is_delta_to(base) && delta.is_fresh_at(at, skew));
    // What was revoked for good stays so, whatever a delta would say.
    let is_settled = base
        .revocation_of(certificate.serial())
        .is_some_and(|revocation| revocation.reason != RevocationReason::CertificateHold);
    if delta.is_none() && !is_settled && (newest.is_some() || freshest.is_some()) {
        return Err(unknown(freshest.unwrap_or_default()));
    }
    let (list, revocation) = settle(certificate, base, delta);
    let proof = RevocationProof {
        certificate: Arc::clone(certificate),
        source: RevocationSource::List(Arc::clone(list)),
    };
    match revocation {
        None => Ok(proof),
        Some(revocation) if revocation.reason == RevocationReason::CertificateHold => Err(NotGood {
            failure: Failure::OnHold {
                certificate: Arc::clone(certificate),
                at: revocation.at,
            },
            need: Some(need(certificate, freshest.unwrap_or_default())),
            proof: Some(proof),
        }),
        Some(revocation) => Err(NotGood {
            failure: Failure::Revoked {
                certificate: Arc::clone(certificate),
                at: revocation.at,
                reason: revocation.reason,
            },
            need: None,
            proof: Some(proof),
        }),
    }
}

/// What base and delta together say (RFC 5280 §6.3.3 i, j), and which of them says it. Only what was on hold comes back.
fn settle<'l>(
    certificate: &Certificate,
    base: &'l Arc<RevocationList>,
    delta: Option<&'l Arc<RevocationList>>,
) -> (&'l Arc<RevocationList>, Option<Revocation>) {
    let serial = certificate.serial();
    let in_base = base.revocation_of(serial);
    let Some((delta, in_delta)) = delta.and_then(|delta| Some((delta, delta.revocation_of(serial)?))) else {
        return (base, in_base);
    };
    if in_delta.reason != RevocationReason::RemovedFromList {
        return (delta, Some(in_delta));
    }
    match in_base {
        Some(revocation) if revocation.reason != RevocationReason::CertificateHold => (base, in_base),
        Some(_) | None => (delta, None),
    }
}

fn need(certificate: &Certificate, freshest: &[String]) -> Vec<String> {
    let mut urls = certificate.crl_urls();
    urls.extend_from_slice(freshest);
    urls
}

fn is_signed_by(
    list: &RevocationList,
    issuer: &Certificate,
    snapshot: &Snapshot,
    at: Time,
    budget: &mut Budget,
) -> bool {
    let may_sign = issuer
        .extensions()
        .key_usage
        .is_none_or(|usage| usage.allows(KeyUsage::CRL_SIGN));
    let is_allowed = list.signature_algorithm().is_some_and(|algorithm| {
        snapshot
            .policy()
            .algorithms
            .permits(algorithm, issuer.key_kind(), at)
    });
    if !may_sign || !is_allowed {
        return false;
    }
    let (key, object) = (issuer.key_digest(), list.fingerprint());
    if snapshot.is_verified(&key, &object) {
        return true;
    }
    let is_signed = budget.spend() && list.verify_signed_by(issuer.key()).is_ok();
    if is_signed {
        snapshot.remember_verified(&key, &object);
    }
    is_signed
}
