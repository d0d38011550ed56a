//! An operator starts the gateway a second time on the same data.

use harness::province::{Plan, Province};

use super::{Stream, place};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_start_on_the_same_data_is_refused_and_the_first_goes_on() {
    let _place = place().await;
    let province = Province::start(Plan::new(1)).await;
    let mut stream = Stream::new(&province);
    stream.send(&province, 20).await;
    let address = province.gateway.address();
    let second = province.gateway.try_command(&["run"]).await;
    assert_eq!(second.status.code(), Some(1), "{second:?}");
    let data = province.gateway.data();
    let said = format!("{} {}", second.output, second.errors);
    assert!(
        said.contains("is held by process"),
        "the operator is told why: {said}"
    );
    assert!(
        said.contains(data.to_str().expect("a UTF-8 path")),
        "and which folder: {said}"
    );
    assert_eq!(
        province.gateway.address(),
        address,
        "the address of the first one still stands"
    );
    assert!(province.gateway.is_ready().await, "the first one is ready");
    let audit = stream.prove(&province).await;
    assert!(audit.packets > 20, "{audit:?}");
    province.end().await;
}
