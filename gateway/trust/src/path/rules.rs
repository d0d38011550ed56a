//! What every certificate of a path must meet (RFC 5280 §6.1), but for revocation.
//!
//! Stands under the search: a path is judged here once its names and signatures chain.

use std::sync::Arc;

use super::{Demands, Question, names, policies};
use crate::report::Failure;
use crate::snapshot::Snapshot;
use crate::time::Time;
use crate::x509::{Certificate, Constraint, KeyUsage};

/// RFC 5280 §6.1 but for revocation. The anchor is held to what it says as any authority is (RFC 5937).
pub(super) fn check_path(chain: &[Arc<Certificate>], question: Question<'_>) -> Result<(), Failure> {
    for certificate in chain {
        check_by_itself(certificate, question.at)?;
    }
    for (place, (certificate, issuer)) in chain.iter().zip(&chain[1..]).enumerate() {
        let at = if place == 0 {
            question.leaf_algorithms_at()
        } else {
            question.now
        };
        check_algorithm(certificate, issuer, question.snapshot, at)?;
    }
    check_authorities(&chain[1..])?;
    question.usage.check_leaf(&chain[0])?;
    question.usage.check_purposes(chain)?;
    names::check(chain)?;
    check_demands(chain, question.demands)
}

fn check_demands(chain: &[Arc<Certificate>], demands: &Demands) -> Result<(), Failure> {
    let leaf = &chain[0];
    if !policies::are_satisfied(chain, demands) {
        return Err(unmet(leaf, Constraint::Policies));
    }
    let extended = leaf.extensions().extended_key_usage.as_ref();
    if extended.is_some_and(|extended| !extended.names_all(&demands.purposes)) {
        let certificate = Arc::clone(leaf);
        return Err(Failure::KeyPurpose { certificate });
    }
    // The anchor is no intermediate certificate.
    let between = chain.get(1..chain.len() - 1).unwrap_or_default();
    let intermediates = between.iter().filter(|one| !one.is_self_issued()).count();
    if demands.intermediates_max.is_some_and(|max| max < intermediates) {
        let certificate = Arc::clone(leaf);
        return Err(Failure::PathTooLong { certificate });
    }
    Ok(())
}

fn unmet(certificate: &Arc<Certificate>, constraint: Constraint) -> Failure {
    Failure::ConstraintUnmet {
        certificate: Arc::clone(certificate),
        constraint,
    }
}

fn check_by_itself(certificate: &Arc<Certificate>, at: Time) -> Result<(), Failure> {
    check_validity(certificate, at)?;
    if certificate.extensions().has_unknown_critical {
        return Err(unmet(certificate, Constraint::UnknownCritical));
    }
    Ok(())
}

fn check_validity(certificate: &Arc<Certificate>, at: Time) -> Result<(), Failure> {
    if at < certificate.not_before() {
        return Err(Failure::NotYetValid {
            certificate: Arc::clone(certificate),
        });
    }
    // The last second is included, with all its microseconds.
    if at.as_seconds() > certificate.not_after().as_seconds() {
        return Err(Failure::Expired {
            certificate: Arc::clone(certificate),
        });
    }
    Ok(())
}

fn check_algorithm(
    certificate: &Arc<Certificate>,
    issuer: &Certificate,
    snapshot: &Snapshot,
    at: Time,
) -> Result<(), Failure> {
    let algorithm = certificate
        .signature_algorithm()
        .ok_or_else(|| algorithm_unknown(certificate))?;
    if snapshot
        .policy()
        .algorithms
        .permits(algorithm, issuer.key_kind(), at)
    {
        return Ok(());
    }
    let (key, certificate) = (issuer.key_kind(), Some(Arc::clone(certificate)));
    Err(Failure::AlgorithmRefused {
        algorithm,
        key,
        certificate,
    })
}

/// Nobody here can tell who issued it.
pub(super) fn algorithm_unknown(certificate: &Arc<Certificate>) -> Failure {
    Failure::SignatureAlgorithmUnknown {
        certificate: Some(Arc::clone(certificate)),
    }
}

/// §6.1.4 (k) to (n), from the issuer of the leaf up to the anchor.
fn check_authorities(authorities: &[Arc<Certificate>]) -> Result<(), Failure> {
    let mut below = 0_usize;
    for authority in authorities {
        let extensions = authority.extensions();
        let constraints = extensions
            .basic_constraints
            .filter(|constraints| constraints.is_ca);
        let Some(constraints) = constraints else {
            return Err(Failure::NotAuthority {
                certificate: Arc::clone(authority),
            });
        };
        if constraints
            .path_length_max
            .is_some_and(|path_length_max| below > path_length_max)
        {
            return Err(Failure::PathTooLong {
                certificate: Arc::clone(authority),
            });
        }
        if extensions
            .key_usage
            .is_some_and(|usage| !usage.allows(KeyUsage::KEY_CERT_SIGN))
        {
            return Err(Failure::KeyUsage {
                certificate: Arc::clone(authority),
            });
        }
        if !authority.is_self_issued() {
            below += 1;
        }
    }
    Ok(())
}

/// Whether nothing that is known of an unfinished chain keeps it from passing, whatever comes above: nothing is fetched
/// for the sake of one that fails in any case.
pub(super) fn may_yet_pass(chain: &[Arc<Certificate>], question: Question<'_>) -> bool {
    let Question { usage, at, .. } = question;
    chain.iter().all(|one| check_by_itself(one, at).is_ok())
        && check_authorities(&chain[1..]).is_ok()
        && usage.check_leaf(&chain[0]).is_ok()
        && usage.check_purposes(chain).is_ok()
}
