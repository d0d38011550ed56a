//! Addressees that cannot receive are reported; the others receive.

use domain::refusal::{Refusal, RefusalCode, Sayable};
use harness::province::{Plan, Province};

use super::evidence::{balance, prove, refused, send};

const UNKNOWN: &str = "000.99.99.H53";
const WITHOUT_ACCOUNT: &str = "000.88.88.H53";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_a_suspended_and_an_unreachable_addressee_are_reported_while_the_others_receive() {
    let mut province = Province::start(Plan::new(3).exclusive()).await;
    let add = [
        "agency",
        "add",
        "--name",
        "Phòng chưa nối mạng",
        "--code",
        WITHOUT_ACCOUNT,
        "--no-account",
    ];
    province.gateway.command(&add).await;
    province.agency_mut(2).close().await;
    let suspended = province.agency(2).code().to_owned();
    province.gateway.command(&["agency", "suspend", &suspended]).await;

    let office = province.agency(0);
    let draft = office
        .draft()
        .to(province.agency(1))
        .to_code(UNKNOWN)
        .to(province.agency(2));
    let letter = draft.to_code(WITHOUT_ACCOUNT).to(province.agency(3)).letter();
    let receipt = send(&province, 0, &letter).await;
    let mut told: Vec<(&str, &str)> = receipt
        .addressees
        .iter()
        .map(|one| (one.code.as_str(), one.result.as_str()))
        .collect();
    told.sort_unstable();
    let mut expected = [
        (province.agency(1).code(), "accepted"),
        (province.agency(3).code(), "accepted"),
        (suspended.as_str(), "suspended"),
        (UNKNOWN, "unknown"),
        (WITHOUT_ACCOUNT, "unreachable"),
    ];
    expected.sort_unstable();
    assert_eq!(told, expected);
    for place in [1, 3] {
        assert_eq!(province.take_document(place, &letter).await.bytes, letter.bytes());
    }

    let nobody = office
        .draft()
        .to_code(UNKNOWN)
        .to(province.agency(2))
        .to_code(WITHOUT_ACCOUNT)
        .letter();
    let submission = province.submit(0, &nobody).await;
    let reasons = refused(&province, 0, &submission).await.reasons;
    let each = [
        (RefusalCode::AddresseeUnknown, UNKNOWN),
        (RefusalCode::AddresseeSuspended, &suspended),
        (RefusalCode::AddresseeUnreachable, WITHOUT_ACCOUNT),
    ];
    let each = each.map(|(reason, code)| Refusal::new(reason).with("code", Sayable::written(code)));
    assert_eq!(reasons, each);

    // Who takes part again gets it as a further addressee.
    province.gateway.command(&["agency", "resume", &suspended]).await;
    province.agency_mut(2).open().await;
    send(&province, 0, &letter.rebuilt()).await;
    province.take_document(2, &letter).await;
    let audit = prove(&province, balance(2, 1)).await;
    assert_eq!(audit.packets, 3, "{audit:?}");
    province.end().await;
}
