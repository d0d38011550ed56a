//! The revocation status of one certificate (RFC 5280 §6.3).
//!
//! Stands between `path`, which found out who issued the certificate, and the lists of the snapshot.
//!
//! **Invariant**: a list counts only if the very key that issued the certificate signed it, that key may sign lists,
//! its scope covers the certificate and it is fresh; without such a list the status is unknown, never good.

use std::sync::Arc;

use crate::crl::{RevocationList, RevocationReason};
use crate::path::Budget;
use crate::report::{Failure, Need, RevocationProof, RevocationSource};
use crate::snapshot::Snapshot;
use crate::time::Time;
use crate::x509::{Certificate, KeyUsage};

/// Why a certificate is not proven to be good, and what would settle it.
pub(crate) struct NotGood {
    pub(crate) failure: Failure,
    pub(crate) need: Option<Need>,
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
    let lists = snapshot.lists_of(certificate.issuer()).iter();
    let mut usable = lists.filter(|list| {
        list.covers(certificate) && list.is_fresh_at(at, snapshot.policy().clock_skew_seconds)
    });
    let Some(list) = usable.find(|list| is_signed_by(list, issuer, snapshot, at, budget)) else {
        return Err(NotGood {
            failure: Failure::RevocationUnknown {
                certificate: Arc::clone(certificate),
            },
            need: Some(need(certificate)),
            proof: None,
        });
    };
    let proof = RevocationProof {
        certificate: Arc::clone(certificate),
        source: RevocationSource::List(Arc::clone(list)),
    };
    match list.revocation_of(certificate.serial()) {
        None => Ok(proof),
        Some(revocation) if revocation.reason == RevocationReason::CertificateHold => Err(NotGood {
            failure: Failure::OnHold {
                certificate: Arc::clone(certificate),
                at: revocation.at,
            },
            need: Some(need(certificate)),
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

fn need(certificate: &Certificate) -> Need {
    Need::Crl {
        issuer: certificate.issuer().to_string(),
        urls: certificate.crl_urls(),
    }
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
