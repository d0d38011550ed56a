//! Every kind of event reads back as it was written, and nothing else reads as an event.

use proptest::prelude::*;
use trust::{Digest, Time};

use super::*;
use crate::json::JsonFault;
use crate::refusal::RefusalCode;

fn submission() -> Submission {
    Submission {
        id: SubmissionId::parse("0190a0a0-0000-7000-8000-000000000001").expect("a submission id"),
        account: AccountId::parse("a17-1").expect("an account id"),
        agency: Some(AgencyId::from_number(17)),
        packet: Digest::of(b"packet"),
        packet_bytes: 20_000,
        received_at: Time::from_micros(1_790_000_000_000_000),
    }
}

fn identity() -> Identity {
    Identity {
        sender: AgencyId::from_number(17),
        document: DocumentId::parse("000.00.00.X01,2026/11/21,424a/KH-UBND").expect("a document id"),
        business: BusinessType::Replace,
        contents: Digest::of(b"contents"),
    }
}

fn seals() -> Vec<SealFact> {
    let seal = SealFact {
        attachment: 1,
        seal: 2,
        indication: "TOTAL-PASSED".to_owned(),
        signer: Some(Digest::of(b"certificate")),
        signatory: Some((AgencyId::from_number(17), Signatory::Organisation)),
    };
    vec![
        SealFact {
            signer: None,
            signatory: None,
            seal: 1,
            ..seal.clone()
        },
        seal,
    ]
}

#[expect(clippy::too_many_lines, reason = "one of each, with every field")]
fn answers(case: CaseId) -> Vec<Happening> {
    let code = Code::parse("000.00.00.X01").expect("a code");
    let addressees = vec![Addressee {
        agency: AgencyId::from_number(3),
        code: code.clone(),
        again: Some(DispatchId::from_bytes([3; 16])),
    }];
    let unaddressed = vec![Unaddressed {
        code: "?".to_owned(),
        fault: AddresseeFault::Unknown,
    }];
    let expires_at = Time::from_micros(1_790_000_100_000_000);
    let remarks = vec![Remark::new("unsigned", 1u32)];
    let reasons = vec![
        Refusal::new(RefusalCode::SignerRevoked)
            .with("attachment", 1u32)
            .with("seal", 2u32),
    ];
    let rank = Rank::Urgent;
    vec![
        Happening::Accepted(Accepted {
            case,
            submission: submission(),
            identity: identity(),
            sender_code: code,
            rank,
            addressees: addressees.clone(),
            unaddressed: unaddressed.clone(),
            targets: vec![case],
            seals: seals(),
            remarks: remarks.clone(),
            expires_at,
            trust_version: 4,
            directory_version: 5,
        }),
        Happening::Refused(Refused {
            case,
            submission: Submission {
                agency: None,
                ..submission()
            },
            document: None,
            reasons,
            rank,
            seals: seals(),
            status_packet: Some(Digest::of(b"status")),
        }),
        Happening::Held(Held {
            case,
            submission: submission(),
            identity: identity(),
            rank,
            reasons: remarks.clone(),
            until: expires_at,
        }),
        Happening::Repeated(Repeated {
            case,
            submission: submission(),
            answer: Digest::of(b"leaf"),
        }),
        Happening::Extended(Extended {
            case,
            submission: submission(),
            sender_code: Code::parse("000.00.01.H53").ok(),
            rank: Rank::Normal,
            addressees,
            unaddressed,
            seals: seals(),
            remarks,
            expires_at,
            trust_version: 4,
            directory_version: 5,
        }),
        Happening::Reported(Reported {
            case,
            submission: submission(),
            addressee: AgencyId::from_number(3),
            to: AgencyId::from_number(17),
            account: AccountId::parse("a17-2").ok(),
            sender_code: Code::parse("000.00.01.H53").ok(),
            status: StatusCode::ChangeAccepted,
            meaning: Digest::of(b"meaning"),
            rank,
        }),
        Happening::Parked(Parked {
            case,
            rank,
            submission: submission(),
            reason: "crashed-three-times".to_owned(),
        }),
    ]
}

fn movements(case: CaseId) -> Vec<Happening> {
    let moved = Moved {
        case,
        dispatch: DispatchId::derive(
            Time::from_micros(0),
            &Digest::of(b"leaf"),
            AgencyId::from_number(3),
            b'p',
        ),
        kind: DispatchKind::Packet,
        to: AgencyId::from_number(3),
        account: Some(AccountId::parse("a3-1").expect("an account id")),
        at: Some(Time::from_micros(1_790_000_000_000_001)),
    };
    vec![
        Happening::Consigned(Moved {
            at: None,
            ..moved.clone()
        }),
        Happening::HandedOver(moved.clone()),
        Happening::Withdrawn(Moved {
            account: None,
            at: None,
            ..moved.clone()
        }),
        Happening::Failed(Failed {
            case,
            dispatch: moved.dispatch,
            kind: DispatchKind::Status,
            to: moved.to,
            reason: "expired".to_owned(),
            consigned: true,
        }),
        Happening::Lost(Moved {
            at: None,
            ..moved.clone()
        }),
        Happening::ReceiptIssued(ReceiptIssued {
            case,
            kind: ReceiptKind::SubmissionAcceptance,
            about: Digest::of(b"leaf"),
            receipt: Digest::of(b"receipt"),
            to: moved.to,
            submission: Some(submission().id),
            account: Some(submission().account),
            status_packet: Some(Digest::of(b"02")),
            rank: Rank::Normal,
        }),
        Happening::BrokerLost {
            epoch: "e2".to_owned(),
        },
    ]
}

#[test]
fn every_event_reads_back_what_it_writes() {
    let case = CaseId::from_bytes([9; 16]);
    for happening in answers(case).into_iter().chain(movements(case)) {
        let event = Event {
            time: Time::from_micros(1_790_000_000_000_007),
            happening,
        };
        let stored = event.encode();
        assert!(!stored.contains(&b'\n'), "one line");
        assert_eq!(Event::decode(&stored), Ok(event));
    }
}

#[test]
fn an_event_of_an_unknown_version_or_kind_is_refused() {
    assert_eq!(Event::decode(br#"{"v":2}"#), Err(JsonFault::Version(2)));
    assert_eq!(
        Event::decode(br#"{"v":1,"time":1,"event":"x"}"#),
        Err(JsonFault::Wrong("event"))
    );
    assert_eq!(Event::decode(b""), Err(JsonFault::NotAnObject));
}

#[test]
fn a_status_recorded_before_its_meaning_was_kept_means_its_bytes() {
    let case = CaseId::from_bytes([9; 16]);
    let is_status = |happening: &Happening| matches!(happening, Happening::Reported(_));
    let happening = answers(case).into_iter().find(is_status).expect("one of each");
    let event = Event {
        time: Time::from_micros(1),
        happening,
    };
    let mut stored: serde_json::Value = serde_json::from_slice(&event.encode()).expect("JSON");
    stored.as_object_mut().expect("an object").remove("meaning");
    let read = Event::decode(stored.to_string().as_bytes()).expect("an older event");
    let Happening::Reported(reported) = read.happening else {
        panic!("another event: {read:?}")
    };
    assert_eq!(reported.meaning, reported.submission.packet);
}

proptest! {
    #[test]
    fn no_stored_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Event::decode(&bytes);
    }

    #[test]
    fn a_damaged_event_never_reads_as_the_same_event(place in 0_usize..2000, flip in 1_u8..=255) {
        let case = CaseId::from_bytes([9; 16]);
        let happening = answers(case).swap_remove(0);
        let event = Event { time: Time::from_micros(1), happening };
        let mut stored = event.encode();
        let place = place % stored.len();
        stored[place] ^= flip;
        prop_assert_ne!(Event::leaf(&stored), Event::leaf(&event.encode()));
    }
}
