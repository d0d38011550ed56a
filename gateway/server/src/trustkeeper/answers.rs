//! OCSP answers that were asked for: the newest about each certificate.
//!
//! **Invariant:** an answer is here only if it was proven to be one about that certificate, and never in the place of a
//! newer one; that a certificate was revoked for good is never taken back.
//! **Invariant:** one that has ended stays all the same, so that no older one takes its place.
//! **Invariant:** their number is bounded, and those that revoke are given up last.

use std::collections::BTreeMap;
use std::sync::Arc;

use trust::ocsp::{CertificateStatus, Question, Said};
use trust::{Digest, OcspAnswer, OcspFault, OcspRequest, Snapshot, Time};

use super::errand::About;
use super::material::{Taken, Unfit};

/// Answers that are kept at most; each has about 2 kB.
const KEPT_MAX: usize = 8192;

/// By the fingerprint of the certificate that each is about. Cheap enough to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Answers(BTreeMap<Digest, Arc<OcspAnswer>>);

/// The request about a certificate, in DER. Without a nonce: responders that answer from a store repeat none, and what is
/// fresh enough is said by the times of the answer.
pub(super) fn request(about: &About) -> Vec<u8> {
    OcspRequest::new(&about.certificate, &about.issuer).to_der()
}

/// Reads an answer and checks that it says something of the certificate, now, by somebody who may say so.
pub(super) fn check(
    bytes: Vec<u8>,
    about: &About,
    snapshot: &Snapshot,
    now: Time,
) -> Result<Arc<OcspAnswer>, Unfit> {
    let answer = OcspAnswer::from_der(bytes).map_err(|fault| match fault {
        OcspFault::Declined(declined) => Unfit::Declined(declined),
        OcspFault::Structure(_)
        | OcspFault::ResponseType
        | OcspFault::DuplicateExtension
        | OcspFault::Version
        | OcspFault::Size
        | OcspFault::Nonce => Unfit::NoAnswer,
    })?;
    let question = Question {
        certificate: &about.certificate,
        issuer: &about.issuer,
        responders: snapshot.responders(),
        nonce: None,
        at: now,
        now,
    };
    let verdict = answer.judge(question, snapshot).map_err(Unfit::Unusable)?;
    match verdict.status {
        CertificateStatus::Unknown => Err(Unfit::Unknown),
        CertificateStatus::Good | CertificateStatus::Revoked(_) => Ok(Arc::new(answer)),
    }
}

impl Answers {
    /// Those that were kept; which certificate each is about is said by its name.
    pub(super) fn of(
        kept: impl IntoIterator<Item = (Digest, Arc<OcspAnswer>)>,
        age_seconds_max: i64,
    ) -> Answers {
        let mut answers = Answers(kept.into_iter().collect());
        answers.make_room(KEPT_MAX, None, age_seconds_max);
        answers
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<OcspAnswer>> {
        self.0.values()
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// What taking this answer would come to. One that says what a fresh one said already changes nothing.
    pub(super) fn weigh(
        &self,
        about: &About,
        answer: &OcspAnswer,
        (now, age_seconds_max): (Time, i64),
    ) -> Result<Taken, Unfit> {
        let said = |answer: &OcspAnswer| answer.said_of(&about.certificate, &about.issuer);
        let known = self.0.get(&about.certificate.fingerprint());
        let Some((known, known_said)) = known.and_then(|known| Some((known, said(known)?))) else {
            return Ok(Taken::New);
        };
        let is_fresh = known.ends_at(age_seconds_max).is_some_and(|end| now <= end);
        let is_same = |new: Said| {
            known.fingerprint() == answer.fingerprint() || (is_fresh && new.status == known_said.status)
        };
        match said(answer) {
            Some(new) if known_said.is_final() && !new.is_final() => Ok(Taken::Same),
            Some(new) if new.this_update < known_said.this_update => Err(Unfit::Older),
            Some(new) if is_same(new) => Ok(Taken::Same),
            Some(_) => Ok(Taken::New),
            None => Err(Unfit::NoAnswer),
        }
    }

    /// Takes an answer that [`check`] let through, unless it is older than the one about its certificate. Those that had
    /// to make room are handed out.
    pub(super) fn take(
        &mut self,
        about: &About,
        answer: Arc<OcspAnswer>,
        (now, age_seconds_max): (Time, i64),
    ) -> Result<Vec<Digest>, Unfit> {
        let certificate = about.certificate.fingerprint();
        if self.weigh(about, &answer, (now, age_seconds_max))? == Taken::New {
            self.0.insert(certificate, answer);
        }
        Ok(self.make_room(KEPT_MAX, Some(certificate), age_seconds_max))
    }

    /// Gives up those that end first, but for the one that was just taken, and hands out which.
    pub(super) fn make_room(
        &mut self,
        kept_max: usize,
        but: Option<Digest>,
        age_seconds_max: i64,
    ) -> Vec<Digest> {
        let mut left = Vec::new();
        while self.0.len() > kept_max {
            let end = |answer: &OcspAnswer| answer.ends_at(age_seconds_max);
            let others = self.0.iter().filter(|(about, _)| Some(**about) != but);
            let first = others.min_by_key(|(_, answer)| {
                let end = end(answer);
                (end.is_none(), end, answer.produced_at())
            });
            let Some((about, _)) = first.map(|(about, answer)| (*about, Arc::clone(answer))) else {
                return left;
            };
            self.0.remove(&about);
            left.push(about);
        }
        left
    }
}
