//! What an OCSP answer says (RFC 6960 §4.2.1).
//!
//! **Invariant**: strict DER, read to the last octet; what is not read here is either not critical or remembered as
//! unprocessed.

use std::ops::Range;
use std::sync::Arc;

use super::{CertificateId, CertificateStatus, Declined, OcspFault, OcspNonce, ResponderId, Single};
use crate::algorithm::{DigestAlgorithm, SignatureAlgorithm};
use crate::asn1::{Asn1Fault, Element, Reader, oid, read_time, tag};
use crate::crl::{Revocation, RevocationReason, read_invalidity_date, read_reason};
use crate::name::Name;
use crate::time::Time;
use crate::x509::{Certificate, ExtensionsReader};

/// Certificates of one answer. They are one in practice, with its issuers sometimes.
const CERTIFICATES_MAX: usize = 16;

/// Certificates that one answer speaks of. It is one in practice: that which was asked about.
const SINGLES_MAX: usize = 256;

/// The parts of an answer; ranges are those of the octets that were given.
pub(super) struct Parts {
    pub(super) to_be_signed: Range<usize>,
    pub(super) signature: Range<usize>,
    pub(super) signature_algorithm: Option<SignatureAlgorithm>,
    pub(super) certificates: Vec<Arc<Certificate>>,
    pub(super) data: Data,
}

/// ResponseData: the part that is signed.
pub(super) struct Data {
    pub(super) responder: ResponderId,
    pub(super) produced_at: Time,
    pub(super) singles: Vec<Single>,
    pub(super) nonce: Option<OcspNonce>,
    pub(super) has_unprocessed: bool,
}

/// Reads an OCSPResponse.
pub(super) fn response(der: &[u8]) -> Result<Parts, OcspFault> {
    let mut outer = Reader::sole(der, tag::SEQUENCE)?.reader();
    let declined = match outer.expect(tag::ENUMERATED)?.content {
        [0] => None,
        [1] => Some(Declined::MalformedRequest),
        [2] => Some(Declined::InternalError),
        [3] => Some(Declined::TryLater),
        [5] => Some(Declined::SignatureRequired),
        [6] => Some(Declined::Unauthorized),
        _ => return Err(Asn1Fault::Value.into()),
    };
    if let Some(declined) = declined {
        outer.finish()?;
        return Err(OcspFault::Declined(declined));
    }
    let bytes = outer.expect(tag::context_constructed(0))?;
    outer.finish()?;
    let mut body = Reader::sole(bytes.content, tag::SEQUENCE)?.reader();
    let response_type = body.object_identifier()?;
    let basic_der = body.expect(tag::OCTET_STRING)?.content;
    body.finish()?;
    if response_type != oid::OCSP_BASIC.as_bytes() {
        return Err(OcspFault::ResponseType);
    }
    basic_within(der, basic_der)
}

/// Reads a BasicOCSPResponse.
pub(super) fn basic(der: &[u8]) -> Result<Parts, OcspFault> {
    basic_within(der, der)
}

/// Reads a BasicOCSPResponse that is a part of `whole`.
fn basic_within(whole: &[u8], der: &[u8]) -> Result<Parts, OcspFault> {
    let range = |slice: &[u8]| {
        let start = slice.as_ptr() as usize - whole.as_ptr() as usize;
        start..start + slice.len()
    };
    let mut outer = Reader::sole(der, tag::SEQUENCE)?.reader();
    let signed = outer.expect(tag::SEQUENCE)?;
    let algorithm = outer.expect(tag::SEQUENCE)?;
    let signature = outer.bit_string_octets()?;
    let certificates = match outer.optional(tag::context_constructed(0))? {
        Some(explicit) => read_certificates(&explicit)?,
        None => Vec::new(),
    };
    outer.finish()?;
    Ok(Parts {
        to_be_signed: range(signed.whole),
        signature: range(signature),
        signature_algorithm: SignatureAlgorithm::read(&algorithm)?,
        certificates,
        data: read_data(&signed)?,
    })
}

/// They are no part of what is signed, and only one of them matters: one that cannot be read is as good as absent.
fn read_certificates(explicit: &Element<'_>) -> Result<Vec<Arc<Certificate>>, OcspFault> {
    let mut reader = Reader::sole(explicit.content, tag::SEQUENCE)?.reader();
    let mut certificates = Vec::new();
    let mut count = 0;
    while !reader.is_empty() {
        count += 1;
        if CERTIFICATES_MAX < count {
            return Err(OcspFault::Size);
        }
        let certificate = Certificate::from_der(reader.expect(tag::SEQUENCE)?.whole);
        certificates.extend(certificate.ok().map(Arc::new));
    }
    Ok(certificates)
}

fn read_data(signed: &Element<'_>) -> Result<Data, OcspFault> {
    let mut body = signed.reader();
    // v1 is the default, which DER leaves out; there is no other.
    if body.optional(tag::context_constructed(0))?.is_some() {
        return Err(OcspFault::Version);
    }
    let responder = read_responder(&body.next()?)?;
    let produced_at = read_generalized_time(&mut body)?;
    let mut list = body.sequence()?;
    let mut singles = Vec::new();
    let mut count = 0;
    while !list.is_empty() {
        count += 1;
        if SINGLES_MAX < count {
            return Err(OcspFault::Size);
        }
        singles.extend(read_single(list.sequence()?)?);
    }
    let mut data = Data {
        responder,
        produced_at,
        singles,
        nonce: None,
        has_unprocessed: false,
    };
    if let Some(extensions) = body.optional(tag::context_constructed(1))? {
        let mut reader = ExtensionsReader::new(&extensions)?;
        while let Some(extension) = reader.next()? {
            if extension.oid == oid::OCSP_NONCE.as_bytes() {
                let octets =
                    Reader::sole(extension.value, tag::OCTET_STRING).map_err(|_| OcspFault::Nonce)?;
                data.nonce = Some(OcspNonce::new(octets.content)?);
            } else {
                data.has_unprocessed |= extension.is_critical;
            }
        }
    }
    body.finish()?;
    Ok(data)
}

/// ResponderID ::= CHOICE { byName `[1]` Name, byKey `[2]` KeyHash }, both tags explicit.
fn read_responder(element: &Element<'_>) -> Result<ResponderId, Asn1Fault> {
    if element.tag == tag::context_constructed(1) {
        let name = Reader::sole(element.content, tag::SEQUENCE)?;
        return Name::read(&name).map(ResponderId::Name);
    }
    if element.tag == tag::context_constructed(2) {
        let key = Reader::sole(element.content, tag::OCTET_STRING)?.content;
        return key.try_into().map(ResponderId::Key).map_err(|_| Asn1Fault::Value);
    }
    Err(Asn1Fault::Unexpected)
}

/// One SingleResponse; `None`: about a certificate that is named with a digest that is not known here.
fn read_single(mut body: Reader<'_>) -> Result<Option<Single>, OcspFault> {
    let id = read_certificate_id(body.sequence()?)?;
    let mut status = read_status(&body.next()?)?;
    let this_update = read_generalized_time(&mut body)?;
    let next_update = match body.optional(tag::context_constructed(0))? {
        Some(explicit) => {
            let mut explicit = explicit.reader();
            let next_update = read_generalized_time(&mut explicit)?;
            explicit.finish()?;
            Some(next_update)
        }
        None => None,
    };
    let mut has_unprocessed = false;
    if let Some(extensions) = body.optional(tag::context_constructed(1))? {
        let mut reader = ExtensionsReader::new(&extensions)?;
        while let Some(extension) = reader.next()? {
            if extension.oid == oid::INVALIDITY_DATE.as_bytes() {
                // Since when the key is suspected (§4.4.5), as in lists.
                if let CertificateStatus::Revoked(revocation) = &mut status {
                    revocation.at = revocation.at.min(read_invalidity_date(extension.value));
                }
            } else {
                has_unprocessed |= extension.is_critical;
            }
        }
    }
    body.finish()?;
    Ok(id.map(|id| Single {
        id,
        status,
        this_update,
        next_update,
        has_unprocessed,
    }))
}

fn read_certificate_id(mut body: Reader<'_>) -> Result<Option<CertificateId>, Asn1Fault> {
    let digest = DigestAlgorithm::read(&body.expect(tag::SEQUENCE)?)?;
    let issuer_name = body.expect(tag::OCTET_STRING)?.content;
    let issuer_key = body.expect(tag::OCTET_STRING)?.content;
    let serial = body.integer()?;
    body.finish()?;
    Ok(digest.map(|digest| CertificateId {
        digest,
        issuer_name: issuer_name.into(),
        issuer_key: issuer_key.into(),
        serial: serial.into(),
    }))
}

/// CertStatus ::= CHOICE { good `[0]` NULL, revoked `[1]` RevokedInfo, unknown `[2]` NULL }, the tags implicit.
fn read_status(element: &Element<'_>) -> Result<CertificateStatus, Asn1Fault> {
    if element.whole == [tag::context(0), 0] {
        return Ok(CertificateStatus::Good);
    }
    if element.whole == [tag::context(2), 0] {
        return Ok(CertificateStatus::Unknown);
    }
    if element.tag != tag::context_constructed(1) {
        return Err(Asn1Fault::Unexpected);
    }
    let mut body = element.reader();
    let at = read_generalized_time(&mut body)?;
    let reason = match body.optional(tag::context_constructed(0))? {
        // Revoked it is in any case.
        Some(explicit) => read_reason(explicit.content).unwrap_or(RevocationReason::Unspecified),
        None => RevocationReason::Unspecified,
    };
    body.finish()?;
    if reason == RevocationReason::RemovedFromList {
        // It ends a revocation, in delta lists only, and contradicts this status.
        return Err(Asn1Fault::Value);
    }
    Ok(CertificateStatus::Revoked(Revocation { at, reason }))
}

/// GeneralizedTime in the form of RFC 5280 §4.1.2.5.2 (RFC 6960 §4.2.2.1).
fn read_generalized_time(reader: &mut Reader<'_>) -> Result<Time, Asn1Fault> {
    read_time(&reader.expect(tag::GENERALIZED_TIME)?)
}
