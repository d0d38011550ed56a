//! What is left for others to check: receipts without any of our software, and the books.

use std::{path::PathBuf, process::Stdio, time::Duration};

use domain::receipt::Receipt;
use harness::province::Province;

/// How long the last confirmations and receipts may take.
const SETTLING: Duration = Duration::from_secs(60);

/// Where the receipt lies that openssl is given.
pub(super) fn receipt_file(province: &Province) -> PathBuf {
    province.folder().join("bien-nhan.der")
}

/// Opens the final receipt of every submission under the gateway's certificate, as connectors are configured to.
pub(super) fn receipts(province: &Province) -> String {
    let submissions = province.ledger.submissions();
    let checks = |(account, id): &&(domain::ids::AccountId, domain::ids::SubmissionId)| {
        let mut agencies = province.agencies().iter();
        let agency = agencies.find(|agency| agency.account() == account.as_str());
        let connector = agency
            .expect("the ledger names agencies of the province")
            .connector();
        let answer = connector
            .answer_of(id)
            .filter(|answer| answer.kind.is_final_answer());
        answer.is_some_and(|answer| matches!(connector.receipt_of(&answer), Ok(Ok(_))))
    };
    let good = submissions.iter().filter(checks).count();
    format!("{good}/{} đúng / check", submissions.len())
}

/// Checks a receipt as an auditor would: `openssl cms -verify`, with nothing but the gateway's certificate.
pub(super) async fn openssl(province: &Province, receipt: &[u8]) -> String {
    let (file, content) = (receipt_file(province), province.folder().join("bien-nhan.json"));
    std::fs::write(&file, receipt).expect("the province's folder can be written");
    let ended = tokio::process::Command::new("openssl")
        .args(["cms", "-verify", "-inform", "DER", "-purpose", "any", "-binary"])
        .arg("-in")
        .arg(&file)
        .arg("-CAfile")
        .arg(province.gateway.certificate())
        .arg("-out")
        .arg(&content)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .expect("openssl is installed: ops/setup does it");
    let said = String::from_utf8_lossy(&ended.stderr).trim().replace('\n', " ");
    let receipt = Receipt::decode(&std::fs::read(&content).unwrap_or_default());
    let kind = receipt.map_or_else(
        |fault| fault.to_string(),
        |receipt| receipt.kind.word().to_owned(),
    );
    if ended.status.success() {
        format!("{said}, {kind}")
    } else {
        format!("{}: {said}", ended.status)
    }
}

/// How the books must stand.
pub(super) fn balanced() -> String {
    "cân / balanced, 0 mất / lost, 0 trùng / doubled".to_owned()
}

/// Everything sent is settled, everything stored was sent, nothing is there twice: expected and observed.
pub(super) async fn balance(province: &Province) -> (String, String) {
    let audit = province.settle(SETTLING).await;
    let balance = audit.balance;
    let sums = format!(
        "; {} = {} + {} + {} + {}",
        balance.received, balance.settled, balance.refused, balance.held, balance.parked
    );
    let expected = balanced() + &sums;
    let observed = match audit.faults.first() {
        None => expected.clone(),
        Some(fault) => format!("{} sai / faults: {fault}{sums}", audit.faults.len()),
    };
    (expected, observed)
}
