//! What the gateway holds: its entry and its notice through rotation of the log and restarts.

use domain::receipt::ReceiptKind;

use super::*;

#[test]
fn a_held_entry_outlives_the_segments_of_its_packet_and_of_its_notice() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path(), LIMITS).expect("a store");
    run(async {
        let held = receipt(64, 0, ReceiptKind::SubmissionHeld, 500);
        for record in [entered(0, 300), arrived(9, 3_900, None), held] {
            store.commit(vec![logged(record)]).await.expect("a commit");
        }
        for number in 100..=190 {
            let both = vec![
                logged(arrived(number, 700, None)),
                logged(Record::Taken {
                    dispatch: dispatch(number),
                }),
            ];
            store.commit(both).await.expect("a commit");
        }
        store.close().await;
    });
    drop(store);
    assert!(
        !folder.path().join("log/00000002.seg").exists(),
        "both segments went"
    );
    let store = Store::open(folder.path(), LIMITS).expect("a store");
    let notice = store
        .book()
        .account(&account())
        .outbox
        .answer(&submission(0))
        .cloned();
    let notice = notice.expect("the notice");
    assert_eq!(
        (notice.kind, notice.case),
        (ReceiptKind::SubmissionHeld, Some(case(0)))
    );
    let body = store.read(notice.place).expect("the notice").record.into_body();
    assert_eq!(body, vec![64; 500]);
    run(async {
        // The decision names the other submission of the case, which this folder never saw.
        let decision = receipt(129, 1, ReceiptKind::SubmissionAcceptance, 60);
        store.commit(vec![logged(decision)]).await.expect("a commit");
        store.close().await;
    });
    let mut book = store.book();
    let outbox = &mut book.account(&account()).outbox;
    assert!(!outbox.holds(&submission(0)));
    assert_eq!(
        outbox.take_answered_alike(),
        [(submission(0), ReceiptKind::SubmissionAcceptance)]
    );
}
