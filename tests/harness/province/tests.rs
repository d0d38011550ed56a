//! A province, tried by the shortest way through it.

use std::time::Duration;

use domain::{
    dispatch::DispatchKind,
    ids::SubmissionId,
    packet::{Limits, Packet},
    receipt::ReceiptKind,
};

use super::*;

#[tokio::test]
async fn a_letter_travels_and_the_books_balance() {
    let province = Province::start(Plan::new(2)).await;
    let letter = province
        .agency(0)
        .draft()
        .to(province.agency(1))
        .to(province.agency(2))
        .letter();
    let submission = province.submit(0, &letter).await;
    let receipt = province.answer(0, &submission).await;
    assert_eq!(receipt.kind, ReceiptKind::SubmissionAcceptance, "{receipt:?}");
    assert_eq!(receipt.packet, Some(letter.packet_digest()));
    for place in [1, 2] {
        let received = province.take_document(place, &letter).await;
        assert_eq!(received.bytes, letter.bytes());
    }
    let audit = province.settle(Duration::from_secs(60)).await;
    audit.assert_clean();
    assert_eq!((audit.sent, audit.packets), (1, 2), "{audit:?}");
    an_oracle_that_complains(&province, letter.bytes()).await;
    province.end().await;
}

/// What must never happen, entered by hand into a ledger that was clean.
async fn an_oracle_that_complains(province: &Province, letter: &[u8]) {
    let books = province.books();
    let mut packets = books
        .dispatches
        .values()
        .filter(|sent| sent.dispatch.kind == DispatchKind::Packet);
    let packet = packets.next().expect("the letter was dispatched");
    let account = packet.account.as_ref().expect("it was handed over").as_str();
    let complaints = async || province.audit().await.faults.join("\n");

    let place = (packet.dispatch.id, DispatchKind::Packet);
    province.ledger.stored_as(account, place, b"other bytes");
    let told = complaints().await;
    assert!(
        told.contains("that nobody sent") && told.contains("other bytes than those"),
        "{told}"
    );
    assert!(told.contains("was stored twice"), "{told}");
    let stranger = province.agency(0).account();
    province.ledger.stored_as(stranger, place, letter);
    let told = complaints().await;
    assert!(told.contains("which was not for them"), "{told}");
    let lost = SubmissionId::parse("0-lost").expect("an id");
    province.ledger.sent(account, &lost, b"lost bytes");
    let told = complaints().await;
    assert!(
        told.contains("0-lost") && told.contains("not in the journal"),
        "{told}"
    );
}

#[tokio::test]
async fn a_rebuilt_letter_has_other_bytes_and_the_same_contents() {
    let authorities = Authorities::new(Timestamp::now());
    let plan = AgencyPlan::numbered(1);
    let folder = tempfile::tempdir().expect("a folder");
    let access = agency::Access {
        uri: "amqp://127.0.0.1:5672/none".to_owned(),
        account: "a1-1",
        password: "none",
        certificate: Path::new("none.pem"),
    };
    let credentials = agency::Credentials::issue(&plan, &authorities);
    let agency = Agency::new(plan, "a1", folder.path(), &access, credentials);
    let letter = agency.draft().to_code("000.00.02.H53").letter();
    let again = letter.rebuilt();
    let other = agency.draft().to_code("000.00.02.H53").letter();
    assert_ne!(letter.packet_digest(), again.packet_digest());
    assert_eq!(letter.contents_digest(), again.contents_digest());
    let opened = Packet::open(again.bytes(), &Limits::default()).expect("it can be read");
    let Packet::Document(opened) = opened else {
        panic!("a document")
    };
    assert_eq!(opened.contents_digest(), letter.contents_digest());
    assert_ne!(
        letter.with_contents_of(&other).contents_digest(),
        letter.contents_digest()
    );
    assert_eq!(
        letter.with_contents_of(&other).document_id(),
        letter.document_id()
    );
}
