//! `path`: a certificate at a time, under anchors, with revocation lists and policies (RFC 5280 §6).

use std::sync::Arc;

use serde_json::Value;
use trust::{Certificate, Failure, Policy, RevocationList, Snapshot};

use super::certificates;
use crate::case::{Answer, Case};

/// Revocation is always required here: that is stricter than "if-given" and "none".
pub(super) fn answer(case: &Case<'_>) -> Result<Answer, String> {
    if case.value["policies"]["explicit"] == Value::Bool(true) {
        return Ok(Answer::Unsupported("explicit policies"));
    }
    if !case.value["eku"].is_null() || !case.value["max_depth"].is_null() {
        return Ok(Answer::Unsupported("purposes and depths"));
    }
    let at = case.time()?;
    let lists = case.files("crls")?;
    let lists = lists
        .iter()
        .flat_map(|file| RevocationList::from_pem_or_der(file))
        .map(Arc::new)
        .collect();
    let (anchors, candidates) = (certificates(case, "anchors")?, certificates(case, "candidates")?);
    let leaf = match Certificate::from_pem_or_der(&case.file("leaf")?) {
        Ok(leaf) => Arc::new(leaf),
        Err(fault) => return Ok(Answer::Refused(fault.to_string())),
    };
    let snapshot = Snapshot::new(anchors, candidates, lists, Policy::every_algorithm(), 1);
    Ok(match trust::validate_certificate(&leaf, &[], &snapshot, at) {
        Ok(_) => Answer::Passed,
        Err(Failure::Revoked { .. }) => Answer::Revoked,
        Err(Failure::RevocationUnknown { .. }) => Answer::Unknown,
        Err(failure) => Answer::Refused(failure.to_string()),
    })
}
