//! What lists say against the certificate in question, however old they are.

use std::sync::Arc;

use super::{Inquiry, NotGood, not_good, signer};
use crate::crl::{Reasons, Revocation, RevocationList, RevocationReason};
use crate::path::{Question, RevocationDemand};
use crate::report::{RevocationProof, RevocationSource};
use crate::time::Time;

/// A word against the certificate, and when it was known to be so.
pub(super) struct Word {
    pub(super) not_good: NotGood,
    pub(super) made: Time,
}

impl<'a> Inquiry<'a, '_> {
    /// Whether the list tells how it is now, or how it was where that is asked.
    fn is_telling(&self, list: &Arc<RevocationList>) -> bool {
        let (now, policy) = (self.question.now, self.question.snapshot.policy());
        let is_settling = !self.question.is_beside(list) || self.is_young(list.this_update());
        self.is_usable(list) || list.is_fresh_at(now, policy.clock_skew_seconds) && is_settling
    }

    /// Whether the signer of a list against the certificate may be believed. One that has ended since is heard all the
    /// same: what was revoked stays so. Nor does it matter that its certificate was made anew after the list, or that
    /// nobody tells its own status.
    fn is_believed(&mut self, list: &Arc<RevocationList>) -> bool {
        let Question { at, now, .. } = self.question;
        let made_at = list.this_update().min(now);
        let asked_at = if self.is_of_past { at } else { now };
        [made_at, asked_at].into_iter().any(|at| {
            let as_of = signer::AsOf {
                at,
                algorithms_at: made_at,
                demand: RevocationDemand::NotAsked,
            };
            signer::of(list, self.path, as_of, self.question, self.budget).is_some()
        })
    }

    /// What lists say against the certificate, however old they are: the earliest word for good, and the newest hold. Holds
    /// in force are told by those that are asked ([`Inquiry::ask`]).
    pub(super) fn words_of_lists(&mut self, lists: &[(&'a Arc<RevocationList>, Reasons)]) -> Vec<Word> {
        let certificate = self.certificate();
        let told = lists.iter().filter_map(|(list, _)| {
            let revocation = list.revocation_of_certificate(certificate)?;
            (revocation.reason != RevocationReason::RemovedFromList).then_some((*list, revocation))
        });
        let is_hold = |(_, told): &(_, Revocation)| told.reason == RevocationReason::CertificateHold;
        let (mut holds, mut finals): (Vec<_>, Vec<_>) = told.partition(is_hold);
        finals.sort_by_key(|(_, revocation)| revocation.at);
        holds.sort_by_key(|(list, _)| std::cmp::Reverse(list.this_update()));
        let mut words: Vec<Word> = Vec::new();
        for (list, revocation) in finals {
            let is_telling = self.is_telling(list);
            let is_known = words
                .first()
                .is_some_and(|word| word.not_good.is_current || !is_telling);
            if is_known || !self.is_believed(list) {
                continue;
            }
            match words.first_mut() {
                Some(word) => word.not_good.is_current = true,
                None => words.push(self.word(list, revocation, is_telling)),
            }
        }
        if let Some((list, hold)) = holds.into_iter().find(|(list, _)| self.is_believed(list)) {
            words.push(self.word(list, hold, false));
        }
        words
    }

    fn word(&self, list: &Arc<RevocationList>, revocation: Revocation, is_current: bool) -> Word {
        let certificate = self.certificate();
        let proof = RevocationProof {
            certificate: Arc::clone(certificate),
            source: RevocationSource::List(Arc::clone(list)),
        };
        Word {
            not_good: NotGood {
                is_current,
                ..not_good(certificate, revocation, proof, &[])
            },
            made: list.this_update(),
        }
    }
}
