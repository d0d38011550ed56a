//! The closed registry of algorithms, and keys.
//!
//! Stands under `x509`, `crl` and `cms`: they read an AlgorithmIdentifier, this module says what it means or that it
//! means nothing here. Whether a known algorithm is still good enough is the matter of `policy`.
//!
//! **Invariant**: an algorithm that is not listed verifies nothing.
//! **Invariant**: the algorithm of a signature and the kind of its key must agree; a parameter that is not understood
//! refuses the identifier.

use std::fmt;
use std::sync::OnceLock;

use aws_lc_rs::digest;
use aws_lc_rs::signature::{self, ParsedPublicKey, VerificationAlgorithm};
use const_oid::ObjectIdentifier;

use crate::asn1::{Asn1Fault, Element, Reader, oid, tag};

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
    /// RSASSA-PSS (RFC 8017 §8.1), MGF1 with the same digest, salt as long as the digest.
    RsaPss(DigestAlgorithm),
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

    /// A digest that octets are fed to.
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

fn is_absent_or_null(parameters: Option<Element<'_>>) -> bool {
    parameters.is_none_or(|parameters| parameters.whole == [tag::NULL, 0])
}

/// What an AlgorithmIdentifier of a signature says: some name the digest, `rsaEncryption` leaves it to the SignerInfo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NamedAlgorithm {
    Whole(SignatureAlgorithm),
    RsaWithDigestElsewhere,
}

impl SignatureAlgorithm {
    /// The digest that the algorithm begins with; Ed25519 hashes with SHA-512 inside (RFC 8032 §5.1).
    pub fn digest(self) -> DigestAlgorithm {
        match self {
            Self::RsaPkcs1(digest) | Self::RsaPss(digest) | Self::Ecdsa(digest) => digest,
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
            (Self::RsaPss(Sha256), KeyKind::Rsa(_)) => &signature::RSA_PSS_2048_8192_SHA256,
            (Self::RsaPss(Sha384), KeyKind::Rsa(_)) => &signature::RSA_PSS_2048_8192_SHA384,
            (Self::RsaPss(Sha512), KeyKind::Rsa(_)) => &signature::RSA_PSS_2048_8192_SHA512,
            (Self::Ecdsa(Sha256), KeyKind::EcP256) => &signature::ECDSA_P256_SHA256_ASN1,
            (Self::Ecdsa(Sha384), KeyKind::EcP256) => &signature::ECDSA_P256_SHA384_ASN1,
            (Self::Ecdsa(Sha512), KeyKind::EcP256) => &signature::ECDSA_P256_SHA512_ASN1,
            (Self::Ecdsa(Sha256), KeyKind::EcP384) => &signature::ECDSA_P384_SHA256_ASN1,
            (Self::Ecdsa(Sha384), KeyKind::EcP384) => &signature::ECDSA_P384_SHA384_ASN1,
            (Self::Ecdsa(Sha512), KeyKind::EcP384) => &signature::ECDSA_P384_SHA512_ASN1,
            (Self::Ed25519, KeyKind::Ed25519) => &signature::ED25519,
            (Self::RsaPkcs1(_) | Self::RsaPss(_) | Self::Ecdsa(_) | Self::Ed25519, _) => return None,
        })
    }

    /// One place in the cache of parsed keys for each algorithm.
    fn slot(self) -> usize {
        match self {
            Self::RsaPkcs1(digest) => digest as usize,
            Self::RsaPss(digest) => 4 + digest as usize,
            Self::Ecdsa(digest) => digest as usize,
            Self::Ed25519 => 0,
        }
    }
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RsaPkcs1(digest) => write!(f, "RSA with {digest}"),
            Self::RsaPss(digest) => write!(f, "RSA-PSS with {digest}"),
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
            return Ok(is_absent_or_null(parameters).then_some(Self::Whole(*algorithm)));
        }
        if oid == oid::RSA_ENCRYPTION.as_bytes() {
            return Ok(is_absent_or_null(parameters).then_some(Self::RsaWithDigestElsewhere));
        }
        if oid == oid::RSA_PSS.as_bytes() {
            let Some(parameters) = parameters else {
                return Ok(None);
            };
            return Ok(read_pss(&parameters)?.map(|digest| Self::Whole(SignatureAlgorithm::RsaPss(digest))));
        }
        Ok(None)
    }
}

/// RSASSA-PSS-params (RFC 8017 A.2.3): only one digest for both uses, a salt of its length, trailer 1. The defaults
/// are SHA-1 and fall out by that rule.
fn read_pss(parameters: &Element<'_>) -> Result<Option<DigestAlgorithm>, Asn1Fault> {
    if parameters.tag != tag::SEQUENCE {
        return Ok(None);
    }
    let mut reader = parameters.reader();
    let hash = reader.optional(tag::context_constructed(0))?;
    let mask = reader.optional(tag::context_constructed(1))?;
    let salt = reader.optional(tag::context_constructed(2))?;
    let trailer = reader.optional(tag::context_constructed(3))?;
    reader.finish()?;
    let (Some(hash), Some(mask), Some(salt)) = (hash, mask, salt) else {
        return Ok(None);
    };
    let digest = DigestAlgorithm::read(&Reader::sole(hash.content, tag::SEQUENCE)?)?;
    let (mask_oid, mask_parameters) = read_identifier(&Reader::sole(mask.content, tag::SEQUENCE)?)?;
    let mask_digest = match mask_parameters {
        Some(parameters) if parameters.tag == tag::SEQUENCE => DigestAlgorithm::read(&parameters)?,
        Some(_) | None => None,
    };
    let salt = Reader::sole(salt.content, tag::INTEGER)?.content;
    let Some(digest) = digest.filter(|digest| *digest != DigestAlgorithm::Sha1) else {
        return Ok(None);
    };
    let is_supported = mask_oid == oid::RSA_MGF1.as_bytes()
        && mask_digest == Some(digest)
        && salt
            .iter()
            .fold(0_usize, |n, octet| n.saturating_mul(256) + usize::from(*octet))
            == digest.implementation().output_len()
        && trailer.is_none_or(|trailer| trailer.content == [tag::INTEGER, 1, 1]);
    Ok(is_supported.then_some(digest))
}

/// A public key as certificates hold it; made ready for each algorithm once.
pub struct PublicKey {
    kind: KeyKind,
    /// SubjectPublicKeyInfo in DER.
    info: Box<[u8]>,
    /// Content of subjectPublicKey: RSAPublicKey, EC point or 32 octets.
    octets: Box<[u8]>,
    ready: [OnceLock<Option<ParsedPublicKey>>; 8],
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo in DER (RFC 5280 §4.1.2.7); nothing may follow it.
    ///
    /// # Errors
    /// Anything that is no SubjectPublicKeyInfo; a kind that is not known is kept as [`KeyKind::Unknown`].
    pub fn from_der(info: &[u8]) -> Result<Self, Asn1Fault> {
        Self::read(&Reader::sole(info, tag::SEQUENCE)?)
    }

    /// Reads a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7). A kind that is not known is kept as [`KeyKind::Unknown`].
    pub(crate) fn read(info: &Element<'_>) -> Result<Self, Asn1Fault> {
        let mut reader = info.reader();
        let identifier = reader.expect(tag::SEQUENCE)?;
        let octets = reader.bit_string_octets()?;
        reader.finish()?;
        let (oid, parameters) = read_identifier(&identifier)?;
        let kind = if oid == oid::RSA_ENCRYPTION.as_bytes() && is_absent_or_null(parameters) {
            read_rsa_kind(octets)?
        } else if oid == oid::EC_PUBLIC_KEY.as_bytes() {
            read_curve(parameters, octets)
        } else if oid == oid::ED25519.as_bytes() && parameters.is_none() && octets.len() == 32 {
            KeyKind::Ed25519
        } else {
            KeyKind::Unknown
        };
        Ok(Self {
            kind,
            info: info.whole.into(),
            octets: octets.into(),
            ready: Default::default(),
        })
    }

    /// What kind of key this is.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// SubjectPublicKeyInfo in DER (RFC 5280 §4.1.2.7).
    pub fn info_der(&self) -> &[u8] {
        &self.info
    }

    /// The octets of the subjectPublicKey BIT STRING.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Whether `value` is the signature of this key over `message`.
    ///
    /// # Errors
    /// `Unsupported` where the algorithm is unknown for this key, `Wrong` where the value does not verify.
    pub fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        value: &[u8],
    ) -> Result<(), SignatureFault> {
        let key = self.ready(algorithm).ok_or(SignatureFault::Unsupported)?;
        key.verify_sig(message, value).map_err(|_| SignatureFault::Wrong)
    }

    /// The same for a message of which the digest is known, by the algorithm's own.
    pub(crate) fn verify_digest(
        &self,
        algorithm: SignatureAlgorithm,
        digest: &digest::Digest,
        value: &[u8],
    ) -> Result<(), SignatureFault> {
        let key = self.ready(algorithm).ok_or(SignatureFault::Unsupported)?;
        key.verify_digest_sig(digest, value)
            .map_err(|_| SignatureFault::Wrong)
    }

    fn ready(&self, algorithm: SignatureAlgorithm) -> Option<&ParsedPublicKey> {
        let implementation = algorithm.implementation(self.kind)?;
        let ready = self.ready[algorithm.slot()]
            .get_or_init(|| ParsedPublicKey::new(implementation, &self.octets).ok());
        ready.as_ref()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.info == other.info
    }
}

impl Eq for PublicKey {}

fn read_rsa_kind(octets: &[u8]) -> Result<KeyKind, Asn1Fault> {
    let mut key = Reader::sole(octets, tag::SEQUENCE)?.reader();
    let modulus = key.integer()?;
    key.integer()?;
    key.finish()?;
    let magnitude = modulus.strip_prefix(&[0]).unwrap_or(modulus);
    let Some(first) = magnitude.first() else {
        return Ok(KeyKind::Unknown);
    };
    let bits = magnitude.len() * 8 - first.leading_zeros() as usize;
    Ok(u32::try_from(bits).map_or(KeyKind::Unknown, KeyKind::Rsa))
}

/// Named curves with an uncompressed point only; explicit parameters (CVE-2020-0601) name no curve here.
fn read_curve(parameters: Option<Element<'_>>, point: &[u8]) -> KeyKind {
    let Some(curve) = parameters.filter(|parameters| parameters.tag == tag::OBJECT_IDENTIFIER) else {
        return KeyKind::Unknown;
    };
    match point {
        [4, ..] if curve.content == oid::EC_P256.as_bytes() && point.len() == 65 => KeyKind::EcP256,
        [4, ..] if curve.content == oid::EC_P384.as_bytes() && point.len() == 97 => KeyKind::EcP384,
        _ => KeyKind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_algorithm_has_a_place_of_its_own_among_those_of_its_key() {
        use DigestAlgorithm::{Sha256, Sha384, Sha512};
        let of_rsa = [
            SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha1),
            SignatureAlgorithm::RsaPkcs1(Sha256),
            SignatureAlgorithm::RsaPkcs1(Sha384),
            SignatureAlgorithm::RsaPkcs1(Sha512),
            SignatureAlgorithm::RsaPss(Sha256),
            SignatureAlgorithm::RsaPss(Sha384),
            SignatureAlgorithm::RsaPss(Sha512),
        ];
        let mut slots: Vec<usize> = of_rsa.iter().map(|algorithm| algorithm.slot()).collect();
        slots.sort_unstable();
        slots.dedup();
        assert_eq!(slots.len(), of_rsa.len());
        assert!(slots.iter().all(|slot| *slot < 8));
    }

    #[test]
    fn an_algorithm_of_another_kind_of_key_is_unsupported() {
        for (algorithm, kind) in [
            (
                SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256),
                KeyKind::Rsa(2048),
            ),
            (
                SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha256),
                KeyKind::EcP256,
            ),
            (SignatureAlgorithm::Ed25519, KeyKind::Unknown),
        ] {
            assert!(algorithm.implementation(kind).is_none());
        }
    }

    #[test]
    fn parameters_that_are_not_understood_refuse_the_identifier() {
        let identifier = |parameters: &[u8]| {
            let oid = crate::asn1::write::object_identifier(&oid::RSA_SHA256);
            crate::asn1::write::constructed(tag::SEQUENCE, &[&oid, parameters])
        };
        let read = |bytes: &[u8]| {
            SignatureAlgorithm::read(&Reader::sole(bytes, tag::SEQUENCE).expect("one element"))
        };
        let known = Ok(Some(SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha256)));
        assert_eq!(read(&identifier(&[])), known);
        assert_eq!(read(&identifier(&[5, 0])), known);
        assert_eq!(read(&identifier(&[4, 1, 1])), Ok(None));
    }
}
