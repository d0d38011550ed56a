//! `signature`: a bare signature value under a public key.

use trust::algorithm::{PssParameters, PublicKey};
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

/// The algorithm of that name in the suites; `None`: none of the registry. The curve is that of the key.
fn algorithm(name: &str) -> Option<SignatureAlgorithm> {
    let parts: Vec<&str> = name.split('-').collect();
    Some(match *parts.as_slice() {
        ["rsa", "pkcs1", hash] => SignatureAlgorithm::RsaPkcs1(digest(hash)?),
        // The mask has the same digest in every combination of the registry, and SHA-1 is in none.
        ["rsa", "pss", hash, "mgf1", mask, salt] if hash == mask && hash != "sha1" => {
            SignatureAlgorithm::RsaPss(PssParameters {
                digest: digest(hash)?,
                salt_octets: salt.strip_prefix("salt")?.parse().ok()?,
            })
        }
        ["ecdsa", "p256" | "p384" | "p521", hash] => SignatureAlgorithm::Ecdsa(digest(hash)?),
        ["ed25519"] => SignatureAlgorithm::Ed25519,
        _ => return None,
    })
}

fn digest(name: &str) -> Option<DigestAlgorithm> {
    Some(match name {
        "sha1" => DigestAlgorithm::Sha1,
        "sha256" => DigestAlgorithm::Sha256,
        "sha384" => DigestAlgorithm::Sha384,
        "sha512" => DigestAlgorithm::Sha512,
        _ => return None,
    })
}
