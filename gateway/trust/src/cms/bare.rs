//! Signatures without signed attributes, as PDF writers of old made them (RFC 5652 §5.4; ISO 32000-1 §12.8.3.3).
//!
//! Nothing but the content is signed then: no certificate is bound, no time is claimed, and whoever holds the signature
//! of some attributes could pass their octets off as a content. A PDF file cannot be such octets, for it begins with its
//! header.
//!
//! **Invariant**: they are intact at best, and never good: where trust is asked for, they fail.

use std::sync::Arc;

use super::Digests;
use super::structure::SignerInfo;
use super::verify::{Check, Profile, Signed, read_digest_algorithm, whole_algorithm};
use crate::algorithm::{NamedAlgorithm, SignatureFault};
use crate::asn1::oid;
use crate::report::{Failure, Remark, SealReport};

impl Check<'_> {
    /// Whether the signature is one over the content itself, in a PDF file, where nothing is said about trust.
    pub(super) fn bare_signer(
        &mut self,
        signer: &SignerInfo<'_>,
        digests: &mut Digests<'_>,
        report: &mut SealReport,
    ) -> Result<Signed, Failure> {
        if self.snapshot.is_some() || self.profile != Profile::PdfPkcs7 {
            return Err(Failure::SignedAttributesAbsent);
        }
        // Any other type must be signed as an attribute (RFC 5652 §5.3).
        if self.signed.content_type != oid::CONTENT_DATA.as_bytes() {
            return Err(Failure::ContentType);
        }
        let digest_algorithm = read_digest_algorithm(signer)?;
        let named = NamedAlgorithm::read(&signer.signature_algorithm)
            .map_err(Failure::Structure)?
            .ok_or(Failure::SignatureAlgorithmUnknown { certificate: None })?;
        let algorithm = whole_algorithm(named, digest_algorithm)?;
        report.algorithm = Some(algorithm);
        let embedded = self.certificates.iter();
        let mut named = embedded.filter(|one| signer.identifier.names(one));
        let certificate = named.next().ok_or(Failure::SignerCertificateAbsent)?;
        if named.next().is_some() {
            return Err(Failure::SignerCertificateAmbiguous);
        }
        report.signer = Some(Arc::clone(certificate));
        report.remarks.push(Remark::SigningCertificateAbsent);
        if !self.budget.spend() {
            return Err(Failure::BudgetSpent);
        }
        let digest = digests.of(digest_algorithm);
        match certificate.key().verify_digest(algorithm, &digest, signer.value) {
            Ok(()) => Ok(Signed {
                certificate: Arc::clone(certificate),
                algorithm,
                is_bound: false,
            }),
            Err(SignatureFault::Wrong) => Err(Failure::SignatureWrong),
            Err(SignatureFault::Unsupported) => Err(Failure::SignatureAlgorithmUnknown { certificate: None }),
        }
    }
}
