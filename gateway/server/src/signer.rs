//! The gateway's own key: what receipts are signed with.
//!
//! **Invariant:** a key whose certificate does not belong to it never signs: this is proven by a signature at start.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use trust::{Certificate, SignFault, SoftwareKey, Time};

use crate::config::GatewayConfig;
use crate::stages::Seal;

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
    /// The certificate file holds no certificate.
    #[error("{0} holds no certificate")]
    NoCertificate(PathBuf),
    /// The certificate is another key's.
    #[error("the certificate in {certificate} does not belong to the key in {key}")]
    Mismatch {
        /// File of the certificate.
        certificate: PathBuf,
        /// File of the key.
        key: PathBuf,
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
    let key = SoftwareKey::from_pkcs8(&read(&config.key_file)?).map_err(|fault| SignerFault::Key {
        path: config.key_file.clone(),
        fault,
    })?;
    let no_certificate = || SignerFault::NoCertificate(config.certificate_file.clone());
    let certificates =
        Certificate::all_from_pem(&read(&config.certificate_file)?).map_err(|_| no_certificate())?;
    let own = certificates.first().ok_or_else(no_certificate)?;
    if !belong_together(&key, own) {
        return Err(SignerFault::Mismatch {
            certificate: config.certificate_file.clone(),
            key: config.key_file.clone(),
        });
    }
    Ok(Seal {
        signer: Arc::new(key),
        certificates: certificates.into_iter().map(Arc::new).collect(),
    })
}

/// A signature by the key must verify under the certificate. Its validity is not asked: receipts name their time.
fn belong_together(key: &SoftwareKey, certificate: &Certificate) -> bool {
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
