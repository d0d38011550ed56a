//! Document time-stamps, as far as the file is concerned: is the token over what its ByteRange says?
//!
//! Stands beside `signature`. Whose clock it was and whether that is to be believed is decided elsewhere.

use std::sync::Arc;

use aws_lc_rs::digest::Digest;

use crate::algorithm::DigestAlgorithm;
use crate::asn1::{Asn1Fault, Element, Limits, Normal, Reader, oid, tag};
use crate::cms;
use crate::policy::Policy;
use crate::report::Failure;
use crate::time::Time;
use crate::x509::Certificate;

/// Whether the token is an intact signature (RFC 3161 §2.4.2) over the digest that `covered` gives.
pub(super) fn integrity(
    token: &[u8],
    covered: &dyn Fn(DigestAlgorithm) -> Digest,
    policy: &Policy,
    now: Time,
) -> Result<Arc<Certificate>, Failure> {
    let mut signers = cms::integrity(token, None, policy, now);
    let signer = signers.pop().ok_or(Failure::SignerAbsent)??;
    if !signers.is_empty() {
        return Err(Failure::SignerRepeated);
    }
    let normal = Normal::read(token, &Limits::SIGNATURE).map_err(Failure::Structure)?;
    let information = content(normal.der()).map_err(Failure::Structure)?;
    let information = information.ok_or(Failure::ContentType)?;
    let (algorithm, digest) = imprint(information).map_err(Failure::Structure)?;
    let algorithm = DigestAlgorithm::read(&algorithm)
        .map_err(Failure::Structure)?
        .ok_or(Failure::DigestAlgorithmUnknown)?;
    if !policy.algorithms.permits_digest(algorithm, now) {
        return Err(Failure::DigestRefused(algorithm));
    }
    if covered(algorithm).as_ref() != digest {
        return Err(Failure::DigestMismatch);
    }
    Ok(signer)
}

/// The encapsulated TSTInfo; `None` for another type of content.
fn content(der: &[u8]) -> Result<Option<&[u8]>, Asn1Fault> {
    let mut info = Reader::sole(der, tag::SEQUENCE)?.reader();
    info.object_identifier()?;
    let explicit = info.expect(tag::context_constructed(0))?;
    let mut signed = Reader::sole(explicit.content, tag::SEQUENCE)?.reader();
    signed.integer()?;
    signed.expect(tag::SET)?;
    let mut encapsulated = signed.sequence()?;
    if encapsulated.object_identifier()? != oid::CONTENT_TST_INFO.as_bytes() {
        return Ok(None);
    }
    let explicit = encapsulated.expect(tag::context_constructed(0))?;
    Ok(Some(Reader::sole(explicit.content, tag::OCTET_STRING)?.content))
}

/// messageImprint of a TSTInfo: the algorithm and the digest.
fn imprint(information: &[u8]) -> Result<(Element<'_>, &[u8]), Asn1Fault> {
    let mut information = Reader::sole(information, tag::SEQUENCE)?.reader();
    information.integer()?;
    information.object_identifier()?;
    let mut imprint = information.sequence()?;
    let algorithm = imprint.expect(tag::SEQUENCE)?;
    let digest = imprint.expect(tag::OCTET_STRING)?.content;
    imprint.finish()?;
    Ok((algorithm, digest))
}
