//! What each signer of a SignedData is worth.
//!
//! The order is that of ETSI EN 319 102-1 §5.2: format, signing certificate, cryptography, certificate path, so that
//! the first failure is the most telling one.

use std::sync::Arc;

use super::Digests;
use super::attribute::{SignedAttributes, read_attribute, sorted};
use super::structure::{SignedData, SignerInfo};
use crate::algorithm::{DigestAlgorithm, NamedAlgorithm, SignatureAlgorithm, SignatureFault};
use crate::asn1::{Element, Limits, Normal, oid, tag};
use crate::path::{self, Budget, Question, Usage};
use crate::policy::Policy;
use crate::report::{Failure, Indication, Remark, SealReport};
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
}

pub(super) fn reports(
    signature: &[u8],
    digests: Digests<'_>,
    profile: Profile,
    snapshot: &Snapshot,
    now: Time,
) -> Vec<SealReport> {
    let read = Opened::read(signature);
    match read
        .as_ref()
        .map_err(Clone::clone)
        .and_then(|opened| opened.signed_data(profile, Some(snapshot)))
    {
        Err(failure) => vec![SealReport::failed(failure, now)],
        Ok((opened, signed)) => judge_all(opened, &signed, digests, profile, (snapshot, now)),
    }
}

pub(super) fn attached_reports(
    signature: &[u8],
    snapshot: &Snapshot,
    now: Time,
) -> (Vec<SealReport>, Option<Vec<u8>>) {
    let profile = Profile::Attached;
    let read = Opened::read(signature);
    match read
        .as_ref()
        .map_err(Clone::clone)
        .and_then(|opened| opened.signed_data(profile, Some(snapshot)))
    {
        Err(failure) => (vec![SealReport::failed(failure, now)], None),
        Ok((opened, signed)) => {
            let digest = |algorithm: DigestAlgorithm| algorithm.digest(&[signed.content.unwrap_or_default()]);
            let digests = Digests::new(&digest);
            let reports = judge_all(opened, &signed, digests, profile, (snapshot, now));
            (reports, signed.content.map(<[u8]>::to_vec))
        }
    }
}

pub(super) fn integrity(
    signature: &[u8],
    detached: Option<Digests<'_>>,
    profile: Profile,
    policy: &Policy,
    now: Time,
) -> Vec<Result<Arc<Certificate>, Failure>> {
    let read = Opened::read(signature);
    match read
        .as_ref()
        .map_err(Clone::clone)
        .and_then(|opened| opened.signed_data(profile, None))
    {
        Err(failure) => vec![Err(failure)],
        Ok((opened, signed)) => {
            let embedded =
                |algorithm: DigestAlgorithm| algorithm.digest(&[signed.content.unwrap_or_default()]);
            let mut digests = detached.unwrap_or(Digests::new(&embedded));
            let mut check = Check {
                opened,
                signed: &signed,
                profile,
                snapshot: None,
                is_for_trust: false,
                budget: Budget::new(policy.signature_checks_max),
            };
            let signers = signed.signers.iter();
            signers
                .map(|signer| {
                    let mut report = SealReport::failed(Failure::SignerAbsent, now);
                    let certificate = check.signer(signer, &mut digests, &mut report)?;
                    check_policy(&report, &certificate, policy, now)?;
                    Ok(certificate)
                })
                .collect()
        }
    }
}

fn judge_all(
    opened: &Opened<'_>,
    signed: &SignedData<'_>,
    mut digests: Digests<'_>,
    profile: Profile,
    (snapshot, now): (&Snapshot, Time),
) -> Vec<SealReport> {
    let mut check = Check {
        opened,
        signed,
        profile,
        snapshot: Some(snapshot),
        is_for_trust: true,
        budget: Budget::new(snapshot.policy().signature_checks_max),
    };
    signed
        .signers
        .iter()
        .map(|signer| judge_one(&mut check, signer, &mut digests, (snapshot, now)))
        .collect()
}

fn judge_one(
    check: &mut Check<'_>,
    signer: &SignerInfo<'_>,
    digests: &mut Digests<'_>,
    (snapshot, now): (&Snapshot, Time),
) -> SealReport {
    let mut report = SealReport::failed(Failure::SignerAbsent, now);
    let checked = check
        .signer(signer, digests, &mut report)
        .and_then(|certificate| {
            check_policy(&report, &certificate, snapshot.policy(), now)?;
            Ok(certificate)
        });
    let failure = match checked {
        Err(failure) => Some(failure),
        Ok(certificate) => {
            let (embedded, budget) = (&check.signed.certificates, &mut check.budget);
            let question = Question {
                usage: Usage::Document,
                snapshot,
                embedded,
                at: now,
            };
            let outcome = path::validate(&certificate, question, budget);
            report.chain = outcome.chain;
            report.revocation = outcome.proofs;
            report.needs = outcome.needs;
            outcome.failure
        }
    };
    report.indication = match &failure {
        None => Indication::TotalPassed,
        Some(failure) => failure.indication(report.signer.as_deref()),
    };
    report.failure = failure;
    report
}

/// The signature's own algorithms under the policy; those of the path are the matter of `path`.
fn check_policy(
    report: &SealReport,
    certificate: &Certificate,
    policy: &Policy,
    at: Time,
) -> Result<(), Failure> {
    let algorithm = report
        .algorithm
        .expect("a signature that verified has an algorithm");
    let key = certificate.key_kind();
    if policy.algorithms.permits(algorithm, key, at) {
        return Ok(());
    }
    Err(Failure::AlgorithmRefused {
        algorithm,
        key,
        certificate: None,
    })
}

/// A signature brought into DER, with what follows it known to be nothing but padding.
struct Opened<'a> {
    normal: Normal<'a>,
    is_padded: bool,
}

impl<'a> Opened<'a> {
    fn read(signature: &'a [u8]) -> Result<Self, Failure> {
        let normal = Normal::read(signature, &Limits::SIGNATURE).map_err(Failure::Structure)?;
        let rest = normal.rest();
        if rest.iter().any(|octet| *octet != 0) {
            return Err(Failure::TrailingOctets);
        }
        let is_padded = !rest.is_empty();
        Ok(Self { normal, is_padded })
    }

    /// Reads the SignedData and checks what concerns all signers.
    fn signed_data(
        &self,
        profile: Profile,
        snapshot: Option<&Snapshot>,
    ) -> Result<(&Self, SignedData<'_>), Failure> {
        let signed = SignedData::read(self.normal.der(), snapshot)?;
        let is_attached = match profile {
            Profile::Attached => true,
            Profile::Detached | Profile::PdfPkcs7 | Profile::PdfCades => false,
        };
        if signed.content.is_some() != is_attached {
            return Err(Failure::ContentMisplaced);
        }
        let is_of_pdf = match profile {
            Profile::PdfPkcs7 | Profile::PdfCades => true,
            Profile::Detached | Profile::Attached => false,
        };
        match signed.signers.len() {
            0 => Err(Failure::SignerAbsent),
            2.. if is_of_pdf => Err(Failure::SignerRepeated),
            _ => Ok((self, signed)),
        }
    }
}

/// The check of signers of one SignedData, as far as it needs no path.
pub(super) struct Check<'a> {
    opened: &'a Opened<'a>,
    pub(super) signed: &'a SignedData<'a>,
    pub(super) profile: Profile,
    snapshot: Option<&'a Snapshot>,
    /// Whether demands beyond integrity are made: the content is data, profiles are kept.
    pub(super) is_for_trust: bool,
    /// What all signers together may still cost.
    pub(super) budget: Budget,
}

impl Check<'_> {
    /// Certificate, digest and signature value of one signer; what is found is put into the report.
    fn signer(
        &mut self,
        signer: &SignerInfo<'_>,
        digests: &mut Digests<'_>,
        report: &mut SealReport,
    ) -> Result<Arc<Certificate>, Failure> {
        self.note_remarks(signer, report);
        let Some(set) = signer.signed_attributes else {
            return self.bare_signer(signer, digests, report);
        };
        let attributes = SignedAttributes::read(&set)?;
        report.claimed_signing_time = attributes.signing_time()?;
        let digest_algorithm = read_digest_algorithm(signer)?;
        let named = NamedAlgorithm::read(&signer.signature_algorithm)
            .map_err(Failure::Structure)?
            .ok_or(Failure::SignatureAlgorithmUnknown)?;
        let algorithm = whole_algorithm(named, digest_algorithm)?;
        attributes.check_algorithms(digest_algorithm, named)?;
        report.algorithm = Some(algorithm);
        let certificate = self.certificate_of(signer, &attributes)?;
        report.signer = Some(Arc::clone(&certificate));
        if attributes.content_type()? != self.signed.content_type {
            return Err(Failure::ContentType);
        }
        if attributes.message_digest()? != digests.of(digest_algorithm).as_ref() {
            return Err(Failure::DigestMismatch);
        }
        if self.verify_value(signer, &set, algorithm, &certificate)? {
            report.remarks.push(Remark::AttributesReordered);
        }
        attributes.check_certificate(&certificate)?;
        if self.is_for_trust {
            attributes.check_policy()?;
        }
        if !attributes.binds_certificate() {
            report.remarks.push(Remark::SigningCertificateAbsent);
            if self.is_for_trust && self.profile == Profile::PdfCades {
                return Err(Failure::SigningCertificateAbsent);
            }
        }
        if self.is_for_trust && self.signed.content_type != oid::CONTENT_DATA.as_bytes() {
            return Err(Failure::ContentType);
        }
        Ok(certificate)
    }

    fn note_remarks(&self, signer: &SignerInfo<'_>, report: &mut SealReport) {
        if self.opened.is_padded {
            report.remarks.push(Remark::PaddingIgnored);
        }
        // Unsigned attributes of the field hold anything (random letters as a licence mark): what cannot be read ends
        // the look at them and harms nobody.
        let Some(unsigned) = signer.unsigned_attributes else {
            return;
        };
        let mut reader = unsigned.reader();
        while let Ok((attribute, _)) = read_attribute(&mut reader) {
            if attribute == oid::ATTRIBUTE_TIME_STAMP_TOKEN.as_bytes() {
                report.remarks.push(Remark::TimeStampIgnored);
            } else if attribute == oid::ATTRIBUTE_COUNTER_SIGNATURE.as_bytes() {
                report.remarks.push(Remark::CounterSignatureIgnored);
            }
        }
    }

    /// The one certificate that the identifier names. Several (a renewal with the same key identifier) are told apart
    /// by the signing-certificate attribute alone.
    fn certificate_of(
        &self,
        signer: &SignerInfo<'_>,
        attributes: &SignedAttributes<'_>,
    ) -> Result<Arc<Certificate>, Failure> {
        let embedded = self.signed.certificates.iter();
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
        let budget = &mut self.budget;
        let mut verify = |attributes: &[u8]| {
            if !budget.spend() {
                return Err(Failure::BudgetSpent);
            }
            match certificate.key().verify(algorithm, attributes, signer.value) {
                Ok(()) => Ok(true),
                Err(SignatureFault::Wrong) => Ok(false),
                Err(SignatureFault::Unsupported) => Err(Failure::SignatureAlgorithmUnknown),
            }
        };
        let source = self.opened.normal.source_of(set.whole).unwrap_or(set.whole);
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
