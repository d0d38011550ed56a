//! Rights that were taken away stay away, whatever becomes of the broker.

use harness::{
    province::{Plan, Province},
    proxy::Proxy,
    wait_until,
};
use lapin::{Connection, ConnectionProperties};
use serde_json::Value;

use super::{PATIENCE, place};

/// The agency that is suspended.
const SUSPENDED: usize = 1;
/// The agency that gets a new password.
const RENEWED: usize = 1;

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_renewed_while_the_broker_cannot_be_told_counts_in_the_end() {
    let _place = place().await;
    let mut province = Province::start(Plan::new(1).exclusive()).await;
    let management = province.broker().management_uri();
    let upstream = management.trim_start_matches("http://").parse();
    let proxy = Proxy::start(upstream.expect("an address"));
    let uri = format!("\"http://{}\"", proxy.address());
    province.set("broker.provision", "management_uri", uri);
    assert!(province.gateway.terminate().await.success());
    province.gateway.start_again().await;
    province.agency_mut(RENEWED).close().await;
    let stolen = connect(&province, RENEWED, &password(&province, RENEWED)).await;
    let stolen = stolen.expect("the old password opens the account");

    proxy.refuse();
    let account = province.agency(RENEWED).account().to_owned();
    let renew = ["agency", "account", "renew", &account, "--json"];
    let renewed = province.gateway.try_command(&renew).await;
    let report: Value = serde_json::from_str(&renewed.output).expect("JSON");
    assert_eq!(
        report["unprovisioned"][0]["account"],
        account.as_str(),
        "{report}"
    );
    let fresh = report["opened"][0]["password"]
        .as_str()
        .expect("a password")
        .to_owned();
    assert!(
        may_log_in(&province, RENEWED).await,
        "the broker knows the old one alone"
    );

    // Nobody does anything more.
    proxy.restore();
    wait_until("the new password opens the account", PATIENCE, async || {
        connect(&province, RENEWED, &fresh).await.is_ok()
    })
    .await;
    assert!(!may_log_in(&province, RENEWED).await, "the old one does not");
    wait_until("who came in with it is out", PATIENCE, async || {
        !stolen.status().connected()
    })
    .await;
    province.end().await;
}

/// Whether the password that an agency got first opens its account at the broker.
pub(super) async fn may_log_in(province: &Province, number: usize) -> bool {
    match connect(province, number, &password(province, number)).await {
        Ok(connection) => {
            connection.close(200, "OK".into()).await.expect("closed");
            true
        }
        Err(_) => false,
    }
}

fn password(province: &Province, number: usize) -> String {
    let file = province.agency(number).folder().join("password");
    let password = std::fs::read_to_string(file).expect("every agency has one");
    password.trim().to_owned()
}

async fn connect(province: &Province, number: usize, password: &str) -> lapin::Result<Connection> {
    let account = province.agency(number).account();
    let uri = province.broker().amqp_uri(account, password, province.vhost());
    Connection::connect(&uri, ConnectionProperties::default()).await
}
