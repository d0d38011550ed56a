//! The gateway starts without its data, or beside another's broker: its accounts bear the same names there.

use connector::Received;
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
    let inbox = format!("inbox.{}", province.agency(AWAY).account());
    let intake = format!("intake.{}", province.agency(0).account());
    lie_in(&province, &inbox, 1).await;
    assert!(province.gateway.terminate().await.success());
    province.submit(0, &submitted).await;
    lie_in(&province, &intake, 1).await;

    let (data, aside) = (province.gateway.data(), province.folder().join("data aside"));
    std::fs::rename(&data, &aside).expect("the data is moved away");
    std::fs::create_dir(&data).expect("an empty folder is there");
    stand_beside(&mut province).await;
    // What is submitted now is counted beside what was there: nobody has taken that, and nobody is there to take it.
    let late = letter(&province);
    province.submit(0, &late).await;
    lie_in(&province, &intake, 2).await;
    lie_in(&province, &inbox, 1).await;
    assert!(!province.gateway.is_ready().await);
    for number in [0, AWAY] {
        assert!(may_log_in(&province, number).await, "no account was changed");
    }

    province.gateway.kill();
    std::fs::remove_dir_all(&data).expect("what the stranger wrote is removed");
    std::fs::rename(&aside, &data).expect("the data is moved back");
    province.gateway.start_again().await;
    province.agency_mut(AWAY).open().await;
    // Of two that are judged at once either may be the first.
    let letters = [&consigned, &submitted, &late];
    let is_one = |received: &Received| {
        let document = received.about.document.as_deref();
        letters
            .iter()
            .any(|letter| document == Some(letter.document_id()))
    };
    province.take(AWAY, (letters.len(), "documents"), is_one).await;
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
    let checked = province.gateway.try_command(&["check", "--online"]).await;
    assert_ne!(checked.status.code(), Some(0), "{checked:?}");
}

/// Waits until so many messages lie in the queue, none of them in anybody's hands.
async fn lie_in(province: &Province, queue: &str, count: u64) {
    let what = format!("{count} in {queue}, and nobody takes them");
    wait_until(&what, PATIENCE, async || {
        let path = format!("queues/{}/{queue}", province.vhost());
        let stands = province.broker().management().get(&path).await;
        let number = |key: &str| stands[key].as_u64();
        number("messages_ready") == Some(count)
            && number("messages") == Some(count)
            && number("consumers") == Some(0)
    })
    .await;
}
