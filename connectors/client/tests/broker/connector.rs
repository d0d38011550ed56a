//! The library: what it tells of its standing, and that it goes on by itself.

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use connector::config::Limits;
use connector::{Config, Connector, Event, Standing, Trouble};
use domain::dispatch::Rank;
use domain::ids::AccountId;
use secrecy::SecretString;
use tokio::sync::watch;

use crate::script::{
    BASIC_CONSUME, BASIC_QOS, Broker, CHANNEL_OPEN, CONFIRM_SELECT, Method, Mood, wait_until,
};

const BODY: &[u8] = b"a packet";

fn config(port: u16, folder: &Path) -> Config {
    let uri = format!("amqp://127.0.0.1:{port}/v").parse().expect("a URI");
    let account = AccountId::parse("a17").expect("an account");
    let config = Config::new(uri, account, SecretString::from("secret"), folder.to_owned());
    let limits = Limits {
        silence_max: Duration::from_millis(1_500),
        reconnect_max: Duration::from_millis(300),
        ..Limits::default()
    };
    Config { limits, ..config }
}

/// What is told until it works, each trouble with the reason left out.
async fn told_until_working(standing: &mut watch::Receiver<Standing>) -> Vec<Trouble> {
    let mut told = Vec::new();
    loop {
        match standing.borrow_and_update().clone() {
            Standing::Starting => {}
            Standing::Troubled { trouble, .. } => told.push(trouble),
            Standing::Working => return told,
        }
        standing.changed().await.expect("the connector is there");
    }
}

/// Submits at once, lets the connector try in vain for a while, and mends the broker.
async fn told_of(mood: Mood) -> Vec<Trouble> {
    let folder = tempfile::tempdir().expect("a folder");
    let broker = Broker::start(mood, 0).await;
    let connector = Connector::open(config(broker.address.port(), folder.path()))
        .await
        .expect("it opens");
    let mut standing = connector.standing();
    let id = connector
        .submit(BODY.to_vec(), Rank::Normal)
        .await
        .expect("taken into the outbox");
    let (told, ()) = tokio::join!(told_until_working(&mut standing), async {
        // Both sides have tried again and again.
        broker.attempts(8).await;
        broker.turn(Mood::Serving);
    });
    wait_until(|| broker.bodies().contains(&BODY.to_vec())).await;
    assert!(connector.is_open(&id), "it leaves with its answer only");
    assert!(!standing.has_changed().expect("it is there"), "it still works");
    connector.close().await;
    told
}

#[tokio::test]
async fn a_login_that_is_refused_is_told_once_and_once_when_it_is_over() {
    assert_eq!(told_of(Mood::RefusingLogin).await, [Trouble::LoginRefused]);
}

#[tokio::test]
async fn a_missing_inbox_is_told_once_and_once_when_it_is_over() {
    assert_eq!(told_of(Mood::WithoutInbox).await, [Trouble::QueueMissing]);
}

/// A broker that takes the call and never answers is left, and asked again over a new connection.
async fn is_left_when_deaf_to(method: Method) -> Vec<Trouble> {
    told_of(Mood::DeafTo(method)).await
}

#[tokio::test]
async fn no_call_waits_for_ever() {
    let told = tokio::join!(
        is_left_when_deaf_to(CHANNEL_OPEN),
        is_left_when_deaf_to(CONFIRM_SELECT),
        is_left_when_deaf_to(BASIC_QOS),
        is_left_when_deaf_to(BASIC_CONSUME),
    );
    // Before the session is open there is nobody to reach; after that, sessions never last.
    let [opening, working] = [Trouble::Unreachable, Trouble::Unstable].map(|trouble| vec![trouble]);
    assert_eq!(told, (opening, working.clone(), working.clone(), working));
}

#[tokio::test]
async fn a_broker_that_is_away_is_told_once_and_once_when_it_is_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        free.local_addr().expect("bound").port()
    };
    let connector = Connector::open(config(port, folder.path()))
        .await
        .expect("it opens");
    let mut standing = connector.standing();
    let submitted = connector.submit(BODY.to_vec(), Rank::Urgent).await;
    submitted.expect("the broker need not be there");
    wait_until(|| connector.counters().disconnects >= 8).await;
    let broker = Broker::start(Mood::Serving, port).await;
    assert_eq!(told_until_working(&mut standing).await, [Trouble::Unreachable]);
    wait_until(|| broker.bodies() == [BODY]).await;
    connector.close().await;
}

#[tokio::test]
async fn a_damaged_submission_keeps_no_other_from_being_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let broker = Broker::start(Mood::RefusingLogin, 0).await;
    let connector = Connector::open(config(broker.address.port(), folder.path()))
        .await
        .expect("it opens");
    let mut ids = Vec::new();
    for body in [b"first..", b"second.", b"third.."] {
        let id = connector.submit(body.to_vec(), Rank::Normal).await;
        ids.push(id.expect("taken into the outbox"));
    }
    let log = folder.path().join("log/00000001.seg");
    let bytes = std::fs::read(&log).expect("the log");
    let hit = bytes
        .windows(7)
        .position(|window| window == b"second.")
        .expect("it is there");
    let file = std::fs::File::options().write(true).open(&log).expect("the log");
    std::os::unix::fs::FileExt::write_all_at(&file, b"S", hit as u64).expect("written");
    let mut events = connector.events();
    broker.turn(Mood::Serving);
    wait_until(|| broker.bodies().len() == 2).await;
    assert_eq!(broker.bodies(), [b"first..", b"third.."]);
    let told = std::iter::from_fn(|| events.try_recv().ok());
    let mut damaged = Vec::new();
    for event in told {
        if let Event::DamagedOutgoing { submission, file } = event {
            damaged.push((submission, file));
        }
    }
    let [(submission, file)] = &damaged[..] else {
        panic!("told once: {damaged:?}")
    };
    assert_eq!(submission, &ids[1]);
    let left = std::fs::read(file).expect("what is left of it");
    assert!(left.ends_with(b"Second."));
    connector.close().await;
}
