//! What the broker returns is known by its own number, however many messages are on their way.

use std::sync::Arc;

use domain::{
    dispatch::{Dispatch, DispatchKind, Rank},
    ids::{AccountId, AgencyId, CaseId, DispatchId},
    port::{Inbox, Outcome, Parcel},
};
use futures_util::future::join_all;
use gateway::broker::{Address, Broker, BrokerState, ConsumeLimits, PublishLimits};
use harness::{
    province::{Plan, Province},
    wait_until,
};
use trust::{Digest, Time};

/// How long the broker may take to let a connection in.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);
/// Messages on their way at once.
const MESSAGES: u32 = 700;
/// Every so many of them goes to an inbox that is not there.
const STRAY: u32 = 7;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_without_an_inbox_is_declined_and_every_other_one_is_delivered() {
    let mut province = Province::start(Plan::new(1)).await;
    province.agency_mut(1).close().await;
    let there = AccountId::parse(province.agency(1).account()).expect("an account id");
    let nowhere = AccountId::parse("a999-9").expect("an account id");
    let password = std::fs::read_to_string(province.gateway.folder().join("broker.password"));
    let user = province.vhost().replacen("lienthong", "gateway", 1);
    let uri = province
        .broker()
        .amqp_uri(&user, password.expect("a password").trim(), province.vhost());
    let (broker, _lanes) = Broker::new(
        &Address::new(uri.into()),
        PublishLimits::default(),
        ConsumeLimits::default(),
    )
    .expect("an address");
    tokio::select! {
        () = broker.clone().run() => unreachable!("a broker is kept for ever"),
        () = publish(&broker, &there, &nowhere) => {}
    }
    broker.close().await;
    province.end().await;
}

async fn publish(broker: &Broker, there: &AccountId, nowhere: &AccountId) {
    wait_until("the broker is connected", PATIENCE, async || {
        broker.publisher.state() == BrokerState::Connected
    })
    .await;
    let before = broker.publisher.hand_over(there.clone(), parcel(u32::MAX));
    assert_eq!(
        before.await,
        Outcome::Deferred,
        "nobody has proven whose broker it is"
    );
    let session = broker.publisher.inspector().session().expect("a session");
    broker.publisher.prove(session);

    for round in 0..5 {
        let all = (0..MESSAGES).map(|number| {
            let account = if number % STRAY == round { nowhere } else { there };
            let publisher = Arc::clone(&broker.publisher);
            let parcel = parcel(round * MESSAGES + number);
            let account = account.clone();
            async move { (number, publisher.hand_over(account, parcel).await) }
        });
        for (number, outcome) in join_all(all).await {
            let expected = if number % STRAY == round {
                Outcome::Declined
            } else {
                Outcome::Delivered
            };
            assert_eq!(outcome, expected, "message {number} of round {round}");
        }
    }
}

fn parcel(number: u32) -> Parcel {
    let leaf = Digest::of(&number.to_be_bytes());
    let to = AgencyId::from_number(number);
    let kind = DispatchKind::Packet;
    let dispatch = Dispatch {
        id: DispatchId::derive(Time::from_micros(0), &leaf, to, kind.letter()),
        case: CaseId::from_bytes([7; 16]),
        to,
        code: None,
        kind,
        body: leaf,
        rank: Rank::Normal,
        expires_at: None,
        answer: None,
        account: None,
        sender: None,
        submitted_by: None,
    };
    Parcel {
        dispatch,
        event: leaf,
        body: b"a packet".as_slice().into(),
        gateway: domain::ids::Code::parse("H53.LT").expect("a code"),
        document: None,
        targets: Vec::new(),
    }
}
