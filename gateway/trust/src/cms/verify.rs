//! Whether a signer of a SignedData signed: attributes, digests, signature value, certificate. Whether the signer is to
//! be believed is the matter of `judge`.
//!
//! The order is that of ETSI EN 319 102-1 §5.2: format, signing certificate, cryptography, so that the first failure is
//! the most telling one.

use std::sync::Arc;

use super::attribute::{SignedAttributes, sorted};
use super::gather::Gathered;
use super::structure::{SignedData, SignerInfo};
use super::{Circumstances, Digests, Source};
use crate::algorithm::{DigestAlgorithm, NamedAlgorithm, SignatureAlgorithm, SignatureFault};
use crate::asn1::{Element, Limits, Normal, oid, tag};
use crate::path::Budget;
use crate::policy::Policy;
use crate::report::{Failure, Remark, SealReport};
use crate::snapshot::Snapshot;
use crate::time::Time;
use crate::x509::Certificate;

/// What is asked of a signature besides being right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// A detached CMS over data.
    Detached,
    /// A CMS that holds its content.
    Attached,
    /// SubFilter adbe.pkcs7.detached (ISO 32000-2 §12.8.3.3): one signer.
    PdfPkcs7,
    /// SubFilter ETSI.CAdES.detached (ETSI EN 319 142-1 §6.3): one signer, certificate bound.
    PdfCades,
    /// A time-stamp token (RFC 3161 §2.4.2): one signer, certificate bound.
    TimeStamp,
    /// A counter-signature (RFC 5652 §11.4): over a signature value, which has no type of content.
    CounterSignature,
}

impl Profile {
    /// Whether the content lies inside.
    fn is_attached(self) -> bool {
        match self {
            Self::Attached | Self::TimeStamp => true,
            Self::Detached | Self::PdfPkcs7 | Self::PdfCades | Self::CounterSignature => false,
        }
    }

    /// Whether there may be one signer only.
    fn has_one_signer(self) -> bool {
        match self {
            Self::PdfPkcs7 | Self::PdfCades | Self::TimeStamp => true,
            Self::Detached | Self::Attached | Self::CounterSignature => false,
        }
    }

    /// Whether a signed attribute must name the certificate.
    fn binds_certificate(self) -> bool {
        match self {
            Self::PdfCades | Self::TimeStamp => true,
            Self::Detached | Self::Attached | Self::PdfPkcs7 | Self::CounterSignature => false,
        }
    }

    /// The type of the content, as the content octets of its identifier; `None`: it has none.
    fn content_type(self) -> Option<&'static [u8]> {
        const DATA: const_oid::ObjectIdentifier = oid::CONTENT_DATA;
        const TST_INFO: const_oid::ObjectIdentifier = oid::CONTENT_TST_INFO;
        match self {
            Self::TimeStamp => Some(TST_INFO.as_bytes()),
            Self::Detached | Self::Attached | Self::PdfPkcs7 | Self::PdfCades => Some(DATA.as_bytes()),
            Self::CounterSignature => None,
        }
    }
}

pub(super) fn integrity(
    signature: &[u8],
    detached: Option<Source<'_>>,
    profile: Profile,
    policy: &Policy,
    now: Time,
) -> Vec<Result<Arc<Certificate>, Failure>> {
    let read = Opened::read(signature);
    match read.as_ref().map_err(Clone::clone).and_then(|opened| {
        let signed = opened.signed_data(profile)?;
        let gathered = Gathered::certificates_of(&signed, None)?;
        Ok((opened, signed, gathered))
    }) {
        Err(failure) => vec![Err(failure)],
        Ok((opened, signed, gathered)) => {
            let embedded = [signed.content.unwrap_or_default()];
            let mut digests = Digests::new(detached.unwrap_or(Source::Parts(&embedded)));
            let mut check = Check {
                opened,
                signed: &signed,
                certificates: &gathered.certificates,
                profile,
                snapshot: None,
                budget: &mut Budget::new(policy.signature_checks_max),
            };
            let signers = signed.signers.iter();
            signers
                .map(|signer| {
                    let mut report = SealReport::failed(Failure::SignerAbsent, now);
                    let signed = check.signer(signer, &mut digests, &mut report)?;
                    signed.check_policy(policy, now)?;
                    Ok(signed.certificate)
                })
                .collect()
        }
    }
}

/// A signer whose signature is right: what is to be judged.
pub(crate) struct Signed {
    pub(crate) certificate: Arc<Certificate>,
    pub(crate) algorithm: SignatureAlgorithm,
    /// Whether what was signed names the certificate by its digest.
    pub(crate) is_bound: bool,
}

impl Signed {
    /// The signature's own algorithms under the policy; those of the path are the matter of `path`.
    pub(crate) fn check_policy(&self, policy: &Policy, at: Time) -> Result<(), Failure> {
        let (algorithm, key) = (self.algorithm, self.certificate.key_kind());
        if policy.algorithms.permits(algorithm, key, at) {
            return Ok(());
        }
        Err(Failure::AlgorithmRefused {
            algorithm,
            key,
            certificate: None,
        })
    }
}

/// The content of a time-stamp token, read as a CMS of its profile; nothing of it is believed yet.
pub(crate) fn token_content(token: &[u8]) -> Result<Vec<u8>, Failure> {
    let opened = Opened::read(token)?;
    let signed = opened.signed_data(Profile::TimeStamp)?;
    if Some(signed.content_type) != Profile::TimeStamp.content_type() {
        return Err(Failure::ContentType);
    }
    Ok(signed.content.unwrap_or_default().to_vec())
}

/// The signer of a time-stamp token, its certificate and value checked; what came with it is added to `gathered`.
pub(crate) fn token_signer(
    token: &[u8],
    circumstances: &Circumstances<'_>,
    gathered: &mut Gathered,
    budget: &mut Budget,
) -> Result<Signed, Failure> {
    let opened = Opened::read(token)?;
    let signed = opened.signed_data(Profile::TimeStamp)?;
    let snapshot = circumstances.snapshot;
    *gathered = Gathered::certificates_of(&signed, Some(snapshot))?;
    gathered.add_rest(&signed, snapshot);
    gathered.add_all(circumstances.beside);
    let content = [signed.content.unwrap_or_default()];
    let signer = signed.signers.first().ok_or(Failure::SignerAbsent)?;
    let mut check = Check {
        opened: &opened,
        signed: &signed,
        certificates: &gathered.certificates,
        profile: Profile::TimeStamp,
        snapshot: Some(snapshot),
        budget,
    };
    let mut report = SealReport::failed(Failure::SignerAbsent, circumstances.now);
    check.signer(signer, &mut Digests::new(Source::Parts(&content)), &mut report)
}

/// A signature brought into DER, with what follows it known to be nothing but padding.
pub(super) struct Opened<'a> {
    normal: Normal<'a>,
    pub(super) is_padded: bool,
}

impl<'a> Opened<'a> {
    pub(super) fn read(signature: &'a [u8]) -> Result<Self, Failure> {
        let normal = Normal::read(signature, &Limits::SIGNATURE).map_err(Failure::Structure)?;
        let rest = normal.rest();
        if rest.iter().any(|octet| *octet != 0) {
            return Err(Failure::TrailingOctets);
        }
        let is_padded = !rest.is_empty();
        Ok(Self { normal, is_padded })
    }

    /// Reads the SignedData.
    pub(super) fn structure(&self) -> Result<SignedData<'_>, Failure> {
        SignedData::read(self.normal.der())
    }

    /// The same, and checks what concerns all signers.
    pub(super) fn signed_data(&self, profile: Profile) -> Result<SignedData<'_>, Failure> {
        let signed = self.structure()?;
        if signed.content.is_some() != profile.is_attached() {
            return Err(Failure::ContentMisplaced);
        }
        match signed.signers.len() {
            0 => Err(Failure::SignerAbsent),
            2.. if profile.has_one_signer() => Err(Failure::SignerRepeated),
            _ => Ok(signed),
        }
    }

    /// The octets of an element of the SignedData as they were sent, before they were brought into DER.
    pub(super) fn sent<'s>(&'s self, element: &'s [u8]) -> &'s [u8] {
        self.normal.source_of(element).unwrap_or(element)
    }
}

/// The check of signers of one SignedData, as far as it needs no path.
pub(super) struct Check<'a> {
    pub(super) opened: &'a Opened<'a>,
    pub(super) signed: &'a SignedData<'a>,
    /// Those that came with the signature.
    pub(super) certificates: &'a [Arc<Certificate>],
    pub(super) profile: Profile,
    /// `None`: integrity alone is asked for. Otherwise profiles are kept too, and the content is what they say.
    pub(super) snapshot: Option<&'a Snapshot>,
    /// What all signers together may still cost.
    pub(super) budget: &'a mut Budget,
}

impl Check<'_> {
    /// Certificate, digest and signature value of one signer; what is found is put into the report.
    pub(super) fn signer(
        &mut self,
        signer: &SignerInfo<'_>,
        digests: &mut Digests<'_>,
        report: &mut SealReport,
    ) -> Result<Signed, Failure> {
        let Some(set) = signer.signed_attributes else {
            return self.bare_signer(signer, digests, report);
        };
        let attributes = SignedAttributes::read(&set)?;
        report.claimed_signing_time = attributes.signing_time()?;
        let digest_algorithm = read_digest_algorithm(signer)?;
        let named = NamedAlgorithm::read(&signer.signature_algorithm)
            .map_err(Failure::Structure)?
            .ok_or(Failure::SignatureAlgorithmUnknown { certificate: None })?;
        let algorithm = whole_algorithm(named, digest_algorithm)?;
        attributes.check_algorithms(digest_algorithm, named)?;
        report.algorithm = Some(algorithm);
        let certificate = self.certificate_of(signer, &attributes)?;
        report.signer = Some(Arc::clone(&certificate));
        let expected = self.profile.content_type();
        if expected.is_some() && attributes.content_type()? != self.signed.content_type {
            return Err(Failure::ContentType);
        }
        if attributes.message_digest()? != digests.of(digest_algorithm).as_ref() {
            return Err(Failure::DigestMismatch);
        }
        if self.verify_value(signer, &set, algorithm, &certificate)? {
            report.remarks.push(Remark::AttributesReordered);
        }
        attributes.check_certificate(&certificate)?;
        let is_bound = attributes.binds_certificate();
        if !is_bound {
            report.remarks.push(Remark::SigningCertificateAbsent);
        }
        if self.snapshot.is_some() {
            attributes.check_policy()?;
            if !is_bound && self.profile.binds_certificate() {
                return Err(Failure::SigningCertificateAbsent);
            }
            if expected.is_some_and(|expected| expected != self.signed.content_type) {
                return Err(Failure::ContentType);
            }
        }
        Ok(Signed {
            certificate,
            algorithm,
            is_bound,
        })
    }

    /// The one certificate that the identifier names. Several (a renewal with the same key identifier) are told apart
    /// by the signing-certificate attribute alone.
    fn certificate_of(
        &self,
        signer: &SignerInfo<'_>,
        attributes: &SignedAttributes<'_>,
    ) -> Result<Arc<Certificate>, Failure> {
        let embedded = self.certificates.iter();
        let mut named: Vec<&Arc<Certificate>> = embedded.filter(|one| signer.identifier.names(one)).collect();
        if named.is_empty() {
            let known = self.snapshot.into_iter().flat_map(Snapshot::certificates);
            named.extend(known.filter(|one| signer.identifier.names(one)));
        }
        match named[..] {
            [] => Err(Failure::SignerCertificateAbsent),
            [certificate] => Ok(Arc::clone(certificate)),
            [..] if !attributes.binds_certificate() => Err(Failure::SignerCertificateAmbiguous),
            [..] => {
                let bound = named
                    .into_iter()
                    .find(|one| attributes.check_certificate(one).is_ok());
                bound.map(Arc::clone).ok_or(Failure::SigningCertificateMismatch)
            }
        }
    }

    /// Verifies the value over the attributes as they were sent, then as DER, then in the order of DER. `true`: only
    /// in that order.
    fn verify_value(
        &mut self,
        signer: &SignerInfo<'_>,
        set: &Element<'_>,
        algorithm: SignatureAlgorithm,
        certificate: &Certificate,
    ) -> Result<bool, Failure> {
        let budget = &mut *self.budget;
        let mut verify = |attributes: &[u8]| {
            if !budget.spend() {
                return Err(Failure::BudgetSpent);
            }
            match certificate.key().verify(algorithm, attributes, signer.value) {
                Ok(()) => Ok(true),
                Err(SignatureFault::Wrong) => Ok(false),
                Err(SignatureFault::Unsupported) => {
                    Err(Failure::SignatureAlgorithmUnknown { certificate: None })
                }
            }
        };
        let source = self.opened.sent(set.whole);
        if verify(&as_set(source))? || (source != set.whole && verify(&as_set(set.whole))?) {
            return Ok(false);
        }
        let sorted = sorted(set).map_err(Failure::Structure)?;
        if sorted[1..] != set.whole[1..] && verify(&sorted)? {
            return Ok(true);
        }
        Err(Failure::SignatureWrong)
    }
}

/// The attributes under the tag of SET OF, which is what is hashed (RFC 5652 §5.4).
fn as_set(attributes: &[u8]) -> Vec<u8> {
    let mut set = attributes.to_vec();
    if let Some(first) = set.first_mut() {
        *first = tag::SET;
    }
    set
}

pub(super) fn read_digest_algorithm(signer: &SignerInfo<'_>) -> Result<DigestAlgorithm, Failure> {
    DigestAlgorithm::read(&signer.digest_algorithm)
        .map_err(Failure::Structure)?
        .ok_or(Failure::DigestAlgorithmUnknown)
}

pub(super) fn whole_algorithm(
    named: NamedAlgorithm,
    digest: DigestAlgorithm,
) -> Result<SignatureAlgorithm, Failure> {
    match named {
        NamedAlgorithm::RsaWithDigestElsewhere => Ok(SignatureAlgorithm::RsaPkcs1(digest)),
        NamedAlgorithm::Whole(algorithm) if algorithm.digest() == digest => Ok(algorithm),
        NamedAlgorithm::Whole(_) => Err(Failure::AlgorithmsDisagree),
    }
}
