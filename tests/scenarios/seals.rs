//! Seals that do not hold: the document is refused, with every reason at once.

use domain::refusal::RefusalCode;
use harness::province::{Plan, Province, Seals};

use super::evidence::{balance, codes, prove, refused, send, send_in_vain};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_signer_is_refused() {
    let province = Province::start(Plan::new(1)).await;
    let draft = province.agency(0).draft().to(province.agency(1));
    let letter = draft.seals(Seals::Revoked).letter();
    let submission = province.submit(0, &letter).await;
    let receipt = refused(&province, 0, &submission).await;
    assert_eq!(codes(&receipt), [RefusalCode::SignerRevoked]);
    let values = &receipt.reasons[0].values;
    assert!(
        values.contains(&("seal".to_owned(), "1".to_owned())),
        "the first signature: {values:?}"
    );
    let audit = prove(&province, balance(0, 1)).await;
    assert_eq!(audit.packets, 0, "{audit:?}");
    province.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_changed_after_signing_is_refused_with_all_reasons_at_once() {
    let province = Province::start(Plan::new(1)).await;
    let (office, addressee) = (province.agency(0), province.agency(1));
    let taken = office.draft().to(addressee).letter();
    send(&province, 0, &taken).await;
    let broken = office.draft().to(addressee).seals(Seals::Broken).letter();
    let letter = taken.with_contents_of(&broken);
    let submission = province.submit(0, &letter).await;
    let receipt = refused(&province, 0, &submission).await;
    let invalid: Vec<&str> = receipt
        .reasons
        .iter()
        .filter(|reason| reason.code == RefusalCode::SignatureInvalid)
        .flat_map(|reason| &reason.values)
        .filter(|(name, _)| name == "seal")
        .map(|(_, seal)| seal.as_str())
        .collect();
    assert_eq!(invalid, ["1", "2"], "both signatures are named: {receipt:?}");
    assert!(
        codes(&receipt).contains(&RefusalCode::DocumentIdTaken),
        "{receipt:?}"
    );
    let words = receipt.reasons[0].text();
    assert!(
        !words.vi.contains('{') && !words.en.contains('{'),
        "all values are filled in: {words:?}"
    );
    prove(&province, balance(1, 1)).await;
    province.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seals_of_another_agency_are_refused() {
    let province = Province::start(Plan::new(2)).await;
    let draft = province.agency(0).draft().to(province.agency(1));
    let letter = draft.sealed_by(province.agency(2)).letter();
    assert_eq!(
        send_in_vain(&province, 0, &letter).await,
        [RefusalCode::SignerNotSender]
    );
    prove(&province, balance(0, 1)).await;
    province.end().await;
}

/// The directory knows the certificate as the sender's own, and its chain is good: it is a machine's all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_that_only_the_agencys_machine_signed_is_refused() {
    let province = Province::start(Plan::new(1)).await;
    let draft = province.agency(0).draft().to(province.agency(1));
    let letter = draft.seals(Seals::Device).letter();
    assert_eq!(
        send_in_vain(&province, 0, &letter).await,
        [RefusalCode::SignerNotSender]
    );
    let audit = prove(&province, balance(0, 1)).await;
    assert_eq!(audit.packets, 0, "{audit:?}");
    province.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sends_in_the_name_of_another_agency_is_refused() {
    let province = Province::start(Plan::new(2)).await;
    let letter = province.agency(2).draft().to(province.agency(1)).letter();
    assert_eq!(
        send_in_vain(&province, 0, &letter).await,
        [RefusalCode::SenderMismatch]
    );
    prove(&province, balance(0, 1)).await;
    province.end().await;
}
