//! `timestamp`: a token over data or their digest, and the path of its TSA.

use trust::tsp::{self, Stamped, Token};
use trust::{Policy, RevocationDemand, Snapshot};

use super::certificates;
use crate::case::{Answer, Case};

/// The cases bring no revocation lists: revocation is no part of them.
pub(super) fn answer(case: &Case<'_>) -> Result<Answer, String> {
    let token = match Token::from_der(&case.file("token")?) {
        Ok(token) => token,
        Err(fault) => return Ok(Answer::Refused(fault.to_string())),
    };
    let (anchors, candidates) = (certificates(case, "anchors")?, certificates(case, "candidates")?);
    let snapshot = Snapshot::new(anchors, candidates, Vec::new(), Policy::every_algorithm(), 1);
    let data = case.maybe_file("data")?;
    let parts = [data.as_deref().unwrap_or_default()];
    let imprint = match data {
        Some(_) => Vec::new(),
        None => case.octets("imprint")?,
    };
    let stamped = if data.is_some() {
        Stamped::Parts(&parts)
    } else {
        Stamped::Digest(&imprint)
    };
    let report = tsp::verify(
        &token,
        stamped,
        &snapshot,
        case.time()?,
        RevocationDemand::NotAsked,
    );
    Ok(match report.failure {
        None => Answer::Passed,
        Some(failure) => Answer::Refused(failure.to_string()),
    })
}
