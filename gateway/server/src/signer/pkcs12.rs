//! A key and its certificates out of a PKCS#12 file (RFC 7292), as OpenSSL, Windows and Java write it.
//!
//! **Invariant:** nothing is decrypted before the MAC has proven the password and the file.
//! **Invariant:** size, bags and iterations are bounded before they cost anything: what a file asks for is told by itself,
//! and nothing in it is proven until the first derivation is paid for.

mod unlock;

use std::io::Read;
use std::path::Path;

use cms::content_info::ContentInfo;
use cms::encrypted_data::EncryptedData;
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5911::{ID_DATA, ID_ENCRYPTED_DATA};
use der::asn1::{ContextSpecific, OctetString};
use der::{Any, Decode, Encode};
use pkcs12::authenticated_safe::AuthenticatedSafe;
use pkcs12::cert_type::CertBag;
use pkcs12::pbe_params::EncryptedPrivateKeyInfo;
use pkcs12::pfx::Pfx;
use pkcs12::safe_bag::SafeContents;
use pkcs12::{
    PKCS_12_CERT_BAG_OID, PKCS_12_KEY_BAG_OID, PKCS_12_PKCS8_KEY_BAG_OID, PKCS_12_SAFE_CONTENTS_BAG_OID,
    PKCS_12_X509_CERT_OID,
};
use secrecy::zeroize::Zeroizing;
use trust::{Certificate, SoftwareKey};

use crate::config::Secret;
use unlock::Unlocker;

/// Octets of a file at most: a key with some certificates has less than ten thousand.
const OCTETS_MAX: u64 = 1 << 20;

/// Bags in a file at most: keys, certificates and whatever else.
const BAGS_MAX: usize = 64;

/// Why a PKCS#12 file gives no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Pkcs12Fault {
    /// More than `OCTETS_MAX`.
    #[error("larger than {OCTETS_MAX} octets")]
    Size,
    /// More than `BAGS_MAX`.
    #[error("more than {BAGS_MAX} keys and certificates")]
    Bags,
    /// More iterations of key derivation than are computed.
    #[error("more than {} iterations", unlock::ITERATIONS_MAX)]
    Iterations,
    /// Not PKCS#12 in DER.
    #[error("not PKCS#12 in DER")]
    Malformed,
    /// No MAC, which alone proves that password and contents are right.
    #[error("no MAC")]
    Unproven,
    /// An algorithm that is not read.
    #[error("the algorithm {0} is not read")]
    Algorithm(ObjectIdentifier),
    /// The MAC is not that of the password.
    #[error("the password is wrong, or the file damaged")]
    Password,
    /// No private key.
    #[error("no private key")]
    KeyAbsent,
    /// Several private keys.
    #[error("several private keys")]
    KeyAmbiguous,
    /// Neither P-256 nor RSA of 2048 bits or more.
    #[error("the key is neither P-256 nor RSA of 2048 bits or more")]
    KeyUnfit,
    /// No certificate.
    #[error("no certificate beside the key")]
    CertificateAbsent,
    /// What should be a certificate is none.
    #[error("a certificate cannot be read")]
    CertificateUnfit,
    /// No certificate is that of the key.
    #[error("no certificate belongs to the key")]
    Mismatch,
}

/// What a file holds.
pub(super) struct Contents {
    pub(super) key: SoftwareKey,
    /// As they stand there.
    pub(super) certificates: Vec<Certificate>,
}

/// Keys in PKCS#8 and certificates, while bags are read.
#[derive(Default)]
struct Found {
    bags: usize,
    keys: Vec<Zeroizing<Vec<u8>>>,
    certificates: Vec<Certificate>,
}

/// Reads a file, though not more of it than may be.
pub(super) fn read(path: &Path) -> std::io::Result<Result<Vec<u8>, Pkcs12Fault>> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path)?;
    file.take(OCTETS_MAX + 1).read_to_end(&mut bytes)?;
    let is_small = u64::try_from(bytes.len()).is_ok_and(|octets| octets <= OCTETS_MAX);
    Ok(if is_small {
        Ok(bytes)
    } else {
        Err(Pkcs12Fault::Size)
    })
}

/// Opens what was read with its password.
pub(super) fn open(bytes: &[u8], password: &Secret) -> Result<Contents, Pkcs12Fault> {
    let pfx = Pfx::from_der(bytes).map_err(malformed)?;
    if pfx.auth_safe.content_type != ID_DATA {
        return Err(Pkcs12Fault::Algorithm(pfx.auth_safe.content_type));
    }
    let mac = pfx.mac_data.ok_or(Pkcs12Fault::Unproven)?;
    let safes = octets(&pfx.auth_safe.content)?;
    let mut unlocker = Unlocker::new(password);
    unlocker.prove(&mac, safes.as_bytes())?;
    let mut found = Found::default();
    for safe in AuthenticatedSafe::from_der(safes.as_bytes()).map_err(malformed)? {
        found.read(&open_safe(&safe, &mut unlocker)?, &mut unlocker)?;
    }
    let key = match &found.keys[..] {
        [key] => SoftwareKey::from_pkcs8(key).map_err(|_| Pkcs12Fault::KeyUnfit)?,
        [] => return Err(Pkcs12Fault::KeyAbsent),
        _ => return Err(Pkcs12Fault::KeyAmbiguous),
    };
    if found.certificates.is_empty() {
        return Err(Pkcs12Fault::CertificateAbsent);
    }
    Ok(Contents {
        key,
        certificates: found.certificates,
    })
}

/// The bags of a safe, in DER.
fn open_safe(safe: &ContentInfo, unlocker: &mut Unlocker<'_>) -> Result<Zeroizing<Vec<u8>>, Pkcs12Fault> {
    match safe.content_type {
        ID_DATA => Ok(Zeroizing::new(octets(&safe.content)?.as_bytes().to_vec())),
        ID_ENCRYPTED_DATA => {
            let data: EncryptedData = safe.content.decode_as().map_err(malformed)?;
            let content = data.enc_content_info;
            let encrypted = content.encrypted_content.ok_or(Pkcs12Fault::Malformed)?;
            unlocker.decrypt(&content.content_enc_alg, encrypted.as_bytes())
        }
        other => Err(Pkcs12Fault::Algorithm(other)),
    }
}

impl Found {
    /// Reads the bags of a safe. Those of other kinds (CRLs, secrets) are left alone.
    fn read(&mut self, bags: &[u8], unlocker: &mut Unlocker<'_>) -> Result<(), Pkcs12Fault> {
        for bag in SafeContents::from_der(bags).map_err(malformed)? {
            self.bags += 1;
            if self.bags > BAGS_MAX {
                return Err(Pkcs12Fault::Bags);
            }
            match bag.bag_id {
                PKCS_12_CERT_BAG_OID => {
                    let bag: CertBag = value(&bag.bag_value)?;
                    if bag.cert_id != PKCS_12_X509_CERT_OID {
                        return Err(Pkcs12Fault::Algorithm(bag.cert_id));
                    }
                    let certificate = Certificate::from_der(bag.cert_value.as_bytes());
                    self.certificates
                        .push(certificate.map_err(|_| Pkcs12Fault::CertificateUnfit)?);
                }
                PKCS_12_PKCS8_KEY_BAG_OID => {
                    let bag: EncryptedPrivateKeyInfo = value(&bag.bag_value)?;
                    let key = unlocker.decrypt(&bag.encryption_algorithm, bag.encrypted_data.as_bytes())?;
                    self.keys.push(key);
                }
                PKCS_12_KEY_BAG_OID => {
                    let key: Any = value(&bag.bag_value)?;
                    self.keys.push(Zeroizing::new(key.to_der().map_err(malformed)?));
                }
                // Nobody writes bags within bags; one that was left alone might hold a key.
                PKCS_12_SAFE_CONTENTS_BAG_OID => return Err(Pkcs12Fault::Algorithm(bag.bag_id)),
                _ => {}
            }
        }
        Ok(())
    }
}

/// What a bag holds: `[0] EXPLICIT`.
fn value<T>(bag: &[u8]) -> Result<T, Pkcs12Fault>
where
    T: for<'a> Decode<'a> + der::Tagged,
{
    let value = ContextSpecific::<T>::from_der(bag).map_err(malformed)?;
    Ok(value.value)
}

fn octets(content: &Any) -> Result<OctetString, Pkcs12Fault> {
    content.decode_as().map_err(malformed)
}

/// What DER readers say is of no use to whoever has such a file.
fn malformed(fault: der::Error) -> Pkcs12Fault {
    if let der::ErrorKind::OidUnknown { oid } = fault.kind() {
        Pkcs12Fault::Algorithm(oid)
    } else {
        Pkcs12Fault::Malformed
    }
}

#[cfg(test)]
mod tests;
