//! The broker loses its disk: queues, accounts, permissions and everything in them.

use std::time::Duration;

use domain::dispatch::{DispatchKind, DispatchState};
use harness::{
    offspring::Signal,
    province::{Plan, Province},
    wait_until,
};

use super::{PATIENCE, Stream, place, stream::open_with};

/// Unanswered submissions are sent again after this.
const UNANSWERED: Duration = Duration::from_secs(8);
/// Letters of one kind of loss.
const LETTERS: usize = 90;
/// The agency that is away.
const AWAY: usize = 3;
/// What the broker hands the gateway of one intake before an acknowledgement. The socket of a gateway that stands still
/// takes that much, and no loss of the broker takes it back.
const PREFETCH: usize = 4;

/// Lost are: inboxes with consigned documents of an agency that is away, submissions that the broker had confirmed and
/// the gateway not seen, and everything in between.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_lost_its_disk_is_set_up_and_filled_again_from_the_journal() {
    let _place = place().await;
    let plan = Plan::new(3).exclusive();
    let mut province = Province::start(plan.set("broker", "prefetch_count", PREFETCH)).await;
    open_with(&mut province, |settings| {
        settings.limits.answer_timeout = UNANSWERED
    })
    .await;
    let mut stream = Stream::new(&province);
    lose_while_the_gateway_runs(&mut province, &mut stream).await;
    lose_while_the_gateway_is_down(&mut province, &mut stream).await;
    stream.prove(&province).await;
    assert_eq!(province.books().count("broker-lost"), 2);
    province.end().await;
}

async fn lose_while_the_gateway_runs(province: &mut Province, stream: &mut Stream) {
    province.agency_mut(AWAY).close().await;
    let letters: Vec<_> = (0..LETTERS / 2)
        .map(|_| stream.letter(province, 0, AWAY))
        .collect();
    stream.submit(province, 0, &letters).await;
    wait_until(
        "the inbox of the agency that is away is filled",
        PATIENCE,
        async || consigned_packets(province) >= LETTERS / 2,
    )
    .await;
    // A gateway that stands still leaves in the intake what the broker has confirmed.
    province.gateway.signal(Signal::STOP);
    let published = published(province);
    stream.send(province, LETTERS).await;
    wait_until("the broker has confirmed submissions", PATIENCE, async || {
        self::published(province) >= published + LETTERS as u64
    })
    .await;
    province.broker_mut().wipe().await;
    province.gateway.signal(Signal::CONT);
    wait_until("the loss is in the journal", PATIENCE, async || {
        province.books().count("broker-lost") >= 1
    })
    .await;
    let mut settings = province.agency(AWAY).settings();
    settings.limits.answer_timeout = UNANSWERED;
    province.agency_mut(AWAY).open_as(settings).await;
    let audit = province.settle(PATIENCE).await;
    audit.assert_clean();
    let resubmitted: u64 = counters(province).map(|counters| counters.resubmitted).sum();
    let handed_over = PREFETCH * province.agencies().len();
    assert!(
        resubmitted >= (LETTERS - handed_over) as u64,
        "only {resubmitted} submissions were sent again"
    );
}

async fn lose_while_the_gateway_is_down(province: &mut Province, stream: &mut Stream) {
    stream.send(province, LETTERS).await;
    wait_until("some of the stream is accepted", PATIENCE, async || {
        province.books().count("accepted") > stream.sent() - LETTERS / 2
    })
    .await;
    province.gateway.kill();
    let on_the_road = stream.sent() - province.books().balance().settled;
    assert!(on_the_road > 0, "the gateway died too late");
    province.broker_mut().wipe().await;
    province.gateway.start_again().await;
    wait_until("the second loss is in the journal", PATIENCE, async || {
        province.books().count("broker-lost") >= 2
    })
    .await;
}

fn consigned_packets(province: &Province) -> usize {
    let is_it = |sent: &&harness::province::Sent| {
        sent.state == DispatchState::Consigned && sent.dispatch.kind == DispatchKind::Packet
    };
    province.books().dispatches.values().filter(is_it).count()
}

fn counters(province: &Province) -> impl Iterator<Item = connector::Counters> {
    province
        .agencies()
        .iter()
        .filter_map(|agency| Some(agency.try_connector()?.counters()))
}

fn published(province: &Province) -> u64 {
    counters(province).map(|counters| counters.published).sum()
}
