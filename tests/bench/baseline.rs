//! The baseline: every message of a document, in the same number and sizes, through the same queues of the same broker,
//! with nothing done to it.
//!
//! Two publishing and two consuming connections, as many confirms outstanding as the broker can use, acknowledgements as
//! they come: what the road would be if documents were not opened, judged, recorded or answered. A document is one
//! submission in an intake, one packet and two receipts in inboxes, and its share of confirmations, batched as the
//! connectors batched them.
#![expect(clippy::disallowed_methods, reason = "bare publishers are what is measured")]

use std::{sync::Arc, time::Instant};

use domain::{
    ids::{AccountId, DispatchId},
    wire::{self, Confirmation, Stored},
};
use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use harness::broker::Broker;
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, Consumer,
    options::{
        BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
    },
    types::{AMQPValue, FieldTable},
};
use tokio::task::JoinSet;
use trust::Time;

use crate::station::VHOST;

/// Confirms outstanding on a publishing connection: where the broker's rate no longer grows (measured: 256).
const OUTSTANDING: usize = 256;
const PREFETCH: u16 = 256;
const PERSISTENT: u8 = 2;

/// The messages of a document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Bytes of a packet: as submitted and as delivered.
    pub(crate) packet: usize,
    /// Bytes of a receipt. A document has two.
    pub(crate) receipt: usize,
    /// Confirmation messages for each document.
    pub(crate) confirmations: f64,
    /// Handovers in a confirmation message.
    pub(crate) batch: usize,
}

/// Passes the messages of so many documents through the broker. Gives document-equivalents a second.
pub(crate) async fn run(broker: &Broker, accounts: &[AccountId], sizes: Sizes, documents: usize) -> f64 {
    let admin = broker.admin().clone();
    broker
        .management()
        .grant(VHOST, &admin.user, [".*", ".*", ".*"])
        .await;
    let uri = Arc::new(broker.amqp_uri(&admin.user, &admin.password, VHOST));
    let confirmations = (documents as f64 * sizes.confirmations).ceil() as usize;
    let mut intakes: Vec<String> = accounts
        .iter()
        .map(|account| format!("intake.{account}"))
        .collect();
    intakes.push("intake.confirm".to_owned());
    let inboxes = accounts.iter().map(wire::inbox_queue).collect();
    let consumers = [
        (consumers(&uri, intakes).await, documents + confirmations),
        (consumers(&uri, inboxes).await, documents * 3),
    ];
    let submissions = submissions(accounts, sizes, [documents, confirmations]);
    let deliveries = deliveries(accounts, sizes, documents);
    let publishers = [
        (publisher(&uri).await, submissions),
        (publisher(&uri).await, deliveries),
    ];
    let mut work = JoinSet::new();
    let started = Instant::now();
    for ((connection, consumers), count) in consumers {
        work.spawn(consume(connection, consumers, count));
    }
    for ((connection, channel), messages) in publishers {
        work.spawn(publish(connection, channel, messages));
    }
    let connections = work.join_all().await;
    let seconds = started.elapsed().as_secs_f64();
    for connection in connections {
        let _ = connection.close(200, "done".into()).await; // nothing is outstanding any more
    }
    documents as f64 / seconds
}

/// A message to be published.
struct Message {
    exchange: &'static str,
    key: String,
    body: Arc<[u8]>,
    properties: BasicProperties,
}

/// What agencies publish: submissions, and confirmations spread among them.
fn submissions(accounts: &[AccountId], sizes: Sizes, [documents, confirmations]: [usize; 2]) -> Vec<Message> {
    let packet: Arc<[u8]> = vec![b'x'; sizes.packet].into();
    let stored = Stored {
        dispatch: DispatchId::from_bytes([7; 16]),
        at: Time::from_micros(1_790_000_000_123_456),
    };
    let confirmation = Confirmation {
        stored: vec![stored; sizes.batch],
    };
    let confirmation: Arc<[u8]> = confirmation.encode().into();
    let mut messages = Vec::new();
    let mut sent = 0;
    for number in 0..documents {
        let account = &accounts[number % accounts.len()];
        messages.push(Message {
            exchange: wire::SUBMIT_EXCHANGE,
            key: wire::normal_key(account),
            body: Arc::clone(&packet),
            properties: properties(wire::TYPE_PACKET, &[]),
        });
        // More than one confirmation a document under a light load, less under a heavy one.
        while sent < (number + 1) * confirmations / documents {
            messages.push(Message {
                exchange: wire::SUBMIT_EXCHANGE,
                key: wire::confirm_key(&accounts[sent % accounts.len()]),
                body: Arc::clone(&confirmation),
                properties: properties(wire::TYPE_CONFIRMATION, &[]),
            });
            sent += 1;
        }
    }
    messages
}

/// What the gateway publishes: a packet to the addressee, two receipts to the sender.
fn deliveries(accounts: &[AccountId], sizes: Sizes, documents: usize) -> Vec<Message> {
    let packet: Arc<[u8]> = vec![b'x'; sizes.packet].into();
    let receipt: Arc<[u8]> = vec![b'x'; sizes.receipt].into();
    let headers = [
        (wire::HEADER_CASE, "01939f5e-7b7a-7c3e-8b3a-000000000000"),
        (
            wire::HEADER_EVENT,
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
        (wire::HEADER_SENDER, "000.00.01.X99"),
        (wire::HEADER_DOCUMENT, "000.00.01.X99,2026/11/21,4711/CV-TN"),
        (wire::HEADER_RECEIPT, "SubmissionAcceptance"),
        (wire::HEADER_SUBMISSION, "01939f5e-7b7a-7c3e-8b3a-000000000000"),
    ];
    let mut messages = Vec::new();
    for number in 0..documents {
        let to = |account: usize, body: &Arc<[u8]>, kind, headers: &[(&'static str, &str)]| Message {
            exchange: wire::DELIVER_EXCHANGE,
            key: accounts[account % accounts.len()].to_string(),
            body: Arc::clone(body),
            properties: properties(kind, headers),
        };
        messages.push(to(number, &receipt, "receipt", &headers));
        messages.push(to(number + 1, &packet, wire::TYPE_PACKET, &headers[..4]));
        messages.push(to(number, &receipt, "receipt", &headers));
    }
    messages
}

fn properties(kind: &str, headers: &[(&'static str, &str)]) -> BasicProperties {
    let mut table = FieldTable::default();
    for (name, value) in headers {
        table.insert((*name).into(), AMQPValue::LongString((*value).into()));
    }
    BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_message_id("01939f5e-7b7a-7c3e-8b3a-000000000000".into())
        .with_type(kind.into())
        .with_headers(table)
}

async fn connect(uri: &str) -> Connection {
    let connected = Connection::connect(uri, ConnectionProperties::default()).await;
    connected.expect("the broker takes its administrator")
}

async fn publisher(uri: &str) -> (Connection, Channel) {
    let connection = connect(uri).await;
    let channel = connection.create_channel().await.expect("a channel");
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await
        .expect("confirm mode");
    (connection, channel)
}

async fn publish(connection: Connection, channel: Channel, messages: Vec<Message>) -> Connection {
    let mut outstanding = FuturesUnordered::new();
    let options = BasicPublishOptions {
        mandatory: true,
        ..BasicPublishOptions::default()
    };
    for message in messages {
        let (exchange, key) = (message.exchange.into(), message.key.as_str().into());
        let sent = channel
            .basic_publish(exchange, key, options, &message.body, message.properties)
            .await;
        outstanding.push(sent.expect("the broker takes messages"));
        if outstanding.len() == OUTSTANDING {
            confirmed(outstanding.next().await);
        }
    }
    while let Some(confirmation) = outstanding.next().await {
        confirmed(Some(confirmation));
    }
    connection
}

fn confirmed(confirmation: Option<lapin::Result<lapin::Confirmation>>) {
    let taken = matches!(confirmation, Some(Ok(lapin::Confirmation::Ack(None))));
    assert!(taken, "the broker did not take a message: {confirmation:?}");
}

async fn consumers(uri: &str, queues: Vec<String>) -> (Connection, Vec<(Channel, Consumer)>) {
    let connection = connect(uri).await;
    let mut consumers = Vec::new();
    for queue in queues {
        let channel = connection.create_channel().await.expect("a channel");
        channel
            .basic_qos(PREFETCH, BasicQosOptions::default())
            .await
            .expect("a prefetch");
        let options = BasicConsumeOptions::default();
        let consumer = channel
            .basic_consume(queue.into(), "".into(), options, FieldTable::default())
            .await;
        consumers.push((channel, consumer.expect("the queue is there")));
    }
    (connection, consumers)
}

/// Takes `count` messages, acknowledging all that came together at once.
async fn consume(connection: Connection, consumers: Vec<(Channel, Consumer)>, count: usize) -> Connection {
    let (taken, mut each) = tokio::sync::watch::channel(0);
    let taken = Arc::new(taken);
    let mut tasks = JoinSet::new();
    for (channel, mut consumer) in consumers {
        let taken = Arc::clone(&taken);
        tasks.spawn(async move {
            while let Some(delivery) = consumer.next().await {
                let (mut number, mut last) = (1, delivery.expect("a delivery").delivery_tag);
                while let Some(Some(delivery)) = consumer.next().now_or_never() {
                    (number, last) = (number + 1, delivery.expect("a delivery").delivery_tag);
                }
                let acknowledged = channel.basic_ack(last, BasicAckOptions { multiple: true }).await;
                acknowledged.expect("the broker takes acknowledgements");
                taken.send_modify(|taken| *taken += number);
            }
        });
    }
    each.wait_for(|taken| *taken >= count)
        .await
        .expect("the consumers go on");
    connection
}
