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
    let (office, addressee) = (province.agency(0), province.agency(1));
    let management = province.broker().management().clone();
    let mut packets = 0;
    for queue in ["intake.confirm", "intake.urgent"] {
        let path = format!("queues/{}/{queue}", province.vhost());
        management.delete(&path).await;
        for _ in 0..6 {
            province.submit(0, &office.draft().to(addressee).letter()).await;
        }
        let urgent = office.draft().to(addressee).urgent().letter();
        province.submit(0, &urgent).await;
        let audit = province.settle(PATIENCE).await;
        audit.assert_clean();
        packets += 7;
        assert_eq!(audit.packets, packets, "{audit:?}");
        wait_until("it is there again, and told to be", PATIENCE, async || {
            management.try_get(&path).await.is_ok() && province.gateway.is_ready().await
        })
        .await;
    }
    province.end().await;
}
