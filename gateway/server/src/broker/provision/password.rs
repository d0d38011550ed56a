//! Passwords as RabbitMQ keeps them: salted SHA-256, so that whoever reads our directory or the broker's disk cannot
//! log in with what is found.

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use trust::Digest;

const SALT_BYTES: usize = 4;
const HASH_BYTES: usize = 32;

/// The hash of a password: base64 of four bytes of salt and SHA-256 over salt and password
/// (`rabbit_password_hashing_sha256`).
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// The hash of a password under a fresh salt.
    ///
    /// # Panics
    /// When the system gives no randomness.
    pub fn of(password: &SecretString) -> PasswordHash {
        let mut salt = [0; SALT_BYTES];
        rand::fill(&mut salt).expect("the system gives randomness");
        PasswordHash::salted(password, salt)
    }

    /// The hash under this salt.
    pub fn salted(password: &SecretString, salt: [u8; SALT_BYTES]) -> PasswordHash {
        let mut input = salt.to_vec();
        input.extend_from_slice(password.expose_secret().as_bytes());
        let mut hash = salt.to_vec();
        hash.extend_from_slice(Digest::of(&input).as_bytes());
        PasswordHash(STANDARD.encode(hash))
    }

    /// No password at all: the user can log in by certificate only.
    pub fn none() -> PasswordHash {
        PasswordHash(String::new())
    }

    /// Takes a hash that was kept.
    ///
    /// # Errors
    /// The text is neither empty nor a salted SHA-256 in base64; nothing of it is told.
    pub fn parse(text: &str) -> Result<PasswordHash, NotAHash> {
        let right_length = |bytes: Vec<u8>| bytes.len() == SALT_BYTES + HASH_BYTES;
        if text.is_empty() || STANDARD.decode(text).is_ok_and(right_length) {
            return Ok(PasswordHash(text.to_owned()));
        }
        Err(NotAHash)
    }

    /// Whether this is the hash of `password`.
    pub fn matches(&self, password: &SecretString) -> bool {
        let Ok(bytes) = STANDARD.decode(&self.0) else {
            return false;
        };
        let Some(salt) = bytes.first_chunk::<SALT_BYTES>() else {
            return false;
        };
        *self == PasswordHash::salted(password, *salt)
    }

    /// The text to keep and to give to the broker.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_empty() {
            "PasswordHash(none)"
        } else {
            "PasswordHash(…)"
        })
    }
}

/// A text is not a password hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a salted SHA-256 password hash in base64")]
pub struct NotAHash;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_brokers_manual_comes_out() {
        // RabbitMQ, "Passwords": salt 908D C60A, password "test12".
        let hash = PasswordHash::salted(&"test12".to_owned().into(), [0x90, 0x8D, 0xC6, 0x0A]);
        assert_eq!(hash.as_str(), "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR");
    }

    #[test]
    fn a_hash_is_recognised_and_never_shown() {
        let password: SecretString = "đúng".to_owned().into();
        let hash = PasswordHash::of(&password);
        assert_eq!(PasswordHash::parse(hash.as_str()), Ok(hash.clone()));
        assert!(hash.matches(&password));
        assert!(!hash.matches(&"sai".to_owned().into()));
        assert!(!PasswordHash::none().matches(&String::new().into()));
        assert!(!format!("{hash:?}").contains(hash.as_str()));
        for wrong in ["x", "AAAA", "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2PO"] {
            assert_eq!(PasswordHash::parse(wrong), Err(NotAHash), "{wrong}");
        }
    }

    #[test]
    fn two_hashes_of_one_password_differ() {
        let password: SecretString = "one".to_owned().into();
        assert_ne!(PasswordHash::of(&password), PasswordHash::of(&password));
    }
}
