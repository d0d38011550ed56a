//! What waits for a person: listed until it is decided, and decided once.

use domain::receipt::ReceiptKind;

use super::*;
use crate::administration::{Administration, NotProvisioned, ParkingFault};
use crate::stages::FromJournal;
use crate::stages::inspect::park;
use crate::stages::poison::CrashNotes;
use crate::stages::receive::{Inspectors, Travelling};

/// The commit of leaving this job to a person.
fn parked(bench: &Bench, job: &Job) -> Commit {
    let verdict = park(&bench.road, job, Rank::Normal, "crashed-three-times");
    let Verdict::Record(commit) = verdict else {
        panic!("not parked: {verdict:?}")
    };
    *commit
}

fn waiting(bench: &Bench) -> Vec<CaseId> {
    let parked = bench.store.parked(10).expect("told");
    parked.iter().map(|parked| parked.case).collect()
}

#[test]
fn a_held_document_that_is_parked_is_judged_no_more_and_still_bears_its_id() {
    let bench = Bench::new();
    let mut job = bench.held(&letter(1, &[2]));
    bench.record(parked(&bench, &job));
    assert_eq!(bench.store.held(None, 10).expect("told").held, Vec::new());
    assert_eq!(waiting(&bench), [job.case]);
    let head = bench.store.case(job.case).expect("told").expect("a case");
    assert_eq!(head.state, CaseState::Parked);
    let bearer = bench.store.bearer(
        AgencyId::from_number(1),
        &head.identity.expect("it was read").document,
    );
    assert_eq!(bearer.expect("told").map(|bearer| bearer.case), Some(job.case));
    assert!(
        matches!(inspect(&bench.road, &job), Verdict::Known),
        "no look of the sweep"
    );
    job.occasion = Occasion::Released;
    assert!(matches!(bench.take(&job), Happening::Accepted(_)));
    assert_eq!(waiting(&bench), []);
    assert!(
        matches!(inspect(&bench.road, &job), Verdict::Known),
        "a second release"
    );
}

#[test]
fn what_was_parked_when_it_came_is_parked_once_and_told_to_its_sender() {
    let bench = Bench::new();
    let body = letter(1, &[2]).write().expect("a packet");
    let mut job = bench.job("s1", 1, &body);
    bench.record(parked(&bench, &job));
    let again = park(
        &bench.road,
        &bench.job("s1", 1, &body),
        Rank::Normal,
        "crashed-three-times",
    );
    assert!(matches!(again, Verdict::Known), "{again:?}");
    let owed = bench.store.owed(10).expect("told");
    let told: Vec<(ReceiptKind, CaseId)> = owed.iter().map(|owed| (owed.kind, owed.case)).collect();
    assert_eq!(told, [(ReceiptKind::SubmissionHeld, job.case)]);
    // Released while something else is missing, it waits on as a held one does.
    job.occasion = Occasion::Released;
    let rest = Happening::Held(Held {
        case: job.case,
        submission: job.submission,
        identity: identity_of(&letter(1, &[2]), AgencyId::from_number(1)).expect("an identity"),
        rank: Rank::Normal,
        reasons: vec![Remark::new("revocation-unknown", "x")],
        until: bench.road.now().plus_seconds(60),
    });
    bench.record(Commit::of(rest));
    assert_eq!(waiting(&bench), []);
    assert_eq!(bench.store.held(None, 10).expect("told").held.len(), 1);
}

#[test]
fn a_parked_status_that_is_released_leaves_no_case_behind() {
    let bench = Bench::new();
    let document = letter(1, &[2]);
    let sent = bench.job("s1", 1, &document.write().expect("a packet"));
    assert!(matches!(bench.take(&sent), Happening::Accepted(_)));
    let body = status(2, 1);
    let mut job = bench.job("status", 2, &body);
    bench.record(parked(&bench, &job));
    job.occasion = Occasion::Released;
    assert!(matches!(bench.take(&job), Happening::Reported(_)));
    assert_eq!(waiting(&bench), []);
    let head = bench.store.case(job.case).expect("told").expect("a case");
    assert_eq!(head.state, CaseState::Joined);
    assert_eq!(bench.case_of(&job), sent.case);
}

#[test]
fn a_person_returns_what_was_parked_once_and_its_id_is_free() {
    let bench = Bench::new();
    let job = bench.held(&letter(1, &[2]));
    let journal = Arc::clone(&bench.road.journal);
    let desk = Administration::new(journal, Arc::new(NotProvisioned), bench.road.clock.clone());
    let refuse = || bench.runtime.block_on(desk.refuse_parked(job.case));
    assert!(
        matches!(refuse(), Err(ParkingFault::NotParked(_))),
        "what is held waits for no person"
    );
    bench.record(parked(&bench, &job));
    refuse().expect("returned");
    assert!(matches!(refuse(), Err(ParkingFault::NotParked(_))));
    assert_eq!(waiting(&bench), []);
    let head = bench.store.case(job.case).expect("told").expect("a case");
    assert_eq!(head.state, CaseState::Refused);
    let document = head.identity.expect("it was read").document;
    let bearer = bench.store.bearer(AgencyId::from_number(1), &document);
    assert_eq!(bearer, Ok(None));
}

/// What an inspector comes to.
fn inspected(bench: &Bench, job: Job) -> Verdict {
    let folder = tempfile::tempdir().expect("a folder");
    let notes = Arc::new(CrashNotes::open(folder.path()).expect("a folder of notes"));
    let (inspectors, mut judged) = Inspectors::start(&bench.road, &notes, 1, 8).expect("a thread");
    bench.runtime.block_on(async {
        let place = inspectors.place(false).await.expect("the road is open");
        inspectors.hand_over(Travelling {
            job,
            deliveries: 0,
            conflicts: 0,
            urgent: false,
            handle: Box::new(FromJournal),
            place,
        });
        judged.recv().await.expect("a verdict").verdict
    })
}

#[test]
fn what_comes_long_after_its_account_was_closed_waits_for_a_person() {
    let mut bench = Bench::new();
    let id = AgencyId::from_number(1);
    let second = AccountId::parse("a1-2").expect("an account id");
    bench.change(DirectoryChange::AccountOpened {
        id,
        account: second,
        answers: Answers::Receipts,
    });
    bench.change(DirectoryChange::AccountClosed {
        id,
        account: account(1),
    });
    let body = letter(1, &[2]).write().expect("a packet");
    let first_word = |bench: &Bench, name: &str| {
        let Verdict::Record(commit) = inspected(bench, bench.job(name, 1, &body)) else {
            panic!("{name} is to be recorded")
        };
        commit.happenings[0].clone()
    };
    let happening = first_word(&bench, "s1");
    assert!(
        matches!(happening, Happening::Accepted(_)),
        "it may have lain in the intake"
    );
    bench.road.rules = Arc::new(Rules {
        closed_account_limit: Duration::ZERO,
        ..rules()
    });
    // Later than the closing by the smallest step of time.
    std::thread::sleep(Duration::from_millis(2));
    let happening = first_word(&bench, "s2");
    let Happening::Parked(parked) = happening else {
        panic!("{} although its account is closed", happening.word())
    };
    assert_eq!(parked.reason, "account-closed");
}
