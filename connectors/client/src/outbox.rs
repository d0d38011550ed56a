//! The outbox of one account: what was handed in and has no final receipt yet, and the answers that came.
//!
//! waiting → published (the broker confirmed) → answered (final receipt stored). Pure state: the log is its only
//! source ([`crate::store`]), except for what is on its way to the broker, which a restart forgets on purpose.
//!
//! **Invariant:** an entry leaves only when its final receipt is stored; every doubt sends it again, under the same id.

use std::collections::{BTreeSet, HashMap, VecDeque};

use domain::dispatch::Rank;
use domain::ids::{DispatchId, SubmissionId};
use domain::receipt::ReceiptKind;
use trust::Time;

use crate::store::Place;

/// How many answers are kept in memory for [`crate::Connector::answer_of`].
const ANSWERS_MAX: usize = 100_000;

/// A held submission is known to the gateway and is asked about again only after this long, in seconds.
const HELD_SECONDS: i64 = 6 * 3600;

/// What the gateway answered to a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// SubmissionAcceptance or SubmissionRejection; SubmissionHeld while it waits.
    pub kind: ReceiptKind,
    /// The dispatch that carried the receipt.
    pub dispatch: DispatchId,
    /// When it was stored here.
    pub at: Time,
    pub(crate) place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// In its lane.
    Waiting,
    /// Given to the broker, not confirmed yet.
    InFlight,
    /// Confirmed by the broker, or known by the gateway to be held; asked about again when this is long ago.
    Published(Time),
}

#[derive(Debug, Clone)]
struct Entry {
    place: Place,
    rank: Rank,
    stage: Stage,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    entries: HashMap<SubmissionId, Entry>,
    /// Urgent, normal. May name entries that are no longer waiting: those are passed over.
    lanes: [VecDeque<SubmissionId>; 2],
    published: BTreeSet<(Time, SubmissionId)>,
    answers: HashMap<SubmissionId, Answer>,
    answer_order: VecDeque<SubmissionId>,
}

fn lane(rank: Rank) -> usize {
    match rank {
        Rank::Urgent => 0,
        Rank::Normal => 1,
    }
}

impl Outbox {
    /// An entry is in the log at `place`; again, after it was carried forward.
    pub(crate) fn entered(&mut self, submission: &SubmissionId, rank: Rank, place: Place) {
        if let Some(entry) = self.entries.get_mut(submission) {
            entry.place = place;
            return;
        }
        if self.answers.contains_key(submission) {
            return;
        }
        self.entries.insert(
            submission.clone(),
            Entry {
                place,
                rank,
                stage: Stage::Waiting,
            },
        );
        self.lanes[lane(rank)].push_back(submission.clone());
    }

    /// The broker confirmed the submission.
    pub(crate) fn published(&mut self, submission: &SubmissionId, at: Time) {
        let Some(entry) = self.entries.get_mut(submission) else {
            return;
        };
        if let Stage::Published(before) = entry.stage {
            self.published.remove(&(before, submission.clone()));
        }
        entry.stage = Stage::Published(at);
        self.published.insert((at, submission.clone()));
    }

    /// A checked receipt for the submission is stored.
    pub(crate) fn answered(&mut self, submission: &SubmissionId, answer: Answer) {
        if !answer.kind.is_final_answer() {
            self.published(submission, answer.at.plus_seconds(HELD_SECONDS));
        } else if let Some(entry) = self.entries.remove(submission)
            && let Stage::Published(at) = entry.stage
        {
            self.published.remove(&(at, submission.clone()));
        }
        let is_final = |answer: &Answer| answer.kind.is_final_answer();
        match self.answers.get_mut(submission) {
            // The first final answer stands; repeats of it come under other dispatch ids.
            Some(known) if is_final(known) => {}
            Some(known) => *known = answer,
            None => {
                self.answers.insert(submission.clone(), answer);
                self.answer_order.push_back(submission.clone());
            }
        }
        while self.answer_order.len() > ANSWERS_MAX {
            if let Some(oldest) = self.answer_order.pop_front() {
                self.answers.remove(&oldest);
            }
        }
    }

    /// The next submission of this rank to give to the broker.
    pub(crate) fn next(&mut self, rank: Rank) -> Option<(SubmissionId, Place)> {
        while let Some(submission) = self.lanes[lane(rank)].pop_front() {
            if let Some(entry) = self.entries.get_mut(&submission)
                && entry.stage == Stage::Waiting
            {
                entry.stage = Stage::InFlight;
                return Some((submission, entry.place));
            }
        }
        None
    }

    /// The broker did not take it: it waits again, before all others.
    pub(crate) fn put_back(&mut self, submission: &SubmissionId) {
        if let Some(entry) = self.entries.get_mut(submission)
            && entry.stage == Stage::InFlight
        {
            entry.stage = Stage::Waiting;
            self.lanes[lane(entry.rank)].push_front(submission.clone());
        }
    }

    /// What was published before `limit` and is not answered waits again; how many those are.
    pub(crate) fn revive(&mut self, limit: Time) -> usize {
        let mut revived = 0;
        while let Some((at, _)) = self.published.first()
            && *at < limit
        {
            let (_, submission) = self.published.pop_first().expect("just seen");
            let entry = self
                .entries
                .get_mut(&submission)
                .expect("what is published is an entry");
            entry.stage = Stage::Waiting;
            self.lanes[lane(entry.rank)].push_back(submission);
            revived += 1;
        }
        revived
    }

    pub(crate) fn answer(&self, submission: &SubmissionId) -> Option<&Answer> {
        self.answers.get(submission)
    }

    /// Where a submission without final receipt lies.
    pub(crate) fn place(&self, submission: &SubmissionId) -> Option<Place> {
        self.entries.get(submission).map(|entry| entry.place)
    }

    pub(crate) fn holds(&self, submission: &SubmissionId) -> bool {
        self.entries.contains_key(submission)
    }

    /// How many have no final receipt.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Live entries of a segment, and since when they are published.
    pub(crate) fn live_in(&self, segment: u32) -> Vec<(SubmissionId, Place, Option<Time>)> {
        let published = |stage| match stage {
            Stage::Published(at) => Some(at),
            Stage::Waiting | Stage::InFlight => None,
        };
        let mut live: Vec<_> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.place.segment == segment)
            .map(|(submission, entry)| (submission.clone(), entry.place, published(entry.stage)))
            .collect();
        live.sort_by_key(|(_, place, _)| place.offset);
        live
    }

    /// Bytes that entries take in the log.
    pub(crate) fn live_bytes(&self) -> u64 {
        self.entries
            .values()
            .map(|entry| u64::from(entry.place.bytes))
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place {
        segment: 1,
        offset: 16,
        bytes: 9,
    };

    fn submission(name: &str) -> SubmissionId {
        SubmissionId::parse(name).expect("an id")
    }

    fn answer(kind: ReceiptKind) -> Answer {
        Answer {
            kind,
            dispatch: DispatchId::from_bytes([1; 16]),
            at: Time::from_seconds(50),
            place: PLACE,
        }
    }

    #[test]
    fn an_entry_leaves_only_with_its_final_receipt() {
        let (mut outbox, id) = (Outbox::default(), submission("s1"));
        outbox.entered(&id, Rank::Normal, PLACE);
        assert_eq!(outbox.next(Rank::Normal), Some((id.clone(), PLACE)));
        assert_eq!(outbox.next(Rank::Normal), None, "in flight");
        outbox.put_back(&id);
        assert_eq!(outbox.next(Rank::Normal), Some((id.clone(), PLACE)));
        outbox.published(&id, Time::from_seconds(10));
        assert_eq!(outbox.revive(Time::from_seconds(10)), 0);
        assert_eq!(
            outbox.revive(Time::from_seconds(11)),
            1,
            "no answer: sent again under the same id"
        );
        assert_eq!(outbox.next(Rank::Normal), Some((id.clone(), PLACE)));
        outbox.answered(&id, answer(ReceiptKind::SubmissionHeld));
        assert_eq!(outbox.len(), 1, "held is no final answer");
        assert_eq!(
            outbox.revive(Time::from_seconds(3600)),
            0,
            "the gateway knows of it"
        );
        outbox.answered(&id, answer(ReceiptKind::SubmissionAcceptance));
        assert_eq!((outbox.len(), outbox.published.len()), (0, 0));
        outbox.answered(&id, answer(ReceiptKind::SubmissionRejection));
        assert_eq!(
            outbox.answer(&id).map(|answer| answer.kind),
            Some(ReceiptKind::SubmissionAcceptance)
        );
    }

    #[test]
    fn a_receipt_before_the_confirm_settles_the_entry() {
        let (mut outbox, id) = (Outbox::default(), submission("s1"));
        outbox.entered(&id, Rank::Urgent, PLACE);
        assert!(outbox.next(Rank::Urgent).is_some());
        outbox.answered(&id, answer(ReceiptKind::SubmissionRejection));
        outbox.published(&id, Time::from_seconds(60));
        outbox.put_back(&id);
        assert_eq!(
            (outbox.len(), outbox.next(Rank::Urgent), outbox.published.len()),
            (0, None, 0)
        );
    }
}
