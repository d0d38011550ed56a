//! A packet reaches every addressee, and evidence of each step reaches its sender.

use std::{path::Path, process::Command, time::Duration};

use domain::{event::Happening, receipt::ReceiptKind};
use harness::{
    province::{Books, Draft, Letter, Plan, Province, Seals},
    wait_until,
};
use serde_json::Value;
use trust::Digest;

use super::evidence::{PATIENCE, balance, prove, receipts, send};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_packet_reaches_every_addressee_and_its_sender_holds_evidence_that_openssl_verifies() {
    let province = Province::start(Plan::new(3)).await;
    let office = province.agency(0);
    let draft = office.draft().to(province.agency(1)).to(province.agency(2));
    let letter = draft.to(province.agency(3)).letter();
    let submission = province.submit(0, &letter).await;

    let acceptance = province.answer(0, &submission).await;
    assert_eq!(acceptance.kind, ReceiptKind::SubmissionAcceptance);
    assert_eq!(acceptance.submission.as_deref(), Some(submission.as_str()));
    assert_eq!(acceptance.document.as_deref(), Some(letter.document_id()));
    assert_eq!(acceptance.packet, Some(letter.packet_digest()));
    let told: Vec<(&str, &str)> = acceptance
        .addressees
        .iter()
        .map(|one| (one.code.as_str(), one.result.as_str()))
        .collect();
    let codes = [1, 2, 3].map(|place| province.agency(place).code());
    assert_eq!(told, codes.map(|code| (code, "accepted")));

    for place in [1, 2, 3] {
        let received = province.take_document(place, &letter).await;
        assert_eq!(
            received.bytes,
            letter.bytes(),
            "the bytes are those that were sent"
        );
        assert_eq!(received.about.sender.as_deref(), Some(office.code()));
    }
    let handovers = receipts(&province, 0, 3, ReceiptKind::ContentHandover).await;
    let mut handed_over: Vec<(&str, &str)> = handovers
        .iter()
        .flat_map(|one| &one.addressees)
        .map(|one| (one.code.as_str(), one.result.as_str()))
        .collect();
    handed_over.sort_unstable();
    assert_eq!(handed_over, codes.map(|code| (code, "handed-over")));
    for handover in &handovers {
        assert_eq!(handover.packet, Some(letter.packet_digest()));
        assert!(handover.dispatch.is_some(), "{handover:?}");
    }

    let audit = prove(&province, balance(1, 0)).await;
    assert_eq!((audit.packets, audit.statuses), (3, 0), "{audit:?}");
    assert_eq!(
        audit.receipts, 4,
        "one acceptance and a handover for each addressee: {audit:?}"
    );

    let answer = office
        .connector()
        .answer_of(&submission)
        .expect("it was answered");
    let der = office.connector().receipt_bytes(&answer).expect("it is kept");
    let content = openssl_verify(&der, &province.gateway.certificate());
    check_content(&content, &province.books(), &submission.to_string());
    province.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connector_that_tells_of_many_dispatches_at_once_keeps_nothing_back() {
    /// More than an inbox takes at a time.
    const LETTERS: u64 = 149;
    let mut province = Province::start(Plan::new(4)).await;
    // The delay never ends: what goes on does so because half of the prefetch is full.
    for (place, prefetch) in [(1, 1), (2, 2), (3, 6), (4, 100)] {
        let agency = province.agency_mut(place);
        agency.close().await;
        let mut settings = agency.settings();
        settings.limits.prefetch = prefetch;
        settings.limits.confirm_delay = Duration::from_secs(86_400);
        agency.open_as(settings).await;
    }
    let signed = province.agency(0).draft().to(province.agency(1)).letter();
    let letter = || {
        let addressees = province.agencies()[1..].iter();
        let draft = province.agency(0).draft().seals(Seals::None);
        let draft = addressees.fold(draft, Draft::to);
        draft.letter().with_contents_of(&signed)
    };
    let letters: Vec<Letter> = (0..LETTERS).map(|_| letter()).collect();
    province.submit_many(0, &letters).await;
    let stored = |place: usize| {
        let counters = province.agency(place).connector().counters();
        (counters.stored_packets, counters.repeats)
    };
    for place in 1..=4 {
        wait_until("all are stored", PATIENCE, async || stored(place) == (LETTERS, 0)).await;
    }
    province.collect().await;
    // Closing tells both the broker and the gateway: all is handed over, and nothing comes again.
    for place in 1..=4 {
        province.agency_mut(place).close().await;
    }
    let count = usize::try_from(LETTERS).expect("few");
    prove(&province, balance(count, 0)).await;
    for place in 1..=4 {
        province.agency_mut(place).open().await;
        let letter = province.agency(0).draft().to(province.agency(place)).letter();
        send(&province, 0, &letter).await;
        province.take_document(place, &letter).await;
        let stored = || {
            let counters = province.agency(place).connector().counters();
            (counters.stored_packets, counters.repeats)
        };
        wait_until("the next one is stored, alone", PATIENCE, async || {
            stored() == (1, 0)
        })
        .await;
    }
    prove(&province, balance(count + 4, 0)).await;
    province.end().await;
}

/// What `openssl cms -verify` gives for a receipt under this certificate; the very command of the manual.
fn openssl_verify(receipt: &[u8], certificate: &Path) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let (signed, content) = (
        folder.path().join("receipt.p7m"),
        folder.path().join("receipt.json"),
    );
    std::fs::write(&signed, receipt).expect("the folder can be written");
    let verified = Command::new("openssl")
        .args(["cms", "-verify", "-binary", "-inform", "DER", "-in"])
        .arg(&signed)
        .arg("-CAfile")
        .arg(certificate)
        .arg("-out")
        .arg(&content)
        .output()
        .expect("openssl is installed: run ops/setup");
    let said = String::from_utf8_lossy(&verified.stderr);
    assert!(verified.status.success(), "openssl: {said}");
    let content = std::fs::read(&content).expect("openssl wrote it");
    serde_json::from_slice(&content).expect("the content of a receipt is JSON")
}

/// A receipt names its format, the leaf of its event, and an earlier place of the very journal that holds the event.
fn check_content(content: &Value, books: &Books, submission: &str) {
    assert_eq!(content["format"], 1, "{content}");
    assert_eq!(content["kind"], "SubmissionAcceptance");
    assert_eq!(content["submission"], submission);
    let is_it = |happening: &Happening| matches!(happening, Happening::Accepted(it) if it.submission.id.as_str() == submission);
    let event = books
        .events
        .iter()
        .find(|recorded| is_it(&recorded.event.happening));
    let event = event.expect("the acceptance is in the journal");
    assert_eq!(content["leaf"], event.leaf.to_string());
    let size = content["checkpoint"]["size"]
        .as_u64()
        .expect("a checkpoint has a size");
    assert!(
        size > 0 && size < event.position,
        "{size} is before {}",
        event.position
    );
    let places = usize::try_from(size).expect("a small journal");
    let chain = books
        .events
        .iter()
        .take(places)
        .fold(Digest::from_bytes([0; 32]), |chain, recorded| {
            Digest::of(&[chain.as_bytes().as_slice(), recorded.leaf.as_bytes()].concat())
        });
    assert_eq!(content["checkpoint"]["root"], chain.to_string());
}
