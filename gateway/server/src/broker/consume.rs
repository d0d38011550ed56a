//! Consuming: what agencies submitted, in turn, with its proof of origin.
//!
//! On the road it is the door of *receive*. Three lanes leave here: urgent submissions, normal ones (an intake queue
//! an account) and confirmations, each a bounded channel; a lane that nobody empties stops taking from the broker.
//!
//! **Invariant:** the account of an [`Arrival`] is the broker-validated `user-id` *and* the last part of the routing
//! key; anything else arrives as [`Unproven`], to be parked.
//! **Invariant:** a message is acknowledged only by [`Settle::done`], once, on the very channel that delivered it.
//! After a reconnect the old handle does nothing: the message comes again.
//! **Invariant:** what an agency copies into another intake than its own key's goes no further: nobody fills or parks
//! anything at another's cost.
//! **Invariant:** what is unsettled is bounded in number and in bytes, a lane.

mod budget;
mod feed;
mod lane;
mod source;
mod turns;
mod window;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::ids::AccountId;
use lapin::message::Delivery;
use lapin::types::AMQPValue;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::BrokerFault;
use super::connection::{Address, BrokerState, Keeper};
use super::inspect::Inspector;
use super::topology;
use lane::Pump;

/// When a handle is dropped unanswered, as when its task panicked, the message goes back after this time.
const DROPPED_PAUSE: Duration = Duration::from_secs(5);
/// Header in which a quorum queue counts how often a message was given back.
const HEADER_DELIVERY_COUNT: &str = "x-delivery-count";

/// How much may be taken from the broker before it is settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumeLimits {
    /// Messages of a lane, divided among its queues.
    pub unsettled_max: usize,
    /// Least messages of one queue, however many queues there are.
    pub prefetch_min: u16,
    /// Most messages of one queue, however few queues there are.
    pub prefetch_max: u16,
    /// Bytes of a lane. Passed by at most what was on the wire already.
    pub unsettled_bytes_max: u64,
    /// Messages of a lane that were handed on and not yet picked up.
    pub ready_max: usize,
}

impl Default for ConsumeLimits {
    fn default() -> ConsumeLimits {
        ConsumeLimits {
            unsettled_max: 2048,
            prefetch_min: 8,
            prefetch_max: 256,
            unsettled_bytes_max: 64 * 1024 * 1024,
            ready_max: 64,
        }
    }
}

impl ConsumeLimits {
    /// Prefetch of each of `queues` queues.
    pub(crate) fn prefetch(&self, queues: usize) -> u16 {
        let share = self.unsettled_max / queues.max(1);
        u16::try_from(share)
            .unwrap_or(u16::MAX)
            .max(self.prefetch_min)
            .min(self.prefetch_max)
    }
}

/// A way into the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Urgent submissions of all agencies.
    Urgent,
    /// Normal submissions.
    Normal,
    /// Confirmations of all agencies.
    Confirm,
}

impl Lane {
    /// The first part of its routing keys.
    pub fn word(self) -> &'static str {
        match self {
            Lane::Urgent => "urgent",
            Lane::Normal => "normal",
            Lane::Confirm => "confirm",
        }
    }
}

/// Why nobody can say whom a message is from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// It has no `user-id`, so that the broker validated nothing.
    #[error("the message has no user-id")]
    NoUser,
    /// Its `user-id` is no account: a user that is no agency published it.
    #[error("the user-id {0:?} is not an account")]
    NotAnAccount(String),
    /// Its routing key is not one of this lane for this account.
    #[error("the routing key is not one of {0}")]
    ForeignKey(AccountId),
}

/// A message from an intake.
#[derive(Debug)]
pub struct Arrival {
    /// Who published it.
    pub account: Result<AccountId, Unproven>,
    /// The routing key it came under.
    pub routing_key: String,
    /// AMQP `message-id`: the submission id. Chosen by the agency, not checked here.
    pub message_id: Option<String>,
    /// AMQP `type`. Chosen by the agency, not checked here.
    pub kind: Option<String>,
    /// The bytes, as they were published.
    pub body: Vec<u8>,
    /// How often it was given back before, by anybody's crash too.
    pub delivery_count: u64,
    /// Whether it was delivered before.
    pub redelivered: bool,
    /// Says what became of it.
    pub settle: Settle,
}

impl Arrival {
    fn new(lane: Lane, delivery: Delivery, settle: Settle) -> Arrival {
        let properties = &delivery.properties;
        let user = properties.user_id().as_ref().map(|user| user.as_str());
        let own = |text: &Option<lapin::types::ShortString>| text.as_ref().map(ToString::to_string);
        Arrival {
            account: prove(lane, user, delivery.routing_key.as_str()),
            message_id: own(properties.message_id()),
            kind: own(properties.kind()),
            // The count may have been lost with a table of headers that was too large.
            delivery_count: delivery_count(&delivery).max(u64::from(delivery.redelivered)),
            redelivered: delivery.redelivered,
            routing_key: delivery.routing_key.to_string(),
            body: delivery.data,
            settle,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Done,
    NotNow(Duration),
}

/// What became of one delivery, on its way to the channel that brought it.
#[derive(Debug)]
struct Settlement {
    channel: u64,
    tag: u64,
    bytes: u64,
    verdict: Verdict,
}

/// Says, once, what became of a message. Dropped without a word it means *not now*.
#[derive(Debug)]
pub struct Settle {
    to: mpsc::UnboundedSender<Settlement>,
    channel: u64,
    tag: u64,
    bytes: u64,
    verdict: Verdict,
}

impl Settle {
    /// The message is ours now, or parked: the broker may forget it.
    pub fn done(mut self) {
        self.verdict = Verdict::Done;
    }

    /// The message is to come again, not before this time has passed.
    pub fn not_now(mut self, after: Duration) {
        self.verdict = Verdict::NotNow(after);
    }
}

impl Drop for Settle {
    fn drop(&mut self) {
        let Settle {
            channel,
            tag,
            bytes,
            verdict,
            ..
        } = *self;
        // A lane that is gone has nothing to settle: its channel closed, and the message comes again.
        let _ = self.to.send(Settlement {
            channel,
            tag,
            bytes,
            verdict,
        });
    }
}

/// The receiving ends of the lanes.
#[derive(Debug)]
pub struct Lanes {
    /// Urgent submissions.
    pub urgent: mpsc::Receiver<Arrival>,
    /// Normal submissions.
    pub normal: mpsc::Receiver<Arrival>,
    /// Confirmations.
    pub confirm: mpsc::Receiver<Arrival>,
}

/// What is to be consumed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Wanted {
    accounts: BTreeSet<AccountId>,
    /// Set at the end, when what was taken is still to be settled.
    stopped: bool,
}

/// Takes from the intakes.
pub struct Intake {
    keeper: Keeper,
    limits: ConsumeLimits,
    wanted: watch::Sender<Wanted>,
    out: [(Lane, mpsc::Sender<Arrival>); 3],
}

impl Intake {
    pub(crate) fn new(address: &Address, limits: ConsumeLimits) -> Result<(Intake, Lanes), BrokerFault> {
        let (urgent_in, urgent) = mpsc::channel(limits.ready_max);
        let (normal_in, normal) = mpsc::channel(limits.ready_max);
        let (confirm_in, confirm) = mpsc::channel(limits.ready_max);
        let intake = Intake {
            keeper: Keeper::new(address, "consume")?,
            limits,
            wanted: watch::Sender::new(Wanted::default()),
            out: [
                (Lane::Urgent, urgent_in),
                (Lane::Normal, normal_in),
                (Lane::Confirm, confirm_in),
            ],
        };
        Ok((
            intake,
            Lanes {
                urgent,
                normal,
                confirm,
            },
        ))
    }

    /// The broker behind the connection of this number is this gateway's: what lies there is its own. Before, nothing is taken
    /// from it.
    pub fn prove(&self, session: u64) {
        self.keeper.prove(session);
    }

    /// Whether the connection of now is one that was proven.
    pub fn is_proven(&self) -> bool {
        self.keeper.is_proven()
    }

    /// Consumes the intakes of exactly these accounts from now on.
    pub fn watch_accounts(&self, accounts: BTreeSet<AccountId>) {
        self.wanted
            .send_if_modified(|wanted| std::mem::replace(&mut wanted.accounts, accounts) != wanted.accounts);
    }

    /// Consumes this account's intake too.
    pub fn watch_account(&self, account: AccountId) {
        self.wanted
            .send_if_modified(|wanted| wanted.accounts.insert(account));
    }

    /// No longer consumes this account's intake. What came from it can still be settled.
    pub fn unwatch_account(&self, account: &AccountId) {
        self.wanted
            .send_if_modified(|wanted| wanted.accounts.remove(account));
    }

    /// Takes nothing more, from any lane. What came can still be settled.
    pub fn stop_taking(&self) {
        self.wanted.send_modify(|wanted| wanted.stopped = true);
    }

    /// Whether the consuming connection stands.
    pub fn state(&self) -> BrokerState {
        self.keeper.state()
    }

    /// Whether the consuming connection stands, and its changes.
    pub fn states(&self) -> watch::Receiver<BrokerState> {
        self.keeper.states()
    }

    /// Reads of what stands in the queues.
    pub fn inspector(&self) -> Inspector {
        Inspector::new(self.keeper.sessions())
    }

    /// Keeps the connection and its consumers, for as long as it is polled.
    ///
    /// # Panics
    /// When a lane panicked.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut tasks = JoinSet::new();
        for (lane, out) in self.out.clone() {
            tasks.spawn(Pump::new(lane, Arc::clone(&self), out).run());
        }
        tokio::select! {
            () = self.keeper.run() => {}
            ended = tasks.join_next() => {
                let ended = ended.expect("three lanes were started");
                ended.expect("a lane runs until it is dropped");
            }
        }
    }

    pub(crate) async fn close(&self) {
        self.keeper.close().await;
    }
}

fn prove(lane: Lane, user: Option<&str>, routing_key: &str) -> Result<AccountId, Unproven> {
    let user = user.ok_or(Unproven::NoUser)?;
    let account = AccountId::parse(user).map_err(|_| Unproven::NotAnAccount(user.to_owned()))?;
    match routing_key.split_once('.') {
        Some((class, name)) if class == lane.word() && name == user => Ok(account),
        _ => Err(Unproven::ForeignKey(account)),
    }
}

/// Whether a message lies in this queue of the lane although its key leads to another one of its sender's: a copy that the
/// sender had made (RabbitMQ's headers CC and BCC, which no permission covers). The message itself went where its key leads.
fn is_copy(lane: Lane, queue: &str, arrival: &Arrival) -> bool {
    match &arrival.account {
        Ok(account) => lane == Lane::Normal && queue != topology::intake_queue(account),
        Err(Unproven::ForeignKey(account)) => [Lane::Urgent, Lane::Normal, Lane::Confirm]
            .into_iter()
            .any(|other| prove(other, Some(account.as_str()), &arrival.routing_key).is_ok()),
        Err(Unproven::NoUser | Unproven::NotAnAccount(_)) => false,
    }
}

fn delivery_count(delivery: &Delivery) -> u64 {
    let header = delivery
        .properties
        .headers()
        .as_ref()
        .and_then(|it| it.inner().get(HEADER_DELIVERY_COUNT));
    match header {
        Some(AMQPValue::LongLongInt(count)) => u64::try_from(*count).unwrap_or(0),
        Some(AMQPValue::LongInt(count)) => u64::try_from(*count).unwrap_or(0),
        Some(AMQPValue::LongUInt(count)) => u64::from(*count),
        Some(AMQPValue::ShortInt(count)) => u64::try_from(*count).unwrap_or(0),
        Some(AMQPValue::ShortUInt(count)) => u64::from(*count),
        Some(AMQPValue::ShortShortInt(count)) => u64::try_from(*count).unwrap_or(0),
        Some(AMQPValue::ShortShortUInt(count)) => u64::from(*count),
        _ => 0, // not a quorum queue's word: it was never given back
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(text: &str) -> AccountId {
        AccountId::parse(text).expect("an account id")
    }

    #[test]
    fn the_prefetch_of_a_queue_stays_within_what_is_configured() {
        let of = |prefetch_max, queues| {
            let limits = ConsumeLimits {
                prefetch_max,
                ..ConsumeLimits::default()
            };
            limits.prefetch(queues)
        };
        assert_eq!([of(256, 1), of(256, 20), of(256, 2_048)], [256, 102, 8]);
        assert_eq!([of(8, 1), of(7, 1), of(1, 1), of(1, 2_048)], [8, 7, 1, 1]);
    }

    #[test]
    fn only_user_and_key_together_prove_an_account() {
        let own = account("a17-1");
        assert_eq!(
            prove(Lane::Normal, Some("a17-1"), "normal.a17-1"),
            Ok(own.clone())
        );
        assert_eq!(
            prove(Lane::Urgent, Some("a17-1"), "urgent.a17-1"),
            Ok(own.clone())
        );
        assert_eq!(prove(Lane::Normal, None, "normal.a17-1"), Err(Unproven::NoUser));
        assert_eq!(
            prove(Lane::Normal, Some("Operator"), "normal.x"),
            Err(Unproven::NotAnAccount("Operator".to_owned()))
        );
        for key in [
            "normal.a17-2",
            "urgent.a17-1",
            "normal.a17-1\n",
            "normal.a17-1.x",
            "a17-1",
            "",
        ] {
            assert_eq!(
                prove(Lane::Normal, Some("a17-1"), key),
                Err(Unproven::ForeignKey(own.clone())),
                "{key:?}"
            );
        }
    }

    #[test]
    fn a_handle_speaks_exactly_once_and_silence_means_not_now() {
        let (to, mut said) = mpsc::unbounded_channel();
        let settle = |tag| Settle {
            to: to.clone(),
            channel: 1,
            tag,
            bytes: 9,
            verdict: Verdict::NotNow(DROPPED_PAUSE),
        };
        settle(1).done();
        settle(2).not_now(Duration::from_secs(60));
        drop(settle(3));
        drop(to);
        let verdicts: Vec<_> = std::iter::from_fn(|| said.try_recv().ok())
            .map(|it| (it.tag, it.verdict))
            .collect();
        let expected = [
            (1, Verdict::Done),
            (2, Verdict::NotNow(Duration::from_secs(60))),
            (3, Verdict::NotNow(DROPPED_PAUSE)),
        ];
        assert_eq!(verdicts, expected);
    }

    #[test]
    fn the_count_of_a_lane_is_shared_by_its_queues() {
        let limits = ConsumeLimits::default();
        assert_eq!(limits.prefetch(0), 256);
        assert_eq!(limits.prefetch(1), 256);
        assert_eq!(limits.prefetch(20), 102);
        assert_eq!(limits.prefetch(1300), 8);
    }

    #[test]
    fn accounts_come_and_go() {
        let address = Address::new("amqp://127.0.0.1:1/v".to_owned().into());
        let (intake, _lanes) = Intake::new(&address, ConsumeLimits::default()).expect("an address");
        let mut wanted = intake.wanted.subscribe();
        intake.watch_account(account("a1"));
        assert!(wanted.has_changed().expect("open"));
        wanted.mark_unchanged();
        intake.watch_accounts(BTreeSet::from([account("a1")]));
        intake.unwatch_account(&account("a2"));
        assert!(
            !wanted.has_changed().expect("open"),
            "nothing to do, nobody woken"
        );
        intake.unwatch_account(&account("a1"));
        assert!(wanted.borrow_and_update().accounts.is_empty());
    }
}
