//! A packet that no process survives: opening it takes more memory than the process may have.
//!
//! Nothing in the gateway is told to crash. It runs under a limit on its address space, as a service manager sets one,
//! with limits on packets that are far too generous for it, and allocation fails.

use std::io::{Read, Write};

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{ids::SubmissionId, receipt::ReceiptKind, refusal::RefusalCode, wire};
use harness::{
    province::{Decision, Plan, Province},
    wait_until,
};
use lapin::types::AMQPValue;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::Value;

use super::{PATIENCE, Stream, place, stream::Beside};
use crate::software::Software;

/// What the attachment of the poisonous packet expands to.
const EXPANDED_BYTES: u64 = 512 << 20;
/// What the process may take beyond what it has when it is ready.
const SPARE_BYTES: u64 = 192 << 20;
/// Deaths after which a packet is parked.
const CRASHES: usize = 3;
/// The agency that sends it.
const POISONER: usize = 3;
/// `abort`.
const SIGABRT: i32 = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_packet_that_crashes_the_process_is_parked_at_the_third_time_and_innocents_are_delivered() {
    let _place = place().await;
    let plan = Plan::new(3)
        .set("limits", "attachment_bytes_max", 1 << 30)
        .set("limits", "contents_bytes_max", 1 << 30)
        .set("limits", "expansion_ratio_max", 1032);
    let mut province = Province::start(plan).await;
    let mut stream = Stream::among(&province, POISONER);
    let memory = address_space_bytes(&province) + SPARE_BYTES;
    limit(&province, memory);
    stream.send(&province, 30).await;
    let bytes = poison(&province);
    let poison = province
        .submit_bytes(POISONER, bytes, domain::dispatch::Rank::Normal)
        .await;
    stream.send(&province, 30).await;
    for _ in 0..CRASHES {
        crashed(&mut province).await;
        province.gateway.start();
        limit(&province, memory);
        stream.send(&province, 30).await;
    }
    wait_until("the packet is parked", PATIENCE, async || {
        assert!(
            province.gateway.exit_status().is_none(),
            "the gateway died once more"
        );
        province.books().count("parked") > 0
    })
    .await;
    let notice = province.first_answer(POISONER, &poison).await;
    assert_eq!(
        notice.kind,
        ReceiptKind::SubmissionHeld,
        "its sender is told: {notice:?}"
    );
    assert_eq!(notice.remarks[0].code, "waits-for-a-person");
    province.collect().await;
    province.agency_mut(POISONER).close().await; // nothing of it is on its way
    let parked = Beside {
        parked: 1,
        ..Beside::default()
    };
    stream.prove_beside(&province, parked).await;
    assert_eq!(
        province
            .gateway
            .metric("gateway_events_total{event=\"parked\"}")
            .await,
        1.0
    );
    assert_eq!(
        province.gateway.metric("gateway_parked_packets").await,
        1.0,
        "an operator sees it"
    );
    let books = province.books();
    let found = books.submissions.iter().find(|((_, id), _)| *id == poison);
    let (_, entry) = found.expect("the journal holds the submission");
    assert_eq!(entry.decision, Decision::Parked);
    assert!(province.gateway.exit_status().is_none(), "the gateway stays up");
    released(&mut province, &poison).await;
    let audit = province.settle(PATIENCE).await;
    audit.assert_clean();
    let balance = audit.balance;
    assert_eq!((balance.parked, balance.refused), (0, 1), "{audit:?}");
    province.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_unopened_is_not_opened_to_tell_of_it() {
    let _place = place().await;
    let plan = Plan::new(POISONER)
        .exclusive()
        .answered_by_status_too()
        .set("limits", "attachment_bytes_max", 1 << 30)
        .set("limits", "contents_bytes_max", 1 << 30)
        .set("limits", "expansion_ratio_max", 1032);
    let mut province = Province::start(plan).await;
    let software = Software::log_in(&province, province.agency(POISONER)).await;
    province.agency_mut(POISONER).close().await; // its inbox is read here
    limit(&province, address_space_bytes(&province) + SPARE_BYTES);
    let id = SubmissionId::parse("hai-lan").expect("an id");
    let good = province.agency(POISONER).draft().to(province.agency(0)).letter();
    software.submit(&id, good.bytes()).await;
    province.take_document(0, &good).await;
    software.submit(&id, &poison(&province)).await;
    wait_until(
        "the second packet under the id is refused",
        PATIENCE,
        async || {
            assert!(province.gateway.exit_status().is_none(), "the gateway died");
            province.books().count("refused") > 0
        },
    )
    .await;
    wait_until("the refusal is told", PATIENCE, async || {
        assert!(province.gateway.exit_status().is_none(), "the gateway died");
        let told = software.take().await;
        let headers = told.and_then(|told| told.delivery.properties.headers().clone());
        let kind = headers.and_then(|headers| headers.inner().get(wire::HEADER_RECEIPT).cloned());
        let rejected = ReceiptKind::SubmissionRejection.word();
        matches!(kind, Some(AMQPValue::LongString(kind)) if kind.as_bytes() == rejected.as_bytes())
    })
    .await;
    province.end().await;
}

/// A person mends the cause (here: a limit that was far too wide), and has it judged again.
async fn released(province: &mut Province, poison: &SubmissionId) {
    province.gateway.terminate().await;
    let listed: Value = json(&province.gateway.command(&["parked", "list", "--json"]).await);
    assert_eq!(listed[0]["submission"], poison.as_str());
    assert_eq!(listed[0]["reason"], "crashed-three-times");
    let case = listed[0]["case"].as_str().expect("a case").to_owned();
    let nobody = province.gateway.try_command(&["parked", "release", &case]).await;
    assert_eq!(nobody.status.code(), Some(1), "without a gateway nobody judges");
    province.set("limits", "expansion_ratio_max", 10);
    province.gateway.start_again().await;
    province.agency_mut(POISONER).open().await;
    let stands = province
        .gateway
        .command(&["parked", "release", &case, "--json"])
        .await;
    assert_eq!(json(&stands)["state"], "refused");
    let receipt = province.answer(POISONER, poison).await;
    assert_eq!(
        receipt.reasons[0].code,
        RefusalCode::PacketUnreadable,
        "{receipt:?}"
    );
    let again = province.gateway.try_command(&["parked", "refuse", &case]).await;
    assert_eq!(again.status.code(), Some(1), "it is decided");
    let rest = province.gateway.command(&["parked", "list", "--json"]).await;
    assert_eq!(json(&rest), Value::Array(Vec::new()));
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// Waits until the process has died of its own, and reaps it.
async fn crashed(province: &mut Province) {
    use std::os::unix::process::ExitStatusExt;
    let mut ended = None;
    wait_until("the packet has crashed the process", PATIENCE, async || {
        ended = province.gateway.exit_status();
        ended.is_some()
    })
    .await;
    let status = ended.expect("just waited for");
    assert_eq!(status.signal(), Some(SIGABRT), "it ended with {status}");
    province.gateway.kill(); // forgets the dead process
}

/// A letter whose file is zipped: half a megabyte that expands to a thousand times as much.
fn poison(province: &Province) -> Vec<u8> {
    let poisoner = province.agency(POISONER);
    let letter = poisoner.draft().to(province.agency(0)).letter();
    let file = STANDARD.encode(letter.packet().attachments[0].content.bytes());
    let packet = std::str::from_utf8(letter.bytes()).expect("packets are written in UTF-8");
    assert_eq!(
        packet.matches(&file).count(),
        1,
        "the file stands in the packet once"
    );
    packet.replace(&file, &STANDARD.encode(zipped())).into_bytes()
}

fn zipped() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let name = format!("{}.pdf", uuid::Uuid::now_v7());
    zip.start_file(name, zip::write::SimpleFileOptions::default())
        .expect("a first entry");
    std::io::copy(&mut std::io::repeat(b' ').take(EXPANDED_BYTES), &mut zip).expect("memory suffices");
    zip.flush().expect("memory suffices");
    zip.finish().expect("memory suffices").into_inner()
}

fn limit(province: &Province, bytes: u64) {
    let pid = Pid::from_raw(i32::try_from(province.gateway.pid()).expect("a process id")).expect("not 0");
    let limit = Rlimit {
        current: Some(bytes),
        maximum: Some(bytes),
    };
    prlimit(Some(pid), Resource::As, limit).expect("a process may limit its children");
}

/// `VmSize` of the running gateway.
fn address_space_bytes(province: &Province) -> u64 {
    let status = format!("/proc/{}/status", province.gateway.pid());
    let text = std::fs::read_to_string(status).expect("the gateway runs");
    let line = text.lines().find_map(|line| line.strip_prefix("VmSize:"));
    let kib = line
        .and_then(|line| line.trim().strip_suffix(" kB"))
        .expect("in kB, as proc(5) says");
    1024 * kib.trim().parse::<u64>().expect("a number")
}
