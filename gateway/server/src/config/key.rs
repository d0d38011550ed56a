//! Where the gateway's own key is: in a file, or in a PKCS#11 token (`[gateway.token]`).

use std::path::PathBuf;

use super::fault::Problem;
use super::reader::Section;
use super::secret::Secret;

/// The place of the key that signs receipts.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// `key_file`: PKCS#8 in PEM, P-256 or RSA.
    File(PathBuf),
    /// A token: the key never leaves it.
    Token(TokenConfig),
}

/// `[gateway.token]`.
#[derive(Debug, Clone)]
pub struct TokenConfig {
    /// The library of the token's maker (`module`).
    pub module: PathBuf,
    /// The label of the token (`label`).
    pub label: String,
    /// The label of the private key in it (`key`).
    pub key: String,
    /// The user's PIN (`password`).
    pub password: Secret,
}

impl KeySource {
    /// Reads `key_file` or `[gateway.token]`: one of them, not both.
    pub(super) fn read(section: &mut Section<'_>) -> KeySource {
        let token = section.inner("token");
        let Some(token) = token else {
            return KeySource::File(section.needed_file("key_file"));
        };
        if section.has("key_file") {
            let problem = Problem::Contradiction("the key is in the token of [gateway.token]");
            section.fault("key_file", problem);
            section.file("key_file");
        }
        let mut section = section.nested("gateway.token", token);
        let token = TokenConfig {
            module: section.needed_file("module"),
            label: section.needed("label"),
            key: section.needed("key"),
            password: section.needed_secret(),
        };
        section.end();
        KeySource::Token(token)
    }
}
