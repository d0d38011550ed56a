//! OCSP answers about the certificate in question.
//!
//! **Invariant**: an answer of a delegated responder whose certificate may be revoked counts only once it is proven that it
//! is not, by somebody else.

use std::sync::Arc;

use super::{Inquiry, NotGood, check, is_known_revoked, not_good};
use crate::crl::RevocationReason;
use crate::ocsp::{self, CertificateStatus, OcspAnswer, Responder, Verdict};
use crate::path;
use crate::report::{RevocationProof, RevocationSource};
use crate::time::Time;

/// Answers about one certificate that came with a signature and are looked at: they may be any number.
const ANSWERS_MAX: usize = 16;

/// An answer at hand.
struct AtHand {
    answer: Arc<OcspAnswer>,
    /// Whether it came with the signature.
    is_beside: bool,
    /// By when it is proven to have existed.
    proven: Time,
}

impl<'a> Inquiry<'a, '_> {
    /// The first answer that proves the certificate good; `None` where none does.
    ///
    /// # Errors
    /// An answer that may be believed says that it was revoked, however old that answer is; of several the hardest.
    pub(super) fn ask_answers(&mut self) -> Result<Option<RevocationProof>, NotGood> {
        let answers = self.answers();
        let against: Vec<NotGood> = answers.iter().filter_map(|one| self.revoked_by(one)).collect();
        if let Some(hardest) = against.into_iter().reduce(NotGood::or_harder) {
            return Err(hardest);
        }
        for one in answers {
            if self.is_good_by(&one) {
                return Ok(Some(self.proof(one.answer)));
            }
        }
        Ok(None)
    }

    /// What the answer says, judged as of this time, where its responder may be believed. `proven`: by when it existed.
    fn verdict(&mut self, one: &AtHand, at: Time, proven: Time) -> Option<Verdict> {
        let question = ocsp::Question {
            certificate: &self.path[0],
            issuer: &self.path[1],
            responders: self.question.snapshot.responders(),
            nonce: None,
            at,
            now: proven,
        };
        self.is_spoken_of = true;
        let judged = ocsp::judge(&one.answer, question, self.question.snapshot, self.budget);
        let verdict = judged.ok()?;
        self.is_responder_good(&verdict.responder).then_some(verdict)
    }

    /// A revocation that the answer told of when it was made. A hold counts only while the answer is current.
    fn revoked_by(&mut self, one: &AtHand) -> Option<NotGood> {
        let answer = &one.answer;
        if self.latest() < answer.produced_at() {
            return None;
        }
        // A responder that has ended since is heard all the same: what was revoked stays so.
        let then = self.verdict(one, answer.produced_at(), answer.produced_at())?;
        let CertificateStatus::Revoked(revocation) = then.status else {
            return None;
        };
        let is_hold = revocation.reason == RevocationReason::CertificateHold;
        if is_hold && self.verdict(one, self.question.now, one.proven).is_none() {
            return None;
        }
        Some(not_good(
            &self.path[0],
            revocation,
            self.proof(Arc::clone(answer)),
            &[],
        ))
    }

    /// Whether the answer proves that the certificate is good: now; or, where that is asked of the past, that it was so
    /// after the control time, while the certificate lasted.
    fn is_good_by(&mut self, one: &AtHand) -> bool {
        let (control, now) = (self.question.at, self.question.now);
        if !self.is_of_past {
            let verdict = self.verdict(one, now, one.proven);
            return verdict.is_some_and(|verdict| {
                verdict.status == CertificateStatus::Good
                    && (!one.is_beside || self.is_young(verdict.this_update))
            });
        }
        let ended = self.path[0].not_after();
        let is_since = |verdict: &Verdict| control <= verdict.this_update && verdict.this_update <= ended;
        let is_early_enough = self.may_status_precede_proof();
        let made = self
            .verdict(one, one.answer.produced_at(), one.proven)
            .filter(is_since);
        let made = match made {
            None if is_early_enough => self.verdict(one, control, one.proven),
            made => made,
        };
        made.is_some_and(|verdict| verdict.status == CertificateStatus::Good)
    }

    fn proof(&self, answer: Arc<OcspAnswer>) -> RevocationProof {
        RevocationProof {
            certificate: Arc::clone(&self.path[0]),
            source: RevocationSource::Answer(answer),
        }
    }

    /// The answers at hand: those of the snapshot, and those that came with the signature, which is said beside.
    fn answers(&self) -> Vec<AtHand> {
        let (certificate, issuer) = (&self.path[0], &self.path[1]);
        let (serial, now) = (certificate.serial(), self.question.now);
        let known = self.question.snapshot.answers_about(serial).iter();
        // Others may bear the number too, and are no reason to look away from one that is about this certificate.
        let known = known.filter(|answer| answer.is_about(certificate, issuer));
        let known = known.map(|answer| AtHand {
            answer: Arc::clone(answer),
            is_beside: false,
            proven: now,
        });
        // Whatever speaks of a certificate holds its serial number: the others need not be read.
        let beside = self.question.responses.iter();
        let beside = beside
            .filter(|response| memchr::memmem::find(&response.der, serial).is_some())
            .filter_map(|response| {
                let answer = OcspAnswer::from_der(response.der.to_vec()).ok()?;
                answer.is_about(certificate, issuer).then(|| AtHand {
                    answer: Arc::new(answer),
                    is_beside: true,
                    proven: response.proven.map_or(now, |proven| proven.min(now)),
                })
            });
        // Each approval adds one about the same authorities: the newest settle most.
        let mut beside: Vec<AtHand> = beside.collect();
        beside.sort_by_key(|one| std::cmp::Reverse(one.answer.produced_at()));
        beside.truncate(ANSWERS_MAX);
        known.chain(beside).collect()
    }

    fn is_responder_good(&mut self, responder: &Responder) -> bool {
        let (certificate, is_asked) = match responder {
            Responder::Issuer | Responder::Configured(_) => return true,
            Responder::Delegated(certificate) => (certificate, false),
            Responder::DelegatedUnproven(certificate) => {
                let is_silent = certificate.crl_urls().is_empty() && certificate.responder_urls().is_empty();
                let is_asked = !is_silent || self.question.snapshot.policy().is_silent_responder_asked;
                (certificate, is_asked)
            }
        };
        let path: Vec<_> = std::iter::once(certificate)
            .chain(&self.path[1..])
            .map(Arc::clone)
            .collect();
        if path::check_names(&path).is_err() {
            return false;
        }
        let question = self.question;
        let (key, budget) = (certificate.key_identity(), &mut *self.budget);
        if !is_asked {
            // Nobody has to ask about it (RFC 6960 §4.2.2.2.1), and who knows better need not look away.
            let known = budget.inside(key, |budget| is_known_revoked(&path, question, budget));
            return known == Some(false);
        }
        match budget.inside(key, |budget| check(&path, question, budget)) {
            Some(Ok(_)) => true,
            // Its list is its issuer's, as the certificate's is, and may be elsewhere.
            Some(Err(NotGood { need: Some(need), .. })) => {
                self.missing.get_or_insert_default().extend(need.lists);
                false
            }
            Some(Err(_)) | None => false,
        }
    }
}
