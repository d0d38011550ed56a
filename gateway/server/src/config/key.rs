//! Where the gateway's own key and its certificates are: in files, in a PKCS#11 token (`[gateway.token]`), or together in
//! one PKCS#12 file (`[gateway.pkcs12]`).

use std::path::PathBuf;

use super::fault::Problem;
use super::reader::Section;
use super::secret::Secret;

/// The place of the key that signs receipts, and of its certificates.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// `key_file` and `certificate_file`.
    Files {
        /// PKCS#8 in PEM, P-256 or RSA.
        key: PathBuf,
        /// The certificate of that key, PEM; further certificates in it go along with receipts.
        certificates: PathBuf,
    },
    /// A token and `certificate_file`: the key never leaves the token.
    Token {
        /// Which key of which token.
        token: TokenConfig,
        /// As with a file.
        certificates: PathBuf,
    },
    /// One file with both.
    Pkcs12(Pkcs12Config),
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

/// `[gateway.pkcs12]`.
#[derive(Debug, Clone)]
pub struct Pkcs12Config {
    /// The file, `.p12` or `.pfx` (`file`).
    pub file: PathBuf,
    /// Its password (`password`).
    pub password: Secret,
}

impl KeySource {
    /// Reads `key_file`, `[gateway.token]` or `[gateway.pkcs12]`: one of them, never two. `certificate_file` belongs to the
    /// first two.
    pub(super) fn read(section: &mut Section<'_>) -> KeySource {
        let token = section.inner("token");
        let pkcs12 = section.inner("pkcs12");
        let elsewhere = match (&token, &pkcs12) {
            (_, Some(_)) => Some("the key is in the file of [gateway.pkcs12]"),
            (Some(_), None) => Some("the key is in the token of [gateway.token]"),
            (None, None) => None,
        };
        if let Some(elsewhere) = elsewhere {
            refuse(section, "key_file", elsewhere);
        }
        if let (Some(_), Some(_), Some(elsewhere)) = (&token, &pkcs12, elsewhere) {
            section.fault("token", Problem::Contradiction(elsewhere));
        }
        let token = token.map(|table| TokenConfig::read(section.nested("gateway.token", table)));
        if let Some(table) = pkcs12 {
            refuse(
                section,
                "certificate_file",
                "the certificates are in the file of [gateway.pkcs12]",
            );
            return KeySource::Pkcs12(Pkcs12Config::read(section.nested("gateway.pkcs12", table)));
        }
        match token {
            Some(token) => KeySource::Token {
                token,
                certificates: section.needed_file("certificate_file"),
            },
            None => KeySource::Files {
                key: section.needed_file("key_file"),
                certificates: section.needed_file("certificate_file"),
            },
        }
    }
}

/// A key that must not be there, because of what is.
fn refuse(section: &mut Section<'_>, key: &'static str, elsewhere: &'static str) {
    if section.has(key) {
        section.fault(key, Problem::Contradiction(elsewhere));
        section.file(key);
    }
}

impl TokenConfig {
    fn read(mut section: Section<'_>) -> TokenConfig {
        let token = TokenConfig {
            module: section.needed_file("module"),
            label: section.needed("label"),
            key: section.needed("key"),
            password: section.needed_secret(),
        };
        section.end();
        token
    }
}

impl Pkcs12Config {
    fn read(mut section: Section<'_>) -> Pkcs12Config {
        let pkcs12 = Pkcs12Config {
            file: section.needed_file("file"),
            password: section.needed_secret(),
        };
        section.end();
        pkcs12
    }
}
