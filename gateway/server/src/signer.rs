//! The gateway's own key: what receipts are signed with. In a file, in a PKCS#11 token, or with its certificates in a
//! PKCS#12 file.
//!
//! **Invariant:** a key whose certificate does not belong to it never signs: this is proven by a signature at start.

mod pkcs12;
mod token;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use trust::{Certificate, SignFault, Signer, SoftwareKey, Time};

use crate::config::{GatewayConfig, KeySource, Pkcs12Config};
use crate::stages::Seal;

pub use pkcs12::Pkcs12Fault;
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
    /// The PKCS#12 file gives no key with its certificate.
    #[error("{path}: {fault}")]
    Pkcs12 {
        /// Which.
        path: PathBuf,
        /// Why not.
        #[source]
        fault: Pkcs12Fault,
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
    match &config.key {
        KeySource::Files {
            key: path,
            certificates,
        } => {
            let key = SoftwareKey::from_pkcs8(&read(path)?).map_err(|fault| SignerFault::Key {
                path: path.clone(),
                fault,
            })?;
            with_certificates(Arc::new(key), &path.display().to_string(), certificates)
        }
        KeySource::Token { token, certificates } => {
            let key = TokenKey::open(token).map_err(|fault| SignerFault::Token {
                token: token.label.clone(),
                key: token.key.clone(),
                fault,
            })?;
            with_certificates(Arc::new(key), &token.key, certificates)
        }
        KeySource::Pkcs12(config) => from_pkcs12(config),
    }
}

/// The key, which `place` names for people, with the certificates of a file.
fn with_certificates(
    signer: Arc<dyn Signer + Send + Sync>,
    place: &str,
    path: &Path,
) -> Result<Seal, SignerFault> {
    let no_certificate = || SignerFault::NoCertificate(path.to_owned());
    let certificates = Certificate::all_from_pem(&read(path)?).map_err(|_| no_certificate())?;
    let own = certificates.first().ok_or_else(no_certificate)?;
    if !belong_together(&*signer, own) {
        return Err(SignerFault::Mismatch {
            certificate: path.to_owned(),
            key: place.to_owned(),
        });
    }
    Ok(Seal {
        signer,
        certificates: certificates.into_iter().map(Arc::new).collect(),
    })
}

/// Key and certificates of one file. Which of them is the key's own is proven, not believed; of several (renewed with the same
/// key) it is the one that ends last.
fn from_pkcs12(config: &Pkcs12Config) -> Result<Seal, SignerFault> {
    let unfit = |fault| SignerFault::Pkcs12 {
        path: config.file.clone(),
        fault,
    };
    let bytes = pkcs12::read(&config.file).map_err(|error| SignerFault::Read {
        path: config.file.clone(),
        error,
    })?;
    let contents = bytes
        .and_then(|bytes| pkcs12::open(&bytes, &config.password))
        .map_err(unfit)?;
    let (signer, mut certificates) = (contents.key, contents.certificates);
    let own = (0..certificates.len())
        .filter(|place| belong_together(&signer, &certificates[*place]))
        .max_by_key(|place| certificates[*place].not_after())
        .ok_or_else(|| unfit(Pkcs12Fault::Mismatch))?;
    certificates[..=own].rotate_right(1);
    Ok(Seal {
        signer: Arc::new(signer),
        certificates: certificates.into_iter().map(Arc::new).collect(),
    })
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
