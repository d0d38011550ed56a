//! Signed attributes (RFC 5652 §5.3, §11; RFC 5035).
//!
//! **Invariant**: an attribute that is used occurs once, with one value.

use crate::algorithm::{DigestAlgorithm, NamedAlgorithm};
use crate::asn1::{Asn1Fault, Element, Reader, oid, read_time, tag, write};
use crate::name::Name;
use crate::report::{Failure, SignedAttribute};
use crate::time::Time;
use crate::x509::Certificate;

/// The signed attributes that are read here, each as its one value.
#[derive(Default)]
pub(super) struct SignedAttributes<'a> {
    content_type: Option<Element<'a>>,
    message_digest: Option<Element<'a>>,
    signing_time: Option<Element<'a>>,
    signing_certificate: Option<Element<'a>>,
    signing_certificate_v2: Option<Element<'a>>,
    algorithm_protection: Option<Element<'a>>,
    signature_policy: Option<Element<'a>>,
}

impl<'a> SignedAttributes<'a> {
    pub(super) fn read(set: &Element<'a>) -> Result<Self, Failure> {
        let mut attributes = Self::default();
        let mut reader = set.reader();
        while !reader.is_empty() {
            let (oid, values) = read_attribute(&mut reader).map_err(Failure::Structure)?;
            let Some((name, slot)) = attributes.slot(oid) else {
                continue;
            };
            let mut values = values.reader();
            let value = values.next().map_err(|_| Failure::AttributeMalformed(name))?;
            if slot.is_some() || !values.is_empty() {
                return Err(Failure::AttributeRepeated(name));
            }
            *slot = Some(value);
        }
        Ok(attributes)
    }

    fn slot(&mut self, oid: &[u8]) -> Option<(SignedAttribute, &mut Option<Element<'a>>)> {
        let slots = [
            (
                oid::ATTRIBUTE_CONTENT_TYPE,
                SignedAttribute::ContentType,
                &mut self.content_type,
            ),
            (
                oid::ATTRIBUTE_MESSAGE_DIGEST,
                SignedAttribute::MessageDigest,
                &mut self.message_digest,
            ),
            (
                oid::ATTRIBUTE_SIGNING_TIME,
                SignedAttribute::SigningTime,
                &mut self.signing_time,
            ),
            (
                oid::ATTRIBUTE_SIGNING_CERTIFICATE,
                SignedAttribute::SigningCertificate,
                &mut self.signing_certificate,
            ),
            (
                oid::ATTRIBUTE_SIGNING_CERTIFICATE_V2,
                SignedAttribute::SigningCertificateV2,
                &mut self.signing_certificate_v2,
            ),
            (
                oid::ATTRIBUTE_ALGORITHM_PROTECTION,
                SignedAttribute::AlgorithmProtection,
                &mut self.algorithm_protection,
            ),
            (
                oid::ATTRIBUTE_SIGNATURE_POLICY,
                SignedAttribute::SignaturePolicy,
                &mut self.signature_policy,
            ),
        ];
        slots
            .into_iter()
            .find(|(known, _, _)| known.as_bytes() == oid)
            .map(|(_, name, slot)| (name, slot))
    }

    /// The content octets of the content-type, which must be there.
    pub(super) fn content_type(&self) -> Result<&'a [u8], Failure> {
        required(
            self.content_type,
            SignedAttribute::ContentType,
            tag::OBJECT_IDENTIFIER,
        )
    }

    /// The message-digest, which must be there.
    pub(super) fn message_digest(&self) -> Result<&'a [u8], Failure> {
        required(
            self.message_digest,
            SignedAttribute::MessageDigest,
            tag::OCTET_STRING,
        )
    }

    pub(super) fn signing_time(&self) -> Result<Option<Time>, Failure> {
        let malformed = |_| Failure::AttributeMalformed(SignedAttribute::SigningTime);
        self.signing_time
            .map(|value| read_time(&value).map_err(malformed))
            .transpose()
    }

    /// Whether the algorithms are those that the signer protected, where it protected them (RFC 6211 §3).
    pub(super) fn check_algorithms(
        &self,
        digest: DigestAlgorithm,
        signature: NamedAlgorithm,
    ) -> Result<(), Failure> {
        let Some(value) = self.algorithm_protection else {
            return Ok(());
        };
        let protected = read_protection(&value)
            .map_err(|_| Failure::AttributeMalformed(SignedAttribute::AlgorithmProtection))?;
        if protected == (Some(digest), Some(signature)) {
            Ok(())
        } else {
            Err(Failure::AlgorithmsReplaced)
        }
    }

    /// A policy that the signer names decides what its signature means; none is known here. SignaturePolicyImplied
    /// (NULL) names none.
    pub(super) fn check_policy(&self) -> Result<(), Failure> {
        match self.signature_policy {
            None => Ok(()),
            Some(value) if value.tag == tag::NULL => Ok(()),
            Some(_) => Err(Failure::SignaturePolicyUnknown),
        }
    }

    pub(super) fn binds_certificate(&self) -> bool {
        self.signing_certificate.is_some() || self.signing_certificate_v2.is_some()
    }

    /// Whether the signing-certificate attributes, where present, name this certificate. Only the first of the
    /// certificates they list is the signer's (RFC 5035 §5.4).
    pub(super) fn check_certificate(&self, certificate: &Certificate) -> Result<(), Failure> {
        if let Some(value) = self.signing_certificate {
            let reference = read_reference(&value, SignedAttribute::SigningCertificate);
            let reference =
                reference.map_err(|_| Failure::AttributeMalformed(SignedAttribute::SigningCertificate))?;
            reference.check(certificate)?;
        }
        if let Some(value) = self.signing_certificate_v2 {
            let reference = read_reference(&value, SignedAttribute::SigningCertificateV2);
            let reference =
                reference.map_err(|_| Failure::AttributeMalformed(SignedAttribute::SigningCertificateV2))?;
            reference.check(certificate)?;
        }
        Ok(())
    }
}

fn required<'a>(value: Option<Element<'a>>, name: SignedAttribute, tag: u8) -> Result<&'a [u8], Failure> {
    let value = value.ok_or(Failure::AttributeAbsent(name))?;
    if value.tag == tag {
        Ok(value.content)
    } else {
        Err(Failure::AttributeMalformed(name))
    }
}

/// Attribute ::= SEQUENCE { attrType OBJECT IDENTIFIER, attrValues SET OF AttributeValue }.
pub(super) fn read_attribute<'a>(reader: &mut Reader<'a>) -> Result<(&'a [u8], Element<'a>), Asn1Fault> {
    let mut attribute = reader.sequence()?;
    let oid = attribute.object_identifier()?;
    let values = attribute.expect(tag::SET)?;
    attribute.finish()?;
    Ok((oid, values))
}

/// Values of attributes that are looked at: long-term signatures of the field bear some dozens.
pub(super) const VALUES_MAX: usize = 1024;

/// Each value of each attribute, in order, up to the first that cannot be read, or [`VALUES_MAX`] of them: attributes of the
/// field hold anything (random letters as a licence mark), and what is read so only helps.
pub(super) fn values<'a>(set: Option<Element<'a>>) -> Vec<(&'a [u8], Element<'a>)> {
    let mut found = Vec::new();
    let Some(mut reader) = set.map(|set| set.reader()) else {
        return found;
    };
    while let Ok((oid, values)) = read_attribute(&mut reader) {
        let mut values = values.reader();
        while let Ok(value) = values.next() {
            if VALUES_MAX <= found.len() {
                return found;
            }
            found.push((oid, value));
        }
    }
    found
}

/// `CMSAlgorithmProtection ::= SEQUENCE { digestAlgorithm, signatureAlgorithm [1] OPTIONAL, macAlgorithm [2] OPTIONAL }`;
/// one for a MAC protects no signature. `None`: an algorithm that is not known here.
fn read_protection(
    value: &Element<'_>,
) -> Result<(Option<DigestAlgorithm>, Option<NamedAlgorithm>), Asn1Fault> {
    if value.tag != tag::SEQUENCE {
        return Err(Asn1Fault::Unexpected);
    }
    let mut reader = value.reader();
    let digest = DigestAlgorithm::read(&reader.expect(tag::SEQUENCE)?)?;
    let signature = reader.expect(tag::context_constructed(1))?;
    reader.finish()?;
    Ok((digest, NamedAlgorithm::read(&signature)?))
}

/// ESSCertID or ESSCertIDv2.
struct CertificateReference<'a> {
    /// `None`: an algorithm that is not known here.
    digest_algorithm: Option<DigestAlgorithm>,
    digest: &'a [u8],
    issuer_and_serial: Option<(Option<Name>, &'a [u8])>,
}

fn read_reference<'a>(
    value: &Element<'a>,
    of: SignedAttribute,
) -> Result<CertificateReference<'a>, Asn1Fault> {
    if value.tag != tag::SEQUENCE {
        return Err(Asn1Fault::Unexpected);
    }
    let mut certificates = value.reader().sequence()?;
    let mut first = certificates.sequence()?;
    let digest_algorithm = match (of, first.peek()) {
        (SignedAttribute::SigningCertificateV2, Some(tag::SEQUENCE)) => {
            DigestAlgorithm::read(&first.expect(tag::SEQUENCE)?)?
        }
        (SignedAttribute::SigningCertificateV2, _) => Some(DigestAlgorithm::Sha256),
        (
            SignedAttribute::SigningCertificate
            | SignedAttribute::ContentType
            | SignedAttribute::MessageDigest
            | SignedAttribute::SigningTime
            | SignedAttribute::AlgorithmProtection
            | SignedAttribute::SignaturePolicy,
            _,
        ) => Some(DigestAlgorithm::Sha1),
    };
    let digest = first.expect(tag::OCTET_STRING)?.content;
    let issuer_and_serial = match first.optional(tag::SEQUENCE)? {
        Some(pair) => {
            let mut pair = pair.reader();
            let mut names = pair.sequence()?;
            let mut issuer = None;
            while !names.is_empty() {
                let name = names.next()?;
                if name.tag == tag::context_constructed(4) {
                    issuer = Some(Name::read(&Reader::sole(name.content, tag::SEQUENCE)?)?);
                }
            }
            let serial = pair.integer()?;
            pair.finish()?;
            Some((issuer, serial))
        }
        None => None,
    };
    first.finish()?;
    Ok(CertificateReference {
        digest_algorithm,
        digest,
        issuer_and_serial,
    })
}

impl CertificateReference<'_> {
    fn check(&self, certificate: &Certificate) -> Result<(), Failure> {
        let algorithm = self.digest_algorithm.ok_or(Failure::DigestAlgorithmUnknown)?;
        let is_same = algorithm.digest(&[certificate.der()]).as_ref() == self.digest
            && self.issuer_and_serial.as_ref().is_none_or(|(issuer, serial)| {
                certificate.serial() == *serial
                    && issuer
                        .as_ref()
                        .is_none_or(|issuer| issuer == certificate.issuer())
            });
        if is_same {
            Ok(())
        } else {
            Err(Failure::SigningCertificateMismatch)
        }
    }
}

/// The attributes in the order of DER, under the tag that is hashed (RFC 5652 §5.4).
pub(super) fn sorted(set: &Element<'_>) -> Result<Vec<u8>, Asn1Fault> {
    let mut reader = set.reader();
    let mut attributes = Vec::new();
    while !reader.is_empty() {
        let attribute = reader.next()?;
        attributes.push(attribute.whole.to_vec());
    }
    Ok(write::set_of(tag::SET, attributes))
}
