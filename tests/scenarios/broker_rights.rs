//! At the broker an agency can be nobody but itself.

use domain::{
    dispatch::DispatchKind,
    ids::{DispatchId, SubmissionId},
    wire::{self, Confirmation, Stored},
};
use harness::{
    province::{Plan, Province},
    wait_until,
};
use lapin::{
    BasicProperties, ErrorKind,
    options::{
        BasicConsumeOptions, BasicGetOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
        QueuePurgeOptions,
    },
    types::{AMQPValue, FieldTable},
};

use super::{
    evidence::{PATIENCE, balance, prove, send},
    software::Software,
};

const ACCESS_REFUSED: u16 = 403;
const PRECONDITION_FAILED: u16 = 406;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_user_publishes_only_as_itself_and_reads_only_its_own_inbox() {
    let province = Province::start(Plan::new(2)).await;
    let letter = province.agency(0).draft().to(province.agency(1)).letter();
    let thief = Software::log_in(&province, province.agency(2)).await;
    let victim = province.agency(0).account().to_owned();
    let submission = SubmissionId::parse("gia-mao-1").expect("an id");
    let own_key = format!("normal.{}", thief.account);

    let forged = thief.properties(&submission).with_user_id(victim.as_str().into());
    let told = thief
        .publish((wire::SUBMIT_EXCHANGE, &own_key), forged, letter.bytes())
        .await;
    assert_eq!(reason(told), PRECONDITION_FAILED, "a user id that is not its own");
    for (exchange, key) in [
        (wire::SUBMIT_EXCHANGE, format!("normal.{victim}")),
        (wire::SUBMIT_EXCHANGE, format!("urgent.{victim}")),
        (wire::SUBMIT_EXCHANGE, format!("confirm.{victim}")),
        (wire::SUBMIT_EXCHANGE, "anything".to_owned()),
        (wire::DELIVER_EXCHANGE, victim.clone()),
        (wire::DELIVER_EXCHANGE, thief.account.clone()),
        ("", format!("inbox.{victim}")),
        ("", "parked".to_owned()),
        ("park", String::new()),
    ] {
        let told = thief
            .publish((exchange, &key), thief.properties(&submission), letter.bytes())
            .await;
        assert_eq!(
            reason(told),
            ACCESS_REFUSED,
            "publishing to {exchange:?} under {key:?}"
        );
    }
    let queues = [
        format!("inbox.{victim}"),
        format!("intake.{victim}"),
        format!("intake.{}", thief.account),
        "intake.urgent".to_owned(),
        "intake.confirm".to_owned(),
        "parked".to_owned(),
    ];
    for queue in &queues {
        cannot_read(&thief, queue).await;
    }
    for queue in queues
        .iter()
        .chain([&format!("inbox.{}", thief.account), &"fresh".to_owned()])
    {
        cannot_configure(&thief, queue).await;
    }

    send(&province, 0, &letter).await;
    let audit = prove(&province, balance(1, 0)).await;
    assert_eq!(audit.packets, 1, "{audit:?}");
    province.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_without_user_id_is_parked_and_holds_up_nobody() {
    let province = Province::start(Plan::new(1)).await;
    let letter = province.agency(0).draft().to(province.agency(1)).letter();
    let software = Software::log_in(&province, province.agency(0)).await;
    let submission = SubmissionId::parse("khong-ten-1").expect("an id");
    let key = format!("normal.{}", software.account);
    let nameless = BasicProperties::default()
        .with_message_id(submission.as_str().into())
        .with_type(wire::TYPE_PACKET.into())
        .with_delivery_mode(2);
    let taken = software
        .publish((wire::SUBMIT_EXCHANGE, &key), nameless, letter.bytes())
        .await;
    assert!(taken.is_ok(), "{taken:?}");
    // The one behind it goes through.
    let behind = province.agency(0).draft().to(province.agency(1)).letter();
    send(&province, 0, &behind).await;
    province.take_document(1, &behind).await;

    let admin = province.broker().admin();
    let uri = province
        .broker()
        .amqp_uri(&admin.user, &admin.password, province.vhost());
    province
        .broker()
        .management()
        .grant(province.vhost(), &admin.user, [".*", ".*", ".*"])
        .await;
    let connection = lapin::Connection::connect(&uri, lapin::ConnectionProperties::default()).await;
    let connection = connection.expect("the operator may log in");
    let channel = connection.create_channel().await.expect("a channel");
    let mut parked = None;
    wait_until("the nameless message is parked", PATIENCE, async || {
        let got = channel
            .basic_get("parked".into(), BasicGetOptions { no_ack: true })
            .await;
        parked = got.expect("the queue is there");
        parked.is_some()
    })
    .await;
    let parked = parked.expect("just seen").delivery;
    assert_eq!(parked.data, letter.bytes(), "the bytes are kept for a person");
    let headers = parked
        .properties
        .headers()
        .as_ref()
        .map(|headers| headers.inner());
    let said = match headers.and_then(|headers| headers.get("parked-reason")) {
        Some(AMQPValue::LongString(reason)) => reason.to_string(),
        Some(_) | None => panic!("parked without a reason: {headers:?}"),
    };
    assert!(said.contains("user-id"), "{said}");
    let audit = prove(&province, balance(1, 0)).await;
    assert_eq!(
        audit.packets, 1,
        "what is parked was delivered to nobody: {audit:?}"
    );
    province.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_confirms_what_lies_in_the_inbox_of_another() {
    let mut province = Province::start(Plan::new(2)).await;
    province.agency_mut(1).close().await;
    let letter = province.agency(0).draft().to(province.agency(1)).letter();
    send(&province, 0, &letter).await;
    wait_until("it lies in the inbox", PATIENCE, async || {
        packet(&province).is_some_and(|(_, state)| state == "consigned")
    })
    .await;
    let (dispatch, _) = packet(&province).expect("just seen");
    let thief = Software::log_in(&province, province.agency(2)).await;
    let stored = vec![Stored {
        dispatch,
        at: connector::now(),
    }];
    let key = format!("confirm.{}", thief.account);
    let properties = BasicProperties::default()
        .with_user_id(thief.account.as_str().into())
        .with_type(wire::TYPE_CONFIRMATION.into())
        .with_delivery_mode(2);
    for body in [Confirmation { stored }.encode(), b"{}".to_vec(), vec![0xff; 9]] {
        let taken = thief
            .publish((wire::SUBMIT_EXCHANGE, &key), properties.clone(), &body)
            .await;
        assert!(taken.is_ok(), "{taken:?}");
    }
    // A later confirmation of the same account shows that the forged ones were seen.
    let own = province.agency(0).draft().to(province.agency(2)).letter();
    send(&province, 0, &own).await;
    super::evidence::receipts(&province, 0, 1, domain::receipt::ReceiptKind::ContentHandover).await;
    assert_eq!(
        packet(&province),
        Some((dispatch, "consigned")),
        "it still lies there"
    );
    province.agency_mut(1).open().await;
    province.take_document(1, &letter).await;
    let audit = prove(&province, balance(2, 0)).await;
    assert_eq!(audit.packets, 2, "{audit:?}");
    province.end().await;
}

/// The first document packet of the journal, and how far it is.
fn packet(province: &Province) -> Option<(DispatchId, &'static str)> {
    let books = province.books();
    let addressee = province.agency(1).id();
    let is_it = |sent: &&harness::province::Sent| {
        sent.dispatch.kind == DispatchKind::Packet && sent.dispatch.to.to_string() == addressee
    };
    let found = books.dispatches.values().find(is_it)?;
    Some((found.dispatch.id, found.state.word()))
}

async fn cannot_read(software: &Software, queue: &str) {
    let options = BasicConsumeOptions::default();
    let channel = software.channel().await;
    let told = channel
        .basic_consume(queue.into(), "".into(), options, FieldTable::default())
        .await;
    assert_eq!(reason(told), ACCESS_REFUSED, "consuming {queue}");
    let told = software
        .channel()
        .await
        .basic_get(queue.into(), BasicGetOptions::default())
        .await;
    assert_eq!(reason(told), ACCESS_REFUSED, "getting from {queue}");
    let told = software
        .channel()
        .await
        .queue_purge(queue.into(), QueuePurgeOptions::default())
        .await;
    assert_eq!(reason(told), ACCESS_REFUSED, "purging {queue}");
}

async fn cannot_configure(software: &Software, queue: &str) {
    let durable = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    let told = software
        .channel()
        .await
        .queue_declare(queue.into(), durable, FieldTable::default())
        .await;
    assert_eq!(reason(told), ACCESS_REFUSED, "declaring {queue}");
    let told = software
        .channel()
        .await
        .queue_delete(queue.into(), QueueDeleteOptions::default())
        .await;
    assert_eq!(reason(told), ACCESS_REFUSED, "deleting {queue}");
    let channel = software.channel().await;
    let (exchange, options) = (wire::SUBMIT_EXCHANGE.into(), QueueBindOptions::default());
    let told = channel
        .queue_bind(queue.into(), exchange, "#".into(), options, FieldTable::default())
        .await;
    assert_eq!(reason(told), ACCESS_REFUSED, "binding {queue}");
}

/// The code that the broker closed the channel with.
fn reason<T: std::fmt::Debug>(told: lapin::Result<T>) -> u16 {
    let error = told.expect_err("the broker refuses");
    let ErrorKind::ProtocolError(error) = error.kind() else {
        panic!("not refused by the broker: {error:?}");
    };
    error.get_id()
}
