//! Software that only knows edXML hears of a refusal as a status packet 02 of the gateway's own code.

use domain::{
    packet::{Limits, Packet, StatusCode},
    refusal::RefusalCode,
};
use harness::province::{GATEWAY_CODE, Plan, Province, Seals};

use super::evidence::{PATIENCE, balance, codes, prove, refused, send, status};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_also_written_as_a_status_packet_of_the_gateways_own_code() {
    let province = Province::start(Plan::new(1).answered_by_status_too()).await;
    let (office, addressee) = (province.agency(0), province.agency(1));
    let letter = office.draft().to(addressee).seals(Seals::Revoked).letter();
    let id = province.submit(0, &letter).await;
    let receipt = refused(&province, 0, &id).await;
    assert_eq!(codes(&receipt), [RefusalCode::SignerRevoked]);
    let (bytes, code, from) = status(&province, 0).await;
    assert_eq!((code, from.as_str()), (StatusCode::Refused, GATEWAY_CODE));
    let Ok(Packet::Status(packet)) = Packet::open(&bytes, &Limits::default()) else {
        panic!("a status packet");
    };
    assert_eq!(packet.completeness(), []);
    assert_eq!(packet.response_for.organ_id, office.code());
    assert_eq!(packet.response_for.document_id, letter.document_id());
    let said = packet.description.expect("the reasons");
    assert!(said.contains("SIGNER_REVOKED"), "{said}");

    // Who lost the answer gets the same one again, in both forms.
    province.settle(PATIENCE).await.assert_clean();
    office.connector().ask_again(&id);
    let again = connector::Submission {
        bytes: letter.bytes().to_vec(),
        rank: letter.rank(),
    };
    let submitted = office.connector().submit_as(id.clone(), again).await;
    submitted.expect("taken");
    assert_eq!(refused(&province, 0, &id).await, receipt);
    assert_eq!(status(&province, 0).await.0, bytes);

    // What is accepted and handed over is told by receipts only: the gateway writes no other status for anybody.
    let good = office.draft().to(addressee).letter();
    send(&province, 0, &good).await;
    province.take_document(1, &good).await;
    // The refused one counts as a repeat in the end.
    let audit = prove(&province, balance(2, 0)).await;
    assert_eq!((audit.packets, audit.statuses), (1, 2), "{audit:?}");
    province.end().await;
}
