//! OCSP answers about the certificate in question.
//!
//! **Invariant**: an answer of a delegated responder whose certificate may be revoked proves nothing good until it is proven
//! that it is not, by somebody else. What it says against a certificate is heard unless its own is known to be revoked.

use std::sync::Arc;

use super::{Inquiry, NotGood, Word, check, is_known_revoked, not_good};
use crate::asn1::{tag, write};
use crate::crl::RevocationReason;
use crate::ocsp::{self, CertificateStatus, OcspAnswer, Responder, Verdict};
use crate::path::{self, RevocationDemand};
use crate::report::{RevocationProof, RevocationSource};
use crate::time::Time;

/// Answers about one certificate that came with a signature and are looked at: they may be any number.
const ANSWERS_MAX: usize = 16;

/// As of when an answer is judged, and how.
#[derive(Clone, Copy)]
struct Asked {
    at: Time,
    /// By when it is proven to have existed.
    proven: Time,
    /// Whether its responder must be proven not to be revoked, and the answer be current.
    demand: RevocationDemand,
}

impl Asked {
    fn to_prove(at: Time, proven: Time) -> Asked {
        let demand = RevocationDemand::Required;
        Asked { at, proven, demand }
    }
}

/// An answer at hand.
pub(super) struct AtHand {
    answer: Arc<OcspAnswer>,
    /// Whether it came with the signature.
    is_beside: bool,
    /// By when it is proven to have existed.
    proven: Time,
}

impl<'a> Inquiry<'a, '_> {
    /// The first answer that proves the certificate good, and when it was known to be so.
    pub(super) fn good_answer(&mut self, answers: &[AtHand]) -> Option<(RevocationProof, Time)> {
        answers.iter().find_map(|one| {
            let verdict = self.settled_by(one)?;
            let is_good = verdict.status == CertificateStatus::Good;
            is_good.then(|| (self.proof(Arc::clone(&one.answer)), verdict.this_update))
        })
    }

    /// What answers say against the certificate, however old they are.
    pub(super) fn words_of_answers(&mut self, answers: &[AtHand]) -> Vec<Word> {
        answers.iter().filter_map(|one| self.word_of(one)).collect()
    }

    /// What the answer says, where its responder may be believed as `demand` has it.
    fn verdict(&mut self, one: &AtHand, asked: Asked) -> Option<Verdict> {
        if !self.budget.step() {
            return None;
        }
        let question = ocsp::Question {
            certificate: &self.path[0],
            issuer: &self.path[1],
            responders: self.question.snapshot.responders(),
            nonce: None,
            at: asked.at,
            now: asked.proven,
        };
        self.is_spoken_of = true;
        let snapshot = self.question.snapshot;
        let judged = match asked.demand {
            RevocationDemand::NotAsked => {
                ocsp::judge_of_any_age(&one.answer, question, snapshot, self.budget)
            }
            RevocationDemand::IfGiven | RevocationDemand::Required => {
                ocsp::judge(&one.answer, question, snapshot, self.budget)
            }
        };
        let verdict = judged.ok()?;
        self.is_responder_good(&verdict.responder, asked.demand)
            .then_some(verdict)
    }

    /// A word against the certificate that the answer told when it was made. A responder that has ended since is heard all
    /// the same: what was revoked stays so. Nor does it matter that its certificate was made anew since.
    fn word_of(&mut self, one: &AtHand) -> Option<Word> {
        let (produced_at, now) = (one.answer.produced_at(), self.question.now);
        if self.latest() < produced_at {
            return None;
        }
        let then = [produced_at, now].into_iter().find_map(|at| {
            let demand = RevocationDemand::NotAsked;
            let proven = at;
            self.verdict(one, Asked { at, proven, demand })
        })?;
        let CertificateStatus::Revoked(revocation) = then.status else {
            return None;
        };
        let is_hold = revocation.reason == RevocationReason::CertificateHold;
        // Of one that has expired the answer of today is the last word, too: most responders forget those.
        let is_told_now = !one.is_beside || self.is_young(then.this_update);
        let now_told = self
            .verdict(one, Asked::to_prove(now, one.proven))
            .filter(|_| is_told_now);
        let is_told_now = now_told.is_some();
        let is_final = |verdict: &Verdict| match verdict.status {
            CertificateStatus::Revoked(told) => told.reason != RevocationReason::CertificateHold,
            CertificateStatus::Good | CertificateStatus::Unknown => false,
        };
        let is_current = now_told.as_ref().is_some_and(is_final)
            || !is_hold && self.settled_by(one).as_ref().is_some_and(is_final);
        let proof = self.proof(Arc::clone(&one.answer));
        Some(Word {
            not_good: NotGood {
                is_current,
                ..not_good(&self.path[0], revocation, proof, &[])
            },
            made: then.this_update,
            is_in_force: !is_hold || is_told_now,
        })
    }

    /// When the newest answer was made that proves the certificate good.
    pub(super) fn newest_good(&mut self, answers: &[AtHand]) -> Option<Time> {
        let good = answers.iter().filter_map(|one| self.settled_by(one));
        let good = good.filter(|verdict| verdict.status == CertificateStatus::Good);
        good.map(|verdict| verdict.this_update).max()
    }

    /// What the answer says where that settles the certificate: as of now; or, where that is asked of the past, after the
    /// control time, while the certificate lasted.
    fn settled_by(&mut self, one: &AtHand) -> Option<Verdict> {
        let (control, now) = (self.question.at, self.question.now);
        let produced_at = one.answer.produced_at();
        if !self.is_of_past {
            let verdict = self.verdict(one, Asked::to_prove(now, one.proven));
            return verdict.filter(|verdict| !one.is_beside || self.is_young(verdict.this_update));
        }
        if self.latest() < produced_at {
            return None;
        }
        let ended = self.path[0].not_after();
        let is_since = |verdict: &Verdict| {
            let may_tell = verdict.this_update <= ended || verdict.status != CertificateStatus::Good;
            control <= verdict.this_update && may_tell
        };
        let made = self
            .verdict(one, Asked::to_prove(produced_at, one.proven))
            .filter(is_since);
        match made {
            None if self.may_status_precede_proof() => {
                self.verdict(one, Asked::to_prove(control, one.proven))
            }
            made => made,
        }
    }

    fn proof(&self, answer: Arc<OcspAnswer>) -> RevocationProof {
        RevocationProof {
            certificate: Arc::clone(&self.path[0]),
            source: RevocationSource::Answer(answer),
        }
    }

    /// The answers at hand: those of the snapshot, and those that came with the signature, which is said beside.
    pub(super) fn answers(&mut self) -> Vec<AtHand> {
        let (certificate, issuer) = (&self.path[0], &self.path[1]);
        let (serial, now) = (certificate.serial(), self.question.now);
        // As a CertID has it: short numbers alone would be found anywhere.
        let named = write::element(tag::INTEGER, serial);
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
            .filter(|response| memchr::memmem::find(&response.der, &named).is_some())
            .take_while(|_| self.budget.step())
            .filter_map(|response| {
                let answer = response.answer()?;
                answer.is_about(certificate, issuer).then(|| AtHand {
                    answer: Arc::clone(answer),
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

    /// `demand`: whether a responder that may be revoked must be proven not to be; it must not be known to be in any case.
    fn is_responder_good(&mut self, responder: &Responder, demand: RevocationDemand) -> bool {
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
        if !is_asked || demand == RevocationDemand::NotAsked {
            // Nobody has to ask about it (RFC 6960 §4.2.2.2.1), and who knows better need not look away.
            let fingerprint = certificate.fingerprint();
            if let Some(is_revoked) = self.responders.get(&fingerprint) {
                return !is_revoked;
            }
            let known = budget.inside(key, |budget| is_known_revoked(&path, question, budget));
            if let Some(is_revoked) = known {
                self.responders.insert(fingerprint, is_revoked);
            }
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
