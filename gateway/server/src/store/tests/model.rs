//! Random histories: the store answers as a naive model of the same events does, and goes on answering so after it
//! was opened again, made its index again, or had it damaged.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use domain::consequence::Consequences;
use domain::dispatch::{DispatchKind, DispatchState, Rank};
use domain::event::Happening;
use domain::ids::{AgencyId, CaseId, DispatchId};
use domain::packet::{BusinessType, StatusCode};
use domain::port::{CaseState, Commit, DispatchHead, Journal, Recorded, bears_id};
use proptest::prelude::*;

use super::support::*;
use crate::store::Store;

const STATUSES: [StatusCode; 2] = [StatusCode::Arrived, StatusCode::Refused];

/// One random step; numbers are taken modulo what there is.
#[derive(Debug, Clone, Copy)]
struct Step {
    what: u8,
    which: usize,
    agency: u8,
    other: u8,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..16_u8, any::<usize>(), AGENCIES, AGENCIES);
    proptest::collection::vec(
        step.prop_map(|(what, which, agency, other)| Step {
            what,
            which,
            agency,
            other,
        }),
        1..60,
    )
}

/// All events, and nothing else: every answer is worked out from the beginning.
#[derive(Default)]
struct Model {
    events: Vec<Recorded>,
    cases: usize,
}

impl Model {
    /// Every dispatch with its state, in the order of the events that made them.
    fn dispatches(&self) -> Vec<DispatchHead> {
        self.replay().0
    }

    /// The same, and which of them lie in an inbox: also those that were given up there.
    fn replay(&self) -> (Vec<DispatchHead>, BTreeSet<DispatchId>) {
        let mut lying = BTreeSet::new();
        let mut order: Vec<DispatchId> = Vec::new();
        let mut heads: BTreeMap<DispatchId, DispatchHead> = BTreeMap::new();
        for Recorded { leaf, event, .. } in &self.events {
            for dispatch in Consequences::of(event, leaf).dispatches {
                // An agency that is addressed by two of its codes gets one dispatch; one that was given up and goes again
                // takes its turn behind all others.
                lying.remove(&dispatch.id);
                order.retain(|id| *id != dispatch.id);
                order.push(dispatch.id);
                let before = heads.get(&dispatch.id);
                let head = DispatchHead {
                    state: DispatchState::Due,
                    event: *leaf,
                    consigned_at: before.and_then(|head| head.consigned_at),
                    consigned_to: before.and_then(|head| head.consigned_to.clone()),
                    dispatch,
                };
                heads.insert(head.dispatch.id, head);
            }
            if matches!(event.happening, Happening::BrokerLost { .. }) {
                lying.clear();
                for head in heads
                    .values_mut()
                    .filter(|head| head.state == DispatchState::Consigned)
                {
                    head.state = DispatchState::Due;
                }
            }
            let Some((id, state)) = moved_to(&event.happening) else {
                continue;
            };
            let head = heads.get_mut(&id).expect("made before it moved");
            let moves = !head.state.is_settled() || state == DispatchState::HandedOver;
            let is_lost = state == DispatchState::Due && head.state == DispatchState::Failed;
            let is_given_up_there = state == DispatchState::Consigned && head.state == DispatchState::Failed;
            if is_given_up_there || moves && state == DispatchState::Consigned {
                lying.insert(id);
            } else if moves && state != DispatchState::Failed || is_lost {
                lying.remove(&id);
            }
            if moves || is_given_up_there {
                head.state = if moves { state } else { head.state };
                // Who confirms what was never seen in an inbox had it.
                let confirmed = state == DispatchState::HandedOver && head.consigned_to.is_none();
                if state == DispatchState::Consigned || confirmed {
                    head.consigned_at = Some(event.time);
                    head.consigned_to = Some(account(1));
                }
            }
        }
        (order.iter().map(|id| heads[id].clone()).collect(), lying)
    }

    fn in_state(&self, to: AgencyId, state: DispatchState) -> Vec<DispatchHead> {
        self.dispatches()
            .into_iter()
            .filter(|head| head.dispatch.to == to && head.state == state)
            .collect()
    }

    fn state(&self, wanted: CaseId) -> Option<CaseState> {
        let mut state = None;
        for Recorded { event, .. } in &self.events {
            if let Happening::Accepted(it) = &event.happening {
                let recalls = it.identity.business == BusinessType::Recall && it.targets.contains(&wanted);
                if it.case == wanted {
                    state = Some(CaseState::Accepted);
                } else if recalls && state == Some(CaseState::Accepted) {
                    state = Some(CaseState::Recalled);
                }
            } else if event.happening.case() == Some(wanted) {
                if matches!(event.happening, Happening::Refused(_)) {
                    state = Some(CaseState::Refused);
                } else if matches!(event.happening, Happening::Held(_)) {
                    state = Some(CaseState::Held);
                }
            }
        }
        state
    }

    /// Cases (new or replacement) that were accepted under a document id, in order.
    fn named(&self, sender: u8, number: u8) -> Vec<CaseId> {
        let named = |recorded: &Recorded| {
            let Happening::Accepted(it) = &recorded.event.happening else {
                return None;
            };
            let (own, name) = (
                it.identity.sender == agency(sender),
                it.identity.document == document(number),
            );
            (bears_id(it.identity.business) && own && name).then_some(it.case)
        };
        self.events.iter().filter_map(named).collect()
    }

    /// Positions of events whose receipt is owed.
    fn owed(&self) -> Vec<u64> {
        let issued = |recorded: &Recorded| {
            let Happening::ReceiptIssued(it) = &recorded.event.happening else {
                return None;
            };
            Some(it.about)
        };
        let answered: Vec<_> = self.events.iter().filter_map(issued).collect();
        let owes = |one: &&Recorded| {
            Consequences::of(&one.event, &one.leaf).owed.is_some() && !answered.contains(&one.leaf)
        };
        self.events.iter().filter(owes).map(|one| one.position).collect()
    }

    fn held(&self) -> Vec<CaseId> {
        (0..self.cases)
            .rev()
            .map(case)
            .filter(|id| self.state(*id) == Some(CaseState::Held))
            .collect()
    }

    fn pick<T: Clone>(from: &[T], which: usize) -> Option<T> {
        (!from.is_empty()).then(|| from[which % from.len()].clone())
    }

    /// What a step does now, if it can be done.
    fn happening(&mut self, step: Step) -> Option<Happening> {
        let made = self
            .beginning(step)
            .or_else(|| self.decision(step))
            .or_else(|| self.movement(step));
        // Every submission has a number of its own.
        self.cases += 1;
        made
    }

    /// Steps that begin a case.
    fn beginning(&self, step: Step) -> Option<Happening> {
        let Step {
            what,
            which,
            agency: one,
            other,
        } = step;
        let (next, number) = (self.cases, u8::try_from(which % 4).expect("small"));
        match what {
            0 | 1 => {
                let business = BUSINESS[which / 4 % 4];
                let mut it = accepted(next, identity(one, number, business), &[other, one % 5 + 1]);
                it.rank = if which.is_multiple_of(3) {
                    Rank::Urgent
                } else {
                    Rank::Normal
                };
                if business != BusinessType::New {
                    it.targets.extend(Self::pick(&self.known(), which));
                }
                Some(Happening::Accepted(it))
            }
            2 => Some(Happening::Refused(refused(next, one, Some(document(number))))),
            3 => Some(Happening::Held(held(
                next,
                identity(one, number, BusinessType::New),
            ))),
            _ => None,
        }
    }

    /// Steps that decide a held case or add to one.
    fn decision(&self, step: Step) -> Option<Happening> {
        let Step {
            what, which, other, ..
        } = step;
        let next = self.cases;
        match what {
            4 | 5 => {
                let id = Self::pick(&self.held(), which)?;
                let number = (0..next)
                    .find(|number| case(*number) == id)
                    .expect("a known case");
                let held = self.events.iter().find_map(|one| {
                    let Happening::Held(it) = &one.event.happening else {
                        return None;
                    };
                    (it.case == id).then(|| it.clone())
                })?;
                let sender = u8::try_from(held.identity.sender.number()).expect("small");
                Some(if what == 4 {
                    Happening::Accepted(accepted(number, held.identity, &[other]))
                } else {
                    Happening::Refused(refused(number, sender, Some(held.identity.document)))
                })
            }
            6 => Some(Happening::Repeated(repeated(
                Self::pick(&self.known(), which)?,
                next,
                self.events.last()?.leaf,
            ))),
            7 => Some(Happening::Extended(extended(
                Self::pick(&self.known(), which)?,
                next,
                other,
            ))),
            8 => {
                let id = Self::pick(&self.known(), which)?;
                Some(Happening::Reported(reported(
                    id,
                    next,
                    other,
                    STATUSES[which % 2],
                )))
            }
            _ => None,
        }
    }

    /// Steps that move dispatches and receipts.
    fn movement(&self, step: Step) -> Option<Happening> {
        let Step {
            what,
            which,
            agency: one,
            ..
        } = step;
        let all = self.dispatches();
        match what {
            9 => {
                let may_lie =
                    |head: &DispatchHead| !head.state.is_settled() || head.state == DispatchState::Failed;
                let some: Vec<_> = all.into_iter().filter(may_lie).collect();
                Some(Happening::Consigned(moved(&Self::pick(&some, which)?.dispatch)))
            }
            10 => Some(Happening::HandedOver(moved(&Self::pick(&all, which)?.dispatch))),
            11 => Some(Happening::Failed(failed(&Self::pick(&all, which)?.dispatch))),
            12 => {
                let about = Self::pick(&self.owed(), which)?;
                let about = &self.events[usize::try_from(about - 1).expect("small")];
                let id = about.event.happening.case()?;
                Some(Happening::ReceiptIssued(receipt_issued(
                    id,
                    about.leaf,
                    agency(one),
                )))
            }
            13 => Some(Happening::BrokerLost {
                epoch: which.to_string(),
            }),
            14 => {
                let places = self.replay().1;
                let lying: Vec<_> = all
                    .into_iter()
                    .filter(|head| places.contains(&head.dispatch.id))
                    .collect();
                Some(Happening::Lost(moved(&Self::pick(&lying, which)?.dispatch)))
            }
            15 => {
                let given_up = |head: &DispatchHead| {
                    head.state == DispatchState::Failed && head.dispatch.kind == DispatchKind::Packet
                };
                let given_up: Vec<_> = all.into_iter().filter(given_up).collect();
                let dispatch = Self::pick(&given_up, which)?.dispatch;
                let to = u8::try_from(dispatch.to.number()).expect("small");
                let mut it = extended(dispatch.case, self.cases, to);
                it.addressees[0].again = Some(dispatch.id);
                Some(Happening::Extended(it))
            }
            _ => None,
        }
    }

    /// Cases there are.
    fn known(&self) -> Vec<CaseId> {
        (0..self.cases)
            .map(case)
            .filter(|id| self.state(*id).is_some())
            .collect()
    }

    /// What is held, also one after the other and by case; says how many there are.
    fn check_held(&self, store: &Store) -> usize {
        let all = store.held(None, 1000).expect("told").held;
        let (mut paged, mut after) = (Vec::new(), None);
        loop {
            let page = store.held(after, 1).expect("told");
            paged.extend(page.held);
            let Some(last) = page.last else { break };
            after = Some(last);
        }
        assert_eq!(paged, all);
        for number in 0..self.cases {
            let one = store.held_case(case(number)).expect("told");
            assert_eq!(one.as_ref(), all.iter().find(|one| one.case == case(number)));
        }
        let held: Vec<CaseId> = all.iter().map(|one| one.case).collect();
        assert_eq!(held, self.held(), "those whose waiting ends first come first");
        held.len()
    }

    fn check(&self, store: &Store) {
        let checkpoint = store.checkpoint();
        assert_eq!(checkpoint.size, self.events.len() as u64);
        for head in self.dispatches() {
            assert_eq!(store.dispatch(head.dispatch.id).expect("told"), Some(head));
        }
        for one in AGENCIES.map(agency) {
            let mut due = self.in_state(one, DispatchState::Due);
            due.sort_by_key(|head| head.dispatch.rank);
            let key = |heads: &[DispatchHead]| -> Vec<_> {
                heads
                    .iter()
                    .map(|head| (head.dispatch.rank, head.event))
                    .collect()
            };
            assert_eq!(key(&store.due(one, 1000).expect("told")), key(&due));
            assert_eq!(store.waiting().expect("told").contains(&one), !due.is_empty());
            let (mut flying, lying) = self.replay();
            flying.retain(|head| head.dispatch.to == one && lying.contains(&head.dispatch.id));
            let events = |heads: &[DispatchHead]| heads.iter().map(|head| head.event).collect::<Vec<_>>();
            assert_eq!(events(&store.in_inbox(one).expect("told")), events(&flying));
            let consigned: Vec<_> = flying
                .iter()
                .filter(|head| head.state == DispatchState::Consigned)
                .cloned()
                .collect();
            assert_eq!(events(&store.in_flight(one).expect("told")), events(&consigned));
            assert_eq!(store.flying().expect("told").contains(&one), !flying.is_empty());
        }
        for number in 0..self.cases {
            let head = store.case(case(number)).expect("told");
            assert_eq!(head.map(|head| head.state), self.state(case(number)));
            let own = |one: &&Recorded| one.event.happening.case() == Some(case(number));
            let events: Vec<Recorded> = self.events.iter().filter(own).cloned().collect();
            assert_eq!(store.events(case(number)).expect("told"), events);
        }
        for (sender, number) in AGENCIES.flat_map(|sender| DOCUMENTS.map(move |number| (sender, number))) {
            let named = self.named(sender, number);
            let told = store.named(agency(sender), &document(number)).expect("told");
            let told: Vec<CaseId> = told.iter().rev().map(|head| head.case).collect();
            assert_eq!(told, named);
            if let Some(bearer) = store.bearer(agency(sender), &document(number)).expect("told") {
                assert!(
                    matches!(bearer.state, CaseState::Accepted | CaseState::Held),
                    "{bearer:?}"
                );
            }
            if let Some(last) = named.last()
                && self.state(*last) == Some(CaseState::Accepted)
            {
                let told = store.bearer(agency(sender), &document(number)).expect("told");
                assert_eq!(told.map(|head| head.case), Some(*last));
            }
        }
        let owed: Vec<u64> = store
            .owed(1000)
            .expect("told")
            .iter()
            .map(|one| one.about.position)
            .collect();
        assert_eq!(owed, self.owed());
        let held = self.check_held(store);
        let parked = store.parked(1000).expect("told").len();
        assert_eq!(store.undecided(1000).expect("told"), (held, parked));
    }
}

/// The dispatch that an event moves, and to which state.
fn moved_to(happening: &Happening) -> Option<(DispatchId, DispatchState)> {
    if let Happening::Consigned(it) = happening {
        Some((it.dispatch, DispatchState::Consigned))
    } else if let Happening::HandedOver(it) = happening {
        Some((it.dispatch, DispatchState::HandedOver))
    } else if let Happening::Failed(it) = happening {
        Some((it.dispatch, DispatchState::Failed))
    } else if let Happening::Withdrawn(it) = happening {
        Some((it.dispatch, DispatchState::Withdrawn))
    } else if let Happening::Lost(it) = happening {
        Some((it.dispatch, DispatchState::Due))
    } else {
        None
    }
}

/// Spoils some bytes of every file of the index.
fn damage_index(directory: &std::path::Path) {
    for generation in fs::read_dir(directory.join("index")).expect("a folder") {
        for file in fs::read_dir(generation.expect("an entry").path()).expect("a folder") {
            let path = file.expect("an entry").path();
            if path.is_file() {
                let mut bytes = fs::read(&path).expect("read");
                bytes
                    .iter_mut()
                    .skip(5)
                    .step_by(97)
                    .for_each(|byte| *byte ^= 0x55);
                fs::write(&path, bytes).expect("written");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_store_answers_as_the_model_does_whatever_becomes_of_its_index(steps in steps()) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut model = Model::default();
        let store = open(folder.path());
        for step in steps {
            if let Some(happening) = model.happening(step) {
                model.events.extend(record(&store, Commit::of(happening)));
            }
        }
        model.check(&store);
        let before = answers(&store, model.cases);
        drop(store);

        let store = open(folder.path());
        prop_assert_eq!(store.figures().replayed, 0, "a clean end leaves nothing to replay");
        prop_assert_eq!(&answers(&store, model.cases), &before);
        drop(store);

        fs::remove_dir_all(folder.path().join("index")).expect("removed");
        let store = open(folder.path());
        prop_assert_eq!(store.figures().rebuilds, 1);
        prop_assert_eq!(&answers(&store, model.cases), &before);
        drop(store);

        damage_index(folder.path());
        let store = open(folder.path());
        prop_assert_eq!(store.figures().rebuilds, 1);
        prop_assert_eq!(&answers(&store, model.cases), &before);
    }
}
