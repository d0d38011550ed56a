//! What waits is sent, what is answered leaves, and what is held is asked about.

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
        case: None,
        place: PLACE,
    }
}

fn in_case(kind: ReceiptKind, case: u8) -> Answer {
    Answer {
        case: Some(CaseId::from_bytes([case; 16])),
        ..answer(kind)
    }
}

fn outbox_of(names: &[&str]) -> (Outbox, Vec<SubmissionId>) {
    let (mut outbox, ids) = (Outbox::default(), names.iter().map(|name| submission(name)));
    let ids: Vec<_> = ids.collect();
    ids.iter().for_each(|id| outbox.entered(id, Rank::Normal, PLACE));
    (outbox, ids)
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
    assert_eq!(outbox.revive(Time::from_seconds(10), 0), 0);
    assert_eq!(
        outbox.revive(Time::from_seconds(11), 0),
        1,
        "no answer: sent again under the same id"
    );
    assert_eq!(outbox.next(Rank::Normal), Some((id.clone(), PLACE)));
    outbox.answered(&id, answer(ReceiptKind::SubmissionHeld));
    assert_eq!(outbox.len(), 1, "held is no final answer");
    assert_eq!(
        outbox.revive(Time::from_seconds(3600), 0),
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
#[test]
fn the_receipt_that_decides_a_case_answers_all_that_are_held_in_it() {
    let (mut outbox, ids) = outbox_of(&["s1", "s2", "s3"]);
    let held = ReceiptKind::SubmissionHeld;
    outbox.answered(&ids[0], in_case(held, 1));
    outbox.answered(&ids[1], in_case(held, 1));
    outbox.answered(&ids[2], in_case(held, 2));
    assert_eq!(outbox.take_answered_alike(), []);
    let decision = in_case(ReceiptKind::SubmissionRejection, 1);
    outbox.answered(&ids[0], decision.clone());
    assert_eq!(outbox.answer(&ids[1]), Some(&decision));
    let alike = [(ids[1].clone(), ReceiptKind::SubmissionRejection)];
    assert_eq!(outbox.take_answered_alike(), alike);
    assert_eq!(outbox.take_answered_alike(), [], "told once");
    assert!(outbox.holds(&ids[2]), "of another case");
    assert_eq!(outbox.answer(&ids[2]).map(|answer| answer.kind), Some(held));
    assert_eq!(
        (outbox.len(), outbox.published.len(), outbox.held.len()),
        (1, 1, 1)
    );
}

#[test]
fn a_notice_that_comes_after_the_decision_of_its_case_is_answered_by_it() {
    let (mut outbox, ids) = outbox_of(&["s1", "s2"]);
    outbox.answered(&ids[0], in_case(ReceiptKind::SubmissionAcceptance, 1));
    assert!(outbox.holds(&ids[1]));
    outbox.answered(&ids[1], in_case(ReceiptKind::SubmissionHeld, 1));
    assert_eq!(
        (outbox.len(), outbox.published.len(), outbox.held.len()),
        (0, 0, 0)
    );
    assert_eq!(outbox.take_answered_alike().len(), 1);
}

#[test]
fn a_held_document_that_extends_another_case_answers_its_repeats() {
    let (mut outbox, ids) = outbox_of(&["s1", "s2"]);
    ids.iter()
        .for_each(|id| outbox.answered(id, in_case(ReceiptKind::SubmissionHeld, 2)));
    outbox.answered(&ids[0], in_case(ReceiptKind::SubmissionAcceptance, 1));
    assert_eq!((outbox.len(), outbox.take_answered_alike().len()), (0, 1));
}

#[test]
fn what_is_held_is_asked_about_rarely_also_after_it_was_asked_about() {
    let (mut outbox, ids) = outbox_of(&["s1"]);
    outbox.answered(&ids[0], in_case(ReceiptKind::SubmissionHeld, 1));
    let later = Time::from_seconds(51 + HELD_SECONDS);
    assert_eq!(outbox.revive(later, 0), 1);
    assert!(outbox.next(Rank::Normal).is_some());
    let from = outbox.published_from(&ids[0], later, 300);
    outbox.published(&ids[0], from);
    assert_eq!(outbox.revive(later.plus_seconds(HELD_SECONDS), 0), 0);
    assert_eq!(outbox.revive(later.plus_seconds(HELD_SECONDS + 1), 0), 1);
    let unknown = submission("s9");
    assert_eq!(outbox.published_from(&unknown, later, 300), later);
}

#[test]
fn what_nobody_answers_is_sent_again_ever_more_rarely() {
    let (mut outbox, ids) = outbox_of(&["s1"]);
    let (mut now, seconds) = (Time::from_seconds(0), 300);
    let mut waits = Vec::new();
    for _ in 0..9 {
        assert!(outbox.next(Rank::Normal).is_some());
        let from = outbox.published_from(&ids[0], now, seconds);
        outbox.published(&ids[0], from);
        let next = from.plus_seconds(seconds + 1);
        assert_eq!(outbox.revive(next.plus_seconds(-1), seconds), 0);
        assert_eq!(outbox.revive(next, seconds), 1);
        waits.push((next.as_seconds() - now.as_seconds()) / seconds);
        now = next;
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 64, 64]);
    assert!(outbox.next(Rank::Normal).is_some());
    let from = outbox.published_from(&ids[0], now, 86_400);
    assert_eq!(
        from,
        now.plus_seconds(HELD_SECONDS),
        "never longer than a held one"
    );
}

#[test]
fn an_entry_carried_past_its_notice_is_still_there_after_a_restart() {
    // The log after its first segment went: the notice, then the copy of the entry and of the notice.
    let (mut outbox, id) = (Outbox::default(), submission("s1"));
    let notice = in_case(ReceiptKind::SubmissionHeld, 1);
    outbox.answered(&id, notice.clone());
    outbox.entered(&id, Rank::Normal, PLACE);
    assert!(outbox.holds(&id) && outbox.answer(&id).is_none());
    outbox.held(&id, notice.clone());
    assert_eq!(outbox.answer(&id), Some(&notice));
}

#[test]
fn a_clock_that_was_set_back_makes_nobody_wait_until_it_is_there_again() {
    let (mut outbox, ids) = outbox_of(&["s1", "s2", "s3"]);
    let now = Time::from_seconds(1_000);
    outbox.published(&ids[0], Time::from_seconds(1_000_000));
    outbox.answered(&ids[1], in_case(ReceiptKind::SubmissionHeld, 1));
    outbox.published(&ids[1], now.plus_seconds(HELD_SECONDS));
    outbox.published(&ids[2], Time::from_seconds(900));
    outbox.reckon(now);
    assert_eq!(
        outbox.revive(now.plus_seconds(300), 300),
        1,
        "published in good time"
    );
    assert_eq!(
        outbox.revive(now.plus_seconds(301), 300),
        1,
        "published in the future"
    );
    assert_eq!(outbox.revive(now.plus_seconds(HELD_SECONDS), 300), 0, "held");
    assert_eq!(outbox.revive(now.plus_seconds(HELD_SECONDS + 301), 300), 1);
}

#[test]
fn a_notice_that_bears_a_time_far_ahead_is_asked_about_all_the_same() {
    let (mut outbox, ids) = outbox_of(&["s1"]);
    let ahead = Answer {
        at: Time::from_seconds(1_000_000_000),
        ..in_case(ReceiptKind::SubmissionHeld, 1)
    };
    outbox.answered(&ids[0], ahead);
    let now = Time::from_seconds(1_000);
    assert_eq!(outbox.revive(now, 300), 0);
    assert_eq!(outbox.revive(now.plus_seconds(301), 300), 1);
}
