//! The inbox of one account: what was received and stored, what the software has not taken yet, and whose handover
//! is not confirmed yet.
//!
//! Pure state: the log is its only source ([`crate::store`]), except for what was handed to the software without its
//! word that it has it, which a restart hands out again.
//!
//! **Invariant:** a dispatch is acknowledged to the broker and confirmed to the gateway only after it is here.
//! **Invariant:** a dispatch id that is known is never handed to the software a second time.

use std::collections::{BTreeMap, HashMap, VecDeque};

use domain::dispatch::DispatchKind;
use domain::ids::{CaseId, DispatchId, SubmissionId};
use domain::receipt::ReceiptKind;
use domain::wire::Stored;
use trust::Time;

use crate::store::Place;
use crate::store::record::{Arrived, Due, Handover, Known, Record};

/// What is known of a stored dispatch besides its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The dispatch.
    pub dispatch: DispatchId,
    /// Packet, status or receipt.
    pub kind: DispatchKind,
    /// The case it belongs to.
    pub case: Option<CaseId>,
    /// The sender's code.
    pub sender: Option<String>,
    /// The document id, as its sender wrote it.
    pub document: Option<String>,
    /// For a receipt: its kind.
    pub receipt: Option<ReceiptKind>,
    /// For a receipt: the submission it answers.
    pub submission: Option<SubmissionId>,
    /// When it was taken from the broker to be stored, by this machine's clock.
    pub stored_at: Time,
}

#[derive(Debug)]
struct Item {
    about: About,
    place: Place,
    taken: Taken,
    due: Due,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    No,
    /// Handed out in this run, without the software's word that it has it; or being withdrawn.
    Handed,
    Yes,
}

#[derive(Debug, Clone, Copy)]
struct Mark {
    segment: u32,
    at: Time,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    known: HashMap<DispatchId, Mark>,
    items: BTreeMap<u64, Item>,
    numbers: HashMap<DispatchId, u64>,
    /// Not yet handed out in this run.
    ready: VecDeque<u64>,
    next_number: u64,
    open_handovers: HashMap<DispatchId, Time>,
    to_confirm: VecDeque<Stored>,
}

/// An untaken dispatch, as it is carried forward.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) dispatch: DispatchId,
    pub(crate) place: Place,
    handover: Handover,
    taken: Taken,
    due: Due,
}

impl Live {
    /// What the copy of its record does not tell.
    pub(crate) fn marks(&self) -> Vec<Record> {
        let dispatch = self.dispatch;
        let mut marks = Vec::new();
        if self.handover == Handover::Confirmed {
            marks.push(Record::Confirmed {
                dispatches: vec![dispatch],
            });
        }
        if self.taken == Taken::Yes {
            marks.push(Record::Taken { dispatch });
        }
        if self.due != Due::Arrival {
            marks.push(Record::Reported { dispatch });
        }
        marks
    }
}

impl Inbox {
    /// A dispatch is in the log at `place`; again, after it was carried forward.
    pub(crate) fn arrived(&mut self, arrived: &Arrived, place: Place) {
        let mark = Mark {
            segment: place.segment,
            at: arrived.at,
        };
        let is_new = self.known.insert(arrived.dispatch, mark).is_none();
        if let Some(item) = self
            .numbers
            .get(&arrived.dispatch)
            .and_then(|number| self.items.get_mut(number))
        {
            item.place = place;
            return;
        }
        if !is_new {
            return;
        }
        let number = self.next_number;
        self.next_number += 1;
        let about = About {
            dispatch: arrived.dispatch,
            kind: arrived.kind,
            case: arrived.case,
            sender: arrived.sender.clone(),
            document: arrived.document.clone(),
            receipt: arrived.receipt,
            submission: arrived.submission.clone(),
            stored_at: arrived.at,
        };
        self.items.insert(
            number,
            Item {
                about,
                place,
                taken: Taken::No,
                due: arrived.due,
            },
        );
        self.numbers.insert(arrived.dispatch, number);
        self.ready.push_back(number);
        self.open_handovers.insert(arrived.dispatch, arrived.at);
    }

    /// Ids carried forward from a segment that went.
    pub(crate) fn remembered(&mut self, ids: &[Known], segment: u32) {
        for known in ids {
            let is_new = self
                .known
                .insert(
                    known.dispatch,
                    Mark {
                        segment,
                        at: known.at,
                    },
                )
                .is_none();
            if is_new && known.handover == Handover::Open {
                self.open_handovers.insert(known.dispatch, known.at);
            }
        }
    }

    /// The gateway's broker holds the confirmations of these.
    pub(crate) fn confirmed(&mut self, dispatches: &[DispatchId]) {
        for dispatch in dispatches {
            self.open_handovers.remove(dispatch);
        }
    }

    /// The software has it.
    pub(crate) fn taken(&mut self, dispatch: DispatchId) {
        self.change(dispatch, |item| item.taken = Taken::Yes);
    }

    /// A recall came first: nobody is to see it, and no arrival is reported.
    pub(crate) fn withdrawn(&mut self, dispatch: DispatchId) {
        self.change(dispatch, |item| {
            (item.taken, item.due) = (Taken::Yes, Due::Nothing)
        });
    }

    /// Its arrival is reported.
    pub(crate) fn reported(&mut self, dispatch: DispatchId) {
        self.change(dispatch, |item| item.due = Due::Nothing);
    }

    /// Its bytes cannot be read back: it is left out, and its case is given, unless the software is done with it. What was
    /// never handed out is forgotten as if it had never come, so that it is stored when the gateway sends it again.
    pub(crate) fn set_aside(&mut self, dispatch: DispatchId) -> Option<Option<CaseId>> {
        let taken = self.items.get(self.numbers.get(&dispatch)?)?.taken;
        if taken == Taken::Yes {
            self.reported(dispatch);
            return None;
        }
        let number = self.numbers.remove(&dispatch).expect("just seen");
        let item = self.items.remove(&number).expect("just seen");
        if taken == Taken::No {
            self.known.remove(&dispatch);
            self.open_handovers.remove(&dispatch);
            self.to_confirm.retain(|stored| stored.dispatch != dispatch);
        }
        Some(item.about.case)
    }

    /// It could not be handed out after all, and is the next again.
    pub(crate) fn not_handed(&mut self, dispatch: DispatchId) {
        let Some(number) = self.numbers.get(&dispatch).copied() else {
            return;
        };
        self.change(dispatch, |item| item.taken = Taken::No);
        self.ready.push_front(number);
    }

    /// What is remembered of an id to drop its repeats.
    pub(crate) fn known(&self, dispatch: &DispatchId) -> Option<Known> {
        self.known.get(dispatch).map(|mark| Known {
            dispatch: *dispatch,
            at: mark.at,
            handover: self.handover(dispatch),
        })
    }

    fn change(&mut self, dispatch: DispatchId, change: impl FnOnce(&mut Item)) {
        let Some(number) = self.numbers.get(&dispatch).copied() else {
            return;
        };
        let item = self
            .items
            .get_mut(&number)
            .expect("numbers and items go together");
        change(item);
        if item.taken == Taken::Yes && item.due != Due::Arrival {
            self.items.remove(&number);
            self.numbers.remove(&dispatch);
        }
    }

    /// Whether the dispatch was stored before.
    pub(crate) fn knows(&self, dispatch: &DispatchId) -> bool {
        self.known.contains_key(dispatch)
    }

    /// After a restart: whatever is not confirmed is to be confirmed now.
    pub(crate) fn confirm_open(&mut self) {
        let open = self.open_handovers.iter().map(|(dispatch, at)| Stored {
            dispatch: *dispatch,
            at: *at,
        });
        self.to_confirm = open.collect();
    }

    /// It came, for the first time or again, and is here: its handover is to be confirmed.
    pub(crate) fn confirm(&mut self, dispatch: DispatchId) {
        if let Some(mark) = self.known.get(&dispatch) {
            self.to_confirm.push_back(Stored {
                dispatch,
                at: mark.at,
            });
        }
    }

    /// The next for the software, in order of arrival.
    pub(crate) fn next(&mut self) -> Option<About> {
        while let Some(number) = self.ready.pop_front() {
            if let Some(item) = self.items.get_mut(&number)
                && item.taken == Taken::No
            {
                item.taken = Taken::Handed;
                return Some(item.about.clone());
            }
        }
        None
    }

    /// What was stored of a dispatch, while the software has not taken it.
    pub(crate) fn get(&self, dispatch: &DispatchId) -> Option<(About, Place)> {
        let item = self.items.get(self.numbers.get(dispatch)?)?;
        Some((item.about.clone(), item.place))
    }

    /// Whose arrival is to be reported, oldest first.
    pub(crate) fn arrivals_due(&self) -> Vec<About> {
        let due = self.items.values().filter(|item| item.due == Due::Arrival);
        due.map(|item| item.about.clone()).collect()
    }

    /// Packets of a case that were not handed out. From here on they are not, so that they can be withdrawn.
    pub(crate) fn hold_back(&mut self, case: CaseId) -> Vec<DispatchId> {
        let of_case = |item: &&mut Item| {
            item.about.case == Some(case)
                && item.about.kind == DispatchKind::Packet
                && item.taken == Taken::No
        };
        let held = self.items.values_mut().filter(of_case).map(|item| {
            item.taken = Taken::Handed;
            item.about.dispatch
        });
        held.collect()
    }

    /// Takes up to `max` handovers to confirm.
    pub(crate) fn take_to_confirm(&mut self, max: usize) -> Vec<Stored> {
        let count = self.to_confirm.len().min(max);
        self.to_confirm.drain(..count).collect()
    }

    /// Gives back what the broker did not take.
    pub(crate) fn put_back(&mut self, stored: Vec<Stored>) {
        stored
            .into_iter()
            .rev()
            .for_each(|one| self.to_confirm.push_front(one));
    }

    /// How many wait to be confirmed.
    pub(crate) fn to_confirm_count(&self) -> usize {
        self.to_confirm.len()
    }

    /// How many handovers no broker holds a confirmation of.
    pub(crate) fn open_handovers(&self) -> usize {
        self.open_handovers.len()
    }

    /// How many the software has not taken.
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// Untaken ones whose bytes lie in a segment.
    pub(crate) fn live_in(&self, segment: u32) -> Vec<Live> {
        let live = self.items.values().filter(|item| item.place.segment == segment);
        live.map(|item| Live {
            dispatch: item.about.dispatch,
            place: item.place,
            handover: self.handover(&item.about.dispatch),
            taken: item.taken,
            due: item.due,
        })
        .collect()
    }

    fn handover(&self, dispatch: &DispatchId) -> Handover {
        if self.open_handovers.contains_key(dispatch) {
            Handover::Open
        } else {
            Handover::Confirmed
        }
    }

    /// Bytes that untaken ones take in the log.
    pub(crate) fn live_bytes(&self) -> u64 {
        self.items.values().map(|item| u64::from(item.place.bytes)).sum()
    }

    /// Ids of a segment that are still to be remembered.
    pub(crate) fn known_in(&self, segment: u32) -> Vec<Known> {
        // What the software has not taken is carried with its bytes.
        let is_here = |(dispatch, mark): &(&DispatchId, &Mark)| {
            mark.segment == segment && !self.numbers.contains_key(dispatch)
        };
        let here = self.known.iter().filter(is_here);
        here.map(|(dispatch, mark)| Known {
            dispatch: *dispatch,
            at: mark.at,
            handover: self.handover(dispatch),
        })
        .collect()
    }

    /// Forgets ids from before `limit`, and the oldest beyond `ids_max`, unless something is still to be done for them.
    pub(crate) fn forget(&mut self, limit: Time, ids_max: usize) {
        let surplus = self.known.len().saturating_sub(ids_max);
        let limit = if surplus == 0 {
            limit
        } else {
            let mut times: Vec<Time> = self.known.values().map(|mark| mark.at).collect();
            let (_, newest_surplus, _) = times.select_nth_unstable(surplus - 1);
            limit.max(*newest_surplus)
        };
        let Inbox {
            known,
            numbers,
            open_handovers,
            ..
        } = self;
        known.retain(|dispatch, mark| {
            mark.at > limit || numbers.contains_key(dispatch) || open_handovers.contains_key(dispatch)
        });
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

    fn packet(number: u8, case: u8) -> Arrived {
        Arrived {
            dispatch: DispatchId::from_bytes([number; 16]),
            at: Time::from_seconds(i64::from(number)),
            kind: DispatchKind::Packet,
            case: Some(CaseId::from_bytes([case; 16])),
            sender: None,
            document: None,
            receipt: None,
            submission: None,
            due: Due::Nothing,
            body: Vec::new(),
        }
    }

    #[test]
    fn a_stored_dispatch_is_handed_out_once_and_confirmed_until_the_broker_has_it() {
        let mut inbox = Inbox::default();
        let arrived = packet(1, 1);
        inbox.arrived(&arrived, PLACE);
        assert_eq!(
            inbox.take_to_confirm(500),
            [],
            "it is not known to be on disk yet"
        );
        inbox.confirm(arrived.dispatch);
        let stored = inbox.take_to_confirm(500);
        assert_eq!(
            stored,
            [Stored {
                dispatch: arrived.dispatch,
                at: arrived.at
            }]
        );
        inbox.put_back(stored);
        assert_eq!((inbox.take_to_confirm(500).len(), inbox.open_handovers()), (1, 1));
        inbox.confirmed(&[arrived.dispatch]);
        assert_eq!(inbox.open_handovers(), 0);
        assert_eq!(inbox.next().map(|about| about.dispatch), Some(arrived.dispatch));
        inbox.taken(arrived.dispatch);
        inbox.arrived(&arrived, PLACE);
        assert_eq!(
            (inbox.next(), inbox.len()),
            (None, 0),
            "a repeat is not handed out"
        );
        inbox.confirm(arrived.dispatch);
        assert_eq!(inbox.take_to_confirm(500).len(), 1, "and is confirmed again");
    }

    #[test]
    fn what_was_recalled_in_time_is_not_handed_out() {
        let mut inbox = Inbox::default();
        inbox.arrived(&packet(1, 7), PLACE);
        inbox.arrived(&packet(2, 8), PLACE);
        let found = inbox.hold_back(CaseId::from_bytes([7; 16]));
        assert_eq!(found, [DispatchId::from_bytes([1; 16])]);
        inbox.withdrawn(found[0]);
        assert_eq!(
            inbox.next().map(|about| about.dispatch),
            Some(DispatchId::from_bytes([2; 16]))
        );
    }

    #[test]
    fn forgetting_keeps_what_is_not_done() {
        let mut inbox = Inbox::default();
        for number in 1..=5 {
            inbox.arrived(&packet(number, number), PLACE);
        }
        for number in [1, 2, 3, 4] {
            let dispatch = DispatchId::from_bytes([number; 16]);
            inbox.taken(dispatch);
            if number != 2 {
                inbox.confirmed(&[dispatch]);
            }
        }
        inbox.forget(Time::from_seconds(0), 2);
        let knows = |number| inbox.knows(&DispatchId::from_bytes([number; 16]));
        assert_eq!([1, 2, 3, 4, 5].map(knows), [false, true, false, true, true]);
    }
}
