//! What is the same document or act as one before, and what of it goes out again.

use super::*;
use crate::dispatch::{Dispatch, DispatchKind};
use crate::ids::DispatchId;
use crate::packet::Replacement;

/// What went to an addressee, by the event with this number.
fn delivery(to: u32, event: u8, state: DispatchState) -> DispatchHead {
    let (to, leaf) = (AgencyId::from_number(to), Digest::of(&[event]));
    let at = Time::from_micros(i64::from(event) * 1_000_000);
    DispatchHead {
        dispatch: Dispatch {
            id: DispatchId::derive(at, &leaf, to, DispatchKind::Packet.letter()),
            case: CaseId::from_bytes([9; 16]),
            to,
            code: None,
            kind: DispatchKind::Packet,
            body: Digest::of(b"packet"),
            rank: Rank::Normal,
            expires_at: None,
            answer: None,
            account: None,
            sender: None,
            submitted_by: None,
        },
        state,
        event: leaf,
        consigned_at: None,
        consigned_to: None,
    }
}

#[test]
fn a_rebuilt_retry_is_a_repeat() {
    let packet = letter(&[2], "x");
    let same = head(&packet, 9, CaseState::Accepted);
    let facts = Facts {
        bearer: Some(same.clone()),
        same: Some(same),
        same_addressees: vec![delivery(2, 1, DispatchState::Consigned)],
        ..Facts::default()
    };
    let Happening::Repeated(repeated) = judged(&packet, &facts) else {
        panic!("not a repeat")
    };
    assert_eq!(
        (repeated.case, repeated.answer),
        (CaseId::from_bytes([9; 16]), Digest::of(&[1]))
    );
}

#[test]
fn the_same_for_further_addressees_goes_to_those_only() {
    let packet = letter(&[2, 3], "x");
    let same = head(&packet, 9, CaseState::Accepted);
    let facts = Facts {
        same: Some(same),
        same_addressees: vec![delivery(2, 1, DispatchState::Consigned)],
        ..Facts::default()
    };
    let Happening::Extended(extended) = judged(&packet, &facts) else {
        panic!("not extended")
    };
    let agencies: Vec<u32> = extended
        .addressees
        .iter()
        .map(|one| one.agency.number())
        .collect();
    assert_eq!(agencies, [3]);
}

#[test]
fn a_twin_of_a_held_document_is_judged_on_its_own_and_neither_bars_the_other() {
    let packet = letter(&[2, 3], "x");
    let held = head(&packet, 9, CaseState::Held);
    let facts = Facts {
        same: Some(held.clone()),
        bearer: Some(held),
        ..Facts::default()
    };
    assert!(matches!(judged(&packet, &facts), Happening::Accepted(_)));
    let other = Facts { same: None, ..facts };
    assert_eq!(
        codes(&judged(&letter(&[2], "other"), &other)),
        [RefusalCode::DocumentIdTaken]
    );
}

#[test]
fn other_content_is_refused_only_while_a_live_document_bears_the_id() {
    let other = letter(&[2], "other");
    let facts = Facts {
        bearer: Some(head(&letter(&[2], "x"), 9, CaseState::Accepted)),
        ..Facts::default()
    };
    assert_eq!(codes(&judged(&other, &facts)), [RefusalCode::DocumentIdTaken]);
    assert!(matches!(
        judged(&other, &Facts::default()),
        Happening::Accepted(_)
    ));
}

#[test]
fn a_refused_or_recalled_document_may_come_again() {
    let packet = letter(&[2], "x");
    for state in [CaseState::Refused, CaseState::Recalled] {
        let facts = Facts {
            same: Some(head(&packet, 9, state)),
            ..Facts::default()
        };
        assert!(
            matches!(judged(&packet, &facts), Happening::Accepted(_)),
            "{state:?}"
        );
    }
}

#[test]
fn a_repeat_of_an_extension_gets_the_answer_of_the_extension() {
    let packet = letter(&[2, 3], "x");
    let facts = Facts {
        same: Some(head(&packet, 9, CaseState::Accepted)),
        same_addressees: vec![
            delivery(3, 7, DispatchState::Due),
            delivery(2, 1, DispatchState::HandedOver),
        ],
        ..Facts::default()
    };
    let Happening::Repeated(repeated) = judged(&packet, &facts) else {
        panic!("not a repeat")
    };
    assert_eq!(repeated.answer, Digest::of(&[7]));
    let Happening::Repeated(first) = judged(&letter(&[2], "x"), &facts) else {
        panic!("not a repeat")
    };
    assert_eq!(first.answer, Digest::of(&[1]));
}

#[test]
fn what_was_given_up_is_due_again_under_its_old_dispatch_id() {
    let packet = letter(&[2, 3], "x");
    let failed = delivery(2, 1, DispatchState::Failed);
    let facts = Facts {
        same: Some(head(&packet, 9, CaseState::Accepted)),
        same_addressees: vec![failed.clone(), delivery(3, 1, DispatchState::HandedOver)],
        ..Facts::default()
    };
    let Happening::Extended(extended) = judged(&packet, &facts) else {
        panic!("not sent again")
    };
    let again: Vec<_> = extended
        .addressees
        .iter()
        .map(|one| (one.agency.number(), one.again))
        .collect();
    assert_eq!(again, [(2, Some(failed.dispatch.id))]);
}

#[test]
fn an_extension_is_held_to_the_same_rules_as_the_first_one() {
    let mut packet = letter(&[2, 3], "x");
    packet.subject.clear();
    let facts = Facts {
        same: Some(head(&packet, 9, CaseState::Accepted)),
        same_addressees: vec![delivery(2, 1, DispatchState::HandedOver)],
        ..Facts::default()
    };
    assert_eq!(codes(&judged(&packet, &facts)), [RefusalCode::PacketIncomplete]);
}

#[test]
fn a_second_recall_of_what_was_sent_again_is_no_repeat_of_the_first() {
    let first = CaseHead {
        targets: vec![CaseId::from_bytes([9; 16])],
        ..head(&recall(), 10, CaseState::Accepted)
    };
    let again = head(&letter(&[2], "x"), 11, CaseState::Accepted);
    let facts = Facts {
        same: Some(first.clone()),
        targets: vec![again],
        ..Facts::default()
    };
    assert!(matches!(judged(&recall(), &facts), Happening::Accepted(_)));
    let recalled = head(&letter(&[2], "x"), 9, CaseState::Recalled);
    let facts = Facts {
        same: Some(first),
        targets: vec![recalled],
        ..Facts::default()
    };
    assert!(
        matches!(judged(&recall(), &facts), Happening::Repeated(_)),
        "the retry of the first is"
    );
}

fn update() -> DocumentPacket {
    let mut packet = letter(&[2], "x");
    packet.business.kind = BusinessType::Update;
    packet
}

#[test]
fn an_update_that_another_one_followed_is_no_repeat() {
    let case = |number: u8| CaseId::from_bytes([number; 16]);
    let first = CaseHead {
        targets: vec![case(9)],
        ..head(&update(), 10, CaseState::Accepted)
    };
    let target = |by: u8| CaseHead {
        acted_on_by: Some(case(by)),
        ..head(&letter(&[2], "x"), 9, CaseState::Accepted)
    };
    let facts = |by| Facts {
        same: Some(first.clone()),
        same_addressees: vec![delivery(2, 1, DispatchState::HandedOver)],
        targets: vec![target(by)],
        ..Facts::default()
    };
    assert!(matches!(judged(&update(), &facts(10)), Happening::Repeated(_)));
    assert!(matches!(judged(&update(), &facts(11)), Happening::Accepted(_)));
}

#[test]
fn a_replacement_under_the_id_of_its_target_is_repeated_by_its_retry() {
    let mut packet = letter(&[2], "y");
    packet.business.kind = BusinessType::Replace;
    let same = CaseHead {
        targets: vec![CaseId::from_bytes([9; 16])],
        ..head(&packet, 10, CaseState::Accepted)
    };
    let facts = Facts {
        same: Some(same.clone()),
        same_addressees: vec![delivery(2, 1, DispatchState::Due)],
        bearer: Some(same.clone()),
        // The id names the replacement itself by now.
        targets: vec![same],
        ..Facts::default()
    };
    assert!(matches!(judged(&packet, &facts), Happening::Repeated(_)));
}

#[test]
fn a_replacement_names_as_many_documents_as_one_packet_may() {
    let of = |count: usize| {
        let mut packet = letter(&[2], "y");
        packet.business.kind = BusinessType::Replace;
        let replaced = |number: usize| Replacement {
            document_id: number.to_string(),
            organ_ids: Vec::new(),
        };
        packet.business.replacements = (0..count).map(replaced).collect();
        let facts = Facts {
            targets: vec![head(&letter(&[2], "x"), 9, CaseState::Accepted)],
            ..Facts::default()
        };
        let Happening::Refused(refused) = judged(&packet, &facts) else {
            return Vec::new();
        };
        refused.reasons
    };
    assert!(of(terms().targets_max).is_empty());
    let refused = Refusal::new(RefusalCode::TargetsTooMany);
    let refused = refused.with("count", 4u32).with("limit", 3u32);
    assert!(of(terms().targets_max + 1).contains(&refused), "{:?}", of(4));
}

#[test]
fn an_act_on_what_is_held_waits_and_one_on_nothing_known_is_refused() {
    let document = |id: &str| DocumentId::parse(id).expect("a document id");
    let waits = Facts {
        held_targets: vec![document("a")],
        ..Facts::default()
    };
    let Happening::Held(held) = judged(&recall(), &waits) else {
        panic!("not held")
    };
    assert_eq!(held.reasons, [Remark::new("target-not-yet-known", "a")]);
    let unknown = Facts {
        unknown_targets: vec![document("a"), document("b")],
        ..Facts::default()
    };
    let refused = judged(&recall(), &unknown);
    assert_eq!(
        codes(&refused),
        [RefusalCode::TargetUnknown, RefusalCode::TargetUnknown]
    );
}

#[test]
fn what_was_changed_as_often_as_may_be_is_only_recalled_while_it_counts() {
    let limit = terms().changes_max;
    let is_refused = |kind, state, changes| {
        let mut packet = letter(&[2], "x");
        packet.business.kind = kind;
        packet.business.replacements = vec![Replacement {
            document_id: "x".to_owned(),
            organ_ids: Vec::new(),
        }];
        let facts = Facts {
            targets: vec![head(&letter(&[2], "x"), 9, state)],
            changes,
            ..Facts::default()
        };
        let Happening::Refused(refused) = judged(&packet, &facts) else {
            return false;
        };
        let refusal = Refusal::new(RefusalCode::ChangesTooMany);
        let refusal = refusal.with("count", changes).with("limit", limit);
        assert!(refused.reasons.contains(&refusal), "{:?}", refused.reasons);
        true
    };
    for kind in [BusinessType::Update, BusinessType::Replace] {
        assert!(!is_refused(kind, CaseState::Accepted, limit - 1));
        assert!(is_refused(kind, CaseState::Accepted, limit));
    }
    assert!(!is_refused(BusinessType::Recall, CaseState::Accepted, limit + 1));
    assert!(!is_refused(BusinessType::Recall, CaseState::Recalled, limit - 1));
    assert!(is_refused(BusinessType::Recall, CaseState::Recalled, limit));
}

#[test]
fn an_addressee_reports_as_many_statuses_as_there_may_be() {
    let limit = terms().statuses_max;
    let reported: Vec<_> = (0..limit)
        .map(|number| (StatusCode::Arrived, 10 + number as u8))
        .collect();
    let last = status_judged(StatusCode::Accepted, &known(&reported[1..]));
    assert!(matches!(last, Happening::Reported(_)), "{last:?}");
    let Happening::Refused(refused) = status_judged(StatusCode::Accepted, &known(&reported)) else {
        panic!("not refused")
    };
    let refusal = Refusal::new(RefusalCode::StatusesTooMany);
    assert_eq!(
        refused.reasons,
        [refusal.with("count", limit).with("limit", limit)]
    );
    let ask = |number: usize| (StatusCode::ReturnRequested, 10 + number as u8);
    let asked: Vec<_> = (0..limit).map(ask).collect();
    let told = status_judged(StatusCode::Accepted, &known(&asked));
    assert!(
        matches!(told, Happening::Reported(_)),
        "what the sender asks does not count: {told:?}"
    );
}
