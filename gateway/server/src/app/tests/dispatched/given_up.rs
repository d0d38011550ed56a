//! What can never be sent, or was given up where it lies: nobody else waits for it, and nobody takes its place too early.

use std::cell::Cell;

use domain::event::{Failed, Moved};
use domain::port::{Archive, DispatchHead};
use futures_util::FutureExt;

use super::*;
use crate::stages::record::announce;
use crate::stages::signal::DispatchNews;

/// An archive of which one original is damaged.
struct Torn {
    whole: Arc<dyn Archive>,
    damaged: Digest,
}

impl Archive for Torn {
    fn fetch(&self, digest: &Digest) -> Soon<'_, Result<Option<Arc<[u8]>>, StoreFault>> {
        if *digest == self.damaged {
            let fault = StoreFault::Damaged("a flipped bit".to_owned());
            return Box::pin(std::future::ready(Err(fault)));
        }
        self.whole.fetch(digest)
    }

    fn length(&self, digest: &Digest) -> Result<Option<u64>, StoreFault> {
        self.whole.length(digest)
    }
}

#[test]
fn what_cannot_be_read_keeps_nobody_waiting_and_is_told() {
    let (mut bench, inboxes) = with_window_of_one();
    let mut cases = Vec::new();
    for number in 0..3 {
        let mut packet = letter(1, &[2]);
        packet.document_id = format!("{number}/KH");
        cases.push(accepted(&bench, &format!("s{number}"), &packet));
    }
    let whole = Arc::clone(&bench.road.archive);
    bench.road.archive = Arc::new(Torn {
        whole: Arc::clone(&whole),
        damaged: cases[0].1.submission.packet,
    });
    for (job, _) in &cases[1..] {
        live(&mut bench, "the next one lies in the inbox", |bench| {
            states(bench, job.case) == [DispatchState::Consigned]
        });
        assert_eq!(bench.road.troubles.unreadable(), 1);
        let head = bench.store.addressees(job.case).expect("told").remove(0);
        let moved = Moved::of(&head.dispatch, head.consigned_to, None);
        bench.record(Commit::of(Happening::HandedOver(moved)));
    }
    assert_eq!(states(&bench, cases[0].0.case), [DispatchState::Due]);
    bench.road.archive = whole;
    live(&mut bench, "it goes once it can be read", |bench| {
        states(bench, cases[0].0.case) == [DispatchState::Consigned]
    });
    assert_eq!(inboxes.count(), 3);
}

#[test]
fn what_cannot_be_read_keeps_nobody_waiting_at_its_heir_either() {
    let (mut bench, inboxes) = with_window_of_one();
    let accept = |number: u8| {
        let mut packet = letter(1, &[2]);
        packet.document_id = format!("{number}/KH");
        accepted(&bench, &format!("s{number}"), &packet)
    };
    let [(_, damaged), (second, _)] = [1, 2].map(accept);
    bench.road.archive = Arc::new(Torn {
        whole: Arc::clone(&bench.road.archive),
        damaged: damaged.submission.packet,
    });
    let is_merged = Cell::new(false);
    live(&mut bench, "it goes into the inbox of the heir", |bench| {
        let lies = states(bench, second.case) == [DispatchState::Consigned];
        if lies && bench.road.troubles.unreadable() == 1 && !is_merged.replace(true) {
            let merged = DirectoryChange::Merged {
                from: vec![AgencyId::from_number(2)],
                into: AgencyId::from_number(4),
            };
            tokio::task::block_in_place(|| bench.change(merged));
            let told = bench.road.signals.tell_dispatch(DispatchNews::DirectoryChanged);
            told.now_or_never().expect("there is room for news");
        }
        lies && inboxes.count() == 2
    });
}

/// An inbox of one place.
fn with_window_of_one() -> (Bench, Arc<Inboxes>) {
    let (mut bench, inboxes) = set_up();
    bench.road.rules = Arc::new(Rules {
        window: 1,
        window_urgent: 0,
        ..(*bench.road.rules).clone()
    });
    (bench, inboxes)
}

/// As the sweep does, without telling anybody.
fn give_up(bench: &Bench, head: &DispatchHead) {
    let DispatchHead {
        dispatch,
        consigned_at,
        ..
    } = head;
    bench.record(Commit::of(Happening::Failed(Failed {
        case: dispatch.case,
        dispatch: dispatch.id,
        kind: dispatch.kind,
        to: dispatch.to,
        reason: "expired".to_owned(),
        consigned: consigned_at.is_some(),
    })));
}

/// An inbox of one place, and what was given up there.
fn with_given_up() -> (Bench, Arc<Inboxes>, DispatchHead) {
    let (mut bench, inboxes) = with_window_of_one();
    let (first, _) = accepted(&bench, "s1", &letter(1, &[2]));
    live(&mut bench, "the inbox is filled", |bench| {
        states(bench, first.case) == [DispatchState::Consigned]
    });
    let head = bench.store.addressees(first.case).expect("told").remove(0);
    give_up(&bench, &head);
    (bench, inboxes, head)
}

#[test]
fn what_was_given_up_in_an_inbox_keeps_its_place_there_until_it_is_taken() {
    let (mut bench, inboxes, head) = with_given_up();
    let mut packet = letter(1, &[2]);
    packet.document_id = "2/KH".to_owned();
    let (second, _) = accepted(&bench, "s2", &packet);
    live(&mut bench, "a while", |_| true);
    assert_eq!(states(&bench, second.case), [DispatchState::Due]);
    assert_eq!(inboxes.count(), 1);
    let taken = Moved::of(&head.dispatch, head.consigned_to, None);
    bench.record(Commit::of(Happening::HandedOver(taken)));
    live(&mut bench, "the next one lies in the inbox", |bench| {
        states(bench, second.case) == [DispatchState::Consigned]
    });
}

#[test]
fn what_was_given_up_in_an_inbox_that_is_lost_stays_given_up_and_makes_room() {
    let (mut bench, inboxes, head) = with_given_up();
    bench.record(Commit::of(Happening::BrokerLost {
        epoch: "e1".to_owned(),
    }));
    let mut packet = letter(1, &[2]);
    packet.document_id = "2/KH".to_owned();
    let (second, _) = accepted(&bench, "s2", &packet);
    live(&mut bench, "the next one lies in the inbox", |bench| {
        states(bench, second.case) == [DispatchState::Consigned]
    });
    assert_eq!(states(&bench, head.dispatch.case), [DispatchState::Failed]);
    assert_eq!(inboxes.count(), 2);
}

#[test]
fn what_was_given_up_in_an_inbox_and_is_sent_again_does_not_wait_for_its_own_place() {
    let (mut bench, inboxes, head) = with_given_up();
    let again = bench.job("s2", 1, &letter(1, &[2]).write().expect("a packet"));
    let is_sent_again = Cell::new(false);
    live(&mut bench, "it lies in the inbox again", |bench| {
        if !is_sent_again.replace(true) {
            tokio::task::block_in_place(|| {
                let Ok(Appended::Done(recorded)) = bench.append(bench.judged(&again)) else {
                    panic!("not recorded")
                };
                let told = announce(&bench.road, &recorded).now_or_never();
                told.expect("there is room for news");
            });
        }
        states(bench, head.dispatch.case) == [DispatchState::Consigned]
    });
    assert_eq!(inboxes.count(), 2);
}

#[test]
fn what_was_given_up_while_it_was_handed_over_lies_there_and_takes_its_place() {
    let (mut bench, inboxes) = with_window_of_one();
    inboxes.is_slow.store(true, Ordering::SeqCst);
    let (job, _) = accepted(&bench, "s1", &letter(1, &[2]));
    let head = bench.store.addressees(job.case).expect("told").remove(0);
    let is_failed = Cell::new(false);
    let under_way = Arc::clone(&inboxes);
    live(&mut bench, "it lies in the inbox", |bench| {
        if under_way.count() == 1 && !is_failed.replace(true) {
            tokio::task::block_in_place(|| give_up(bench, &head));
        }
        bench.store.in_inbox(head.dispatch.to).expect("told").len() == 1
    });
    assert!(is_failed.get());
    assert_eq!(states(&bench, job.case), [DispatchState::Failed]);
    let mut packet = letter(1, &[2]);
    packet.document_id = "2/KH".to_owned();
    let (second, _) = accepted(&bench, "s2", &packet);
    live(&mut bench, "a while", |_| true);
    assert_eq!(states(&bench, second.case), [DispatchState::Due]);
}

#[test]
fn a_twin_waits_for_what_was_given_up_in_the_inbox_until_that_is_lost() {
    let (mut bench, inboxes) = set_up();
    let (job, _) = accepted(&bench, "s1", &letter(1, &[2, 3]));
    bench.change(DirectoryChange::Merged {
        from: [2, 3].map(AgencyId::from_number).to_vec(),
        into: AgencyId::from_number(4),
    });
    live(&mut bench, "the heir's inbox has one of them", |bench| {
        states(bench, job.case) == [DispatchState::Consigned, DispatchState::Due]
    });
    let head = bench.store.addressees(job.case).expect("told").remove(0);
    give_up(&bench, &head);
    live(&mut bench, "a while", |_| true);
    assert_eq!(
        states(&bench, job.case),
        [DispatchState::Failed, DispatchState::Due]
    );
    assert_eq!(inboxes.count(), 1);
    bench.record(Commit::of(Happening::BrokerLost {
        epoch: "e1".to_owned(),
    }));
    live(&mut bench, "the other one goes", |bench| {
        states(bench, job.case) == [DispatchState::Failed, DispatchState::Consigned]
    });
    assert_eq!(inboxes.count(), 2);
}

#[test]
fn what_was_given_up_in_an_inbox_that_nobody_has_any_more_is_forgotten() {
    let (mut bench, _, head) = with_given_up();
    let to = head.dispatch.to;
    bench.change(DirectoryChange::Closed {
        id: to,
        successor: None,
    });
    live(&mut bench, "it takes no place", |bench| {
        bench.store.in_inbox(to).expect("told").is_empty()
    });
    assert_eq!(states(&bench, head.dispatch.case), [DispatchState::Failed]);
}

#[test]
fn what_cannot_be_read_and_was_given_up_is_no_trouble_any_more() {
    let (mut bench, inboxes) = with_window_of_one();
    bench.road.rules = Arc::new(Rules {
        damaged_rest: Duration::from_millis(300),
        ..(*bench.road.rules).clone()
    });
    let (job, accepted) = accepted(&bench, "s1", &letter(1, &[2]));
    bench.road.archive = Arc::new(Torn {
        whole: Arc::clone(&bench.road.archive),
        damaged: accepted.submission.packet,
    });
    let head = bench.store.addressees(job.case).expect("told").remove(0);
    let is_failed = Cell::new(false);
    live(&mut bench, "nothing is unreadable any more", |bench| {
        let troubles = bench.road.troubles.unreadable();
        if troubles == 1 && !is_failed.replace(true) {
            tokio::task::block_in_place(|| give_up(bench, &head));
        }
        is_failed.get() && bench.road.troubles.unreadable() == 0
    });
    assert_eq!(inboxes.count(), 0);
}

#[test]
fn what_can_be_read_goes_however_much_cannot() {
    let (mut bench, inboxes) = with_window_of_one();
    bench.road.rules = Arc::new(Rules {
        damaged_rest: Duration::from_millis(300),
        damaged_passed_over_max: 1,
        ..(*bench.road.rules).clone()
    });
    let accept = |number: u8| {
        let mut packet = letter(1, &[2]);
        packet.document_id = format!("{number}/KH");
        accepted(&bench, &format!("s{number}"), &packet)
    };
    let [(_, one), (_, two), (healthy, _)] = [1, 2, 3].map(accept);
    let whole = Arc::clone(&bench.road.archive);
    let torn =
        |whole: Arc<dyn Archive>, damaged: Digest| Arc::new(Torn { whole, damaged }) as Arc<dyn Archive>;
    let first = torn(whole, one.submission.packet);
    bench.road.archive = torn(first, two.submission.packet);
    live(&mut bench, "the third lies in the inbox", |bench| {
        states(bench, healthy.case) == [DispatchState::Consigned]
    });
    assert_eq!((inboxes.count(), bench.road.troubles.unreadable()), (1, 2));
}

#[test]
fn what_was_taken_after_all_does_not_go_again() {
    let (mut bench, _) = set_up();
    let packet = letter(1, &[2]);
    let (sent, _) = accepted(&bench, "s1", &packet);
    live(&mut bench, "it lies in the inbox", |bench| {
        states(bench, sent.case) == [DispatchState::Consigned]
    });
    let head = bench.store.addressees(sent.case).expect("told").remove(0);
    give_up(&bench, &head);
    let again = bench.job("s2", 1, &packet.write().expect("a packet"));
    let commit = bench.judged(&again);
    assert!(matches!(commit.happenings[0], Happening::Extended(_)));
    let moved = Moved::of(&head.dispatch, head.consigned_to, None);
    bench.record(Commit::of(Happening::HandedOver(moved)));
    assert_eq!(bench.append(commit), Ok(Appended::Conflict));
    assert!(matches!(bench.take(&again), Happening::Repeated(_)));
    assert_eq!(states(&bench, sent.case), [DispatchState::HandedOver]);
}
