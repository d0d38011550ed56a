//! What goes into inboxes, and what a recall does about it: the stages dispatch and settle over a real store.

mod divided;
mod given_up;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::dispatch::{DispatchKind, DispatchState};
use domain::packet::{BusinessType, Priority, Replacement};
use domain::wire::{Confirmation, Stored};
use tokio::sync::mpsc;

use super::*;
use crate::stages::Acknowledge;
use crate::stages::dispatch::dispatch;
use crate::stages::settle::{Confirming, settle};

/// How long anything may take beside builds on the same machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Some looks of the stage.
const A_WHILE: Duration = Duration::from_millis(800);

/// Inboxes that take everything; while `is_doubtful`, nobody learns that they did.
/// They may have room for some more only; while `is_slow`, they take a moment.
#[derive(Default)]
struct Inboxes {
    is_doubtful: AtomicBool,
    room: Mutex<Option<usize>>,
    is_slow: AtomicBool,
    /// Packets, in the order in which they came.
    lying: Mutex<Vec<(CaseId, AgencyId)>>,
    /// The same packets by the account into whose inbox they came.
    into: Mutex<Vec<(CaseId, AccountId)>>,
}

impl Inbox for Inboxes {
    fn hand_over(&self, account: AccountId, parcel: Parcel) -> Soon<'_, Outcome> {
        let Parcel { dispatch, .. } = parcel;
        if dispatch.kind == DispatchKind::Packet {
            let mut lying = self.lying.lock().expect("nobody panicked");
            lying.push((dispatch.case, dispatch.to));
            self.into
                .lock()
                .expect("nobody panicked")
                .push((dispatch.case, account));
        }
        let mut room = self.room.lock().expect("nobody panicked");
        let is_full = *room == Some(0);
        *room = room.map(|room| room.saturating_sub(1));
        drop(room);
        let outcome = if is_full {
            Outcome::Full
        } else if self.is_doubtful.load(Ordering::SeqCst) {
            Outcome::Deferred
        } else {
            Outcome::Delivered
        };
        let is_slow = self.is_slow.load(Ordering::SeqCst);
        Box::pin(async move {
            if is_slow {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            outcome
        })
    }
}

impl Inboxes {
    fn taken(&self) -> Vec<(CaseId, AgencyId)> {
        std::mem::take(&mut self.lying.lock().expect("nobody panicked"))
    }

    fn have_room(&self, room: Option<usize>) {
        *self.room.lock().expect("nobody panicked") = room;
    }

    fn count(&self) -> usize {
        self.lying.lock().expect("nobody panicked").len()
    }
}

struct Silent;

impl Acknowledge for Silent {
    fn done(self: Box<Self>) {}

    fn not_now(self: Box<Self>) {}
}

/// A bench whose stages run, and where what cannot be sent rests for an hour.
fn set_up() -> (Bench, Arc<Inboxes>) {
    let mut bench = Bench::new();
    let inboxes = Arc::new(Inboxes::default());
    bench.road.inbox = Arc::clone(&inboxes) as Arc<dyn Inbox>;
    bench.road.rules = Arc::new(Rules {
        retry_after: Duration::from_secs(3600),
        packet_bytes_max: 8 << 20,
        dispatch_bytes_max: 64 << 20,
        ..rules()
    });
    (bench, inboxes)
}

/// One life of the stage: until this is so, and a while longer.
fn live(bench: &mut Bench, what: &str, is_so: impl Fn(&Bench) -> bool) {
    let (signals, ends) = Signals::new();
    bench.road.signals = Arc::new(signals);
    let road = bench.road.clone();
    let until = async {
        while !is_so(bench) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(A_WHILE).await;
    };
    let lived = bench.runtime.block_on(async {
        tokio::select! {
            () = dispatch(road, ends.news) => false,
            lived = tokio::time::timeout(PATIENCE, until) => lived.is_ok(),
        }
    });
    assert!(lived, "{what}");
}

fn states(bench: &Bench, case: CaseId) -> Vec<DispatchState> {
    let addressees = bench.store.addressees(case).expect("told");
    addressees.iter().map(|head| head.state).collect()
}

fn recall_of(document: &DocumentPacket) -> DocumentPacket {
    let mut recall = document.clone();
    recall.business.kind = BusinessType::Recall;
    (recall.attachments, recall.manifest) = (Vec::new(), Vec::new());
    recall
}

fn accepted(bench: &Bench, name: &str, packet: &DocumentPacket) -> (Job, domain::event::Accepted) {
    let job = bench.job(name, 1, &packet.write().expect("a packet"));
    let happening = bench.take(&job);
    let Happening::Accepted(accepted) = happening else {
        panic!("{name} is {}", happening.word())
    };
    (job, accepted)
}

#[test]
fn an_addressee_that_cannot_be_reached_is_not_tried_before_its_rest_is_over() {
    let (mut bench, inboxes) = set_up();
    inboxes.is_doubtful.store(true, Ordering::SeqCst);
    let window = bench.road.rules.window;
    for number in 0..2 * window {
        let mut packet = letter(1, &[2]);
        packet.document_id = format!("{number}/KH");
        accepted(&bench, &format!("s{number}"), &packet);
    }
    let tried = Arc::clone(&inboxes);
    live(&mut bench, "a window is tried", |_| tried.count() >= window);
    assert_eq!(inboxes.count(), window, "each once");
}

#[test]
fn a_full_inbox_is_tried_with_one_document_at_a_time_and_not_with_all_once_it_takes_one() {
    let (mut bench, inboxes) = set_up();
    inboxes.have_room(Some(0));
    let rest = Duration::from_millis(100);
    bench.road.rules = Arc::new(Rules {
        retry_after: rest,
        ..(*bench.road.rules).clone()
    });
    let window = bench.road.rules.window;
    let mut cases = Vec::new();
    for number in 0..2 * window {
        let mut packet = letter(1, &[2]);
        packet.document_id = format!("{number}/KH");
        cases.push(accepted(&bench, &format!("s{number}"), &packet).0.case);
    }
    let lying = |bench: &Bench| {
        let all = cases.iter().flat_map(|case| states(bench, *case));
        all.filter(|state| *state == DispatchState::Consigned).count()
    };
    let (tried, began) = (Arc::clone(&inboxes), std::time::Instant::now());
    let is_drained = AtomicBool::new(false);
    live(
        &mut bench,
        "a window is tried, then one a rest, then three are taken",
        |bench| {
            if tried.count() >= window + 2 && !is_drained.swap(true, Ordering::SeqCst) {
                tried.have_room(Some(3));
            }
            lying(bench) == 3
        },
    );
    let rests = usize::try_from(began.elapsed().as_millis() / rest.as_millis()).expect("a small number");
    let count = inboxes.taken().len();
    assert!(count <= window + rests + 8, "{count} attempts in {rests} rests");
    inboxes.have_room(None);
    live(&mut bench, "a window lies in the inbox", |bench| {
        lying(bench) == window
    });
    assert_eq!(inboxes.count(), window - 3, "each once");
}

#[test]
fn an_heir_of_two_gets_what_lay_with_one_and_was_due_for_the_other_once() {
    for (lies_with, due_for) in [(2, 3), (3, 2)] {
        let (mut bench, inboxes) = set_up();
        bench.road.rules = Arc::new(Rules {
            window: 1,
            retry_after: Duration::from_millis(100),
            ..(*bench.road.rules).clone()
        });
        // What fills the inbox of the other one.
        let mut before = letter(1, &[due_for]);
        before.document_id = "1/KH".to_owned();
        let (first, _) = accepted(&bench, "s1", &before);
        let lies = |case| move |bench: &Bench| states(bench, case).contains(&DispatchState::Consigned);
        live(&mut bench, "the inbox is filled", lies(first.case));
        let (both, _) = accepted(&bench, "s2", &letter(1, &[2, 3]));
        live(&mut bench, "it lies with one of them", lies(both.case));
        let head = |bench: &Bench, to: u32| {
            let to = AgencyId::from_number(to);
            let head = bench.store.addressed(both.case, to).expect("told");
            head.expect("an addressee").state
        };
        assert_eq!(head(&bench, lies_with), DispatchState::Consigned);
        assert_eq!(head(&bench, due_for), DispatchState::Due);
        inboxes.taken();
        // Longer than it takes to record that it was taken back.
        inboxes.is_slow.store(true, Ordering::SeqCst);
        bench.change(DirectoryChange::Merged {
            from: [2, 3].map(AgencyId::from_number).to_vec(),
            into: AgencyId::from_number(4),
        });
        bench.road.rules = Arc::new(Rules {
            window: 8,
            ..(*bench.road.rules).clone()
        });
        live(&mut bench, "the heir has the inbox", |bench| {
            states(bench, both.case).contains(&DispatchState::Consigned)
                && states(bench, first.case) == [DispatchState::Consigned]
        });
        let given = inboxes.taken().into_iter().filter(|(case, _)| *case == both.case);
        assert_eq!(given.count(), 1, "once, where it lay with {lies_with}");
    }
}

#[test]
fn a_document_that_was_taken_after_all_is_followed_by_its_recall() {
    let (mut bench, inboxes) = set_up();
    let packet = letter(1, &[2]);
    let (sent, _) = accepted(&bench, "s1", &packet);
    // The broker takes it, and its confirmation is lost.
    inboxes.is_doubtful.store(true, Ordering::SeqCst);
    let tried = Arc::clone(&inboxes);
    live(&mut bench, "it is tried", |_| tried.count() >= 1);
    let (recall, _) = accepted(&bench, "s2", &recall_of(&packet));
    inboxes.is_doubtful.store(false, Ordering::SeqCst);
    inboxes.taken();
    live(&mut bench, "both are withdrawn", |bench| {
        [sent.case, recall.case].map(|case| states(bench, case)) == [[DispatchState::Withdrawn]; 2]
    });
    assert_eq!(inboxes.taken(), []);
    let head = bench.store.addressees(sent.case).expect("told").remove(0);
    let confirmation = Confirmation {
        stored: vec![Stored {
            dispatch: head.dispatch.id,
            at: bench.road.now(),
        }],
    };
    for _ in 0..2 {
        let (confirm, confirmations) = mpsc::channel(1);
        let confirming = Confirming {
            account: account(2),
            body: confirmation.encode().into(),
            handle: Box::new(Silent),
        };
        let road = bench.road.clone();
        bench.runtime.block_on(async move {
            assert!(confirm.send(confirming).await.is_ok(), "it listens");
            drop(confirm);
            settle(road, confirmations).await;
        });
        live(&mut bench, "the recall lies in the inbox", |bench| {
            states(bench, recall.case) == [DispatchState::Consigned]
        });
    }
    assert_eq!(states(&bench, sent.case), [DispatchState::HandedOver]);
    assert_eq!(
        inboxes.taken(),
        [(recall.case, AgencyId::from_number(2))],
        "once, however often it is confirmed"
    );
}

#[test]
fn a_recall_never_arrives_before_what_it_recalls() {
    let (mut bench, inboxes) = set_up();
    let mut packet = letter(1, &[2]);
    // Too large to be read at once, and it does not compress.
    let noise = (0..4_000_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8);
    packet.attachments[0].content = Content::new(noise.collect());
    let (sent, _) = accepted(&bench, "s1", &packet);
    let lies = |case| move |bench: &Bench| states(bench, case) == [DispatchState::Consigned];
    live(&mut bench, "the document lies in the inbox", lies(sent.case));
    let (recall, _) = accepted(&bench, "s2", &recall_of(&packet));
    live(&mut bench, "the recall lies in the inbox", lies(recall.case));
    for epoch in ["e1", "e2", "e3"] {
        inboxes.taken();
        bench.record(Commit::of(Happening::BrokerLost {
            epoch: epoch.to_owned(),
        }));
        live(&mut bench, "the inbox is filled again", |bench| {
            lies(sent.case)(bench) && lies(recall.case)(bench)
        });
        let order: Vec<CaseId> = inboxes.taken().into_iter().map(|(case, _)| case).collect();
        assert_eq!(order, [sent.case, recall.case]);
    }
}

#[test]
fn urgent_recalls_do_not_wait_for_what_they_keep_from_being_looked_at() {
    let (mut bench, inboxes) = set_up();
    bench.road.rules = Arc::new(Rules {
        window: 2,
        window_urgent: 1,
        ..(*bench.road.rules).clone()
    });
    let mut all = Vec::new();
    for number in 0..6 {
        let mut packet = letter(1, &[2]);
        packet.document_id = format!("{number}/KH");
        let (sent, _) = accepted(&bench, &format!("s{number}"), &packet);
        let mut recall = recall_of(&packet);
        recall.other.priority = Priority::Urgent;
        let (recall, _) = accepted(&bench, &format!("r{number}"), &recall);
        all.extend([sent.case, recall.case]);
    }
    live(&mut bench, "all are withdrawn", |bench| {
        all.iter()
            .all(|case| states(bench, *case) == [DispatchState::Withdrawn])
    });
    assert_eq!(inboxes.taken(), []);
}

#[test]
fn a_recall_takes_back_what_updated_the_document_too() {
    let (mut bench, inboxes) = set_up();
    let packet = letter(1, &[2]);
    let (sent, _) = accepted(&bench, "s1", &packet);
    let update = |text: &str, to: &[u32]| {
        let mut update = letter(1, to);
        update.business.kind = BusinessType::Update;
        update.attachments[0].content = Content::new(text.as_bytes().to_vec());
        update
    };
    let (first, _) = accepted(&bench, "s2", &update("first", &[2, 3]));
    let (second, _) = accepted(&bench, "s3", &update("second", &[2, 4]));
    let (recall, accepted) = accepted(&bench, "s4", &recall_of(&packet));
    let mut to: Vec<u32> = accepted.addressees.iter().map(|it| it.agency.number()).collect();
    to.sort_unstable();
    assert_eq!(to, [2, 3, 4]);
    let all = [sent.case, first.case, second.case];
    assert!(all.iter().all(|case| accepted.targets.contains(case)));
    live(&mut bench, "nothing is due", |bench| {
        let all = all.iter().chain([&recall.case]);
        all.flat_map(|case| states(bench, *case))
            .all(|state| state == DispatchState::Withdrawn)
    });
    assert_eq!(inboxes.taken(), []);
    for case in all {
        let head = bench.store.case(case).expect("told").expect("a case");
        assert_eq!(head.state, CaseState::Recalled);
    }
}

#[test]
fn a_recall_takes_back_all_that_bears_the_id() {
    let (bench, _inboxes) = set_up();
    let packet = letter(1, &[2, 3]);
    let (sent, _) = accepted(&bench, "s1", &packet);
    let mut replacement = letter(1, &[2]);
    replacement.business.kind = BusinessType::Replace;
    replacement.business.replacements = vec![Replacement {
        document_id: DOCUMENT.to_owned(),
        organ_ids: Vec::new(),
    }];
    replacement.attachments[0].content = Content::new(b"the new text".to_vec());
    let (replaced, _) = accepted(&bench, "s2", &replacement);
    let (_, accepted) = accepted(&bench, "s3", &recall_of(&packet));
    let mut to: Vec<u32> = accepted.addressees.iter().map(|it| it.agency.number()).collect();
    to.sort_unstable();
    assert_eq!(to, [2, 3]);
    assert_eq!(accepted.targets.len(), 2);
    assert!(
        [sent.case, replaced.case]
            .iter()
            .all(|case| accepted.targets.contains(case))
    );
}
