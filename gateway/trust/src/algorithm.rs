//! The closed registry of algorithms, and keys.
//!
//! Stands under `x509`, `crl` and `cms`: they read an AlgorithmIdentifier, this module says what it means or that it
//! means nothing here. Whether a known algorithm is still good enough is the matter of `policy`.
//!
//! **Invariant**: an algorithm that is not listed verifies nothing.
//! **Invariant**: the algorithm of a signature and the kind of its key must agree; a parameter that is not understood
//! refuses the identifier.

mod key;
mod pss;

use std::fmt;

use aws_lc_rs::digest;
use aws_lc_rs::signature::{self, VerificationAlgorithm};
use const_oid::ObjectIdentifier;

use crate::asn1::{Asn1Fault, Element, oid, tag, write};

pub use key::PublicKey;
pub use pss::PssParameters;

/// A digest algorithm (FIPS 180-4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DigestAlgorithm {
    /// SHA-1: known so that it can be named in a refusal.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// A signature algorithm with its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 (RFC 8017 §8.2).
    RsaPkcs1(DigestAlgorithm),
    /// RSASSA-PSS (RFC 8017 §8.1).
    RsaPss(PssParameters),
    /// ECDSA (FIPS 186-5), signature as SEQUENCE of r and s.
    Ecdsa(DigestAlgorithm),
    /// Ed25519 (RFC 8032).
    Ed25519,
}

/// What kind of key a certificate holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// RSA with a modulus of so many bits.
    Rsa(u32),
    /// The curve P-256.
    EcP256,
    /// The curve P-384.
    EcP384,
    /// The curve P-521.
    EcP521,
    /// Ed25519.
    Ed25519,
    /// A key of a kind that is not known here; it verifies nothing.
    Unknown,
}

/// Why a signature value does not verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    /// The algorithm is not known, or does not belong to the kind of key.
    #[error("the signature algorithm is not supported for this key")]
    Unsupported,
    /// The value was not made by this key over these octets.
    #[error("the signature value is wrong")]
    Wrong,
}

impl DigestAlgorithm {
    const ALL: [Self; 4] = [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512];

    pub(crate) const fn oid(self) -> ObjectIdentifier {
        match self {
            Self::Sha1 => oid::DIGEST_SHA1,
            Self::Sha256 => oid::DIGEST_SHA256,
            Self::Sha384 => oid::DIGEST_SHA384,
            Self::Sha512 => oid::DIGEST_SHA512,
        }
    }

    fn implementation(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }

    /// How long the digest is.
    pub(crate) fn octets(self) -> u16 {
        u16::try_from(self.implementation().output_len()).expect("64 octets at most")
    }

    /// A digest to be fed.
    pub(crate) fn context(self) -> digest::Context {
        digest::Context::new(self.implementation())
    }

    /// The digest of these parts, one after another.
    pub(crate) fn digest(self, parts: &[&[u8]]) -> digest::Digest {
        let mut context = self.context();
        for part in parts {
            context.update(part);
        }
        context.finish()
    }

    /// Reads an AlgorithmIdentifier of a digest: parameters absent or NULL (RFC 5754 §2).
    pub(crate) fn read(identifier: &Element<'_>) -> Result<Option<Self>, Asn1Fault> {
        let (oid, parameters) = read_identifier(identifier)?;
        let known = Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.oid().as_bytes() == oid);
        Ok(known.filter(|_| is_absent_or_null(parameters)))
    }
}

impl fmt::Display for DigestAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        })
    }
}

/// Ecdsa-Sig-Value (RFC 3279 §2.2.3), as [`PublicKey`] verifies it, of the two numbers of an ECDSA signature as PKCS#11 and
/// XML Signature put them: side by side and of one length.
pub fn ecdsa_sequence(numbers: &[u8]) -> Vec<u8> {
    let (r, s) = numbers.split_at(numbers.len() / 2);
    let number = |magnitude| write::element(tag::INTEGER, &write::integer(magnitude));
    write::constructed(tag::SEQUENCE, &[&number(r), &number(s)])
}

/// The parts of an AlgorithmIdentifier: content octets of the OID, and the parameters as they stand.
fn read_identifier<'a>(identifier: &Element<'a>) -> Result<(&'a [u8], Option<Element<'a>>), Asn1Fault> {
    let mut reader = identifier.reader();
    let oid = reader.object_identifier()?;
    let parameters = if reader.is_empty() {
        None
    } else {
        Some(reader.next()?)
    };
    reader.finish()?;
    Ok((oid, parameters))
}

fn is_null(parameters: Element<'_>) -> bool {
    parameters.whole == [tag::NULL, 0]
}

fn is_absent_or_null(parameters: Option<Element<'_>>) -> bool {
    parameters.is_none_or(is_null)
}

/// What an AlgorithmIdentifier of a signature says: some name the digest, `rsaEncryption` leaves it to the SignerInfo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NamedAlgorithm {
    Whole(SignatureAlgorithm),
    RsaWithDigestElsewhere,
}

impl SignatureAlgorithm {
    /// Places in the cache of parsed keys.
    const SLOTS: usize = 8;

    /// The digest that the algorithm begins with; Ed25519 hashes with SHA-512 inside (RFC 8032 §5.1).
    pub fn digest(self) -> DigestAlgorithm {
        match self {
            Self::RsaPkcs1(digest) | Self::Ecdsa(digest) => digest,
            Self::RsaPss(parameters) => parameters.digest,
            Self::Ed25519 => DigestAlgorithm::Sha512,
        }
    }

    /// Reads the AlgorithmIdentifier of a certificate's or revocation list's signature.
    pub(crate) fn read(identifier: &Element<'_>) -> Result<Option<Self>, Asn1Fault> {
        Ok(match NamedAlgorithm::read(identifier)? {
            Some(NamedAlgorithm::Whole(algorithm)) => Some(algorithm),
            Some(NamedAlgorithm::RsaWithDigestElsewhere) | None => None,
        })
    }

    fn implementation(self, key: KeyKind) -> Option<&'static dyn VerificationAlgorithm> {
        use DigestAlgorithm::{Sha1, Sha256, Sha384, Sha512};
        Some(match (self, key) {
            (Self::RsaPkcs1(Sha1), KeyKind::Rsa(_)) => {
                &signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY
            }
            (Self::RsaPkcs1(Sha256), KeyKind::Rsa(_)) => {
                &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY
            }
            (Self::RsaPkcs1(Sha384), KeyKind::Rsa(_)) => &signature::RSA_PKCS1_2048_8192_SHA384,
            (Self::RsaPkcs1(Sha512), KeyKind::Rsa(_)) => {
                &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY
            }
            (Self::RsaPss(parameters), KeyKind::Rsa(bits)) => return parameters.implementation(bits),
            // P-384 with SHA-1, which the library has not: `PublicKey::verify`.
            (Self::Ecdsa(Sha1), KeyKind::EcP256) => &signature::ECDSA_P256_SHA1_ASN1,
            (Self::Ecdsa(Sha1), KeyKind::EcP521) => &signature::ECDSA_P521_SHA1_ASN1,
            (Self::Ecdsa(Sha256), KeyKind::EcP256) => &signature::ECDSA_P256_SHA256_ASN1,
            (Self::Ecdsa(Sha384), KeyKind::EcP256) => &signature::ECDSA_P256_SHA384_ASN1,
            (Self::Ecdsa(Sha512), KeyKind::EcP256) => &signature::ECDSA_P256_SHA512_ASN1,
            (Self::Ecdsa(Sha256), KeyKind::EcP384) => &signature::ECDSA_P384_SHA256_ASN1,
            (Self::Ecdsa(Sha384), KeyKind::EcP384) => &signature::ECDSA_P384_SHA384_ASN1,
            (Self::Ecdsa(Sha512), KeyKind::EcP384) => &signature::ECDSA_P384_SHA512_ASN1,
            (Self::Ecdsa(Sha256), KeyKind::EcP521) => &signature::ECDSA_P521_SHA256_ASN1,
            (Self::Ecdsa(Sha384), KeyKind::EcP521) => &signature::ECDSA_P521_SHA384_ASN1,
            (Self::Ecdsa(Sha512), KeyKind::EcP521) => &signature::ECDSA_P521_SHA512_ASN1,
            (Self::Ed25519, KeyKind::Ed25519) => &signature::ED25519,
            (Self::RsaPkcs1(_) | Self::RsaPss(_) | Self::Ecdsa(_) | Self::Ed25519, _) => return None,
        })
    }

    /// One place in the cache of parsed keys for each algorithm of a kind of key; `None`: seldom met, parsed each time.
    fn slot(self) -> Option<usize> {
        match self {
            Self::RsaPkcs1(digest) | Self::Ecdsa(digest) => Some(digest as usize),
            Self::RsaPss(parameters) => {
                let is_usual = parameters == PssParameters::usual(parameters.digest);
                is_usual.then_some(4 + parameters.digest as usize)
            }
            Self::Ed25519 => Some(0),
        }
    }

    /// Whether these are the parameters of an AlgorithmIdentifier of this algorithm: absent for ECDSA and Ed25519 (RFC
    /// 5758 §3.2, RFC 8410 §3); NULL for PKCS #1, where absent ones must be accepted too (RFC 4055 §5).
    fn has_parameters(self, parameters: Option<Element<'_>>) -> bool {
        match self {
            Self::RsaPkcs1(_) => is_absent_or_null(parameters),
            Self::Ecdsa(_) | Self::Ed25519 => parameters.is_none(),
            Self::RsaPss(_) => parameters.is_some(),
        }
    }
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RsaPkcs1(digest) => write!(f, "RSA with {digest}"),
            Self::RsaPss(parameters) => write!(f, "RSA-PSS with {}", parameters.digest),
            Self::Ecdsa(digest) => write!(f, "ECDSA with {digest}"),
            Self::Ed25519 => f.write_str("Ed25519"),
        }
    }
}

impl NamedAlgorithm {
    pub(crate) fn read(identifier: &Element<'_>) -> Result<Option<Self>, Asn1Fault> {
        use DigestAlgorithm::{Sha1, Sha256, Sha384, Sha512};
        use SignatureAlgorithm::{Ecdsa, RsaPkcs1};
        let (oid, parameters) = read_identifier(identifier)?;
        let known = [
            (oid::RSA_SHA1, RsaPkcs1(Sha1)),
            (oid::RSA_SHA256, RsaPkcs1(Sha256)),
            (oid::RSA_SHA384, RsaPkcs1(Sha384)),
            (oid::RSA_SHA512, RsaPkcs1(Sha512)),
            (oid::ECDSA_SHA1, Ecdsa(Sha1)),
            (oid::ECDSA_SHA256, Ecdsa(Sha256)),
            (oid::ECDSA_SHA384, Ecdsa(Sha384)),
            (oid::ECDSA_SHA512, Ecdsa(Sha512)),
            (oid::ED25519, SignatureAlgorithm::Ed25519),
        ];
        if let Some((_, algorithm)) = known.iter().find(|(known, _)| known.as_bytes() == oid) {
            return Ok(algorithm
                .has_parameters(parameters)
                .then_some(Self::Whole(*algorithm)));
        }
        if oid == oid::RSA_ENCRYPTION.as_bytes() {
            return Ok(is_absent_or_null(parameters).then_some(Self::RsaWithDigestElsewhere));
        }
        if oid == oid::RSA_PSS.as_bytes() {
            let Some(parameters) = parameters else {
                return Ok(None);
            };
            let parameters = PssParameters::read(&parameters)?;
            return Ok(parameters.map(|parameters| Self::Whole(SignatureAlgorithm::RsaPss(parameters))));
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
