//! Publishing: the one place that hands a message to the broker.
//!
//! On the road it is the far end of *dispatch*: a parcel goes to its addressee's inbox, and the answer comes when the
//! broker has it on disk. What a person must look at is parked the same way.
//!
//! **Invariant:** every message is mandatory, persistent and confirmed.
//! **Invariant:** delivered means acknowledged and not returned. A message without a queue is acknowledged too, but
//! returned first (declined); whatever else happens is *not now*, and nobody knows whether it got there.
//! **Invariant:** at most `outstanding_max` messages wait for their confirmation.

mod line;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use domain::ids::AccountId;
use domain::port::{Inbox, Outcome, Parcel, Soon};
use domain::receipt::vietnam_time;
use domain::wire;
use lapin::options::ConfirmSelectOptions;
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};

use self::line::{Message, Said};
use super::BrokerFault;
use super::connection::{Address, BrokerState, Keeper, Session};
use super::topology::PARK_EXCHANGE;

/// Pause before a channel that the broker closed is opened again: the cause (an exchange that is gone) seldom passes
/// at once.
const REOPEN_PAUSE: Duration = Duration::from_millis(500);
/// Wait for a channel that is being opened.
const OPEN_TIMEOUT: Duration = Duration::from_secs(2);
/// AMQP's number for "survives a restart".
const PERSISTENT: u8 = 2;

/// Header of a parked message: why it was parked.
pub const HEADER_PARKED_REASON: &str = "parked-reason";
/// Header of a parked message: the routing key it came under.
pub const HEADER_PARKED_KEY: &str = "parked-key";
/// Header of a parked message: the account it came from, when that was proven.
pub const HEADER_PARKED_ACCOUNT: &str = "parked-account";

/// How much may be on its way, and how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishLimits {
    /// Messages waiting for their confirmation; more wait before they are sent.
    pub outstanding_max: usize,
    /// Wait for one confirmation. When in that time none at all came, the connection is held dead and rebuilt.
    pub confirm_timeout: Duration,
    /// Largest body. The broker closes the channel on a larger one, with all that is outstanding (16 MiB in 4.x).
    pub body_bytes_max: usize,
}

impl Default for PublishLimits {
    fn default() -> PublishLimits {
        PublishLimits {
            outstanding_max: 1024,
            confirm_timeout: Duration::from_secs(30),
            body_bytes_max: 16 * 1024 * 1024,
        }
    }
}

/// A message that the gateway cannot handle and a person must see.
#[derive(Debug, Clone, Copy)]
pub struct Parked<'a> {
    /// Why, in words for that person.
    pub reason: &'a str,
    /// The account, when it was proven.
    pub account: Option<&'a AccountId>,
    /// The routing key it came under.
    pub routing_key: &'a str,
    /// Its message id, if it had one.
    pub message_id: Option<&'a str>,
    /// Its type, if it had one.
    pub kind: Option<&'a str>,
    /// Its bytes.
    pub body: &'a [u8],
}

/// A way onto a channel in confirm mode, with the session that it lives in.
struct Open {
    session: u64,
    messages: mpsc::Sender<Message>,
}

/// Publishes to inboxes and to the parked queue.
pub struct Publisher {
    keeper: Keeper,
    limits: PublishLimits,
    open: watch::Sender<Option<Arc<Open>>>,
    permits: Semaphore,
    born: Instant,
    /// Milliseconds from `born` to the last confirmation.
    confirmed_at: AtomicU64,
}

impl Publisher {
    pub(crate) fn new(address: &Address, limits: PublishLimits) -> Result<Publisher, BrokerFault> {
        Ok(Publisher {
            keeper: Keeper::new(address, "publish")?,
            permits: Semaphore::new(limits.outstanding_max),
            limits,
            open: watch::Sender::new(None),
            born: Instant::now(),
            confirmed_at: AtomicU64::new(0),
        })
    }

    /// Whether messages go through.
    pub fn state(&self) -> BrokerState {
        self.keeper.state()
    }

    /// Whether messages go through, and its changes.
    pub fn states(&self) -> watch::Receiver<BrokerState> {
        self.keeper.states()
    }

    /// Keeps the connection and its channel, for as long as it is polled.
    pub(crate) async fn run(&self) {
        tokio::join!(self.keeper.run(), self.keep_channel());
    }

    pub(crate) async fn close(&self) {
        self.keeper.close().await;
    }

    /// Parks a message, however large: it came from this broker.
    pub async fn park(&self, parked: Parked<'_>) -> Outcome {
        let mut headers = FieldTable::default();
        put(&mut headers, HEADER_PARKED_REASON, parked.reason);
        put(&mut headers, HEADER_PARKED_KEY, parked.routing_key);
        if let Some(account) = parked.account {
            put(&mut headers, HEADER_PARKED_ACCOUNT, account.as_str());
        }
        let mut properties = persistent(headers);
        // An agency chose these; what does not fit into AMQP's 255 bytes is left out rather than cut.
        if let Some(id) = parked
            .message_id
            .and_then(|id| lapin::types::ShortString::try_new(id).ok())
        {
            properties = properties.with_message_id(id);
        }
        if let Some(kind) = parked
            .kind
            .and_then(|kind| lapin::types::ShortString::try_new(kind).ok())
        {
            properties = properties.with_type(kind);
        }
        self.publish(PARK_EXCHANGE, "", properties, Arc::from(parked.body))
            .await
    }

    /// Opens a channel for every session, and another when the broker closed it.
    async fn keep_channel(&self) {
        let mut sessions = self.keeper.sessions();
        loop {
            let session = current(&mut sessions).await;
            match open_channel(&session).await {
                Ok(channel) => {
                    self.note_confirmation();
                    let (messages, mut taken) = mpsc::channel(self.limits.outstanding_max);
                    self.open.send_replace(Some(Arc::new(Open {
                        session: session.number,
                        messages,
                    })));
                    tokio::select! {
                        () = replaced(&mut sessions, session.number) => {}
                        ended = line::carry(&channel, &mut taken, self.limits.confirm_timeout) => {
                            if let Err(fault) = ended {
                                tracing::warn!(%fault, "the channel to publish on is over");
                            }
                        }
                    }
                    self.open.send_replace(None);
                }
                Err(error) => tracing::warn!(%error, "no channel to publish on"),
            }
            if sessions
                .borrow()
                .as_ref()
                .is_some_and(|now| now.number == session.number)
            {
                sleep(REOPEN_PAUSE).await;
            }
        }
    }

    async fn publish(
        &self,
        exchange: &str,
        key: &str,
        properties: BasicProperties,
        body: Arc<[u8]>,
    ) -> Outcome {
        let _permit = self
            .permits
            .acquire()
            .await
            .expect("the semaphore is never closed");
        let Some(open) = self.open_channel_of_now().await else {
            return Outcome::Deferred;
        };
        let sent_at = self.elapsed();
        let (answer, answered) = oneshot::channel();
        let message = Message {
            exchange: exchange.to_owned(),
            key: key.to_owned(),
            properties,
            body,
            answer,
        };
        if open.messages.send(message).await.is_err() {
            return Outcome::Deferred;
        }
        match timeout(self.limits.confirm_timeout, answered).await {
            Ok(Ok(said)) => {
                self.note_confirmation();
                match said {
                    Said::Taken => Outcome::Delivered,
                    Said::Returned => Outcome::Declined,
                    Said::Refused => {
                        tracing::debug!(exchange, key, "the queue is full");
                        Outcome::Deferred
                    }
                }
            }
            Ok(Err(_)) => {
                tracing::debug!(exchange, key, "the channel ended before the confirmation came");
                Outcome::Deferred
            }
            Err(_) => {
                self.suspect_silence(&open, sent_at);
                Outcome::Deferred
            }
        }
    }

    /// The channel to publish on, if messages go through. One that is just being opened is waited for.
    async fn open_channel_of_now(&self) -> Option<Arc<Open>> {
        if self.keeper.state() != BrokerState::Connected {
            return None;
        }
        if let Some(open) = self.open.borrow().clone() {
            return Some(open);
        }
        let mut opens = self.open.subscribe();
        let opened = timeout(OPEN_TIMEOUT, opens.wait_for(Option::is_some))
            .await
            .ok()?;
        opened.ok()?.clone()
    }

    /// A confirmation is overdue. When none came since, and the broker does not say that it is blocked, the
    /// connection is dead whatever the socket says (lapin issue 409; a half-open path).
    fn suspect_silence(&self, open: &Open, sent_at: u64) {
        let silent = self.confirmed_at.load(Ordering::Relaxed) <= sent_at;
        if silent && self.keeper.state() == BrokerState::Connected {
            self.keeper.suspect(open.session);
        }
    }

    fn note_confirmation(&self) {
        self.confirmed_at.store(self.elapsed(), Ordering::Relaxed);
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Inbox for Publisher {
    fn hand_over(&self, account: AccountId, parcel: Parcel) -> Soon<'_, Outcome> {
        Box::pin(async move {
            if parcel.body.len() > self.limits.body_bytes_max {
                let body_bytes = parcel.body.len();
                tracing::error!(body_bytes, account.id = %account, "a message is larger than the broker takes");
                return Outcome::Deferred;
            }
            let properties = persistent(headers_of(&parcel))
                .with_message_id(parcel.dispatch.id.to_string().into())
                .with_type(parcel.dispatch.kind.word().into());
            self.publish(wire::DELIVER_EXCHANGE, account.as_str(), properties, parcel.body)
                .await
        })
    }
}

async fn open_channel(session: &Session) -> lapin::Result<Channel> {
    let channel = session.connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    Ok(channel)
}

/// Waits for a session.
pub(crate) async fn current(sessions: &mut watch::Receiver<Option<Arc<Session>>>) -> Arc<Session> {
    let now = sessions
        .wait_for(Option::is_some)
        .await
        .expect("the keeper lives as long as its users");
    Arc::clone(now.as_ref().expect("waited for"))
}

/// Waits until the session with this number is no longer the one of now.
pub(crate) async fn replaced(sessions: &mut watch::Receiver<Option<Arc<Session>>>, number: u64) {
    let gone = |now: &Option<Arc<Session>>| now.as_ref().is_none_or(|now| now.number != number);
    sessions
        .wait_for(gone)
        .await
        .expect("the keeper lives as long as its users");
}

fn persistent(headers: FieldTable) -> BasicProperties {
    BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_headers(headers)
}

fn headers_of(parcel: &Parcel) -> FieldTable {
    let mut headers = FieldTable::default();
    headers.insert(wire::HEADER_FORMAT.into(), AMQPValue::LongLongInt(wire::FORMAT));
    put(&mut headers, wire::HEADER_CASE, parcel.dispatch.case.to_string());
    put(&mut headers, wire::HEADER_EVENT, parcel.event.to_string());
    if let Some(time) = parcel.dispatch.expires_at {
        put(&mut headers, wire::HEADER_EXPIRES, vietnam_time(time));
    }
    if let Some(sender) = &parcel.sender {
        put(&mut headers, wire::HEADER_SENDER, sender.as_str());
    }
    if let Some(document) = &parcel.document {
        put(&mut headers, wire::HEADER_DOCUMENT, document.as_str());
    }
    if let Some(answer) = &parcel.dispatch.answer {
        put(&mut headers, wire::HEADER_RECEIPT, answer.kind.word());
        if let Some(submission) = &answer.submission {
            put(&mut headers, wire::HEADER_SUBMISSION, submission.as_str());
        }
    }
    if !parcel.targets.is_empty() {
        // A recall takes back all updates, which may be any number. Ids rise with time: the newest may still lie in the inbox.
        let mut targets = parcel.targets.clone();
        targets.sort_unstable();
        let newest = targets.iter().rev().take(wire::TARGETS_TOLD_MAX);
        let newest: Vec<String> = newest.map(ToString::to_string).collect();
        put(&mut headers, wire::HEADER_TARGETS, newest.join(" "));
    }
    headers
}

fn put(headers: &mut FieldTable, name: &'static str, value: impl Into<String>) {
    headers.insert(
        name.into(),
        AMQPValue::LongString(value.into().into_bytes().into()),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::dispatch::{Answer, Dispatch, DispatchKind, Rank};
    use domain::ids::{AgencyId, CaseId, DispatchId, SubmissionId};
    use domain::receipt::ReceiptKind;
    use trust::{Digest, Time};

    fn parcel(kind: DispatchKind) -> Parcel {
        let leaf = Digest::of(b"event");
        let to = AgencyId::from_number(3);
        let dispatch = Dispatch {
            id: DispatchId::derive(Time::from_micros(0), &leaf, to, kind.letter()),
            case: CaseId::from_bytes([7; 16]),
            to,
            code: None,
            kind,
            body: Digest::of(b"body"),
            rank: Rank::Normal,
            expires_at: None,
            answer: None,
        };
        Parcel {
            dispatch,
            event: leaf,
            body: b"body".as_slice().into(),
            sender: None,
            document: None,
            targets: Vec::new(),
        }
    }

    fn text<'a>(headers: &'a FieldTable, name: &str) -> Option<&'a str> {
        match headers.inner().get(name) {
            Some(AMQPValue::LongString(text)) => std::str::from_utf8(text.as_bytes()).ok(),
            _ => None,
        }
    }

    #[test]
    fn a_packet_carries_case_event_and_what_is_known_of_its_document() {
        let mut packet = parcel(DispatchKind::Packet);
        packet.dispatch.expires_at = Some(Time::from_micros(1_790_000_000_000_000));
        packet.sender = Some("000.00.01.H53".to_owned());
        packet.document = Some("số 13/2020".to_owned());
        packet.targets = vec![CaseId::from_bytes([1; 16]), CaseId::from_bytes([2; 16])];
        let headers = headers_of(&packet);
        assert_eq!(
            headers.inner().get(wire::HEADER_FORMAT),
            Some(&AMQPValue::LongLongInt(1))
        );
        assert_eq!(
            text(&headers, wire::HEADER_CASE),
            Some("07070707-0707-0707-0707-070707070707")
        );
        assert_eq!(
            text(&headers, wire::HEADER_EVENT),
            Some(Digest::of(b"event").to_string().as_str())
        );
        assert_eq!(text(&headers, wire::HEADER_DOCUMENT), Some("số 13/2020"));
        assert!(text(&headers, wire::HEADER_EXPIRES).is_some_and(|time| time.ends_with("+07:00")));
        assert_eq!(
            text(&headers, wire::HEADER_TARGETS).map(|targets| targets.split(' ').count()),
            Some(2)
        );
        assert_eq!(text(&headers, wire::HEADER_RECEIPT), None);
    }

    #[test]
    fn of_very_many_cases_a_recall_carries_the_newest() {
        let case = |number: u16| {
            let mut bytes = [0; 16];
            bytes[..2].copy_from_slice(&number.to_be_bytes());
            CaseId::from_bytes(bytes)
        };
        let mut recall = parcel(DispatchKind::Packet);
        let told = |recall: &Parcel| {
            let headers = headers_of(recall);
            let told = text(&headers, wire::HEADER_TARGETS).map(str::to_owned);
            let told = told.expect("a header");
            told.split(' ')
                .map(|id| id.parse().expect("an id"))
                .collect::<Vec<CaseId>>()
        };
        let newest = u16::try_from(wire::TARGETS_TOLD_MAX).expect("small");
        recall.targets = (1..=newest).map(case).collect();
        assert_eq!(told(&recall), (1..=newest).rev().map(case).collect::<Vec<_>>());
        recall.targets.insert(0, case(newest + 1));
        assert_eq!(
            told(&recall),
            (2..=newest + 1).rev().map(case).collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_receipt_names_its_kind_and_the_submission_it_answers() {
        let mut receipt = parcel(DispatchKind::Receipt);
        let submission = SubmissionId::parse("0190").ok();
        receipt.dispatch.answer = Some(Answer {
            account: None,
            kind: ReceiptKind::SubmissionAcceptance,
            submission,
        });
        let headers = headers_of(&receipt);
        assert_eq!(text(&headers, wire::HEADER_RECEIPT), Some("SubmissionAcceptance"));
        assert_eq!(text(&headers, wire::HEADER_SUBMISSION), Some("0190"));
        assert_eq!(text(&headers, wire::HEADER_EXPIRES), None);
    }

    #[tokio::test]
    async fn without_a_connection_the_answer_is_not_now() {
        let address = Address::new("amqp://127.0.0.1:1/v".to_owned().into());
        let publisher = Publisher::new(&address, PublishLimits::default()).expect("an address");
        let account = AccountId::parse("a3-1").expect("an account id");
        assert_eq!(
            publisher.hand_over(account, parcel(DispatchKind::Packet)).await,
            Outcome::Deferred
        );
    }
}
