//! Verdicts over a real store: what two looks, a merger or a jumping clock may not do.

mod answers;
mod changes;
mod clock;
mod dispatched;
mod merged;
mod parked;
mod swept;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::agency::Answers;
use domain::directory::{Addition, DirectoryChange};
use domain::dispatch::Rank;
use domain::event::{Happening, Held, Submission};
use domain::ids::{AccountId, AgencyId, CaseId, Code, SubmissionId};
use domain::judge::{Terms, identity_of};
use domain::packet::{
    Attachment, Content, DocumentCode, DocumentPacket, DocumentType, Organization, Packet, Promulgation,
    Reference, ResponseFor, SignerInfo, StatusCode, StatusPacket, WrittenDate, WrittenTime,
};
use domain::port::{Appended, CaseState, Commit, Inbox, Journal, Outcome, Parcel, Soon, StoreFault};
use domain::refusal::Remark;
use trust::{Digest, Need, Policy, Snapshot, SoftwareKey, Time};

use crate::clock::Clock;
use crate::stages::inspect::{Job, Occasion, Verdict, inspect};
use crate::stages::signal::Signals;
use crate::stages::{Road, Rules, Seal, TrustFeed};
use crate::store::{Store, StoreConfig};
use crate::telemetry::Metrics;

/// Trust material without anchors; unsigned documents need none.
struct NoAnchors(Arc<Snapshot>);

impl TrustFeed for NoAnchors {
    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.0)
    }

    fn fetch(&self, _: Vec<Need>) -> Soon<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// Verdicts put nothing into inboxes.
struct Untouched;

impl Inbox for Untouched {
    fn hand_over(&self, _: AccountId, _: Parcel) -> Soon<'_, Outcome> {
        unreachable!("a verdict hands nothing over")
    }
}

struct Bench {
    road: Road,
    store: Store,
    /// By how many seconds the clock by which events are dated is ahead.
    ahead: Arc<AtomicI64>,
    runtime: tokio::runtime::Runtime,
    _folder: tempfile::TempDir,
}

impl Bench {
    /// Agencies 1 to 4 with codes X01 to X04 and an account each.
    fn new() -> Bench {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Clock::start(Duration::from_secs(30));
        let ahead = Arc::new(AtomicI64::new(0));
        let (time, seconds) = (clock.clone(), Arc::clone(&ahead));
        let told = move || time.now().plus_seconds(seconds.load(Ordering::Relaxed));
        let store = Store::open(&StoreConfig::at(folder.path()), told).expect("a store");
        let key = rcgen::KeyPair::generate().expect("a key");
        let signer = SoftwareKey::from_pkcs8(&key.serialize_der()).expect("a key that signs");
        let (signals, _ends) = Signals::new();
        let road = Road {
            journal: Arc::new(store.clone()),
            archive: Arc::new(store.clone()),
            inbox: Arc::new(Untouched),
            trust: Arc::new(NoAnchors(Arc::new(Snapshot::new(
                vec![],
                vec![],
                vec![],
                Policy::default(),
                1,
            )))),
            seal: Seal {
                signer: Arc::new(signer),
                certificates: Vec::new(),
            },
            rules: Arc::new(rules()),
            clock,
            signals: Arc::new(signals),
            waits: Arc::default(),
            troubles: Arc::default(),
            metrics: Arc::new(Metrics::new()),
        };
        let bench = Bench {
            road,
            store,
            ahead,
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .expect("a runtime"),
            _folder: folder,
        };
        for number in 1..=4 {
            bench.add(number);
        }
        bench
    }

    fn add(&self, number: u32) {
        let id = AgencyId::from_number(number);
        self.change(DirectoryChange::Added(Addition {
            id,
            name: format!("agency {number}"),
            codes: vec![code(number)],
            parent: None,
            place: None,
            watcher: None,
            level: "department".to_owned(),
        }));
        self.change(DirectoryChange::AccountOpened {
            id,
            account: account(number),
            answers: Answers::Receipts,
        });
    }

    fn append(&self, commit: Commit) -> Result<Appended, StoreFault> {
        self.runtime.block_on(self.road.append(commit))
    }

    fn record(&self, commit: Commit) {
        assert!(matches!(self.append(commit), Ok(Appended::Done(_))), "recorded");
    }

    fn change(&self, change: DirectoryChange) {
        self.record(Commit::of(Happening::DirectoryChanged(change)));
    }

    fn job(&self, name: &str, from: u32, body: &[u8]) -> Job {
        Job {
            body: body.into(),
            submission: Submission {
                id: SubmissionId::parse(name).expect("a submission id"),
                account: account(from),
                agency: Some(AgencyId::from_number(from)),
                packet: Digest::of(body),
                packet_bytes: body.len() as u64,
                received_at: self.road.now(),
            },
            case: CaseId::from_uuid(uuid::Uuid::now_v7()),
            occasion: Occasion::Arrived,
            asked: true,
        }
    }

    /// A document of agency 1 that is held, and the job that judges it again.
    fn held(&self, packet: &DocumentPacket) -> Job {
        self.held_until(packet, ("held", 1), self.road.now().plus_seconds(1000))
    }

    fn held_until(&self, packet: &DocumentPacket, (name, from): (&str, u32), until: Time) -> Job {
        let body = packet.write().expect("a packet");
        let mut job = self.job(name, from, &body);
        let held = Held {
            case: job.case,
            submission: job.submission.clone(),
            identity: identity_of(packet, AgencyId::from_number(from)).expect("an identity"),
            rank: Rank::Normal,
            reasons: vec![Remark::new("revocation-unknown", "CN=a")],
            until,
        };
        self.record(Commit::of(Happening::Held(held)).keeping(body.into()));
        job.occasion = Occasion::Held(until);
        job
    }

    /// The case in which a submission is answered.
    fn case_of(&self, job: &Job) -> CaseId {
        let Submission { account, id, .. } = &job.submission;
        let head = self.store.submission(account, id).expect("told");
        head.expect("a submission").case
    }

    /// The commit that a job comes to.
    fn judged(&self, job: &Job) -> Commit {
        let verdict = inspect(&self.road, job);
        let Verdict::Record(commit) = verdict else {
            panic!("not to be recorded: {verdict:?}")
        };
        *commit
    }

    /// Judges and records; what happened.
    fn take(&self, job: &Job) -> Happening {
        let commit = self.judged(job);
        let happening = commit.happenings[0].clone();
        self.record(commit);
        happening
    }
}

/// How often one document is sent, updated or replaced here.
const CHANGES_MAX: usize = 6;

fn rules() -> Rules {
    Rules {
        gateway: code(99),
        terms: Terms {
            delivery_limit_seconds: 1000,
            hold_limit_seconds: 1000,
            targets_max: 256,
            changes_max: CHANGES_MAX,
            statuses_max: 1000,
            seals: domain::verify::SealDemands::default(),
        },
        limits: domain::packet::Limits::default(),
        packet_bytes_max: 1 << 20,
        window: 4,
        window_urgent: 1,
        dispatch_bytes_max: 1 << 20,
        unconfirmed_max: 1024,
        consignment_notice: Duration::from_secs(1000),
        needs_wait: Duration::from_millis(1),
        retry_after: Duration::from_millis(1),
        damaged_rest: Duration::from_secs(60),
        damaged_passed_over_max: 1000,
        hold_retry: Duration::from_secs(1),
        closed_account_limit: Duration::from_secs(1000),
        sweep_every: Duration::from_secs(1),
    }
}

fn code(number: u32) -> Code {
    Code::parse(&format!("000.00.00.X{number:02}")).expect("a code")
}

fn account(number: u32) -> AccountId {
    AccountId::parse(&format!("a{number}-1")).expect("an account id")
}

fn organization(number: u32) -> Organization {
    Organization {
        organ_id: code(number).to_string(),
        ..Organization::default()
    }
}

const DOCUMENT: &str = "000.00.00.X01,2026/11/21,1/KH-UBND";

fn letter(from: u32, to: &[u32]) -> DocumentPacket {
    DocumentPacket {
        from: organization(from),
        to: to.iter().map(|&number| organization(number)).collect(),
        document_id: DOCUMENT.to_owned(),
        code: DocumentCode {
            number: "1".to_owned(),
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
            content: Content::new(b"content".to_vec()),
        }],
        ..DocumentPacket::default()
    }
}

fn status(from: u32, of: u32) -> Vec<u8> {
    let packet = StatusPacket {
        from: organization(from),
        response_for: ResponseFor {
            organ_id: code(of).to_string(),
            code: "1/KH-UBND".to_owned(),
            promulgation_date: WrittenDate("2026/11/21".to_owned()),
            document_id: DOCUMENT.to_owned(),
        },
        staff: None,
        status: StatusCode::Accepted,
        description: None,
        at: WrittenTime("2026/11/22 08:00:00".to_owned()),
    };
    Packet::Status(Box::new(packet)).write().expect("a status packet")
}

#[test]
fn a_held_case_is_decided_once_however_many_looks_judge_it() {
    let bench = Bench::new();
    let job = bench.held(&letter(1, &[2]));
    let (first, second) = (bench.judged(&job), bench.judged(&job));
    assert!(matches!(first.happenings[0], Happening::Accepted(_)));
    bench.record(first);
    assert_eq!(bench.append(second), Ok(Appended::Conflict));
    assert!(matches!(inspect(&bench.road, &job), Verdict::Known));
    assert_eq!(bench.store.addressees(job.case).expect("told").len(), 1);
}

#[test]
fn a_sender_that_is_suspended_while_its_document_waits_loses_nothing() {
    let bench = Bench::new();
    let job = bench.held(&letter(1, &[2]));
    bench.change(DirectoryChange::Suspended {
        id: AgencyId::from_number(1),
    });
    assert!(matches!(bench.take(&job), Happening::Accepted(_)));
    let body = letter(1, &[3]).write().expect("a packet");
    let after = bench.job("after", 1, &body);
    assert!(matches!(bench.take(&after), Happening::Refused(_)));
}

#[test]
fn a_successor_that_sends_its_predecessors_document_again_repeats_it() {
    let bench = Bench::new();
    let packet = letter(1, &[2]);
    let first = bench.job("s1", 1, &packet.write().expect("a packet"));
    assert!(matches!(bench.take(&first), Happening::Accepted(_)));
    bench.change(DirectoryChange::Merged {
        from: vec![AgencyId::from_number(1)],
        into: AgencyId::from_number(4),
    });
    let again = bench.job("s2", 4, &letter(4, &[2]).write().expect("a packet"));
    let Happening::Repeated(repeated) = bench.take(&again) else {
        panic!("not a repeat")
    };
    assert_eq!(repeated.case, first.case);
}

#[test]
fn what_an_heir_sends_while_its_predecessors_waits_is_one_document_with_it() {
    let bench = Bench::new();
    let held = bench.held(&letter(1, &[2]));
    bench.change(DirectoryChange::Merged {
        from: vec![AgencyId::from_number(1)],
        into: AgencyId::from_number(4),
    });
    let again = bench.job("s2", 4, &letter(4, &[2]).write().expect("a packet"));
    assert!(matches!(bench.take(&again), Happening::Accepted(_)));
    let Happening::Repeated(repeated) = bench.take(&held) else {
        panic!("not a repeat")
    };
    assert_eq!(repeated.case, again.case);
    let head = bench.store.case(held.case).expect("told").expect("a case");
    assert_eq!(head.state, CaseState::Joined);
    assert_eq!(bench.case_of(&held), again.case, "whose answer is its own now");
}

#[test]
fn a_status_finds_the_document_of_a_code_that_was_given_to_another_agency() {
    let bench = Bench::new();
    let first = bench.job("s1", 1, &letter(1, &[2]).write().expect("a packet"));
    assert!(matches!(bench.take(&first), Happening::Accepted(_)));
    bench.change(DirectoryChange::Closed {
        id: AgencyId::from_number(1),
        successor: None,
    });
    bench.change(DirectoryChange::Recoded {
        id: AgencyId::from_number(3),
        added: vec![code(1)],
        ended: Vec::new(),
    });
    let Happening::Reported(reported) = bench.take(&bench.job("s2", 2, &status(2, 1))) else {
        panic!("not reported")
    };
    assert_eq!(
        (reported.case, reported.to),
        (first.case, AgencyId::from_number(1))
    );
}

#[test]
fn a_status_finds_the_document_that_was_sent_to_its_reporter_among_all_that_bore_the_id() {
    let bench = Bench::new();
    let first = bench.job("s1", 1, &letter(1, &[2]).write().expect("a packet"));
    assert!(matches!(bench.take(&first), Happening::Accepted(_)));
    let mut recall = letter(1, &[2]);
    recall.business.kind = domain::packet::BusinessType::Recall;
    (recall.attachments, recall.manifest) = (Vec::new(), Vec::new());
    let recall = bench.job("s2", 1, &recall.write().expect("a packet"));
    assert!(matches!(bench.take(&recall), Happening::Accepted(_)));
    let mut other = letter(1, &[3]);
    other.attachments[0].content = Content::new(b"other".to_vec());
    let other = bench.job("s3", 1, &other.write().expect("a packet"));
    assert!(matches!(bench.take(&other), Happening::Accepted(_)));
    for (reporter, case) in [(2, first.case), (3, other.case)] {
        let job = bench.job(&format!("t{reporter}"), reporter, &status(reporter, 1));
        let Happening::Reported(reported) = bench.take(&job) else {
            panic!("not reported")
        };
        assert_eq!(reported.case, case);
    }
}

#[test]
fn a_recall_of_a_held_document_waits_for_it() {
    let bench = Bench::new();
    let held = bench.held(&letter(1, &[2]));
    let mut recall = letter(1, &[2]);
    recall.business.kind = domain::packet::BusinessType::Recall;
    (recall.attachments, recall.manifest) = (Vec::new(), Vec::new());
    let mut recall = bench.job("s2", 1, &recall.write().expect("a packet"));
    let Happening::Held(waits) = bench.take(&recall) else {
        panic!("not held")
    };
    assert_eq!(waits.reasons, [Remark::new("target-not-yet-known", DOCUMENT)]);
    assert!(matches!(bench.take(&held), Happening::Accepted(_)));
    recall.occasion = Occasion::Held(waits.until);
    let Happening::Accepted(recalled) = bench.take(&recall) else {
        panic!("not accepted")
    };
    assert_eq!(recalled.targets, [held.case]);
    let head = bench.store.case(held.case).expect("told").expect("a case");
    assert_eq!(head.state, CaseState::Recalled);
}

#[test]
fn a_scrape_counts_what_is_due_up_to_a_bound_over_all_agencies() {
    let bench = Bench::new();
    let body = letter(1, &[2, 3, 4]).write().expect("a packet");
    assert!(matches!(
        bench.take(&bench.job("s1", 1, &body)),
        Happening::Accepted(_)
    ));
    let counted = |rows_max| super::watch::count_due(&*bench.road.journal, rows_max);
    assert_eq!([2, 3, 10].map(counted), [Ok(2), Ok(3), Ok(3)]);
}
