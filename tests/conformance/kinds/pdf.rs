//! `pdf`: the integrity of the signatures of a PDF file, and of what was done to it after.

use trust::{PdfIntegrity, Policy, pdf};

use super::worst;
use crate::case::{Answer, Case, now};

pub(super) fn answer(case: &Case<'_>) -> Result<Answer, String> {
    let file = case.file("file")?;
    Ok(match pdf::integrity(&file, &Policy::every_algorithm(), now()?) {
        PdfIntegrity::Unsigned => Answer::Unsigned,
        PdfIntegrity::Refused(fault) => Answer::Refused(fault.to_string()),
        PdfIntegrity::Signed(results) => worst(results),
    })
}
