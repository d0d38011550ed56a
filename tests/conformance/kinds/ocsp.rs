//! `ocsp`: one answer about one certificate, whose issuer is trusted.

use crate::case::{Answer, Case};

pub(super) fn answer(_case: &Case<'_>) -> Result<Answer, String> {
    Ok(Answer::Unsupported("OCSP"))
}
