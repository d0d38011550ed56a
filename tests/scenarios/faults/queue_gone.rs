//! A queue that all share is gone from the broker: everybody would wait, although the broker is there.

use harness::{
    province::{Plan, Province},
    wait_until,
};

use super::{PATIENCE, place};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shared_queue_that_is_gone_is_made_anew_and_nothing_is_lost() {
    let _place = place().await;
    let plan = Plan::new(1).exclusive().set("broker", "window", 4);
    let province = Province::start(plan).await;
    let management = province.broker().management().clone();
    for queue in ["intake.confirm", "intake.urgent"] {
        let path = format!("queues/{}/{queue}", province.vhost());
        management.delete(&path).await;
        let mut letters = Vec::new();
        for _ in 0..6 {
            let letter = province.agency(0).draft().to(province.agency(1)).letter();
            province.submit(0, &letter).await;
            letters.push(letter);
        }
        let urgent = province
            .agency(0)
            .draft()
            .to(province.agency(1))
            .urgent()
            .letter();
        province.submit(0, &urgent).await;
        for letter in letters.iter().chain([&urgent]) {
            province.take_document(1, letter).await;
        }
        wait_until("it is there again, and told to be", PATIENCE, async || {
            management.try_get(&path).await.is_ok() && province.gateway.is_ready().await
        })
        .await;
    }
    province.settle(PATIENCE).await.assert_clean();
    province.end().await;
}
