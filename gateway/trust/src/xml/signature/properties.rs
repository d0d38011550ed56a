//! Qualifying properties (XAdES, ETSI EN 319 132-1): which certificate the signer bound, and what it claims.
//!
//! **Invariant**: properties count only where a reference of their own signature covers them; properties that none
//! covers fail the signature, for somebody may have put them there.

use std::sync::Arc;

use super::fault::{Fault, Unsupported, quoted};
use super::key::{is_signature_namespace, serial};
use super::read::{base64, text};
use super::reference::Covered;
use super::structure::Signature;
use super::{method, time_stamp};
use crate::algorithm::DigestAlgorithm;
use crate::asn1::{Asn1Fault, Reader, tag};
use crate::name::Name;
use crate::report::{Failure, Remark, SealReport, SignedAttribute};
use crate::x509::Certificate;
use crate::xml::Element;

/// ETSI EN 319 132-1 annex C.1. The namespaces of drafts before it are not looked at.
pub(super) const XADES: &str = "http://uri.etsi.org/01903/v1.3.2#";

/// Certificates that a signing-certificate property lists.
const BOUND_MAX: usize = 16;

/// The properties of one signature.
#[derive(Default)]
pub(super) struct Properties<'t, 's> {
    /// SignedProperties, where there are any.
    signed: Option<Element<'t, 's>>,
    signing_time: Option<Element<'t, 's>>,
    signing_certificate: Option<Element<'t, 's>>,
    signing_certificate_v2: Option<Element<'t, 's>>,
    signature_policy: Option<Element<'t, 's>>,
    unsigned: Option<Element<'t, 's>>,
}

impl<'t, 's> Properties<'t, 's> {
    /// Finds the properties of a signature in its objects (§4.3).
    pub(super) fn read(signature: &Signature<'t, 's>) -> Result<Self, Failure> {
        let mut found = None;
        for element in signature.objects.iter().flat_map(Element::elements) {
            if element.is(XADES, "QualifyingPropertiesReference") {
                return Err(Unsupported::PropertiesElsewhere.into());
            }
            if element.is(XADES, "QualifyingProperties") && found.replace(element).is_some() {
                return Err(repeated(element));
            }
        }
        let mut properties = Self::default();
        let Some(found) = found else {
            return Ok(properties);
        };
        let id = signature.element.attribute("", "Id");
        let target = found
            .attribute("", "Target")
            .and_then(|target| target.strip_prefix('#'));
        if id.is_none() || target != id {
            return Err(Failure::PropertiesUnsigned);
        }
        for element in found.elements() {
            let slot = match element.name() {
                "SignedProperties" => &mut properties.signed,
                "UnsignedProperties" => &mut properties.unsigned,
                _ => continue,
            };
            fill(slot, element)?;
        }
        properties.read_signed()?;
        Ok(properties)
    }

    fn read_signed(&mut self) -> Result<(), Failure> {
        let mut of_signature = None;
        for element in self.signed.iter().flat_map(Element::elements) {
            if element.is(XADES, "SignedSignatureProperties") {
                fill(&mut of_signature, element)?;
            }
        }
        for element in of_signature.iter().flat_map(Element::elements) {
            let slot = match element.name() {
                "SigningTime" => &mut self.signing_time,
                "SigningCertificate" => &mut self.signing_certificate,
                "SigningCertificateV2" => &mut self.signing_certificate_v2,
                "SignaturePolicyIdentifier" => &mut self.signature_policy,
                _ => continue,
            };
            fill(slot, element)?;
        }
        Ok(())
    }

    /// Whether the signature covers its signed properties, if it has any (§4.4.2).
    pub(super) fn check_covered(&self, covered: &[Covered<'t, 's>]) -> Result<(), Failure> {
        let is_covered = |signed: Element<'t, 's>| covered.iter().any(|one| one.covers(signed));
        match self.signed {
            Some(signed) if !is_covered(signed) => Err(Failure::PropertiesUnsigned),
            Some(_) | None => Ok(()),
        }
    }

    /// A policy that the signer names decides what its signature means; none is known here (§5.2.9).
    pub(super) fn check_policy(&self) -> Result<(), Failure> {
        let is_implied = |policy: &Element<'t, 's>| {
            let mut elements = policy.elements();
            elements
                .next()
                .is_some_and(|one| one.is(XADES, "SignaturePolicyImplied"))
        };
        match self.signature_policy {
            Some(policy) if !is_implied(&policy) => Err(Failure::SignaturePolicyUnknown),
            Some(_) | None => Ok(()),
        }
    }

    /// What the properties claim.
    pub(super) fn note(&self, report: &mut SealReport) {
        // A date without time zone is allowed by XML Schema, and is no instant.
        let time = self.signing_time.and_then(|time| text(time).ok());
        report.claimed_signing_time = time.and_then(|time| time.trim().parse().ok());
        if !self.binds_certificate() {
            report.remarks.push(Remark::SigningCertificateAbsent);
        }
    }

    /// The unsigned properties of the signature, in order. A counter-signature is a Signature of its own, and judged as such.
    pub(super) fn unsigned(&self) -> impl Iterator<Item = Element<'t, 's>> {
        let groups = self.unsigned.into_iter().flat_map(|one| one.elements());
        let of_signature = groups.filter(|group| group.is(XADES, "UnsignedSignatureProperties"));
        of_signature.flat_map(|group| group.elements())
    }

    /// Whether there are time-stamps of what was signed, made before the signature (§5.2.8).
    pub(super) fn has_content_time_stamps(&self) -> bool {
        let mut groups = self.signed.into_iter().flat_map(|one| one.elements());
        groups.any(|group| {
            group.is(XADES, "SignedDataObjectProperties") && group.elements().any(time_stamp::is_time_stamp)
        })
    }

    pub(super) fn binds_certificate(&self) -> bool {
        self.signing_certificate.is_some() || self.signing_certificate_v2.is_some()
    }

    /// The one of several certificates of one key that was bound, or the only one; it must be bound where any is.
    pub(super) fn choose(
        &self,
        of_key: &[Arc<Certificate>],
        namespace: &str,
    ) -> Result<Arc<Certificate>, Failure> {
        if !self.binds_certificate() {
            return match of_key {
                [] => Err(Failure::SignerCertificateAbsent),
                [certificate] => Ok(Arc::clone(certificate)),
                [..] => Err(Failure::SignerCertificateAmbiguous),
            };
        }
        let mut last = Failure::SigningCertificateMismatch;
        for certificate in of_key {
            match self.check_certificate(certificate, namespace) {
                Ok(()) => return Ok(Arc::clone(certificate)),
                Err(failure) => last = failure,
            }
        }
        Err(last)
    }

    fn check_certificate(&self, certificate: &Certificate, namespace: &str) -> Result<(), Failure> {
        let properties = [
            (self.signing_certificate, SignedAttribute::SigningCertificate),
            (self.signing_certificate_v2, SignedAttribute::SigningCertificateV2),
        ];
        for (property, name) in properties {
            let Some(property) = property else {
                continue;
            };
            let mut is_named = false;
            for reference in property.elements().take(BOUND_MAX) {
                let reference = CertificateReference::read(reference, namespace)
                    .ok_or(Failure::AttributeMalformed(name))?;
                is_named |= reference.names(certificate);
            }
            if !is_named {
                return Err(Failure::SigningCertificateMismatch);
            }
        }
        Ok(())
    }
}

fn fill<'t, 's>(slot: &mut Option<Element<'t, 's>>, element: Element<'t, 's>) -> Result<(), Failure> {
    match slot.replace(element) {
        None => Ok(()),
        Some(_) => Err(repeated(element)),
    }
}

fn repeated(element: Element<'_, '_>) -> Failure {
    Fault::ElementUnexpected(quoted(element.name())).into()
}

/// One Cert of SigningCertificate or SigningCertificateV2 (§5.2.2; XAdES 1.3.2 §7.2.2).
struct CertificateReference {
    /// `None`: an algorithm that is not known here, which names nothing.
    digest_algorithm: Option<DigestAlgorithm>,
    digest: Vec<u8>,
    /// Content octets of the serial number, and the issuer where it is written in DER: as text it is written in too many
    /// ways, and the digest binds more.
    serial: Option<Vec<u8>>,
    issuer: Option<Name>,
}

impl CertificateReference {
    fn read(reference: Element<'_, '_>, namespace: &str) -> Option<Self> {
        let mut read = Self {
            digest_algorithm: None,
            digest: Vec::new(),
            serial: None,
            issuer: None,
        };
        let of_xmldsig = |outer: Element<'_, '_>, name: &str| {
            let mut elements = outer.elements();
            elements.any(|one| one.name() == name && is_signature_namespace(one.namespace(), namespace))
        };
        for element in reference.elements().filter(|one| one.namespace() == XADES) {
            match element.name() {
                "CertDigest" => {
                    if !of_xmldsig(element, "DigestMethod") || !read.digest.is_empty() {
                        return None;
                    }
                    let method = element.elements().find(|one| one.name() == "DigestMethod")?;
                    let value = element.elements().find(|one| one.name() == "DigestValue")?;
                    read.digest_algorithm = method::digest_named(method.attribute("", "Algorithm")?);
                    read.digest = base64(value).ok()?;
                }
                "IssuerSerial" => {
                    let number = element.elements().find(|one| one.name() == "X509SerialNumber")?;
                    read.serial = Some(serial(text(number).ok()?)?);
                }
                "IssuerSerialV2" => {
                    let (issuer, serial) = issuer_and_serial(&base64(element).ok()?).ok()?;
                    (read.issuer, read.serial) = (issuer, Some(serial));
                }
                _ => return None,
            }
        }
        (!read.digest.is_empty()).then_some(read)
    }

    fn names(&self, certificate: &Certificate) -> bool {
        let Some(algorithm) = self.digest_algorithm else {
            return false;
        };
        algorithm.digest(&[certificate.der()]).as_ref() == self.digest
            && self
                .serial
                .as_ref()
                .is_none_or(|serial| certificate.serial() == serial)
            && self
                .issuer
                .as_ref()
                .is_none_or(|issuer| certificate.issuer() == issuer)
    }
}

/// `IssuerSerial ::= SEQUENCE { issuer GeneralNames, serialNumber CertificateSerialNumber }` (RFC 5035 §5).
fn issuer_and_serial(der: &[u8]) -> Result<(Option<Name>, Vec<u8>), Asn1Fault> {
    let mut pair = Reader::sole(der, tag::SEQUENCE)?.reader();
    let mut names = pair.sequence()?;
    let mut issuer = None;
    while !names.is_empty() {
        let name = names.next()?;
        if name.tag == tag::context_constructed(4) {
            issuer = Some(Name::read(&Reader::sole(name.content, tag::SEQUENCE)?)?);
        }
    }
    let serial = pair.integer()?.to_vec();
    pair.finish()?;
    Ok((issuer, serial))
}
