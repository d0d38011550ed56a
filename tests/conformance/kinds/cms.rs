//! `cms`: the integrity of a CMS signature, with its content beside it or inside.

use trust::{Policy, cms};

use super::worst;
use crate::case::{Answer, Case, now};

pub(super) fn answer(case: &Case<'_>) -> Result<Answer, String> {
    let (signature, content) = (case.file("signature")?, case.maybe_file("content")?);
    let results = cms::integrity(&signature, content.as_deref(), &Policy::every_algorithm(), now()?);
    Ok(worst(results))
}
