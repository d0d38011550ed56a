//! The broker dies by `kill -9` while documents stream through it, and comes back with its disk.

use harness::{
    province::{Plan, Province},
    wait_until,
};

use super::{PATIENCE, Stream, place};

/// Deaths of the broker.
const ROUNDS: usize = 3;
/// Letters in each.
const LETTERS: usize = 240;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_killed_and_restarted_mid_stream_loses_and_doubles_nothing() {
    let _place = place().await;
    let mut province = Province::start(Plan::new(3).exclusive()).await;
    let mut stream = Stream::new(&province);
    // A queue declared seconds before `kill -9` would lose its registration: RabbitMQ's matter, not ours.
    province.broker().queues_registered().await;
    let mut caught = 0;
    for round in 1..=ROUNDS {
        let before = province.books().count("handed-over");
        stream.send(&province, LETTERS).await;
        wait_until("part of the stream has passed", PATIENCE, async || {
            province.books().count("handed-over") > before + LETTERS / 4 * round
        })
        .await;
        province.broker_mut().kill();
        let balance = province.books().balance();
        caught += stream.sent() - balance.settled;
        // Agencies go on while nobody can be reached.
        stream.send(&province, LETTERS / 4).await;
        province.broker_mut().start_again().await;
    }
    let audit = stream.prove(&province).await;
    assert!(
        caught > LETTERS / 4,
        "too little was on the road when the broker died: {caught}; {audit:?}"
    );
    assert_eq!(
        province.books().count("broker-lost"),
        0,
        "the broker kept its disk"
    );
    province.end().await;
}
