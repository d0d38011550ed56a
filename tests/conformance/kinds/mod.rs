//! What is asked of `trust` for each kind of case.

mod canonical;
mod cms;
mod ocsp;
mod path;
mod pdf;
mod signature;
mod timestamp;
mod xmldsig;

use std::fmt;
use std::sync::Arc;

use trust::Certificate;

use crate::case::{Answer, Case};

/// Asks the case.
pub(crate) fn answer(case: &Case<'_>) -> Result<Answer, String> {
    match case.text("kind")? {
        "c14n" => canonical::answer(case),
        "cms" => cms::answer(case),
        "ocsp" => ocsp::answer(case),
        "path" => path::answer(case),
        "pdf" => pdf::answer(case),
        "signature" => signature::answer(case),
        "timestamp" => timestamp::answer(case),
        "xmldsig" => xmldsig::answer(case),
        kind => Err(format!("an unknown kind: {kind}")),
    }
}

/// A file counts for as much as the worst of its signatures.
fn worst<T, F: fmt::Display>(results: Vec<Result<T, F>>) -> Answer {
    match results.into_iter().find_map(Result::err) {
        None => Answer::Passed,
        Some(failure) => Answer::Refused(failure.to_string()),
    }
}

/// The certificates of a list of files. What cannot be read is as good as absent.
fn certificates(case: &Case<'_>, key: &str) -> Result<Vec<Arc<Certificate>>, String> {
    let files = case.files(key)?;
    let read = files.iter().flat_map(|file| Certificate::from_pem_or_der(file));
    Ok(read.map(Arc::new).collect())
}
