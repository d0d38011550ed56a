//! Whether an OCSP answer may be believed about a certificate, and what it then says (RFC 6960 §3.2, §4.2.2).
//!
//! Stands beside `crl` under `revocation`: `path` found out who issued the certificate, and asks here.
//!
//! **Invariant**: a verdict is given only for an answer that names the certificate, is signed by the issuer's key, by a
//! certificate that this very key issued for answering, or by one that the operator named, with an algorithm that policy
//! allows, and that is fresh at the control time; for every other the reason is given.
//! **Invariant**: nobody vouches for itself: an answer about a responder's own key, signed by it, is of no use.
//! **Invariant**: public-key operations are taken from the budget.

use std::sync::Arc;

use super::{OcspAnswer, OcspNonce, Single};
use crate::algorithm::{KeyKind, PublicKey, SignatureAlgorithm};
use crate::asn1::oid;
use crate::crl::{Revocation, RevocationReason};
use crate::digest::Digest;
use crate::path::Budget;
use crate::snapshot::Snapshot;
use crate::time::Time;
use crate::x509::{Certificate, KeyUsage};

/// What an answer is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The certificate whose revocation is in question.
    pub certificate: &'a Certificate,
    /// Who issued it.
    pub issuer: &'a Certificate,
    /// Responders that the operator trusts to answer for this issuer, whoever certified them (RFC 6960 §4.2.2.2, point 1).
    pub responders: &'a [Arc<Certificate>],
    /// The nonce that was sent, where one was: then the answer must repeat it.
    pub nonce: Option<&'a OcspNonce>,
    /// The control time.
    pub at: Time,
    /// By when the answer is proven to have existed, if not before the time of validation: algorithms must be good then,
    /// and a responder other than the issuer must last until then.
    pub now: Time,
}

/// What is said of a certificate (CertStatus).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateStatus {
    /// Not revoked. It may be one that was never issued, for all that the responder knows.
    Good,
    /// Revoked, or on hold (`RevocationReason::CertificateHold`).
    Revoked(Revocation),
    /// The responder knows nothing of it.
    Unknown,
}

/// Who signed an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Responder {
    /// The issuer of the certificate.
    Issuer,
    /// A responder that the operator trusts.
    Configured(Arc<Certificate>),
    /// Somebody whom the issuer certified for that, without need to ask for his revocation (id-pkix-ocsp-nocheck).
    Delegated(Arc<Certificate>),
    /// The same, and the certificate does not say so: the answer counts only if this certificate, issued by the same
    /// issuer, is proven not to be revoked.
    DelegatedUnproven(Arc<Certificate>),
}

/// What an answer says of a certificate, once it may be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What it says.
    pub status: CertificateStatus,
    /// Who says so; see [`Responder::DelegatedUnproven`].
    pub responder: Responder,
    /// When it was known to be so.
    pub this_update: Time,
    /// By when there is a newer answer, where it says so.
    pub next_update: Option<Time>,
}

/// Why an answer says nothing about a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// The certificate is not one of this issuer.
    #[error("the certificate is of another issuer")]
    IssuerMismatch,
    /// No CertID names the certificate.
    #[error("the OCSP answer is about another certificate")]
    OtherCertificate,
    /// A critical extension is not processed here.
    #[error("a critical extension of the OCSP answer is not known")]
    CriticalExtension,
    /// A nonce was sent, and none came back.
    #[error("the OCSP answer does not repeat the nonce")]
    NonceAbsent,
    /// A nonce was sent, and another one came back.
    #[error("the OCSP answer repeats another nonce")]
    NonceMismatch,
    /// thisUpdate, nextUpdate and producedAt contradict one another.
    #[error("the times of the OCSP answer contradict one another")]
    Times,
    /// thisUpdate or producedAt is after the control time.
    #[error("the OCSP answer is from the future")]
    Future,
    /// nextUpdate is past; or there is none, and the answer is older than policy allows.
    #[error("the OCSP answer is overdue")]
    Overdue,
    /// Neither the issuer, nor a certificate that came with the answer, nor a configured responder is the one named.
    #[error("the OCSP responder is not known")]
    ResponderUnknown,
    /// The responder's certificate was not issued by the issuer.
    #[error("the OCSP responder was not certified by the issuer")]
    ResponderUncertified,
    /// The responder's certificate is not for OCSP answers (extKeyUsage).
    #[error("the certificate of the OCSP responder is not for this purpose")]
    ResponderPurpose,
    /// The responder's key is not for signatures (keyUsage).
    #[error("the key of the OCSP responder is not for this use")]
    ResponderKeyUsage,
    /// The responder's certificate has a critical extension that is not processed here.
    #[error("a constraint on the OCSP responder is not processed")]
    ResponderConstraint,
    /// The responder's certificate was not valid when the answer was made, or is not at the control time.
    #[error("the certificate of the OCSP responder is not valid at this time")]
    ResponderValidity,
    /// The responder answers about its own key.
    #[error("the OCSP responder answers about itself")]
    ResponderItself,
    /// The answer, or a certificate, is signed with an algorithm that is not known here.
    #[error("the signature algorithm of the OCSP answer is not known")]
    AlgorithmUnknown,
    /// The answer, or a certificate, is signed with an algorithm or key that policy does not allow.
    #[error("{algorithm} is not allowed with this key at this time")]
    AlgorithmRefused {
        /// The algorithm.
        algorithm: SignatureAlgorithm,
        /// The key.
        key: KeyKind,
    },
    /// The signature of the answer is wrong.
    #[error("the signature of the OCSP answer is wrong")]
    SignatureWrong,
    /// The verdict may cost no more public-key operations.
    #[error("the check of the OCSP answer was given up")]
    BudgetSpent,
}

impl OcspAnswer {
    /// What the answer says of a certificate, judged by itself: that the issuer issued the certificate is proven, too.
    ///
    /// # Errors
    /// See [`Unusable`]. Where there is no error, [`Verdict::responder`] says what is still to be proven.
    pub fn judge(&self, question: Question<'_>, snapshot: &Snapshot) -> Result<Verdict, Unusable> {
        let mut budget = Budget::new(snapshot.policy().signature_checks_max);
        let verdict = judge(self, question, snapshot, &mut budget)?;
        let mut check = Check {
            answer: self,
            question,
            must_be_current: true,
            snapshot,
            budget: &mut budget,
        };
        let algorithm = question.certificate.signature_algorithm();
        check.check_algorithm(algorithm, question.issuer.key_kind())?;
        if check.is_issued(question.certificate)? {
            Ok(verdict)
        } else {
            Err(Unusable::IssuerMismatch)
        }
    }
}

/// What the answer says of the certificate; that the issuer's key issued it is for the caller to prove.
pub(crate) fn judge(
    answer: &OcspAnswer,
    question: Question<'_>,
    snapshot: &Snapshot,
    budget: &mut Budget,
) -> Result<Verdict, Unusable> {
    judge_as(answer, question, true, (snapshot, budget))
}

/// The same of an answer that may be overdue: what it says against a certificate stays said.
pub(crate) fn judge_of_any_age(
    answer: &OcspAnswer,
    question: Question<'_>,
    snapshot: &Snapshot,
    budget: &mut Budget,
) -> Result<Verdict, Unusable> {
    judge_as(answer, question, false, (snapshot, budget))
}

fn judge_as(
    answer: &OcspAnswer,
    question: Question<'_>,
    must_be_current: bool,
    (snapshot, budget): (&Snapshot, &mut Budget),
) -> Result<Verdict, Unusable> {
    let mut check = Check {
        answer,
        question,
        must_be_current,
        snapshot,
        budget,
    };
    if question.certificate.issuer() != question.issuer.subject() {
        return Err(Unusable::IssuerMismatch);
    }
    check.nonce()?;
    let (single, status) = check.single()?;
    let responder = check.responder()?;
    Ok(Verdict {
        status,
        responder,
        this_update: single.this_update,
        next_update: single.next_update,
    })
}

struct Check<'a> {
    answer: &'a OcspAnswer,
    question: Question<'a>,
    must_be_current: bool,
    snapshot: &'a Snapshot,
    budget: &'a mut Budget,
}

impl<'a> Check<'a> {
    fn nonce(&self) -> Result<(), Unusable> {
        match (self.question.nonce, &self.answer.nonce) {
            (None, _) => Ok(()),
            (Some(_), None) => Err(Unusable::NonceAbsent),
            (Some(sent), Some(repeated)) if sent == repeated => Ok(()),
            (Some(_), Some(_)) => Err(Unusable::NonceMismatch),
        }
    }

    /// What is said of the certificate. Where it is said more than once, the hardest counts, so that nothing is good
    /// beside another word about it, and of revocations the earliest date.
    fn single(&self) -> Result<(&'a Single, CertificateStatus), Unusable> {
        if self.answer.has_unprocessed {
            return Err(Unusable::CriticalExtension);
        }
        let Question {
            certificate, issuer, ..
        } = self.question;
        let said = self
            .answer
            .singles
            .iter()
            .filter(|single| single.id.names(certificate, issuer))
            .map(|single| self.check_single(single).map(|()| single));
        let said: Vec<Result<&Single, Unusable>> = said.collect();
        let hardest = said.iter().copied().max_by_key(weight);
        let single = hardest.unwrap_or(Err(Unusable::OtherCertificate))?;
        let mut status = single.status;
        if let CertificateStatus::Revoked(revocation) = &mut status {
            let dates = said.iter().flatten().filter_map(|one| match one.status {
                CertificateStatus::Revoked(other) => Some(other.at),
                CertificateStatus::Good | CertificateStatus::Unknown => None,
            });
            revocation.at = dates.min().unwrap_or(revocation.at);
        }
        Ok((single, status))
    }

    fn check_single(&self, single: &Single) -> Result<(), Unusable> {
        if single.has_unprocessed {
            return Err(Unusable::CriticalExtension);
        }
        let policy = self.snapshot.policy();
        let (at, skew) = (self.question.at, policy.clock_skew_seconds);
        let (this_update, produced_at) = (single.this_update, self.answer.produced_at);
        if at.plus_seconds(skew) < this_update.max(produced_at) {
            return Err(Unusable::Future);
        }
        let ends_before = single.next_update.is_some_and(|next| next < this_update);
        if ends_before || produced_at.plus_seconds(skew) < this_update {
            return Err(Unusable::Times);
        }
        let end = single
            .next_update
            .unwrap_or_else(|| this_update.plus_seconds(policy.ocsp_age_seconds_max));
        if self.must_be_current && end < at {
            Err(Unusable::Overdue)
        } else {
            Ok(())
        }
    }

    /// Who signed the answer. Several may bear the name it gives: each is tried, and if none did, the first says why.
    fn responder(&mut self) -> Result<Responder, Unusable> {
        let (answer, question) = (self.answer, self.question);
        let named = |certificate: &&Arc<Certificate>| answer.responder.names(certificate);
        let issuer = answer
            .responder
            .names(question.issuer)
            .then_some(Responder::Issuer);
        let configured = question.responders.iter().filter(named);
        let delegated = answer.certificates.iter().filter(named);
        let candidates = issuer
            .into_iter()
            .chain(configured.map(|one| Responder::Configured(Arc::clone(one))))
            .chain(delegated.map(delegate));
        let mut why = None;
        for candidate in candidates {
            let checked = match &candidate {
                Responder::Issuer => self.answered_by(question.issuer),
                Responder::Configured(responder) => self.configured(responder),
                Responder::Delegated(responder) | Responder::DelegatedUnproven(responder) => {
                    self.delegated(responder)
                }
            };
            match checked {
                Ok(()) => return Ok(candidate),
                Err(Unusable::BudgetSpent) => return Err(Unusable::BudgetSpent),
                Err(unusable) => why = why.or(Some(unusable)),
            }
        }
        Err(why.unwrap_or(Unusable::ResponderUnknown))
    }

    /// A responder that the operator trusts need not be certified for it, but must be valid.
    fn configured(&mut self, responder: &Certificate) -> Result<(), Unusable> {
        self.check_validity(responder)?;
        self.answered_by(responder)
    }

    /// RFC 6960 §4.2.2.2: issued directly by the issuer of the certificate in question, for this purpose.
    fn delegated(&mut self, responder: &Certificate) -> Result<(), Unusable> {
        if responder.issuer() != self.question.issuer.subject() {
            return Err(Unusable::ResponderUncertified);
        }
        let extensions = responder.extensions();
        let purposes = extensions.extended_key_usage.as_ref();
        // anyExtendedKeyUsage is not enough: the purpose is to be named.
        if !purposes.is_some_and(|purposes| purposes.names_any(&[oid::PURPOSE_OCSP_SIGNING])) {
            return Err(Unusable::ResponderPurpose);
        }
        let may_sign = extensions.key_usage.is_none_or(|usage| {
            usage.allows(KeyUsage::DIGITAL_SIGNATURE) || usage.allows(KeyUsage::NON_REPUDIATION)
        });
        if !may_sign {
            return Err(Unusable::ResponderKeyUsage);
        }
        if extensions.has_unknown_critical {
            return Err(Unusable::ResponderConstraint);
        }
        self.check_validity(responder)?;
        self.check_algorithm(responder.signature_algorithm(), self.question.issuer.key_kind())?;
        if !self.is_issued(responder)? {
            return Err(Unusable::ResponderUncertified);
        }
        self.answered_by(responder)
    }

    /// Valid when it answered, and at the control time: where nobody asks for its revocation, its end is what ends it.
    fn check_validity(&self, responder: &Certificate) -> Result<(), Unusable> {
        let is_valid_at = |time: Time| {
            // The last second is included, with all its microseconds.
            responder.not_before() <= time && time.as_seconds() <= responder.not_after().as_seconds()
        };
        let Question { at, now, .. } = self.question;
        if [self.answer.produced_at, at, now].into_iter().all(is_valid_at) {
            Ok(())
        } else {
            Err(Unusable::ResponderValidity)
        }
    }

    fn check_algorithm(&self, algorithm: Option<SignatureAlgorithm>, key: KeyKind) -> Result<(), Unusable> {
        let algorithm = algorithm.ok_or(Unusable::AlgorithmUnknown)?;
        let policy = &self.snapshot.policy().algorithms;
        if policy.permits(algorithm, key, self.question.now) {
            Ok(())
        } else {
            Err(Unusable::AlgorithmRefused { algorithm, key })
        }
    }

    /// Whether the issuer's key signed the certificate.
    fn is_issued(&mut self, certificate: &Certificate) -> Result<bool, Unusable> {
        let issuer = self.question.issuer;
        self.is_signed(issuer, certificate.fingerprint(), |key| {
            certificate.verify_signed_by(key).is_ok()
        })
    }

    fn answered_by(&mut self, responder: &Certificate) -> Result<(), Unusable> {
        let answer = self.answer;
        if responder.key_identity() == self.question.certificate.key_identity() {
            return Err(Unusable::ResponderItself);
        }
        self.check_algorithm(answer.signature_algorithm, responder.key_kind())?;
        let is_signed = self.is_signed(responder, answer.fingerprint, |key| {
            answer.verify_signed_by(key).is_ok()
        })?;
        if is_signed {
            Ok(())
        } else {
            Err(Unusable::SignatureWrong)
        }
    }

    /// Whether the key signed the object of this fingerprint; remembered for the life of the snapshot.
    fn is_signed(
        &mut self,
        by: &Certificate,
        object: Digest,
        verify: impl FnOnce(&PublicKey) -> bool,
    ) -> Result<bool, Unusable> {
        let key = by.key_digest();
        if self.snapshot.is_verified(&key, &object) {
            return Ok(true);
        }
        if !self.budget.spend() {
            return Err(Unusable::BudgetSpent);
        }
        let is_signed = verify(by.key());
        if is_signed {
            self.snapshot.remember_verified(&key, &object);
        }
        Ok(is_signed)
    }
}

fn delegate(certificate: &Arc<Certificate>) -> Responder {
    let certificate = Arc::clone(certificate);
    if certificate.extensions().has_no_check {
        Responder::Delegated(certificate)
    } else {
        Responder::DelegatedUnproven(certificate)
    }
}

/// The [`hardness`] of a revocation that is no hold.
pub(super) const REVOKED_FOR_GOOD: u8 = 4;

/// How much a status weighs beside other words about the same certificate: a revocation most, good least.
pub(super) fn hardness(status: CertificateStatus) -> u8 {
    match status {
        CertificateStatus::Revoked(revocation) if revocation.reason != RevocationReason::CertificateHold => {
            REVOKED_FOR_GOOD
        }
        CertificateStatus::Revoked(_) => 3,
        CertificateStatus::Unknown => 1,
        CertificateStatus::Good => 0,
    }
}

/// The same of what can perhaps not be used: then it weighs more than what revokes nothing.
fn weight(said: &Result<&Single, Unusable>) -> u8 {
    said.map_or(2, |single| hardness(single.status))
}
