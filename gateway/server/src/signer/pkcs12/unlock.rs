//! What a password opens: the MAC (RFC 7292 §4), PBES2 (RFC 8018 §6.2), and the ciphers of PKCS#12 itself (RFC 7292,
//! appendix C), which older Windows and Java write.

use aws_lc_rs::hmac;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipher, BlockDecryptMut, KeyInit, KeyIvInit};
use cms::cert::x509::spki::AlgorithmIdentifierOwned;
use const_oid::db::rfc5912::{ID_SHA_1, ID_SHA_256, ID_SHA_384, ID_SHA_512};
use der::{Decode, Encode, Tag, Tagged};
use des::TdesEde3;
use pkcs5::pbes2;
use pkcs12::kdf::{Pkcs12KeyType, derive_key};
use pkcs12::mac_data::MacData;
use pkcs12::pbe_params::Pkcs12PbeParams;
use pkcs12::{
    PKCS_12_PBE_WITH_SHAAND3_KEY_TRIPLE_DES_CBC, PKCS_12_PBE_WITH_SHAAND128_BIT_RC2_CBC,
    PKCS_12_PBEWITH_SHAAND40_BIT_RC2_CBC,
};
use rc2::Rc2;
use secrecy::zeroize::Zeroizing;
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

use super::{Pkcs12Fault, malformed};
use crate::config::Secret;

/// Iterations of key derivation at most, all of a file together. A file of today asks for three times 600,000 at most
/// (BouncyCastle 1.86), OpenSSL for three times 2,048.
pub(super) const ITERATIONS_MAX: u32 = 3_000_000;

/// A password, and what may still be computed with it.
pub(super) struct Unlocker<'a> {
    password: &'a Secret,
    /// As the derivation of PKCS#12 takes it: UTF-16, big endian, ended by a zero (RFC 7292, appendix B.1).
    wide: Zeroizing<Vec<u8>>,
    iterations_left: u32,
}

impl<'a> Unlocker<'a> {
    pub(super) fn new(password: &'a Secret) -> Unlocker<'a> {
        let units = password.expose().encode_utf16().chain([0]);
        Unlocker {
            password,
            wide: Zeroizing::new(units.flat_map(u16::to_be_bytes).collect()),
            iterations_left: ITERATIONS_MAX,
        }
    }

    /// Whether the MAC is that of this password over these contents.
    pub(super) fn prove(&mut self, mac: &MacData, contents: &[u8]) -> Result<(), Pkcs12Fault> {
        let algorithm = &mac.mac.algorithm;
        let rounds = self.spend(mac.iterations)?;
        let (wide, salt) = (&self.wide[..], mac.mac_salt.as_bytes());
        let kind = Pkcs12KeyType::Mac;
        let (hash, key) = match algorithm.oid {
            ID_SHA_1 => {
                let key = derive_key::<Sha1>(wide, salt, kind, rounds, 20);
                (hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key)
            }
            ID_SHA_256 => (
                hmac::HMAC_SHA256,
                derive_key::<Sha256>(wide, salt, kind, rounds, 32),
            ),
            ID_SHA_384 => (
                hmac::HMAC_SHA384,
                derive_key::<Sha384>(wide, salt, kind, rounds, 48),
            ),
            ID_SHA_512 => (
                hmac::HMAC_SHA512,
                derive_key::<Sha512>(wide, salt, kind, rounds, 64),
            ),
            other => return Err(Pkcs12Fault::Algorithm(other)),
        };
        let parameters = algorithm.parameters.as_ref();
        if parameters.is_some_and(|parameters| parameters.tag() != Tag::Null) {
            return Err(Pkcs12Fault::Malformed);
        }
        let key = hmac::Key::new(hash, &Zeroizing::new(key));
        hmac::verify(&key, contents, mac.mac.digest.as_bytes()).map_err(|_| Pkcs12Fault::Password)
    }

    /// Decrypts with what the algorithm derives from the password.
    pub(super) fn decrypt(
        &mut self,
        algorithm: &AlgorithmIdentifierOwned,
        encrypted: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Pkcs12Fault> {
        let parameters = algorithm.parameters.as_ref().ok_or(Pkcs12Fault::Malformed)?;
        let parameters = parameters.to_der().map_err(malformed)?;
        match algorithm.oid {
            pbes2::PBES2_OID => self.pbes2(&parameters, encrypted),
            PKCS_12_PBE_WITH_SHAAND3_KEY_TRIPLE_DES_CBC => self.old::<TdesEde3>(&parameters, 24, encrypted),
            PKCS_12_PBE_WITH_SHAAND128_BIT_RC2_CBC => self.old::<Rc2>(&parameters, 16, encrypted),
            PKCS_12_PBEWITH_SHAAND40_BIT_RC2_CBC => self.old::<Rc2>(&parameters, 5, encrypted),
            other => Err(Pkcs12Fault::Algorithm(other)),
        }
    }

    fn pbes2(&mut self, parameters: &[u8], encrypted: &[u8]) -> Result<Zeroizing<Vec<u8>>, Pkcs12Fault> {
        let parameters = pbes2::Parameters::from_der(parameters).map_err(malformed)?;
        let Some(derivation) = parameters.kdf.pbkdf2() else {
            return Err(Pkcs12Fault::Algorithm(parameters.kdf.oid()));
        };
        self.spend(derivation.iteration_count)?;
        let content = parameters.decrypt(self.password.expose(), encrypted);
        content.map(Zeroizing::new).map_err(|_| Pkcs12Fault::Malformed)
    }

    fn old<C>(
        &mut self,
        parameters: &[u8],
        key_octets: usize,
        encrypted: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Pkcs12Fault>
    where
        C: BlockCipher + BlockDecryptMut + KeyInit,
    {
        let parameters = Pkcs12PbeParams::from_der(parameters).map_err(malformed)?;
        let rounds = self.spend(parameters.iterations)?;
        let derive = |kind, octets| {
            let salt = parameters.salt.as_bytes();
            Zeroizing::new(derive_key::<Sha1>(&self.wide, salt, kind, rounds, octets))
        };
        let key = derive(Pkcs12KeyType::EncryptionKey, key_octets);
        let start = derive(Pkcs12KeyType::Iv, 8);
        let cipher =
            cbc::Decryptor::<C>::new_from_slices(&key, &start).map_err(|_| Pkcs12Fault::Malformed)?;
        let content = cipher.decrypt_padded_vec_mut::<Pkcs7>(encrypted);
        content.map(Zeroizing::new).map_err(|_| Pkcs12Fault::Malformed)
    }

    /// Takes what a derivation asks for from what is left.
    fn spend<N>(&mut self, iterations: N) -> Result<i32, Pkcs12Fault>
    where
        i32: TryFrom<N>,
        N: Copy,
    {
        let rounds = i32::try_from(iterations).map_err(|_| Pkcs12Fault::Iterations)?;
        let wanted = u32::try_from(rounds).map_err(|_| Pkcs12Fault::Malformed)?;
        if wanted == 0 {
            return Err(Pkcs12Fault::Malformed);
        }
        let left = self.iterations_left.checked_sub(wanted);
        self.iterations_left = left.ok_or(Pkcs12Fault::Iterations)?;
        Ok(rounds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_iterations_of_a_file_count_together() {
        let password = Secret::of("x".to_owned());
        let mut unlocker = Unlocker::new(&password);
        assert_eq!(unlocker.spend(ITERATIONS_MAX - 1), Ok(2_999_999));
        assert_eq!(unlocker.spend(2_u32), Err(Pkcs12Fault::Iterations));
        assert_eq!(unlocker.spend(1_u32), Ok(1));
        assert_eq!(unlocker.spend(1_i32), Err(Pkcs12Fault::Iterations));
        assert_eq!(unlocker.spend(u32::MAX), Err(Pkcs12Fault::Iterations));
    }
}
