//! Whom a call over `amqps` trusts, and who it says it is.
//!
//! lapin's own way adds the given certificates to those of the system: whoever is certified by any public authority
//! could then stand in for the broker. Here the two exclude each other.
//!
//! **Invariant**: where authorities are given, nobody else vouches for the broker; a PEM without any is never taken for
//! none given.

use std::io;
use std::sync::Arc;

use lapin::tcp::{RustlsConnector, RustlsConnectorConfig};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// What `amqps` needs beside the address; nothing of it matters for `amqp`.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// Who may vouch for the broker, and nobody else. `None`: those whom the system trusts.
    pub authorities: Option<Authorities>,
    /// Who we are, where the broker asks for a certificate.
    pub identity: Option<Identity>,
}

impl Tls {
    /// # Errors
    ///
    /// `InvalidData` where the key of the identity is not that of its certificate; anything that reading the system's
    /// certificates gives.
    pub(crate) fn connector(&self) -> io::Result<RustlsConnector> {
        let config = match &self.authorities {
            Some(Authorities(roots)) => {
                RustlsConnectorConfig::default().with_parsable_certificates(roots.clone())
            }
            None => RustlsConnectorConfig::new_with_native_certs()?,
        };
        match &self.identity {
            Some(Identity { chain, key }) => {
                config.connector_with_single_cert(chain.clone(), key.clone_key())
            }
            None => config.connector_with_no_client_auth(),
        }
    }
}

/// Certificates of authorities that may vouch for a broker: at least one, all usable.
#[derive(Debug, Clone)]
pub struct Authorities(Vec<CertificateDer<'static>>);

impl Authorities {
    /// Reads all certificates of a PEM text; other things in it are passed over.
    ///
    /// # Errors
    ///
    /// [`PemFault`]: one that cannot be used is not left out in silence.
    pub fn from_pem(pem: &[u8]) -> Result<Authorities, PemFault> {
        let roots = certificates(pem)?;
        let mut store = RootCertStore::empty();
        for (root, number) in roots.iter().zip(1..) {
            let usable = store.add(root.clone());
            usable.map_err(|_| PemFault::Certificate { number })?;
        }
        Ok(Authorities(roots))
    }
}

/// A certificate to log in with, its chain and its key.
#[derive(Debug, Clone)]
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: Arc<PrivateKeyDer<'static>>,
}

impl Identity {
    /// Reads a chain, leaf first, and the leaf's key (PKCS#8), both in PEM.
    ///
    /// # Errors
    ///
    /// [`IdentityFault`].
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Identity, IdentityFault> {
        let chain = certificates(chain)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| IdentityFault::Key)?;
        Ok(Identity {
            chain,
            key: Arc::new(key),
        })
    }
}

/// Why a PEM text gives no certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PemFault {
    /// There is none in it.
    #[error("no certificate in PEM")]
    Absent,
    /// One of them is damaged or cannot serve.
    #[error("certificate {number} cannot be used")]
    Certificate {
        /// Which, from 1.
        number: usize,
    },
}

/// Why there is no identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentityFault {
    /// The chain.
    #[error(transparent)]
    Chain(#[from] PemFault),
    /// The key.
    #[error("no private key in PEM")]
    Key,
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, PemFault> {
    let mut found = Vec::new();
    for (certificate, number) in CertificateDer::pem_slice_iter(pem).zip(1..) {
        found.push(certificate.map_err(|_| PemFault::Certificate { number })?);
    }
    if found.is_empty() {
        return Err(PemFault::Absent);
    }
    Ok(found)
}
