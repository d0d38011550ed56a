//! Urgent packets overtake normal ones wherever those wait.

use connector::Received;
use domain::dispatch::DispatchKind;
use harness::{
    province::{Plan, Province, Seals},
    wait_until,
};

use super::evidence::{PATIENCE, balance, prove};

/// Letters without urgency that lie before the urgent ones.
const NORMAL: usize = 400;
const URGENT: usize = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn urgent_packets_overtake_a_backlog() {
    let mut province = Province::start(Plan::new(1)).await;
    // A gateway that is down leaves the backlog in the intake.
    province.gateway.terminate().await;
    let (office, addressee) = (province.agency(0), province.agency(1));
    let signed = office.draft().to(addressee).letter();
    let draft = || office.draft().to(addressee).seals(Seals::None);
    let normal: Vec<_> = (0..NORMAL)
        .map(|_| draft().letter().with_contents_of(&signed))
        .collect();
    province.submit_many(0, &normal).await;
    published(&province, NORMAL).await;
    let urgent: Vec<_> = (0..URGENT)
        .map(|_| draft().urgent().letter().with_contents_of(&signed))
        .collect();
    province.submit_many(0, &urgent).await;
    published(&province, NORMAL + URGENT).await;

    province.gateway.start_again().await;
    let is_packet = |received: &Received| received.about.kind == DispatchKind::Packet;
    let arrived = province.take(1, (NORMAL + URGENT, "letters"), is_packet).await;
    let ids: Vec<&str> = urgent.iter().map(|letter| letter.document_id()).collect();
    let places: Vec<usize> = arrived
        .iter()
        .enumerate()
        .filter(|(_, received)| {
            received
                .about
                .document
                .as_deref()
                .is_some_and(|id| ids.contains(&id))
        })
        .map(|(place, _)| place)
        .collect();
    assert_eq!(places.len(), URGENT);
    assert!(
        places.iter().all(|place| *place < NORMAL / 2),
        "behind all others in the intake, before most of them at the addressee: {places:?}"
    );
    let audit = prove(&province, balance(NORMAL + URGENT, 0)).await;
    assert_eq!(audit.packets, NORMAL + URGENT, "{audit:?}");
    province.end().await;
}

async fn published(province: &Province, count: usize) {
    let connector = province.agency(0).connector();
    wait_until("the broker has the submissions", PATIENCE, async || {
        connector.counters().published >= count as u64
    })
    .await;
}
