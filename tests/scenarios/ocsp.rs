//! Certificates without a revocation list: their issuer's OCSP responder is asked when a document needs it.

use std::path::Path;

use domain::{receipt::ReceiptKind, refusal::RefusalCode};
use harness::{
    ocsp_server::{CertStatus, OcspServer},
    pki::{Authority, Credential, Holder, Validity, certificate_pem},
    province::{Plan, Province},
};
use jiff::Timestamp;

use super::evidence::{accepted, balance, prove, send, send_in_vain};

/// Two officials of the province office whose certificates name a responder only.
struct Officials {
    authority: Authority,
    first: Credential,
    second: Credential,
}

impl Officials {
    async fn certify(province: &Province, responder: &OcspServer) -> Officials {
        let (now, root) = (Timestamp::now(), &province.authorities.hierarchy.root);
        let lists = province.authorities.server.base();
        let mut authority = root.subordinate(
            "CA thử nghiệm trả lời OCSP",
            &lists,
            "asked",
            Validity::around(now, 2_500),
        );
        authority.crl_urls.clear();
        authority.ocsp_urls.push(responder.url());
        let office = province.agency(0);
        let person = |name| {
            let agency = office.name();
            authority.issue(Holder::Person { name, agency }, Validity::around(now, 900))
        };
        let (first, second) = (person("Người ký thứ nhất"), person("Người ký thứ hai"));
        let file = province.gateway.folder().join("asked.pem");
        for official in [&first, &second] {
            std::fs::write(&file, certificate_pem(&official.certificate)).expect("the folder can be written");
            pin(province, office.id(), &file).await;
        }
        Officials {
            authority,
            first,
            second,
        }
    }
}

async fn pin(province: &Province, agency: &str, file: &Path) {
    let file = file.to_str().expect("a UTF-8 path");
    province
        .gateway
        .command(&["agency", "pin", agency, file, "--as", "person"])
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_waits_for_a_responder_that_is_away_and_its_answer_serves_the_next() {
    let responder = OcspServer::start();
    let province = Province::start(Plan::new(1).set("trust", "need_wait_milliseconds", 200)).await;
    let officials = Officials::certify(&province, &responder).await;
    let draft = || {
        let draft = province.agency(0).draft().to(province.agency(1));
        draft.official(&officials.first)
    };
    let letter = draft().letter();
    let submission = province.submit(0, &letter).await;
    let notice = province.first_answer(0, &submission).await;
    assert_eq!(notice.kind, ReceiptKind::SubmissionHeld, "{notice:?}");
    let waits: Vec<&str> = notice.remarks.iter().map(|remark| remark.code.as_str()).collect();
    assert_eq!(waits, ["revocation-unknown"]);
    assert!(responder.requests() > 0, "it was asked in vain");

    let issued = [(&officials.first, CertStatus::Good)];
    responder.answer(&officials.authority, &issued);
    accepted(&province, 0, &submission).await;
    assert_eq!(province.take_document(1, &letter).await.bytes, letter.bytes());

    // The answer is at hand as long as it is fresh, whatever becomes of the responder.
    responder.fail();
    let asked = responder.requests();
    send(&province, 0, &draft().letter()).await;
    assert_eq!(responder.requests(), asked);
    prove(&province, balance(2, 0)).await;
    province.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signer_whom_the_responder_calls_revoked_is_refused_and_another_goes_on() {
    let responder = OcspServer::start();
    let province = Province::start(Plan::new(1)).await;
    let officials = Officials::certify(&province, &responder).await;
    let issued = [
        (&officials.first, CertStatus::Revoked),
        (&officials.second, CertStatus::Good),
    ];
    responder.answer(&officials.authority, &issued);
    let draft = |official| {
        let draft = province.agency(0).draft().to(province.agency(1));
        draft.official(official).letter()
    };
    let codes = send_in_vain(&province, 0, &draft(&officials.first)).await;
    assert_eq!(codes, [RefusalCode::SignerRevoked]);
    send(&province, 0, &draft(&officials.second)).await;
    prove(&province, balance(1, 1)).await;
    province.end().await;
}
