//! `ocsp`: one answer about one certificate, whose issuer is trusted.

use trust::ocsp::{CertificateStatus, Question};
use trust::{Certificate, OcspAnswer, Policy, Snapshot};

use crate::case::{Answer, Case};

/// Whether a responder is revoked itself is no part of these cases: there is nothing to tell by.
pub(super) fn answer(case: &Case<'_>) -> Result<Answer, String> {
    let (leaf, issuer) = (case.file("leaf")?, case.file("issuer")?);
    let read = Certificate::from_pem_or_der(&leaf)
        .and_then(|certificate| Ok((certificate, Certificate::from_pem_or_der(&issuer)?)));
    let (certificate, issuer) = match read {
        Ok(read) => read,
        Err(fault) => return Ok(Answer::Refused(fault.to_string())),
    };
    let response = match OcspAnswer::from_der(case.file("response")?) {
        Ok(response) => response,
        Err(fault) => return Ok(Answer::Refused(fault.to_string())),
    };
    let question = Question {
        certificate: &certificate,
        issuer: &issuer,
        responders: &[],
        nonce: None,
        at: case.time()?,
        now: case.time()?,
    };
    let snapshot = Snapshot::new(Vec::new(), Vec::new(), Vec::new(), Policy::every_algorithm(), 1);
    Ok(match response.judge(question, &snapshot) {
        Ok(verdict) => match verdict.status {
            CertificateStatus::Good => Answer::Passed,
            CertificateStatus::Revoked(_) => Answer::Revoked,
            CertificateStatus::Unknown => Answer::Unknown,
        },
        Err(unusable) => Answer::Refused(unusable.to_string()),
    })
}
