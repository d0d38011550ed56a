//! What is damaged on the disk while a connector runs bars nothing else. The broker is away.

use std::os::unix::fs::FileExt;
use std::path::Path;

use domain::dispatch::DispatchKind;
use futures_util::FutureExt;
use secrecy::SecretString;
use tokio::sync::broadcast::Receiver;
use trust::Time;

use super::*;
use crate::event::Event;
use crate::store::Place;
use crate::store::record::{Arrived, Due};

fn config(folder: &Path) -> Config {
    // Nobody listens there.
    let uri = "amqp://127.0.0.1:1/v".parse().expect("a URI");
    let account = domain::ids::AccountId::parse("a17").expect("an account");
    Config::new(uri, account, SecretString::from("secret"), folder.to_owned())
}

fn arrived(number: u8) -> Arrived {
    Arrived {
        dispatch: DispatchId::from_bytes([number; 16]),
        at: Time::from_seconds(1),
        kind: DispatchKind::Packet,
        case: None,
        sender: None,
        document: None,
        receipt: None,
        submission: None,
        due: Due::Nothing,
        body: vec![number; 100],
    }
}

fn flip(folder: &Path, place: Place) {
    let path = folder.join(format!("log/{:08}.seg", place.segment));
    let file = std::fs::File::options()
        .write(true)
        .open(path)
        .expect("a segment");
    file.write_all_at(b"flip", place.offset + 30).expect("written");
}

fn next(events: &mut Receiver<Event>) -> Event {
    events.try_recv().expect("it is told")
}

#[tokio::test]
async fn a_damaged_dispatch_is_set_aside_and_the_one_after_it_comes() {
    let folder = tempfile::tempdir().expect("a folder");
    let connector = Connector::open(config(folder.path())).await.expect("a connector");
    let records = [1, 2].map(|number| connector.account.logged(Record::Arrived(arrived(number))));
    connector
        .account
        .store
        .commit(records.to_vec())
        .await
        .expect("stored");
    let [first, second] = [1, 2].map(|number| DispatchId::from_bytes([number; 16]));
    let place = |book: &mut AccountBook| book.inbox.get(&first).expect("stored").1;
    flip(folder.path(), connector.account.book(place));
    let mut events = connector.events();
    let received = connector.try_next_received().expect("the folder is well");
    assert_eq!(received.map(|one| one.about.dispatch), Some(second));
    let Event::DamagedIncoming { dispatch, file, .. } = next(&mut events) else {
        panic!("it is told that one is damaged")
    };
    assert_eq!(dispatch, first);
    assert!(std::fs::read(file).expect("set aside").len() > 100);
    assert_eq!(connector.counters().damaged, 1);
    let knows = |id| connector.account.book(|book| book.inbox.knows(&id));
    assert!(
        !knows(first) && knows(second),
        "the first is stored when it comes again"
    );
    connector.close().await;
}

#[tokio::test]
async fn a_damaged_submission_is_set_aside_and_may_be_sent_again_under_its_id() {
    let folder = tempfile::tempdir().expect("a folder");
    let connector = Connector::open(config(folder.path())).await.expect("a connector");
    let id = SubmissionId::parse("s1").expect("an id");
    let submission = Submission {
        bytes: vec![7; 100],
        rank: Rank::Normal,
    };
    let submit = async || connector.submit_as(id.clone(), submission.clone()).await;
    submit().await.expect("taken");
    let place = connector
        .account
        .book(|book| book.outbox.place(&id))
        .expect("kept");
    flip(folder.path(), place);
    let mut events = connector.events();
    submit().await.expect("taken again");
    let told = next(&mut events);
    assert!(
        matches!(&told, Event::DamagedOutgoing { submission, .. } if *submission == id),
        "{told:?}"
    );
    let body = connector
        .account
        .read(|book| book.outbox.place(&id))
        .expect("readable");
    assert_eq!(body.map(Record::into_body), Some(submission.bytes.clone()));
    assert_eq!(connector.outbox_len(), 1);
    connector.close().await;
}

#[tokio::test]
async fn an_arrival_that_cannot_be_read_back_keeps_no_other_from_being_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let agency = crate::config::Agency {
        code: domain::ids::Code::parse("000.00.02.H53").expect("a code"),
        name: "Sở Tài chính".to_owned(),
        place: String::new(),
        department: None,
    };
    let config = Config {
        agency: Some(agency),
        ..config(folder.path())
    };
    let connector = Connector::open(config).await.expect("a connector");
    let record = |number| {
        let arrived = Arrived {
            due: Due::Arrival,
            ..arrived(number)
        };
        connector.account.logged(Record::Arrived(arrived))
    };
    let records = vec![record(1), record(2)];
    connector.account.store.commit(records).await.expect("stored");
    let first = DispatchId::from_bytes([1; 16]);
    let place = |book: &mut AccountBook| book.inbox.get(&first).expect("stored").1;
    flip(folder.path(), connector.account.book(place));
    report::arrivals(&connector.account)
        .await
        .expect("no fault of the folder");
    assert_eq!(connector.account.book(|book| book.inbox.arrivals_due()), []);
    assert_eq!((connector.counters().damaged, connector.inbox_len()), (1, 1));
    connector.close().await;
}

#[tokio::test]
async fn of_two_packets_that_come_under_one_id_at_once_one_is_kept_and_the_other_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let connector = Connector::open(config(folder.path())).await.expect("a connector");
    let id = SubmissionId::parse("x").expect("an id");
    let submit = |bytes: &[u8]| {
        let (bytes, rank) = (bytes.to_vec(), Rank::Normal);
        connector.submit_as(id.clone(), Submission { bytes, rank })
    };
    let (first, again, other) = tokio::join!(submit(b"one"), submit(b"one"), submit(b"another"));
    first.expect("kept");
    again.expect("the same is there already");
    assert!(matches!(other, Err(SubmitFault::IdReused(reused)) if reused == id));
    assert_eq!(connector.counters().submitted, 1);
    let kept = connector
        .account
        .fetch(Matter::Submission(id.clone()), |book| book.outbox.place(&id));
    assert_eq!(
        kept.expect("read").map(|kept| kept.into_body()),
        Some(b"one".to_vec())
    );
    connector.close().await;
}

#[tokio::test]
async fn an_id_stays_claimed_until_it_is_known_what_became_of_it_though_nobody_waits() {
    let folder = tempfile::tempdir().expect("a folder");
    let connector = Connector::open(config(folder.path())).await.expect("a connector");
    let submit = |name: &str, bytes: &[u8]| {
        let id = SubmissionId::parse(name).expect("an id");
        let (bytes, rank) = (bytes.to_vec(), Rank::Normal);
        connector.submit_as(id, Submission { bytes, rank })
    };
    submit("first", b"so that the next commit is not written at once")
        .await
        .expect("kept");
    let dropped = submit("x", b"one").now_or_never();
    assert!(dropped.is_none(), "it is on its way to the disk");
    let other = submit("x", b"another").await;
    assert!(matches!(other, Err(SubmitFault::IdReused(_))));
    submit("x", b"one").await.expect("it was kept all the same");
    connector.close().await;
}
