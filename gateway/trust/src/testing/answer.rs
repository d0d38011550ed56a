//! OCSP answers written by hand, of which every part can be spoilt.

use std::sync::Arc;

use super::{Authority, IsCritical, Leaf, list_extension as extension, now};
use crate::algorithm::DigestAlgorithm;
use crate::asn1::{oid, tag, write};
use crate::ocsp::{CertificateId, OcspAnswer, OcspFault};
use crate::time::Time;
use crate::x509::Certificate;

pub(crate) const GOOD: &[u8] = &[0x80, 0];
pub(crate) const UNKNOWN: &[u8] = &[0x82, 0];

/// An answer about one certificate that is yet to be signed; every part can be spoilt.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) id: Vec<u8>,
    pub(crate) status: Vec<u8>,
    pub(crate) this_update: Time,
    pub(crate) next_update: Option<Time>,
    pub(crate) single_extensions: Vec<u8>,
    /// SingleResponses before this one.
    pub(crate) singles: Vec<u8>,
    pub(crate) version: Vec<u8>,
    pub(crate) responder: Vec<u8>,
    pub(crate) produced_at: Time,
    pub(crate) extensions: Vec<u8>,
    pub(crate) algorithm: Vec<u8>,
    pub(crate) certificates: Vec<Arc<Certificate>>,
    pub(crate) write_time: fn(Time) -> Vec<u8>,
}

pub(crate) fn generalized(time: Time) -> Vec<u8> {
    let digits = time
        .to_string()
        .bytes()
        .filter(u8::is_ascii_digit)
        .take(14)
        .collect();
    write::element(tag::GENERALIZED_TIME, &[digits, vec![b'Z']].concat())
}

pub(crate) fn by_name(certificate: &Certificate) -> Vec<u8> {
    write::element(0xA1, certificate.subject().der())
}

pub(crate) fn by_key(certificate: &Certificate) -> Vec<u8> {
    let digest = DigestAlgorithm::Sha1.digest(&[certificate.key().octets()]);
    write::element(0xA2, &write::element(tag::OCTET_STRING, digest.as_ref()))
}

pub(crate) fn revoked(at: Time, reason: &[u8]) -> Vec<u8> {
    write::constructed(0xA1, &[&generalized(at), reason])
}

pub(crate) fn reason(code: u8) -> Vec<u8> {
    write::element(0xA0, &[tag::ENUMERATED, 1, code])
}

/// Extensions under their tag `[1]`.
pub(crate) fn extensions(all: &[Vec<u8>]) -> Vec<u8> {
    write::element(0xA1, &write::element(tag::SEQUENCE, &all.concat()))
}

pub(crate) fn nonce_extension(octets: &[u8]) -> Vec<u8> {
    extension(
        &oid::OCSP_NONCE,
        false,
        &write::element(tag::OCTET_STRING, octets),
    )
}

impl Draft {
    /// Good, from a minute ago to a minute from now, in the name of the issuer.
    pub(crate) fn about(certificate: &Certificate, issuer: &Certificate) -> Self {
        Self {
            id: CertificateId::of(certificate, issuer, DigestAlgorithm::Sha1).to_der(),
            status: GOOD.to_vec(),
            this_update: now().plus_seconds(-60),
            next_update: Some(now().plus_seconds(60)),
            single_extensions: Vec::new(),
            singles: Vec::new(),
            version: Vec::new(),
            responder: by_name(issuer),
            produced_at: now().plus_seconds(-60),
            extensions: Vec::new(),
            algorithm: write::element(tag::SEQUENCE, &write::object_identifier(&oid::ECDSA_SHA256)),
            certificates: Vec::new(),
            write_time: generalized,
        }
    }

    pub(crate) fn single(&self) -> Vec<u8> {
        let next_update = self
            .next_update
            .map(|next| write::element(0xA0, &(self.write_time)(next)));
        write::constructed(
            tag::SEQUENCE,
            &[
                &self.id,
                &self.status,
                &(self.write_time)(self.this_update),
                &next_update.unwrap_or_default(),
                &self.single_extensions,
            ],
        )
    }

    /// The BasicOCSPResponse.
    pub(crate) fn basic(&self, sign: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
        let singles = [&self.singles[..], &self.single()].concat();
        let signed = write::constructed(
            tag::SEQUENCE,
            &[
                &self.version,
                &self.responder,
                &(self.write_time)(self.produced_at),
                &write::element(tag::SEQUENCE, &singles),
                &self.extensions,
            ],
        );
        let value = write::element(tag::BIT_STRING, &[vec![0], sign(&signed)].concat());
        let certificates: Vec<u8> = self
            .certificates
            .iter()
            .flat_map(|one| one.der())
            .copied()
            .collect();
        let certificates = if certificates.is_empty() {
            Vec::new()
        } else {
            write::element(0xA0, &write::element(tag::SEQUENCE, &certificates))
        };
        write::constructed(tag::SEQUENCE, &[&signed, &self.algorithm, &value, &certificates])
    }

    pub(crate) fn signed_by(&self, authority: &Authority) -> Result<OcspAnswer, OcspFault> {
        OcspAnswer::from_der(response(&self.basic(|octets| authority.sign(octets))))
    }

    /// Signed by a responder whom the issuer certified; its certificate comes with the answer.
    pub(crate) fn by_delegate(&self, responder: &Leaf) -> OcspAnswer {
        let draft = Draft {
            responder: by_name(&responder.certificate),
            certificates: vec![Arc::clone(&responder.certificate)],
            ..self.clone()
        };
        let basic = draft.basic(|octets| crate::Signer::sign(&responder.key, octets).expect("a signature"));
        OcspAnswer::from_der(response(&basic)).expect("an answer")
    }
}

/// The OCSPResponse around a BasicOCSPResponse.
pub(crate) fn response(basic: &[u8]) -> Vec<u8> {
    let body = write::constructed(
        tag::SEQUENCE,
        &[
            &write::object_identifier(&oid::OCSP_BASIC),
            &write::element(tag::OCTET_STRING, basic),
        ],
    );
    write::constructed(
        tag::SEQUENCE,
        &[&[tag::ENUMERATED, 1, 0], &write::element(0xA0, &body)],
    )
}

/// Makes a certificate that of a responder about which nobody has to ask (id-pkix-ocsp-nocheck, RFC 6960 §4.2.2.2.1).
pub(crate) fn unasked(params: &mut rcgen::CertificateParams) {
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::OcspSigning];
    let nocheck = super::extension(&[1, 3, 6, 1, 5, 5, 7, 48, 1, 5], &[5, 0], IsCritical::No);
    params.custom_extensions.push(nocheck);
}
