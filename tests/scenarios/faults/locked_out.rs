//! Rights that were taken away stay away, whatever becomes of the broker.

use harness::{
    province::{Plan, Province},
    wait_until,
};
use lapin::{Connection, ConnectionProperties};

use super::{PATIENCE, place};

/// The agency that is suspended.
const SUSPENDED: usize = 1;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspended_agency_stays_out_of_a_broker_that_was_set_up_anew() {
    let _place = place().await;
    let mut province = Province::start(Plan::new(1).exclusive()).await;
    let letter = province.agency(0).draft().to(province.agency(SUSPENDED)).letter();
    province.agency_mut(SUSPENDED).close().await;
    let code = province.agency(SUSPENDED).code().to_owned();
    assert!(may_log_in(&province, SUSPENDED).await);
    province.gateway.command(&["agency", "suspend", &code]).await;
    assert!(!may_log_in(&province, SUSPENDED).await, "suspended");

    province.broker_mut().wipe().await;
    wait_until("the broker is set up anew", PATIENCE, async || {
        may_log_in(&province, 0).await
    })
    .await;
    wait_until("the loss is in the journal", PATIENCE, async || {
        province.books().count("broker-lost") == 1
    })
    .await;
    province.gateway.command(&["broker", "provision"]).await;
    assert!(!may_log_in(&province, SUSPENDED).await, "still suspended");

    province.gateway.command(&["agency", "resume", &code]).await;
    wait_until("the agency may log in again", PATIENCE, async || {
        may_log_in(&province, SUSPENDED).await
    })
    .await;
    province.agency_mut(SUSPENDED).open().await;
    province.submit(0, &letter).await;
    province.settle(PATIENCE).await.assert_clean();
    province.end().await;
}

/// Whether an agency's password opens its account at the broker.
pub(super) async fn may_log_in(province: &Province, number: usize) -> bool {
    let agency = province.agency(number);
    let password = std::fs::read_to_string(agency.folder().join("password")).expect("every agency has one");
    let uri = province
        .broker()
        .amqp_uri(agency.account(), password.trim(), province.vhost());
    match Connection::connect(&uri, ConnectionProperties::default()).await {
        Ok(connection) => {
            connection.close(200, "OK".into()).await.expect("closed");
            true
        }
        Err(_) => false,
    }
}
