//! Publishing: the one place that hands a message to the broker.
//!
//! On the road it is the far end of *dispatch*: a parcel goes to its addressee's inbox, and the answer comes when the
//! broker has it on disk. What a person must look at is parked the same way.
//!
//! **Invariant:** every message is mandatory, persistent and confirmed, and goes over a connection that was proven to lead to
//! this gateway's broker.
//! **Invariant:** delivered means acknowledged and not returned. A message without a queue is acknowledged too, but
//! returned first (declined); refused means that its queue is full and did not take it. Whatever else happens is *not
//! now*, and nobody knows whether it got there.
//! **Invariant:** at most `outstanding_max` messages wait for their confirmation.

mod headers;
mod line;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use domain::ids::AccountId;
use domain::port::{Inbox, Outcome, Parcel, Soon};
use domain::wire;
use lapin::options::ConfirmSelectOptions;
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};

use self::headers::{headers_of, put};
use self::line::{Message, Said};
use super::BrokerFault;
use super::connection::{Address, BrokerState, Keeper, Session};
use super::inspect::Inspector;
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
}

impl Default for PublishLimits {
    fn default() -> PublishLimits {
        PublishLimits {
            outstanding_max: 1024,
            confirm_timeout: Duration::from_secs(30),
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

    /// The broker behind the connection of this number is this gateway's: what is put there reaches its own. Before, nothing is
    /// published.
    pub fn prove(&self, session: u64) {
        self.keeper.prove(session);
    }

    /// Whether the connection of now is one that was proven.
    pub fn is_proven(&self) -> bool {
        self.keeper.is_proven()
    }

    /// Reads of what stands in the queues, over this connection.
    pub fn inspector(&self) -> Inspector {
        Inspector::new(self.keeper.sessions())
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

    /// Opens a channel for every session that is proven, and another when the broker closed it.
    async fn keep_channel(&self) {
        let mut sessions = self.keeper.sessions();
        let mut proofs = self.keeper.proofs();
        loop {
            let session = current(&mut sessions).await;
            let is_it = |proven: &Option<u64>| *proven == Some(session.number);
            tokio::select! {
                () = replaced(&mut sessions, session.number) => continue,
                proven = proofs.wait_for(is_it) => drop(proven.expect("the keeper owns the sender")),
            }
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
                        Outcome::Full
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

#[cfg(test)]
mod tests {
    use super::headers::tests::parcel;
    use super::*;
    use domain::dispatch::DispatchKind;

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
