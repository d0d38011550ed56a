//! OCSP answers about the certificate in question.
//!
//! **Invariant**: an answer of a delegated responder whose certificate may be revoked counts only once it is proven that it
//! is not, by somebody else.

use std::sync::Arc;

use super::{Inquiry, NotGood, check, not_good};
use crate::ocsp::{self, CertificateStatus, OcspAnswer, Responder, Unusable};
use crate::report::{RevocationProof, RevocationSource};

/// Answers about one certificate that are looked at: those that came with a signature may be any number.
const ANSWERS_MAX: usize = 16;

impl<'a> Inquiry<'a, '_> {
    /// The first answer that proves the certificate good; `None` where none does.
    ///
    /// # Errors
    /// An answer that may be believed says that it was revoked.
    pub(super) fn ask_answers(&mut self) -> Result<Option<RevocationProof>, NotGood> {
        let (certificate, issuer) = (&self.path[0], &self.path[1]);
        let question = ocsp::Question {
            certificate,
            issuer,
            responders: &[],
            nonce: None,
            at: if self.is_of_past {
                self.question.at
            } else {
                self.question.now
            },
        };
        let mut good = None;
        for answer in self.answers() {
            let verdict = match ocsp::judge(&answer, question, self.question.snapshot, self.budget) {
                Ok(verdict) => verdict,
                Err(unusable) => {
                    self.is_spoken_of |=
                        !matches!(unusable, Unusable::OtherCertificate | Unusable::IssuerMismatch);
                    continue;
                }
            };
            self.is_spoken_of = true;
            if !self.is_responder_good(&verdict.responder) {
                continue;
            }
            let proof = RevocationProof {
                certificate: Arc::clone(certificate),
                source: RevocationSource::Answer(answer),
            };
            match verdict.status {
                CertificateStatus::Good => {
                    good.get_or_insert(proof);
                }
                CertificateStatus::Revoked(revocation) => {
                    return Err(not_good(certificate, revocation, proof, &[]));
                }
                CertificateStatus::Unknown => {}
            }
        }
        Ok(good)
    }

    /// The answers at hand: those of the snapshot, and those that came with the signature.
    fn answers(&self) -> Vec<Arc<OcspAnswer>> {
        let serial = self.path[0].serial();
        let known = self
            .question
            .snapshot
            .answers_about(serial)
            .iter()
            .map(Arc::clone);
        // Whatever speaks of a certificate holds its serial number: the others need not be read.
        let beside = self.question.responses.iter();
        let beside = beside
            .filter(|der| memchr::memmem::find(der, serial).is_some())
            .take(ANSWERS_MAX)
            .filter_map(|der| OcspAnswer::from_der(der.to_vec()).ok())
            .filter(|answer| answer.serials().any(|one| one == serial));
        known.chain(beside.map(Arc::new)).take(ANSWERS_MAX).collect()
    }

    fn is_responder_good(&mut self, responder: &Responder) -> bool {
        let certificate = match responder {
            Responder::Issuer | Responder::Configured(_) | Responder::Delegated(_) => return true,
            Responder::DelegatedUnproven(certificate) => certificate,
        };
        let is_silent = certificate.crl_urls().is_empty() && certificate.responder_urls().is_empty();
        if is_silent && !self.question.snapshot.policy().is_silent_responder_asked {
            return true;
        }
        let path: Vec<_> = std::iter::once(certificate)
            .chain(&self.path[1..])
            .map(Arc::clone)
            .collect();
        let question = self.question;
        let checked = self
            .budget
            .inside(certificate.key_digest(), |budget| check(&path, question, budget));
        checked.is_some_and(|checked| checked.is_ok())
    }
}
