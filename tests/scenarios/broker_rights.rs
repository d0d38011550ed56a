//! At the broker an agency can be nobody but itself.

use std::path::Path;

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
use serde_json::Value;

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
    let province = Province::start(Plan::new(1).set("limits", "packet_bytes_max", 1 << 16)).await;
    let letter = province.agency(0).draft().to(province.agency(1)).letter();
    let software = Software::log_in(&province, province.agency(0)).await;
    let submission = SubmissionId::parse("khong-ten-1").expect("an id");
    let key = format!("normal.{}", software.account);
    let nameless = BasicProperties::default()
        .with_message_id(submission.as_str().into())
        .with_type(wire::TYPE_PACKET.into())
        .with_delivery_mode(2);
    // One of the two is larger than the gateway takes from anybody.
    let large = vec![b' '; 1 << 17];
    for body in [letter.bytes(), &large[..]] {
        let taken = software
            .publish((wire::SUBMIT_EXCHANGE, &key), nameless.clone(), body)
            .await;
        assert!(taken.is_ok(), "{taken:?}");
    }
    // The one behind it goes through.
    let behind = province.agency(0).draft().to(province.agency(1)).letter();
    send(&province, 0, &behind).await;
    province.take_document(1, &behind).await;

    wait_until("both are parked", PATIENCE, async || {
        province.gateway.metric("gateway_parked_messages").await > 1.5
    })
    .await;
    let folder = tempfile::tempdir().expect("a folder");
    let into = folder.path().join("parked");
    let command = ["parked", "take-messages", "--into", into.to_str().expect("UTF-8")];
    province.gateway.command(&command).await;
    let mut kept = taken(&into);
    kept.sort_by_key(|(_, body)| body.len());
    let bodies: Vec<&[u8]> = kept.iter().map(|(_, body)| &body[..]).collect();
    assert_eq!(
        bodies,
        [letter.bytes(), &large[..]],
        "the bytes are kept for a person"
    );
    for (known, _) in &kept {
        let said = known["reason"].as_str().expect("a reason");
        assert!(said.contains("user-id"), "{said}");
        assert_eq!(known["came_by"], key.as_str());
        assert_eq!(known["message_id"], submission.as_str());
    }
    province.gateway.command(&command).await;
    assert_eq!(taken(&into).len(), 2, "nothing is left at the broker");
    let audit = prove(&province, balance(1, 0)).await;
    assert_eq!(
        audit.packets, 1,
        "what is parked was delivered to nobody: {audit:?}"
    );
    province.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_agency_copies_into_the_intakes_of_others_goes_no_further() {
    let province = Province::start(Plan::new(2)).await;
    let sender = Software::log_in(&province, province.agency(0)).await;
    let letter = province.agency(0).draft().to(province.agency(1)).letter();
    let submission = SubmissionId::parse("ban-sao-1").expect("an id");
    let other = province.agency(2).account();
    let copies = [
        format!("normal.{other}"),
        format!("urgent.{other}"),
        format!("confirm.{other}"),
    ];
    let copies: Vec<AMQPValue> = copies
        .into_iter()
        .map(|key| AMQPValue::LongString(key.into_bytes().into()))
        .collect();
    let mut headers = FieldTable::default();
    headers.insert("CC".into(), AMQPValue::FieldArray(copies.into()));
    let properties = sender.properties(&submission).with_headers(headers);
    let key = format!("normal.{}", sender.account);
    let taken = sender
        .publish((wire::SUBMIT_EXCHANGE, &key), properties, letter.bytes())
        .await;
    assert!(taken.is_ok(), "{taken:?}");
    province.take_document(1, &letter).await;
    let log = province.gateway.log();
    wait_until("each copy was seen", PATIENCE, async || {
        let log = std::fs::read_to_string(&log).unwrap_or_default();
        log.matches("copies of other intakes' messages are dropped")
            .count()
            == 3
    })
    .await;
    let behind = province.agency(2).draft().to(province.agency(1)).letter();
    send(&province, 2, &behind).await;
    province.take_document(1, &behind).await;
    let books = province.books();
    assert_eq!((books.count("accepted"), books.count("repeated")), (2, 0));
    assert!(province.gateway.metric("gateway_parked_messages").await < 0.5);
    province.end().await;
}

/// Every message in the folder: what is known of it, and its bytes.
fn taken(folder: &Path) -> Vec<(Value, Vec<u8>)> {
    let read = |path: &Path| std::fs::read(path).expect("a readable file");
    let entries = std::fs::read_dir(folder).expect("a folder");
    let files = entries.map(|entry| entry.expect("an entry").path());
    let known = files.filter(|path| path.extension().is_some_and(|ending| ending == "json"));
    let both = |path: std::path::PathBuf| {
        let known = serde_json::from_slice(&read(&path)).expect("JSON");
        (known, read(&path.with_extension("message")))
    };
    known.map(both).collect()
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_whose_accounts_were_not_all_opened_is_gone_on_with() {
    let province = Province::start(Plan::new(0)).await;
    let file = province.gateway.folder().join("list.csv");
    let rows = "code,name\n000.00.81.H53,Một\n000.00.82.H53,Hai\n";
    std::fs::write(&file, rows).expect("written");
    let list = file.to_str().expect("a UTF-8 path");
    // As after a gateway that was restarted before any account was opened, and after one that opened the first.
    province.gateway.command(&["agency", "import", list]).await;
    let told = async |arguments: &[&str]| -> Value {
        let report = province.gateway.command(arguments).await;
        serde_json::from_str(&report).expect("JSON")
    };
    let opened = |report: &Value| report["opened"][0]["account"].clone();
    let first = ["agency", "account", "open", "000.00.81.H53", "--json"];
    assert_eq!(opened(&told(&first).await), "a2-1");
    let passwords = province.gateway.folder().join("passwords.csv");
    let all = [
        "agency",
        "import",
        list,
        "--accounts",
        "receipts",
        "--json",
        "--password-file",
        passwords.to_str().expect("a UTF-8 path"),
    ];
    let report = told(&all).await;
    assert_eq!(opened(&report), "a3-1");
    assert_eq!(report["import"]["passed_over"], serde_json::json!(["a2"]));
    let table = std::fs::read_to_string(&passwords).expect("a table");
    assert!(table.starts_with("account,password,agency\na3-1,"), "{table}");
    std::fs::remove_file(&passwords).expect("removed");
    let report = told(&all).await;
    assert_eq!(opened(&report), Value::Null, "everybody has one");
    assert_eq!(report["import"]["passed_over"], serde_json::json!(["a2", "a3"]));
    province.end().await;
}
