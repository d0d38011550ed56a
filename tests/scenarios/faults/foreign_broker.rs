//! The gateway starts without its data, or beside another's broker: its accounts bear the same names there.

use harness::{
    province::{Plan, Province},
    wait_until,
};
use serde_json::Value;

use super::{PATIENCE, locked_out::may_log_in, place};

/// The agency that is away.
const AWAY: usize = 1;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_without_its_data_touches_nothing_at_the_broker() {
    let _place = place().await;
    let mut province = Province::start(Plan::new(1).exclusive()).await;
    let letter = |province: &Province| province.agency(0).draft().to(province.agency(AWAY)).letter();
    let (consigned, submitted) = (letter(&province), letter(&province));
    province.agency_mut(AWAY).close().await;
    province.submit(0, &consigned).await;
    lies_in(&province, &format!("inbox.{}", province.agency(AWAY).account())).await;
    assert!(province.gateway.terminate().await.success());
    province.submit(0, &submitted).await;
    lies_in(&province, &format!("intake.{}", province.agency(0).account())).await;
    let before = messages(&province).await;

    let (data, aside) = (province.gateway.data(), province.folder().join("data aside"));
    std::fs::rename(&data, &aside).expect("the data is moved away");
    std::fs::create_dir(&data).expect("an empty folder is there");
    stand_beside(&mut province).await;
    assert_eq!(messages(&province).await, before, "nothing was taken or put");
    for number in [0, AWAY] {
        assert!(may_log_in(&province, number).await, "no account was changed");
    }

    province.gateway.kill();
    std::fs::remove_dir_all(&data).expect("what the stranger wrote is removed");
    std::fs::rename(&aside, &data).expect("the data is moved back");
    province.gateway.start_again().await;
    province.agency_mut(AWAY).open().await;
    for letter in [&consigned, &submitted] {
        province.take_document(AWAY, letter).await;
    }
    province.settle(PATIENCE).await.assert_clean();
    assert_eq!(province.books().count("broker-lost"), 0);
    province.end().await;
}

/// The gateway runs without its data, and gets an agency whose account bears the name of the other's: it says what is wrong
/// and changes nothing, however it is asked.
async fn stand_beside(province: &mut Province) {
    province.gateway.start();
    let (name, code) = (
        province.agency(0).name().to_owned(),
        province.agency(0).code().to_owned(),
    );
    let unproven = "the broker is not proven to be this gateway's";
    wait_until(
        "the gateway says that the broker is another's",
        PATIENCE,
        async || {
            let log = std::fs::read_to_string(province.gateway.log()).unwrap_or_default();
            let ready = province.gateway.readiness().await.unwrap_or_default();
            log.contains("holds documents of another gateway") && ready.contains(unproven)
        },
    )
    .await;
    let add = [
        "agency", "add", "--json", "--name", &name, "--code", &code, "--level", "Tỉnh",
    ];
    let added = province.gateway.try_command(&add).await;
    let report: Value = serde_json::from_str(&added.output).expect("JSON");
    assert_eq!(report["opened"][0]["account"], province.agency(0).account());
    assert_eq!(
        report["unprovisioned"][0]["account"],
        province.agency(0).account()
    );
    let again = province.gateway.try_command(&["broker", "provision"]).await;
    assert_ne!(again.status.code(), Some(0), "{again:?}");
    let checked = province.gateway.try_command(&["check"]).await;
    assert_ne!(checked.status.code(), Some(0), "{checked:?}");
    // As long as it takes the broker to count its messages, and the gateway to try everything again.
    tokio::time::sleep(COUNTED_EVERY * 2).await;
    assert!(!province.gateway.is_ready().await);
}

/// How often RabbitMQ counts the messages of its queues.
const COUNTED_EVERY: std::time::Duration = std::time::Duration::from_secs(5);

async fn lies_in(province: &Province, queue: &str) {
    wait_until(
        "a message lies in the queue and is counted",
        PATIENCE,
        async || {
            let counted = messages(province).await;
            counted.iter().any(|(name, count)| name == queue && *count == 1)
        },
    )
    .await;
}

/// The queues with the number of their messages, in the order of their names.
async fn messages(province: &Province) -> Vec<(String, u64)> {
    let path = format!("queues/{}?columns=name,messages", province.vhost());
    let queues = province.broker().management().get(&path).await;
    let count = |queue: &Value| {
        let name = queue["name"].as_str().expect("a queue has a name").to_owned();
        (name, queue["messages"].as_u64().unwrap_or_default())
    };
    let mut counts: Vec<_> = queues.as_array().expect("a list").iter().map(count).collect();
    counts.sort();
    counts
}
