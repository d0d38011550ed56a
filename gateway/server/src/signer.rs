//! The gateway's own key: what receipts are signed with. In a file, in a PKCS#11 token, or with its certificates in a
//! PKCS#12 file.
//!
//! **Invariant:** a key whose certificate does not belong to it never signs: this is proven by a signature at start.
//! **Invariant:** nor does one whose certificate is not valid then: nobody could verify its receipts.

mod pkcs12;
#[cfg(test)]
mod tests;
mod token;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use domain::receipt::vietnam_time;
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
    /// The certificate is not valid yet.
    #[error("the certificate of {subject} in {path} is valid only from {} on", vietnam_time(*.begins))]
    Early {
        /// File of the certificate.
        path: PathBuf,
        /// Whose certificate.
        subject: String,
        /// From when on it is valid.
        begins: Time,
    },
    /// The certificate is not valid any more.
    #[error("the certificate of {subject} in {path} ended at {}", vietnam_time(*.ended))]
    Ended {
        /// File of the certificate.
        path: PathBuf,
        /// Whose certificate.
        subject: String,
        /// Until when it was valid.
        ended: Time,
    },
}

/// How the certificate that receipts are signed under stands at some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// It is not valid yet.
    Early,
    /// It is valid, and its end is far.
    Good,
    /// It is valid for so many whole days, which is soon enough to be told.
    Ending {
        /// Whole days left; 0 on the last one.
        days: i64,
    },
    /// It is not valid any more.
    Ended,
}

impl Validity {
    /// Of this certificate now; its end is told from `notice` before it on.
    pub fn of(certificate: &Certificate, now: Time, notice: Duration) -> Validity {
        // The last second that it names is its own (RFC 5280 §4.1.2.5).
        let left = remaining_seconds(certificate, now);
        if now < certificate.not_before() {
            Validity::Early
        } else if left < 0 {
            Validity::Ended
        } else if left <= i64::try_from(notice.as_secs()).unwrap_or(i64::MAX) {
            Validity::Ending { days: left / 86_400 }
        } else {
            Validity::Good
        }
    }
}

/// Seconds until the certificate ends; negative when that is over.
pub fn remaining_seconds(certificate: &Certificate, now: Time) -> i64 {
    certificate
        .not_after()
        .as_seconds()
        .saturating_sub(now.as_seconds())
}

fn read(path: &Path) -> Result<Vec<u8>, SignerFault> {
    std::fs::read(path).map_err(|error| SignerFault::Read {
        path: path.to_owned(),
        error,
    })
}

/// Loads the key and its certificates (its own first), and proves that they belong together and that its own is valid now.
///
/// # Errors
/// [`SignerFault`].
pub fn load_seal(config: &GatewayConfig, now: Time) -> Result<Seal, SignerFault> {
    let (seal, path) = match &config.key {
        KeySource::Files {
            key: path,
            certificates,
        } => {
            let key = SoftwareKey::from_pkcs8(&read(path)?).map_err(|fault| SignerFault::Key {
                path: path.clone(),
                fault,
            })?;
            let place = path.display().to_string();
            (
                with_certificates(Arc::new(key), &place, certificates)?,
                certificates,
            )
        }
        KeySource::Token { token, certificates } => {
            let key = TokenKey::open(token).map_err(|fault| SignerFault::Token {
                token: token.label.clone(),
                key: token.key.clone(),
                fault,
            })?;
            (
                with_certificates(Arc::new(key), &token.key, certificates)?,
                certificates,
            )
        }
        KeySource::Pkcs12(config) => (from_pkcs12(config, now)?, &config.file),
    };
    valid(&seal, path, now)?;
    Ok(seal)
}

/// Refuses a certificate, which stands in this file, outside the time for which it was issued.
fn valid(seal: &Seal, path: &Path, now: Time) -> Result<(), SignerFault> {
    let own = seal.certificates.first().expect("a seal has its own certificate");
    let (path, subject) = (path.to_owned(), own.subject().to_string());
    match Validity::of(own, now, Duration::ZERO) {
        Validity::Good | Validity::Ending { .. } => Ok(()),
        Validity::Early => Err(SignerFault::Early {
            path,
            subject,
            begins: own.not_before(),
        }),
        Validity::Ended => Err(SignerFault::Ended {
            path,
            subject,
            ended: own.not_after(),
        }),
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
/// key) it is one that is valid now, and of these the one that ends last.
fn from_pkcs12(config: &Pkcs12Config, now: Time) -> Result<Seal, SignerFault> {
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
        .max_by_key(|place| {
            let one = &certificates[*place];
            let is_early = Validity::of(one, now, Duration::ZERO) == Validity::Early;
            (!is_early, one.not_after())
        })
        .ok_or_else(|| unfit(Pkcs12Fault::Mismatch))?;
    certificates[..=own].rotate_right(1);
    Ok(Seal {
        signer: Arc::new(signer),
        certificates: certificates.into_iter().map(Arc::new).collect(),
    })
}

/// A signature by the key must verify under the certificate. Its validity is not asked here, only its key.
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
