//! `signature`: a bare signature value under a public key.

use trust::algorithm::PublicKey;
use trust::{DigestAlgorithm, SignatureAlgorithm};

use crate::case::{Answer, Case};

pub(super) fn answer(case: &Case<'_>) -> Result<Answer, String> {
    let Some(algorithm) = algorithm(case.text("algorithm")?) else {
        return Ok(Answer::Unsupported("algorithms that are not known"));
    };
    let key = match PublicKey::from_der(&case.octets("spki")?) {
        Ok(key) => key,
        Err(fault) => return Ok(Answer::Refused(fault.to_string())),
    };
    let (message, value) = (case.octets("message")?, case.octets("signature")?);
    Ok(match key.verify(algorithm, &message, &value) {
        Ok(()) => Answer::Passed,
        Err(fault) => Answer::Refused(fault.to_string()),
    })
}

/// The algorithm of that name in the suites; `None`: none of the registry.
fn algorithm(name: &str) -> Option<SignatureAlgorithm> {
    use DigestAlgorithm::{Sha1, Sha256, Sha384, Sha512};
    Some(match name {
        "rsa-pkcs1-sha1" => SignatureAlgorithm::RsaPkcs1(Sha1),
        "rsa-pkcs1-sha256" => SignatureAlgorithm::RsaPkcs1(Sha256),
        "rsa-pkcs1-sha384" => SignatureAlgorithm::RsaPkcs1(Sha384),
        "rsa-pkcs1-sha512" => SignatureAlgorithm::RsaPkcs1(Sha512),
        "rsa-pss-sha256-mgf1-sha256-salt32" => SignatureAlgorithm::RsaPss(Sha256),
        "rsa-pss-sha384-mgf1-sha384-salt48" => SignatureAlgorithm::RsaPss(Sha384),
        "rsa-pss-sha512-mgf1-sha512-salt64" => SignatureAlgorithm::RsaPss(Sha512),
        "ecdsa-p256-sha256" | "ecdsa-p384-sha256" => SignatureAlgorithm::Ecdsa(Sha256),
        "ecdsa-p256-sha384" | "ecdsa-p384-sha384" => SignatureAlgorithm::Ecdsa(Sha384),
        "ecdsa-p256-sha512" | "ecdsa-p384-sha512" => SignatureAlgorithm::Ecdsa(Sha512),
        "ed25519" => SignatureAlgorithm::Ed25519,
        _ => return None,
    })
}
