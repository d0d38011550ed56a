//! Public keys, as certificates hold them.
//!
//! Stands under `x509`, `crl`, `ocsp` and `cms`, which have signatures verified here.
//!
//! **Invariant**: a key verifies only with algorithms of its own kind, and one that is bound to RSASSA-PSS with nothing
//! else.

use std::fmt;
use std::sync::OnceLock;

use aws_lc_rs::digest;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_ASN1, ParsedPublicKey, UnparsedPublicKey};

use super::{
    DigestAlgorithm, KeyKind, PssParameters, SignatureAlgorithm, SignatureFault, is_null, read_identifier,
};
use crate::asn1::{Asn1Fault, Element, Reader, oid, tag};

/// A public key as certificates hold it; made ready for each usual algorithm once.
pub struct PublicKey {
    kind: KeyKind,
    scheme: Scheme,
    /// SubjectPublicKeyInfo in DER.
    info: Box<[u8]>,
    /// Content of subjectPublicKey: RSAPublicKey, EC point or 32 octets.
    octets: Box<[u8]>,
    ready: [OnceLock<Option<ParsedPublicKey>>; SignatureAlgorithm::SLOTS],
}

/// What a key may be used for, beside its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    /// Every algorithm of its kind.
    Any,
    /// RSASSA-PSS, with any parameters (RFC 4055 §3.3).
    Pss,
    /// RSASSA-PSS with these parameters.
    PssWith(PssParameters),
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
        let (kind, scheme) = read_kind(&identifier, octets)?;
        Ok(Self {
            kind,
            scheme,
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
        if (algorithm, self.kind) == (SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha1), KeyKind::EcP384) {
            return self.verify_sha1_of_p384(&DigestAlgorithm::Sha1.digest(&[message]), value);
        }
        let implementation = algorithm
            .implementation(self.kind)
            .filter(|_| self.scheme.allows(algorithm))
            .ok_or(SignatureFault::Unsupported)?;
        let Some(slot) = algorithm.slot() else {
            let key = UnparsedPublicKey::new(implementation, &self.octets);
            return key.verify(message, value).map_err(|_| SignatureFault::Wrong);
        };
        let ready = self.ready[slot].get_or_init(|| ParsedPublicKey::new(implementation, &self.octets).ok());
        let key = ready.as_ref().ok_or(SignatureFault::Unsupported)?;
        key.verify_sig(message, value).map_err(|_| SignatureFault::Wrong)
    }

    /// The same for a message of which the digest is known, by the algorithm's own.
    pub(crate) fn verify_digest(
        &self,
        algorithm: SignatureAlgorithm,
        digest: &digest::Digest,
        value: &[u8],
    ) -> Result<(), SignatureFault> {
        if (algorithm, self.kind) == (SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha1), KeyKind::EcP384) {
            return self.verify_sha1_of_p384(digest, value);
        }
        let implementation = algorithm
            .implementation(self.kind)
            .filter(|_| self.scheme.allows(algorithm))
            .ok_or(SignatureFault::Unsupported)?;
        UnparsedPublicKey::new(implementation, &self.octets)
            .verify_digest(digest, value)
            .map_err(|_| SignatureFault::Wrong)
    }

    /// The library has no P-384 with SHA-1. A digest shorter than the order of the curve is taken as the number that it
    /// is (FIPS 186-5 §6.4.2), and zeros before it do not change that: it is given as a digest of the length that the
    /// library has.
    fn verify_sha1_of_p384(&self, short: &digest::Digest, value: &[u8]) -> Result<(), SignatureFault> {
        let mut octets = [0; digest::SHA384_OUTPUT_LEN];
        octets[digest::SHA384_OUTPUT_LEN - digest::SHA1_OUTPUT_LEN..].copy_from_slice(short.as_ref());
        let long = digest::Digest::import_less_safe(&octets, &digest::SHA384)
            .expect("as long as a digest of SHA-384");
        UnparsedPublicKey::new(&ECDSA_P384_SHA384_ASN1, &self.octets)
            .verify_digest(&long, value)
            .map_err(|_| SignatureFault::Wrong)
    }
}

impl Scheme {
    fn allows(self, algorithm: SignatureAlgorithm) -> bool {
        match (self, algorithm) {
            (Self::Any, _) | (Self::Pss, SignatureAlgorithm::RsaPss(_)) => true,
            (Self::PssWith(bound), SignatureAlgorithm::RsaPss(used)) => bound.allows(used),
            (
                Self::Pss | Self::PssWith(_),
                SignatureAlgorithm::RsaPkcs1(_) | SignatureAlgorithm::Ecdsa(_) | SignatureAlgorithm::Ed25519,
            ) => false,
        }
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

/// The kind that algorithm and key say together. Parameters: NULL for RSA (RFC 3279 §2.3.1), none for Ed25519 (RFC 8410
/// §3).
fn read_kind(identifier: &Element<'_>, octets: &[u8]) -> Result<(KeyKind, Scheme), Asn1Fault> {
    let (algorithm, parameters) = read_identifier(identifier)?;
    let is = |known: const_oid::ObjectIdentifier| known.as_bytes() == algorithm;
    let kind = if is(oid::RSA_ENCRYPTION) && parameters.is_some_and(is_null) {
        read_rsa_kind(octets)?
    } else if is(oid::RSA_PSS) {
        let scheme = match parameters {
            Some(parameters) => PssParameters::read(&parameters)?.map(Scheme::PssWith),
            None => Some(Scheme::Pss),
        };
        return Ok(match scheme {
            Some(scheme) => (read_rsa_kind(octets)?, scheme),
            None => (KeyKind::Unknown, Scheme::Pss),
        });
    } else if is(oid::EC_PUBLIC_KEY) {
        read_curve(parameters, octets)
    } else if is(oid::ED25519) && parameters.is_none() && octets.len() == 32 {
        KeyKind::Ed25519
    } else {
        KeyKind::Unknown
    };
    Ok((kind, Scheme::Any))
}

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
        [4, ..] if curve.content == oid::EC_P521.as_bytes() && point.len() == 133 => KeyKind::EcP521,
        _ => KeyKind::Unknown,
    }
}
