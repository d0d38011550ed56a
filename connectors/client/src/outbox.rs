//! The outbox of one account: what was handed in and has no final receipt yet, and the answers that came.
//!
//! waiting → published (the broker confirmed) → answered (final receipt stored). Pure state: the log is its only
//! source ([`crate::store`]), except for what is on its way to the broker, which a restart forgets on purpose.
//!
//! A submission that repeats what the gateway holds is told "held" in the same case, and the case is decided by one
//! receipt, for the submission that came first: it answers every entry that is held in that case.
//!
//! **Invariant:** an entry leaves only when its final receipt is stored; every doubt sends it again, under the same id.
//! **Invariant:** whatever is told "held" is an entry: the notice lives and goes with it.

use std::collections::{BTreeSet, HashMap, VecDeque};

use domain::dispatch::Rank;
use domain::ids::{CaseId, DispatchId, SubmissionId};
use domain::receipt::ReceiptKind;
use trust::Time;

use crate::store::Place;

/// How many final answers are kept in memory for [`crate::Connector::answer_of`].
const ANSWERS_MAX: usize = 100_000;

/// A held submission is known to the gateway and is asked about again only after this long, in seconds. The gateway
/// knows it again by account, id and packet digest, and only acknowledges it.
const HELD_SECONDS: i64 = 6 * 3600;

/// An unanswered submission waits twice as long after each time that it was sent again, this many times; never longer than a
/// held one.
const DOUBLINGS_MAX: u32 = 6;

/// What the gateway answered to a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// SubmissionAcceptance or SubmissionRejection; SubmissionHeld while it waits.
    pub kind: ReceiptKind,
    /// The dispatch that carried the receipt.
    pub dispatch: DispatchId,
    /// When it was stored here.
    pub at: Time,
    /// The case that the receipt is about: as signed when receipts are checked, otherwise as its header says.
    pub case: Option<CaseId>,
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
    /// How often it was sent again over this connection.
    repeats: u32,
    /// The newest notice that the gateway holds it.
    held: Option<Answer>,
}

/// An entry as it is carried forward.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) submission: SubmissionId,
    /// Where the entry lies, and since when it is published; nothing when only its notice is to be carried.
    pub(crate) entry: Option<(Place, Option<Time>)>,
    /// The notice, to be written after the entry.
    pub(crate) held: Option<Answer>,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    entries: HashMap<SubmissionId, Entry>,
    /// Urgent, normal. May name entries that are no longer waiting: those are passed over.
    lanes: [VecDeque<SubmissionId>; 2],
    published: BTreeSet<(Time, SubmissionId)>,
    /// Entries by the case they are held in.
    held: HashMap<CaseId, Vec<SubmissionId>>,
    /// Final answers.
    answers: HashMap<SubmissionId, Answer>,
    answer_order: VecDeque<SubmissionId>,
    /// Cases with the submission in `answers` whose receipt decided them.
    decided: HashMap<CaseId, SubmissionId>,
    /// Answered by the receipt of another submission of their case; not told yet.
    answered_alike: Vec<(SubmissionId, ReceiptKind)>,
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
                repeats: 0,
                held: None,
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

    /// From when on a submission that the broker confirms now counts as published, where an answer is waited for so many
    /// seconds. Later when the gateway is known to hold it, because it does not answer it again before the case is decided;
    /// and when it was sent again before: a gateway that is down, or whose receipts are not believed, is not buried in
    /// copies.
    pub(crate) fn published_from(&self, submission: &SubmissionId, now: Time, seconds: i64) -> Time {
        let later = match self.entries.get(submission) {
            Some(entry) if entry.held.is_some() => HELD_SECONDS,
            Some(entry) => {
                let rounds = (1_i64 << entry.repeats.min(DOUBLINGS_MAX)) - 1;
                seconds.saturating_mul(rounds).min(HELD_SECONDS)
            }
            None => 0,
        };
        now.plus_seconds(later)
    }

    /// A checked receipt for the submission is stored.
    pub(crate) fn answered(&mut self, submission: &SubmissionId, answer: Answer) {
        if !answer.kind.is_final_answer() {
            self.published(submission, answer.at.plus_seconds(HELD_SECONDS));
            self.held(submission, answer);
            return;
        }
        let held_in = self
            .entries
            .get(submission)
            .and_then(|entry| entry.held.as_ref()?.case);
        let cases = [answer.case, held_in.filter(|case| answer.case != Some(*case))];
        self.settle(submission, answer.clone());
        for case in cases.into_iter().flatten() {
            for alike in self.held.remove(&case).unwrap_or_default() {
                self.settle_alike(&alike, answer.clone());
            }
        }
    }

    /// The gateway holds the submission. When its case is decided already, receipts came in another order than they were
    /// made: the one that decided it is the answer.
    pub(crate) fn held(&mut self, submission: &SubmissionId, notice: Answer) {
        self.leave_case(submission);
        let Some(entry) = self.entries.get_mut(submission) else {
            return;
        };
        let case = notice.case;
        entry.held = Some(notice);
        let Some(case) = case else { return };
        let decision = self.decided.get(&case).and_then(|first| self.answers.get(first));
        match decision.cloned() {
            Some(answer) => self.settle_alike(submission, answer),
            None => self.held.entry(case).or_default().push(submission.clone()),
        }
    }

    fn settle_alike(&mut self, submission: &SubmissionId, answer: Answer) {
        self.answered_alike.push((submission.clone(), answer.kind));
        self.settle(submission, answer);
    }

    /// The submission is answered; a restart need not have the receipt that did it in its log any more.
    pub(crate) fn settled(&mut self, submission: &SubmissionId) {
        self.leave_case(submission);
        if let Some(entry) = self.entries.remove(submission)
            && let Stage::Published(at) = entry.stage
        {
            self.published.remove(&(at, submission.clone()));
        }
    }

    /// The entry leaves with its final answer. The first one stands; repeats of it come under other dispatch ids.
    fn settle(&mut self, submission: &SubmissionId, answer: Answer) {
        self.settled(submission);
        if self.answers.contains_key(submission) {
            return;
        }
        if let Some(case) = answer.case {
            self.decided.entry(case).or_insert_with(|| submission.clone());
        }
        self.answers.insert(submission.clone(), answer);
        self.answer_order.push_back(submission.clone());
        while self.answer_order.len() > ANSWERS_MAX {
            self.forget_oldest_answer();
        }
    }

    /// The notice that it is held cannot be read back; the gateway gives it again when it is asked.
    pub(crate) fn forget_notice(&mut self, submission: &SubmissionId) {
        self.leave_case(submission);
        if let Some(entry) = self.entries.get_mut(submission) {
            entry.held = None;
        }
    }

    /// The receipt behind its final answer cannot be read back: it counts as not submitted, and the gateway answers a
    /// repeat with the same receipt.
    pub(crate) fn forget_answer(&mut self, submission: &SubmissionId) {
        self.forget_notice(submission);
        let case = self.answers.remove(submission).and_then(|answer| answer.case);
        if let Some(case) = case
            && self.decided.get(&case) == Some(submission)
        {
            self.decided.remove(&case);
        }
    }

    fn leave_case(&mut self, submission: &SubmissionId) {
        let entry = self.entries.get(submission);
        let Some(case) = entry.and_then(|entry| entry.held.as_ref()?.case) else {
            return;
        };
        if let Some(alike) = self.held.get_mut(&case) {
            alike.retain(|one| one != submission);
            if alike.is_empty() {
                self.held.remove(&case);
            }
        }
    }

    fn forget_oldest_answer(&mut self) {
        let Some(oldest) = self.answer_order.pop_front() else {
            return;
        };
        self.forget_answer(&oldest);
    }

    /// What was answered by the receipt of another submission of its case, since this was last asked.
    pub(crate) fn take_answered_alike(&mut self) -> Vec<(SubmissionId, ReceiptKind)> {
        std::mem::take(&mut self.answered_alike)
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

    /// After a restart, and with a new connection: times may lie ahead, when the clock was set back since, and when what was
    /// not answered waits for long. Such an entry counts as published now: the clock may take long to come there again, and the
    /// broker may be another one.
    pub(crate) fn reckon(&mut self, now: Time) {
        let latest = |entry: &Entry| match entry.held {
            Some(_) => now.plus_seconds(HELD_SECONDS),
            None => now,
        };
        let is_ahead = |entry: &Entry| matches!(entry.stage, Stage::Published(at) if at > latest(entry));
        let ahead = self.entries.iter().filter(|(_, entry)| is_ahead(entry));
        let ahead: Vec<SubmissionId> = ahead.map(|(submission, _)| submission.clone()).collect();
        for submission in ahead {
            self.published(&submission, now);
        }
        for entry in self.entries.values_mut() {
            entry.repeats = 0;
        }
    }

    /// What was published more than so many seconds ago and is not answered waits again; how many those are. `now` never
    /// goes back ([`crate::clock::steady`]).
    pub(crate) fn revive(&mut self, now: Time, seconds: i64) -> usize {
        // A notice bears the time of day at which it came, and the clock may have been set since.
        if self
            .published
            .last()
            .is_some_and(|(at, _)| *at > now.plus_seconds(HELD_SECONDS))
        {
            self.reckon(now);
        }
        let limit = now.plus_seconds(-seconds);
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
            entry.repeats += 1;
            self.lanes[lane(entry.rank)].push_back(submission);
            revived += 1;
        }
        revived
    }

    /// The final answer, or the notice that it is held.
    pub(crate) fn answer(&self, submission: &SubmissionId) -> Option<&Answer> {
        let notice = || self.entries.get(submission)?.held.as_ref();
        self.answers.get(submission).or_else(notice)
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

    /// What of a segment is still needed: entries, and notices of entries. A notice goes with its entry into the log,
    /// after it, because a restart keeps notices of entries only.
    pub(crate) fn live_in(&self, segment: u32) -> Vec<Live> {
        let published = |stage| match stage {
            Stage::Published(at) => Some(at),
            Stage::Waiting | Stage::InFlight => None,
        };
        let is_here = |place: Place| place.segment == segment;
        let mut live = Vec::new();
        for (submission, entry) in &self.entries {
            let is_entry_here = is_here(entry.place);
            let held = entry.held.as_ref();
            if is_entry_here || held.is_some_and(|notice| is_here(notice.place)) {
                live.push(Live {
                    submission: submission.clone(),
                    entry: is_entry_here.then(|| (entry.place, published(entry.stage))),
                    held: held.cloned(),
                });
            }
        }
        live.sort_by_key(|one| one.entry.map(|(place, _)| place.offset));
        live
    }

    /// Bytes that entries and their notices take in the log, in one segment or (without one) in all.
    pub(crate) fn live_bytes(&self, segment: Option<u32>) -> u64 {
        let places = self.entries.values().flat_map(|entry| {
            let notice = entry.held.as_ref().map(|notice| notice.place);
            std::iter::once(entry.place).chain(notice)
        });
        places
            .filter(|place| segment.is_none_or(|segment| place.segment == segment))
            .map(|place| u64::from(place.bytes))
            .sum()
    }
}

#[cfg(test)]
mod tests;
