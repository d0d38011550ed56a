//! The parameters of RSASSA-PSS (RFC 8017 §8.1, A.2.3; RFC 4055 §3).
//!
//! Stands under the registry of `algorithm`: an AlgorithmIdentifier is read here, and each of its parameters is either
//! obeyed exactly or refuses the identifier.
//!
//! **Invariant**: nothing is guessed: a digest, a mask, a salt or a trailer other than the one written never verifies.

use aws_lc_rs::signature::{self, RsaParameters, RsaPssSaltLength, VerificationAlgorithm};

use super::{DigestAlgorithm, read_identifier};
use crate::asn1::{Asn1Fault, Element, Reader, oid, tag};

/// Octets of the salt where the parameters do not say (RFC 8017 A.2.3).
const SALT_OCTETS_DEFAULT: u16 = 20;

/// Digest and salt of RSASSA-PSS. The mask is MGF1 with the same digest; others (and SHA-1) are not known here, for the
/// library verifies none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PssParameters {
    /// The digest of the message, and that of the mask.
    pub digest: DigestAlgorithm,
    /// Octets of the salt, exactly so many.
    pub salt_octets: u16,
}

impl PssParameters {
    /// The usual parameters: a salt as long as the digest.
    pub fn usual(digest: DigestAlgorithm) -> Self {
        Self {
            digest,
            salt_octets: digest.octets(),
        }
    }

    /// Reads RSASSA-PSS-params; `None`: well-formed, but not known here. What is left out is SHA-1 or 20 octets, and
    /// SHA-1 is not known.
    pub(super) fn read(parameters: &Element<'_>) -> Result<Option<Self>, Asn1Fault> {
        if parameters.tag != tag::SEQUENCE {
            return Ok(None);
        }
        let mut reader = parameters.reader();
        let hash = reader.optional(tag::context_constructed(0))?;
        let mask = reader.optional(tag::context_constructed(1))?;
        let salt = reader.optional(tag::context_constructed(2))?;
        let trailer = reader.optional(tag::context_constructed(3))?;
        reader.finish()?;
        let salt_octets = match salt {
            Some(salt) => read_salt(&salt)?,
            None => Some(SALT_OCTETS_DEFAULT),
        };
        let (Some(hash), Some(mask), Some(salt_octets)) = (hash, mask, salt_octets) else {
            return Ok(None);
        };
        let digest = DigestAlgorithm::read(&Reader::sole(hash.content, tag::SEQUENCE)?)?;
        let mask_digest = read_mask(&mask)?;
        let Some(digest) = digest.filter(|digest| *digest != DigestAlgorithm::Sha1) else {
            return Ok(None);
        };
        let is_known = mask_digest == Some(digest)
            && trailer.is_none_or(|trailer| trailer.content == [tag::INTEGER, 1, 1]);
        Ok(is_known.then_some(Self { digest, salt_octets }))
    }

    /// Whether a key that is bound to these parameters may verify with those (RFC 4055 §3.1, §3.3: the same digests, and
    /// at least as much salt).
    pub(super) fn allows(self, used: Self) -> bool {
        self.digest == used.digest && self.salt_octets <= used.salt_octets
    }

    /// What verifies a signature of a modulus of so many bits. The lengths of salt that are met: none, those of the
    /// digests of the SHA family, and the most that fits.
    pub(super) fn implementation(self, bits: u32) -> Option<&'static dyn VerificationAlgorithm> {
        macro_rules! of_salt {
            ($base:expr) => {
                match self.salt_octets {
                    0 => &const { salted($base, 0) },
                    20 => &const { salted($base, 20) },
                    28 => &const { salted($base, 28) },
                    32 => &const { salted($base, 32) },
                    48 => &const { salted($base, 48) },
                    64 => &const { salted($base, 64) },
                    octets if self.salt_octets_max(bits) == Some(u32::from(octets)) => {
                        &const { $base.with_pss_salt_length(RsaPssSaltLength::Max) }
                    }
                    _ => return None,
                }
            };
        }
        let implementation: &'static RsaParameters = match self.digest {
            DigestAlgorithm::Sha1 => return None,
            DigestAlgorithm::Sha256 => of_salt!(signature::RSA_PSS_2048_8192_SHA256),
            DigestAlgorithm::Sha384 => of_salt!(signature::RSA_PSS_2048_8192_SHA384),
            DigestAlgorithm::Sha512 => of_salt!(signature::RSA_PSS_2048_8192_SHA512),
        };
        Some(implementation)
    }

    /// emLen - hLen - 2, where emBits is one less than the bits of the modulus (RFC 8017 §9.1.1).
    fn salt_octets_max(self, bits: u32) -> Option<u32> {
        bits.checked_sub(1)?
            .div_ceil(8)
            .checked_sub(u32::from(self.digest.octets()) + 2)
    }
}

const fn salted(base: RsaParameters, salt_octets: u16) -> RsaParameters {
    base.with_pss_salt_length(RsaPssSaltLength::Custom(salt_octets))
}

/// saltLength; `None`: negative, or longer than any modulus.
fn read_salt(salt: &Element<'_>) -> Result<Option<u16>, Asn1Fault> {
    let mut reader = salt.reader();
    let octets = reader.integer()?;
    reader.finish()?;
    Ok(match *octets {
        [low @ 0..0x80] => Some(u16::from(low)),
        [high @ 0..0x80, low] => Some(u16::from_be_bytes([high, low])),
        _ => None,
    })
}

/// The digest of maskGenAlgorithm; `None`: another function than MGF1, or another digest than is known.
fn read_mask(mask: &Element<'_>) -> Result<Option<DigestAlgorithm>, Asn1Fault> {
    let (function, parameters) = read_identifier(&Reader::sole(mask.content, tag::SEQUENCE)?)?;
    match parameters {
        Some(parameters) if parameters.tag == tag::SEQUENCE && function == oid::RSA_MGF1.as_bytes() => {
            DigestAlgorithm::read(&parameters)
        }
        Some(_) | None => Ok(None),
    }
}
