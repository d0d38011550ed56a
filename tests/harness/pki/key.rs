//! RSA-2048 keys. Making one takes about a tenth of a second, so that most certificates share a handful.

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};

/// Keys that certificates share where a test does not care.
const SHARED: usize = 4;

static POOL: [OnceLock<Arc<Key>>; SHARED] = [const { OnceLock::new() }; SHARED];

/// A private RSA-2048 key.
pub struct Key {
    issuing: KeyPair,
    signing: RsaKeyPair,
}

impl Key {
    /// A key of its own.
    pub fn generate() -> Arc<Key> {
        let issuing =
            KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).expect("RSA-2048 can be made");
        let signing = RsaKeyPair::from_pkcs8(&issuing.serialize_der()).expect("the key was just made");
        Arc::new(Key { issuing, signing })
    }

    /// One of the few keys that the process shares, in turn.
    pub fn shared() -> Arc<Key> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let turn = NEXT.fetch_add(1, Ordering::Relaxed) % SHARED;
        Arc::clone(POOL[turn].get_or_init(Key::generate))
    }

    /// Makes all shared keys now, on as many threads.
    pub(super) fn warm() {
        std::thread::scope(|scope| {
            for slot in &POOL {
                scope.spawn(|| slot.get_or_init(Key::generate));
            }
        });
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 section 8.2) over `message`.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.signing.public_modulus_len()];
        self.signing
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .expect("a sound key signs anything");
        signature
    }

    /// PKCS #8 in DER.
    pub fn pkcs8(&self) -> Vec<u8> {
        self.issuing.serialize_der()
    }

    /// PKCS #8 in PEM.
    pub fn pem(&self) -> String {
        self.issuing.serialize_pem()
    }

    pub(super) fn issuing(&self) -> &KeyPair {
        &self.issuing
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Key(RSA-2048)")
    }
}
