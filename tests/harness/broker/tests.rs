//! One node through all that may befall it. A single test, because a node takes seconds to boot.

use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties,
    options::{BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};

use super::*;

async fn channel(uri: &str) -> (Connection, Channel) {
    let connection = Connection::connect(uri, ConnectionProperties::default())
        .await
        .expect("the node serves");
    let channel = connection.create_channel().await.expect("a channel");
    (connection, channel)
}

async fn declare(channel: &Channel) {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    let options = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    channel
        .queue_declare("letters".into(), options, arguments)
        .await
        .expect("declared");
}

#[expect(
    clippy::disallowed_methods,
    reason = "the gateway's publisher is not under test here"
)]
async fn publish(channel: &Channel, body: &[u8]) {
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await
        .expect("confirms");
    let options = BasicPublishOptions {
        mandatory: true,
        ..BasicPublishOptions::default()
    };
    let properties = BasicProperties::default().with_delivery_mode(2);
    let confirmation = channel
        .basic_publish("".into(), "letters".into(), options, body, properties)
        .await
        .expect("written")
        .await
        .expect("confirmed");
    assert!(
        matches!(confirmation, Confirmation::Ack(None)),
        "{confirmation:?}"
    );
}

async fn take(channel: &Channel) -> Option<Vec<u8>> {
    let options = BasicGetOptions { no_ack: true };
    let got = channel
        .basic_get("letters".into(), options)
        .await
        .expect("the queue is there");
    got.map(|message| message.delivery.data)
}

#[tokio::test]
async fn a_node_keeps_its_messages_until_its_disk_is_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut broker = Broker::start(folder.path()).await;
    let uri = broker.create_vhost("a test/1").await;

    let (_connection, first) = channel(&uri).await;
    declare(&first).await;
    publish(&first, b"before the kill").await;
    let pid = std::fs::read_to_string(folder.path().join("node.pid")).expect("the node notes its id");
    assert_eq!(
        pid.trim(),
        broker.pid().to_string(),
        "the process we started is the Erlang machine"
    );

    broker.queues_registered().await;
    broker.kill();
    assert!(
        Connection::connect(&uri, ConnectionProperties::default())
            .await
            .is_err(),
        "killed is gone"
    );
    broker.start_again().await;
    let (_connection, second) = channel(&uri).await;
    assert_eq!(take(&second).await.as_deref(), Some(&b"before the kill"[..]));

    publish(&second, b"before the stop").await;
    broker.stop().await;
    broker.start_again().await;
    let (_connection, third) = channel(&uri).await;
    assert_eq!(take(&third).await.as_deref(), Some(&b"before the stop"[..]));

    publish(&third, b"before the loss").await;
    broker.wipe().await;
    assert!(
        broker.management().try_get("vhosts/a%20test%2F1").await.is_err(),
        "the virtual host is lost"
    );
    assert_eq!(
        broker.create_vhost("a test/1").await,
        uri,
        "address and administrator stay"
    );
    let (_connection, fourth) = channel(&uri).await;
    declare(&fourth).await;
    assert_eq!(take(&fourth).await, None);
    let users = broker.management().get("users").await;
    let names: Vec<&str> = users
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|user| user["name"].as_str())
        .collect();
    assert_eq!(names, ["operator"], "there is no guest");
}

#[test]
fn addresses_escape_what_would_end_a_part_of_them() {
    assert_eq!(escape("a/b@c:d ă~"), "a%2Fb%40c%3Ad%20%C4%83~");
}
