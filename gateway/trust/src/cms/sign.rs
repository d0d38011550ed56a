//! Our own signatures: receipts, and the documents of tests and demonstrations.
//!
//! **Invariant**: what is made here, `openssl cms -verify` and this crate accept: SHA-256, signed attributes
//! content-type, message-digest, signing-time and signing-certificate-v2 (CAdES-B, ETSI EN 319 122-1 §6.3).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};

use crate::algorithm::{DigestAlgorithm, SignatureAlgorithm};
use crate::asn1::{oid, tag, write};
use crate::time::Time;
use crate::x509::Certificate;

/// What is signed, and whether it travels inside the signature.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// Inside (eContent).
    Attached(&'a [u8]),
    /// Beside.
    Detached(&'a [u8]),
}

/// Why a signature could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignFault {
    /// No certificate was given: the first is the signer's.
    #[error("no certificate to sign with")]
    CertificateAbsent,
    /// Neither a PKCS#8 key in DER or PEM, nor of a kind that signs here (P-256, RSA of 2048 bits or more).
    #[error("not a private key that can sign")]
    Key,
    /// An algorithm that the signer cannot be asked for.
    #[error("the algorithm of the signer is not one that signs here")]
    Algorithm,
    /// The key did not sign.
    #[error("the key did not sign")]
    Signing,
}

/// Whoever holds a private key: in memory, or in a token.
pub trait Signer {
    /// The algorithm of its signatures: ECDSA or RSA PKCS#1, with SHA-256.
    fn algorithm(&self) -> SignatureAlgorithm;

    /// Signs a message (not its digest).
    ///
    /// # Errors
    /// `Signing` where the key fails.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignFault>;
}

/// A private key in memory.
pub struct SoftwareKey {
    pair: Pair,
}

enum Pair {
    P256(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

impl SoftwareKey {
    /// Reads a PKCS#8 PrivateKeyInfo, in DER or as a PEM block PRIVATE KEY: P-256, or RSA of 2048 to 8192 bits.
    ///
    /// # Errors
    /// `Key` for anything else, encrypted keys included.
    pub fn from_pkcs8(bytes: &[u8]) -> Result<Self, SignFault> {
        let block = crate::pem::blocks(bytes, "PRIVATE KEY").into_iter().next();
        let der = block.as_deref().unwrap_or(bytes);
        if let Ok(pair) = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der) {
            return Ok(Self {
                pair: Pair::P256(pair),
            });
        }
        let pair = RsaKeyPair::from_pkcs8(der).map_err(|_| SignFault::Key)?;
        Ok(Self {
            pair: Pair::Rsa(pair),
        })
    }
}

impl Signer for SoftwareKey {
    fn algorithm(&self) -> SignatureAlgorithm {
        match self.pair {
            Pair::P256(_) => SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256),
            Pair::Rsa(_) => SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha256),
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignFault> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::P256(pair) => {
                let value = pair.sign(&random, message).map_err(|_| SignFault::Signing)?;
                Ok(value.as_ref().to_vec())
            }
            Pair::Rsa(pair) => {
                let mut value = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut value)
                    .map_err(|_| SignFault::Signing)?;
                Ok(value)
            }
        }
    }
}

/// Makes a CMS SignedData in DER. The first certificate is the signer's; all are embedded, in this order of merit but
/// the order of DER. `at` becomes signing-time, to the second.
///
/// # Errors
/// See [`SignFault`].
pub fn sign(
    content: Content<'_>,
    signer: &dyn Signer,
    certificates: &[&Certificate],
    at: Time,
) -> Result<Vec<u8>, SignFault> {
    let certificate = certificates.first().ok_or(SignFault::CertificateAbsent)?;
    let (octets, attached) = match content {
        Content::Attached(octets) => (octets, Some(octets)),
        Content::Detached(octets) => (octets, None),
    };
    let attributes = signed_attributes(octets, certificate, at);
    let value = signer.sign(&write::set_of(tag::SET, attributes.clone()))?;
    let digest_algorithm = digest_identifier();
    let signer_info = write::constructed(
        tag::SEQUENCE,
        &[
            &[tag::INTEGER, 1, 1],
            &issuer_and_serial(certificate),
            &digest_algorithm,
            &write::set_of(tag::context_constructed(0), attributes),
            &signature_identifier(signer.algorithm())?,
            &write::element(tag::OCTET_STRING, &value),
        ],
    );
    let embedded = write::set_of(
        tag::context_constructed(0),
        certificates
            .iter()
            .map(|certificate| certificate.der().to_vec())
            .collect(),
    );
    let signed_data = write::constructed(
        tag::SEQUENCE,
        &[
            &[tag::INTEGER, 1, 1],
            &write::element(tag::SET, &digest_algorithm),
            &encapsulated(attached),
            &embedded,
            &write::element(tag::SET, &signer_info),
        ],
    );
    let explicit = write::element(tag::context_constructed(0), &signed_data);
    Ok(write::constructed(
        tag::SEQUENCE,
        &[&write::object_identifier(&oid::CONTENT_SIGNED_DATA), &explicit],
    ))
}

fn encapsulated(content: Option<&[u8]>) -> Vec<u8> {
    let content = content.map(|octets| {
        write::element(
            tag::context_constructed(0),
            &write::element(tag::OCTET_STRING, octets),
        )
    });
    write::constructed(
        tag::SEQUENCE,
        &[
            &write::object_identifier(&oid::CONTENT_DATA),
            &content.unwrap_or_default(),
        ],
    )
}

fn signed_attributes(content: &[u8], certificate: &Certificate, at: Time) -> Vec<Vec<u8>> {
    let digest = DigestAlgorithm::Sha256.digest(&[content]);
    vec![
        attribute(
            &oid::ATTRIBUTE_CONTENT_TYPE,
            &write::object_identifier(&oid::CONTENT_DATA),
        ),
        attribute(
            &oid::ATTRIBUTE_MESSAGE_DIGEST,
            &write::element(tag::OCTET_STRING, digest.as_ref()),
        ),
        attribute(&oid::ATTRIBUTE_SIGNING_TIME, &write::time(at)),
        attribute(
            &oid::ATTRIBUTE_SIGNING_CERTIFICATE_V2,
            &certificate_reference(certificate),
        ),
    ]
}

fn attribute(oid: &const_oid::ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    write::constructed(
        tag::SEQUENCE,
        &[&write::object_identifier(oid), &write::element(tag::SET, value)],
    )
}

/// SigningCertificateV2 with SHA-256, which is the default and therefore not written (RFC 5035 §3).
fn certificate_reference(certificate: &Certificate) -> Vec<u8> {
    let hash = write::element(tag::OCTET_STRING, certificate.fingerprint().as_bytes());
    let issuer = write::element(tag::context_constructed(4), certificate.issuer().der());
    let names = write::element(tag::SEQUENCE, &issuer);
    let serial = write::element(tag::INTEGER, certificate.serial());
    let reference = write::constructed(
        tag::SEQUENCE,
        &[&hash, &write::constructed(tag::SEQUENCE, &[&names, &serial])],
    );
    write::element(tag::SEQUENCE, &write::element(tag::SEQUENCE, &reference))
}

fn issuer_and_serial(certificate: &Certificate) -> Vec<u8> {
    let serial = write::element(tag::INTEGER, certificate.serial());
    write::constructed(tag::SEQUENCE, &[certificate.issuer().der(), &serial])
}

fn digest_identifier() -> Vec<u8> {
    write::constructed(
        tag::SEQUENCE,
        &[&write::object_identifier(&oid::DIGEST_SHA256), &[tag::NULL, 0]],
    )
}

/// RFC 5754 §3: RSA with NULL parameters, ECDSA without any.
fn signature_identifier(algorithm: SignatureAlgorithm) -> Result<Vec<u8>, SignFault> {
    match algorithm {
        SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha256) => Ok(write::constructed(
            tag::SEQUENCE,
            &[&write::object_identifier(&oid::RSA_ENCRYPTION), &[tag::NULL, 0]],
        )),
        SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256) => Ok(write::element(
            tag::SEQUENCE,
            &write::object_identifier(&oid::ECDSA_SHA256),
        )),
        SignatureAlgorithm::RsaPkcs1(_)
        | SignatureAlgorithm::RsaPss(_)
        | SignatureAlgorithm::Ecdsa(_)
        | SignatureAlgorithm::Ed25519 => Err(SignFault::Algorithm),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::Reader;

    #[test]
    fn what_is_no_key_is_refused() {
        for bytes in [
            &b""[..],
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
            &[0x30, 0],
        ] {
            assert!(matches!(SoftwareKey::from_pkcs8(bytes), Err(SignFault::Key)));
        }
    }

    #[test]
    fn the_identifier_of_the_digest_reads_again() {
        let identifier = digest_identifier();
        let element = Reader::sole(&identifier, tag::SEQUENCE).expect("one element");
        assert_eq!(DigestAlgorithm::read(&element), Ok(Some(DigestAlgorithm::Sha256)));
    }
}
