//! What is the same document, what is refused, what waits.

mod repeats;

use trust::{Digest, Policy, Snapshot, Time};

use super::*;
use crate::agency::Answers;
use crate::directory::{Addition, DirectoryChange};
use crate::event::SealFact;
use crate::ids::{AccountId, SubmissionId};
use crate::packet::{
    Attachment, Content, DocumentCode, DocumentType, Organization, Promulgation, Reference, ResponseFor,
    SignerInfo, StatusCode, StatusPacket, WrittenDate, WrittenTime,
};
use crate::port::StatusHead;
use crate::verify::{Belief, PacketSeal, verify};

const NOW: Time = Time::from_micros(1_790_000_000_000_000);

fn terms() -> Terms {
    Terms {
        delivery_limit_seconds: 1000,
        hold_limit_seconds: 100,
        targets_max: 3,
        changes_max: 4,
        statuses_max: 5,
        seals: SealDemands::default(),
    }
}

/// Agencies a1 … a4 with codes X01 … X04; a4 has no account.
fn directory() -> Directory {
    let mut changes = Vec::new();
    for number in 1..=4_u32 {
        let id = AgencyId::from_number(number);
        let code = Code::parse(&format!("000.00.00.X0{number}")).expect("a code");
        changes.push(DirectoryChange::Added(Addition {
            id,
            name: format!("agency {number}"),
            codes: vec![code],
            parent: None,
            place: None,
            watcher: None,
            level: "department".to_owned(),
        }));
        if number < 4 {
            let account = AccountId::parse(&format!("a{number}-1")).expect("an account id");
            changes.push(DirectoryChange::AccountOpened {
                id,
                account,
                answers: Answers::Receipts,
            });
        }
    }
    Directory::new()
        .apply_all(&changes, Time::from_micros(1))
        .expect("a directory")
}

fn code_of(number: u32) -> String {
    format!("000.00.00.X0{number}")
}

fn letter(to: &[u32], content: &str) -> DocumentPacket {
    let organization = |number: u32| Organization {
        organ_id: code_of(number),
        ..Organization::default()
    };
    DocumentPacket {
        from: organization(1),
        to: to.iter().map(|&number| organization(number)).collect(),
        document_id: "000.00.00.X01,2026/11/21,424a/KH-UBND".to_owned(),
        code: DocumentCode {
            number: "424a".to_owned(),
            notation: "KH-UBND".to_owned(),
        },
        promulgation: Promulgation {
            place: "P".to_owned(),
            date: WrittenDate("2026/11/21".to_owned()),
        },
        document_type: DocumentType {
            code: "1".to_owned(),
            detail: None,
            name: "T".to_owned(),
        },
        subject: "S".to_owned(),
        signer: SignerInfo {
            full_name: "N".to_owned(),
            ..SignerInfo::default()
        },
        manifest: vec![Reference {
            content_id: "1".to_owned(),
            content_type: "text/plain".to_owned(),
            description: None,
            name: "a.txt".to_owned(),
        }],
        attachments: vec![Attachment {
            content_id: "1".to_owned(),
            name: "a.txt".to_owned(),
            description: None,
            content_type: "text/plain".to_owned(),
            content: Content::new(content.as_bytes().to_vec()),
        }],
        ..DocumentPacket::default()
    }
}

fn submission(number: u8, agency: u32) -> Submission {
    Submission {
        id: SubmissionId::parse(&format!("s{number}")).expect("a submission id"),
        account: AccountId::parse(&format!("a{agency}-1")).expect("an account id"),
        agency: Some(AgencyId::from_number(agency)),
        packet: Digest::of(&[number]),
        packet_bytes: 1,
        received_at: NOW,
    }
}

/// What judging this packet of a1 comes to.
fn judged(packet: &DocumentPacket, facts: &Facts) -> Happening {
    let (directory, terms) = (directory(), terms());
    let trust = Snapshot::new(vec![], vec![], vec![], Policy::default(), 7);
    let moment = Moment {
        directory: &directory,
        terms: &terms,
        trust_version: 7,
        now: NOW,
    };
    let sender = identify(&packet.from.organ_id, &submission(1, 1), &moment).expect("a1 may send");
    let identity = identity_of(packet, sender).expect("an identity");
    let belief = Belief {
        trust: &trust,
        directory: &directory,
        sent_at: NOW,
        now: NOW,
        time_of_day: NOW,
        demands: &SealDemands::default(),
    };
    let verified = verify(packet.clone(), &PacketSeal::absent(), sender, belief);
    let matter = Matter {
        case: CaseId::from_bytes([1; 16]),
        submission: submission(1, 1),
        held_until: None,
    };
    judge(&verified, &identity, facts, &matter, &moment)
}

fn head(packet: &DocumentPacket, case: u8, state: CaseState) -> CaseHead {
    let sender = AgencyId::from_number(1);
    CaseHead {
        case: CaseId::from_bytes([case; 16]),
        state,
        identity: Some(identity_of(packet, sender).expect("an identity")),
        sender: Some(sender),
        rank: Rank::Normal,
        packet: Digest::of(b"packet"),
        answer: Digest::of(b"answer"),
        since: NOW,
        targets: Vec::new(),
        acted_on_by: None,
    }
}

fn codes(happening: &Happening) -> Vec<RefusalCode> {
    let Happening::Refused(refused) = happening else {
        panic!("not refused: {happening:?}")
    };
    refused.reasons.iter().map(|reason| reason.code).collect()
}

#[test]
fn a_new_document_is_accepted_for_every_known_addressee() {
    let Happening::Accepted(accepted) = judged(&letter(&[2, 3, 9, 4], "x"), &Facts::default()) else {
        panic!("not accepted")
    };
    let agencies: Vec<u32> = accepted
        .addressees
        .iter()
        .map(|one| one.agency.number())
        .collect();
    assert_eq!(agencies, [2, 3]);
    let faults: Vec<_> = accepted
        .unaddressed
        .iter()
        .map(|one| (one.code.as_str(), one.fault))
        .collect();
    assert_eq!(
        faults,
        [
            ("000.00.00.X09", crate::event::AddresseeFault::Unknown),
            ("000.00.00.X04", crate::event::AddresseeFault::Unreachable)
        ]
    );
    assert_eq!(accepted.expires_at, NOW.plus_seconds(1000));
    assert_eq!(accepted.remarks, [Remark::new("unsigned", 1u32)]);
    assert_eq!(accepted.seals, Vec::<SealFact>::new());
}

#[test]
fn nobody_to_receive_is_refused_with_each_code_and_its_cause() {
    let mut packet = letter(&[9, 4, 8], "x");
    packet.to[2].organ_id = "Sở  Nội vụ".to_owned();
    let Happening::Refused(refused) = judged(&packet, &Facts::default()) else {
        panic!("not refused")
    };
    assert_eq!(
        refused.reasons,
        [
            Refusal::new(RefusalCode::AddresseeUnknown).with("code", Sayable::written(&code_of(9))),
            Refusal::new(RefusalCode::AddresseeUnknown).with("code", "a text of 10 characters"),
            Refusal::new(RefusalCode::AddresseeUnreachable).with("code", Sayable::written(&code_of(4))),
        ]
    );
    let told = refused.reasons[0].text();
    assert!(
        told.vi.contains(&code_of(9)) && told.en.contains(&code_of(9)),
        "{told:?}"
    );
}

#[test]
fn a_long_list_of_wrong_codes_hides_no_other_reason() {
    let mut packet = letter(&[9], "x");
    let wrong = |number: usize| Organization {
        organ_id: format!("000.00.{number}.X99"),
        ..Organization::default()
    };
    packet.to = (0..2 * REASONS_MAX).map(wrong).collect();
    packet.subject.clear();
    let mut other = letter(&[2], "other content");
    other.document_id = packet.document_id.clone();
    let facts = Facts {
        bearer: Some(head(&other, 9, CaseState::Accepted)),
        ..Facts::default()
    };
    let found = codes(&judged(&packet, &facts));
    assert_eq!(found.len(), REASONS_MAX);
    assert_eq!(
        found[..3],
        [
            RefusalCode::PacketIncomplete,
            RefusalCode::DocumentIdTaken,
            RefusalCode::AddresseeUnknown
        ]
    );
}

fn recall() -> DocumentPacket {
    let mut packet = letter(&[2], "x");
    packet.attachments.clear();
    packet.manifest.clear();
    packet.business.kind = BusinessType::Recall;
    packet
}

#[test]
fn a_recall_that_carries_the_id_of_its_target_is_no_repeat_and_reaches_all_its_addressees() {
    let target = head(&letter(&[2], "x"), 9, CaseState::Accepted);
    let facts = Facts {
        bearer: Some(target.clone()),
        targets: vec![target.clone()],
        target_addressees: vec![AgencyId::from_number(2), AgencyId::from_number(3)],
        ..Facts::default()
    };
    let Happening::Accepted(accepted) = judged(&recall(), &facts) else {
        panic!("not accepted")
    };
    assert_eq!(accepted.targets, [target.case]);
    assert_eq!(accepted.addressees.len(), 2);
}

#[test]
fn a_recall_of_nothing_is_refused() {
    assert_eq!(
        codes(&judged(&recall(), &Facts::default())),
        [RefusalCode::TargetUnknown]
    );
}

#[test]
fn all_faults_are_told_at_once() {
    let mut packet = letter(&[9], "");
    packet.subject.clear();
    let found = codes(&judged(&packet, &Facts::default()));
    assert_eq!(
        found,
        [
            RefusalCode::PacketIncomplete,
            RefusalCode::PacketIncomplete,
            RefusalCode::AddresseeUnknown
        ]
    );
}

#[test]
fn only_the_agency_itself_may_send_for_itself() {
    let (directory, terms) = (directory(), terms());
    let moment = Moment {
        directory: &directory,
        terms: &terms,
        trust_version: 7,
        now: NOW,
    };
    let refused = |from: &str, actor: u32| {
        let reasons = identify(from, &submission(1, actor), &moment).expect_err("refused");
        reasons[0].code
    };
    assert_eq!(refused(&code_of(2), 1), RefusalCode::SenderMismatch);
    assert_eq!(refused("000.00.00.X09", 1), RefusalCode::SenderUnknown);
    let suspend = DirectoryChange::Suspended {
        id: AgencyId::from_number(1),
    };
    let suspended = directory
        .apply(&suspend, Time::from_micros(2))
        .expect("suspended");
    let moment = Moment {
        directory: &suspended,
        ..moment
    };
    let reasons = identify(&code_of(1), &submission(1, 1), &moment).expect_err("refused");
    assert_eq!(reasons[0].code, RefusalCode::SenderInactive);
}

fn status(code: StatusCode) -> StatusPacket {
    StatusPacket {
        from: Organization {
            organ_id: code_of(2),
            ..Organization::default()
        },
        response_for: ResponseFor {
            organ_id: code_of(1),
            code: "424a/KH-UBND".to_owned(),
            promulgation_date: WrittenDate("2026/11/21".to_owned()),
            document_id: "000.00.00.X01,2026/11/21,424a/KH-UBND".to_owned(),
        },
        staff: None,
        status: code,
        description: None,
        at: WrittenTime("2026/11/21 10:00:00".to_owned()),
    }
}

fn status_judged(code: StatusCode, facts: &StatusFacts) -> Happening {
    let (directory, terms) = (directory(), terms());
    let moment = Moment {
        directory: &directory,
        terms: &terms,
        trust_version: 7,
        now: NOW,
    };
    let matter = Matter {
        case: CaseId::from_bytes([1; 16]),
        submission: submission(1, 2),
        held_until: None,
    };
    judge_status(&status(code), AgencyId::from_number(2), facts, &matter, &moment)
}

fn known(statuses: &[(StatusCode, u8)]) -> StatusFacts {
    let one = |&(status, number): &(StatusCode, u8)| StatusHead {
        status,
        packet: Digest::of(&[number]),
        meaning: Digest::of(&[number, number]),
        answer: Digest::of(b"earlier"),
    };
    StatusFacts {
        case: Some(head(&letter(&[2], "x"), 9, CaseState::Accepted)),
        addressee: Some(AgencyId::from_number(2)),
        statuses: statuses.iter().map(one).collect(),
        account: None,
    }
}

#[test]
fn a_status_of_an_addressee_goes_to_the_sender() {
    let Happening::Reported(reported) = status_judged(StatusCode::Accepted, &known(&[])) else {
        panic!("not reported")
    };
    assert_eq!(
        (reported.to, reported.addressee),
        (AgencyId::from_number(1), AgencyId::from_number(2))
    );
    assert_eq!(reported.sender_code, Code::parse(&code_of(2)).ok());
}

#[test]
fn a_status_goes_to_the_document_system_that_sent_the_document() {
    let account = AccountId::parse("a1-2").ok();
    let facts = StatusFacts {
        account: account.clone(),
        ..known(&[])
    };
    let happening = status_judged(StatusCode::Accepted, &facts);
    let event = crate::event::Event { time: NOW, happening };
    let follows = crate::consequence::Consequences::of(&event, &Digest::of(b"leaf"));
    let [status] = follows.dispatches.as_slice() else {
        panic!("one status: {follows:?}")
    };
    assert_eq!((&status.account, status.system()), (&account, 1 << 16 | 2));
    assert_eq!(status.sender, Code::parse(&code_of(2)).ok());
}

#[test]
fn a_status_of_a_stranger_or_about_nothing_is_refused() {
    let stranger = StatusFacts {
        addressee: None,
        ..known(&[])
    };
    assert_eq!(
        codes(&status_judged(StatusCode::Accepted, &stranger)),
        [RefusalCode::StatusNotAddressee]
    );
    let nothing = StatusFacts::default();
    assert_eq!(
        codes(&status_judged(StatusCode::Accepted, &nothing)),
        [RefusalCode::StatusCaseUnknown]
    );
    let asks_back = status_judged(StatusCode::ReturnRequested, &known(&[]));
    assert_eq!(
        codes(&asks_back),
        [RefusalCode::StatusNotAddressee],
        "only the sender asks back"
    );
}

#[test]
fn a_late_lower_status_is_history_and_only_contradictions_are_refused() {
    let after_five = known(&[(StatusCode::InProgress, 50)]);
    assert!(matches!(
        status_judged(StatusCode::Accepted, &after_five),
        Happening::Reported(_)
    ));
    let after_two = known(&[(StatusCode::Refused, 50)]);
    for contradicting in [StatusCode::Accepted, StatusCode::Completed] {
        assert_eq!(
            codes(&status_judged(contradicting, &after_two)),
            [RefusalCode::StatusContradiction]
        );
    }
    let returned = known(&[(StatusCode::Accepted, 50)]);
    assert!(
        matches!(
            status_judged(StatusCode::Refused, &returned),
            Happening::Reported(_)
        ),
        "a return"
    );
}

#[test]
fn a_status_that_was_built_again_is_a_repeat_and_one_of_another_moment_is_none() {
    let built = StatusPacket {
        at: WrittenTime("21/11/2026 10:00:00".to_owned()),
        ..status(StatusCode::Accepted)
    };
    let mut facts = known(&[(StatusCode::Accepted, 50)]);
    facts.statuses[0].meaning = built.meaning_digest();
    assert!(matches!(
        status_judged(StatusCode::Accepted, &facts),
        Happening::Repeated(_)
    ));
    for other in [
        StatusPacket {
            at: WrittenTime("2026/11/21 10:00:01".to_owned()),
            ..built.clone()
        },
        StatusPacket {
            description: Some(String::new()),
            ..built.clone()
        },
        StatusPacket {
            status: StatusCode::InProgress,
            ..built
        },
    ] {
        facts.statuses[0].meaning = other.meaning_digest();
        assert!(matches!(
            status_judged(StatusCode::Accepted, &facts),
            Happening::Reported(_)
        ));
    }
}

#[test]
fn the_same_status_packet_again_is_a_repeat_of_its_own_answer() {
    let facts = known(&[(StatusCode::Accepted, 1)]);
    let Happening::Repeated(repeated) = status_judged(StatusCode::Accepted, &facts) else {
        panic!("not a repeat")
    };
    assert_eq!(repeated.answer, Digest::of(b"earlier"));
}
