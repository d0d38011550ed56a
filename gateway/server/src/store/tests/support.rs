//! Stores, events and answers for the tests.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::dispatch::{Dispatch, DispatchKind, Rank};
use domain::event::{
    Accepted, Addressee, Extended, Failed, Happening, Held, Identity, Moved, ReceiptIssued, Refused,
    Repeated, Reported, Submission,
};
use domain::ids::{AccountId, AgencyId, CaseId, Code, DocumentId, SubmissionId};
use domain::packet::{BusinessType, StatusCode};
use domain::port::{Appended, Archive, Commit, Journal, Recorded, Slot, StoreFault};
use domain::receipt::ReceiptKind;
use trust::{Digest, Time};

use crate::store::{Store, StoreConfig};

/// A clock that goes on by seven microseconds each time it is read.
pub(super) fn clock() -> impl Fn() -> Time + Send + 'static {
    let micros = AtomicI64::new(1_700_000_000_000_000);
    move || Time::from_micros(micros.fetch_add(7, Ordering::Relaxed))
}

/// Small segments, so that tests cross from one to the next, and no pause between batches.
pub(super) fn small(directory: &Path) -> StoreConfig {
    StoreConfig {
        segment_bytes_max: 16 << 10,
        inline_bytes_max: 4 << 10,
        commit_interval: Duration::ZERO,
        interval_from_commits: 1,
        ..StoreConfig::at(directory)
    }
}

pub(super) fn open(directory: &Path) -> Store {
    Store::open(&small(directory), clock()).expect("the store opens")
}

pub(super) fn run<T>(task: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(task)
}

/// Appends what must not conflict.
pub(super) fn record(store: &Store, commit: Commit) -> Vec<Recorded> {
    match run(store.append(commit)).expect("recorded") {
        Appended::Done(recorded) => recorded,
        Appended::Conflict => panic!("a conflict where nothing was expected"),
    }
}

pub(super) fn agency(number: u8) -> AgencyId {
    AgencyId::from_number(u32::from(number))
}

pub(super) fn case(number: usize) -> CaseId {
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&(number as u64).to_be_bytes());
    CaseId::from_bytes(bytes)
}

pub(super) fn document(number: u8) -> DocumentId {
    DocumentId::parse(&format!("{number}/2026/QĐ-UBND")).expect("a document id")
}

pub(super) fn account(number: u8) -> AccountId {
    AccountId::parse(&format!("a{number}-1")).expect("an account")
}

pub(super) fn submission_id(name: impl ToString) -> SubmissionId {
    SubmissionId::parse(&name.to_string()).expect("a submission id")
}

pub(super) fn submission(id: usize, sender: u8) -> Submission {
    Submission {
        id: submission_id(id),
        account: account(sender),
        agency: Some(agency(sender)),
        packet: Digest::of(format!("packet {id}").as_bytes()),
        packet_bytes: 20_000,
        received_at: Time::from_micros(5),
    }
}

pub(super) fn identity(sender: u8, document_number: u8, business: BusinessType) -> Identity {
    let contents = Digest::of(&[sender, document_number]);
    Identity {
        sender: agency(sender),
        document: document(document_number),
        business,
        contents,
    }
}

pub(super) fn accepted(number: usize, identity: Identity, to: &[u8]) -> Accepted {
    let code = |number| Code::parse(&format!("000.00.{number:02}.H53")).expect("a code");
    let sender = u8::try_from(identity.sender.number()).expect("small");
    Accepted {
        case: case(number),
        submission: submission(number, sender),
        identity,
        sender_code: code(sender),
        rank: Rank::Normal,
        addressees: to
            .iter()
            .map(|&to| Addressee {
                agency: agency(to),
                code: code(to),
                again: None,
            })
            .collect(),
        unaddressed: Vec::new(),
        targets: Vec::new(),
        seals: Vec::new(),
        remarks: Vec::new(),
        expires_at: Time::from_micros(1_700_000_100_000_000 + number as i64),
        trust_version: 1,
        directory_version: 1,
    }
}

/// A plain document with a number of its own.
pub(super) fn new_document(number: usize) -> Commit {
    let doc = DocumentId::parse(&format!("{number}/BC")).expect("a document id");
    let identity = Identity {
        document: doc,
        ..identity(1, 1, BusinessType::New)
    };
    Commit::of(Happening::Accepted(accepted(number, identity, &[2, 3])))
}

pub(super) fn refused(number: usize, sender: u8, document: Option<DocumentId>) -> Refused {
    let submission = submission(number, sender);
    Refused {
        case: case(number),
        submission,
        document,
        reasons: Vec::new(),
        rank: Rank::Normal,
        seals: Vec::new(),
        status_packet: None,
    }
}

pub(super) fn held(number: usize, identity: Identity) -> Held {
    let sender = u8::try_from(identity.sender.number()).expect("small");
    let until = Time::from_micros(9_000 - number as i64);
    let submission = submission(number, sender);
    Held {
        case: case(number),
        submission,
        identity,
        rank: Rank::Normal,
        reasons: Vec::new(),
        until,
    }
}

pub(super) fn repeated(of: CaseId, id: usize, answer: Digest) -> Repeated {
    Repeated {
        case: of,
        submission: submission(id, 1),
        answer,
    }
}

pub(super) fn extended(of: CaseId, id: usize, to: u8) -> Extended {
    let more = accepted(id, identity(1, 1, BusinessType::New), &[to]);
    let (addressees, expires_at) = (more.addressees, more.expires_at);
    let submission = submission(id, 1);
    Extended {
        sender_code: None,
        case: of,
        submission,
        rank: Rank::Urgent,
        addressees,
        unaddressed: Vec::new(),
        seals: Vec::new(),
        remarks: Vec::new(),
        expires_at,
        trust_version: 1,
        directory_version: 1,
    }
}

pub(super) fn reported(of: CaseId, id: usize, addressee: u8, status: StatusCode) -> Reported {
    let submission = submission(id, addressee);
    Reported {
        account: None,
        sender_code: None,
        case: of,
        submission,
        addressee: agency(addressee),
        to: agency(1),
        status,
        meaning: Digest::of(format!("meaning {id}").as_bytes()),
        rank: Rank::Normal,
    }
}

pub(super) fn moved(dispatch: &Dispatch) -> Moved {
    let Dispatch {
        id, case, to, kind, ..
    } = dispatch.clone();
    Moved {
        case,
        dispatch: id,
        kind,
        to,
        account: Some(account(1)),
        at: None,
    }
}

pub(super) fn failed(dispatch: &Dispatch) -> Failed {
    let Dispatch {
        id, case, to, kind, ..
    } = dispatch.clone();
    Failed {
        case,
        dispatch: id,
        kind,
        to,
        reason: "expired".to_owned(),
        consigned: false,
    }
}

pub(super) fn receipt_issued(case: CaseId, about: Digest, to: AgencyId) -> ReceiptIssued {
    ReceiptIssued {
        case,
        kind: ReceiptKind::SubmissionAcceptance,
        about,
        receipt: Digest::of(about.as_bytes()),
        to,
        submission: None,
        account: None,
        status_packet: None,
        rank: Rank::Normal,
    }
}

/// All business types.
pub(super) const BUSINESS: [BusinessType; 4] = [
    BusinessType::New,
    BusinessType::Recall,
    BusinessType::Update,
    BusinessType::Replace,
];
/// What the tests ask about.
pub(super) const AGENCIES: std::ops::Range<u8> = 1..6;
pub(super) const DOCUMENTS: std::ops::Range<u8> = 0..4;

/// Every answer the store gives about this many cases, as text that can be compared.
pub(super) fn answers(store: &Store, cases: usize) -> String {
    let mut all = vec![format!("{:?}", store.checkpoint())];
    let mut tell = |what: String| all.push(what);
    let mut dispatches = Vec::new();
    for number in 0..cases {
        let id = case(number);
        tell(format!(
            "{number} {:?} {:?}",
            store.case(id),
            store.seen(&Slot::Case(id))
        ));
        tell(format!("{number} events {:?}", store.events(id)));
        tell(format!("{number} addressees {:?}", store.addressees(id)));
        for event in store.events(id).expect("events") {
            tell(format!("about {:?}", store.receipt_about(id, &event.leaf)));
            tell(format!("owed for {:?}", store.owed_for(event.position)));
            tell(format!("before {:?}", store.checkpoint_before(event.position)));
            let follows = domain::consequence::Consequences::of(&event.event, &event.leaf);
            dispatches.extend(follows.dispatches.into_iter().map(|dispatch| dispatch.id));
        }
        for one in AGENCIES {
            let (id, sender) = (submission_id(number), account(one));
            tell(format!("{:?}", store.submission(&sender, &id)));
            tell(format!("{:?}", store.seen(&Slot::Submission(sender, id))));
            tell(format!("{:?}", store.addressed(case(number), agency(one))));
            tell(format!("{:?}", store.statuses(case(number), agency(one))));
        }
    }
    for id in dispatches {
        tell(format!("{:?}", store.dispatch(id)));
    }
    for one in AGENCIES {
        tell(format!(
            "due {one} {:?} {:?}",
            store.due(agency(one), 1000),
            store.due(agency(one), 2)
        ));
        tell(format!("in flight {one} {:?}", store.in_flight(agency(one))));
        for number in DOCUMENTS {
            let (sender, name) = (agency(one), document(number));
            tell(format!("bearer {:?}", store.bearer(sender, &name)));
            tell(format!("named {:?}", store.named(sender, &name)));
            tell(format!("{:?}", store.seen(&Slot::Document(sender, name))));
            for business in [
                BusinessType::New,
                BusinessType::Recall,
                BusinessType::Update,
                BusinessType::Replace,
            ] {
                tell(format!("same {:?}", store.same(&identity(one, number, business))));
            }
        }
    }
    tell(format!(
        "waiting {:?} flying {:?}",
        store.waiting(),
        store.flying()
    ));
    tell(format!("owed {:?}", store.owed(1000)));
    tell(format!("held {:?}", store.held(None, 1000)));
    tell(format!(
        "expired {:?}",
        store.expired(Time::from_micros(1_700_000_100_000_005), 1000)
    ));
    all.join("\n")
}

/// What is kept under a digest.
pub(super) fn fetch(store: &Store, digest: &Digest) -> Result<Option<Arc<[u8]>>, StoreFault> {
    run(store.fetch(digest))
}

/// Whether a dispatch kind is one of a document's own bytes.
pub(super) fn is_packet(dispatch: &Dispatch) -> bool {
    dispatch.kind == DispatchKind::Packet
}
