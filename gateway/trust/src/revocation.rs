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
use crate::name::Name;
use crate::path::{Budget, Question};
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

/// Asks the lists at hand about a certificate of this issuer.
///
/// A certificate that lasts is asked about as of now, also where the control time is past: what was revoked since is told
/// with its date. One that has expired since is asked about as of the control time, for nobody speaks of it any more; but
/// whatever list says that it was revoked is heard.
pub(crate) fn check(
    certificate: &Arc<Certificate>,
    issuer: &Certificate,
    question: &Question<'_>,
    budget: &mut Budget,
) -> Result<RevocationProof, NotGood> {
    let Question { snapshot, now, .. } = *question;
    let skew = snapshot.policy().clock_skew_seconds;
    let all = lists_of(certificate.issuer(), question);
    let is_of_past = question.is_past() && certificate.not_after().as_seconds() < now.as_seconds();
    if is_of_past && let Some(revoked) = known_revocation(certificate, issuer, (&all, question), budget) {
        return Err(revoked);
    }
    let is_usable = |list: &RevocationList| {
        if is_of_past {
            is_about_past(list, certificate, question)
        } else {
            list.is_fresh_at(now, skew)
        }
    };
    let mut is_signed = |list: &RevocationList| is_signed_by(list, issuer, snapshot, now, budget);
    let unknown = |urls: &[String]| NotGood {
        failure: Failure::RevocationUnknown {
            certificate: Arc::clone(certificate),
        },
        need: Some(need(certificate, urls)),
        proof: None,
    };
    let mut usable = all
        .iter()
        .copied()
        .filter(|list| !list.is_delta() && list.covers(certificate) && is_usable(list));
    let Some(base) = usable.find(|list| is_signed(list)) else {
        return Err(unknown(&[]));
    };
    let freshest = certificate.freshest_crl_urls().or(base.freshest_urls());
    let mut deltas = all
        .iter()
        .copied()
        .filter(|list| list.is_newer_delta_beside(base) || (freshest.is_some() && list.is_delta_to(base)));
    let newest = deltas.find(|list| is_signed(list));
    let delta = newest.filter(|delta| delta.is_delta_to(base) && is_usable(delta));
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

/// The lists of an issuer that are at hand, newest first.
fn lists_of<'q>(issuer: &Name, question: &Question<'q>) -> Vec<&'q Arc<RevocationList>> {
    let embedded = question.lists.iter().filter(|list| list.issuer() == issuer);
    let mut lists: Vec<&Arc<RevocationList>> = question
        .snapshot
        .lists_of(issuer)
        .iter()
        .chain(embedded)
        .collect();
    lists.sort_by_key(|list| std::cmp::Reverse(list.this_update()));
    lists
}

/// Whether the list can tell what a certificate was worth at a past control time: it was current then, or was made
/// since, while the certificate lasted (issuers forget the expired).
fn is_about_past(list: &RevocationList, certificate: &Certificate, question: &Question<'_>) -> bool {
    let Question {
        at, now, snapshot, ..
    } = *question;
    let skew = snapshot.policy().clock_skew_seconds;
    let made = list.this_update();
    let is_since = at <= made && made <= certificate.not_after() && made <= now.plus_seconds(skew);
    is_since || list.is_fresh_at(at, skew)
}

/// A revocation that any list tells of, however old or young the list.
fn known_revocation(
    certificate: &Arc<Certificate>,
    issuer: &Certificate,
    (lists, question): (&[&Arc<RevocationList>], &Question<'_>),
    budget: &mut Budget,
) -> Option<NotGood> {
    lists.iter().find_map(|list| {
        let is_final = |revocation: &Revocation| {
            !matches!(
                revocation.reason,
                RevocationReason::CertificateHold | RevocationReason::RemovedFromList
            )
        };
        let revocation = list.revocation_of(certificate.serial()).filter(is_final)?;
        let is_signed =
            list.covers(certificate) && is_signed_by(list, issuer, question.snapshot, question.now, budget);
        is_signed.then(|| NotGood {
            failure: Failure::Revoked {
                certificate: Arc::clone(certificate),
                at: revocation.at,
                reason: revocation.reason,
            },
            need: None,
            proof: Some(RevocationProof {
                certificate: Arc::clone(certificate),
                source: RevocationSource::List(Arc::clone(list)),
            }),
        })
    })
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
