//! `xmldsig`: the integrity of the signatures of an XML file.

use trust::algorithm::PublicKey;
use trust::policy::Limit;
use trust::xml::signature::{self, Dialect};
use trust::{Certificate, Policy, xml};

use super::worst;
use crate::case::{Answer, Case, now};

pub(super) fn answer(case: &Case<'_>) -> Result<Answer, String> {
    let file = case.file("file")?;
    let key = case.maybe_file("key")?.map(|key| read_key(&key)).transpose()?;
    let tree = match xml::Tree::parse(&file, &xml::Limits::default()) {
        Ok(tree) => tree,
        Err(fault) => return Ok(Answer::Refused(fault.to_string())),
    };
    // The suite counts keys below 2048 bits among what a restricted profile refuses.
    let mut policy = Policy::every_algorithm();
    policy.algorithms.rsa_bits = vec![(2048, Limit::Always)];
    let results = signature::integrity(&tree, Dialect::Standard, key.as_ref(), &policy, now()?);
    Ok(if results.is_empty() {
        Answer::Unsigned
    } else {
        worst(results)
    })
}

/// A certificate, in PEM or DER, or a SubjectPublicKeyInfo.
fn read_key(bytes: &[u8]) -> Result<PublicKey, String> {
    let info = match Certificate::from_pem_or_der(bytes) {
        Ok(certificate) => certificate.spki().to_vec(),
        Err(_) => bytes.to_vec(),
    };
    PublicKey::from_der(&info).map_err(|fault| format!("key: {fault}"))
}
