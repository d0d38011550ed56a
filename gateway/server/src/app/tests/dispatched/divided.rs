//! An agency that was split: its inbox fell to one part, and the other one gets nothing out of it.

use domain::event::Moved;

use super::*;

fn hand_over(bench: &Bench, case: CaseId, to: u32) {
    let head = bench
        .store
        .addressed(case, AgencyId::from_number(to))
        .expect("told");
    let head = head.expect("an addressee");
    let moved = Moved::of(&head.dispatch, head.consigned_to, None);
    bench.record(Commit::of(Happening::HandedOver(moved)));
}

fn state(bench: &Bench, case: CaseId, to: u32) -> Option<DispatchState> {
    let head = bench
        .store
        .addressed(case, AgencyId::from_number(to))
        .expect("told");
    head.map(|head| head.state)
}

#[test]
fn a_recall_to_the_other_part_takes_nothing_out_of_the_inbox_of_the_heir() {
    let (mut bench, inboxes) = set_up();
    bench.road.rules = Arc::new(Rules {
        window: 1,
        window_urgent: 0,
        retry_after: Duration::from_millis(100),
        ..(*bench.road.rules).clone()
    });
    // What fills the inbox of the heir.
    let mut before = letter(1, &[3]);
    before.document_id = "1/KH".to_owned();
    let (first, _) = accepted(&bench, "s1", &before);
    let packet = letter(1, &[2, 4]);
    let (sent, _) = accepted(&bench, "s2", &packet);
    live(&mut bench, "all lie in their inboxes", |bench| {
        states(bench, first.case) == [DispatchState::Consigned]
            && states(bench, sent.case) == [DispatchState::Consigned; 2]
    });
    hand_over(&bench, sent.case, 4);
    bench.change(DirectoryChange::Split {
        from: AgencyId::from_number(2),
        into: [3, 4].map(AgencyId::from_number).to_vec(),
    });
    live(
        &mut bench,
        "it is taken back, and the heir has no room",
        |bench| state(bench, sent.case, 2) == Some(DispatchState::Due),
    );
    let (recall, _) = accepted(&bench, "s3", &recall_of(&packet));
    live(
        &mut bench,
        "the recall lies in the inbox of the other part",
        |bench| state(bench, recall.case, 4) == Some(DispatchState::Consigned),
    );
    assert_eq!(
        state(&bench, sent.case, 2),
        Some(DispatchState::Due),
        "the heir has no room"
    );
    hand_over(&bench, first.case, 3);
    live(&mut bench, "the heir gets what lay in the inbox", |bench| {
        state(bench, sent.case, 2) == Some(DispatchState::Consigned)
    });
    hand_over(&bench, sent.case, 2);
    live(&mut bench, "and its recall behind it", |bench| {
        state(bench, recall.case, 3) == Some(DispatchState::Consigned)
    });
    let into = inboxes.into.lock().expect("nobody panicked");
    let into = |case| {
        let of_case = into.iter().filter(move |(other, _)| *other == case);
        let mut accounts: Vec<_> = of_case.map(|(_, account)| account.clone()).collect();
        accounts.sort();
        accounts
    };
    assert_eq!(into(sent.case), [2, 3, 4].map(account), "each once");
    assert_eq!(into(recall.case), [3, 4].map(account));
}
