//! Answers that their senders lost: given again, each to the one that it answers.

use domain::dispatch::{DispatchKind, DispatchState};
use domain::event::{Moved, ReceiptIssued};
use domain::ids::DispatchId;
use domain::receipt::ReceiptKind;

use super::*;

/// Issues the receipt for the newest event of the case, which answers this job, and has it handed over.
fn answered(bench: &Bench, case: CaseId, job: &Job, to: u32) -> Digest {
    let events = bench.store.events(case).expect("told");
    let about = events.last().expect("something happened").leaf;
    let issued = ReceiptIssued {
        case,
        kind: ReceiptKind::SubmissionAcceptance,
        about,
        receipt: Digest::of(job.submission.account.as_str().as_bytes()),
        to: AgencyId::from_number(to),
        submission: Some(job.submission.id.clone()),
        account: Some(job.submission.account.clone()),
        status_packet: None,
        rank: Rank::Normal,
    };
    let Ok(Appended::Done(recorded)) = bench.append(Commit::of(Happening::ReceiptIssued(issued))) else {
        panic!("not recorded")
    };
    let (event, letter) = (&recorded[0], DispatchKind::Receipt.letter());
    let id = DispatchId::derive(event.event.time, &event.leaf, AgencyId::from_number(to), letter);
    let dispatch = bench
        .store
        .dispatch(id)
        .expect("told")
        .expect("a dispatch")
        .dispatch;
    let moved = Moved::of(&dispatch, Some(account(to)), None);
    bench.record(Commit::step(
        Happening::HandedOver(moved),
        id,
        &[DispatchState::Due],
    ));
    about
}

#[test]
fn an_answer_goes_to_the_account_that_it_answers_whatever_others_call_theirs() {
    let bench = Bench::new();
    let body = letter(1, &[2]).write().expect("a packet");
    let sent = bench.job("57", 1, &body);
    assert!(matches!(bench.take(&sent), Happening::Accepted(_)));
    let answer = answered(&bench, sent.case, &sent, 1);
    let report = bench.job("57", 2, &status(2, 1));
    assert!(matches!(bench.take(&report), Happening::Reported(_)));
    let other = answered(&bench, sent.case, &report, 2);
    assert_ne!(answer, other);
    for (job, expected) in [
        (bench.job("57", 1, &body), answer),
        (bench.job("57", 2, &status(2, 1)), other),
    ] {
        let Happening::Repeated(repeated) = bench.take(&job) else {
            panic!("not a repeat")
        };
        assert_eq!((repeated.case, repeated.answer), (sent.case, expected));
    }
}
