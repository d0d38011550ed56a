//! What is said against the certificate in question, however old the word is.

use std::sync::Arc;

use super::answers::AtHand;
use super::{Inquiry, NotGood, not_good, signer};
use crate::crl::{Reasons, Revocation, RevocationList, RevocationReason};
use crate::path::{Question, RevocationDemand};
use crate::time::Time;

/// A word against the certificate, and when it was known to be so.
pub(super) struct Word {
    pub(super) not_good: NotGood,
    pub(super) made: Time,
    /// A revocation for good, or a hold that somebody vouches for.
    pub(super) is_in_force: bool,
}

impl<'a> Inquiry<'a, '_> {
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
                must_last: false,
                demand: RevocationDemand::NotAsked,
            };
            signer::of(list, self.path, as_of, self.question, self.budget).is_some()
        })
    }

    /// All that lists and answers say against the certificate, after the lists were asked ([`Inquiry::ask`]).
    pub(super) fn words(
        &mut self,
        lists: &[(&'a Arc<RevocationList>, Reasons)],
        answers: &[AtHand],
    ) -> Vec<Word> {
        let mut words = self.words_of_lists(lists);
        words.extend(self.words_of_answers(answers));
        words
    }

    /// What lists say: the earliest word for good, and of those that were not asked the newest hold, and the newest that
    /// began before the control time.
    fn words_of_lists(&mut self, lists: &[(&'a Arc<RevocationList>, Reasons)]) -> Vec<Word> {
        let certificate = self.certificate();
        let told = lists.iter().filter_map(|(list, _)| {
            let revocation = list.revocation_of_certificate(certificate)?;
            (revocation.reason != RevocationReason::RemovedFromList).then_some((*list, revocation))
        });
        let is_hold = |(_, told): &(_, Revocation)| told.reason == RevocationReason::CertificateHold;
        let (mut holds, mut finals): (Vec<_>, Vec<_>) = told.partition(is_hold);
        finals.sort_by_key(|(_, revocation)| revocation.at);
        holds.retain(|(list, _)| !self.asked.contains(&list.fingerprint()));
        holds.sort_by_key(|(list, _)| std::cmp::Reverse(list.this_update()));
        let at = self.question.at;
        let before: Vec<_> = holds.iter().copied().filter(|(_, hold)| hold.at <= at).collect();
        let mut words = Vec::new();
        for (all, is_in_force) in [(finals, true), (holds, false), (before, false)] {
            let first = all.into_iter().find(|(list, _)| self.is_believed(list));
            words.extend(first.map(|(list, revocation)| self.word(list, revocation, is_in_force)));
        }
        words
    }

    fn word(&self, list: &Arc<RevocationList>, revocation: Revocation, is_in_force: bool) -> Word {
        Word {
            not_good: not_good(self.certificate(), revocation, self.proof_of(list), &[]),
            made: list.this_update(),
            is_in_force,
        }
    }
}
