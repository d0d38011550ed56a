//! What an OCSP responder is asked with (RFC 6960 §4.1; the profile of RFC 5019 §2.1).
//!
//! Stands on the side of whoever fetches: the bytes are sent by the trust keeper.
//!
//! **Invariant**: one certificate a request, unsigned, and no randomness: a nonce is given by whoever asks.

use super::{CertificateId, OcspNonce};
use crate::algorithm::DigestAlgorithm;
use crate::asn1::{oid, tag, write};
use crate::x509::Certificate;

/// A request about one certificate.
#[derive(Clone, Debug)]
pub struct OcspRequest<'a> {
    /// The certificate in question.
    pub certificate: &'a Certificate,
    /// Its issuer.
    pub issuer: &'a Certificate,
    /// The digest that names them. Responders need to know SHA-1 only (RFC 5019 §2.1.1), and it only names.
    pub digest: DigestAlgorithm,
    /// What the answer is to repeat. Responders that prepare their answers ahead repeat none (RFC 5019 §4).
    pub nonce: Option<OcspNonce>,
}

impl<'a> OcspRequest<'a> {
    /// The request that every responder understands: SHA-1, no nonce.
    pub fn new(certificate: &'a Certificate, issuer: &'a Certificate) -> Self {
        Self {
            certificate,
            issuer,
            digest: DigestAlgorithm::Sha1,
            nonce: None,
        }
    }

    /// The OCSPRequest in DER, to be posted as `application/ocsp-request`.
    pub fn to_der(&self) -> Vec<u8> {
        let id = CertificateId::of(self.certificate, self.issuer, self.digest);
        let request = write::element(tag::SEQUENCE, &id.to_der());
        let requests = write::element(tag::SEQUENCE, &request);
        let extensions = self.nonce.as_ref().map(nonce_extensions).unwrap_or_default();
        let signed = write::constructed(tag::SEQUENCE, &[&requests, &extensions]);
        write::element(tag::SEQUENCE, &signed)
    }
}

impl CertificateId {
    /// The digest's parameters are NULL: what responders compare with was written so by the tools they know.
    pub(crate) fn to_der(&self) -> Vec<u8> {
        let digest = write::object_identifier(&self.digest.oid());
        write::constructed(
            tag::SEQUENCE,
            &[
                &write::constructed(tag::SEQUENCE, &[&digest, &[tag::NULL, 0]]),
                &write::element(tag::OCTET_STRING, &self.issuer_name),
                &write::element(tag::OCTET_STRING, &self.issuer_key),
                &write::element(tag::INTEGER, &self.serial),
            ],
        )
    }
}

/// requestExtensions `[2]` with the nonce alone: an OCTET STRING within that of the extension (RFC 9654 §2.1).
fn nonce_extensions(nonce: &OcspNonce) -> Vec<u8> {
    let value = write::element(tag::OCTET_STRING, nonce.octets());
    let extension = write::constructed(
        tag::SEQUENCE,
        &[
            &write::object_identifier(&oid::OCSP_NONCE),
            &write::element(tag::OCTET_STRING, &value),
        ],
    );
    let extensions = write::element(tag::SEQUENCE, &extension);
    write::element(tag::context_constructed(2), &extensions)
}
