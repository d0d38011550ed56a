//! SignedData (RFC 5652 §5.1), read from DER.
//!
//! **Invariant**: only the structure is read here; nothing is believed.

use std::sync::Arc;

use crate::asn1::{Asn1Fault, Element, Reader, oid, tag};
use crate::digest::Digest;
use crate::name::Name;
use crate::report::Failure;
use crate::snapshot::Snapshot;
use crate::x509::Certificate;

/// Signers and certificates that are read at most: files of the field have one or two signers, and long-term signatures
/// embed some thirty certificates.
const SIGNERS_MAX: usize = 32;
const CERTIFICATES_MAX: usize = 128;

pub(super) struct SignedData<'a> {
    /// Content octets of the identifier.
    pub(super) content_type: &'a [u8],
    pub(super) content: Option<&'a [u8]>,
    pub(super) certificates: Vec<Arc<Certificate>>,
    pub(super) signers: Vec<SignerInfo<'a>>,
}

pub(super) struct SignerInfo<'a> {
    pub(super) identifier: SignerIdentifier<'a>,
    pub(super) digest_algorithm: Element<'a>,
    /// `[0] IMPLICIT SET OF Attribute`, as it stands.
    pub(super) signed_attributes: Option<Element<'a>>,
    pub(super) signature_algorithm: Element<'a>,
    pub(super) value: &'a [u8],
    pub(super) unsigned_attributes: Option<Element<'a>>,
}

pub(super) enum SignerIdentifier<'a> {
    IssuerAndSerial(Name, &'a [u8]),
    KeyIdentifier(&'a [u8]),
}

impl SignerIdentifier<'_> {
    pub(super) fn names(&self, certificate: &Certificate) -> bool {
        match self {
            Self::IssuerAndSerial(issuer, serial) => {
                certificate.serial() == *serial && certificate.issuer() == issuer
            }
            Self::KeyIdentifier(identifier) => certificate.subject_key_identifier() == Some(*identifier),
        }
    }
}

impl<'a> SignedData<'a> {
    /// Reads a ContentInfo of SignedData. Certificates that the snapshot knows are taken from there.
    pub(super) fn read(der: &'a [u8], snapshot: Option<&Snapshot>) -> Result<Self, Failure> {
        Self::read_structure(der, snapshot).map_err(Failure::Structure)?
    }

    fn read_structure(
        der: &'a [u8],
        snapshot: Option<&Snapshot>,
    ) -> Result<Result<Self, Failure>, Asn1Fault> {
        let mut info = Reader::sole(der, tag::SEQUENCE)?.reader();
        if info.object_identifier()? != oid::CONTENT_SIGNED_DATA.as_bytes() {
            return Err(Asn1Fault::Unexpected);
        }
        let explicit = info.expect(tag::context_constructed(0))?;
        info.finish()?;
        let mut body = Reader::sole(explicit.content, tag::SEQUENCE)?.reader();
        body.integer()?;
        // digestAlgorithms announces what the SignerInfos say themselves; those are what counts.
        body.expect(tag::SET)?;
        let mut encapsulated = body.sequence()?;
        let content_type = encapsulated.object_identifier()?;
        let content = match encapsulated.optional(tag::context_constructed(0))? {
            Some(explicit) => Some(Reader::sole(explicit.content, tag::OCTET_STRING)?.content),
            None => None,
        };
        encapsulated.finish()?;
        let certificates = match body.optional(tag::context_constructed(0))? {
            Some(set) => read_certificates(set.reader(), snapshot)?,
            None => Some(Vec::new()),
        };
        body.optional(tag::context_constructed(1))?;
        let mut infos = body.enter(tag::SET)?;
        body.finish()?;
        let mut signers = Vec::new();
        while !infos.is_empty() && signers.len() <= SIGNERS_MAX {
            signers.push(SignerInfo::read(infos.sequence()?)?);
        }
        Ok(match certificates {
            Some(certificates) if signers.len() <= SIGNERS_MAX => Ok(Self {
                content_type,
                content,
                certificates,
                signers,
            }),
            Some(_) | None => Err(Failure::TooLarge),
        })
    }
}

/// CertificateSet: what is no certificate that can be read is left out, for it cannot be needed; `None` for too many.
fn read_certificates(
    mut set: Reader<'_>,
    snapshot: Option<&Snapshot>,
) -> Result<Option<Vec<Arc<Certificate>>>, Asn1Fault> {
    let mut certificates: Vec<Arc<Certificate>> = Vec::new();
    let mut count = 0_usize;
    while !set.is_empty() {
        let choice = set.next()?;
        count += 1;
        if count > CERTIFICATES_MAX {
            return Ok(None);
        }
        if choice.tag != tag::SEQUENCE {
            continue;
        }
        let known = snapshot.and_then(|snapshot| snapshot.certificate(&Digest::of(choice.whole)));
        let certificate = match known {
            Some(known) => Arc::clone(known),
            None => match Certificate::from_der(choice.whole) {
                Ok(certificate) => Arc::new(certificate),
                Err(_) => continue,
            },
        };
        if !certificates.contains(&certificate) {
            certificates.push(certificate);
        }
    }
    Ok(Some(certificates))
}

impl<'a> SignerInfo<'a> {
    fn read(mut body: Reader<'a>) -> Result<Self, Asn1Fault> {
        body.integer()?;
        let identifier = match body.peek() {
            Some(tag::SEQUENCE) => {
                let mut pair = body.sequence()?;
                let issuer = Name::read(&pair.next()?)?;
                let serial = pair.integer()?;
                pair.finish()?;
                SignerIdentifier::IssuerAndSerial(issuer, serial)
            }
            Some(_) | None => SignerIdentifier::KeyIdentifier(body.expect(tag::context(0))?.content),
        };
        let digest_algorithm = body.expect(tag::SEQUENCE)?;
        let signed_attributes = body.optional(tag::context_constructed(0))?;
        let signature_algorithm = body.expect(tag::SEQUENCE)?;
        let value = body.expect(tag::OCTET_STRING)?.content;
        let unsigned_attributes = body.optional(tag::context_constructed(1))?;
        body.finish()?;
        Ok(Self {
            identifier,
            digest_algorithm,
            signed_attributes,
            signature_algorithm,
            value,
            unsigned_attributes,
        })
    }
}
