//! SignedData (RFC 5652 §5.1), read from DER.
//!
//! **Invariant**: only the structure is read here; nothing is believed.

use crate::asn1::{Asn1Fault, Element, Reader, oid, tag};
use crate::name::Name;
use crate::report::Failure;
use crate::x509::Certificate;

/// Signers that are read at most: files of the field have one or two.
const SIGNERS_MAX: usize = 32;

pub(super) struct SignedData<'a> {
    /// Content octets of the identifier.
    pub(super) content_type: &'a [u8],
    pub(super) content: Option<&'a [u8]>,
    /// `[0] IMPLICIT CertificateSet`, as it stands.
    pub(super) certificates: Option<Element<'a>>,
    /// `[1] IMPLICIT RevocationInfoChoices`, as it stands.
    pub(super) lists: Option<Element<'a>>,
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
    /// Every field from version to signature, as it stands.
    pub(super) fields: Vec<&'a [u8]>,
}

pub(super) enum SignerIdentifier<'a> {
    IssuerAndSerial(Name, &'a [u8]),
    KeyIdentifier(&'a [u8]),
}

impl<'a> SignerIdentifier<'a> {
    fn read(identifier: &Element<'a>) -> Result<Self, Asn1Fault> {
        if identifier.tag == tag::context(0) {
            return Ok(Self::KeyIdentifier(identifier.content));
        }
        if identifier.tag != tag::SEQUENCE {
            return Err(Asn1Fault::Unexpected);
        }
        let mut pair = identifier.reader();
        let issuer = Name::read(&pair.next()?)?;
        let serial = pair.integer()?;
        pair.finish()?;
        Ok(Self::IssuerAndSerial(issuer, serial))
    }

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
    /// Reads a ContentInfo of SignedData.
    pub(super) fn read(der: &'a [u8]) -> Result<Self, Failure> {
        let signed = Self::read_structure(der).map_err(Failure::Structure)?;
        if signed.signers.len() <= SIGNERS_MAX {
            Ok(signed)
        } else {
            Err(Failure::TooLarge)
        }
    }

    /// Whether this certificate is among those that it holds.
    pub(super) fn holds(&self, certificate: &Certificate) -> bool {
        let mut choices = self.certificates.map_or(Reader::new(&[]), |set| set.reader());
        std::iter::from_fn(|| choices.next().ok()).any(|choice| choice.whole == certificate.der())
    }

    /// Reads one signer more than is allowed at most.
    fn read_structure(der: &'a [u8]) -> Result<Self, Asn1Fault> {
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
        let certificates = body.optional(tag::context_constructed(0))?;
        let lists = body.optional(tag::context_constructed(1))?;
        let mut infos = body.enter(tag::SET)?;
        body.finish()?;
        let mut signers = Vec::new();
        while !infos.is_empty() && signers.len() <= SIGNERS_MAX {
            signers.push(SignerInfo::read(infos.sequence()?)?);
        }
        Ok(Self {
            content_type,
            content,
            certificates,
            lists,
            signers,
        })
    }
}

impl<'a> SignerInfo<'a> {
    pub(super) fn read(mut body: Reader<'a>) -> Result<Self, Asn1Fault> {
        let version = body.expect(tag::INTEGER)?;
        let identifier = body.next()?;
        let digest_algorithm = body.expect(tag::SEQUENCE)?;
        let signed_attributes = body.optional(tag::context_constructed(0))?;
        let signature_algorithm = body.expect(tag::SEQUENCE)?;
        let value = body.expect(tag::OCTET_STRING)?;
        let unsigned_attributes = body.optional(tag::context_constructed(1))?;
        body.finish()?;
        let mut fields = vec![version.whole, identifier.whole, digest_algorithm.whole];
        fields.extend(signed_attributes.map(|attributes| attributes.whole));
        fields.extend([signature_algorithm.whole, value.whole]);
        Ok(Self {
            identifier: SignerIdentifier::read(&identifier)?,
            digest_algorithm,
            signed_attributes,
            signature_algorithm,
            value: value.content,
            unsigned_attributes,
            fields,
        })
    }
}
