//! The gateway's own key: what receipts are signed with. In a file, or in a PKCS#11 token.
//!
//! **Invariant:** a key whose certificate does not belong to it never signs: this is proven by a signature at start.

mod token;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use trust::{Certificate, SignFault, Signer, SoftwareKey, Time};

use crate::config::{GatewayConfig, KeySource};
use crate::stages::Seal;

pub use token::TokenFault;
use token::TokenKey;

/// Why the gateway cannot sign.
#[derive(Debug, thiserror::Error)]
pub enum SignerFault {
    /// A file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        error: std::io::Error,
    },
    /// The key file holds no key that can sign.
    #[error("{path} holds no usable private key: {fault}")]
    Key {
        /// Which.
        path: PathBuf,
        /// Why not.
        fault: SignFault,
    },
    /// The token does not sign.
    #[error("the key {key} of the token {token} cannot be used: {fault}")]
    Token {
        /// Label of the token.
        token: String,
        /// Label of the key.
        key: String,
        /// Why not.
        #[source]
        fault: TokenFault,
    },
    /// The certificate file holds no certificate.
    #[error("{0} holds no certificate")]
    NoCertificate(PathBuf),
    /// The certificate is another key's.
    #[error("the certificate in {certificate} does not belong to the key in {key}")]
    Mismatch {
        /// File of the certificate.
        certificate: PathBuf,
        /// File of the key, or its label.
        key: String,
    },
}

fn read(path: &Path) -> Result<Vec<u8>, SignerFault> {
    std::fs::read(path).map_err(|error| SignerFault::Read {
        path: path.to_owned(),
        error,
    })
}

/// Loads the key and its certificates (its own first), and proves that they belong together.
///
/// # Errors
/// [`SignerFault`].
pub fn load_seal(config: &GatewayConfig) -> Result<Seal, SignerFault> {
    let (signer, place) = load_key(&config.key)?;
    let no_certificate = || SignerFault::NoCertificate(config.certificate_file.clone());
    let certificates =
        Certificate::all_from_pem(&read(&config.certificate_file)?).map_err(|_| no_certificate())?;
    let own = certificates.first().ok_or_else(no_certificate)?;
    if !belong_together(&*signer, own) {
        return Err(SignerFault::Mismatch {
            certificate: config.certificate_file.clone(),
            key: place,
        });
    }
    Ok(Seal {
        signer,
        certificates: certificates.into_iter().map(Arc::new).collect(),
    })
}

/// The key, and its place for people.
fn load_key(source: &KeySource) -> Result<(Arc<dyn Signer + Send + Sync>, String), SignerFault> {
    match source {
        KeySource::File(path) => {
            let key = SoftwareKey::from_pkcs8(&read(path)?).map_err(|fault| SignerFault::Key {
                path: path.clone(),
                fault,
            })?;
            Ok((Arc::new(key), path.display().to_string()))
        }
        KeySource::Token(config) => {
            let key = TokenKey::open(config).map_err(|fault| SignerFault::Token {
                token: config.label.clone(),
                key: config.key.clone(),
                fault,
            })?;
            Ok((Arc::new(key), config.key.clone()))
        }
    }
}

/// A signature by the key must verify under the certificate. Its validity is not asked: receipts name their time.
fn belong_together(key: &dyn Signer, certificate: &Certificate) -> bool {
    let probe = b"a receipt key signs for its own certificate";
    let at: Time = certificate.not_before();
    let signed = trust::cms::sign(trust::cms::Content::Detached(probe), key, &[certificate], at);
    signed.is_ok_and(|signed| {
        // Never empty: one result for each signer.
        let reports = trust::cms::integrity(&signed, Some(probe), &trust::Policy::every_algorithm(), at);
        reports
            .iter()
            .all(|report| matches!(report, Ok(signer) if signer.fingerprint() == certificate.fingerprint()))
    })
}
